//! Subfields by position and BER-TLV in fields, and dates held against the calendar.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

use cardroot_smid::iso8583::{
    Content, DateCheck, DateFormat, DecodeReason, Dialect, FieldReason, FieldValue, Message, Part, Subfield,
    SubfieldError, SubfieldKey, SubfieldLength, SubfieldReason, SubfieldSpec, Subfields,
};
use cardroot_smid::{Tag, TlvError};

fn dialect() -> Dialect {
    let mut dialect = Dialect::ISO1993_BINARY.derive("with subfields");
    let spec = |name: &'static str, content, length| SubfieldSpec { name: name.into(), content, length };
    let additional = Subfields::Positional(vec![
        spec("service", Content::N, SubfieldLength::Fixed(2)),
        spec("operator", Content::An, SubfieldLength::Fixed(4)),
        spec("text", Content::Ans, SubfieldLength::Rest),
    ]);
    for (number, subfields) in [(48, additional), (55, Subfields::BerTlv)] {
        let mut field = dialect.field(number).unwrap().clone();
        field.spec.subfields = Some(subfields);
        dialect.set_field(field.spec, field.coding).unwrap();
    }
    dialect
}

fn message() -> Message {
    Message::new("1200".parse().unwrap())
}

fn named<'a>(name: &'a str, text: &'a str) -> Subfield<'a> {
    Subfield { key: SubfieldKey::Name(name), value: FieldValue::Text(text) }
}

fn tagged<'a>(tag: &[u8], value: &'a [u8]) -> Subfield<'a> {
    Subfield { key: SubfieldKey::Tag(Tag::new(tag).unwrap()), value: FieldValue::Bytes(value) }
}

#[test]
fn positional_subfields_are_cut_and_joined() {
    let dialect = dialect();
    let parts = [named("service", "42"), named("operator", "AB12"), named("text", "to the end")];
    let mut message = message();
    message.set_subfields(&dialect, 48, &parts).unwrap();
    assert_eq!(message.text(48), Some("42AB12to the end"));
    assert_eq!(message.subfields(&dialect, 48).unwrap(), parts);
    message.set_text(&dialect, 48, "42AB12").unwrap();
    assert_eq!(message.subfields(&dialect, 48).unwrap()[2], named("text", ""));
}

#[test]
fn tlvs_are_cut_and_joined() {
    let dialect = dialect();
    let long = [0x5A; 200];
    let parts = [tagged(&[0x9A], b"\x26\x11\x22"), tagged(&[0x9F, 0x02], b""), tagged(&[0x71], &long)];
    let mut message = message();
    message.set_subfields(&dialect, 55, &parts).unwrap();
    assert!(message.bytes(55).unwrap().starts_with(b"\x9A\x03\x26\x11\x22\x9F\x02\x00\x71\x81\xC8\x5A"));
    assert_eq!(message.subfields(&dialect, 55).unwrap(), parts);
    assert_eq!(message.subfields(&dialect, 55).unwrap()[1].key.to_string(), "9F02");
}

#[test]
fn icc_data_of_the_published_message_is_cut() {
    let dialect = dialect();
    let mut message = message();
    let icc = b"\x9A\x06\x32\x31\x30\x37\x32\x30\x9F\x02\x0C\x30\x30\x30\x30\x30\x30\x30\x30\x30\x35\x30\x31";
    message.set_bytes(&dialect, 55, icc).unwrap();
    let found = message.subfields(&dialect, 55).unwrap();
    assert_eq!(found, [tagged(&[0x9A], b"210720"), tagged(&[0x9F, 0x02], b"000000000501")]);
}

#[test]
fn faults_of_subfields_are_located() {
    let dialect = dialect();
    let mut message = message();
    let error = |message: &Message, field| {
        let SubfieldError { field: number, position, reason } =
            message.subfields(&dialect, field).unwrap_err();
        assert_eq!(number, field);
        (position, reason)
    };
    assert_eq!(error(&message, 48), (0, SubfieldReason::Absent));
    assert_eq!(error(&message, 11), (0, SubfieldReason::None));
    for (text, expected) in [
        ("42AB1", (5, SubfieldReason::Truncated { missing: 1 })),
        ("4xAB12", (1, SubfieldReason::Character(Content::N))),
        ("42AB-2", (4, SubfieldReason::Character(Content::An))),
    ] {
        message.set_text(&dialect, 48, text).unwrap();
        assert_eq!(error(&message, 48), expected);
    }
    for (bytes, expected) in [
        (&b"\x9A\x03\x26"[..], (3, TlvError::Truncated { at: 3 })),
        (b"\x9A\x00\x00", (2, TlvError::Tag { at: 2 })),
        (b"\x9A\x80", (1, TlvError::Length { at: 1 })),
    ] {
        message.set_bytes(&dialect, 55, bytes).unwrap();
        assert_eq!(error(&message, 55), (expected.0, SubfieldReason::Tlv(expected.1)));
    }
}

