//! BER-TLV: tag, length, value, one after the other.

use alloc::vec::Vec;
use core::fmt;

/// Tag of 1 to 3 bytes, as sent: `9A`, `9F02`, `DF8101`.
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Tag(u32);

/// Why bytes are not a sequence of TLVs. `at` is an offset in the sequence, from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TlvError {
    /// The bytes end within a TLV.
    #[error("byte {at}: the data end within a TLV")]
    Truncated {
        /// Where the missing part starts.
        at: usize,
    },
    /// The tag is `00` or `FF`, has more than 3 bytes, or starts its number with zero bits.
    #[error("byte {at}: not a tag of 1 to 3 bytes")]
    Tag {
        /// Where the tag starts.
        at: usize,
    },
    /// The length is indefinite, has more than 2 bytes after its first, or more of them than it needs.
    #[error("byte {at}: not a definite length below 65536 in its shortest form")]
    Length {
        /// Where the length starts.
        at: usize,
    },
}

impl Tag {
    /// Takes the tag from its bytes.
    ///
    /// # Errors
    /// Returns [`TlvError::Tag`] if `bytes` are no tag, or more than one.
    pub fn new(bytes: &[u8]) -> Result<Self, TlvError> {
        let mut reader = Reader { bytes, at: 0 };
        let tag = reader.tag().map_err(|_| TlvError::Tag { at: 0 })?;
        if reader.at == bytes.len() { Ok(tag) } else { Err(TlvError::Tag { at: 0 }) }
    }

    /// Tells whether the value is a sequence of TLVs itself.
    pub fn is_constructed(self) -> bool {
        self.bytes().next().is_some_and(|first| first & 0x20 != 0)
    }

    /// Returns the bytes sent.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        self.0.to_be_bytes().into_iter().skip_while(|&byte| byte == 0)
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tag({self})")
    }
}

/// Tag, offset of the value in the sequence, and value.
pub(crate) type Placed<'a> = (Tag, usize, &'a [u8]);

/// Reads the TLVs of `bytes`, all of them, without looking into constructed values.
///
/// Only the shortest form of each tag and length is accepted, so that [`push`] gives the same bytes again. No fill is
/// skipped.
pub(crate) fn read(bytes: &[u8]) -> impl Iterator<Item = Result<Placed<'_>, TlvError>> {
    let mut reader = Reader { bytes, at: 0 };
    core::iter::from_fn(move || {
        if reader.rest().is_empty() {
            return None;
        }
        let read = reader.tlv();
        if read.is_err() {
            reader.at = reader.bytes.len();
        }
        Some(read)
    })
}

