//! A key with its schedule expanded.

use core::fmt;

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use crate::BLOCK_LEN;
use crate::key::TdeaKey;
use crate::modes::{self, Mode};
use crate::padding::{Padding, PaddingError};
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

    /// Decrypts in place and returns the data without its padding. On an error the plaintext stays in `data`.
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
}

impl fmt::Debug for Tdea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tdea").finish_non_exhaustive()
    }
}
