//! `cardroot diversify emv`.

use cardroot::diversify::block::{AesKey, AesKeyLength};
use cardroot::diversify::emv::{self, MdkAc, PanPsn};
use clap::{Args, ValueEnum};

use super::{unfit_key, value_name};
use crate::any_key::AnyKey;
use crate::error::Failure;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{PanArgument, Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify emv --option a --key @mdk-ac.hex --pan ask --psn 01 --out udk-ac.hex
  cardroot diversify emv --option c --key @mdk-ac.hex --pan ask --length aes-256";

#[derive(Args)]
pub(crate) struct Emv {
    #[command(flatten)]
    rule: Rule,
    /// The issuer's Master Derivation Key (MDK, IMK): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The Primary Account Number (PAN): digits, @FILE, env:NAME, - or ask
    #[arg(long, value_name = "D")]
    pan: PanArgument,
    /// The PAN Sequence Number (PSN), 2 digits
    #[arg(long, value_name = "D", default_value = "00")]
    psn: String,
    #[command(flatten)]
    options: KeyOptions,
}

/// How the standard derives a card's key.
#[derive(Args)]
pub(super) struct Rule {
    /// The option of the standard
    #[arg(long, value_enum)]
    pub(super) option: EmvOption,
    /// Length of the card's key by option C; as long as the issuer's if not given
    #[arg(long, value_enum)]
    length: Option<Length>,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(super) enum EmvOption {
    /// TDEA: from the rightmost 16 digits of PAN and PSN
    A,
    /// TDEA: from a hash of PAN and PSN if the PAN has more than 16 digits, else as option A
    B,
    /// AES: from all digits of PAN and PSN
    C,
}

#[derive(Clone, Copy, ValueEnum)]
enum Length {
    /// 16 bytes
    #[value(name = "aes-128")]
    Aes128,
    /// 24 bytes
    #[value(name = "aes-192")]
    Aes192,
    /// 32 bytes
    #[value(name = "aes-256")]
    Aes256,
}

/// The issuer's key. What the kinds of master keys derive differs in its purpose alone.
pub(super) enum Master {
    A(MdkAc),
    B(MdkAc),
    C(emv::aes::MdkAc, AesKeyLength),
}

impl Rule {
    /// Reads the key that the option takes.
    pub(super) fn master(&self, secrets: &mut Secrets, source: &Source) -> Result<Master, Failure> {
        if self.length.is_some() && self.option != EmvOption::C {
            return Err(Failure::usage(
                "--length is for option c: options a and b derive TDEA keys of double length",
            ));
        }
        let mut tdea = || secrets.key("--key", source).map(MdkAc::from_key);
        Ok(match self.option {
            EmvOption::A => Master::A(tdea()?),
            EmvOption::B => Master::B(tdea()?),
            EmvOption::C => {
                let key: AesKey = secrets.typed_key("--key", source)?;
                let length = self.length.map_or(key.length(), Into::into);
                Master::C(emv::aes::MdkAc::from_key(key), length)
            }
        })
    }
}

impl From<Length> for AesKeyLength {
    fn from(length: Length) -> Self {
        match length {
            Length::Aes128 => Self::Aes128,
            Length::Aes192 => Self::Aes192,
            Length::Aes256 => Self::Aes256,
        }
    }
}

impl Emv {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let mut secrets = Secrets::default();
        let master = self.rule.master(&mut secrets, &self.key)?;
        let pan = secrets.pan("--pan", &self.pan)?;
        let digits = core::str::from_utf8(pan.expose_digits()).expect("a PAN is ASCII digits");
        let card = PanPsn::new(digits, Some(&self.psn))
            .map_err(|error| Failure::usage(format!("--pan and --psn: {error}")))?;
        let record = Record::new()
            .with("option", value_name(self.rule.option))
            .with("pan", pan.to_string())
            .with("psn", &*self.psn);
        let record = match master {
            Master::A(master) => {
                let key = master.diversify_a(&card).map_err(|error| unfit_key(&error))?;
                self.options.finish(record, AnyKey::Tdea(key.expose_key()))?
            }
            Master::B(master) => {
                let key = master.diversify_b(&card).map_err(|error| unfit_key(&error))?;
                self.options.finish(record, AnyKey::Tdea(key.expose_key()))?
            }
            Master::C(master, length) => {
                let key = master.diversify_c(&card, length);
                self.options.finish(record, AnyKey::Aes(key.expose_key()))?
            }
        };
        Ok(record.into())
    }
}
