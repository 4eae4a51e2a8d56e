//! `cardroot pin`: PIN blocks made, opened and translated.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use assert_cmd::Command;
use common::{BDK, KSN, PROGRAM, Run, Scratch, base64, rows, run, run_command, run_with};

const PAN: &str = "4012345678909";
/// The block of ANS X9.24-1:2009 A.4.2, PIN 1234, under the key of [`KSN`].
const BLOCK: &str = "1B9C1845EB993A7A";
/// The base key of the example of ANS X9.24-3:2017 and the number of its first transaction.
const BDK_AES: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";
const KSN_AES: &str = "123456789012345600000001";
const ZONE: &str = "5DB50B454F8389ADCE573BE50861F2BF";

/// A folder with the keys of these tests and a PIN.
fn keys(test: &str) -> Scratch {
    let scratch = Scratch::new(test);
    scratch.file("bdk", BDK);
    scratch.file("bdk-aes", BDK_AES);
    scratch.file("zone", ZONE);
    scratch.file("pin", "1234\n");
    scratch
}

/// Runs with `@` before a name of the folder.
fn run_in(scratch: &Scratch, arguments: &str) -> Run {
    run(&in_folder(scratch, arguments))
}

fn in_folder(scratch: &Scratch, arguments: &str) -> String {
    arguments.replace('@', &format!("@{}/", scratch.path().display()))
}

fn published() -> Vec<Vec<String>> {
    let mut all = rows("pinblocks", include_str!("data/pinblocks.csv"), 12);
    all.extend(rows("pinblocks_more", include_str!("data/pinblocks_more.csv"), 10));
    all
}

#[test]
fn published_clear_blocks_decode_to_their_pin() {
    let mut decoded = 0;
    for row in published() {
        let (format, pin, pan, block) = (&row[0], &row[1], &row[2], &row[4]);
        if format == "4" || block.is_empty() {
            continue;
        }
        let pan = if pan.is_empty() { String::new() } else { format!("--pan {pan}") };
        let opened = run_with(&format!("pin decode --format {format} {pan} --show-pin"), block).done();
        assert_eq!(opened.value("pin"), pin);
        decoded += 1;
    }
    assert_eq!(decoded, 17);
}

#[test]
fn published_clear_blocks_of_formats_0_and_2_are_made() {
    let mut made = 0;
    for row in published() {
        let (format, pin, pan, block) = (&row[0], &row[1], &row[2], &row[4]);
        if !matches!(format.as_str(), "0" | "2") {
            continue;
        }
        let pan = if pan.is_empty() { String::new() } else { format!("--pan {pan}") };
        let encoded = run_with(&format!("pin encode --pin - --format {format} {pan} --show-pin"), pin).done();
        assert_eq!(encoded.value("block"), block);
        assert_eq!(encoded.value("enciphered"), "no");
        made += 1;
    }
    assert_eq!(made, 11);
}

#[test]
fn published_blocks_of_format_4_are_opened_from_hex_base64_and_raw_bytes() {
    let scratch = Scratch::new("pin-format-4");
    let mut opened = 0;
    for row in published() {
        let (format, pin, pan, block, key) = (&row[0], &row[1], &row[2], &row[4], &row[5]);
        if format != "4" || block.is_empty() {
            continue;
        }
        let key = scratch.file("key", key);
        let bytes = base16ct::mixed::decode_vec(block).unwrap();
        let files =
            [("hex", block.clone().into_bytes()), ("base64", base64(&bytes).into_bytes()), ("raw", bytes)];
        for (form, content) in files {
            let file = scratch.file(form, content);
            for form in [form, "auto"] {
                let decode = format!(
                    "pin decode --format 4 --key @{key} --pan {pan} --show-pin --input {form} {file}"
                );
                assert_eq!(run(&decode).done().value("pin"), pin, "{form}");
            }
        }
        opened += 1;
    }
    assert_eq!(opened, 3);
}

#[test]
fn defective_blocks_give_one_sentence() {
    for row in rows("fails_pinblocks", include_str!("data/fails_pinblocks.csv"), 41) {
        let (format, pan, block) = (&row[0], &row[1], &row[2]);
        let pan = if pan.is_empty() { PAN } else { pan };
        let sentence = run_with(&format!("pin decode --format {format} --pan {pan}"), block).refused();
        assert_eq!(sentence, "standard input is no PIN block of this PAN and format", "{}", row[3]);
    }
}

#[test]
fn published_block_of_tdes_dukpt_is_made_and_opened() {
    let scratch = keys("pin-dukpt");
    let key = format!("--bdk @bdk --ksn {KSN} --format 0 --pan {PAN}");
    let made = run_in(&scratch, &format!("pin encode --pin @pin {key}")).done();
    assert_eq!((made.value("block"), made.value("pan")), (BLOCK, "401******8909"));
    let opened = run_in(&scratch, &format!("pin decode {key} --block {BLOCK}")).done();
    assert_eq!(opened.value("valid"), "yes");
    assert!(!opened.stdout.contains("1234\n"), "{}", opened.stdout);
    scratch.file("ik", "6AC292FAA1315B4D858AB3A3D7D5933A");
    let key = key.replace("--bdk @bdk", "--ik @ik");
    assert_eq!(run_in(&scratch, &format!("pin encode --pin @pin {key}")).done().value("block"), BLOCK);
}

