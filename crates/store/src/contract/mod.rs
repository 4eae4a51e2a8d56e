//! What every [`ReplayGuard`] owes its callers, as one test-suite for all implementations.
//!
//! ```
//! use cardroot_store::contract::{self, Effort};
//! use cardroot_store::dukpt::guard::{MemoryGuard, Policy};
//!
//! let claims = contract::check(&MemoryGuard::new(Policy::Strict), Policy::Strict, Effort::Quick);
//! assert!(claims > 1_000);
//! ```
//!
//! Every run makes originators of its own, so that a guard may be checked that has seen others. The functions panic with
//! the fact that does not hold: they are for tests.
#![allow(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic is how a test-suite reports"
)]

mod facts;
mod races;
mod sequences;

use core::hash::BuildHasher;
use core::sync::atomic::{AtomicU64, Ordering};
use std::hash::RandomState;
use std::sync::LazyLock;

use dukpt::guard::{Claim, OriginatorId, Policy, ReplayGuard, RequestId, Scheme, Verdict, block_on};

/// How long to look.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Effort {
    /// A few hundred transactions.
    Quick,
    /// Thirty times that.
    Thorough,
}

impl Effort {
    fn times(self, quick: usize) -> usize {
        match self {
            Self::Quick => quick,
            Self::Thorough => 30 * quick,
        }
    }
}

/// Holds `guard`, which keeps `policy`, to everything that can be seen while it lives. Returns how many claims it judged.
pub fn check<G: ReplayGuard + Sync>(guard: &G, policy: Policy, effort: Effort) -> usize {
    let asker = Asker { guard, policy, claims: AtomicU64::new(0) };
    facts::check(&asker);
    sequences::check(&asker, effort);
    races::check(&asker, effort);
    asker.claims.into_inner().try_into().expect("claims fit into memory")
}

/// Holds guards that `open` opens one after the other over one store, which keeps `policy`, to have forgotten nothing that
/// one of them acknowledged. Returns how many claims they judged.
pub fn check_reopened<G: ReplayGuard + Sync>(
    open: impl FnMut() -> G,
    policy: Policy,
    effort: Effort,
) -> usize {
    sequences::check_reopened(open, policy, effort)
}

/// A guard under test.
struct Asker<'a, G> {
    guard: &'a G,
    policy: Policy,
    claims: AtomicU64,
}

impl<G: ReplayGuard> Asker<'_, G> {
    fn ask(&self, claims: &[Claim]) -> Vec<Verdict> {
        self.claims.fetch_add(claims.len() as u64, Ordering::Relaxed);
        match block_on(self.guard.advance(claims)) {
            Ok(verdicts) => {
                assert_eq!(verdicts.len(), claims.len(), "a batch has one verdict for each claim");
                verdicts
            }
            Err(error) => panic!("a batch was not judged: {error}: {:?}", core::error::Error::source(&error)),
        }
    }

    fn ask_one(&self, claim: Claim) -> Verdict {
        self.ask(&[claim])[0]
    }
}

/// An originator that no run has used before.
fn fresh(scheme: Scheme) -> OriginatorId {
    static FIRST: LazyLock<u64> = LazyLock::new(|| RandomState::new().hash_one(0));
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    OriginatorId { scheme, id: FIRST.wrapping_add(number.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_be_bytes() }
}

fn claim(originator: OriginatorId, counter: u32, request: u128) -> Claim {
    Claim { originator, counter, request: RequestId(request.to_be_bytes()) }
}

fn is_accepted(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Accepted { .. })
}

/// Numbers that look random and are the same in every run (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("below a usize")
    }
}
