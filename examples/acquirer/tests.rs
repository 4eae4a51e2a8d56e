//! Small fleets, and memories that must be found out.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use cardroot::dukpt::guard::{Claim, MemoryGuard, Policy, ReplayGuard, Verdict};

use super::*;
use crate::ledger::Outcome;
use crate::memory::Memory;

/// A memory made by a function.
struct Made<F>(F);

impl<G: ReplayGuard + Sync, F: Fn() -> G> Memory for Made<F> {
    type Guard = G;

    fn open(&self) -> Result<G, Failure> {
        Ok(self.0())
    }

    fn crash(&self) -> Result<(), Failure> {
        Ok(())
    }
}

fn options(seed: u64) -> Options {
    Options {
        terminals: 300,
        connections: 8,
        crashes: 2,
        seed,
        key_set: keys::DEMONSTRATION,
        goal: Goal::Transactions(4000),
        quiet: true,
    }
}

#[test]
fn a_memory_in_a_file_outlives_crashes_and_all_is_as_the_fleet_expects() {
    let folder = tempfile::tempdir().unwrap();
    let ledger = run(&options(1), &InFile::within(folder.path()).unwrap()).unwrap();
    assert!(ledger.faults.is_empty(), "{ledger}");
    assert_eq!(ledger.away.len(), 2);
    assert!(ledger.messages > 4000 && ledger.totals.asked_after_crash > 300, "{ledger}");
    // All outcomes but that of a claim without an entry in the books, which takes an unlucky crash.
    assert_eq!(ledger.rows.keys().filter(|outcome| **outcome != Outcome::NotDone).count(), 10, "{ledger}");
    assert!(ledger.skipped[0] > 0 && ledger.clones[1] > 0 && ledger.totals.power_cuts > 0);
    assert!(ledger.totals.copies_refused > 0 && ledger.totals.copies_in_use > 0);
}

#[test]
fn many_fleets_and_one_memory_agree() {
    for seed in 2..6 {
        let memory = Arc::new(MemoryGuard::new(Policy::Strict));
        let ledger = run(&options(seed), &Made(|| Arc::clone(&memory))).unwrap();
        assert!(ledger.faults.is_empty(), "seed {seed}\n{ledger}");
    }
}

#[test]
fn a_memory_that_forgets_in_a_crash_is_found_out() {
    let ledger = run(&options(1), &Made(|| MemoryGuard::new(Policy::Strict))).unwrap();
    assert!(ledger.faults.iter().any(|fault| fault.contains("accepted twice")), "{ledger}");
    assert!(ledger.faults.iter().any(|fault| fault.contains("booked twice")), "{ledger}");
    assert!(ledger.to_string().contains("FAILED"));
}

/// Says yes to every hundredth replay.
struct Lenient {
    memory: MemoryGuard,
    asked: AtomicU32,
}

impl ReplayGuard for Lenient {
    type Error = std::convert::Infallible;

    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Self::Error> {
        let Ok(mut verdicts) = self.memory.advance(claims).await;
        for verdict in &mut verdicts {
            let is_refused = matches!(verdict, Verdict::Refused(_));
            if is_refused && self.asked.fetch_add(1, Ordering::Relaxed) % 100 == 7 {
                *verdict = Verdict::Accepted { previous: None };
            }
        }
        Ok(verdicts)
    }
}

#[test]
fn a_memory_that_accepts_one_replay_in_a_hundred_is_found_out() {
    let memory = Lenient { memory: MemoryGuard::new(Policy::Strict), asked: 0.into() };
    let ledger = run(&Options { crashes: 0, ..options(1) }, &Made(|| &memory)).unwrap();
    assert!(ledger.faults.iter().any(|fault| fault.contains("accepted twice")), "{ledger}");
    assert!(ledger.faults.iter().any(|fault| fault.starts_with("expected Judged")), "{ledger}");
}

/// A disk that is full after so many claims.
struct Full {
    memory: MemoryGuard,
    room: AtomicU32,
}

impl ReplayGuard for Full {
    type Error = std::io::Error;

    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Self::Error> {
        let took = self.room.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |room| room.checked_sub(1));
        took.map_err(|_| std::io::ErrorKind::StorageFull)?;
        let Ok(verdicts) = self.memory.advance(claims).await;
        Ok(verdicts)
    }
}

#[test]
fn a_memory_that_fails_ends_the_run_and_says_why() {
    let memory = Full { memory: MemoryGuard::new(Policy::Strict), room: 1500.into() };
    let failure = run(&options(1), &Made(|| &memory)).unwrap_err();
    assert_eq!(failure.to_string(), "the memory of accepted counters failed: no verdict: no storage space");
}

#[test]
fn every_option_has_a_default_that_parses() {
    let args = Args::parse_from(["acquirer"]);
    assert_eq!((args.terminals, args.transactions, args.connections), (10_000, 300_000, 64));
    assert!(Args::try_parse_from(["acquirer", "--terminals", "40000"]).is_err());
}
