//! The receiver's memory of counters: which were accepted, and what may still come.

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;

use crate::aes;
#[cfg(feature = "std")]
pub use crate::block_on::block_on;
use crate::ksn::Ksn;
#[cfg(feature = "std")]
pub use crate::memory_guard::MemoryGuard;

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

impl From<&Ksn> for OriginatorId {
    /// The originator that a key serial number of TDES DUKPT names.
    fn from(ksn: &Ksn) -> Self {
        Self { scheme: Scheme::Tdes, id: ksn.initial().leftmost_64_bits() }
    }
}

impl From<&aes::InitialKeyId> for OriginatorId {
    /// The originator of AES DUKPT.
    fn from(id: &aes::InitialKeyId) -> Self {
        Self { scheme: Scheme::Aes, id: *id.as_bytes() }
    }
}

impl From<&aes::Ksn> for OriginatorId {
    /// The originator that a key serial number of AES DUKPT names.
    fn from(ksn: &aes::Ksn) -> Self {
        Self::from(&ksn.id())
    }
}

impl fmt::Display for OriginatorId {
    /// The scheme and 16 upper-case hex digits: `TDES FFFF9876543210E0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = match self.scheme {
            Scheme::Tdes => "TDES",
            Scheme::Aes => "AES",
        };
        write!(f, "{scheme} {:016X}", u64::from_be_bytes(self.id))
    }
}

/// What tells one request from another that carries the same counter: chosen by the caller. The same request asked again
/// is recognised by it.
///
/// - A digest of the message, or its MAC: the message sent again, byte for byte, by whomever, is [`Verdict::Repeated`].
///   The search for cloned terminals ([`audit`](crate::audit)) tells a copy from a second message by it, so prefer it.
/// - A random number for each message that comes in: a message sent again is a [`Refusal::Replay`]; only the question to
///   the memory can be repeated.
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
    /// This very request was accepted before, with this counter, and is the last of its originator that was: a question
    /// repeated because its answer got lost, or a message repeated with the consent of both sides. It buys nothing a
    /// second time: answer as before.
    Repeated,
    /// The counter is not accepted; nothing has changed.
    Refused(Refusal),
}

/// Why a counter is not accepted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The counter was accepted before: for another request, or for this one when it is no longer the last of its originator.
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
    /// A counter may also be below the highest one by at most so much, if it was not accepted itself: for networks that
    /// change the order of messages.
    ///
    /// The width counts numbers, not transactions. Where originators skip numbers with too many ones (TDES: the first is
    /// `7FF`), fewer late messages fit in; none is accepted that strict order would call a replay.
    Window(Window),
}

/// How far below the highest counter another may come: 1 to 63.
///
/// # Examples
/// ```
/// use cardroot_dukpt::guard::{Policy, Window};
///
/// let policy = Policy::Window(Window::new(8)?);
/// assert_eq!(policy.window(), 8);
/// assert!(Window::new(0).is_err() && Window::new(64).is_err());
/// # Ok::<(), cardroot_dukpt::guard::WindowError>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Window(u8);

/// A width that no window has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a window for late counters is 1 to 63 wide, found {found}")]
pub struct WindowError {
    /// The width asked for.
    pub found: u8,
}

impl Window {
    /// The widest: as far as a [`Memory`] reaches.
    pub const MAX: Self = Self(Memory::WINDOW);

    /// Takes a width.
    ///
    /// # Errors
    /// Returns [`WindowError`] for 0, which is [`Policy::Strict`], and above 63.
    pub const fn new(width: u8) -> Result<Self, WindowError> {
        match width {
            1..=Memory::WINDOW => Ok(Self(width)),
            found => Err(WindowError { found }),
        }
    }

    /// The width.
    #[must_use]
    pub const fn width(self) -> u8 {
        self.0
    }
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
    /// The whole rule, for stores to call between reading and writing in one transaction. It judges the order alone:
    /// that a transaction may carry the counter, and that a key set is known, is settled where the key is derived.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7: the receiver verifies that the counter has increased.
    #[must_use]
    pub fn judge(self, memory: Option<&Memory>, claim: &Claim) -> (Verdict, Option<Memory>) {
        let (found, request) = (claim.counter, (claim.request, claim.counter));
        let Some(memory) = memory else {
            let first = Memory { last: found, accepted: 1, request };
            return (Verdict::Accepted { previous: None }, Some(first));
        };
        let accepted = Verdict::Accepted { previous: Some(memory.last) };
        // Whatever a store made of bit 0: the highest counter is not accepted twice.
        let accepted_counters = memory.accepted | 1;
        if memory.request == request {
            return (Verdict::Repeated, None);
        }
        if let Some(ahead @ 1..) = found.checked_sub(memory.last) {
            let accepted_before = accepted_counters.checked_shl(ahead).unwrap_or(0);
            return (accepted, Some(Memory { last: found, accepted: accepted_before | 1, request }));
        }
        let behind = memory.last - found;
        let bit = 1_u64.checked_shl(behind).unwrap_or(0);
        if accepted_counters & bit != 0 {
            (Verdict::Refused(Refusal::Replay { found }), None)
        } else if behind <= self.window() {
            (accepted, Some(Memory { accepted: accepted_counters | bit, request, ..*memory }))
        } else {
            (Verdict::Refused(Refusal::Below { found, last: memory.last }), None)
        }
    }

