//! How strong a key is against exhaustive search, to hold a key against the key that protects it.

use core::fmt;

use aeskey::{AesKey, AesKeyLength};
use tdea::{KeyLength, StrengthError, TdeaKey};

use crate::attributes::Algorithm;

/// Strength of a symmetric key. Ordered: a key may only be under one at least as strong.
///
/// # Source
/// ANS X9.24-1:2009 7.1.10; the order of NIST SP 800-57 Part 1, table 2.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Strength {
    /// One DES key, or a TDEA key that is no more than that: neighbouring parts are equal, or one is weak.
    Des,
    /// TDEA with two keys; a triple-length key with equal outer parts too.
    TdeaDouble,
    /// TDEA with three keys.
    TdeaTriple,
    /// AES with 128 bits.
    Aes128,
    /// AES with 192 bits.
    Aes192,
    /// AES with 256 bits.
    Aes256,
}

impl Strength {
    pub(crate) fn of_tdea(key: &TdeaKey) -> Self {
        match (key.check_strength(), key.length()) {
            (Ok(()), KeyLength::Triple) => Self::TdeaTriple,
            (Ok(()), KeyLength::Double)
            | (Err(StrengthError::PartsEqual { first: 1, second: 3 }), KeyLength::Triple) => Self::TdeaDouble,
            (Err(_), _) => Self::Des,
        }
    }

    pub(crate) const fn of_aes(key: &AesKey) -> Self {
        match key.length() {
            AesKeyLength::Aes128 => Self::Aes128,
            AesKeyLength::Aes192 => Self::Aes192,
            AesKeyLength::Aes256 => Self::Aes256,
        }
    }

    /// Strength of a key that is bytes yet; nothing for algorithms whose keys are not compared here.
    pub(crate) fn of_bytes(algorithm: Algorithm, key: &[u8]) -> Option<Self> {
        match algorithm {
            Algorithm::AES => Some(Self::of_aes(&AesKey::try_from(key).ok()?)),
            Algorithm::TDEA | Algorithm::DES if key.len() == tdea::BLOCK_LEN => Some(Self::Des),
            Algorithm::TDEA => Some(Self::of_tdea(&TdeaKey::try_from(key).ok()?)),
            _ => None,
        }
    }
}

impl fmt::Display for Strength {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Des => "single DES",
            Self::TdeaDouble => "double-length TDEA",
            Self::TdeaTriple => "triple-length TDEA",
            Self::Aes128 => "AES-128",
            Self::Aes192 => "AES-192",
            Self::Aes256 => "AES-256",
        })
    }
}
