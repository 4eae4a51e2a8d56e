//! Card data under the key that is meant for PINs.
//!
//! Card readers exist that encrypt track and EMV data under the PIN key, by TDEA-CBC; some can be set to the data key
//! instead. No edition has this use: whoever may ask for such data to be decrypted can have PIN blocks decrypted, too. Keep it
//! to key sets under which no PIN is ever sent.

use tdea::{Mode, PaddingError};

use crate::ZERO_IV;
use crate::keys::TransactionKey;

tdea::key_type! {
    /// Decrypts card data that a reader encrypted under the PIN key of one transaction.
    ///
    /// `transaction key ^ FF at bytes 7 and 15`: the bytes of [`PinKey`](crate::PinKey).
    ///
    /// # Source
    /// No standard. Reader manuals that let the PIN key be chosen for card data, and software that reads them.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{legacy::pin_variant_data, tdea::PaddingError};
    /// fn read(key: &pin_variant_data::DataKey, data: &mut [u8]) -> Result<(), PaddingError> { key.decrypt(data) }
    /// ```
    /// New data is not made:
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::{legacy::pin_variant_data, tdea::PaddingError};
    /// fn send(key: &pin_variant_data::DataKey, data: &mut [u8]) -> Result<(), PaddingError> { key.encrypt(data) }
    /// ```
    pub struct DataKey { pub(crate) from_key }
}

impl DataKey {
    /// The key of one transaction.
    #[must_use]
    pub fn of(transaction_key: &TransactionKey) -> Self {
        Self::from_key(transaction_key.pin_key().expose_key().duplicate())
    }

    /// Decrypts whole blocks in place, by CBC from zero. What fills the last block up is left there.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
    pub fn decrypt(&self, data: &mut [u8]) -> Result<(), PaddingError> {
        self.0.cipher().decrypt(Mode::Cbc { iv: ZERO_IV }, data)
    }
}

#[cfg(test)]
mod tests {
    use std::format;

    use tdea::TdeaKey;

    use super::*;

    #[test]
    fn debug_shows_no_key_bytes() {
        let key = DataKey::from_key(TdeaKey::from([0xA5; 16]));
        for shown in [format!("{key:?}"), format!("{key:#?}"), format!("{key:#x?}")] {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }
}
