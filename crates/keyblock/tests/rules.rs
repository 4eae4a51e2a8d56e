//! What a block may become, under what it may be, and where it may go.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_keyblock::aeskey::{AesKey, AesKeyLength};
use cardroot_keyblock::tdea::{StrengthError, TdeaKey};
use cardroot_keyblock::{
    AesKbpk, Algorithm, BlockId, BlockKey, CheckValues, Content, DerivationKbpk, Exportability, Form,
    Iso20038Kbpk, KeyBlock, KeyContext, KeyVersion, Masking, ModeOfUse, NewKey, NewKeyError, NotThisKey,
    OptionalBlock, Strength, UnwrapError, Unwrapped, Usage, VariantKbpk, Version, WrapError, aes_keys,
    tdea_keys,
};
use common::{Counting, tdea_key};
use proptest::prelude::*;

const DOUBLE: &str = "0123456789ABCDEFFEDCBA9876543210";
const TRIPLE: &str = "0123456789ABCDEFFEDCBA987654321089ABCDEF01234567";
/// Triple length by its bytes, double by its parts.
const TRIPLE_IN_NAME: &str = "0123456789ABCDEFFEDCBA98765432100123456789ABCDEF";

fn aes(length: AesKeyLength, byte: u8) -> AesKey {
    AesKey::from_fill(length, |key| key.fill(byte))
}

fn kbpk() -> AesKbpk {
    AesKbpk::from_key(aes(AesKeyLength::Aes256, 0x31))
}

fn pin_key() -> tdea_keys::PinKey {
    tdea_keys::PinKey::from_key(tdea_key(DOUBLE))
}

fn form(exportability: Exportability) -> Form {
    Form::new(Version::D, exportability)
}

fn wrap<K: BlockKey>(key: K, mode: ModeOfUse, form: &Form) -> KeyBlock {
    NewKey::new(key, mode).unwrap().wrap(&kbpk(), form, &mut Counting::default()).unwrap()
}

fn unwrap(block: &KeyBlock) -> Unwrapped {
    block.unwrap(&kbpk()).unwrap()
}

/// A PIN key in a block of mode B.
fn pin_block(exportability: Exportability) -> KeyBlock {
    wrap(pin_key(), ModeOfUse::ENCRYPT_AND_DECRYPT, &form(exportability))
}

#[test]
fn a_block_opens_as_the_key_it_holds() {
    let key = unwrap(&pin_block(Exportability::None)).into_key::<tdea_keys::PinKey>().unwrap();
    assert!(key.key().ct_eq(&pin_key()));
    assert_eq!(key.header().attributes.usage, Usage::PIN_ENCRYPTION);
    assert!(key.into_unbound_key().into_base().ct_eq(&tdea_key(DOUBLE)));
}

#[test]
fn a_block_opens_as_no_key_of_another_purpose() {
    let block = pin_block(Exportability::None);
    let found = Usage::PIN_ENCRYPTION;
    macro_rules! refused {
        ($($key:ty: $expected:ident),* $(,)?) => {$(
            let error = unwrap(&block).into_key::<$key>().unwrap_err();
            assert_eq!(error, NotThisKey::Usage { expected: Usage::$expected, found });
        )*};
    }
    refused! {
        tdea_keys::DataKey: DATA_ENCRYPTION,
        tdea_keys::RetailMacKey: MAC_3,
        tdea_keys::CmacKey: CMAC,
        tdea_keys::Kek: KEY_ENCRYPTION,
        tdea_keys::Bdk: BASE_DERIVATION,
        tdea_keys::InitialKey: INITIAL,
        tdea_keys::DerivationKey: DERIVATION,
        tdea_keys::CryptogramMasterKey: EMV_CRYPTOGRAM,
        tdea_keys::ConfidentialityMasterKey: EMV_CONFIDENTIALITY,
        tdea_keys::IntegrityMasterKey: EMV_INTEGRITY,
        aes_keys::DataKey: DATA_ENCRYPTION,
        aes_keys::CmacKey: CMAC,
        VariantKbpk: KEY_BLOCK_PROTECTION,
        DerivationKbpk: KEY_BLOCK_PROTECTION,
        AesKbpk: KEY_BLOCK_PROTECTION,
        Iso20038Kbpk: ISO_20038_PROTECTION,
    }
}

