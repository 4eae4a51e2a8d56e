//! What a card keeps without power, kept for it.
//!
//! A card in a [`CardStore`], [`Card`](crate::Card) or [`SecurityDomain`](crate::gp::SecurityDomain), is durable: each change is in
//! the store before the answer to its command leaves, and a try of a key is spent there before the key is looked at. Where the
//! store fails, the card answers `6581` to that command and to every later one, until it is opened again. It is then as it was
//! before the change or as it is after it, never in between.
//!
//! A command may make several changes, one after the other: a try that is spent, the try given back, the purchase. A cut
//! between two of them costs the try. What was answered stays.
//!
//! ```text
//! 01 | profile (kind, serial number, system) | owner | blocked | master file: header, lock, keys, files, directories
//! 11 | profile (name, key data, life cycle data, variants, tries) | failures | key sets: version, cipher, 3 keys, counter
//!    | complete | data groupings: identifier, content
//! ```
//!
//! The first byte is the kind of card, then the format. Neither kind is opened as the other ([`OpenError::OtherKind`]).

pub(crate) mod codec;
mod file;
pub(crate) mod kept;
mod seal;
mod store;

pub use aeskey::StorageKey;

pub use self::file::{FileError, FileStore};
pub(crate) use self::kept::{CardState, Kept};
pub use self::store::{CardStore, MemoryStore, StoredCard};
use crate::gp::DomainKeysError;

/// How states are written: the lower half of their first byte.
const FORMAT: u8 = 1;

/// Why a card does not come out of a store, or into one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// There is no card in the store.
    #[error("there is no card in the store")]
    Empty,
    /// There is a card in the store already: a new one in its place would forget what it has counted.
    #[error("there is a card in the store already")]
    Occupied,
    /// The card in the store has another kind, serial number or operating system.
    #[error("the card in the store is another one: kind, serial number or operating system differ")]
    OtherCard,
    /// The security domain in the store has another profile.
    #[error(
        "the security domain in the store is another one: name, key data, life cycle data, variants or tries differ"
    )]
    OtherDomain,
    /// The card in the store is of another kind: a security domain is none of the FMCOS family, nor is one of those a domain.
    #[error(
        "the card in the store is of another kind: a security domain in the place of a card of the FMCOS family, or the other way round"
    )]
    OtherKind,
    /// The keys make no security domain.
    #[error(transparent)]
    DomainKeys(#[from] DomainKeysError),
    /// The state is one of another version of this program.
    #[error("the state has format {found}, known is {known}", known = FORMAT)]
    OtherFormat {
        /// Its format.
        found: u8,
    },
    /// The state is none that a card has written.
    #[error("the state is damaged")]
    Damaged,
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] std::io::Error),
}

#[cfg(test)]
#[path = "round_trip.rs"]
mod round_trip;
