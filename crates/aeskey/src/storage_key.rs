//! The key of what is stored.

use core::fmt;

use aes_siv::siv::{Aes256Siv, MAX_HEADERS};
use aes_siv::{KeyInit, Tag};
use rand_core::CryptoRng;
use zeroize::ZeroizeOnDrop;

/// The key under which somebody seals what it stores: two AES-256 keys, of AES-SIV-CMAC-512. Wiped on drop; `Debug` shows
/// nothing.
///
/// Sealing needs no nonce, so there is none to repeat when a state is written twice or a store was put back. What is sealed
/// twice with the same strings looks the same.
///
/// It protects keys of every length that there is. Whoever has it and what it sealed has all keys in it.
///
/// # Source
/// RFC 5297, 6.3 (AEAD_AES_SIV_CMAC_512).
///
/// # Examples
/// ```
/// # use cardroot_aeskey::{NotSealed, StorageKey};
/// let key = StorageKey::from_fill(|key| key.fill(0x3C));
/// let mut state = *b"the state";
/// let siv = key.seal([b"name", b"version 1"], &mut state);
/// assert_eq!(key.open([b"name", b"version 2"], &siv, &mut state), Err(NotSealed));
/// key.open([b"name", b"version 1"], &siv, &mut state)?;
/// assert_eq!(&state, b"the state");
/// # Ok::<(), NotSealed>(())
/// ```
#[derive(ZeroizeOnDrop)]
pub struct StorageKey([u8; StorageKey::LEN]);

impl StorageKey {
    /// Length in bytes.
    pub const LEN: usize = 64;

    /// Length of the synthetic initialization vector (SIV) in bytes.
    pub const SIV_LEN: usize = 16;

    /// Most associated strings that there may be.
    pub const MAX_ASSOCIATED: usize = MAX_HEADERS;

    /// Builds the key in place, so no copy of it stays in the caller's frame.
    #[must_use]
    pub fn from_fill(fill: impl FnOnce(&mut [u8; Self::LEN])) -> Self {
        let mut key = Self([0; Self::LEN]);
        fill(&mut key.0);
        key
    }

    /// Draws a new key at random.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::from_fill(|key| rng.fill_bytes(key))
    }

    /// Makes a second copy of the key: a device with several states seals them all under one.
    #[must_use]
    pub const fn duplicate(&self) -> Self {
        Self(self.0)
    }

    /// Shows the key bytes, the half that authenticates first.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// Encrypts `data` in place, and returns the SIV that authenticates it and the `associated` strings, in their order.
    ///
    /// `SIV = S2V(K1, associated…, data)`, `data := data XOR CTR(K2, SIV)`.
    ///
    /// # Examples
    /// More than [`MAX_ASSOCIATED`](Self::MAX_ASSOCIATED) strings do not compile:
    /// ```compile_fail,E0080
    /// # use cardroot_aeskey::StorageKey;
    /// # let key = StorageKey::from_fill(|key| key.fill(0x3C));
    /// let siv = key.seal([b"".as_slice(); 127], &mut []);
    /// ```
    #[must_use]
    pub fn seal<const N: usize>(&self, associated: [&[u8]; N], data: &mut [u8]) -> [u8; Self::SIV_LEN] {
        const { assert!(N <= Self::MAX_ASSOCIATED, "S2V takes at most 126 strings beside the data") };
        let siv = self.cipher().encrypt_inout_detached(associated, data.into());
        siv.expect("there are no more strings than S2V takes").into()
    }

    /// Decrypts in place what [`seal`](Self::seal) encrypted.
    ///
    /// # Errors
    /// Returns [`NotSealed`] if `siv`, `data` and the `associated` strings are not what this key sealed; `data` is then as it
    /// was.
    pub fn open<const N: usize>(
        &self,
        associated: [&[u8]; N],
        siv: &[u8; Self::SIV_LEN],
        data: &mut [u8],
    ) -> Result<(), NotSealed> {
        self.cipher().decrypt_inout_detached(associated, data.into(), &Tag::from(*siv)).map_err(|_| NotSealed)
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new((&self.0).into())
    }
}

impl TryFrom<&[u8]> for StorageKey {
    type Error = StorageKeyLengthError;

    /// Copies a key of 64 bytes.
    fn try_from(bytes: &[u8]) -> Result<Self, StorageKeyLengthError> {
        let bytes: &[u8; Self::LEN] =
            bytes.try_into().map_err(|_| StorageKeyLengthError { found: bytes.len() })?;
        Ok(Self::from_fill(|key| key.copy_from_slice(bytes)))
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageKey").finish_non_exhaustive()
    }
}

/// A byte string that is no storage key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a storage key is {} bytes, found {found}", StorageKey::LEN)]
pub struct StorageKeyLengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// What was to be opened was sealed under another key or with other strings, or was altered. Opaque: nothing says which.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("not sealed under this key with these strings")]
pub struct NotSealed;

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles only for a value that wipes itself when it is dropped.
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    #[test]
    fn a_key_and_its_cipher_are_wiped_on_drop() {
        let key = StorageKey::from_fill(|key| key.fill(7)).duplicate();
        is_wiped_on_drop(&key);
        is_wiped_on_drop(&key.cipher());
    }
}
