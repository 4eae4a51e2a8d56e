//! `cardroot dukpt`: the receiving side of DUKPT.

use core::fmt::Display;

use cardroot::dukpt::{Bdk, Counter, CounterError, DeriveError, Ksn, TransactionKey};
use cardroot::pin::{
    ClearPinBlock, DecryptPinBlock, EncryptedPinBlock, InvalidPinBlock, Pin, PinBlockFormat,
};
use cardroot::tdea::TdeaKey;
use clap::{Args, Subcommand, ValueEnum};
use zeroize::Zeroizing;

use crate::error::Failure;
use crate::hex;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{PanArgument, Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives the Initial Key (IK, IPEK) of one terminal
    #[command(
        after_help = "Example:\n  cardroot dukpt ik --bdk @bdk.hex --ksn FFFF9876543210E00000 --out ik.hex"
    )]
    Ik(Ik),
    /// Derives the key of one transaction, or one of its working keys
    #[command(after_help = DERIVE_EXAMPLES)]
    Derive(Derive),
    /// Gives the next key serial number of a terminal
    ///
    /// Counters with more than ten ones are passed over. After counter 1FF800 the terminal has ceased, and the command
    /// is refused. The number of an initial key (counter zero) is followed by that of the first transaction.
    #[command(after_help = "Example:\n  cardroot dukpt next --ksn FFFF9876543210E007FE")]
    Next(Next),
    /// Decrypts a PIN block and says whether it is valid
    ///
    /// The PIN is shown by --show-pin alone. A block that is not valid tells nothing about why: key, PAN, format or block.
    #[command(after_help = DECRYPT_PIN_EXAMPLES)]
    DecryptPin(DecryptPin),
}

const DERIVE_EXAMPLES: &str = "\
Examples:
  cardroot dukpt derive --bdk @bdk.hex --ksn FFFF9876543210E00001 --use pin
  cardroot dukpt derive --bdk @bdk.hex --ksn 9876543210E00001 --use mac-request --edition 2004 --show-key";

const DECRYPT_PIN_EXAMPLES: &str = "\
Examples:
  cardroot dukpt decrypt-pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --pan ask --block 1B9C1845EB993A7A
  cardroot dukpt decrypt-pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --block 1B9C1845EB993A7A --format 1";

/// A base derivation key and the name of a key under it.
#[derive(Args)]
struct Names {
    /// The Base Derivation Key (BDK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Source,
    /// The Key Serial Number (KSN), 5 to 10 bytes; what is missing on the left is FF
    #[arg(long, value_name = "H", value_parser = ksn)]
    ksn: Ksn,
}

#[derive(Args)]
pub(crate) struct Ik {
    #[command(flatten)]
    names: Names,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct Derive {
    #[command(flatten)]
    names: Names,
    /// What the key is for
    #[arg(long = "use", value_enum, value_name = "USE")]
    usage: Usage,
    /// The edition of ANS X9.24-1 that defines the working keys for MACs and data
    #[arg(long, value_enum, default_value = "2009")]
    edition: Edition,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct Next {
    /// The Key Serial Number (KSN), 5 to 10 bytes; what is missing on the left is FF
    #[arg(long, value_name = "H", value_parser = ksn)]
    ksn: Ksn,
}

#[derive(Args)]
pub(crate) struct DecryptPin {
    #[command(flatten)]
    names: Names,
    /// The Primary Account Number (PAN): digits, @FILE, env:NAME, - or ask; not needed for format 1
    #[arg(long, value_name = "D")]
    pan: Option<PanArgument>,
    /// The encrypted PIN block
    #[arg(long, value_name = "H", value_parser = hex::parse::<EncryptedPinBlock, _>)]
    block: EncryptedPinBlock,
    /// The format of ISO 9564-1 that was agreed on
    #[arg(long, value_enum, default_value = "0")]
    format: Format,
    /// Shows the PIN
    #[arg(long)]
    show_pin: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Usage {
    /// The transaction key itself, from which the others come
    Transaction,
    /// PIN encryption
    Pin,
    /// MACs of what the terminal sends
    MacRequest,
    /// MACs of what the host answers
    MacResponse,
    /// Encryption of what the terminal sends
    DataRequest,
    /// Encryption of what the host answers
    DataResponse,
}

#[derive(Clone, Copy, ValueEnum)]
enum Edition {
    /// One MAC key and one data key for both directions
    #[value(name = "2004")]
    E2004,
    /// A key for each direction
    #[value(name = "2009")]
    E2009,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    #[value(name = "0")]
    Iso0,
    #[value(name = "1")]
    Iso1,
    #[value(name = "3")]
    Iso3,
}

impl From<Format> for PinBlockFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Iso0 => Self::Iso0,
            Format::Iso1 => Self::Iso1,
            Format::Iso3 => Self::Iso3,
        }
    }
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Ik(arguments) => derive_initial_key(&arguments),
            Self::Derive(arguments) => derive(&arguments),
            Self::Next(arguments) => next(&arguments.ksn),
            Self::DecryptPin(arguments) => decrypt_pin(&arguments),
        }
    }
}

