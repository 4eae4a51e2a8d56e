//! The key that wraps and unwraps.

use tdea::{KeyLength, Mac, MacPadding, Mode, Padding, RetailMac, StrengthError, TdeaKey};
use zeroize::Zeroizing;

use crate::factor::Factor;
use crate::level::LevelId;
use crate::pboc::Diversifier;
use crate::transport::wrapped::{ALGORITHM_TDEA, CIPHERTEXT_LEN, Header, WrappedKey};
use crate::tree::purpose::{Derived, PurposeId};
use crate::tree::{Level, Origin, TreeKey};

/// Length of the record under encryption: level, purpose, version, algorithm, key.
const RECORD_LEN: usize = 4 + KeyLength::Double.bytes();
/// The record with its length in front, before padding.
const PLAIN_LEN: usize = 1 + RECORD_LEN;
#[expect(clippy::cast_possible_truncation, reason = "the record is 20 bytes")]
const RECORD_LEN_BYTE: u8 = RECORD_LEN as u8;

const ENCRYPTION: Factor = Factor::from_label("WRAPENC");
const AUTHENTICATION: Factor = Factor::from_label("WRAPMAC");

tdea::key_type! {
    /// The key that two centres share to send keys of the tree to one another. One pair of centres, one key.
    ///
    /// A double-length key, at least as strong as the keys it wraps.
    ///
    /// # Source
    /// ANS X9.24-1:2009 7.1.8 and 7.1.10 (strength), 7.6 (one pair, one purpose).
    pub struct TransportKey;
}

/// A transport key that is not fit to wrap.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// PBOC dispersion and the retail MAC take keys of 16 bytes.
    #[error("a transport key is of double length")]
    TripleLengthKey,
    /// The transport key is weaker than the keys it would wrap.
    #[error("the transport key is too weak: {0}")]
    Strength(#[from] StrengthError),
}

/// The wrapped key is not what it was expected to be. Opaque on purpose: it does not say what differs.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the wrapped key can't be unwrapped as the key expected")]
pub struct UnwrapError;

impl TransportKey {
    /// Verifies that the key is fit to wrap.
    ///
    /// # Errors
    /// Returns [`WrapError::TripleLengthKey`], or [`WrapError::Strength`] for equal halves and weak keys.
    pub fn check(&self) -> Result<(), WrapError> {
        match self.0.length() {
            KeyLength::Double => Ok(self.0.check_strength()?),
            KeyLength::Triple => Err(WrapError::TripleLengthKey),
        }
    }

    /// Encrypts and authenticates a key of the tree, together with its level, purpose, version and origin.
    ///
    /// The parent key is no such key, it stays where it was made:
    /// ```
    /// # use cardroot_diversify::{transport::TransportKey, tree::{CityKey, purpose::Purchase}};
    /// fn send(transport: &TransportKey, key: &CityKey<Purchase>) { let _ = transport.wrap(key); }
    /// ```
    /// ```compile_fail,E0277
    /// # use cardroot_diversify::{transport::TransportKey, tree::ParentKey};
    /// fn send(transport: &TransportKey, key: &ParentKey) { let _ = transport.wrap(key); }
    /// ```
    ///
    /// # Errors
    /// Returns [`WrapError`] if the transport key is not fit to wrap.
    pub fn wrap<L: Level<P>, P: Derived>(&self, key: &TreeKey<L, P>) -> Result<WrappedKey, WrapError> {
        self.check()?;
        let header = Header { level: L::ID, purpose: P::ID, origin: key.origin(), kcv: key.kcv() };
        let keys = Separated::of(self);
        let ciphertext = keys.encrypt(&header, key.expose_key());
        Ok(WrappedKey { header, ciphertext, mac: *keys.mac(&header, &ciphertext).as_bytes() })
    }

    /// Opens a wrapped key as the key that the caller expects: level and purpose by their types, place and version by
    /// `origin`. The MAC is verified before anything is decrypted.
    ///
    /// # Errors
    /// Returns [`UnwrapError`] if the wrapped key is another one, was altered, or was not made under this key.
    pub fn unwrap<L: Level<P>, P: Derived>(
        &self,
        wrapped: &WrappedKey,
        origin: Origin,
    ) -> Result<TreeKey<L, P>, UnwrapError> {
        self.check().map_err(|_| UnwrapError)?;
        let WrappedKey { header, ciphertext, mac } = wrapped;
        let keys = Separated::of(self);
        keys.mac(header, ciphertext).verify(mac).map_err(|_| UnwrapError)?;
        if (header.level, header.purpose, header.origin) != (L::ID, P::ID, origin) {
            return Err(UnwrapError);
        }
        let key = TreeKey::new(keys.decrypt(header, ciphertext)?, origin);
        key.kcv().verify(&header.kcv).map_err(|_| UnwrapError)?;
        Ok(key)
    }
}

