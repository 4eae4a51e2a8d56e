//! Reading and writing the text of key blocks: every refusal with its position, and totality.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_keyblock::{
    Algorithm, BlockId, CheckMethod, Content, DecodeError, Exportability, KeyBlock, KeyContext, KeyVersion,
    ModeOfUse, NotACode, OptionalBlock, OptionalBlockError, Usage, Version,
};
use common::good;
use proptest::prelude::*;

/// A block of version B with a good ciphertext and MAC in form, its length filled in at `####`.
fn text(header: &str) -> String {
    let body = "00112233445566778899AABBCCDDEEFF0011223344556677";
    let mac = "8899AABBCCDDEEFF";
    let length = header.len() + body.len() + mac.len();
    format!("{header}{body}{mac}").replace("####", &format!("{length:04}"))
}

fn decode(header: &str) -> Result<KeyBlock, DecodeError> {
    KeyBlock::decode(text(header).as_bytes())
}

fn optional_error(position: usize) -> DecodeError {
    DecodeError::OptionalBlock { position }
}

#[test]
fn all_fields_of_a_header_are_read() {
    let block = decode("B####B0TX12S0110KS1800604B120F9292800000").unwrap();
    let header = block.header();
    assert_eq!(header.version, Version::B);
    let attributes = header.attributes;
    assert_eq!((attributes.usage, attributes.algorithm), (Usage::BASE_DERIVATION, Algorithm::TDEA));
    assert_eq!((attributes.mode, attributes.exportability), (ModeOfUse::DERIVE, Exportability::Sensitive));
    assert_eq!(attributes.key_version.code(), *b"12");
    assert_eq!(attributes.context, KeyContext::Storage);
    let ksn = header.optional_block(BlockId::KEY_SERIAL_NUMBER).unwrap();
    assert_eq!(ksn.content(), Content::KeySerialNumber("00604B120F9292800000"));
    assert_eq!(header.optional_block(BlockId::LABEL), None);
}

#[test]
fn codes_have_names_and_unknown_ones_are_kept() {
    assert_eq!(Usage::PIN_ENCRYPTION.name(), Some("PIN encryption key"));
    let block = decode("B####99Z800N0000").unwrap();
    let attributes = block.header().attributes;
    assert_eq!(attributes.usage.to_string(), "99");
    assert_eq!(
        (attributes.usage.name(), attributes.algorithm.name(), attributes.mode.name()),
        (None, None, None)
    );
    assert_eq!(format!("{:?}", attributes.usage), "Usage(99)");
}

#[test]
fn a_code_is_letters_and_digits() {
    assert_eq!(Usage::try_from(*b"P-"), Err(NotACode));
    assert_eq!(Algorithm::try_from(*b" "), Err(NotACode));
    assert_eq!(KeyVersion::try_from([b'c', 0]), Err(NotACode));
    assert_eq!(Usage::try_from(*b"P0"), Ok(Usage::PIN_ENCRYPTION));
    assert_eq!(BlockId::try_from(*b"*0"), Err(NotACode));
}

#[test]
fn a_component_says_which_it_is() {
    assert_eq!(KeyVersion::try_from(*b"c2").unwrap().component(), Some('2'));
    assert_eq!(KeyVersion::UNUSED.component(), None);
    assert_eq!(KeyVersion::try_from(*b"C2").unwrap().component(), None);
}

#[test]
fn every_field_is_refused_by_itself() {
    let good = text("B####P0TE00N0000");
    assert_eq!(KeyBlock::decode(b""), Err(DecodeError::TooShort { found: 0 }));
    assert_eq!(KeyBlock::decode(b"B0016P0TE00N000"), Err(DecodeError::TooShort { found: 15 }));
    assert_eq!(KeyBlock::decode(b"B0016P0TE00N0000"), Err(DecodeError::MacMissing));
    assert_eq!(
        KeyBlock::decode(good.trim_end_matches('F').as_bytes()),
        Err(DecodeError::Length { announced: 80, found: 78 })
    );
    assert_eq!(decode("F####P0TE00N0000"), Err(DecodeError::Version { found: b'F' }));
    assert_eq!(decode("b####P0TE00N0000"), Err(DecodeError::Version { found: b'b' }));
    assert_eq!(decode("B+080P0TE00N0000"), Err(DecodeError::LengthDigits));
    assert_eq!(decode("B####P_TE00N0000"), Err(DecodeError::Field { position: 5 }));
    assert_eq!(decode("B####P0_E00N0000"), Err(DecodeError::Field { position: 7 }));
    assert_eq!(decode("B####P0T_00N0000"), Err(DecodeError::Field { position: 8 }));
    assert_eq!(decode("B####P0TE0_N0000"), Err(DecodeError::Field { position: 9 }));
    assert_eq!(decode("B####P0TE00X0000"), Err(DecodeError::Field { position: 11 }));
    assert_eq!(decode("B####P0TE00N0X00"), Err(DecodeError::Field { position: 12 }));
    assert_eq!(decode("B####P0TE00N0030"), Err(DecodeError::Field { position: 14 }));
    assert_eq!(decode("B####P0TE00N0001"), Err(DecodeError::Field { position: 15 }));
    assert_eq!(decode("B####P0TE00N01\u{3}0"), Err(DecodeError::Character { position: 14 }));
}

