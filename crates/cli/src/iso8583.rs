//! `cardroot iso8583`: messages, their SMIDs and their consistency.

use alloc::borrow::Cow;
use std::path::PathBuf;

use cardroot::pin::Pan;
use cardroot::smid::SmidProfile;
use cardroot::smid::iso8583::{
    BitmapCoding, Dialect, FieldValue, KeyExchange, KeyReference, MASKED_FIELDS, Message, MtiCoding,
    RuleOptions, validate,
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::file::{self, NewFiles};
use crate::input::Input;
use crate::output::{Record, Report, Value};
use crate::secret::Secrets;
use crate::{hex, smid};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists the dialects: how messages may be written
    Dialects,
    /// Decodes a message and prints its fields
    ///
    /// PAN, tracks, PIN data and other sensitive fields are masked unless you say --show-card-data.
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
    /// Encodes a message from JSON, in the form that decode prints by --json
    ///
    /// {"mti": "0800", "fields": [{"field": 11, "value": "000042"}, {"field": 64, "value": "0011223344556677"}]}
    ///
    /// Values of binary fields are hexadecimal. Masked fields are refused. The message that is printed holds
    /// everything that was put in.
    #[command(after_help = ENCODE_EXAMPLES)]
    Encode(Encode),
    /// Checks bits 52, 53, 64, 96 and 128 against each other and the message type
    ///
    /// The exit status is 1 if a rule is broken.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
}

const DECODE_EXAMPLES: &str = "\
Examples:
  cardroot iso8583 decode --dialect iso8583-1993-binary message.hex
  cardroot iso8583 decode --dialect iso8583-1987-ascii --raw < message.bin
  cardroot iso8583 decode --dialect iso8583-1993-binary --input base64 message.txt";

const ENCODE_EXAMPLES: &str = "\
Examples:
  cardroot iso8583 encode --dialect iso8583-1987-ascii message.json
  cardroot --json iso8583 decode --dialect iso8583-1993-ascii --show-card-data message.hex \\
    | cardroot iso8583 encode --dialect iso8583-1993-binary";

const CHECK_EXAMPLES: &str = "\
Example:
  cardroot iso8583 check --dialect iso8583-1993-binary --implicit-pin-key message.hex";

#[derive(Args)]
struct Received {
    /// How the message is written
    #[arg(long, value_name = "NAME", value_parser = dialect())]
    dialect: &'static Dialect,
    #[command(flatten)]
    input: Input,
}

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    received: Received,
    /// Shows the masked fields
    #[arg(long)]
    show_card_data: bool,
    /// Decodes the SMIDs in bit 53 by this profile
    #[arg(long, value_name = "NAME", value_parser = smid::profile())]
    smid_profile: Option<&'static SmidProfile>,
}

#[derive(Args)]
pub(crate) struct Encode {
    /// How the message is to be written
    #[arg(long, value_name = "NAME", value_parser = dialect())]
    dialect: &'static Dialect,
    /// Stores the message, in hexadecimal, in FILE, which must not exist, and does not print it
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The message in JSON; standard input if not given
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Check {
    #[command(flatten)]
    received: Received,
    /// The receiver finds the PIN key by agreement: no SMID is needed for it
    #[arg(long)]
    implicit_pin_key: bool,
    /// The receiver finds the MAC key by agreement: no SMID is needed for it
    #[arg(long)]
    implicit_mac_key: bool,
    /// The message is known to exchange keys, whether or not it has bit 96
    #[arg(long)]
    key_exchange: bool,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Dialects => Ok(dialects().into()),
            Self::Decode(arguments) => decode(&arguments),
            Self::Encode(arguments) => encode(&arguments),
            Self::Check(arguments) => check(&arguments),
        }
    }
}

fn dialects() -> Record {
    let rows = Dialect::BUILT_IN.into_iter().map(|dialect| {
        Record::new()
            .with("dialect", dialect.name())
            .with(
                "message_type",
                match dialect.mti() {
                    MtiCoding::Ascii => "4 ASCII digits",
                    MtiCoding::Ebcdic => "4 EBCDIC digits",
                    MtiCoding::Bcd => "2 bytes",
                },
            )
            .with(
                "bitmap",
                match dialect.bitmap() {
                    BitmapCoding::Hex => "hexadecimal",
                    BitmapCoding::EbcdicHex => "hexadecimal in EBCDIC",
                    BitmapCoding::Binary => "bytes",
                },
            )
    });
    Record::new().with("dialects", Value::Table(rows.collect()))
}

impl Received {
    fn message(&self) -> Result<Message, Failure> {
        let bytes = self.input.read(&mut Secrets::default())?;
        Message::decode(self.dialect, &bytes).map_err(|error| {
            let (place, dialect) = (self.input.place(), self.dialect.name());
            Failure::refused(format!("{place} holds no message of dialect {dialect}: {error}"))
        })
    }
}

