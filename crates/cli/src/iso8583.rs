//! `cardroot iso8583`: messages, their SMIDs and their consistency.

use alloc::borrow::Cow;
use core::str::FromStr;
use std::path::PathBuf;

use cardroot::pin::Pan;
use cardroot::smid::iso8583::{
    BitmapCoding, Dialect, FieldValue, JsonError, KeyExchange, KeyReference, Message, MessageSmidError,
    MtiCoding, RuleOptions, Sensitivity, Version, validate,
};
use cardroot::smid::{Carrier, SmidList, SmidProfile};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::file::{self, NewFiles};
use crate::input::Input;
use crate::named::{self, NameOrFile};
use crate::output::{self, Form, Record, Report, Value};
use crate::secret::Secrets;
use crate::{hex, smid};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Lists, shows and checks dialects: how messages may be written
    #[command(subcommand)]
    Dialect(DialectCommand),
    /// Decodes a message and prints its fields
    ///
    /// PAN, tracks, PIN data, other sensitive fields and those that the dialect masks are masked unless you say --show-all. With
    /// --json the message is printed in the form that encode reads; if SMIDs are asked for, as the member "message".
    #[command(after_help = DECODE_EXAMPLES)]
    Decode(Decode),
    /// Encodes a message from JSON, in the form that decode prints by --json
    ///
    /// {"mti": "0800", "fields": {"11": "000042", "64": "0011223344556677"}}
    ///
    /// Values of binary fields are hexadecimal. Masked fields are refused. The message that is printed holds
    /// everything that was put in.
    #[command(after_help = ENCODE_EXAMPLES)]
    Encode(Encode),
    /// Checks bits 52, 53, 64, 96 and 128 against each other and the message type, and subfields and SMIDs against the dialect
    ///
    /// The exit status is 1 if there are findings.
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
}

#[derive(Subcommand)]
pub(crate) enum DialectCommand {
    /// Lists the dialects that are built in
    List,
    /// Prints a dialect as TOML, every field of it: a start for one of your own
    Show(named::Show<Dialect>),
    /// Checks a file; what is wrong is said with line, field and reason
    Check(named::Check),
}

const DECODE_EXAMPLES: &str = "\
Examples:
  cardroot iso8583 decode --dialect iso8583-1993-binary message.hex
  cardroot iso8583 decode --dialect iso8583-1987-ascii --raw < message.bin
  cardroot iso8583 decode --dialect our-network.toml --input base64 message.txt";

const ENCODE_EXAMPLES: &str = "\
Examples:
  cardroot iso8583 encode --dialect iso8583-1987-ascii message.json
  cardroot --json iso8583 decode --dialect iso8583-1993-ascii --show-all message.hex \\
    | cardroot iso8583 encode --dialect iso8583-1993-binary";

const CHECK_EXAMPLES: &str = "\
Example:
  cardroot iso8583 check --dialect iso8583-1993-binary --implicit-pin-key message.hex";

#[derive(Args)]
struct Received {
    /// How the message is written: a dialect that is built in, or a file called *.toml
    #[arg(long, value_name = "NAME|FILE", value_parser = NameOrFile::<Dialect>::from_str)]
    dialect: NameOrFile<Dialect>,
    /// How SMIDs stand in bits 53 and 96: a profile that is built in, or a file called *.toml; if not given, as the dialect says
    #[arg(long, value_name = "NAME|FILE", value_parser = NameOrFile::<SmidProfile>::from_str)]
    smid_profile: Option<NameOrFile<SmidProfile>>,
    #[command(flatten)]
    input: Input,
}

#[derive(Args)]
pub(crate) struct Decode {
    #[command(flatten)]
    received: Received,
    /// Shows the masked fields
    #[arg(long)]
    show_all: bool,
}

#[derive(Args)]
pub(crate) struct Encode {
    /// How the message is to be written: a dialect that is built in, or a file called *.toml
    #[arg(long, value_name = "NAME|FILE", value_parser = NameOrFile::<Dialect>::from_str)]
    dialect: NameOrFile<Dialect>,
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
            Self::Dialect(command) => command.run(),
            Self::Decode(arguments) => decode(&arguments),
            Self::Encode(arguments) => encode(&arguments),
            Self::Check(arguments) => check(&arguments),
        }
    }
}

