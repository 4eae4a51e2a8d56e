//! Secret base types of the ciphers with blocks of 16 bytes: AES and SM4.

use core::fmt;

use aes::{Aes128, Aes192, Aes256};
use cipher::common::InnerInit;
use cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit, consts::U16};
use cmac::block_api::CmacCipher;
use cmac::{Cmac, Mac};
use sm4::Sm4;
use subtle::ConstantTimeEq;
use tdea::{Kcv, KcvError, KcvMethod};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// Length of a block of AES and SM4, in bytes.
pub const BLOCK_LEN: usize = 16;

/// Length of an AES key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AesKeyLength {
    /// 128 bits, 16 bytes.
    Aes128,
    /// 192 bits, 24 bytes.
    Aes192,
    /// 256 bits, 32 bytes.
    Aes256,
}

impl AesKeyLength {
    /// Length in bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Aes128 => 16,
            Self::Aes192 => 24,
            Self::Aes256 => 32,
        }
    }

    /// Length in bits, as derivation functions take it.
    pub(crate) const fn bits(self) -> u16 {
        match self {
            Self::Aes128 => 128,
            Self::Aes192 => 192,
            Self::Aes256 => 256,
        }
    }
}

/// A byte string that is no key of the cipher.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyLengthError {
    /// No AES key.
    #[error("an AES key is 16, 24 or 32 bytes, found {found}")]
    Aes {
        /** Bytes supplied. */
        found: usize,
    },
    /// No SM4 key.
    #[error("an SM4 key is 16 bytes, found {found}")]
    Sm4 {
        /** Bytes supplied. */
        found: usize,
    },
}

/// An AES key without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
#[derive(ZeroizeOnDrop)]
pub struct AesKey {
    bytes: [u8; AesKeyLength::Aes256.bytes()],
    #[zeroize(skip)]
    length: AesKeyLength,
}

impl AesKey {
    /// Builds a key in place, so that no copy stays in the caller's frame.
    pub fn from_fill(length: AesKeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        let mut key = Self { bytes: [0; AesKeyLength::Aes256.bytes()], length };
        fill(key.bytes.get_mut(..length.bytes()).expect("a key is at most 32 bytes"));
        key
    }

    /// The leftmost bytes of `block(1) || block(2)`: how every rule here makes keys longer than a block.
    pub(crate) fn from_blocks(
        length: AesKeyLength,
        block: impl Fn(u8) -> Zeroizing<[u8; BLOCK_LEN]>,
    ) -> Self {
        Self::from_fill(length, |key| {
            for (number, part) in (1..).zip(key.chunks_mut(BLOCK_LEN)) {
                for (byte, made) in part.iter_mut().zip(block(number).iter()) {
                    *byte = *made;
                }
            }
        })
    }

    /// Length of the key.
    #[must_use]
    pub const fn length(&self) -> AesKeyLength {
        self.length
    }

    /// Shows the key bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length.bytes()).expect("a key is at most 32 bytes")
    }

    /// Compares in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self { bytes: self.bytes, length: self.length }
    }

    /// The check value by `method`, `len` bytes of it. There is no usual one: GlobalPlatform shows 3 bytes of
    /// [`KcvMethod::AesOnes`], others 3 of [`KcvMethod::AesZeros`] or 5 of [`KcvMethod::AesCmac`].
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        let block = match method {
            KcvMethod::AesZeros => self.encrypt([0x00; BLOCK_LEN]),
            KcvMethod::AesOnes => self.encrypt([0x01; BLOCK_LEN]),
            KcvMethod::AesCmac => self.cmac([&[0x00; BLOCK_LEN][..]]),
            _ => return Err(KcvError::Cipher),
        };
        Kcv::new(method, block.get(..len).ok_or(KcvError::Length { max: method.max_len(), found: len })?)
    }

    /// Encrypts one block.
    pub(crate) fn encrypt(&self, block: [u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]> {
        let key = self.expose_bytes();
        match self.length {
            AesKeyLength::Aes128 => encrypt::<Aes128>(key, block),
            AesKeyLength::Aes192 => encrypt::<Aes192>(key, block),
            AesKeyLength::Aes256 => encrypt::<Aes256>(key, block),
        }
    }

    /// CMAC over the pieces of a message.
    pub(crate) fn cmac<'a>(&self, message: impl IntoIterator<Item = &'a [u8]>) -> Zeroizing<[u8; BLOCK_LEN]> {
        let key = self.expose_bytes();
        match self.length {
            AesKeyLength::Aes128 => cmac::<Aes128>(key, message),
            AesKeyLength::Aes192 => cmac::<Aes192>(key, message),
            AesKeyLength::Aes256 => cmac::<Aes256>(key, message),
        }
    }
}

impl TryFrom<&[u8]> for AesKey {
    type Error = KeyLengthError;

