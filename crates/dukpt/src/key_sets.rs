//! Base derivation keys by the key set that a message names.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::error::Error;
use core::fmt;

use tdea::StrengthError;

use crate::bulk::{Derivation, StrongBdk};
use crate::counter::{Counter, CounterError};
use crate::incoming::Unauthenticated;
use crate::keys::{Bdk, TransactionKey};
use crate::ksn::Ksn;
use crate::scheme::BaseKeys;

/// Key set identifier: the leftmost bits of a key serial number, as many as the parties agreed on.
///
/// `bits` leftmost bits select the base derivation key; what follows up to bit 59 names the originator. The usual key
/// serial number of 6, 5 and 5 digits after four digits of `F` has a key set identifier of 40 bits with them.
///
/// # Source
/// ANS X9.24-1:2009 8.7: the leftmost subfield of the key name. Its length is left to the parties.
///
/// # Examples
/// ```
/// use cardroot_dukpt::{KeySetId, Ksn};
///
/// let id = KeySetId::new(0xFFFF987654, 40)?;
/// assert_eq!(id.to_string(), "FFFF987654/40");
/// assert!(id.contains(&Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01])));
/// # Ok::<(), cardroot_dukpt::KeySetIdError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct KeySetId {
    /// At the left of the 64 bits; what is right of it is zero.
    prefix: u64,
    bits: u8,
}

/// A number of bits that is no key set identifier.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetIdError {
    /// An identifier has from 1 to [`KeySetId::MAX_BITS`] bits.
    #[error("a key set identifier has 1 to 58 bits, found {found}")]
    Length {
        /** Bits asked for. */
        found: u8,
    },
    /// The value has more bits than the identifier.
    #[error("the value does not fit into a key set identifier of {bits} bits")]
    Value {
        /** Bits of the identifier. */
        bits: u8,
    },
}

impl KeySetId {
    /// The longest identifier: one bit is left to tell two originators.
    pub const MAX_BITS: u8 = 58;

    /// Takes `value` as the leftmost `bits` bits of the key serial numbers of a set.
    ///
    /// # Errors
    /// Returns [`KeySetIdError::Length`] unless `bits` is 1 to 58, [`KeySetIdError::Value`] if `value` has more bits.
    pub const fn new(value: u64, bits: u8) -> Result<Self, KeySetIdError> {
        match bits {
            1..=Self::MAX_BITS if value >> bits == 0 => {
                Ok(Self { prefix: value << (u64::BITS - bits as u32), bits })
            }
            1..=Self::MAX_BITS => Err(KeySetIdError::Value { bits }),
            found => Err(KeySetIdError::Length { found }),
        }
    }

    /// The identifier of `bits` bits that `ksn` begins with.
    ///
    /// # Errors
    /// Returns [`KeySetIdError::Length`] unless `bits` is 1 to 58.
    pub const fn of(ksn: &Ksn, bits: u8) -> Result<Self, KeySetIdError> {
        match bits {
            1..=Self::MAX_BITS => Self::new(leftmost(ksn) >> (u64::BITS - bits as u32), bits),
            found => Err(KeySetIdError::Length { found }),
        }
    }

    /// How many bits the identifier has.
    #[must_use]
    pub const fn bits(&self) -> u8 {
        self.bits
    }

    /// The bits as a number.
    #[must_use]
    pub const fn value(&self) -> u64 {
        self.prefix >> (u64::BITS - self.bits as u32)
    }

    /// Whether `ksn` begins with this identifier.
    #[must_use]
    pub const fn contains(&self, ksn: &Ksn) -> bool {
        self.agrees(leftmost(ksn))
    }

    /// Whether some key serial number begins with both.
    #[must_use]
    pub const fn overlaps(&self, other: &Self) -> bool {
        if self.bits <= other.bits { self.agrees(other.prefix) } else { other.agrees(self.prefix) }
    }

    const fn agrees(&self, leftmost: u64) -> bool {
        (self.prefix ^ leftmost) >> (u64::BITS - self.bits as u32) == 0
    }
}

/// The first 8 bytes as a number: key set and TRSM identifier, and the counter's five highest bits.
const fn leftmost(ksn: &Ksn) -> u64 {
    u64::from_be_bytes(ksn.leftmost_64_bits())
}

impl fmt::Display for KeySetId {
    /// The bits from the left in upper-case hex, and how many they are: `FFFF987654/40`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unused_digits = (u64::BITS - u32::from(self.bits)) / 4;
        let digits = usize::from(self.bits.div_ceil(4));
        write!(f, "{:0digits$X}/{}", self.prefix >> (4 * unused_digits), self.bits)
    }
}

impl fmt::Debug for KeySetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySetId({self})")
    }
}

