//! The secret base type of every TDEA key.

use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::cipher::Tdea;
use crate::kcv::{Kcv, KcvError, KcvMethod};
use crate::strength::{self, StrengthError};
use crate::{BLOCK_LEN, parity};

/// Length of a TDEA key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyLength {
    /// Two parts of 8 bytes, 16 bytes in all; the first part serves as the third (K1 = K3).
    Double,
    /// Three parts of 8 bytes, 24 bytes in all.
    Triple,
}

impl KeyLength {
    /// Length in bytes, parity bits included.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Double => 16,
            Self::Triple => 24,
        }
    }
}

impl TryFrom<usize> for KeyLength {
    type Error = KeyError;

    /// Reads a length in bytes.
    fn try_from(bytes: usize) -> Result<Self, KeyError> {
        match bytes {
            16 => Ok(Self::Double),
            24 => Ok(Self::Triple),
            found => Err(KeyError::Length { found }),
        }
    }
}

/// A byte string that is not the key asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The input is neither a double- nor a triple-length key.
    #[error("a TDEA key is 16 or 24 bytes, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// A byte has even parity where odd parity was demanded.
    #[error("key byte {position} has even parity")]
    Parity {
        /** Position of the first such byte, from 0. */
        position: usize,
    },
    /// The input is not a single DES key.
    #[cfg(feature = "hazmat")]
    #[error("a DES key is 8 bytes, found {found}")]
    DesLength {
        /** Bytes supplied. */
        found: usize,
    },
    /// The key is of triple length where only a double-length key has a meaning.
    #[error("a double-length key is needed")]
    TripleLength,
}

/// A TDEA key of double or triple length, without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
///
/// This is the secret base type: it can do everything a key can do. Give it one purpose and nothing else by
/// wrapping it in a type made by [`key_type!`](crate::key_type).
///
/// Constructors say what they do about parity. None of them judges strength: call
/// [`check_strength`](Self::check_strength), as a key that is loaded or combined must be.
///
/// # Source
/// ANS X9.24-1:2009 7.1.7 (lengths), 7.1.8 (the parts are one unit, used in the fixed order).
///
/// # Examples
/// A copy is asked for by name:
/// ```
/// let key = cardroot_tdea::TdeaKey::from([0x25; 16]);
/// let copy = key.duplicate();
/// ```
/// and never made in passing:
/// ```compile_fail,E0599
/// let key = cardroot_tdea::TdeaKey::from([0x25; 16]);
/// let copy = key.clone();
/// ```
#[derive(ZeroizeOnDrop)]
pub struct TdeaKey {
    bytes: [u8; KeyLength::Triple.bytes()],
    #[zeroize(skip)]
    length: KeyLength,
}

impl TdeaKey {
    /// Builds a key in place, so that no copy stays in the caller's frame. Parity bits are kept as they come.
    pub fn from_fill(length: KeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self { bytes: [0; KeyLength::Triple.bytes()], length };
        fill(key.bytes_mut());
        key
    }

    /// Builds a key in place and refuses it unless every byte has odd parity.
    ///
    /// # Errors
    /// Returns [`KeyError::Parity`] with the position of the first byte of even parity.
    pub fn from_fill_odd_parity(length: KeyLength, fill: impl FnOnce(&mut [u8])) -> Result<Self, KeyError> {
        let key = Self::from_fill(length, fill);
        key.check_parity()?;
        Ok(key)
    }

    /// Copies a key and refuses it unless every byte has odd parity.
    ///
    /// # Errors
    /// Returns [`KeyError::Length`] or [`KeyError::Parity`].
    pub fn try_from_odd_parity(bytes: &[u8]) -> Result<Self, KeyError> {
        let key = Self::try_from(bytes)?;
        key.check_parity()?;
        Ok(key)
    }

    /// Draws a random key with odd parity that passes [`check_strength`](Self::check_strength).
    ///
    /// One draw in about 2^50 does not pass and is drawn again; a generator that is stuck never gets past this.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.4: keys come from a random or pseudo-random process.
    pub fn generate(length: KeyLength, rng: &mut impl CryptoRng) -> Self {
        loop {
            let key = Self::from_fill(length, |bytes| rng.fill_bytes(bytes)).into_odd_parity();
            if key.check_strength().is_ok() {
                return key;
            }
        }
    }

    /// Length of the key.
    #[must_use]
    pub const fn length(&self) -> KeyLength {
        self.length
    }

