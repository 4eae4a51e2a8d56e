//! `cardroot iso8583`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Scratch, base64, run, run_command, run_with};
use serde_json::{Value, json};

/// A published message (moov-io/iso8583@b7a9ed4, message_test.go:126) as it is sent.
const MOOV: &str = "01007000000000000000164242424242424242123456000000000100";
/// The same message packed, by hand: type, bitmap, length and digits of the PAN, processing code, amount.
const MOOV_PACKED: &str = "0100 7000000000000000 16 4242424242424242 123456 000000000100";

const DIALECTS: [&str; 4] =
    ["iso8583-1987-ascii", "iso8583-1987-binary", "iso8583-1993-ascii", "iso8583-1993-binary"];

#[test]
fn published_message_decodes_to_its_fields_in_both_forms() {
    for (options, message) in [("ascii --raw", MOOV), ("binary", MOOV_PACKED)] {
        let decode = format!("--json iso8583 decode --show-all --dialect iso8583-1987-{options}");
        let expected =
            json!({"mti": "0100", "fields": {"2": "4242424242424242", "3": "123456", "4": "000000000100"}});
        assert_eq!(run_with(&decode, message).done().json(), expected);
    }
}

#[test]
fn message_is_read_from_hex_base64_and_raw_bytes() {
    let scratch = Scratch::new("iso8583-input");
    let packed = base16ct::mixed::decode_vec(MOOV_PACKED.replace(' ', "")).unwrap();
    let decode = "iso8583 decode --dialect iso8583-1987-binary";
    let expected = run_with(decode, MOOV_PACKED).done().stdout;
    for (form, content) in [("base64", base64(&packed).into_bytes()), ("raw", packed)] {
        let file = scratch.file(form, content);
        for options in [format!("--input {form}"), "--input auto".into()] {
            assert_eq!(run(&format!("{decode} {options} {file}")).done().stdout, expected, "{options}");
        }
    }
    let both = run_with(&format!("{decode} --raw --input hex"), MOOV_PACKED).usage();
    assert!(both.contains("cannot be used with"), "{both}");
}

#[test]
fn message_moves_from_one_dialect_to_another_of_its_version() {
    let decode = "--json iso8583 decode --show-all --raw --dialect iso8583-1987-ascii";
    let json = run_with(decode, MOOV).done().stdout;
    let packed = run_with("iso8583 encode --dialect iso8583-1987-binary", &json).done();
    assert_eq!(packed.value("message"), MOOV_PACKED.replace(' ', ""));
    assert_eq!(packed.value("message length"), "28");
    let other = run_with("iso8583 encode --dialect iso8583-1993-ascii", &json).refused();
    assert_eq!(other, "standard input: mti: the dialect is of version Iso1993, the message of Iso1987");
}

/// A message with a value of every coding: digits of even and odd number, letters, tracks, bytes, and fields above 64.
fn long_message(version: &str) -> String {
    let bit_53 = if version == "1987" { "9700000000000000" } else { "FFFF9876543210E00001" };
    format!(
        r#"{{"mti": "{}", "fields": {{
            "2": "4012345678909",
            "11": "000042",
            "35": "4012345678909=25121011234",
            "41": "TERM 001",
            "48": "private \"data\"",
            "52": "1B9C1845EB993A7A",
            "53": "{bit_53}",
            "102": "00123456789",
            "128": "9CCC781700000000"
        }}}}"#,
        if version == "1987" { "0200" } else { "1200" },
    )
}

#[test]
fn decoded_message_encodes_to_the_same_bytes_in_every_dialect() {
    for dialect in DIALECTS {
        let encode = format!("iso8583 encode --dialect {dialect}");
        let json = long_message(&dialect[8..12]);
        let message = run_with(&encode, &json).done().value("message").to_owned();
        let decoded =
            run_with(&format!("--json iso8583 decode --show-all --dialect {dialect}"), &message).done();
        assert_eq!(run_with(&encode, &decoded.stdout).done().value("message"), message, "{dialect}");

        let given: Value = serde_json::from_str(&json).unwrap();
        assert_eq!(given["fields"].as_object().unwrap().len(), 9);
        assert_eq!(decoded.json(), given, "{dialect}");
    }
}

