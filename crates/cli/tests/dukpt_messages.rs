//! `cardroot dukpt mac`, `encrypt-data`, `decrypt-data` and `legacy`, with TDEA.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, KSN, Scratch, rows, run_with};

/// The text of ANS X9.24-1 Annex A.4.
const TEXT: &str = "4012345678909D987";

#[test]
fn annex_a4_macs_and_data_are_the_published_ones() {
    let rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    let scratch = Scratch::new("dukpt_annex_a4");
    let text = scratch.file("text", TEXT);
    let mut compared = 0;
    for row in &rows {
        let names = format!("--bdk - --ksn {} --raw {text}", row[1]);
        for (column, options) in [
            (9, "mac --use request"),
            (10, "mac --use response"),
            (11, "mac --use request --method cmac"),
            (12, "mac --use response --method cmac"),
            (9, "mac --use both --edition 2004 --answer-2004"),
        ] {
            assert_eq!(run_with(&format!("dukpt {options} {names}"), BDK).done().value("mac"), row[column]);
            compared += 1;
        }
        for (column, usage) in [(13, "request"), (14, "response")] {
            let encrypt = format!("dukpt encrypt-data --use {usage} --padding zeros {names}");
            assert_eq!(run_with(&encrypt, BDK).done().value("data"), row[column]);
            compared += 1;
        }
    }
    println!("{compared} values");
    assert_eq!(compared, 34 * 7);
}

#[test]
fn values_of_the_field_are_met_in_both_editions() {
    let rows = rows("dukpt_tdes_field_values.csv", include_str!("data/dukpt_tdes_field_values.csv"), 20);
    let scratch = Scratch::new("dukpt_field");
    let mut compared = 0;
    for row in &rows {
        let [kind, bdk, ksn, input, output, _] = row.as_slice() else { panic!("{row:?}") };
        let names = format!("--bdk - --ksn {ksn}");
        let (clear, encrypted) = (scratch.file("clear", input), scratch.file("encrypted", output));
        match &**kind {
            "data_2004" | "data_request_2009" => {
                let edition = if kind.ends_with("2004") { "2004" } else { "2009" };
                let options = format!("--use request --edition {edition}");
                let answer = if edition == "2004" { "--answer-2004" } else { "" };
                let made =
                    run_with(&format!("dukpt encrypt-data {names} {options} {answer} {clear}"), bdk).done();
                assert_eq!(made.value("data"), output);
                let read =
                    run_with(&format!("dukpt decrypt-data {names} {options} --show-data {encrypted}"), bdk)
                        .done();
                assert_eq!(read.value("data"), input);
            }
            "mac_request" => {
                let verified =
                    run_with(&format!("dukpt mac {names} --use request --expect {output} {clear}"), bdk)
                        .done();
                assert_eq!(verified.value("valid"), "yes");
            }
            "counter_zero" => {
                let zero = run_with(&format!("dukpt mac {names} --use request {clear}"), bdk).refused();
                assert!(zero.contains("transaction counter is zero"));
            }
            _ => continue,
        }
        compared += 1;
    }
    println!("{compared} rows");
    assert_eq!(compared, 15);
}

#[test]
fn wrong_mac_is_refused_and_the_right_one_not_told() {
    let scratch = Scratch::new("dukpt_wrong_mac");
    let text = scratch.file("text", TEXT);
    for received in ["9CCC7818", "9CCC78", "9CCC781773 FC471500"] {
        let mut command = assert_cmd::Command::new(common::PROGRAM);
        command.args(["dukpt", "mac", "--bdk", "-", "--ksn", KSN, "--use", "request", "--raw", &text]);
        let run = common::run_command(command.args(["--expect", received]).write_stdin(BDK));
        assert_eq!(run.value("valid"), "no");
        assert!(!run.stdout.contains("9CCC7817"));
        assert!(run.refused().starts_with("--expect is not the MAC of this message under this key"));
    }
}

#[test]
fn keys_of_2004_read_and_make_nothing_unless_told_to_answer() {
    let scratch = Scratch::new("dukpt_2004");
    let text = scratch.file("text", TEXT);
    let names = format!("--bdk - --ksn {KSN} --edition 2004 --raw {text}");
    let verified = run_with(&format!("dukpt mac --use both --expect 9CCC7817 {names}"), BDK).done();
    assert_eq!(verified.value("valid"), "yes");
    for make in ["mac --use both", "mac --use response", "encrypt-data --use response --padding 80"] {
        let refused = run_with(&format!("dukpt {make} {names}"), BDK).usage();
        assert!(refused.contains("--answer-2004"), "{refused}");
        run_with(&format!("dukpt {make} --answer-2004 {names}"), BDK).done();
    }
}

