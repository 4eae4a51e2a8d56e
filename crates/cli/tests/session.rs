//! `cardroot diversify session`, `cryptogram` and `script`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{BDK, Run, Scratch, rows, run, run_with};

fn session(arguments: &str, key: &str) -> Run {
    run_with(&format!("diversify session {arguments} --key - --show-key"), key)
}

#[test]
fn emv_session_keys_are_the_published_ones() {
    let rows = rows("diversify_emv_sk.csv", include_str!("data/diversify_emv_sk.csv"), 22);
    for row in &rows {
        let [id, method, _, udk, input, extra, expected, ..] = row.as_slice() else { panic!("{row:?}") };
        let given = |name: &str| {
            let value = extra.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
            value.unwrap().to_owned()
        };
        let atc = &input[..4];
        // The rule of script keys has no other form than the cryptogram's; a counter stands before zeros.
        let choices = match method.as_str() {
            "EMV_COMMON" if input.ends_with("000000000000") => {
                vec![format!("--use ac --method common --atc {atc}")]
            }
            "EMV_COMMON" => ["mac", "enc"]
                .map(|usage| format!("--use {usage} --method common --cryptogram {input}"))
                .to_vec(),
            "EMV_COMMON_AES" => vec![format!("--use ac --method common --cipher aes --atc {atc}")],
            "VISA_SM" => {
                ["mac", "enc"].map(|usage| format!("--use {usage} --method visa --atc {input}")).to_vec()
            }
            "EMV2000_TREE" => ["ac", "mac", "enc"]
                .map(|usage| {
                    let (branch, iv) = (given("branch"), given("iv"));
                    format!(
                        "--use {usage} --method emv2000 --atc {input} --branch {branch} --initial-value {iv}"
                    )
                })
                .to_vec(),
            "MASTERCARD_SKD" => {
                let number = &input[8..];
                vec![format!("--use ac --method mastercard --atc {atc} --unpredictable-number {number}")]
            }
            _ => panic!("{id}"),
        };
        for choice in choices {
            let done = session(&format!("emv {choice}"), udk).done();
            assert_eq!(done.value("key"), expected, "{id} {choice}");
        }
    }
}

#[test]
fn emv_arguments_that_are_missing_or_make_no_difference_are_wrong_usage() {
    let emv = |arguments: &str| session(&format!("emv {arguments}"), BDK).usage();
    assert_eq!(emv("--use ac --method common"), "--atc is missing: --use ac --method common needs it");
    assert_eq!(
        emv("--use mac --method common --atc 0001"),
        "--cryptogram is missing: --use mac --method common needs it"
    );
    assert_eq!(
        emv("--use ac --method mastercard --atc 0001"),
        "--unpredictable-number is missing: --use ac --method mastercard needs it"
    );
    assert_eq!(
        emv("--use ac --method common --atc 0001 --cryptogram 1122334455667788"),
        "--cryptogram is not used: --use ac --method common does not take it"
    );
    assert_eq!(
        emv("--use ac --method common --atc 0001 --branch 2"),
        "--branch is not used: --use ac --method common does not take it"
    );
    for choice in ["--use ac --method visa", "--use mac --method mastercard", "--use enc --method mastercard"]
    {
        let sentence = emv(&format!("{choice} --atc 0001"));
        assert_eq!(sentence, format!("{choice}: there is no such key; give --method common"));
    }
    assert_eq!(
        emv("--use mac --method visa --atc 0001 --cipher aes"),
        "--cipher aes: AES keys have --method common only"
    );
    assert_eq!(emv("--use ac --method common --atc 01"), "--atc <H>: a counter is 2 bytes, found 1");
    let long =
        session("emv --use ac --method common --atc 0001", &format!("{BDK}0123456776543210")).refused();
    assert_eq!(long, "--key: the derivation takes a double-length key");
}

