//! `cardroot component`: keys under split knowledge.

use std::path::PathBuf;

use cardroot::components::{Parity, Parts, TdeaComponent, combine, split_parts};
use cardroot::tdea::Kcv;
use clap::{Args, Subcommand, ValueEnum};

use crate::any_key::{AnyKey, Cipher, length_name};
use crate::error::Failure;
use crate::file::NewFiles;
use crate::hex;
use crate::key::system_rng;
use crate::key_options::{ExpectedKcv, KcvOptions, KeyOptions};
use crate::output::{Record, Report, Value};
use crate::secret::{Secrets, Source};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Splits a key into components: n values whose XOR is the key, all of them needed
    ///
    /// The components are written to component-1.hex, component-2.hex and so on, which must not exist and which only
    /// their owner can read (mode 0600); all of them or none. Each goes to another custodian.
    #[command(
        after_help = "Example:\n  cardroot component split --key @root.hex --parts 3 --out-dir custody"
    )]
    Split(Split),
    /// Combines all components of a key
    ///
    /// Their order does not matter. Components that are zero, equal or of unequal length are refused, and so is a key
    /// that comes out zero, weak, with equal parts or equal to a component. Nothing but check values is printed unless
    /// you say --show-key.
    #[command(after_help = COMBINE_EXAMPLES)]
    Combine(Combine),
}

const COMBINE_EXAMPLES: &str = "\
Examples:
  cardroot component combine --component ask --component ask --expect-kcv 40D522 --out root.hex
  cardroot component combine --component @a.hex --component-kcv 30062C --component @b.hex --component-kcv 01A4D8";

#[derive(Args)]
pub(crate) struct Split {
    /// The key: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// Number of components, 2 to 9
    #[arg(long, value_name = "N", value_parser = parts)]
    parts: Parts,
    /// The folder that gets the components; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    out_dir: PathBuf,
    #[command(flatten)]
    kcv: KcvOptions,
}

#[derive(Args)]
pub(crate) struct Combine {
    /// A component: @FILE, env:NAME, - (standard input) or ask; repeat it for each
    #[arg(long = "component", value_name = "C", required = true)]
    components: Vec<Source>,
    /// The check value of a component, in the order of the components; for all of them or none
    #[arg(long = "component-kcv", value_name = "H", value_parser = hex::parse::<ExpectedKcv, _>)]
    component_kcvs: Vec<ExpectedKcv>,
    /// The check value that the key must have
    #[arg(long, value_name = "H", value_parser = hex::parse::<ExpectedKcv, _>)]
    expect_kcv: Option<ExpectedKcv>,
    /// What is done about the parity bits of the key
    #[arg(long, value_enum, default_value = "keep")]
    parity: ParityPolicy,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum ParityPolicy {
    /// The key is the XOR of the components to the bit
    Keep,
    /// The key is given odd parity
    Adjust,
    /// A key with a byte of even parity is refused
    Require,
}

impl Command {
    pub(crate) fn run(self) -> Result<Report, Failure> {
        match self {
            Self::Split(arguments) => split(&arguments),
            Self::Combine(arguments) => combine_all(&arguments),
        }
    }
}

fn split(arguments: &Split) -> Result<Report, Failure> {
    let kcv = &arguments.kcv;
    kcv.check(Cipher::Tdea)?;
    let key = Secrets::default().key("--key", &arguments.key)?;
    let components = split_parts(&key, arguments.parts, &mut system_rng()?)
        .map_err(|fault| Failure::refused(format!("--key must not be used: {fault}")))?;
    let mut files = NewFiles::default();
    files.folder(&arguments.out_dir)?;
    let mut rows = Vec::new();
    for (number, component) in (1_u8..).zip(components) {
        let path = arguments.out_dir.join(format!("component-{number}.hex"));
        files.write_line(&path, &hex::encode_secret(component.expose_bytes()))?;
        rows.push(
            Record::new()
                .with("component", number)
                .with("file", path.display().to_string())
                .with("check_value", kcv_of(&component, kcv)?.to_string()),
        );
    }
    files.keep();
    Ok(Record::new()
        .with("length", length_name(key.length()))
        .with("check_value_method", kcv.method(Cipher::Tdea).name())
        .with("check_value", kcv.of_key(AnyKey::from(&key))?.to_string())
        .with("components", Value::Table(rows))
        .into())
}

fn combine_all(arguments: &Combine) -> Result<Report, Failure> {
    let (count, kcvs) = (arguments.components.len(), arguments.component_kcvs.len());
    if kcvs != 0 && kcvs != count {
        return Err(Failure::usage(format!(
            "--component-kcv is given {kcvs} times for {count} components: give one for each, in their order, or none"
        )));
    }
    let kcv = &arguments.options.kcv;
    let method = kcv.check(Cipher::Tdea)?;
    let mut secrets = Secrets::default();
    let mut components = Vec::new();
    let mut rows = Vec::new();
    for (number, source) in (1_u8..).zip(&arguments.components) {
        let name = format!("component {number}");
        let component = secrets.component(&name, source)?;
        if let Some(expected) = arguments.component_kcvs.get(components.len()) {
            expected.verify(&name, method, |method, len| component.kcv_by(method, len))?;
        }
        rows.push(
            Record::new()
                .with("component", number)
                .with("from", source.to_string())
                .with("check_value", kcv_of(&component, kcv)?.to_string()),
        );
        components.push(component);
    }
    let parity = match arguments.parity {
        ParityPolicy::Keep => Parity::Keep,
        ParityPolicy::Adjust => Parity::AdjustToOdd,
        ParityPolicy::Require => Parity::RequireOdd,
    };
    let borrowed: Vec<&TdeaComponent> = components.iter().collect();
    let key = combine(&borrowed, parity).map_err(|error| Failure::refused(error.to_string()))?;
    if let Some(expected) = &arguments.expect_kcv {
        expected.verify("the key", method, |method, len| key.kcv_by(method, len))?;
    }
    let record = Record::new()
        .with("components", Value::Table(rows))
        .with("parity", if key.check_parity().is_ok() { "odd" } else { "even" });
    Ok(arguments.options.finish(record, AnyKey::from(&key))?.into())
}

fn kcv_of(component: &TdeaComponent, kcv: &KcvOptions) -> Result<Kcv, Failure> {
    kcv.by(Cipher::Tdea, |method, len| component.kcv_by(method, len))
}

fn parts(text: &str) -> Result<Parts, String> {
    let count: usize = text.parse().map_err(|_| "not a number; give 2 to 9")?;
    Parts::try_from(count).map_err(|error| error.to_string())
}
