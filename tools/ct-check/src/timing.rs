//! Times of a fixed secret against times of random ones, by Welch's t-test.

use std::time::Instant;

use tdea::Backend;

use crate::operations::{OPERATIONS, Secret, hasty_comparison, table_driven};

/// Runs measured for each operation.
const RUNS: usize = 20_000;
/// The slowest tenth, where interrupts are, is left out.
const KEPT_PERCENT: usize = 90;
/// Above this `|t|` the two classes differ. Chance alone rarely passes 4.5; a busy machine may.
const THRESHOLD: f64 = 10.0;
/// An operation fails if it is above the threshold this often in a row.
const ATTEMPTS: usize = 3;

/// Measures everything on each back end of the machine; prints a line each. Whether all is well.
pub fn run() -> bool {
    let mut passed = true;
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        backend.force().expect("it is available");
        // A verdict may take its time: it is public.
        for operation in OPERATIONS.iter().filter(|operation| operation.verdicts == 0) {
            let t = least_t(operation.run);
            passed &= t <= THRESHOLD;
            let verdict = if t <= THRESHOLD { "ok" } else { "LEAK" };
            println!("{verdict:4} {backend:?}: {}: |t| = {t:.1}", operation.name);
        }
    }
    println!("     for comparison, one block of the crate des: |t| = {:.1}", least_t(table_driven));
    let t = least_t(hasty_comparison);
    println!("{} control, a hasty comparison: |t| = {t:.1}", if t > THRESHOLD { "ok  " } else { "BLIND" });
    passed && t > THRESHOLD
}

/// The least `|t|` of a few attempts: what disturbs one is not in all of them.
fn least_t(run: fn(&Secret)) -> f64 {
    let mut least = f64::INFINITY;
    for attempt in 0..ATTEMPTS {
        least = least.min(t_of(run, attempt as u64));
        if least <= THRESHOLD {
            break;
        }
    }
    least
}

fn t_of(run: fn(&Secret), seed: u64) -> f64 {
    let mut random = Random(seed.wrapping_add(0x5DEE_CE66_D1CE_4E5B));
    let mut times: Vec<(bool, f64)> = Vec::with_capacity(RUNS);
    for _ in 0..RUNS {
        let fixed = random.next() & 1 == 0;
        // Both classes go the same way to the same place: the fixed secret, all zeros, is a random one masked out.
        let secret = std::hint::black_box(random.secret(if fixed { 0 } else { u64::MAX }));
        let start = Instant::now();
        run(&secret);
        times.push((fixed, start.elapsed().as_nanos() as f64));
    }
    times.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    times.truncate(RUNS * KEPT_PERCENT / 100);
    let class =
        |fixed| Moments::of(times.iter().filter(move |(class, _)| *class == fixed).map(|(_, time)| *time));
    let (a, b) = (class(true), class(false));
    // Times that do not vary at all say nothing against it.
    let spread = (a.variance / a.count + b.variance / b.count).sqrt().max(f64::EPSILON);
    ((a.mean - b.mean) / spread).abs()
}

struct Moments {
    count: f64,
    mean: f64,
    variance: f64,
}

impl Moments {
    fn of(times: impl Iterator<Item = f64> + Clone) -> Self {
        let count = times.clone().count() as f64;
        let mean = times.clone().sum::<f64>() / count;
        let variance = times.map(|time| (time - mean).powi(2)).sum::<f64>() / (count - 1.0);
        Self { count, mean, variance }
    }
}

/// Xorshift: what is measured need not be hard to guess.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn secret(&mut self, mask: u64) -> Secret {
        let mut secret = Secret::ZERO;
        let keys = secret.keys.as_flattened_mut().as_chunks_mut::<8>().0.iter_mut();
        for block in keys.chain(&mut secret.data) {
            *block = (self.next() & std::hint::black_box(mask)).to_le_bytes();
        }
        secret
    }
}
