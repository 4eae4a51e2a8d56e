//! What keys do once they are out of their blocks, on published values.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_keyblock::aeskey::{AesKey, Cmac};
use cardroot_keyblock::pin::{
    ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock, Iso4PanField,
    Iso4PinField, Pan, Pin,
};
use cardroot_keyblock::tdea::{self, MacError, MacMismatch, Padding, PaddingError, RetailMac, TdeaKey};
use cardroot_keyblock::{BlockKey, ModeOfUse, aes_keys, tdea_keys};
use common::{aes_key, hex, tdea_key};

/// The PIN key of ANS X9.24-1:2009 A.4, counter 1.
const PIN_KEY: &str = "042666B49184CF5C68DE9628D0397B36";

fn pin_and_pan() -> (Pin, Pan) {
    (Pin::from_ascii_digits(b"1234").unwrap(), Pan::from_ascii_digits(b"4012345678909").unwrap())
}

#[test]
fn pin_keys_encrypt_and_decrypt_pin_blocks() {
    let (pin, pan) = pin_and_pan();
    let clear = ClearPinBlock::encode_iso0(&pin, &pan);
    let both = tdea_keys::PinKey::from_key(tdea_key(PIN_KEY));
    let Ok(block) = both.encrypt_pin_block(&clear);
    assert_eq!(block.to_bytes(), *hex("1B9C1845EB993A7A"));
    let Ok(same) = tdea_keys::PinEncryptionKey::from_key(tdea_key(PIN_KEY)).encrypt_pin_block(&clear);
    assert_eq!(same, block);
    let Ok(opened) = both.decrypt_pin_block(block);
    assert!(opened.decode_iso0(&pan).unwrap().ct_eq(&pin));
    let Ok(opened) = tdea_keys::PinDecryptionKey::from_key(tdea_key(PIN_KEY)).decrypt_pin_block(block);
    assert!(opened.ct_eq(&clear));
}

#[test]
fn aes_pin_keys_encrypt_and_decrypt_blocks_of_format_4() {
    // ANS X9.24-3:2017, supplement of test vectors.
    let key = || aes_key("AF8CB133A78F8DC2D1359F18527593FB");
    let pan = Pan::from_ascii_digits(b"4111111111111111").unwrap();
    let field = Iso4PanField::encode(&pan);
    let pin_field =
        || Iso4PinField::from_fill(|out| out.copy_from_slice(&hex("441234AAAAAAAAAA2F69ADDE2E9E7ACE")));
    let both = aes_keys::PinKey::from_key(key());
    let Ok(block) = both.encrypt_iso4_pin_block(&pin_field(), &field);
    assert_eq!(block.to_bytes(), *hex("A912150391AB65A67E52883D81CE2D15"));
    let Ok(same) = aes_keys::PinEncryptionKey::from_key(key()).encrypt_iso4_pin_block(&pin_field(), &field);
    assert_eq!(same, block);
    let Ok(opened) = both.decrypt_iso4_pin_block(block, &field);
    assert!(opened.ct_eq(&pin_field()));
    let Ok(opened) = aes_keys::PinDecryptionKey::from_key(key()).decrypt_iso4_pin_block(block, &field);
    assert!(opened.ct_eq(&pin_field()));
}

#[test]
fn data_keys_encrypt_and_decrypt_by_cbc() {
    let clear = *b"sixteen bytes ..";
    let key = || tdea_key("0123456789ABCDEFFEDCBA9876543210");
    let mut data = clear;
    tdea_keys::DataKey::from_key(key()).encrypt([7; 8], &mut data).unwrap();
    let mut expected = clear;
    key().cipher().encrypt(tdea::Mode::Cbc { iv: [7; 8] }, &mut expected).unwrap();
    assert_eq!(data, expected);
    tdea_keys::DataDecryptionKey::from_key(key()).decrypt([7; 8], &mut data).unwrap();
    assert_eq!(data, clear);
    tdea_keys::DataEncryptionKey::from_key(key()).encrypt([7; 8], &mut data).unwrap();
    tdea_keys::DataKey::from_key(key()).decrypt([7; 8], &mut data).unwrap();
    assert_eq!(data, clear);
    let error = tdea_keys::DataKey::from_key(key()).encrypt([7; 8], &mut [0; 9]).unwrap_err();
    assert_eq!(error, PaddingError::NotWholeBlocks { found: 9 });
}

#[test]
fn aes_data_keys_encrypt_and_decrypt_by_cbc() {
    // NIST SP 800-38A F.2.1, first block.
    let key = || aes_key("2B7E151628AED2A6ABF7158809CF4F3C");
    let iv: [u8; 16] = hex("000102030405060708090A0B0C0D0E0F").try_into().unwrap();
    let clear = hex("6BC1BEE22E409F96E93D7E117393172A");
    let encrypted = hex("7649ABAC8119B246CEE98E9B12E9197D");
    let mut data = clear.clone();
    aes_keys::DataKey::from_key(key()).encrypt(iv, &mut data).unwrap();
    assert_eq!(data, encrypted);
    aes_keys::DataDecryptionKey::from_key(key()).decrypt(iv, &mut data).unwrap();
    assert_eq!(data, clear);
    aes_keys::DataEncryptionKey::from_key(key()).encrypt(iv, &mut data).unwrap();
    aes_keys::DataKey::from_key(key()).decrypt(iv, &mut data).unwrap();
    assert_eq!(data, clear);
    assert!(aes_keys::DataKey::from_key(key()).decrypt(iv, &mut [0; 8]).is_err());
}

