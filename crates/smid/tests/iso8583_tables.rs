//! The built-in dialects against the field tables of the packagers they follow, all rows.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

extern crate alloc;

use alloc::collections::BTreeMap;

use cardroot_smid::iso8583::{
    BcdPad, BitmapCoding, Coding, Content, Dialect, DialectFault, Field, FieldSpec, Length, LengthCoding,
    Message, MtiCoding, ValueCoding, Version, fields_1987, fields_1993,
};

const TABLE_1987: &str = include_str!("data/iso8583_1987_fields.csv");
const TABLE_1993: &str = include_str!("data/iso8583_1993_fields.csv");

type Row = BTreeMap<String, String>;

fn rows(table: &str) -> Vec<Row> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(table.as_bytes());
    let rows: Vec<Row> = reader.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 129);
    rows
}

/// What a packager class writes, by the meaning of its name.
///
/// `IFA_BINARY` is hex text, while `IFA_LLBINARY` and `IFA_LLLBINARY` are an ASCII length and then raw bytes.
fn class(name: &str) -> (LengthCoding, ValueCoding) {
    use LengthCoding::{Ascii, Bcd};
    match name {
        "IF_CHAR" | "IFA_NUMERIC" | "IFA_AMOUNT" | "IFA_LLNUM" | "IFA_LLCHAR" | "IFA_LLLCHAR" => {
            (Ascii, ValueCoding::Ascii)
        }
        "IFA_BINARY" => (Ascii, ValueCoding::Hex),
        "IFA_LLBINARY" | "IFA_LLLBINARY" => (Ascii, ValueCoding::Raw),
        "IFB_NUMERIC" => (Bcd, ValueCoding::Bcd(BcdPad::LeadingZero)),
        "IFB_LLNUM" => (Bcd, ValueCoding::Bcd(BcdPad::TrailingZero)),
        "IFB_AMOUNT" => (Bcd, ValueCoding::SignThenBcd(BcdPad::LeadingZero)),
        "IFB_LLCHAR" | "IFB_LLLCHAR" => (Bcd, ValueCoding::Ascii),
        "IFB_BINARY" | "IFB_LLBINARY" | "IFB_LLLBINARY" => (Bcd, ValueCoding::Raw),
        other => panic!("unknown class {other}"),
    }
}

fn length(row: &Row) -> Length {
    let max = row["max_length"].parse().unwrap();
    match row["length_type"].as_str() {
        "fixed" => Length::Fixed(max),
        "LLVAR" => Length::LlVar(max),
        "LLLVAR" => Length::LllVar(max),
        other => panic!("unknown length type {other}"),
    }
}

fn compare(field: &Field, row: &Row, class_column: &str) {
    let (number, class_name) = (&row["bit"], &row[class_column]);
    let (length_coding, value_coding) = class(class_name);
    assert_eq!(field.spec.number.to_string(), *number);
    assert_eq!(field.coding.value, value_coding, "field {number}");
    if length(row) == Length::Fixed(16) && class_name.ends_with("_BINARY") && number == "96" {
        // The packagers have 16 bytes; the standard (and the head of the table) has b 64, 8 bytes.
        assert_eq!(field.spec.length, Length::Fixed(8));
        return;
    }
    assert_eq!(field.spec.length, length(row), "field {number}");
    if !matches!(field.spec.length, Length::Fixed(_)) {
        assert_eq!(field.coding.length, length_coding, "field {number}");
    }
}

/// Compares MTI, bitmap and all fields of both dialects with a table, and returns how many rows there were.
fn compare_all(table: &str, text: (&Dialect, &str), packed: (&Dialect, &str)) -> usize {
    let rows = rows(table);
    for (dialect, column, classes) in [
        (text.0, text.1, ("IFA_NUMERIC", "IFA_BITMAP", MtiCoding::Ascii, BitmapCoding::Hex)),
        (packed.0, packed.1, ("IFB_NUMERIC", "IFB_BITMAP", MtiCoding::Bcd, BitmapCoding::Binary)),
    ] {
        assert_eq!((rows[0][column].as_str(), rows[1][column].as_str()), (classes.0, classes.1));
        assert_eq!((dialect.mti(), dialect.bitmap()), (classes.2, classes.3));
        for row in &rows[2..] {
            match row["bit"].as_str() {
                // In the table, but no field: it would announce a third bitmap.
                "65" => assert!(dialect.field(65).is_none()),
                bit => compare(dialect.field(bit.parse().unwrap()).unwrap(), row, column),
            }
        }
    }
    rows.len()
}

#[test]
fn dialects_of_1987_follow_their_table() {
    let (text, packed) = (Dialect::ISO1987_ASCII, Dialect::ISO1987_BINARY);
    let rows = compare_all(TABLE_1987, (text, "ascii_class"), (packed, "binary_class"));
    println!("{rows} rows of 1987");
    assert_eq!(rows, 129);
}

