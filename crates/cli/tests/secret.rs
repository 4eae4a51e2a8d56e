//! Where secrets may come from, and that they go nowhere.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use assert_cmd::Command;
use common::{BDK, KSN, PROGRAM, Scratch, run, run_command, run_with};

#[test]
fn key_comes_from_a_file_a_variable_or_standard_input() {
    let scratch = Scratch::new("sources");
    let spaced = "  01234567 89ABCDEF\n\tfedcba98 76543210\r\n";
    let file = scratch.file("key.hex", spaced);
    let check = |key: &str| {
        let mut command = Command::new(PROGRAM);
        command.args(["key", "check", "--key", key]).env("CARDROOT_TEST_KEY", spaced).write_stdin(spaced);
        run_command(&mut command).done().stdout
    };
    let checked = check("-");
    assert!(checked.contains("08D7B4"));
    assert_eq!(check(&format!("@{file}")), checked);
    assert_eq!(check("env:CARDROOT_TEST_KEY"), checked);
}

#[test]
fn pan_comes_from_all_of_them_too() {
    let scratch = Scratch::new("pan-sources");
    let (bdk, pan) = (scratch.file("bdk.hex", BDK), scratch.file("pan", "4012345678909\n"));
    for pan in ["4012345678909", "-", "env:CARDROOT_TEST_PAN", &format!("@{pan}")] {
        let arguments =
            format!("dukpt decrypt-pin --bdk @{bdk} --ksn {KSN} --block 1B9C1845EB993A7A --pan {pan}");
        let mut command = Command::new(PROGRAM);
        command
            .args(arguments.split(' '))
            .env("CARDROOT_TEST_PAN", "4012345678909")
            .write_stdin("4012345678909\n");
        assert_eq!(run_command(&mut command).done().value("valid"), "yes", "{pan}");
    }
}

#[test]
fn literal_secret_is_refused_and_not_repeated() {
    for arguments in [
        format!("key check --key {BDK}"),
        format!("key check --key={BDK}"),
        format!("component combine --component {BDK} --component ask"),
        format!("dukpt ik --ksn {KSN} --bdk {BDK}"),
        format!("diversify pboc --factor 1122334455667788 --key {BDK}"),
    ] {
        let sentence = run(&arguments).usage();
        assert!(sentence.contains("a secret is not taken from the command line"), "{sentence}");
        assert!(
            sentence.contains("give @FILE, env:NAME, - (standard input) or ask (a prompt)"),
            "{sentence}"
        );
        assert!(!sentence.contains("0123"), "{sentence}");
    }
}

#[test]
fn secret_in_a_wrong_place_is_not_repeated() {
    for arguments in [
        format!("key check {BDK}"),
        format!("key {BDK}"),
        BDK.to_owned(),
        format!("key generate --length {BDK} --show-key"),
        format!("dukpt next --ksn {BDK}"),
        format!("dukpt next --ksn {KSN} --{BDK}"),
        format!("smid decode --profile {BDK} 00"),
    ] {
        let sentence = run(&arguments).usage();
        assert!(!sentence.contains("0123") && !sentence.contains("3210"), "{sentence}");
    }
}

#[test]
fn two_secrets_from_standard_input_are_wrong_usage() {
    let refused = "standard input is read for something else already; give @FILE, env:NAME or ask";
    let combine = run_with("component combine --component - --component -", BDK).usage();
    assert_eq!(combine, format!("component 2: {refused}"));
    let decrypt = format!("dukpt decrypt-pin --bdk - --pan - --ksn {KSN} --block 1B9C1845EB993A7A");
    assert_eq!(run_with(&decrypt, BDK).usage(), format!("--pan: {refused}"));
}

