//! The receiving side.

use alloc::vec::Vec;
use core::error::Error;

use crate::guard::{Claim, Refusal, ReplayGuard, RequestId};
use crate::incoming::{Accepted, Claimable, Unauthenticated};
use crate::key_sets::{KeySets, ReceiveError};
use crate::scheme::{BaseKeys, NamedKey};

/// The receiving side of DUKPT, an acquirer's host: the base derivation keys of its key sets, and a memory of the counters
/// that it has accepted.
///
/// A message takes three steps, each a type of its own:
///
/// 1. [`derive`](Self::derive) makes its key from its name. Anybody can send a name, so nothing is remembered yet.
/// 2. [`Unauthenticated::authenticate`] has its MAC verified by that key, or
///    [`without_mac`](Unauthenticated::without_mac) says that there is none. A forged message ends here: it can't move
///    the memory, and so can't lock the originator out.
/// 3. [`accept`](Self::accept) claims the counter, durably, and only then gives the transaction.
///
/// A receiver may be shared between threads; with one guard between them, so may the work between receivers. `B` are the key
/// sets of the scheme: those of TDES DUKPT, or of AES DUKPT in [`aes::Receiver`](crate::aes::Receiver). A host that serves
/// both has a receiver for each, over one guard.
///
/// # Source
/// ANS X9.24-1:2009 8.7.
///
/// # Examples
/// ```
/// # #[cfg(feature = "std")]
/// # fn main() -> Result<(), Box<dyn core::error::Error>> {
/// use cardroot_dukpt::guard::{MemoryGuard, Policy, RequestId, block_on};
/// use cardroot_dukpt::{Accepted, Bdk, KeySetId, KeySets, Ksn, Receiver, tdea::TdeaKey};
///
/// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
/// let mut key_sets = KeySets::new();
/// key_sets.insert(KeySetId::new(0xFFFF987654, 40)?, bdk)?;
/// let host = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
///
/// // A message: its text, its MAC and the name of its key.
/// let (text, mac) = (b"4012345678909D987", [0x9C, 0xCC, 0x78, 0x17]);
/// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]);
///
/// let (message, ()) = host.derive(&ksn)?.authenticate(|key| key.mac_request_key().verify_mac(text, &mac))?;
/// let Accepted::New { transaction, .. } = block_on(host.accept(message, RequestId([1; 16])))? else {
///     panic!("nothing came before");
/// };
/// let answer_mac = transaction.key().mac_response_key().mac(b"approved");
///
/// // The same message again is a replay.
/// let (message, ()) = host.derive(&ksn)?.authenticate(|key| key.mac_request_key().verify_mac(text, &mac))?;
/// let replay = block_on(host.accept(message, RequestId([2; 16])));
/// assert_eq!(replay.unwrap_err().to_string(), "transaction counter 0x1 was accepted before: a replay");
/// # Ok(())
/// # }
/// # #[cfg(not(feature = "std"))]
/// # fn main() {}
/// ```
/// No message is accepted before it proved itself, or was said to carry no proof:
/// ```
/// use cardroot_dukpt::{Accepted, Receiver, Unauthenticated, guard::{ReplayGuard, RequestId}};
/// async fn accept<G: ReplayGuard>(host: Receiver<G>, message: Unauthenticated, request: RequestId) -> Option<Accepted> {
///     host.accept(message.without_mac(), request).await.ok()
/// }
/// ```
/// ```compile_fail,E0308
/// use cardroot_dukpt::{Accepted, Receiver, Unauthenticated, guard::{ReplayGuard, RequestId}};
/// async fn accept<G: ReplayGuard>(host: Receiver<G>, message: Unauthenticated, request: RequestId) -> Option<Accepted> {
///     host.accept(message, request).await.ok()
/// }
/// ```
#[derive(Debug)]
pub struct Receiver<G, B = KeySets> {
    key_sets: B,
    guard: G,
}

/// A message that is not accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError<E: Error + 'static> {
    /// The counter is not accepted, and the memory is as it was.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The memory gave no answer. It may be unknown whether it has changed.
    #[error(transparent)]
    Guard(#[from] GuardError<E>),
}

/// A memory that gave no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError<E: Error + 'static> {
    /// The memory failed.
    #[error("the memory of accepted counters failed")]
    Failed(#[source] E),
    /// The memory does not keep to its contract: not every claim has one verdict. None of them is believed.
    #[error("the memory of accepted counters gave {verdicts} verdicts on {claims} claims")]
    Miscounted {
        /** Claims asked about. */
        claims: usize,
        /** Verdicts returned. */
        verdicts: usize,
    },
}

