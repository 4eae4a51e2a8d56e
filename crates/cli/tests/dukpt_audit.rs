//! `cardroot dukpt audit`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use common::{Run, Scratch, run, run_with};

/// A line in which the outcome is none.
const BAD: &str = "1,,FFFF9876543210E00001,A1,taken,verified";

/// A name at two places by turns, with a counter used twice, and one that is as it should be.
const CLONED: &str = "\
# a day in June
time,source,ksn,request,outcome,mac
100,harbour,FFFF9876543210E00006,A1,accepted,verified
101,market,9876543210A00001,B1,accepted,verified
107,airport,FFFF9876543210E00007,A2,accepted,verified
160,harbour,FFFF9876543210E00007,A3,refused,verified
170,market,9876543210A00002,B2,accepted,verified
";

const CLEAN: &str = "\
time,source,ksn,request,outcome,mac
100,harbour,FFFF9876543210E00006,A1,accepted,verified
107,harbour,FFFF9876543210E00007,A2,accepted,absent
108,harbour,FFFF9876543210E00007,A2,repeated,absent
";

fn audit(record: &str, options: &str) -> Run {
    run_with(&format!("dukpt audit {options}"), record)
}

#[test]
fn signs_of_a_clone_are_reported_and_refused() {
    let run = audit(CLONED, "--json");
    let report = run.json();
    assert_eq!((&report["messages"], &report["names"]), (&5.into(), &2.into()));
    let findings = report["findings"].as_array().unwrap();
    let signs: Vec<_> = findings.iter().map(|finding| finding["sign"].as_str().unwrap()).collect();
    assert_eq!(signs, ["two messages under one counter", "two places by turns"]);
    assert_eq!(findings[0]["name"], "TDES FFFF9876543210E0");
    assert_eq!((&findings[0]["times"], &findings[0]["with_macs"]), (&1.into(), &1.into()));
    assert_eq!(
        findings[0]["first"],
        "counter 0x7 accepted at \"airport\", time 107; then counter 0x7 refused at \"harbour\", time 160"
    );
    assert_eq!(
        run.refused(),
        "there are signs of cloned terminals: see findings; each may have a harmless cause"
    );
}

#[test]
fn a_record_without_signs_is_done() {
    let report = audit(CLEAN, "").done();
    assert_eq!((report.value("messages"), report.value("findings")), ("3", "none"));
    let empty = audit("time,source,ksn,request,outcome,mac\n", "").done();
    assert_eq!(empty.value("messages"), "0");
}

/// As from a command before it in a pipe that failed: an audit of nothing finds nothing.
#[test]
fn no_record_at_all_is_refused() {
    for nothing in ["", "\n", "# a remark\n"] {
        let sentence = audit(nothing, "").refused();
        assert_eq!(
            sentence,
            "standard input, line 1: nothing is there, not even the line of names: no record was given"
        );
    }
}

#[test]
fn json_lines_say_the_same() {
    let scratch = Scratch::new("audit_jsonl");
    let lines: Vec<String> = CLONED
        .lines()
        .skip(2)
        .map(|line| {
            let [time, source, ksn, request, outcome, mac] = line.split(',').collect::<Vec<_>>()[..] else { panic!() };
            format!(
                r#"{{"time": {time}, "source": "{source}", "ksn": "{ksn}", "request": "{request}", "outcome": "{outcome}", "mac": "{mac}"}}"#
            )
        })
        .collect();
    let file = scratch.file("record.jsonl", lines.join("\n"));
    let by_name = run(&format!("dukpt audit {file}"));
    let by_option = audit(&lines.join("\n\n"), "--format jsonl");
    assert_eq!((by_name.status, &by_name.stdout), (1, &audit(CLONED, "").stdout));
    assert_eq!(by_option.stdout, by_name.stdout);
}

