//! GlobalPlatform and CPS diversification on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::TripleLengthKey;
use cardroot_diversify::block::{AesKey, AesKeyLength};
use cardroot_diversify::gp::{Kenc, Kmac, Kmc, Template, aes};
use common::rows;
use tdea::{KcvMethod, TdeaKey};

const VECTORS: &str = include_str!("data/diversify_gp.csv");

fn template(method: &str) -> Option<Template> {
    match method.split(' ').next() {
        Some("EMV-CPS") => Some(Template::Cps),
        Some("VISA") => Some(Template::Visa),
        Some("VISA2") => Some(Template::Visa2),
        _ => None,
    }
}

#[test]
fn templates_agree_with_known_answers() {
    let mut checked = 0;
    for row in rows(VECTORS) {
        let Some(template) = template(row.text("method")) else { continue };
        let data = row.bytes("kdd_or_ctx").try_into().unwrap();
        let card = Kmc::from_key(row.key("master")).diversify(template, &data).unwrap();
        let derived: &TdeaKey = match row.text("purpose") {
            "ENC" => card.enc.expose_key(),
            "MAC" => card.mac.expose_key(),
            "DEK" => card.dek.expose_key(),
            other => panic!("{other}"),
        };
        assert!(derived.ct_eq(&row.key("result")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of TDEA templates");
    assert_eq!(checked, 6);
}

#[test]
fn kdf3_agrees_with_published_values() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("method").starts_with("KDF3")) {
        let card = aes::Kmc::from_key(row.aes_key("master")).diversify_kdf3(&row.array("kdd_or_ctx"));
        let derived: &AesKey = match row.text("purpose") {
            "ENC" => card.enc.expose_key(),
            "MAC" => card.mac.expose_key(),
            "DEK" => card.dek.expose_key(),
            other => panic!("{other}"),
        };
        assert!(derived.ct_eq(&row.aes_key("result")), "{}", row.text("id"));
        assert_eq!(derived.kcv_by(KcvMethod::AesOnes, 3).unwrap().to_string(), row.text("kcv3"));
        checked += 1;
    }
    println!("{checked} rows of KDF3");
    assert_eq!(checked, 6);
}

#[test]
fn session_keys_of_protocol_02_agree_with_published_values() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("method").starts_with("SCP02")) {
        let sequence = u16::from_be_bytes(row.array("kdd_or_ctx"));
        let enc = Kenc::from_key(row.key("master")).scp02_session_key(sequence).unwrap();
        let mac = Kmac::from_key(row.key("master"));
        let rmac = mac.scp02_response_key(sequence).unwrap();
        let mac = mac.scp02_session_key(sequence).unwrap();
        let derived = match row.text("purpose") {
            "S-ENC" => enc.expose_key(),
            "S-MAC" => mac.expose_key(),
            "S-RMAC" => rmac.expose_key(),
            other => panic!("{other}"),
        };
        assert!(derived.ct_eq(&row.key("result")), "{}", row.text("id"));
        assert_eq!(derived.kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows of SCP02 session keys");
    assert_eq!(checked, 3);
}

#[test]
fn check_values_agree_with_published_values() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("purpose") == "KCV") {
        assert_eq!(row.key("master").kcv().to_string(), row.text("kcv3"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} check values");
    assert_eq!(checked, 4);
}

#[test]
fn every_row_belongs_to_a_test() {
    assert_eq!(rows(VECTORS).len(), 6 + 6 + 3 + 4);
}

#[test]
fn kdf3_makes_three_keys_as_long_as_the_master() {
    for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
        let card = aes::Kmc::from_key(AesKey::from_fill(length, |key| key.fill(7))).diversify_kdf3(&[7; 10]);
        let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
        assert!(keys.iter().all(|key| key.length() == length));
        assert!(!keys[0].ct_eq(keys[1]) && !keys[1].ct_eq(keys[2]) && !keys[0].ct_eq(keys[2]));
    }
}

#[test]
fn a_card_has_three_different_keys() {
    let kmc = Kmc::from_key(common::key("404142434445464748494A4B4C4D4E4F"));
    for template in [Template::Cps, Template::Visa, Template::Visa2] {
        let card = kmc.diversify(template, &[7; 10]).unwrap();
        let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
        assert!(!keys[0].ct_eq(keys[1]) && !keys[1].ct_eq(keys[2]) && !keys[0].ct_eq(keys[2]));
    }
}

#[test]
fn a_triple_length_master_is_refused() {
    let error = Kmc::from_key([0x13; 24].into()).diversify(Template::Cps, &[0; 10]).unwrap_err();
    assert_eq!(error, TripleLengthKey);
}
