//! BER-TLV data objects of ISO 7816-4, in the one form each of them has.
//!
//! Tags have one to three bytes, lengths are definite and no longer than need be, nothing stands between objects. So
//! there is one encoding for each object, and what is accepted encodes to the same bytes. Nothing is copied on reading;
//! values print as their lengths, for in a card's world they may be keys.

use core::fmt;

use crate::bytes::SecretBytes;
use crate::cursor::Cursor;

/// Tag of a data object: class, whether it holds other objects, number.
///
/// Numbers below 31 in two bytes, which ISO 7816-4 rules out, are tags all the same: EMV has `9F02` and `BF0C`.
///
/// # Source
/// ISO/IEC 7816-4:2013 5.2.2.1; EMV Book 3, annex B.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(u32);

/// A number that is no tag.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{number:02X} is no tag")]
pub struct InvalidTag {
    /// The number.
    pub number: u32,
}

/// Bytes that are no data objects. Positions count from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TlvError {
    /// There is no tag: a byte of padding, leading zeros in three bytes, or more than three bytes.
    #[error("no tag at byte {position}")]
    Tag {
        /** Of its first byte. */
        position: usize,
    },
    /// The length is indefinite, has more bytes than it needs, or counts over 16 MiB.
    #[error("no length at byte {position}")]
    Length {
        /** Of its first byte. */
        position: usize,
    },
    /// The bytes end before the object does.
    #[error("the object at byte {position} ends early")]
    Truncated {
        /** Of the tag. */
        position: usize,
    },
    /// Something follows the one object that was expected.
    #[error("the object ends at byte {position}, and there are bytes after it")]
    Trailing {
        /** Of the first byte after the object. */
        position: usize,
    },
}

/// A value that no length of these objects can tell: over 16 MiB.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a value is at most {} bytes, found {found}", MAX_VALUE)]
pub struct ValueTooLong {
    /// Bytes supplied.
    pub found: usize,
}

/// Most bytes of a value.
pub const MAX_VALUE: usize = 0xFF_FFFF;

impl Tag {
    /// File control information (FCI) template.
    pub const FCI: Self = Self(0x6F);
    /// Name of a directory (DF name), in an FCI.
    pub const DF_NAME: Self = Self(0x84);
    /// Proprietary information in an FCI.
    pub const FCI_PROPRIETARY: Self = Self(0xA5);

    /// The tag whose bytes, the first highest, make `number`: `0x9F26`.
    ///
    /// # Errors
    /// Returns [`InvalidTag`] if they are no tag, or more than one.
    pub const fn new(number: u32) -> Result<Self, InvalidTag> {
        let is_tag = match number.to_be_bytes() {
            [0, 0, 0, byte] => byte != 0 && byte & LONG != LONG,
            [0, 0, first, second] => first & LONG == LONG && second < 0x80,
            [0, first, second, third] => first & LONG == LONG && second > 0x80 && third < 0x80,
            _ => false,
        };
        if is_tag { Ok(Self(number)) } else { Err(InvalidTag { number }) }
    }

    /// Its bytes as a number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0
    }

    /// Whether objects with this tag hold other objects.
    #[must_use]
    pub const fn is_constructed(self) -> bool {
        let shift = 8 * (self.encoded_len() - 1);
        self.0 >> shift & 0x20 != 0
    }

    /// The tag at the start of `bytes`, and what follows; `None` if it goes on behind them.
    fn decode_prefix(bytes: &[u8]) -> Result<Option<(Self, &[u8])>, InvalidTag> {
        let (number, rest) = match bytes {
            [byte, rest @ ..] if byte & LONG != LONG => ([0, 0, 0, *byte], rest),
            [] | [_] | [_, 0x81..=0xFF] => return Ok(None),
            [first, second @ 0x81..=0xFF, third, rest @ ..] => ([0, *first, *second, *third], rest),
            [first, second, rest @ ..] => ([0, 0, *first, *second], rest),
        };
        Self::new(u32::from_be_bytes(number)).map(|tag| Some((tag, rest)))
    }

    fn encode_into(self, out: &mut SecretBytes) {
        match self.0.to_be_bytes() {
            [0, 0, 0, byte] => out.extend(&[byte]),
            [0, 0, first, second] => out.extend(&[first, second]),
            [_, first, second, third] => out.extend(&[first, second, third]),
        }
    }

    const fn encoded_len(self) -> usize {
        match self.0 {
            0..=0xFF => 1,
            0x100..=0xFFFF => 2,
            _ => 3,
        }
    }
}

/// The low bits of a first byte that another one follows.
const LONG: u8 = 0x1F;

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02X}", self.0)
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// A data object in bytes that were read. `Debug` shows the length of its value only.
#[derive(Clone, Copy)]
pub struct Tlv<'a> {
    tag: Tag,
    value: &'a [u8],
}