/// The two keys made from a transport key, one for each purpose.
struct Separated {
    encryption: TdeaKey,
    authentication: TdeaKey,
}

impl Separated {
    /// `transport` is of double length.
    fn of(transport: &TransportKey) -> Self {
        let diversifier = Diversifier::new(&transport.0).expect("the transport key was checked");
        Self {
            encryption: diversifier.derive(ENCRYPTION),
            authentication: diversifier.derive(AUTHENTICATION),
        }
    }

    fn mac(&self, header: &Header, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Mac {
        let mut mac = RetailMac::new(&self.authentication, MacPadding::OneAndZeros)
            .expect("a derived key is of double length");
        mac.update(&header.to_bytes());
        mac.update(ciphertext);
        mac.finalize().expect("this padding fits every length")
    }

    fn encrypt(&self, header: &Header, key: &TdeaKey) -> [u8; CIPHERTEXT_LEN] {
        let mut plain = Zeroizing::new([0; PLAIN_LEN]);
        let (start, end) = plain.split_at_mut(PLAIN_LEN - KeyLength::Double.bytes());
        start.copy_from_slice(&record_start(header.level, header.purpose, header.origin.version));
        end.copy_from_slice(key.expose_bytes());
        let mut ciphertext = [0; CIPHERTEXT_LEN];
        self.encryption
            .cipher()
            .encrypt_padded(Mode::Ecb, Padding::OneAndZeros, &*plain, &mut ciphertext)
            .expect("the padded record is three blocks");
        ciphertext
    }

    fn decrypt(&self, header: &Header, ciphertext: &[u8; CIPHERTEXT_LEN]) -> Result<TdeaKey, UnwrapError> {
        let mut buffer = Zeroizing::new(*ciphertext);
        let plain = self
            .encryption
            .cipher()
            .decrypt_padded(Mode::Ecb, Padding::OneAndZeros, &mut *buffer)
            .map_err(|_| UnwrapError)?;
        let start = record_start(header.level, header.purpose, header.origin.version);
        match plain.strip_prefix(start.as_slice()) {
            Some(key) if key.len() == KeyLength::Double.bytes() => {
                Ok(TdeaKey::from_fill(KeyLength::Double, |out| out.copy_from_slice(key)))
            }
            _ => Err(UnwrapError),
        }
    }
}

/// The record up to the key, its length in front.
const fn record_start(level: LevelId, purpose: PurposeId, version: u8) -> [u8; 5] {
    [RECORD_LEN_BYTE, level.code(), purpose.code(), version, ALGORITHM_TDEA]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::CityKey;
    use crate::tree::purpose::Tac;

    const ORIGIN: Origin = Origin::city(1, Factor::from_label("CITY"));

    fn transport() -> TransportKey {
        TransportKey::from_key(0x9B2C_64F8_10A7_3ED5_70E3_1A89_4DBC_5F26_u128.to_be_bytes().into())
    }

    fn key() -> TdeaKey {
        0x4C1F_0B7E_25D3_9A68_F280_3D51_C6EA_9713_u128.to_be_bytes().into()
    }

    /// A wrapped key whose MAC is right, whatever the header and the record say.
    fn forge(header: Header, record: &Header, key: &TdeaKey) -> WrappedKey {
        let keys = Separated::of(&transport());
        let ciphertext = keys.encrypt(record, key);
        WrappedKey { header, ciphertext, mac: *keys.mac(&header, &ciphertext).as_bytes() }
    }

    fn unwrap(wrapped: &WrappedKey) -> Result<CityKey<Tac>, UnwrapError> {
        transport().unwrap(wrapped, ORIGIN)
    }

    #[test]
    fn record_and_check_value_must_agree_with_the_header_under_a_right_mac() {
        let header =
            Header { level: LevelId::City, purpose: PurposeId::Tac, origin: ORIGIN, kcv: key().kcv() };
        assert!(
            unwrap(&forge(header, &header, &key())).is_ok_and(|opened| opened.expose_key().ct_eq(&key()))
        );

        let other_level = Header { level: LevelId::Card, ..header };
        let other_purpose = Header { purpose: PurposeId::Purchase, ..header };
        let other_version = Header { origin: Origin { version: 2, ..ORIGIN }, ..header };
        for record in [other_level, other_purpose, other_version] {
            assert_eq!(unwrap(&forge(header, &record, &key())).unwrap_err(), UnwrapError);
        }
        let other_kcv = Header { kcv: TdeaKey::from([0x25; 16]).kcv(), ..header };
        assert_eq!(unwrap(&forge(other_kcv, &other_kcv, &key())).unwrap_err(), UnwrapError);
    }

    #[test]
    fn encryption_and_authentication_have_keys_of_their_own() {
        let Separated { encryption, authentication } = Separated::of(&transport());
        assert!(!encryption.ct_eq(&authentication));
        assert!(!encryption.ct_eq(&transport().0) && !authentication.ct_eq(&transport().0));
    }
}