#[test]
fn a_key_of_one_cipher_is_no_key_of_the_other() {
    let error = unwrap(&pin_block(Exportability::None)).into_key::<aes_keys::PinKey>().unwrap_err();
    assert_eq!(error, NotThisKey::Algorithm { expected: Algorithm::AES, found: Algorithm::TDEA });
}

/// Every mode of use that a type can send, against every type that can come out.
#[test]
fn a_type_comes_out_of_the_modes_that_allow_all_it_does() {
    let opens = |mode| {
        let block = wrap(pin_key(), mode, &form(Exportability::None));
        [
            unwrap(&block).into_key::<tdea_keys::PinKey>().is_ok(),
            unwrap(&block).into_key::<tdea_keys::PinEncryptionKey>().is_ok(),
            unwrap(&block).into_key::<tdea_keys::PinDecryptionKey>().is_ok(),
        ]
    };
    assert_eq!(opens(ModeOfUse::ENCRYPT_AND_DECRYPT), [true, true, true]);
    assert_eq!(opens(ModeOfUse::ANY), [true, true, true]);
    assert_eq!(opens(ModeOfUse::ENCRYPT), [false, true, false]);
    assert_eq!(opens(ModeOfUse::DECRYPT), [false, false, true]);

    let opens = |mode| {
        let key = tdea_keys::RetailMacKey::from_key(tdea_key(DOUBLE));
        let block = wrap(key, mode, &form(Exportability::None));
        [
            unwrap(&block).into_key::<tdea_keys::RetailMacKey>().is_ok(),
            unwrap(&block).into_key::<tdea_keys::RetailMacGenerationKey>().is_ok(),
            unwrap(&block).into_key::<tdea_keys::RetailMacVerificationKey>().is_ok(),
        ]
    };
    assert_eq!(opens(ModeOfUse::GENERATE_AND_VERIFY), [true, true, true]);
    assert_eq!(opens(ModeOfUse::ANY), [true, true, true]);
    assert_eq!(opens(ModeOfUse::GENERATE), [false, true, false]);
    assert_eq!(opens(ModeOfUse::VERIFY), [false, false, true]);

    let block =
        wrap(tdea_keys::Bdk::from_key(tdea_key(DOUBLE)), ModeOfUse::DERIVE, &form(Exportability::None));
    assert!(unwrap(&block).into_key::<tdea_keys::Bdk>().is_ok());
}

#[test]
fn a_new_key_gives_no_more_than_its_type_does() {
    let refused = |result: Result<_, NewKeyError>, found| {
        assert_eq!(result.err(), Some(NewKeyError::Mode { found }));
    };
    let one_way = || tdea_keys::PinEncryptionKey::from_key(tdea_key(DOUBLE));
    assert!(NewKey::new(one_way(), ModeOfUse::ENCRYPT).is_ok());
    for mode in [ModeOfUse::ENCRYPT_AND_DECRYPT, ModeOfUse::DECRYPT, ModeOfUse::ANY] {
        refused(NewKey::new(one_way(), mode).map(drop), mode);
    }
    for mode in [ModeOfUse::DERIVE, ModeOfUse::GENERATE, ModeOfUse::VARIANT, ModeOfUse::SIGN] {
        refused(NewKey::new(pin_key(), mode).map(drop), mode);
    }
}