fn decode(arguments: &Decode) -> Result<Report, Failure> {
    let Received { dialect, .. } = arguments.received;
    let message = arguments.received.message()?;
    let fields = message.fields().map(|(number, value)| {
        let masked = MASKED_FIELDS.contains(&number) && !arguments.show_card_data;
        let (length, shown) = match value {
            FieldValue::Text(text) => (text.len(), Zeroizing::new(text.to_owned())),
            FieldValue::Bytes(bytes) => (bytes.len(), hex::encode_secret(bytes)),
        };
        Record::new()
            .with("field", number)
            .with("name", dialect.field(number).map(|field| &*field.spec.name))
            .with("length", length)
            .with("masked", masked)
            .with("value", if masked { mask(number, &shown) } else { shown })
    });
    let record = Record::new()
        .with("dialect", dialect.name())
        .with("mti", message.mti().to_string())
        .with("fields", Value::Table(fields.collect()));
    Ok(match arguments.smid_profile {
        Some(profile) => record.with("smids", Value::Table(smids(&message, profile)?)).into(),
        None => record.into(),
    })
}

/// What is shown of a masked value: a PAN as it may be shown, nothing of the rest.
fn mask(number: u8, value: &str) -> Zeroizing<String> {
    let pan = if number == 2 { Pan::from_ascii_digits(value.as_bytes()).ok() } else { None };
    Zeroizing::new(pan.map_or_else(|| "****".into(), |pan| pan.to_string()))
}

fn smids(message: &Message, profile: &SmidProfile) -> Result<Vec<Record>, Failure> {
    let smids = message
        .smids(profile)
        .map_err(|error| Failure::refused(format!("bit 53 is not of profile {}: {error}", profile.name)))?;
    let smids = smids.iter().flat_map(|smids| smids.as_slice());
    smids.map(|one| smid::row(one, None)).collect()
}

/// The JSON of a message. Values are borrowed from its text, which is wiped.
#[derive(Deserialize)]
struct MessageJson<'a> {
    mti: &'a str,
    #[serde(borrow)]
    fields: Vec<FieldJson<'a>>,
}

#[derive(Deserialize)]
struct FieldJson<'a> {
    field: u8,
    #[serde(borrow)]
    value: Cow<'a, str>,
    #[serde(default)]
    masked: bool,
}

fn encode(arguments: &Encode) -> Result<Report, Failure> {
    let place = file::place(arguments.file.as_deref());
    let text = file::read_or_stdin(arguments.file.as_deref())?;
    let json = serde_json::from_slice(&text).map_err(|error| {
        // The parser's own words may quote values.
        let (line, column) = (error.line(), error.column());
        Failure::refused(format!(
            "{place}, line {line}, column {column}: not the JSON of a message; see cardroot iso8583 encode --help"
        ))
    })?;
    let message = message_of(&json, arguments.dialect)
        .map_err(|error| Failure::refused(format!("{place}: {error}")))?;
    let bytes = Zeroizing::new(message.encode(arguments.dialect).map_err(|error| {
        Failure::refused(format!("{place} can't be written in dialect {}: {error}", arguments.dialect.name()))
    })?);
    let encoded = hex::encode_secret(&bytes);
    let record = Record::new()
        .with("dialect", arguments.dialect.name())
        .with("mti", message.mti().to_string())
        .with("message_length", bytes.len());
    Ok(match &arguments.out {
        Some(path) => {
            NewFiles::store_line(path, &encoded)?;
            record.with("file", path.display().to_string()).into()
        }
        None => record.with("message", encoded).into(),
    })
}

fn message_of(json: &MessageJson<'_>, dialect: &Dialect) -> Result<Message, String> {
    let mti = json.mti.parse().map_err(|error| format!("member mti: {error}"))?;
    let mut message = Message::new(mti);
    for FieldJson { field, value, masked } in &json.fields {
        if *masked {
            return Err(format!("field {field} is masked; decode the message with --show-card-data"));
        }
        if message.contains(*field) {
            return Err(format!("field {field} is there twice"));
        }
        let binary = dialect.field(*field).is_some_and(|field| field.spec.content.is_binary());
        if binary {
            let bytes = hex::decode(value.as_bytes()).map_err(|error| format!("field {field}: {error}"))?;
            message.set_bytes(dialect, *field, &bytes)
        } else {
            message.set_text(dialect, *field, value)
        }
        .map_err(|error| error.to_string())?;
    }
    Ok(message)
}

fn check(arguments: &Check) -> Result<Report, Failure> {
    let message = arguments.received.message()?;
    let reference = |implicit| if implicit { KeyReference::Implicit } else { KeyReference::Named };
    let options = RuleOptions {
        pin_key: reference(arguments.implicit_pin_key),
        mac_key: reference(arguments.implicit_mac_key),
        key_exchange: if arguments.key_exchange { KeyExchange::Declared } else { KeyExchange::IfCarried },
    };
    let findings = validate(&message, &options);
    let rows = findings.iter().map(|finding| Record::new().with("finding", finding.to_string()));
    let record = Record::new()
        .with("dialect", arguments.received.dialect.name())
        .with("mti", message.mti().to_string())
        .with("consistent", findings.is_empty())
        .with("findings", Value::Table(rows.collect()));
    match findings.len() {
        0 => Ok(record.into()),
        1 => Ok(Report::refused(record, "the message breaks a rule: see findings")),
        count => Ok(Report::refused(record, format!("the message breaks {count} rules: see findings"))),
    }
}

fn dialect() -> impl TypedValueParser<Value = &'static Dialect> {
    PossibleValuesParser::new(Dialect::BUILT_IN.map(Dialect::name))
        .map(|name| Dialect::named(&name).expect("only names of dialects are possible"))
}