#[test]
fn what_stands_behind_a_block_is_refused() {
    let text = text("B####P0TE00N0000");
    assert!(KeyBlock::decode(text.as_bytes()).is_ok());
    assert_eq!(
        KeyBlock::decode(format!("{text}\n").as_bytes()),
        Err(DecodeError::Character { position: 80 })
    );
    assert_eq!(
        KeyBlock::decode(format!("{text} ").as_bytes()),
        Err(DecodeError::Length { announced: 80, found: 81 })
    );
}

/// The malformed optional blocks of knovichikhin/psec:tests/test_tr31.py that are wrong whatever stands behind them.
#[test]
fn malformed_optional_blocks_are_refused_where_they_start() {
    for block in [
        "KS1Y",
        "KS02",
        "KS03",
        "KS001S",
        "KS0000",
        "KS00010H",
        "KS000101",
        "KS000106",
        "**04",
        "?004",
        "K_04",
        "KSFF",
        "KS0001FF",
        "KS0002FFFF",
        "KS00FF",
        "KS+8",
        "KS00+2",
    ] {
        assert_eq!(decode(&format!("B####P0TE00N0100{block}")), Err(optional_error(16)), "{block}");
    }
    for block in ["TT1X", "TT03", "TT001S", "TT0000", "TT000101"] {
        assert_eq!(decode(&format!("B####P0TE00N0200KS04{block}")), Err(optional_error(20)), "{block}");
    }
}

#[test]
fn optional_blocks_end_with_the_text() {
    for cut in ["", "K", "KS", "KS1", "KS00", "KS000", "KS0002", "KS000201"] {
        let header = "B####P0TE00N0100".to_owned() + cut;
        let text = header.replace("####", &format!("{:04}", header.len()));
        assert_eq!(KeyBlock::decode(text.as_bytes()), Err(optional_error(16)), "{cut}");
    }
    let text = "B0018P0TE00N9900".to_owned() + "KS";
    assert_eq!(KeyBlock::decode(text.as_bytes()), Err(optional_error(16)));
}

#[test]
fn long_lengths_are_read_in_bytes_and_in_characters() {
    let label = "P".repeat(260);
    for length in ["0002010E", "0004010E"] {
        let header = format!("B####P0TE00N0200LB{length}{label}PB0A000000");
        let header = decode(&header).unwrap().header().clone();
        assert_eq!(header.optional_blocks[0].data(), label);
        assert_eq!(header.optional_blocks[1].content(), Content::Padding);
    }
    // A short block may have the long form.
    let header = decode("B####P0TE00N0200KS00011600604B120F9292PB0A000000").unwrap().header().clone();
    assert_eq!(header.optional_blocks[0].data(), "00604B120F9292");
}

#[test]
fn two_optional_blocks_of_a_kind_are_refused() {
    let found = decode("B####P0TE00N0200LB08AAAALB08BBBB");
    assert_eq!(found, Err(DecodeError::Duplicate { position: 24 }));
}

#[test]
fn headers_and_ciphertexts_are_whole_blocks() {
    assert_eq!(decode("B####P0TE00N0100LB06AA"), Err(DecodeError::HeaderLength { len: 22 }));
    assert_eq!(decode("D####P0TE00N0100LB08AAAA"), Err(DecodeError::HeaderLength { len: 24 }));
    let short = "D0064P0TE00N0000".to_owned() + &"0".repeat(48);
    assert_eq!(KeyBlock::decode(short.as_bytes()), Err(DecodeError::CiphertextLength { digits: 16 }));
    let odd = "E0049P0TE00N0000".to_owned() + &"0".repeat(33);
    assert_eq!(KeyBlock::decode(odd.as_bytes()), Err(DecodeError::CiphertextLength { digits: 1 }));
    let none = "E0048P0TE00N0000".to_owned() + &"0".repeat(32);
    assert_eq!(KeyBlock::decode(none.as_bytes()), Err(DecodeError::CiphertextLength { digits: 0 }));
}

#[test]
fn digits_of_either_case_are_the_same_block() {
    let upper = text("B####P0TE00N0000");
    let lower = upper[..16].to_owned() + &upper[16..].to_lowercase();
    let block = KeyBlock::decode(lower.as_bytes()).unwrap();
    assert_eq!(block.as_str(), lower);
}