#[test]
fn card_data_is_masked_unless_asked_for() {
    for dialect in DIALECTS {
        let json = long_message(&dialect[8..12]);
        let message = run_with(&format!("iso8583 encode --dialect {dialect}"), &json).done();
        let decode = format!("iso8583 decode --dialect {dialect}");
        let text = run_with(&decode, message.value("message")).done().stdout;
        assert!(!text.contains("4012") && !text.contains("1B9C") && !text.contains("123456"), "{text}");
        assert!(text.contains("401******8909"), "{text}");
        let decoded = run_with(&format!("--json {decode}"), message.value("message")).done();
        for (number, value) in decoded.json()["fields"].as_object().unwrap() {
            let masked = ["2", "35", "52", "102"].contains(&number.as_str());
            assert_eq!(value["masked"].is_u64(), masked, "{number}");
        }
        assert!(!decoded.stdout.contains("4012"));
        let sentence = run_with(&format!("iso8583 encode --dialect {dialect}"), &decoded.stdout).refused();
        assert_eq!(sentence, "standard input: field 2 is masked; decode the message with --show-all");
    }
}

const WITH_SMID: &str = r#"{"mti": "1200", "fields": {
    "52": "1b9c1845eb993a7a",
    "53": "FFFF9876543210E00001",
    "64": "9CCC781700000000"
}}"#;

/// Encodes a message in the packed dialect of 1993.
fn encoded(json: &str) -> String {
    run_with("iso8583 encode --dialect iso8583-1993-binary", json).done().value("message").to_owned()
}

#[test]
fn smids_of_a_message_are_decoded_by_profile() {
    let hex = encoded(WITH_SMID);
    let decode = "iso8583 decode --dialect iso8583-1993-binary --smid-profile";
    let decoded = run_with(&format!("--json {decode} key-name-10"), &hex).done().json();
    assert_eq!(decoded["smids"][0]["key_name"], "FFFF9876543210E00001");
    assert_eq!((&decoded["smids"][0]["carrier"], &decoded["smids"][0]["counter"]), (&json!(53), &json!(1)));
    assert_eq!(decoded["message"]["fields"]["52"], json!({"masked": 8}));
    let other = run_with(&format!("{decode} control-key-name-10"), &hex).refused();
    assert_eq!(other, "bit 53 is not of profile control-key-name-10: byte 0: FF is not a control byte");
}

#[test]
fn check_prints_findings_and_refuses() {
    let check = |json: &str, options: &str| {
        run_with(&format!("--json iso8583 check --dialect iso8583-1993-binary {options}"), &encoded(json))
    };
    let consistent = check(WITH_SMID, "").done().json();
    assert_eq!((&consistent["consistent"], &consistent["findings"]), (&true.into(), &json!([])));

    let without_smid = r#"{"mti": "1200", "fields": {
        "52": "1B9C1845EB993A7A", "64": "9CCC781700000000"
    }}"#;
    let found = check(without_smid, "");
    assert_eq!(found.json()["consistent"], false);
    assert_eq!(
        found.json()["findings"],
        json!([
            {"finding": "PIN data in bit 52 without a SMID in bit 53"},
            {"finding": "a MAC without a SMID in bit 53"}
        ])
    );
    assert_eq!(found.refused(), "the message breaks 2 rules: see findings");

    let agreed = check(without_smid, "--implicit-pin-key");
    assert_eq!(agreed.refused(), "the message breaks a rule: see findings");
    check(without_smid, "--implicit-pin-key --implicit-mac-key").done();

    let exchange = r#"{"mti": "1804", "fields": {
        "53": "FFFF9876543210E00001", "64": "9CCC781700000000"
    }}"#;
    check(exchange, "").done();
    let declared = check(exchange, "--key-exchange");
    assert_eq!(
        declared.json()["findings"][0]["finding"],
        "a key exchange with a MAC carries no future keys in bit 96"
    );
    declared.refused();
}

