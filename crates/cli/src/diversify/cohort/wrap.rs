//! Keys of cards under a transport key.

use cardroot::diversify::Factor;
use cardroot::diversify::transport::{TransportKey, WrappedKey};
use cardroot::diversify::tree::purpose::{Function, FunctionVisitor, PurposeId};
use cardroot::diversify::tree::{CardKey, Origin, TreeKeyError};
use cardroot::tdea::TdeaKey;
use clap::Args;

use crate::error::Failure;
use crate::function;
use crate::secret::{Secrets, Source};

/// How keys leave, if they do.
#[derive(Args)]
pub(super) struct WrapOptions {
    /// Adds each key under this transport key of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K", requires = "function", requires = "root_version")]
    wrap_under: Option<Source>,
    /// What the keys are for, which a wrapped key says of itself
    #[arg(long, value_name = "NAME", requires = "wrap_under", value_parser = function::parser())]
    function: Option<PurposeId>,
    /// The version of the root key, which a wrapped key says of itself: 0 to 255
    #[arg(long, value_name = "N", requires = "wrap_under")]
    root_version: Option<u8>,
}

/// What wraps the keys of one cohort.
pub(super) struct Wrap {
    transport: TransportKey,
    function: PurposeId,
    version: u8,
}

/// Gives a card's key its function and its origin, and wraps it.
struct Seal<'a> {
    transport: &'a TransportKey,
    key: &'a TdeaKey,
    origin: Origin,
}

impl FunctionVisitor for Seal<'_> {
    type Output = Result<WrappedKey, TreeKeyError>;

    fn visit<F: Function>(self) -> Self::Output {
        let key = CardKey::<F>::from_key(self.key.duplicate(), self.origin)?;
        Ok(self.transport.wrap(&key).expect("the transport key was checked"))
    }
}

impl WrapOptions {
    /// Whether keys are to be wrapped.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wrap_under.is_some()
    }

    /// Reads the transport key, if keys are to be wrapped.
    pub(super) fn read(&self, secrets: &mut Secrets) -> Result<Option<Wrap>, Failure> {
        let (Some(source), Some(function), Some(version)) =
            (&self.wrap_under, self.function, self.root_version)
        else {
            return Ok(None);
        };
        let transport = TransportKey::from_key(secrets.key("--wrap-under", source)?);
        transport.check().map_err(|error| Failure::refused(format!("--wrap-under: {error}")))?;
        Ok(Some(Wrap { transport, function, version }))
    }
}

impl Wrap {
    /// Wraps the key of one card.
    pub(super) fn wrap(&self, key: &TdeaKey, city: Factor, card: Factor) -> Result<WrappedKey, TreeKeyError> {
        let origin = Origin::card(self.version, city, card);
        let seal = Seal { transport: &self.transport, key, origin };
        self.function.visit_function(seal).expect("masters have no name here")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::function::FUNCTIONS;

    #[test]
    fn wrapped_keys_are_of_the_function_that_was_named() {
        let key = |low: u8| TdeaKey::from([1, 2, 3, 4, 5, 6, 7, low, 9, 8, 7, 6, 5, 4, 3, 2]);
        let factor = Factor::from([7; 8]);
        for (name, function) in FUNCTIONS {
            let wrap = Wrap { transport: TransportKey::from_key(key(1)), function, version: 1 };
            let header = *wrap.wrap(&key(2), factor, factor).unwrap().header();
            assert_eq!(header.purpose, function, "{name}");
        }
    }
}
