//! `cardroot diversify`: keys from keys and identities.

use cardroot::diversify::emv::{MdkAc, PanPsn};
use cardroot::diversify::gp::{KeyData, Kmc, Template};
use cardroot::diversify::{Factor, pboc};
use clap::{Args, Subcommand, ValueEnum};

use crate::error::Failure;
use crate::hex;
use crate::key_options::{KcvOptions, KeyOptions};
use crate::output::{Record, Report, Value};
use crate::secret::{PanArgument, Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Derives a key by PBOC dispersion: child = E(parent, F) || E(parent, not F)
    ///
    /// Each factor is one level: the child of the first is the parent of the second. Parity is left as it comes.
    #[command(after_help = PBOC_EXAMPLES)]
    Pboc(Pboc),
    /// Derives the EMV master key of a card from the issuer's: EMV Book 2, A1.4
    ///
    /// The rule is the same for application cryptograms, script integrity and script confidentiality. The key gets odd
    /// parity.
    #[command(
        after_help = "Example:\n  cardroot diversify emv --option a --key @mdk-ac.hex --pan ask --psn 01 --out udk-ac.hex"
    )]
    Emv(Emv),
    /// Derives the three keys of a card for personalisation: KENC, KMAC and KDEK
    ///
    /// A wrong template gives wrong keys, and wrong keys tried often enough block the card: compare check values first.
    #[command(
        after_help = "Example:\n  cardroot diversify gp --template cps --key @kmc.hex --kdd 00010203040506070809"
    )]
    Gp(Gp),
}

const PBOC_EXAMPLES: &str = "\
Examples:
  cardroot diversify pboc --key @city.hex --factor 1122334455667788 --out card.hex
  cardroot diversify pboc --key @root.hex --factor 3100000000000000 --factor 0755000000000000";

#[derive(Args)]
pub(crate) struct Pboc {
    /// The parent key, of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The cipher
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// A dispersion factor of 8 bytes; repeat it for each level, the highest first
    #[arg(long = "factor", value_name = "H", required = true, value_parser = hex::parse::<Factor, _>)]
    factors: Vec<Factor>,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Args)]
pub(crate) struct Emv {
    /// The option of the standard
    #[arg(long, value_enum)]
    option: EmvOption,
    /// The issuer's Master Derivation Key (MDK, IMK), of double length: @FILE, env:NAME, - (standard input) or ask
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

#[derive(Args)]
pub(crate) struct Gp {
    /// Which bytes of the diversification data the keys depend on
    #[arg(long, value_enum)]
    template: TemplateName,
    /// The issuer's master key for personalisation (KMC), of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// Key diversification data: the first 10 bytes of the card's answer to INITIALIZE UPDATE
    #[arg(long, value_name = "H", value_parser = key_data)]
    kdd: KeyData,
    /// Shows the keys, in upper-case hexadecimal
    #[arg(long)]
    show_key: bool,
    #[command(flatten)]
    kcv: KcvOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum EmvOption {
    /// From the rightmost 16 digits of PAN and PSN
    A,
}

#[derive(Clone, Copy, ValueEnum)]
enum TemplateName {
    /// Bytes 4 to 9
    Cps,
    /// Bytes 0 to 3, 8 and 9
    Visa,
    /// Bytes 0, 1 and 4 to 7
    Visa2,
}

#[derive(Clone, Copy, ValueEnum)]
enum Cipher {
    /// Triple DES
    Tdea,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Pboc(arguments) => derive_pboc(&arguments),
            Self::Emv(arguments) => derive_emv(&arguments),
            Self::Gp(arguments) => derive_gp(&arguments),
        }
    }
}

fn derive_pboc(arguments: &Pboc) -> Result<Report, Failure> {
    let Cipher::Tdea = arguments.cipher;
    let mut key = Secrets::default().key("--key", &arguments.key)?;
    let mut levels = Vec::new();
    for (level, factor) in (1_u8..).zip(&arguments.factors) {
        key = pboc::derive(&key, *factor).map_err(|error| Failure::refused(format!("--key: {error}")))?;
        let check_value = arguments.options.kcv.of_key(&key).to_string();
        levels.push(
            Record::new()
                .with("level", level)
                .with("factor", factor.to_string())
                .with("check_value", check_value),
        );
    }
    let record = Record::new().with("cipher", "tdea").with("levels", Value::Table(levels));
    Ok(arguments.options.finish(record, &key)?.into())
}

fn derive_emv(arguments: &Emv) -> Result<Report, Failure> {
    let EmvOption::A = arguments.option;
    let mut secrets = Secrets::default();
    // What the three kinds of master keys derive differs in its purpose alone.
    let master = MdkAc::from_key(secrets.key("--key", &arguments.key)?);
    let pan = secrets.pan("--pan", &arguments.pan)?;
    let digits = core::str::from_utf8(pan.expose_digits()).expect("a PAN is ASCII digits");
    let card = PanPsn::new(digits, Some(&arguments.psn))
        .map_err(|error| Failure::usage(format!("--pan and --psn: {error}")))?;
    let key = master.diversify_a(&card).map_err(|error| Failure::refused(format!("--key: {error}")))?;
    let record = Record::new().with("option", "a").with("pan", pan.to_string()).with("psn", &*arguments.psn);
    Ok(arguments.options.finish(record, key.expose_key())?.into())
}

fn derive_gp(arguments: &Gp) -> Result<Report, Failure> {
    let template = match arguments.template {
        TemplateName::Cps => Template::Cps,
        TemplateName::Visa => Template::Visa,
        TemplateName::Visa2 => Template::Visa2,
    };
    let master = Kmc::from_key(Secrets::default().key("--key", &arguments.key)?);
    let card = master
        .diversify(template, &arguments.kdd)
        .map_err(|error| Failure::refused(format!("--key: {error}")))?;
    let keys =
        [("kenc", card.enc.expose_key()), ("kmac", card.mac.expose_key()), ("kdek", card.dek.expose_key())];
    let rows = keys.into_iter().map(|(name, key)| {
        Record::new()
            .with("key", name)
            .with("check_value", arguments.kcv.of_key(key).to_string())
            .with_some("value", arguments.show_key.then(|| hex::encode_secret(key.expose_bytes())))
    });
    Ok(Record::new()
        .with("kdd", hex::encode(&arguments.kdd))
        .with("check_value_method", arguments.kcv.method.name())
        .with("keys", Value::Table(rows.collect()))
        .into())
}

fn key_data(text: &str) -> Result<KeyData, String> {
    hex::parse_array(text, "key diversification data")
}
