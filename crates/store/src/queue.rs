//! Callers on one side, the threads that write on the other: what waits together is written together.

use core::future::Future;
use core::mem;
use core::pin::Pin;
use core::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use core::task::{Context, Poll, Waker};
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Instant;

use dukpt::guard::{Claim, Verdict};

use crate::Error;

/// Where a group takes less, whoever waits looks for its end before it sleeps: to be woken takes as long as the commit of a
/// fast disk. Nobody looks where there is one processor, or somebody else to wait for.
const SHORT: Duration = Duration::from_micros(200);

/// Batches in the order in which they came.
#[derive(Debug)]
pub(crate) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    /// How many batches wait, to be looked at without the lock.
    waiting: AtomicUsize,
    /// How many claims may wait.
    limit: usize,
    has_processors: bool,
}

#[derive(Debug)]
struct State {
    batches: VecDeque<Batch>,
    /// Claims in all batches.
    claims: usize,
    /// Groups that are being written.
    groups: usize,
    /// How long the last of them took.
    last: Duration,
    open: bool,
}

impl Queue {
    pub(crate) fn new(limit: usize) -> Self {
        let (batches, last) = (VecDeque::new(), Duration::MAX);
        Self {
            state: Mutex::new(State { batches, claims: 0, groups: 0, last, open: true }),
            changed: Condvar::new(),
            waiting: AtomicUsize::new(0),
            limit,
            has_processors: thread::available_parallelism().is_ok_and(|processors| processors.get() > 1),
        }
    }

