//! The contract finds guards that break it: each fault here is one that a store could have.
#![allow(clippy::unwrap_used, clippy::std_instead_of_alloc, reason = "a panic is how a test reports")]

use core::convert::Infallible;
use core::panic::AssertUnwindSafe;
use std::collections::BTreeMap;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::thread;

use cardroot_store::contract::{self, Effort};
use cardroot_store::dukpt::guard::{
    Claim, Memory, OriginatorId, Policy, Refusal, ReplayGuard, Scheme, Verdict, Window,
};

#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    None,
    EqualIsAccepted,
    EveryHundredthIsForgotten,
    RepeatsAreReplays,
    RepeatsByRequestAlone,
    RepeatsByCounterAlone,
    RefusalsAreRemembered,
    WindowIsWider,
    WindowIsNarrower,
    LateOnesLowerTheHighest,
    LateOnesAreForgotten,
    CountersAreSigned,
    MemoryIsShort,
    PreviousIsTheClaims,
    SchemesShareMemories,
    NamesAreCutShort,
    BatchesAreJudgedBackwards,
    BatchesAreJudgedByTheirStart,
    VerdictsAreSorted,
    ReadThenWrite,
    LostWhenDropped,
}

struct Faulty {
    fault: Fault,
    policy: Policy,
    memories: Mutex<BTreeMap<OriginatorId, Memory>>,
}

impl Faulty {
    fn new(fault: Fault, policy: Policy) -> Self {
        Self { fault, policy, memories: Mutex::default() }
    }

    fn key(&self, claim: &Claim) -> OriginatorId {
        let mut key = claim.originator;
        match self.fault {
            Fault::SchemesShareMemories => key.scheme = Scheme::Tdes,
            Fault::NamesAreCutShort => key.id[7] = 0,
            _ => {}
        }
        key
    }

    fn judge(&self, memory: Option<&Memory>, claim: &Claim) -> (Verdict, Option<Memory>) {
        let mut policy = self.policy;
        let (mut memory, mut claim) = (memory.copied(), *claim);
        match (self.fault, &mut memory) {
            (Fault::WindowIsWider, _) => {
                policy = Policy::Window(Window::new(u8::try_from(policy.window() + 1).unwrap()).unwrap());
            }
            (Fault::WindowIsNarrower, _) => {
                let width = u8::try_from(policy.window()).unwrap().saturating_sub(1);
                policy = Window::new(width).map_or(Policy::Strict, Policy::Window);
            }
            (Fault::RepeatsAreReplays, Some(memory)) => memory.request.0.0[0] ^= 1,
            (Fault::RepeatsByRequestAlone, Some(memory)) => memory.request.1 = claim.counter,
            (Fault::RepeatsByCounterAlone, Some(memory)) => memory.request.0 = claim.request,
            (Fault::MemoryIsShort, Some(memory)) => memory.accepted &= u64::MAX >> 2,
            (Fault::CountersAreSigned, Some(memory)) => {
                memory.last ^= 0x8000_0000;
                memory.request.1 ^= 0x8000_0000;
                claim.counter ^= 0x8000_0000;
            }
            _ => {}
        }
        let (mut verdict, mut new) = policy.judge(memory.as_ref(), &claim);
        if let (Fault::CountersAreSigned, Some(_), Some(new)) = (self.fault, memory, &mut new) {
            new.last ^= 0x8000_0000;
            new.request.1 ^= 0x8000_0000;
        }
        match (self.fault, &mut verdict, &mut new, memory) {
            (Fault::PreviousIsTheClaims, Verdict::Accepted { previous: Some(previous) }, _, _) => {
                *previous = claim.counter
            }
            (Fault::EqualIsAccepted, Verdict::Refused(_), new, Some(old)) if claim.counter == old.last => {
                *new = Some(Memory { request: (claim.request, claim.counter), ..old });
                verdict = Verdict::Accepted { previous: Some(old.last) };
            }
            (Fault::LateOnesLowerTheHighest, _, Some(new), _) => new.last = claim.counter,
            (Fault::LateOnesAreForgotten, _, Some(new), Some(old)) if new.last == old.last => *new = old,
            (Fault::RefusalsAreRemembered, Verdict::Refused(Refusal::Below { .. }), new, Some(old)) => {
                *new = Some(Memory { request: (claim.request, claim.counter), ..old });
            }
            _ => {}
        }
        (verdict, new)
    }

