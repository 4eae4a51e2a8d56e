//! Dialects and profiles as TOML files: the built-in ones, those a user writes, and what is wrong with others.

#![cfg(feature = "toml")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

use cardroot_smid::iso8583::{
    BcdPad, BitmapCoding, CodePage, Coding, Content, DateCheck, DateFormat, DecodeReason, Dialect,
    DialectFault, FieldReason, FieldSpec, Length, LengthCoding, Message, MtiCoding, Part, Sensitivity,
    SubfieldLength, SubfieldSpec, Subfields, ValueCoding, Version,
};
use cardroot_smid::{
    Count, LayoutError, NameFraming, NameLayout, ProfileError, SmidProfile, TomlError, TomlReason,
};

const FILES: [(&str, &str); 4] = [
    ("iso8583-1987-ascii", include_str!("../dialects/iso8583-1987-ascii.toml")),
    ("iso8583-1987-binary", include_str!("../dialects/iso8583-1987-binary.toml")),
    ("iso8583-1993-ascii", include_str!("../dialects/iso8583-1993-ascii.toml")),
    ("iso8583-1993-binary", include_str!("../dialects/iso8583-1993-binary.toml")),
];

#[test]
fn files_of_the_built_in_dialects_are_equal_to_their_tables() {
    let mut fields = 0;
    for (name, file) in FILES {
        let (_, without_origin) = file.split_once('\n').unwrap();
        let dialect = Dialect::from_toml(file).unwrap();
        assert_eq!(Some(&dialect), Dialect::named(name));
        assert_eq!(dialect.to_toml(), without_origin);
        fields += dialect.fields().count();
    }
    println!("{fields} fields in 4 files");
    assert_eq!(fields, 4 * 126);
}

// cargo test -p cardroot-smid --all-features --test dialect_toml -- --ignored
#[test]
#[ignore = "writes the files of the built-in dialects after their tables were changed"]
fn write_the_files_of_the_built_in_dialects() {
    for dialect in Dialect::BUILT_IN {
        let path = format!("{}/dialects/{}.toml", env!("CARGO_MANIFEST_DIR"), dialect.name());
        let origin =
            "# Equal to the built-in dialect of this name, as a test shows; see `Dialect::from_toml`.\n";
        std::fs::write(path, origin.to_owned() + &dialect.to_toml()).unwrap();
    }
}

/// A dialect that uses every key and word.
const NETWORK: &str = r#"
name = "our \"network\""
version = 2003
mti = "ebcdic"
bitmap = "ebcdic-hex"
dates = "calendar"
length-coding = "binary"

[smid]
name = "theirs"
control = "present"
key-name = 8
added-fill = 2
count = "several"
order = "mac-pin"
layout = [24, 19, 21]

[fields]
2 = { name = "PAN", content = "n", llvar = 19, value-coding = "bcd", pad = "leading-f", length-coding = "ascii" }
4 = { name = "Amount", content = "x+n", fixed = 13, value-coding = "sign-then-bcd", pad = "leading-zero" }
12 = { name = "When", content = "n", fixed = 12, value-coding = "ebcdic-1047", date = "YYMMDDhhmmss" }
43 = { name = "Where", content = "ans", lllvar = 99, value-coding = "ebcdic-037", masked = true, subfields = [
    { name = "street", content = "ans", fixed = 20 }, { name = "city", content = "ans" } ] }
52 = { name = "PIN", content = "b", fixed = 8, value-coding = "ebcdic-hex" }
55 = { name = "ICC", content = "b", lllvar = 255, value-coding = "raw", length-coding = "bcd", subfields = "ber-tlv" }
56 = { name = "More", content = "b", fixed = 3, value-coding = "hex", length-coding = "ebcdic" }
"#;

