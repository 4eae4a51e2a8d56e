//! Bytes to message. Strict: what is accepted is exactly what encoding the message gives.

use alloc::vec::Vec;

use super::{
    BcdPad, Bitmap, BitmapCoding, CodePage, DecodeError, DecodeReason, Dialect, Field, Length, LengthCoding,
};
use super::{Message, Mti, MtiCoding, Part, ValueCoding, dialect::ValueFault, store::Store};

impl Message {
    /// Decodes a message, all of `bytes`.
    ///
    /// `MTI || bitmap [|| secondary bitmap] || fields in ascending order`.
    ///
    /// Whatever `bytes` are, the answer is a message or an error; it takes memory of the order of `bytes`. Encoding the
    /// message in the same dialect gives `bytes` again.
    ///
    /// # Errors
    /// Returns [`DecodeError`] with the part, the offset and the reason, never with content.
    pub fn decode(dialect: &Dialect, bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut reader = Reader { bytes, at: 0, part: Part::Mti };
        let mti = reader.mti(dialect)?;
        reader.part = Part::Bitmap;
        let bitmap = reader.bitmap(dialect.bitmap())?;
        // A field takes a byte at least, so the bitmap alone reserves nothing.
        let left = reader.rest().len();
        let mut store = Store::with_capacity(bitmap.count().min(left), left);
        for number in bitmap.fields() {
            reader.part = Part::Field(number);
            let Some(field) = dialect.field(number) else {
                return Err(reader.error(reader.at, DecodeReason::NotInDialect));
            };
            reader.field(dialect, field, &mut store)?;
        }
        reader.part = Part::End;
        match reader.rest().len() {
            0 => Ok(Self::with_store(mti, store)),
            count => Err(reader.error(reader.at, DecodeReason::Leftover { count })),
        }
    }
}

/// Cursor over a message.
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    part: Part,
}

impl<'a> Reader<'a> {
    const fn error(&self, offset: usize, reason: DecodeReason) -> DecodeError {
        DecodeError { part: self.part, offset, reason }
    }

    fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        let Some(taken) = rest.get(..count) else {
            let missing = count - rest.len();
            return Err(self.error(self.bytes.len(), DecodeReason::Truncated { missing }));
        };
        self.at += count;
        Ok(taken)
    }

    fn mti(&mut self, dialect: &Dialect) -> Result<Mti, DecodeError> {
        let mut digits = [0; 4];
        match dialect.mti() {
            MtiCoding::Ascii | MtiCoding::Ebcdic => {
                let zero = if dialect.mti() == MtiCoding::Ascii { b'0' } else { EBCDIC_ZERO };
                for (digit, &c) in digits.iter_mut().zip(self.take(4)?) {
                    *digit = c.wrapping_sub(zero);
                }
            }
            MtiCoding::Bcd => {
                for (pair, &byte) in digits.chunks_exact_mut(2).zip(self.take(2)?) {
                    pair.copy_from_slice(&[byte >> 4, byte & 0xF]);
                }
            }
        }
        let mti = Mti::from_digits(digits).map_err(|_| {
            let wrong = digits.iter().position(|&digit| digit > 9).unwrap_or(0);
            let offset = if dialect.mti() == MtiCoding::Bcd { wrong / 2 } else { wrong };
            self.error(offset, DecodeReason::Digit)
        })?;
        let (expected, found) = (dialect.version(), mti.version());
        if expected == found {
            Ok(mti)
        } else {
            Err(self.error(0, DecodeReason::Version { expected, found }))
        }
    }

    fn bitmap(&mut self, coding: BitmapCoding) -> Result<Bitmap, DecodeError> {
        let primary = self.word(coding)?;
        let start = self.at;
        let secondary = if primary >> 63 == 1 { Some(self.word(coding)?) } else { None };
        Bitmap::from_words(primary, secondary).map_err(|why| self.error(start, why.into()))
    }

    fn word(&mut self, coding: BitmapCoding) -> Result<u64, DecodeError> {
        let mut word = 0u64;
        match coding {
            BitmapCoding::Binary => {
                for &byte in self.take(8)? {
                    word = word << 8 | u64::from(byte);
                }
            }
            BitmapCoding::Hex | BitmapCoding::EbcdicHex => {
                let start = self.at;
                for (index, &c) in self.take(16)?.iter().enumerate() {
                    let c = if coding == BitmapCoding::Hex { c } else { CodePage::Cp037.decode(c) };
                    let digit = hex_digit(c).ok_or(self.error(start + index, DecodeReason::HexDigit))?;
                    word = word << 4 | u64::from(digit);
                }
            }
        }
        Ok(word)
    }

    fn field(&mut self, dialect: &Dialect, field: &Field, store: &mut Store) -> Result<(), DecodeError> {
        let count = self.count(field)?;
        let start = self.at;
        let coding = field.coding.value;
        let encoded = self.take(coding.encoded_len(count))?;
        let content = field.spec.content;
        let wrong = |offset, reason| self.error(start + offset, reason);
        store.append(field.spec.number, content.kind(), field.spec.sensitivity, count, |data| {
            let before = data.len();
            unpack(coding, count, encoded, data).map_err(|(offset, reason)| wrong(offset, reason))?;
            let value = data.get(before..).unwrap_or_default();
            dialect.check_value(&field.spec, value).map_err(|(index, fault)| {
                let reason = match fault {
                    ValueFault::Character => DecodeReason::Character(content),
                    ValueFault::Date(format) => DecodeReason::Date(format),
                };
                wrong(coding.offset_of(index, count), reason)
            })
        })
    }

    /// Reads how many characters or bytes the value has.
    fn count(&mut self, field: &Field) -> Result<usize, DecodeError> {
        let max = usize::from(field.spec.length.max());
        if matches!(field.spec.length, Length::Fixed(_)) {
            return Ok(max);
        }
        let start = self.at;
        let coding = field.coding.length;
        let prefix = self.take(coding.encoded_len(field.spec.length.prefix_digits()))?;
        let mut found = 0;
        for (index, &byte) in prefix.iter().enumerate() {
            let (base, value) = match coding {
                LengthCoding::Ascii => (10, digit(byte.wrapping_sub(b'0'))),
                LengthCoding::Ebcdic => (10, digit(byte.wrapping_sub(EBCDIC_ZERO))),
                LengthCoding::Bcd => (100, digit(byte >> 4).zip(digit(byte & 0xF)).map(|(h, l)| 10 * h + l)),
                LengthCoding::Binary => (256, Some(byte)),
            };
            let value = value.ok_or(self.error(start + index, DecodeReason::Digit))?;
            found = base * found + usize::from(value);
        }
        if found > max { Err(self.error(start, DecodeReason::TooLong { max, found })) } else { Ok(found) }
    }
}

