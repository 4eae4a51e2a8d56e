//! The key traits, on the ciphers of the published examples.

#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod common;

use aes::Aes256;
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cardroot_pin::{
    BlockLengthError, ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock,
    EncryptPinBlock, EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField,
};
use common::keys::{AesPinKey, aes_key, tdea_key};
use common::{hex, hex_array, pan, pin, rows};

/// PIN encryption key and enciphered block of ANS X9.24-1:2009 A.4.2, first transaction.
const A4_KEY: &str = "042666B49184CF5C68DE9628D0397B36";
const A4_BLOCK: &str = "1B9C1845EB993A7A";
const A4_PAN: &str = "4012345678909";

#[test]
fn annex_a4_block_is_made_and_opened() {
    let (pin, pan, key) = (pin("1234"), pan(A4_PAN), tdea_key(A4_KEY));
    let published = EncryptedPinBlock::from(hex_array(A4_BLOCK));
    assert_eq!(key.encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan)), Ok(published));
    assert!(key.decrypt_pin_block(published).unwrap().decode_iso0(&pan).unwrap().ct_eq(&pin));
}

#[test]
fn wrong_key_and_wrong_pan_look_the_same() {
    let published = EncryptedPinBlock::from(hex_array(A4_BLOCK));
    let wrong_key = tdea_key("0123456789ABCDEFFEDCBA9876543210").decrypt_pin_block(published).unwrap();
    assert_eq!(wrong_key.decode_iso0(&pan(A4_PAN)).unwrap_err(), InvalidPinBlock);
    let right_key = tdea_key(A4_KEY).decrypt_pin_block(published).unwrap();
    assert_eq!(right_key.decode_iso0(&pan("4111111111111111")).unwrap_err(), InvalidPinBlock);
}

/// Enciphers and opens one published block of format 4, then opens it with a wrong PAN.
fn check_iso4<C>(key: &AesPinKey<C>, [_, digits, account, random, block, _, _, source]: [&str; 8])
where
    C: BlockCipherEncrypt<BlockSize = U16> + BlockCipherDecrypt<BlockSize = U16>,
{
    let published = EncryptedIso4PinBlock::from(hex_array(block));
    let AesPinKey(cipher) = key;
    let pin_field = Iso4PinField::encode_with_fixed_random(&pin(digits), &hex_array(random));
    let pan_field = Iso4PanField::encode(&pan(account));
    assert_eq!(key.encrypt_iso4_pin_block(&pin_field, &pan_field), Ok(published), "{source}");

    let encrypt = |block: &mut [u8; 16]| cipher.encrypt_block(block.into());
    let made = EncryptedIso4PinBlock::encrypt_with(&pin_field, &pan_field, encrypt);
    assert_eq!(made, published, "{source}");

    let decrypt = |block: &mut [u8; 16]| cipher.decrypt_block(block.into());
    assert!(published.decrypt_with(&pan_field, decrypt).ct_eq(&pin_field), "{source}");
    let opened = key.decrypt_iso4_pin_block(published, &pan_field).unwrap();
    assert!(opened.ct_eq(&pin_field) && opened.decode().unwrap().ct_eq(&pin(digits)), "{source}");
    let other_pan = Iso4PanField::encode(&pan(A4_PAN));
    let opened = key.decrypt_iso4_pin_block(published, &other_pan).unwrap();
    assert_eq!(opened.decode().unwrap_err(), InvalidPinBlock, "{source}");
}

#[test]
fn published_format_4_blocks_are_made_and_opened() {
    let rows = rows::<8>(include_str!("data/pinblocks.csv"), "format,pin,pan,fill,block,key,detail,source");
    let mut checked = 0;
    for row in rows.into_iter().filter(|row| row.first() == Some(&"4")) {
        let [.., key, _, _] = row;
        match Aes256::new_from_slice(&hex(key)) {
            Ok(cipher) => check_iso4(&AesPinKey(cipher), row),
            Err(_) => check_iso4(&aes_key(key), row),
        }
        checked += 1;
    }
    println!("checked {checked} enciphered blocks of format 4");
    assert_eq!(checked, 3);
}

#[test]
fn enciphered_block_of_another_length_is_an_error() {
    for found in (0..40).filter(|found| *found != 8) {
        let error = EncryptedPinBlock::try_from(vec![0; found].as_slice()).unwrap_err();
        assert_eq!(error, BlockLengthError { expected: 8, found });
    }
    for found in (0..40).filter(|found| *found != 16) {
        let error = EncryptedIso4PinBlock::try_from(vec![0; found].as_slice()).unwrap_err();
        assert_eq!(error, BlockLengthError { expected: 16, found });
    }
    let bytes = hex(A4_BLOCK);
    assert_eq!(EncryptedPinBlock::try_from(bytes.as_slice()).unwrap().to_bytes().as_slice(), bytes);
}

#[test]
fn enciphered_block_is_printed_in_hexadecimal() {
    let block = EncryptedIso4PinBlock::from(hex_array("A912150391AB65A67E52883D81CE2D15"));
    assert_eq!(format!("{block:?}"), "EncryptedIso4PinBlock(A912150391AB65A67E52883D81CE2D15)");
}
