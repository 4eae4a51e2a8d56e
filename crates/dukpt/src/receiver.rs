//! The receiving side.

use tdea::StrengthError;

use crate::counter::{Counter, CounterError, ReplayError};
use crate::keys::{Bdk, TransactionKey};
use crate::ksn::Ksn;
use crate::transaction::Transaction;

/// The receiving side of DUKPT for one key set: an acquirer's host. Holds the base derivation key and derives everything
/// else from the KSN of a message.
///
/// # Source
/// ANS X9.24-1:2009 8.7.
///
/// # Examples
/// ```
/// use cardroot_dukpt::{Bdk, Counter, Ksn, Receiver, tdea::TdeaKey};
///
/// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
/// let host = Receiver::new(bdk)?;
///
/// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]);
/// let transaction = host.accept(&ksn, None)?;
/// transaction.key().mac_request_key().verify_mac(b"4012345678909D987", &[0x9C, 0xCC, 0x78, 0x17])?;
///
/// let replay = host.accept(&ksn, Some(Counter::FIRST));
/// assert!(replay.is_err());
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Receiver {
    bdk: Bdk,
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
    /// Takes the base derivation key of one key set.
    ///
    /// # Errors
    /// Returns [`StrengthError`] if two parts of `bdk` agree once parity is masked, or one is a weak DES key.
    pub fn new(bdk: Bdk) -> Result<Self, StrengthError> {
        bdk.expose_key().check_strength()?;
        Ok(Self { bdk })
    }

    /// Accepts the message named `ksn` if its counter is above the one accepted `last` from the same originator
    /// ([`Ksn::id`]); `None` says that nothing was accepted from it yet. See [`Counter::follows`].
    ///
    /// A correct MAC or PIN is what proves that the message came from the originator. Keep the counter of a message as
    /// the new `last` once its MAC is verified, and before it is answered.
    ///
    /// # Errors
    /// Returns [`AcceptError::Counter`] if the counter is zero or has more than ten ones, [`AcceptError::Replay`] if it
    /// has not increased.
    pub fn accept(&self, ksn: &Ksn, last: Option<Counter>) -> Result<Transaction, AcceptError> {
        let skipped_counters = ksn.counter()?.follows(last)?;
        Ok(Transaction::new(self.derive_transaction_key(ksn)?, skipped_counters))
    }

    /// Derives the key named `ksn`, whether or not its counter was seen before: for a message that is repeated with the
    /// consent of both sides, for its answer, and for diagnosis. All else goes through [`accept`](Self::accept).
    ///
    /// # Errors
    /// Returns [`CounterError`] if the counter is zero or has more than ten ones.
    pub fn derive_transaction_key(&self, ksn: &Ksn) -> Result<TransactionKey, CounterError> {
        self.bdk.initial_key(ksn).transaction_key(ksn)
    }
}
