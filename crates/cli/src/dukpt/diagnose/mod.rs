//! `dukpt diagnose`: which key, edition and mode fits what a terminal sent.
//!
//! Derivation is right or wrong as a whole: a wrong key tells nothing of what is wrong with it. So all ways are tried that
//! devices and programs in the field are known to take, the nearest to the standard first, and what comes out is
//! recognised by what is known of it.

mod aes;
mod cipher;
mod data;
mod look;
mod mac;
mod path;
mod pin;
mod search;
mod tdes;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use self::look::Hint;
use self::path::Problem;
use self::search::{Fit, Outcome, search};
use crate::error::Failure;
use crate::file;
use crate::hex;
use crate::output::{Record, Report, Value};
use crate::secret::{PanArgument, Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Finds out under which key, and how, a PIN block opens
    #[command(
        after_help = "Example:\n  cardroot dukpt diagnose pin --bdk @bdk.hex --ksn FFFF9876543210E00001 --pan ask --block 1B9C1845EB993A7A"
    )]
    Pin(Pin),
    /// Finds out under which key, and how, data decrypts to something
    ///
    /// What comes out is recognised by --known or --pan, and without them by its looks: track data, digits of an account
    /// number, or text of 16 characters or more.
    #[command(after_help = DATA_EXAMPLES)]
    Data(Data),
    /// Finds out under which key, and how, a MAC is that of a message
    #[command(
        after_help = "Example:\n  cardroot dukpt diagnose mac --bdk @bdk.hex --ksn FFFF9876543210E00001 --mac 9CCC7817 --raw message.txt"
    )]
    Mac(Mac),
}

const DATA_EXAMPLES: &str = "\
Examples:
  cardroot dukpt diagnose data --bdk @bdk.hex --ksn FFFF9876543210E00008 data.hex
  cardroot dukpt diagnose data --bdk @bdk.hex --ksn FFFF9876543210E00008 --pan ask --show-data data.hex";

/// What was given, whatever it turns out to be.
#[derive(Args)]
struct Given {
    /// The key that should be the Base Derivation Key (BDK), of TDEA or AES: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    bdk: Source,
    /// The Key Serial Number (KSN) as it came
    #[arg(long, value_name = "H")]
    ksn: hex::Bytes,
}

#[derive(Args)]
pub(crate) struct Pin {
    #[command(flatten)]
    given: Given,
    /// The Primary Account Number (PAN): digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: PanArgument,
    /// The encrypted PIN block: 8 bytes, or 16
    #[arg(long, value_name = "H")]
    block: hex::Bytes,
    /// The PIN, if it is known (a test card's): @FILE, env:NAME, - or ask. Blocks of format 1 are found by it alone
    #[arg(long, value_name = "K")]
    pin: Option<Source>,
}

#[derive(Args)]
pub(crate) struct Data {
    #[command(flatten)]
    given: Given,
    /// Text or digits that are in the data, 4 characters or more: @FILE, env:NAME, - or ask
    #[arg(long, value_name = "K")]
    known: Option<Source>,
    /// A Primary Account Number (PAN) that is in the data: digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: Option<PanArgument>,
    /// The initial vector that should be the right one, one block: zeros are tried in any case
    #[arg(long, value_name = "H")]
    iv: Option<hex::Bytes>,
    /// Shows what the data decrypts to
    #[arg(long)]
    show_data: bool,
    /// FILE holds the data itself, not its hexadecimal digits
    #[arg(long)]
    raw: bool,
    /// The encrypted data in hexadecimal, at most 64 KiB of data; standard input if not given
    file: Option<PathBuf>,
}

#[derive(Args)]
pub(crate) struct Mac {
    #[command(flatten)]
    given: Given,
    /// The MAC that came with the message, 4 bytes or more
    #[arg(long, value_name = "H")]
    mac: hex::Bytes,
    /// FILE holds the message itself, not its hexadecimal digits
    #[arg(long)]
    raw: bool,
    /// The message in hexadecimal, at most 64 KiB of message; standard input if not given
    file: Option<PathBuf>,
}

/// Most bytes of data or of a message: hundreds of keys are tried over all of them, which takes seconds for so many.
const MAX_LEN: usize = 64 << 10;

/// Reads data or a message, short enough to be tried under all keys.
fn read(path: Option<&Path>, raw: bool, secrets: &mut Secrets) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = secrets.message(path, raw)?;
    match bytes.len() {
        ..=MAX_LEN => Ok(bytes),
        found => Err(Failure::refused(format!(
            "{}: {found} bytes are more than the {MAX_LEN} that are tried under all keys: give a shorter one of the same terminal",
            file::place(path)
        ))),
    }
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Pin(arguments) => diagnose_pin(&arguments),
            Self::Data(arguments) => diagnose_data(&arguments),
            Self::Mac(arguments) => diagnose_mac(&arguments),
        }
    }
}

