//! `cardroot keyblock`: keys in key blocks.

mod block;
mod inspect;
mod kbpk;
mod new_key;
mod rewrap;
mod unwrap;
mod wrap;

use clap::Subcommand;

use crate::error::Failure;
use crate::output::Report;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Says what a key block is, without any key
    ///
    /// Nothing of it is verified: anybody can write a header.
    #[command(after_help = inspect::EXAMPLES)]
    Inspect(inspect::Inspect),
    /// Opens a key block
    ///
    /// MAC and check values are verified. The key is shown by its check value alone unless you say --show-key.
    #[command(after_help = unwrap::EXAMPLES)]
    Unwrap(unwrap::Unwrap),
    /// Puts a key into a new key block
    ///
    /// For keys that did not come in a block; those are sent on by rewrap, as their block allows. The protection key must be
    /// at least as strong as the key, and the mode of use one that the usage has.
    #[command(after_help = wrap::EXAMPLES)]
    Wrap(Box<wrap::Wrap>),
    /// Sends a key on, under another protection key
    ///
    /// What the block says of the key stays. A key marked N is not sent on, and none with more leave than it came with.
    #[command(after_help = rewrap::EXAMPLES)]
    Rewrap(Box<rewrap::Rewrap>),
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Inspect(arguments) => inspect::run(&arguments),
            Self::Unwrap(arguments) => unwrap::run(arguments),
            Self::Wrap(arguments) => wrap::run(*arguments),
            Self::Rewrap(arguments) => rewrap::run(&arguments),
        }
    }
}
