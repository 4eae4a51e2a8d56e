//! What a card keeps without power, kept for it.
//!
//! A card in a [`CardStore`] is durable: each change is in the store before the answer to its command leaves, and a try of a
//! key is spent there before the key is looked at. Where the store fails, the card answers `6581` to that command and to
//! every later one, until it is opened again. It is then as it was before the change or as it is after it, never in between.
//!
//! A command may make several changes, one after the other: a try that is spent, the try given back, the purchase. A cut
//! between two of them costs the try. What was answered stays.
//!
//! ```text
//! 01 | profile (kind, serial number, system) | owner | blocked | master file: header, lock, keys, files, directories
//! ```

pub(crate) mod codec;
mod file;
mod seal;
mod store;

use core::fmt;

pub use aeskey::StorageKey;
use zeroize::Zeroizing;

pub use self::file::{FileError, FileStore};
pub use self::store::{CardStore, MemoryStore, StoredCard};
use crate::memory::Memory;
use crate::profile::CardProfile;
use codec::{Reader, Stored as _, Writer};

/// First byte of a state: how the rest is written.
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

/// The state of a card as bytes.
pub(crate) fn encode(profile: &CardProfile, memory: &Memory) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::new();
    out.byte(FORMAT);
    out.counted(&profile.identity());
    memory.write(&mut out);
    out.finish()
}

/// The state of the card with that profile.
pub(crate) fn decode(profile: &CardProfile, state: &[u8]) -> Result<Memory, OpenError> {
    let mut input = Reader::new(state);
    let found = input.byte().ok_or(OpenError::Damaged)?;
    if found != FORMAT {
        return Err(OpenError::OtherFormat { found });
    }
    if input.counted().ok_or(OpenError::Damaged)? != profile.identity() {
        return Err(OpenError::OtherCard);
    }
    let memory = Memory::read(&mut input).ok_or(OpenError::Damaged)?;
    input.finish().ok_or(OpenError::Damaged)?;
    Ok(memory)
}

/// Where a card's changes go.
pub(crate) enum Durability {
    /// Nowhere: the card ends with the process.
    None,
    /// Into a store.
    Kept(Box<dyn CardStore>),
    /// Into a store that has failed: what it has now is not known, so nothing more is done.
    Lost,
}

impl Durability {
    pub(crate) const fn is_lost(&self) -> bool {
        matches!(self, Self::Lost)
    }

    /// Makes the state durable.
    pub(crate) fn keep(&mut self, profile: &CardProfile, memory: &Memory) {
        if let Self::Kept(store) = self
            && store.replace(&encode(profile, memory)).is_err()
        {
            *self = Self::Lost;
        }
    }
}

impl fmt::Debug for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Kept(_) => "Kept",
            Self::Lost => "Lost",
        })
    }
}

#[cfg(test)]
#[path = "round_trip.rs"]
mod round_trip;
