//! PBOC dispersion with SM4 on known answers.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::block::Sm4Key;
use cardroot_diversify::pboc::{ProcessInput, Transaction};
use cardroot_diversify::{Factor, NoFactor, sm4};
use common::{factor, hex, rows};
use proptest::prelude::*;
use tdea::{KcvError, KcvMethod};

const VECTORS: &str = include_str!("data/diversify_pboc.csv");

fn key(text: &str) -> Sm4Key {
    Sm4Key::try_from(hex(text).as_slice()).unwrap()
}

/// The example of the standard happens to be a factor followed by its complement.
#[test]
fn one_level_agrees_with_the_example_of_gbt_32907() {
    let child = sm4::derive(&key("0123456789ABCDEFFEDCBA9876543210"), factor("0123456789ABCDEF"));
    assert!(child.ct_eq(&key("681EDF34D206965E86B3E94F536E4246")));
}

#[test]
fn dispersion_agrees_with_known_answers() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("alg") == "SM4") {
        let path = row.text("factors").split('/').map(factor);
        let derived = sm4::derive_path(&row.sm4_key("root_key"), path).unwrap();
        assert!(derived.ct_eq(&row.sm4_key("derived_key")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of SM4 dispersion");
    assert_eq!(checked, 2);
}

#[test]
fn unconfirmed_session_keys_agree_with_the_computed_row() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("alg") == "SM4-SESSION") {
        let atc = u16::from_str_radix(row.text("factors"), 16).unwrap();
        let derived = sm4::unconfirmed_session_key(&row.sm4_key("root_key"), atc);
        assert!(derived.ct_eq(&row.sm4_key("derived_key")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of SM4 sessions");
    assert_eq!(checked, 1);
}

#[test]
fn a_process_key_is_one_more_level() {
    let card_key = key("0123456789ABCDEFFEDCBA9876543210");
    let transaction = Transaction::Terminal { sequence: 0xAAAA_CDEF };
    let input = ProcessInput { random: [0x01, 0x23, 0x45, 0x67], counter: 0x89AB, transaction };
    assert!(sm4::process_key(&card_key, &input).ct_eq(&key("681EDF34D206965E86B3E94F536E4246")));
}

#[test]
fn a_path_without_factors_hands_out_no_key() {
    assert_eq!(sm4::derive_path(&key("0123456789ABCDEFFEDCBA9876543210"), []).unwrap_err(), NoFactor);
}

proptest! {
    #[test]
    fn a_path_is_one_level_after_another(root: [u8; 16], path in prop::collection::vec(any::<[u8; 8]>(), 1..8)) {
        let root = Sm4Key::from_fill(|key| *key = root);
        let step_by_step = path.iter().fold(root.duplicate(), |parent, factor| sm4::derive(&parent, (*factor).into()));
        let at_once = sm4::derive_path(&root, path.into_iter().map(Factor::from)).unwrap();
        prop_assert!(at_once.ct_eq(&step_by_step));
    }
}

#[test]
fn check_values_have_2_to_16_bytes_of_the_zero_block() {
    let row = &rows(VECTORS)[0];
    assert!(row.text("id").starts_with("PBOC"));
    let key = row.sm4_key("derived_key");
    let shown = |len| key.kcv_by(KcvMethod::Sm4Zeros, len);
    assert_eq!(shown(3).unwrap(), key.kcv());
    assert!(shown(16).unwrap().as_bytes().starts_with(key.kcv().as_bytes()));
    for found in [0, 1, 17] {
        assert_eq!(shown(found), Err(KcvError::Length { max: 16, found }));
    }
    for method in [KcvMethod::TdeaZeros, KcvMethod::AesZeros] {
        assert_eq!(key.kcv_by(method, 3), Err(KcvError::Cipher));
    }
}
