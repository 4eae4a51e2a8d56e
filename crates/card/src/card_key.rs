//! Keys as cards of this family use them: the length decides between DES and TDEA.

use core::fmt;

use tdea::hazmat::{DesKey, DesMac};
use tdea::{BLOCK_LEN, KeyError, KeyLength, Mac, MacPadding, Mode, RetailMac, TdeaKey};

/// A key of 8 or 16 bytes. Wiped on drop.
///
/// # Source
/// FMCOS 2.0 user manual, 5.4: DES and DES-CBC-MAC with 8 bytes, TDEA and ISO 9797-1 MAC algorithm 3 with 16.
pub(crate) enum CardKey {
    Single(DesKey),
    Double(TdeaKey),
}

impl CardKey {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Single(key) => key.expose_bytes().len(),
            Self::Double(key) => key.length().bytes(),
        }
    }

    /// Shows the key, for what keeps it without power.
    pub(crate) fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Single(key) => key.expose_bytes(),
            Self::Double(key) => key.expose_bytes(),
        }
    }

    /// Encrypts whole blocks in place, each by itself.
    pub(crate) fn encrypt(&self, blocks: &mut [u8]) {
        match self {
            Self::Single(key) => key.encrypt(Mode::Ecb, blocks),
            Self::Double(key) => key.cipher().encrypt(Mode::Ecb, blocks),
        }
        .expect("callers pass whole blocks");
    }

    /// Decrypts whole blocks in place, each by itself.
    pub(crate) fn decrypt(&self, blocks: &mut [u8]) {
        match self {
            Self::Single(key) => key.decrypt(Mode::Ecb, blocks),
            Self::Double(key) => key.cipher().decrypt(Mode::Ecb, blocks),
        }
        .expect("callers pass whole blocks");
    }

    /// The MAC over the concatenation of `parts`, padded with `80 00…`, chained from `iv`.
    pub(crate) fn mac(&self, iv: [u8; BLOCK_LEN], parts: &[&[u8]]) -> Mac {
        match self {
            Self::Single(key) => {
                let mut mac = DesMac::with_iv(key, MacPadding::OneAndZeros, iv);
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize()
            }
            Self::Double(key) => {
                let mut mac = RetailMac::with_iv(key, MacPadding::OneAndZeros, iv)
                    .expect("a card key is of double length at most");
                parts.iter().for_each(|part| mac.update(part));
                mac.finalize()
            }
        }
        .expect("no message length was announced")
    }

    /// The halves XORed: the key of the TAC and of RELOAD PIN. A key of 8 bytes is used as it is.
    pub(crate) fn folded(&self) -> DesKey {
        match self {
            Self::Single(key) => key.duplicate(),
            Self::Double(key) => DesKey::xor_of_halves(key).expect("a card key is of double length at most"),
        }
    }
}

impl TryFrom<&[u8]> for CardKey {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        match bytes.len() {
            8 => DesKey::try_from(bytes).map(Self::Single),
            _ => TdeaKey::try_from(bytes)?.try_into(),
        }
    }
}

impl TryFrom<TdeaKey> for CardKey {
    type Error = KeyError;

    /// Refuses a triple-length key: cards of this family have none.
    fn try_from(key: TdeaKey) -> Result<Self, KeyError> {
        match key.length() {
            KeyLength::Double => Ok(Self::Double(key)),
            KeyLength::Triple => Err(KeyError::Length { found: KeyLength::Triple.bytes() }),
        }
    }
}

impl fmt::Debug for CardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardKey").field("len", &self.len()).finish_non_exhaustive()
    }
}
