//! `cardroot diversify pboc`.

use cardroot::diversify::block::Sm4Key;
use cardroot::diversify::{Factor, pboc, sm4};
use clap::{Args, ValueEnum};

use super::{unfit_key, value_name};
use crate::any_key::AnyKey;
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report, Value};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify pboc --key @city.hex --factor 1122334455667788 --out card.hex
  cardroot diversify pboc --key @root.hex --factor 3100000000000000 --factor 0755000000000000 --cipher sm4";

#[derive(Args)]
pub(crate) struct Pboc {
    /// The parent key, for TDEA of double length: @FILE, env:NAME, - (standard input) or ask
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

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(super) enum Cipher {
    /// Triple DES
    Tdea,
    /// SM4
    Sm4,
}

impl Pboc {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let mut secrets = Secrets::default();
        match self.cipher {
            Cipher::Tdea => {
                let root = secrets.key("--key", &self.key)?;
                self.descend(root, pboc::derive)
            }
            Cipher::Sm4 => {
                let root: Sm4Key = secrets.typed_key("--key", &self.key)?;
                let derive =
                    |parent: &Sm4Key, factor| Ok::<_, core::convert::Infallible>(sm4::derive(parent, factor));
                self.descend(root, derive)
            }
        }
    }

    fn descend<K, E: core::error::Error>(
        &self,
        root: K,
        derive: impl Fn(&K, Factor) -> Result<K, E>,
    ) -> Result<Report, Failure>
    where
        for<'a> AnyKey<'a>: From<&'a K>,
    {
        let mut key = root;
        let mut levels = Vec::new();
        for (level, factor) in (1_u8..).zip(&self.factors) {
            key = derive(&key, *factor).map_err(|error| unfit_key(&error))?;
            let check_value = self.options.kcv.of_key(AnyKey::from(&key))?.to_string();
            levels.push(
                Record::new()
                    .with("level", level)
                    .with("factor", factor.to_string())
                    .with("check_value", check_value),
            );
        }
        let record =
            Record::new().with("cipher", value_name(self.cipher)).with("levels", Value::Table(levels));
        Ok(self.options.finish(record, AnyKey::from(&key))?.into())
    }
}
