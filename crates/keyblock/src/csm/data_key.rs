//! Data keys and what each of them may do.

use core::fmt;

use rand_core::CryptoRng;
use tdea::hazmat::{DesKey, DesMac};
use tdea::{BLOCK_LEN, CbcMac, KeyLength, Mac, MacMismatch, Mode, Padding, PaddingError, RetailMac, TdeaKey};
use zeroize::ZeroizeOnDrop;

use crate::tdea_keys::Kek;

/// Form of the data keys of a relationship, and the MAC that they compute. The parties choose it; nothing in a message tells it.
///
/// # Security
/// Single DES keys have 56 bits, which anybody can search: they are here because ANS X9.17 knows no others.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DataKeyForm {
    /// 8 bytes; the MAC of ANS X9.9: CBC of single DES, zeros fill the last block.
    SingleDes,
    /// 16 bytes; ISO 9797-1 MAC algorithm 1 with TDEA, padding method 1.
    DoubleCbcMac,
    /// 16 bytes; ISO 9797-1 MAC algorithm 3 (ANS X9.19), padding method 1.
    DoubleRetailMac,
}

impl DataKeyForm {
    /// Length of a key, in bytes.
    #[must_use]
    pub const fn key_len(self) -> usize {
        match self {
            Self::SingleDes => 8,
            Self::DoubleCbcMac | Self::DoubleRetailMac => 16,
        }
    }
}

/// A data key that has no purpose yet, as it is stored. It computes nothing.
pub struct DataKey {
    form: DataKeyForm,
    key: Key,
}

enum Key {
    Single(DesKey),
    Double(TdeaKey),
}

impl DataKey {
    /// Builds a key in place. Parity bits are kept as they come.
    pub fn from_fill(form: DataKeyForm, fill: impl FnOnce(&mut [u8])) -> Self {
        let key = match form {
            DataKeyForm::SingleDes => Key::Single(DesKey::from_fill(|key| fill(key))),
            DataKeyForm::DoubleCbcMac | DataKeyForm::DoubleRetailMac => {
                Key::Double(TdeaKey::from_fill(KeyLength::Double, fill))
            }
        };
        Self { form, key }
    }

    /// Generates a key of odd parity that is not weak.
    pub(super) fn generate(form: DataKeyForm, rng: &mut impl CryptoRng) -> Self {
        loop {
            let random = TdeaKey::generate(KeyLength::Double, rng);
            let bytes = random.expose_bytes().get(..form.key_len()).expect("no form is longer than 16 bytes");
            let key = Self::from_fill(form, |key| key.copy_from_slice(bytes));
            if key.is_sound() {
                return key;
            }
        }
    }

    /// Form of the key.
    #[must_use]
    pub const fn form(&self) -> DataKeyForm {
        self.form
    }

    /// Shows the key bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        match &self.key {
            Key::Single(key) => key.expose_bytes(),
            Key::Double(key) => key.expose_bytes(),
        }
    }

    /// Compares in constant time, parity bits included.
    #[must_use]
    pub fn ct_eq(&self, other: &Self) -> bool {
        match (&self.key, &other.key) {
            (Key::Single(a), Key::Single(b)) => a.ct_eq(b),
            (Key::Double(a), Key::Double(b)) => a.ct_eq(b),
            _ => false,
        }
    }

    /// Whether it is the key that `kek` is, in constant time.
    pub(super) fn is(&self, kek: &Kek) -> bool {
        matches!(&self.key, Key::Double(key) if key.ct_eq(kek.expose_key()))
    }

    /// Makes a second copy of the key.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self::from_fill(self.form, |key| key.copy_from_slice(self.expose_bytes()))
    }

    /// Whether every byte has odd parity and no part is weak.
    pub(super) fn is_sound(&self) -> bool {
        let judged = match &self.key {
            Key::Double(key) => key.duplicate(),
            // Judged as the first part of a pair whose parts differ; what is wrong with the second part is ours.
            Key::Single(key) => TdeaKey::from_fill(KeyLength::Double, |pair| {
                pair.iter_mut().zip(key.expose_bytes().iter().cycle()).for_each(|(out, byte)| *out = *byte);
                pair.iter_mut().skip(BLOCK_LEN).for_each(|byte| *byte ^= 0x06);
            }),
        };
        let strong = match (judged.check_strength(), &self.key) {
            (Ok(()), _) => true,
            (
                Err(tdea::StrengthError::Weak { part } | tdea::StrengthError::SemiWeak { part }),
                Key::Single(_),
            ) => part != 1,
            (Err(_), _) => false,
        };
        strong && judged.check_parity().is_ok()
    }

    /// XOR of two keys: what authenticates a message that carries both.
    pub(super) fn combined(&self, other: &Self) -> Self {
        Self::from_fill(self.form, |key| {
            for ((out, a), b) in key.iter_mut().zip(self.expose_bytes()).zip(other.expose_bytes()) {
                *out = a ^ b;
            }
        })
    }

    /// The code of a service message, whatever the purpose of the key: the one exception that the standard makes.
    pub(super) fn mac(&self, message: &[u8]) -> Mac {
        let mac = match (&self.key, self.form) {
            (Key::Single(key), _) => DesMac::compute(key, Padding::Zeros, message),
            (Key::Double(key), DataKeyForm::DoubleRetailMac) => {
                RetailMac::compute(key, Padding::Zeros, message)
            }
            (Key::Double(key), _) => CbcMac::compute(key, Padding::Zeros, message),
        };
        mac.expect("the key is not of triple length and zeros suit any message")
    }

    pub(super) fn encrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        match &self.key {
            Key::Single(key) => key.encrypt(mode, data),
            Key::Double(key) => key.cipher().encrypt(mode, data),
        }
    }

    pub(super) fn decrypt(&self, mode: Mode, data: &mut [u8]) -> Result<(), PaddingError> {
        match &self.key {
            Key::Single(key) => key.decrypt(mode, data),
            Key::Double(key) => key.cipher().decrypt(mode, data),
        }
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DataKey").field("form", &self.form).finish_non_exhaustive()
    }
}

