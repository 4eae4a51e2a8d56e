//! `cardroot dukpt … --aes`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Scratch, rows, run, run_with};

const BDK: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";
const KSN: &str = "123456789012345600000001";
const PAN: &str = "4111111111111111";

fn derive(options: &str, key: &str) -> common::Run {
    run_with(&format!("dukpt derive --aes {options} --show-key"), key)
}

#[test]
fn keys_are_the_published_ones() {
    let rows = rows("dukpt_aes_keys.csv", include_str!("data/dukpt_aes_keys.csv"), 138);
    let (mut compared, mut blocks) = (0, 0);
    for row in &rows {
        let [bdk, id, ksn, _, usage, key_type, key, ..] = row.as_slice() else { panic!("{row:?}") };
        let length = match &**key_type {
            "2TDEA" => "tdea-2",
            "3TDEA" => "tdea-3",
            "AES128" => "aes-128",
            "AES192" => "aes-192",
            "AES256" => "aes-256",
            other => panic!("{other}"),
        };
        let typed = |usage| format!("--bdk - --ksn {ksn} --ones-limit 17 --use {usage} --key-type {length}");
        let shown = match &**usage {
            "IK" => run_with(&format!("dukpt ik --aes --bdk - --ksn {id} --show-key"), bdk),
            "DER" if ksn.ends_with("FFFFFFFF") => continue,
            "DER" => derive(&format!("--bdk - --ksn {ksn} --ones-limit 17 --use transaction"), bdk),
            "PIN" => derive(&typed("pin"), bdk),
            "MACGEN" => derive(&typed("mac-request"), bdk),
            "DENC" => derive(&typed("data-request"), bdk),
            "KEK" => derive(&typed("update"), bdk),
            "ENC_PINBLOCK4" => {
                let options = format!("--bdk - --ksn {ksn} --pan {PAN} --block {key} --show-pin");
                let opened = run_with(&format!("dukpt decrypt-pin --aes {options}"), bdk).done();
                assert_eq!((opened.value("format"), opened.value("pin")), ("4", "1234"));
                blocks += 1;
                continue;
            }
            other => panic!("{other}"),
        };
        assert_eq!(shown.done().value("key"), key, "{row:?}");
        compared += 1;
    }
    println!("{compared} keys, {blocks} PIN blocks");
    assert_eq!((compared, blocks), (131, 5));
}

#[test]
fn macs_and_data_are_the_published_ones() {
    let rows = rows("dukpt_aes_usage_moov.csv", include_str!("data/dukpt_aes_usage_moov.csv"), 4);
    let scratch = Scratch::new("dukpt_aes_usage");
    let text = scratch.file("text", "4012345678909D987");
    let mut compared = 0;
    for row in &rows {
        let ksn = &row[0];
        for (column, usage, key_type) in [
            (2, "request", "aes-128"),
            (3, "response", "aes-128"),
            (4, "request", "hmac-128"),
            (5, "response", "hmac-128"),
        ] {
            let command = format!(
                "dukpt mac --aes --bdk - --ksn {ksn} --use {usage} --key-type {key_type} --raw {text}"
            );
            let mac = run_with(&command, BDK).done();
            assert_eq!(mac.value("mac"), row[column], "{ksn} {usage} {key_type}");
            let verified = run_with(&format!("{command} --expect {}", &row[column][..16]), BDK).done();
            assert_eq!(verified.value("valid"), "yes");
            compared += 1;
        }
        for (column, usage) in [(6, "request"), (7, "response")] {
            let options = format!("--aes --bdk - --ksn {ksn} --use {usage}");
            let encrypted =
                run_with(&format!("dukpt encrypt-data {options} --padding zeros --raw {text}"), BDK).done();
            assert_eq!(encrypted.value("data"), row[column]);
            let data = scratch.file("data", &row[column]);
            let clear = run_with(&format!("dukpt decrypt-data {options} --show-data {data}"), BDK).done();
            let zeros = "00".repeat(15);
            assert_eq!(clear.value("data"), format!("3430313233343536373839303944393837{zeros}"));
            compared += 1;
        }
    }
    println!("{compared} values");
    assert_eq!(compared, 4 * 6);
}

