//! What can be wrong with SMIDs and their profiles.

use super::Carrier;

/// The settings of a [`SmidProfile`](super::SmidProfile) contradict each other.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ProfileError {
    /// So much fill is omitted that no name of 5 bytes would be sent.
    #[error("{omitted} omitted fill bytes leave no key name of at least 5 bytes to send")]
    Fill {
        /// Fill bytes not sent.
        omitted: u8,
    },
    /// The fixed name length is not 5 to 16 bytes, or less than 5 of them are sent.
    #[error("a fixed key name length of {len} is not 5 to 16 bytes with at least 5 of them sent")]
    NameLength {
        /// Length of the profile.
        len: u8,
    },
    /// Fill is added as well as omitted, or more than 16 bytes of it.
    #[error("{added} added fill bytes are more than 16, or stand beside omitted ones")]
    AddedFill {
        /// Fill bytes sent.
        added: u8,
    },
    /// The layout is not of the fixed length of key names.
    #[error("a layout of {len} bytes needs key names of that fixed length")]
    Layout {
        /// Bytes of the layout.
        len: usize,
    },
    /// Several SMIDs, each of which takes the rest of the element.
    #[error("several SMIDs need a framing that ends the key name")]
    Unframed,
}

/// Why a list of SMIDs cannot be encoded. `entry` counts from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SmidEncodeError {
    /// The profile contradicts itself.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// There is no SMID.
    #[error("an element holds at least one SMID")]
    Empty,
    /// More than one SMID where the profile allows one.
    #[error("the profile allows one SMID, found {found}")]
    SecondSmid {
        /// SMIDs supplied.
        found: usize,
    },
    /// A control byte is given and the profile sends none.
    #[error("SMID {entry} has a control byte, the profile has none")]
    UnexpectedControl {
        /// Which SMID.
        entry: usize,
    },
    /// The profile sends a control byte and none is given.
    #[error("SMID {entry} has no control byte, the profile demands one")]
    MissingControl {
        /// Which SMID.
        entry: usize,
    },
    /// The key name, or what is sent of it, is not of a length that the profile can carry.
    #[error("SMID {entry} has a key name of {found} bytes, which the profile cannot carry")]
    NameLength {
        /// Which SMID.
        entry: usize,
        /// Length of its key name.
        found: usize,
    },
    /// The key name does not start with the `FF` bytes that the profile leaves out.
    #[error("SMID {entry} lacks the FF fill that the profile omits")]
    NotFilled {
        /// Which SMID.
        entry: usize,
    },
    /// The element exceeds its field.
    #[error("{carrier} holds {} bytes, the SMIDs take {found}", carrier.max_len())]
    OverCarrier {
        /// The field.
        carrier: Carrier,
        /// Length of the encoding.
        found: usize,
    },
}

/// Why bytes are not an element of SMIDs. `at` is an offset in the element, from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SmidDecodeError {
    /// The profile contradicts itself.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// There are no bytes.
    #[error("an element holds at least one SMID")]
    Empty,
    /// The element is longer than its field can be.
    #[error("{carrier} holds {} bytes, found {found}", carrier.max_len())]
    OverCarrier {
        /// The field.
        carrier: Carrier,
        /// Length of the element.
        found: usize,
    },
    /// The control byte is neither `A5` nor `B5`.
    #[error("byte {at}: {found:02X} is not a control byte")]
    UnknownControl {
        /// Where it stands.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// The key name is not 5 to 16 bytes long, either as sent or with its fill.
    #[error("byte {at}: a key name of {found} bytes is not 5 to 16 bytes long, as sent and with fill")]
    NameLength {
        /// Where the name starts.
        at: usize,
        /// Length as sent.
        found: usize,
    },
    /// A byte of the fill before a key name is not `FF`.
    #[error("byte {at}: {found:02X} where the fill FF is sent")]
    Fill {
        /// Where it stands.
        at: usize,
        /// The byte.
        found: u8,
    },
    /// The element ends within a SMID.
    #[error("byte {at}: the element ends, {missing} more bytes needed")]
    Truncated {
        /// Where the missing part starts.
        at: usize,
        /// Bytes missing.
        missing: usize,
    },
    /// A second SMID follows and the profile allows one.
    #[error("byte {at}: a second SMID, the profile allows one")]
    SecondSmid {
        /// Where it starts.
        at: usize,
    },
    /// Bytes that are no SMID follow the only one that the profile allows.
    #[error("byte {at}: {count} bytes left over")]
    Leftover {
        /// Where they start.
        at: usize,
        /// How many.
        count: usize,
    },
}
