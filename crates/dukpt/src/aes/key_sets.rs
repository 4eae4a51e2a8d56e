//! Base derivation keys by the identifier that begins the names of their originators.

use alloc::collections::BTreeMap;

use crate::aes::counter::{Counter, CounterError, OnesLimit};
use crate::aes::keys::{Bdk, TransactionKey, UpdateKey};
use crate::aes::ksn::{BdkId, InitialKeyId, Ksn};
use crate::aes::receiver::{ReceiveError, Unauthenticated};
use crate::scheme::BaseKeys;

/// The base derivation keys that a receiver holds, each by its identifier, and how many ones it takes in a counter. Keys are
/// wiped on drop; `Debug` shows the identifiers alone.
///
/// # Source
/// ANS X9.24-3:2017 6.3.3: the first 4 bytes of a name say which base derivation key it comes from.
#[derive(Debug, Default)]
pub struct KeySets {
    bdks: BTreeMap<BdkId, Bdk>,
    limit: OnesLimit,
}

/// There is a base derivation key of this identifier already.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("there is a base derivation key {id} already")]
pub struct BdkIdTaken {
    /// The identifier.
    pub id: BdkId,
}

impl KeySets {
    /// No key sets. Counters may have 16 ones, as the text of the standard has it.
    #[must_use]
    pub const fn new() -> Self {
        Self::with_ones_limit(OnesLimit::Sixteen)
    }

    /// No key sets, and how many ones counters may have: it depends on how the originators were built.
    #[must_use]
    pub const fn with_ones_limit(limit: OnesLimit) -> Self {
        Self { bdks: BTreeMap::new(), limit }
    }

    /// How many ones counters may have.
    #[must_use]
    pub const fn ones_limit(&self) -> OnesLimit {
        self.limit
    }

    /// Takes a base derivation key.
    ///
    /// # Errors
    /// Returns [`BdkIdTaken`] if there is one with this identifier: another key would give other keys for the same names.
    pub fn insert(&mut self, id: BdkId, bdk: Bdk) -> Result<(), BdkIdTaken> {
        if self.bdks.contains_key(&id) {
            return Err(BdkIdTaken { id });
        }
        self.bdks.insert(id, bdk);
        Ok(())
    }

    /// Takes the base derivation key of a retired key set out: from now on its messages are of an unknown one.
    pub fn remove(&mut self, id: &BdkId) -> Option<Bdk> {
        self.bdks.remove(id)
    }

    /// The identifiers that there are base keys for, in their order.
    pub fn ids(&self) -> impl Iterator<Item = &BdkId> {
        self.bdks.keys()
    }

    /// The identifier of the base key that `ksn` belongs to, if there is one.
    #[must_use]
    pub fn find(&self, ksn: &Ksn) -> Option<&BdkId> {
        self.bdks.get_key_value(&ksn.id().bdk_id()).map(|(id, _)| id)
    }

    /// Derives the key under which a new initial key travels to an originator in the field, as
    /// [`Bdk::derive_update_key`]; `None` if no base key is held for it.
    #[must_use]
    pub fn derive_update_key(&self, id: &InitialKeyId) -> Option<UpdateKey> {
        Some(self.bdks.get(&id.bdk_id())?.derive_update_key(id))
    }
}

impl BaseKeys for KeySets {
    type Key = TransactionKey;
    type CounterError = CounterError;

    fn derive(&self, ksn: &Ksn) -> Result<Unauthenticated, ReceiveError> {
        let bdk = self.bdks.get(&ksn.id().bdk_id()).ok_or(ReceiveError::UnknownKeySet)?;
        let counter = ksn.counter_within(self.limit)?;
        Ok(Unauthenticated::new(bdk.derive_initial_key(&ksn.id()).transaction_key(counter), counter))
    }

    fn gap(&self, counter: Counter, previous: Option<u32>) -> (Option<Counter>, u32) {
        // A receiver with the other limit may have accepted it.
        let previous = previous.and_then(|previous| Counter::within(previous, OnesLimit::Seventeen).ok());
        (previous, counter.follows(previous, self.limit).unwrap_or(0))
    }
}