#[test]
fn weak_keys_neither_go_in_nor_come_out() {
    let weak = || tdea_keys::PinKey::from_key(TdeaKey::from([0x25; 16]));
    let fault = StrengthError::PartsEqual { first: 1, second: 2 };
    let error = NewKey::new(weak(), ModeOfUse::ANY).map(drop).unwrap_err();
    assert_eq!(error, NewKeyError::Strength(fault));

    // A sender who does not care; the key is read, and does not come out as one.
    let block = lenient_block(&[0x25; 16]);
    assert_eq!(unwrap(&block).key().expose_bytes(), [0x25; 16]);
    assert_eq!(unwrap(&block).into_key::<tdea_keys::PinKey>().unwrap_err(), NotThisKey::Strength(fault));
}

#[test]
fn keys_of_no_length_of_the_algorithm_do_not_come_out() {
    let block = lenient_block(&[0xA5; 8]);
    let error = unwrap(&block).into_key::<tdea_keys::PinKey>().unwrap_err();
    assert_eq!(error, NotThisKey::Length { found: 8 });
}

/// A block under [`kbpk`] as software writes it that judges nothing.
fn lenient_block(key: &[u8]) -> KeyBlock {
    common::seal_d(&[0x31; 32], "P0TB00E0000", key)
}

#[test]
fn a_component_does_not_come_out_as_a_key() {
    let key = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let key = key.with_key_version(KeyVersion::try_from(*b"c1").unwrap());
    let block = key.wrap(&kbpk(), &form(Exportability::None), &mut Counting::default()).unwrap();
    assert_eq!(unwrap(&block).into_key::<tdea_keys::PinKey>().unwrap_err(), NotThisKey::Component);
}

#[test]
fn protection_keys_serve_their_versions_only() {
    let variant = VariantKbpk::from_key(tdea_key(TRIPLE));
    let derivation = DerivationKbpk::from_key(tdea_key(TRIPLE));
    let iso = Iso20038Kbpk::from_key(aes(AesKeyLength::Aes256, 0x31));
    let key = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let all = [Version::A, Version::B, Version::C, Version::D, Version::E];
    for found in all {
        let form = Form::new(found, Exportability::None);
        let rng = &mut Counting::default();
        let blocks = [
            key.wrap(&variant, &form, rng),
            key.wrap(&derivation, &form, rng),
            key.wrap(&kbpk(), &form, rng),
            key.wrap(&iso, &form, rng),
        ];
        let served = blocks.each_ref().map(Result::is_ok);
        let expected = match found {
            Version::A | Version::C => [true, false, false, false],
            Version::B => [false, true, false, false],
            Version::D => [false, false, true, true],
            Version::E => [false, false, false, true],
        };
        assert_eq!(served, expected);
        for block in blocks {
            let Ok(block) = block else {
                assert_eq!(block.unwrap_err(), WrapError::Version { found });
                continue;
            };
            let opened = [
                block.unwrap(&variant).err(),
                block.unwrap(&derivation).err(),
                block.unwrap(&kbpk()).err(),
                block.unwrap(&iso).err(),
            ];
            // The two AES keys have the same bytes here.
            assert_eq!(opened.map(|error| error.is_none()), expected);
            assert!(opened.iter().flatten().all(|error| *error == UnwrapError::Version { found }));
        }
    }
}

