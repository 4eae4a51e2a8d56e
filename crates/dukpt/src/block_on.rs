//! Waiting for a future on a thread that has nothing else to do.

use alloc::sync::Arc;
use alloc::task::Wake;
use core::future::Future;
use core::pin::pin;
use core::sync::atomic::{AtomicBool, Ordering};
use core::task::{Context, Poll, Waker};
use std::thread::{self, Thread};

/// Waits for `future` on this thread: how a program without a runtime asks a [`ReplayGuard`](super::guard::ReplayGuard).
///
/// A future that needs a runtime of its own (a timer, a socket of that runtime) still needs it to be there. Not for use
/// inside an asynchronous task: it would keep the task's thread.
///
/// # Examples
/// ```
/// assert_eq!(cardroot_dukpt::guard::block_on(async { 6 * 7 }), 42);
/// ```
pub fn block_on<F: Future>(future: F) -> F::Output {
    let alarm = Arc::new(Alarm { rung: AtomicBool::new(false), sleeper: thread::current() });
    let waker = Waker::from(Arc::clone(&alarm));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        // The flag, not the token of `park`, says that there is something to do: the future may have parked by itself.
        while !alarm.rung.swap(false, Ordering::Acquire) {
            thread::park();
        }
    }
}

struct Alarm {
    rung: AtomicBool,
    sleeper: Thread,
}

impl Wake for Alarm {
    fn wake(self: Arc<Self>) {
        self.rung.store(true, Ordering::Release);
        self.sleeper.unpark();
    }
}

#[cfg(test)]
mod tests {
    use core::future::poll_fn;
    use core::sync::atomic::AtomicUsize;
    use core::time::Duration;

    use super::*;

    #[test]
    fn a_future_is_polled_once_for_each_wake() {
        let wakes = Arc::new(AtomicUsize::new(0));
        let mut polls = 0;
        let answer = block_on(poll_fn(|context| {
            assert_eq!(wakes.load(Ordering::Acquire), polls);
            polls += 1;
            if polls == 4 {
                return Poll::Ready("done");
            }
            let (wakes, waker) = (Arc::clone(&wakes), context.waker().clone());
            thread::spawn(move || {
                thread::sleep(Duration::from_millis(1));
                wakes.fetch_add(1, Ordering::Release);
                waker.wake();
            });
            Poll::Pending
        }));
        assert_eq!((answer, polls), ("done", 4));
    }

    #[test]
    fn a_wake_is_not_lost_to_a_future_that_parks() {
        let mut polls = 0;
        block_on(poll_fn(|context| {
            polls += 1;
            context.waker().wake_by_ref();
            // Takes the token that the wake has left.
            thread::park();
            if polls == 3 { Poll::Ready(()) } else { Poll::Pending }
        }));
    }
}