    /// Queues a batch and waits for its verdicts. From here on the batch is written whether or not somebody waits.
    pub(crate) async fn ask(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Error> {
        if claims.is_empty() {
            return Ok(Vec::new());
        }
        self.push(claims)?.await
    }

    fn push(&self, claims: &[Claim]) -> Result<Answer, Error> {
        let mut state = self.state();
        if !state.open {
            return Err(Error::Stopped);
        }
        // A batch beyond the limit must find the queue empty, or it would never be written.
        let queued = state.claims;
        if queued > 0 && queued.saturating_add(claims.len()) > self.limit {
            return Err(Error::Overloaded { queued });
        }
        let is_short = self.has_processors && queued == 0 && state.groups == 0 && state.last < SHORT;
        let slot = Arc::new(Slot::default());
        state.batches.push_back(Batch { claims: claims.to_vec(), reply: Reply(Some(Arc::clone(&slot))) });
        state.claims += claims.len();
        self.waiting.store(state.batches.len(), Ordering::Relaxed);
        drop(state);
        self.changed.notify_one();
        Ok(Answer { slot, is_short })
    }

    /// Waits for batches and takes as many as hold at most `most` claims, or one if that alone holds more. `None` when the
    /// queue is closed.
    pub(crate) fn take(&self, most: usize) -> Option<Group> {
        let mut state = self.state();
        if self.has_processors && state.batches.is_empty() && state.last < SHORT {
            drop(state);
            look_for(|| self.waiting.load(Ordering::Relaxed) > 0);
            state = self.state();
        }
        while state.open && state.batches.is_empty() {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut group = Group { batches: Vec::new(), claims: 0, start: Instant::now() };
        while let Some(batch) = state.batches.pop_front() {
            let claims = group.claims + batch.claims.len();
            if claims > most && !group.batches.is_empty() {
                state.batches.push_front(batch);
                break;
            }
            group.claims = claims;
            group.batches.push(batch);
        }
        if group.batches.is_empty() {
            return None;
        }
        self.waiting.store(state.batches.len(), Ordering::Relaxed);
        state.claims -= group.claims;
        state.groups += 1;
        Some(group)
    }

    /// Answers every batch of a group: `verdicts` in the order of [`Group::claims`].
    pub(crate) fn answer(&self, group: Group, verdicts: Result<Vec<Verdict>, Error>) {
        let mut state = self.state();
        state.groups -= 1;
        state.last = group.start.elapsed();
        drop(state);
        let mut verdicts = verdicts.map(Vec::into_iter);
        for batch in group.batches {
            let own = match &mut verdicts {
                Ok(verdicts) => Ok(verdicts.take(batch.claims.len()).collect()),
                Err(error) => Err(error.clone()),
            };
            batch.reply.send(own);
        }
    }

    /// Takes no more, and answers what waits with [`Error::Stopped`].
    pub(crate) fn close(&self) {
        let mut state = self.state();
        state.open = false;
        state.claims = 0;
        let waiting = mem::take(&mut state.batches);
        drop(state);
        self.changed.notify_all();
        drop(waiting);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Closes the queue however its writer ends.
pub(crate) struct Closing<'a>(pub(crate) &'a Queue);

impl Drop for Closing<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}

/// Looks again and again until something holds, but not for long.
fn look_for(holds: impl Fn() -> bool) {
    let start = Instant::now();
    while !holds() && start.elapsed() < SHORT {
        thread::yield_now();
    }
}

/// Batches that are written together.
#[derive(Debug)]
pub(crate) struct Group {
    batches: Vec<Batch>,
    claims: usize,
    start: Instant,
}

impl Group {
    /// All claims, batch after batch.
    pub(crate) fn claims(&self) -> impl Iterator<Item = &Claim> {
        self.batches.iter().flat_map(|batch| &batch.claims)
    }
}

#[derive(Debug)]
struct Batch {
    claims: Vec<Claim>,
    reply: Reply,
}

/// The writer's end of an answer. Dropped unused, by a thread that died or a queue that closed, it answers all the same.
#[derive(Debug)]
struct Reply(Option<Arc<Slot>>);

impl Reply {
    fn send(mut self, answer: Result<Vec<Verdict>, Error>) {
        self.fill(answer);
    }

    fn fill(&mut self, answer: Result<Vec<Verdict>, Error>) {
        let Some(slot) = self.0.take() else { return };
        let before = mem::replace(&mut *slot.content(), Content::Answered(answer));
        slot.is_answered.store(true, Ordering::Release);
        if let Content::Waiting(Some(waker)) = before {
            waker.wake();
        }
    }
}

impl Drop for Reply {
    fn drop(&mut self) {
        self.fill(Err(Error::Stopped));
    }
}

/// The caller's end. Dropping it withdraws nothing.
struct Answer {
    slot: Arc<Slot>,
    /// It will be there in a moment.
    is_short: bool,
}

#[derive(Debug, Default)]
struct Slot {
    content: Mutex<Content>,
    is_answered: AtomicBool,
}

#[derive(Debug)]
enum Content {
    Waiting(Option<Waker>),
    Answered(Result<Vec<Verdict>, Error>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Waiting(None)
    }
}

impl Slot {
    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Future for Answer {
    type Output = Result<Vec<Verdict>, Error>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if mem::take(&mut self.is_short) {
            look_for(|| self.slot.is_answered.load(Ordering::Acquire));
        }
        let mut content = self.slot.content();
        match &mut *content {
            Content::Waiting(Some(waker)) => waker.clone_from(context.waker()),
            Content::Waiting(waker) => *waker = Some(context.waker().clone()),
            Content::Answered(answer) => return Poll::Ready(mem::replace(answer, Err(Error::Stopped))),
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use core::pin::pin;

    use dukpt::guard::{OriginatorId, RequestId, Scheme, block_on};

    use super::*;

    fn claims(count: usize) -> Vec<Claim> {
        let originator = OriginatorId { scheme: Scheme::Tdes, id: [1; 8] };
        vec![Claim { originator, counter: 1, request: RequestId([0; 16]) }; count]
    }

    fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn what_waits_together_is_taken_together_up_to_the_limit_of_a_group() {
        let queue = Queue::new(100);
        let batches = [2, 3, 4, 50].map(claims);
        let mut asked: Vec<_> = batches.iter().map(|batch| Box::pin(queue.ask(batch))).collect();
        for future in &mut asked {
            assert!(poll_once(future.as_mut()).is_pending());
        }
        for expected in [5, 4, 50] {
            let group = queue.take(8).unwrap();
            assert_eq!(group.claims().count(), expected);
            queue.answer(group, Ok(vec![Verdict::Repeated; expected]));
        }
        for (future, batch) in asked.iter_mut().zip(&batches) {
            let Poll::Ready(Ok(verdicts)) = poll_once(future.as_mut()) else { panic!("not answered") };
            assert_eq!(verdicts.len(), batch.len());
        }
    }

    #[test]
    fn a_full_queue_refuses_and_an_empty_one_takes_any_batch() {
        let queue = Queue::new(3);
        let (large, one) = (claims(5), claims(1));
        let mut large = pin!(queue.ask(&large));
        assert!(poll_once(large.as_mut()).is_pending());
        assert!(matches!(block_on(queue.ask(&one)), Err(Error::Overloaded { queued: 5 })));
        queue.answer(queue.take(1).unwrap(), Err(Error::Full));
        assert!(matches!(poll_once(large), Poll::Ready(Err(Error::Full))));
        assert!(poll_once(pin!(queue.ask(&one))).is_pending());
    }

    #[test]
    fn futures_dropped_before_and_after_they_are_polled_leave_nothing_behind_that_blocks() {
        let (queue, one) = (Queue::new(9), claims(1));
        drop(queue.ask(&one));
        {
            let mut polled = pin!(queue.ask(&one));
            assert!(poll_once(polled.as_mut()).is_pending());
        }
        let group = queue.take(9).unwrap();
        assert_eq!(group.claims().count(), 1, "a future never polled has asked nothing");
        queue.answer(group, Ok(vec![Verdict::Repeated]));
    }

    #[test]
    fn a_writer_that_dies_and_a_queue_that_closes_answer_all_who_wait() {
        let (queue, one) = (Queue::new(9), claims(1));
        thread::scope(|scope| {
            let waiting: Vec<_> = (0..4).map(|_| scope.spawn(|| block_on(queue.ask(&one)))).collect();
            drop(queue.take(1));
            while queue.state().batches.len() < 3 {
                thread::yield_now();
            }
            queue.close();
            for answer in waiting {
                assert!(matches!(answer.join().unwrap(), Err(Error::Stopped)));
            }
        });
        assert!(matches!(block_on(queue.ask(&one)), Err(Error::Stopped)));
        assert!(queue.take(1).is_none());
    }
}
