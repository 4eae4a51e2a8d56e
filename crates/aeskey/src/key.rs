//! The secret base type of every AES key.

use core::fmt;

use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use tdea::{Kcv, KcvError, KcvMethod};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::BLOCK_LEN;
use crate::cmac::Cmac;

/// Length of an AES key.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum AesKeyLength {
    /// 128 bits, 16 bytes.
    Aes128,
    /// 192 bits, 24 bytes.
    Aes192,
    /// 256 bits, 32 bytes.
    Aes256,
}

impl AesKeyLength {
    /// Length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Length in bits, as derivation functions take it.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self {
            Self::Aes128 => 128,
            Self::Aes192 => 192,
            Self::Aes256 => 256,
        }
    }
}

impl TryFrom<usize> for AesKeyLength {
    type Error = KeyLengthError;

    /// Reads a length in bytes.
    fn try_from(bytes: usize) -> Result<Self, KeyLengthError> {
        match bytes {
            16 => Ok(Self::Aes128),
            24 => Ok(Self::Aes192),
            32 => Ok(Self::Aes256),
            found => Err(KeyLengthError { found }),
        }
    }
}

/// A byte string that is no AES key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an AES key is 16, 24 or 32 bytes, found {found}")]
pub struct KeyLengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// An AES key without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
///
/// This is the secret base type: it can do everything a key can do. Give it one purpose and nothing else by
/// wrapping it in a type made by [`key_type!`](crate::key_type).
///
/// # Source
/// FIPS 197.
///
/// # Examples
/// A copy is asked for by name:
/// ```
/// use cardroot_aeskey::{AesKey, AesKeyLength};
/// let key = AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25));
/// let copy = key.duplicate();
/// ```
/// and never made in passing:
/// ```compile_fail,E0599
/// use cardroot_aeskey::{AesKey, AesKeyLength};
/// let key = AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25));
/// let copy = key.clone();
/// ```
#[derive(ZeroizeOnDrop)]
pub struct AesKey {
    bytes: [u8; AesKeyLength::Aes256.bytes()],
    #[zeroize(skip)]
    length: AesKeyLength,
}

impl AesKey {
    /// Builds a key in place, so that no copy stays in the caller's frame.
    pub fn from_fill(length: AesKeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self { bytes: [0; AesKeyLength::Aes256.bytes()], length };
        fill(key.bytes.get_mut(..length.bytes()).expect("a key is at most 32 bytes"));
        key
    }

    /// The leftmost bytes of `block(1) || block(2)`: how derivations make keys longer than a block. `block` fills the
    /// zero block it is given.
    pub fn from_blocks(length: AesKeyLength, mut block: impl FnMut(u8, &mut [u8; BLOCK_LEN])) -> Self {
        Self::from_fill(length, |key| {
            for (number, part) in (1..).zip(key.chunks_mut(BLOCK_LEN)) {
                let mut made = Zeroizing::new([0; BLOCK_LEN]);
                block(number, &mut made);
                for (byte, made) in part.iter_mut().zip(made.iter()) {
                    *byte = *made;
                }
            }
        })
    }

    /// Draws a random key. AES has no weak keys.
    pub fn generate(length: AesKeyLength, rng: &mut impl CryptoRng) -> Self {
        Self::from_fill(length, |bytes| rng.fill_bytes(bytes))
    }

    /// Length of the key.
    #[must_use]
    pub const fn length(&self) -> AesKeyLength {
        self.length
    }

    /// Shows the key bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.bytes()).expect("a key is at most 32 bytes")
    }

    /// Compares in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self { bytes: self.bytes, length: self.length }
    }

    /// The check value by `method`, `len` bytes of it. There is no usual one: banks show 5 bytes of
    /// [`KcvMethod::AesCmac`], GlobalPlatform 3 of [`KcvMethod::AesOnes`], others 3 of
    /// [`KcvMethod::AesZeros`].
    ///
    /// # Source
    /// ANS X9.24-1:2017 7.7.2 (CMAC); GlobalPlatform Card Specification, Amendment D (a block of `01`).
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        // What is not shown of the block stays secret: CMAC makes its subkeys from the zero block encrypted.
        let mut block = Zeroizing::new([0; BLOCK_LEN]);
        match method {
            KcvMethod::AesZeros => self.encrypt_block(&mut block),
            KcvMethod::AesOnes => {
                block.fill(0x01);
                self.encrypt_block(&mut block);
            }
            KcvMethod::AesCmac => Cmac::new(self).chain(&[0; BLOCK_LEN]).finalize_into(&mut block),
            _ => return Err(KcvError::Cipher),
        }
        Kcv::new(method, block.get(..len).ok_or(KcvError::Length { max: method.max_len(), found: len })?)
    }
}

impl TryFrom<&[u8]> for AesKey {
    type Error = KeyLengthError;

    /// Copies a key of 16, 24 or 32 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, KeyLengthError> {
        let length = AesKeyLength::try_from(bytes.len())?;
        Ok(Self::from_fill(length, |key| key.copy_from_slice(bytes)))
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesKey").field("length", &self.length).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn a_key_is_wiped_on_drop() {
        is_wiped_on_drop(&AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(7)));
    }
}
