//! `cardroot apdu`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Scratch, run, run_with};

#[test]
fn commands_of_all_cases_are_taken_apart() {
    for (hex, case, data, le) in [
        ("00A40400", "1", None, None),
        ("00B0000000", "2 short", None, Some(256)),
        ("00A40000023F00", "3 short", Some("3F00"), None),
        ("00A40000023F0010", "4 short", Some("3F00"), Some(16)),
        ("00B00000000000", "2 extended", None, Some(65536)),
        ("00D600000000021122", "3 extended", Some("1122"), None),
        ("00D6000000000211220100", "4 extended", Some("1122"), Some(256)),
    ] {
        let parsed = run(&format!("apdu parse --json {hex}")).done().json();
        assert_eq!(parsed["case"], case, "{hex}");
        assert_eq!(parsed["data"].as_str(), data, "{hex}");
        assert_eq!(parsed["data_length"], data.map_or(0, |data| data.len() / 2), "{hex}");
        assert_eq!(parsed["le"].as_u64(), le, "{hex}");
        assert_eq!(parsed["instruction"], hex[2..4], "{hex}");
    }
}

#[test]
fn class_is_read_as_iso_7816_has_it() {
    let chained = run("apdu parse --json 1DA40000").done().json();
    assert_eq!((&chained["class"], &chained["channel"]), (&"1D".into(), &1.into()));
    assert_eq!(
        (&chained["secure_messaging"], &chained["more_to_come"]),
        (&"header authenticated".into(), &true.into())
    );
    let proprietary = run("apdu parse 84D40000").done();
    assert_eq!(proprietary.value("defined by"), "the card's maker");
    assert_eq!(proprietary.value("channel"), "-");
}

#[test]
fn response_is_its_status_and_data() {
    let verify = run("apdu parse --json --response 63C2").done().json();
    assert_eq!(
        (&verify["status"], &verify["counter"], &verify["data"]),
        (&"63C2".into(), &2.into(), &serde_json::Value::Null)
    );
    let challenge = run("apdu parse --response 5D72B3FD9000").done();
    assert_eq!((challenge.value("data"), challenge.value("meaning")), ("5D72B3FD", "normal completion"));
}

#[test]
fn bytes_that_are_neither_are_refused() {
    assert_eq!(
        run("apdu parse 00A404").refused(),
        "HEX is no command: a command is at least 4 bytes, found 3"
    );
    assert_eq!(run("apdu parse 0060000000").refused(), "HEX is no command: 60 is no instruction");
    assert_eq!(run("apdu parse --response 0000").refused(), "HEX is no response: 0000 is no status word");
    assert!(run("apdu parse 00A4040").usage().contains("7 hexadecimal digits"));
}

const SELECT_AND_CHALLENGE: &str = "\
# the master file
> 00 A4 00 00 02 3F00
< 9000

> 0084000004
< ???????? 9000
> 0084000008
";

#[test]
fn both_cards_answer_a_script() {
    for reader in ["sim:user", "sim:sam"] {
        let json =
            run_with(&format!("apdu run - --json --reader {reader}"), SELECT_AND_CHALLENGE).done().json();
        let [select, four, eight] = json["exchanges"].as_array().unwrap().as_slice() else {
            panic!("{json}")
        };
        assert_eq!(
            (&select["line"], &select["command"], &select["data"]),
            (&2.into(), &"00A40000".into(), &2.into())
        );
        assert_eq!((&four["line"], &four["le"], &four["answer_data"]), (&5.into(), &4.into(), &4.into()));
        assert_eq!((&four["expected"], &four["as_expected"]), (&"????????9000".into(), &true.into()));
        assert_eq!((&eight["answer_data"], &eight["expected"]), (&8.into(), &serde_json::Value::Null));
        assert!(select.get("command_bytes").is_none());
    }
}

#[test]
fn bytes_are_shown_on_demand() {
    let script = "> 0020000003123456\n";
    let hidden = run_with("apdu run - --reader sim:user", script).done();
    assert!(!hidden.stdout.contains("123456"), "{hidden:?}");
    let json = run_with("apdu run - --json --show-data --reader sim:user", script).done().json();
    assert_eq!(json["exchanges"][0]["command_bytes"], "0020000003123456");
    assert_eq!(json["exchanges"][0]["answer_bytes"], json["exchanges"][0]["status"]);
}

#[test]
fn wrong_cryptogram_costs_a_try_of_the_factory_key() {
    let script = "> 0084000008\n> 0082000008 0000000000000000\n< 63C?\n";
    run_with("apdu run - --reader sim:user", script).done();
}

#[test]
fn first_unexpected_answer_ends_the_run() {
    let scratch = Scratch::new("unexpected");
    let script = scratch.file("script.apdu", "> 00A40000020015\n< 9000\n> 0084000004\n");
    let ended = run(&format!("apdu run {script} --reader sim:user --json"));
    let json = ended.json();
    assert_eq!(json["exchanges"].as_array().unwrap().len(), 1);
    assert_eq!(json["exchanges"][0]["as_expected"], false);
    let sentence = "line 1: answered by 6A82, file or application not found, not by 9000";
    assert_eq!(ended.refused(), format!("{script}, {sentence}"));
}

#[test]
fn answers_are_compared_whole_or_by_status() {
    for (expected, met) in
        [("9000", true), ("90 0?", true), ("????????9000", true), ("??????9000", false), ("6A82", false)]
    {
        let script = format!("> 0084000004\n< {expected}\n");
        let ended = run_with("apdu run - --reader sim:sam", &script);
        assert_eq!(ended.status, i32::from(!met), "{expected}");
    }
}

#[test]
fn lines_that_are_no_script_are_refused_by_number() {
    for (script, reason) in [
        ("00A4000002", "line 1 starts with none of > (a command), < (its answer) and # (a comment)"),
        ("#\n> 00A4G0", "line 2: the character at offset 5 is no hexadecimal digit"),
        ("< 9000", "line 1 is an answer, and no command precedes it"),
        ("> 0084000004\n< 9000\n< 9000", "line 3 is an answer, and no command precedes it"),
        (
            "> 0084000004\n< 900",
            "line 2: an answer is hexadecimal digits, ? for any digit, four of them at least",
        ),
        (
            "> 0084000004\n< 90",
            "line 2: an answer is hexadecimal digits, ? for any digit, four of them at least",
        ),
        (
            "> 0084000004\n< 90000",
            "line 2: an answer is hexadecimal digits, ? for any digit, four of them at least",
        ),
        (
            "> 0084000004\n< 90XX",
            "line 2: an answer is hexadecimal digits, ? for any digit, four of them at least",
        ),
    ] {
        let sentence = run_with("apdu run - --reader sim:user", script).refused();
        assert_eq!(sentence, format!("standard input: {reason}"));
    }
}

#[test]
fn reader_and_serial_number_must_be_possible() {
    assert!(run("apdu run - --reader sim:purse").usage().contains("[possible values: sim:user, sim:sam]"));
    let sentence = run("apdu run - --reader sim:user --serial 01").usage();
    assert_eq!(sentence, "--serial <H>: a serial number is 8 bytes, found 1");
}
