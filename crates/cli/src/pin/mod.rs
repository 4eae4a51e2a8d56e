//! `cardroot pin`: PIN blocks.

mod block;
mod decode;
mod encode;
mod keys;
mod translate;

use clap::Subcommand;

use crate::error::Failure;
use crate::output::Report;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Makes a PIN block, under a PIN encryption key or, by --show-pin, in clear
    #[command(after_help = encode::EXAMPLES)]
    Encode(encode::Encode),
    /// Opens a PIN block and says whether it is valid
    ///
    /// The PIN is shown by --show-pin alone. A block that is not valid tells nothing about why: key, PAN, format or block.
    #[command(after_help = decode::EXAMPLES)]
    Decode(decode::Decode),
    /// Translates a PIN block from one key and format to another, as a switch does
    ///
    /// Formats 0, 3 and 4 become one another with the PAN that they are bound to, 1 becomes any of them, and nothing that
    /// is bound to a PAN becomes 1. Format 2 is for cards. Neither PIN nor clear block is shown, by no option.
    #[command(after_help = translate::EXAMPLES)]
    Translate(translate::Translate),
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Encode(arguments) => encode::run(&arguments),
            Self::Decode(arguments) => decode::run(&arguments),
            Self::Translate(arguments) => translate::run(&arguments),
        }
    }
}