    /// Copies a key of 16, 24 or 32 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, KeyLengthError> {
        let length = match bytes.len() {
            16 => AesKeyLength::Aes128,
            24 => AesKeyLength::Aes192,
            32 => AesKeyLength::Aes256,
            found => return Err(KeyLengthError::Aes { found }),
        };
        Ok(Self::from_fill(length, |key| key.copy_from_slice(bytes)))
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesKey").field("length", &self.length).finish_non_exhaustive()
    }
}

/// An SM4 key without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
#[derive(ZeroizeOnDrop)]
pub struct Sm4Key([u8; BLOCK_LEN]);

impl Sm4Key {
    /// Builds a key in place, so that no copy stays in the caller's frame.
    pub fn from_fill(fill: impl FnOnce(&mut [u8; BLOCK_LEN])) -> Self {
        let mut key = Self([0; BLOCK_LEN]);
        fill(&mut key.0);
        key
    }

    /// Shows the key bytes.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }

    /// Compares in constant time.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// The usual check value: 3 bytes of the zero block encrypted.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        let [b0, b1, b2, ..] = *self.encrypt([0x00; BLOCK_LEN]);
        Kcv::new(KcvMethod::Sm4Zeros, &[b0, b1, b2]).expect("3 bytes are within the method's range")
    }

    /// Encrypts one block.
    pub(crate) fn encrypt(&self, block: [u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]> {
        encrypt::<Sm4>(&self.0, block)
    }
}

impl TryFrom<&[u8]> for Sm4Key {
    type Error = KeyLengthError;

    /// Copies a key of 16 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, KeyLengthError> {
        let bytes =
            <&[u8; BLOCK_LEN]>::try_from(bytes).map_err(|_| KeyLengthError::Sm4 { found: bytes.len() })?;
        Ok(Self(*bytes))
    }
}

impl fmt::Debug for Sm4Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sm4Key").finish_non_exhaustive()
    }
}

fn encrypt<C>(key: &[u8], block: [u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]>
where
    C: KeyInit + BlockCipherEncrypt + BlockSizeUser<BlockSize = U16>,
{
    let mut block = Zeroizing::new(block);
    let cipher = C::new_from_slice(key).expect("the length picked the cipher");
    cipher.encrypt_block(<&mut Array<_, _>>::from(&mut *block));
    block
}

fn cmac<'a, C>(key: &[u8], message: impl IntoIterator<Item = &'a [u8]>) -> Zeroizing<[u8; BLOCK_LEN]>
where
    C: KeyInit + CmacCipher,
{
    let mut mac = Cmac::<C>::inner_init(C::new_from_slice(key).expect("the length picked the cipher"));
    message.into_iter().for_each(|piece| mac.update(piece));
    let mut code = Zeroizing::new([0; BLOCK_LEN]);
    code.copy_from_slice(&mac.finalize().into_bytes());
    code
}

/// Declares an AES key type with one purpose, as `tdea::key_type!` does over TDEA keys. Keys of a type `{ derived }`
/// come from derivation only.
macro_rules! aes_key_type {
    ($(#[$meta:meta])* pub struct $name:ident;) => {
        $crate::block::aes_key_type! { $(#[$meta])* pub struct $name { derived } }

        impl $name {
            /// Gives `key` this purpose, for good.
            #[must_use]
            pub const fn from_key(key: $crate::block::AesKey) -> Self {
                Self(key)
            }
        }
    };
    ($(#[$meta:meta])* pub struct $name:ident { derived }) => {
        $(#[$meta])*
        pub struct $name($crate::block::AesKey);

        impl $name {
            /// Length of the key.
            #[must_use]
            pub const fn length(&self) -> $crate::block::AesKeyLength {
                self.0.length()
            }

            /// Compares in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub const fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }

            /// Shows the key without its purpose: for check values, wrapping, storage and tests.
            #[must_use]
            pub const fn expose_key(&self) -> &$crate::block::AesKey {
                &self.0
            }
        }

        impl ::core::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    };
}

pub(crate) use aes_key_type;

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn keys_and_their_schedules_are_wiped_on_drop() {
        let key = AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(7));
        is_wiped_on_drop(&key);
        is_wiped_on_drop(&Aes128::new_from_slice(&[7; 16]).expect("16 bytes"));
        is_wiped_on_drop(&Aes192::new_from_slice(&[7; 24]).expect("24 bytes"));
        is_wiped_on_drop(&Aes256::new_from_slice(key.expose_bytes()).expect("32 bytes"));
        let key = Sm4Key::from_fill(|key| key.fill(7));
        is_wiped_on_drop(&key);
        is_wiped_on_drop(&Sm4::new_from_slice(key.expose_bytes()).expect("16 bytes"));
    }
}
