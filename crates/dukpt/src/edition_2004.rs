//! The working keys that the 2002 and 2004 editions of ANS X9.24-1 have otherwise than the 2009 edition.
//!
//! One MAC key and one data key serve both directions, and the data key is the bare variant. For talking to what was
//! built then; [`PinKey`](crate::PinKey) is the same in all of them.

use crate::keys::TransactionKey;
use crate::working_keys::{Recipe, data_key, derived_key, mac_key};

tdea::key_type! {
    /// MAC key of the 2004 edition, for both directions.
    ///
    /// `transaction key ^ FF at bytes 6 and 14`: the bytes of [`MacRequestKey`](crate::MacRequestKey).
    ///
    /// # Source
    /// ANS X9.24-1:2004 Annex A.
    pub struct MacKey { pub(crate) from_key }
}

tdea::key_type! {
    /// Data encryption key of the 2004 edition, for both directions.
    ///
    /// `transaction key ^ FF at bytes 5 and 13`, without the one-way step that
    /// [`DataRequestKey`](crate::DataRequestKey) has.
    ///
    /// # Source
    /// ANS X9.24-1:2004 Annex A.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{TransactionKey, edition_2004};
    /// fn old_peer(transaction_key: &TransactionKey) -> edition_2004::DataKey { transaction_key.data_key_2004() }
    /// ```
    /// It is no data key of the 2009 edition:
    /// ```compile_fail,E0308
    /// # use cardroot_dukpt::{TransactionKey, edition_2004};
    /// fn old_peer(transaction_key: &TransactionKey) -> edition_2004::DataKey { transaction_key.data_request_key() }
    /// ```
    pub struct DataKey { pub(crate) from_key }
}

mac_key!(MacKey);
data_key!(DataKey);
derived_key!(MacKey: MAC_REQUEST);
derived_key!(DataKey: DATA_2004);

impl TransactionKey {
    /// The key for MACs in both directions, 2004 edition.
    #[must_use]
    pub fn mac_key_2004(&self) -> MacKey {
        MacKey::from_key(Recipe::MAC_REQUEST.make(self.expose_key()))
    }

    /// The key for data in both directions, 2004 edition.
    #[must_use]
    pub fn data_key_2004(&self) -> DataKey {
        DataKey::from_key(Recipe::DATA_2004.make(self.expose_key()))
    }
}