#[test]
fn next_counter_is_by_the_text_or_by_the_pseudo_code() {
    let rows = rows("dukpt_aes_counter_cases.csv", include_str!("data/dukpt_aes_counter_cases.csv"), 16);
    let mut steps = 0;
    for row in &rows {
        for (limit, next) in [("16", &row[5]), ("17", &row[6])] {
            let run = run(&format!("dukpt next --aes --ksn {} --ones-limit {limit}", row[2]));
            let ones: u32 = row[1].parse().unwrap();
            if next.len() == 8 && next != "00000000" && (1..=limit.parse().unwrap()).contains(&ones) {
                assert_eq!(run.done().value("counter"), next, "{row:?}");
                steps += 1;
            } else if ones == 0 {
                assert_eq!(run.done().value("counter"), "00000001");
            } else {
                let sentence = run.refused();
                assert!(sentence.starts_with("--ksn: "), "{row:?}: {sentence}");
            }
        }
    }
    println!("{steps} steps");
    assert_eq!(steps, 19);
}

#[test]
fn life_ends_where_the_limit_says() {
    let last = run("dukpt next --aes --json --ksn 1234567890123456FFFE8000").done().json();
    assert_eq!((&last["counter"], &last["left_after_it"]), (&"FFFF0000".into(), &0.into()));
    let end = run("dukpt next --aes --ksn 1234567890123456FFFF0000").refused();
    assert!(end.starts_with("--ksn: after counter FFFF0000 no transaction key is left"), "{end}");
    let more = run("dukpt next --aes --ones-limit 17 --ksn 1234567890123456FFFF0000").done();
    assert_eq!(more.value("counter"), "FFFF0001");
}

/// 0001FFFF is a counter of the supplement, and one that the standard's text rules out.
#[test]
fn counters_of_17_ones_are_taken_if_the_limit_says_so() {
    let options = "--bdk - --ksn 12345678901234560001FFFF --use pin";
    let sentence = derive(options, BDK).refused();
    assert!(
        sentence.contains("17 ones, at most 16 are allowed") && sentence.ends_with("give --ones-limit 17")
    );
    derive(&format!("{options} --ones-limit 17"), BDK).done();
}

#[test]
fn update_key_is_no_transaction_key() {
    let sentence = derive("--bdk - --ksn 1234567890123456FFFFFFFF --use pin", BDK).refused();
    assert_eq!(
        sentence,
        "--ksn: counter FFFFFFFF is of no transaction, it names the update key; see derive --use update"
    );
    let by_name = derive("--bdk - --ksn 1234567890123456 --use update", BDK).done();
    let by_ksn = derive(&format!("--bdk - --ksn {KSN} --use update"), BDK).done();
    assert_eq!(by_name.stdout, by_ksn.stdout);
    assert_eq!(by_name.value("ksn"), "1234567890123456FFFFFFFF");
}

#[test]
fn compatibility_mode_shifts_the_short_name() {
    let derived = derive("--bdk - --compatibility --ksn 0E111111112222200001 --use transaction", BDK).done();
    assert_eq!(derived.value("ksn"), "00E111111112222200000001");
    let long = derive("--bdk - --ksn 00E111111112222200000001 --use transaction", BDK).done();
    assert_eq!(long.value("key"), derived.value("key"));
}

#[test]
fn initial_key_serves_in_place_of_the_base_key() {
    let ik = "1273671EA26AC29AFA4D1084127652A1";
    let from = |option, key| derive(&format!("--{option} - --ksn {KSN} --use mac-both"), key).done().stdout;
    assert_eq!(from("ik", ik), from("bdk", BDK));
}

#[test]
fn names_of_the_other_scheme_are_told_apart() {
    let short = derive("--bdk - --ksn FFFF9876543210E00001 --use pin", BDK).usage();
    assert!(
        short.starts_with("--ksn: ") && short.ends_with("10 bytes are a name of TDES DUKPT: leave out --aes"),
        "{short}"
    );
    let long = run_with(&format!("dukpt derive --bdk - --ksn {KSN} --use pin"), BDK).usage();
    assert!(long.ends_with("12 bytes are a name of AES DUKPT: give --aes"), "{long}");
}

