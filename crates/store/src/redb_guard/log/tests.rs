//! The log against a model that has none: what is judged, what is kept, and how much of it.

use std::collections::BTreeSet;

use dukpt::guard::{Claim, MemoryGuard, Policy, ReplayGuard, Window, block_on};
use proptest::prelude::*;

use super::super::disk::{Contents, Disk, HASTY, claim, database, made, open};
use super::super::file;
use super::*;

/// Sweeps that are always at work, at work now and then, and hardly ever.
const PACES: [Pace; 3] = [
    HASTY,
    Pace { share: 1, least: 10, most: 12, step: 5, block: 4 },
    Pace { share: 2, least: 1, most: 40, step: 16, block: ENTRIES },
];

/// How many memories a log may hold at this pace, where no commit brought more than `largest`: as many as make the sweep hurry, what comes
/// while it goes round once more, and what is not removed yet.
fn bound(pace: Pace, originators: usize, largest: usize) -> usize {
    let pending = pace.pending(originators as u64);
    6 * pending + 6 * (largest + pace.step + pace.block)
}

/// Batches in which some originators come again and again. Counters rise from one to the next, or soon nothing would be accepted.
fn any_batches() -> impl Strategy<Value = Vec<Vec<Claim>>> {
    let terminal = prop_oneof![2 => 0_u64..3, 3 => 0_u64..60];
    let batch = proptest::collection::vec((terminal, 1_u32..40, 0_u8..3), 0..20);
    proptest::collection::vec(batch, 1..80).prop_map(|batches| {
        let at = |start, batch: Vec<(u64, u32, u8)>| {
            batch
                .into_iter()
                .map(|(number, counter, request)| claim(number, start + counter, request))
                .collect()
        };
        (0..).step_by(8).zip(batches).map(|(start, batch)| at(start, batch)).collect()
    })
}

fn check_bound(disk: &Disk, policy: Policy, pace: Pace, largest: usize) -> Result<(), TestCaseError> {
    let contents = Contents::read(disk, policy).unwrap();
    let logged = contents.blocks.len() * pace.block;
    let bound = bound(pace, contents.tree.len(), largest);
    prop_assert!(logged <= bound, "{logged} in the log, {bound} may be");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_those_of_a_guard_without_a_log_whatever_is_closed_when(
        batches in any_batches(),
        closed in proptest::collection::vec(any::<bool>(), 80),
        pace in proptest::sample::select(&PACES[..]),
        width in 0_u8..=63,
    ) {
        let policy = Window::new(width).map_or(Policy::Strict, Policy::Window);
        let (model, disk) = (MemoryGuard::new(policy), made(policy));
        let mut guard = open(&disk, policy, pace).unwrap();
        for (batch, is_closed) in batches.iter().zip(closed) {
            let Ok(expected) = block_on(model.advance(batch));
            prop_assert_eq!(block_on(guard.advance(batch)).unwrap(), expected);
            if is_closed {
                drop(guard);
                check_bound(&disk, policy, pace, 20)?;
                guard = open(&disk, policy, pace).unwrap();
            }
        }
    }

    #[test]
    fn a_log_that_is_read_again_knows_the_newest_of_each_and_where_the_sweep_is(
        batches in any_batches(),
        pace in proptest::sample::select(&PACES[..]),
    ) {
        let disk = made(Policy::Strict);
        let database = database(&disk).unwrap();
        let mut log = file::read_log(&database, pace).unwrap();
        let mut newest = BTreeMap::new();
        for batch in batches {
            let changed: BTreeMap<Key, MemoryBytes> = batch.iter().map(entry).collect();
            newest.extend(changed.clone());
            let changed: Vec<Entry> = changed.into_iter().collect();
            if changed.is_empty() {
                continue;
            }
            let mut pending: BTreeSet<Key> = log.pending.keys().copied().collect();
            pending.extend(changed.iter().map(|(key, _)| *key));
            let brought = log.brought + changed.len();
            let transaction = file::begin(&database).unwrap();
            log.write(&transaction, &changed).unwrap();
            transaction.commit().unwrap();
            prop_assert!(pending.len() - log.pending.len() <= 2 * brought, "a commit folds at most twice what was brought");

            let again = file::read_log(&database, pace).unwrap();
            prop_assert_eq!((again.sweep, again.oldest, again.newest), (log.sweep, log.oldest, log.newest));
            prop_assert_eq!(&again.filling, &log.filling);
            prop_assert!(log.pending.iter().all(|(key, memory)| again.pending.get(key) == Some(memory)));
            let tree = file::read(&database, MEMORIES).unwrap();
            for (key, memory) in &newest {
                let found = again.pending(key).copied().or_else(|| Some(tree.get(key).unwrap()?.value()));
                prop_assert_eq!(found.as_ref(), Some(memory));
            }
        }
    }
}