/// A data key that authenticates, and never encrypts.
///
/// ```
/// use cardroot_keyblock::csm::AuthenticationKey;
/// fn code(key: &AuthenticationKey) -> cardroot_keyblock::tdea::Mac { key.mac(b"message") }
/// ```
/// ```compile_fail,E0599
/// use cardroot_keyblock::csm::EncryptionKey;
/// fn code(key: &EncryptionKey) -> cardroot_keyblock::tdea::Mac { key.mac(b"message") }
/// ```
pub struct AuthenticationKey(pub(super) DataKey);

impl AuthenticationKey {
    /// The code of a whole message, by the MAC of the relationship.
    #[must_use]
    pub fn mac(&self, message: &[u8]) -> Mac {
        self.0.mac(message)
    }

    /// Verifies a received code of 4 to 8 bytes, in constant time.
    ///
    /// # Errors
    /// Returns [`MacMismatch`] if it is not the code of `message`.
    pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), MacMismatch> {
        self.0.mac(message).verify(received)
    }
}

impl fmt::Debug for AuthenticationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthenticationKey").finish_non_exhaustive()
    }
}

/// A data key that encrypts, and never authenticates messages other than service messages.
///
/// ```
/// use cardroot_keyblock::csm::EncryptionKey;
/// fn hide(key: &EncryptionKey, data: &mut [u8]) { key.encrypt([0; 8], data).unwrap() }
/// ```
/// ```compile_fail,E0599
/// use cardroot_keyblock::csm::AuthenticationKey;
/// fn hide(key: &AuthenticationKey, data: &mut [u8]) { key.encrypt([0; 8], data).unwrap() }
/// ```
pub struct EncryptionKey(pub(super) DataKey);

impl EncryptionKey {
    /// Encrypts whole blocks in place, by CBC from `iv`.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn encrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), PaddingError> {
        self.0.encrypt(Mode::Cbc { iv }, data)
    }

    /// Decrypts whole blocks in place, by CBC from `iv`.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn decrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), PaddingError> {
        self.0.decrypt(Mode::Cbc { iv }, data)
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EncryptionKey").finish_non_exhaustive()
    }
}

/// An initialization vector (IV). It travels encrypted under the data key that it is for, so it is kept as that key is: wiped on
/// drop, and `Debug` shows nothing. It is no key: outcomes that have one can be copied and compared.
///
/// # Source
/// FIPS PUB 171 (ANS X9.17), field IV of a KSM.
#[derive(Clone, Eq, PartialEq, ZeroizeOnDrop)]
pub struct Iv(pub(super) [u8; BLOCK_LEN]);

impl Iv {
    /// Shows the vector.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }
}

impl From<[u8; BLOCK_LEN]> for Iv {
    fn from(bytes: [u8; BLOCK_LEN]) -> Self {
        Self(bytes)
    }
}

impl fmt::Debug for Iv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Iv").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weak_keys_and_even_parity_are_unsound_in_every_form() {
        let single = |byte: u8| DataKey::from_fill(DataKeyForm::SingleDes, |key| key.fill(byte));
        assert!(!single(0x01).is_sound() && !single(0xFE).is_sound(), "weak");
        assert!(!single(0x24).is_sound(), "even");
        assert!(single(0x25).is_sound());
        // The second part that judging adds may be weak; that is no fault of the key.
        assert!(single(0x01 ^ 0x06).is_sound() && single(0xFE ^ 0x06).is_sound());
        let double = |left: u8, right: u8| {
            DataKey::from_fill(DataKeyForm::DoubleCbcMac, |key| {
                key[..8].fill(left);
                key[8..].fill(right);
            })
        };
        assert!(double(0x25, 0x26).is_sound());
        for (left, right) in [(0x25, 0x25), (0x25, 0x01), (0xFE, 0x25), (0x25, 0x27)] {
            assert!(!double(left, right).is_sound());
        }
    }
}