#[test]
fn wallet_process_keys_are_those_that_cards_agreed_on() {
    let rows = rows("pboc_apdu.csv", include_str!("data/pboc_apdu.csv"), 41);
    let mut checked = 0;
    for row in rows.iter().filter(|row| row[1].contains("process key")) {
        let [id, step, _, key, _, input, ..] = [&row[0], &row[1], &row[3], &row[2], &row[3], &row[4]];
        let (random, counter, end) = (&input[..8], &input[8..12], &input[12..]);
        let kinds = match (step.starts_with("LOAD"), end) {
            (true, "8000") => ["load", "unload", "overdraft"].map(|kind| (kind, String::new())).to_vec(),
            (false, _) => ["purchase", "cash"].map(|kind| (kind, format!("--sequence 7777{end}"))).to_vec(),
            _ => panic!("{id}"),
        };
        for (kind, sequence) in kinds {
            let arguments =
                format!("wallet --transaction {kind} --random {random} --counter {counter} {sequence}");
            let done = session(&arguments, key).done();
            assert_eq!((done.value("key"), done.value("length")), (row[5].as_str(), "single"), "{id} {kind}");
        }
        checked += 1;
    }
    println!("{checked} process keys");
    assert_eq!(checked, 5);
}

#[test]
fn folded_keys_are_the_known_ones() {
    for kind in ["tac", "pin-reload"] {
        let done = session(kind, "00112233445566778899AABBCCDDEEFF").done();
        assert_eq!(done.value("key"), "8888888888888888");
        let done = session(kind, "34343434343434341122334455667788").done();
        assert_eq!(done.value("key"), "25160770615243BC");
        assert!(session(kind, &format!("{BDK}0123456776543210")).refused().starts_with("--key: "));
    }
}

#[test]
fn wallet_arguments_that_are_missing_or_make_no_difference_are_wrong_usage() {
    let wallet = |arguments: &str| {
        session(&format!("wallet --random C903814D --counter 0000 --transaction {arguments}"), BDK)
    };
    assert_eq!(wallet("purchase").usage(), "--sequence is missing: --transaction purchase needs it");
    assert_eq!(
        wallet("load --sequence 00000001").usage(),
        "--sequence is not used: --transaction load does not take it"
    );
    assert_eq!(
        wallet("grey-lock --sequence 00000001").usage(),
        "--terminal-random is missing: --transaction grey-lock needs it"
    );
    let grey_lock = "grey-lock --sequence 00000001 --terminal-random 01020304";
    assert_eq!(wallet(grey_lock).done().value("length"), "single");
    assert_eq!(
        wallet(&format!("{grey_lock} --cipher sm4")).usage(),
        "--cipher sm4: --transaction grey-lock has TDEA only"
    );
    assert_eq!(wallet("load --cipher sm4").done().value("length"), "sm4-128");
}

#[test]
fn what_no_text_confirms_says_so_in_its_name() {
    let rows = rows("diversify_pboc.csv", include_str!("data/diversify_pboc.csv"), 11);
    let mut checked = 0;
    for row in rows.iter().filter(|row| row[1].ends_with("-SESSION")) {
        let [id, alg, key, atc, expected, kcv, ..] = row.as_slice() else { panic!("{row:?}") };
        let cipher = if alg.starts_with("SM4") { "sm4" } else { "tdea" };
        let done = session(&format!("pboc-unconfirmed --cipher {cipher} --atc {atc}"), key).done();
        assert_eq!((done.value("key"), done.value("check value")), (expected.as_str(), kcv.as_str()), "{id}");
        assert_eq!(done.value("confirmed"), "no");
        checked += 1;
    }
    println!("{checked} session keys by transaction counter");
    assert_eq!(checked, 3);
}

/// The inputs of a recorded session, which are `NAME=hex` separated by semicolons.
fn input<'a>(inputs: &'a str, name: &str) -> &'a str {
    inputs.split(';').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')).unwrap()
}

