//! `cardroot dukpt terminal`.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use core::time::Duration;
use std::fs::{self, File};
use std::process::{Command, Stdio};
use std::thread;

use common::{BDK, PROGRAM, Run, Scratch, rows, run, run_command, run_with};

const IKSN: &str = "FFFF9876543210E00000";
const PAN: &str = "4012345678909";
const TEXT: &str = "4012345678909D987";

/// A terminal in a folder of its own.
struct Terminal {
    scratch: Scratch,
    options: String,
}

impl Terminal {
    fn new(test: &str) -> Self {
        let scratch = Scratch::new(test);
        let device_key = scratch.file("device.hex", "3C".repeat(64));
        scratch.file("pin", "1234");
        scratch.file("text", TEXT);
        let options =
            format!("--state {} --device-key @{device_key}", scratch.path().join("state").display());
        Self { scratch, options }
    }

    fn loaded(test: &str) -> Self {
        let terminal = Self::new(test);
        terminal.load(IKSN).done();
        terminal
    }

    /// With a counter against rollback.
    fn counted(test: &str) -> Self {
        let mut terminal = Self::new(test);
        terminal.options += &format!(" --rollback-counter {}", terminal.path("count"));
        terminal.load(IKSN).done();
        terminal
    }

    fn path(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    fn load(&self, ksn: &str) -> Run {
        run_with(&format!("dukpt terminal load {} --bdk - --ksn {ksn}", self.options), BDK)
    }

    fn run(&self, command: &str) -> Run {
        run(&format!("dukpt terminal {command} {}", self.options))
    }

    fn next(&self) -> Run {
        self.run("next --use transaction --show-key")
    }

    fn ksn(&self) -> String {
        self.next().done().value("ksn").to_owned()
    }

    fn state(&self) -> Vec<u8> {
        fs::read(self.path("state")).unwrap()
    }

    fn put_back(&self, state: &[u8]) {
        fs::write(self.path("state"), state).unwrap();
    }

    /// The sentence of a refused command, the path in front of it checked and left out.
    #[track_caller]
    fn refusal(&self, run: Run) -> String {
        assert_eq!(run.stdout, "");
        let sentence = run.refused();
        let path = self.path("state");
        sentence.strip_prefix(&path).unwrap_or_else(|| panic!("{sentence}")).trim().to_owned()
    }
}

#[test]
fn the_published_sequence_is_sent() {
    let terminal = Terminal::loaded("terminal_sequence");
    let rows = rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    // A.4.2: the counters from 1 on, one after the other.
    let (pin, text) = (terminal.path("pin"), terminal.path("text"));
    let mut sent = 0;
    for row in rows.iter().take(21) {
        let (column, run) = match sent % 4 {
            0 => (8, terminal.run(&format!("encrypt-pin --pin @{pin} --pan {PAN}"))),
            1 => (9, terminal.run(&format!("mac --raw {text}"))),
            2 => (13, terminal.run(&format!("encrypt-data --padding zeros --raw {text}"))),
            _ => (2, terminal.next()),
        };
        let run = run.done();
        assert_eq!(run.value("ksn"), row[1]);
        let value = run.value(["block", "mac", "data", "key"][sent % 4]);
        assert_eq!(value, row[column], "{}", row[1]);
        assert_eq!(run.value("left"), (1_048_575 - sent - 1).to_string());
        sent += 1;
    }
    println!("{sent} transactions");
    assert_eq!(sent, 21);
}

#[test]
fn a_terminal_that_is_killed_at_any_moment_sends_no_counter_twice() {
    for terminal in [Terminal::loaded("terminal_killed"), Terminal::counted("terminal_killed_counted")] {
        let command = format!("dukpt terminal next --use transaction {}", terminal.options);
        let (mut last, mut kills) = (String::new(), 0);
        // From before the file is opened to after the key is printed.
        for microseconds in (0..6000_u64).step_by(40) {
            let mut child = Command::new(PROGRAM)
                .args(command.split(' '))
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            thread::sleep(Duration::from_micros(microseconds));
            child.kill().unwrap();
            let output = child.wait_with_output().unwrap();
            kills += u32::from(!output.status.success());
            let shown = String::from_utf8(output.stdout).unwrap();
            if let Some(ksn) = shown.lines().find_map(|line| line.strip_prefix("ksn:")) {
                assert!(ksn > last.as_str(), "{ksn} after {last}");
                last = ksn.to_owned();
            }
        }
        let sent = terminal.ksn();
        assert!(sent.as_str() > last.trim(), "{sent} after {last}");
        println!("{kills} kills, {sent} sent after them");
        assert!(kills > 20, "some die before they are done: {kills}");
    }
}

#[test]
fn status_takes_no_key() {
    let terminal = Terminal::loaded("terminal_status");
    let status = terminal.run("status").done();
    assert_eq!((status.value("ksn"), status.value("left")), (IKSN, "1048575"));
    assert_eq!((status.value("scheme"), status.value("ceased")), ("TDES", "no"));
    assert_eq!(status.value("rollback counter"), "-");
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[test]
fn initial_key_may_come_without_its_base_key() {
    let terminal = Terminal::new("terminal_ik");
    let command = format!("dukpt terminal load {} --ik - --ksn {IKSN}", terminal.options);
    run_with(&command, "6AC292FAA1315B4D858AB3A3D7D5933A").done();
    assert_eq!(terminal.next().done().value("key"), "042666B49184CFA368DE9628D0397BC9");
}

/// What can't be printed is lost, and not sent a second time.
#[cfg(target_os = "linux")]
#[test]
fn state_is_durable_before_anything_is_printed() {
    let terminal = Terminal::loaded("terminal_durable");
    let status = std::process::Command::new(PROGRAM)
        .args(["dukpt", "terminal", "next", "--use", "pin"])
        .args(terminal.options.split(' '))
        .stdout(File::create("/dev/full").unwrap())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    assert_eq!(terminal.ksn(), "FFFF9876543210E00002");
}

#[test]
fn wrong_usage_takes_no_key() {
    let terminal = Terminal::loaded("terminal_wrong_usage");
    let (pin, text) = (terminal.path("pin"), terminal.path("text"));
    for command in [
        "next --use mac-both".into(),
        "next --use update".into(),
        "next --use pin --key-type aes-128".into(),
        format!("encrypt-pin --pin @{pin}"),
        format!("encrypt-pin --pin @{pin} --pan {PAN} --format 4"),
        format!("mac --use both --raw {text}"),
        format!("encrypt-data --iv 00 --raw {text}"),
        format!("mac --pan {PAN}"),
    ] {
        terminal.run(&command).usage();
    }
    let empty = terminal.scratch.file("empty", "");
    for command in [
        format!("encrypt-pin --pin @{empty} --pan {PAN}"),
        format!("mac {text}"),
        format!("encrypt-data --raw {text}"),
        "next --use pin --ksn FFFF9876543211000000".into(),
        format!("next --use pin --out {text}"),
    ] {
        terminal.run(&command).refused();
    }
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[test]
fn a_key_that_can_not_be_stored_is_not_used_up() {
    let terminal = Terminal::loaded("terminal_out");
    let missing = terminal.path("missing/key.hex");
    let refused = terminal.run(&format!("next --use transaction --out {missing}")).refused();
    assert!(refused.starts_with(&missing) && refused.contains("can't be written"), "{refused}");
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");

    // A key that does not come leaves no file.
    let out = terminal.path("key.hex");
    terminal.run("cease").done();
    terminal.run(&format!("next --use transaction --out {out}")).refused();
    assert!(!terminal.scratch.names().contains(&"key.hex".into()));
}

#[test]
fn no_terminal_is_opened_where_none_is() {
    let terminal = Terminal::new("terminal_none");
    assert_eq!(terminal.refusal(terminal.run("status")), "does not exist: dukpt terminal load makes it");
    assert!(!terminal.scratch.names().contains(&"state".into()), "a refused command makes no file");
    terminal.put_back(b"");
    let nothing = terminal.refusal(terminal.run("status"));
    assert!(
        nothing.starts_with("holds no terminal: dukpt terminal load puts one in; if there was one"),
        "{nothing}"
    );
    terminal.load(IKSN).done();
}

/// Loading the same key again, as into a new file, would use each key a second time.
#[test]
fn an_emptied_state_is_not_taken_for_a_new_one() {
    let terminal = Terminal::loaded("terminal_emptied");
    let mut blank_slots = terminal.state();
    blank_slots[4096..].fill(0);
    for emptied in [&[][..], &[0; 100], &[0; 12288], &blank_slots] {
        terminal.put_back(emptied);
        let refused = terminal.refusal(terminal.next());
        assert!(refused.contains("if there was one, it was emptied and its keys are lost"), "{refused}");
        assert!(refused.ends_with("it needs a new initial key, with a new name"), "{refused}");
    }
}

#[test]
fn loading_overwrites_no_terminal() {
    let terminal = Terminal::loaded("terminal_occupied");
    let again = terminal.refusal(terminal.load("FFFF9876543211000000"));
    assert!(again.starts_with("holds a terminal already: name another file"), "{again}");
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[test]
fn a_second_process_waits_outside() {
    let terminal = Terminal::loaded("terminal_in_use");
    let file = File::open(terminal.path("state")).unwrap();
    file.lock().unwrap();
    let refused = terminal.refusal(terminal.next());
    assert!(refused.starts_with("is in use by another process"), "{refused}");
    // Not by dropping: a process that another test starts may hold a copy of the handle for a moment.
    file.unlock().unwrap();
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[test]
fn truncated_and_lengthened_files_are_refused_and_left_alone() {
    let terminal = Terminal::loaded("terminal_truncated");
    let whole = terminal.state();
    let longer = [&whole[..], b"x"].concat();
    for damaged in [&whole[..whole.len() - 1], &whole[..4200], &whole[..20], &longer] {
        terminal.put_back(damaged);
        let refused = terminal.refusal(terminal.next());
        assert!(refused.starts_with("was cut, or something was added to it"), "{refused}");
        assert!(refused.ends_with("load a new initial key, with a new name, into another file"));
        assert_eq!(terminal.state(), damaged);
    }
}

#[test]
fn files_of_other_kinds_are_refused_and_left_alone() {
    let terminal = Terminal::new("terminal_other_file");
    terminal.put_back(b"a love letter\n");
    for run in [terminal.next(), terminal.load(IKSN)] {
        let refused = terminal.refusal(run);
        assert!(refused.starts_with("is no terminal's state; it was left as it is"), "{refused}");
    }
    assert_eq!(terminal.state(), b"a love letter\n");

    let newer = [&b"cardroot-dukpt state, version 2\n"[..], &[0; 12256]].concat();
    terminal.put_back(&newer);
    let refused = terminal.refusal(terminal.next());
    assert!(refused.starts_with("is the state of another version of this program"), "{refused}");
    assert_eq!(terminal.state(), newer);
}

#[test]
fn a_state_without_a_whole_record_makes_room_for_another() {
    let terminal = Terminal::loaded("terminal_damaged");
    let mut state = terminal.state();
    for slot in state[4096..].chunks_mut(4096).filter(|slot| slot.iter().any(|byte| *byte != 0)) {
        slot[100] ^= 1;
    }
    terminal.put_back(&state);
    let refused = terminal.refusal(terminal.next());
    assert!(
        refused.starts_with("is damaged, no whole state is left in it: dukpt terminal load puts"),
        "{refused}"
    );
    terminal.load("FFFF9876543211000000").done();
    assert_eq!(terminal.ksn(), "FFFF9876543211000001");
}

/// The record of a later version, its checksum made to fit.
#[test]
fn a_newer_version_of_the_state_is_named() {
    let terminal = Terminal::loaded("terminal_newer");
    let mut state = terminal.state();
    for slot in state[4096..].chunks_mut(4096).filter(|slot| slot.iter().any(|byte| *byte != 0)) {
        assert_eq!(&slot[32..36], b"DKPT");
        slot[36] = 2;
        let len = u32::from_be_bytes(slot[8..12].try_into().unwrap()) as usize;
        let checksum = crc32(&[&slot[32..32 + len], &slot[..12]].concat());
        slot[12..16].copy_from_slice(&checksum.to_be_bytes());
    }
    terminal.put_back(&state);
    let refused = terminal.refusal(terminal.next());
    assert_eq!(
        refused,
        "was written by a newer version of this program (format 2, this one knows 1): use that version"
    );
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| crc >> 1 ^ (if crc & 1 == 1 { 0xEDB8_8320 } else { 0 }))
    })
}

#[test]
fn the_state_of_another_device_does_not_open() {
    let terminal = Terminal::loaded("terminal_other_device");
    terminal.scratch.file("device.hex", "4D".repeat(64));
    let refused = terminal.refusal(terminal.next());
    assert!(refused.starts_with("does not open under --device-key"), "{refused}");
    terminal.scratch.file("device.hex", "3C".repeat(16));
    assert_eq!(terminal.next().refused(), "--device-key: a device key is 64 bytes, found 16");
}

#[test]
fn a_swapped_state_is_noticed_by_its_name() {
    let terminal = Terminal::loaded("terminal_swapped");
    let other = Terminal::new("terminal_swapped_other");
    other.load("FFFF9876543211000000").done();
    terminal.put_back(&other.state());
    let refused = terminal.refusal(terminal.run(&format!("next --use pin --ksn {IKSN}")));
    assert!(refused.starts_with("is the state of another terminal, FFFF9876543211000000"), "{refused}");
    other.run("next --use pin --ksn 9876543211000000").done();
}

#[test]
fn a_ceased_terminal_gives_no_key_until_it_is_renewed() {
    let terminal = Terminal::loaded("terminal_ceased");
    assert_eq!(terminal.run("cease").done().value("ceased"), "yes");
    for _ in 0..2 {
        let refused = terminal.refusal(terminal.next());
        assert!(
            refused.starts_with("no transaction key is left: the originator has ceased operation"),
            "{refused}"
        );
        assert!(refused.ends_with("dukpt terminal renew loads a new initial key, with a new name"));
    }
    let renew = |ksn: &str| {
        run_with(&format!("dukpt terminal renew {} --bdk - --new-ksn {ksn}", terminal.options), BDK)
    };
    let same = renew(IKSN).refused();
    assert!(same.starts_with("--new-ksn: the terminal has this name already"), "{same}");
    assert_eq!(renew("FFFF9876543211000000").done().value("left"), "1048575");
    assert_eq!(terminal.ksn(), "FFFF9876543211000001");
}

#[test]
fn an_old_copy_is_refused_where_states_are_counted() {
    let terminal = Terminal::counted("terminal_rollback");
    let old = terminal.state();
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
    terminal.put_back(&old);
    let refused = terminal.refusal(terminal.next());
    assert!(refused.starts_with("is an old copy (state 1, and 2 were counted)"), "{refused}");
}

#[test]
fn an_old_copy_of_both_files_is_what_the_counter_can_not_see() {
    let terminal = Terminal::counted("terminal_rollback_both");
    let (state, count) = (terminal.state(), terminal.scratch.read("count"));
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
    terminal.put_back(&state);
    terminal.scratch.file("count", count);
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[test]
fn counter_files_that_do_not_serve_are_named() {
    let terminal = Terminal::counted("terminal_count");
    let count = terminal.scratch.read("count");
    assert_eq!(count, "cardroot rollback counter 1\n");
    for damaged in
        ["", "7", "cardroot rollback counter +1\n", "cardroot rollback counter 01\n", &"9".repeat(99)]
    {
        terminal.scratch.file("count", damaged);
        let refused = terminal.next().refused();
        assert!(
            refused.ends_with("count: it is not a counter file of this program; no key was used"),
            "{refused}"
        );
    }
    fs::remove_file(terminal.path("count")).unwrap();
    let refused = terminal.next().refused();
    assert!(
        refused.contains("count does not exist, so nobody can say whether the state is an old copy"),
        "{refused}"
    );
    terminal.scratch.file("count", count);
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
    assert_eq!(terminal.scratch.names(), ["count", "device.hex", "pin", "state", "text"]);
}

#[test]
fn using_a_state_past_its_counter_shows() {
    let terminal = Terminal::counted("terminal_past_counter");
    let (bare, _) = terminal.options.split_once(" --rollback-counter").unwrap();
    for _ in 0..2 {
        run(&format!("dukpt terminal next --use pin {bare}")).done();
    }
    let refused = terminal.refusal(terminal.next());
    assert!(
        refused.starts_with("is ahead of --rollback-counter (state 3, and only 1 were counted)"),
        "{refused}"
    );
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let mut terminal = Terminal::new("terminal_folder");
    terminal.options = terminal.options.replace("/state", "/nowhere/state");
    let refused = terminal.load(IKSN).refused();
    assert!(
        refused.contains("nowhere/state can't be read or written (No such file or directory"),
        "{refused}"
    );
}

/// Runs a command where no file may become longer than so many units of `ulimit`: what a full disk is.
#[cfg(unix)]
fn run_on_full_disk(limit: u32, command: &str) -> Run {
    let script = format!("trap '' XFSZ; ulimit -f {limit}; exec {PROGRAM} dukpt terminal {command}");
    run_command(assert_cmd::Command::new("sh").args(["-c", &script]))
}

#[cfg(unix)]
#[test]
fn a_state_that_can_not_be_written_costs_no_key() {
    let terminal = Terminal::loaded("terminal_full");
    let next = format!("next --use pin {}", terminal.options);
    let before = terminal.state();
    for limit in [0, 1] {
        let sentence = terminal.refusal(run_on_full_disk(limit, &next));
        assert!(sentence.contains("the disk is full; no key was used: make room"), "{sentence}");
    }
    // The slot that the next state goes to may have got a part of it; the state itself is as it was.
    let slots = |state: &[u8]| state.chunks(4096).skip(1).map(<[u8]>::to_vec).collect::<Vec<_>>();
    let kept =
        slots(&terminal.state()).into_iter().zip(slots(&before)).filter(|(now, then)| now == then).count();
    assert!(kept >= 1);
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[cfg(unix)]
#[test]
fn a_terminal_that_can_not_be_loaded_is_loaded_when_there_is_room() {
    let terminal = Terminal::new("terminal_full_load");
    let initial_key = terminal.scratch.file("bdk", BDK);
    let load = format!("load {} --bdk @{initial_key} --ksn {IKSN}", terminal.options);
    for limit in [0, 1] {
        let sentence = terminal.refusal(run_on_full_disk(limit, &load));
        assert!(sentence.contains("the disk is full; no key was used: make room"), "{sentence}");
    }
    terminal.load(IKSN).done();
    assert_eq!(terminal.ksn(), "FFFF9876543210E00001");
}

#[cfg(unix)]
#[test]
fn a_count_that_can_not_be_written_lets_no_key_out() {
    let terminal = Terminal::counted("terminal_full_count");
    let count = fs::read(terminal.path("count")).unwrap();
    // The new count is written beside the old one first.
    fs::create_dir(terminal.path("count.new")).unwrap();
    let refused = terminal.next();
    assert_eq!(refused.stdout, "");
    assert!(refused.refused().contains("no key was used"));
    assert_eq!(fs::read(terminal.path("count")).unwrap(), count);
    fs::remove_dir(terminal.path("count.new")).unwrap();
    assert_eq!(terminal.ksn(), "FFFF9876543210E00002");
}

#[test]
fn device_keys_are_new_and_for_their_owner_alone() {
    let scratch = Scratch::new("terminal_device_key");
    let made = |name: &str| {
        let path = scratch.path().join(name).display().to_string();
        let run = run(&format!("dukpt terminal device-key --out {path}")).done();
        let key = scratch.read(name);
        assert_eq!(key.trim().len(), 128);
        assert!(!run.stdout.contains(&key[..8]));
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
            assert_eq!(mode & 0o777, 0o600);
        }
        key
    };
    assert_ne!(made("one"), made("two"));
}

#[test]
fn nothing_but_check_values_is_shown_of_keys() {
    let terminal = Terminal::loaded("terminal_silent");
    let shown = terminal.run("next --use transaction").done();
    assert!(!shown.stdout.contains("042666B4"), "{shown:?}");
    let state = terminal.state();
    let first_key = [0x04, 0x26, 0x66, 0xB4, 0x91, 0x84, 0xCF, 0xA3];
    assert!(!state.windows(8).any(|bytes| bytes == first_key || bytes == [0x3C; 8]), "the state is sealed");
}

const AES_BDK: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";
const AES_NAME: &str = "1234567890123456";

fn aes_terminal(test: &str) -> Terminal {
    let terminal = Terminal::new(test);
    let command = format!("dukpt terminal load --aes {} --bdk - --ksn {AES_NAME}", terminal.options);
    let loaded = run_with(&command, AES_BDK).done();
    assert_eq!((loaded.value("scheme"), loaded.value("ksn")), ("AES", AES_NAME));
    assert_eq!(loaded.value("left"), "2448023842");
    terminal
}

#[test]
fn an_aes_terminal_sends_what_the_receiver_opens() {
    let terminal = aes_terminal("terminal_aes");
    let (pin, text) = (terminal.path("pin"), terminal.path("text"));
    let made = terminal.run(&format!("encrypt-pin --pin @{pin} --pan {PAN}")).done();
    assert_eq!((made.value("ksn"), made.value("format")), ("123456789012345600000001", "4"));
    let received =
        format!("--aes --bdk - --ksn {} --pan {PAN} --block {}", made.value("ksn"), made.value("block"));
    let opened = run_with(&format!("dukpt decrypt-pin {received} --show-pin"), AES_BDK).done();
    assert_eq!(opened.value("pin"), "1234");

    let rows = rows("dukpt_aes_usage_moov.csv", include_str!("data/dukpt_aes_usage_moov.csv"), 4);
    let row = rows.iter().find(|row| row[0].ends_with("00000002")).unwrap();
    let mac = terminal.run(&format!("mac --raw {text}")).done();
    assert_eq!((mac.value("ksn"), mac.value("mac")), (&*row[0], &*row[2]));
    let row = rows.iter().find(|row| row[0].ends_with("00000003")).unwrap();
    let data = terminal.run(&format!("encrypt-data --padding zeros --raw {text}")).done();
    assert_eq!((data.value("ksn"), data.value("data")), (&*row[0], &*row[6]));
}

#[test]
fn an_aes_terminal_takes_no_key_for_wrong_usage() {
    let terminal = aes_terminal("terminal_aes_usage");
    let pin = terminal.path("pin");
    terminal.run("next --use pin --key-type aes-256").refused();
    terminal.run("next --use pin --edition 2004").usage();
    terminal.run("next --use update").usage();
    terminal.run(&format!("encrypt-pin --pin @{pin} --pan {PAN} --key-type tdea-2 --format 4")).usage();
    assert_eq!(terminal.ksn(), "123456789012345600000001");
}

#[test]
fn update_keys_of_both_sides_agree_and_use_up_nothing() {
    let terminal = aes_terminal("terminal_aes_update");
    for _ in 0..2 {
        let found = terminal.run("update-key --show-key").done();
        let derive = format!("dukpt derive --aes --bdk - --ksn {AES_NAME} --use update --show-key");
        assert_eq!(found.value("key"), run_with(&derive, AES_BDK).done().value("key"));
        assert_eq!(found.value("ksn"), "1234567890123456FFFFFFFF");
    }
    assert_eq!(terminal.ksn(), "123456789012345600000001");
    let renew =
        |options: &str| run_with(&format!("dukpt terminal renew {} {options}", terminal.options), AES_BDK);
    renew(&format!("--aes --bdk - --new-ksn {AES_NAME}")).refused();
    renew("--aes --bdk - --new-ksn 1234567890123457").done();
    assert_eq!(terminal.ksn(), "123456789012345700000001");
    assert!(terminal.run("cease").done().value("ceased") == "yes");
    assert!(terminal.refusal(terminal.run("update-key")).starts_with("gives no update key"));
}

#[test]
fn schemes_are_told_apart() {
    let (tdes, aes) = (Terminal::loaded("terminal_scheme_tdes"), aes_terminal("terminal_scheme_aes"));
    let other = "is of the other scheme, AES or TDES";
    for (terminal, command) in
        [(&tdes, "status --ksn 123456789012345600000000"), (&aes, "status --ksn FFFF9876543210E00000")]
    {
        assert!(terminal.refusal(terminal.run(command)).starts_with(other), "{command}");
    }
    aes.run(&format!("status --ksn {AES_NAME}")).done();
    aes.run("status --ksn 123456789012345600000005").done();
    let found = aes.refusal(aes.run("status --ksn 1234567890123457"));
    assert!(found.starts_with("is the state of another terminal, 12345678901234560000"), "{found}");
    assert!(tdes.refusal(tdes.run("update-key")).starts_with("is a terminal of TDES DUKPT"));
    let renew = format!("dukpt terminal renew {} --bdk - --new-ksn FFFF9876543211000000", aes.options);
    assert!(aes.refusal(run_with(&renew, BDK)).starts_with(other));
    assert_eq!(aes.ksn(), "123456789012345600000001");
}