#[test]
fn decrypted_data_is_shown_on_demand_only() {
    let scratch = Scratch::new("dukpt_show_data");
    let clear = scratch.file("clear", TEXT);
    let options = format!("--bdk - --ksn {KSN} --use request --padding 80");
    let made = run_with(&format!("dukpt encrypt-data {options} --raw {clear}"), BDK).done();
    let encrypted = scratch.file("encrypted", made.value("data"));
    let hidden = run_with(&format!("dukpt decrypt-data {options} {encrypted}"), BDK).done();
    assert_eq!(hidden.value("length"), "17");
    assert!(!hidden.stdout.contains("4012") && !hidden.stdout.contains("3430"), "{hidden:?}");
    let shown = run_with(&format!("dukpt decrypt-data {options} --show-data {encrypted}"), BDK).done();
    assert_eq!(shown.value("text"), TEXT);
    let wrong = run_with(&format!("dukpt decrypt-data {options} --edition 2004 {encrypted}"), BDK).refused();
    assert!(wrong.starts_with("the data does not end as --padding 80 says"), "{wrong}");
}

#[test]
fn initial_vector_and_blocks_have_the_length_of_the_cipher() {
    let scratch = Scratch::new("dukpt_iv");
    let odd = scratch.file("odd", "00112233");
    let names = format!("--bdk - --ksn {KSN} --use request");
    let part = run_with(&format!("dukpt decrypt-data {names} {odd}"), BDK).refused();
    assert!(part.ends_with("data of 4 bytes is not a whole number of 8-byte blocks"), "{part}");
    let iv = run_with(&format!("dukpt decrypt-data {names} --iv 00 {odd}"), BDK).usage();
    assert_eq!(iv, "--iv: the initial vector of this key is 8 bytes, found 1");
}

#[test]
fn standard_input_is_good_for_one_thing() {
    let sentence = run_with(&format!("dukpt mac --bdk - --ksn {KSN} --use request"), BDK).usage();
    assert_eq!(sentence, "FILE: standard input is read for a secret already; give the message in a file");
    let scratch = Scratch::new("dukpt_not_hex");
    let text = scratch.file("text", TEXT);
    let sentence = run_with(&format!("dukpt mac --bdk - --ksn {KSN} --use request {text}"), BDK).refused();
    assert!(sentence.ends_with("give --raw if it is the message itself"), "{sentence}");
}

#[test]
fn single_des_pin_blocks_of_1992_are_read() {
    let rows = rows("dukpt_1992_pin_blocks.csv", include_str!("data/dukpt_1992_pin_blocks.csv"), 11);
    let command = "dukpt legacy decrypt-pin-single-des-1992 --bdk -";
    for row in &rows {
        let [ksn, pan, pin, block] = row.as_slice() else { panic!("{row:?}") };
        let options = format!("--ksn {ksn} --pan {pan} --block {block} --show-pin");
        assert_eq!(run_with(&format!("{command} {options}"), BDK).done().value("pin"), pin);
    }
    let wrong = format!("{command} --ksn {KSN} --pan 4012345678909 --block 1B9C1845EB993A7A");
    assert_eq!(run_with(&wrong, BDK).refused(), "--block is no PIN block of this key and PAN in format 0");
}

#[test]
fn card_data_under_the_pin_key_is_read_by_that_name_alone() {
    let rows = rows("dukpt_tdes_reader_data.csv", include_str!("data/dukpt_tdes_reader_data.csv"), 2);
    let scratch = Scratch::new("dukpt_reader_data");
    for row in &rows {
        let [key, bdk, ksn, encrypted, clear, _] = row.as_slice() else { panic!("{row:?}") };
        let encrypted = scratch.file("encrypted", encrypted);
        let options = format!("--bdk - --ksn {ksn} --show-data {encrypted}");
        let under_pin_key =
            run_with(&format!("dukpt legacy decrypt-data-under-pin-key {options}"), bdk).done();
        let under_data_key = run_with(&format!("dukpt decrypt-data --use request {options}"), bdk).done();
        assert_eq!(under_pin_key.value("data") == clear, key == "pin");
        assert_eq!(under_data_key.value("data") == clear, key == "data");
    }
}