#[test]
fn protocol_02_keys_and_cryptograms_are_those_of_recorded_sessions() {
    let rows = rows("scp02.csv", include_str!("data/scp02.csv"), 34);
    let scratch = Scratch::new("scp02");
    let mut checked = 0;
    for inputs in rows.iter().filter(|row| row[2] == "inputs") {
        let of_session = |step: &str| {
            let row = rows.iter().find(|row| row[1] == inputs[1] && row[2] == step);
            row.map(|row| row[4].to_uppercase()).unwrap()
        };
        let files = ["ENC", "MAC", "DEK"].map(|name| scratch.file(name, input(&inputs[3], name)));
        let response = input(&inputs[3], "init_update_resp");
        let keys = format!(
            "--kenc @{} --kmac @{} --kdek @{} --sequence {}",
            files[0],
            files[1],
            files[2],
            &response[24..28]
        );
        let challenges = format!(
            "--host-challenge {} --card-challenge {}",
            input(&inputs[3], "host_challenge"),
            &response[28..40]
        );
        let scp02 = format!("--json diversify session scp02 --show-key {keys} {challenges}");
        let json = run(&scp02).done().json();
        assert_eq!(json["card_cryptogram"], of_session("card cryptogram"));
        assert_eq!(json["host_cryptogram"], of_session("host cryptogram"));
        let cps = run(&format!("--json diversify session cps --show-key {keys}")).done().json();
        assert!(cps.get("card_cryptogram").is_none());
        for (step, scp02, cps_name, cps_index) in
            [("S-ENC", 0, "skuenc", 0), ("S-MAC", 1, "skumac", 1), ("S-DEK", 3, "skudek", 2)]
        {
            assert_eq!(json["keys"][scp02]["name"], step.to_lowercase());
            assert_eq!(json["keys"][scp02]["key"], of_session(step));
            assert_eq!(cps["keys"][cps_index]["name"], cps_name);
            assert_eq!(cps["keys"][cps_index]["key"], of_session(step));
        }
        checked += 1;
    }
    println!("{checked} sessions of protocol 02");
    assert_eq!(checked, 3);
}

#[test]
fn challenges_of_protocol_02_come_together() {
    let scratch = Scratch::new("scp02-challenges");
    let key = scratch.file("key", BDK);
    let keys = format!("--kenc @{key} --kmac @{key} --kdek @{key} --sequence 0001");
    let sentence = run(&format!("diversify session scp02 {keys} --host-challenge 40A62C37FA6304F8")).usage();
    assert!(sentence.contains("--card-challenge <H>"), "{sentence}");
    let long = scratch.file("long", format!("{BDK}0123456776543210"));
    let keys = format!("--kenc @{key} --kmac @{long} --kdek @{key} --sequence 0001");
    let sentence = run(&format!("diversify session cps {keys}")).refused();
    assert_eq!(sentence, "--kmac: the derivation takes a double-length key");
}

#[test]
fn protocol_03_cryptograms_are_those_of_recorded_sessions() {
    let rows = rows("scp03.csv", include_str!("data/scp03.csv"), 47);
    let scratch = Scratch::new("scp03");
    let mut checked = 0;
    for inputs in rows.iter().filter(|row| row[2] == "inputs") {
        let of_session = |step: &str| rows.iter().find(|row| row[1] == inputs[1] && row[2] == step).unwrap();
        let files = ["ENC", "MAC"].map(|name| scratch.file(name, input(&inputs[3], name)));
        let card = of_session("card cryptogram");
        let (host_challenge, card_challenge) = card[3].split_at(16);
        let arguments = format!(
            "--kenc @{} --kmac @{} --host-challenge {host_challenge} --card-challenge {card_challenge}",
            files[0], files[1]
        );
        let done = run(&format!("diversify session scp03 {arguments}")).done();
        assert_eq!(done.value("card cryptogram"), card[4]);
        let host = &of_session("EXTERNAL AUTHENTICATE")[3];
        assert_eq!(done.value("host cryptogram"), host.strip_prefix("HOST CRYPTOGRAM ").unwrap());
        let names: Vec<&str> = done
            .stdout
            .lines()
            .filter_map(|line| line.trim().split(' ').find(|name| name.starts_with("s-")))
            .collect();
        assert_eq!(names, ["s-enc", "s-mac", "s-rmac"]);
        checked += 1;
    }
    println!("{checked} sessions of protocol 03");
    assert_eq!(checked, 5);
}

