//! Stands between the receiver and its memory: notes every counter that the memory accepts, and lets the power fail on both
//! sides of it.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use cardroot::dukpt::guard::{Claim, OriginatorId, ReplayGuard, Verdict};

/// The power of the host's machine.
#[derive(Debug, Default)]
pub struct Power {
    failed: AtomicBool,
}

impl Power {
    pub fn fail(&self) {
        self.failed.store(true, Ordering::Release);
    }

    pub fn has_failed(&self) -> bool {
        self.failed.load(Ordering::Acquire)
    }
}

/// All that memories have ever accepted, whoever learnt of it. It trusts no rule but this: nothing is accepted twice.
#[derive(Debug, Default)]
pub struct Record {
    accepted: Mutex<HashSet<(OriginatorId, u32)>>,
    twice: AtomicU64,
}

impl Record {
    pub fn accepted(&self) -> u64 {
        self.accepted.lock().unwrap_or_else(PoisonError::into_inner).len() as u64
    }

    pub fn twice(&self) -> u64 {
        self.twice.load(Ordering::Relaxed)
    }

    fn note(&self, claims: &[Claim], verdicts: &[Verdict]) {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        for (claim, verdict) in claims.iter().zip(verdicts) {
            let is_new = matches!(verdict, Verdict::Accepted { .. });
            if is_new && !accepted.insert((claim.originator, claim.counter)) {
                self.twice.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// A memory under observation.
#[derive(Debug)]
pub struct Witness<'a, G> {
    pub guard: G,
    pub power: &'a Power,
    pub record: &'a Record,
}

/// Why there is no verdict.
#[derive(Debug)]
pub enum NoVerdict<E> {
    PowerFailed,
    Memory(E),
}

impl<G: ReplayGuard + Sync> ReplayGuard for Witness<'_, G> {
    type Error = NoVerdict<G::Error>;

    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Self::Error> {
        if self.power.has_failed() {
            return Err(NoVerdict::PowerFailed);
        }
        let verdicts = self.guard.advance(claims).await.map_err(NoVerdict::Memory)?;
        self.record.note(claims, &verdicts);
        // The counters are claimed, durably, and nobody will learn it.
        if self.power.has_failed() { Err(NoVerdict::PowerFailed) } else { Ok(verdicts) }
    }
}

impl<E> std::fmt::Display for NoVerdict<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::PowerFailed => "the power failed",
            Self::Memory(_) => "no verdict",
        })
    }
}

impl<E: std::error::Error + 'static> std::error::Error for NoVerdict<E> {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::PowerFailed => None,
            Self::Memory(error) => Some(error),
        }
    }
}
