//! ECB and CBC over any 8-byte block cipher: shared by TDEA and the raw DES of `hazmat`.

use cbc::cipher::{BlockModeDecrypt, BlockModeEncrypt, InnerIvInit};
use cipher::common::InnerInit;
use cipher::consts::U8;
use cipher::{Array, BlockCipherDecrypt, BlockCipherEncrypt, BlockSizeUser};

use crate::BLOCK_LEN;
use crate::padding::PaddingError;

/// Mode of operation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Mode {
    /// Electronic codebook: every block by itself.
    Ecb,
    /// Cipher block chaining from an initial vector.
    Cbc {
        /** Initial vector. */
        iv: [u8; BLOCK_LEN],
    },
}

impl Mode {
    /// CBC with the zero initial vector that the retail standards use.
    pub const CBC_ZERO_IV: Self = Self::Cbc { iv: [0; BLOCK_LEN] };
}

/// Encrypts whole blocks in place.
pub(crate) fn encrypt<C>(cipher: &C, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>,
{
    let blocks = whole_blocks(data)?;
    match mode {
        Mode::Ecb => ecb::Encryptor::inner_init(cipher).encrypt_blocks(blocks),
        Mode::Cbc { iv } => cbc::Encryptor::inner_iv_init(cipher, &iv.into()).encrypt_blocks(blocks),
    }
    Ok(())
}

/// Decrypts whole blocks in place.
pub(crate) fn decrypt<C>(cipher: &C, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError>
where
    C: BlockCipherDecrypt + BlockSizeUser<BlockSize = U8>,
{
    let blocks = whole_blocks(data)?;
    match mode {
        Mode::Ecb => ecb::Decryptor::inner_init(cipher).decrypt_blocks(blocks),
        Mode::Cbc { iv } => cbc::Decryptor::inner_iv_init(cipher, &iv.into()).decrypt_blocks(blocks),
    }
    Ok(())
}

fn whole_blocks(data: &mut [u8]) -> Result<&mut [Array<u8, U8>], PaddingError> {
    let found = data.len();
    match Array::slice_as_chunks_mut(data) {
        (blocks, []) => Ok(blocks),
        _ => Err(PaddingError::NotWholeBlocks { found }),
    }
}
