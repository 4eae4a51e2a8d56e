//! Why a durable originator gives no key.

use core::fmt;

use crate::counter::EndOfLife;

/// Why an originator gives no key. Whatever it is, no key has left and no counter is used twice.
///
/// `S` is the store's error, `R` that of the device's counter against rollback.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OriginatorError<S, R> {
    /// No transaction key is left, for good. The store says so too.
    #[error(transparent)]
    EndOfLife(#[from] EndOfLife),
    /// The store could not read or write; the same call may be tried again.
    #[error("the store of the originator's state failed")]
    Store(#[source] S),
    /// The device's counter could not be read or stepped; the same call may be tried again.
    #[error("the device's counter against rollback failed")]
    RollbackCounter(#[source] R),
    /// The stored state is not one that this originator may go on from.
    #[error(transparent)]
    State(StateError),
}

/// Why a stored state is refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// There is nothing in the store: no initial key was ever loaded.
    #[error("no initial key has been loaded: the store is empty")]
    Nothing,
    /// Something is in the store, and none of it is a whole record.
    #[error("the stored state is damaged: no whole record of it is left")]
    Damaged,
    /// The store holds a whole record already, of whatever originator: it isn't overwritten by loading.
    #[error("the store holds the state of an originator already")]
    Occupied,
    /// The record does not begin as a state does.
    #[error("what is stored is not the state of an originator")]
    NotAState,
    /// A later version of this program wrote the record.
    #[error("the state has format version {found}, this program knows versions up to {known}")]
    NewerVersion {
        /** Version in the record. */
        found: u8,
        /** The highest version known. */
        known: u8,
    },
    /// The record is of another scheme: AES where TDES is expected, or the other way round.
    #[error("the state belongs to another derivation scheme (code {found})")]
    OtherScheme {
        /** Code of the scheme in the record. */
        found: u8,
    },
    /// The record is cut or has too much.
    #[error("the state is {found} bytes long instead of {expected}")]
    Length {
        /** Bytes of a whole record. */
        expected: usize,
        /** Bytes found. */
        found: usize,
    },
    /// The record is of another originator than the one expected. Its header says so, which only the device key could
    /// confirm.
    #[error("the state belongs to another originator ({found})")]
    OtherOriginator {
        /** Name in the record. */
        found: StoredName,
    },
    /// The record was altered, or sealed under another device key. Opaque: no more is said on purpose.
    #[error("the state does not open: it was altered, or sealed by another device")]
    Seal,
    /// The record is authentic and holds what no register machine wrote.
    #[error("the state is authentic but contradicts itself")]
    Contradictory,
    /// The state is older than the device's counter, or has no place before or after it: somebody put an old copy back.
    #[error("the state is of generation {generation}, the device is at {counter}: an old copy was put back")]
    Rollback {
        /** Generation of the state. */
        generation: u64,
        /** What the device's counter says. */
        counter: u64,
    },
    /// The new initial key has the name of the old one: every counter would come a second time.
    #[error("the new initial key has the name of the old one")]
    SameName,
}

/// The name in the clear part of a stored state: an initial KSN, or an initial key identifier and 2 zero bytes.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct StoredName(pub [u8; super::machine::NAME_LEN]);

impl fmt::Display for StoredName {
    /// 20 upper-case hex digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for StoredName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StoredName({self})")
    }
}

impl<S, R> From<StateError> for OriginatorError<S, R> {
    fn from(error: StateError) -> Self {
        Self::State(error)
    }
}
