//! GlobalPlatform and CPS templates on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::TripleLengthKey;
use cardroot_diversify::gp::{Kmc, Template};
use common::rows;
use tdea::TdeaKey;

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
fn rows_of_other_methods_are_left_for_later() {
    let count =
        |method: &str| rows(VECTORS).iter().filter(|row| row.text("method").starts_with(method)).count();
    assert_eq!(["KDF3", "SCP02", "KCV"].map(count), [6, 3, 4]);
    assert_eq!(rows(VECTORS).len(), 6 + 6 + 3 + 4);
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
