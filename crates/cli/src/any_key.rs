//! Keys of several ciphers: their bytes, the names of their lengths, and the check values they have.

use alloc::borrow::Cow;

use cardroot::diversify::block::{AesKey, AesKeyLength, Sm4Key};
use cardroot::tdea::hazmat::DesKey;
use cardroot::tdea::{BLOCK_LEN, Kcv, KcvError, KcvMethod, KeyLength, TdeaKey};

/// A key of any cipher, whatever it is for.
#[derive(Clone, Copy)]
pub(crate) enum AnyKey<'a> {
    Tdea(&'a TdeaKey),
    Aes(&'a AesKey),
    Sm4(&'a Sm4Key),
    Des(&'a DesKey),
    Hmac(&'a [u8]),
    /// Of an algorithm that has no check values here.
    Other(&'a [u8]),
}

/// What decides which check values a key has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Cipher {
    /// A single DES key is a TDEA key that repeats itself.
    Tdea,
    Aes,
    Sm4,
    /// Without check values that parties agree on.
    Other,
}

/// Declares what counts as [`AnyKey`].
macro_rules! any_key {
    ($($cipher:ident: $key:ty;)*) => {$(
        impl<'a> From<&'a $key> for AnyKey<'a> {
            fn from(key: &'a $key) -> Self {
                Self::$cipher(key)
            }
        }
    )*};
}

any_key! {
    Tdea: TdeaKey;
    Aes: AesKey;
    Sm4: Sm4Key;
    Des: DesKey;
}

impl<'a> AnyKey<'a> {
    pub(crate) fn expose_bytes(self) -> &'a [u8] {
        match self {
            Self::Tdea(key) => key.expose_bytes(),
            Self::Aes(key) => key.expose_bytes(),
            Self::Sm4(key) => key.expose_bytes(),
            Self::Des(key) => key.expose_bytes(),
            Self::Hmac(bytes) | Self::Other(bytes) => bytes,
        }
    }

    pub(crate) fn length_name(self) -> Cow<'static, str> {
        let name = match self {
            Self::Tdea(key) => length_name(key.length()),
            Self::Aes(key) => match key.length() {
                AesKeyLength::Aes128 => "aes-128",
                AesKeyLength::Aes192 => "aes-192",
                AesKeyLength::Aes256 => "aes-256",
            },
            Self::Sm4(_) => "sm4-128",
            Self::Des(_) => "single",
            Self::Hmac(bytes) => return format!("hmac-{}", 8 * bytes.len()).into(),
            Self::Other(bytes) => return format!("{} bytes", bytes.len()).into(),
        };
        name.into()
    }

    pub(crate) const fn cipher(self) -> Cipher {
        match self {
            Self::Tdea(_) | Self::Des(_) => Cipher::Tdea,
            Self::Aes(_) => Cipher::Aes,
            Self::Sm4(_) => Cipher::Sm4,
            Self::Hmac(_) | Self::Other(_) => Cipher::Other,
        }
    }

    pub(crate) fn kcv_by(self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
        match self {
            Self::Tdea(key) => key.kcv_by(method, len),
            Self::Des(key) => repeated(key).kcv_by(method, len),
            Self::Aes(key) => key.kcv_by(method, len),
            Self::Sm4(key) => key.kcv_by(method, len),
            Self::Hmac(_) | Self::Other(_) => Err(KcvError::Cipher),
        }
    }
}

pub(crate) const fn length_name(length: KeyLength) -> &'static str {
    match length {
        KeyLength::Double => "double",
        KeyLength::Triple => "triple",
    }
}

/// TDEA with one key for all its parts is DES.
pub(crate) fn repeated(key: &DesKey) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |both| {
        let (left, right) = both.split_at_mut(BLOCK_LEN);
        left.copy_from_slice(key.expose_bytes());
        right.copy_from_slice(key.expose_bytes());
    })
}
