//! `cardroot diversify script`: what protects the commands of an EMV issuer script.

use cardroot::diversify::TripleLengthKey;
use cardroot::diversify::emv::{
    ApplicationCryptogram, ScriptCommand, ScriptEncKey, ScriptMacKey, ScriptPin, UdkAc, VisaPinBlock,
};
use clap::{Args, Subcommand, ValueEnum};

use super::{counter, needed, surplus, unfit_key, value_name};
use crate::error::Failure;
use crate::hex;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Computes the MAC of a script's command
    ///
    /// It covers the command alone; with counter and cryptogram, which go between header and data, it is Visa's. The first
    /// 4 to 8 bytes travel, as the scheme says.
    #[command(after_help = MAC_EXAMPLES)]
    Mac(Mac),
    /// Encrypts a new PIN for a script
    ///
    /// What is printed is the data of the command PIN CHANGE/UNBLOCK; its MAC comes from: cardroot diversify script mac
    #[command(after_help = PIN_EXAMPLES)]
    Pin(Pin),
}

const MAC_EXAMPLES: &str = "\
Examples:
  cardroot diversify script mac --key @sk-mac.hex --command 8424000008
  cardroot diversify script mac --key @sk-mac.hex --command 8418000008 --atc 001C --cryptogram 7A788EA6B8A3E733";

const PIN_EXAMPLES: &str = "\
Examples:
  cardroot diversify script pin --scheme ccd --key @sk-enc.hex --pin ask
  cardroot diversify script pin --scheme visa --key @sk-enc.hex --udk @udk-ac.hex --pin ask";

#[derive(Args)]
pub(crate) struct Mac {
    /// The session key for MACs of scripts, of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// CLA, INS, P1, P2, Lc and the data, encrypted if it is confidential; Lc counts the MAC in, which is not there yet
    #[arg(long, value_name = "H")]
    command: hex::Bytes,
    /// The application transaction counter (ATC), 2 bytes: for Visa's scripts
    #[arg(long, value_name = "H", value_parser = counter, requires = "cryptogram")]
    atc: Option<u16>,
    /// The transaction's application cryptogram, 8 bytes: for Visa's scripts
    #[arg(long, visible_alias = "arqc", value_name = "H", requires = "atc")]
    #[arg(value_parser = hex::parse::<ApplicationCryptogram, _>)]
    cryptogram: Option<ApplicationCryptogram>,
}

#[derive(Args)]
pub(crate) struct Pin {
    /// Whose scripts
    #[arg(long, value_enum)]
    scheme: Scheme,
    /// The session key that encrypts data of scripts, of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The new PIN, 4 to 12 digits: @FILE, env:NAME, - or ask
    #[arg(long, value_name = "K")]
    pin: Source,
    /// The card's key for application cryptograms (UDK): for Visa's scripts
    #[arg(long, value_name = "K")]
    udk: Option<Source>,
    /// The PIN that is replaced: for Visa's scripts that have it
    #[arg(long, value_name = "K")]
    current_pin: Option<Source>,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Scheme {
    /// PIN block of format 2
    Mastercard,
    /// EMV common core definitions: PIN block of format 2 with padding, CBC
    Ccd,
    /// PIN block XOR a part of the card's key, ECB
    Visa,
}

impl Command {
    pub(super) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Mac(arguments) => arguments.run(),
            Self::Pin(arguments) => arguments.run(),
        }
    }
}

impl Mac {
    fn run(self) -> Result<Report, Failure> {
        let Some((&header, data)) = self.command.0.split_first_chunk() else {
            return Err(Failure::usage("--command: a command starts with 5 bytes: CLA, INS, P1, P2 and Lc"));
        };
        let key: ScriptMacKey = session_key(&mut Secrets::default(), &self.key)?;
        let command = ScriptCommand { header, data };
        let mac = match (self.atc, self.cryptogram) {
            (Some(atc), Some(cryptogram)) => key.mac_visa(&command, atc, &cryptogram),
            _ => key.mac(&command),
        };
        Ok(Record::new().with("mac", hex::encode(mac.as_bytes())).into())
    }
}

impl Pin {
    fn run(self) -> Result<Report, Failure> {
        let choice = format!("--scheme {}", value_name(self.scheme));
        if self.scheme != Scheme::Visa {
            surplus("--udk", self.udk.as_ref(), &choice)?;
            surplus("--current-pin", self.current_pin.as_ref(), &choice)?;
        }
        let mut secrets = Secrets::default();
        let encrypted = match self.scheme {
            Scheme::Mastercard => {
                let key: ScriptEncKey = session_key(&mut secrets, &self.key)?;
                key.encrypt_pin_mastercard(&pin(&mut secrets, "--pin", &self.pin)?).to_vec()
            }
            Scheme::Ccd => {
                let key: ScriptEncKey = session_key(&mut secrets, &self.key)?;
                key.encrypt_pin_ccd(&pin(&mut secrets, "--pin", &self.pin)?).to_vec()
            }
            Scheme::Visa => {
                let udk = needed("--udk", self.udk.as_ref(), &choice)?;
                let key: ScriptEncKey = session_key(&mut secrets, &self.key)?;
                let udk = UdkAc::from_key(secrets.key("--udk", udk)?);
                let new = pin(&mut secrets, "--pin", &self.pin)?;
                let current = self.current_pin.as_ref();
                let current = current.map(|source| pin(&mut secrets, "--current-pin", source)).transpose()?;
                key.encrypt_pin_visa(&VisaPinBlock::new(&udk, &new, current.as_ref())).to_vec()
            }
        };
        let record = Record::new().with("scheme", value_name(self.scheme));
        Ok(record.with("encrypted_pin", hex::encode(&encrypted)).into())
    }
}

fn session_key<K: TryFrom<cardroot::tdea::TdeaKey, Error = TripleLengthKey>>(
    secrets: &mut Secrets,
    source: &Source,
) -> Result<K, Failure> {
    K::try_from(secrets.key("--key", source)?).map_err(|error| unfit_key(&error))
}

fn pin(secrets: &mut Secrets, argument: &str, source: &Source) -> Result<ScriptPin, Failure> {
    let pin = secrets.pin(argument, source)?;
    Ok(ScriptPin::from_ascii_digits(pin.expose_digits()).expect("a PIN is 4 to 12 digits"))
}