#[test]
fn cryptograms_are_the_published_ones() {
    let rows = rows("diversify_emv_ac.csv", include_str!("data/diversify_emv_ac.csv"), 29);
    let mut checked = [0; 3];
    for row in &rows {
        let [id, kind, key, data, expected, ..] = row.as_slice() else { panic!("{row:?}") };
        let words: Vec<&str> = data.split(' ').collect();
        let (index, arguments) =
            match (kind.trim_start_matches("CVN10-").trim_start_matches("CVN18-"), &words[..]) {
                ("ARQC", [data]) => (0, format!("ac --data {data}")),
                ("ARPC1" | "ARPC", [request, "ARC", code]) => {
                    (1, format!("arpc1 --arqc {request} --arc {code}"))
                }
                ("ARPC2", [request, "CSU", update]) => (2, format!("arpc2 --arqc {request} --csu {update}")),
                ("ARPC2", [request, "CSU", update, "PAD", proprietary]) => {
                    (2, format!("arpc2 --arqc {request} --csu {update} --proprietary {proprietary}"))
                }
                _ => continue,
            };
        let done = run_with(&format!("diversify cryptogram {arguments} --key -"), key).done();
        assert_eq!(done.stdout, format!("cryptogram: {expected}\n"), "{id}");
        checked[index] += 1;
    }
    println!("{checked:?} cryptograms, responses by method 1 and by method 2");
    assert_eq!(checked, [6, 6, 7]);
}

#[test]
fn the_cryptogram_of_a_transaction_has_both_its_names_everywhere() {
    let session = |name: &str| {
        session(&format!("emv --use mac --method common --{name} 1122334455667788"), BDK).done().stdout
    };
    assert_eq!(session("cryptogram"), session("arqc"));
    let arpc = |name: &str| {
        let arpc = format!("diversify cryptogram arpc1 --key - --arc 3030 --{name} 1122334455667788");
        run_with(&arpc, BDK).done().stdout
    };
    assert_eq!(arpc("cryptogram"), arpc("arqc"));
}

#[test]
fn cryptograms_know_two_paddings_and_two_ciphers() {
    let ac = |more: &str| {
        run_with(&format!("diversify cryptogram ac --key - --data 0123456789ABCDEF01 {more}"), BDK)
    };
    assert_eq!(ac("").done().stdout, ac("--padding 80").done().stdout);
    assert_ne!(ac("").done().stdout, ac("--padding zeros").done().stdout);
    assert_ne!(ac("").done().stdout, ac("--cipher aes").done().stdout);
    assert_eq!(ac("--cipher aes --padding 80").usage(), "--padding is not used: CMAC pads by itself");
    let long = "diversify cryptogram arpc2 --key - --arqc 1122334455667788 --csu 00000000 --proprietary";
    let sentence = run_with(&format!("{long} 112233445566778899"), BDK).usage();
    assert_eq!(sentence, "--proprietary: proprietary authentication data is at most 8 bytes, found 9");
}

#[test]
fn script_macs_are_the_published_ones() {
    let rows = rows("diversify_emv_ac.csv", include_str!("data/diversify_emv_ac.csv"), 29);
    let mut checked = [0; 2];
    for row in rows.iter().filter(|row| ["SCRIPT-MAC", "CVN22-MAC"].contains(&row[1].as_str())) {
        let [id, _, key, message, expected, ..] = row.as_slice() else { panic!("{row:?}") };
        // Two messages have counter and cryptogram behind the header.
        let visa = ["EMVAC-24", "EMVAC-32"].contains(&id.as_str());
        let command = if visa {
            let ((header, rest), (counter, cryptogram)) =
                (message.split_at(10), (&message[10..14], &message[14..30]));
            format!("--command {header}{} --atc {counter} --cryptogram {cryptogram}", &rest[20..])
        } else {
            format!("--command {message}")
        };
        let done = run_with(&format!("diversify script mac --key - {command}"), key).done();
        assert_eq!(done.stdout, format!("mac: {expected}\n"), "{id}");
        checked[usize::from(visa)] += 1;
    }
    println!("{checked:?} MACs over the command, and with counter and cryptogram");
    assert_eq!(checked, [3, 2]);
}

