//! Base derivation keys by key set identifier.
#![cfg(feature = "alloc")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::tdea::{StrengthError, TdeaKey};
use cardroot_dukpt::{Bdk, KeySetError, KeySetId, KeySetIdError, KeySets, Ksn};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, bdk, ksn};
use proptest::prelude::*;

fn id(value: u64, bits: u8) -> KeySetId {
    KeySetId::new(value, bits).unwrap()
}

#[test]
fn identifiers_are_the_leftmost_bits_of_any_agreed_length() {
    let ksn = ksn("FFFF9876543210E00001");
    for (bits, shown) in [
        (1, "8/1"),
        (4, "F/4"),
        (16, "FFFF/16"),
        (19, "FFFF8/19"),
        (36, "FFFF98765/36"),
        (40, "FFFF987654/40"),
        (58, "FFFF9876543210C/58"),
    ] {
        let id = KeySetId::of(&ksn, bits).unwrap();
        assert_eq!((id.to_string().as_str(), id.bits()), (shown, bits));
        assert_eq!(KeySetId::new(id.value(), bits), Ok(id));
        assert!(id.contains(&ksn));
    }
    assert_eq!(format!("{:?}", id(0, 12)), "KeySetId(000/12)");
}

#[test]
fn no_bits_more_than_58_and_values_too_large_are_no_identifier() {
    for bits in [0, 59, 60, 64, 255] {
        assert_eq!(KeySetId::new(0, bits), Err(KeySetIdError::Length { found: bits }));
        assert_eq!(KeySetId::of(&ksn(ANNEX_A_KSN), bits), Err(KeySetIdError::Length { found: bits }));
    }
    assert_eq!(KeySetId::new(1 << 40, 40), Err(KeySetIdError::Value { bits: 40 }));
    assert_eq!(KeySetId::new(u64::MAX, 58), Err(KeySetIdError::Value { bits: 58 }));
    assert!(KeySetId::new((1 << 58) - 1, 58).is_ok());
}

#[test]
fn the_bit_beside_the_identifier_does_not_count_and_its_last_one_does() {
    let id = KeySetId::of(&ksn(ANNEX_A_KSN), 58).unwrap();
    assert!(id.contains(&ksn("FFFF9876543210E00000")) && id.contains(&ksn("FFFF9876543210DFFFFF")));
    assert!(!id.contains(&ksn("FFFF9876543210A00000")) && !id.contains(&ksn("7FFF9876543210E00000")));
}

#[test]
fn a_key_set_is_taken_once_and_shares_no_originator_with_another() {
    let mut sets = KeySets::new();
    let held = id(0xFFFF98, 24);
    sets.insert(held, bdk(ANNEX_A_BDK)).unwrap();
    for taken in [held, id(0xFFFF987654, 40), id(0xFFFF, 16), id(1, 1), id(0x1FFFF30, 25)] {
        assert_eq!(sets.insert(taken, bdk(ANNEX_A_BDK)), Err(KeySetError::Taken { with: held }), "{taken}");
    }
    sets.insert(id(0xFFFF99, 24), bdk(ANNEX_A_BDK)).unwrap();
    sets.insert(id(0xFFFF976, 28), bdk(ANNEX_A_BDK)).unwrap();
    let ids: Vec<String> = sets.ids().map(ToString::to_string).collect();
    assert_eq!(ids, ["FFFF976/28", "FFFF98/24", "FFFF99/24"]);
}

#[test]
fn a_retired_key_set_is_unknown_and_its_place_is_free() {
    let mut sets = KeySets::new();
    let held = KeySetId::of(&ksn(ANNEX_A_KSN), 40).unwrap();
    assert!(sets.remove(&held).is_none());
    sets.insert(held, bdk(ANNEX_A_BDK)).unwrap();
    assert_eq!(sets.find(&ksn(ANNEX_A_KSN)), Some(&held));
    assert!(sets.remove(&held).is_some());
    assert_eq!(sets.find(&ksn(ANNEX_A_KSN)), None);
    sets.insert(id(0xFFFF, 16), bdk(ANNEX_A_BDK)).unwrap();
}

#[test]
fn weak_base_keys_are_refused() {
    let weak = Bdk::from_key(TdeaKey::from([0x25; 16]));
    let error = KeySetError::Strength(StrengthError::PartsEqual { first: 1, second: 2 });
    let mut sets = KeySets::new();
    assert_eq!(sets.insert(id(0, 40), weak), Err(error));
    assert_eq!(sets.ids().count(), 0);
}

#[test]
fn debug_shows_identifiers_and_no_key_bytes() {
    let mut sets = KeySets::new();
    let key = TdeaKey::from(0xA5A5A5A5A5A5A5A5_25A5A5A5A5A5A5A5_u128.to_be_bytes());
    sets.insert(id(0x1234, 16), Bdk::from_key(key)).unwrap();
    for shown in [format!("{sets:?}"), format!("{sets:#?}"), format!("{sets:#x?}")] {
        assert!(shown.contains("1234/16"), "{shown}");
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}

proptest! {
    /// Against a search that asks every identifier.
    #[test]
    fn the_key_set_found_is_the_only_one_that_contains_the_number(
        ids in proptest::collection::vec((any::<u64>(), 1_u8..=58), 1..12),
        numbers in proptest::collection::vec(any::<[u8; 10]>(), 1..12),
    ) {
        let mut sets = KeySets::new();
        let mut held: Vec<KeySetId> = vec![];
        for (value, bits) in ids {
            let id = id(value & ((1 << bits) - 1), bits);
            let shared = held.iter().any(|held| held.overlaps(&id));
            prop_assert_eq!(sets.insert(id, bdk(ANNEX_A_BDK)).is_err(), shared);
            if !shared {
                held.push(id);
            }
        }
        let of_a_set = held.iter().flat_map(|id| {
            let first = id.value() << (64 - id.bits());
            let last = first | (u64::MAX >> id.bits());
            [first, last, first.wrapping_sub(1), last.wrapping_add(1)].map(|left| {
                let [a, b, c, d, e, f, g, h] = left.to_be_bytes();
                [a, b, c, d, e, f, g, h, 0, 0]
            })
        });
        for ksn in of_a_set.chain(numbers).map(Ksn::from) {
            let naive: Vec<&KeySetId> = held.iter().filter(|id| id.contains(&ksn)).collect();
            prop_assert!(naive.len() <= 1);
            prop_assert_eq!(sets.find(&ksn), naive.first().copied());
        }
    }
}
