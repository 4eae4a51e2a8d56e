//! `cardroot smid`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{KSN, Scratch, base64, run, run_with};

#[test]
fn key_names_come_back_by_every_profile() {
    let listed = run("smid profile list --json").done().json();
    let profiles = listed["profiles"].as_array().unwrap();
    assert_eq!(profiles.len(), 6);
    for profile in profiles {
        let name = profile["profile"].as_str().unwrap();
        let control = if profile["control_byte"] == true { "B5:" } else { "" };
        // Without its fill the name is of 8 bytes.
        let (first, other) = match profile["added_fill"] == 2 {
            true => (&KSN[4..], "0102030405060708"),
            false => (KSN, "FFFF0102030405060708"),
        };
        let second =
            if profile["several"] == true { format!(" --smid {control}{other}") } else { String::new() };
        let encoded = run(&format!("smid encode --profile {name} --smid {control}{first}{second}")).done();
        let element = encoded.value("element");
        assert_eq!(element.len(), 2 * encoded.value("element length").parse::<usize>().unwrap());
        let decoded = run(&format!("smid decode --json --profile {name} {element}")).done().json();
        assert_eq!(decoded["pin_key"], first, "{name}");
        assert_eq!(decoded["mac_key"], if second.is_empty() { first } else { other }, "{name}");
        let control = if control.is_empty() { serde_json::Value::Null } else { "B5".into() };
        assert_eq!(decoded["smids"][0]["control"], control, "{name}");
    }
}

#[test]
fn element_is_an_argument_a_file_or_standard_input() {
    let scratch = Scratch::new("smid-input");
    let bytes = base16ct::mixed::decode_vec(KSN).unwrap();
    let decode = "smid decode --profile key-name-10";
    let expected = run(&format!("{decode} {KSN}")).done().stdout;
    for options in ["", "-", "--input auto"] {
        assert_eq!(run_with(&format!("{decode} {options}"), KSN).done().stdout, expected, "{options}");
    }
    assert_eq!(run_with(&format!("{decode} --input base64"), &base64(&bytes)).done().stdout, expected);
    let file = scratch.file("bit53", &bytes);
    assert_eq!(run(&format!("{decode} --raw @{file}")).done().stdout, expected);
    let wrong = run_with(decode, "FFFF98").refused();
    assert!(wrong.starts_with("standard input is not of profile key-name-10: "), "{wrong}");
}

#[test]
fn encodings_are_those_of_the_profile() {
    for (profile, smid, element) in [
        ("key-name", "0102030405", "0102030405"),
        ("key-name-10", KSN, KSN),
        ("key-name-10-sent-as-8", KSN, "9876543210E00001"),
        ("control-key-name-10", "A5:FFFF9876543210E00001", "A5FFFF9876543210E00001"),
        ("length-prefixed", "0102030405", "050102030405"),
    ] {
        let encoded = run(&format!("smid encode --profile {profile} --smid {smid}")).done();
        assert_eq!(encoded.value("element"), element);
    }
}

#[test]
fn layout_splits_a_key_name() {
    let decoded =
        run(&format!("smid decode --json --profile key-name-10 --layout 40:19:21 {KSN}")).done().json();
    let smid = &decoded["smids"][0];
    assert_eq!(smid["key_set_id"], "FFFF987654");
    assert_eq!(smid["device_id"], format!("{:X}", 0x32_10E0 >> 5));
    assert_eq!(smid["counter"], 1);
    let other = run(&format!("smid decode --profile key-name-10 --layout 24:19:21 {KSN}")).refused();
    assert!(other.ends_with("the layout is of 8 bytes, the key name has 10"), "{other}");
}

#[test]
fn elements_that_are_not_of_the_profile_are_refused_with_their_place() {
    let control = run("smid decode --profile control-key-name-10 C5FFFF9876543210E00001").refused();
    assert_eq!(control, "HEX is not of profile control-key-name-10: byte 0: C5 is not a control byte");
    let long = run(&format!("smid decode --profile key-name-10 {KSN}00")).refused();
    assert!(long.contains("byte 10: 1 bytes left over"), "{long}");
}