#[test]
fn leftover_behind_fixed_subfields_is_located() {
    let mut dialect = Dialect::ISO1993_BINARY.derive("closed");
    let mut field = dialect.field(48).unwrap().clone();
    let only = SubfieldSpec { name: "only".into(), content: Content::N, length: SubfieldLength::Fixed(2) };
    field.spec.subfields = Some(Subfields::Positional(vec![only]));
    dialect.set_field(field.spec, field.coding).unwrap();
    let mut message = message();
    message.set_text(&dialect, 48, "123").unwrap();
    let error = message.subfields(&dialect, 48).unwrap_err();
    assert_eq!((error.position, error.reason), (2, SubfieldReason::Leftover { count: 1 }));
}

#[test]
fn subfields_that_the_dialect_does_not_have_are_not_written() {
    let dialect = dialect();
    let mut message = message();
    let mut refusal = |field, parts: &[Subfield<'_>]| {
        let error = message.set_subfields(&dialect, field, parts).unwrap_err();
        assert!(!message.contains(field));
        (error.position, error.reason)
    };
    let mismatch = |at| (at, SubfieldReason::Mismatch);
    assert_eq!(refusal(48, &[named("service", "42")]), mismatch(2));
    assert_eq!(refusal(48, &[named("operator", "AB12")]), mismatch(0));
    assert_eq!(refusal(48, &[named("service", "422")]), mismatch(0));
    assert_eq!(refusal(48, &[tagged(&[0x9A], b"")]), mismatch(0));
    let all = [named("service", "42"), named("operator", "AB12"), named("text", ""), named("text", "")];
    assert_eq!(refusal(48, &all), mismatch(6));
    let wrong = (0, SubfieldReason::Character(Content::N));
    assert_eq!(refusal(48, &[named("service", "4x")]), wrong);
    assert_eq!(refusal(55, &[named("service", "42")]), mismatch(0));
    let (position, reason) = refusal(55, &[tagged(&[0x9A], &[0; 255])]);
    assert_eq!(position, 255);
    assert!(
        matches!(reason, SubfieldReason::Field(error) if matches!(error.reason, FieldReason::TooLong { .. }))
    );
    assert!(matches!(refusal(11, &[]), (0, SubfieldReason::None)));
}

#[test]
fn debug_of_a_subfield_hides_its_value() {
    let shown = format!("{:?}", tagged(&[0x57], &[0xA5; 19]));
    assert!(shown.contains("<19 bytes>") && !shown.contains("165"), "{shown}");
}

#[test]
fn dates_are_held_against_the_calendar_where_the_dialect_says_so() {
    let digits = Dialect::ISO1993_ASCII;
    let mut calendar = digits.derive("calendar");
    calendar.set_dates(DateCheck::Calendar);
    let dated = [7, 12, 13, 14, 15, 16, 17, 28, 73];
    let found: Vec<u8> =
        calendar.fields().filter(|field| field.spec.date.is_some()).map(|field| field.spec.number).collect();
    assert_eq!(found, dated);
    for number in dated {
        let format = calendar.field(number).unwrap().spec.date.unwrap();
        let wrong = "9".repeat(format.digits().into());
        let mut message = message();
        message.set_text(digits, number, &wrong).unwrap();
        let bytes = message.encode(digits).unwrap();
        assert!(message.encode(&calendar).is_err());
        let error = message.set_text(&calendar, number, &wrong).unwrap_err();
        assert_eq!(error.reason, FieldReason::Date(format));
        let error = Message::decode(&calendar, &bytes).unwrap_err();
        assert_eq!((error.part, error.reason), (Part::Field(number), DecodeReason::Date(format)));
    }
    let fields_1987: Vec<u8> = Dialect::ISO1987_ASCII
        .fields()
        .filter(|field| field.spec.date.is_some())
        .map(|field| field.spec.number)
        .collect();
    assert_eq!(fields_1987, [7, 12, 13, 14, 15, 16, 17, 73]);
}

#[test]
fn wrong_date_in_packed_digits_is_located_by_its_byte() {
    let mut calendar = Dialect::ISO1993_BINARY.derive("calendar");
    calendar.set_dates(DateCheck::Calendar);
    // Field 12, 2026-13-01.
    let bytes = b"\x12\x00\x00\x10\0\0\0\0\0\0\x26\x13\x01\x00\x00\x00";
    let error = Message::decode(&calendar, bytes).unwrap_err();
    assert_eq!((error.offset, error.reason), (11, DecodeReason::Date(DateFormat::Yymmddhhmmss)));
}