fn derive_initial_key(arguments: &Ik) -> Result<Report, Failure> {
    let Names { bdk, ksn } = &arguments.names;
    let bdk = Bdk::from_key(Secrets::default().key("--bdk", bdk)?);
    let initial_key = bdk.derive_initial_key(ksn).map_err(|fault| weak_bdk(&fault))?;
    let record = Record::new().with("ksn", initial_key.ksn().to_string());
    Ok(arguments.options.finish(record, initial_key.expose_key())?.into())
}

fn derive(arguments: &Derive) -> Result<Report, Failure> {
    let key = transaction_key(&arguments.names, &mut Secrets::default())?;
    let record = Record::new()
        .with("ksn", key.ksn().to_string())
        .with("use", value_name(arguments.usage))
        .with("edition", value_name(arguments.edition));
    let finish = |key: &TdeaKey| arguments.options.finish(record, key);
    let record = match (arguments.usage, arguments.edition) {
        (Usage::Transaction, _) => finish(key.expose_key()),
        (Usage::Pin, _) => finish(key.pin_key().expose_key()),
        (Usage::MacRequest | Usage::MacResponse, Edition::E2004) => finish(key.mac_key_2004().expose_key()),
        (Usage::DataRequest | Usage::DataResponse, Edition::E2004) => {
            finish(key.data_key_2004().expose_key())
        }
        (Usage::MacRequest, Edition::E2009) => finish(key.mac_request_key().expose_key()),
        (Usage::MacResponse, Edition::E2009) => finish(key.mac_response_key().expose_key()),
        (Usage::DataRequest, Edition::E2009) => finish(key.data_request_key().expose_key()),
        (Usage::DataResponse, Edition::E2009) => finish(key.data_response_key().expose_key()),
    };
    Ok(record?.into())
}

fn next(ksn: &Ksn) -> Result<Report, Failure> {
    let next = match ksn.counter() {
        Ok(counter) => counter.next().map_err(|end| {
            Failure::refused(format!("--ksn: after counter {counter} {end}; load a new initial key"))
        })?,
        // The initial key's own number: the terminal has not sent anything yet.
        Err(CounterError::Zero) => Counter::FIRST,
        Err(fault) => return Err(bad_ksn(&fault)),
    };
    Ok(Record::new()
        .with("ksn", ksn.with_counter(next).to_string())
        .with("counter", next.to_string())
        .with("transaction", next.ordinal())
        .with("left_after_it", Counter::TRANSACTIONS - next.ordinal())
        .into())
}

fn decrypt_pin(arguments: &DecryptPin) -> Result<Report, Failure> {
    let format = PinBlockFormat::from(arguments.format);
    if arguments.pan.is_none() && format.binds_pan() {
        return Err(Failure::usage(format!(
            "--pan is missing: a block of format {} opens with its PAN only",
            format.number()
        )));
    }
    let mut secrets = Secrets::default();
    let key = transaction_key(&arguments.names, &mut secrets)?;
    let pan = arguments.pan.as_ref().map(|pan| secrets.pan("--pan", pan)).transpose()?;
    let Ok(clear) = key.pin_key().decrypt_pin_block(arguments.block);
    let pin = decode(&clear, format, pan.as_ref())
        .map_err(|InvalidPinBlock| Failure::refused("--block is no PIN block of this key, PAN and format"))?;
    let digits = core::str::from_utf8(pin.expose_digits()).expect("a PIN is ASCII digits");
    Ok(Record::new()
        .with("ksn", key.ksn().to_string())
        .with("format", format.number())
        .with("pan", pan.as_ref().map(ToString::to_string))
        .with("valid", true)
        .with_some("pin", arguments.show_pin.then(|| Zeroizing::new(digits.to_owned())))
        .into())
}

fn decode(
    clear: &ClearPinBlock,
    format: PinBlockFormat,
    pan: Option<&cardroot::pin::Pan>,
) -> Result<Pin, InvalidPinBlock> {
    match pan {
        Some(pan) => clear.decode(format, pan),
        None => clear.decode_iso1(),
    }
}

fn transaction_key(names: &Names, secrets: &mut Secrets) -> Result<TransactionKey, Failure> {
    let bdk = Bdk::from_key(secrets.key("--bdk", &names.bdk)?);
    bdk.derive_transaction_key(&names.ksn).map_err(|error| match error {
        DeriveError::Strength(fault) => weak_bdk(&fault),
        fault => bad_ksn(&fault),
    })
}

fn weak_bdk(fault: &cardroot::tdea::StrengthError) -> Failure {
    Failure::refused(format!("--bdk must not be used: {fault}"))
}

fn bad_ksn(fault: &impl Display) -> Failure {
    Failure::refused(format!("--ksn: {fault}; give the number that came with the message"))
}

/// The name of a choice, as the command line has it.
fn value_name(choice: impl ValueEnum) -> String {
    choice.to_possible_value().expect("no choice is hidden").get_name().to_owned()
}

fn ksn(text: &str) -> Result<Ksn, String> {
    let bytes = hex::decode(text.as_bytes()).map_err(|error| error.to_string())?;
    Ksn::from_wire(&bytes).map_err(|error| error.to_string())
}