/// What `--from-…` or `--to-…` says of a link, and the formats of its blocks.
const LINKS: [(&str, &[u8]); 5] = [
    ("bdk @bdk --SIDE-ksn FFFF9876543210E00001", &[0, 1, 3]),
    ("bdk @bdk-aes --SIDE-ksn 123456789012345600000001", &[0, 1, 3, 4]),
    ("bdk @bdk-aes --SIDE-ksn 123456789012345600000001 --SIDE-key-type aes-128", &[4]),
    ("key @zone", &[0, 1, 3, 4]),
    ("bdk @bdk-aes --SIDE-ksn 123456789012345600000001 --SIDE-key-type tdea-3", &[0, 1, 3]),
];

/// The arguments of one side, or of a command with one key.
fn side(link: &str, side: &str, format: u8) -> String {
    let prefix = if side.is_empty() { String::new() } else { format!("{side}-") };
    format!("--{prefix}{} --{prefix}format {format}", link.replace("--SIDE-", &format!("--{prefix}")))
}

#[test]
fn every_allowed_translation_between_any_two_links_keeps_the_pin() {
    let scratch = keys("pin-translate");
    let (mut kept, mut refused) = (0, 0);
    for (from, from_formats) in LINKS {
        for (to, to_formats) in LINKS {
            for (from_format, to_format) in
                from_formats.iter().flat_map(|from| to_formats.iter().map(|to| (*from, *to)))
            {
                let encode = format!("pin encode --pin @pin --pan {PAN} {}", side(from, "", from_format));
                let block = run_in(&scratch, &encode).done().value("block").to_owned();
                let sides = format!("{} {}", side(from, "from", from_format), side(to, "to", to_format));
                let translated =
                    run_in(&scratch, &format!("pin translate {sides} --pan {PAN} --block {block}"));
                if from_format != 1 && to_format == 1 {
                    let sentence =
                        "--to-format: format 1 would lose the account number that the PIN block is bound to";
                    assert_eq!(translated.refused(), sentence);
                    refused += 1;
                    continue;
                }
                let block = translated.done().value("block").to_owned();
                let decode =
                    format!("pin decode --pan {PAN} --show-pin --block {block} {}", side(to, "", to_format));
                assert_eq!(run_in(&scratch, &decode).done().value("pin"), "1234", "{sides}");
                kept += 1;
            }
        }
    }
    println!("{kept} translations, {refused} refused");
    // 15 formats of all links on either side; those to format 1 from all but format 1 are refused.
    assert_eq!((kept, refused), (15 * 15 - 11 * 4, 11 * 4));
}

#[test]
fn translation_into_format_0_gives_the_published_block() {
    let scratch = keys("pin-translate-published");
    let encode = format!("pin encode --pin @pin --pan {PAN} --key @zone --format 4");
    let block = run_in(&scratch, &encode).done().value("block").to_owned();
    let translate = format!(
        "--json pin translate --from-key @zone --from-format 4 --to-bdk @bdk --to-ksn {KSN} --to-format 0 --pan {PAN}"
    );
    let translated = run_with(&in_folder(&scratch, &translate), &block).done();
    let expected =
        serde_json::json!({"from_format": 4, "to_format": 0, "pan": "401******8909", "block": BLOCK});
    assert_eq!(translated.json(), expected);
}

#[test]
fn translation_of_a_wrong_block_key_or_pan_is_one_sentence() {
    let scratch = keys("pin-translate-wrong");
    let translate = |from: &str, pan: &str, block: &str| {
        let to = "--to-key @zone --to-format 3";
        run_in(&scratch, &format!("pin translate {from} --from-format 0 {to} --pan {pan} --block {block}"))
            .refused()
    };
    let right = format!("--from-bdk @bdk --from-ksn {KSN}");
    let sentence = "--block is no PIN block of this key, PAN and format";
    assert_eq!(translate(&right, "4999995678909", BLOCK), sentence);
    assert_eq!(translate("--from-key @zone", PAN, BLOCK), sentence);
    assert_eq!(translate(&right, PAN, "1B9C1845EB993A7B"), sentence);
    let sentence = "--block: expected a PIN block of 8 bytes, found 7";
    assert_eq!(translate(&right, PAN, "1B9C1845EB993A"), sentence);
}

