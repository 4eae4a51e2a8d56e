//! Messages as JSON, theirs and hostile ones.

#![cfg(feature = "json")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

mod vectors;

use cardroot_smid::iso8583::{
    Dialect, FieldError, FieldReason, JsonError, MASKED_FIELDS, Message, Sensitivity, Version,
};
use vectors::samples;

#[test]
fn published_messages_come_back_from_json() {
    let mut fields = 0;
    for sample in samples() {
        let message = Message::decode(&sample.dialect, &sample.bytes).unwrap();
        let json = message.to_json_exposed();
        let back = Message::from_json(&sample.dialect, &json).unwrap();
        assert_eq!(back.encode(&sample.dialect).unwrap(), sample.bytes);
        // Another reader of JSON sees the same.
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(value["mti"], *sample.fields[&0]);
        for (number, expected) in sample.fields.iter().skip(1) {
            assert_eq!(value["fields"][number.to_string()], **expected, "field {number}");
            fields += 1;
        }
    }
    println!("{fields} fields in 7 messages");
    assert_eq!(fields, 5 * 64 - 1 + 22 + 3);
}

#[test]
fn masked_fields_show_their_length_and_are_not_read_back() {
    let dialect = Dialect::ISO1987_ASCII;
    let message = Message::decode(dialect, &samples()[6].bytes).unwrap();
    let json = message.to_json(dialect);
    assert_eq!(json, r#"{"mti":"0100","fields":{"2":{"masked":16},"3":"123456","4":"000000000100"}}"#);
    assert_eq!(Message::from_json(dialect, &json).err(), Some(JsonError::Masked { field: 2 }));
    assert!(message.to_json_exposed().contains("4242424242424242"));
}

#[test]
fn characters_that_json_escapes_come_back() {
    let dialect = Dialect::ISO1987_ASCII;
    let all: String = (' '..='~').collect();
    let mut message = Message::new("0100".parse().unwrap());
    message.set_text(dialect, 48, &all).unwrap();
    let json = message.to_json_exposed();
    assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap()["fields"]["48"], all);
    let back = Message::from_json(dialect, &json).unwrap();
    assert_eq!(back.text(48), Some(all.as_str()));
    let escaped = r#"{"mti":"\u0030100","fields":{"\u0034\u0038":"\u0041\n"}}"#;
    let error = Message::from_json(dialect, escaped).unwrap_err();
    assert!(matches!(error, JsonError::Field(FieldError { field: 48, position: 1, .. })));
}

