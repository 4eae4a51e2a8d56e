//! The receiver's memory of counters: which were accepted, and what may still come.

use alloc::vec::Vec;
use core::future::Future;
use core::num::NonZeroU8;

/// One originator, as a receiver's memory knows it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct OriginatorId {
    /// Names of TDES and of AES originators are of the same length and mean different things.
    pub scheme: Scheme,
    /// TDES: the KSN's first 8 bytes, counter bits cleared. AES: the initial key identifier.
    pub id: [u8; 8],
}

/// The derivation scheme that a name belongs to.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Scheme {
    /// TDES DUKPT, ANS X9.24-1:2009.
    Tdes,
    /// AES DUKPT, X9.24-3:2017.
    Aes,
}

impl Scheme {
    /// A number for storage: it never changes.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Tdes => 1,
            Self::Aes => 2,
        }
    }
}

/// What tells one request from another that carries the same counter: chosen by the caller, random or a digest of the
/// message. The same request asked again is recognised by it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RequestId(pub [u8; 16]);

/// A request to accept one counter.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Claim {
    /// Whose counter it is.
    pub originator: OriginatorId,
    /// The counter of the message, as it stands in the key serial number.
    pub counter: u32,
    /// The request that claims it.
    pub request: RequestId,
}

/// The answer to one [`Claim`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Verdict {
    /// The counter is accepted, for the first and only time, and that is durable.
    Accepted {
        /// The highest counter accepted before; `None` if there was none.
        previous: Option<u32>,
    },
    /// This very request was accepted before, with this counter, and is the last that was: a question repeated because
    /// its answer got lost, or a message repeated with the consent of both sides.
    Repeated,
    /// The counter is not accepted; nothing has changed.
    Refused(Refusal),
}

/// Why a counter is not accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The counter was accepted before, for another request.
    #[error("transaction counter {found:#X} was accepted before: a replay")]
    Replay {
        /// The counter of the claim.
        found: u32,
    },
    /// The counter is below what may still come: an old message, a rolled-back or a cloned originator.
    #[error("transaction counter {found:#X} is below {last:#X}, which was accepted last")]
    Below {
        /// The counter of the claim.
        found: u32,
        /// The highest counter accepted.
        last: u32,
    },
}

/// Which counters may follow those accepted.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Policy {
    /// Each counter is above all before it. What X9.24-1 8.7 asks for.
    #[default]
    Strict,
    /// A counter may also be below the highest one by at most so much (up to [`Memory::WINDOW`]), if it was not accepted
    /// itself: for networks that change the order of messages.
    Window(NonZeroU8),
}

/// What a receiver remembers of one originator.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Memory {
    /// The highest counter accepted.
    pub last: u32,
    /// Bit `i` says that counter `last - i` was accepted; bit 0 is set.
    pub accepted: u64,
    /// The request that was accepted last, and its counter.
    pub request: (RequestId, u32),
}

impl Memory {
    /// How far a memory reaches below the highest counter.
    pub const WINDOW: u8 = 63;
}

impl Policy {
    /// Judges a claim by what is remembered: the answer, and what to remember from now on if that changes.
    ///
    /// The whole rule, for stores to call between reading and writing in one transaction.
    #[must_use]
    pub fn judge(self, memory: Option<&Memory>, claim: &Claim) -> (Verdict, Option<Memory>) {
        let (found, request) = (claim.counter, (claim.request, claim.counter));
        let Some(memory) = memory else {
            let first = Memory { last: found, accepted: 1, request };
            return (Verdict::Accepted { previous: None }, Some(first));
        };
        let accepted = Verdict::Accepted { previous: Some(memory.last) };
        if memory.request == request {
            return (Verdict::Repeated, None);
        }
        if let Some(ahead @ 1..) = found.checked_sub(memory.last) {
            let accepted_before = memory.accepted.checked_shl(ahead).unwrap_or(0);
            return (accepted, Some(Memory { last: found, accepted: accepted_before | 1, request }));
        }
        let behind = memory.last - found;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        if memory.accepted & bit != 0 {
            (Verdict::Refused(Refusal::Replay { found }), None)
        } else if behind <= self.window() {
            (accepted, Some(Memory { accepted: memory.accepted | bit, request, ..*memory }))
        } else {
            (Verdict::Refused(Refusal::Below { found, last: memory.last }), None)
        }
    }

