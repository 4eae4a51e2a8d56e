//! Data objects and data groupings: what is read and written, held against another implementation and as properties.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_apdu::dgi::{self, DgiError, DgiWriter, GroupingTooLong};
use cardroot_apdu::tlv::{self, MAX_VALUE, Tag, Tlv, TlvError, TlvWriter, ValueTooLong};
use common::{assert_debug_hides_a5, hex};
use proptest::prelude::*;

fn tag(number: u32) -> Tag {
    Tag::new(number).unwrap()
}

fn refused(text: &str) -> TlvError {
    Tlv::decode(&hex(text)).unwrap_err()
}

#[test]
fn tags_have_one_to_three_bytes_and_one_form() {
    for number in [0x01, 0x1E, 0x6F, 0xFE, 0x9F02, 0x9F1F, 0x5F24, 0xBF0C, 0x7F49, 0x1F8101, 0xDFFF7F] {
        assert_eq!(tag(number).number(), number);
    }
    for number in
        [0x00, 0x1F, 0xFF, 0x9F80, 0x9F81, 0x6F01, 0x1F801F, 0x1F8180, 0x60_8101, 0x1F81_8101, 0x0100]
    {
        assert_eq!(Tag::new(number).unwrap_err().number, number, "{number:X}");
    }
    assert!(tag(0x6F).is_constructed() && tag(0xBF0C).is_constructed() && tag(0x3F8101).is_constructed());
    assert!(!tag(0x84).is_constructed() && !tag(0x9F26).is_constructed() && !tag(0xDFFF7F).is_constructed());
}

#[test]
fn every_form_of_length_is_read_and_written() {
    for (head, len) in [
        ("8400", 0),
        ("847F", 127),
        ("848180", 128),
        ("8481FF", 255),
        ("84820100", 256),
        ("8482FFFF", 65535),
        ("8483010000", 65536),
    ] {
        let bytes = [hex(head), vec![0x5A; len]].concat();
        let object = Tlv::decode(&bytes).unwrap();
        assert_eq!((object.tag(), object.value().len()), (Tag::DF_NAME, len), "{head}");
        let mut writer = TlvWriter::new();
        writer.push(Tag::DF_NAME, object.value()).unwrap();
        assert_eq!(writer.expose_bytes(), bytes, "{head}");
    }
}

#[test]
fn other_forms_are_refused_where_they_begin() {
    for (text, error) in [
        ("00", TlvError::Tag { position: 0 }),
        ("9F8001", TlvError::Tag { position: 0 }),
        ("9F818101", TlvError::Tag { position: 0 }),
        ("8480", TlvError::Length { position: 1 }),
        ("84817F{AA*127}", TlvError::Length { position: 1 }),
        ("848200FF{AA*255}", TlvError::Length { position: 1 }),
        ("848300FFFF", TlvError::Length { position: 1 }),
        ("8484000000", TlvError::Length { position: 1 }),
        ("9F26FF", TlvError::Length { position: 2 }),
        ("8401AA00", TlvError::Trailing { position: 3 }),
    ] {
        assert_eq!(refused(text), error, "{text}");
    }
}

#[test]
fn every_cut_of_an_object_is_truncated() {
    for text in ["9F2603AABBCC", "DFFF7F01AA", "848180{AA*128}", "84820100{AA*256}", "8483010000{AA*65536}"] {
        let bytes = hex(text);
        for len in (0..bytes.len().min(300)).chain([bytes.len() - 1]) {
            let error = Tlv::decode(&bytes[..len]).unwrap_err();
            assert_eq!(error, TlvError::Truncated { position: 0 }, "{text} cut to {len}");
        }
        Tlv::decode(&bytes).unwrap();
    }
}

/// The control information of a payment directory, as in EMV Book 1.
#[test]
fn objects_are_found_along_a_path() {
    let fci = hex("6F1A 840E 315041592E5359532E4444463031 A508 880101 5F2D02 656E");
    let language = [Tag::FCI, Tag::FCI_PROPRIETARY, tag(0x5F2D)];
    assert_eq!(tlv::find(&fci, &language).unwrap(), Some(&b"en"[..]));
    assert_eq!(tlv::find(&fci, &[Tag::FCI, tag(0x5F2D)]).unwrap(), None);
    assert_eq!(tlv::find(&fci, &[]).unwrap(), Some(&fci[..]));
    let inner: Vec<_> = Tlv::decode(&fci).unwrap().objects().map(|o| o.unwrap().tag()).collect();
    assert_eq!(inner, [Tag::DF_NAME, Tag::FCI_PROPRIETARY]);
    assert_eq!(Tlv::decode(&hex("84028401")).unwrap().objects().count(), 0, "a value is not looked into");
}

#[test]
fn the_first_error_ends_a_row_of_objects() {
    let bytes = hex("8401AA 00 8401BB");
    let mut objects = tlv::objects(&bytes);
    assert!(objects.next().unwrap().is_ok());
    assert_eq!(objects.next().unwrap().unwrap_err(), TlvError::Tag { position: 3 });
    assert!(objects.next().is_none());
    assert_eq!(tlv::find(&bytes, &[tag(0x85)]).unwrap_err(), TlvError::Tag { position: 3 });
}

