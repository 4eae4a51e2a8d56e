//! What a field is, and how its length and its value are written.

use alloc::borrow::Cow;

use super::{CodePage, Content, DateFormat, Subfields, message::MASKED_FIELDS};

/// A field as the standard defines it: what it is, what it may hold and how long it may be.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct FieldSpec {
    /// Number of the field, 2 to 128.
    pub number: u8,
    /// Name of the field.
    pub name: Cow<'static, str>,
    /// Which characters it may hold.
    pub content: Content,
    /// How long it may be, in characters, or in bytes for [`Content::B`].
    pub length: Length,
    /// Which date or time it is, if it is one; held against the calendar where the dialect says so.
    pub date: Option<DateFormat>,
    /// Whether it may be shown.
    pub sensitivity: Sensitivity,
    /// How its content is cut into subfields, if it is.
    pub subfields: Option<Subfields>,
}

/// Whether a field may be shown.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Sensitivity {
    /// It may be printed.
    Public,
    /// Its content is replaced by its length; always so for [`MASKED_FIELDS`].
    Masked,
}

impl FieldSpec {
    /// Describes a field that is no date and has no subfields, masked if it is one of [`MASKED_FIELDS`].
    pub const fn new(number: u8, name: &'static str, content: Content, length: Length) -> Self {
        let name = Cow::Borrowed(name);
        let sensitivity = Sensitivity::of(number);
        Self { number, name, content, length, date: None, sensitivity, subfields: None }
    }

    /// The same as a date or time.
    #[must_use]
    pub(super) const fn dated(mut self, format: DateFormat) -> Self {
        self.date = Some(format);
        self
    }

    /// Copies a row of the built-in tables at compile time, where `Clone` cannot run.
    pub(super) const fn constant(&self) -> Self {
        let Cow::Borrowed(name) = &self.name else { panic!("names in tables are borrowed") };
        let Self { number, content, length, date, sensitivity, .. } = *self;
        Self { number, name: Cow::Borrowed(name), content, length, date, sensitivity, subfields: None }
    }
}

impl Sensitivity {
    /// Returns what a field is unless a dialect says more.
    pub(super) const fn of(number: u8) -> Self {
        let mut rest: &[u8] = &MASKED_FIELDS;
        while let [first, others @ ..] = rest {
            if *first == number {
                return Self::Masked;
            }
            rest = others;
        }
        Self::Public
    }
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
    /// EBCDIC digits, `F0` to `F9`: 2 or 3 bytes.
    Ebcdic,
    /// Two decimal digits a byte: 1 byte, or 2 with a leading zero digit.
    Bcd,
    /// Big-endian integer: 1 or 2 bytes.
    Binary,
}

impl LengthCoding {
    /// Returns how many bytes a length of `digits` decimal digits takes.
    pub(crate) const fn encoded_len(self, digits: usize) -> usize {
        match self {
            Self::Ascii | Self::Ebcdic => digits,
            Self::Bcd | Self::Binary => digits.div_ceil(2),
        }
    }
}

/// How the value of a field is written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ValueCoding {
    /// One byte a character.
    Ascii,
    /// One byte a character of EBCDIC.
    Ebcdic(CodePage),
    /// Two digits a byte, the code set of tracks as `30` + digit; for `n` and `z`.
    Bcd(BcdPad),
    /// The first character as a byte, the digits after it as BCD; for `x+n`, and for `n` where zero stands for a sign.
    SignThenBcd(BcdPad),
    /// The bytes themselves; for `b`.
    Raw,
    /// Two upper-case hex digits a byte; for `b`.
    Hex,
    /// Two upper-case hex digits a byte, in EBCDIC; for `b`.
    EbcdicHex,
}

/// What fills the half byte that an odd number of BCD digits leaves.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum BcdPad {
    /// `0` before the digits.
    LeadingZero,
    /// `F` before the digits.
    LeadingF,
    /// `0` after the digits.
    TrailingZero,
    /// `F` after the digits.
    TrailingF,
}

impl BcdPad {
    /// Returns how many half bytes stand before the first of `count` digits.
    pub(crate) const fn lead(self, count: usize) -> usize {
        match self {
            Self::LeadingZero | Self::LeadingF => count % 2,
            Self::TrailingZero | Self::TrailingF => 0,
        }
    }

    /// Returns the half byte that fills.
    pub(crate) const fn nibble(self) -> u8 {
        match self {
            Self::LeadingZero | Self::TrailingZero => 0x0,
            Self::LeadingF | Self::TrailingF => 0xF,
        }
    }
}

impl ValueCoding {
    /// Returns how many bytes a value of `count` characters or bytes takes.
    pub(crate) const fn encoded_len(self, count: usize) -> usize {
        match self {
            Self::Ascii | Self::Ebcdic(_) | Self::Raw => count,
            Self::Bcd(_) => count.div_ceil(2),
            Self::SignThenBcd(_) if count == 0 => 0,
            Self::SignThenBcd(_) => 1 + (count - 1).div_ceil(2),
            Self::Hex | Self::EbcdicHex => 2 * count,
        }
    }

    /// Returns the byte in which character `index` of `count` stands.
    pub(crate) const fn offset_of(self, index: usize, count: usize) -> usize {
        match self {
            Self::Ascii | Self::Ebcdic(_) | Self::Raw => index,
            Self::Bcd(pad) => (index + pad.lead(count)) / 2,
            Self::SignThenBcd(_) if index == 0 => 0,
            Self::SignThenBcd(pad) => 1 + (index - 1 + pad.lead(count - 1)) / 2,
            Self::Hex | Self::EbcdicHex => 2 * index,
        }
    }

    /// Tells whether values of `content` can be written so.
    pub(crate) const fn suits(self, content: Content) -> bool {
        match self {
            Self::Ascii | Self::Ebcdic(_) => !content.is_binary(),
            Self::Bcd(_) => matches!(content, Content::N | Content::Z),
            Self::SignThenBcd(_) => matches!(content, Content::N | Content::XN),
            Self::Raw | Self::Hex | Self::EbcdicHex => content.is_binary(),
        }
    }
}

/// A field of a dialect: what it is and how it is written.
#[derive(Clone, Debug, Eq, PartialEq)]
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
        use BcdPad::{LeadingF, LeadingZero, TrailingF, TrailingZero};
        for (coding, count, offsets, len) in [
            (ValueCoding::Ascii, 3, &[0, 1, 2][..], 3),
            (ValueCoding::Raw, 3, &[0, 1, 2], 3),
            (ValueCoding::Ebcdic(CodePage::Cp037), 3, &[0, 1, 2], 3),
            (ValueCoding::Hex, 3, &[0, 2, 4], 6),
            (ValueCoding::EbcdicHex, 3, &[0, 2, 4], 6),
            (ValueCoding::Bcd(LeadingZero), 4, &[0, 0, 1, 1], 2),
            (ValueCoding::Bcd(LeadingZero), 5, &[0, 1, 1, 2, 2], 3),
            (ValueCoding::Bcd(LeadingF), 5, &[0, 1, 1, 2, 2], 3),
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
