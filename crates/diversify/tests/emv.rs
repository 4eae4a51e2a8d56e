//! EMV option A on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::TripleLengthKey;
use cardroot_diversify::emv::{MdkAc, MdkEnc, MdkMac, PanPsn, PanPsnError};
use common::{key, rows};
use tdea::TdeaKey;

const VECTORS: &str = include_str!("data/diversify_emv_mk.csv");

#[test]
fn option_a_agrees_with_published_values() {
    let mut checked = 0;
    for row in rows(VECTORS).iter().filter(|row| row.text("option") == "A") {
        let card = PanPsn::new(row.text("pan"), Some(row.text("psn"))).unwrap();
        let (expected, id) = (row.key("icc_mk"), row.text("id"));
        let ac = MdkAc::from_key(row.key("imk")).diversify_a(&card).unwrap();
        let mac = MdkMac::from_key(row.key("imk")).diversify_a(&card).unwrap();
        let enc = MdkEnc::from_key(row.key("imk")).diversify_a(&card).unwrap();
        assert!(
            [ac.expose_key(), mac.expose_key(), enc.expose_key()].iter().all(|key| key.ct_eq(&expected)),
            "{id}"
        );
        assert_eq!(ac.kcv().to_string(), row.text("kcv3"), "{id}");
        assert_eq!(expected.check_parity(), Ok(()), "{id}");
        checked += 1;
    }
    println!("{checked} rows of option A");
    assert_eq!(checked, 8);
}

#[test]
fn rows_of_options_b_and_c_are_left_for_later() {
    let count = |option: &str| rows(VECTORS).iter().filter(|row| row.text("option") == option).count();
    assert_eq!(["B", "C"].map(count), [6, 3]);
    assert_eq!(rows(VECTORS).len(), 8 + 6 + 3);
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
}