#[test]
fn source_that_holds_nothing_is_refused_by_name() {
    assert!(
        run("key check --key @/nonexistent").refused().starts_with("--key: @/nonexistent can't be read: ")
    );
    let folder = run(&format!("key check --key @{}", env!("CARGO_TARGET_TMPDIR"))).refused();
    assert!(folder.contains(" can't be read: "), "{folder}");
    let variable = run("key check --key env:CARDROOT_TEST_UNSET").refused();
    assert_eq!(variable, "--key: the environment variable CARDROOT_TEST_UNSET is not set");
    let nothing = "there is nothing; hexadecimal digits are needed";
    assert_eq!(run("key check --key -").refused(), format!("--key: standard input is refused: {nothing}"));
    for missing in ["@", "env:"] {
        let sentence = run(&format!("key check --key {missing}")).usage();
        assert_eq!(sentence, "--key <K>: a name is missing; give @FILE or env:NAME");
    }
}

#[test]
fn bad_character_is_named_by_its_offset_alone() {
    for (text, reason) in [
        ("0123456789ABCDEFFEDCBA987654321G", "the character at offset 31 is no hexadecimal digit"),
        ("0123456789ABCDEF-FEDCBA9876543210", "the character at offset 16 is no hexadecimal digit"),
        ("0123456789ABCDEFFEDCBA987654321", "31 hexadecimal digits are no whole number of bytes"),
    ] {
        let sentence = run_with("key check --key -", text).refused();
        assert_eq!(sentence, format!("--key: standard input is refused: {reason}"));
    }
}

#[test]
fn endless_input_is_cut_off() {
    let text = "00".repeat(513);
    let sentence = run_with("key check --key -", &text).refused();
    assert_eq!(sentence, "--key: standard input can't be read: it has more than 1024 bytes");
    assert!(run("key check --key @/dev/zero").refused().ends_with("it has more than 1024 bytes"));
}

#[test]
fn no_key_and_no_pin_is_printed_unless_asked_for() {
    let scratch = Scratch::new("leaks");
    let bdk = scratch.file("bdk.hex", BDK);
    let other = scratch.file("other.hex", "4CBF5D51EA8525EF045EFED6E386D9D9");
    for (form, folder) in [("", "text"), ("--json", "json")] {
        let made = Scratch::new(&format!("leaks-{folder}"));
        let folder = made.path().display();
        let mut printed = String::new();
        for arguments in [
            format!("key check --key @{bdk}"),
            format!("key generate --length double --out {folder}/new.hex"),
            format!("component split --key @{bdk} --parts 2 --out-dir {folder}"),
            format!("component combine --component @{bdk} --component @{other} --out {folder}/combined.hex"),
            format!("diversify pboc --key @{bdk} --factor 3332000000000000 --out {folder}/card.hex"),
            format!("diversify emv --option a --key @{bdk} --pan 4012345678909 --out {folder}/udk.hex"),
            format!("diversify gp --template cps --key @{bdk} --kdd 00010203040506070809"),
            format!("dukpt ik --bdk @{bdk} --ksn {KSN} --out {folder}/ik.hex"),
            format!("dukpt derive --bdk @{bdk} --ksn {KSN} --use transaction --out {folder}/transaction.hex"),
            format!(
                "dukpt decrypt-pin --bdk @{bdk} --ksn {KSN} --pan 4012345678909 --block 1B9C1845EB993A7A"
            ),
        ] {
            printed += &run(&format!("{form} {arguments}")).done().stdout;
        }
        let mut secrets: Vec<String> =
            made.names().iter().map(|name| made.read(name).trim_end().to_owned()).collect();
        assert_eq!(secrets.len(), 8);
        assert!(secrets.contains(&"042666B49184CFA368DE9628D0397BC9".into()));
        secrets.extend([scratch.read("bdk.hex"), scratch.read("other.hex")]);
        let printed = printed.to_uppercase();
        for secret in &secrets {
            // No half of a key either.
            let (left, right) = secret.split_at(secret.len() / 2);
            assert!(!printed.contains(left) && !printed.contains(right), "{printed}");
        }
        assert!(!printed.contains("1234"), "{printed}");
    }
}
