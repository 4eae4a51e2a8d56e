//! EMV session keys on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::TripleLengthKey;
use cardroot_diversify::block::{AesKey, AesKeyLength};
use cardroot_diversify::emv::{
    AcKey, ApplicationCryptogram, ScriptEncKey, ScriptMacKey, SessionTree, TreeShape, UdkAc, UdkEnc, UdkMac,
    VisaCvn, aes,
};
use common::{Row, key, rows};
use tdea::TdeaKey;

const VECTORS: &str = include_str!("data/diversify_emv_sk.csv");
const ZEROS: [u8; 8] = [0; 8];

fn rows_of(method: &str) -> Vec<Row> {
    rows(VECTORS).into_iter().filter(|row| row.text("method") == method).collect()
}

fn agree(row: &Row, derived: &TdeaKey) {
    assert!(derived.ct_eq(&row.key("session_key")), "{}", row.text("id"));
    assert_eq!(derived.check_parity(), Ok(()), "{}", row.text("id"));
}

/// The start of a column that is a counter, and what follows.
fn atc(row: &Row) -> (u16, Vec<u8>) {
    let bytes = row.bytes("r_or_atc");
    (u16::from_be_bytes([bytes[0], bytes[1]]), bytes[2..].to_vec())
}

#[test]
fn common_keys_agree_with_published_values() {
    let (mut checked, mut by_counter) = (0, 0);
    for row in rows_of("EMV_COMMON") {
        let r = ApplicationCryptogram::from(row.array("r_or_atc"));
        let mac = UdkMac::from_key(row.key("icc_mk")).derive_common(&r).unwrap();
        let enc = UdkEnc::from_key(row.key("icc_mk")).derive_common(&r).unwrap();
        agree(&row, mac.expose_key());
        agree(&row, enc.expose_key());
        if let (atc, rest) = atc(&row)
            && rest == [0; 6]
        {
            let udk = UdkAc::from_key(row.key("icc_mk"));
            agree(&row, udk.derive_common(atc).unwrap().expose_key());
            by_counter += 1;
        }
        checked += 1;
    }
    println!("{checked} common session keys, {by_counter} of them by the counter");
    assert_eq!((checked, by_counter), (10, 2));
}

#[test]
fn mastercard_keys_agree_with_the_computed_row() {
    let rows = rows_of("MASTERCARD_SKD");
    for row in &rows {
        let (atc, rest) = atc(row);
        assert_eq!(rest[..2], [0, 0]);
        let udk = UdkAc::from_key(row.key("icc_mk"));
        agree(row, udk.derive_mastercard(atc, rest[2..].try_into().unwrap()).unwrap().expose_key());
    }
    println!("{} session keys of Mastercard", rows.len());
    assert_eq!(rows.len(), 1);
}

#[test]
fn visa_script_keys_agree_with_published_values() {
    let rows = rows_of("VISA_SM");
    for row in &rows {
        let (atc, _) = atc(row);
        agree(row, UdkMac::from_key(row.key("icc_mk")).derive_visa(atc).unwrap().expose_key());
        agree(row, UdkEnc::from_key(row.key("icc_mk")).derive_visa(atc).unwrap().expose_key());
    }
    println!("{} script keys of Visa", rows.len());
    assert_eq!(rows.len(), 2);
    // Both halves change, parity comes last.
    let udk = UdkMac::from_key(key("0123456789ABCDEFFEDCBA9876543210"));
    let expected = key("0123456789ABCDF2FEDCBA987654CDF2");
    assert!(udk.derive_visa(0x001C).unwrap().expose_key().ct_eq(&expected));
}

/// `height=8;branch=4;iv=…` as a tree.
fn tree(text: &str) -> SessionTree {
    let (shape, initial_value) = text.split_once(";iv=").unwrap();
    let shape = match shape {
        "height=8;branch=4" => TreeShape::Branch4Height8,
        "height=16;branch=2" => TreeShape::Branch2Height16,
        other => panic!("{other}"),
    };
    SessionTree { shape, initial_value: common::hex(initial_value).try_into().unwrap() }
}

#[test]
fn tree_keys_agree_with_published_values() {
    let rows = rows_of("EMV2000_TREE");
    for row in &rows {
        let ((atc, _), tree) = (atc(row), tree(row.text("extra")));
        let udk = || row.key("icc_mk");
        agree(row, UdkAc::from_key(udk()).derive_tree(atc, &tree).unwrap().expose_key());
        agree(row, UdkMac::from_key(udk()).derive_tree(atc, &tree).unwrap().expose_key());
        agree(row, UdkEnc::from_key(udk()).derive_tree(atc, &tree).unwrap().expose_key());
    }
    println!("{} session keys of trees", rows.len());
    assert_eq!(rows.len(), 8);
}

