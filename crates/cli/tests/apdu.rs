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
fn every_card_answers_a_script() {
    for reader in [
        "sim:user",
        "sim:sam",
        "sim:mother",
        "sim:secondary",
        "sim:city",
        "sim:transport",
        "sim:authentication",
    ] {
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
        assert_eq!((&select["name"], &select["command_bytes"]), (&"SELECT".into(), &"00A40000023F00".into()));
    }
}

/// EXPORT KEY is a command of key cards alone: they ask for a proof first.
#[test]
fn key_cards_are_key_cards() {
    for (reader, status) in
        [("sim:user", "6D00"), ("sim:sam", "6D00"), ("sim:mother", "6982"), ("sim:city", "6982")]
    {
        let script = format!("> 80C6220112 0101 0000000000000000 0000000000000000 1C\n< {status}\n");
        run_with(&format!("apdu run - --reader {reader}"), &script).done();
    }
}

#[test]
fn bytes_are_shown_on_demand() {
    let script = "> 0020000003123456\n";
    let hidden = run_with("apdu run - --reader sim:user", script).done();
    assert!(!hidden.stdout.contains("123456"), "{hidden:?}");
    let json = run_with("apdu run - --json --reader sim:user", script).done().json();
    assert_eq!(json["exchanges"][0]["command_bytes"], serde_json::Value::Null);
    assert_eq!(json["exchanges"][0]["name"], "VERIFY");
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
        (
            "00A4000002",
            "line 1 starts with none of > (a command), < (its answer), $ (a variable), ! (a reset) and # (a comment)",
        ),
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
fn variables_stand_for_bytes_and_keep_parts_of_answers() {
    let script = "\
$FILE = 3F 00
$SELECT = 00A40000 02 $FILE
> $SELECT 00
< 6F $LENGTH:1 84 $REST:20 9000
> 0084000008
< $RANDOM:8 9000
! reset
> 00A4000002 $FILE
< 6F $LENGTH 84 $REST 9000
> 0084000008
< $RANDOM 9000
";
    let ended = run_with("apdu run - --json --show-data --reader sim:user", script);
    let exchanges = ended.json()["exchanges"].clone();
    assert_eq!(exchanges[0]["command_bytes"], "00A40000023F0000");
    assert_eq!(exchanges[2]["as_expected"], true);
    let sentence = ended.refused();
    assert_eq!(sentence, "standard input, line 10: answered by 9000, normal completion, not by $RANDOM 9000");

    let given =
        run_with("apdu run - --json --reader sim:user --set FILE=3F00", "> 00A4000002 $FILE\n< 9000\n");
    assert_eq!(given.done().json()["exchanges"][0]["line"], 1);
}

#[test]
fn name_may_be_used_and_kept_anew_in_one_answer() {
    let scratch = Scratch::new("kept_anew");
    let record =
        scratch.file("record", "> 0084000008\n< 0102030405060708 9000\n> 00B0000000\n< 05060701 9000\n");
    let script =
        "$A = 08\n$B = 0708\n> 0084000008\n< $A:4 05 06 $B:1 $A 9000\n> 00B0000000\n< 05 06 $B 01 9000\n";
    let done = run_with(&format!("apdu run - --json --reader replay:{record}"), script).done().json();
    assert_eq!(done["exchanges"][1]["as_expected"], true);
    let script = "$A = 08\n> 0084000008\n< $A:7 $A 9000\n> 00B0000000\n";
    run_with(&format!("apdu run - --reader replay:{record}"), script).done();
}

#[test]
fn expected_bytes_are_hidden_like_those_that_came() {
    let scratch = Scratch::new("expected_bytes");
    let record = scratch.file("record", "> 00B0950004\n< A55AA55A 9000\n");
    for (expected, status) in [("A55AA55A 9000", 0), ("A55AA55B 9000", 1), ("A55A ???? 90??", 0)] {
        let script = format!("> 00B0950004\n< {expected}\n");
        let ended = run_with(&format!("apdu run - --reader replay:{record}"), &script);
        assert_eq!(ended.status, status);
        for text in [&ended.stdout, &ended.stderr] {
            assert!(!text.contains("A55A"), "{text}");
        }
        let shown = run_with(&format!("apdu run - --show-data --reader replay:{record}"), &script);
        assert!(shown.stdout.contains(&expected.replace(' ', "")), "{shown:?}");
    }
}

#[test]
fn commands_of_a_sam_are_no_channel_management() {
    // INIT_SAM_FOR_PURCHASE has the instruction of MANAGE CHANNEL, an amount and a card's factor.
    let script = "> 807000001C A55AA55A 0001 00000064 06 20240101120000 0100 A55AA55AA55AA55A 08\n";
    let ended = run_with("apdu run - --json --reader sim:sam", script).done();
    assert!(!ended.stdout.contains("A55A"), "{}", ended.stdout);
    assert_eq!(ended.json()["exchanges"][0]["name"], "INIT SAM FOR PURCHASE");
}

#[test]
fn secret_variables_are_not_shown() {
    let scratch = Scratch::new("secret_variable");
    let pin = scratch.file("pin.hex", "A5 5A A5\n");
    let script = scratch.file("verify.apdu", "> 0020000003 $PIN\n< $PIN 9000\n");
    let ended = run(&format!("apdu run {script} --reader sim:user --secret PIN=@{pin}"));
    assert_eq!(ended.status, 1);
    for text in [&ended.stdout, &ended.stderr] {
        assert!(!text.contains("A55A"), "{text}");
    }
    let usage = run(&format!("apdu run {script} --reader sim:user --secret PIN=A55AA5")).usage();
    assert!(usage.starts_with("--secret <NAME=K>: a secret is not taken from the command line"), "{usage}");
    let twice = run_with("apdu run - --reader sim:user --secret PIN=-", "").usage();
    assert!(twice.starts_with("--secret: standard input is read for something else already"), "{twice}");
}

#[test]
fn lines_with_impossible_variables_are_refused_by_number() {
    let name = "a variable is $NAME in capital letters, digits and _, in an answer $NAME:4 to keep 4 bytes";
    for (script, reason) in [
        (
            "> 00A4 $FILE",
            "$FILE has no value before this line; give it one, by --set FILE=H or --secret FILE=K",
        ),
        (
            "> 0084000008\n< $R 9000",
            "$R has no value before this line; give it one, by --set R=H or --secret R=K",
        ),
        ("> 00A4 $file", name),
        ("> 00A4 $FILE:4", name),
        ("> 0084000008\n< $R:0 9000", name),
        ("> 0084000008\n< $R:65537 9000", name),
        ("> 0084000008\n< $R:8x 9000", name),
        ("$FILE 3F00", name),
        ("$FILE = 3F0", "3 hexadecimal digits are no whole number of bytes"),
        ("$FILE = ", "there is nothing; hexadecimal digits are needed"),
        ("$A = 00\n> 00A4 $A 0X", "the character at offset 10 is no hexadecimal digit"),
        ("! cold", "after ! comes nothing but reset"),
    ] {
        let line = script.lines().count();
        let sentence = run_with("apdu run - --reader sim:user", script).refused();
        assert_eq!(sentence, format!("standard input: line {line}: {reason}"), "{script}");
    }
}

#[test]
fn what_was_recorded_is_played_back() {
    let scratch = Scratch::new("recorded");
    let script = scratch.file("script.apdu", SELECT_AND_CHALLENGE);
    let record = scratch.path().join("record").display().to_string();
    let first = run(&format!("apdu run {script} --json --reader sim:user --record {record}")).done();
    assert_eq!(scratch.read("record").lines().count(), 6);
    let again = run(&format!("apdu run {script} --json --reader replay:{record}")).done();
    assert_eq!(again.json(), first.json());

    let refused = run(&format!("apdu run {script} --reader sim:user --record {record}")).refused();
    assert_eq!(refused, format!("{record} exists and is not overwritten: name another file"));
    // A script that can't be read leaves nothing in the way of the next run.
    let broken = scratch.file("broken.apdu", "> 00A4000\n");
    run(&format!("apdu run {broken} --reader sim:user --record {record}-2")).refused();
    run(&format!("apdu run {script} --reader sim:user --record {record}-2")).done();
    let other = scratch.file("other.apdu", "> 00A40000020015\n");
    let sentence = run(&format!("apdu run {other} --reader replay:{record}")).refused();
    let deviation = "the command is not the one of line 1: first difference at byte 5";
    assert_eq!(sentence, format!("{other}, line 1: {deviation}"));
    let sentence = run(&format!("apdu run {other} --reader replay:{other}")).refused();
    assert!(sentence.starts_with(&format!("{other} is no record of a card: ")), "{sentence}");
}

#[cfg(unix)]
#[test]
fn only_its_owner_can_read_a_record() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new("record_mode");
    let record = scratch.path().join("record");
    run_with(&format!("apdu run - --reader sim:user --record {}", record.display()), "> 00A40000\n").done();
    assert_eq!(std::fs::metadata(&record).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn reader_and_serial_number_must_be_possible() {
    let usage = run("apdu run - --reader sim:purse").usage();
    assert_eq!(
        usage,
        "--reader <READER>: the cards in software are sim:user, sim:sam and the key cards sim:mother, sim:secondary, \
         sim:city, sim:transport and sim:authentication"
    );
    let sentence = run("apdu run - --reader sim:user --serial 01").usage();
    assert_eq!(sentence, "--serial <H>: a serial number is 8 bytes, found 1");
    if cfg!(not(feature = "pcsc")) {
        let sentence = run("apdu run - --reader OMNIKEY").refused();
        assert_eq!(sentence, "this program is built without readers; build it with the feature pcsc");
    }
}
