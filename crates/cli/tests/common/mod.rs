//! Running the built program.
#![allow(dead_code, reason = "each test file uses a part of it")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

use std::fs;
use std::path::{Path, PathBuf};

use assert_cmd::Command;

/// The base derivation key of ANS X9.24-1 Annex A.
pub(crate) const BDK: &str = "0123456789ABCDEFFEDCBA9876543210";
/// The key serial number of its first transaction.
pub(crate) const KSN: &str = "FFFF9876543210E00001";

pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_cardroot");

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) status: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Runs the program with arguments divided by blanks.
pub(crate) fn run(arguments: &str) -> Run {
    run_with(arguments, "")
}

/// The same with something on standard input.
pub(crate) fn run_with(arguments: &str, stdin: &str) -> Run {
    run_command(Command::new(PROGRAM).args(arguments.split_whitespace()).write_stdin(stdin))
}

pub(crate) fn run_command(command: &mut Command) -> Run {
    let output = command.output().unwrap();
    Run {
        status: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

impl Run {
    /// The run if it was done.
    #[track_caller]
    pub(crate) fn done(self) -> Self {
        assert_eq!((self.status, self.stderr.as_str()), (0, ""), "{self:?}");
        self
    }

    /// The sentence of a run that was refused.
    #[track_caller]
    pub(crate) fn refused(self) -> String {
        self.failed(1)
    }

    /// The sentence of a run that was used wrongly.
    #[track_caller]
    pub(crate) fn usage(self) -> String {
        assert_eq!(self.stdout, "", "{self:?}");
        self.failed(2)
    }

    #[track_caller]
    fn failed(self, status: i32) -> String {
        assert_eq!(self.status, status, "{self:?}");
        let sentence = self.stderr.strip_prefix("error: ").and_then(|rest| rest.strip_suffix('\n')).unwrap();
        assert!(!sentence.is_empty() && !sentence.contains('\n'), "not one sentence: {sentence}");
        sentence.to_owned()
    }

    /// The value of a line of text output.
    #[track_caller]
    pub(crate) fn value(&self, name: &str) -> &str {
        let line = self.stdout.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
        line.unwrap_or_else(|| panic!("no {name} in {self:?}")).trim()
    }

    /// The JSON object that was printed.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

/// A folder for one test, empty at its start.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new(test: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(test);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                panic!("{}: {error}", path.display())
            }
            _ => fs::create_dir_all(&path).unwrap(),
        }
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Makes a file and returns its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }

    /// The names of all files.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(&self.0)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }
}

/// Rows of a file of comma-separated vectors, the row of names left out; `expected` of them, or it is not the file we know.
pub(crate) fn rows(name: &str, text: &str, expected: usize) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
    let rows: Vec<Vec<String>> =
        reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect();
    println!("{name}: {} rows", rows.len());
    assert_eq!(rows.len(), expected);
    rows
}

/// Base64, written out here: the program reads with another hand.
pub(crate) fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits =
            chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digits = (0..4).map(|place| char::from(DIGITS[(bits >> (18 - 6 * place)) as usize & 0x3F]));
        text.extend(digits.take(chunk.len() + 1));
        text.extend(core::iter::repeat_n('=', 3 - chunk.len()));
    }
    text
}