#[test]
fn aes_keys_agree_with_published_values() {
    let rows = rows_of("EMV_COMMON_AES");
    for row in &rows {
        let (atc, _) = atc(row);
        let derived = aes::UdkAc::from_key(row.aes_key("icc_mk")).derive_common(atc);
        assert!(derived.expose_key().ct_eq(&row.aes_key("session_key")), "{}", row.text("id"));
    }
    println!("{} session keys of AES", rows.len());
    assert_eq!(rows.len(), 1);
    // The same source prints the key of scripts too.
    let udk = AesKey::try_from(common::hex("0F0E0D0C0B0A09080706050403020100").as_slice()).unwrap();
    let request = ApplicationCryptogram::from(0xAABB_CCDD_EEFF_0011_u64.to_be_bytes());
    let expected = AesKey::try_from(common::hex("C1994753F99E6196418C14F7DD5F1AF9").as_slice()).unwrap();
    let mac = aes::UdkMac::from_key(udk.duplicate()).derive_common(&request);
    let enc = aes::UdkEnc::from_key(udk).derive_common(&request);
    assert!(mac.expose_key().ct_eq(&expected) && enc.expose_key().ct_eq(&expected));
}

#[test]
fn every_row_belongs_to_a_method() {
    assert_eq!(rows(VECTORS).len(), 10 + 1 + 2 + 8 + 1);
}

/// Two blocks, of which the third byte differs: the leftmost bytes of both make the key.
#[test]
fn longer_aes_keys_take_two_marked_blocks() {
    let bytes: Vec<u8> = (0..32).collect();
    for length in [AesKeyLength::Aes192, AesKeyLength::Aes256] {
        let udk = AesKey::try_from(&bytes[..length.bytes()]).unwrap();
        let block = |mark: u8| {
            use ::aes::{Aes192, Aes256};
            use cipher::{BlockCipherEncrypt, KeyInit};
            let mut block = [0x12, 0x34, mark, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
            let array = (&mut block).into();
            match length {
                AesKeyLength::Aes192 => {
                    Aes192::new_from_slice(udk.expose_bytes()).unwrap().encrypt_block(array)
                }
                _ => Aes256::new_from_slice(udk.expose_bytes()).unwrap().encrypt_block(array),
            }
            block
        };
        let expected = [block(0xF0), block(0x0F)].concat();
        let derived = aes::UdkAc::from_key(udk.duplicate()).derive_common(0x1234);
        assert_eq!(derived.expose_key().expose_bytes(), &expected[..length.bytes()]);
    }
}

#[test]
fn neighbouring_counters_have_different_keys() {
    let udk = UdkAc::from_key(key("0123456789ABCDEFFEDCBA9876543210"));
    for tree in [TreeShape::Branch4Height8, TreeShape::Branch2Height16] {
        let tree = SessionTree { shape: tree, initial_value: [0; 16] };
        let keys: Vec<AcKey> = (0..64).map(|atc| udk.derive_tree(atc, &tree).unwrap()).collect();
        for (number, key) in keys.iter().enumerate() {
            assert!(keys[..number].iter().all(|other| !other.ct_eq(key)));
        }
    }
}

#[test]
fn visa_versions_take_their_keys_from_the_right_methods() {
    let master = || key("0123456789ABCDEFFEDCBA9876543210");
    let (ac, mac, enc) = (UdkAc::from_key(master()), UdkMac::from_key(master()), UdkEnc::from_key(master()));
    let request = ApplicationCryptogram::from([0x7A; 8]);
    for version in [VisaCvn::Cvn10, VisaCvn::Cvn18, VisaCvn::Cvn22] {
        let session = version.ac_key(&ac, 7).unwrap();
        assert_eq!(session.expose_key().ct_eq(&master()), version == VisaCvn::Cvn10);
        assert_eq!(session.ct_eq(&ac.derive_common(7).unwrap()), version != VisaCvn::Cvn10);
        let script_mac = version.script_mac_key(&mac, 7, &request).unwrap();
        assert_eq!(script_mac.ct_eq(&mac.derive_visa(7).unwrap()), version != VisaCvn::Cvn22);
        assert_eq!(script_mac.ct_eq(&mac.derive_common(&request).unwrap()), version == VisaCvn::Cvn22);
        let script_enc = version.script_enc_key(&enc, 7, &request).unwrap();
        assert_eq!(script_enc.ct_eq(&enc.derive_visa(7).unwrap()), version != VisaCvn::Cvn22);
        assert_eq!(script_enc.ct_eq(&enc.derive_common(&request).unwrap()), version == VisaCvn::Cvn22);
    }
}

#[test]
fn a_triple_length_key_is_refused() {
    let triple = || TdeaKey::from([0x13; 24]);
    let (udk, tree) = (UdkAc::from_key(triple()), SessionTree::default());
    assert_eq!(udk.derive_common(1).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_mastercard(1, [0; 4]).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_tree(1, &tree).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.without_session().unwrap_err(), TripleLengthKey);
    let udk = UdkMac::from_key(triple());
    assert_eq!(udk.derive_common(&ZEROS.into()).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_visa(1).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_tree(1, &tree).unwrap_err(), TripleLengthKey);
    let udk = UdkEnc::from_key(triple());
    assert_eq!(udk.derive_common(&ZEROS.into()).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_visa(1).unwrap_err(), TripleLengthKey);
    assert_eq!(udk.derive_tree(1, &tree).unwrap_err(), TripleLengthKey);
    assert_eq!(AcKey::try_from(triple()).unwrap_err(), TripleLengthKey);
    assert_eq!(ScriptMacKey::try_from(triple()).unwrap_err(), TripleLengthKey);
    assert_eq!(ScriptEncKey::try_from(triple()).unwrap_err(), TripleLengthKey);
}
