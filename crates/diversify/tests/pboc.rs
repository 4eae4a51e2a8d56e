//! PBOC dispersion and process keys on known answers, by two roads.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::pboc::{self, Diversifier, PairError, PathError, ProcessInput, Transaction};
use cardroot_diversify::{Factor, NoFactor, TripleLengthKey};
use common::{Row, factor, hex, key, rows};
use proptest::prelude::*;
use tdea::hazmat::{DesKey, DesMac};
use tdea::{KeyLength, Padding, TdeaKey};

const DISPERSION: &str = include_str!("data/diversify_pboc.csv");
const APDU: &str = include_str!("data/pboc_apdu.csv");

fn path(row: &Row) -> Vec<Factor> {
    row.text("factors").split('/').map(factor).collect()
}

#[test]
fn dispersion_agrees_with_known_answers() {
    let mut checked = 0;
    for row in rows(DISPERSION).iter().filter(|row| row.text("alg") == "3DES") {
        let derived = pboc::derive_path(&row.key("root_key"), path(row)).unwrap();
        assert!(derived.ct_eq(&row.key("derived_key")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of 3DES dispersion");
    assert_eq!(checked, 6);
}

#[test]
fn unconfirmed_session_keys_agree_with_the_computed_rows() {
    let mut checked = 0;
    for row in rows(DISPERSION).iter().filter(|row| row.text("alg") == "3DES-SESSION") {
        let atc = u16::from_str_radix(row.text("factors"), 16).unwrap();
        let derived = pboc::unconfirmed_session_key(&row.key("root_key"), atc).unwrap();
        assert!(derived.ct_eq(&row.key("derived_key")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of 3DES sessions");
    assert_eq!(checked, 2);
}

#[test]
fn every_row_of_dispersion_belongs_to_a_test() {
    let count = |alg: &str| rows(DISPERSION).iter().filter(|row| row.text("alg") == alg).count();
    assert_eq!(["3DES", "SM4", "3DES-SESSION", "SM4-SESSION"].map(count), [6, 2, 2, 1]);
    assert_eq!(rows(DISPERSION).len(), 6 + 2 + 2 + 1);
}

#[test]
fn folded_keys_make_the_known_codes() {
    let rows = rows(APDU);
    let row = |id: &str| rows.iter().find(|row| row.text("id") == id).unwrap();
    let dtk = key("00112233445566778899AABBCCDDEEFF");
    let (tac, folded) = (row("APDU-25"), DesKey::xor_of_halves(&dtk).unwrap());
    assert_eq!(folded.expose_bytes()[..], tac.bytes("key"));
    let code = DesMac::compute(&folded, Padding::OneAndZeros, &tac.bytes("input")).unwrap();
    assert_eq!(code.truncated::<4>()[..], tac.bytes("result"));

    let halves = row("APDU-37");
    let folded = DesKey::xor_of_halves(&halves.key("key")).unwrap();
    assert_eq!(folded.expose_bytes()[..], halves.bytes("result"));

    let reload = row("APDU-39");
    let folded = DesKey::xor_of_halves(&reload.key("key")).unwrap();
    let code = DesMac::compute(&folded, Padding::OneAndZeros, &reload.bytes("input")).unwrap();
    assert_eq!(code.truncated::<4>()[..], reload.bytes("result"));
}

#[test]
fn halves_by_factors_of_their_own_agree_with_dispersion() {
    let (parent, factor) = (key("00112233445566778899AABBCCDDEEFF"), factor("1122334455667788"));
    let by_pair = pboc::derive_by_pair(&parent, factor, factor.complement()).unwrap();
    assert!(by_pair.ct_eq(&pboc::derive(&parent, factor).unwrap()));
    assert_eq!(pboc::derive_by_pair(&parent, factor, factor).unwrap_err(), PairError::Equal);
    let triple = TdeaKey::from([0x13; 24]);
    let error = pboc::derive_by_pair(&triple, factor, factor.complement()).unwrap_err();
    assert_eq!(error, PairError::TripleLengthKey(TripleLengthKey));
}

/// Row APDU-05 is one block under a single DES key.
#[test]
fn a_single_des_child_is_one_block() {
    let rows = rows(APDU);
    let row = rows.iter().find(|row| row.text("id") == "APDU-05").unwrap();
    let parent = DesKey::try_from(row.bytes("key").as_slice()).unwrap();
    let child = pboc::derive_single_des(&parent, factor(row.text("input")));
    assert_eq!(child.expose_bytes()[..], row.bytes("result"));
}

#[test]
fn a_grey_lock_key_goes_two_steps() {
    let card_key = key("00112233445566778899AABBCCDDEEFF");
    let transaction = Transaction::Terminal { sequence: 7 };
    let input = ProcessInput { random: [1, 2, 3, 4], counter: 5, transaction };
    let temporary = pboc::process_key(&card_key, &input).unwrap();
    let mut block = [9, 8, 7, 6, 0x80, 0, 0, 0];
    // The other road: TDEA with both halves alike is single DES.
    TdeaKey::from_fill(KeyLength::Double, |both| {
        both.copy_from_slice(&[*temporary.expose_bytes(), *temporary.expose_bytes()].concat());
    })
    .cipher()
    .encrypt_block(&mut block);
    let process_key = pboc::grey_lock_process_key(&card_key, &input, [9, 8, 7, 6]).unwrap();
    assert_eq!(process_key.expose_bytes(), &block);
}

#[test]
fn process_keys_agree_with_known_answers() {
    let mut checked = 0;
    let process_keys = |row: &&Row| row.text("step").contains("process key");
    for row in rows(APDU).iter().filter(process_keys) {
        let input = row.bytes("input");
        let tail = u16::from_be_bytes([input[6], input[7]]);
        let transaction = if row.text("step").starts_with("LOAD") {
            assert_eq!(tail, 0x8000);
            Transaction::Host
        } else {
            // Only the low two bytes count.
            Transaction::Terminal { sequence: 0xABCD_0000 | u32::from(tail) }
        };
        let input = ProcessInput {
            random: input[..4].try_into().unwrap(),
            counter: u16::from_be_bytes([input[4], input[5]]),
            transaction,
        };
        let process_key = pboc::process_key(&row.key("key"), &input).unwrap();
        assert_eq!(process_key.expose_bytes()[..], row.bytes("result"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} process keys");
    assert_eq!(checked, 5);
}

/// The whole way of a purchase in a SAM: two levels of dispersion, the process key, the first MAC.
#[test]
fn a_sam_purchase_agrees_with_the_known_mac() {
    let rows = rows(APDU);
    let row = rows.iter().find(|row| row.text("id") == "APDU-45").unwrap();
    let data = row.bytes("input");
    // random(4) counter(2) amount(4) type(1) date(4) time(3) version(1) algorithm(1) card(8) province(8)
    let (card, province) = (&data[20..28], &data[28..36]);
    let factors = [province, card].map(|factor| Factor::try_from(factor).unwrap());
    let card_key = pboc::derive_path(&row.key("key"), factors).unwrap();
    let input = ProcessInput {
        random: data[..4].try_into().unwrap(),
        counter: u16::from_be_bytes([data[4], data[5]]),
        transaction: Transaction::Terminal { sequence: 0x0000_0123 },
    };
    let terminal = hex("000000000001");
    let message = [&data[6..11], &terminal, &data[11..18]].concat();
    let process_key = pboc::process_key(&card_key, &input).unwrap();
    let mac = DesMac::compute(&process_key, Padding::OneAndZeros, &message).unwrap();
    assert_eq!(mac.truncated::<4>()[..], row.bytes("result"));
}

#[test]
fn parity_is_left_as_it_comes() {
    let child = pboc::derive(&key("00112233445566778899AABBCCDDEEFF"), factor("1122334455667788")).unwrap();
    assert!(child.check_parity().is_err());
}

#[test]
fn a_triple_length_parent_is_refused() {
    let triple = TdeaKey::from([0x13; 24]);
    let factor = factor("1122334455667788");
    let input = ProcessInput { random: [0; 4], counter: 0, transaction: Transaction::Host };
    assert_eq!(pboc::derive(&triple, factor).unwrap_err(), TripleLengthKey);
    assert_eq!(
        pboc::derive_path(&triple, [factor]).unwrap_err(),
        PathError::TripleLengthKey(TripleLengthKey)
    );
    assert_eq!(Diversifier::new(&triple).unwrap_err(), TripleLengthKey);
    assert_eq!(pboc::process_key(&triple, &input).unwrap_err(), TripleLengthKey);
    assert_eq!(pboc::grey_lock_process_key(&triple, &input, [0; 4]).unwrap_err(), TripleLengthKey);
    assert_eq!(pboc::unconfirmed_session_key(&triple, 1).unwrap_err(), TripleLengthKey);
}

#[test]
fn a_path_without_factors_hands_out_no_key() {
    assert_eq!(pboc::derive_path(&TdeaKey::from([0x13; 16]), []).unwrap_err(), PathError::NoFactor(NoFactor));
}

#[test]
fn a_factor_and_its_complement_give_swapped_halves() {
    let parent = key("00112233445566778899AABBCCDDEEFF");
    let factor = factor("1122334455667788");
    let child = pboc::derive(&parent, factor).unwrap();
    let other = pboc::derive(&parent, factor.complement()).unwrap();
    assert!(DesKey::left_half(&child).ct_eq(&DesKey::right_half(&other)));
    assert!(DesKey::right_half(&child).ct_eq(&DesKey::left_half(&other)));
}

/// The other road: single blocks, complement by hand.
fn by_single_blocks(parent: &TdeaKey, factor: [u8; 8]) -> TdeaKey {
    let (mut left, mut right) = (factor, factor.map(|byte| byte ^ 0xFF));
    parent.cipher().encrypt_block(&mut left);
    parent.cipher().encrypt_block(&mut right);
    TdeaKey::from_fill(KeyLength::Double, |out| out.copy_from_slice(&[left, right].concat()))
}

proptest! {
    #[test]
    fn one_level_is_two_single_blocks(parent: [u8; 16], factor: [u8; 8]) {
        let parent = TdeaKey::from(parent);
        let child = pboc::derive(&parent, factor.into()).unwrap();
        prop_assert!(child.ct_eq(&by_single_blocks(&parent, factor)));
    }

    #[test]
    fn a_path_is_one_level_after_another(root: [u8; 16], path in prop::collection::vec(any::<[u8; 8]>(), 1..8)) {
        let root = TdeaKey::from(root);
        let step_by_step =
            path.iter().fold(root.duplicate(), |parent, factor| pboc::derive(&parent, (*factor).into()).unwrap());
        let at_once = pboc::derive_path(&root, path.into_iter().map(Factor::from)).unwrap();
        prop_assert!(at_once.ct_eq(&step_by_step));
    }

    #[test]
    fn different_factors_give_different_keys(parent: [u8; 16], a: [u8; 8], b: [u8; 8]) {
        prop_assume!(a != b);
        let parent = Diversifier::new(&parent.into()).unwrap();
        prop_assert!(!parent.derive(a.into()).ct_eq(&parent.derive(b.into())));
    }
}
