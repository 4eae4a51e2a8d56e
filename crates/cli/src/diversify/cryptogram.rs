//! `cardroot diversify cryptogram`: EMV application cryptograms and response cryptograms.

use cardroot::diversify::emv::{AcKey, AcPadding, ApplicationCryptogram, aes};
use clap::{Args, Subcommand, ValueEnum};

use super::unfit_key;
use crate::error::Failure;
use crate::hex::{self, Bytes};
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Computes an application cryptogram (ARQC, TC, AAC) of a transaction's data
    #[command(after_help = AC_EXAMPLE)]
    Ac(Ac),
    /// Computes the response cryptogram (ARPC) by method 1, from an authorisation response code
    #[command(
        after_help = "Example:\n  cardroot diversify cryptogram arpc1 --key @udk-ac.hex --arqc 29CCA15AE665FA2E --arc 3030"
    )]
    Arpc1(Arpc1),
    /// Computes the response cryptogram (ARPC) by method 2, from a card status update
    #[command(
        after_help = "Example:\n  cardroot diversify cryptogram arpc2 --key @sk-ac.hex --arqc 7A788EA6B8A3E733 --csu 00000000"
    )]
    Arpc2(Arpc2),
}

const AC_EXAMPLE: &str = "\
Example:
  cardroot diversify cryptogram ac --key @sk-ac.hex --data 0123456789ABCDEF0123456789ABCDEF";

/// The key of one transaction.
#[derive(Args)]
struct Key {
    /// The session key for cryptograms, or the card's key where a scheme has none: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
}

/// The card's request.
#[derive(Args)]
struct Request {
    /// The card's application cryptogram, 8 bytes
    #[arg(long = "arqc", visible_alias = "cryptogram", value_name = "H")]
    #[arg(value_parser = hex::parse::<ApplicationCryptogram, _>)]
    cryptogram: ApplicationCryptogram,
}

#[derive(Args)]
pub(crate) struct Ac {
    #[command(flatten)]
    key: Key,
    /// The cipher
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// The data, as the scheme puts it together
    #[arg(long, value_name = "H")]
    data: Bytes,
    /// How the data is padded to whole blocks: 80 if not given; AES has no choice
    #[arg(long, value_enum)]
    padding: Option<Padding>,
}

#[derive(Args)]
pub(crate) struct Arpc1 {
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    request: Request,
    /// The authorisation response code (ARC), 2 bytes
    #[arg(long = "arc", value_name = "H", value_parser = response_code)]
    response_code: [u8; 2],
}

#[derive(Args)]
pub(crate) struct Arpc2 {
    #[command(flatten)]
    key: Key,
    #[command(flatten)]
    request: Request,
    /// The card status update (CSU), 4 bytes
    #[arg(long = "csu", value_name = "H", value_parser = status_update)]
    status_update: [u8; 4],
    /// Proprietary authentication data, up to 8 bytes
    #[arg(long, value_name = "H")]
    proprietary: Option<Bytes>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cipher {
    /// Triple DES: retail MAC
    Tdea,
    /// AES: CMAC
    Aes,
}

#[derive(Clone, Copy, ValueEnum)]
enum Padding {
    /// One byte 80, then zeros: EMV
    #[value(name = "80")]
    Eighty,
    /// Zeros: Visa's cryptogram version 10
    Zeros,
}

impl Command {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let cryptogram = match self {
            Self::Ac(arguments) => arguments.compute()?,
            Self::Arpc1(arguments) => {
                let key = arguments.key.read()?;
                key.arpc_1(&arguments.request.cryptogram, arguments.response_code).as_bytes().to_vec()
            }
            Self::Arpc2(arguments) => arguments.compute()?,
        };
        Ok(Record::new().with("cryptogram", hex::encode(&cryptogram)).into())
    }
}

impl Key {
    fn read(&self) -> Result<AcKey, Failure> {
        AcKey::try_from(Secrets::default().key("--key", &self.key)?).map_err(|error| unfit_key(&error))
    }
}

impl Ac {
    fn compute(&self) -> Result<Vec<u8>, Failure> {
        let Bytes(data) = &self.data;
        let cryptogram = match (self.cipher, self.padding) {
            (Cipher::Tdea, Some(Padding::Zeros)) => self.key.read()?.cryptogram(data, AcPadding::Zeros),
            (Cipher::Tdea, Some(Padding::Eighty) | None) => {
                self.key.read()?.cryptogram(data, AcPadding::OneAndZeros)
            }
            (Cipher::Aes, None) => {
                let key = Secrets::default().typed_key("--key", &self.key.key)?;
                aes::AcKey::from_key(key).cryptogram(data)
            }
            (Cipher::Aes, Some(_)) => {
                return Err(Failure::usage("--padding is not used: CMAC pads by itself"));
            }
        };
        Ok(cryptogram.as_bytes().to_vec())
    }
}

impl Arpc2 {
    fn compute(&self) -> Result<Vec<u8>, Failure> {
        let proprietary = self.proprietary.as_ref().map_or(&[][..], |Bytes(bytes)| bytes);
        let response = self.key.read()?.arpc_2(&self.request.cryptogram, self.status_update, proprietary);
        let response = response.map_err(|error| Failure::usage(format!("--proprietary: {error}")))?;
        Ok(response.as_bytes().to_vec())
    }
}

fn response_code(text: &str) -> Result<[u8; 2], String> {
    hex::parse_array(text, "an authorisation response code")
}

fn status_update(text: &str) -> Result<[u8; 4], String> {
    hex::parse_array(text, "a card status update")
}
