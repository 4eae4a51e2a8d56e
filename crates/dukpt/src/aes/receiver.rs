//! The receiving side of AES DUKPT.

use crate::aes::counter::{Counter, CounterError, OnesLimit, ReplayError};
use crate::aes::keys::{Bdk, TransactionKey, UpdateKey};
use crate::aes::ksn::{InitialKeyId, Ksn};
use crate::aes::transaction::Transaction;

/// The receiving side of AES DUKPT for one base derivation key: an acquirer's host. Derives everything else from the KSN
/// of a message, whose [`bdk_id`](InitialKeyId::bdk_id) says which base derivation key that is.
///
/// # Source
/// ANS X9.24-3:2017 6.1 and 6.4.
///
/// # Examples
/// ```
/// use cardroot_dukpt::aes::{Bdk, Counter, Ksn, Receiver};
/// use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
///
/// let bdk = Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| {
///     key.copy_from_slice(&0xFEDCBA9876543210_F1F1F1F1F1F1F1F1_u128.to_be_bytes());
/// }));
/// let host = Receiver::new(bdk);
///
/// let ksn = Ksn::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56, 0x00, 0x00, 0x00, 0x02]);
/// let transaction = host.accept(&ksn, None)?;
/// let key = transaction.key().mac_request_key(AesKeyLength::Aes128)?;
/// key.verify_mac(b"4012345678909D987", &[0x4D, 0x10, 0x47, 0x04, 0xC5, 0x34, 0x91, 0xA6])?;
///
/// let replay = host.accept(&ksn, Some(Counter::try_from(2)?));
/// assert!(replay.is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Receiver {
    bdk: Bdk,
    limit: OnesLimit,
}

/// A message that the receiver does not accept.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AcceptError {
    /// No transaction may carry this counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
    /// The counter has not increased.
    #[error(transparent)]
    Replay(#[from] ReplayError),
}

impl Receiver {
    /// Takes a base derivation key. Counters may have 16 ones, as the text of the standard has it.
    #[must_use]
    pub const fn new(bdk: Bdk) -> Self {
        Self::with_ones_limit(bdk, OnesLimit::Sixteen)
    }

    /// Takes a base derivation key, and how many ones counters may have: it depends on how the originators were built.
    #[must_use]
    pub const fn with_ones_limit(bdk: Bdk, limit: OnesLimit) -> Self {
        Self { bdk, limit }
    }

    /// How many ones counters may have.
    #[must_use]
    pub const fn ones_limit(&self) -> OnesLimit {
        self.limit
    }

    /// Accepts the message named `ksn` if its counter is above the one accepted `last` from the same originator
    /// ([`Ksn::id`]); `None` says that nothing was accepted from it yet. See [`Counter::follows`].
    ///
    /// A correct MAC or PIN is what proves that the message came from the originator. Keep the counter of a message as
    /// the new `last` once its MAC is verified, and before it is answered.
    ///
    /// # Errors
    /// Returns [`AcceptError::Counter`] if the counter is zero or has too many ones, [`AcceptError::Replay`] if it has
    /// not increased.
    pub fn accept(&self, ksn: &Ksn, last: Option<Counter>) -> Result<Transaction, AcceptError> {
        let skipped_counters = ksn.counter_within(self.limit)?.follows(last, self.limit)?;
        Ok(Transaction::new(self.derive_transaction_key(ksn)?, skipped_counters))
    }

    /// Derives the key named `ksn`, whether or not its counter was seen before: for a message that is repeated with the
    /// consent of both sides, for its answer, and for diagnosis. All else goes through [`accept`](Self::accept).
    ///
    /// # Errors
    /// Returns [`CounterError`] if the counter is zero or has too many ones.
    pub fn derive_transaction_key(&self, ksn: &Ksn) -> Result<TransactionKey, CounterError> {
        let counter = ksn.counter_within(self.limit)?;
        Ok(self.bdk.derive_initial_key(&ksn.id()).transaction_key(counter))
    }

    /// Derives the key under which a new initial key travels to an originator in the field. It is the same for the whole
    /// life of the initial key that it replaces, whatever the counter.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Update Initial Key".
    #[must_use]
    pub fn derive_update_key(&self, id: &InitialKeyId) -> UpdateKey {
        self.bdk.derive_initial_key(id).derive_update_key()
    }
}
