//! `cardroot apdu`: commands and responses, and cards in software.

pub(crate) mod readers;
mod run;
mod script;

use cardroot::apdu::{
    Case, Chaining, ClassKind, CommandApdu, Le, LogicalChannel, ResponseApdu, SecureMessaging,
};
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Takes a command, or a response, apart
    ///
    /// All of it is shown, data too: a VERIFY command is a PIN.
    #[command(after_help = PARSE_EXAMPLES)]
    Parse(Parse),
    /// Sends the commands of a script to a card and compares its answers
    ///
    /// A line of a script is a command after >, the expected answer to the command before after <, a variable as
    /// $NAME = bytes, a reset of the card as ! reset, or a comment after #. Of an answer, four digits mean its status word
    /// and more the whole of it; ? stands for any digit. $NAME in a command or an answer is the bytes of a variable,
    /// $NAME:4 in an answer keeps 4 bytes of it. A command without an expected answer takes any. The first answer that is
    /// not as expected ends the run (exit status 1). Bytes of commands and answers that may hold secrets, expected ones too, are shown by
    /// --show-data only.
    #[command(after_help = RUN_EXAMPLES)]
    Run(run::Run),
    /// Lists the readers of this machine and the cards in them (PC/SC)
    Readers,
}

const PARSE_EXAMPLES: &str = "\
Examples:
  cardroot apdu parse '00 A4 00 00 02 3F 00'
  cardroot apdu parse --response 63C2";

const RUN_EXAMPLES: &str = "\
Examples:
  printf '> 00A40000023F00\\n< 9000\\n> 0084000004\\n< ????????9000\\n' | cardroot apdu run - --reader sim:user
  cardroot apdu run personalise.apdu --reader OMNIKEY --secret PIN=ask --record session.apdu
  cardroot apdu run personalise.apdu --reader replay:session.apdu --secret PIN=ask";

#[derive(Args)]
pub(crate) struct Parse {
    /// HEX is a response
    #[arg(long)]
    response: bool,
    /// The bytes; blanks between them don't matter
    #[arg(value_name = "HEX")]
    bytes: hex::Bytes,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Parse(arguments) if arguments.response => parse_response(&arguments.bytes.0),
            Self::Parse(arguments) => parse_command(&arguments.bytes.0),
            Self::Run(arguments) => run::run(&arguments),
            Self::Readers => readers::list(),
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
