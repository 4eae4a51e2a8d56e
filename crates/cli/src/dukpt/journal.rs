//! A receiver's record of messages: the form in which `dukpt receiver` writes it and `dukpt audit` reads it.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use cardroot::dukpt::guard::RequestId;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::file;

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum Format {
    /// Comma-separated values
    Csv,
    /// JSON lines
    Jsonl,
}

impl Format {
    /// The form that the name of a file speaks of.
    pub(super) fn of(path: Option<&Path>) -> Self {
        let extension = path.and_then(Path::extension).unwrap_or_default();
        let is = |name: &str| extension.eq_ignore_ascii_case(name);
        if is("jsonl") || is("ndjson") { Self::Jsonl } else { Self::Csv }
    }
}

/// A message in the record, as it is written.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Line {
    pub(super) time: u64,
    #[serde(default)]
    pub(super) source: String,
    pub(super) ksn: String,
    pub(super) request: String,
    pub(super) outcome: OutcomeName,
    #[serde(default)]
    pub(super) mac: Option<MacName>,
}

/// The line of names that [`Journal`] writes, and goes on under.
const NAMES: &str = "time,source,ksn,request,outcome,mac\n";

#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum OutcomeName {
    Accepted,
    Repeated,
    Refused,
    NotAuthentic,
}

#[derive(Clone, Copy, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum MacName {
    Verified,
    Absent,
}

impl OutcomeName {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "accepted",
            Self::Repeated => "repeated",
            Self::Refused => "refused",
            Self::NotAuthentic => "not-authentic",
        }
    }
}

impl MacName {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Absent => "absent",
        }
    }
}

/// The request that a MAC or a digest names: of more than 16 bytes the first 16 count, and zeros follow fewer.
pub(super) fn request_id(digest: &[u8]) -> RequestId {
    let mut request = RequestId([0; 16]);
    for (byte, found) in request.0.iter_mut().zip(digest) {
        *byte = *found;
    }
    request
}

/// Seconds since 1970, for the record.
pub(super) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// A record that is gone on with, or begun.
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    format: Format,
    /// What has to stand before the next line.
    before: &'static str,
}

impl Journal {
    /// Opens the record, so that it is known to take a line before there is one.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let unwritable = |error: &io::Error| file::unwritable(path, error);
        let format = Format::of(Some(path));
        let mut file = OpenOptions::new()
            .read(true)
            .append(true)
            .create(true)
            .open(path)
            .map_err(|error| unwritable(&error))?;
        let mut head = vec![0; NAMES.len()];
        let head_len = read_head(&mut file, &mut head).map_err(|error| unwritable(&error))?;
        let before = match format {
            Format::Csv if head_len == 0 => NAMES,
            Format::Csv if head != NAMES.as_bytes() => {
                return Err(Failure::refused(format!(
                    "{} does not begin with the line {}: name another file",
                    path.display(),
                    NAMES.trim_end()
                )));
            }
            _ if head_len == 0 || ends_a_line(&mut file).map_err(|error| unwritable(&error))? => "",
            // A line that was cut spoils no other.
            _ => "\n",
        };
        Ok(Self { path: path.into(), file, format, before })
    }

    /// Adds a line, in one piece.
    pub(super) fn add(mut self, line: &Line) -> Result<(), Failure> {
        let mut text = self.before.as_bytes().to_vec();
        match self.format {
            Format::Csv => {
                let mut writer = csv::WriterBuilder::new().has_headers(false).from_writer(&mut text);
                writer.serialize(line).expect("a line has plain columns");
                writer.flush().expect("memory takes any text");
            }
            Format::Jsonl => {
                serde_json::to_writer(&mut text, line).expect("memory takes any text");
                text.push(b'\n');
            }
        }
        let written = self.file.write_all(&text).and_then(|()| self.file.sync_data());
        written.map_err(|error| file::unwritable(&self.path, &error))
    }
}

/// Reads the start of a file: how much there is of it.
fn read_head(file: &mut File, head: &mut [u8]) -> io::Result<usize> {
    let mut taken = file.take(head.len() as u64);
    let mut len = 0;
    while let Some(free @ [_, ..]) = head.get_mut(len..) {
        match taken.read(free)? {
            0 => break,
            read => len += read,
        }
    }
    Ok(len)
}

fn ends_a_line(file: &mut File) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}