#[test]
fn a_key_goes_only_under_one_at_least_as_strong() {
    let rng = &mut Counting::default();
    let form = Form::new(Version::B, Exportability::None);
    let triple = NewKey::new(tdea_keys::PinKey::from_key(tdea_key(TRIPLE)), ModeOfUse::ANY).unwrap();
    let double = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let under = |kbpk| DerivationKbpk::from_key(tdea_key(kbpk));

    assert!(double.wrap(&under(DOUBLE), &form, rng).is_ok());
    assert!(triple.wrap(&under(TRIPLE), &form, rng).is_ok());
    let error = triple.wrap(&under(DOUBLE), &form, rng).unwrap_err();
    assert_eq!(error, WrapError::Weaker { protection: Strength::TdeaDouble, key: Strength::TdeaTriple });

    let weaker = AesKbpk::from_key(aes(AesKeyLength::Aes128, 1));
    let key = NewKey::new(aes_keys::PinKey::from_key(aes(AesKeyLength::Aes192, 2)), ModeOfUse::ANY).unwrap();
    let error = key.wrap(&weaker, &Form::new(Version::D, Exportability::None), rng).unwrap_err();
    assert_eq!(error, WrapError::Weaker { protection: Strength::Aes128, key: Strength::Aes192 });
    // AES with 128 bits is above TDEA of any length.
    assert!(triple.wrap(&weaker, &Form::new(Version::D, Exportability::None), rng).is_ok());
    let aes_key =
        NewKey::new(aes_keys::PinKey::from_key(aes(AesKeyLength::Aes128, 2)), ModeOfUse::ANY).unwrap();
    let error = aes_key.wrap(&under(TRIPLE), &form, rng).unwrap_err();
    assert_eq!(error, WrapError::Weaker { protection: Strength::TdeaTriple, key: Strength::Aes128 });
}

#[test]
fn nothing_new_goes_under_a_weak_protection_key() {
    let key = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let form = Form::new(Version::B, Exportability::None);
    for (kbpk, second) in [(TdeaKey::from([0x45; 16]), 2), (tdea_key(TRIPLE_IN_NAME), 3)] {
        let error = key.wrap(&DerivationKbpk::from_key(kbpk), &form, &mut Counting::default()).unwrap_err();
        assert_eq!(error, WrapError::ProtectionKey(StrengthError::PartsEqual { first: 1, second }));
    }
}

/// chhil/TR31Keyblock, in `tr31.csv`: a triple-length key under a protection key whose outer parts agree.
#[test]
fn no_typed_key_comes_from_under_a_weaker_one() {
    let kbpk = DerivationKbpk::from_key(tdea_key("F039121BEC83D26B169BDCD5B22AAF8FF039121BEC83D26B"));
    let block: KeyBlock =
        "B0096P0TB00E0000362D6B7B5D73969D3560CB6EE142206A34C9A0D5736619868843D35054F36B11C1BFFAA30E1EFB5D"
            .parse()
            .unwrap();
    let error = block.unwrap(&kbpk).unwrap().into_key::<tdea_keys::PinKey>().unwrap_err();
    let (protection, key) = (Strength::TdeaDouble, Strength::TdeaTriple);
    assert_eq!(error, NotThisKey::Protection { protection, key });
}

/// Every exportability against every grant.
#[test]
fn a_key_is_sent_on_with_no_more_leave_than_it_came_with() {
    use Exportability::{None, Sensitive, Trusted};
    for allowed in [None, Trusted, Sensitive] {
        let unwrapped = unwrap(&pin_block(allowed));
        for granted in [None, Trusted, Sensitive] {
            let sent_on = unwrapped.rewrap(&kbpk(), &form(granted), &mut Counting::default());
            let expected = match (allowed, granted) {
                (None, _) => Err(WrapError::NotExportable),
                (Trusted, Sensitive) => Err(WrapError::WiderExport),
                _ => Ok(granted),
            };
            assert_eq!(sent_on.map(|block| block.header().attributes.exportability), expected);
        }
        // The same for the key once it has its type.
        let typed = unwrapped.into_key::<tdea_keys::PinKey>().unwrap();
        let sent_on = typed.rewrap(&kbpk(), &form(None), &mut Counting::default());
        assert_eq!(sent_on.is_ok(), allowed != None);
    }
}

