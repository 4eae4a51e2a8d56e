//! The key traits, on the ciphers of the published examples.

#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod common;

use core::convert::Infallible;

use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use cardroot_pin::{
    BlockLengthError, ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock,
    EncryptPinBlock, EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField,
    Pan, PinBlockFormat, translation,
};
use common::{KnownRng, hex, hex_array, pan, pin, rows};
use des::TdesEde2;

struct TdeaPinKey(TdesEde2);

impl EncryptPinBlock for TdeaPinKey {
    type Error = Infallible;

    fn encrypt_pin_block(&self, clear: &ClearPinBlock) -> Result<EncryptedPinBlock, Infallible> {
        let mut block = (*clear.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        Ok(EncryptedPinBlock::from(block.0))
    }
}

impl DecryptPinBlock for TdeaPinKey {
    type Error = Infallible;

    fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Infallible> {
        let mut block = block.to_bytes().into();
        self.0.decrypt_block(&mut block);
        Ok(ClearPinBlock::from_fill(|clear| *clear = block.0))
    }
}

struct AesPinKey<C>(C);

fn xor(one: [u8; 16], other: &[u8; 16]) -> [u8; 16] {
    let mut sum = one;
    sum.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    sum
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> EncryptIso4PinBlock for AesPinKey<C> {
    type Error = Infallible;

    fn encrypt_iso4_pin_block(
        &self,
        pin: &Iso4PinField,
        pan: &Iso4PanField,
    ) -> Result<EncryptedIso4PinBlock, Infallible> {
        let mut block = (*pin.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        let mut block = xor(block.0, pan.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        Ok(EncryptedIso4PinBlock::from(block.0))
    }
}

impl<C: BlockCipherDecrypt<BlockSize = U16>> DecryptIso4PinBlock for AesPinKey<C> {
    type Error = Infallible;

    fn decrypt_iso4_pin_block(
        &self,
        block: EncryptedIso4PinBlock,
        pan: &Iso4PanField,
    ) -> Result<Iso4PinField, Infallible> {
        let mut block = block.to_bytes().into();
        self.0.decrypt_block(&mut block);
        let mut block = xor(block.0, pan.expose_bytes()).into();
        self.0.decrypt_block(&mut block);
        Ok(Iso4PinField::from_fill(|field| *field = block.0))
    }
}

fn tdea_key(key: &str) -> TdeaPinKey {
    TdeaPinKey(TdesEde2::new_from_slice(&hex(key)).unwrap())
}

fn aes_key(key: &str) -> AesPinKey<Aes128> {
    AesPinKey(Aes128::new_from_slice(&hex(key)).unwrap())
}

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
fn check_iso4<K>(key: &K, [_, digits, account, random, block, _, _, source]: [&str; 8])
where
    K: EncryptIso4PinBlock<Error = Infallible> + DecryptIso4PinBlock<Error = Infallible>,
{
    let published = EncryptedIso4PinBlock::from(hex_array(block));
    let pin_field = Iso4PinField::encode_with_fixed_random(&pin(digits), &hex_array(random));
    let pan_field = Iso4PanField::encode(&pan(account));
    assert_eq!(key.encrypt_iso4_pin_block(&pin_field, &pan_field), Ok(published), "{source}");

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

/// What a node between a TDEA terminal and an AES network does, for any keys.
fn translate_to_iso4<D: DecryptPinBlock, E: EncryptIso4PinBlock>(
    (block, from, format): (EncryptedPinBlock, &D, PinBlockFormat),
    to: &E,
    pan: &Pan,
) -> EncryptedIso4PinBlock {
    translation::check(format, PinBlockFormat::Iso4).unwrap();
    let pin = from.decrypt_pin_block(block).unwrap().decode(format, pan).unwrap();
    let field = Iso4PinField::encode(&pin, &mut KnownRng(4));
    to.encrypt_iso4_pin_block(&field, &Iso4PanField::encode(pan)).unwrap()
}

#[test]
fn tdea_block_is_translated_into_an_aes_block() {
    let (pan, to) = (pan(A4_PAN), aes_key("000102030405060708090A0B0C0D0E0F"));
    let block = EncryptedPinBlock::from(hex_array(A4_BLOCK));
    let translated = translate_to_iso4((block, &tdea_key(A4_KEY), PinBlockFormat::Iso0), &to, &pan);
    let field = to.decrypt_iso4_pin_block(translated, &Iso4PanField::encode(&pan)).unwrap();
    assert!(field.decode().unwrap().ct_eq(&pin("1234")));
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
