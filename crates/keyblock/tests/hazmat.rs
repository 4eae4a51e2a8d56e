//! Keys under keys without a block.
#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::hazmat::{self, Mode, UnwrapError, WrapError};
use cardroot_keyblock::tdea::{self, Kcv, KcvMethod, StrengthError, TdeaKey};
use cardroot_keyblock::tdea_keys::{Kek, PinKey};
use cardroot_keyblock::{AesKbpk, Exportability, Form, ModeOfUse, NewKey, Strength, Unwrapped, Version};
use common::{Counting, tdea_key};
use proptest::prelude::*;

const KEK: &str = "0123456789ABCDEFFEDCBA9876543210";
const KEY: &str = "5DB50B454F8389ADCE573BE50861F2BF";
const TRIPLE: &str = "0123456789ABCDEFFEDCBA987654321089ABCDEF01234567";
const NO_VARIANT: [u8; 8] = [0; 8];

fn kek() -> Kek {
    Kek::from_key(tdea_key(KEK))
}

fn new_key(key: &str) -> NewKey<PinKey> {
    NewKey::new(PinKey::from_key(tdea_key(key)), ModeOfUse::ANY).unwrap()
}

#[test]
fn a_key_is_encrypted_by_ecb_or_cbc_under_the_variant() {
    let variant = hazmat::variant_of_first_byte(0x28);
    let mut changed = [0; 16];
    changed.copy_from_slice(&common::hex(KEK));
    changed[0] ^= 0x28;
    changed[8] ^= 0x28;
    for (mode, cipher_mode) in [(Mode::Ecb, tdea::Mode::Ecb), (Mode::Cbc, tdea::Mode::CBC_ZERO_IV)] {
        let mut expected = common::hex(KEY);
        TdeaKey::from(changed).cipher().encrypt(cipher_mode, &mut expected).unwrap();
        assert_eq!(hazmat::wrap(&kek(), &variant, mode, &new_key(KEY)).unwrap(), expected);
    }
}

#[test]
fn only_keys_of_sensitive_blocks_go_out() {
    let kbpk = AesKbpk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x31)));
    for exportability in [Exportability::None, Exportability::Trusted, Exportability::Sensitive] {
        let form = Form::new(Version::D, exportability);
        let block = new_key(KEY).wrap(&kbpk, &form, &mut Counting::default()).unwrap();
        let key: Unwrapped<PinKey> = block.unwrap(&kbpk).unwrap().into_key().unwrap();
        let expected = match exportability {
            Exportability::Sensitive => hazmat::wrap(&kek(), &NO_VARIANT, Mode::Ecb, &new_key(KEY)),
            _ => Err(WrapError::NotExportable),
        };
        assert_eq!(hazmat::rewrap(&kek(), &NO_VARIANT, Mode::Ecb, &key), expected);
    }
}

#[test]
fn weak_and_weaker_keys_wrap_nothing() {
    let weak = Kek::from_key(TdeaKey::from([0x25; 16]));
    let error = hazmat::wrap(&weak, &NO_VARIANT, Mode::Ecb, &new_key(KEY)).unwrap_err();
    assert_eq!(error, WrapError::Kek(StrengthError::PartsEqual { first: 1, second: 2 }));
    let error = hazmat::wrap(&kek(), &NO_VARIANT, Mode::Ecb, &new_key(TRIPLE)).unwrap_err();
    assert_eq!(error, WrapError::Weaker { kek: Strength::TdeaDouble, key: Strength::TdeaTriple });
}

#[test]
fn a_cryptogram_opens_only_as_the_key_of_the_check_value() {
    let cryptogram = hazmat::wrap(&kek(), &NO_VARIANT, Mode::Ecb, &new_key(KEY)).unwrap();
    let kcv = tdea_key(KEY).kcv();
    let open = |variant, mode, cryptogram: &[u8], kcv| {
        hazmat::unwrap::<PinKey>(&kek(), &variant, mode, cryptogram, kcv)
            .map(|key| key.ct_eq(new_key(KEY).key()))
    };
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &cryptogram, &kcv), Ok(true));
    assert_eq!(open([2; 8], Mode::Ecb, &cryptogram, &kcv), Err(UnwrapError));
    assert_eq!(open(NO_VARIANT, Mode::Cbc, &cryptogram, &kcv), Err(UnwrapError));
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &cryptogram[..8], &kcv), Err(UnwrapError));
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &[], &kcv), Err(UnwrapError));
    let exchanged = [&cryptogram[8..], &cryptogram[..8]].concat();
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &exchanged, &kcv), Err(UnwrapError));
    let other_method = Kcv::new(KcvMethod::AesZeros, &[1, 2, 3]).unwrap();
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &cryptogram, &other_method), Err(UnwrapError));
    let cmac = tdea_key(KEY).kcv_by(KcvMethod::TdeaCmac, 5).unwrap();
    assert_eq!(open(NO_VARIANT, Mode::Ecb, &cryptogram, &cmac), Ok(true));
}

#[test]
fn a_weak_key_does_not_come_out() {
    let weak = TdeaKey::from([0x25; 16]);
    let mut cryptogram = weak.expose_bytes().to_vec();
    tdea_key(KEK).cipher().encrypt(tdea::Mode::Ecb, &mut cryptogram).unwrap();
    let opened = hazmat::unwrap::<PinKey>(&kek(), &NO_VARIANT, Mode::Ecb, &cryptogram, &weak.kcv());
    assert_eq!(opened.map(drop), Err(UnwrapError));
}

proptest! {
    #[test]
    fn what_is_wrapped_opens(key in any::<[u8; 24]>(), triple in any::<bool>(), mask in any::<u8>(), cbc in any::<bool>()) {
        let key = TdeaKey::try_from(&key[..if triple { 24 } else { 16 }]).unwrap();
        let kek = Kek::from_key(tdea_key(TRIPLE));
        let (variant, mode) = (hazmat::variant_of_first_byte(mask), if cbc { Mode::Cbc } else { Mode::Ecb });
        let new = NewKey::new(PinKey::from_key(key.duplicate()), ModeOfUse::ANY).unwrap();
        let cryptogram = hazmat::wrap(&kek, &variant, mode, &new).unwrap();
        let opened = hazmat::unwrap::<PinKey>(&kek, &variant, mode, &cryptogram, &key.kcv()).unwrap();
        prop_assert!(opened.expose_key().ct_eq(&key));
    }
}
