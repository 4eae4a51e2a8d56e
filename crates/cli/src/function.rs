//! Functions of the key tree by the names that arguments have.

use cardroot::diversify::tree::purpose::PurposeId;
use clap::builder::{PossibleValuesParser, TypedValueParser};

/// Every function, in the order of the tree.
pub(crate) const FUNCTIONS: [(&str, PurposeId); 19] = [
    ("issuing", PurposeId::Issuing),
    ("loss", PurposeId::Loss),
    ("reissue", PurposeId::Reissue),
    ("deregistration", PurposeId::Deregistration),
    ("recharge", PurposeId::Recharge),
    ("inquiry", PurposeId::Inquiry),
    ("application-control", PurposeId::ApplicationControl),
    ("line-protection", PurposeId::LineProtection),
    ("card-maintenance", PurposeId::CardMaintenance),
    ("local-file-read", PurposeId::LocalFileRead),
    ("local-file-update", PurposeId::LocalFileUpdate),
    ("city-internal-authentication", PurposeId::CityInternalAuthentication),
    ("pin-unblock", PurposeId::PinUnblock),
    ("pin-reload", PurposeId::PinReload),
    ("purchase", PurposeId::Purchase),
    ("tac", PurposeId::Tac),
    ("common-file-read", PurposeId::CommonFileRead),
    ("external-authentication", PurposeId::ExternalAuthentication),
    ("internal-authentication", PurposeId::InternalAuthentication),
];

/// The function of a name.
pub(crate) fn find(name: &str) -> Option<PurposeId> {
    FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(_, function)| *function)
}

/// Reads the name of a function.
pub(crate) fn parser() -> impl TypedValueParser<Value = PurposeId> {
    PossibleValuesParser::new(FUNCTIONS.map(|(name, _)| name))
        .map(|chosen| find(&chosen).expect("the value is a possible one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_has_its_name() {
        let functions = PurposeId::ALL.iter().filter(|purpose| purpose.master().is_some());
        assert!(functions.copied().eq(FUNCTIONS.map(|(_, function)| function)));
        for (name, function) in FUNCTIONS {
            let kebab = format!("{function:?}").chars().fold(String::new(), |mut kebab, letter| {
                if letter.is_uppercase() && !kebab.is_empty() {
                    kebab.push('-');
                }
                kebab.extend(letter.to_lowercase());
                kebab
            });
            assert_eq!(name, kebab);
        }
    }
}
