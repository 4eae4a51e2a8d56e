//! `cardroot dukpt diagnose`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, KSN, Run, Scratch, rows, run_with};
use serde_json::Value;

const STANDARD: &str = "none: all is by the standard";
const PAN: &str = "4012345678909";
const AES_BDK: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";

fn diagnose(what: &str, key: &str, ksn: &str, options: &str) -> Run {
    run_with(&format!("dukpt diagnose {what} --json --bdk - --ksn {ksn} {options}"), key)
}

/// The answer of a run that found one.
#[track_caller]
fn found(run: Run) -> (String, String, Value) {
    let report = run.done().json();
    (report["answer"].as_str().unwrap().into(), report["departures"].as_str().unwrap().into(), report)
}

#[test]
fn annex_a4_is_by_the_standard() {
    let rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    let scratch = Scratch::new("diagnose_annex");
    let text = scratch.file("text", "4012345678909D987");
    let mut found_all = 0;
    for row in &rows {
        let ksn = &row[1];
        let data = |column: usize| scratch.file("data", &row[column]);
        for (run, answer) in [
            (
                diagnose("pin", BDK, ksn, &format!("--pan {PAN} --block {}", row[8])),
                "TDES PIN key, TDEA, PIN block format 0",
            ),
            (
                diagnose("mac", BDK, ksn, &format!("--mac {} --raw {text}", &row[9][..8])),
                "TDES MAC key of requests, edition 2009",
            ),
            (
                diagnose("mac", BDK, ksn, &format!("--mac {} --raw {text}", row[10])),
                "TDES MAC key of responses, edition 2009",
            ),
            (
                diagnose("data", BDK, ksn, &data(13)),
                "TDES data key of requests, edition 2009, TDEA CBC from zero",
            ),
            (
                diagnose("data", BDK, ksn, &data(14)),
                "TDES data key of responses, edition 2009, TDEA CBC from zero",
            ),
        ] {
            let (shown, departures, report) = found(run);
            assert!(shown.starts_with(answer), "{ksn}: {shown}");
            assert_eq!((departures.as_str(), &report["ksn_used"]), (STANDARD, &Value::from(ksn.as_str())));
            found_all += 1;
        }
        let (shown, departures, _) =
            found(diagnose("mac", BDK, ksn, &format!("--mac {} --raw {text}", row[11])));
        assert!(shown.ends_with(", TDEA-CMAC"), "{shown}");
        assert_eq!(departures, "the MAC is by TDEA-CMAC");
    }
    println!("{found_all} values");
    assert_eq!(found_all, 34 * 5);
}

/// One bit of the BDK that is not for parity: everything else is right.
#[test]
fn another_key_fits_nothing() {
    let rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    let other = BDK.replacen("0123", "0323", 1);
    let scratch = Scratch::new("diagnose_other_key");
    let text = scratch.file("text", "4012345678909D987");
    for row in &rows {
        let data = scratch.file("data", &row[13]);
        for run in [
            diagnose("pin", &other, &row[1], &format!("--pan {PAN} --block {}", row[8])),
            diagnose("data", &other, &row[1], &data),
            diagnose("mac", &other, &row[1], &format!("--mac {} --raw {text}", &row[9][..8])),
        ] {
            let report = run.json();
            assert_eq!(report["answer"], Value::Null, "{report}");
            assert!(report["keys_tried"].as_u64().unwrap() > 400);
            let tried: Vec<&str> =
                report["tried"].as_array().unwrap().iter().map(|row| row["what"].as_str().unwrap()).collect();
            for what in [
                "TDES PIN key",
                "the key given is the initial key, not a BDK",
                "AES data-request key of any type",
            ] {
                assert!(tried.contains(&what), "{tried:?}");
            }
            assert!(run.refused().starts_with("nothing fits: "));
        }
    }
}

#[test]
fn values_of_the_field_are_told_by_edition() {
    let rows = rows("dukpt_tdes_field_values.csv", include_str!("data/dukpt_tdes_field_values.csv"), 20);
    let scratch = Scratch::new("diagnose_field");
    let mut told = 0;
    for row in &rows {
        let [kind, bdk, ksn, input, output, _] = row.as_slice() else { panic!("{row:?}") };
        let (run, expected) = match &**kind {
            "data_2004" => {
                (diagnose("data", bdk, ksn, &scratch.file("data", output)), "TDES data key of edition 2004")
            }
            "data_request_2009" => (
                diagnose("data", bdk, ksn, &scratch.file("data", output)),
                "TDES data key of requests, edition 2009",
            ),
            "mac_request" => {
                let message = scratch.file("message", input);
                (diagnose("mac", bdk, ksn, &format!("--mac {output} {message}")), "TDES MAC key of requests")
            }
            "counter_zero" => {
                let message = scratch.file("message", input);
                let (_, departures, _) =
                    found(diagnose("mac", bdk, ksn, &format!("--mac {output} {message}")));
                assert!(departures.starts_with("counter 000000 is of no transaction"), "{departures}");
                continue;
            }
            _ => continue,
        };
        let (answer, departures, _) = found(run);
        assert!(answer.starts_with(expected), "{row:?}: {answer}");
        assert_eq!(departures, STANDARD);
        told += 1;
    }
    println!("{told} rows");
    assert_eq!(told, 14);
}