impl DialectCommand {
    fn run(self) -> Result<Report, Failure> {
        match self {
            Self::List => {
                let rows = Dialect::BUILT_IN.into_iter().map(summary);
                Ok(Record::new().with("dialects", Value::Table(rows.collect())).into())
            }
            Self::Show(arguments) => arguments.run(),
            Self::Check(arguments) => arguments.read().map(|dialect: Dialect| summary(&dialect).into()),
        }
    }
}

fn summary(dialect: &Dialect) -> Record {
    let mti = match dialect.mti() {
        MtiCoding::Ascii => "4 ASCII digits",
        MtiCoding::Ebcdic => "4 EBCDIC digits",
        MtiCoding::Bcd => "2 bytes",
    };
    let bitmap = match dialect.bitmap() {
        BitmapCoding::Hex => "hexadecimal",
        BitmapCoding::EbcdicHex => "hexadecimal in EBCDIC",
        BitmapCoding::Binary => "bytes",
    };
    let profile = dialect.smid_profile().map(|profile| profile.name.to_string());
    Record::new()
        .with("dialect", dialect.name())
        .with("message_type", mti)
        .with("bitmap", bitmap)
        .with("fields", dialect.fields().count())
        .with(
            "masked",
            dialect.fields().filter(|field| field.spec.sensitivity == Sensitivity::Masked).count(),
        )
        .with("smid_profile", profile)
}

/// A message, and what was agreed on to read it.
struct Opened {
    dialect: Cow<'static, Dialect>,
    profile: Option<Cow<'static, SmidProfile>>,
    message: Message,
}

impl Received {
    fn open(&self) -> Result<Opened, Failure> {
        let dialect = self.dialect.read()?;
        let profile = match &self.smid_profile {
            Some(profile) => Some(profile.read()?),
            // In other versions bits 53 and 96 mean something else.
            None if dialect.version() != Version::Iso1993 => None,
            None => dialect.smid_profile().cloned().map(Cow::Owned),
        };
        let bytes = self.input.read(&mut Secrets::default())?;
        let message = Message::decode(&dialect, &bytes).map_err(|error| {
            let (place, dialect) = (self.input.place(), dialect.name());
            Failure::refused(format!("{place} holds no message of dialect {dialect}: {error}"))
        })?;
        Ok(Opened { dialect, profile, message })
    }
}

fn decode(arguments: &Decode) -> Result<Report, Failure> {
    let Opened { dialect, profile, message } = arguments.received.open()?;
    let shows = |number| arguments.show_all || !message.is_masked(&dialect, number);
    let fields = message.fields().map(|(number, value)| {
        let (length, full) = match value {
            FieldValue::Text(text) => (text.len(), Zeroizing::new(text.to_owned())),
            FieldValue::Bytes(bytes) => (bytes.len(), hex::encode_secret(bytes)),
        };
        Record::new()
            .with("field", number)
            .with("name", dialect.field(number).map(|field| &*field.spec.name))
            .with("length", length)
            .with("masked", !shows(number))
            .with("value", if shows(number) { full } else { mask(number, &full) })
    });
    let record = Record::new()
        .with("dialect", dialect.name())
        .with("mti", message.mti().to_string())
        .with("fields", Value::Table(fields.collect()));
    let json = if arguments.show_all { message.to_json_exposed() } else { message.to_json(&dialect) };
    let json = Zeroizing::new(json);
    let Some(profile) = profile else { return Ok(Report::from(record).verbatim(Form::Json, json)) };
    let (smids, refusal) = smids(&message, &profile);
    let smids = Value::Table(smids);
    let json = output::object(&[("message", &json), ("smids", &output::json(&smids))]);
    Ok(Report::from(record.with("smids", smids)).verbatim(Form::Json, json).unless(refusal))
}

/// What is shown of a masked value: a PAN as it may be shown, nothing of the rest.
fn mask(number: u8, value: &str) -> Zeroizing<String> {
    let pan = if number == 2 { Pan::from_ascii_digits(value.as_bytes()).ok() } else { None };
    Zeroizing::new(pan.map_or_else(|| "****".into(), |pan| pan.to_string()))
}

