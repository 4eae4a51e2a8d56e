//! Check values in optional blocks: `KC` of the key, `KP` of the protection key.

use alloc::format;
use alloc::string::String;

use aeskey::AesKey;
use tdea::{Kcv, KeyLength, TdeaKey};

use crate::attributes::Algorithm;
use crate::block_key::BaseKey;

/// How a check value is computed; its code stands in front of it.
///
/// # Source
/// ANS X9.143:2021 6.3.6.7, table 15.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CheckMethod {
    /// `00`: the key encrypts a zero block.
    Legacy,
    /// `01`: CMAC of a zero block.
    Cmac,
}

/// A check value as an optional block has it: method and value. It belongs to a key of the algorithm that the header names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct CheckValue {
    method: CheckMethod,
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

impl CheckValue {
    /// Most bytes that are shown, by the method of CMAC; by the other it is 3.
    pub const MAX_LEN: usize = 5;

    /// How it was computed.
    #[must_use]
    pub const fn method(&self) -> CheckMethod {
        self.method
    }

    /// The value.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).expect("a check value is at most 5 bytes")
    }

    /// Reads two digits of method and 2 to 5 bytes of value, in hexadecimal.
    pub(crate) fn decode(data: &str) -> Option<Self> {
        let (method, value) = data.split_at_checked(2)?;
        let (method, longest) = match method {
            "00" => (CheckMethod::Legacy, 3),
            "01" => (CheckMethod::Cmac, Self::MAX_LEN),
            _ => return None,
        };
        let mut bytes = [0; Self::MAX_LEN];
        let len = base16ct::mixed::decode(value, &mut bytes).ok()?.len();
        (Kcv::MIN_LEN..=longest).contains(&len).then_some(Self { method, bytes, len })
    }

    /// What a new block says of `key`, as [`decode`](Self::decode) reads it: the longest value of the usual method.
    pub(crate) fn encode<K: BaseKey>(key: &K) -> String {
        let (method, code, len) = match K::ALGORITHM {
            Algorithm::TDEA => (CheckMethod::Legacy, "00", 3),
            _ => (CheckMethod::Cmac, "01", Self::MAX_LEN),
        };
        format!("{code}{}", key.check_value(method, len).expect("every method has 3 bytes, and CMAC 5"))
    }

    /// Whether it is the value of `key`.
    pub(crate) fn is_of<K: BaseKey>(&self, key: &K) -> bool {
        key.check_value(self.method, self.len).is_ok_and(|kcv| kcv.as_bytes() == self.as_bytes())
    }

    /// What a new block says of a key that is bytes; nothing for a key whose check values are not known here.
    pub(crate) fn encode_bytes(algorithm: Algorithm, key: &[u8]) -> Option<String> {
        match algorithm {
            Algorithm::AES => AesKey::try_from(key).ok().map(|key| Self::encode(&key)),
            Algorithm::TDEA | Algorithm::DES => tdea_key(key).map(|key| Self::encode(&key)),
            _ => None,
        }
    }

    /// Whether it is the value of these bytes, or of a key whose check values are not known here.
    pub(crate) fn may_be_of(&self, algorithm: Algorithm, key: &[u8]) -> bool {
        match algorithm {
            Algorithm::AES => AesKey::try_from(key).is_ok_and(|key| self.is_of(&key)),
            Algorithm::TDEA | Algorithm::DES => tdea_key(key).is_some_and(|key| self.is_of(&key)),
            _ => true,
        }
    }
}

/// A key as TDEA takes it: a single DES key twice, which is DES again.
fn tdea_key(key: &[u8]) -> Option<TdeaKey> {
    match <&[u8; tdea::BLOCK_LEN]>::try_from(key) {
        Ok(des) => Some(TdeaKey::from_fill(KeyLength::Double, |out| {
            out.chunks_mut(tdea::BLOCK_LEN).for_each(|part| part.copy_from_slice(des));
        })),
        Err(_) => TdeaKey::try_from(key).ok(),
    }
}