fn network_in_code() -> Dialect {
    let spec = FieldSpec::new;
    let coding = |length, value| Coding { length, value };
    let binary = |value| coding(LengthCoding::Binary, value);
    let named =
        |name: &'static str, length| SubfieldSpec { name: name.into(), content: Content::Ans, length };
    let place = FieldSpec {
        sensitivity: Sensitivity::Masked,
        subfields: Some(Subfields::Positional(vec![
            named("street", SubfieldLength::Fixed(20)),
            named("city", SubfieldLength::Rest),
        ])),
        ..spec(43, "Where", Content::Ans, Length::LllVar(99))
    };
    let when = spec(12, "When", Content::N, Length::Fixed(12));
    let icc = spec(55, "ICC", Content::B, Length::LllVar(255));
    let mut dialect =
        Dialect::from_toml("name = 'our \"network\"'\nversion = 2003\nmti = 'ascii'\nbitmap = 'hex'")
            .unwrap();
    dialect.set_mti(MtiCoding::Ebcdic);
    dialect.set_bitmap(BitmapCoding::EbcdicHex);
    dialect.set_dates(DateCheck::Calendar);
    let profile = SmidProfile {
        name: "theirs".into(),
        count: Count::Several,
        order: cardroot_smid::Order::MacThenPin,
        control: cardroot_smid::ControlByte::Present,
        ..SmidProfile::KEY_NAME_8_SENT_AS_10
    };
    dialect.set_smid_profile(Some(profile)).unwrap();
    for (spec, coding) in [
        (
            spec(2, "PAN", Content::N, Length::LlVar(19)),
            coding(LengthCoding::Ascii, ValueCoding::Bcd(BcdPad::LeadingF)),
        ),
        (
            spec(4, "Amount", Content::XN, Length::Fixed(13)),
            binary(ValueCoding::SignThenBcd(BcdPad::LeadingZero)),
        ),
        (
            FieldSpec { date: Some(DateFormat::Yymmddhhmmss), ..when },
            binary(ValueCoding::Ebcdic(CodePage::Cp1047)),
        ),
        (place, binary(ValueCoding::Ebcdic(CodePage::Cp037))),
        (spec(52, "PIN", Content::B, Length::Fixed(8)), binary(ValueCoding::EbcdicHex)),
        (
            FieldSpec { subfields: Some(Subfields::BerTlv), ..icc },
            coding(LengthCoding::Bcd, ValueCoding::Raw),
        ),
        (spec(56, "More", Content::B, Length::Fixed(3)), coding(LengthCoding::Ebcdic, ValueCoding::Hex)),
    ] {
        dialect.set_field(spec, coding).unwrap();
    }
    dialect
}

#[test]
fn file_of_a_user_means_what_it_says_and_comes_back() {
    let dialect = Dialect::from_toml(NETWORK).unwrap();
    assert_eq!(dialect, network_in_code());
    assert_eq!(Dialect::from_toml(&dialect.to_toml()), Ok(dialect.clone()));
    assert_eq!((dialect.version(), dialect.fields().count()), (Version::Iso2003, 7));
    assert_eq!(dialect.smid_profile().unwrap().name_framing, NameFraming::Fixed(8));
}

#[test]
fn field_that_the_file_lacks_is_refused_both_ways() {
    let dialect = Dialect::from_toml(NETWORK).unwrap();
    let mut message = Message::new("2100".parse().unwrap());
    let error = message.set_text(&dialect, 3, "000000").unwrap_err();
    assert_eq!((error.field, error.reason), (3, FieldReason::NotInDialect));
    let bytes = b"\xF2\xF1\xF0\xF0\xF2\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF0";
    let error = Message::decode(&dialect, bytes).unwrap_err();
    assert_eq!((error.part, error.offset, error.reason), (Part::Field(3), 20, DecodeReason::NotInDialect));
}

#[test]
fn message_of_a_users_dialect_has_the_bytes_worked_out_by_hand() {
    let dialect = Dialect::from_toml(NETWORK).unwrap();
    let mut message = Message::new("2100".parse().unwrap());
    message.set_text(&dialect, 2, "4012345678909").unwrap();
    message.set_text(&dialect, 4, "D000000000100").unwrap();
    message.set_text(&dialect, 12, "261122103000").unwrap();
    message.set_text(&dialect, 43, "A [12345678901234567B").unwrap();
    message.set_bytes(&dialect, 52, &[0x0F; 8]).unwrap();
    let expected = [
        &b"\xF2\xF1\xF0\xF0"[..],
        // 5010000000201000: fields 2, 4, 12, 43 and 52.
        b"\xF5\xF0\xF1\xF0\xF0\xF0\xF0\xF0\xF0\xF0\xF2\xF0\xF1\xF0\xF0\xF0",
        b"13\xF4\x01\x23\x45\x67\x89\x09",
        b"D\x00\x00\x00\x00\x01\x00",
        b"\xF2\xF6\xF1\xF1\xF2\xF2\xF1\xF0\xF3\xF0\xF0\xF0",
        b"\x00\x15\xC1\x40\xBA\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xF8\xF9\xF0\xF1\xF2\xF3\xF4\xF5\xF6\xF7\xC2",
        &b"\xF0\xC6".repeat(8),
    ]
    .concat();
    assert_eq!(message.encode(&dialect).unwrap(), expected);
    let back = Message::decode(&dialect, &expected).unwrap();
    assert!(back.fields().eq(message.fields()));
    assert_eq!(back.subfields(&dialect, 43).unwrap()[1].key.to_string(), "city");
}

