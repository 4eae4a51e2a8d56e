//! ISO 8583 messages.

use core::convert::Infallible;

use ::smid::iso8583::{
    BcdPad, Bitmap, BitmapCoding, CodePage, Coding, Content, DateCheck, DateFormat, Dialect, FieldSpec,
    KeyExchange, KeyReference, Length, LengthCoding, Message, Mti, MtiCoding, RuleOptions, Sensitivity,
    SubfieldLength, SubfieldSpec, Subfields, ValueCoding, validate,
};
use ::smid::{SmidProfile, Tag};

use crate::Reach;
use crate::input::Input;

/// Any bytes are a message or an error within them, in every built-in dialect; a message encodes to the same bytes, and
/// nothing that is done with one panics.
pub fn iso8583_decode_is_total(data: &[u8]) -> Reach {
    let mut reach = Reach::Refused;
    for dialect in Dialect::BUILT_IN {
        reach = decode(dialect, data).or(reach);
    }
    reach
}

/// The same in any dialect at all.
///
/// Input: base dialect, codings of message type and bitmap, pads, fields redefined after their count; then the message.
pub fn iso8583_any_dialect_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let mut dialect = input.one_of(&Dialect::BUILT_IN).derive("any");
    dialect.set_mti(input.one_of(&[MtiCoding::Ascii, MtiCoding::Bcd, MtiCoding::Ebcdic]));
    dialect.set_bitmap(input.one_of(&[BitmapCoding::Binary, BitmapCoding::Hex, BitmapCoding::EbcdicHex]));
    dialect.set_bcd_pads(pad(&mut input), pad(&mut input));
    let redefined = input.byte();
    if redefined & 0x80 != 0 {
        dialect.set_dates(DateCheck::Calendar);
    }
    for _ in 0..(redefined & 0x7F) % 5 {
        let spec = spec(&mut input);
        let coding = coding(&mut input);
        if dialect.set_field(spec.clone(), coding).is_ok() {
            assert_eq!(dialect.field(spec.number).map(|field| &field.spec), Some(&spec));
        }
    }
    decode(&dialect, input.take_rest())
}

fn pad(input: &mut Input<'_>) -> BcdPad {
    input.one_of(&[BcdPad::LeadingZero, BcdPad::TrailingZero, BcdPad::TrailingF, BcdPad::LeadingF])
}

fn spec(input: &mut Input<'_>) -> FieldSpec {
    use Content::{A, AOrN, An, Anp, Ans, B, N, Ns, XN, Z};
    let number = input.byte();
    let max = input.u16() % 1024;
    let content = input.one_of(&[N, A, An, Anp, Ns, Ans, AOrN, XN, Z, B]);
    let length = input.one_of(&[Length::Fixed(max), Length::LlVar(max), Length::LllVar(max)]);
    let mut spec = FieldSpec::new(number, "any", content, length);
    spec.date =
        DateFormat::ALL.into_iter().find(|format| length == Length::Fixed(format.digits()) && content == N);
    spec
}

fn coding(input: &mut Input<'_>) -> Coding {
    let lengths = [LengthCoding::Ascii, LengthCoding::Bcd, LengthCoding::Binary, LengthCoding::Ebcdic];
    let length = input.one_of(&lengths);
    let pad = pad(input);
    let values = [ValueCoding::Ascii, ValueCoding::Bcd(pad), ValueCoding::SignThenBcd(pad)];
    let bytes = [ValueCoding::Raw, ValueCoding::Hex];
    let ebcdic =
        [ValueCoding::Ebcdic(CodePage::Cp037), ValueCoding::Ebcdic(CodePage::Cp1047), ValueCoding::EbcdicHex];
    Coding { length, value: input.one_of(&[values.as_slice(), &bytes, &ebcdic].concat()) }
}

fn decode(dialect: &Dialect, data: &[u8]) -> Reach {
    let message = match Message::decode(dialect, data) {
        Ok(message) => message,
        Err(error) => {
            assert!(error.offset <= data.len(), "{error}");
            return Reach::Refused;
        }
    };
    assert_eq!(message.encode(dialect).unwrap(), data);
    check_rules(&message);
    check_mac(dialect, &message, data);
    check_parts(dialect, &message);
    check_other_dialects(dialect, &message);
    check_text(dialect, &message);
    Reach::Held
}