#[test]
fn known_optional_blocks_say_what_they_are() {
    let content = |id: &[u8; 2], data: &str| {
        let header = format!("B####P0TE00N0200{}{:02X}{data}", str::from_utf8(id).unwrap(), 4 + data.len());
        let padding = 8 - (header.len() + 4) % 8;
        let header = format!("{header}PB{:02X}{}", 4 + padding, "0".repeat(padding));
        let block = decode(&header).unwrap();
        // Content borrows from the block: what is asserted is its text.
        format!("{:?}", block.header().optional_blocks[0].content())
    };
    assert_eq!(content(b"BI", "000102030405"), "KeySetId([1, 2, 3, 4, 5])");
    assert_eq!(content(b"BI", "0101020304"), "BaseKeyId([1, 2, 3, 4])");
    assert_eq!(content(b"HM", "21"), "Hash(33)");
    assert_eq!(content(b"IK", "0102030405060708"), "InitialKeyId([1, 2, 3, 4, 5, 6, 7, 8])");
    assert_eq!(content(b"KS", "10DE#GBIC#OPT1"), "KeySerialNumber(\"10DE#GBIC#OPT1\")");
    assert_eq!(content(b"LB", "a label"), "Label(\"a label\")");
    assert_eq!(content(b"TC", "2020-08-18T22:12:18Z"), "TimeOfCreation(\"2020-08-18T22:12:18Z\")");
    assert_eq!(content(b"TS", "20200818221218Z"), "TimeStamp(\"20200818221218Z\")");
    assert_eq!(content(b"1A", "proprietary"), "Other");
    for (id, data) in [
        (b"BI", "0001020304"),
        (b"BI", "020102030405"),
        (b"BI", "0"),
        (b"HM", "2"),
        (b"HM", "2121"),
        (b"IK", "01020304050607"),
        (b"IK", "010203040506070G"),
        (b"KC", ""),
        (b"KC", "0001"),
        (b"KC", "0001020304"),
        (b"KC", "01010203040506"),
        (b"KP", "0201020304"),
    ] {
        assert_eq!(content(id, data), "Malformed", "{data}");
    }
}

#[test]
fn check_values_have_method_and_bytes() {
    let block = decode("B####P0TE00N0200KC10012331550BC9PB08AAAA").unwrap();
    let Content::KeyCheckValue(value) = block.header().optional_blocks[0].content() else { unreachable!() };
    assert_eq!((value.method(), value.as_bytes()), (CheckMethod::Cmac, &[0x23, 0x31, 0x55, 0x0B, 0xC9][..]));
}

#[test]
fn optional_blocks_of_the_caller_are_printable_and_of_free_kinds() {
    let label = OptionalBlock::new(BlockId::LABEL, "key of 2026").unwrap();
    assert_eq!((label.id(), label.content()), (BlockId::LABEL, Content::Label("key of 2026")));
    assert_eq!(
        OptionalBlock::new(BlockId::LABEL, "a\tb"),
        Err(OptionalBlockError::Character { position: 1 })
    );
    assert_eq!(OptionalBlock::new(BlockId::LABEL, "ä"), Err(OptionalBlockError::Character { position: 0 }));
    for id in [BlockId::PADDING, BlockId::KEY_CHECK_VALUE, BlockId::PROTECTION_KEY_CHECK_VALUE] {
        assert_eq!(OptionalBlock::new(id, ""), Err(OptionalBlockError::Reserved { id }));
    }
    assert_eq!(OptionalBlock::initial_key_id(&[1, 2, 3, 4, 5, 6, 7, 8]).data(), "0102030405060708");
    assert_eq!(OptionalBlock::base_key_id(&[1, 2, 3, 4]).data(), "0101020304");
    assert_eq!(OptionalBlock::key_set_id(&[1, 2, 3, 4, 5]).data(), "000102030405");
    assert_eq!(OptionalBlock::hash(0x21).content(), Content::Hash(0x21));
}

#[test]
fn published_blocks_are_kept_as_they_came() {
    for row in good() {
        let block: KeyBlock = row.key_block.parse().unwrap();
        assert_eq!(block.to_string(), row.key_block);
        assert_eq!(format!("{block:?}"), format!("KeyBlock({})", row.key_block));
    }
}

/// Text that starts like a key block, so that it gets far.
fn nearly_a_block() -> impl Strategy<Value = String> {
    (
        "[A-F]",
        "[A-Z0-9]{2}[ATDX][A-Z][0-9c][0-9][ENSX]0[0-3][0-3]0",
        "([A-Z]{2}(0[0-9A-F]|00|0002)[ -~]{0,12}){0,3}",
        "[0-9A-F]{0,120}",
    )
        .prop_map(|(version, fields, blocks, rest)| {
            let length = 5 + fields.len() + blocks.len() + rest.len();
            format!("{version}{length:04}{fields}{blocks}{rest}")
        })
}

proptest! {
    #[test]
    fn decoding_is_total(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = KeyBlock::decode(&bytes);
    }

    #[test]
    fn decoding_what_looks_like_a_block_is_total_and_keeps_the_text(text in nearly_a_block()) {
        if let Ok(block) = KeyBlock::decode(text.as_bytes()) {
            prop_assert_eq!(block.as_str(), text);
            for block in &block.header().optional_blocks {
                let _ = block.content();
            }
        }
    }

    #[test]
    fn altering_a_published_block_never_panics(row in 0_usize..34, position in any::<proptest::sample::Index>(), to in any::<u8>()) {
        let mut text = good().swap_remove(row).key_block.into_bytes();
        let position = position.index(text.len());
        text[position] = to;
        let _ = KeyBlock::decode(&text);
        text.truncate(position);
        let _ = KeyBlock::decode(&text);
    }
}
