//! What can be wrong with a message. Errors carry positions and numbers, never content.

use core::fmt;

use super::{CodeError, NameError, Tag};

/// Bytes are not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{part}, byte {offset}: {reason}")]
pub struct DecodeError {
    /// Part of the message that was being read.
    pub part: Part,
    /// Offset in the text, from 0, of the first character that is wrong or missing.
    pub offset: usize,
    /// What is wrong.
    pub reason: Reason,
}

/// Part of a message.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Part {
    /// `CSM(`.
    Header,
    /// A field with a tag that is known.
    Field(Tag),
    /// A field whose tag can't be read.
    UnknownField,
    /// ` )` and what follows it.
    End,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("header"),
            Self::Field(tag) => write!(f, "field {tag}"),
            Self::UnknownField => f.write_str("field"),
            Self::End => f.write_str("end"),
        }
    }
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Reason {
    /// A character is not of printable ASCII.
    #[error("a character that messages don't have")]
    Character,
    /// The text does not begin with `CSM(`.
    #[error("`CSM(` is missing")]
    Header,
    /// The text does not end with a blank and `)`.
    #[error("the closing ` )` is missing")]
    Close,
    /// The first field is not `MCL`.
    #[error("the first field is not MCL")]
    NoClass,
    /// `MCL` comes again.
    #[error("MCL comes again")]
    SecondClass,
    /// The class is none of the eight.
    #[error("no class of messages")]
    UnknownClass,
    /// A field has no slash.
    #[error("a field without a slash")]
    NoSlash,
    /// The tag is none of the known ones.
    #[error("no tag of a field")]
    UnknownTag,
    /// There is a blank where a field begins.
    #[error("a blank too many")]
    Blank,
    /// A field follows the MAC or the EDC.
    #[error("a field after the code over the message")]
    AfterCode,
    /// The field may not be empty.
    #[error("the field is empty")]
    Empty,
    /// A name is none.
    #[error(transparent)]
    Name(#[from] NameError),
    /// A character is not a hexadecimal digit in upper case.
    #[error("not an upper-case hexadecimal digit")]
    HexDigit,
    /// There are too few or too many hexadecimal digits.
    #[error("{found} hexadecimal digits is no length of this field")]
    HexLength {
        /// Digits found.
        found: usize,
    },
    /// A subfield is none of those that the field has.
    #[error("no subfield of this field")]
    UnknownSubfield,
    /// Subfields are not in their order, or one comes twice.
    #[error("subfields out of order")]
    SubfieldOrder,
    /// There are more subfields than the field has.
    #[error("too many subfields")]
    TooManySubfields,
    /// The last subfield is empty, and its full stop is there.
    #[error("a full stop without a subfield after it")]
    EmptySubfield,
}

/// A field can't be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The message has its MAC or EDC already, which is the last field.
    #[error("field {0} after the code over the message")]
    AfterCode(Tag),
    /// The encrypted key or vector has no length of this field.
    #[error("field {tag} can't hold {found} bytes")]
    Length {
        /// The field.
        tag: Tag,
        /// Bytes supplied.
        found: usize,
    },
    /// The content is empty or has a blank or another character that can't be there.
    #[error("field {0} can't hold that text")]
    Text(Tag),
    /// A code of a length that codes don't have.
    #[error(transparent)]
    Code(#[from] CodeError),
}
