//! Blocks under a key, in both directions: some devices encrypt by decrypting.

use cardroot::aeskey::{self, AesKey};
use cardroot::tdea::{self, Tdea};
use zeroize::Zeroizing;

use crate::dukpt::working_key::WorkingKey;

/// A block cipher with its key.
pub(super) enum Cipher {
    Tdea(Box<Tdea>),
    Aes(AesKey),
}

/// What was done to the data to get what was sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Sent {
    Encrypted,
    Decrypted,
}

/// How blocks hang together.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Chaining {
    Ecb,
    Cbc,
}

impl Cipher {
    pub(super) fn of(key: &WorkingKey) -> Option<Self> {
        match key {
            WorkingKey::Tdea(key) => Some(Self::Tdea(Box::new(key.cipher()))),
            WorkingKey::Aes(key) => Some(Self::Aes(key.duplicate())),
            WorkingKey::Hmac(_) => None,
        }
    }

    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Tdea(_) => "TDEA",
            Self::Aes(_) => "AES",
        }
    }

    pub(super) const fn block_len(&self) -> usize {
        match self {
            Self::Tdea(_) => tdea::BLOCK_LEN,
            Self::Aes(_) => aeskey::BLOCK_LEN,
        }
    }

    /// Undoes what was done to one block. A block of another length stays as it is.
    pub(super) fn undo(&self, sent: Sent, block: &mut [u8]) {
        match self {
            Self::Tdea(cipher) => {
                let Ok(block) = block.try_into() else { return };
                match sent {
                    Sent::Encrypted => cipher.decrypt_block(block),
                    Sent::Decrypted => cipher.encrypt_block(block),
                }
            }
            Self::Aes(key) => {
                let Ok(block) = block.try_into() else { return };
                match sent {
                    Sent::Encrypted => key.decrypt_block(block),
                    Sent::Decrypted => key.encrypt_block(block),
                }
            }
        }
    }

    /// Undoes what was done to whole blocks, chained from `iv` or not.
    pub(super) fn open(&self, sent: Sent, chaining: Chaining, iv: &[u8], data: &[u8]) -> Zeroizing<Vec<u8>> {
        let mut plain = Zeroizing::new(data.to_vec());
        let before = iv.chunks(self.block_len()).chain(data.chunks(self.block_len()));
        for (block, before) in plain.chunks_mut(self.block_len()).zip(before) {
            self.undo(sent, block);
            if chaining == Chaining::Cbc {
                block.iter_mut().zip(before).for_each(|(byte, before)| *byte ^= before);
            }
        }
        plain
    }
}
