//! A key with its schedule expanded.

#[cfg(feature = "alloc")]
use alloc::{vec, vec::Vec};
use core::fmt;

use cipher::{BlockCipherDecrypt, BlockCipherEncrypt};

use crate::BLOCK_LEN;
use crate::bulk::{Direction, Engine};
use crate::key::TdeaKey;
use crate::modes::{self, Mode};
use crate::padding::{Padding, PaddingError};
#[cfg(feature = "alloc")]
use crate::plaintext::Plaintext;
use crate::schedule::{self, Tdes};

/// The triple data encryption algorithm under one key, its schedule expanded once. Wiped on drop.
///
/// `C = E(K3, D(K2, E(K1, P)))`, with K3 = K1 for a double-length key.
///
/// # Source
/// ANS X3.92, ANS X9.52; NIST SP 800-67 Rev. 2.
pub struct Tdea {
    keys: Tdes,
    /// For long data, whose road expands the key in its own way.
    key: TdeaKey,
}

impl Tdea {
    pub(crate) fn new(key: &TdeaKey) -> Self {
        Self { keys: schedule::tdes(key), key: key.duplicate() }
    }

    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.keys.encrypt_block(block.into());
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.keys.decrypt_block(block.into());
    }

    /// Encrypts two blocks in place, each by itself, in the time of little more than one: derivations make the halves
    /// of a key so.
    ///
    /// # Examples
    /// ```
    /// # let cipher = cardroot_tdea::TdeaKey::from([0x25; 16]).cipher();
    /// let (mut pair, mut one) = ([[0x11; 8], [0xEE; 8]], [0xEE; 8]);
    /// cipher.encrypt_two(&mut pair);
    /// cipher.encrypt_block(&mut one);
    /// assert_eq!(pair[1], one);
    /// ```
    pub fn encrypt_two(&self, blocks: &mut [[u8; BLOCK_LEN]; 2]) {
        schedule::encrypt_pair([&self.keys, &self.keys], blocks);
    }

    /// Encrypts whole blocks in place. Empty data stays empty. Long data in ECB takes the [bulk engine](crate::bulk).
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn encrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        let blocks = whole_blocks(data)?;
        let rest = match mode {
            Mode::Ecb if LONG_ROAD => Engine::new().crypt_long(&self.key, Direction::Encrypt, blocks),
            Mode::Ecb | Mode::Cbc { .. } => blocks,
        };
        self.crypt_single(Direction::Encrypt, mode, rest);
        Ok(())
    }

    /// Decrypts whole blocks in place. Empty data stays empty. Long data takes the [bulk engine](crate::bulk).
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn decrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        let blocks = whole_blocks(data)?;
        let (rest, mode) = match mode {
            _ if !LONG_ROAD => (blocks, mode),
            Mode::Ecb => (Engine::new().crypt_long(&self.key, Direction::Decrypt, blocks), mode),
            Mode::Cbc { iv } => {
                let (rest, iv) = Engine::new().decrypt_long_cbc(&self.key, iv, blocks);
                (rest, Mode::Cbc { iv })
            }
        };
        self.crypt_single(Direction::Decrypt, mode, rest);
        Ok(())
    }

    /// Runs the blocks one by one, however many they are.
    pub(crate) fn crypt_single(&self, direction: Direction, mode: Mode, blocks: &mut [[u8; BLOCK_LEN]]) {
        let data = blocks.as_flattened_mut();
        match direction {
            Direction::Encrypt => modes::encrypt(&self.keys, mode, data),
            Direction::Decrypt => modes::decrypt(&self.keys, mode, data),
        }
        .expect("the data is whole blocks");
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
        let len = padding.pad_into(data, out)?;
        self.encrypt(mode, out.get_mut(..len).expect("the padded data was written to `out`"))?;
        Ok(len)
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
        if padding == Padding::Zeros {
            return Err(PaddingError::Ambiguous);
        }
        self.decrypt(mode, data)?;
        padding.strip(data)
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

/// Whether long data goes to the bulk engine. Its buffers take about 40 KiB of stack: small processors stay with single blocks unless
/// they ask for the engine.
const LONG_ROAD: bool = cfg!(target_pointer_width = "64");

fn whole_blocks(data: &mut [u8]) -> Result<&mut [[u8; BLOCK_LEN]], PaddingError> {
    let found = data.len();
    match data.as_chunks_mut() {
        (blocks, []) => Ok(blocks),
        _ => Err(PaddingError::NotWholeBlocks { found }),
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
        let Tdea { keys, key } = TdeaKey::from([0x25; 16]).cipher();
        is_wiped_on_drop(&keys);
        is_wiped_on_drop(&key);
    }
}
