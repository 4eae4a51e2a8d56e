//! Key block protection keys by the version of the block.

use cardroot::keyblock::{
    AesKbpk, BaseKey, BlockKey, DerivationKbpk, Form, Iso20038Kbpk, KeyBlock, NewKey, UnwrapError, Unwrapped,
    VariantKbpk, Version, WrapError,
};

use crate::error::{Failure, with_cause};
use crate::key::system_rng;
use crate::secret::{Secrets, Source};

/// A protection key of the method that a version has.
pub(super) enum Kbpk {
    Variant(VariantKbpk),
    Derivation(DerivationKbpk),
    Aes(AesKbpk),
    Iso20038(Iso20038Kbpk),
}

/// Runs one expression for a protection key of any type.
macro_rules! with {
    ($kbpk:expr, $key:ident => $run:expr) => {
        match $kbpk {
            Kbpk::Variant($key) => $run,
            Kbpk::Derivation($key) => $run,
            Kbpk::Aes($key) => $run,
            Kbpk::Iso20038($key) => $run,
        }
    };
}

impl Kbpk {
    pub(super) fn read(
        argument: &str,
        source: &Source,
        version: Version,
        secrets: &mut Secrets,
    ) -> Result<Self, Failure> {
        Ok(match version {
            Version::A | Version::C => Self::Variant(VariantKbpk::from_key(secrets.key(argument, source)?)),
            Version::B => Self::Derivation(DerivationKbpk::from_key(secrets.key(argument, source)?)),
            Version::D => Self::Aes(AesKbpk::from_key(secrets.aes_key(argument, source)?)),
            Version::E => Self::Iso20038(Iso20038Kbpk::from_key(secrets.aes_key(argument, source)?)),
        })
    }

    /// What is wrong with the key itself, or `good`.
    pub(super) fn strength(&self) -> String {
        let judged = with!(self, key => key.base().check_strength());
        judged.map_or_else(|fault| fault.to_string(), |()| "good".into())
    }

    pub(super) fn unwrap(&self, block: &KeyBlock, place: &str) -> Result<Unwrapped, Failure> {
        with!(self, key => block.unwrap(key)).map_err(|error| match error {
            UnwrapError::Refused => Failure::refused(format!(
                "{place} can't be unwrapped: it was altered, or --kbpk is not its protection key"
            )),
            error => Failure::refused(format!("{place}: {error}")),
        })
    }

    pub(super) fn wrap<K: BlockKey>(&self, key: &NewKey<K>, form: &Form) -> Result<KeyBlock, Failure> {
        with!(self, kbpk => key.wrap(kbpk, form, &mut system_rng()?)).map_err(not_wrapped)
    }

    pub(super) fn rewrap(&self, key: &Unwrapped, form: &Form) -> Result<KeyBlock, Failure> {
        with!(self, kbpk => key.rewrap(kbpk, form, &mut system_rng()?)).map_err(not_wrapped)
    }
}

fn not_wrapped(error: WrapError) -> Failure {
    Failure::refused(format!("no key block is made: {}", with_cause(&error)))
}
