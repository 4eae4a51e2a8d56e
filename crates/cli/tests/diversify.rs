//! `cardroot diversify`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, Scratch, rows, run, run_with};

#[test]
fn pboc_keys_are_the_known_ones() {
    let rows = rows("diversify_pboc.csv", include_str!("data/diversify_pboc.csv"), 11);
    let tdea: Vec<_> = rows.iter().filter(|row| row[1] == "3DES").collect();
    assert_eq!(tdea.len(), 6);
    for row in tdea {
        let [id, _, root, factors, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let factors: Vec<&str> = factors.split('/').collect();
        let arguments = format!("diversify pboc --key - --show-key --factor {}", factors.join(" --factor "));
        let json = run_with(&format!("--json {arguments}"), root).done().json();
        assert_eq!(json["key"], *derived, "{id}");
        assert_eq!(json["check_value"], *kcv, "{id}");
        let levels = json["levels"].as_array().unwrap();
        assert!(levels.iter().map(|level| level["factor"].as_str().unwrap()).eq(factors), "{id}");
        assert_eq!(levels.last().unwrap()["check_value"], *kcv, "{id}");
    }
}

#[test]
fn triple_length_parent_is_refused() {
    let parent = format!("{BDK}0123456776543210");
    let sentence = run_with("diversify pboc --key - --factor 1122334455667788", &parent).refused();
    assert!(sentence.starts_with("--key: ") && sentence.contains("double-length key"), "{sentence}");
}

#[test]
fn factor_of_other_length_and_cipher_of_another_day_are_wrong_usage() {
    let factor = run_with("diversify pboc --key - --factor 11223344556677", BDK).usage();
    assert_eq!(factor, "--factor <H>: a dispersion factor is 8 bytes, found 7");
    let cipher = run_with("diversify pboc --key - --factor 1122334455667788 --cipher sm4", BDK).usage();
    assert!(cipher.contains("'sm4'") && cipher.contains("[possible values: tdea]"), "{cipher}");
    assert!(run_with("diversify pboc --key -", BDK).usage().contains("--factor <H>"));
}

#[test]
fn emv_keys_of_option_a_are_the_published_ones() {
    let rows = rows("diversify_emv_mk.csv", include_str!("data/diversify_emv_mk.csv"), 17);
    let mut checked = 0;
    let scratch = Scratch::new("emv");
    for row in rows.iter().filter(|row| row[1] == "A") {
        let [id, _, _, master, pan, psn, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let master = scratch.file(&format!("{id}.hex"), master);
        let arguments = format!("diversify emv --option a --key @{master} --psn {psn} --show-key --pan");
        let done = run_with(&format!("{arguments} -"), pan).done();
        assert_eq!((done.value("key"), done.value("check value")), (derived.as_str(), kcv.as_str()), "{id}");
        assert!(!done.stdout.contains(pan.as_str()), "{done:?}");
        assert_eq!(run(&format!("{arguments} {pan}")).done().stdout, done.stdout);
        checked += 1;
    }
    println!("{checked} rows of option A");
    assert_eq!(checked, 8);
}

#[test]
fn sequence_number_is_00_unless_given_and_two_digits() {
    let emv =
        |psn: &str| run_with(&format!("diversify emv --option a --key - --pan 1234567890123456 {psn}"), BDK);
    assert_eq!(emv("").done().stdout, emv("--psn 00").done().stdout);
    assert_eq!(emv("--psn 1").usage(), "--pan and --psn: a PAN sequence number is 2 digits, found 1");
}

#[test]
fn personalisation_keys_are_the_known_ones() {
    let rows = rows("diversify_gp.csv", include_str!("data/diversify_gp.csv"), 19);
    let mut checked = 0;
    for row in &rows {
        let [id, method, master, data, purpose, derived, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let template = match method.split(' ').next() {
            Some("EMV-CPS") => "cps",
            Some("VISA") => "visa",
            Some("VISA2") => "visa2",
            _ => continue,
        };
        let arguments = format!("--json diversify gp --template {template} --key - --kdd {data}");
        let json = run_with(&format!("{arguments} --show-key"), master).done().json();
        let index = ["ENC", "MAC", "DEK"].iter().position(|name| name == purpose).unwrap();
        assert_eq!(json["keys"][index]["key"], format!("k{}", purpose.to_lowercase()), "{id}");
        assert_eq!(json["keys"][index]["value"], *derived, "{id}");
        assert_eq!(json["keys"][index]["check_value"], *kcv, "{id}");
        assert!(!run_with(&arguments, master).done().stdout.contains(derived.as_str()));
        checked += 1;
    }
    println!("{checked} rows of TDEA templates");
    assert_eq!(checked, 6);
}

#[test]
fn diversification_data_of_other_length_is_wrong_usage() {
    let sentence = run_with("diversify gp --template cps --key - --kdd 0001", BDK).usage();
    assert_eq!(sentence, "--kdd <H>: key diversification data is 10 bytes, found 2");
}