#[test]
fn readers_that_use_the_pin_key_are_told_from_others() {
    let rows = rows("dukpt_tdes_reader_data.csv", include_str!("data/dukpt_tdes_reader_data.csv"), 2);
    let scratch = Scratch::new("diagnose_readers");
    for row in &rows {
        let [key, bdk, ksn, encrypted, clear, _] = row.as_slice() else { panic!("{row:?}") };
        let data = scratch.file("data", encrypted);
        let (answer, departures, report) = found(diagnose("data", bdk, ksn, &format!("--show-data {data}")));
        assert_eq!(report["data"], **clear);
        if key == "pin" {
            assert!(answer.starts_with("TDES PIN key, TDEA CBC from zero"), "{answer}");
            assert!(departures.contains("dukpt legacy decrypt-data-under-pin-key"), "{departures}");
        } else {
            assert!(answer.starts_with("TDES data key of requests, edition 2009"), "{answer}");
        }
    }
}

#[test]
fn oddities_of_deployed_software_are_named() {
    let rows = rows("dukpt_tdes_oddities.csv", include_str!("data/dukpt_tdes_oddities.csv"), 4);
    let scratch = Scratch::new("diagnose_oddities");
    for row in &rows {
        let [kind, bdk, ksn, encrypted, clear, expected, _] = row.as_slice() else { panic!("{row:?}") };
        let (_, departures, report) = if kind == "pin" {
            let (_, pan) = clear.split_once(' ').unwrap();
            found(diagnose("pin", bdk, ksn, &format!("--pan {pan} --block {encrypted}")))
        } else {
            let data = scratch.file("data", encrypted);
            let shown = found(diagnose("data", bdk, ksn, &format!("--show-data {data}")));
            assert_eq!(shown.2["data"], **clear);
            shown
        };
        assert_eq!(departures, *expected, "{report}");
    }
}

#[test]
fn each_mistake_is_named() {
    let rows = rows("dukpt_tdes_mistakes.csv", include_str!("data/dukpt_tdes_mistakes.csv"), 19);
    let scratch = Scratch::new("diagnose_mistakes");
    for row in &rows {
        let [mistake, bdk, ksn, encrypted, expected] = row.as_slice() else { panic!("{row:?}") };
        let data = scratch.file("data", encrypted);
        let (answer, departures, report) = found(diagnose("data", bdk, ksn, &data));
        assert!(
            departures.contains(&**expected) || answer.contains(&**expected),
            "{mistake}: {answer}; {departures}"
        );
        if mistake == "name of another message" {
            assert_eq!(report["ksn_used"], "FFFF9876543210E00005");
        }
        let shown = report["decrypts_to"].as_str().unwrap();
        assert!(!shown.contains("4012345678909") && !shown.contains("TEST"), "{shown}");
    }
}

#[test]
fn initial_key_given_for_a_base_key_is_named() {
    let ik = "6AC292FAA1315B4D858AB3A3D7D5933A";
    let options = format!("--pan {PAN} --block 1B9C1845EB993A7A");
    let (answer, departures, _) = found(diagnose("pin", ik, KSN, &options));
    assert!(answer.starts_with("TDES PIN key"));
    assert_eq!(departures, "the key given is the initial key, not a BDK");
}

#[test]
fn pin_blocks_bound_to_the_wrong_digits_are_named() {
    // The block of PIN 1234 for the PAN whose last digits but one are those of ours with its check digit.
    let scratch = Scratch::new("diagnose_pan");
    let pin = scratch.file("pin", "1234");
    let made = |pan: &str| {
        let run =
            run_with(&format!("dukpt encrypt-pin --bdk - --ksn {KSN} --pin @{pin} --pan {pan}"), BDK).done();
        run.value("block").to_owned()
    };
    for (bound, departure) in
        [(format!("{PAN}0"), "the PAN goes in with its check digit"), ("0".repeat(13), "no PAN goes in")]
    {
        let block = made(&bound);
        let (_, departures, _) = found(diagnose("pin", BDK, KSN, &format!("--pan {PAN} --block {block}")));
        assert_eq!(departures, departure);
    }
    let block = made("4111111111110");
    let long = "4111111111112345";
    let (_, departures, _) = found(diagnose("pin", BDK, KSN, &format!("--pan {long} --block {block}")));
    assert_eq!(departures, "the PAN goes in by its first 12 digits");
}

