//! EMV master keys on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::TripleLengthKey;
use cardroot_diversify::block::{AesKey, AesKeyLength};
use cardroot_diversify::emv::{MdkAc, MdkEnc, MdkIdn, MdkMac, PanPsn, PanPsnError, aes};
use common::{Row, key, rows};
use tdea::{KcvMethod, TdeaKey};

const VECTORS: &str = include_str!("data/diversify_emv_mk.csv");

fn card(row: &Row) -> PanPsn<'_> {
    PanPsn::new(row.text("pan"), Some(row.text("psn"))).unwrap()
}

fn rows_of(option: &str) -> Vec<Row> {
    rows(VECTORS).into_iter().filter(|row| row.text("option") == option).collect()
}

/// The card's keys of all purposes by one method; from one master they are all the same.
macro_rules! card_keys {
    ($row:ident, $diversify:ident) => {
        [
            MdkAc::from_key($row.key("imk")).$diversify(&card($row)).unwrap().expose_key().duplicate(),
            MdkMac::from_key($row.key("imk")).$diversify(&card($row)).unwrap().expose_key().duplicate(),
            MdkEnc::from_key($row.key("imk")).$diversify(&card($row)).unwrap().expose_key().duplicate(),
            MdkIdn::from_key($row.key("imk")).$diversify(&card($row)).unwrap().expose_key().duplicate(),
        ]
    };
}

fn agree(row: &Row, derived: &[TdeaKey; 4]) {
    let (expected, id) = (row.key("icc_mk"), row.text("id"));
    assert!(derived.iter().all(|key| key.ct_eq(&expected)), "{id}");
    assert_eq!(expected.kcv().to_string(), row.text("kcv3"), "{id}");
    assert_eq!(expected.check_parity(), Ok(()), "{id}");
}

#[test]
fn option_a_agrees_with_published_values() {
    let rows = rows_of("A");
    rows.iter().for_each(|row| agree(row, &card_keys!(row, diversify_a)));
    println!("{} rows of option A", rows.len());
    assert_eq!(rows.len(), 8);
}

#[test]
fn option_b_agrees_with_published_values() {
    let rows = rows_of("B");
    rows.iter().for_each(|row| agree(row, &card_keys!(row, diversify_b)));
    println!("{} rows of option B", rows.len());
    assert_eq!(rows.len(), 6);
}

/// The values of option A for a PAN of up to 16 digits are those of option B too.
#[test]
fn option_b_is_option_a_for_a_short_number() {
    let rows: Vec<Row> = rows_of("A").into_iter().filter(|row| row.text("pan").len() <= 16).collect();
    rows.iter().for_each(|row| agree(row, &card_keys!(row, diversify_b)));
    assert_eq!(rows.len(), 3);
    for row in rows_of("A").iter().filter(|row| row.text("pan").len() > 16) {
        assert!(card_keys!(row, diversify_b).iter().all(|key| !key.ct_eq(&row.key("icc_mk"))));
    }
}

#[test]
fn option_c_agrees_with_published_values() {
    let rows = rows_of("C");
    for row in &rows {
        let (card, expected, imk) = (card(row), row.aes_key("icc_mk"), || row.aes_key("imk"));
        let length = expected.length();
        let ac = aes::MdkAc::from_key(imk()).diversify_c(&card, length);
        let mac = aes::MdkMac::from_key(imk()).diversify_c(&card, length);
        let enc = aes::MdkEnc::from_key(imk()).diversify_c(&card, length);
        let idn = aes::MdkIdn::from_key(imk()).diversify_c(&card, length);
        let derived = [ac.expose_key(), mac.expose_key(), enc.expose_key(), idn.expose_key()];
        assert!(derived.iter().all(|key| key.ct_eq(&expected)), "{}", row.text("id"));
        assert_eq!(expected.kcv_by(KcvMethod::AesOnes, 3).unwrap().to_string(), row.text("kcv3"));
    }
    println!("{} rows of option C", rows.len());
    assert_eq!(rows.len(), 3);
}

#[test]
fn every_row_belongs_to_an_option() {
    assert_eq!(rows(VECTORS).len(), 8 + 6 + 3);
}

#[test]
fn a_shorter_key_of_option_c_starts_the_longer() {
    let master = aes::MdkAc::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(7)));
    let card = PanPsn::new("1234567890123456", None).unwrap();
    let [short, middle, long] = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256]
        .map(|length| master.diversify_c(&card, length).expose_key().expose_bytes().to_vec());
    assert_eq!([short.len(), middle.len(), long.len()], [16, 24, 32]);
    assert!(long.starts_with(&middle) && middle.starts_with(&short));
}

fn derived(pan: &str, psn: Option<&str>) -> TdeaKey {
    let master = MdkAc::from_key(key("0123456789ABCDEFFEDCBA9876543210"));
    master.diversify_a(&PanPsn::new(pan, psn).unwrap()).unwrap().expose_key().duplicate()
}

#[test]
fn a_card_without_sequence_number_counts_as_00() {
    assert!(derived("1234567890123456", None).ct_eq(&derived("1234567890123456", Some("00"))));
}

#[test]
fn a_short_number_has_zeros_in_front() {
    assert!(derived("1234567890", Some("12")).ct_eq(&derived("00001234567890", Some("12"))));
    assert!(derived("5", Some("00")).ct_eq(&derived("0000000000000005", Some("00"))));
}

#[test]
fn digits_left_of_the_sixteenth_do_not_count() {
    assert!(derived("9912345678901234567", Some("01")).ct_eq(&derived("45678901234567", Some("01"))));
}

#[test]
fn other_digits_are_no_card_number() {
    let error = |pan, psn| PanPsn::new(pan, psn).unwrap_err();
    assert_eq!(error("", None), PanPsnError::PanLength { found: 0 });
    assert_eq!(error("12345678901234567890", None), PanPsnError::PanLength { found: 20 });
    assert_eq!(error("1234567890123456", Some("1")), PanPsnError::PsnLength { found: 1 });
    assert_eq!(error("1234567890123456", Some("012")), PanPsnError::PsnLength { found: 3 });
    assert_eq!(error("12345678901a3456", Some("00")), PanPsnError::NotADigit { position: 11 });
    assert_eq!(error("1234567890123456", Some("1F")), PanPsnError::NotADigit { position: 17 });
    assert_eq!(error("1234 67890123456", None), PanPsnError::NotADigit { position: 4 });
}

#[test]
fn a_triple_length_master_is_refused() {
    let card = PanPsn::new("1234567890123456", None).unwrap();
    assert_eq!(MdkAc::from_key([0x13; 24].into()).diversify_a(&card).unwrap_err(), TripleLengthKey);
    assert_eq!(MdkAc::from_key([0x13; 24].into()).diversify_b(&card).unwrap_err(), TripleLengthKey);
}
