//! `cardroot diversify session emv`.

use cardroot::diversify::TripleLengthKey;
use cardroot::diversify::block::AesKey;
use cardroot::diversify::emv::{
    AcKey, ApplicationCryptogram, ScriptMacKey, SessionTree, TreeShape, UdkAc, UdkMac, aes,
};
use cardroot::tdea::TdeaKey;
use clap::{Args, ValueEnum};

use crate::any_key::AnyKey;
use crate::diversify::{counter, needed, surplus, unfit_key, value_name};
use crate::error::Failure;
use crate::hex;
use crate::key_options::KeyOptions;
use crate::output::{Record, Report};
use crate::secret::{Secrets, Source};

pub(super) const EXAMPLES: &str = "\
Examples:
  cardroot diversify session emv --use ac --method common --key @udk-ac.hex --atc 001C
  cardroot diversify session emv --use mac --method common --key @udk-mac.hex --cryptogram 7A788EA6B8A3E733
  cardroot diversify session emv --use ac --method emv2000 --key @udk-ac.hex --atc 001C --branch 4";

#[derive(Args)]
pub(crate) struct Emv {
    /// What the key is for
    #[arg(long = "use", value_enum, value_name = "USE")]
    usage: Usage,
    /// How it is derived
    #[arg(long, value_enum)]
    method: Method,
    /// The card's key (UDK) of that use: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K")]
    key: Source,
    /// The cipher; the common method alone has AES
    #[arg(long, value_enum, default_value = "tdea")]
    cipher: Cipher,
    /// The application transaction counter (ATC), 2 bytes
    #[arg(long, value_name = "H", value_parser = counter)]
    atc: Option<u16>,
    /// The transaction's application cryptogram, 8 bytes: for script keys by the common method
    #[arg(long, visible_alias = "arqc", value_name = "H", value_parser = hex::parse::<ApplicationCryptogram, _>)]
    cryptogram: Option<ApplicationCryptogram>,
    /// The terminal's unpredictable number, 4 bytes: for Mastercard's method
    #[arg(long, value_name = "H", value_parser = unpredictable_number)]
    unpredictable_number: Option<[u8; 4]>,
    /// Children of each key of the EMV 2000 tree: 4 if not given
    #[arg(long, value_enum)]
    branch: Option<Branch>,
    /// Initial value of the EMV 2000 tree, 16 bytes: zeros if not given
    #[arg(long, value_name = "H", value_parser = initial_value)]
    initial_value: Option<[u8; 16]>,
    #[command(flatten)]
    options: KeyOptions,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Usage {
    /// Application cryptograms
    Ac,
    /// MACs of issuer scripts
    Mac,
    /// Encryption of issuer scripts
    Enc,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Method {
    /// EMV Book 2, A1.3: from the counter, script keys from the cryptogram
    Common,
    /// As common, from counter and unpredictable number; for cryptograms
    Mastercard,
    /// The card's key XOR the counter, a variant; for scripts
    Visa,
    /// A tree of keys, withdrawn with EMV 2000
    Emv2000,
}

#[derive(Clone, Copy, Eq, PartialEq, ValueEnum)]
enum Cipher {
    /// Triple DES
    Tdea,
    /// AES
    Aes,
}

#[derive(Clone, Copy, ValueEnum)]
enum Branch {
    /// 16 levels
    #[value(name = "2")]
    Two,
    /// 8 levels
    #[value(name = "4")]
    Four,
}

/// A session key's method with what goes in. Keys for MACs and for encryption of scripts differ in their purpose alone.
enum Recipe {
    AcCommon(u16),
    AcMastercard(u16, [u8; 4]),
    AcTree(u16, SessionTree),
    ScriptCommon(ApplicationCryptogram),
    ScriptVisa(u16),
    ScriptTree(u16, SessionTree),
}

impl Emv {
    pub(super) fn run(self) -> Result<Report, Failure> {
        let recipe = self.recipe()?;
        let record = Record::new()
            .with("use", value_name(self.usage))
            .with("method", value_name(self.method))
            .with("cipher", value_name(self.cipher));
        let mut secrets = Secrets::default();
        let record = match self.cipher {
            Cipher::Tdea => {
                let key =
                    recipe.derive(secrets.key("--key", &self.key)?).map_err(|error| unfit_key(&error))?;
                self.options.finish(record, AnyKey::Tdea(&key))?
            }
            Cipher::Aes => {
                let key = recipe.derive_aes(secrets.typed_key("--key", &self.key)?)?;
                self.options.finish(record, AnyKey::Aes(&key))?
            }
        };
        Ok(record.into())
    }

    /// Takes the arguments that method and use need, and no others.
    fn recipe(&self) -> Result<Recipe, Failure> {
        let choice = format!("--use {} --method {}", value_name(self.usage), value_name(self.method));
        let atc = || needed("--atc", self.atc, &choice);
        let recipe = match (self.method, self.usage) {
            (Method::Common, Usage::Ac) => Recipe::AcCommon(atc()?),
            (Method::Common, Usage::Mac | Usage::Enc) => {
                Recipe::ScriptCommon(needed("--cryptogram", self.cryptogram, &choice)?)
            }
            (Method::Mastercard, Usage::Ac) => {
                let number = needed("--unpredictable-number", self.unpredictable_number, &choice)?;
                Recipe::AcMastercard(atc()?, number)
            }
            (Method::Visa, Usage::Mac | Usage::Enc) => Recipe::ScriptVisa(atc()?),
            (Method::Emv2000, Usage::Ac) => Recipe::AcTree(atc()?, self.tree()),
            (Method::Emv2000, Usage::Mac | Usage::Enc) => Recipe::ScriptTree(atc()?, self.tree()),
            (Method::Visa, Usage::Ac) | (Method::Mastercard, Usage::Mac | Usage::Enc) => {
                return Err(Failure::usage(format!("{choice}: there is no such key; give --method common")));
            }
        };
        self.nothing_else(&recipe, &choice)?;
        Ok(recipe)
    }

    /// An argument that makes no difference may be one that was meant to.
    fn nothing_else(&self, recipe: &Recipe, choice: &str) -> Result<(), Failure> {
        if matches!(recipe, Recipe::ScriptCommon(_)) {
            surplus("--atc", self.atc.as_ref(), choice)?;
        } else {
            surplus("--cryptogram", self.cryptogram.as_ref(), choice)?;
        }
        if self.method != Method::Mastercard {
            surplus("--unpredictable-number", self.unpredictable_number.as_ref(), choice)?;
        }
        if self.method != Method::Emv2000 {
            surplus("--branch", self.branch.as_ref(), choice)?;
            surplus("--initial-value", self.initial_value.as_ref(), choice)?;
        }
        Ok(())
    }

    fn tree(&self) -> SessionTree {
        let shape = match self.branch {
            Some(Branch::Two) => TreeShape::Branch2Height16,
            Some(Branch::Four) | None => TreeShape::Branch4Height8,
        };
        SessionTree { shape, initial_value: self.initial_value.unwrap_or_default() }
    }
}

impl Recipe {
    fn derive(&self, key: TdeaKey) -> Result<TdeaKey, TripleLengthKey> {
        let of_ac = |key: AcKey| key.expose_key().duplicate();
        let of_script = |key: ScriptMacKey| key.expose_key().duplicate();
        match self {
            Self::AcCommon(atc) => UdkAc::from_key(key).derive_common(*atc).map(of_ac),
            Self::AcMastercard(atc, number) => {
                UdkAc::from_key(key).derive_mastercard(*atc, *number).map(of_ac)
            }
            Self::AcTree(atc, tree) => UdkAc::from_key(key).derive_tree(*atc, tree).map(of_ac),
            Self::ScriptCommon(request) => UdkMac::from_key(key).derive_common(request).map(of_script),
            Self::ScriptVisa(atc) => UdkMac::from_key(key).derive_visa(*atc).map(of_script),
            Self::ScriptTree(atc, tree) => UdkMac::from_key(key).derive_tree(*atc, tree).map(of_script),
        }
    }

    fn derive_aes(&self, key: AesKey) -> Result<AesKey, Failure> {
        match self {
            Self::AcCommon(atc) => Ok(aes::UdkAc::from_key(key).derive_common(*atc).expose_key().duplicate()),
            Self::ScriptCommon(request) => {
                Ok(aes::UdkMac::from_key(key).derive_common(request).expose_key().duplicate())
            }
            _ => Err(Failure::usage("--cipher aes: AES keys have --method common only")),
        }
    }
}

fn unpredictable_number(text: &str) -> Result<[u8; 4], String> {
    hex::parse_array(text, "an unpredictable number")
}

fn initial_value(text: &str) -> Result<[u8; 16], String> {
    hex::parse_array(text, "the tree's initial value")
}
