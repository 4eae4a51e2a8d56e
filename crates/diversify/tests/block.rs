//! SM4 keys, and the check values that GlobalPlatform shows of AES keys.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::block::{Sm4Key, Sm4KeyLengthError};
use common::rows;
use tdea::KcvMethod;

#[test]
fn other_lengths_are_no_key() {
    for found in [0, 8, 15, 17, 24, 33] {
        assert_eq!(Sm4Key::try_from(&[0; 40][..found]).unwrap_err(), Sm4KeyLengthError { found });
    }
    assert!(Sm4Key::try_from(&[0; 16][..]).is_ok());
}

#[test]
fn check_values_of_globalplatform_agree_with_published_values() {
    let mut checked = 0;
    for row in rows(include_str!("data/scp03.csv")).iter().filter(|row| row.text("session") == "KCV-AES") {
        let kcv = row.aes_key("input").kcv_by(KcvMethod::AesOnes, 3).unwrap();
        assert_eq!(kcv.to_string(), row.text("result"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} check values");
    assert_eq!(checked, 3);
}
