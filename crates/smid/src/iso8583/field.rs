//! What a field is, and how its length and its value are written.

use super::Content;

/// A field as the standard defines it: what it is, what it may hold and how long it may be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FieldSpec {
    /// Number of the field, 2 to 128.
    pub number: u8,
    /// Name of the field.
    pub name: &'static str,
    /// Which characters it may hold.
    pub content: Content,
    /// How long it may be, in characters, or in bytes for [`Content::B`].
    pub length: Length,
}

/// How long a field may be, in characters, or in bytes for [`Content::B`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Length {
    /// Always this long; no length is sent.
    Fixed(u16),
    /// Up to this long (at most 99), after a length of two digits.
    LlVar(u16),
    /// Up to this long (at most 999), after a length of three digits.
    LllVar(u16),
}

impl Length {
    /// Returns the greatest length.
    pub const fn max(self) -> u16 {
        match self {
            Self::Fixed(max) | Self::LlVar(max) | Self::LllVar(max) => max,
        }
    }

    /// Returns how many decimal digits the length that is sent has.
    pub const fn prefix_digits(self) -> usize {
        match self {
            Self::Fixed(_) => 0,
            Self::LlVar(_) => 2,
            Self::LllVar(_) => 3,
        }
    }
}

/// How a field is written: its length and its value, two independent settings.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Coding {
    /// How the length is written; of no effect on fields of fixed length.
    pub length: LengthCoding,
    /// How the value is written.
    pub value: ValueCoding,
}

/// How the length of a variable field is written. It always counts characters (digits, if the value is BCD), or bytes
/// of a binary value.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LengthCoding {
    /// ASCII digits: 2 or 3 bytes.
    Ascii,
    /// Two decimal digits a byte: 1 byte, or 2 with a leading zero digit.
    Bcd,
    /// Big-endian integer: 1 or 2 bytes.
    Binary,
}

impl LengthCoding {
    /// Returns how many bytes a length of `digits` decimal digits takes.
    pub(crate) const fn encoded_len(self, digits: usize) -> usize {
        match self {
            Self::Ascii => digits,
            Self::Bcd | Self::Binary => digits.div_ceil(2),
        }
    }
}

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ValueCoding {
    /// One byte a character.
    Ascii,
    /// Two digits a byte, the code set of tracks as `30` + digit; for `n` and `z`.
    Bcd(BcdPad),
    /// The first character as a byte, the digits after it as BCD; for `x+n`, and for `n` where zero stands for a sign.
    SignThenBcd(BcdPad),
    /// The bytes themselves; for `b`.
    Raw,
    /// Two upper-case hex digits a byte; for `b`.
    Hex,
}

/// What fills the half byte that an odd number of BCD digits leaves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BcdPad {
    /// `0` before the digits.
    LeadingZero,
    /// `0` after the digits.
    TrailingZero,
    /// `F` after the digits.
    TrailingF,
}

impl BcdPad {
    /// Returns how many half bytes stand before the first of `count` digits.
    pub(crate) const fn lead(self, count: usize) -> usize {
        match self {
            Self::LeadingZero => count % 2,
            Self::TrailingZero | Self::TrailingF => 0,
        }
    }

    /// Returns the half byte that fills.
    pub(crate) const fn nibble(self) -> u8 {
        match self {
            Self::LeadingZero | Self::TrailingZero => 0x0,
            Self::TrailingF => 0xF,
        }
    }
}

impl ValueCoding {
    /// Returns how many bytes a value of `count` characters or bytes takes.
    pub(crate) const fn encoded_len(self, count: usize) -> usize {
        match self {
            Self::Ascii | Self::Raw => count,
            Self::Bcd(_) => count.div_ceil(2),
            Self::SignThenBcd(_) if count == 0 => 0,
            Self::SignThenBcd(_) => 1 + (count - 1).div_ceil(2),
            Self::Hex => 2 * count,
        }
    }

    /// Returns the byte in which character `index` of `count` stands.
    pub(crate) const fn offset_of(self, index: usize, count: usize) -> usize {
        match self {
            Self::Ascii | Self::Raw => index,
            Self::Bcd(pad) => (index + pad.lead(count)) / 2,
            Self::SignThenBcd(_) if index == 0 => 0,
            Self::SignThenBcd(pad) => 1 + (index - 1 + pad.lead(count - 1)) / 2,
            Self::Hex => 2 * index,
        }
    }

    /// Tells whether values of `content` can be written so.
    pub(crate) const fn suits(self, content: Content) -> bool {
        match self {
            Self::Ascii => !content.is_binary(),
            Self::Bcd(_) => matches!(content, Content::N | Content::Z),
            Self::SignThenBcd(_) => matches!(content, Content::N | Content::XN),
            Self::Raw | Self::Hex => content.is_binary(),
        }
    }
}

/// A field of a dialect: what it is and how it is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Field {
    /// What it is.
    pub spec: FieldSpec,
    /// How it is written.
    pub coding: Coding,
}

impl Field {
    /// Returns how many bytes a value of `count` characters or bytes takes, its length included.
    pub(crate) const fn encoded_len(&self, count: usize) -> usize {
        let prefix = self.coding.length.encoded_len(self.spec.length.prefix_digits());
        prefix + self.coding.value.encoded_len(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Where each of `count` characters stands, and how many bytes they take.
    fn places(coding: ValueCoding, count: usize) -> (Vec<usize>, usize) {
        ((0..count).map(|index| coding.offset_of(index, count)).collect(), coding.encoded_len(count))
    }

    #[test]
    fn characters_stand_where_their_coding_puts_them() {
        use BcdPad::{LeadingZero, TrailingF, TrailingZero};
        for (coding, count, offsets, len) in [
            (ValueCoding::Ascii, 3, &[0, 1, 2][..], 3),
            (ValueCoding::Raw, 3, &[0, 1, 2], 3),
            (ValueCoding::Hex, 3, &[0, 2, 4], 6),
            (ValueCoding::Bcd(LeadingZero), 4, &[0, 0, 1, 1], 2),
            (ValueCoding::Bcd(LeadingZero), 5, &[0, 1, 1, 2, 2], 3),
            (ValueCoding::Bcd(TrailingZero), 5, &[0, 0, 1, 1, 2], 3),
            (ValueCoding::Bcd(TrailingF), 5, &[0, 0, 1, 1, 2], 3),
            (ValueCoding::SignThenBcd(LeadingZero), 0, &[], 0),
            (ValueCoding::SignThenBcd(LeadingZero), 1, &[0], 1),
            (ValueCoding::SignThenBcd(LeadingZero), 6, &[0, 1, 2, 2, 3, 3], 4),
            (ValueCoding::SignThenBcd(TrailingF), 6, &[0, 1, 1, 2, 2, 3], 4),
            (ValueCoding::SignThenBcd(TrailingF), 7, &[0, 1, 1, 2, 2, 3, 3], 4),
        ] {
            assert_eq!(places(coding, count), (offsets.to_vec(), len), "{coding:?} of {count}");
        }
    }
}