    /// How far below the highest counter another may be.
    #[must_use]
    pub fn window(self) -> u32 {
        match self {
            Self::Strict => 0,
            Self::Window(window) => window.0.into(),
        }
    }
}

/// A receiver's memory of the counters that it has accepted, durable: compare-and-advance and nothing else.
///
/// The future belongs to no runtime. A thread waits for it by `block_on` (feature `std`), an asynchronous host awaits it
/// among others; either way the store decides when the batch is written. `MemoryGuard` (feature `std`) is the plain one
/// that others are held against.
pub trait ReplayGuard {
    /// Why a batch could not be judged.
    type Error: core::error::Error + Send + Sync + 'static;

    /// Judges the claims in their order and remembers those accepted, all or none of the batch, durably before it answers.
    /// A batch may hold one originator several times.
    ///
    /// # Errors
    /// After an error it may be unknown whether the batch was written. Ask again with the same request identifiers: if it
    /// was, the last request accepted from each originator answers [`Verdict::Repeated`], and earlier ones of the same
    /// originator are refused. Those transactions are lost and none is done twice.
    fn advance(&self, claims: &[Claim]) -> impl Future<Output = Result<Vec<Verdict>, Self::Error>> + Send;
}

impl<G: ReplayGuard> ReplayGuard for &G {
    type Error = G::Error;

    fn advance(&self, claims: &[Claim]) -> impl Future<Output = Result<Vec<Verdict>, Self::Error>> + Send {
        (**self).advance(claims)
    }
}

#[cfg(feature = "std")]
impl<G: ReplayGuard> ReplayGuard for alloc::sync::Arc<G> {
    type Error = G::Error;

    fn advance(&self, claims: &[Claim]) -> impl Future<Output = Result<Vec<Verdict>, Self::Error>> + Send {
        (**self).advance(claims)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::{collections::BTreeSet, vec};

    use proptest::prelude::*;

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
        let window = Policy::Window(Window::new(3).unwrap());
        assert_eq!(accepted(window, &[10, 8, 8, 7, 6, 9, 10, 11, 7, 8]), [10, 8, 7, 9, 11]);
    }

    #[test]
    fn a_window_is_1_to_63_wide() {
        for width in 1..=63 {
            assert_eq!(Policy::Window(Window::new(width).unwrap()).window(), u32::from(width));
        }
        for found in [0, 64, 255] {
            assert_eq!(Window::new(found), Err(WindowError { found }));
        }
    }