#[test]
fn hex_is_read_in_either_case_and_written_in_upper_case() {
    let dialect = Dialect::ISO1993_BINARY;
    let message =
        Message::from_json(dialect, r#"{"fields":{"52":"1b9C1845eb993a7a"},"mti":"1200"}"#).unwrap();
    assert_eq!(message.bytes(52), Some(&b"\x1B\x9C\x18\x45\xEB\x99\x3A\x7A"[..]));
    assert_eq!(message.to_json_exposed(), r#"{"mti":"1200","fields":{"52":"1B9C1845EB993A7A"}}"#);
}

#[test]
fn hostile_json_is_refused_with_its_place() {
    use JsonError::{Field, FieldNumber, Hex, Masked, Mti, Syntax, Twice, Version};
    let dialect = Dialect::ISO1993_BINARY;
    let field = |field, position, reason| Field(FieldError { field, position, reason });
    let deep = format!("{}{}", r#"{"mti":"1200","fields":{"2":"#, "{\"a\":".repeat(200_000));
    let list = "[".repeat(200_000);
    for (json, expected) in [
        (r#"{"mti":"12","fields":{}}"#, Mti),
        (
            r#"{"mti":"0200","fields":{}}"#,
            Version { expected: self::Version::Iso1993, found: self::Version::Iso1987 },
        ),
        (r#"{"mti":"1200","fields":{"x":""}}"#, FieldNumber { member: 1 }),
        (r#"{"mti":"1200","fields":{"11":"000001","012":""}}"#, FieldNumber { member: 2 }),
        (r#"{"mti":"1200","fields":{"256":""}}"#, FieldNumber { member: 1 }),
        (r#"{"mti":"1200","fields":{"-2":""}}"#, FieldNumber { member: 1 }),
        (r#"{"mti":"1200","fields":{"+2":""}}"#, FieldNumber { member: 1 }),
        (r#"{"mti":"1200","fields":{"11":"000001","11":"000001"}}"#, Twice { field: 11 }),
        (r#"{"mti":"1200","fields":{"52":"0"}}"#, Hex { field: 52, position: 1 }),
        (r#"{"mti":"1200","fields":{"52":"00x0"}}"#, Hex { field: 52, position: 2 }),
        (r#"{"mti":"1200","fields":{"52":"0é0"}}"#, Hex { field: 52, position: 1 }),
        (
            r#"{"mti":"1200","fields":{"52":"00"}}"#,
            field(52, 1, FieldReason::FixedLength { expected: 8, found: 1 }),
        ),
        (r#"{"mti":"1200","fields":{"0":""}}"#, field(0, 0, FieldReason::NotAField)),
        (r#"{"mti":"1200","fields":{"65":""}}"#, field(65, 0, FieldReason::NotAField)),
        (r#"{"mti":"1200","fields":{"2":{"masked":13}}}"#, Masked { field: 2 }),
    ] {
        assert_eq!(Message::from_json(dialect, json).err(), Some(expected), "{json}");
    }
    for json in [
        "",
        "null",
        "{}",
        r#"{"mti":"1200"}"#,
        r#"{"mti":"1200","fields":[]}"#,
        r#"{"mti":1200,"fields":{}}"#,
        r#"{"mti":"1200","mti":"1200","fields":{}}"#,
        r#"{"mti":"1200","fields":{},"fields":{}}"#,
        r#"{"mti":"1200","fields":{},"more":1}"#,
        r#"{"mti":"1200","fields":{"3":0}}"#,
        r#"{"mti":"1200","fields":{"3":null}}"#,
        r#"{"mti":"1200","fields":{"3":["000000"]}}"#,
        r#"{"mti":"1200","fields":{"3":"000000"}} "#.trim_end_matches("} "),
        r#"{"mti":"1200","fields":{"3":"\uD800"}}"#,
        &deep,
        &list,
    ] {
        let error = Message::from_json(dialect, json).unwrap_err();
        assert!(matches!(error, Syntax { .. }), "{}: {error}", &json[..json.len().min(60)]);
    }
    let two_lines = Message::from_json(dialect, "{\"mti\":\"1200\",\n\"fields\":{\"3\":0}}").unwrap_err();
    assert!(matches!(two_lines, Syntax { line: 2, .. }));
}

#[test]
fn errors_quote_nothing_of_the_text() {
    let dialect = Dialect::ISO1987_ASCII;
    for json in [
        r#"{"mti":"0100","fields":{"2":"4242A424"}}"#,
        r#"{"mti":"4242","fields":{}}x"#,
        r#"{"4242":"0100"}"#,
        r#"{"mti":"0100","fields":{"2":4242}}"#,
        r#"{"mti":"0100","fields":{"4242":""}}"#,
    ] {
        let error = Message::from_json(dialect, json).unwrap_err();
        assert!(!format!("{error} {error:?}").contains("4242"), "{error}");
    }
}

#[test]
fn display_masks_what_json_masks() {
    for sample in samples() {
        let mut dialect = sample.dialect.clone();
        let mut private = dialect.field(48).unwrap().clone();
        private.spec.sensitivity = Sensitivity::Masked;
        dialect.set_field(private.spec, private.coding).unwrap();
        let message = Message::decode(&dialect, &sample.bytes).unwrap();
        let shown = message.display(&dialect).to_string();
        let exposed = message.display_exposed(&dialect).to_string();
        assert_eq!(shown.lines().count(), 1 + message.bitmap().count());
        let json: serde_json::Value = serde_json::from_str(&message.to_json(&dialect)).unwrap();
        for ((number, _), (line, full)) in
            message.fields().zip(shown.lines().skip(1).zip(exposed.lines().skip(1)))
        {
            let masked = number == 48 || MASKED_FIELDS.contains(&number);
            assert_eq!(line != full, masked, "field {number}: {line}");
            assert_eq!(json["fields"][number.to_string()].is_object(), masked);
        }
        assert!(!format!("{:?}", message.display_exposed(&dialect)).contains("424242424242"));
    }
}
