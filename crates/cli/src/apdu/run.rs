//! `cardroot apdu run`: a script against a card.

use core::str::FromStr;
use std::path::PathBuf;

use cardroot::apdu::{
    CardReset, ClassKind, CommandApdu, Header, Instruction, Le, RecordingTransport, ResponseApdu,
};
use cardroot::card::{Card, CardProfile, TransportKey};
use clap::Args;
use zeroize::Zeroizing;

use crate::apdu::readers::{self, Reader};
use crate::apdu::script::{self, Action, Step, Variables};
use crate::card::serial;
use crate::error::Failure;
use crate::file::{self, NewFiles};
use crate::hex;
use crate::key::system_rng;
use crate::output::{Record, Report, Value};
use crate::secret::{Secrets, Source};

#[derive(Args)]
pub(crate) struct Run {
    /// The script; - is standard input
    script: PathBuf,
    /// The card: sim:user, sim:sam or a key card such as sim:city, a blank one in software with the transport code FFFFFFFFFFFFFFFF of FMCOS cards;
    /// replay:FILE, what --record kept; or the name of a reader, or a part that no other has in its name
    #[arg(long)]
    reader: Reader,
    /// Serial number of the card in software, 8 bytes
    #[arg(long, value_name = "H", default_value = "8660000000000001", value_parser = serial)]
    serial: [u8; CardProfile::SERIAL_LEN],
    /// Gives the variable $NAME a value
    #[arg(long, value_name = "NAME=H", value_parser = public_variable)]
    set: Vec<(String, hex::Bytes)>,
    /// Gives the variable $NAME a secret value
    #[arg(long, value_name = "NAME=K", value_parser = secret_variable)]
    secret: Vec<(String, Source)>,
    /// Keeps commands and answers in a new file that only its owner can read: every byte, keys and PINs among them
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Shows the bytes of commands and answers, keys and PINs among them
    #[arg(long)]
    show_data: bool,
}

pub(crate) fn run(arguments: &Run) -> Result<Report, Failure> {
    let mut secrets = Secrets::default();
    if file::is_stdin(&arguments.script) {
        secrets.leave_stdin_to("SCRIPT")?;
    }
    let mut variables = Variables::default();
    for (name, hex::Bytes(bytes)) in &arguments.set {
        variables.set(name, Zeroizing::new(bytes.clone()));
    }
    for (name, source) in &arguments.secret {
        variables.set(name, secrets.bytes("--secret", source)?);
    }
    // Before the card is touched or a record begun.
    let text = file::read_or_stdin(Some(&arguments.script))?;
    let place = file::place(Some(&arguments.script));
    let steps =
        script::parse(&text, &variables).map_err(|error| Failure::refused(format!("{place}: {error}")))?;
    let run = Prepared { arguments, steps, variables };
    match &arguments.reader {
        Reader::Simulated(kind) => {
            let profile = CardProfile::new(*kind, arguments.serial);
            run.recorded(Card::blank(profile, TransportKey::fmcos_default(), system_rng()?))
        }
        Reader::Replay(path) => run.recorded(readers::replay(path)?),
        Reader::Named(name) => run.recorded(readers::open(name)?),
    }
}

/// A script that was read, and what it starts with.
struct Prepared<'a> {
    arguments: &'a Run,
    steps: Vec<Step>,
    variables: Variables,
}

impl Prepared<'_> {
    /// Plays the script, and keeps a record of it whatever comes of it.
    fn recorded(self, card: impl CardReset) -> Result<Report, Failure> {
        let Some(path) = &self.arguments.record else { return self.play(card) };
        let mut files = NewFiles::default();
        files.create(path)?;
        let mut recorder = RecordingTransport::new(card);
        let result = self.play(&mut recorder);
        let text = Zeroizing::new(recorder.into_script().expose_text());
        std::fs::write(path, text.as_bytes()).map_err(|error| file::unwritable(path, &error))?;
        files.keep();
        result
    }

    fn play(self, mut card: impl CardReset) -> Result<Report, Failure> {
        let Self { arguments, steps, mut variables } = self;
        let place = file::place(Some(&arguments.script));
        let mut rows = Vec::new();
        for step in &steps {
            let link_failed = |error: &dyn core::fmt::Display| {
                Failure::refused(format!("{place}, line {}: {error}", step.line))
            };
            match &step.action {
                Action::Set { name, value } => variables.set(name, value.bytes(&variables)),
                Action::Reset => card.reset().map_err(|error| link_failed(&error))?,
                Action::Send { command, expected } => {
                    let command = command.bytes(&variables);
                    let answer = exchange(&mut card, &command).map_err(|error| link_failed(&error))?;
                    let response = ResponseApdu::decode(&answer).map_err(|error| {
                        Failure::refused(format!("the answer to line {} is none: {error}", step.line))
                    })?;
                    let is_met = expected.as_ref().map(|expected| expected.matches(&answer, &mut variables));
                    let exchange = Exchange { line: step.line, command: &command, response: &response };
                    let shows_bytes = arguments.show_data || exchange.is_public();
                    let expected = expected.as_ref().map(|pattern| {
                        if shows_bytes { pattern.to_string() } else { pattern.outline().to_string() }
                    });
                    rows.push(exchange.row(expected.as_deref(), is_met, shows_bytes));
                    if let (Some(false), Some(expected)) = (is_met, expected) {
                        let found = response.status();
                        let sentence =
                            format!("{place}, line {}: answered by {found}, not by {expected}", step.line);
                        return Ok(Report::refused(transcript(rows), sentence));
                    }
                }
            }
        }
        Ok(transcript(rows).into())
    }
}