/// Appends a TLV; `false` and nothing appended if `value` is of 65536 bytes or more.
#[must_use]
pub(crate) fn push(tag: Tag, value: &[u8], out: &mut Vec<u8>) -> bool {
    let Ok(len) = u16::try_from(value.len()) else { return false };
    let [high, low] = len.to_be_bytes();
    out.extend(tag.bytes());
    match len {
        0..=0x7F => out.push(low),
        0x80..=0xFF => out.extend([0x81, low]),
        _ => out.extend([0x82, high, low]),
    }
    out.extend_from_slice(value);
    true
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn byte(&mut self) -> Result<u8, TlvError> {
        let byte = *self.rest().first().ok_or(TlvError::Truncated { at: self.at })?;
        self.at += 1;
        Ok(byte)
    }

    fn tag(&mut self) -> Result<Tag, TlvError> {
        let at = self.at;
        let first = self.byte()?;
        if matches!(first, 0x00 | 0xFF) {
            return Err(TlvError::Tag { at });
        }
        let mut tag = u32::from(first);
        if first & 0x1F == 0x1F {
            let second = self.byte()?;
            // A leading group of zero bits; EMV has numbers below 31 here, such as 9F02, so these are accepted.
            if second == 0x80 {
                return Err(TlvError::Tag { at });
            }
            tag = tag << 8 | u32::from(second);
            if second & 0x80 != 0 {
                let third = self.byte()?;
                if third & 0x80 != 0 {
                    return Err(TlvError::Tag { at });
                }
                tag = tag << 8 | u32::from(third);
            }
        }
        Ok(Tag(tag))
    }

    fn len(&mut self) -> Result<usize, TlvError> {
        let at = self.at;
        let (len, least) = match self.byte()? {
            short @ 0..=0x7F => (short.into(), 0),
            0x81 => (usize::from(self.byte()?), 0x80),
            0x82 => (usize::from(u16::from_be_bytes([self.byte()?, self.byte()?])), 0x100),
            _ => return Err(TlvError::Length { at }),
        };
        if len < least { Err(TlvError::Length { at }) } else { Ok(len) }
    }

    fn tlv(&mut self) -> Result<Placed<'a>, TlvError> {
        let tag = self.tag()?;
        let len = self.len()?;
        let at = self.at;
        let value = self.rest().get(..len).ok_or(TlvError::Truncated { at: self.bytes.len() })?;
        self.at += len;
        Ok((tag, at, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Result<Vec<Placed<'_>>, TlvError> {
        read(bytes).collect()
    }

    #[test]
    fn tlvs_are_read_with_their_places_and_come_back() {
        let mut bytes = b"\x9A\x03\x26\x11\x22\x9F\x02\x02\x05\x01\xDF\x81\x01\x00\x70\x81\x80".to_vec();
        bytes.extend([7; 0x80]);
        bytes.extend(b"\x81\x82\x01\x00");
        bytes.extend([8; 0x100]);
        let found = all(&bytes).unwrap();
        let tags: Vec<_> = found.iter().map(|(tag, at, value)| (tag.0, *at, value.len())).collect();
        assert_eq!(
            tags,
            [(0x9A, 2, 3), (0x9F02, 8, 2), (0xDF_8101, 14, 0), (0x70, 17, 128), (0x81, 149, 256)]
        );
        assert!(found[3].0.is_constructed() && !found[1].0.is_constructed());
        let mut again = Vec::new();
        assert!(found.iter().all(|(tag, _, value)| push(*tag, value, &mut again)));
        assert_eq!(again, bytes);
    }

    #[test]
    fn longer_forms_and_bytes_that_are_no_tag_are_refused() {
        for (bytes, expected) in [
            (&b"\x00"[..], TlvError::Tag { at: 0 }),
            (b"\x9A\x00\xFF\x00", TlvError::Tag { at: 2 }),
            (b"\x9F\x80\x01\x00", TlvError::Tag { at: 0 }),
            (b"\x9F\x81\x80\x01\x00", TlvError::Tag { at: 0 }),
            (b"\x9A\x80\x00\x00", TlvError::Length { at: 1 }),
            (b"\x9A\x81\x7F", TlvError::Length { at: 1 }),
            (b"\x9A\x82\x00\xFF", TlvError::Length { at: 1 }),
            (b"\x9A\x83\x00\x00\x00", TlvError::Length { at: 1 }),
            (b"\x9A\x02\x00", TlvError::Truncated { at: 3 }),
            (b"\x9A", TlvError::Truncated { at: 1 }),
            (b"\x9F", TlvError::Truncated { at: 1 }),
        ] {
            assert_eq!(all(bytes).unwrap_err(), expected, "{bytes:02X?}");
        }
    }

    #[test]
    fn value_that_no_length_can_count_is_not_written() {
        let mut out = Vec::new();
        assert!(!push(Tag(0x9A), &alloc::vec![0; 0x1_0000], &mut out));
        assert!(out.is_empty());
        assert!(push(Tag(0x9A), &alloc::vec![0; 0xFFFF], &mut out));
        assert!(all(&out).is_ok());
    }

    #[test]
    fn tag_is_exactly_its_bytes() {
        assert_eq!(alloc::format!("{}", Tag::new(&[0x9F, 0x02]).unwrap()), "9F02");
        for bytes in [&b""[..], b"\x9F", b"\x9A\x00", b"\x00"] {
            assert_eq!(Tag::new(bytes), Err(TlvError::Tag { at: 0 }));
        }
    }
}
