//! `cardroot dukpt receiver`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use core::time::Duration;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;

use cardroot::dukpt::guard::Policy;
use cardroot::store::RedbGuard;
use common::{BDK, KSN, PROGRAM, Run, Scratch, rows, run, run_command, run_with};

/// The text of ANS X9.24-1 Annex A.4, and the MAC of its first transaction.
const TEXT: &str = "4012345678909D987";
const MAC: &str = "9CCC78173FC4FB64";

/// A receiver in a folder of its own.
struct Receiver {
    scratch: Scratch,
}

impl Receiver {
    fn new(test: &str) -> Self {
        let scratch = Scratch::new(test);
        scratch.file("bdk", BDK);
        scratch.file("text", TEXT);
        Self { scratch }
    }

    fn created(test: &str) -> Self {
        let receiver = Self::new(test);
        receiver.run("create", "").done();
        receiver
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    fn store(&self) -> String {
        self.path("counters").display().to_string()
    }

    fn run(&self, command: &str, options: &str) -> Run {
        run(&format!("dukpt receiver {command} {} {options}", self.store()))
    }

    fn arguments(&self, options: &str) -> String {
        let folder = self.scratch.path().display();
        format!("dukpt receiver accept --store {} --bdk @{folder}/bdk {options}", self.store())
    }

    fn accept(&self, options: &str) -> Run {
        run(&self.arguments(options))
    }

    /// A message with a MAC over the text.
    fn message(&self, ksn: &str, mac: &str) -> Run {
        self.accept(&self.authentic(ksn, mac))
    }

    fn authentic(&self, ksn: &str, mac: &str) -> String {
        format!("--ksn {ksn} --expect {mac} --raw {}", self.path("text").display())
    }

    /// A message without a MAC.
    fn claim(&self, counter: u32, request: &str, options: &str) -> Run {
        self.accept(&format!("--ksn {} --no-mac --request {request} {options}", ksn(counter)))
    }

    fn record_option(&self, name: &str) -> String {
        format!("--record {}", self.path(name).display())
    }

    /// The sentence of a refused command, the store in front of it checked and left out.
    #[track_caller]
    fn refusal(&self, run: Run) -> String {
        assert_eq!(run.stdout, "");
        let sentence = run.refused();
        sentence.strip_prefix(&self.store()).unwrap_or_else(|| panic!("{sentence}")).trim_start().to_owned()
    }

    /// Changes a number that the closed store describes itself by.
    fn describe(&self, name: &str, value: u64) {
        const STORE: redb::TableDefinition<'_, &str, u64> = redb::TableDefinition::new("cardroot.store");
        let transaction = redb::Database::open(self.store()).unwrap().begin_write().unwrap();
        transaction.open_table(STORE).unwrap().insert(name, value).unwrap();
        transaction.commit().unwrap();
    }
}

fn ksn(counter: u32) -> String {
    format!("FFFF9876543210{:06X}", 0xE0_0000 | counter)
}

#[track_caller]
fn assert_verdict(run: &Run, verdict: &str, reason: &str) {
    assert_eq!((run.value("verdict"), run.value("reason")), (verdict, reason), "{run:?}");
    assert_eq!(run.status, i32::from(!matches!(verdict, "accepted" | "repeated")));
}

#[test]
fn annex_a4_messages_are_accepted_once_and_then_repeated() {
    let mut rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    rows.sort_by(|one, other| one[1].cmp(&other[1]));
    let receiver = Receiver::created("receiver_annex_a4");
    for row in &rows {
        assert_verdict(&receiver.message(&row[1], &row[9]).done(), "accepted", "-");
        assert_verdict(&receiver.message(&row[1], &row[9]).done(), "repeated", "-");
    }
    let first = receiver.message(&rows[0][1], &rows[0][9]);
    assert_verdict(&first, "refused", "below");
}

#[test]
fn a_forged_message_does_not_move_the_memory() {
    let receiver = Receiver::created("receiver_forged");
    for (ksn, mac) in
        [("FFFF9876543210F00000", MAC), (KSN, "9CCC78173FC4FB65"), (KSN, "9CCC79"), (KSN, "9CCC78")]
    {
        let run = receiver.message(ksn, mac);
        assert_verdict(&run, "not-authentic", "mac");
        assert_eq!(run.value("mac"), "-");
        let sentence = run.refused();
        assert!(sentence.contains("the memory was not asked; dukpt diagnose mac"), "{sentence}");
    }
    let first = receiver.message(KSN, "9CCC7817").done();
    assert_verdict(&first, "accepted", "-");
    assert_eq!((first.value("mac"), first.value("highest before")), ("verified", "-"));
    assert_eq!(first.value("request"), "9CCC7817000000000000000000000000");
}

#[test]
fn the_request_tells_a_repeat_from_a_replay() {
    let receiver = Receiver::created("receiver_request");
    let digest = "AB".repeat(16);
    assert_verdict(&receiver.claim(6, &digest, "").done(), "accepted", "-");
    // Of more than 16 bytes, the first 16 count: as in the audit.
    assert_verdict(&receiver.claim(6, &format!("{digest}00"), "").done(), "repeated", "-");
    let replay = receiver.claim(6, "AC", "");
    assert_verdict(&replay, "refused", "replay");
    assert_eq!(
        replay.refused(),
        "transaction counter 0x6 was accepted before: a replay; do nothing for it, and have dukpt audit look for a clone of the terminal"
    );
    // A request of one's own goes before the MAC.
    let options = receiver.authentic("FFFF9876543210E00007", "CCF6A2B0");
    assert_verdict(&receiver.accept(&options), "not-authentic", "mac");
    let options = format!("{} --request 01", receiver.authentic(KSN, MAC));
    assert_eq!(receiver.accept(&options).value("request"), format!("01{}", "00".repeat(15)));
}

#[test]
fn gaps_are_accepted_and_counted() {
    let receiver = Receiver::created("receiver_gap");
    receiver.claim(2, "A1", "").done();
    let late = receiver.claim(5, "A2", "--json").done().json();
    assert_eq!((&late["verdict"], &late["skipped_counters"]), (&"accepted".into(), &2.into()));
    assert_eq!((&late["highest_before"], &late["mac"]), (&"2".into(), &"absent".into()));
    let below = receiver.claim(4, "A3", "");
    assert_verdict(&below, "refused", "below");
    assert_eq!(below.value("highest before"), "5");
    assert!(below.refused().starts_with("transaction counter 0x4 is below 0x5, which was accepted last; "));
}

#[test]
fn names_without_a_transaction_are_refused_before_the_memory() {
    let receiver = Receiver::created("receiver_names");
    let zero = receiver.accept("--ksn FFFF9876543210E00000 --no-mac --request 01").refused();
    assert_eq!(zero, "--ksn: transaction counter is zero; give the number that came with the message");
    assert!(receiver.accept("--ksn FFFF9876543210FFFFFF --no-mac --request 01").refused().contains("ones"));
    assert!(receiver.accept("--ksn FFFF98 --no-mac --request 01").usage().starts_with("--ksn: "));
}

#[test]
fn a_message_without_proof_is_taken_only_if_that_is_said() {
    let receiver = Receiver::created("receiver_no_mac");
    let neither = receiver.accept(&format!("--ksn {KSN}")).usage();
    assert!(neither.contains("--expect"), "{neither}");
    let no_request = receiver.accept(&format!("--ksn {KSN} --no-mac")).usage();
    assert!(no_request.contains("--request"), "{no_request}");
    for idle in ["--expect 9CCC7817", "--use request", "--raw", "--method 3", "--edition 2004", "message"] {
        let sentence = receiver.claim(1, "01", idle).usage();
        assert!(sentence.contains("cannot be used with"), "{idle}: {sentence}");
    }
    let sentence = receiver.claim(1, "01", "--source harbour").usage();
    assert!(sentence.contains("--record"), "{sentence}");
    let response = receiver.accept(&format!("{} --use response", receiver.authentic(KSN, MAC))).usage();
    assert_eq!(response, "--use: a receiver gets requests; responses are what it sends");
}

#[test]
fn a_weak_or_wrong_base_key_is_refused() {
    let receiver = Receiver::created("receiver_keys");
    receiver.scratch.file("bdk", "0123456789ABCDEF".repeat(2));
    let sentence = receiver.message(KSN, MAC).refused();
    assert!(sentence.starts_with("--bdk must not be used: "), "{sentence}");
    receiver.scratch.file("bdk", "FEDCBA98765432100123456789ABCDEF");
    assert_verdict(&receiver.message(KSN, MAC), "not-authentic", "mac");
}

#[test]
fn what_a_terminal_sends_is_accepted_in_both_schemes() {
    let receiver = Receiver::created("receiver_terminal");
    receiver.scratch.file("device", "3C".repeat(64));
    let folder = receiver.scratch.path().display().to_string();
    for (scheme, name) in [("", "FFFF9876543210E00000"), ("--aes", "1234567890123456")] {
        let state = format!("--state {folder}/state{scheme} --device-key @{folder}/device");
        run(&format!("dukpt terminal load {state} {scheme} --bdk @{folder}/bdk --ksn {name}")).done();
        for skipped in ["0", "1", "1"] {
            let sent = run(&format!("dukpt terminal mac {state} --raw {folder}/text")).done();
            let options = format!("{scheme} {}", receiver.authentic(sent.value("ksn"), sent.value("mac")));
            let verdict = receiver.accept(&options).done();
            assert_verdict(&verdict, "accepted", "-");
            assert_eq!(verdict.value("skipped counters"), skipped);
            // A transaction that gets lost.
            run(&format!("dukpt terminal next {state} --use transaction")).done();
        }
    }
}

#[test]
fn a_window_takes_a_late_counter_once() {
    let receiver = Receiver::new("receiver_window");
    assert_eq!(receiver.run("create", "--window 3").done().value("policy"), "window 3");
    let window = "--window 3";
    receiver.claim(9, "A1", window).done();
    let late = receiver.claim(6, "A2", window).done();
    assert_eq!((late.value("highest before"), late.value("skipped counters")), ("9", "0"));
    assert_verdict(&receiver.claim(6, "A3", window), "refused", "replay");
    assert_verdict(&receiver.claim(5, "A4", window), "refused", "below");
    for width in ["0", "64", "x"] {
        receiver.claim(9, "A1", &format!("--window {width}")).usage();
    }
}

#[test]
fn another_policy_is_a_decision_of_its_own() {
    let receiver = Receiver::created("receiver_policy");
    receiver.claim(9, "A1", "").done();
    assert_eq!(
        receiver.refusal(receiver.claim(8, "A2", "--window 3")),
        "keeps the policy strict, not window 3: leave out --window, or change it by dukpt receiver policy"
    );
    let changed = receiver.run("policy", "--window 3").done();
    assert_eq!((changed.value("policy before"), changed.value("policy")), ("strict", "window 3"));
    assert_eq!(
        receiver.refusal(receiver.claim(8, "A2", "")),
        "keeps the policy window 3, not strict: give --window 3, or change it by dukpt receiver policy"
    );
    assert_verdict(&receiver.claim(9, "A3", "--window 3"), "refused", "replay");
    assert_verdict(&receiver.claim(8, "A2", "--window 3").done(), "accepted", "-");
    let changed = receiver.run("policy", "--strict").done();
    assert_eq!((changed.value("policy before"), changed.value("policy")), ("window 3", "strict"));
    assert_verdict(&receiver.claim(7, "A4", ""), "refused", "below");
    let same = receiver.run("policy", "--strict").done();
    assert_eq!(same.value("policy before"), "strict");
    receiver.run("policy", "").usage();
    receiver.run("policy", "--strict --window 3").usage();
}

#[test]
fn stores_are_made_once_and_found_or_not_used() {
    let receiver = Receiver::created("receiver_create");
    receiver.claim(1, "A1", "").done();
    assert_eq!(
        receiver.refusal(receiver.run("create", "")),
        "exists and is not overwritten: name another file"
    );
    assert_verdict(&receiver.claim(1, "A1", "").done(), "repeated", "-");
    let other = Receiver::new("receiver_missing");
    for run in [other.claim(1, "A1", ""), other.run("policy", "--strict"), other.run("migrate", "")] {
        assert_eq!(
            other.refusal(run),
            "does not exist: dukpt receiver create makes it, once; if there was one, find it, since an empty one accepts every old message once more"
        );
    }
    assert_eq!(other.scratch.names(), ["bdk", "text"]);
    let nowhere = run("dukpt receiver create /nowhere/counters").refused();
    assert_eq!(nowhere, "/nowhere/counters can't be made: its folder does not exist; make that first");
}

#[test]
fn a_store_in_use_is_waited_for() {
    let receiver = Receiver::created("receiver_in_use");
    let guard = RedbGuard::open(receiver.store(), Policy::Strict).unwrap();
    assert_eq!(
        receiver.refusal(receiver.claim(1, "A1", "")),
        "is in use by another process: wait for it to end and repeat the command"
    );
    drop(guard);
    receiver.claim(1, "A1", "").done();
}

#[test]
fn an_older_store_is_migrated_and_a_newer_one_left_alone() {
    let receiver = Receiver::created("receiver_migrate");
    receiver.claim(1, "A1", "").done();
    receiver.describe("version", 1);
    assert_eq!(
        receiver.refusal(receiver.claim(1, "A1", "")),
        "has the layout of an older program (version 1, this one has 2): dukpt receiver migrate brings it to that of this one"
    );
    for before in ["1", "2"] {
        let migrated = receiver.run("migrate", "").done();
        assert_eq!((migrated.value("version before"), migrated.value("version")), (before, "2"));
    }
    assert_verdict(&receiver.claim(1, "A1", "").done(), "repeated", "-");
    receiver.describe("version", 3);
    for run in [receiver.claim(1, "A1", ""), receiver.run("migrate", "")] {
        assert_eq!(
            receiver.refusal(run),
            "has the layout of a newer program (version 3, this one has 2): use that"
        );
    }
}

#[test]
fn damaged_and_other_files_are_named_and_left_alone() {
    let receiver = Receiver::created("receiver_damaged");
    let whole = fs::read(receiver.store()).unwrap();
    for (content, expected) in [
        (&whole[..whole.len() / 2], "is damaged ("),
        (b"".as_slice(), "is no store of counters; it was left as it is: name another file"),
        (b"time,source\n", "is no store of counters; it was left as it is: name another file"),
    ] {
        fs::write(receiver.store(), content).unwrap();
        for run in
            [receiver.claim(1, "A1", ""), receiver.run("policy", "--strict"), receiver.run("migrate", "")]
        {
            let sentence = receiver.refusal(run);
            assert!(sentence.starts_with(expected), "{sentence}");
        }
        assert_eq!(fs::read(receiver.store()).unwrap(), content);
    }
}

#[cfg(unix)]
#[test]
fn on_a_full_disk_nothing_is_accepted() {
    let receiver = Receiver::created("receiver_full");
    let claim = receiver.arguments(&format!("--ksn {KSN} --no-mac --request A1"));
    let script = format!("trap '' XFSZ; ulimit -f 0; exec {PROGRAM} {claim}");
    let sentence = receiver.refusal(run_command(assert_cmd::Command::new("sh").args(["-c", &script])));
    assert_eq!(
        sentence,
        "has no space left on the disk; nothing was accepted: make room and repeat the command"
    );
    assert_verdict(&receiver.claim(1, "A1", "").done(), "accepted", "-");
}

/// The record of one message of each kind.
fn recorded(receiver: &Receiver, name: &str) -> String {
    let option = format!("{} --source harbour,east", receiver.record_option(name));
    let message = |ksn, mac| receiver.accept(&format!("{option} {}", receiver.authentic(ksn, mac)));
    message(KSN, MAC).done();
    message(KSN, MAC).done();
    message("FFFF9876543210E00002", MAC).refused();
    receiver.claim(1, "A1", &option).refused();
    receiver.scratch.read(name)
}

#[test]
fn the_record_is_what_the_audit_reads() {
    let mut reports = vec![];
    for name in ["record.csv", "record.jsonl"] {
        let receiver = Receiver::created(&format!("receiver_{name}"));
        let record = recorded(&receiver, name);
        assert_eq!(record.lines().count(), if name == "record.csv" { 5 } else { 4 });
        let audit = run(&format!("--json dukpt audit {}", receiver.path(name).display()));
        let report = audit.json();
        assert_eq!((audit.status, &report["messages"]), (1, &4.into()));
        let signs = report["findings"].as_array().unwrap().iter().map(|finding| finding["sign"].clone());
        reports.push(signs.collect::<Vec<_>>());
    }
    assert_eq!(reports[0], reports[1]);
    assert_eq!(reports[0], ["two messages under one counter", "a wrong MAC"]);
}

#[test]
fn the_lines_of_a_record_are_these() {
    let receiver = Receiver::created("receiver_record");
    let record = recorded(&receiver, "record.csv");
    let lines: Vec<(&str, &str)> = record.lines().map(|line| line.split_once(',').unwrap()).collect();
    let rest: Vec<&str> = lines.iter().map(|(_, rest)| *rest).collect();
    assert_eq!(
        rest,
        [
            "source,ksn,request,outcome,mac",
            r#""harbour,east",FFFF9876543210E00001,9CCC78173FC4FB640000000000000000,accepted,verified"#,
            r#""harbour,east",FFFF9876543210E00001,9CCC78173FC4FB640000000000000000,repeated,verified"#,
            r#""harbour,east",FFFF9876543210E00002,9CCC78173FC4FB640000000000000000,not-authentic,"#,
            r#""harbour,east",FFFF9876543210E00001,A1000000000000000000000000000000,refused,absent"#,
        ]
    );
    // Seconds since 1970: later than 2025.
    assert!(lines[1..].iter().all(|(time, _)| time.parse::<u64>().unwrap() > 1_735_689_600));
}

#[test]
fn a_record_that_takes_no_line_is_refused_before_the_memory_is_asked() {
    let receiver = Receiver::created("receiver_record_other");
    receiver.scratch.file("other.csv", "ksn,time\n");
    let sentence = receiver.claim(1, "A1", &receiver.record_option("other.csv")).refused();
    assert!(
        sentence
            .ends_with("does not begin with the line time,source,ksn,request,outcome,mac: name another file"),
        "{sentence}"
    );
    assert_eq!(receiver.scratch.read("other.csv"), "ksn,time\n");
    let sentence = receiver.claim(1, "A1", "--record /nowhere/record.csv").refused();
    assert!(sentence.starts_with("/nowhere/record.csv can't be written: "), "{sentence}");
    assert_verdict(&receiver.claim(1, "A1", "").done(), "accepted", "-");
}

#[test]
fn a_cut_line_of_a_record_spoils_no_other() {
    let receiver = Receiver::created("receiver_record_cut");
    for (name, line) in [("cut.csv", "time,source,ksn,request,outcome,mac\n17"), ("cut.jsonl", "{\"ti")] {
        receiver.scratch.file(name, line);
        receiver.claim(1, "A1", &receiver.record_option(name)).done();
        let record = receiver.scratch.read(name);
        assert!(record.starts_with(&format!("{line}\n")) && record.ends_with('\n'), "{record}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_verdict_that_can_not_be_recorded_stands() {
    let receiver = Receiver::created("receiver_record_full");
    std::os::unix::fs::symlink("/dev/full", receiver.path("full.jsonl")).unwrap();
    let run = receiver.claim(1, "A1", &receiver.record_option("full.jsonl"));
    assert_eq!(run.value("verdict"), "accepted");
    let sentence = run.refused();
    assert!(sentence.starts_with("the verdict stands, and is not recorded: "), "{sentence}");
    assert_verdict(&receiver.claim(1, "A1", "").done(), "repeated", "-");
}

#[test]
fn a_receiver_that_is_killed_at_any_moment_accepts_nothing_twice() {
    let receiver = Receiver::created("receiver_killed");
    for counter in 1..=24 {
        let claim = receiver.arguments(&format!("--ksn {} --no-mac --request A1", ksn(counter)));
        let mut child = Command::new(PROGRAM)
            .args(claim.split_whitespace())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_micros(u64::from(counter) * 500));
        child.kill().unwrap();
        let printed = String::from_utf8(child.wait_with_output().unwrap().stdout).unwrap();
        let again = receiver.claim(counter, "A1", "").done();
        if printed.contains("accepted") {
            assert_verdict(&again, "repeated", "-");
        }
        assert_verdict(&receiver.claim(counter, "A2", ""), "refused", "replay");
    }
}

#[test]
fn of_processes_that_race_for_a_counter_one_has_it() {
    let receiver = Receiver::created("receiver_race");
    for counter in 1..=5 {
        let racers: Vec<_> = (0..4)
            .map(|racer| {
                let options = format!("--ksn {} --no-mac --request {racer:02}", ksn(counter));
                let claim = receiver.arguments(&options);
                thread::spawn(move || run_with(&claim, ""))
            })
            .collect();
        let runs: Vec<Run> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        let accepted = runs.iter().filter(|run| run.status == 0).count();
        assert_eq!(accepted, 1, "{runs:?}");
        assert!(runs.iter().all(|run| run.stdout.contains("replay")
            || run.stdout.contains("accepted")
            || run.stderr.contains("is in use")));
    }
}
