//! Text and JSON, exit status, closed pipes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

extern crate alloc;

mod common;

use alloc::collections::BTreeMap;
use std::fs::File;
use std::io::pipe;
use std::process::{Command, Stdio};

use common::{BDK, KSN, PROGRAM, run, run_with};
use serde_json::Value;

#[test]
fn text_and_json_have_the_same_content() {
    let mut members = 0;
    for (arguments, stdin) in [
        ("key check --key -", BDK),
        ("diversify pboc --key - --factor 1122334455667788 --factor 3332000000000000 --show-key", BDK),
        ("diversify emv --option a --key - --pan 1234567890123456 --psn 01", BDK),
        ("diversify gp --template visa --key - --kdd 00010203040506070809 --show-key", BDK),
        (&format!("dukpt ik --bdk - --ksn {KSN}"), BDK),
        (&format!("dukpt derive --bdk - --ksn {KSN} --use pin --show-key"), BDK),
        (&format!("dukpt next --ksn {KSN}"), ""),
        (
            &format!(
                "dukpt decrypt-pin --bdk - --ksn {KSN} --pan 4012345678909 --block 1B9C1845EB993A7A --show-pin"
            ),
            BDK,
        ),
        ("smid profile list", ""),
        (&format!("smid encode --profile key-name --smid {KSN}"), ""),
        (&format!("smid decode --profile key-name --layout 40:19:21 {KSN}"), ""),
        ("iso8583 dialect list", ""),
        ("iso8583 encode --dialect iso8583-1987-ascii", r#"{"mti": "0800", "fields": {"11": "000042"}}"#),
        (
            "iso8583 check --raw --dialect iso8583-1987-ascii",
            "01007000000000000000164242424242424242123456000000000100",
        ),
        ("apdu parse 00A40000023F00", ""),
        ("apdu parse --response 9000", ""),
        ("apdu run - --reader sim:user --show-data", "> 00A40000023F00\n< 9000\n> 00A40000021234\n"),
    ] {
        let text = run_with(arguments, stdin).done().stdout;
        let json = run_with(&format!("--json {arguments}"), stdin).done().json();
        let shown = members_of_text(&text);
        assert_eq!(shown, members_of_json(&json), "{arguments}");
        members += shown.len();
    }
    println!("{members} members");
    assert_eq!(members, 79);
}

/// What a member holds, in words.
#[derive(Debug, Eq, PartialEq)]
enum Member {
    Line(String),
    Table(Vec<BTreeMap<String, String>>),
}

fn members_of_text(text: &str) -> BTreeMap<String, Member> {
    let mut members = BTreeMap::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let (name, value) = line.split_once(':').unwrap();
        let mut rows = Vec::new();
        while let Some(row) = lines.next_if(|line| line.starts_with("  ")) {
            rows.push(row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).map(str::to_owned));
        }
        let member = match (value.trim(), rows.split_first()) {
            ("", Some((header, rows))) => {
                Member::Table(rows.iter().map(|row| header.clone().zip(row.clone()).collect()).collect())
            }
            ("none", None) => Member::Table(Vec::new()),
            (value, _) => Member::Line(value.to_owned()),
        };
        assert!(members.insert(name.to_owned(), member).is_none(), "{name} twice");
    }
    members
}

fn members_of_json(json: &Value) -> BTreeMap<String, Member> {
    let label = |name: &String| name.replace('_', " ");
    let members = json.as_object().unwrap().iter().map(|(name, value)| {
        let member = match value {
            Value::Array(rows) => Member::Table(
                rows.iter()
                    .map(|row| {
                        row.as_object()
                            .unwrap()
                            .iter()
                            .map(|(name, value)| (label(name), word(value)))
                            .collect()
                    })
                    .collect(),
            ),
            value => Member::Line(word(value)),
        };
        (label(name), member)
    });
    members.collect()
}

fn word(value: &Value) -> String {
    match value {
        Value::Null => "-".into(),
        Value::Bool(flag) => if *flag { "yes" } else { "no" }.into(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(_) | Value::Object(_) => panic!("nested: {value}"),
    }
}

#[test]
fn json_may_stand_anywhere() {
    let before = run("--json smid profile list").done().stdout;
    assert_eq!(run("smid --json profile list").done().stdout, before);
    assert_eq!(run("smid profile list --json").done().stdout, before);
}

#[test]
fn closed_pipe_ends_the_output_quietly() {
    for arguments in
        ["smid profile list", "--json iso8583 dialect list", "--help", "dukpt derive --help", "--version"]
    {
        let (reader, writer) = pipe().unwrap();
        drop(reader);
        let output = Command::new(PROGRAM)
            .args(arguments.split(' '))
            .stdin(Stdio::null())
            .stdout(writer)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
            .wait_with_output()
            .unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{arguments}");
    }
}

#[test]
fn closed_standard_error_changes_nothing_but_the_sentence() {
    let (reader, writer) = pipe().unwrap();
    drop(reader);
    let status = Command::new(PROGRAM)
        .args(["dukpt", "next", "--ksn", "FFFF9876543210FFF800"])
        .stderr(writer)
        .status();
    assert_eq!(status.unwrap().code(), Some(1));
}

#[cfg(target_os = "linux")]
#[test]
fn full_device_is_a_failure() {
    let output = Command::new(PROGRAM)
        .args(["smid", "profile", "list"])
        .stdout(File::options().write(true).open("/dev/full").unwrap())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
        .wait_with_output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stderr.starts_with(b"error: standard output can't be written: "));
}

#[test]
fn wrong_usage_is_one_sentence_that_leads_on() {
    for (arguments, sentence) in [
        ("key check", "the following required arguments were not provided: --key <K>; try --help"),
        ("key chek --key -", "unrecognized subcommand 'chek'; try --help"),
        (
            "key generate --length single",
            "invalid value 'single' for '--length <LENGTH>' [possible values: double, triple]; try --help",
        ),
        ("key check --key - --kcv-len 9", "--kcv-len <N>: 9 is not in 2..=8"),
    ] {
        assert_eq!(run(arguments).usage(), sentence);
    }
}

#[test]
fn every_command_has_help_with_an_example() {
    for command in [
        "key generate",
        "key check",
        "component split",
        "component combine",
        "diversify pboc",
        "diversify emv",
        "diversify gp",
        "dukpt ik",
        "dukpt derive",
        "dukpt next",
        "dukpt decrypt-pin",
        "smid encode",
        "smid decode",
        "iso8583 decode",
        "iso8583 encode",
        "iso8583 check",
        "apdu parse",
        "apdu run",
    ] {
        let help = run(&format!("{command} --help")).done().stdout;
        assert!(help.contains("Example"), "{command}");
        assert!(help.contains(&format!("cardroot {command} ")), "{command}");
    }
    assert_eq!(run("--version").done().stdout, concat!("cardroot ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn group_without_command_is_wrong_usage_and_shows_its_help() {
    let shown = run("dukpt");
    assert_eq!((shown.status, shown.stdout.as_str()), (2, ""));
    assert!(shown.stderr.contains("decrypt-pin"));
}
