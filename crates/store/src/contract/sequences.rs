//! Random sequences of batches against [`Policy::judge`].

use core::sync::atomic::AtomicU64;

use dukpt::guard::{Claim, MemoryGuard, OriginatorId, Policy, ReplayGuard, Scheme, Verdict, block_on};

use super::{Asker, Effort, Numbers, claim, fresh};

pub(super) fn check<G: ReplayGuard>(asker: &Asker<'_, G>, effort: Effort) {
    let mut walk = Walk::new(asker.policy);
    for _ in 0..effort.times(100) {
        walk.step(asker);
    }
    walk.expect_every_verdict(asker.policy);
}

pub(super) fn check_reopened<G: ReplayGuard>(
    mut open: impl FnMut() -> G,
    policy: Policy,
    effort: Effort,
) -> usize {
    let mut walk = Walk::new(policy);
    let mut claims = 0;
    for _ in 0..effort.times(4) {
        let guard = open();
        let asker = Asker { guard: &guard, policy, claims: AtomicU64::new(0) };
        for _ in 0..10 {
            walk.step(&asker);
        }
        claims += asker.claims.into_inner();
    }
    walk.expect_every_verdict(policy);
    claims.try_into().expect("claims fit into memory")
}

/// A walk of a few originators under a guard and, for comparison, under the rule itself.
struct Walk {
    rule: MemoryGuard,
    window: u32,
    terminals: Vec<OriginatorId>,
    numbers: Numbers,
    /// How often the rule said: accepted, repeated, replay, below.
    said: [usize; 4],
}

impl Walk {
    fn new(policy: Policy) -> Self {
        let schemes = [Scheme::Tdes, Scheme::Aes, Scheme::Tdes, Scheme::Tdes];
        Self {
            rule: MemoryGuard::new(policy),
            window: policy.window(),
            terminals: schemes.map(fresh).to_vec(),
            numbers: Numbers(policy.window().into()),
            said: [0; 4],
        }
    }

    fn step<G: ReplayGuard>(&mut self, asker: &Asker<'_, G>) {
        let size = self.numbers.below(12);
        let batch: Vec<Claim> = (0..size).map(|_| self.claim()).collect();
        let Ok(expected) = block_on(self.rule.advance(&batch));
        assert_eq!(asker.ask(&batch), expected, "the guard judges by the rule: {batch:#?}");
        for verdict in expected {
            self.said[match verdict {
                Verdict::Accepted { .. } => 0,
                Verdict::Repeated => 1,
                Verdict::Refused(dukpt::guard::Refusal::Replay { .. }) => 2,
                Verdict::Refused(_) => 3,
            }] += 1;
        }
    }

    /// The last request again, or one of three with a counter near the highest, at the edges of window and memory, or far
    /// ahead.
    fn claim(&mut self) -> Claim {
        let terminal = self.terminals[self.numbers.below(self.terminals.len())];
        let Some(memory) = self.rule.memory(&terminal) else { return claim(terminal, 100, 1) };
        let counter = match self.numbers.below(12) {
            0..=1 => {
                return Claim { originator: terminal, counter: memory.request.1, request: memory.request.0 };
            }
            2..=4 => memory.last.saturating_add(1),
            5 => memory.last.saturating_add(2 + u32::try_from(self.numbers.below(70)).expect("small")),
            6 => memory.last.saturating_sub(self.window + u32::from(self.numbers.below(2) == 0)),
            7 => memory.last.saturating_sub([62, 63, 64, 65][self.numbers.below(4)]),
            8 if self.numbers.below(30) == 0 => memory.last.saturating_add(1 << 25),
            _ => memory.last.saturating_sub(u32::try_from(self.numbers.below(20)).expect("small")),
        };
        claim(terminal, counter, self.numbers.below(3) as u128)
    }

    /// A walk that met only half of the rule shows half of it.
    fn expect_every_verdict(&self, policy: Policy) {
        assert!(self.said.iter().all(|times| *times >= 10), "{policy:?}: {:?}", self.said);
    }
}