#[test]
fn a_value_over_16_mib_is_not_written() {
    let mut writer = TlvWriter::new();
    let long = vec![0; MAX_VALUE + 1];
    assert_eq!(writer.push(Tag::DF_NAME, &long).unwrap_err(), ValueTooLong { found: MAX_VALUE + 1 });
    assert!(writer.expose_bytes().is_empty());
    writer.push(Tag::DF_NAME, &long[1..]).unwrap();
    assert_eq!(Tlv::decode(writer.into_bytes().expose_bytes()).unwrap().value().len(), MAX_VALUE);
}

#[test]
fn groupings_have_one_byte_of_length_or_three() {
    for (head, len) in [("010100", 0), ("0101FE", 254), ("0101FF00FF", 255), ("0101FFFFFF", 65535)] {
        let bytes = [hex(head), vec![0x5A; len]].concat();
        let found = dgi::groupings(&bytes).next().unwrap().unwrap();
        assert_eq!((found.id(), found.value().len()), (0x0101, len), "{head}");
        let mut writer = DgiWriter::new();
        writer.push(0x0101, found.value()).unwrap();
        assert_eq!(writer.into_bytes().expose_bytes(), bytes);
    }
    let mut writer = DgiWriter::new();
    assert_eq!(writer.push(1, &[0; 65536]).unwrap_err(), GroupingTooLong { found: 65536 });
    assert!(writer.expose_bytes().is_empty());
}

#[test]
fn groupings_that_end_early_or_waste_length_are_refused_where_they_begin() {
    for (text, error) in [
        ("01", DgiError::Truncated { position: 0 }),
        ("0101", DgiError::Truncated { position: 0 }),
        ("010102AA", DgiError::Truncated { position: 0 }),
        ("0101FF", DgiError::Truncated { position: 0 }),
        ("0101FF01", DgiError::Truncated { position: 0 }),
        ("0101FF0100{AA*255}", DgiError::Truncated { position: 0 }),
        ("010101AA 8201", DgiError::Truncated { position: 4 }),
        ("010101AA 8201FF00FE{AA*254}", DgiError::Length { position: 6 }),
    ] {
        let bytes = hex(text);
        let mut all = dgi::groupings(&bytes);
        assert_eq!(all.find_map(Result::err), Some(error), "{text}");
        assert!(all.next().is_none());
    }
}

#[test]
fn values_do_not_show_in_debug_output() {
    let (object, grouping) = (hex("8403A5A5A5"), hex("810103A5A5A5"));
    assert_debug_hides_a5(&Tlv::decode(&object).unwrap());
    assert_debug_hides_a5(&tlv::objects(&object));
    assert_debug_hides_a5(&dgi::groupings(&grouping));
    assert_debug_hides_a5(&dgi::groupings(&grouping).next().unwrap().unwrap());
    let (mut objects, mut groupings) = (TlvWriter::new(), DgiWriter::new());
    objects.push(Tag::DF_NAME, &[0xA5; 3]).unwrap();
    groupings.push(0x8101, &[0xA5; 3]).unwrap();
    assert_debug_hides_a5(&objects);
    assert_debug_hides_a5(&groupings);
}

proptest! {
    /// What we accept, the crate `iso7816-tlv` accepts with the same tag and value.
    #[test]
    fn another_reader_agrees(bytes in proptest::collection::vec(prop_oneof![
        any::<u8>(), Just(0x1F), Just(0x81), Just(0x82), 0..8_u8
    ], 0..24)) {
        if let Ok((ours, rest)) = Tlv::decode_prefix(&bytes) {
            let (theirs, their_rest) = iso7816_tlv::ber::Tlv::parse(&bytes);
            // It looks into constructed objects, and refuses those whose value is no row of objects.
            if let Ok(theirs) = theirs {
                prop_assert_eq!(theirs.to_vec().len(), bytes.len() - rest.len());
                prop_assert_eq!(their_rest, rest);
                let number = ours.tag().number().to_be_bytes();
                let tag = theirs.tag().to_bytes();
                prop_assert_eq!(&number[number.len() - tag.len()..], tag);
            } else {
                prop_assert!(ours.tag().is_constructed());
            }
        }
    }

    #[test]
    fn what_is_written_is_read(number in prop_oneof![
        (0..4_u32, 0..2_u32, 1..0x1F_u32).prop_map(|(class, kind, low)| class << 6 | kind << 5 | low),
        (0..4_u32, 0..0x80_u32).prop_map(|(class, low)| (class << 6 | 0x1F) << 8 | low),
        (0..4_u32, 0x81..0x100_u32, 0..0x80_u32).prop_map(|(class, a, b)| (class << 6 | 0x1F) << 16 | a << 8 | b),
    ], len in 0..70_000_usize) {
        let value = vec![0x5A; len];
        let mut writer = TlvWriter::new();
        writer.push(tag(number), &value).unwrap();
        let read = Tlv::decode(writer.expose_bytes()).unwrap();
        prop_assert_eq!((read.tag().number(), read.value()), (number, &value[..]));
    }
}
