//! `cardroot apdu`: commands and responses, and cards in software.

use std::path::PathBuf;

use cardroot::apdu::{
    CardTransport, Case, Chaining, ClassKind, CommandApdu, Le, LogicalChannel, ResponseApdu, SecureMessaging,
};
use cardroot::card::{Card, CardProfile, TransportKey};
use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::key::system_rng;
use crate::output::{Record, Report, Value};
use crate::script::{self, Step};
use crate::{file, hex};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Takes a command, or a response, apart
    ///
    /// All of it is shown, data too: a VERIFY command is a PIN.
    #[command(after_help = PARSE_EXAMPLES)]
    Parse(Parse),
    /// Sends the commands of a script to a card and compares its answers
    ///
    /// A line of a script is a command after >, the expected answer to the command before after <, or a comment after #.
    /// Of an answer, four digits mean its status word and more the whole of it; ? stands for any digit. A command
    /// without an expected answer takes any. The first answer that is not as expected ends the run (exit status 1).
    #[command(after_help = RUN_EXAMPLES)]
    Run(Run),
}

const PARSE_EXAMPLES: &str = "\
Examples:
  cardroot apdu parse '00 A4 00 00 02 3F 00'
  cardroot apdu parse --response 63C2";

const RUN_EXAMPLES: &str = "\
Example:
  printf '> 00A40000023F00\\n< 9000\\n> 0084000004\\n< ????????9000\\n' | cardroot apdu run - --reader sim:user";

#[derive(Args)]
pub(crate) struct Parse {
    /// HEX is a response
    #[arg(long)]
    response: bool,
    /// The bytes; blanks between them don't matter
    #[arg(value_name = "HEX")]
    bytes: hex::Bytes,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The script; - is standard input
    script: PathBuf,
    /// The card: a blank one in software, with the transport code FFFFFFFFFFFFFFFF of FMCOS cards
    #[arg(long, value_enum)]
    reader: Reader,
    /// Serial number of the card in software, 8 bytes
    #[arg(long, value_name = "H", default_value = "8660000000000001", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// Shows the bytes of commands and answers, keys and PINs among them
    #[arg(long)]
    show_data: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Reader {
    /// A user card
    #[value(name = "sim:user")]
    User,
    /// A secure access module (SAM)
    #[value(name = "sim:sam")]
    Sam,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Parse(arguments) if arguments.response => parse_response(&arguments.bytes.0),
            Self::Parse(arguments) => parse_command(&arguments.bytes.0),
            Self::Run(arguments) => run(&arguments),
        }
    }
}

fn parse_command(bytes: &[u8]) -> Result<Report, Failure> {
    let command = CommandApdu::decode(bytes)
        .map_err(|error| Failure::refused(format!("HEX is no command: {error}")))?;
    let header = command.header();
    let class = header.class;
    Ok(Record::new()
        .with("class", hex::encode(&[class.byte()]))
        .with(
            "defined_by",
            match class.kind() {
                ClassKind::Proprietary => "the card's maker",
                ClassKind::FirstInterindustry | ClassKind::FurtherInterindustry => "ISO 7816-4",
            },
        )
        .with("channel", class.channel().map(LogicalChannel::number))
        .with(
            "secure_messaging",
            class.secure_messaging().map(|protection| match protection {
                SecureMessaging::None => "none announced",
                SecureMessaging::Proprietary => "of the card's maker",
                SecureMessaging::HeaderNotAuthenticated => "header not authenticated",
                SecureMessaging::HeaderAuthenticated => "header authenticated",
            }),
        )
        .with("more_to_come", class.chaining().map(|chaining| chaining == Chaining::MoreToCome))
        .with("instruction", hex::encode(&[header.instruction.byte()]))
        .with("p1", hex::encode(&[header.p1]))
        .with("p2", hex::encode(&[header.p2]))
        .with("case", case_name(command.case()))
        .with("data_length", command.expose_data().len())
        .with("data", data(command.expose_data()))
        .with("le", command.le().map(Le::bytes))
        .into())
}