fn entry(claim: &Claim) -> Entry {
    let (_, memory) = Policy::Strict.judge(None, claim);
    (record::key(&claim.originator), record::encode(&memory.unwrap()))
}

/// Runs `commits` batches at the usual pace, and returns what is left.
fn work(commits: u32, batch: impl Fn(u32) -> Vec<Claim>) -> Contents {
    let disk = made(Policy::Strict);
    let guard = open(&disk, Policy::Strict, Pace::USUAL).unwrap();
    for commit in 1..=commits {
        block_on(guard.advance(&batch(commit))).unwrap();
    }
    drop(guard);
    Contents::read(&disk, Policy::Strict).unwrap()
}

#[test]
fn one_originator_that_is_accepted_for_ever_leaves_a_short_log() {
    let contents = work(3000, |commit| vec![claim(7, commit, 1)]);
    println!("blocks {:?}", contents.blocks);
    assert!(contents.blocks.len() * ENTRIES <= bound(Pace::USUAL, 1, 1) && contents.blocks[0] > 20);
    assert_eq!(contents.tree.len(), 1);
}

#[test]
fn a_fleet_leaves_an_eighth_of_it_pending_and_a_log_of_two_eighths() {
    const FLEET: u64 = 20_000;
    let contents = work(1200, |commit| {
        (0..100).map(|number| claim((u64::from(commit) * 100 + number) * 7919 % FLEET, commit, 1)).collect()
    });
    let (pending, logged) = (contents.log.pending.len(), contents.blocks.len() * ENTRIES);
    println!("{pending} pending, {logged} in the log, {} in the tree", contents.tree.len());
    assert!((2200..=2900).contains(&pending), "{pending}");
    assert!((4400..=6000).contains(&logged), "{logged}");
}

#[cfg(feature = "contract")]
#[test]
fn the_contract_holds_while_sweeps_are_at_work() {
    use crate::contract::{self, Effort};

    for policy in [Policy::Strict, Policy::Window(Window::MAX)] {
        for pace in PACES {
            let disk = made(policy);
            let claims = contract::check(&open(&disk, policy, pace).unwrap(), policy, Effort::Quick);
            let reopened =
                contract::check_reopened(|| open(&disk, policy, pace).unwrap(), policy, Effort::Quick);
            println!(
                "{policy:?}, {pace:?}: {claims} claims, and {reopened} over one disk opened again and again"
            );
        }
    }
}

#[test]
fn places_are_passed_in_the_order_of_laps_and_keys() {
    let [low, high] = [[1; 9], [2; 9]];
    let start = Place::default();
    let at_low = start.next(low);
    assert!(start < at_low && at_low < start.next(high) && start.next(high) < start.next_lap());
    assert_eq!(at_low.next(high), start.next(high), "ahead: in this lap");
    assert_eq!(start.next(high).next(low), start.next_lap().next(low), "behind: in the next");
    assert_eq!(at_low.again(), start.next_lap().next(low));
}
