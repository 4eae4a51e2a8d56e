//! Terminals that never stop, and a ledger of what was acknowledged.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use cardroot_store::Error;
use cardroot_store::dukpt::guard::{Claim, OriginatorId, ReplayGuard, RequestId, Scheme, Verdict, block_on};

pub const THREADS: u32 = 4;

/// A terminal of one thread; number 0 is everybody's.
pub fn terminal(number: u32) -> OriginatorId {
    OriginatorId { scheme: Scheme::Tdes, id: (0xFFFF_0000_0000_0000 | u64::from(number)).to_be_bytes() }
}

pub fn claim(terminal_number: u32, counter: u32, request: [u32; 2]) -> Claim {
    let mut id = [0; 16];
    id[..4].copy_from_slice(&request[0].to_be_bytes());
    id[4..8].copy_from_slice(&request[1].to_be_bytes());
    Claim { originator: terminal(terminal_number), counter, request: RequestId(id) }
}

/// What was acknowledged, of all rounds.
#[derive(Debug, Default)]
pub struct Ledger {
    accepted: BTreeSet<(u32, u32)>,
}

impl Ledger {
    /// A counter that a caller was told it may use.
    pub fn accept(&mut self, terminal: u32, counter: u32) {
        assert!(
            self.accepted.insert((terminal, counter)),
            "counter {counter} of {terminal} was accepted twice"
        );
    }

    pub fn len(&self) -> usize {
        self.accepted.len()
    }

    pub fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        self.accepted.iter().copied()
    }

    fn highest(&self) -> BTreeMap<u32, u32> {
        self.accepted.iter().copied().collect()
    }

    /// Where to start again so that every terminal repeats what was accepted before.
    pub fn restart(&self) -> u32 {
        self.highest().values().min().map_or(1, |counter| counter.saturating_sub(5).max(1))
    }

    /// Nothing that was acknowledged is accepted for another request: it is not lost.
    pub fn verify(&self, guard: &impl ReplayGuard) {
        let highest = self.highest().into_iter();
        let claims: Vec<_> =
            highest.map(|(terminal, counter)| claim(terminal, counter, [u32::MAX; 2])).collect();
        for (verdict, claim) in block_on(guard.advance(&claims)).unwrap().iter().zip(&claims) {
            assert!(
                matches!(verdict, Verdict::Refused(_)),
                "{claim:?} was acknowledged and is lost: {verdict:?}"
            );
        }
    }
}

/// Runs every terminal from counter `start` until `stop`, and reports what is accepted. A question whose outcome is
/// unknown is asked again until it is known.
pub fn run<G>(guard: &G, round: u32, start: u32, stop: &AtomicBool, accepted: &(impl Fn(u32, u32) + Sync))
where
    G: ReplayGuard<Error = Error> + Sync,
{
    let next = AtomicU32::new(start);
    let terminal = |number: u32| {
        for counter in start.. {
            let shared = claim(0, next.fetch_add(1, Ordering::Relaxed), [round, number]);
            let claims = [claim(number, counter, [round, 0]), shared];
            let Some(verdicts) = ask(guard, &claims, stop) else { return };
            for (claim, verdict) in claims.iter().zip(verdicts) {
                // A repeat here is the answer to a question that was asked again: the first one was lost.
                if matches!(verdict, Verdict::Accepted { .. } | Verdict::Repeated) {
                    let [.., number] = claim.originator.id;
                    accepted(number.into(), claim.counter);
                }
            }
        }
    };
    thread::scope(|scope| {
        for number in 1..=THREADS {
            scope.spawn(move || terminal(number));
        }
    });
}

fn ask<G: ReplayGuard<Error = Error>>(
    guard: &G,
    claims: &[Claim],
    stop: &AtomicBool,
) -> Option<Vec<Verdict>> {
    while !stop.load(Ordering::Relaxed) {
        match block_on(guard.advance(claims)) {
            Ok(verdicts) => return Some(verdicts),
            Err(Error::OutcomeUnknown(_) | Error::Unavailable(_)) => thread::sleep(Duration::from_millis(5)),
            Err(error) => panic!("{error}: {error:?}"),
        }
    }
    None
}