    #[test]
    fn the_widest_window_ends_with_the_memory() {
        let window = Policy::Window(Window::MAX);
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

    /// A store that keeps no window may lose the bits, and one that is damaged may lose any of them.
    #[test]
    fn the_highest_counter_is_no_new_one_even_to_a_memory_without_its_bit() {
        for policy in [Policy::Strict, Policy::Window(Window::MAX)] {
            let forgetful = Memory { last: 5, accepted: 0, request: (RequestId([1; 16]), 5) };
            let (verdict, new) = policy.judge(Some(&forgetful), &claim(5, 2));
            assert_eq!((verdict, new), (Verdict::Refused(Refusal::Replay { found: 5 }), None));
            let (_, next) = policy.judge(Some(&forgetful), &claim(6, 3));
            let (verdict, _) = policy.judge(next.as_ref(), &claim(5, 4));
            assert_eq!(verdict, Verdict::Refused(Refusal::Replay { found: 5 }));
        }
    }

    /// A batch whose answer got lost and that is asked again: never a counter for a second time, whatever is lost by it.
    #[test]
    fn of_a_batch_asked_again_the_last_of_an_originator_is_a_repeat() {
        let (_, memory) = Policy::Strict.judge(None, &claim(5, 1));
        let (_, memory) = Policy::Strict.judge(memory.as_ref(), &claim(6, 2));
        let judge = |claim| Policy::Strict.judge(memory.as_ref(), &claim).0;
        assert_eq!(judge(claim(5, 1)), Verdict::Refused(Refusal::Replay { found: 5 }));
        assert_eq!(judge(claim(6, 2)), Verdict::Repeated);
    }

    #[test]
    fn originators_are_named_without_their_counters() {
        let name = |counter| {
            let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
            OriginatorId::from(&ksn.with_counter(counter))
        };
        assert_eq!(name(crate::Counter::FIRST), name(crate::Counter::LAST));
        assert_eq!(name(crate::Counter::LAST).to_string(), "TDES FFFF9876543210E0");
        let aes = |counter| OriginatorId::from(&aes::Ksn::new(aes::InitialKeyId::from([1; 8]), counter));
        assert_eq!(aes(aes::Counter::FIRST), aes(aes::Counter::LAST));
        assert_eq!(aes(aes::Counter::LAST).to_string(), "AES 0101010101010101");
    }

    /// The rule as one would say it, with a memory of everything.
    #[derive(Default)]
    struct Naive {
        accepted: BTreeSet<u32>,
        last_request: Option<(RequestId, u32)>,
    }

    impl Naive {
        fn judge(&mut self, window: u32, claim: &Claim) -> Verdict {
            let (found, request) = (claim.counter, Some((claim.request, claim.counter)));
            let highest = self.accepted.last().copied();
            if self.last_request == request {
                return Verdict::Repeated;
            }
            let behind = highest.map_or(0, |last| last.saturating_sub(found));
            let seen = self.accepted.contains(&found);
            match highest {
                Some(_) if seen && behind <= Memory::WINDOW.into() => {
                    Verdict::Refused(Refusal::Replay { found })
                }
                Some(last) if seen || behind > window => Verdict::Refused(Refusal::Below { found, last }),
                previous => {
                    self.accepted.insert(found);
                    self.last_request = request;
                    Verdict::Accepted { previous }
                }
            }
        }
    }

    fn any_policy() -> impl Strategy<Value = Policy> {
        (0_u8..=63).prop_map(|width| Window::new(width).map_or(Policy::Strict, Policy::Window))
    }

    /// Counters that stay close to each other, jump by powers of two, and stand at both ends of the number.
    fn any_counter() -> impl Strategy<Value = u32> {
        prop_oneof![4 => 1_u32..200, 2 => (0_u32..32, 0_u32..70).prop_map(|(bit, more)| (1 << bit) + more),
            1 => u32::MAX - 70..=u32::MAX]
    }

    proptest! {
        #[test]
        fn the_rule_is_that_of_a_memory_of_everything(
            policy in any_policy(),
            claims in proptest::collection::vec((any_counter(), 0_u8..3), 0..120),
        ) {
            let (mut memory, mut naive) = (None, Naive::default());
            for (counter, request) in claims {
                let claim = claim(counter, request);
                let (verdict, new) = policy.judge(memory.as_ref(), &claim);
                prop_assert_eq!(verdict, naive.judge(policy.window(), &claim));
                prop_assert_eq!(new.is_some(), matches!(verdict, Verdict::Accepted { .. }));
                memory = new.or(memory);
                let memory = memory.as_ref().expect("the first claim is accepted");
                prop_assert_eq!(Some(&memory.last), naive.accepted.last());
                prop_assert!(memory.accepted & 1 == 1 && memory.request.1 <= memory.last);
            }
        }

        #[test]
        fn a_counter_is_accepted_at_most_once_and_in_order_always(
            policy in any_policy(),
            counters in proptest::collection::btree_set(any_counter(), 1..60),
            again in proptest::collection::vec(any::<proptest::sample::Index>(), 0..60),
        ) {
            let in_order: Vec<u32> = counters.into_iter().collect();
            let replays = again.iter().map(|index| *index.get(&in_order));
            let sent: Vec<u32> = in_order.iter().copied().chain(replays).collect();
            let mut memory = None;
            for (request, counter) in sent.iter().enumerate() {
                let request = RequestId((request as u128).to_be_bytes());
                let claim = Claim { originator: TERMINAL, counter: *counter, request };
                let (verdict, new) = policy.judge(memory.as_ref(), &claim);
                let first_time = u128::from_be_bytes(request.0) < in_order.len() as u128;
                prop_assert_eq!(matches!(verdict, Verdict::Accepted { .. }), first_time);
                memory = new.or(memory);
            }
        }
    }
}
