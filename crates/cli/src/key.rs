//! `cardroot key`: generates and checks keys.

use cardroot::diversify::known_test_key;
use cardroot::tdea::{KeyError, KeyLength, TdeaKey};
use clap::{Args, Subcommand, ValueEnum};
use getrandom::SysRng;
use getrandom::rand_core::{CryptoRng, UnwrapErr};

use crate::any_key::{AnyKey, Cipher, length_name};
use crate::error::Failure;
use crate::key_options::{KcvLength, KeyOptions, Method};
use crate::output::{Record, Report, Value};
use crate::secret::{Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Generates a random TDEA key with odd parity
    ///
    /// The key is stored by --out or shown by --show-key; without either it would be lost.
    #[command(after_help = "Example:\n  cardroot key generate --length double --out bdk.hex")]
    Generate(Generate),
    /// Checks a TDEA key: length, parity, equal or weak parts, check values
    ///
    /// A key with equal or weak parts is refused (exit status 1), parity left out of account.
    #[command(
        after_help = "Examples:\n  cardroot key check --key @bdk.hex\n  cardroot key check --key ask --kcv-len 5"
    )]
    Check(Check),
}

#[derive(Args)]
pub(crate) struct Generate {
    /// Length of the key: 16 or 24 bytes
    #[arg(long, value_enum)]
    length: Length,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct Check {
    /// The key: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// How the check value is computed; both ways if not given
    #[arg(long, value_enum)]
    kcv_method: Option<Method>,
    #[command(flatten)]
    kcv_length: KcvLength,
    /// Refuses a key with a byte of even parity
    #[arg(long)]
    odd_parity: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Length {
    /// 16 bytes
    Double,
    /// 24 bytes
    Triple,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Generate(arguments) => generate(&arguments),
            Self::Check(arguments) => check(&arguments),
        }
    }
}

fn generate(arguments: &Generate) -> Result<Report, Failure> {
    if arguments.options.out.is_none() && !arguments.options.show_key {
        return Err(Failure::usage(
            "the key would be lost: store it by --out FILE, or show it by --show-key",
        ));
    }
    let length = match arguments.length {
        Length::Double => KeyLength::Double,
        Length::Triple => KeyLength::Triple,
    };
    let key = TdeaKey::generate(length, &mut system_rng()?);
    Ok(arguments.options.finish(Record::new(), AnyKey::from(&key))?.into())
}

fn check(arguments: &Check) -> Result<Report, Failure> {
    let methods = arguments.kcv_method.map_or_else(|| vec![Method::Zeros, Method::Cmac], |one| vec![one]);
    let methods = methods.into_iter().map(|method| Ok((method.name(), method.of(Cipher::Tdea)?)));
    let methods = methods.collect::<Result<Vec<_>, Failure>>()?;
    let key = Secrets::default().key("--key", &arguments.key)?;
    let (parity, strength) = (key.check_parity(), key.check_strength());
    let first_even = match parity {
        Err(KeyError::Parity { position }) => Some(position),
        _ => None,
    };
    let check_values = methods.into_iter().map(|(name, method)| {
        let kcv = key.kcv_by(method, arguments.kcv_length.bytes).expect("every method has 2 to 8 bytes");
        Record::new().with("method", name).with("check_value", kcv.to_string())
    });
    let record = Record::new()
        .with("length", length_name(key.length()))
        .with("parity", if parity.is_ok() { "odd" } else { "even" })
        .with("first_even_byte", first_even)
        .with("strength", strength.map_or_else(|fault| fault.to_string(), |()| "good".into()))
        .with("known_test_key", known_test_key(&key))
        .with("check_values", Value::Table(check_values.collect()));
    match (strength, parity) {
        (Err(fault), _) => Ok(Report::refused(record, format!("--key must not be used: {fault}"))),
        (_, Err(fault)) if arguments.odd_parity => {
            Ok(Report::refused(record, format!("--key is refused: {fault}")))
        }
        _ => Ok(record.into()),
    }
}

/// The generator of the operating system, once it has shown that it answers.
pub(crate) fn system_rng() -> Result<impl CryptoRng, Failure> {
    getrandom::u64()
        .map_err(|error| Failure::refused(format!("the system's random generator fails: {error}")))?;
    Ok(UnwrapErr(SysRng))
}
