//! The base key of the fleet, and the names under it.

use cardroot::dukpt::{Bdk, KeySetId, KeySets, Ksn};
use cardroot::smid::{NameLayout, NameParts};
use cardroot::tdea::TdeaKey;

use crate::Failure;

/// The key set of a run that keeps nothing.
pub const DEMONSTRATION: u64 = 0xFF_FF98_7654;
/// Its length in bits, as the layout of the names has it.
const KEY_SET_BITS: u8 = 40;
const LAYOUT: NameLayout = NameLayout::ANNEX_A;

/// For show: the base key of the standard's examples, which everybody knows.
pub fn base_key() -> Bdk {
    Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()))
}

/// What the host holds.
pub fn key_sets(key_set: u64) -> Result<KeySets, Failure> {
    let mut key_sets = KeySets::new();
    key_sets.insert(KeySetId::new(key_set, KEY_SET_BITS)?, base_key())?;
    Ok(key_sets)
}

/// The name of a terminal's initial key.
pub fn terminal_name(key_set: u64, index: u32) -> Result<Ksn, Failure> {
    let parts = NameParts { key_set_id: key_set.into(), device_id: index.into(), counter: 0 };
    Ok(Ksn::try_from(LAYOUT.join(&parts)?.as_bytes())?)
}