#[test]
fn file_in_the_readme_is_a_dialect() {
    let readme = include_str!("../README.md");
    let (_, rest) = readme.split_once("```toml\n").unwrap();
    let (file, _) = rest.split_once("```").unwrap();
    let dialect = Dialect::from_toml(file).unwrap();
    assert_eq!((dialect.name(), dialect.dates()), ("our-network", DateCheck::Calendar));
    assert_eq!(dialect.field(55).unwrap().spec.subfields, Some(Subfields::BerTlv));
    assert!(dialect.field(127).is_none());
}

#[test]
fn based_on_changes_only_what_is_written() {
    let base = Dialect::ISO1993_BINARY;
    let same = Dialect::from_toml("name = 'same'\nbased-on = 'iso8583-1993-binary'").unwrap();
    assert_eq!(same, base.derive("same"));

    let text = "name = 'x'\nbased-on = 'iso8583-1993-binary'\n[fields]\n\
                2 = { pad = 'trailing-f' }\n12 = { content = 'ans', value-coding = 'ascii' }\n99 = { remove = true }";
    let dialect = Dialect::from_toml(text).unwrap();
    assert_eq!(dialect.field(2).unwrap().coding.value, ValueCoding::Bcd(BcdPad::TrailingF));
    assert_eq!(dialect.field(2).unwrap().spec, base.field(2).unwrap().spec);
    // What is no date any more loses its form.
    assert_eq!(dialect.field(12).unwrap().spec.date, None);
    assert_eq!(base.field(12).unwrap().spec.date, Some(DateFormat::Yymmddhhmmss));
    assert!(dialect.field(99).is_none());
    for number in (3..=128).filter(|number| ![12, 99].contains(number)) {
        assert_eq!(dialect.field(number), base.field(number));
    }
    let text = "name = 'x'\nbased-on = 'iso8583-1993-ascii'\nlength-coding = 'binary'";
    let dialect = Dialect::from_toml(text).unwrap();
    assert!(dialect.fields().all(|field| field.coding.length == LengthCoding::Binary));
}

/// Parses the head of a dialect and `lines` behind it; the first of them is line 3.
fn refusal(lines: &str) -> (usize, Option<u8>, TomlReason) {
    let text = format!("name = 'x'\nbased-on = 'iso8583-1987-ascii'\n{lines}");
    let TomlError { line, field, reason } = Dialect::from_toml(&text).unwrap_err();
    (line, field, reason)
}

