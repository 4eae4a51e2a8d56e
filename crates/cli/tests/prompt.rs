//! `ask`, on a real terminal: the pseudo terminal of `script`, watched by `stty`.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, reason = "a panic here is the test's report")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::time::Duration;
use std::fs;
use std::io::{BufReader, Read, Write};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Instant;

use common::{BDK, PROGRAM, Scratch};

/// The program on a terminal of its own.
struct Terminal {
    script: Child,
    device: String,
    screen: Arc<Mutex<String>>,
    reader: JoinHandle<()>,
}

impl Terminal {
    fn start(scratch: &Scratch, arguments: &str) -> Self {
        let name = scratch.path().join("tty");
        // Echo is on to begin with, as for a person at a terminal: the program is what has to turn it off.
        let mut script = Command::new("script")
            .args(["--quiet", "--return", "--echo", "always", "--command"])
            .arg(format!("tty > '{}'; exec '{PROGRAM}' {arguments}", name.display()))
            .arg("/dev/null")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("script of util-linux is there");
        let device =
            wait_for("a terminal", || fs::read_to_string(&name).ok().filter(|name| name.ends_with('\n')));
        let screen = Arc::new(Mutex::new(String::new()));
        let (shown, output) = (Arc::clone(&screen), BufReader::new(script.stdout.take().unwrap()));
        let reader = spawn(move || {
            for byte in output.bytes() {
                shown.lock().unwrap().push(char::from(byte.unwrap()));
            }
        });
        Self { script, device: device.trim_end().into(), screen, reader }
    }

    /// Types a line once the program has asked for it and the terminal does not show what is typed.
    fn answer(&mut self, prompt: &str, line: &str) {
        wait_for(prompt, || self.screen.lock().unwrap().contains(prompt).then_some(()));
        wait_for("echo to be off", || (!self.echoes()).then_some(()));
        writeln!(self.script.stdin.as_mut().unwrap(), "{line}").unwrap();
    }

    fn echoes(&self) -> bool {
        let output = Command::new("stty").args(["-a", "-F", &self.device]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().split_whitespace().any(|mode| mode == "echo")
    }

    /// What was on the screen, and the exit status.
    fn finish(mut self) -> (String, i32) {
        self.reader.join().unwrap();
        let status = self.script.wait().unwrap().code().unwrap();
        (self.screen.lock().unwrap().clone(), status)
    }
}

fn wait_for<T>(what: &str, mut ready: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + Duration::from_secs(30);
    loop {
        if let Some(value) = ready() {
            return value;
        }
        assert!(Instant::now() < deadline, "waited 30 seconds for {what}");
        sleep(Duration::from_millis(5));
    }
}

#[test]
fn key_is_asked_for_and_not_shown() {
    let scratch = Scratch::new("prompt-key");
    let mut terminal = Terminal::start(&scratch, "key check --key ask");
    terminal.answer("--key (not shown): ", BDK);
    let (screen, status) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    assert!(screen.contains("08D7B4"), "{screen}");
    assert!(!screen.contains("0123456789"), "{screen}");
}

#[test]
fn components_are_asked_for_one_by_one() {
    let scratch = Scratch::new("prompt-components");
    let arguments = "component combine --component ask --component ask --expect-kcv 40D522";
    let mut terminal = Terminal::start(&scratch, arguments);
    terminal.answer("component 1 (not shown): ", "E09B073B4007541FAB76B04370451031");
    terminal.answer("component 2 (not shown): ", "4CBF5D51EA8525EF045EFED6E386D9D9");
    let (screen, status) = terminal.finish();
    assert_eq!(status, 0, "{screen}");
    assert!(
        screen.contains("component 1 (not shown): ") && screen.contains("component 2 (not shown): "),
        "{screen}"
    );
    assert!(!screen.contains("E09B") && !screen.contains("4CBF"), "{screen}");
}

#[test]
fn standard_input_that_is_a_terminal_is_refused() {
    let scratch = Scratch::new("prompt-stdin");
    let (screen, status) = Terminal::start(&scratch, "key check --key -").finish();
    assert_eq!(status, 2, "{screen}");
    assert!(
        screen.contains("standard input is a terminal, which would show what you type; say ask instead of -")
    );
}

#[test]
fn without_a_terminal_there_is_nobody_to_ask() {
    let output = Command::new("setsid")
        .args(["--wait", PROGRAM, "key", "check", "--key", "ask"])
        .stdin(Stdio::null())
        .output()
        .expect("setsid of util-linux is there");
    assert_eq!(output.status.code(), Some(1));
    let sentence = String::from_utf8(output.stderr).unwrap();
    assert!(sentence.starts_with("error: --key: there is no terminal to ask at ("), "{sentence}");
    assert!(sentence.ends_with("; give @FILE, env:NAME or -\n"), "{sentence}");
}
