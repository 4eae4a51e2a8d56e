//! Properties that hold for any bytes and any values.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

mod vectors;

use cardroot_smid::iso8583::{
    BcdPad, BitmapCoding, CodePage, Coding, Content, Dialect, Field, FieldSpec, FieldValue, Length,
    LengthCoding, Message, MtiCoding, ValueCoding, Version,
};
use proptest::prelude::*;
use vectors::samples;

/// Every coding that the four built-in dialects leave unused, on fields of odd and even lengths.
fn other_codings() -> Dialect {
    let mut dialect = Dialect::ISO1993_BINARY.derive("other codings");
    dialect.set_mti(MtiCoding::Ascii);
    dialect.set_bitmap(BitmapCoding::Hex);
    let f = Length::Fixed;
    for (number, content, length, length_coding, value) in [
        (2, Content::N, Length::LlVar(19), LengthCoding::Binary, ValueCoding::Bcd(BcdPad::TrailingF)),
        (3, Content::N, f(7), LengthCoding::Bcd, ValueCoding::Bcd(BcdPad::TrailingF)),
        (4, Content::N, f(7), LengthCoding::Bcd, ValueCoding::Bcd(BcdPad::TrailingZero)),
        (5, Content::XN, f(8), LengthCoding::Bcd, ValueCoding::SignThenBcd(BcdPad::LeadingZero)),
        (6, Content::XN, f(8), LengthCoding::Bcd, ValueCoding::SignThenBcd(BcdPad::TrailingF)),
        (
            7,
            Content::N,
            Length::LlVar(9),
            LengthCoding::Ascii,
            ValueCoding::SignThenBcd(BcdPad::TrailingZero),
        ),
        (35, Content::Z, Length::LlVar(37), LengthCoding::Binary, ValueCoding::Bcd(BcdPad::LeadingZero)),
        (36, Content::Z, Length::LllVar(104), LengthCoding::Binary, ValueCoding::Bcd(BcdPad::TrailingF)),
        (53, Content::B, Length::LlVar(48), LengthCoding::Bcd, ValueCoding::Hex),
        (55, Content::B, Length::LllVar(255), LengthCoding::Binary, ValueCoding::Hex),
        (60, Content::A, Length::LllVar(999), LengthCoding::Binary, ValueCoding::Ascii),
        (8, Content::N, f(7), LengthCoding::Bcd, ValueCoding::Bcd(BcdPad::LeadingF)),
        (9, Content::XN, f(8), LengthCoding::Bcd, ValueCoding::SignThenBcd(BcdPad::LeadingF)),
        (56, Content::B, Length::LllVar(255), LengthCoding::Ebcdic, ValueCoding::EbcdicHex),
        (62, Content::Ans, Length::LlVar(99), LengthCoding::Ebcdic, ValueCoding::Ebcdic(CodePage::Cp037)),
        (63, Content::Ans, Length::LllVar(999), LengthCoding::Ebcdic, ValueCoding::Ebcdic(CodePage::Cp1047)),
        (61, Content::AOrN, Length::LlVar(99), LengthCoding::Binary, ValueCoding::Ascii),
    ] {
        let spec = FieldSpec::new(number, "other", content, length);
        dialect.set_field(spec, Coding { length: length_coding, value }).unwrap();
    }
    dialect
}

/// A message that is EBCDIC from its first byte to its last.
fn ebcdic() -> Dialect {
    let mut dialect = Dialect::ISO1987_ASCII.derive("ebcdic");
    dialect.set_mti(MtiCoding::Ebcdic);
    dialect.set_bitmap(BitmapCoding::EbcdicHex);
    for field in Dialect::ISO1987_ASCII.fields() {
        let value = match field.coding.value {
            ValueCoding::Hex => ValueCoding::EbcdicHex,
            _ => ValueCoding::Ebcdic(CodePage::Cp1047),
        };
        dialect.set_field(field.spec.clone(), Coding { length: LengthCoding::Ebcdic, value }).unwrap();
    }
    dialect
}