#[test]
fn smids_that_do_not_fit_the_profile_are_refused() {
    let second = run(&format!("smid encode --profile key-name-10 --smid {KSN} --smid {KSN}")).refused();
    assert!(second.ends_with("the profile allows one SMID, found 2"), "{second}");
    let carrier = format!(" --smid {KSN}").repeat(5);
    let full = run(&format!("smid encode --profile length-prefixed{carrier}")).refused();
    assert!(full.ends_with("bit 53 holds 48 bytes, the SMIDs take 55"), "{full}");
    run(&format!("smid encode --profile length-prefixed --carrier 96{carrier}")).done();
}

#[test]
fn arguments_that_are_none_are_wrong_usage() {
    for (arguments, part) in [
        (
            "decode --profile iso --layout 40:19:21 00",
            "no profile has this name; there are key-name, key-name-10",
        ),
        ("decode --profile key-name --layout 40:19 00", "--layout <BITS:BITS:BITS>: give the widths"),
        ("decode --profile key-name --layout 40:19:22 00", "add up to 81 bits"),
        ("decode --profile key-name 0Z", "offset 1"),
        ("decode --profile key-name --carrier 54 00", "possible values: 53, 96"),
        ("encode --profile key-name --smid C5:0102030405", "the control byte before the colon is A5 or B5"),
        ("encode --profile key-name --smid 01020304", "a key name is 5 to 16 bytes, found 4"),
    ] {
        let sentence = run(&format!("smid {arguments}")).usage();
        assert!(sentence.contains(part), "{arguments}: {sentence}");
    }
}

#[test]
fn profile_of_a_file_decodes_and_splits() {
    let scratch = Scratch::new("own-profile");
    let file =
        scratch.file("ours.toml", "name = 'ours'\nbased-on = 'key-name-10-sent-as-8'\ncount = 'several'");
    let encoded = run(&format!("smid encode --profile {file} --smid {KSN} --smid {KSN}")).done();
    assert_eq!(encoded.value("element"), "9876543210E000019876543210E00001");
    let decoded =
        run(&format!("--json smid decode --profile {file} {}", encoded.value("element"))).done().json();
    assert_eq!((&decoded["profile"], &decoded["smids"][1]["key_name"]), (&"ours".into(), &KSN.into()));
    // The layout is that of the base, since the command line names none.
    assert_eq!(
        (&decoded["smids"][1]["key_set_id"], &decoded["smids"][1]["counter"]),
        (&"FFFF987654".into(), &1.into())
    );
}

#[test]
fn shown_profiles_are_files_that_mean_the_same() {
    let scratch = Scratch::new("shown-profiles");
    let listed = run("--json smid profile list").done().json();
    for row in listed["profiles"].as_array().unwrap() {
        let toml = run(&format!("smid profile show {}", row["profile"].as_str().unwrap())).done().stdout;
        let file = scratch.file("shown.toml", &toml);
        assert_eq!(run(&format!("smid profile show {file}")).done().stdout, toml);
        assert_eq!(run(&format!("--json smid profile check {file}")).done().json(), *row);
    }
}

#[test]
fn faults_of_a_profile_are_named_by_line_and_reason() {
    let scratch = Scratch::new("bad-profiles");
    for (text, fault) in [
        ("name = 'x'", "line 1: control is missing"),
        ("name = 'x'\nbased-on = 'standard'", "line 2: expected one of key-name, key-name-10, "),
        (
            "name = 'x'\nbased-on = 'key-name-10'\nlayout = [40, 19, 22]",
            "line 3: the parts add up to 81 bits",
        ),
        ("name = 'x'\nbased-on = 'key-name'\ncount = 'two'", "line 3: expected one of one, several"),
    ] {
        let file = scratch.file("bad.toml", text);
        for command in ["profile check", "profile show", "decode 00 --profile"] {
            let sentence = run(&format!("smid {command} {file}")).refused();
            assert!(sentence.starts_with(&format!("{file}, {fault}")), "{sentence}");
        }
    }
}