impl<'a> Tlv<'a> {
    /// Reads one object; all of `bytes` is used.
    ///
    /// # Errors
    /// Returns [`TlvError`] for anything else.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, TlvError> {
        match Self::decode_prefix(bytes)? {
            (object, []) => Ok(object),
            (_, rest) => Err(TlvError::Trailing { position: bytes.len() - rest.len() }),
        }
    }

    /// Reads the object at the start of `bytes`; returns what follows, too.
    ///
    /// # Errors
    /// Returns [`TlvError`] if there is none.
    pub fn decode_prefix(bytes: &'a [u8]) -> Result<(Self, &'a [u8]), TlvError> {
        decode_at(bytes, 0)
    }

    /// Its tag.
    #[must_use]
    pub const fn tag(&self) -> Tag {
        self.tag
    }

    /// Its value.
    #[must_use]
    pub const fn value(&self) -> &'a [u8] {
        self.value
    }

    /// The objects that it holds; none if it holds a value of its own.
    #[must_use]
    pub fn objects(&self) -> Objects<'a> {
        objects(if self.tag.is_constructed() { self.value } else { &[] })
    }
}

impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlv({}, {} bytes)", self.tag, self.value.len())
    }
}

fn decode_at(bytes: &[u8], position: usize) -> Result<(Tlv<'_>, &[u8]), TlvError> {
    let truncated = TlvError::Truncated { position };
    let (tag, after_tag) =
        Tag::decode_prefix(bytes).map_err(|_| TlvError::Tag { position })?.ok_or(truncated)?;
    let at_length = position + tag.encoded_len();
    let (len, after_len) = match after_tag {
        [len @ 0..=0x7F, rest @ ..] => (usize::from(*len), rest),
        [0x81, a @ 0x80..=0xFF, rest @ ..] => (usize::from(*a), rest),
        [0x82, a @ 1..=0xFF, b, rest @ ..] => (usize::from(u16::from_be_bytes([*a, *b])), rest),
        [0x83, a @ 1..=0xFF, b, c, rest @ ..] => {
            (usize::try_from(u32::from_be_bytes([0, *a, *b, *c])).map_err(|_| truncated)?, rest)
        }
        [] | [0x81..=0x83] | [0x82 | 0x83, 1..=0xFF] | [0x83, 1..=0xFF, _] => return Err(truncated),
        _ => return Err(TlvError::Length { position: at_length }),
    };
    let (value, rest) = after_len.split_at_checked(len).ok_or(truncated)?;
    Ok((Tlv { tag, value }, rest))
}

/// The objects that `bytes` are made of, one after the other.
#[must_use]
pub const fn objects(bytes: &[u8]) -> Objects<'_> {
    Objects(Cursor::new(bytes))
}

/// Objects one after the other. The first error is the last item.
#[derive(Clone)]
pub struct Objects<'a>(Cursor<'a>);

impl<'a> Iterator for Objects<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next(decode_at)
    }
}

impl core::iter::FusedIterator for Objects<'_> {}

impl fmt::Debug for Objects<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Objects({} bytes left)", self.0.left())
    }
}

/// The value of the first object found along `path`: each tag within the object before it.
///
/// # Errors
/// Returns [`TlvError`] if bytes on the way are no objects.
///
/// # Examples
/// ```
/// use cardroot_apdu::tlv::{self, Tag};
///
/// let fci = *b"\x6F\x0A\x84\x08\x31\x50\x41\x59\x2E\x53\x59\x53";
/// assert_eq!(tlv::find(&fci, &[Tag::FCI, Tag::DF_NAME])?, Some(&b"1PAY.SYS"[..]));
/// assert_eq!(tlv::find(&fci, &[Tag::FCI, Tag::FCI_PROPRIETARY])?, None);
/// # Ok::<(), tlv::TlvError>(())
/// ```
pub fn find<'a>(bytes: &'a [u8], path: &[Tag]) -> Result<Option<&'a [u8]>, TlvError> {
    let mut value = bytes;
    for tag in path {
        let is_ours = |object: &Result<Tlv<'a>, TlvError>| object.as_ref().map_or(true, |o| o.tag == *tag);
        match objects(value).find(is_ours).transpose()? {
            Some(object) => value = object.value,
            None => return Ok(None),
        }
    }
    Ok(Some(value))
}

/// Data objects being written. Wiped on drop; `Debug` shows their length only.
///
/// # Examples
/// ```
/// use cardroot_apdu::tlv::{Tag, TlvWriter};
///
/// let mut inner = TlvWriter::new();
/// inner.push(Tag::DF_NAME, b"1PAY.SYS")?;
/// let mut fci = TlvWriter::new();
/// fci.push(Tag::FCI, inner.expose_bytes())?;
/// assert_eq!(fci.expose_bytes(), b"\x6F\x0A\x84\x081PAY.SYS");
/// # Ok::<(), cardroot_apdu::tlv::ValueTooLong>(())
/// ```
#[derive(Debug, Default)]
pub struct TlvWriter {
    out: SecretBytes,
}

impl TlvWriter {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an object.
    ///
    /// # Errors
    /// Returns [`ValueTooLong`] over [`MAX_VALUE`]; nothing is appended then.
    pub fn push(&mut self, tag: Tag, value: &[u8]) -> Result<&mut Self, ValueTooLong> {
        let long = ValueTooLong { found: value.len() };
        let len = u32::try_from(value.len()).map_err(|_| long)?.to_be_bytes();
        let mut length = SecretBytes::default();
        match len {
            [0, 0, 0, a @ 0..=0x7F] => length.extend(&[a]),
            [0, 0, 0, a] => length.extend(&[0x81, a]),
            [0, 0, a, b] => length.extend(&[0x82, a, b]),
            [0, a, b, c] => length.extend(&[0x83, a, b, c]),
            _ => return Err(long),
        }
        tag.encode_into(&mut self.out);
        self.out.extend(length.expose_bytes());
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
