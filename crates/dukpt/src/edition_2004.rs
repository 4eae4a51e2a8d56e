//! The working keys that the 2002 and 2004 editions of ANS X9.24-1 have otherwise than the 2009 edition, for reading.
//!
//! One MAC key and one data key serve both directions, and the data key is the bare variant. They verify and decrypt what
//! terminals built then send; [`PinKey`](crate::PinKey) is the same in all editions.
//!
//! A key for both directions cannot tell a request from an answer, so an answer under it may be played back as a request.
//! Making MACs and data under these keys is therefore no method of theirs. A host that has to answer such terminals asks for it
//! by feature and name: `hazmat`.

use crate::keys::TransactionKey;
use crate::working_keys::{Recipe, decrypts_data, derived_key};

tdea::key_type! {
    /// MAC key of the 2004 edition, for both directions: it verifies.
    ///
    /// `transaction key ^ FF at bytes 6 and 14`: the bytes of [`MacRequestKey`](crate::MacRequestKey).
    ///
    /// # Source
    /// ANS X9.24-1:2004 Annex A.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{TransactionKey, tdea::MacMismatch};
    /// fn old_peer(key: &TransactionKey, message: &[u8], mac: &[u8]) -> Result<(), MacMismatch> {
    ///     key.mac_key_2004().verify_mac(message, mac)
    /// }
    /// ```
    /// New MACs are not made:
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::{TransactionKey, tdea::Mac};
    /// fn old_peer(key: &TransactionKey, message: &[u8]) -> Mac { key.mac_key_2004().mac(message) }
    /// ```
    pub struct MacKey { pub(crate) from_key }
}

tdea::key_type! {
    /// Data encryption key of the 2004 edition, for both directions: it decrypts.
    ///
    /// `transaction key ^ FF at bytes 5 and 13`, without the one-way step that
    /// [`DataRequestKey`](crate::DataRequestKey) has.
    ///
    /// # Source
    /// ANS X9.24-1:2004 Annex A.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{TransactionKey, ZERO_IV, edition_2004, tdea::PaddingError};
    /// fn old_peer(transaction_key: &TransactionKey) -> edition_2004::DataKey { transaction_key.data_key_2004() }
    /// fn read(key: &edition_2004::DataKey, data: &mut [u8]) -> Result<(), PaddingError> { key.decrypt(ZERO_IV, data) }
    /// ```
    /// It is no data key of the 2009 edition:
    /// ```compile_fail,E0308
    /// # use cardroot_dukpt::{TransactionKey, edition_2004};
    /// fn old_peer(transaction_key: &TransactionKey) -> edition_2004::DataKey { transaction_key.data_request_key() }
    /// ```
    /// and new data is not made:
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::{ZERO_IV, edition_2004, tdea::PaddingError};
    /// fn send(key: &edition_2004::DataKey, data: &mut [u8]) -> Result<(), PaddingError> { key.encrypt(ZERO_IV, data) }
    /// ```
    pub struct DataKey { pub(crate) from_key }
}

decrypts_data!(DataKey);
derived_key!(MacKey: MAC_REQUEST);
derived_key!(DataKey: DATA_2004);

impl MacKey {
    /// Verifies a received code of 4 to 8 bytes in constant time: ISO 9797-1 MAC algorithm 3 with zero padding, of which the
    /// edition sends the leftmost 4 bytes.
    ///
    /// # Errors
    /// Returns [`MacMismatch`](tdea::MacMismatch) if it is not the code of `message`.
    pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), tdea::MacMismatch> {
        retail_mac(&self.0, message).verify(received)
    }
}

fn retail_mac(key: &tdea::TdeaKey, message: &[u8]) -> tdea::Mac {
    tdea::RetailMac::compute(key, tdea::Padding::Zeros, message)
        .expect("the key is of double length and any message can be padded")
}

impl TransactionKey {
    /// The key that verifies MACs of both directions, 2004 edition.
    #[must_use]
    pub fn mac_key_2004(&self) -> MacKey {
        MacKey::from_key(Recipe::MAC_REQUEST.make(self.expose_key()))
    }

    /// The key that decrypts data of both directions, 2004 edition.
    #[must_use]
    pub fn data_key_2004(&self) -> DataKey {
        DataKey::from_key(Recipe::DATA_2004.make(self.expose_key()))
    }
}

/// Keys that make what terminals of 2002 and 2004 accept: for a host that has to answer them, and for simulated ones.
///
/// Nothing in such a MAC says who made it. Where a host answers under these keys, the messages themselves must tell requests from
/// answers, or an attacker sends the host its own answer.
#[cfg(feature = "hazmat")]
pub mod hazmat {
    use super::{Recipe, TransactionKey, retail_mac};
    use crate::working_keys::encrypts_data;

    tdea::key_type! {
        /// Makes MACs as the 2004 edition has them: the bytes of [`MacKey`](super::MacKey).
        ///
        /// # Source
        /// ANS X9.24-1:2004 Annex A.
        ///
        /// # Examples
        /// ```
        /// # use cardroot_dukpt::{TransactionKey, edition_2004::hazmat::MacGenerationKey};
        /// fn answer_old_terminal(key: &TransactionKey, answer: &[u8]) -> [u8; 4] {
        ///     MacGenerationKey::of(key).mac(answer).truncated()
        /// }
        /// ```
        pub struct MacGenerationKey { pub(crate) from_key }
    }

    tdea::key_type! {
        /// Encrypts data as the 2004 edition has it: the bytes of [`DataKey`](super::DataKey).
        ///
        /// # Source
        /// ANS X9.24-1:2004 Annex A.
        pub struct DataEncryptionKey { pub(crate) from_key }
    }

    encrypts_data!(DataEncryptionKey);

    impl MacGenerationKey {
        /// The key of one transaction.
        #[must_use]
        pub fn of(transaction_key: &TransactionKey) -> Self {
            Self::from_key(Recipe::MAC_REQUEST.make(transaction_key.expose_key()))
        }

        /// The code of a whole message, as [`MacKey::verify_mac`](super::MacKey::verify_mac) computes it.
        #[must_use]
        pub fn mac(&self, message: &[u8]) -> tdea::Mac {
            retail_mac(&self.0, message)
        }
    }

    impl DataEncryptionKey {
        /// The key of one transaction.
        #[must_use]
        pub fn of(transaction_key: &TransactionKey) -> Self {
            Self::from_key(Recipe::DATA_2004.make(transaction_key.expose_key()))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use super::*;

    #[test]
    fn debug_shows_no_key_bytes() {
        let a5 = || tdea::TdeaKey::from([0xA5; 16]);
        let mut keys = alloc::vec::Vec::new();
        let (mac, data) = (MacKey::from_key(a5()), DataKey::from_key(a5()));
        keys.extend([format!("{mac:?} {mac:#?}"), format!("{data:?} {data:#x?}")]);
        #[cfg(feature = "hazmat")]
        {
            let mac = hazmat::MacGenerationKey::from_key(a5());
            let data = hazmat::DataEncryptionKey::from_key(a5());
            keys.extend([format!("{mac:?} {mac:#?}"), format!("{data:?} {data:#x?}")]);
        }
        for shown in keys {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }
}
