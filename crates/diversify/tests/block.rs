//! AES and SM4 keys: lengths and check values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::block::{AesKey, AesKeyLength, KeyLengthError, Sm4Key};
use common::{hex, rows};
use tdea::{KcvError, KcvMethod};

#[test]
fn other_lengths_are_no_key() {
    for found in [0, 8, 15, 17, 23, 25, 31, 33] {
        assert_eq!(AesKey::try_from(&[0; 40][..found]).unwrap_err(), KeyLengthError::Aes { found });
        assert_eq!(Sm4Key::try_from(&[0; 40][..found]).unwrap_err(), KeyLengthError::Sm4 { found });
    }
    for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
        let key = AesKey::try_from(&[7; 32][..length.bytes()]).unwrap();
        assert_eq!((key.length(), key.expose_bytes().len()), (length, length.bytes()));
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

#[test]
fn check_values_by_the_other_methods() {
    let kcv =
        |key: &str, method, len| AesKey::try_from(hex(key).as_slice()).unwrap().kcv_by(method, len).unwrap();
    // NIST SP 800-38B, D.1: the zero block encrypted is what the subkeys are made from.
    let zeros = kcv("2B7E151628AED2A6ABF7158809CF4F3C", KcvMethod::AesZeros, 16);
    assert_eq!(zeros.to_string(), "7DF76B0C1AB899B33E42F047B91B546F");
    // ASC X9 TR-31:2018, A.7.4, and a key block of a payShield 10K, as openemv/tr31 prints them.
    let cmac = kcv("3F419E1CB7079442AA37474C2EFBF8B8", KcvMethod::AesCmac, 3);
    assert_eq!(cmac.to_string(), "08793E");
    let cmac = kcv("BE19E6A07A760F10EF8E83A226B63AAD141F463FDDD4F47DB244B4023EC3CACC", KcvMethod::AesCmac, 3);
    assert_eq!(cmac.to_string(), "0A00E3");
}

#[test]
fn a_method_of_another_cipher_or_length_is_refused() {
    let key = AesKey::try_from(&[7; 16][..]).unwrap();
    for method in [KcvMethod::TdeaZeros, KcvMethod::TdeaCmac, KcvMethod::Sm4Zeros] {
        assert_eq!(key.kcv_by(method, 3), Err(KcvError::Cipher));
    }
    for found in [0, 1, 17] {
        assert_eq!(key.kcv_by(KcvMethod::AesOnes, found), Err(KcvError::Length { max: 16, found }));
    }
}
