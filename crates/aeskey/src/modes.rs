//! Blocks by themselves, and CBC. The key is expanded at every call: with the keys of one transaction or one card there
//! is seldom a second.

use aes::{Aes128, Aes128Enc, Aes192, Aes192Enc, Aes256, Aes256Enc};
use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt};
use cipher::common::InnerIvInit;
use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, consts::U16};

use crate::BLOCK_LEN;
use crate::key::{AesKey, AesKeyLength};

/// Data that is not a whole number of blocks: it must be padded first.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("data of {found} bytes is not a whole number of 16-byte blocks")]
pub struct NotWholeBlocks {
    /// Bytes supplied.
    pub found: usize,
}

/// Evaluates `$with` for the cipher that the key's length picks, expanded as `$cipher`.
macro_rules! expanded {
    ($key:expr, [$aes128:ident, $aes192:ident, $aes256:ident], |$cipher:ident| $with:expr) => {
        match $key.length() {
            AesKeyLength::Aes128 => expanded!($key, $aes128, |$cipher| $with),
            AesKeyLength::Aes192 => expanded!($key, $aes192, |$cipher| $with),
            AesKeyLength::Aes256 => expanded!($key, $aes256, |$cipher| $with),
        }
    };
    ($key:expr, $aes:ident, |$cipher:ident| $with:expr) => {{
        let $cipher = $aes::new_from_slice($key.expose_bytes()).expect("the length picked the cipher");
        $with
    }};
}
pub(crate) use expanded;

impl AesKey {
    /// Encrypts one block in place.
    pub fn encrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.encrypt_blocks(core::slice::from_mut(block));
    }

    /// Decrypts one block in place.
    pub fn decrypt_block(&self, block: &mut [u8; BLOCK_LEN]) {
        self.decrypt_blocks(core::slice::from_mut(block));
    }

    /// Encrypts blocks in place, each by itself; several take little more time than one.
    pub fn encrypt_blocks(&self, blocks: &mut [[u8; BLOCK_LEN]]) {
        let blocks = Array::cast_slice_from_core_mut(blocks);
        expanded!(self, [Aes128Enc, Aes192Enc, Aes256Enc], |cipher| cipher.encrypt_blocks(blocks));
    }

    /// Decrypts blocks in place, each by itself; several take little more time than one.
    pub fn decrypt_blocks(&self, blocks: &mut [[u8; BLOCK_LEN]]) {
        let blocks = Array::cast_slice_from_core_mut(blocks);
        expanded!(self, [Aes128, Aes192, Aes256], |cipher| cipher.decrypt_blocks(blocks));
    }

    /// Encrypts whole blocks in place, by CBC from `iv`. Empty data stays empty.
    ///
    /// # Errors
    /// Returns [`NotWholeBlocks`]; the data is then as it was.
    pub fn encrypt_cbc(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
        let (blocks, iv) = (whole_blocks(data)?, Array(iv));
        expanded!(self, [Aes128Enc, Aes192Enc, Aes256Enc], |cipher| {
            cbc::Encryptor::inner_iv_init(cipher, &iv).encrypt_blocks(blocks);
        });
        Ok(())
    }

    /// Decrypts whole blocks in place, by CBC from `iv`. Empty data stays empty.
    ///
    /// # Errors
    /// Returns [`NotWholeBlocks`]; the data is then as it was.
    pub fn decrypt_cbc(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
        let (blocks, iv) = (whole_blocks(data)?, Array(iv));
        expanded!(self, [Aes128, Aes192, Aes256], |cipher| {
            cbc::Decryptor::inner_iv_init(cipher, &iv).decrypt_blocks(blocks);
        });
        Ok(())
    }
}

fn whole_blocks(data: &mut [u8]) -> Result<&mut [Array<u8, U16>], NotWholeBlocks> {
    let found = data.len();
    match Array::slice_as_chunks_mut(data) {
        (blocks, []) => Ok(blocks),
        _ => Err(NotWholeBlocks { found }),
    }
}

#[cfg(test)]
mod tests {
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn expanded_keys_are_wiped_on_drop() {
        for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
            let key = AesKey::from_fill(length, |key| key.fill(7));
            expanded!(key, [Aes128, Aes192, Aes256], |cipher| is_wiped_on_drop(&cipher));
            expanded!(key, [Aes128Enc, Aes192Enc, Aes256Enc], |cipher| is_wiped_on_drop(&cipher));
        }
    }
}
