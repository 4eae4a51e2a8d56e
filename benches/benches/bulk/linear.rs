//! Whether the time of an item depends on how many there are.

use core::hint::black_box;

use benches::KEY;
use tdea::TdeaKey;
use tdea::bulk::Engine;

use crate::dukpt;
use crate::harness::{Job, Turns, Who, measure};
use crate::works::{keys, values};

pub(crate) const SIZES: [usize; 3] = [10_000, 100_000, 1_000_000];
/// The most that the slowest of the sizes may take, for an item, of what the fastest takes.
pub(crate) const BAR: f64 = 1.2;

/// The times of an item for each of [`SIZES`].
pub(crate) struct Line {
    pub(crate) work: &'static str,
    pub(crate) who: Who,
    pub(crate) nanoseconds: Vec<f64>,
}

impl Line {
    /// The largest time by the smallest.
    pub(crate) fn spread(&self) -> f64 {
        let most = self.nanoseconds.iter().copied().fold(0.0, f64::max);
        most / self.nanoseconds.iter().copied().fold(f64::INFINITY, f64::min)
    }
}

pub(crate) fn run(turns: Turns) -> Vec<Line> {
    let mut lines = Vec::new();
    for engine in Engine::available() {
        for (work, job) in
            [("child keys", children as fn(Engine, usize) -> Job<'static>), ("DUKPT", transaction_keys)]
        {
            let times = measure(turns.part(4), SIZES.map(|size| job(engine, size)).into());
            let nanoseconds = times.into_iter().map(|(_, time)| time).collect();
            lines.push(Line { work, who: Who::Ours(engine.backend()), nanoseconds });
        }
    }
    lines
}

fn children(engine: Engine, size: usize) -> Job<'static> {
    let (parent, factors, mut out) = (TdeaKey::from(KEY), values(size), keys(size));
    Job::ours(engine.backend(), size, move || {
        engine.diversify(&parent, black_box(&factors), &mut out).unwrap()
    })
}

fn transaction_keys(engine: Engine, size: usize) -> Job<'static> {
    let inputs = dukpt::Inputs::new(size);
    Job::ours(engine.backend(), size, move || {
        inputs.derive(engine, |_, key| {
            black_box(key);
        });
    })
}
