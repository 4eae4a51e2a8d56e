//! Data groupings of card personalisation (DGI): what STORE DATA carries.
//!
//! ```text
//! identifier (2) | length, one byte 00-FE, or FF and two bytes | value
//! ```
//!
//! The long form is for 255 bytes and more, and not accepted for less: what is accepted encodes to the same bytes.
//!
//! # Source
//! EMV Card Personalization Specification 1.1, 2.2; GlobalPlatform Card Specification 2.3, 11.11.2.3.

use core::fmt;

use crate::bytes::SecretBytes;
use crate::cursor::Cursor;

/// Bytes that are no data groupings. Positions count from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DgiError {
    /// Three bytes of length for a value that needs one.
    #[error("the length at byte {position} has three bytes and needs one")]
    Length {
        /** Of its first byte. */
        position: usize,
    },
    /// The bytes end before the grouping does.
    #[error("the grouping at byte {position} ends early")]
    Truncated {
        /** Of the identifier. */
        position: usize,
    },
}

/// A value of more than 65535 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a data grouping has at most 65535 bytes, found {found}")]
pub struct GroupingTooLong {
    /// Bytes supplied.
    pub found: usize,
}

/// A data grouping in bytes that were read. `Debug` shows the length of its value only.
#[derive(Clone, Copy)]
pub struct Dgi<'a> {
    id: u16,
    value: &'a [u8],
}

impl<'a> Dgi<'a> {
    /// Its identifier.
    #[must_use]
    pub const fn id(&self) -> u16 {
        self.id
    }

    /// Its value.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    fn decode_at(bytes: &'a [u8], position: usize) -> Result<(Self, &'a [u8]), DgiError> {
        let truncated = DgiError::Truncated { position };
        let (id, len, rest) = match bytes {
            [_, _, 0xFF, 0, 0..=0xFE, ..] => return Err(DgiError::Length { position: position + 2 }),
            [a, b, 0xFF, c, d, rest @ ..] => ([*a, *b], u16::from_be_bytes([*c, *d]), rest),
            [a, b, len @ 0..=0xFE, rest @ ..] => ([*a, *b], u16::from(*len), rest),
            _ => return Err(truncated),
        };
        let (value, rest) = rest.split_at_checked(usize::from(len)).ok_or(truncated)?;
        Ok((Self { id: u16::from_be_bytes(id), value }, rest))
    }
}

impl fmt::Debug for Dgi<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dgi({:04X}, {} bytes)", self.id, self.value.len())
    }
}

/// The data groupings that `bytes` are made of, one after the other.
///
/// # Examples
/// ```
/// use cardroot_apdu::dgi;
///
/// let mut found = dgi::groupings(b"\x01\x01\x02\xAA\xBB\x82\x01\x00").map(|dgi| dgi.map(|dgi| dgi.id()));
/// assert_eq!(found.next(), Some(Ok(0x0101)));
/// assert_eq!(found.next(), Some(Ok(0x8201)));
/// assert_eq!(found.next(), None);
/// ```
#[must_use]
pub const fn groupings(bytes: &[u8]) -> Groupings<'_> {
    Groupings(Cursor::new(bytes))
}

/// Data groupings one after the other. The first error is the last item.
#[derive(Clone)]
pub struct Groupings<'a>(Cursor<'a>);

impl<'a> Iterator for Groupings<'a> {
    type Item = Result<Dgi<'a>, DgiError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(Dgi::decode_at)
    }
}

impl core::iter::FusedIterator for Groupings<'_> {}

impl fmt::Debug for Groupings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Groupings({} bytes left)", self.0.left())
    }
}

/// Data groupings being written. Wiped on drop; `Debug` shows their length only.
#[derive(Debug, Default)]
pub struct DgiWriter {
    out: SecretBytes,
}

impl DgiWriter {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends a data grouping.
    ///
    /// # Errors
    /// Returns [`GroupingTooLong`] over 65535 bytes; nothing is appended then.
    pub fn push(&mut self, id: u16, value: &[u8]) -> Result<&mut Self, GroupingTooLong> {
        let len = u16::try_from(value.len()).map_err(|_| GroupingTooLong { found: value.len() })?;
        self.out.extend(&id.to_be_bytes());
        match len.to_be_bytes() {
            [0, short @ 0..=0xFE] => self.out.extend(&[short]),
            [high, low] => self.out.extend(&[0xFF, high, low]),
        }
        self.out.extend(value);
        Ok(self)
    }

    /// Shows what is written.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        self.out.expose_bytes()
    }

    /// What is written.
    #[must_use]
    pub fn into_bytes(self) -> SecretBytes {
        self.out
    }
}
