//! AES keys, as far as components and check values need them.

use core::fmt;

use aes::{Aes128, Aes192, Aes256};
use cipher::common::InnerInit;
use cipher::{Block, KeyInit};
use cmac::block_api::CmacCipher;
use cmac::{Cmac, Mac};
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use tdea::{Kcv, KcvError, KcvMethod, KeyError, StrengthError};
use zeroize::ZeroizeOnDrop;

use crate::key::{ComponentKey, LengthError, NoParity};

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
}

impl TryFrom<usize> for AesKeyLength {
    type Error = LengthError;

    /// Reads a length in bytes.
    fn try_from(bytes: usize) -> Result<Self, LengthError> {
        match bytes {
            16 => Ok(Self::Aes128),
            24 => Ok(Self::Aes192),
            32 => Ok(Self::Aes256),
            found => Err(LengthError { found }),
        }
    }
}

/// An AES key without a purpose yet, with its check values. Wiped on drop; `Debug` shows no key bytes.
///
/// It can be split, combined and checked. It can't encrypt: the crate that gives it a purpose does that.
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

    /// Draws a random key.
    pub fn generate(length: AesKeyLength, rng: &mut impl CryptoRng) -> Self {
        Self::from_fill(length, |bytes| rng.fill_bytes(bytes))
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
    pub fn duplicate(&self) -> Self {
        Self { bytes: self.bytes, length: self.length }
    }

    /// The check value by `method`, `len` bytes of it. There is no usual one: banks show 5 bytes of
    /// [`KcvMethod::AesCmac`], GlobalPlatform 3 of [`KcvMethod::AesOnes`], others 3 of
    /// [`KcvMethod::AesZeros`].
    ///
    /// # Source
    /// ANS X9.24-1:2017 7.7.2 (CMAC); GlobalPlatform Card Specification, Amendment D (a block of `01`).
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        let key = self.expose_bytes();
        let block = match self.length {
            AesKeyLength::Aes128 => check_block::<Aes128>(key, method),
            AesKeyLength::Aes192 => check_block::<Aes192>(key, method),
            AesKeyLength::Aes256 => check_block::<Aes256>(key, method),
        }?;
        let shown = block.get(..len).ok_or(KcvError::Length { max: method.max_len(), found: len })?;
        Kcv::new(method, shown)
    }
}

/// The whole block that a check value is cut from.
fn check_block<C: KeyInit + CmacCipher>(key: &[u8], method: KcvMethod) -> Result<Block<C>, KcvError> {
    let cipher = C::new_from_slice(key).expect("the length picked the cipher");
    let mut block = Block::<C>::default();
    match method {
        KcvMethod::AesZeros => cipher.encrypt_block(&mut block),
        KcvMethod::AesOnes => {
            block.fill(0x01);
            cipher.encrypt_block(&mut block);
        }
        KcvMethod::AesCmac => block = Cmac::inner_init(cipher).chain_update(&block).finalize().into_bytes(),
        _ => return Err(KcvError::Cipher),
    }
    Ok(block)
}

impl ComponentKey for AesKey {
    type Length = AesKeyLength;
    type Parity = NoParity;

    const USED_BITS: u8 = 0xFF;

    fn from_fill(length: AesKeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        Self::from_fill(length, fill)
    }

    fn length(&self) -> AesKeyLength {
        self.length()
    }

    fn expose_bytes(&self) -> &[u8] {
        self.expose_bytes()
    }

    fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        self.kcv_by(method, len)
    }

    /// AES has no weak keys.
    fn check_strength(&self) -> Result<(), StrengthError> {
        Ok(())
    }

    fn apply_parity(self, NoParity: NoParity) -> Result<Self, KeyError> {
        Ok(self)
    }
}

impl TryFrom<&[u8]> for AesKey {
    type Error = LengthError;

    /// Copies a key of 16, 24 or 32 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, LengthError> {
        let length = AesKeyLength::try_from(bytes.len())?;
        Ok(Self::from_fill(length, |out| out.copy_from_slice(bytes)))
    }
}

impl fmt::Debug for AesKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AesKey").field("length", &self.length).finish_non_exhaustive()
    }
}
