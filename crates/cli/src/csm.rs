//! `cardroot csm`: cryptographic service messages.

use alloc::borrow::Cow;
use std::path::PathBuf;

use cardroot::smid::csm::{Class, Csm, Draft, Field, Strictness, Tag, check};
use clap::{Args, Subcommand};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::file;
use crate::output::{Record, Report, Value};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Decodes a message and prints its fields
    ///
    /// Keys in a message are encrypted; they are printed as they stand and marked as ciphertext.
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Input),
    /// Encodes a message from JSON, in the form that decode prints by --json
    ///
    /// {"class": "RSM", "fields": [{"field": "RCV", "value": "BANKA"}, {"field": "ORG", "value": "BANKB"}]}
    ///
    /// A MAC is written as it is given, and not computed: this command knows no keys.
    #[command(after_help = ENCODE_EXAMPLE)]
    Encode(Encode),
    /// Checks whether a message has the fields that its class demands, and no others
    ///
    /// The exit status is 1 if a rule is broken.
    #[command(after_help = CHECK_EXAMPLE)]
    Check(Input),
}

const DECODE_EXAMPLES: &str = "\
Examples:
  cardroot csm decode message.txt
  cardroot csm decode --lenient < padded.txt";

const ENCODE_EXAMPLE: &str = "\
Example:
  cardroot --json csm decode --lenient padded.txt | cardroot csm encode";

const CHECK_EXAMPLE: &str = "\
Example:
  cardroot csm check message.txt";

#[derive(Args)]
pub(crate) struct Input {
    /// Lets pass what programs send against the standard: padded names, line ends, lower-case digits
    #[arg(long)]
    lenient: bool,
    /// The text of the message, with or without a line end behind it; standard input if not given
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Encode {
    /// The message in JSON; standard input if not given
    file: Option<PathBuf>,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Decode(input) => input.with(|csm| Ok(decode(csm).into())),
            Self::Encode(arguments) => encode(&arguments),
            Self::Check(input) => input.with(|csm| Ok(checked(csm))),
        }
    }
}

impl Input {
    /// Reads the message and hands it on: it is a view of its text.
    fn with(&self, run: impl FnOnce(&Csm<'_>) -> Result<Report, Failure>) -> Result<Report, Failure> {
        let place = file::place(self.file.as_deref());
        let text = file::read_or_stdin(self.file.as_deref())?;
        // The line end of a text file is no part of the message.
        let text = text.strip_suffix(b"\n").unwrap_or(&text);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let (strictness, hint) = match self.lenient {
            true => (Strictness::Lenient, ""),
            false => (Strictness::Strict, "; for padded messages say --lenient"),
        };
        let csm = Csm::read(text, strictness)
            .map_err(|error| Failure::refused(format!("{place} holds no service message: {error}{hint}")))?;
        run(&csm)
    }
}

fn decode(csm: &Csm<'_>) -> Record {
    let fields = csm.fields().skip(1).map(|field| {
        let ciphertext = field.key().is_some() || matches!(field, Field::Iv(_));
        Record::new()
            .with("field", field.tag().text())
            .with("name", name(field.tag()))
            .with("ciphertext", ciphertext)
            .with("value", field.to_string())
    });
    let covered = csm.coverage();
    Record::new()
        .with("class", csm.class().text())
        .with("fields", Value::Table(fields.collect()))
        .with("covered_from", covered.clone().map(|covered| covered.start))
        .with("covered_to", covered.map(|covered| covered.end))
}

fn checked(csm: &Csm<'_>) -> Report {
    let findings = check(csm);
    let rows = findings.iter().map(|finding| Record::new().with("finding", finding.to_string()));
    let record = Record::new()
        .with("class", csm.class().text())
        .with("consistent", findings.is_empty())
        .with("findings", Value::Table(rows.collect()));
    match findings.len() {
        0 => record.into(),
        1 => Report::refused(record, "the message breaks a rule: see findings"),
        count => Report::refused(record, format!("the message breaks {count} rules: see findings")),
    }
}

/// The JSON of a message; members that decode prints besides are passed over.
#[derive(Deserialize)]
struct MessageJson<'a> {
    class: &'a str,
    #[serde(borrow)]
    fields: Vec<FieldJson<'a>>,
}

#[derive(Deserialize)]
struct FieldJson<'a> {
    #[serde(borrow)]
    field: Cow<'a, str>,
    #[serde(borrow)]
    value: Cow<'a, str>,
}

fn encode(arguments: &Encode) -> Result<Report, Failure> {
    let place = file::place(arguments.file.as_deref());
    let text = file::read_or_stdin(arguments.file.as_deref())?;
    let json: MessageJson<'_> = serde_json::from_slice(&text).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Failure::refused(format!(
            "{place}, line {line}, column {column}: not the JSON of a message; see cardroot csm encode --help"
        ))
    })?;
    let message = message_of(&json).map_err(|error| Failure::refused(format!("{place}: {error}")))?;
    Ok(Record::new().with("class", json.class).with("message", message).into())
}

fn message_of(json: &MessageJson<'_>) -> Result<String, String> {
    let class = Class::named(json.class).ok_or_else(|| format!("{} is no class of messages", json.class))?;
    let mut draft = Draft::new(class);
    for (index, FieldJson { field, value }) in json.fields.iter().enumerate() {
        // One field is read as the strict reader would read it, and so is refused for the same reasons.
        let text = Zeroizing::new(format!("CSM(MCL/{class} {field}/{value} )"));
        let number = index + 1;
        let csm =
            Csm::decode(text.as_bytes()).map_err(|error| format!("field {number}: {}", error.reason))?;
        let mut fields = csm.fields().skip(1);
        match (fields.next(), fields.next()) {
            (Some(field), None) => draft.push(field).map_err(|error| error.to_string())?,
            _ => return Err(format!("field {number}: a blank in the value")),
        }
    }
    Ok(draft.finish())
}

/// What a field is, in words.
const fn name(tag: Tag) -> &'static str {
    match tag {
        Tag::Mcl => "message class",
        Tag::Rcv => "receiver",
        Tag::Org => "originator",
        Tag::Svr => "service requested",
        Tag::Kd => "data key",
        Tag::Kdu => "data key for the ultimate recipient",
        Tag::Kk => "key encrypting key",
        Tag::KkPair => "key encrypting key pair",
        Tag::Kku => "key encrypting key for the ultimate recipient",
        Tag::KkuPair => "key encrypting key pair for the ultimate recipient",
        Tag::Iv => "initialization vector",
        Tag::Edk => "effective date",
        Tag::Ctp => "count",
        Tag::Cta => "count between A and the centre",
        Tag::Ctb => "count between B and the centre",
        Tag::Ctr => "count received",
        Tag::Idu => "ultimate recipient",
        Tag::Idc => "centre",
        Tag::Idd => "key to discontinue",
        Tag::Ida => "key that authenticates",
        Tag::Erf => "errors",
        Tag::Edc => "error detection code",
        Tag::Mac => "message authentication code",
        Tag::Nos => "notarization flag",
        Tag::Tid => "transaction identifier",
    }
}