#[test]
fn thresholds_wrong_macs_and_aes_names_count() {
    let record = "\
ksn,time,outcome,request
123456789012345600000001,1,not-authentic,00
123456789012345600000001,2,not-authentic,01
";
    let report = audit(record, "--json").json();
    assert_eq!(report["findings"][0]["name"], "AES 1234567890123456");
    assert_eq!(
        (&report["findings"][0]["sign"], &report["findings"][0]["times"]),
        (&"a wrong MAC".into(), &2.into())
    );
    let jump = "time,ksn,request,outcome,mac\n1,FFFF9876543210E00001,00,accepted,verified\n2,FFFF9876543210E00010,01,accepted,verified\n";
    audit(jump, "").done();
    assert_eq!(audit(jump, "--jump 10 --json").json()["findings"][0]["sign"], "a counter that jumped");
}

#[test]
fn requests_are_compared_by_their_first_16_bytes() {
    let line = |request: &str| format!("1,FFFF9876543210E00001,{request},accepted,verified\n");
    let record = |first: &str, second: &str| {
        let record = format!("time,ksn,request,outcome,mac\n{}{}", line(first), line(second));
        audit(&record, "--json").json()["findings"][0]["sign"].as_str().unwrap().to_owned()
    };
    let digest = "AB".repeat(16);
    assert_eq!(record(&digest, &format!("{digest}CD")), "an old message again");
    assert_eq!(record(&digest, &digest.replacen("AB", "AC", 1)), "two messages under one counter");
}

#[test]
fn lines_that_are_not_understood_are_named() {
    let head = "time,source,ksn,request,outcome,mac\n";
    for (line, what) in [
        ("x,,FFFF9876543210E00001,A1,accepted,verified", "invalid digit"),
        (
            "1,,FFFF98,A1,accepted,verified",
            "line 2: ksn: a key serial number in a message is 5 to 10 bytes, found 3; one of AES DUKPT has 12",
        ),
        (
            "1,,FFFF9876543210E0000G,A1,accepted,verified",
            "line 2: ksn: the character at offset 19 is no hexadecimal digit",
        ),
        ("1,,FFFF9876543210E00001,,accepted,verified", "line 2: request: there is nothing"),
        ("1,,FFFF9876543210E00001,A1,taken,verified", "unknown variant"),
        (
            "1,,FFFF9876543210E00001,A1,accepted,",
            "line 2: mac: a message that was judged says verified or absent",
        ),
        ("1,FFFF9876543210E00001", "line 2"),
    ] {
        let run = audit(&format!("{head}{line}\n"), "");
        assert_eq!(run.stdout, "");
        let sentence = run.refused();
        assert!(
            sentence.starts_with("standard input, line 2") && sentence.contains(what),
            "{line}: {sentence}"
        );
    }
    let columns = audit(&format!("{head}1,FFFF9876543210E00001\n"), "").refused();
    assert_eq!(columns, "standard input, line 2: 2 columns, and 6 names above them");
    let names = audit("time,place\n1,x\n", "").refused();
    assert!(names.contains("unknown field `place`"), "{names}");
    let json = audit("{\"time\": 1}\n", "--format jsonl").refused();
    assert!(json.starts_with("standard input, line 1: missing field"), "{json}");
    assert!(run("dukpt audit /nowhere/record.csv").refused().contains("can't be read"));
}

#[test]
fn remarks_and_blank_lines_count_as_lines() {
    let head = "time,source,ksn,request,outcome,mac";
    let good = "1,,FFFF9876543210E00001,A1,accepted,verified";
    for (before, line) in [
        (vec![head], 2),
        (vec!["# a remark", head, good], 4),
        (vec!["", "# a remark", "", head, "", "# another", "#", "", good, "", ""], 12),
    ] {
        for (end, last) in [("\n", "\n"), ("\n", ""), ("\r\n", "\r\n"), ("\r\n", "")] {
            for (bad, what) in [
                (BAD, "unknown variant `taken`"),
                ("1,FFFF9876543210E00001", "2 columns, and 6 names above them"),
                ("1,,FFFF98,A1,accepted,verified", "ksn: a key serial number"),
            ] {
                let record = format!("{}{end}{bad}{last}", before.join(end));
                let sentence = audit(&record, "").refused();
                let expected = format!("standard input, line {line}: {what}");
                assert!(sentence.starts_with(&expected), "{record:?}: {sentence}");
                // What follows makes no difference.
                let record = format!("{record}{end}# a remark{end}{end}{good}{end}");
                assert!(last.is_empty() || audit(&record, "").refused().starts_with(&expected));
            }
        }
    }
}