/// Judging and showing a message, and looking for SMIDs in it.
fn check_rules(message: &Message) {
    for pin_key in [KeyReference::Named, KeyReference::Implicit] {
        for mac_key in [KeyReference::Named, KeyReference::Implicit] {
            for key_exchange in [KeyExchange::IfCarried, KeyExchange::Declared] {
                let mut findings = validate(message, &RuleOptions { pin_key, mac_key, key_exchange });
                findings.dedup();
                assert!(findings.len() <= 7, "each rule is broken once");
            }
        }
    }
    for profile in SmidProfile::PRESETS {
        for smids in [message.smids(profile), message.future_smids(profile)] {
            assert!(
                smids.is_err()
                    || smids.is_ok_and(|found| found.is_none_or(|list| !list.as_slice().is_empty()))
            );
        }
    }
    assert!(!format!("{message:?}").is_empty());
}

/// What a code covers is the beginning of the message; a message that is sealed verifies.
fn check_mac(dialect: &Dialect, message: &Message, data: &[u8]) {
    let _ = Message::verify_with(dialect, data, |covered, mac| {
        assert!(data.starts_with(covered) && data.len() >= covered.len() + mac.len());
        Ok::<(), Infallible>(())
    });
    let mut sealed = message.duplicate();
    let Ok(bytes) = sealed.seal_with(dialect, |covered| covered.len().to_be_bytes()) else { return };
    assert_eq!(sealed.encode(dialect).unwrap(), bytes);
    let check =
        |covered: &[u8], mac: &[u8; 8]| if *mac == covered.len().to_be_bytes() { Ok(()) } else { Err(()) };
    assert!(Message::verify_with(dialect, &bytes, check).is_ok());
}

/// A message put together from the values of another is the same.
fn check_parts(dialect: &Dialect, message: &Message) {
    let mut rebuilt = Message::new(message.mti());
    let values: Vec<_> = message.fields().collect();
    assert_eq!(values.len(), message.bitmap().count());
    for (field, value) in values.into_iter().rev() {
        rebuilt.set(dialect, field, value).unwrap();
        assert_eq!(message.get(field), Some(value));
    }
    assert_eq!(rebuilt.encode(dialect).unwrap(), message.encode(dialect).unwrap());
    for field in message.bitmap().fields() {
        rebuilt.remove(field);
    }
    assert_eq!(rebuilt.bitmap(), Bitmap::default());
}

/// What another dialect can write at all, it reads as the same values.
fn check_other_dialects(dialect: &Dialect, message: &Message) {
    for other in Dialect::BUILT_IN.into_iter().filter(|other| *other != dialect) {
        let Ok(bytes) = message.encode(other) else { continue };
        let read = Message::decode(other, &bytes).unwrap();
        assert_eq!(read.mti(), message.mti());
        assert!(read.fields().eq(message.fields()));
    }
}

/// A message comes back from its JSON, and one in which something is masked does not.
fn check_text(dialect: &Dialect, message: &Message) {
    let read = Message::from_json(dialect, &message.to_json_exposed()).unwrap();
    assert!(read.mti() == message.mti() && read.fields().eq(message.fields()));
    let masked = dialect
        .fields()
        .any(|field| field.spec.sensitivity == Sensitivity::Masked && message.contains(field.spec.number));
    assert_eq!(Message::from_json(dialect, &message.to_json(dialect)).is_err(), masked);
    let lines = 1 + message.bitmap().count();
    assert_eq!(message.display(dialect).to_string().lines().count(), lines);
    assert_eq!(message.display_exposed(dialect).to_string().lines().count(), lines);
}

/// Any text is a dialect or an error on one of its lines; a dialect comes back from its own text, and a message of it reads as
/// any other does.
pub fn dialect_toml_is_total(data: &[u8]) -> Reach {
    let Ok(text) = core::str::from_utf8(data) else { return Reach::Refused };
    match Dialect::from_toml(text) {
        Ok(dialect) => {
            assert_eq!(Dialect::from_toml(&dialect.to_toml()).as_ref(), Ok(&dialect));
            for message in [&b"0200\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..], data] {
                decode(&dialect, message);
            }
            Reach::Held
        }
        Err(error) => {
            assert!((1..=1 + text.matches('\n').count()).contains(&error.line), "{error}");
            Reach::Refused
        }
    }
}

