//! A key with its schedule expanded.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use crate::BLOCK_LEN;
use crate::key::TdeaKey;
use crate::modes::{self, Mode};
use crate::padding::{Padding, PaddingError};
#[cfg(feature = "alloc")]
use crate::plaintext::Plaintext;
use crate::schedule::{Schedule, with_cipher};

/// The triple data encryption algorithm under one key, its schedule expanded once. Wiped on drop.
///
/// `C = E(K3, D(K2, E(K1, P)))`, with K3 = K1 for a double-length key.
///
/// # Source
/// ANS X3.92, ANS X9.52; NIST SP 800-67 Rev. 2.
pub struct Tdea {
    schedule: Schedule,
}

impl Tdea {
    pub(crate) fn new(key: &TdeaKey) -> Self {
        Self { schedule: Schedule::new(key) }
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        with_cipher!(&self.schedule, c => c.encrypt_block(block.into()));
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        with_cipher!(&self.schedule, c => c.decrypt_block(block.into()));
    }

    /// Encrypts whole blocks in place. Empty data stays empty.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn encrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        with_cipher!(&self.schedule, c => modes::encrypt(c, mode, data))
    }

    /// Decrypts whole blocks in place. Empty data stays empty.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn decrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        with_cipher!(&self.schedule, c => modes::decrypt(c, mode, data))
    }

    /// Pads `data`, encrypts it to the start of `out` and returns how many bytes were written:
    /// [`Padding::padded_len`] tells them beforehand.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`] or [`PaddingError::Buffer`].
    pub fn encrypt_padded(
        &self,
        mode: Mode,
        padding: Padding,
        data: &[u8],
        out: &mut [u8],
    ) -> Result<usize, PaddingError> {
        with_cipher!(&self.schedule, c => modes::encrypt_padded(c, mode, padding, data, out))
    }

    /// Decrypts in place and returns the data without its padding.
    ///
    /// # Security
    /// On [`PaddingError::Invalid`] `data` holds what was decrypted. Who can send many ciphertexts and tell valid
    /// padding from invalid, by the answer or by its time, can decrypt: verify a MAC over the ciphertext first.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`], [`PaddingError::Invalid`], or [`PaddingError::Ambiguous`] for
    /// [`Padding::Zeros`].
    pub fn decrypt_padded<'a>(
        &self,
        mode: Mode,
        padding: Padding,
        data: &'a mut [u8],
    ) -> Result<&'a [u8], PaddingError> {
        with_cipher!(&self.schedule, c => modes::decrypt_padded(c, mode, padding, data))
    }

    /// Pads and encrypts `data`.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`] or [`PaddingError::TooLong`].
    #[cfg(feature = "alloc")]
    pub fn encrypt_padded_vec(
        &self,
        mode: Mode,
        padding: Padding,
        data: &[u8],
    ) -> Result<Vec<u8>, PaddingError> {
        let mut out = vec![0; padding.padded_len(data.len())?];
        self.encrypt_padded(mode, padding, data, &mut out)?;
        Ok(out)
    }

    /// Decrypts `data` and takes the padding off. On an error nothing of the plaintext is left.
    ///
    /// # Errors
    /// As [`decrypt_padded`](Self::decrypt_padded).
    #[cfg(feature = "alloc")]
    pub fn decrypt_padded_vec(
        &self,
        mode: Mode,
        padding: Padding,
        data: &[u8],
    ) -> Result<Plaintext, PaddingError> {
        let mut padded = Plaintext(data.to_vec());
        let plain = self.decrypt_padded(mode, padding, &mut padded.0)?;
        Ok(Plaintext(plain.to_vec()))
    }
}

impl fmt::Debug for Tdea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tdea").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wiping::is_wiped_on_drop;

    #[test]
    fn an_expanded_key_is_wiped_on_drop() {
        let Tdea { schedule } = TdeaKey::from([0x25; 16]).cipher();
        with_cipher!(&schedule, c => is_wiped_on_drop(c));
    }
}
