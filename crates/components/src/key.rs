//! What a key must offer to come apart into components: two ciphers, one set of rules.

use core::fmt;

use aeskey::{AesKey, AesKeyLength};
use tdea::{Kcv, KcvError, KcvMethod, KeyError, KeyLength, StrengthError, TdeaKey};

mod sealed {
    pub trait Sealed {}
    impl Sealed for tdea::TdeaKey {}
    impl Sealed for aeskey::AesKey {}
}

/// A key that components make up: [`TdeaKey`] or [`AesKey`].
///
/// Sealed. The methods are those that the key types have anyway; the trait exists so that
/// [`combine`](crate::combine), [`split`](crate::split) and [`Ceremony`](crate::Ceremony) are written once.
pub trait ComponentKey: sealed::Sealed + fmt::Debug + Sized {
    /// The lengths that keys of this cipher have.
    type Length: Copy + Eq + fmt::Debug + TryFrom<usize>;
    /// What may be done about parity when components are combined: [`Parity`], or [`NoParity`] where the
    /// cipher has none.
    type Parity: Copy + fmt::Debug + Into<Option<Parity>>;

    /// The bits of each byte that the cipher uses. The others neither show in a check value nor make a key
    /// another key.
    const USED_BITS: u8;

    /// Builds a key in place.
    fn from_fill(length: Self::Length, fill: impl FnOnce(&mut [u8])) -> Self;

    /// Length of the key.
    fn length(&self) -> Self::Length;

    /// Shows the key bytes.
    fn expose_bytes(&self) -> &[u8];

    /// The check value by `method`, `len` bytes of it.
    ///
    /// # Errors
    /// Returns [`KcvError::Cipher`] if the method belongs to another cipher, [`KcvError::Length`] if it can't
    /// have `len` bytes.
    fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError>;

    /// Judges the key: weak keys, and keys weaker than their length says.
    ///
    /// # Errors
    /// Returns the first fault found.
    fn check_strength(&self) -> Result<(), StrengthError>;

    /// Does to the key what `parity` says.
    ///
    /// # Errors
    /// Returns [`KeyError::Parity`] if odd parity is required and not there.
    fn apply_parity(self, parity: Self::Parity) -> Result<Self, KeyError>;
}

/// What is done about the parity bits of a TDEA key that was combined from components.
///
/// Components of odd parity give a key of odd parity if their number is odd, and a key of even parity if it
/// is even.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Parity {
    /// The key is the XOR of the components, to the bit.
    Keep,
    /// The key is given odd parity after the last component. It encrypts as before.
    AdjustToOdd,
    /// A key with a byte of even parity is refused: a typing error that changes nothing but a parity bit
    /// shows in no check value, but it shows here.
    RequireOdd,
}

/// The parity policy of a cipher whose keys have no parity bits.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct NoParity;

impl From<NoParity> for Option<Parity> {
    fn from(_: NoParity) -> Self {
        None
    }
}

/// No key of the cipher has this many bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no key of this cipher is {found} bytes long")]
pub struct LengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// `a ^ b`, for two of the same length.
pub(crate) fn xor<K: ComponentKey>(a: &K, b: &K) -> K {
    K::from_fill(a.length(), |out| {
        for ((out, a), b) in out.iter_mut().zip(a.expose_bytes()).zip(b.expose_bytes()) {
            *out = a ^ b;
        }
    })
}

impl ComponentKey for TdeaKey {
    type Length = KeyLength;
    type Parity = Parity;

    const USED_BITS: u8 = 0xFE;

    fn from_fill(length: KeyLength, fill: impl FnOnce(&mut [u8])) -> Self {
        Self::from_fill(length, fill)
    }

    fn length(&self) -> KeyLength {
        self.length()
    }

    fn expose_bytes(&self) -> &[u8] {
        self.expose_bytes()
    }

    fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        self.kcv_by(method, len)
    }

    fn check_strength(&self) -> Result<(), StrengthError> {
        self.check_strength()
    }

    fn apply_parity(self, parity: Parity) -> Result<Self, KeyError> {
        match parity {
            Parity::Keep => Ok(self),
            Parity::AdjustToOdd => Ok(self.into_odd_parity()),
            Parity::RequireOdd => self.check_parity().map(|()| self),
        }
    }
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
