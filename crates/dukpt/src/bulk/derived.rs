//! The kinds of keys that derivation ends with.

use super::Halves;
use super::items::Goal;
use crate::ksn::Ksn;

/// A key that a key serial number names: [`InitialKey`](crate::InitialKey), [`TransactionKey`](crate::TransactionKey) or a
/// working key of either edition.
///
/// A key that is only taken from outside is none:
/// ```
/// # use cardroot_dukpt::{Bdk, PinKey, bulk::Derivation};
/// fn all(messages: Derivation<'_>) { messages.derive::<PinKey>(|_, _| {}) }
/// ```
/// ```compile_fail,E0277
/// # use cardroot_dukpt::{Bdk, PinKey, bulk::Derivation};
/// fn all(messages: Derivation<'_>) { messages.derive::<Bdk>(|_, _| {}) }
/// ```
pub trait DerivedKey: Sealed {}

impl<K: Sealed> DerivedKey for K {}

/// A working key that computes MACs. The MACs of terminals of 2004 are those of [`MacRequestKey`](crate::MacRequestKey).
///
/// ```
/// # use cardroot_dukpt::{MacRequestKey, PinKey, bulk::Derivation};
/// fn all(messages: Derivation<'_>, texts: &[&[u8]]) { messages.macs::<MacRequestKey>(texts, |_, _| {}).expect("a text each") }
/// ```
/// ```compile_fail,E0277
/// # use cardroot_dukpt::{MacRequestKey, PinKey, bulk::Derivation};
/// fn all(messages: Derivation<'_>, texts: &[&[u8]]) { messages.macs::<PinKey>(texts, |_, _| {}).expect("a text each") }
/// ```
#[cfg(feature = "alloc")]
pub trait MacKey: DerivedKey {}

/// What derivation does with a key, and nobody else can.
pub trait Sealed: Sized {
    /// What is derived.
    const GOAL: Goal<'static>;

    /// A key of zeros, to be overwritten.
    fn blank(ksn: &Ksn) -> Self;

    /// Gives the key another name, and its halves to be written.
    fn rename(&mut self, ksn: &Ksn) -> &mut Halves;
}

/// A new key.
#[cfg(feature = "alloc")]
#[inline]
pub(super) fn key<K: DerivedKey>(halves: &Halves, ksn: &Ksn) -> K {
    let mut key = K::blank(ksn);
    *key.rename(ksn) = *halves;
    key
}

/// A key in the place of another one, so that none is moved or copied.
#[inline]
pub(super) fn replace<'a, K: DerivedKey>(place: &'a mut Option<K>, halves: &Halves, ksn: &Ksn) -> &'a K {
    let key = place.get_or_insert_with(|| K::blank(ksn));
    *key.rename(ksn) = *halves;
    key
}
