//! What line protection does with a key, by its cipher.

use subtle::ConstantTimeEq;
use tdea::BLOCK_LEN;

use super::keys::CardKey;
use super::sm4::Sm4LineCipher;
use crate::secure::Rejected;

/// A key as line protection uses it.
#[derive(Clone, Copy, Debug)]
pub enum LineCipher<'k> {
    /// DES or TDEA, by the length of the key.
    Des(&'k CardKey),
    /// SM4.
    Sm4(Sm4LineCipher<'k>),
}

/// Length of a MAC on the line, in bytes.
pub(super) const MAC_LEN: usize = 4;

/// A MAC on the line. Compare it by [`verify`](Self::verify) only.
pub(super) struct LineMac(pub(super) [u8; MAC_LEN]);

impl LineMac {
    /// Compares in constant time.
    pub(super) fn verify(&self, received: &[u8; MAC_LEN]) -> Result<(), Rejected> {
        if bool::from(self.0.ct_eq(received)) { Ok(()) } else { Err(Rejected) }
    }
}

impl LineCipher<'_> {
    /// Length of a block in bytes: 8 or 16.
    pub(super) const fn block_len(self) -> usize {
        match self {
            Self::Des(_) => BLOCK_LEN,
            Self::Sm4(_) => Sm4LineCipher::BLOCK_LEN,
        }
    }

    /// MAC with padding 80 00.. from the challenge, completed to a block by zeros.
    pub(super) fn mac(self, challenge: [u8; BLOCK_LEN], message: &[&[u8]]) -> LineMac {
        LineMac(match self {
            Self::Des(key) => key.mac(challenge, message).truncated(),
            Self::Sm4(key) => key.mac(challenge, message),
        })
    }

    /// ECB encryption in place. `data` must be whole blocks.
    pub(super) fn encrypt(self, data: &mut [u8]) {
        match self {
            Self::Des(key) => key.encrypt(data),
            Self::Sm4(key) => key.encrypt(data),
        }
    }

    /// ECB decryption in place. `data` must be whole blocks.
    pub(super) fn decrypt(self, data: &mut [u8]) {
        match self {
            Self::Des(key) => key.decrypt(data),
            Self::Sm4(key) => key.decrypt(data),
        }
    }
}
