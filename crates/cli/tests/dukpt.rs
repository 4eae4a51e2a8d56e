//! `cardroot dukpt`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, KSN, Run, rows, run, run_with};

const PAN: &str = "4012345678909";

#[test]
fn annex_a4_keys_and_pins_are_the_published_ones() {
    let rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    let mut compared = 0;
    for row in &rows {
        let ksn = &row[1];
        for (column, usage, edition) in [
            (2, "transaction", "2009"),
            (3, "pin", "2009"),
            (4, "mac-request", "2009"),
            (5, "mac-response", "2009"),
            (6, "data-request", "2009"),
            (7, "data-response", "2009"),
            (3, "pin", "2004"),
            (4, "mac-request", "2004"),
            (4, "mac-response", "2004"),
        ] {
            let arguments = format!("--bdk - --ksn {ksn} --use {usage} --edition {edition} --show-key");
            let derived = run_with(&format!("dukpt derive {arguments}"), BDK).done();
            assert_eq!(derived.value("key"), row[column], "{ksn} {usage} {edition}");
            compared += 1;
        }
        let opened = decrypt_pin(&format!("--ksn {ksn} --pan {PAN} --block {} --show-pin", row[8])).done();
        assert_eq!(opened.value("pin"), "1234", "{ksn}");
        compared += 1;
    }
    println!("{compared} values");
    assert_eq!(compared, 34 * 10);
}

fn decrypt_pin(options: &str) -> Run {
    run_with(&format!("dukpt decrypt-pin --bdk - {options}"), BDK)
}

#[test]
fn data_key_of_2004_is_the_bare_variant_in_both_directions() {
    for usage in ["data-request", "data-response"] {
        let arguments = format!("dukpt derive --bdk - --ksn {KSN} --edition 2004 --use {usage} --show-key");
        // The transaction key 042666B49184CFA3 68DE9628D0397BC9 with bytes 5 and 13 inverted.
        assert_eq!(run_with(&arguments, BDK).done().value("key"), "042666B4917BCFA368DE9628D0C67BC9");
    }
}

#[test]
fn initial_key_is_the_published_one_whatever_the_counter() {
    for ksn in ["FFFF9876543210E00000", KSN, "9876543210F00000"] {
        let derived = run_with(&format!("dukpt ik --bdk - --ksn {ksn} --show-key"), BDK).done();
        assert_eq!(derived.value("ksn"), "FFFF9876543210E00000");
        assert_eq!(derived.value("key"), "6AC292FAA1315B4D858AB3A3D7D5933A");
        assert_eq!(derived.value("check value"), "AF8C07");
    }
}

#[test]
fn next_counter_is_that_of_a_conforming_terminal() {
    let rows = rows("dukpt_tdes_next_counter.csv", include_str!("data/dukpt_tdes_next_counter.csv"), 49);
    for row in rows {
        let number = |text: &str| u32::from_str_radix(text, 16).unwrap();
        let ksn = |counter: u32| format!("FFFF987654321{:07X}", 0x0E0_0000 | counter);
        let next = run(&format!("dukpt next --ksn {}", ksn(number(&row[0])))).done();
        assert_eq!(next.value("ksn"), ksn(number(&row[1])));
        assert_eq!(next.value("counter"), row[1]);
    }
}

#[test]
fn life_begins_with_the_initial_key_and_ends_at_1ff800() {
    let first = run("dukpt next --json --ksn FFFF9876543210E00000").done().json();
    assert_eq!(first["ksn"], KSN);
    assert_eq!((&first["transaction"], &first["left_after_it"]), (&1.into(), &1_048_574.into()));
    let last = run("dukpt next --json --ksn FFFF9876543210FFF400").done().json();
    assert_eq!(last["counter"], "1FF800");
    assert_eq!((&last["transaction"], &last["left_after_it"]), (&1_048_575.into(), &0.into()));

    let end = run("dukpt next --ksn FFFF9876543210FFF800");
    assert_eq!(end.stdout, "");
    assert!(end.refused().starts_with("--ksn: after counter 1FF800 no transaction key is left"));
}

