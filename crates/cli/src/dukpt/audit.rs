//! `dukpt audit`: the search for cloned terminals in what a receiver has recorded.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use cardroot::dukpt::audit::{self, Observation, Outcome, Thresholds};
use cardroot::dukpt::guard::{Claim, OriginatorId, Refusal, Scheme, Verdict};
use cardroot::dukpt::{Authentication, Ksn, aes};
use clap::Args;

use super::journal::{Format, Line, MacName, OutcomeName, request_id};
use crate::error::Failure;
use crate::file;
use crate::hex;
use crate::output::{Record, Report, Value};

pub(super) const HELP: &str = "\
The record, as dukpt receiver accept --record writes it, has a message on each line, in the order in which the receiver
judged them. CSV has a line of names first, in any order; JSON lines have an object on each line. Members:
  time       when it came: a whole number in any unit
  source     where it came from, as the receiver knows it; equal texts are one place; may be empty
  ksn        the key serial number, 5 to 10 bytes (TDES) or 12 (AES)
  request    a digest or the MAC of the message, hexadecimal; of more than 16 bytes the first 16 count
  outcome    accepted, repeated or refused by the receiver's memory, or not-authentic (a wrong MAC)
  mac        verified or absent; empty if not-authentic

Examples:
  cardroot dukpt audit record.csv
  zcat record.jsonl.gz | cardroot dukpt audit --format jsonl --jump 5000";

#[derive(Args)]
pub(crate) struct Audit {
    /// How the record is written: by the file's name unless given (.jsonl, .ndjson or CSV)
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// A counter that skips at least N others is a sign
    #[arg(long, value_name = "N", default_value_t = Thresholds::default().jump)]
    jump: u32,
    /// The record; standard input if not given
    file: Option<PathBuf>,
}

/// A line that was understood; the source is a number, since logs have few places and many lines.
struct Seen {
    time: u64,
    source: usize,
    claim: Claim,
    outcome: Outcome,
}

/// A record that was read.
#[derive(Default)]
struct Log {
    lines: Vec<Seen>,
    sources: Vec<String>,
    numbers: HashMap<String, usize>,
}

/// A line that can't be understood. It names columns, and quotes nothing but what the parsers say.
#[derive(Debug, thiserror::Error)]
enum LineError {
    #[error("{0}")]
    Csv(csv::Error),
    #[error("{found} columns, and {expected} names above them")]
    Columns { found: u64, expected: u64 },
    #[error("{0}")]
    Member(String),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
    #[error("ksn: {0}")]
    Ksn(String),
    #[error("request: {0}")]
    Request(hex::HexError),
    #[error("mac: a message that was judged says verified or absent")]
    NoMac,
    #[error("nothing is there, not even the line of names: no record was given")]
    Empty,
    #[error(transparent)]
    Io(#[from] io::Error),
}

pub(super) fn run(arguments: &Audit) -> Result<Report, Failure> {
    let path = arguments.file.as_deref();
    let format = arguments.format.unwrap_or_else(|| Format::of(path));
    let log = read(path, format)?;
    let report = audit::examine(log.observations(), Thresholds { jump: arguments.jump });
    let findings = report.findings.iter().map(|finding| {
        Record::new()
            .with("name", finding.originator.to_string())
            .with("sign", finding.sign.summary())
            .with("times", finding.times)
            .with("with_macs", finding.authenticated)
            .with("first", finding.first.to_string())
            .with("last", finding.last.to_string())
    });
    let record = Record::new()
        .with("messages", report.messages)
        .with("names", report.originators)
        .with("findings", Value::Table(findings.collect()));
    if report.findings.is_empty() {
        return Ok(record.into());
    }
    Ok(Report::refused(
        record,
        "there are signs of cloned terminals: see findings; each may have a harmless cause",
    ))
}

fn read(path: Option<&Path>, format: Format) -> Result<Log, Failure> {
    let source: Box<dyn Read> = match path.filter(|path| !file::is_stdin(path)) {
        Some(path) => Box::new(File::open(path).map_err(|error| file::unreadable(path.display(), &error))?),
        None => Box::new(io::stdin()),
    };
    let source = BufReader::new(source);
    match format {
        Format::Csv => read_csv(source),
        Format::Jsonl => read_json(source),
    }
    .map_err(|(line, error)| Failure::refused(format!("{}, line {line}: {error}", file::place(path))))
}

fn read_csv(source: impl Read) -> Result<Log, (u64, LineError)> {
    let mut log = Log::default();
    // A reader is one line further than the line that it has read if each ends in a line feed alone.
    let source = LineFeeds(source.chain(b"\n".as_slice()));
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).trim(csv::Trim::All).from_reader(source);
    let names = reader.headers().cloned().map_err(|error| (line_of(&reader), error.into()))?;
    if names.is_empty() {
        return Err((1, LineError::Empty));
    }
    let mut row = csv::StringRecord::new();
    while reader.read_record(&mut row).map_err(|error| (line_of(&reader), error.into()))? {
        let line = row.deserialize::<Line>(Some(&names)).map_err(LineError::from);
        line.and_then(|line| log.take(line)).map_err(|error| (line_of(&reader), error))?;
    }
    Ok(log)
}