    /// Shows the key bytes, first part first.
    #[inline]
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.bytes()).expect("a key is at most 24 bytes")
    }

    #[inline]
    fn bytes_mut(&mut self) -> &mut [u8] {
        let len = self.length.bytes();
        self.bytes.get_mut(..len).expect("a key is at most 24 bytes")
    }

    /// The parts of the key: two or three of 8 bytes.
    pub(crate) fn parts(&self) -> &[[u8; BLOCK_LEN]] {
        self.expose_bytes().as_chunks().0
    }

    /// Part `index` of the three that TDEA takes: the first of a double-length key serves as the third.
    pub(crate) fn part(&self, index: usize) -> &[u8; BLOCK_LEN] {
        let index = if self.length == KeyLength::Double { index % 2 } else { index };
        self.bytes.as_chunks().0.get(index).expect("TDEA takes three parts")
    }

    /// The parts that TDEA takes: the first of a double-length key serves as the third, and is the same reference.
    pub(crate) fn three_parts(&self) -> [&[u8; BLOCK_LEN]; 3] {
        [0, 1, 2].map(|index| self.part(index))
    }

    /// Makes this a double-length key, its halves to be written: where one key takes the place of another, none is moved.
    ///
    /// # Examples
    /// ```
    /// use cardroot_tdea::TdeaKey;
    ///
    /// let mut key = TdeaKey::from([0x25; 24]);
    /// *key.overwrite_double() = [[0x11; 8], [0x22; 8]];
    /// assert!(key.ct_eq(&TdeaKey::from(0x1111111111111111_2222222222222222_u128.to_be_bytes())));
    /// ```
    #[inline]
    #[must_use]
    pub fn overwrite_double(&mut self) -> &mut [[u8; BLOCK_LEN]; 2] {
        self.length = KeyLength::Double;
        let (parts, _) = self.bytes_mut().as_chunks_mut();
        parts.first_chunk_mut().expect("a double-length key has two parts")
    }

    /// Compares in constant time. Parity bits count: two keys that encrypt alike may differ here.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self { bytes: self.bytes, length: self.length }
    }

    /// Verifies that every byte has odd parity.
    ///
    /// # Errors
    /// Returns [`KeyError::Parity`] with the position of the first byte of even parity.
    pub fn check_parity(&self) -> Result<(), KeyError> {
        match parity::first_even(self.expose_bytes()) {
            None => Ok(()),
            Some(position) => Err(KeyError::Parity { position }),
        }
    }

    /// Sets odd parity on every byte. The key encrypts as before, its bytes may not be the same.
    #[must_use]
    pub fn into_odd_parity(mut self) -> Self {
        parity::adjust(self.bytes_mut());
        self
    }

    /// Judges the key, parity bits left out of account: equal parts, weak and semi-weak DES parts.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.1.7 and 7.1.8; NIST SP 800-67 Rev. 2, 3.3.2 (weak and semi-weak keys).
    ///
    /// # Errors
    /// Returns the first fault found, equal parts before weak ones.
    pub fn check_strength(&self) -> Result<(), StrengthError> {
        strength::check(self.parts())
    }

    /// XORs `mask` onto every 8-byte part: a variant of the key.
    ///
    /// # Security
    /// A variant separates uses of one key; it is no new key (ANS X9.24-1:2009 7.4) and may exist only where the
    /// original does or did (7.6).
    #[must_use]
    pub fn variant(&self, mask: &[u8; BLOCK_LEN]) -> Self {
        Self::from_fill(self.length, |bytes| {
            for ((out, byte), mask) in bytes.iter_mut().zip(self.expose_bytes()).zip(mask.iter().cycle()) {
                *out = byte ^ mask;
            }
        })
    }

    /// Expands the key schedule: the key, ready to encrypt and decrypt.
    #[must_use]
    pub fn cipher(&self) -> Tdea {
        Tdea::new(self)
    }

    /// The usual check value: the key encrypts one zero block, the first 3 bytes are shown.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.kcv_by(KcvMethod::TdeaZeros, Kcv::USUAL_LEN).expect("3 bytes are within the method's range")
    }

    /// The check value by `method`, `len` bytes of it.
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        Kcv::of_tdea(self, method, len)
    }
}

impl TryFrom<&[u8]> for TdeaKey {
    type Error = KeyError;

    /// Copies a key of 16 or 24 bytes. Parity bits are kept as they come.
    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        let length = KeyLength::try_from(bytes.len())?;
        Ok(Self::from_fill(length, |out| out.copy_from_slice(bytes)))
    }
}

impl From<[u8; 16]> for TdeaKey {
    /// Takes a double-length key; parity bits are kept as they come.
    fn from(bytes: [u8; 16]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::from_fill(KeyLength::Double, |out| out.copy_from_slice(&*bytes))
    }
}

impl From<[u8; 24]> for TdeaKey {
    /// Takes a triple-length key; parity bits are kept as they come.
    fn from(bytes: [u8; 24]) -> Self {
        let bytes = Zeroizing::new(bytes);
        Self::from_fill(KeyLength::Triple, |out| out.copy_from_slice(&*bytes))
    }
}

impl fmt::Debug for TdeaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TdeaKey").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiping::is_wiped_on_drop;

    #[test]
    fn a_key_is_wiped_on_drop() {
        is_wiped_on_drop(&TdeaKey::from([0x25; 16]));
    }
}
