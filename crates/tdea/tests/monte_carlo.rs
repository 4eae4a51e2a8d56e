//! The Monte Carlo test of NIST SP 800-20: 400 chained records, each the last of 10,000 chained blocks, the key of
//! each record made from the outputs of the one before. The files keep the first four and the last; since each follows
//! from the one before, the last is right only if all are.
//!
//! The quick tests walk the first four records of every chain, the `ignored` ones all 400:
//! `cargo test --release -p cardroot-tdea --test monte_carlo -- --ignored`
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::{KeyLength, Mode, TdeaKey};
use common::rsp::{self, Record};

const ROUNDS: usize = 400;
const QUICK_ROUNDS: usize = 4;
const BLOCKS: usize = 10_000;

/// What goes into one record.
#[derive(Clone, Debug, Eq, PartialEq)]
struct State {
    parts: [[u8; 8]; 3],
    iv: Option<[u8; 8]>,
    text: [u8; 8],
}

/// Runs 10,000 blocks; returns the record's result and what goes into the next record.
fn round(encrypt: bool, state: &State) -> ([u8; 8], State) {
    let key =
        TdeaKey::from_fill(KeyLength::Triple, |bytes| bytes.copy_from_slice(state.parts.as_flattened()));
    let cipher = key.cipher();
    // The last three outputs, the newest first.
    let mut outputs = [[0; 8]; 3];
    let mut next = state.clone();
    for _ in 0..BLOCKS {
        let mode = next.iv.map_or(Mode::Ecb, |iv| Mode::Cbc { iv });
        let mut output = next.text;
        if encrypt { cipher.encrypt(mode, &mut output) } else { cipher.decrypt(mode, &mut output) }.unwrap();
        next = match (next.iv, encrypt) {
            (None, _) => State { text: output, ..next },
            // In CBC the next plaintext is the chaining value that was just used, and the ciphertext is the next one.
            (Some(iv), true) => State { text: iv, iv: Some(output), ..next },
            (Some(_), false) => State { iv: Some(next.text), text: output, ..next },
        };
        outputs = [output, outputs[0], outputs[1]];
    }
    next.parts = next_parts(state.parts, outputs);
    (outputs[0], next)
}

/// Each different part takes one output of its own, equal parts stay equal, and parity is made odd.
fn next_parts(parts: [[u8; 8]; 3], outputs: [[u8; 8]; 3]) -> [[u8; 8]; 3] {
    let [k1, k2, k3] = parts;
    let outputs = [
        outputs[0],
        if k2 == k1 { outputs[0] } else { outputs[1] },
        if k3 == k1 { outputs[0] } else { outputs[2] },
    ];
    let key = TdeaKey::from_fill(KeyLength::Triple, |bytes| {
        for ((byte, old), output) in bytes.iter_mut().zip(parts.as_flattened()).zip(outputs.as_flattened()) {
            *byte = old ^ output;
        }
    })
    .into_odd_parity();
    key.expose_bytes().as_chunks().0.try_into().unwrap()
}

/// Walks one chain for `rounds` records and checks those that the file keeps; returns how many they were.
fn check_chain(records: &[&Record<'_>], rounds: usize) -> usize {
    let encrypt = records[0].section == "ENCRYPT";
    let (input, result) = if encrypt { ("PLAINTEXT", "CIPHERTEXT") } else { ("CIPHERTEXT", "PLAINTEXT") };
    let published = |record: &Record<'_>| State {
        parts: record.key_parts(),
        iv: record.block("IV"),
        text: record.block(input).unwrap(),
    };

    let mut checked = 0;
    let mut state = published(records[0]);
    for count in 0..rounds {
        let (output, next) = round(encrypt, &state);
        if let Some(record) = records.iter().find(|record| record.number("COUNT") == count) {
            assert_eq!(state, published(record), "input of record {count}");
            assert_eq!(output, record.block(result).unwrap(), "result of record {count}");
            checked += 1;
        }
        state = next;
    }
    checked
}

fn check_file(text: &str, rounds: usize) -> usize {
    let records = rsp::records(text);
    ["ENCRYPT", "DECRYPT"]
        .map(|section| records.iter().filter(|record| record.section == section).collect::<Vec<_>>())
        .iter()
        .filter(|chain| !chain.is_empty())
        .map(|chain| check_chain(chain, rounds))
        .sum()
}

/// Two tests a file: module, file, chains in it.
macro_rules! monte_carlo_files {
    ($($name:ident: $file:literal, $chains:literal;)*) => {$(
        mod $name {
            use super::*;

            const TEXT: &str = include_str!(concat!("data/", $file));

            #[test]
            fn first_records() {
                let checked = check_file(TEXT, QUICK_ROUNDS);
                println!("{}: {checked} records", $file);
                assert_eq!(checked, 4 * $chains);
            }

            #[test]
            #[ignore = "4,000,000 blocks a chain: run in release"]
            fn all_records() {
                let checked = check_file(TEXT, ROUNDS);
                println!("{}: {checked} records, 400 rounds of 10,000 blocks a chain", $file);
                assert_eq!(checked, 5 * $chains);
            }
        }
    )*};
}

monte_carlo_files! {
    nist_ecb_two_keys: "nist/TECBMonte2.txt", 1;
    nist_cbc_two_keys: "nist/TCBCMonte2.txt", 1;
    ecb_one_key: "openssl/TECBMonte1.rsp", 2;
    ecb_two_keys: "openssl/TECBMonte2.rsp", 2;
    ecb_three_keys: "openssl/TECBMonte3.rsp", 2;
    cbc_one_key: "openssl/TCBCMonte1.rsp", 2;
    cbc_two_keys: "openssl/TCBCMonte2.rsp", 2;
    cbc_three_keys: "openssl/TCBCMonte3.rsp", 2;
}
