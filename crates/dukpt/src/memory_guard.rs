//! The replay guard that keeps everything in memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::convert::Infallible;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::guard::{Claim, Memory, OriginatorId, Policy, ReplayGuard, Verdict};

/// A receiver's memory that lasts as long as the process: [`Policy::judge`] over a map, and what every other
/// [`ReplayGuard`] must agree with.
///
/// Threads may share it; a batch is judged under one lock. For tests, demonstrations, and as the one memory of a host
/// that never restarts: **after a restart it has forgotten everything, and accepts every old message once more.** It
/// grows by one entry for each originator that a claim names, so let no message claim that proved nothing.
///
/// # Examples
/// ```
/// use cardroot_dukpt::Ksn;
/// use cardroot_dukpt::guard::{Claim, MemoryGuard, Policy, ReplayGuard, Refusal, RequestId, Verdict, block_on};
///
/// let guard = MemoryGuard::new(Policy::Strict);
/// let terminal = (&Ksn::from([0x11; 10])).into();
/// let claims = [7, 8, 7].map(|counter| Claim { originator: terminal, counter, request: RequestId([counter as u8; 16]) });
/// let Ok(verdicts) = block_on(guard.advance(&claims));
/// assert_eq!(
///     verdicts,
///     [
///         Verdict::Accepted { previous: None },
///         Verdict::Accepted { previous: Some(7) },
///         Verdict::Refused(Refusal::Replay { found: 7 }),
///     ],
/// );
/// ```
#[derive(Debug, Default)]
pub struct MemoryGuard {
    policy: Policy,
    memories: Mutex<BTreeMap<OriginatorId, Memory>>,
}

impl MemoryGuard {
    /// A guard that has seen nothing.
    #[must_use]
    pub const fn new(policy: Policy) -> Self {
        Self { policy, memories: Mutex::new(BTreeMap::new()) }
    }

    /// What is remembered of one originator.
    #[must_use]
    pub fn memory(&self, originator: &OriginatorId) -> Option<Memory> {
        self.memories().get(originator).copied()
    }

    fn judge(&self, claims: &[Claim]) -> Vec<Verdict> {
        let mut memories = self.memories();
        let judge = |claim: &Claim| {
            let (verdict, new) = self.policy.judge(memories.get(&claim.originator), claim);
            if let Some(new) = new {
                memories.insert(claim.originator, new);
            }
            verdict
        };
        claims.iter().map(judge).collect()
    }

    fn memories(&self) -> MutexGuard<'_, BTreeMap<OriginatorId, Memory>> {
        // Every entry is whole at any time, so a thread that died here has left nothing to mistrust.
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl ReplayGuard for MemoryGuard {
    type Error = Infallible;

    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Infallible> {
        Ok(self.judge(claims))
    }
}
