//! `cardroot diversify`: keys from keys and identities.

mod cohort;
mod cryptogram;
mod emv;
mod gp;
mod pboc;
mod profiles;
mod script;
mod session;

use clap::{Subcommand, ValueEnum};

use crate::error::Failure;
use crate::output::{Form, Report};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives a key by PBOC dispersion: child = E(parent, F) || E(parent, not F)
    ///
    /// Each factor is one level: the child of the first is the parent of the second. Parity is left as it comes.
    #[command(after_help = pboc::EXAMPLES)]
    Pboc(pboc::Pboc),
    /// Derives the EMV master key of a card from the issuer's: EMV Book 2, A1.4
    ///
    /// The rule is the same for application cryptograms, script integrity and script confidentiality. Options A and B
    /// derive TDEA keys, which get odd parity, option C AES keys.
    #[command(after_help = emv::EXAMPLES)]
    Emv(emv::Emv),
    /// Derives the three keys of a card for personalisation: KENC, KMAC and KDEK
    ///
    /// A wrong template gives wrong keys, and wrong keys tried often enough block the card: compare check values first.
    #[command(after_help = gp::EXAMPLES)]
    Gp(gp::Gp),
    /// Derives keys of many cards, from a table of them
    ///
    /// The table is comma-separated text whose first line names the columns; a line is a row, # begins a comment. So is the
    /// result: row number, the card's columns as they were given, check values, and what was asked for besides. Rows that
    /// have no key are named on standard error or in a file; the others have theirs, and the exit status is 1.
    #[command(subcommand)]
    Cohort(cohort::Command),
    /// Lists the dispersion profiles, with the columns that tables have under each
    Profiles,
    /// Derives the keys of one transaction or session from a card's keys
    #[command(subcommand)]
    Session(session::Command),
    /// Computes EMV application cryptograms and the issuer's answers to them
    #[command(subcommand)]
    Cryptogram(cryptogram::Command),
    /// Protects the commands of EMV issuer scripts: MACs, and new PINs encrypted
    #[command(subcommand)]
    Script(script::Command),
}

impl Command {
    pub(crate) fn run(self, form: Form) -> Result<Report, Failure> {
        match self {
            Self::Pboc(arguments) => arguments.run(),
            Self::Emv(arguments) => arguments.run(),
            Self::Gp(arguments) => arguments.run(),
            Self::Cohort(command) => command.run(form),
            Self::Profiles => Ok(profiles::list()),
            Self::Session(command) => command.run(),
            Self::Cryptogram(command) => command.run(),
            Self::Script(command) => command.run(),
        }
    }
}

/// Says that the key of `--key` does not suit the derivation.
fn unfit_key(error: &impl core::error::Error) -> Failure {
    unfit("--key", error)
}

/// Says that the key of an argument does not suit the derivation.
fn unfit(argument: &str, error: &impl core::error::Error) -> Failure {
    Failure::refused(format!("{argument}: {error}"))
}

/// The name of a choice, as the command line has it.
fn value_name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}

/// Reads a public number of 2 bytes, as cards count.
fn counter(text: &str) -> Result<u16, String> {
    crate::hex::parse_array(text, "a counter").map(u16::from_be_bytes)
}

/// Takes an argument that the choice before it needs.
fn needed<T: Copy>(argument: &str, value: Option<T>, choice: &str) -> Result<T, Failure> {
    value.ok_or_else(|| Failure::usage(format!("{argument} is missing: {choice} needs it")))
}

/// Refuses an argument that would make no difference.
fn surplus<T>(argument: &str, value: Option<&T>, choice: &str) -> Result<(), Failure> {
    match value {
        Some(_) => Err(Failure::usage(format!("{argument} is not used: {choice} does not take it"))),
        None => Ok(()),
    }
}