#[test]
fn retail_mac_keys_generate_and_verify() {
    let key = || tdea_key("0123456789ABCDEFFEDCBA9876543210");
    let expected = RetailMac::compute(&key(), Padding::OneAndZeros, b"message").unwrap();
    let both = tdea_keys::RetailMacKey::from_key(key());
    let mac = both.mac(Padding::OneAndZeros, b"message").unwrap();
    assert_eq!(mac.as_bytes(), expected.as_bytes());
    let one =
        tdea_keys::RetailMacGenerationKey::from_key(key()).mac(Padding::OneAndZeros, b"message").unwrap();
    assert_eq!(one.as_bytes(), expected.as_bytes());
    assert_eq!(both.verify_mac(Padding::OneAndZeros, b"message", &mac.truncated::<4>()), Ok(()));
    let verifies = tdea_keys::RetailMacVerificationKey::from_key(key());
    assert_eq!(verifies.verify_mac(Padding::OneAndZeros, b"message", mac.as_bytes()), Ok(()));
    assert_eq!(verifies.verify_mac(Padding::OneAndZeros, b"massage", mac.as_bytes()), Err(MacMismatch));
    assert_eq!(verifies.verify_mac(Padding::None, b"message", mac.as_bytes()), Err(MacMismatch));
    let triple = tdea_keys::RetailMacKey::from_key(TdeaKey::from([7; 24]));
    assert_eq!(triple.mac(Padding::Zeros, b"").unwrap_err(), MacError::TripleLengthKey);
}

#[test]
fn cmac_keys_generate_and_verify() {
    let key = || tdea_key("0123456789ABCDEFFEDCBA9876543210");
    let expected = tdea::Cmac::compute(&key(), b"message");
    let both = tdea_keys::CmacKey::from_key(key());
    assert_eq!(both.mac(b"message").as_bytes(), expected.as_bytes());
    assert_eq!(both.verify_mac(b"message", expected.as_bytes()), Ok(()));
    assert_eq!(tdea_keys::CmacGenerationKey::from_key(key()).mac(b"message").as_bytes(), expected.as_bytes());
    let verifies = tdea_keys::CmacVerificationKey::from_key(key());
    assert_eq!(verifies.verify_mac(b"message", expected.as_bytes()), Ok(()));
    assert_eq!(verifies.verify_mac(b"massage", expected.as_bytes()), Err(MacMismatch));

    let key = || aes_key("2B7E151628AED2A6ABF7158809CF4F3C");
    let expected = Cmac::compute(&key(), b"message");
    let both = aes_keys::CmacKey::from_key(key());
    assert_eq!(both.mac(b"message").as_bytes(), expected.as_bytes());
    assert!(both.verify_mac(b"message", expected.as_bytes()).is_ok());
    assert_eq!(aes_keys::CmacGenerationKey::from_key(key()).mac(b"message").as_bytes(), expected.as_bytes());
    let verifies = aes_keys::CmacVerificationKey::from_key(key());
    assert!(verifies.verify_mac(b"message", expected.as_bytes()).is_ok());
    assert!(verifies.verify_mac(b"massage", expected.as_bytes()).is_err());
}

/// A type that takes no more than it must, and gives no more than it takes or allows.
fn modes_are_sound<K: BlockKey>() {
    assert!(K::TAKES.contains(&ModeOfUse::ANY));
    // What allows everything is given only by types that do everything: one other mode is all they come out of.
    if K::GIVES.contains(&ModeOfUse::ANY) {
        assert_eq!(K::TAKES.len(), 2);
    } else {
        assert_eq!((K::GIVES.len(), K::TAKES.len()), (1, 3));
        assert!(K::TAKES.contains(&K::GIVES[0]));
    }
}

#[test]
fn modes_of_use_of_all_types_are_sound() {
    macro_rules! all {
        ($module:ident: $($name:ident)*) => {$(modes_are_sound::<$module::$name>();)*};
    }
    all!(tdea_keys: PinKey PinEncryptionKey PinDecryptionKey DataKey DataEncryptionKey DataDecryptionKey RetailMacKey
        RetailMacGenerationKey RetailMacVerificationKey CmacKey CmacGenerationKey CmacVerificationKey Kek Bdk InitialKey
        DerivationKey CryptogramMasterKey ConfidentialityMasterKey IntegrityMasterKey);
    all!(aes_keys: PinKey PinEncryptionKey PinDecryptionKey DataKey DataEncryptionKey DataDecryptionKey CmacKey
        CmacGenerationKey CmacVerificationKey Kek Bdk InitialKey DerivationKey);
    all!(cardroot_keyblock: VariantKbpk DerivationKbpk AesKbpk Iso20038Kbpk);
}

#[test]
fn a_key_keeps_its_bytes_with_and_without_purpose() {
    let key = aes_keys::Bdk::from_base(aes_key("2B7E151628AED2A6ABF7158809CF4F3C"));
    assert!(key.base().ct_eq(key.expose_key()));
    assert!(key.into_base().ct_eq(&AesKey::try_from(&*hex("2B7E151628AED2A6ABF7158809CF4F3C")).unwrap()));
}