impl Given {
    /// The key, of a length that some cipher has.
    fn key(&self, secrets: &mut Secrets) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let key = secrets.bytes("--bdk", &self.bdk)?;
        match key.len() {
            16 | 24 | 32 => Ok(key),
            found => Err(Failure::refused(format!("--bdk: a key is 16, 24 or 32 bytes, found {found}"))),
        }
    }
}

fn diagnose_pin(arguments: &Pin) -> Result<Report, Failure> {
    let Pin { given, pan, block, pin } = arguments;
    let mut secrets = Secrets::default();
    let key = given.key(&mut secrets)?;
    if ![8, 16].contains(&block.0.len()) {
        return Err(Failure::usage(format!(
            "--block: a PIN block is 8 or 16 bytes, found {}",
            block.0.len()
        )));
    }
    let block = pin::PinBlock {
        block: block.0.clone(),
        pan: secrets.pan("--pan", pan)?,
        pin: pin.as_ref().map(|pin| secrets.pin("--pin", pin)).transpose()?,
    };
    let mut outcome = search(&key, &given.ksn.0, Problem::Pin, |candidate| block.fits(candidate));
    outcome.fits.extend(block.fits_single_des(&key, &given.ksn.0));
    outcome.tried.insert("single DES of 1992".into());
    Ok(report(given, &outcome, "--block is no PIN block", false))
}

fn diagnose_data(arguments: &Data) -> Result<Report, Failure> {
    let Data { given, known, pan, iv, show_data, raw, file } = arguments;
    let mut secrets = Secrets::default();
    let key = given.key(&mut secrets)?;
    let known = known.as_ref().map(|known| secrets.text("--known", known)).transpose()?;
    let known = known.map(|known| Zeroizing::new(known.trim_ascii().to_vec()));
    if known.as_ref().is_some_and(|known| known.len() < Hint::MIN_LEN) {
        return Err(Failure::refused(
            "--known: fewer than 4 characters turn up by chance; give more of the text",
        ));
    }
    let pan = pan.as_ref().map(|pan| secrets.pan("--pan", pan)).transpose()?;
    let data = data::Data {
        sent: read(file.as_deref(), *raw, &mut secrets)?.to_vec(),
        iv: iv.as_ref().map(|iv| iv.0.clone()),
        hint: Hint { known, pan },
    };
    let outcome = search(&key, &given.ksn.0, Problem::Data, |candidate| data.fits(candidate));
    Ok(report(given, &outcome, "the data decrypts to nothing known", *show_data))
}

fn diagnose_mac(arguments: &Mac) -> Result<Report, Failure> {
    let Mac { given, mac, raw, file } = arguments;
    let mut secrets = Secrets::default();
    let key = given.key(&mut secrets)?;
    if mac.0.len() < mac::Message::MIN_LEN {
        return Err(Failure::usage("--mac: fewer than 4 bytes fit by chance; give all of the MAC"));
    }
    let message = mac::Message::new(&read(file.as_deref(), *raw, &mut secrets)?, mac.0.clone());
    let outcome = search(&key, &given.ksn.0, Problem::Mac, |candidate| message.fits(candidate));
    Ok(report(given, &outcome, "--mac is no MAC of the message", false))
}

/// The answer first, then what there is besides; if there is none, what was tried.
fn report(given: &Given, outcome: &Outcome, nothing: &str, show_data: bool) -> Report {
    let record = Record::new().with("ksn", hex::encode(&given.ksn.0)).with("keys_tried", outcome.keys);
    let Some((best, others)) = outcome.fits.split_first() else {
        let tried = outcome.tried.iter().map(|what| Record::new().with("what", what.clone()));
        return Report::refused(
            record.with("answer", None::<String>).with("tried", Value::Table(tried.collect())),
            format!(
                "nothing fits: {nothing} under any key that was tried; it is another BDK or KSN, or what was sent is damaged"
            ),
        );
    };
    let plain = best.plain.as_ref();
    record
        .with("answer", best.answer())
        .with("departures", best.departures())
        .with("ksn_used", best.path.ksn.clone())
        .with_some("decrypts_to", plain.map(|plain| look::shown(plain, show_data)))
        .with_some("data", plain.filter(|_| show_data).map(|plain| hex::encode_secret(plain)))
        .with("other_answers", Value::Table(others.iter().map(other).collect()))
        .into()
}

fn other(fit: &Fit) -> Record {
    Record::new()
        .with("answer", fit.answer())
        .with("departures", fit.departures())
        .with("ksn_used", fit.path.ksn.clone())
}

impl Fit {
    fn answer(&self) -> String {
        format!("{} {}, {}", self.path.scheme, self.path.key, self.how)
    }

    fn departures(&self) -> String {
        match self.path.departures.as_slice() {
            [] => "none: all is by the standard".into(),
            departures => departures.join("; "),
        }
    }
}