/// Sends a command as it is; returns the answer, SW1-SW2 included.
fn exchange<T: CardReset>(card: &mut T, command: &[u8]) -> Result<Zeroizing<Vec<u8>>, T::Error> {
    let mut answer = Zeroizing::new(vec![0; ResponseApdu::MAX_LEN]);
    let len = card.transmit(command, &mut answer)?;
    answer.truncate(len);
    Ok(answer)
}

struct Exchange<'a> {
    line: usize,
    command: &'a [u8],
    response: &'a ResponseApdu,
}

impl Exchange<'_> {
    /// Whether neither the command nor its answer can hold a secret or anything of the card's holder.
    fn is_public(&self) -> bool {
        CommandApdu::decode(self.command).is_ok_and(|command| is_public(command.header()))
    }

    fn row(&self, expected: Option<&str>, is_met: Option<bool>, shows_bytes: bool) -> Record {
        let command = CommandApdu::decode(self.command).ok();
        let response = self.response;
        Record::new()
            .with("line", self.line)
            .with("command", command.as_ref().map(|command| command.header().to_string()))
            .with("name", command.as_ref().and_then(|command| name(command.header())))
            .with("data", command.as_ref().map(|command| command.expose_data().len()))
            .with("le", command.as_ref().and_then(CommandApdu::le).map(Le::bytes))
            .with("answer_data", response.data().len())
            .with("status", hex::encode(&response.status().bytes()))
            .with("expected", expected)
            .with("as_expected", is_met)
            .with("meaning", response.status().meaning())
            .with("command_bytes", shows_bytes.then(|| hex::encode_secret(self.command)))
            .with("answer_bytes", shows_bytes.then(|| hex::encode_secret(response.encode().expose_bytes())))
    }
}

/// A class of the card's maker may mean anything by an instruction: `80 70` has an amount and a card's factor.
fn is_public(header: Header) -> bool {
    header.class.kind() != ClassKind::Proprietary
        && [Instruction::SELECT, Instruction::GET_CHALLENGE, Instruction::MANAGE_CHANNEL]
            .contains(&header.instruction)
}

/// What people call an instruction.
fn name(header: Header) -> Option<&'static str> {
    let is_proprietary = header.class.kind() == ClassKind::Proprietary;
    Some(match header.instruction.byte() {
        0x0E => "ERASE",
        0x16 => "CARD BLOCK",
        0x18 => "APPLICATION UNBLOCK",
        0x1A => "INIT FOR DESCRYPT",
        0x1E => "APPLICATION BLOCK",
        0x20 => "VERIFY",
        0x50 => "INITIALIZE",
        0x70 if is_proprietary => "INIT SAM FOR PURCHASE",
        0x70 => "MANAGE CHANNEL",
        0x82 => "EXTERNAL AUTHENTICATE",
        0x84 => "GET CHALLENGE",
        0x88 => "INTERNAL AUTHENTICATE",
        0xA4 => "SELECT",
        0xB0 => "READ BINARY",
        0xB2 => "READ RECORD",
        0xC0 => "GET RESPONSE",
        0xC2 => "ENVELOPE",
        0xCA => "GET DATA",
        0xD0 => "WRITE BINARY",
        0xD4 => "WRITE KEY",
        0xD6 => "UPDATE BINARY",
        0xD8 => "PUT KEY",
        0xDC => "UPDATE RECORD",
        0xE0 => "CREATE FILE",
        0xE2 => "APPEND RECORD",
        0xFA => "DES CRYPT",
        _ => return None,
    })
}

fn transcript(rows: Vec<Record>) -> Record {
    Record::new().with("exchanges", Value::Table(rows))
}

fn public_variable(text: &str) -> Result<(String, hex::Bytes), String> {
    variable(text)
}

fn secret_variable(text: &str) -> Result<(String, Source), String> {
    variable(text)
}

fn variable<T: FromStr<Err: ToString>>(text: &str) -> Result<(String, T), String> {
    let (name, value) = text.split_once('=').ok_or("a variable is NAME=value")?;
    if !script::is_name(name) {
        return Err("a variable's name is capital letters, digits and _, a letter first".into());
    }
    Ok((name.into(), value.parse().map_err(|error: T::Err| error.to_string())?))
}