#[test]
fn bytes_that_are_no_message_are_refused_with_their_place() {
    let scratch = Scratch::new("no-message");
    let cut = scratch.file("cut.hex", "1200 8000");
    let sentence = run(&format!("iso8583 decode --dialect iso8583-1993-binary {cut}")).refused();
    let reason = "bitmap, byte 4: the message ends, 6 more bytes needed";
    assert_eq!(sentence, format!("{cut} holds no message of dialect iso8583-1993-binary: {reason}"));

    let sentence = run_with("iso8583 check --dialect iso8583-1987-ascii -", "0800 not hex").refused();
    let reason = "the character at offset 5 is no hexadecimal digit; other forms are read by --input";
    assert_eq!(sentence, format!("standard input: {reason}"));
    let missing = run("iso8583 decode --dialect iso8583-1987-ascii /nonexistent.hex").refused();
    assert!(missing.starts_with("/nonexistent.hex can't be read: "), "{missing}");
}

#[test]
fn json_that_is_no_message_is_refused_without_quoting_it() {
    let fields = |fields: &str| format!(r#"{{"mti": "0800", "fields": {{{fields}}}}}"#);
    for (json, reason) in [
        (fields(r#""2": 4111111111111111"#), "line 1, column 48: not the JSON of a message"),
        ("{".into(), "line 1, column 1: not the JSON of a message"),
        (r#"{"mti": "0800"}"#.into(), "not the JSON of a message"),
        (r#"{"mti": "080", "fields": {}}"#.into(), "mti: not four decimal digits"),
        (r#"{"mti": "1800", "fields": {}}"#.into(), "mti: the dialect is of version Iso1987"),
        (fields(r#""2": "4111x""#), "field 2, position 4: the character is not of class n"),
        (fields(r#""52": "4111x""#), "field 52, position 4: not a pair of hex digits"),
        (fields(r#""65": "00""#), "not the number of a field"),
        (fields(r#""4111": "00""#), "member 1 of fields is not the number of a field"),
        (fields(r#""11": "000042", "11": "000043""#), "field 11 is there twice"),
    ] {
        let refused = run_with("iso8583 encode --dialect iso8583-1987-ascii", &json).refused();
        assert!(refused.starts_with("standard input") && refused.contains(reason), "{json}: {refused}");
        assert!(!refused.contains("4111"), "{refused}");
    }
}

#[test]
fn message_is_stored_for_its_owner_and_not_printed() {
    let scratch = Scratch::new("store-message");
    let json = scratch.file("message.json", WITH_SMID);
    let out = scratch.path().join("message.hex");
    let arguments =
        ["iso8583", "encode", "--dialect", "iso8583-1993-binary", "--out", out.to_str().unwrap(), &json];
    let mut command = assert_cmd::Command::new(common::PROGRAM);
    let stored = run_command(command.args(arguments)).done();
    assert!(!stored.stdout.contains("message: "));
    assert_eq!(scratch.read("message.hex").trim_end(), encoded(WITH_SMID));
    assert!(run_command(&mut command).refused().contains("is not overwritten"));
}

/// A network that differs from its base in what is masked, cut into subfields, and in its SMIDs.
const OUR_NETWORK: &str = r#"
name = "our-network"
based-on = "iso8583-1993-binary"
[smid]
name = "ours"
based-on = "key-name-10-sent-as-8"
[fields]
48 = { lllvar = 40, masked = true, subfields = [{ name = "code", content = "n", fixed = 3 }, { name = "rest", content = "ans" }] }
127 = { remove = true }
"#;

#[test]
fn dialect_of_a_file_decodes_masks_and_checks() {
    let scratch = Scratch::new("own-dialect");
    let toml = scratch.file("ours.toml", OUR_NETWORK);
    let json =
        r#"{"mti": "1200", "fields": {"48": "777CVV2", "52": "1B9C1845EB993A7A", "53": "9876543210E00001"}}"#;
    let message = run_with(&format!("iso8583 encode --dialect {toml}"), json).done();
    let message = message.value("message");
    let decoded = run_with(&format!("iso8583 decode --dialect {toml}"), message).done().stdout;
    assert!(!decoded.contains("CVV2") && decoded.contains("FFFF9876543210E00001"), "{decoded}");
    let shown =
        run_with(&format!("--json iso8583 decode --show-all --dialect {toml}"), message).done().json();
    assert_eq!(shown["message"], serde_json::from_str::<Value>(json).unwrap());
    run_with(&format!("iso8583 check --dialect {toml}"), message).done();

    let wrong = json.replace("777CVV2", "77XCVV2").replace("9876543210E00001", "9876543210E000");
    let wrong = run_with("iso8583 encode --dialect iso8583-1993-binary", &wrong).done();
    let wrong = wrong.value("message");
    let checked = run_with(&format!("--json iso8583 check --dialect {toml}"), wrong);
    assert_eq!(
        checked.json()["findings"],
        json!([
            {"finding": "field 48, position 2: the character is not of class n"},
            {"finding": "bit 53 is not of profile ours: byte 7: the element ends, 1 more bytes needed"}
        ])
    );
    assert_eq!(checked.refused(), "the message breaks 2 rules: see findings");
    // What can be shown is shown.
    let decoded = run_with(&format!("iso8583 decode --dialect {toml}"), wrong);
    assert!(decoded.stdout.contains("smids: none"), "{decoded:?}");
    assert!(decoded.refused().starts_with("bit 53 is not of profile ours: "));
}

#[test]
fn shown_dialects_are_files_that_mean_the_same() {
    let scratch = Scratch::new("shown-dialects");
    let listed = run("--json iso8583 dialect list").done().json();
    assert_eq!(listed["dialects"].as_array().unwrap().len(), DIALECTS.len());
    for (dialect, row) in DIALECTS.into_iter().zip(listed["dialects"].as_array().unwrap()) {
        let show = format!("iso8583 dialect show {dialect}");
        let toml = run(&show).done().stdout;
        assert_eq!(run(&format!("--json {show}")).done().json(), json!({"dialect": dialect, "toml": toml}));
        let file = scratch.file(&format!("{dialect}.toml"), &toml);
        assert_eq!(run(&format!("iso8583 dialect show {file}")).done().stdout, toml);
        assert_eq!(run(&format!("--json iso8583 dialect check {file}")).done().json(), *row);
        let json = long_message(&dialect[8..12]);
        let encoded = |dialect: &str| {
            run_with(&format!("iso8583 encode --dialect {dialect}"), &json).done().value("message").to_owned()
        };
        assert_eq!(encoded(&file), encoded(dialect));
    }
    let checked = run_with("iso8583 dialect check", OUR_NETWORK).done();
    assert_eq!((checked.value("fields"), checked.value("smid profile")), ("125", "ours"));
}

#[test]
fn faults_of_a_dialect_are_named_by_line_field_and_reason() {
    let scratch = Scratch::new("bad-dialects");
    let based = |lines: &str| format!("name = 'x'\nbased-on = 'iso8583-1987-ascii'\n{lines}");
    let message = scratch.file("message.hex", "00");
    for (text, fault) in [
        (based("[fields]\n3 = { fixed = 0 }"), "line 4, field 3: a length of Fixed(0) is not possible"),
        (based("[fields]\n3 = {"), "line 4: not TOML"),
        (based("[fields]\n2 = { masked = false }"), "line 4, field 2: the field is always masked"),
        (based("[fields]\n2 = { value-coding = 'raw' }"), "line 4, field 2: Raw cannot write content n"),
        (based("dialect = 1"), "line 3: unknown key; there are name, based-on, version"),
        ("version = 1987".into(), "line 1: name is missing"),
    ] {
        let file = scratch.file("bad.toml", &text);
        for command in ["dialect check", "dialect show", &format!("decode {message} --dialect")] {
            let sentence = run(&format!("iso8583 {command} {file}")).refused();
            assert!(sentence.starts_with(&format!("{file}, {fault}")), "{sentence}");
        }
    }
    let file = scratch.file("bad.toml", b"name = 'x'\n# \xFF");
    assert_eq!(run(&format!("iso8583 dialect check {file}")).refused(), format!("{file}, line 2: not UTF-8"));
    let missing = run("iso8583 dialect show /nonexistent.toml").refused();
    assert!(missing.starts_with("/nonexistent.toml can't be read: "), "{missing}");
    let unknown = run("iso8583 decode --dialect iso8583-2003").usage();
    assert!(unknown.contains("no dialect has this name; there are iso8583-1987-ascii, "), "{unknown}");
}
