//! The clock.
//!
//! Not criterion: it measures one function after the other, for seconds each, and on a shared core the seconds differ more than the
//! functions do. Here everything that is compared runs in turns of milliseconds, on the time of the thread, and the median of the turns is taken.

use core::fmt;

use benches::clock::nanoseconds;
use tdea::Backend;

/// Turns of a job. One shows that it runs, which is all that `cargo bench -- --test` asks for.
#[derive(Clone, Copy)]
pub(crate) struct Turns(pub(crate) usize);

impl Turns {
    /// Fewer of them, for jobs that take long.
    pub(crate) fn part(self, of: usize) -> Self {
        Self((self.0 / of) | 1)
    }
}

/// Who does a job.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Who {
    /// A library beside ours.
    Peer(&'static str),
    /// This crate, on one of its back ends.
    Ours(Backend),
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Peer(name) => name,
            Self::Ours(backend) => name(*backend),
        })
    }
}

/// What a back end is called in tables.
pub(crate) const fn name(backend: Backend) -> &'static str {
    match backend {
        Backend::Avx512 => "AVX-512",
        Backend::Avx2 => "AVX2",
        _ => "u64",
    }
}

/// A job and how many items one run of it does.
pub(crate) struct Job<'a> {
    pub(crate) who: Who,
    items: usize,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

impl<'a> Job<'a> {
    pub(crate) fn peer(name: &'static str, items: usize, run: impl FnMut() + 'a) -> Self {
        Self { who: Who::Peer(name), items, run: Box::new(run), nanoseconds: Vec::new() }
    }

    pub(crate) fn ours(backend: Backend, items: usize, run: impl FnMut() + 'a) -> Self {
        Self { who: Who::Ours(backend), items, run: Box::new(run), nanoseconds: Vec::new() }
    }

    /// Runs for a few milliseconds and notes the time of an item.
    fn turn(&mut self) {
        let (start, mut runs) = (nanoseconds(), 0_usize);
        while nanoseconds() < start + 2e6 {
            (self.run)();
            runs += 1;
        }
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        self.nanoseconds.push((nanoseconds() - start) / (runs * self.items) as f64);
    }

    fn median(&mut self) -> f64 {
        self.nanoseconds.sort_by(f64::total_cmp);
        self.nanoseconds[self.nanoseconds.len() / 2]
    }
}

/// Runs the jobs in turns. Returns who took how many nanoseconds for an item.
pub(crate) fn measure(turns: Turns, mut jobs: Vec<Job<'_>>) -> Vec<(Who, f64)> {
    for _ in 0..turns.0 {
        jobs.iter_mut().for_each(Job::turn);
    }
    jobs.iter_mut().map(|job| (job.who, job.median())).collect()
}
