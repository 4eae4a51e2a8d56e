//! Keys of cards under a transport key.

use cardroot::diversify::Factor;
use cardroot::diversify::transport::{TransportKey, WrappedKey};
use cardroot::diversify::tree::purpose::*;
use cardroot::diversify::tree::{CardKey, Origin, TreeKeyError};
use cardroot::tdea::TdeaKey;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

use crate::error::Failure;
use crate::secret::{Secrets, Source};

/// How keys leave, if they do.
#[derive(Args)]
pub(super) struct WrapOptions {
    /// Adds each key under this transport key of double length: @FILE, env:NAME, - (standard input) or ask
    #[arg(long, value_name = "K", requires = "function", requires = "root_version")]
    wrap_under: Option<Source>,
    /// What the keys are for, which a wrapped key says of itself
    #[arg(long, value_name = "NAME", requires = "wrap_under", value_parser = function())]
    function: Option<Seal>,
    /// The version of the root key, which a wrapped key says of itself: 0 to 255
    #[arg(long, value_name = "N", requires = "wrap_under")]
    root_version: Option<u8>,
}

/// What wraps the keys of one cohort.
pub(super) struct Wrap {
    transport: TransportKey,
    seal: Seal,
    version: u8,
}

/// Gives a card's key its function and its origin, and wraps it.
type Seal = fn(&TransportKey, &TdeaKey, Origin) -> Result<WrappedKey, TreeKeyError>;

fn seal<F: Function>(
    transport: &TransportKey,
    key: &TdeaKey,
    origin: Origin,
) -> Result<WrappedKey, TreeKeyError> {
    let key = CardKey::<F>::from_key(key.duplicate(), origin)?;
    Ok(transport.wrap(&key).expect("the transport key was checked"))
}

const FUNCTIONS: [(&str, Seal); 19] = [
    ("issuing", seal::<Issuing>),
    ("loss", seal::<Loss>),
    ("reissue", seal::<Reissue>),
    ("deregistration", seal::<Deregistration>),
    ("recharge", seal::<Recharge>),
    ("inquiry", seal::<Inquiry>),
    ("application-control", seal::<ApplicationControl>),
    ("line-protection", seal::<LineProtection>),
    ("card-maintenance", seal::<CardMaintenance>),
    ("local-file-read", seal::<LocalFileRead>),
    ("local-file-update", seal::<LocalFileUpdate>),
    ("city-internal-authentication", seal::<CityInternalAuthentication>),
    ("pin-unblock", seal::<PinUnblock>),
    ("pin-reload", seal::<PinReload>),
    ("purchase", seal::<Purchase>),
    ("tac", seal::<Tac>),
    ("common-file-read", seal::<CommonFileRead>),
    ("external-authentication", seal::<ExternalAuthentication>),
    ("internal-authentication", seal::<InternalAuthentication>),
];

fn function() -> impl TypedValueParser<Value = Seal> {
    PossibleValuesParser::new(FUNCTIONS.map(|(name, _)| name)).map(|chosen| {
        let function = FUNCTIONS.iter().find(|(name, _)| *name == chosen);
        function.expect("the value is a possible one").1
    })
}

impl WrapOptions {
    /// Whether keys are to be wrapped.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wrap_under.is_some()
    }

    /// Reads the transport key, if keys are to be wrapped.
    pub(super) fn read(&self, secrets: &mut Secrets) -> Result<Option<Wrap>, Failure> {
        let (Some(source), Some(seal), Some(version)) = (&self.wrap_under, self.function, self.root_version)
        else {
            return Ok(None);
        };
        let transport = TransportKey::from_key(secrets.key("--wrap-under", source)?);
        transport.check().map_err(|error| Failure::refused(format!("--wrap-under: {error}")))?;
        Ok(Some(Wrap { transport, seal, version }))
    }
}

impl Wrap {
    /// Wraps the key of one card.
    pub(super) fn wrap(&self, key: &TdeaKey, city: Factor, card: Factor) -> Result<WrappedKey, TreeKeyError> {
        (self.seal)(&self.transport, key, Origin::card(self.version, city, card))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_name_and_wraps_keys_of_its_own() {
        let functions: Vec<PurposeId> =
            PurposeId::ALL.iter().copied().filter(|purpose| purpose.master().is_some()).collect();
        assert_eq!(functions.len(), FUNCTIONS.len());
        let key = |low: u8| TdeaKey::from([1, 2, 3, 4, 5, 6, 7, low, 9, 8, 7, 6, 5, 4, 3, 2]);
        let (transport, factor) = (TransportKey::from_key(key(1)), Factor::from([7; 8]));
        for ((name, seal), purpose) in FUNCTIONS.iter().zip(functions) {
            let header = *seal(&transport, &key(2), Origin::card(1, factor, factor)).unwrap().header();
            assert_eq!(header.purpose, purpose, "{name}");
            let kebab = format!("{purpose:?}").chars().fold(String::new(), |mut kebab, letter| {
                if letter.is_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.extend(letter.to_lowercase());
                kebab
            });
            assert_eq!(*name, kebab);
        }
    }
}
