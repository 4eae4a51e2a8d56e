//! The key that encrypts keys and confidential data within a session.

use aeskey::AesKey;
use diversify::gp::aes::Kdek;
use diversify::gp::scp02::Sdek;
use tdea::{Kcv, KcvMethod, Mode, TdeaKey};

use super::check_values::aes_kcv;
use crate::bytes::SecretBytes;

/// The key that encrypts keys (PUT KEY) and confidential data (STORE DATA): S-DEK by ECB in protocol 02, KDEK by CBC from a zero
/// vector in protocol 03. It can do nothing else.
///
/// # Source
/// GlobalPlatform Card Specification 2.2, appendix E.4.7; Amendment D, 6.2.6.
#[derive(Debug)]
pub struct DataKey(Inner);

#[derive(Debug)]
enum Inner {
    Tdea(Sdek),
    Aes(Kdek),
}

/// Data that this key does not encrypt.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DataKeyError {
    /// Data is padded by who knows its format.
    #[error("{found} bytes of confidential data are not whole blocks of {block}")]
    NotWholeBlocks {
        /** Length of a block. */
        block: usize,
        /** Bytes supplied. */
        found: usize,
    },
    /// TDEA keys go under TDEA keys, AES keys under AES keys.
    #[error("a key of one cipher does not go under a key of another")]
    Cipher,
    /// A key of 24 bytes, which these protocols do not have in TDEA.
    #[error("a TDEA key of a security domain is 16 bytes")]
    TripleLengthKey,
}

/// A key to be loaded into a card.
#[derive(Debug)]
pub enum PlainKey<'k> {
    /// Key type `80`.
    Tdea(&'k TdeaKey),
    /// Key type `88`.
    Aes(&'k AesKey),
}

/// A key as PUT KEY takes it, encrypted. Public.
///
/// ```text
/// 80 10 E(key)                    03 KCV    TDEA
/// 88 length  key length  E(key)   03 KCV    AES, zeros up to whole blocks
/// ```
#[derive(Debug)]
pub struct WrappedKey {
    encoded: SecretBytes,
    kcv: Kcv,
}

impl WrappedKey {
    /// The bytes that PUT KEY takes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.encoded.expose_bytes()
    }

    /// The check value, which the card repeats.
    #[must_use]
    pub const fn kcv(&self) -> Kcv {
        self.kcv
    }
}

impl PlainKey<'_> {
    /// The check value: 3 bytes of the encrypted zeros (TDEA) or of the encrypted bytes `01` (AES).
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        match self {
            Self::Tdea(key) => key.kcv(),
            Self::Aes(key) => aes_kcv(key),
        }
    }
}

impl DataKey {
    pub(in crate::secure) const fn tdea(key: Sdek) -> Self {
        Self(Inner::Tdea(key))
    }

    pub(in crate::secure) const fn aes(key: Kdek) -> Self {
        Self(Inner::Aes(key))
    }

    /// Length of a block in bytes: 8 or 16.
    #[must_use]
    pub const fn block_len(&self) -> usize {
        match &self.0 {
            Inner::Tdea(_) => tdea::BLOCK_LEN,
            Inner::Aes(_) => aeskey::BLOCK_LEN,
        }
    }

    /// How check values of this key's cipher are made.
    #[must_use]
    pub const fn kcv_method(&self) -> KcvMethod {
        match &self.0 {
            Inner::Tdea(_) => KcvMethod::TdeaZeros,
            Inner::Aes(_) => KcvMethod::AesOnes,
        }
    }

    /// Encrypts confidential data, such as the content of a DGI.
    ///
    /// # Errors
    /// Returns [`DataKeyError::NotWholeBlocks`].
    pub fn encrypt(&self, data: &[u8]) -> Result<SecretBytes, DataKeyError> {
        let mut out = SecretBytes::from(data);
        let result = match &self.0 {
            Inner::Tdea(key) => key.expose_key().cipher().encrypt(Mode::Ecb, out.as_mut_slice()).ok(),
            Inner::Aes(key) => key.expose_key().encrypt_cbc([0; aeskey::BLOCK_LEN], out.as_mut_slice()).ok(),
        };
        result.map(|()| out).ok_or_else(|| self.not_whole_blocks(data))
    }

    /// Decrypts confidential data, in the card.
    ///
    /// # Errors
    /// Returns [`DataKeyError::NotWholeBlocks`].
    pub fn decrypt(&self, data: &[u8]) -> Result<SecretBytes, DataKeyError> {
        let mut out = SecretBytes::from(data);
        let result = match &self.0 {
            Inner::Tdea(key) => key.expose_key().cipher().decrypt(Mode::Ecb, out.as_mut_slice()).ok(),
            Inner::Aes(key) => key.expose_key().decrypt_cbc([0; aeskey::BLOCK_LEN], out.as_mut_slice()).ok(),
        };
        result.map(|()| out).ok_or_else(|| self.not_whole_blocks(data))
    }

    const fn not_whole_blocks(&self, data: &[u8]) -> DataKeyError {
        DataKeyError::NotWholeBlocks { block: self.block_len(), found: data.len() }
    }

    /// Encrypts a key for PUT KEY.
    ///
    /// # Errors
    /// Returns [`DataKeyError::Cipher`] for a key of another cipher, [`DataKeyError::TripleLengthKey`].
    pub fn wrap(&self, key: &PlainKey<'_>) -> Result<WrappedKey, DataKeyError> {
        let mut encoded = SecretBytes::default();
        match (&self.0, key) {
            (Inner::Tdea(_), PlainKey::Tdea(key)) if key.length() == tdea::KeyLength::Double => {
                encoded.extend(&[KEY_TYPE_TDEA, 16]);
                encoded.extend(self.encrypt(key.expose_bytes())?.expose_bytes());
            }
            (Inner::Tdea(_), PlainKey::Tdea(_)) => return Err(DataKeyError::TripleLengthKey),
            (Inner::Aes(_), PlainKey::Aes(key)) => {
                let len = key.expose_bytes().len();
                let mut padded = SecretBytes::zeroed(len.next_multiple_of(aeskey::BLOCK_LEN));
                for (byte, given) in padded.as_mut_slice().iter_mut().zip(key.expose_bytes()) {
                    *byte = *given;
                }
                let byte = |len| u8::try_from(len).expect("an AES key is at most 32 bytes");
                encoded.extend(&[KEY_TYPE_AES, byte(padded.len() + 1), byte(len)]);
                encoded.extend(self.encrypt(padded.expose_bytes())?.expose_bytes());
            }
            _ => return Err(DataKeyError::Cipher),
        }
        let kcv = key.kcv();
        encoded.extend(&[3]);
        encoded.extend(kcv.as_bytes());
        Ok(WrappedKey { encoded, kcv })
    }
}

/// Key type of TDEA keys, "implicitly known mode".
const KEY_TYPE_TDEA: u8 = 0x80;
/// Key type of AES keys.
const KEY_TYPE_AES: u8 = 0x88;