fn dialects() -> Vec<Dialect> {
    Dialect::BUILT_IN.into_iter().cloned().chain([other_codings(), ebcdic()]).collect()
}

fn mti(dialect: &Dialect) -> &'static str {
    if dialect.version() == Version::Iso1987 { "0200" } else { "1200" }
}

/// A value of `len` characters or bytes of the content of `field`, chosen by `seeds`.
fn value(field: &Field, len: usize, seeds: &[u8]) -> Vec<u8> {
    let alphabet: Vec<u8> = match field.spec.content {
        Content::XN | Content::AOrN => (b'0'..=b'9').collect(),
        content => (0..=u8::MAX).filter(|&c| content.check(&[c]).is_ok()).collect(),
    };
    let pick = |index: usize| alphabet[usize::from(seeds[index % seeds.len()]) % alphabet.len()];
    let mut value: Vec<u8> = (0..len).map(pick).collect();
    if let (Content::XN, Some(sign)) = (field.spec.content, value.first_mut()) {
        *sign = if seeds[0].is_multiple_of(2) { b'C' } else { b'D' };
    }
    value
}

fn typed<'a>(field: &Field, raw: &'a [u8]) -> FieldValue<'a> {
    if field.spec.content.is_binary() {
        FieldValue::Bytes(raw)
    } else {
        FieldValue::Text(core::str::from_utf8(raw).unwrap())
    }
}

/// Sets one field, encodes, decodes, and expects the same value and bytes.
fn field_comes_back(dialect: &Dialect, field: &Field, raw: &[u8]) {
    let number = field.spec.number;
    let mut message = Message::new(mti(dialect).parse().unwrap());
    message.set(dialect, number, typed(field, raw)).unwrap();
    let bytes = message.encode(dialect).unwrap();
    let back = Message::decode(dialect, &bytes).unwrap();
    assert_eq!(back.get(number).map(|value| value == typed(field, raw)), Some(true), "field {number}");
    assert_eq!(back.encode(dialect).unwrap(), bytes);
}

/// The shortest, the longest and the lengths beside them that a field can have.
fn edge_lengths(length: Length) -> Vec<usize> {
    let max = usize::from(length.max());
    match length {
        Length::Fixed(_) => vec![max],
        Length::LlVar(_) | Length::LllVar(_) => vec![0, 1, 2, max - 1, max],
    }
}

#[test]
fn every_field_comes_back_at_its_shortest_and_longest() {
    let mut checked = 0;
    for dialect in dialects() {
        for number in (2..=128).filter(|&number| number != 65) {
            let field = dialect.field(number).unwrap();
            for len in edge_lengths(field.spec.length) {
                for seeds in [&[0][..], &[255], &[1, 2, 3, 5, 8, 13, 21, 34, 55, 89, 144, 233]] {
                    field_comes_back(&dialect, field, &value(field, len, seeds));
                    checked += 1;
                }
            }
        }
    }
    println!("{checked} values");
    assert!(checked > 6 * 126 * 3);
}

#[test]
fn one_character_more_than_a_field_holds_is_refused() {
    for dialect in dialects() {
        for number in (2..=128).filter(|&number| number != 65) {
            let field = dialect.field(number).unwrap();
            let raw = value(field, usize::from(field.spec.length.max()) + 1, &[7]);
            let mut message = Message::new(mti(&dialect).parse().unwrap());
            assert!(message.set(&dialect, number, typed(field, &raw)).is_err(), "field {number}");
        }
    }
}