fn data(bytes: &[u8]) -> Option<Zeroizing<String>> {
    (!bytes.is_empty()).then(|| hex::encode_secret(bytes))
}

const fn case_name(case: Case) -> &'static str {
    match case {
        Case::One => "1",
        Case::TwoShort => "2 short",
        Case::ThreeShort => "3 short",
        Case::FourShort => "4 short",
        Case::TwoExtended => "2 extended",
        Case::ThreeExtended => "3 extended",
        Case::FourExtended => "4 extended",
    }
}

fn parse_response(bytes: &[u8]) -> Result<Report, Failure> {
    let response = ResponseApdu::decode(bytes)
        .map_err(|error| Failure::refused(format!("HEX is no response: {error}")))?;
    Ok(Record::new()
        .with("status", hex::encode(&response.status().bytes()))
        .with("meaning", response.status().meaning())
        .with("counter", response.status().counter())
        .with("data_length", response.data().len())
        .with("data", data(response.data()))
        .into())
}

fn run(arguments: &Run) -> Result<Report, Failure> {
    let text = file::read_or_stdin(Some(&arguments.script))?;
    let place = file::place(Some(&arguments.script));
    let steps = script::parse(&text).map_err(|error| Failure::refused(format!("{place}: {error}")))?;
    let profile = match arguments.reader {
        Reader::User => CardProfile::user(arguments.serial),
        Reader::Sam => CardProfile::sam(arguments.serial),
    };
    let mut card = Card::blank(profile, TransportKey::fmcos_default(), system_rng()?);
    let mut rows = Vec::new();
    for step in &steps {
        let answer = exchange(&mut card, &step.command)?;
        let response = ResponseApdu::decode(&answer).map_err(|error| {
            Failure::refused(format!("the answer to line {} is none: {error}", step.line))
        })?;
        rows.push(row(step, &answer, &response, arguments.show_data));
        if let Some(expected) = step.expected.as_ref().filter(|expected| !expected.matches(&answer)) {
            let sentence =
                format!("{place}, line {}: answered by {}, not by {expected}", step.line, response.status());
            return Ok(Report::refused(transcript(rows), sentence));
        }
    }
    Ok(transcript(rows).into())
}

/// Sends a command as it is; returns the answer, SW1-SW2 included.
fn exchange<T: CardTransport>(card: &mut T, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let mut answer = Zeroizing::new(vec![0; ResponseApdu::MAX_LEN]);
    let len = card
        .transmit(command, &mut answer)
        .map_err(|error| Failure::refused(format!("the link to the card failed: {error}")))?;
    answer.truncate(len);
    Ok(answer)
}

fn row(step: &Step, answer: &[u8], response: &ResponseApdu, show_data: bool) -> Record {
    let command = CommandApdu::decode(&step.command).ok();
    let record = Record::new()
        .with("line", step.line)
        .with("command", command.as_ref().map(|command| command.header().to_string()))
        .with("data", command.as_ref().map(|command| command.expose_data().len()))
        .with("le", command.as_ref().and_then(CommandApdu::le).map(Le::bytes))
        .with("answer_data", response.data().len())
        .with("status", hex::encode(&response.status().bytes()))
        .with("expected", step.expected.as_ref().map(ToString::to_string))
        .with("as_expected", step.expected.as_ref().map(|expected| expected.matches(answer)))
        .with("meaning", response.status().meaning());
    if !show_data {
        return record;
    }
    record
        .with("command_bytes", hex::encode_secret(&step.command))
        .with("answer_bytes", hex::encode_secret(answer))
}

fn transcript(rows: Vec<Record>) -> Record {
    Record::new().with("exchanges", Value::Table(rows))
}

fn serial(text: &str) -> Result<[u8; CardProfile::SERIAL_LEN], String> {
    hex::parse_array(text, "a serial number")
}