/// The SMIDs in bits 53 and 96, and what is wrong with the first bit that is not of the profile.
fn smids(message: &Message, profile: &SmidProfile) -> (Vec<Record>, Option<String>) {
    let (mut rows, mut refusal) = (Vec::new(), None);
    for (carrier, read) in carriers(message, profile) {
        match read {
            Ok(smids) => {
                let smids = smids.iter().flat_map(|smids| smids.as_slice());
                rows.extend(smids.map(|one| {
                    let record = Record::new().with("carrier", carrier.field());
                    smid::parts(smid::named(record, one), profile.parts(&one.key_name).ok().flatten())
                }));
            }
            Err(error) => refusal = refusal.or_else(|| Some(misread(carrier, profile, &error))),
        }
    }
    (rows, refusal)
}

type ReadSmids = Result<Option<SmidList>, MessageSmidError>;

fn carriers(message: &Message, profile: &SmidProfile) -> [(Carrier, ReadSmids); 2] {
    [(Carrier::Bit53, message.smids(profile)), (Carrier::Bit96, message.future_smids(profile))]
}

fn misread(carrier: Carrier, profile: &SmidProfile, error: &MessageSmidError) -> String {
    format!("{carrier} is not of profile {}: {error}", profile.name)
}

fn encode(arguments: &Encode) -> Result<Report, Failure> {
    let dialect = arguments.dialect.read()?;
    let place = file::place(arguments.file.as_deref());
    let content = file::read_or_stdin(arguments.file.as_deref())?;
    let text = core::str::from_utf8(&content)
        .map_err(|error| Failure::refused(format!("{place}, byte {}: not UTF-8", error.valid_up_to())))?;
    let message = Message::from_json(&dialect, text).map_err(|error| {
        Failure::refused(match error {
            JsonError::Syntax { .. } => format!("{place}, {error}; see cardroot iso8583 encode --help"),
            JsonError::Masked { .. } => format!("{place}: {error}; decode the message with --show-all"),
            _ => format!("{place}: {error}"),
        })
    })?;
    let bytes = Zeroizing::new(message.encode(&dialect).map_err(|error| {
        Failure::refused(format!("{place} can't be written in dialect {}: {error}", dialect.name()))
    })?);
    let encoded = hex::encode_secret(&bytes);
    let record = Record::new()
        .with("dialect", dialect.name())
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

fn check(arguments: &Check) -> Result<Report, Failure> {
    let Opened { dialect, profile, message } = arguments.received.open()?;
    let reference = |implicit| if implicit { KeyReference::Implicit } else { KeyReference::Named };
    let options = RuleOptions {
        pin_key: reference(arguments.implicit_pin_key),
        mac_key: reference(arguments.implicit_mac_key),
        key_exchange: if arguments.key_exchange { KeyExchange::Declared } else { KeyExchange::IfCarried },
    };
    let mut findings: Vec<String> = validate(&message, &options).iter().map(ToString::to_string).collect();
    let cut = dialect.fields().filter(|field| field.spec.subfields.is_some()).map(|field| field.spec.number);
    let cut = cut.filter(|&number| message.contains(number));
    findings.extend(cut.filter_map(|number| Some(message.subfields(&dialect, number).err()?.to_string())));
    if let Some(profile) = profile {
        let read = carriers(&message, &profile);
        let wrong = read.iter().filter_map(|(carrier, read)| Some((*carrier, read.as_ref().err()?)));
        findings.extend(wrong.map(|(carrier, error)| misread(carrier, &profile, error)));
    }
    let count = findings.len();
    let rows = findings.into_iter().map(|finding| Record::new().with("finding", finding));
    let record = Record::new()
        .with("dialect", dialect.name())
        .with("mti", message.mti().to_string())
        .with("consistent", count == 0)
        .with("findings", Value::Table(rows.collect()));
    match count {
        0 => Ok(record.into()),
        1 => Ok(Report::refused(record, "the message breaks a rule: see findings")),
        count => Ok(Report::refused(record, format!("the message breaks {count} rules: see findings"))),
    }
}