#[test]
fn sending_on_keeps_what_is_said_of_the_key_and_drops_what_is_said_of_the_block() {
    let proprietary = OptionalBlock::new(BlockId::try_from(*b"1Z").unwrap(), "kept !").unwrap();
    let time_stamp = OptionalBlock::new(BlockId::TIME_STAMP, "20200818221218Z").unwrap();
    let ksn = OptionalBlock::key_serial_number(&[1; 10]);
    let first = Form {
        check_values: CheckValues::Both,
        optional_blocks: vec![proprietary.clone(), time_stamp, ksn.clone()],
        ..form(Exportability::Trusted)
    };
    let key = NewKey::new(pin_key(), ModeOfUse::ENCRYPT).unwrap();
    let key = key.with_key_version(KeyVersion::try_from(*b"A7").unwrap()).with_context(KeyContext::Exchange);
    let block = key.wrap(&kbpk(), &first, &mut Counting::default()).unwrap();
    assert!(block.header().optional_block(BlockId::PROTECTION_KEY_CHECK_VALUE).is_some());

    let other = DerivationKbpk::from_key(tdea_key(TRIPLE));
    let label = OptionalBlock::new(BlockId::LABEL, "second hand").unwrap();
    let second = Form {
        optional_blocks: vec![label.clone()],
        check_values: CheckValues::Key,
        ..Form::new(Version::B, Exportability::None)
    };
    let sent_on = unwrap(&block).rewrap(&other, &second, &mut Counting::default()).unwrap();
    let header = sent_on.header();
    let (old, new) = (block.header().attributes, header.attributes);
    assert_eq!(new, cardroot_keyblock::Attributes { exportability: Exportability::None, ..old });
    let ids: Vec<_> = header.optional_blocks.iter().map(|block| block.id().to_string()).collect();
    assert_eq!(ids, ["1Z", "KS", "KC", "LB", "PB"]);
    assert_eq!(header.optional_blocks[0], proprietary);
    assert_eq!(header.optional_blocks[1], ksn);
    assert_eq!(header.optional_blocks[3], label);
    assert!(sent_on.unwrap(&other).unwrap().into_key::<tdea_keys::PinEncryptionKey>().is_ok());
}

#[test]
fn a_key_pair_goes_only_under_a_key_as_strong_as_before() {
    let block = common::seal_d(&[0x31; 32], "S0RS00E0000", &[0x30; 100]);
    let unwrapped = unwrap(&block);
    let rng = &mut Counting::default();
    let weaker = AesKbpk::from_key(aes(AesKeyLength::Aes128, 1));
    let error = unwrapped.rewrap(&weaker, &form(Exportability::None), rng).unwrap_err();
    assert_eq!(error, WrapError::Weaker { protection: Strength::Aes128, key: Strength::Aes256 });
    let sent_on = unwrapped.rewrap(&kbpk(), &form(Exportability::None), rng).unwrap();
    assert_eq!(unwrap(&sent_on).key().expose_bytes(), [0x30; 100]);
}

#[test]
fn the_length_of_a_key_is_hidden_unless_asked_otherwise() {
    let length = |key: TdeaKey, version, masking| {
        let key = NewKey::new(tdea_keys::PinKey::from_key(key), ModeOfUse::ANY).unwrap();
        let form = Form { masking, ..Form::new(version, Exportability::None) };
        let rng = &mut Counting::default();
        match version {
            Version::B => key.wrap(&DerivationKbpk::from_key(tdea_key(TRIPLE)), &form, rng),
            _ => key.wrap(&VariantKbpk::from_key(tdea_key(TRIPLE)), &form, rng),
        }
        .unwrap()
        .as_str()
        .len()
    };
    // knovichikhin/psec:tests/test_tr31.py (test_kb_masking_key_length)
    for (version, hidden, shown) in [(Version::A, 88, 72), (Version::B, 96, 80), (Version::C, 88, 72)] {
        assert_eq!(length(tdea_key(TRIPLE), version, Masking::Longest), hidden);
        assert_eq!(length(tdea_key(DOUBLE), version, Masking::Longest), hidden);
        assert_eq!(length(tdea_key(TRIPLE), version, Masking::None), hidden);
        assert_eq!(length(tdea_key(DOUBLE), version, Masking::None), shown);
    }
    for (length, shown) in
        [(AesKeyLength::Aes128, 112), (AesKeyLength::Aes192, 112), (AesKeyLength::Aes256, 144)]
    {
        let block = |masking| {
            let key = aes_keys::PinKey::from_key(aes(length, 7));
            wrap(key, ModeOfUse::ANY, &Form { masking, ..form(Exportability::None) }).as_str().len()
        };
        assert_eq!((block(Masking::Longest), block(Masking::None)), (144, shown));
    }
}