    /// How far below the highest counter another may be.
    #[must_use]
    pub fn window(self) -> u32 {
        match self {
            Self::Strict => 0,
            Self::Window(width) => width.get().min(Memory::WINDOW).into(),
        }
    }
}

/// A receiver's memory of the counters that it has accepted, durable: compare-and-advance and nothing else.
///
/// The future belongs to no runtime. A thread waits for it with [`core::task::Waker`]s of its own (see `store::block_on`), an
/// asynchronous host awaits it among others; either way the store decides when the batch is written.
pub trait ReplayGuard {
    /// Why a batch could not be judged.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Judges the claims in their order and remembers those accepted, all or none of the batch, durably before it answers.
    /// A batch may hold one originator several times.
    ///
    /// # Errors
    /// After an error it may be unknown whether the batch was written. Ask again with the same request identifiers: what
    /// was accepted then answers [`Verdict::Repeated`].
    fn advance(&self, claims: &[Claim]) -> impl Future<Output = Result<Vec<Verdict>, Self::Error>> + Send;
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    const TERMINAL: OriginatorId = OriginatorId { scheme: Scheme::Tdes, id: [0x11; 8] };

    fn claim(counter: u32, request: u8) -> Claim {
        Claim { originator: TERMINAL, counter, request: RequestId([request; 16]) }
    }

    /// Judges counters one after the other, each a request of its own.
    fn accepted(policy: Policy, counters: &[u32]) -> Vec<u32> {
        let mut memory = None;
        let mut accepted = vec![];
        for (request, counter) in (0..).zip(counters) {
            let (verdict, new) = policy.judge(memory.as_ref(), &claim(*counter, request));
            assert_eq!(matches!(verdict, Verdict::Accepted { .. }), new.is_some());
            if new.is_some() {
                (memory, accepted) = (new, [accepted, vec![*counter]].concat());
            }
        }
        accepted
    }

    #[test]
    fn strict_policy_accepts_only_what_grows() {
        assert_eq!(
            accepted(Policy::Strict, &[5, 5, 4, 6, 0x10_0000, 7, 0x10_0001]),
            [5, 6, 0x10_0000, 0x10_0001]
        );
    }

    #[test]
    fn window_accepts_each_late_counter_once() {
        let window = Policy::Window(NonZeroU8::new(3).unwrap());
        assert_eq!(accepted(window, &[10, 8, 8, 7, 6, 9, 10, 11, 7, 8]), [10, 8, 7, 9, 11]);
    }

    #[test]
    fn windows_beyond_the_memory_end_with_it() {
        let window = Policy::Window(NonZeroU8::MAX);
        assert_eq!(accepted(window, &[100, 37, 36, 164, 101, 100]), [100, 37, 164, 101]);
    }

    #[test]
    fn the_last_request_asked_again_is_a_repeat_and_any_other_a_replay() {
        let (_, memory) = Policy::Strict.judge(None, &claim(5, 1));
        let judge = |claim| Policy::Strict.judge(memory.as_ref(), &claim);
        assert_eq!(judge(claim(5, 1)), (Verdict::Repeated, None));
        assert_eq!(judge(claim(5, 2)), (Verdict::Refused(Refusal::Replay { found: 5 }), None));
        assert_eq!(judge(claim(4, 1)), (Verdict::Refused(Refusal::Below { found: 4, last: 5 }), None));
        assert!(matches!(judge(claim(6, 1)), (Verdict::Accepted { previous: Some(5) }, Some(_))));
    }
}
