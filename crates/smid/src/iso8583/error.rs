//! What can be wrong with fields and messages. Errors carry numbers and positions, never content.

use core::fmt;

use super::{BitmapError, Content, DateFormat, Version};

/// A value does not fit a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("field {field}, position {position}: {reason}")]
pub struct FieldError {
    /// Number of the field.
    pub field: u8,
    /// Position in the value, from 0, of the first character that is wrong; the shorter length if it is the length.
    pub position: usize,
    /// What is wrong.
    pub reason: FieldReason,
}

/// Why a value does not fit a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum FieldReason {
    /// The number is not 2 to 128, or it is 65, which would announce a third bitmap.
    #[error("not the number of a field (2 to 128 without 65)")]
    NotAField,
    /// The dialect has no such field.
    #[error("the dialect has no such field")]
    NotInDialect,
    /// The field holds bytes, the value is text.
    #[error("the field holds bytes, not text")]
    TextForBytes,
    /// The field holds text, the value is bytes.
    #[error("the field holds text, not bytes")]
    BytesForText,
    /// The field has a fixed length and the value another.
    #[error("the field is {expected} long, the value {found}")]
    FixedLength {
        /// Length of the field.
        expected: usize,
        /// Length of the value.
        found: usize,
    },
    /// The value is too long.
    #[error("the field is at most {max} long, the value {found}")]
    TooLong {
        /// Greatest length of the field.
        max: usize,
        /// Length of the value.
        found: usize,
    },
    /// The character is not of the class of the field.
    #[error("the character is not of class {0}")]
    Character(Content),
    /// The digits are no date or time of this form.
    #[error("no date or time of form {}", _0.pattern())]
    Date(DateFormat),
}

/// A message cannot be encoded in a dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The message is of another version of ISO 8583.
    #[error("the dialect is of version {expected:?}, the message of {found:?}")]
    Version {
        /// Version of the dialect.
        expected: Version,
        /// Version of the message.
        found: Version,
    },
    /// A value does not fit its field in this dialect.
    #[error(transparent)]
    Field(#[from] FieldError),
}

/// Bytes are not a message of a dialect.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{part}, byte {offset}: {reason}")]
pub struct DecodeError {
    /// Part of the message that was being read.
    pub part: Part,
    /// Offset in the message, from 0, of the first byte that is wrong or missing.
    pub offset: usize,
    /// What is wrong.
    pub reason: DecodeReason,
}

/// Part of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// The message type indicator.
    Mti,
    /// The primary or secondary bitmap.
    Bitmap,
    /// A field, with its length.
    Field(u8),
    /// What follows the last field.
    End,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mti => f.write_str("message type"),
            Self::Bitmap => f.write_str("bitmap"),
            Self::Field(number) => write!(f, "field {number}"),
            Self::End => f.write_str("after the last field"),
        }
    }
}

/// Why bytes are not a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeReason {
    /// The message ends here.
    #[error("the message ends, {missing} more bytes needed")]
    Truncated {
        /// Bytes missing.
        missing: usize,
    },
    /// A message type or a length has something else than a decimal digit.
    #[error("not a decimal digit")]
    Digit,
    /// A hex value or bitmap has something else than `0`-`9` or `A`-`F`.
    #[error("not an upper-case hex digit")]
    HexDigit,
    /// The message is of another version of ISO 8583.
    #[error("the dialect is of version {expected:?}, the message of {found:?}")]
    Version {
        /// Version of the dialect.
        expected: Version,
        /// Version of the message.
        found: Version,
    },
    /// The bitmap announces what cannot be.
    #[error(transparent)]
    Bitmap(#[from] BitmapError),
    /// The length sent is greater than the field can be.
    #[error("the field is at most {max} long, its length says {found}")]
    TooLong {
        /// Greatest length of the field.
        max: usize,
        /// Length sent.
        found: usize,
    },
    /// The half byte that fills an odd number of digits is not the fill of the dialect.
    #[error("not the fill of the dialect")]
    Fill,
    /// The character is not of the class of the field.
    #[error("the character is not of class {0}")]
    Character(Content),
    /// The digits are no date or time of this form.
    #[error("no date or time of form {}", _0.pattern())]
    Date(DateFormat),
    /// The dialect has no such field.
    #[error("the dialect has no such field")]
    NotInDialect,
    /// Bytes follow the last field.
    #[error("{count} bytes left over")]
    Leftover {
        /// How many.
        count: usize,
    },
}
