//! Secret base types of the ciphers with blocks of 16 bytes: AES, from `cardroot-aeskey`, and SM4.

use core::fmt;

pub use aeskey::{AesKey, AesKeyLength, BLOCK_LEN, KeyLengthError};
use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use sm4::Sm4;
use subtle::ConstantTimeEq;
use tdea::{Kcv, KcvMethod};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// A byte string that is no SM4 key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an SM4 key is 16 bytes, found {found}")]
pub struct Sm4KeyLengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// An SM4 key without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
#[derive(ZeroizeOnDrop)]
pub struct Sm4Key([u8; BLOCK_LEN]);

impl Sm4Key {
    /// Builds a key in place, so that no copy stays in the caller's frame.
    pub fn from_fill(fill: impl FnOnce(&mut [u8; BLOCK_LEN])) -> Self {
        let mut key = Self([0; BLOCK_LEN]);
        fill(&mut key.0);
        key
    }

    /// Shows the key bytes.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// The usual check value: 3 bytes of the zero block encrypted.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        let [b0, b1, b2, ..] = *self.encrypt([0x00; BLOCK_LEN]);
        Kcv::new(KcvMethod::Sm4Zeros, &[b0, b1, b2]).expect("3 bytes are within the method's range")
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        Sm4::new(&Array(self.0)).encrypt_block(block.into());
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        Sm4::new(&Array(self.0)).decrypt_block(block.into());
    }

    /// Encrypts one block.
    pub(crate) fn encrypt(&self, block: [u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]> {
        let mut block = Zeroizing::new(block);
        self.encrypt_block(&mut block);
        block
    }
}

impl TryFrom<&[u8]> for Sm4Key {
    type Error = Sm4KeyLengthError;

    /// Copies a key of 16 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, Sm4KeyLengthError> {
        bytes.try_into().map(Self).map_err(|_| Sm4KeyLengthError { found: bytes.len() })
    }
}

impl fmt::Debug for Sm4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sm4Key").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn keys_and_their_schedules_are_wiped_on_drop() {
        let key = Sm4Key::from_fill(|key| key.fill(7));
        is_wiped_on_drop(&key);
        is_wiped_on_drop(&Sm4::new_from_slice(key.expose_bytes()).expect("16 bytes"));
    }
}