/// Where in the encoded value something is wrong, and what.
type Wrong = (usize, DecodeReason);

/// Appends the `count` characters or bytes that `encoded` stands for; class is not checked here.
fn unpack(coding: ValueCoding, count: usize, encoded: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    match coding {
        ValueCoding::Ascii | ValueCoding::Raw => out.extend_from_slice(encoded),
        ValueCoding::Ebcdic(page) => out.extend(encoded.iter().map(|&byte| page.decode(byte))),
        ValueCoding::Bcd(pad) => unpack_bcd(pad, count, encoded, out)?,
        ValueCoding::SignThenBcd(pad) => {
            if let Some((&sign, digits)) = encoded.split_first() {
                out.push(sign);
                unpack_bcd(pad, count - 1, digits, out).map_err(|(offset, reason)| (offset + 1, reason))?;
            }
        }
        ValueCoding::Hex | ValueCoding::EbcdicHex => {
            for (index, pair) in encoded.chunks_exact(2).enumerate() {
                let mut byte = 0;
                for (half, &c) in pair.iter().enumerate() {
                    let c = if coding == ValueCoding::Hex { c } else { CodePage::Cp037.decode(c) };
                    byte = byte << 4 | hex_digit(c).ok_or((2 * index + half, DecodeReason::HexDigit))?;
                }
                out.push(byte);
            }
        }
    }
    Ok(())
}

/// Appends the `count` digits of `encoded` as `30` + half byte; `A`-`F` become `:;<=>?`, which only `z` allows.
fn unpack_bcd(pad: BcdPad, count: usize, encoded: &[u8], out: &mut Vec<u8>) -> Result<(), Wrong> {
    let lead = pad.lead(count);
    let halves = encoded.iter().flat_map(|&byte| [byte >> 4, byte & 0xF]);
    for (index, half) in halves.enumerate() {
        if (lead..lead + count).contains(&index) {
            out.push(b'0' | half);
        } else if half != pad.nibble() {
            return Err((index / 2, DecodeReason::Fill));
        }
    }
    Ok(())
}

/// Digits and letters are the same in both code pages.
pub(super) const EBCDIC_ZERO: u8 = 0xF0;

const fn digit(value: u8) -> Option<u8> {
    if value <= 9 { Some(value) } else { None }
}

const fn hex_digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}
