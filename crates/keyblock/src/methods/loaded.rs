//! Keys that may begin to serve: those that custodians or key blocks brought.

use alloc::vec::Vec;

use components::{ConfirmError, Outcome, Verdict};
use tdea::StrengthError;

use super::slot::{Part, SlotKeys};
use super::state::Reader;
use crate::attributes::{Algorithm, Usage};
use crate::block_key::sealed::Sealed;
use crate::block_key::{BaseKey, BlockKey};
use crate::unwrapped::Unwrapped;

/// Where a key came from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Origin {
    /// Custodians entered its components.
    Ceremony,
    /// It came in a key block.
    KeyBlock,
    /// It was generated here, at random.
    Generated,
}

impl Origin {
    /// A number for storage: it never changes.
    const fn code(self) -> u8 {
        match self {
            Self::Ceremony => 1,
            Self::KeyBlock => 2,
            Self::Generated => 3,
        }
    }

    const fn decode(code: u8) -> Option<Self> {
        match code {
            1 => Some(Self::Ceremony),
            2 => Some(Self::KeyBlock),
            3 => Some(Self::Generated),
            _ => None,
        }
    }
}

/// A ceremony that brought no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotLoaded {
    /// The ceremony failed.
    #[error("the ceremony made no key")]
    Ceremony(#[from] ConfirmError),
    /// The record is that of another ceremony: it made no key, or one with another check value.
    #[error("the record is not that of this key")]
    Record,
    /// The key is weak, or weaker than its length says.
    #[error("key refused")]
    Strength(#[from] StrengthError),
}

/// A key that custodians or a key block brought. There is no other way to make one: a key computed from an old key is none.
///
/// # Source
/// ANS X9.24-1:2009 7.4 and 7.7: a new key has no relation to the old.
///
/// # Examples
/// ```
/// # use cardroot_keyblock::{Unwrapped, methods::Loaded, tdea_keys::PinKey};
/// fn load(opened: Unwrapped<PinKey>) -> Loaded<PinKey> {
///     Loaded::from(opened)
/// }
/// ```
/// A bare key, which might be a variant of the last one, loads nothing:
/// ```compile_fail,E0277
/// # use cardroot_keyblock::{Unwrapped, methods::Loaded, tdea_keys::PinKey};
/// fn load(computed: PinKey) -> Loaded<PinKey> {
///     Loaded::from(computed)
/// }
/// ```
#[derive(Debug)]
pub struct Loaded<K> {
    pub(super) key: K,
    pub(super) origin: Origin,
}

impl<K: BlockKey> Loaded<K> {
    /// Takes the key that a ceremony ended with, for the purpose that the custodians came together for.
    ///
    /// # Errors
    /// Returns [`NotLoaded`].
    pub fn from_ceremony(outcome: Outcome<K::Base>) -> Result<Self, NotLoaded> {
        let key = outcome.key?;
        match outcome.record.verdict {
            Verdict::Made { kcv } if key.has_kcv(&kcv) => {}
            _ => return Err(NotLoaded::Record),
        }
        key.check_strength()?;
        Ok(Self { key: K::from_base(key), origin: Origin::Ceremony })
    }
}

impl<K: BlockKey> From<Unwrapped<K>> for Loaded<K> {
    /// From here on the key serves and is not sent on, whatever its block allowed.
    fn from(unwrapped: Unwrapped<K>) -> Self {
        Self { key: unwrapped.into_unbound_key(), origin: Origin::KeyBlock }
    }
}

impl<K: BlockKey> SlotKeys for Loaded<K> {
    const KINDS: &'static [(Usage, Algorithm)] = &[(K::USAGE, K::Base::ALGORITHM)];

    fn parts(&self) -> Vec<Part> {
        alloc::vec![Part::of(&self.key, self.origin)]
    }

    /// `origin 1 || length 1 || key`
    fn encode(&self, out: &mut Vec<u8>) {
        let key = self.key.base().expose_bytes();
        out.push(self.origin.code());
        out.push(key.len().try_into().expect("no key has more than 32 bytes"));
        out.extend_from_slice(key);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        let origin = Origin::decode(reader.byte()?)?;
        let key = K::from_base(K::Base::from_bytes(reader.counted()?)?);
        Some(Self { key, origin })
    }
}