#[test]
fn format_2_is_for_cards() {
    let scratch = keys("pin-format-2");
    let both = |from, to| {
        let sides = format!("--from-key @zone --from-format {from} --to-key @zone --to-format {to}");
        run_in(&scratch, &format!("pin translate {sides} --pan {PAN} --block {BLOCK}")).refused()
    };
    assert_eq!(both(0, 2), "--to-format: format 2 is for the card interface only");
    assert_eq!(both(2, 0), "--to-format: a PIN block in format 2 is not for interchange");
    let under_key = run_in(&scratch, "pin encode --format 2 --pin @pin --key @zone").usage();
    assert!(under_key.starts_with("--format: a block of format 2 goes to the card in clear"), "{under_key}");
}

#[test]
fn contradictory_arguments_are_wrong_usage() {
    let scratch = keys("pin-usage");
    let encode = "pin encode --pin @pin --format";
    for (arguments, sentence) in [
        (
            format!("{encode} 0 --pan {PAN}"),
            "a block in clear shows the PIN: give --key, or --bdk with --ksn, or say --show-pin",
        ),
        (
            format!("{encode} 0 --pan {PAN} --key @zone --show-pin"),
            "--show-pin is for blocks in clear; leave it out, or the key",
        ),
        (format!("{encode} 0 --key @zone"), "--pan is missing: a block of format 0 is bound to its PAN"),
        (format!("{encode} 4 --key @zone"), "--pan is missing: a block of format 4 is bound to its PAN"),
        (format!("{encode} 1 --bdk @bdk"), "a key is --key alone, or one of --bdk and --ik with --ksn"),
        (
            format!("{encode} 1 --key @zone --ksn {KSN}"),
            "a key is --key alone, or one of --bdk and --ik with --ksn",
        ),
        (
            format!("{encode} 1 --bdk @bdk --ksn {KSN} --key-type tdea-3"),
            "--key-type is for keys of AES DUKPT, whose --ksn has 12 bytes; leave it out",
        ),
        (
            format!("{encode} 4 --pan {PAN} --bdk @bdk --ksn {KSN}"),
            "--ksn: a block of format 4 is under an AES key, and all keys of TDES DUKPT are TDEA keys",
        ),
        (
            format!("{encode} 4 --pan {PAN} --bdk @bdk-aes --ksn {KSN_AES} --key-type tdea-2"),
            "--key-type: a block of format 4 is under an AES key",
        ),
        (
            format!("{encode} 1 --bdk @bdk-aes --ksn {KSN_AES} --key-type aes-128"),
            "--key-type: a block of format 1 is under a TDEA key, tdea-2 or tdea-3",
        ),
        (
            format!("pin decode --format 0 --pan {PAN} --block 041274EDCBA9876F"),
            "--block: a block in clear is as secret as the PIN; give it in a file or on standard input, or give the key",
        ),
        (
            format!("pin translate --from-format 1 --to-format 1 --from-key @zone --block {BLOCK}"),
            "a key is missing: give --to-key, or --to-bdk with --to-ksn",
        ),
        (
            format!(
                "pin translate --from-format 1 --to-format 0 --from-key @zone --to-key @zone --block {BLOCK}"
            ),
            "--pan is missing: a block of format 0 is bound to its PAN",
        ),
    ] {
        assert_eq!(run_in(&scratch, &arguments).usage(), sentence, "{arguments}");
    }
    let twice = run_with(&in_folder(&scratch, "pin decode --format 1 --key -"), ZONE).usage();
    assert_eq!(twice, "FILE: standard input is read for a secret already; give the message in a file");
    let too_strong = format!("{encode} 4 --pan {PAN} --bdk @bdk-aes --ksn {KSN_AES} --key-type aes-256");
    assert!(run_in(&scratch, &too_strong).refused().starts_with("--key-type: "));
}

#[test]
fn pin_is_no_argument_and_weak_keys_are_refused() {
    assert!(run("pin encode --format 1 --pin 1234 --show-pin").usage().contains("a secret is not taken"));
    let scratch = keys("pin-weak");
    scratch.file("weak", "0123456789ABCDEF0123456789ABCDEF");
    let weak = run_in(&scratch, "pin encode --format 1 --pin @pin --key @weak").refused();
    assert_eq!(weak, "--key must not be used: key parts 1 and 2 are equal");
}

#[test]
fn input_of_another_form_is_refused_with_its_place() {
    let scratch = keys("pin-input");
    let decode = |form: &str, content: &[u8]| {
        let arguments = in_folder(&scratch, &format!("pin decode --format 1 --key @zone --input {form}"));
        let mut command = Command::new(PROGRAM);
        run_command(command.args(arguments.split(' ')).write_stdin(content)).refused()
    };
    let other = "; other forms are read by --input";
    assert_eq!(
        decode("hex", b"1B9C1845EB993A7-"),
        format!("standard input: the character at offset 15 is no hexadecimal digit{other}")
    );
    assert_eq!(
        decode("base64", b"G5wYReuZ*no="),
        format!("standard input: the character at offset 8 is not of Base64{other}")
    );
    assert_eq!(
        decode("raw", b"1B9C1845EB993A7A"),
        "standard input: expected a PIN block of 8 bytes, found 16"
    );
    assert_eq!(decode("auto", b""), "standard input: expected a PIN block of 8 bytes, found 0");
}