#[test]
fn keys_stronger_than_their_base_and_keys_that_do_not_exist_are_refused() {
    let names = format!("--bdk - --ksn {KSN}");
    let stronger = derive(&format!("{names} --use pin --key-type aes-256"), BDK).refused();
    assert_eq!(
        stronger,
        "--key-type: a key of 256 bits would be stronger than the 128 bits it is derived from"
    );
    let hmac = derive(&format!("{names} --use pin --key-type hmac-128"), BDK).usage();
    assert_eq!(hmac, "--key-type: an HMAC key computes MACs and nothing else");
    let edition = derive(&format!("{names} --use pin --edition 2004"), BDK).usage();
    assert!(edition.starts_with("--edition: the editions differ in TDES DUKPT only"));
    let tdes = "dukpt derive --bdk - --ksn FFFF9876543210E00001";
    let tdes = |options: &str| run_with(&format!("{tdes} {options}"), BDK).usage();
    assert!(tdes("--use key-encryption").ends_with("TDES DUKPT has no key for other keys; give --aes"));
    assert!(tdes("--use mac-both").contains("edition 2009 has a key for each direction"));
    assert!(tdes("--use pin --key-type aes-128").contains("all keys of TDES DUKPT are TDEA keys"));
    let limit = run_with("dukpt derive --bdk - --ksn FFFF9876543210E00001 --use pin --ones-limit 17", BDK);
    assert!(limit.usage().contains("--aes"));
}

#[test]
fn pin_blocks_go_there_and_back() {
    let scratch = Scratch::new("dukpt_aes_pins");
    let pin = scratch.file("pin", "1234\n");
    for (options, format) in [
        ("", "4"),
        ("--key-type tdea-2", "0"),
        ("--key-type tdea-3 --format 3", "3"),
        ("--key-type tdea-2 --format 1", "1"),
    ] {
        let names = format!("--aes --bdk - --ksn {KSN} --pan {PAN} {options}");
        let made = run_with(&format!("dukpt encrypt-pin {names} --pin @{pin}"), BDK).done();
        assert_eq!(made.value("format"), format);
        assert!(!made.stdout.contains("1234\n") && !made.stdout.contains(PAN));
        let block = made.value("block");
        let opened = run_with(&format!("dukpt decrypt-pin {names} --block {block} --show-pin"), BDK).done();
        assert_eq!(opened.value("pin"), "1234");
    }
}

#[test]
fn pin_block_formats_go_with_their_keys() {
    let decrypt = |options: &str| {
        run_with(&format!("dukpt decrypt-pin --bdk - --pan {PAN} --block 0123456789ABCDEF {options}"), BDK)
            .usage()
    };
    assert!(
        decrypt(&format!("--aes --ksn {KSN} --format 0"))
            .starts_with("--format: a block of format 0 is under a TDEA key")
    );
    assert!(
        decrypt("--ksn FFFF9876543210E00001 --format 4")
            .starts_with("--format: a block of format 4 is under an AES key")
    );
    assert_eq!(decrypt(&format!("--aes --ksn {KSN}")), "--block: expected a PIN block of 16 bytes, found 8");
}

#[test]
fn check_values_of_aes_keys_are_by_cmac_unless_asked() {
    let derived = derive(&format!("--bdk - --ksn {KSN} --use pin"), BDK).done();
    assert_eq!((derived.value("length"), derived.value("check value method")), ("aes-128", "cmac"));
    for method in ["zeros", "ones"] {
        let other = derive(&format!("--bdk - --ksn {KSN} --use pin --kcv-method {method}"), BDK).done();
        assert_eq!(other.value("check value method"), method);
        assert_ne!(other.value("check value"), derived.value("check value"));
    }
    let hmac = derive(&format!("--bdk - --ksn {KSN} --use mac-both --key-type hmac-128"), BDK).done();
    assert_eq!((hmac.value("length"), hmac.value("check value")), ("hmac-128", "-"));
}