#[test]
fn check_values_are_written_and_verified() {
    let wanted = Form { check_values: CheckValues::Both, ..form(Exportability::None) };
    let block = wrap(pin_key(), ModeOfUse::ANY, &wanted);
    let header = block.header();
    let Content::KeyCheckValue(value) = header.optional_blocks[0].content() else { unreachable!() };
    assert_eq!(value.as_bytes(), pin_key().kcv().as_bytes());
    let Content::ProtectionKeyCheckValue(value) = header.optional_blocks[1].content() else { unreachable!() };
    assert_eq!(value.as_bytes().len(), 5);
    assert!(block.unwrap(&kbpk()).is_ok());
    let none = wrap(pin_key(), ModeOfUse::ANY, &form(Exportability::None));
    assert!(none.header().optional_blocks.is_empty());
}

/// Blocks under the right MAC whose check values are of other keys, or are none.
#[test]
fn wrong_check_values_are_refused_under_a_right_mac() {
    let key = [[0x11; 8], [0x22; 8]].concat();
    let right = TdeaKey::try_from(&*key).unwrap().kcv().to_string();
    let open = |fields: &str| common::seal_d(&[0x31; 32], fields, &key).unwrap(&kbpk()).map(drop);
    // The two optional blocks are 32 characters.
    let kc = |data: &str| {
        let (len, fill) = (4 + data.len(), 24 - data.len());
        format!("P0TB00E0200KC{len:02X}{data}PB{:02X}{}", 4 + fill, "0".repeat(fill))
    };
    assert_eq!(open(&kc(&format!("00{right}"))), Ok(()));
    for wrong in ["00000000", "01000000", "02000000", "00", ""] {
        assert_eq!(open(&kc(wrong)), Err(UnwrapError::Refused), "{wrong}");
    }
    assert_eq!(open(&kc(&format!("00{right}")).replace("KC", "KP")), Err(UnwrapError::Refused));
    // RSA keys have check values that are not known here: nothing to hold them against.
    assert_eq!(open(&kc("00000000").replace("P0T", "S0R")), Ok(()));
}

#[test]
fn single_des_keys_have_check_values() {
    let open = |kcv: &str| {
        let fields = format!("D0DB00E0200KC0C00{kcv}PB14{}", "0".repeat(16));
        common::seal_d(&[0x31; 32], &fields, &[0x11; 8]).unwrap(&kbpk()).map(drop)
    };
    let kcv = TdeaKey::from([0x11; 16]).kcv().to_string();
    assert_eq!(open(&kcv), Ok(()));
    assert_eq!(open("000000"), Err(UnwrapError::Refused));
}

#[test]
fn the_caller_brings_neither_padding_nor_check_values_and_nothing_twice() {
    let key = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let wrap = |optional_blocks| {
        let form = Form { optional_blocks, ..form(Exportability::None) };
        key.wrap(&kbpk(), &form, &mut Counting::default())
    };
    let written = Form { check_values: CheckValues::Both, ..form(Exportability::None) };
    let written = key.wrap(&kbpk(), &written, &mut Counting::default()).unwrap();
    assert_eq!(written.header().optional_blocks.len(), 3);
    for block in &written.header().optional_blocks {
        assert_eq!(wrap(vec![block.clone()]), Err(WrapError::Reserved { id: block.id() }));
    }
    let label = OptionalBlock::new(BlockId::LABEL, "twice").unwrap();
    assert_eq!(wrap(vec![label.clone(), label]), Err(WrapError::Duplicate { id: BlockId::LABEL }));
}

