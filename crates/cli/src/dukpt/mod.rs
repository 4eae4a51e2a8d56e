//! `cardroot dukpt`: both sides of DUKPT, with TDEA and with AES.

mod audit;
mod data;
mod derive;
mod diagnose;
mod ik;
mod journal;
mod legacy;
mod mac;
mod names;
mod next;
mod pin;
mod receiver;
mod terminal;
mod working_key;

use clap::{Subcommand, ValueEnum};

use crate::error::Failure;
use crate::output::Report;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives the Initial Key (IK, IPEK) of one terminal
    #[command(after_help = ik::EXAMPLES)]
    Ik(ik::Ik),
    /// Derives the key of one transaction, or one of its working keys
    #[command(after_help = derive::EXAMPLES)]
    Derive(derive::Derive),
    /// Gives the next key serial number of a terminal
    ///
    /// Counters with too many ones are passed over: more than ten, and more than 16 with --aes. After the last one the
    /// terminal has ceased, and the command is refused. The number of an initial key (counter zero) is followed by
    /// that of the first transaction.
    #[command(after_help = next::EXAMPLES)]
    Next(next::Next),
    /// Encrypts a PIN block under the key that a KSN names: for tests of the other side
    ///
    /// A terminal uses each KSN once; `dukpt terminal` keeps its counter.
    #[command(after_help = pin::ENCRYPT_EXAMPLES)]
    EncryptPin(pin::EncryptPin),
    /// Decrypts a PIN block and says whether it is valid
    ///
    /// The PIN is shown by --show-pin alone. A block that is not valid tells nothing about why: key, PAN, format or block;
    /// `dukpt diagnose` looks for the reason.
    #[command(after_help = pin::DECRYPT_EXAMPLES)]
    DecryptPin(pin::DecryptPin),
    /// Computes or verifies the MAC of a message
    #[command(after_help = mac::EXAMPLES)]
    Mac(mac::Mac),
    /// Encrypts data by CBC: for tests of the other side
    #[command(after_help = data::ENCRYPT_EXAMPLES)]
    EncryptData(data::EncryptData),
    /// Decrypts data by CBC
    #[command(after_help = data::DECRYPT_EXAMPLES)]
    DecryptData(data::DecryptData),
    /// A terminal whose state is in a file: it uses each key once
    ///
    /// The state is written and synchronised before anything is printed. A command that is cut costs at most one unused
    /// counter; no key is ever used twice. Each command that uses a key is a transaction of its own.
    #[command(subcommand)]
    Terminal(terminal::Command),
    /// A receiver whose memory is in a file: it accepts each counter once
    ///
    /// The memory is written and synchronised before a verdict is printed, and only messages whose MAC holds reach it. Each
    /// `accept` judges one message.
    #[command(subcommand)]
    Receiver(receiver::Command),
    /// Finds out what is wrong when a PIN block, data or a MAC of a terminal does not fit
    ///
    /// Tries the keys of all editions, of AES DUKPT and of known mistakes: an initial key taken for a BDK, other ways to fill
    /// up a KSN, the KSN of another message, PIN keys for data, ECB, and more. Shows no keys; card data is masked.
    #[command(subcommand)]
    Diagnose(diagnose::Command),
    /// Searches a receiver's record for cloned terminals
    ///
    /// Exit status 1 if there are signs of any. Each says in the documentation what else may have caused it.
    #[command(after_help = audit::HELP)]
    Audit(audit::Audit),
    /// Reads what no new system should send
    #[command(subcommand)]
    Legacy(legacy::Command),
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Ik(arguments) => ik::run(&arguments),
            Self::Derive(arguments) => derive::run(&arguments),
            Self::Next(arguments) => next::run(&arguments),
            Self::EncryptPin(arguments) => pin::encrypt(&arguments),
            Self::DecryptPin(arguments) => pin::decrypt(&arguments),
            Self::Mac(arguments) => mac::run(&arguments),
            Self::EncryptData(arguments) => data::encrypt(&arguments),
            Self::DecryptData(arguments) => data::decrypt(&arguments),
            Self::Terminal(command) => command.run(),
            Self::Receiver(command) => command.run(),
            Self::Diagnose(command) => command.run(),
            Self::Audit(arguments) => audit::run(&arguments),
            Self::Legacy(command) => command.run(),
        }
    }
}

/// The name of a choice, as the command line has it.
fn value_name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}