const UDK: &str = "2F98ADEF3B4FFE0E5832759BB5D057D6";

#[test]
fn encrypted_pins_are_the_published_ones() {
    let rows = rows("diversify_emv_ac.csv", include_str!("data/diversify_emv_ac.csv"), 29);
    let scratch = Scratch::new("script-pin");
    let (pin, udk) = (scratch.file("pin", "9999"), scratch.file("udk", UDK));
    let mut checked = 0;
    for row in &rows {
        let scheme = match row[1].as_str() {
            "PINBLOCK2-ENC" => "mastercard".into(),
            "CCD-PIN-ENC" => "ccd".into(),
            "VIS-PIN-ENC" => format!("visa --udk @{udk}"),
            _ => continue,
        };
        let done =
            run_with(&format!("diversify script pin --scheme {scheme} --key - --pin @{pin}"), &row[2]).done();
        assert_eq!(done.value("encrypted pin"), row[4], "{}", row[0]);
        assert!(!done.stdout.contains("9999"));
        checked += 1;
    }
    println!("{checked} encrypted PINs");
    assert_eq!(checked, 3);
}

#[test]
fn the_current_pin_goes_into_visas_block() {
    // Row EMVAC-43 has the clear block: 08 before it, 80 and zeros behind, one block after the other.
    use cardroot::tdea::{Mode, TdeaKey};
    let mut expected = *b"\x08\x8C\x11\x99\xFF\xC4\xB0\x01\xF1\x80\0\0\0\0\0\0";
    let key = TdeaKey::from(u128::from_str_radix(BDK, 16).unwrap().to_be_bytes());
    key.cipher().encrypt(Mode::Ecb, &mut expected).unwrap();
    let scratch = Scratch::new("script-current-pin");
    let [udk, new, current] =
        [("udk", UDK), ("new", "9999"), ("current", "8888")].map(|(name, text)| scratch.file(name, text));
    let arguments = format!("--scheme visa --key - --udk @{udk} --pin @{new} --current-pin @{current}");
    let done = run_with(&format!("diversify script pin {arguments}"), BDK).done();
    assert_eq!(done.value("encrypted pin"), base16ct::upper::encode_string(&expected));
}

#[test]
fn script_arguments_that_are_wrong_missing_or_make_no_difference_are_refused() {
    let scratch = Scratch::new("script-usage");
    let (pin, long) = (scratch.file("pin", "9999"), format!("{BDK}0123456776543210"));
    let mac = |arguments: &str| run_with(&format!("diversify script mac --key - {arguments}"), BDK).usage();
    assert_eq!(
        mac("--command 84240000"),
        "--command: a command starts with 5 bytes: CLA, INS, P1, P2 and Lc"
    );
    assert!(mac("--command 8424000008 --atc 0001").contains("--cryptogram <H>"));
    assert!(mac("--command 8424000008 --cryptogram 1122334455667788").contains("--atc <H>"));
    let encrypt = |arguments: &str, key: &str| {
        run_with(&format!("diversify script pin --key - --pin @{pin} --scheme {arguments}"), key)
    };
    assert_eq!(encrypt("visa", BDK).usage(), "--udk is missing: --scheme visa needs it");
    assert_eq!(
        encrypt(&format!("ccd --udk @{pin}"), BDK).usage(),
        "--udk is not used: --scheme ccd does not take it"
    );
    assert_eq!(
        encrypt(&format!("mastercard --current-pin @{pin}"), BDK).usage(),
        "--current-pin is not used: --scheme mastercard does not take it"
    );
    assert_eq!(encrypt("ccd", &long).refused(), "--key: the derivation takes a double-length key");
    let mac = run_with("diversify script mac --key - --command 8424000008", &long).refused();
    assert_eq!(mac, "--key: the derivation takes a double-length key");
    let short = scratch.file("short", "999");
    let sentence =
        run_with(&format!("diversify script pin --scheme ccd --key - --pin @{short}"), BDK).refused();
    assert!(
        sentence.contains("expected 4 to 12 digits, found 3") && !sentence.contains("999 "),
        "{sentence}"
    );
}
