//! `cardroot diversify session`: keys of the PBOC family.

use cardroot::diversify::pboc::{ProcessInput, Transaction};
use cardroot::diversify::{pboc, sm4};
use cardroot::tdea::hazmat::DesKey;
use clap::{Args, ValueEnum};

use crate::any_key::AnyKey;
use crate::diversify::pboc::Cipher;
use crate::diversify::{counter, needed, surplus, unfit_key, value_name};
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const WALLET_EXAMPLES: &str = "\
Examples:
  cardroot diversify session wallet --transaction load --key @dlk.hex --random C903814D --counter 0000
  cardroot diversify session wallet --transaction purchase --key @dpk.hex --random 584633C9 --counter 0000 --sequence 00000000";

#[derive(Args)]
pub(crate) struct Wallet {
    /// The transaction
    #[arg(long, value_enum)]
    transaction: TransactionName,
    /// The card's key of that transaction: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The cipher; no published value confirms SM4
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// The card's random number, 4 bytes
    #[arg(long, value_name = "H", value_parser = four_bytes)]
    random: [u8; 4],
    /// The card's transaction counter, 2 bytes: online with a host, offline with a terminal
    #[arg(long, value_name = "H", value_parser = counter)]
    counter: u16,
    /// The terminal's transaction sequence number, 4 bytes: for purchase, cash and grey-lock
    #[arg(long, value_name = "H", value_parser = four_bytes)]
    sequence: Option<[u8; 4]>,
    /// The terminal's random number, 4 bytes: for grey-lock
    #[arg(long, value_name = "H", value_parser = four_bytes)]
    terminal_random: Option<[u8; 4]>,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum TransactionName {
    /// Value goes into the wallet; the host answers
    Load,
    /// Value goes back to the account; the host answers
    Unload,
    /// The overdraft limit changes; the host answers
    Overdraft,
    /// Payment; a SAM answers
    Purchase,
    /// Cash withdrawal; a SAM answers
    Cash,
    /// Fuel cards: payment of an amount not known yet; a SAM answers
    GreyLock,
}

#[derive(Args)]
pub(crate) struct Folded {
    /// The card's key, of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct Unconfirmed {
    /// The card's key: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The cipher
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// The application transaction counter (ATC), 2 bytes
    #[arg(long, value_name = "H", value_parser = counter)]
    atc: u16,
    #[command(flatten)]
    options: KeyOptions,
}

impl Wallet {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let choice = format!("--transaction {}", value_name(self.transaction));
        let transaction = match self.transaction {
            TransactionName::Load | TransactionName::Unload | TransactionName::Overdraft => {
                surplus("--sequence", self.sequence.as_ref(), &choice)?;
                Transaction::Host
            }
            TransactionName::Purchase | TransactionName::Cash | TransactionName::GreyLock => {
                let sequence = needed("--sequence", self.sequence, &choice)?;
                Transaction::Terminal { sequence: u32::from_be_bytes(sequence) }
            }
        };
        let grey_lock = if self.transaction == TransactionName::GreyLock {
            Some(needed("--terminal-random", self.terminal_random, &choice)?)
        } else {
            surplus("--terminal-random", self.terminal_random.as_ref(), &choice)?;
            None
        };
        let input = ProcessInput { random: self.random, counter: self.counter, transaction };
        let record = Record::new()
            .with("transaction", value_name(self.transaction))
            .with("cipher", value_name(self.cipher));
        let mut secrets = Secrets::default();
        let record = match (self.cipher, grey_lock) {
            (Cipher::Tdea, terminal_random) => {
                let card_key = secrets.key("--key", &self.key)?;
                let key = match terminal_random {
                    None => pboc::process_key(&card_key, &input),
                    Some(random) => pboc::grey_lock_process_key(&card_key, &input, random),
                };
                self.options.finish(record, AnyKey::Des(&key.map_err(|error| unfit_key(&error))?))?
            }
            (Cipher::Sm4, None) => {
                let key = sm4::process_key(&secrets.typed_key("--key", &self.key)?, &input);
                self.options.finish(record, AnyKey::Sm4(&key))?
            }
            (Cipher::Sm4, Some(_)) => {
                return Err(Failure::usage("--cipher sm4: --transaction grey-lock has TDEA only"));
            }
        };
        Ok(record.into())
    }
}

impl Folded {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let key = Secrets::default().key("--key", &self.key)?;
        let folded = DesKey::xor_of_halves(&key).map_err(|error| unfit_key(&error))?;
        Ok(self.options.finish(Record::new(), AnyKey::Des(&folded))?.into())
    }
}

impl Unconfirmed {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let record = Record::new().with("cipher", value_name(self.cipher)).with("confirmed", false);
        let mut secrets = Secrets::default();
        let record = match self.cipher {
            Cipher::Tdea => {
                let key = pboc::unconfirmed_session_key(&secrets.key("--key", &self.key)?, self.atc)
                    .map_err(|error| unfit_key(&error))?;
                self.options.finish(record, AnyKey::Tdea(&key))?
            }
            Cipher::Sm4 => {
                let key = sm4::unconfirmed_session_key(&secrets.typed_key("--key", &self.key)?, self.atc);
                self.options.finish(record, AnyKey::Sm4(&key))?
            }
        };
        Ok(record.into())
    }
}

fn four_bytes(text: &str) -> Result<[u8; 4], String> {
    hex::parse_array(text, "this number")
}