#[test]
fn dialects_of_1993_follow_their_table() {
    let (text, packed) = (Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY);
    let rows = compare_all(TABLE_1993, (text, "jpos_ascii_class"), (packed, "jpos_binary_class"));
    println!("{rows} rows of 1993");
    assert_eq!(rows, 129);
}

#[test]
fn tables_hold_fields_2_to_128_in_order_with_the_contents_of_1993() {
    for fields in [&fields_1987::FIELDS, &fields_1993::FIELDS] {
        assert!(fields.iter().map(|field| field.number).eq(2..=128));
        assert!(fields.iter().all(|field| !field.name.is_empty()));
    }
    let rows = rows(TABLE_1993);
    for (field, row) in fields_1993::FIELDS.iter().zip(&rows[2..]) {
        assert_eq!(field.content.to_string(), row["attribute"], "field {}", field.number);
        assert_eq!(field.length, length(row), "field {}", field.number);
    }
}

#[test]
fn key_fields_are_those_of_x9_24() {
    let spec = |number: u8| fields_1993::FIELDS[usize::from(number) - 2].clone();
    for (number, length) in [
        (52, Length::Fixed(8)),
        (53, Length::LlVar(48)),
        (64, Length::Fixed(8)),
        (96, Length::LllVar(999)),
        (128, Length::Fixed(8)),
    ] {
        assert_eq!((spec(number).content, spec(number).length), (Content::B, length), "field {number}");
    }
}

#[test]
fn dialects_are_found_by_name_and_no_name_is_used_twice() {
    for dialect in Dialect::BUILT_IN {
        assert_eq!(Dialect::named(dialect.name()), Some(dialect));
    }
    let mut names = Dialect::BUILT_IN.map(Dialect::name);
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(Dialect::named("standard"), None);
}

#[test]
fn derived_dialect_has_its_own_name_and_settings() {
    let mut dialect = Dialect::ISO1987_ASCII.derive("ours");
    assert_eq!((dialect.name(), dialect.version()), ("ours", Version::Iso1987));
    dialect.set_mti(MtiCoding::Bcd);
    dialect.set_bitmap(BitmapCoding::Binary);
    assert_eq!((dialect.mti(), dialect.bitmap()), (MtiCoding::Bcd, BitmapCoding::Binary));
    assert_eq!(format!("{dialect:?}"), "Dialect { name: \"ours\", version: Iso1987, .. }");
    let message = Message::new("0800".parse().unwrap());
    assert_eq!(message.encode(&dialect).unwrap(), b"\x08\0\0\0\0\0\0\0\0\0");
}

#[test]
fn fills_are_set_for_fixed_and_variable_fields_alone() {
    let mut dialect = Dialect::ISO1993_BINARY.derive("fills");
    dialect.set_bcd_pads(BcdPad::TrailingF, BcdPad::LeadingZero);
    let value = |number| dialect.field(number).unwrap().coding.value;
    assert_eq!(value(3), ValueCoding::Bcd(BcdPad::TrailingF));
    assert_eq!(value(97), ValueCoding::SignThenBcd(BcdPad::TrailingF));
    assert_eq!(value(2), ValueCoding::Bcd(BcdPad::LeadingZero));
    assert_eq!(value(41), ValueCoding::Ascii);
}

#[test]
fn impossible_fields_do_not_enter_a_dialect() {
    let mut dialect = Dialect::ISO1993_ASCII.derive("ours");
    let spec = |number, content, length| FieldSpec::new(number, "ours", content, length);
    let coding = |value| Coding { length: LengthCoding::Ascii, value };
    let text = coding(ValueCoding::Ascii);
    let mut fault = |spec, coding| dialect.set_field(spec, coding).unwrap_err().fault;

    for number in [0, 1, 65, 129, 255] {
        assert_eq!(fault(spec(number, Content::N, Length::Fixed(1)), text), DialectFault::NotAField);
    }
    for length in
        [Length::Fixed(0), Length::Fixed(1000), Length::LlVar(100), Length::LlVar(0), Length::LllVar(1000)]
    {
        assert_eq!(fault(spec(60, Content::N, length), text), DialectFault::Length(length));
    }
    let bcd = ValueCoding::Bcd(BcdPad::TrailingF);
    let signed = ValueCoding::SignThenBcd(BcdPad::LeadingZero);
    for (content, value) in [
        (Content::Ans, bcd),
        (Content::B, bcd),
        (Content::Ans, signed),
        (Content::B, ValueCoding::Ascii),
        (Content::N, ValueCoding::Raw),
        (Content::N, ValueCoding::Hex),
    ] {
        let found = fault(spec(60, content, Length::LllVar(999)), coding(value));
        assert_eq!(found, DialectFault::Coding { coding: value, content });
    }
    assert_eq!(dialect, Dialect::ISO1993_ASCII.derive("ours"));
}