#[test]
fn faults_of_a_dialect_are_located_by_line_and_field() {
    use TomlReason::{Conflict, Dialect as Fault, FieldNumber, Missing, Syntax, Type};
    let word = |reason: TomlReason| matches!(reason, TomlReason::Word(words) if words.len() > 1);
    let unknown = |reason: TomlReason| matches!(reason, TomlReason::UnknownKey(keys) if keys.len() > 2);

    for (lines, expected) in [
        ("[fields]\n\n2 = { fixed = ", (5, None, Syntax)),
        ("name = 'twice'", (3, None, Syntax)),
        ("version = 1993", (3, None, Conflict("a version other than that of the base"))),
        ("version = 1988", (3, None, Type("1987, 1993 or 2003"))),
        ("fields = 3", (3, None, Type("a table"))),
        ("[fields]\n2 = 3", (4, Some(2), Type("a table"))),
        ("[fields]\n02 = {}", (4, None, FieldNumber)),
        ("[fields]\n\"+2\" = {}", (4, None, FieldNumber)),
        ("[fields]\n256 = {}", (4, None, FieldNumber)),
        ("[fields]\n2 = { llvar = 100 }", (4, Some(2), Fault(DialectFault::Length(Length::LlVar(100))))),
        ("[fields]\n2 = { llvar = -1 }", (4, Some(2), Type("a number from 0 to 65535"))),
        ("[fields]\n2 = { llvar = 1.0 }", (4, Some(2), Type("a number from 0 to 65535"))),
        ("[fields]\n2 = { llvar = 1, fixed = 1 }", (4, Some(2), Conflict("llvar"))),
        ("[fields]\n2 = { pad = 'trailing-f' }", (4, Some(2), Conflict("pad"))),
        ("[fields]\n2 = { value-coding = 'bcd' }", (4, Some(2), Missing("pad"))),
        ("[fields]\n2 = { masked = false }", (4, Some(2), Fault(DialectFault::AlwaysMasked))),
        ("[fields]\n2 = { masked = 'yes' }", (4, Some(2), Type("true or false"))),
        ("[fields]\n2 = { date = 'YYMM' }", (4, Some(2), Fault(DialectFault::Date(DateFormat::Yymm)))),
        ("[fields]\n2 = { subfields = 'ber-tlv' }", (4, Some(2), Fault(DialectFault::Subfields))),
        ("[fields]\n2 = { subfields = [] }", (4, Some(2), Fault(DialectFault::Subfields))),
        ("[fields]\n2 = { subfields = [1] }", (4, Some(2), Type("a table"))),
        ("[fields]\n2 = { subfields = 1 }", (4, Some(2), Type("a list"))),
        ("[fields]\n2 = { remove = false }", (4, Some(2), Conflict("remove"))),
        ("[fields]\n0 = { remove = true }", (4, None, FieldNumber)),
        ("[fields]\n65 = { remove = true }", (4, Some(65), Conflict("remove"))),
        (
            "[fields]\n1 = { name='n', content='n', fixed=1, value-coding='ascii' }",
            (4, Some(1), Fault(DialectFault::NotAField)),
        ),
        (
            "[fields]\n65 = { name='n', content='n', fixed=1, value-coding='ascii' }",
            (4, Some(65), Fault(DialectFault::NotAField)),
        ),
        ("[smid]\nname = 'x'", (3, None, Missing("control"))),
    ] {
        assert_eq!(refusal(lines), expected, "{lines}");
    }
    let (line, field, reason) = refusal("[fields]\n2 = {\n  content = 'nn' }");
    assert!((line, field) == (5, Some(2)) && word(reason));
    let (line, field, reason) = refusal("[fields]\n2 = {\n  contents = 'n' }");
    assert!((line, field) == (5, Some(2)) && unknown(reason));
    let (line, field, reason) = refusal("bitmap = 'hexadecimal'");
    assert!((line, field) == (3, None) && word(reason));
    let error = Dialect::from_toml("name = 'x'\nbased-on = 'iso8583-2003-ascii'").unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 2: expected one of iso8583-1987-ascii, iso8583-1987-binary, iso8583-1993-ascii, iso8583-1993-binary"
    );
    for (text, missing) in [
        ("", "name"),
        ("name = 'x'", "version"),
        ("name = 'x'\nversion = 1987", "mti"),
        ("name = 'x'\nversion = 1987\nmti = 'bcd'", "bitmap"),
    ] {
        assert_eq!(Dialect::from_toml(text).unwrap_err().reason, Missing(missing));
    }
    let head = "name = 'x'\nversion = 1987\nmti = 'bcd'\nbitmap = 'hex'\n[fields]\n";
    for (keys, missing) in [
        ("", "name"),
        ("name = 'n'", "content"),
        ("name = 'n', content = 'n'", "one of fixed, llvar and lllvar"),
        ("name = 'n', content = 'n', fixed = 1", "value-coding"),
    ] {
        let error = Dialect::from_toml(&format!("{head}3 = {{ {keys} }}")).unwrap_err();
        assert_eq!((error.line, error.field, error.reason), (6, Some(3), Missing(missing)), "{keys}");
    }
}

