//! That the keys of this module are silent and wiped, and that those made here by hand do what their ciphers do.

use alloc::vec::Vec;
use core::fmt::Debug;
use std::format;

use aeskey::{AesKey, AesKeyLength};
use pin::{
    DecryptIso4PinBlock, EncryptIso4PinBlock, EncryptedIso4PinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
};
use tdea::{KeyLength, TdeaKey};
use zeroize::ZeroizeOnDrop;

use super::hmac_keys::{self, HmacKey, HmacKeyLength};
use super::*;

fn is_silent(secret: &impl Debug) {
    for shown in [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:#x?}")] {
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}

fn a5() -> AesKey {
    AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0xA5))
}

fn a5_tdea() -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Triple, |key| key.fill(0xA5))
}

fn a5_hmac() -> HmacKey {
    HmacKey::from_fill(HmacKeyLength::Hmac256, |key| key.fill(0xA5))
}

fn id() -> InitialKeyId {
    InitialKeyId::from([0x11; 8])
}

fn ksn() -> Ksn {
    Ksn::from([0x11; 12])
}

#[test]
fn debug_shows_no_key_bytes() {
    is_silent(&Bdk::from_key(a5()));
    is_silent(&InitialKey::from_key(a5(), id()));
    is_silent(&Transaction::new(TransactionKey::new(a5(), ksn()), 0));
    is_silent(&UpdateKey::new(a5(), id()));
}

#[test]
fn working_keys_are_silent_too() {
    is_silent(&PinKey::from_key(a5()));
    is_silent(&MacRequestKey::from_key(a5()));
    is_silent(&MacResponseKey::from_key(a5()));
    is_silent(&MacBothKey::from_key(a5()));
    is_silent(&DataRequestKey::from_key(a5()));
    is_silent(&DataResponseKey::from_key(a5()));
    is_silent(&DataBothKey::from_key(a5()));
    is_silent(&KeyEncryptionKey::from_key(a5()));
    is_silent(&tdea_keys::PinKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::MacRequestKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::MacResponseKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::MacBothKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::DataRequestKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::DataResponseKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::DataBothKey::from_key(a5_tdea()));
    is_silent(&tdea_keys::KeyEncryptionKey::from_key(a5_tdea()));
    is_silent(&hmac_keys::MacRequestKey::from_key(a5_hmac()));
    is_silent(&hmac_keys::MacResponseKey::from_key(a5_hmac()));
    is_silent(&hmac_keys::MacBothKey::from_key(a5_hmac()));
}

#[test]
fn named_keys_show_their_names() {
    assert_eq!(
        format!("{:?}", InitialKey::from_key(a5(), id())),
        "InitialKey { id: InitialKeyId(1111111111111111), .. }"
    );
    assert_eq!(
        format!("{:?}", TransactionKey::new(a5(), ksn())),
        "TransactionKey { ksn: Ksn(111111111111111111111111), .. }"
    );
    assert_eq!(
        format!("{:?}", UpdateKey::new(a5(), id())),
        "UpdateKey { ksn: Ksn(1111111111111111FFFFFFFF), .. }"
    );
}

#[test]
fn named_keys_are_equal_only_with_their_names() {
    let named = |name| TransactionKey::new(a5(), Ksn::from([name; 12]));
    assert!(named(0x11).ct_eq(&named(0x11)));
    assert!(!named(0x11).ct_eq(&named(0x22)));
    let other = AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x5A));
    assert!(!named(0x11).ct_eq(&TransactionKey::new(other, ksn())));
    assert!(
        !InitialKey::from_key(a5(), id()).ct_eq(&InitialKey::from_key(a5(), InitialKeyId::from([0x22; 8])))
    );
}

/// What the named keys hold wipes itself; so do the key types over it, which hold nothing else.
#[test]
fn keys_are_wiped_on_drop() {
    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}
    is_wiped_on_drop(InitialKey::from_key(a5(), id()).expose_key());
    is_wiped_on_drop(TransactionKey::new(a5(), ksn()).expose_key());
    is_wiped_on_drop(UpdateKey::new(a5(), id()).expose_key());
    is_wiped_on_drop(&a5_hmac());
}

#[test]
fn published_pin_blocks_of_format_4_are_made_and_opened() {
    let file = include_str!("../../tests/data/pinblocks_iso4.csv");
    let mut checked = 0;
    for row in file.lines().filter(|line| !line.starts_with('#')).skip(1) {
        let columns: Vec<&str> = row.split(',').collect();
        let [_, digits, pan, fill, block, key, ..] = columns[..] else { panic!("{row}") };
        let hex = |text: &str| base16ct::upper::decode_vec(text).unwrap();
        let key = PinKey::from_key(AesKey::try_from(&*hex(key)).unwrap());
        let pin = Pin::from_ascii_digits(digits.as_bytes()).unwrap();
        let pin_field = Iso4PinField::encode_with_fixed_random(&pin, &hex(fill).try_into().unwrap());
        let pan_field = Iso4PanField::encode(&Pan::from_ascii_digits(pan.as_bytes()).unwrap());
        let published = EncryptedIso4PinBlock::try_from(&*hex(block)).unwrap();
        assert_eq!(key.encrypt_iso4_pin_block(&pin_field, &pan_field), Ok(published), "{row}");
        let Ok(field) = key.decrypt_iso4_pin_block(published, &pan_field);
        assert!(field.decode().unwrap().ct_eq(&pin));
        let other = Iso4PanField::encode(&Pan::from_ascii_digits(b"4000000000000002").unwrap());
        let Ok(field) = key.decrypt_iso4_pin_block(published, &other);
        assert!(field.decode().is_err());
        checked += 1;
    }
    std::println!("pinblocks_iso4.csv: {checked} rows");
    assert_eq!(checked, 3);
}
