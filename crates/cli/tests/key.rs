//! `cardroot key`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, Scratch, run, run_with};

#[test]
fn check_tells_length_parity_strength_and_check_values() {
    let checked = run_with("key check --key -", BDK).done();
    assert_eq!(checked.value("length"), "double");
    assert_eq!(checked.value("parity"), "odd");
    assert_eq!(checked.value("strength"), "good");
    assert!(checked.stdout.contains("zeros   08D7B4\n"));
    assert!(checked.stdout.contains("cmac    0A8245\n"));

    let json = run_with("key check --json --kcv-method zeros --kcv-len 8 --key -", BDK).done().json();
    let [only] = json["check_values"].as_array().unwrap().as_slice() else { panic!("{json}") };
    assert_eq!(only["check_value"], "08D7B4FB629D0885");
}

#[test]
fn triple_length_key_is_checked_too() {
    let key = "0123456789ABCDEF 23456789ABCDEF01 456789ABCDEF0123";
    let json = run_with("key check --json --key -", key).done().json();
    assert_eq!(json["length"], "triple");
    assert_eq!(json["strength"], "good");
    assert_eq!(json["known_test_key"], serde_json::Value::Null);
}

#[test]
fn even_parity_is_told_and_refused_on_demand() {
    let key = "0123456789ABCDEFFEDCBA9876543211";
    let json = run_with("key check --json --key -", key).done().json();
    assert_eq!(json["parity"], "even");
    assert_eq!(json["first_even_byte"], 15);
    let refused = run_with("key check --odd-parity --key -", key);
    assert_eq!(refused.value("first even byte"), "15");
    assert_eq!(refused.refused(), "--key is refused: key byte 15 has even parity");
}

#[test]
fn equal_and_weak_parts_are_refused_whatever_their_parity() {
    for (key, fault) in [
        ("0123456789ABCDEF 0022446688AACCEE", "key parts 1 and 2 are equal"),
        ("0101010101010101 FEDCBA9876543210", "key part 1 is a weak DES key"),
        ("FEDCBA9876543210 01FE01FE01FE01FE", "key part 2 is a semi-weak DES key"),
        ("0123456789ABCDEF FEDCBA9876543210 0123456789ABCDEF", "key parts 1 and 3 are equal"),
    ] {
        let checked = run_with("key check --key -", key);
        assert_eq!(checked.value("strength"), fault);
        assert_eq!(checked.refused(), format!("--key must not be used: {fault}"));
    }
}

#[test]
fn bytes_that_are_no_tdea_key_are_refused_with_their_number() {
    for (key, found) in [("0123456789ABCDEF", 8), (&BDK[2..], 15), (&"AB".repeat(32), 32)] {
        let sentence = run_with("key check --key -", key).refused();
        let reason = format!("a TDEA key is 16 or 24 bytes, found {found}");
        assert_eq!(sentence, format!("--key: standard input is refused: {reason}"));
    }
}

#[test]
fn generated_key_is_stored_for_its_owner_and_passes_the_check() {
    for (length, digits) in [("double", 32), ("triple", 48)] {
        let scratch = Scratch::new(&format!("generate-{length}"));
        let file = scratch.path().join("new.hex").display().to_string();
        let generated = run(&format!("key generate --length {length} --out {file}")).done();
        assert_eq!(generated.value("length"), length);
        assert_eq!(generated.value("file"), file);

        let key = scratch.read("new.hex");
        assert_eq!(key.trim_end().len(), digits);
        assert_eq!(key, key.to_uppercase());
        assert!(!generated.stdout.contains(key.trim_end()));
        let checked = run(&format!("key check --odd-parity --key @{file}")).done();
        assert!(checked.stdout.contains(&format!("zeros   {}\n", generated.value("check value"))));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}

#[test]
fn generated_keys_differ() {
    let key = || run("key generate --length double --show-key").done().value("key").to_owned();
    assert_ne!(key(), key());
}

#[test]
fn generating_a_key_for_nobody_is_wrong_usage() {
    let sentence = run("key generate --length double").usage();
    assert_eq!(sentence, "the key would be lost: store it by --out FILE, or show it by --show-key");
}

#[test]
fn existing_file_is_not_overwritten() {
    let scratch = Scratch::new("overwrite");
    let file = scratch.file("old.hex", "precious");
    let sentence = run(&format!("key generate --length double --out {file}")).refused();
    assert_eq!(sentence, format!("{file} exists and is not overwritten: name another file"));
    assert_eq!(scratch.read("old.hex"), "precious");
}

#[test]
fn file_in_a_missing_folder_can_not_be_written() {
    let sentence = run("key generate --length double --out /nonexistent/new.hex").refused();
    assert!(sentence.starts_with("/nonexistent/new.hex can't be written: "), "{sentence}");
}