#[test]
fn formats_with_any_fill_are_found_by_their_pin() {
    // Formats 1 and 3 under the PIN key of the first transaction.
    let scratch = Scratch::new("diagnose_formats");
    let pin = scratch.file("pin", "1234");
    for (block, format) in [("F893AAD9BB89A1FD", "1"), ("4160480351EE5FD9", "3")] {
        let options = format!("--pan {PAN} --block {block} --pin @{pin}");
        let (answer, departures, _) = found(diagnose("pin", BDK, KSN, &options));
        assert_eq!(
            (answer, departures.as_str()),
            (format!("TDES PIN key, TDEA, PIN block format {format}"), STANDARD)
        );
    }
    let other = scratch.file("pin", "4321");
    let options = format!("--pan {PAN} --block 4160480351EE5FD9 --pin @{other}");
    assert!(
        diagnose("pin", BDK, KSN, &options).refused().starts_with("nothing fits: --block is no PIN block")
    );
}

#[test]
fn single_des_of_1992_is_told() {
    let rows = rows("dukpt_1992_pin_blocks.csv", include_str!("data/dukpt_1992_pin_blocks.csv"), 11);
    for row in &rows {
        let [ksn, pan, _, block] = row.as_slice() else { panic!("{row:?}") };
        let (answer, departures, _) =
            found(diagnose("pin", BDK, ksn, &format!("--pan {pan} --block {block}")));
        assert_eq!(answer, "single DES of 1992 PIN key, DES, PIN block format 0");
        assert!(departures.ends_with("see dukpt legacy decrypt-pin-single-des-1992"));
    }
}

#[test]
fn aes_keys_are_told_by_usage_and_type() {
    let rows = rows("dukpt_aes_usage_moov.csv", include_str!("data/dukpt_aes_usage_moov.csv"), 4);
    let scratch = Scratch::new("diagnose_aes");
    let text = scratch.file("text", "4012345678909D987");
    for row in &rows {
        let ksn = &row[0];
        let mac = |column: usize, len: usize| {
            found(diagnose("mac", AES_BDK, ksn, &format!("--mac {} --raw {text}", &row[column][..len]))).0
        };
        assert_eq!(mac(2, 32), "AES mac-request key, aes-128, AES-CMAC");
        assert_eq!(mac(3, 16), "AES mac-response key, aes-128, AES-CMAC, the leftmost 8 bytes");
        assert_eq!(mac(4, 64), "AES mac-request key, hmac-128, HMAC-SHA-256");
        for (column, usage) in [(6, "request"), (7, "response")] {
            let data = scratch.file("data", &row[column]);
            let (answer, departures, _) = found(diagnose("data", AES_BDK, ksn, &data));
            let expected = format!("AES data-{usage} key, aes-128, AES CBC from zero");
            assert!(answer.starts_with(&expected), "{answer}");
            assert_eq!(departures, STANDARD);
        }
    }
    let options = "--pan 4111111111111111 --block 52A00503BD34BA1383F6A7EE9FE2547F";
    let (answer, _, _) = found(diagnose("pin", AES_BDK, "123456789012345600000002", options));
    assert_eq!(answer, "AES pin key, aes-128, AES, PIN block format 4");
    let ik = "1273671EA26AC29AFA4D1084127652A1";
    let (_, departures, _) = found(diagnose("pin", ik, "123456789012345600000001", options));
    assert!(
        departures.starts_with("the key given is the initial key, not a BDK; the KSN is of another message"),
        "{departures}"
    );
}

#[test]
fn known_text_and_numbers_find_what_has_no_looks() {
    let scratch = Scratch::new("diagnose_known");
    // A track in half bytes, one block of it: too short to be known by its looks.
    let clear = scratch.file("clear", "4012345678909D98");
    let made =
        run_with(&format!("dukpt encrypt-data --bdk - --ksn {KSN} --use response {clear}"), BDK).done();
    let data = scratch.file("data", made.value("data"));
    let known = scratch.file("known", "4012345678909=98\n");
    for hint in [format!("--known @{known}"), format!("--pan {PAN}")] {
        let (answer, _, report) = found(diagnose("data", BDK, KSN, &format!("{hint} {data}")));
        assert!(answer.starts_with("TDES data key of responses, edition 2009"), "{answer}");
        assert_eq!(report["decrypts_to"], "401******8909D**");
    }
    diagnose("data", BDK, KSN, &data).refused();
    let short = scratch.file("short", "401");
    let sentence = diagnose("data", BDK, KSN, &format!("--known @{short} {data}")).refused();
    assert!(sentence.starts_with("--known: fewer than 4 characters turn up by chance"), "{sentence}");
}

