//! Published key blocks: all that open, all that do not, and the same bytes when they are made again.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a panic is the report of a failed test"
)]

mod common;

use cardroot_keyblock::aeskey::AesKey;
use cardroot_keyblock::tdea::TdeaKey;
use cardroot_keyblock::{
    AesKbpk, Algorithm, BaseKey, BlockId, BlockKey, CheckValues, DecodeError, DerivationKbpk, Exportability,
    Form, Iso20038Kbpk, KeyBlock, Masking, ModeOfUse, NewKey, OptionalBlock, UnwrapError, Unwrapped, Usage,
    VariantKbpk, Version, WrapError, aes_keys, aeskey, tdea, tdea_keys,
};
use common::{Good, Script, aes_key, bad, good, hex, tdea_key, to_hex};

fn unwrap(row: &Good) -> Unwrapped {
    let block =
        KeyBlock::decode(row.key_block.as_bytes()).unwrap_or_else(|error| panic!("{}: {error}", row.source));
    unwrap_under(&block, &row.kbpk).unwrap_or_else(|error| panic!("{}: {error}", row.source))
}

/// Unwraps under the type of protection key that serves the version.
fn unwrap_under(block: &KeyBlock, kbpk: &str) -> Result<Unwrapped, UnwrapError> {
    match block.header().version {
        Version::A | Version::C => block.unwrap(&VariantKbpk::from_key(tdea_key(kbpk))),
        Version::B => block.unwrap(&DerivationKbpk::from_key(tdea_key(kbpk))),
        Version::D => block.unwrap(&AesKbpk::from_key(aes_key(kbpk))),
        Version::E => block.unwrap(&Iso20038Kbpk::from_key(aes_key(kbpk))),
    }
}

#[test]
fn every_published_block_gives_its_key() {
    let rows = good();
    for row in &rows {
        let key = unwrap(row);
        assert_eq!(to_hex(key.key().expose_bytes()), row.key, "{}", row.source);
    }
    assert_eq!(rows.len(), 34);
}

#[test]
fn no_block_opens_under_another_key_or_once_it_is_altered() {
    let mut refused = 0;
    for row in good() {
        let block: KeyBlock = row.key_block.parse().unwrap();
        let mut other = hex(&row.kbpk);
        other[3] ^= 0x10;
        assert_eq!(unwrap_under(&block, &to_hex(&other)).unwrap_err(), UnwrapError::Refused);

        // The largest blocks have thousands of characters; some of them will do.
        let stride = if row.key_block.len() > 500 { 37 } else { 1 };
        for position in (0..row.key_block.len()).step_by(stride) {
            let mut text = row.key_block.clone().into_bytes();
            text[position] ^= 0x01;
            let Ok(block) = KeyBlock::decode(&text) else { continue };
            let served = unwrap_under(&block, &row.kbpk);
            assert_eq!(served.unwrap_err(), UnwrapError::Refused, "{} at {position}", row.source);
            refused += 1;
        }
    }
    println!("{refused} altered blocks refused");
    assert_eq!(refused, 2818);
}

/// Why a block of the negative files does not open, by the words of the files.
fn reason(kbpk: &str, text: &str) -> Option<&'static str> {
    let kbpk_bytes = hex(kbpk);
    if TdeaKey::try_from(&*kbpk_bytes).is_err() && AesKey::try_from(&*kbpk_bytes).is_err() {
        return Some("kbpk");
    }
    Some(match KeyBlock::decode(text.as_bytes()) {
        Ok(block) => match unwrap_under(&block, kbpk) {
            Err(UnwrapError::Refused) => "refused",
            _ => return None,
        },
        Err(DecodeError::Length { .. }) => "length",
        Err(DecodeError::LengthDigits) => "length digits",
        Err(DecodeError::HeaderLength { .. }) => "header length",
        Err(DecodeError::MacMissing) => "mac missing",
        Err(DecodeError::MacDigits) => "mac digits",
        Err(DecodeError::CiphertextDigits) => "ciphertext digits",
        Err(DecodeError::CiphertextLength { .. }) => "ciphertext length",
        Err(_) => return None,
    })
}

