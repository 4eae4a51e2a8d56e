//! One component of a key.

use core::fmt;

use aeskey::AesKey;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use tdea::{Kcv, KcvError, KcvMethod, TdeaKey};

use crate::key::{ComponentKey, LengthError};

/// A component of a TDEA key.
pub type TdeaComponent = KeyComponent<TdeaKey>;

/// A component of an AES key.
pub type AesComponent = KeyComponent<AesKey>;

/// One of 2 to 9 values whose XOR is a key. It is as long as the key, all of them are needed, and each of
/// them alone says nothing about the key.
///
/// Wiped on drop; `Debug` shows no bytes. It is a secret of one custodian, so there is no way to make a
/// second copy, and it is no key: it can't encrypt. Its bytes may be any; parity is settled when the key is
/// combined.
///
/// # Source
/// ANS X9.24-1:2009 4.30 and 7.5.1.
pub struct KeyComponent<K>(pub(crate) K);

impl<K: ComponentKey> KeyComponent<K> {
    /// Builds a component in place, so that no copy stays in the caller's frame.
    pub fn from_fill(length: K::Length, fill: impl FnOnce(&mut [u8])) -> Self {
        Self(K::from_fill(length, fill))
    }

    /// Draws a random component.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.4: components come from a random or pseudo-random process, as keys do.
    pub fn generate(length: K::Length, rng: &mut impl CryptoRng) -> Self {
        Self::from_fill(length, |bytes| rng.fill_bytes(bytes))
    }

    /// Length of the component, which is that of the key.
    #[must_use]
    pub fn length(&self) -> K::Length {
        self.0.length()
    }

    /// Shows the component: to its custodian, and to nobody else.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.0.expose_bytes()
    }

    /// Compares in constant time, parity bits included.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.expose_bytes().ct_eq(other.expose_bytes()).into()
    }

    /// The check value by `method`, `len` bytes of it, computed as if the component were a key.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.4: over the whole component, by encryption.
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        self.0.kcv_by(method, len)
    }
}

impl TdeaComponent {
    /// The usual check value of a TDEA component: it encrypts one zero block, the first 3 bytes are shown.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.0.kcv()
    }
}

impl<K: ComponentKey> TryFrom<&[u8]> for KeyComponent<K> {
    type Error = LengthError;

    /// Copies a component as long as a key of the cipher.
    fn try_from(bytes: &[u8]) -> Result<Self, LengthError> {
        let length = K::Length::try_from(bytes.len()).map_err(|_| LengthError { found: bytes.len() })?;
        Ok(Self::from_fill(length, |out| out.copy_from_slice(bytes)))
    }
}

impl<K: ComponentKey> fmt::Debug for KeyComponent<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyComponent").field("length", &self.length()).finish_non_exhaustive()
    }
}
