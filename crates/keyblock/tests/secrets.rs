//! Secrets print nothing.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use core::fmt::Debug;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::tdea::TdeaKey;
use cardroot_keyblock::{BaseKey, BlockKey, ModeOfUse, NewKey, aes_keys, tdea_keys};

fn is_silent(secret: &impl Debug) {
    for shown in [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:#x?}")] {
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}

#[test]
fn debug_shows_no_key_bytes() {
    macro_rules! silent {
        ($module:ident: $($name:ident)*) => {$({
            let base = <$module::$name as BlockKey>::Base::from_bytes(&[0xA5; 16]).unwrap();
            is_silent(&$module::$name::from_base(base));
        })*};
    }
    silent!(tdea_keys: PinKey PinEncryptionKey PinDecryptionKey DataKey DataEncryptionKey DataDecryptionKey RetailMacKey
        RetailMacGenerationKey RetailMacVerificationKey CmacKey CmacGenerationKey CmacVerificationKey Kek Bdk InitialKey
        DerivationKey CryptogramMasterKey ConfidentialityMasterKey IntegrityMasterKey);
    silent!(aes_keys: PinKey PinEncryptionKey PinDecryptionKey DataKey DataEncryptionKey DataDecryptionKey CmacKey
        CmacGenerationKey CmacVerificationKey Kek Bdk InitialKey DerivationKey);
    silent!(cardroot_keyblock: VariantKbpk DerivationKbpk AesKbpk Iso20038Kbpk);
}

#[test]
fn debug_shows_no_key_bytes_of_what_comes_out_of_a_block() {
    let kbpk =
        cardroot_keyblock::AesKbpk::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x31)));
    let unwrapped = || {
        let block = common::seal_d(&[0x31; 32], "D0AB00E0000", &[0xA5; 16]);
        block.unwrap(&kbpk).unwrap()
    };
    is_silent(&unwrapped());
    is_silent(unwrapped().key());
    assert_eq!(format!("{:?}", unwrapped().key()), "KeyBytes { len: 16, .. }");
    is_silent(&unwrapped().into_key::<aes_keys::DataKey>().unwrap());
    let key = TdeaKey::from_fill(cardroot_keyblock::tdea::KeyLength::Double, |key| {
        key.fill(0xA5);
        key[0] = 0x5A;
    });
    is_silent(&NewKey::new(tdea_keys::DataKey::from_key(key), ModeOfUse::ANY).unwrap());
}