#[test]
fn counters_that_no_transaction_carries_are_refused() {
    let derive = |ksn: &str| run_with(&format!("dukpt derive --bdk - --ksn {ksn} --use pin"), BDK).refused();
    assert!(derive("FFFF9876543210E00000").contains("transaction counter is zero"));
    assert!(derive("FFFF9876543210E007FF").contains("transaction counter has 11 ones"));
    assert!(
        run("dukpt next --ksn FFFF9876543210E007FF").refused().contains("transaction counter has 11 ones")
    );
}

#[test]
fn key_serial_number_of_other_length_is_wrong_usage() {
    for (ksn, found) in [("10E00001", 4), ("00FFFF9876543210E00001", 11)] {
        let sentence = run(&format!("dukpt next --ksn {ksn}")).usage();
        let reason = format!("a key serial number in a message is 5 to 10 bytes, found {found}");
        assert_eq!(sentence, format!("--ksn: {reason}"));
    }
}

#[test]
fn weak_base_derivation_key_is_refused() {
    for command in ["ik", "derive --use pin"] {
        let sentence = run_with(&format!("dukpt {command} --bdk - --ksn {KSN}"), &"01".repeat(16)).refused();
        assert_eq!(sentence, "--bdk must not be used: key parts 1 and 2 are equal");
    }
}

const BLOCK: &str = "--block 1B9C1845EB993A7A";

#[test]
fn pin_is_shown_on_demand_only_and_the_pan_never() {
    let opened = decrypt_pin(&format!("--ksn {KSN} --pan {PAN} {BLOCK}")).done();
    assert_eq!(opened.value("valid"), "yes");
    assert_eq!(opened.value("pan"), "401******8909");
    assert!(!opened.stdout.contains("1234"), "{opened:?}");
}

#[test]
fn wrong_pan_key_format_and_block_look_alike() {
    let refusals = [
        format!("--ksn {KSN} --pan 4111111111111111 {BLOCK}"),
        format!("--ksn FFFF9876543210E00002 --pan {PAN} {BLOCK}"),
        format!("--ksn {KSN} --pan {PAN} --format 3 {BLOCK}"),
        format!("--ksn {KSN} --format 1 {BLOCK}"),
        format!("--ksn {KSN} --pan {PAN} --block 1B9C1845EB993A7B"),
    ];
    for options in refusals {
        let refused = decrypt_pin(&format!("{options} --show-pin"));
        assert_eq!(refused.stdout, "");
        let reason =
            "--block is no PIN block of this key, PAN and format; dukpt diagnose pin looks for the reason";
        assert_eq!(refused.refused(), reason, "{options}");
    }
}

#[test]
fn formats_1_and_3_open() {
    // Clear blocks 141234AABBCCDDEE and 341234AAAAAAAAAA ^ 0000401234567890 under the PIN key of the first transaction,
    // 042666B49184CF5C68DE9628D0397B36, encrypted with OpenSSL.
    let iso1 = decrypt_pin(&format!("--ksn {KSN} --format 1 --block F893AAD9BB89A1FD --show-pin")).done();
    assert_eq!((iso1.value("pin"), iso1.value("pan")), ("1234", "-"));
    let iso3 =
        decrypt_pin(&format!("--ksn {KSN} --format 3 --pan {PAN} --block 4160480351EE5FD9 --show-pin"))
            .done();
    assert_eq!(iso3.value("pin"), "1234");
}

#[test]
fn pan_is_needed_where_the_format_binds_it_and_must_be_one() {
    let missing = decrypt_pin(&format!("--ksn {KSN} {BLOCK}")).usage();
    assert_eq!(missing, "--pan is missing: a block of format 0 is bound to its PAN");
    let letters = decrypt_pin(&format!("--ksn {KSN} --pan 40123A5678909 {BLOCK}")).usage();
    assert_eq!(letters, "--pan: byte 5 is not an ASCII digit");
    let short = decrypt_pin(&format!("--ksn {KSN} --pan 4012345 {BLOCK}")).usage();
    assert_eq!(short, "--pan: expected 8 to 19 digits, found 7");
    let block = decrypt_pin(&format!("--ksn {KSN} --pan {PAN} --block 1B9C")).usage();
    assert_eq!(block, "--block: expected a PIN block of 8 bytes, found 2");
}