#[test]
fn macs_over_another_form_of_the_message_are_named() {
    let scratch = Scratch::new("diagnose_mac_forms");
    for (content, departure) in [
        ("4012345678909D987\n", "the message is without the blanks or line end behind it"),
        (
            "34303132333435363738393039443938 37",
            "the message is the bytes that its hexadecimal digits stand for",
        ),
    ] {
        let message = scratch.file("message", content);
        let (_, departures, _) = found(diagnose("mac", BDK, KSN, &format!("--mac 9CCC7817 --raw {message}")));
        assert_eq!(departures, departure);
    }
    let short = diagnose("mac", BDK, KSN, "--mac 9CCC78").usage();
    assert_eq!(short, "--mac: fewer than 4 bytes fit by chance; give all of the MAC");
}

#[test]
fn what_would_take_minutes_is_refused() {
    const MAX_LEN: usize = 64 << 10;
    let scratch = Scratch::new("diagnose_long");
    let longest = scratch.file("longest", vec![0; MAX_LEN]);
    let longer = scratch.file("longer", vec![0; MAX_LEN + 1]);
    for (what, options) in [("data", ""), ("mac", "--mac 9CCC7817")] {
        let run = diagnose(what, BDK, KSN, &format!("{options} --raw {longer}"));
        assert_eq!(run.stdout, "");
        assert_eq!(
            run.refused(),
            format!(
                "{longer}: 65537 bytes are more than the 65536 that are tried under all keys: give a shorter one of the same terminal"
            )
        );
    }
    let tried = diagnose("data", BDK, KSN, &format!("--raw {longest}"));
    assert!(tried.json()["keys_tried"].as_u64().unwrap() > 100);
}

#[test]
fn keys_and_pins_are_never_shown() {
    let options = format!("--pan {PAN} --block 1B9C1845EB993A7A");
    let run = diagnose("pin", BDK, KSN, &options).done();
    for secret in ["0123456789ABCDEF", "042666B4", PAN, "1234"] {
        assert!(!run.stdout.replace("FFFF9876543210E00001", "").contains(secret), "{secret}: {run:?}");
    }
    let key = diagnose("pin", "0123", KSN, &options).refused();
    assert_eq!(key, "--bdk: a key is 16, 24 or 32 bytes, found 2");
    let block = diagnose("pin", BDK, KSN, &format!("--pan {PAN} --block 1B9C")).usage();
    assert_eq!(block, "--block: a PIN block is 8 or 16 bytes, found 2");
}

/// Key serial numbers of any length are looked into, and none is a panic.
#[test]
fn key_serial_numbers_of_any_length_are_tried() {
    for len in 1..=24 {
        let ksn = "F1".repeat(len);
        for key in [BDK, AES_BDK, &"0123456789ABCDEF".repeat(3), &"0123456789ABCDEF".repeat(4)] {
            for block in ["1B9C1845EB993A7A", "52A00503BD34BA1383F6A7EE9FE2547F"] {
                let run = diagnose("pin", key, &ksn, &format!("--pan {PAN} --block {block}"));
                assert!(run.refused().starts_with("nothing fits: "));
            }
        }
    }
}

/// Codes computed with OpenSSL under the MAC key of the first transaction's requests, over its text.
#[test]
fn other_mac_algorithms_are_named() {
    let scratch = Scratch::new("diagnose_mac_algorithms");
    let text = scratch.file("text", "4012345678909D987");
    for (mac, algorithm) in OTHER_ALGORITHMS {
        let (answer, departures, _) = found(diagnose("mac", BDK, KSN, &format!("--mac {mac} --raw {text}")));
        assert!(answer.starts_with("TDES MAC key of requests"), "{answer}");
        assert_eq!(departures, format!("the MAC is by {algorithm}"));
    }
    let (_, departures, _) = found(diagnose("mac", BDK, KSN, &format!("--mac 3FC4FB64 --raw {text}")));
    assert_eq!(departures, "the rightmost bytes of the code are sent, not the leftmost");
}

const OTHER_ALGORITHMS: [(&str, &str); 5] = [
    ("9D2569048260C49C", "ISO 9797-1 algorithm 3, padding method 2"),
    ("0E8BA06B919A4CDF", "ISO 9797-1 algorithm 1 with TDEA"),
    ("2E66135369594969", "ISO 9797-1 algorithm 1 with TDEA, padding method 2"),
    ("C5BC8EC1621EF5EE", "ISO 9797-1 algorithm 1 with DES (X9.9)"),
    ("3D01636A2714DF75", "ISO 9797-1 algorithm 1 with DES, padding method 2"),
];