#[test]
fn subfields_that_do_not_fit_their_field_are_refused() {
    let fault =
        |subfields: &str| refusal(&format!("[fields]\n48 = {{ lllvar = 10, subfields = [{subfields}] }}")).2;
    for subfields in [
        "{ name = 'a', content = 'n', fixed = 11 }",
        "{ name = 'a', content = 'n', fixed = 0 }",
        "{ name = '', content = 'n', fixed = 1 }",
        "{ name = 'a', content = 'b', fixed = 1 }",
        "{ name = 'a', content = 'n' }, { name = 'b', content = 'n', fixed = 1 }",
        "{ name = 'a', content = 'n', fixed = 1 }, { name = 'a', content = 'n', fixed = 1 }",
    ] {
        assert_eq!(fault(subfields), TomlReason::Dialect(DialectFault::Subfields), "{subfields}");
    }
    // A field of fixed length is cut without a rest.
    let short = "[fields]\n3 = { subfields = [{ name = 'a', content = 'n', fixed = 5 }] }";
    assert_eq!(refusal(short).2, TomlReason::Dialect(DialectFault::Subfields));
    assert_eq!(fault("{ content = 'n' }"), TomlReason::Missing("name"));
    assert_eq!(fault("{ name = 'a' }"), TomlReason::Missing("content"));
}

#[test]
fn endless_lists_of_subfields_are_refused_before_they_are_compared() {
    // The sum of these lengths has more than 32 bits; comparing each name with each other one would take minutes.
    let one = |index: usize| format!("{{name='{index}',content='n',fixed=65535}}");
    let list: Vec<String> = (0..66_000).map(one).collect();
    let text = format!("[fields]\n48 = {{ subfields = [{}] }}", list.join(","));
    assert_eq!(refusal(&text), (4, Some(48), TomlReason::Dialect(DialectFault::Subfields)));
}

#[test]
fn saying_what_the_base_says_changes_nothing() {
    let base = Dialect::ISO1987_ASCII;
    let text = "name = 'x'\nbased-on = 'iso8583-1987-ascii'\n[fields]\n7 = { content = 'n', fixed = 10 }";
    let same = Dialect::from_toml(text).unwrap();
    assert_eq!(same.field(7).unwrap().spec.date, Some(DateFormat::Mmddhhmmss));
    assert_eq!(same, base.derive("x"));
    let profile = SmidProfile::from_toml("name = 'x'\nbased-on = 'key-name-10'\nkey-name = 10").unwrap();
    assert_eq!(profile.layout, SmidProfile::KEY_NAME_10.layout);
}

#[test]
fn every_preset_comes_back_from_its_toml() {
    for preset in SmidProfile::PRESETS {
        assert_eq!(SmidProfile::from_toml(&preset.to_toml()).as_ref(), Ok(preset));
        let derived = format!("name = 'mine'\nbased-on = '{}'", preset.name);
        let expected = SmidProfile { name: "mine".into(), ..preset.clone() };
        assert_eq!(SmidProfile::from_toml(&derived), Ok(expected));
    }
    assert_eq!(SmidProfile::PRESETS.len(), 6);
    assert!(SmidProfile::PRESETS.iter().all(|preset| !preset.name.contains("standard")));
}

#[test]
fn faults_of_a_profile_are_located() {
    let base = "name = 'x'\nbased-on = 'key-name-10'\n";
    let refusal = |lines: &str| {
        let error = SmidProfile::from_toml(&format!("{base}{lines}")).unwrap_err();
        (error.line, error.reason)
    };
    let layout = ProfileError::Layout { len: 10 };
    for (lines, expected) in [
        ("key-name = 300", (3, TomlReason::Type("a number from 0 to 255"))),
        ("key-name = 4", (1, ProfileError::NameLength { len: 4 }.into())),
        ("key-name = 'remainder'\nlayout = [40, 19, 21]", (1, layout.into())),
        ("key-name = 11\nlayout = [40, 19, 21]", (1, layout.into())),
        ("layout = [40, 19]", (3, TomlReason::Type("a list of three widths"))),
        ("layout = [40, 19, 22]", (3, LayoutError::TotalWidth { bits: 81 }.into())),
        ("omitted-fill = 12", (1, ProfileError::Fill { omitted: 12 }.into())),
        ("omitted-fill = 2\nadded-fill = 2", (1, ProfileError::AddedFill { added: 2 }.into())),
        ("key-name = 'remainder'\ncount = 'several'", (1, ProfileError::Unframed.into())),
    ] {
        assert_eq!(refusal(lines), expected, "{lines}");
    }
    let without_layout = SmidProfile::from_toml(&format!("{base}key-name = 8")).unwrap();
    assert_eq!(without_layout.layout, None);
    assert_eq!(SmidProfile::KEY_NAME_10.layout, Some(NameLayout::ANNEX_A));
    assert!(matches!(refusal("order = 'pin'"), (3, TomlReason::Word(_))));
}
