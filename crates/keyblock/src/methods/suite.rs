//! Which key types serve the transactions of a node.

use alloc::vec::Vec;
use core::fmt;

use super::loaded::Loaded;
use super::slot::{Part, SlotKeys};
use super::state::Reader;
use crate::attributes::{Algorithm, Usage};
use crate::block_key::{BaseKey, BlockKey};
use crate::{aes_keys, tdea_keys};

/// The key types of a node's transactions: one for each purpose. A suite of your own takes part by implementing it, as for keys of
/// one direction.
pub trait KeySuite: 'static {
    /// Encrypts PIN blocks.
    type Pin: BlockKey;
    /// Authenticates messages.
    type Mac: BlockKey;
    /// Encrypts data.
    type Data: BlockKey;
}

/// TDEA with the retail MAC, whose keys are of double length.
#[derive(Debug)]
pub enum TdeaRetail {}

/// TDEA with CMAC.
#[derive(Debug)]
pub enum TdeaCmac {}

/// AES with CMAC, PIN blocks of format 4.
#[derive(Debug)]
pub enum Aes {}

impl KeySuite for TdeaRetail {
    type Pin = tdea_keys::PinKey;
    type Mac = tdea_keys::RetailMacKey;
    type Data = tdea_keys::DataKey;
}

impl KeySuite for TdeaCmac {
    type Pin = tdea_keys::PinKey;
    type Mac = tdea_keys::CmacKey;
    type Data = tdea_keys::DataKey;
}

impl KeySuite for Aes {
    type Pin = aes_keys::PinKey;
    type Mac = aes_keys::CmacKey;
    type Data = aes_keys::DataKey;
}

/// The fixed transaction keys of a terminal: up to one for each purpose. They come and go together.
///
/// # Examples
/// A key of one purpose does not stand in for another:
/// ```
/// # use cardroot_keyblock::{methods::{KeySet, Loaded, TdeaRetail}, tdea_keys::{PinKey, RetailMacKey}};
/// fn keys(pin: Loaded<PinKey>, mac: Loaded<RetailMacKey>) -> KeySet<TdeaRetail> {
///     KeySet::new().with_pin(pin).with_mac(mac)
/// }
/// ```
/// ```compile_fail,E0308
/// # use cardroot_keyblock::{methods::{KeySet, Loaded, TdeaRetail}, tdea_keys::{PinKey, RetailMacKey}};
/// fn keys(pin: Loaded<PinKey>, mac: Loaded<RetailMacKey>) -> KeySet<TdeaRetail> {
///     KeySet::new().with_pin(mac)
/// }
/// ```
pub struct KeySet<S: KeySuite> {
    pin: Option<Loaded<S::Pin>>,
    mac: Option<Loaded<S::Mac>>,
    data: Option<Loaded<S::Data>>,
}

impl<S: KeySuite> KeySet<S> {
    /// No key yet.
    #[must_use]
    pub const fn new() -> Self {
        Self { pin: None, mac: None, data: None }
    }

    /// With this PIN key.
    #[must_use]
    pub fn with_pin(self, key: Loaded<S::Pin>) -> Self {
        Self { pin: Some(key), ..self }
    }

    /// With this MAC key.
    #[must_use]
    pub fn with_mac(self, key: Loaded<S::Mac>) -> Self {
        Self { mac: Some(key), ..self }
    }

    /// With this data key.
    #[must_use]
    pub fn with_data(self, key: Loaded<S::Data>) -> Self {
        Self { data: Some(key), ..self }
    }

    /// The PIN key.
    #[must_use]
    pub fn pin(&self) -> Option<&S::Pin> {
        self.pin.as_ref().map(|loaded| &loaded.key)
    }

    /// The MAC key.
    #[must_use]
    pub fn mac(&self) -> Option<&S::Mac> {
        self.mac.as_ref().map(|loaded| &loaded.key)
    }

    /// The data key.
    #[must_use]
    pub fn data(&self) -> Option<&S::Data> {
        self.data.as_ref().map(|loaded| &loaded.key)
    }
}

impl<S: KeySuite> Default for KeySet<S> {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: KeySuite> fmt::Debug for KeySet<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet").finish_non_exhaustive()
    }
}

impl<S: KeySuite> SlotKeys for KeySet<S> {
    const KINDS: &'static [(Usage, Algorithm)] =
        &[kind_of::<S::Pin>(), kind_of::<S::Mac>(), kind_of::<S::Data>()];

    fn parts(&self) -> Vec<Part> {
        let parts = [parts_of(&self.pin), parts_of(&self.mac), parts_of(&self.data)];
        parts.into_iter().flatten().collect()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        encode(&self.pin, out);
        encode(&self.mac, out);
        encode(&self.data, out);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self { pin: decode(reader)?, mac: decode(reader)?, data: decode(reader)? })
    }
}

const fn kind_of<K: BlockKey>() -> (Usage, Algorithm) {
    (K::USAGE, K::Base::ALGORITHM)
}

fn parts_of<K: BlockKey>(key: &Option<Loaded<K>>) -> Vec<Part> {
    key.as_ref().map(SlotKeys::parts).unwrap_or_default()
}

/// `present 1 || key`
fn encode<T: SlotKeys>(keys: &Option<T>, out: &mut Vec<u8>) {
    out.push(keys.is_some().into());
    if let Some(keys) = keys {
        keys.encode(out);
    }
}

fn decode<T: SlotKeys>(reader: &mut Reader<'_>) -> Option<Option<T>> {
    match reader.byte()? {
        0 => Some(None),
        1 => T::decode(reader).map(Some),
        _ => None,
    }
}