#[test]
fn a_block_that_would_be_too_long_is_refused() {
    let key = NewKey::new(pin_key(), ModeOfUse::ANY).unwrap();
    let wrap = |optional_blocks| {
        let form = Form { optional_blocks, ..form(Exportability::None) };
        key.wrap(&kbpk(), &form, &mut Counting::default())
    };
    let label = |len| vec![OptionalBlock::new(BlockId::LABEL, &"x".repeat(len)).unwrap()];
    // Header 9872, payload 64, MAC 32 digits; 10 characters of the label are its head.
    let longest = wrap(label(9888 - 16 - 10)).unwrap();
    assert_eq!(longest.as_str().len(), 9984);
    assert_eq!(unwrap(&longest).header().optional_blocks[0].data().len(), 9862);
    assert_eq!(wrap(label(9888 - 16 - 9)), Err(WrapError::TooLong));
    assert_eq!(wrap(label(100_000)), Err(WrapError::TooLong));

    let many = |count: u8| {
        let digits = b"0123456789";
        let id = |number: u8| {
            BlockId::try_from([digits[usize::from(number / 10)], digits[usize::from(number % 10)]])
        };
        (0..count).map(|number| OptionalBlock::new(id(number).unwrap(), "").unwrap()).collect::<Vec<_>>()
    };
    // 96 blocks of 4 characters are whole blocks; 97 need padding.
    assert_eq!(wrap(many(96)).unwrap().header().optional_blocks.len(), 96);
    assert_eq!(wrap(many(97)).unwrap().header().optional_blocks.len(), 98);
    assert_eq!(wrap(many(98)).unwrap().header().optional_blocks.len(), 99);
    assert_eq!(wrap(many(99)), Err(WrapError::TooLong));
}

proptest! {
    /// What is wrapped opens, as itself, with everything that was said of it.
    #[test]
    fn what_is_wrapped_opens_as_it_was(
        bytes in any::<[u8; 32]>(),
        length in prop_oneof![Just(AesKeyLength::Aes128), Just(AesKeyLength::Aes192), Just(AesKeyLength::Aes256)],
        version in prop_oneof![Just(Version::D), Just(Version::E)],
        key_version in "[0-9A-Zabd-z][0-9A-Za-z]",
        label in proptest::option::of("[ -~]{0,300}"),
        masking in prop_oneof![Just(Masking::Longest), Just(Masking::None)],
        check_values in prop_oneof![
            Just(CheckValues::None), Just(CheckValues::Key), Just(CheckValues::ProtectionKey), Just(CheckValues::Both)
        ],
    ) {
        let key = AesKey::from_fill(length, |key| key.copy_from_slice(&bytes[..length.bytes()]));
        let kbpk = Iso20038Kbpk::from_key(aes(AesKeyLength::Aes256, 0x31));
        let label = label.map(|label| OptionalBlock::new(BlockId::LABEL, &label).unwrap());
        let form = Form {
            version,
            exportability: Exportability::Trusted,
            masking,
            check_values,
            optional_blocks: label.clone().into_iter().collect(),
        };
        let key_version = KeyVersion::try_from(<[u8; 2]>::try_from(key_version.as_bytes()).unwrap()).unwrap();
        let new = NewKey::new(aes_keys::DataKey::from_key(key.duplicate()), ModeOfUse::ENCRYPT_AND_DECRYPT)
            .unwrap()
            .with_key_version(key_version);
        let block = new.wrap(&kbpk, &form, &mut Counting::default()).unwrap();

        let read = KeyBlock::decode(block.as_str().as_bytes()).unwrap();
        prop_assert_eq!(&read, &block);
        let opened = read.unwrap(&kbpk).unwrap().into_key::<aes_keys::DataKey>().unwrap();
        prop_assert!(opened.key().base().ct_eq(&key));
        prop_assert_eq!(opened.header().attributes.key_version, key_version);
        prop_assert_eq!(opened.header().optional_block(BlockId::LABEL), label.as_ref());
        prop_assert_eq!(opened.header(), read.header());
    }
}
