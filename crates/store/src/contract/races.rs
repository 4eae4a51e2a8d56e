//! Many threads, one originator.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::thread;

use dukpt::guard::{Claim, Refusal, ReplayGuard, Scheme, Verdict};

use super::{Asker, Effort, Numbers, claim, fresh, is_accepted};

const THREADS: usize = 6;

pub(super) fn check<G: ReplayGuard + Sync>(asker: &Asker<'_, G>, effort: Effort) {
    of_different_requests_for_one_counter_one_wins(asker, effort);
    of_one_request_asked_by_many_one_is_accepted_and_the_others_are_repeats(asker, effort);
    batches_in_any_order_neither_lock_each_other_nor_share_a_counter(asker, effort);
}

/// Every thread asks its batch at the same moment.
fn race<G: ReplayGuard + Sync>(
    asker: &Asker<'_, G>,
    batch: impl Fn(usize) -> Vec<Claim> + Sync,
) -> Vec<Vec<Verdict>> {
    let start = Barrier::new(THREADS);
    thread::scope(|scope| {
        let (start, batch) = (&start, &batch);
        let run = |thread| {
            scope.spawn(move || {
                let batch = batch(thread);
                start.wait();
                asker.ask(&batch)
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        threads.into_iter().map(|thread| thread.join().expect("the guard answers")).collect()
    })
}

fn of_different_requests_for_one_counter_one_wins<G: ReplayGuard + Sync>(
    asker: &Asker<'_, G>,
    effort: Effort,
) {
    let terminal = fresh(Scheme::Tdes);
    for counter in 1..=u32::try_from(effort.times(40)).expect("small") {
        let verdicts = race(asker, |thread| vec![claim(terminal, counter, thread as u128)]).concat();
        let accepted = verdicts.iter().filter(|verdict| is_accepted(verdict)).count();
        assert_eq!(accepted, 1, "of {THREADS} requests for one counter one is accepted: {verdicts:?}");
        let replay = Verdict::Refused(Refusal::Replay { found: counter });
        let replays = verdicts.iter().filter(|verdict| **verdict == replay).count();
        assert_eq!(replays, THREADS - 1, "and the others are replays: {verdicts:?}");
    }
}

fn of_one_request_asked_by_many_one_is_accepted_and_the_others_are_repeats<G: ReplayGuard + Sync>(
    asker: &Asker<'_, G>,
    effort: Effort,
) {
    let terminal = fresh(Scheme::Tdes);
    for counter in 1..=u32::try_from(effort.times(10)).expect("small") {
        let verdicts = race(asker, |_| vec![claim(terminal, counter, 1)]).concat();
        let accepted = verdicts.iter().filter(|verdict| is_accepted(verdict)).count();
        let repeats = verdicts.iter().filter(|verdict| **verdict == Verdict::Repeated).count();
        assert_eq!((accepted, repeats), (1, THREADS - 1), "one request is accepted once: {verdicts:?}");
    }
}

fn batches_in_any_order_neither_lock_each_other_nor_share_a_counter<G: ReplayGuard + Sync>(
    asker: &Asker<'_, G>,
    effort: Effort,
) {
    let terminals: Vec<_> = (0..20).map(|_| fresh(Scheme::Tdes)).collect();
    for round in 0..u32::try_from(effort.times(20)).expect("small") {
        let batch = |thread: usize| {
            let mut numbers = Numbers(u64::from(round) << 8 | thread as u64);
            let mut claims: Vec<Claim> = vec![];
            for terminal in &terminals {
                for counter in [2 * round + 1, 2 * round + 2] {
                    claims.push(claim(*terminal, counter, thread as u128));
                }
            }
            for last in (1..claims.len()).rev() {
                claims.swap(last, numbers.below(last + 1));
            }
            claims
        };
        let verdicts = race(asker, batch);
        let mut accepted = BTreeMap::new();
        for (thread, verdicts) in verdicts.iter().enumerate() {
            for (claim, verdict) in batch(thread).iter().zip(verdicts) {
                let times = accepted.entry((claim.originator, claim.counter)).or_insert(0_usize);
                *times += usize::from(is_accepted(verdict));
            }
        }
        assert!(accepted.values().all(|times| *times <= 1), "no counter is accepted for two batches");
        let highest = terminals.iter().filter(|terminal| accepted[&(**terminal, 2 * round + 2)] == 1);
        assert_eq!(highest.count(), terminals.len(), "and the highest of each originator is, for one");
    }
}
