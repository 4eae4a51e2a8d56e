//! What can be wrong with a profile or with an identity.

use crate::level::LevelId;
use crate::profile::spec::Source;

/// Factors that can't be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// The profile contradicts itself.
    #[error(transparent)]
    Definition(#[from] DefinitionError),
    /// The profile does not make the factor of this level.
    #[error("the profile has no {level} level")]
    NoLevel {
        /** Level asked for. */
        level: LevelId,
    },
    /// The field of this level does not give a factor.
    #[error("{level} factor from {field}: {fault}")]
    Factor {
        /** Level whose factor it is. */
        level: LevelId,
        /** Field that it comes from. */
        field: Source,
        /** What is wrong with the field. */
        fault: FactorFault,
    },
}

/// What is wrong with a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FactorFault {
    /// The identity does not have the field.
    #[error("the field is missing")]
    Missing,
    /// The identity has the field twice.
    #[error("the field is given more than once")]
    Ambiguous,
    /// The field is empty: padding alone tells nobody apart.
    #[error("the field is empty")]
    Empty,
    /// Text where the encoding takes bytes.
    #[error("the field is text, the encoding takes bytes")]
    Text,
    /// Bytes where the encoding takes text.
    #[error("the field is bytes, the encoding takes text")]
    Bytes,
    /// Not a decimal digit.
    #[error("digit {position} is not decimal")]
    NotADigit {
        /** Position of the first such digit in the field, from 0. */
        position: usize,
    },
    /// Not a printable ASCII character.
    #[error("byte {position} is not a printable ASCII character")]
    NotAscii {
        /** Position of the first such byte in the field, from 0. */
        position: usize,
    },
    /// An odd number of digits, and the profile does not say what to do with them.
    #[error("{found} digits do not make whole bytes")]
    OddDigits {
        /** Digits taken. */
        found: usize,
    },
    /// More than 8 bytes, and the profile does not say which part to take.
    #[error("the field is longer than {max} digits or bytes: {found}")]
    TooLong {
        /** The most that fits. */
        max: usize,
        /** Digits or bytes supplied. */
        found: usize,
    },
    /// Fewer digits or bytes than the profile takes.
    #[error("the profile takes {needed} digits or bytes, the field has {found}")]
    TooFew {
        /** Digits or bytes that the profile takes. */
        needed: usize,
        /** Digits or bytes supplied. */
        found: usize,
    },
    /// Fewer than 8 bytes, and the profile does not pad.
    #[error("{found} bytes are too short, and the profile does not pad")]
    TooShort {
        /** Bytes there are. */
        found: usize,
    },
    /// Repeating does not make 8 bytes.
    #[error("{found} bytes repeated do not make 8")]
    Repeat {
        /** Bytes there are. */
        found: usize,
    },
}

/// A profile that is not among the built-in ones.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnknownProfile {
    /// No profile has this name.
    #[error("no built-in dispersion profile has this name")]
    Name,
    /// The profile of this name has another version, and may make other factors.
    #[error("the built-in profile has version {known}, not {found}")]
    Version {
        /** Version that there is. */
        known: u16,
        /** Version asked for. */
        found: u16,
    },
}

/// A profile that contradicts itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DefinitionError {
    /// No level at all: an undiversified key would be the result.
    #[error("the profile has no levels")]
    NoLevels,
    /// A level whose keys are not made from fields of a card or a city.
    #[error("the {level} level has no factor from an identity")]
    NotByIdentity {
        /** Level in the profile. */
        level: LevelId,
    },
    /// Levels are not in the order of derivation, or one is there twice.
    #[error("the profile's levels are not in the order of derivation, each once")]
    LevelOrder,
    /// The order in commands does not name the profile's levels, each once.
    #[error("the order in commands does not name the profile's levels, each once")]
    ApduOrder,
    /// The part to take is empty or can't fit into 8 bytes.
    #[error("the {level} factor takes {found} digits or bytes, 1 to {max} are possible")]
    Take {
        /** Level in the profile. */
        level: LevelId,
        /** The most that fits. */
        max: usize,
        /** Digits or bytes to take. */
        found: usize,
    },
}
