//! NIST's worked examples of ECB, CBC and CMAC with TDEA, and those of SP 800-38B.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use std::collections::HashMap;

use cardroot_tdea::{Cmac, Mode, TdeaKey};
use common::{hex, key, rsp};

/// The values of a worked example in their order: the hex words on the lines below each `<name> is`.
fn values(text: &str) -> Vec<(&str, Vec<u8>)> {
    let mut values = Vec::new();
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty()).peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_suffix(" is") {
            let mut value = String::new();
            while let Some(words) = lines.next_if(|line| is_hex_words(line)) {
                value.extend(words.split(' '));
            }
            values.push((name, hex(&value)));
        }
    }
    values
}

fn is_hex_words(line: &str) -> bool {
    line.split(' ').all(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// Walks a text of examples: keys and vectors hold until they are named again; `check` gets them with each pair of
/// what was given and what must come out.
fn walk(text: &str, check: impl Fn(&HashMap<&str, Vec<u8>>, (&str, Vec<u8>), (&str, Vec<u8>))) -> usize {
    let mut settings = HashMap::new();
    let mut given = None;
    let mut checked = 0;
    for (name, value) in values(text) {
        match (name, given.take()) {
            ("Plaintext" | "Ciphertext", None) => given = Some((name, value)),
            (_, None) => drop(settings.insert(name, value)),
            (_, Some(given)) => {
                check(&settings, given, (name, value));
                checked += 1;
            }
        }
    }
    checked
}

fn key_of(settings: &HashMap<&str, Vec<u8>>) -> TdeaKey {
    key(&["Key1", "Key2", "Key3"].map(|name| settings[name].as_slice()).concat())
}

fn check_modes(text: &str) -> usize {
    walk(text, |settings, (given, mut data), (result, expected)| {
        let cipher = key_of(settings).cipher();
        let mode = settings.get("IV").map_or(Mode::Ecb, |iv| Mode::Cbc { iv: iv[..].try_into().unwrap() });
        match (given, result) {
            ("Plaintext", "Ciphertext") => cipher.encrypt(mode, &mut data).unwrap(),
            ("Ciphertext", "Plaintext") => cipher.decrypt(mode, &mut data).unwrap(),
            other => panic!("{other:?}"),
        }
        assert_eq!(data, expected);
    })
}

#[test]
fn ecb_examples() {
    let checked = check_modes(include_str!("data/nist/TDES_ECB.txt"));
    println!("TDES_ECB.txt: {checked} examples");
    assert_eq!(checked, 4);
}

#[test]
fn cbc_examples() {
    let checked = check_modes(include_str!("data/nist/TDES_CBC.txt"));
    println!("TDES_CBC.txt: {checked} examples");
    assert_eq!(checked, 4);
}

#[test]
fn cmac_examples() {
    let checked = walk(include_str!("data/nist/TDES_CMAC.txt"), |settings, (_, message), (result, tag)| {
        assert_eq!(result, "Tag");
        assert_eq!(Cmac::compute(&key_of(settings), &message).as_bytes()[..], tag);
    });
    println!("TDES_CMAC.txt: {checked} examples");
    assert_eq!(checked, 8);
}

#[test]
fn cmac_examples_of_sp_800_38b() {
    let records = rsp::records(include_str!("data/nist/nist-800-38b-3des.txt"));
    for record in &records {
        let key = key(&record.key_parts().concat());
        assert_eq!(
            Cmac::compute(&key, &record.bytes("MESSAGE")).as_bytes()[..],
            record.bytes("OUTPUT"),
            "{record:?}"
        );
    }
    println!("nist-800-38b-3des.txt: {} examples", records.len());
    assert_eq!(records.len(), 8);
}