#[test]
fn every_block_to_be_refused_is_refused_for_its_reason() {
    let rows = bad();
    for row in &rows {
        let expected = match &*row.expect {
            "published-inconsistent" | "length-not-as-announced" => "length",
            "length-field-not-digits" => "length digits",
            "length-not-block-multiple" | "ciphertext-missing-or-short" => "ciphertext length",
            "mac-not-hex" => "mac digits",
            // A header of 20 characters, which is the first thing to be seen.
            "mac-too-short" if row.key_block.contains("TT04") => "header length",
            "mac-too-short" => "mac missing",
            "ciphertext-not-hex" => "ciphertext digits",
            "kbpk-length-not-allowed-for-version" => "kbpk",
            "mac-mismatch" | "payload-length-field-invalid" | "payload-shorter-than-its-length-field" => {
                "refused"
            }
            other => panic!("unknown reason {other}"),
        };
        assert_eq!(reason(&row.kbpk, &row.key_block), Some(expected), "{}", row.key_block);
    }
    assert_eq!(rows.len(), 34);
}

/// Declares a type for printed blocks whose mode of use V gives one thing only, whatever the usage.
macro_rules! printed_key {
    ($name:ident($krate:ident::$base:ident): $usage:ident) => {
        $krate::key_type! {
            /// A key that the crate has no type for.
            pub struct $name;
        }

        impl BlockKey for $name {
            type Base = $krate::$base;
            const USAGE: Usage = Usage::$usage;
            const TAKES: &'static [ModeOfUse] = &[ModeOfUse::VERIFY];
            const GIVES: &'static [ModeOfUse] = &[ModeOfUse::VERIFY];

            fn from_base(key: $krate::$base) -> Self {
                Self(key)
            }

            fn base(&self) -> &$krate::$base {
                &self.0
            }

            fn into_base(self) -> $krate::$base {
                self.0
            }
        }
    };
}

printed_key!(PrintedBdk(tdea::TdeaKey): BASE_DERIVATION);
printed_key!(CardVerificationKey(aeskey::AesKey): CARD_VERIFICATION);

/// Makes the block of a row again, out of its key and its fill. `None` where there is no type for its key.
fn make(row: &Good) -> Option<Result<KeyBlock, WrapError>> {
    let block: KeyBlock = row.key_block.parse().unwrap();
    let attributes = block.header().attributes;
    let code = [&attributes.usage.code()[..], &attributes.algorithm.code(), &attributes.mode.code()].concat();
    Some(match (&*code, row.key.len() / 2) {
        (_, 8) => return None,
        (b"K0TN", _) => wrap::<tdea_keys::Kek>(row, &block),
        (b"P0TE", _) => wrap::<tdea_keys::PinEncryptionKey>(row, &block),
        (b"P0TB" | b"P0TN", _) => wrap::<tdea_keys::PinKey>(row, &block),
        (b"B0TX" | b"B0TN", _) => wrap::<tdea_keys::Bdk>(row, &block),
        (b"B0TV", _) => wrap::<PrintedBdk>(row, &block),
        (b"M3TC", _) => wrap::<tdea_keys::RetailMacKey>(row, &block),
        (b"M3TV", _) => wrap::<tdea_keys::RetailMacVerificationKey>(row, &block),
        (b"C0AV", _) => wrap::<CardVerificationKey>(row, &block),
        (b"P0AE", _) => wrap::<aes_keys::PinEncryptionKey>(row, &block),
        (b"D0AN", _) => wrap::<aes_keys::DataKey>(row, &block),
        (b"B1AX", _) => wrap::<aes_keys::InitialKey>(row, &block),
        _ => return None,
    })
}

fn wrap<K: BlockKey>(row: &Good, block: &KeyBlock) -> Result<KeyBlock, WrapError> {
    let attributes = block.header().attributes;
    let key = K::from_base(K::Base::from_bytes(&hex(&row.key)).unwrap());
    let key = NewKey::new(key, attributes.mode).unwrap().with_key_version(attributes.key_version);
    let check_values = match block.header().optional_block(BlockId::KEY_CHECK_VALUE) {
        Some(_) => CheckValues::Key,
        None => CheckValues::None,
    };
    let optional_blocks = optional_blocks(block);
    let form = Form { masking: masking(row), check_values, optional_blocks, ..form(block) };
    let mut rng = Script::new(&hex(&row.padding));
    let wrapped = match block.header().version {
        Version::A | Version::C => key.wrap(&VariantKbpk::from_key(tdea_key(&row.kbpk)), &form, &mut rng),
        Version::B => key.wrap(&DerivationKbpk::from_key(tdea_key(&row.kbpk)), &form, &mut rng),
        Version::D => key.wrap(&AesKbpk::from_key(aes_key(&row.kbpk)), &form, &mut rng),
        Version::E => key.wrap(&Iso20038Kbpk::from_key(aes_key(&row.kbpk)), &form, &mut rng),
    };
    assert!(wrapped.is_err() || rng.is_used_up());
    wrapped
}

