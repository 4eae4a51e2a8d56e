//! `cardroot csm`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Scratch, run, run_with};
use serde_json::json;

const KSM: &str = "CSM(MCL/KSM RCV/BANKB ORG/BANKA KD/0123456789ABCDEF.DAY7.M1 IV/0011223344556677 CTP/0000000000002A MAC/8F0E1D2C )";
/// The sample of the jPOS test of service messages: names and message are padded.
const PADDED: &str = "CSM(MCL/KSM RCV/0001             ORG/0002             KD/0123456789ABCDEFFEDCBA9876543210 CTP/0000000000789A )          ";

#[test]
fn a_message_decodes_to_its_fields_and_marks_ciphertext() {
    let decoded = run_with("--json csm decode", KSM).done().json();
    assert_eq!(decoded["class"], "KSM");
    let fields = decoded["fields"].as_array().unwrap();
    let marked: Vec<_> =
        fields.iter().filter(|field| field["ciphertext"] == true).map(|field| &field["field"]).collect();
    assert_eq!((fields.len(), marked), (6, vec![&json!("KD"), &json!("IV")]));
    assert_eq!(fields[2]["value"], "0123456789ABCDEF.DAY7.M1");
    assert_eq!(fields[2]["name"], "data key");
    let (from, to) = (decoded["covered_from"].as_u64().unwrap(), decoded["covered_to"].as_u64().unwrap());
    assert_eq!((from, usize::try_from(to).unwrap()), (4, KSM.find("MAC/").unwrap()));
    let text = run_with("csm decode", &format!("{KSM}\r\n")).done();
    assert_eq!((text.value("class"), text.value("covered to")), ("KSM", to.to_string().as_str()));
}

#[test]
fn a_padded_message_is_read_if_asked_for_and_written_strictly() {
    let refused = run_with("csm decode", PADDED).refused();
    assert_eq!(
        refused,
        "standard input holds no service message: end, byte 120: the closing ` )` is missing; for padded messages say --lenient"
    );
    let scratch = Scratch::new("csm-padded");
    let file = scratch.file("padded.txt", PADDED);
    let json = run(&format!("--json csm decode --lenient {file}")).done().stdout;
    let encoded = run_with("csm encode", &json).done();
    assert_eq!(
        encoded.value("message"),
        "CSM(MCL/KSM RCV/0001 ORG/0002 KD/0123456789ABCDEFFEDCBA9876543210 CTP/0000000000789A )"
    );
}

#[test]
fn decoding_and_encoding_give_the_message_back() {
    let json = run_with("--json csm decode", KSM).done().stdout;
    assert_eq!(run_with("csm encode", &json).done().value("message"), KSM);
}

#[test]
fn a_message_that_breaks_rules_is_printed_and_fails() {
    assert_eq!(run_with("csm check", KSM).done().value("consistent"), "yes");
    let run = run_with("--json csm check --lenient", PADDED);
    assert_eq!((run.status, &run.json()["findings"]), (1, &json!([{"finding": "field MAC is missing"}])));
    let two = run_with("csm check", "CSM(MCL/ESM RCV/BANKA SVR/ )");
    assert_eq!((two.status, two.value("consistent")), (1, "no"));
    assert_eq!(two.stderr, "error: the message breaks 3 rules: see findings\n");
}

#[test]
fn json_that_is_no_message_is_refused() {
    for (json, sentence) in [
        ("[]", "standard input, line 1, column 2: not the JSON of a message; see cardroot csm encode --help"),
        (r#"{"class": "XXX", "fields": []}"#, "standard input: XXX is no class of messages"),
        (
            r#"{"class": "RSM", "fields": [{"field": "RCV", "value": "A"}]}"#,
            "standard input: field 1: 1 characters, a name of 4 to 16 is needed",
        ),
        (
            r#"{"class": "RSM", "fields": [{"field": "TID", "value": "1 TID/2"}]}"#,
            "standard input: field 1: a blank in the value",
        ),
        (
            r#"{"class": "RSM", "fields": [{"field": "MAC", "value": "00000000"}, {"field": "TID", "value": ""}]}"#,
            "standard input: field TID after the code over the message",
        ),
    ] {
        assert_eq!(run_with("csm encode", json).refused(), sentence);
    }
}