/// The line that was read last. The position of a record is none: it is that of remarks and blank lines before it.
fn line_of<R: Read>(reader: &csv::Reader<R>) -> u64 {
    reader.position().line().saturating_sub(1)
}

/// Text without its carriage returns.
struct LineFeeds<R>(R);

impl<R: Read> Read for LineFeeds<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let found = self.0.read(buffer)?;
            let mut kept = 0;
            for index in 0..found {
                if buffer.get(index) != Some(&b'\r') {
                    buffer.swap(index, kept);
                    kept += 1;
                }
            }
            // Nothing is the end.
            if kept > 0 || found == 0 {
                return Ok(kept);
            }
        }
    }
}

impl From<csv::Error> for LineError {
    /// Leaves out the place that the error names.
    fn from(error: csv::Error) -> Self {
        match error.kind() {
            csv::ErrorKind::UnequalLengths { expected_len, len, .. } => {
                Self::Columns { found: *len, expected: *expected_len }
            }
            csv::ErrorKind::Utf8 { err, .. } => Self::Member(format!("column {}: {err}", err.field() + 1)),
            csv::ErrorKind::Deserialize { err, .. } => match err.field() {
                Some(field) => Self::Member(format!("column {}: {}", field + 1, err.kind())),
                None => Self::Member(err.kind().to_string()),
            },
            _ => Self::Csv(error),
        }
    }
}

fn read_json(source: impl BufRead) -> Result<Log, (u64, LineError)> {
    let mut log = Log::default();
    for (number, line) in (1..).zip(source.lines()) {
        let at = |error: LineError| (number, error);
        let line = line.map_err(|error| at(error.into()))?;
        if !line.trim().is_empty() {
            let line = serde_json::from_str(&line).map_err(|error| at(error.into()))?;
            log.take(line).map_err(at)?;
        }
    }
    Ok(log)
}

impl Log {
    fn take(&mut self, line: Line) -> Result<(), LineError> {
        let (originator, counter) = name(&line.ksn)?;
        let digest = hex::decode(line.request.as_bytes()).map_err(LineError::Request)?;
        let request = request_id(&digest);
        let authentication = match line.mac {
            Some(MacName::Verified) => Some(Authentication::Verified),
            Some(MacName::Absent) => Some(Authentication::Absent),
            None => None,
        };
        let verdict = match line.outcome {
            OutcomeName::Accepted => Some(Verdict::Accepted { previous: None }),
            OutcomeName::Repeated => Some(Verdict::Repeated),
            OutcomeName::Refused => Some(Verdict::Refused(Refusal::Replay { found: counter })),
            OutcomeName::NotAuthentic => None,
        };
        let outcome = match verdict {
            None => Outcome::NotAuthentic,
            Some(verdict) => {
                Outcome::Judged { verdict, authentication: authentication.ok_or(LineError::NoMac)? }
            }
        };
        let source = self.source(line.source);
        let claim = Claim { originator, counter, request };
        self.lines.push(Seen { time: line.time, source, claim, outcome });
        Ok(())
    }

    fn source(&mut self, name: String) -> usize {
        if let Some(number) = self.numbers.get(&name) {
            return *number;
        }
        self.sources.push(name.clone());
        self.numbers.insert(name, self.sources.len() - 1);
        self.sources.len() - 1
    }

    fn observations(&self) -> impl Iterator<Item = Observation<'_>> {
        self.lines.iter().map(|seen| Observation {
            claim: seen.claim,
            outcome: seen.outcome,
            source: self.sources.get(seen.source).map_or("", String::as_str),
            time: seen.time,
        })
    }
}

/// The originator that a key serial number names, and the number in its counter field. What no transaction may carry is
/// in a record all the same, if somebody sent it.
fn name(text: &str) -> Result<(OriginatorId, u32), LineError> {
    let bytes = hex::decode(text.as_bytes()).map_err(|error| LineError::Ksn(error.to_string()))?;
    if let Ok(ksn) = aes::Ksn::try_from(bytes.as_slice()) {
        let [.., a, b, c, d] = *ksn.as_bytes();
        let originator = OriginatorId { scheme: Scheme::Aes, id: *ksn.id().as_bytes() };
        return Ok((originator, u32::from_be_bytes([a, b, c, d])));
    }
    let ksn = Ksn::from_wire(&bytes)
        .map_err(|error| LineError::Ksn(format!("{error}; one of AES DUKPT has {}", aes::Ksn::LEN)))?;
    let [.., a, b, c] = *ksn.as_bytes();
    Ok((OriginatorId::from(&ksn), u32::from_be_bytes([0, a & 0x1F, b, c])))
}