/// The base derivation keys that a receiver holds, each by its key set identifier. Keys are wiped on drop; `Debug` shows
/// the identifiers alone.
///
/// Identifiers may differ in length, but none may begin with another: so one originator has one base key, and no key set
/// hides behind a longer name.
#[derive(Debug, Default)]
pub struct KeySets {
    tdes: BTreeMap<KeySetId, Bdk>,
}

/// A base derivation key that is not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// There is a base key for this key set already, or for one that shares originators with it.
    #[error("the key set shares its originators with {with}, which has a base key")]
    Taken {
        /** The key set held. */
        with: KeySetId,
    },
    /// The key is weaker than its length says.
    #[error("base derivation key refused")]
    Strength(#[from] StrengthError),
}

/// A message whose key is not derived.
///
/// `E` says what is wrong with a counter in the scheme: TDES DUKPT unless said otherwise.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ReceiveError<E: Error + 'static = CounterError> {
    /// The key serial number begins with no key set identifier that there is a base key for.
    #[error("the key serial number is of an unknown key set")]
    UnknownKeySet,
    /// No transaction may carry this counter: zero, or too many ones, as all numbers after the last counter have.
    #[error(transparent)]
    Counter(#[from] E),
}

impl KeySets {
    /// No key sets.
    #[must_use]
    pub const fn new() -> Self {
        Self { tdes: BTreeMap::new() }
    }

    /// Takes the base derivation key of one key set.
    ///
    /// # Errors
    /// Returns [`KeySetError::Taken`] if there is one for `id` already or for an identifier that begins with `id` or
    /// that `id` begins with, [`KeySetError::Strength`] if two parts of `bdk` agree once parity is masked, or one is a
    /// weak DES key.
    pub fn insert(&mut self, id: KeySetId, bdk: Bdk) -> Result<(), KeySetError> {
        if let Some(with) = self.tdes.keys().find(|held| held.overlaps(&id)) {
            return Err(KeySetError::Taken { with: *with });
        }
        bdk.expose_key().check_strength()?;
        self.tdes.insert(id, bdk);
        Ok(())
    }

    /// Takes the base derivation key of a retired key set out: from now on its messages are of an unknown one.
    pub fn remove(&mut self, id: &KeySetId) -> Option<Bdk> {
        self.tdes.remove(id)
    }

    /// The key sets that there are base keys for, in the order of their bits.
    pub fn ids(&self) -> impl Iterator<Item = &KeySetId> {
        self.tdes.keys()
    }

    /// The key set that `ksn` belongs to.
    #[must_use]
    pub fn find(&self, ksn: &Ksn) -> Option<&KeySetId> {
        self.entry(ksn).map(|(id, _)| id)
    }

    fn entry(&self, ksn: &Ksn) -> Option<(&KeySetId, &Bdk)> {
        // No identifier begins with another, so the one that `ksn` begins with is the last that is not above it.
        let most = KeySetId { prefix: leftmost(ksn), bits: u8::MAX };
        self.tdes.range(..=most).next_back().filter(|(id, _)| id.contains(ksn))
    }
}

impl BaseKeys for KeySets {
    type Key = TransactionKey;
    type CounterError = CounterError;

    fn derive(&self, ksn: &Ksn) -> Result<Unauthenticated, ReceiveError> {
        let (_, bdk) = self.entry(ksn).ok_or(ReceiveError::UnknownKeySet)?;
        Ok(Unauthenticated::new(bdk.initial_key(ksn).transaction_key(ksn)?, ksn.counter()?))
    }

    fn derive_batch(&self, ksns: &[Ksn]) -> Vec<Result<Unauthenticated, ReceiveError>> {
        let known = |ksn: &Ksn| {
            let (_, bdk) = self.entry(ksn).ok_or(ReceiveError::UnknownKeySet)?;
            Ok((StrongBdk::judged(bdk), *ksn, ksn.counter()?))
        };
        let items: Vec<Result<_, ReceiveError>> = ksns.iter().map(known).collect();
        let (bdks, names): (Vec<_>, Vec<_>) =
            items.iter().flatten().map(|(bdk, ksn, _)| (*bdk, *ksn)).unzip();
        let derivation = Derivation::from_bdks(&bdks, &names).expect("there is a base key for each name");
        let mut keys = derivation.derive_vec().into_iter();
        let mut next_key = || keys.next().and_then(Result::ok).expect("there is a key for each counter");
        items
            .into_iter()
            .map(|item| item.map(|(_, _, counter)| Unauthenticated::new(next_key(), counter)))
            .collect()
    }

    fn gap(&self, counter: Counter, previous: Option<u32>) -> (Option<Counter>, u32) {
        let previous = previous.and_then(|previous| Counter::try_from(previous).ok());
        (previous, counter.follows(previous).unwrap_or(0))
    }
}