    fn one(&self, claim: &Claim) -> Verdict {
        let key = self.key(claim);
        let held = self.memories.lock().unwrap();
        let memory = held.get(&key).copied();
        let (verdict, new) = self.judge(memory.as_ref(), claim);
        let mut held = match self.fault {
            Fault::ReadThenWrite => {
                drop(held);
                thread::yield_now();
                self.memories.lock().unwrap()
            }
            _ => held,
        };
        let number = held.len();
        if let Some(new) =
            new.filter(|_| self.fault != Fault::EveryHundredthIsForgotten || number % 100 != 99)
        {
            held.insert(key, new);
        }
        verdict
    }

    fn batch(&self, claims: &[Claim]) -> Vec<Verdict> {
        match self.fault {
            Fault::BatchesAreJudgedBackwards => {
                let mut verdicts: Vec<_> = claims.iter().rev().map(|claim| self.one(claim)).collect();
                verdicts.reverse();
                verdicts
            }
            Fault::BatchesAreJudgedByTheirStart => {
                let before = self.memories.lock().unwrap().clone();
                let judge = |claim: &Claim| self.judge(before.get(&claim.originator), claim).0;
                let verdicts = claims.iter().map(judge).collect();
                for claim in claims {
                    self.one(claim);
                }
                verdicts
            }
            Fault::VerdictsAreSorted => {
                let mut order: Vec<_> = claims.iter().collect();
                order.sort_by_key(|claim| claim.originator);
                order.into_iter().map(|claim| self.one(claim)).collect()
            }
            _ => claims.iter().map(|claim| self.one(claim)).collect(),
        }
    }
}

impl ReplayGuard for Faulty {
    type Error = Infallible;

    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Infallible> {
        if self.fault == Fault::LostWhenDropped {
            // Half of the batch before the first time that it waits.
            let (first, rest) = claims.split_at(claims.len() / 2);
            let mut verdicts = self.batch(first);
            Pause(false).await;
            verdicts.extend(self.batch(rest));
            return Ok(verdicts);
        }
        Ok(self.batch(claims))
    }
}

struct Pause(bool);

impl Future for Pause {
    type Output = ();

    fn poll(
        mut self: core::pin::Pin<&mut Self>,
        context: &mut core::task::Context<'_>,
    ) -> core::task::Poll<()> {
        context.waker().wake_by_ref();
        if core::mem::replace(&mut self.0, true) {
            core::task::Poll::Ready(())
        } else {
            core::task::Poll::Pending
        }
    }
}

fn is_found(fault: Fault, policy: Policy) -> bool {
    let guard = Faulty::new(fault, policy);
    catch_unwind(AssertUnwindSafe(|| contract::check(&guard, policy, Effort::Quick))).is_err()
}

#[test]
fn the_contract_finds_every_seeded_fault() {
    let window = Policy::Window(Window::new(20).unwrap());
    assert!(!is_found(Fault::None, Policy::Strict) && !is_found(Fault::None, window));
    let faults = [
        Fault::EqualIsAccepted,
        Fault::EveryHundredthIsForgotten,
        Fault::RepeatsAreReplays,
        Fault::RepeatsByRequestAlone,
        Fault::RepeatsByCounterAlone,
        Fault::WindowIsWider,
        Fault::WindowIsNarrower,
        Fault::LateOnesLowerTheHighest,
        Fault::LateOnesAreForgotten,
        Fault::RefusalsAreRemembered,
        Fault::CountersAreSigned,
        Fault::MemoryIsShort,
        Fault::PreviousIsTheClaims,
        Fault::SchemesShareMemories,
        Fault::NamesAreCutShort,
        Fault::BatchesAreJudgedBackwards,
        Fault::BatchesAreJudgedByTheirStart,
        Fault::VerdictsAreSorted,
        Fault::ReadThenWrite,
        Fault::LostWhenDropped,
    ];
    let missed: Vec<_> = faults.into_iter().filter(|fault| !is_found(*fault, window)).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
    println!("{} faults found", faults.len());
}

#[test]
fn a_guard_that_forgets_when_it_is_opened_again_is_found() {
    let forgets = || Faulty::new(Fault::None, Policy::Strict);
    let check = || contract::check_reopened(forgets, Policy::Strict, Effort::Quick);
    assert!(catch_unwind(AssertUnwindSafe(check)).is_err());
}
