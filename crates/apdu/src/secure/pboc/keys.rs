//! Keys of a card, by purpose.

use core::fmt;

use subtle::ConstantTimeEq;
use tdea::hazmat::{DesKey, DesMac};
use tdea::{BLOCK_LEN, KeyLength, Mac, MacPadding, Mode, RetailMac, TdeaKey};

use self::sealed::{HasCardKey, HasLineCipher};
use super::line_cipher::LineCipher;
use crate::bytes::SecretBytes;
use crate::commands::InternalOperation;
use crate::secure::Rejected;

/// A key of 8 or 16 bytes as these cards hold it, without a purpose yet. Wiped on drop; `Debug` shows no key bytes.
///
/// Old systems take keys of 8 bytes, which are single DES. Give it a purpose to use it, or load it into a card.
pub struct CardKey(Material);

enum Material {
    Single(DesKey),
    Double(TdeaKey),
}

/// These cards have no keys of 24 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a card key is 8 or 16 bytes, found 24")]
pub struct TripleLengthKey;

impl CardKey {
    /// Length in bytes, 8 or 16.
    #[must_use]
    pub fn length(&self) -> usize {
        self.bytes().len()
    }

    /// Compares in constant time, parity bits included.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.bytes().ct_eq(other.bytes()).into()
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self(match &self.0 {
            Material::Single(key) => Material::Single(key.duplicate()),
            Material::Double(key) => Material::Double(key.duplicate()),
        })
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match &self.0 {
            Material::Single(key) => key.expose_bytes(),
            Material::Double(key) => key.expose_bytes(),
        }
    }

    /// MAC with padding 80 00.. from the chaining value `iv`.
    pub(super) fn mac(&self, iv: [u8; BLOCK_LEN], message: &[&[u8]]) -> Mac {
        let padding = MacPadding::OneAndZeros;
        match &self.0 {
            Material::Single(key) => {
                let mut mac = DesMac::with_iv(key, padding, iv);
                message.iter().for_each(|piece| mac.update(piece));
                mac.finalize()
            }
            Material::Double(key) => {
                let mut mac = RetailMac::with_iv(key, padding, iv).expect("a card key has no third part");
                message.iter().for_each(|piece| mac.update(piece));
                mac.finalize()
            }
        }
        .expect("no length was announced")
    }

    /// ECB encryption in place. `data` must be whole blocks.
    pub(super) fn encrypt(&self, data: &mut [u8]) {
        match &self.0 {
            Material::Single(key) => key.encrypt(Mode::Ecb, data),
            Material::Double(key) => key.cipher().encrypt(Mode::Ecb, data),
        }
        .expect("the caller brought whole blocks");
    }

    /// ECB decryption in place. `data` must be whole blocks.
    pub(super) fn decrypt(&self, data: &mut [u8]) {
        match &self.0 {
            Material::Single(key) => key.decrypt(Mode::Ecb, data),
            Material::Double(key) => key.cipher().decrypt(Mode::Ecb, data),
        }
        .expect("the caller brought whole blocks");
    }
}

impl From<DesKey> for CardKey {
    fn from(key: DesKey) -> Self {
        Self(Material::Single(key))
    }
}

impl TryFrom<TdeaKey> for CardKey {
    type Error = TripleLengthKey;

    fn try_from(key: TdeaKey) -> Result<Self, TripleLengthKey> {
        match key.length() {
            KeyLength::Double => Ok(Self(Material::Double(key))),
            KeyLength::Triple => Err(TripleLengthKey),
        }
    }
}

impl fmt::Debug for CardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardKey").field("length", &self.length()).finish_non_exhaustive()
    }
}

pub(super) mod sealed {
    /// The key within a key with a purpose. Only this crate can reach it.
    pub trait HasCardKey {
        /// The key.
        fn card_key(&self) -> &super::CardKey;
    }

    /// The key as line protection uses it. Only this crate can reach it.
    pub trait HasLineCipher {
        /// The key with its cipher.
        fn line_cipher(&self) -> super::LineCipher<'_>;
    }
}

