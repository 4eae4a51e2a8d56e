//! The messages of `iso8583_messages.json`, each with the dialect that its publisher used.

#![allow(dead_code, reason = "each test file uses its part")]

extern crate alloc;

use alloc::collections::BTreeMap;

use cardroot_smid::iso8583::{
    BcdPad, BitmapCoding, Coding, Content, Dialect, FieldSpec, Length, LengthCoding, ValueCoding,
};

/// A published message.
pub(crate) struct Sample {
    /// Where it was published.
    pub(crate) source: String,
    /// The message.
    pub(crate) bytes: Vec<u8>,
    /// The dialect it is in.
    pub(crate) dialect: Dialect,
    /// Field values as published, 0 being the message type; text, or hex where the field is binary.
    pub(crate) fields: BTreeMap<u8, String>,
}

/// All seven messages.
pub(crate) fn samples() -> Vec<Sample> {
    let json: serde_json::Value =
        serde_json::from_str(include_str!("../data/iso8583_messages.json")).unwrap();
    let samples: Vec<Sample> = json["messages"].as_array().unwrap().iter().map(sample).collect();
    assert_eq!(samples.len(), 7);
    samples
}

fn sample(json: &serde_json::Value) -> Sample {
    let source = json["source"].as_str().unwrap();
    let file = source.split_once(' ').map_or(source, |(file, _)| file).rsplit(['/', ':']).next().unwrap();
    let mut fields: BTreeMap<u8, String> = json["fields"]
        .as_object()
        .unwrap()
        .iter()
        .map(|(number, value)| (number.parse().unwrap(), value.as_str().unwrap().to_owned()))
        .collect();
    let dialect = match file {
        "ISO93APackager.bin" => jpos_1993_text(),
        "ISO93BPackager.bin" => {
            // The sample puts letters, "EFGH", into a field of digits. Packed they became these digits.
            fields.insert(56, "5678".to_owned());
            let mut dialect = jpos(Dialect::ISO1993_BINARY);
            dialect.set_bcd_pads(BcdPad::TrailingZero, BcdPad::TrailingZero);
            dialect
        }
        "ISO87APackager.bin" => jpos_1987(Dialect::ISO1987_ASCII, ValueCoding::Ascii),
        "ISO87BPackager.bin" | "ISO87B-Field64.bin" => {
            // Binary in the packed dialect, so as hex here; published as the text it spells.
            fields.insert(55, "41424344".to_owned());
            jpos_1987(Dialect::ISO1987_BINARY, ValueCoding::SignThenBcd(BcdPad::LeadingZero))
        }
        "126" => Dialect::ISO1987_ASCII.clone(),
        _ => {
            assert!(source.contains("message_test.go (packing test"), "unknown sample {source}");
            fields = moov_fields();
            moov()
        }
    };
    let bytes = base16ct::mixed::decode_vec(json["bytes"].as_str().unwrap()).unwrap();
    Sample { source: source.to_owned(), bytes, dialect, fields }
}

/// Changes content and value coding of a field, keeping its length.
pub(crate) fn change(dialect: &mut Dialect, number: u8, content: Content, value: ValueCoding) {
    let field = dialect.field(number).unwrap().clone();
    dialect.set_field(FieldSpec { content, ..field.spec }, Coding { value, ..field.coding }).unwrap();
}

/// The jPOS samples have letters in fields 34 (ns) and 36 (z).
fn jpos(base: &Dialect) -> Dialect {
    let mut dialect = base.derive("jPOS sample");
    change(&mut dialect, 34, Content::Ans, ValueCoding::Ascii);
    change(&mut dialect, 36, Content::Ans, ValueCoding::Ascii);
    dialect
}

/// The text sample of 1993 has letters in field 56 (n).
fn jpos_1993_text() -> Dialect {
    let mut dialect = jpos(Dialect::ISO1993_ASCII);
    change(&mut dialect, 56, Content::Ans, ValueCoding::Ascii);
    dialect
}

/// The samples of 1987 have `0` in place of the sign of the fees.
fn jpos_1987(base: &Dialect, fees: ValueCoding) -> Dialect {
    let mut dialect = jpos(base);
    for number in 28..=31 {
        change(&mut dialect, number, Content::N, fees);
    }
    dialect
}

/// ASCII with a binary bitmap, raw PIN data and ICC data, and two country or currency codes in BCD: field 19 leads with a
/// zero, field 49 trails with one.
fn moov() -> Dialect {
    let mut dialect = Dialect::ISO1987_ASCII.derive("moov packing test");
    dialect.set_bitmap(BitmapCoding::Binary);
    change(&mut dialect, 19, Content::N, ValueCoding::Bcd(BcdPad::LeadingZero));
    change(&mut dialect, 49, Content::N, ValueCoding::Bcd(BcdPad::TrailingZero));
    change(&mut dialect, 52, Content::B, ValueCoding::Raw);
    let icc = FieldSpec::new(55, "ICC data", Content::B, Length::LllVar(999));
    dialect.set_field(icc, Coding { length: LengthCoding::Ascii, value: ValueCoding::Raw }).unwrap();
    dialect
}

/// The file has no field list for this message; these are the fields as its bytes show them.
fn moov_fields() -> BTreeMap<u8, String> {
    let location = format!("{:>40}", "Test text");
    [
        (0, "0100"),
        (2, "4276555555555555"),
        (3, "000000"),
        (4, "000000077700"),
        (7, "0701111844"),
        (11, "000123"),
        (12, "131844"),
        (13, "0701"),
        (14, "1902"),
        (19, "643"),
        (22, "901"),
        (25, "02"),
        (32, "123456"),
        (35, "4276555555555555=12345678901234567890"),
        (37, "987654321001"),
        (41, "00000321"),
        (42, "120000000000034"),
        (43, location.as_str()),
        (49, "643"),
        (52, "0102030405060708"),
        (53, "1234000000000000"),
        (55, "9A063231303732309F020C303030303030303030353031"),
        (120, "Another test text"),
    ]
    .map(|(number, value)| (number, value.to_owned()))
    .into()
}