fn form(block: &KeyBlock) -> Form {
    Form::new(block.header().version, block.header().attributes.exportability)
}

/// What the caller brings; padding and check values are written with the block.
fn optional_blocks(block: &KeyBlock) -> Vec<OptionalBlock> {
    let blocks = block.header().optional_blocks.iter();
    blocks.filter(|block| OptionalBlock::new(block.id(), block.data()).is_ok()).cloned().collect()
}

/// The longest key is 24 bytes for TDEA: less fill than that, and the length was not hidden.
fn masking(row: &Good) -> Masking {
    let (key, fill) = (hex(&row.key).len(), hex(&row.padding).len());
    let block: KeyBlock = row.key_block.parse().unwrap();
    let longest = if block.header().attributes.algorithm == Algorithm::AES { 32 } else { 24 };
    if key + fill >= longest { Masking::Longest } else { Masking::None }
}

#[test]
fn the_same_key_and_fill_give_the_same_block() {
    let (mut same, mut other_padding, mut weak) = (0, 0, 0);
    let mut not_made = Vec::new();
    for row in good() {
        match make(&row) {
            Some(Ok(block)) if is_padded_as_here(&row) => {
                assert_eq!(block.as_str(), row.key_block, "{}", row.source);
                same += 1;
            }
            Some(Ok(block)) => {
                assert_eq!(block.as_str().len(), row.key_block.len());
                other_padding += 1;
            }
            // A protection key whose first and third part agree: nothing new goes under it.
            Some(Err(WrapError::ProtectionKey(_))) => weak += 1,
            Some(Err(error)) => panic!("{}: {error}", row.source),
            None => not_made.push(row.key_block[..16].to_owned()),
        }
    }
    println!(
        "{same} made again, {other_padding} padded otherwise, {weak} under a weak key, not made: {not_made:?}"
    );
    // Three keys of single DES, and the key pairs of RSA and EC.
    assert_eq!((same, other_padding, weak, not_made.len()), (27, 1, 1, 5));
}

/// Padding blocks are filled with zeros here, and may be filled with anything.
fn is_padded_as_here(row: &Good) -> bool {
    let block: KeyBlock = row.key_block.parse().unwrap();
    block
        .header()
        .optional_block(BlockId::PADDING)
        .is_none_or(|block| block.data().bytes().all(|fill| fill == b'0'))
}

#[test]
fn sending_on_under_the_same_key_with_the_same_fill_gives_the_same_block() {
    let (mut same, mut not_exportable, mut weak) = (0, 0, 0);
    for row in good().into_iter().filter(is_padded_as_here) {
        let unwrapped = unwrap(&row);
        let header = unwrapped.header();
        let form =
            Form { masking: masking(&row), ..Form::new(header.version, header.attributes.exportability) };
        match rewrap(&unwrapped, &row, &form, &mut Script::new(&hex(&row.padding))) {
            Ok(block) => {
                assert_eq!(block.as_str(), row.key_block, "{}", row.source);
                same += 1;
            }
            Err(WrapError::NotExportable) => {
                assert_eq!(header.attributes.exportability, Exportability::None);
                not_exportable += 1;
            }
            Err(WrapError::ProtectionKey(_)) => weak += 1,
            Err(error) => panic!("{}: {error}", row.source),
        }
    }
    println!("{same} sent on, {not_exportable} not exportable, {weak} under a weak key");
    assert_eq!((same, not_exportable, weak), (21, 11, 1));
}

fn rewrap(unwrapped: &Unwrapped, row: &Good, form: &Form, rng: &mut Script) -> Result<KeyBlock, WrapError> {
    match form.version {
        Version::A | Version::C => unwrapped.rewrap(&VariantKbpk::from_key(tdea_key(&row.kbpk)), form, rng),
        Version::B => unwrapped.rewrap(&DerivationKbpk::from_key(tdea_key(&row.kbpk)), form, rng),
        Version::D => unwrapped.rewrap(&AesKbpk::from_key(aes_key(&row.kbpk)), form, rng),
        Version::E => unwrapped.rewrap(&Iso20038Kbpk::from_key(aes_key(&row.kbpk)), form, rng),
    }
}