/// Any text is a message or an error that quotes nothing, in every built-in dialect.
pub fn iso8583_json_is_total(data: &[u8]) -> Reach {
    let Ok(text) = core::str::from_utf8(data) else { return Reach::Refused };
    let mut reach = Reach::Refused;
    for dialect in Dialect::BUILT_IN {
        let Ok(message) = Message::from_json(dialect, text) else { continue };
        check_text(dialect, &message);
        if let Ok(bytes) = message.encode(dialect) {
            assert_eq!(decode(dialect, &bytes), Reach::Held);
            reach = Reach::Held;
        }
    }
    reach
}

/// Any bytes are TLVs or an error within them, any text is cut by position or an error within it; what is cut is joined to the
/// same.
pub fn iso8583_subfields_are_total(data: &[u8]) -> Reach {
    let mut dialect = Dialect::ISO1993_BINARY.derive("with subfields");
    let spec = |name: &'static str, content, length| SubfieldSpec { name: name.into(), content, length };
    let positional = Subfields::Positional(vec![
        spec("digits", Content::N, SubfieldLength::Fixed(3)),
        spec("word", Content::An, SubfieldLength::Fixed(2)),
        spec("rest", Content::Ans, SubfieldLength::Rest),
    ]);
    for (number, subfields) in [(48, positional), (55, Subfields::BerTlv)] {
        let mut field = dialect.field(number).unwrap().clone();
        field.spec.subfields = Some(subfields);
        dialect.set_field(field.spec, field.coding).unwrap();
    }
    let mut message = Message::new("1200".parse().unwrap());
    let text = core::str::from_utf8(data).ok();
    let set = [
        message.set_bytes(&dialect, 55, data).is_ok(),
        text.is_some_and(|text| message.set_text(&dialect, 48, text).is_ok()),
    ];
    let mut reach = Reach::Refused;
    for (field, set) in [55, 48].into_iter().zip(set) {
        if !set {
            continue;
        }
        match message.subfields(&dialect, field) {
            Ok(subfields) => {
                let mut joined = Message::new(message.mti());
                joined.set_subfields(&dialect, field, &subfields).unwrap();
                assert_eq!(joined.get(field), message.get(field));
                reach = Reach::Held;
            }
            Err(error) => assert!(error.position <= data.len(), "{error}"),
        }
    }
    if let Ok(tag) = Tag::new(data) {
        assert!(tag.bytes().eq(data.iter().copied()));
    }
    reach
}

/// Four digits are a message type that says the same in numbers, in text and in its parts; bits that are a bitmap come back
/// as the same words.
///
/// Input: four digits, two words.
pub fn iso8583_header_round_trip(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let digits = input.array();
    let (primary, secondary) = (u64::from_be_bytes(input.array()), u64::from_be_bytes(input.array()));
    let secondary = (primary >> 63 == 1).then_some(secondary);

    let text: String = digits.map(|digit: u8| char::from(digit.wrapping_add(b'0'))).iter().collect();
    assert_eq!(text.parse::<Mti>(), Mti::from_digits(digits));
    if let Ok(bitmap) = Bitmap::from_words(primary, secondary) {
        assert_eq!(bitmap.words(), (primary, secondary));
        assert!(
            bitmap.fields().all(|field| bitmap.contains(field)) && bitmap.fields().count() == bitmap.count()
        );
        let mut collected = Bitmap::default();
        bitmap.fields().for_each(|field| collected.insert(field).unwrap());
        assert_eq!(collected, bitmap);
    }
    let Ok(mti) = Mti::from_digits(digits) else { return Reach::Refused };
    assert_eq!(mti.digits(), digits);
    assert_eq!(mti.to_string(), text);
    assert_eq!(Mti::new(mti.version(), mti.class(), mti.function(), mti.origin()), Ok(mti));
    Reach::Held
}