/// If `bytes` are a message, it encodes to them.
fn accepted_bytes_come_back(dialect: &Dialect, bytes: &[u8]) -> bool {
    match Message::decode(dialect, bytes) {
        Ok(message) => {
            assert_eq!(message.encode(dialect).as_deref(), Ok(bytes));
            let content: usize = message.fields().map(|(_, value)| length_of(value)).sum();
            assert!(content <= 2 * bytes.len(), "values cannot outgrow what was sent");
            true
        }
        Err(error) => {
            assert!(error.offset <= bytes.len());
            false
        }
    }
}

fn length_of(value: FieldValue<'_>) -> usize {
    match value {
        FieldValue::Text(text) => text.len(),
        FieldValue::Bytes(bytes) => bytes.len(),
    }
}

/// Each byte of each published message set to each value: what is still accepted comes back.
#[test]
fn messages_with_one_changed_byte_are_refused_or_come_back() {
    let mut accepted = 0;
    for sample in samples() {
        for at in 0..sample.bytes.len() {
            let mut bytes = sample.bytes.clone();
            for value in [0x00, 0x0F, 0x20, 0x30, 0x39, 0x3A, 0x41, 0x61, 0x7F, 0x80, 0xA0, 0xF0, 0xFF] {
                bytes[at] = value;
                accepted += usize::from(accepted_bytes_come_back(&sample.dialect, &bytes));
            }
        }
    }
    println!("{accepted} changed messages accepted");
    assert!(accepted > 1000);
}

fn any_message(dialect: Dialect) -> impl Strategy<Value = (Dialect, Vec<u8>)> {
    let numbers = (2u8..=128).prop_filter("65 is no field", |&number| number != 65);
    let choice = (numbers, any::<u16>(), prop::collection::vec(any::<u8>(), 1..20));
    prop::collection::vec(choice, 0..20).prop_map(move |choices| {
        let mut message = Message::new(mti(&dialect).parse().unwrap());
        for (number, len, seeds) in choices {
            let field = dialect.field(number).unwrap();
            let max = field.spec.length.max();
            let len = if matches!(field.spec.length, Length::Fixed(_)) { max } else { len % (max + 1) };
            let raw = value(field, len.into(), &seeds);
            message.set(&dialect, number, typed(field, &raw)).unwrap();
        }
        let bytes = message.encode(&dialect).unwrap();
        (dialect.clone(), bytes)
    })
}

fn any_dialect() -> impl Strategy<Value = Dialect> {
    prop::sample::select(dialects())
}

proptest! {
    #[test]
    fn messages_come_back((dialect, bytes) in any_dialect().prop_flat_map(any_message)) {
        prop_assert!(accepted_bytes_come_back(&dialect, &bytes));
    }

    #[test]
    fn mutated_messages_are_refused_or_come_back(
        (dialect, mut bytes) in any_dialect().prop_flat_map(any_message),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        accepted_bytes_come_back(&dialect, &bytes);
    }

    #[test]
    fn any_bytes_are_refused_or_come_back(
        dialect in any_dialect(),
        bytes in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        accepted_bytes_come_back(&dialect, &bytes);
    }

    /// Random bytes rarely get past the message type, so these start behind a header.
    #[test]
    fn any_bytes_behind_a_header_are_refused_or_come_back(
        dialect in any_dialect(),
        (number, other) in (2u8..=128, 2u8..=128),
        rest in prop::collection::vec(any::<u8>(), 0..120),
    ) {
        let mut message = Message::new(mti(&dialect).parse().unwrap());
        let mut header = message.encode(&dialect).unwrap();
        for number in [number, other].into_iter().filter(|&number| number != 65) {
            let field = dialect.field(number).unwrap();
            let raw = value(field, usize::from(field.spec.length.max()), &[1]);
            message.set(&dialect, number, typed(field, &raw)).unwrap();
        }
        let bytes = message.encode(&dialect).unwrap();
        let header_len = header.len() * if message.bitmap().has_secondary() { 2 } else { 1 };
        header = bytes[..header_len.min(bytes.len())].to_vec();
        header.extend(rest);
        accepted_bytes_come_back(&dialect, &header);
    }
}
