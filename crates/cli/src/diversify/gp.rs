//! `cardroot diversify gp`.

use cardroot::diversify::block::AesKey;
use cardroot::diversify::gp::{self, KeyData, Kmc, Template};
use clap::{Args, ValueEnum};

use super::{unfit_key, value_name};
use crate::any_key::AnyKey;
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeysOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify gp --template cps --key @kmc.hex --kdd 00010203040506070809 --out-dir card
  cardroot diversify gp --template kdf3 --key @kmc-aes.hex --kdd 00010203040506070809 --show-key";

#[derive(Args)]
pub(crate) struct Gp {
    /// How the keys depend on the diversification data
    #[arg(long, value_enum)]
    template: TemplateName,
    /// The issuer's master key for personalisation (KMC): @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// Key diversification data: the first 10 bytes of the card's answer to INITIALIZE UPDATE
    #[arg(long, value_name = "H", value_parser = key_data)]
    kdd: KeyData,
    #[command(flatten)]
    options: KeysOptions,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
pub(super) enum TemplateName {
    /// TDEA, bytes 4 to 9; also called emv
    #[value(alias = "emv")]
    Cps,
    /// TDEA, bytes 0 to 3, 8 and 9
    Visa,
    /// TDEA, bytes 0, 1 and 4 to 7
    Visa2,
    /// AES: a key derivation function over all bytes
    Kdf3,
}

/// The issuer's key with the rule it goes by.
pub(super) enum Master {
    Template(Kmc, Template),
    Kdf3(gp::aes::Kmc),
}

impl TemplateName {
    /// Reads the key that the template takes.
    pub(super) fn master(self, secrets: &mut Secrets, source: &Source) -> Result<Master, Failure> {
        let template = match self {
            Self::Cps => Template::Cps,
            Self::Visa => Template::Visa,
            Self::Visa2 => Template::Visa2,
            Self::Kdf3 => {
                let key: AesKey = secrets.typed_key("--key", source)?;
                return Ok(Master::Kdf3(gp::aes::Kmc::from_key(key)));
            }
        };
        Ok(Master::Template(Kmc::from_key(secrets.key("--key", source)?), template))
    }
}

impl Gp {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let record =
            Record::new().with("template", value_name(self.template)).with("kdd", hex::encode(&self.kdd));
        let finish = |keys: [AnyKey<'_>; 3]| {
            let [kenc, kmac, kdek] = keys;
            let keys = [("kenc", kenc), ("kmac", kmac), ("kdek", kdek)];
            self.options.finish(record, &keys)
        };
        let record = match self.template.master(&mut Secrets::default(), &self.key)? {
            Master::Template(master, template) => {
                let card = master.diversify(template, &self.kdd).map_err(|error| unfit_key(&error))?;
                let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
                finish(keys.map(AnyKey::Tdea))
            }
            Master::Kdf3(master) => {
                let card = master.diversify_kdf3(&self.kdd);
                let keys = [card.enc.expose_key(), card.mac.expose_key(), card.dek.expose_key()];
                finish(keys.map(AnyKey::Aes))
            }
        };
        Ok(record?.into())
    }
}

fn key_data(text: &str) -> Result<KeyData, String> {
    hex::parse_array(text, "key diversification data")
}