impl<G, B: BaseKeys> Receiver<G, B> {
    /// A receiver with these base keys, and the memory that `guard` keeps.
    #[must_use]
    pub const fn new(key_sets: B, guard: G) -> Self {
        Self { key_sets, guard }
    }

    /// The key sets whose messages are received.
    #[must_use]
    pub const fn key_sets(&self) -> &B {
        &self.key_sets
    }

    /// The key sets, for taking one in or retiring one.
    #[must_use]
    pub const fn key_sets_mut(&mut self) -> &mut B {
        &mut self.key_sets
    }

    /// The memory.
    #[must_use]
    pub const fn guard(&self) -> &G {
        &self.guard
    }

    /// Derives the key of the message named `ksn`, to find out whether it is genuine. Remembers nothing.
    ///
    /// # Errors
    /// Returns [`ReceiveError::UnknownKeySet`] if no base key is held for its key set, [`ReceiveError::Counter`] if the
    /// counter is zero or has too many ones.
    pub fn derive(
        &self,
        ksn: &<B::Key as NamedKey>::Ksn,
    ) -> Result<Unauthenticated<B::Key>, ReceiveError<B::CounterError>> {
        self.key_sets.derive(ksn)
    }

    /// Derives the keys of many messages, each answered in its place as by [`derive`](Self::derive): for TDES all at once, see
    /// [`bulk`](crate::bulk).
    #[must_use]
    #[allow(clippy::type_complexity, reason = "another name would hide from the docs what comes out")]
    pub fn derive_batch(
        &self,
        ksns: &[<B::Key as NamedKey>::Ksn],
    ) -> Vec<Result<Unauthenticated<B::Key>, ReceiveError<B::CounterError>>> {
        self.key_sets.derive_batch(ksns)
    }
}

impl<G: ReplayGuard, B: BaseKeys> Receiver<G, B> {
    /// Accepts a message: claims its counter as `request`, and gives the transaction once that is durable. See
    /// [`RequestId`] for what to give as `request`, and [`Policy`](crate::guard::Policy) for the rule.
    ///
    /// Gaps are legal and reported ([`Transaction::skipped_counters`](crate::Transaction::skipped_counters)): messages get
    /// lost, and originators skip what they can't use.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7 (the receiver verifies that the counter has increased) and 8.7.2.2.
    ///
    /// # Errors
    /// Returns [`AcceptError::Refused`] for a replay and for a counter below what may still come, [`AcceptError::Guard`]
    /// if the memory fails. After that, and after a drop of the future half-way, start again with the same message and
    /// the same `request`: if the counter was taken, the answer is [`Accepted::Repeated`], and whether the transaction
    /// was done stands in the books of whoever does it.
    pub async fn accept(
        &self,
        message: Claimable<B::Key>,
        request: RequestId,
    ) -> Result<Accepted<B::Key>, AcceptError<G::Error>> {
        let verdicts = self.guard.advance(&[message.claim(request)]).await.map_err(GuardError::Failed)?;
        let &[verdict] = verdicts.as_slice() else {
            return Err(GuardError::Miscounted { claims: 1, verdicts: verdicts.len() }.into());
        };
        Ok(message.judged(verdict, &self.key_sets)?)
    }

    /// Accepts many messages at the price of one durable write, each answered in its place as by
    /// [`accept`](Self::accept).
    ///
    /// They are judged in their order, so give them in the order in which they came; one originator may have several.
    ///
    /// # Errors
    /// Returns [`GuardError`] if the memory fails, for all of the batch. Ask again as after [`accept`](Self::accept): of
    /// several requests of one originator, only the last accepted is then known as a repeat, and those before it are
    /// refused. They are lost, and none is done twice.
    pub async fn accept_batch(
        &self,
        messages: Vec<(Claimable<B::Key>, RequestId)>,
    ) -> Result<Vec<Result<Accepted<B::Key>, Refusal>>, GuardError<G::Error>> {
        let claims: Vec<Claim> = messages.iter().map(|(message, request)| message.claim(*request)).collect();
        let verdicts = self.guard.advance(&claims).await.map_err(GuardError::Failed)?;
        if verdicts.len() != claims.len() {
            return Err(GuardError::Miscounted { claims: claims.len(), verdicts: verdicts.len() });
        }
        Ok(messages
            .into_iter()
            .zip(verdicts)
            .map(|((message, _), verdict)| message.judged(verdict, &self.key_sets))
            .collect())
    }
}