/// A key that protects commands and replies, of either cipher.
pub trait ProtectionKey: HasLineCipher {}

/// A key that proves the host to the card over a challenge of 8 bytes.
pub trait AuthenticationKey: HasCardKey {}

macro_rules! purpose {
    ($(#[$meta:meta])* $name:ident: $($ability:ident),*) => {
        $(#[$meta])*
        #[derive(Debug)]
        pub struct $name(CardKey);

        impl $name {
            /// Gives `key` this purpose, for good.
            #[must_use]
            pub const fn from_key(key: CardKey) -> Self {
                Self(key)
            }

            /// Compares in constant time, parity bits included.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.0.ct_eq(&other.0)
            }

            /// Makes a second copy of the key.
            #[must_use]
            pub fn duplicate(&self) -> Self {
                Self(self.0.duplicate())
            }
        }

        impl HasCardKey for $name {
            fn card_key(&self) -> &CardKey {
                &self.0
            }
        }

        impl HasLineCipher for $name {
            fn line_cipher(&self) -> LineCipher<'_> {
                LineCipher::Des(&self.0)
            }
        }

        $(impl $ability for $name {})*
    };
}

purpose! {
    /// Line protection key, type 36: protects the files of a card or an application, by MAC or by cipher and MAC, and
    /// locks them.
    #[doc(alias = "DAMK")]
    LineKey: ProtectionKey
}

purpose! {
    /// Master key of a card or an application, type 39 number 00, or the transport key of a blank card: proves the
    /// host and protects the loading of keys.
    #[doc(alias = "CCK")]
    #[doc(alias = "DACK")]
    MasterKey: ProtectionKey, AuthenticationKey
}

purpose! {
    /// PIN unblock key, type 37.
    PinUnblockKey: ProtectionKey
}

purpose! {
    /// External authentication key, type 39: proves the host to the card.
    ExternalAuthKey: AuthenticationKey
}

purpose! {
    /// Internal authentication key, types 30, 31 and 32: proves the card to the host.
    InternalAuthKey:
}

/// Encryption and decryption of something else than whole blocks.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("internal authentication enciphers whole blocks of 8 bytes, found {found} bytes")]
pub struct InternalDataError {
    /// Bytes supplied.
    pub found: usize,
}

impl InternalAuthKey {
    /// What a card with this key answers to INTERNAL AUTHENTICATE over `data`.
    ///
    /// # Errors
    /// Returns [`InternalDataError`] if `data` is to be enciphered and is empty or not whole blocks.
    pub fn answer(
        &self,
        operation: InternalOperation,
        data: &[u8],
    ) -> Result<SecretBytes, InternalDataError> {
        let whole_blocks = !data.is_empty() && data.len().is_multiple_of(BLOCK_LEN);
        let cipher = match operation {
            InternalOperation::Mac => {
                let mac: [u8; 4] = self.0.mac([0; BLOCK_LEN], &[data]).truncated();
                return Ok(mac.as_slice().into());
            }
            _ if !whole_blocks => return Err(InternalDataError { found: data.len() }),
            InternalOperation::Encrypt => CardKey::encrypt,
            InternalOperation::Decrypt => CardKey::decrypt,
        };
        let mut out = SecretBytes::from(data);
        cipher(&self.0, out.as_mut_slice());
        Ok(out)
    }

    /// Compares the answer of a card with what it must be, in constant time.
    ///
    /// # Errors
    /// Returns [`Rejected`] if it is another one, or if there is none for this `data`.
    pub fn verify_answer(
        &self,
        operation: InternalOperation,
        data: &[u8],
        answer: &[u8],
    ) -> Result<(), Rejected> {
        let expected = self.answer(operation, data).map_err(|_| Rejected)?;
        if bool::from(expected.expose_bytes().ct_eq(answer)) { Ok(()) } else { Err(Rejected) }
    }
}
