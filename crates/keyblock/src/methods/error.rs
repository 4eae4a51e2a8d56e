//! Why a step of a method is not taken.

use super::name::PartyId;
use crate::attributes::Usage;
use crate::unwrapped::{NotThisKey, UnwrapError};
use crate::version::Version;
use crate::wrap::WrapError;

/// A step that is not taken. Everything is as it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// There is no relation with this party.
    #[error("no relation with party {0}")]
    UnknownParty(/** The party. */ PartyId),
    /// No version is current yet.
    #[error("no key is current")]
    NoCurrentKey,
    /// A version is pending already: confirm or withdraw it first.
    #[error("version {number} is pending already")]
    Pending {
        /** Its number. */
        number: u32,
    },
    /// The version is not pending: never offered, confirmed already, or withdrawn.
    #[error("version {number} is not pending")]
    NotPending {
        /** The number asked for. */
        number: u32,
    },
    /// No version is pending that this node offered.
    #[error("no version is pending that was offered")]
    NothingPending,
    /// The key is one that this node has or had: of any party, for any purpose.
    #[error("the key is not new")]
    NotNew,
    /// A key of this relation has the name.
    #[error("a key of this relation has the name already")]
    NameInUse,
    /// The label of the block is no name of a key.
    #[error("the label of the key block is no key name")]
    Label,
    /// There is no key in the set.
    #[error("the set has no key")]
    Empty,
    /// Fixed keys are replaced as a whole: the new set lacks a key that the current one has.
    #[error("the new set has no key for usage {missing}")]
    Partial {
        /** Usage of the key. */
        missing: Usage,
    },
    /// Protection keys of this type do not serve the version of block.
    #[error("the protection keys do not serve version {found}")]
    Version {
        /** Version asked for. */
        found: Version,
    },
    /// The key can't be wrapped.
    #[error("the key can't be wrapped")]
    Wrap(#[from] WrapError),
    /// The block can't be opened.
    #[error(transparent)]
    Unwrap(#[from] UnwrapError),
    /// The block holds another key than the one that was expected.
    #[error(transparent)]
    Key(#[from] NotThisKey),
    /// More versions than a number counts.
    #[error("version numbers are used up")]
    NumbersExhausted,
}
