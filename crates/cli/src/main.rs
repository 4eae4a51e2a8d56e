#![doc = include_str!("../README.md")]

extern crate alloc;

mod any_key;
mod apdu;
mod card;
mod card_give;
mod card_issue;
mod component;
mod csm;
mod diversify;
mod dukpt;
mod error;
mod file;
mod function;
mod hex;
mod input;
mod iso8583;
mod key;
mod key_options;
mod keyblock;
mod named;
mod output;
mod pin;
mod secret;
mod smid;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::error::Failure;
use crate::output::{Form, Report};

/// Key management for payment and smart cards: keys, components, derivation, DUKPT, PIN blocks, key blocks, key names, messages, cards.
///
/// A secret K (a key, a component, and a PAN if you like) is never an argument. Give
///   @FILE      the file's content
///   env:NAME   the environment variable's content
///   -          standard input
///   ask        a prompt on the terminal, without echo
///
/// Keys are hexadecimal digits; blanks and line ends between them don't matter. A derived or opened key is shown by
/// its check value alone unless you say --show-key. H stands for public hexadecimal digits, D for decimal ones.
#[derive(Parser)]
#[command(name = "cardroot", version, verbatim_doc_comment, after_help = EXIT_STATUS)]
struct Cli {
    /// Prints one JSON object with the same content
    #[arg(long, global = true, display_order = 900)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXIT_STATUS: &str = "Exit status: 0 done, 1 refused or failed, 2 wrong usage.";

#[derive(Subcommand)]
enum Command {
    /// Generates and checks keys
    #[command(subcommand)]
    Key(key::Command),
    /// Splits keys into components and combines them
    #[command(subcommand)]
    Component(component::Command),
    /// Derives keys from identities: city, issuer, card
    #[command(subcommand)]
    Diversify(diversify::Command),
    /// Derived Unique Key Per Transaction (DUKPT), with TDEA and with AES
    #[command(subcommand)]
    Dukpt(dukpt::Command),
    /// PIN blocks of ISO 9564: made, opened, and translated from one key and format to another
    #[command(subcommand)]
    Pin(pin::Command),
    /// Keys in key blocks (TR-31, ANS X9.143, ISO 20038): inspected, opened, made and sent on
    #[command(subcommand)]
    Keyblock(keyblock::Command),
    /// Key names in messages: Security Management Information Data elements (SMID)
    #[command(subcommand)]
    Smid(smid::Command),
    /// ISO 8583:1987 and :1993 messages
    #[command(subcommand)]
    Iso8583(iso8583::Command),
    /// Cryptographic service messages (CSM): keys under keys, and the answers to them
    #[command(subcommand)]
    Csm(csm::Command),
    /// Card commands, sent to readers and to cards in software
    #[command(subcommand)]
    Apdu(apdu::Command),
    /// Cards made by a plan and compared with it, and cards in software, plugged into a virtual reader
    #[command(subcommand)]
    Card(card::Command),
}

impl Command {
    fn run(self, form: Form) -> Result<Report, Failure> {
        match self {
            Self::Key(command) => command.run(),
            Self::Component(command) => command.run(),
            Self::Diversify(command) => command.run(form),
            Self::Dukpt(command) => command.run(),
            Self::Pin(command) => command.run(),
            Self::Keyblock(command) => command.run(),
            Self::Smid(command) => command.run(),
            Self::Iso8583(command) => command.run(),
            Self::Csm(command) => command.run(),
            Self::Apdu(command) => command.run(),
            Self::Card(command) => command.run(),
        }
    }
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return error::print_clap(&error),
    };
    let form = if cli.json { Form::Json } else { Form::Text };
    match cli.command.run(form).and_then(|report| report.print(form)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.print(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn no_command_contradicts_itself() {
        Cli::command().debug_assert();
    }
}
