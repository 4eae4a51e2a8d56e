//! Message to bytes.

use alloc::vec::Vec;

use super::{
    BcdPad, Bitmap, BitmapCoding, CodePage, Dialect, EncodeError, LengthCoding, Message, Mti, MtiCoding,
    ValueCoding, decode::EBCDIC_ZERO,
};

/// Message type and both bitmaps in text, in bytes.
const LONGEST_HEADER: usize = 4 + 32;

impl Message {
    /// Encodes the message: `MTI || bitmap [|| secondary bitmap] || fields in ascending order`.
    ///
    /// # Errors
    /// Returns [`EncodeError`] if the message is of another version than `dialect`, or if a value, set for another
    /// dialect, does not fit its field in this one.
    pub fn encode(&self, dialect: &Dialect) -> Result<Vec<u8>, EncodeError> {
        self.encode_values(dialect, self.bitmap(), self.bitmap(), 0)
    }

    /// Encodes the fields of `values` under the bitmap `announced`, with `spare` bytes of capacity behind.
    ///
    /// The buffer never grows, so that no copy of a value stays behind.
    pub(super) fn encode_values(
        &self,
        dialect: &Dialect,
        announced: Bitmap,
        values: Bitmap,
        spare: usize,
    ) -> Result<Vec<u8>, EncodeError> {
        let (expected, found) = (dialect.version(), self.mti().version());
        if expected != found {
            return Err(EncodeError::Version { expected, found });
        }
        let values = || self.store.iter().filter(|(number, ..)| values.contains(*number));
        let mut len = LONGEST_HEADER + spare;
        for (number, kind, value) in values() {
            len += dialect.field_for(number, kind, value)?.encoded_len(value.len());
        }
        let mut out = Vec::with_capacity(len);
        push_mti(dialect.mti(), self.mti(), &mut out);
        push_bitmap(dialect.bitmap(), announced, &mut out);
        for (number, _, value) in values() {
            let field = dialect.field(number).expect("the check found it");
            push_count(field.coding.length, field.spec.length.prefix_digits(), value.len(), &mut out);
            push_value(field.coding.value, value, &mut out);
        }
        Ok(out)
    }
}

fn push_mti(coding: MtiCoding, mti: Mti, out: &mut Vec<u8>) {
    let digits = mti.digits();
    match coding {
        MtiCoding::Ascii => out.extend(digits.map(|digit| b'0' + digit)),
        MtiCoding::Ebcdic => out.extend(digits.map(|digit| EBCDIC_ZERO + digit)),
        MtiCoding::Bcd => out.extend(digits.chunks_exact(2).map(packed)),
    }
}

fn push_bitmap(coding: BitmapCoding, bitmap: Bitmap, out: &mut Vec<u8>) {
    let (primary, secondary) = bitmap.words();
    for word in [Some(primary), secondary].into_iter().flatten() {
        match coding {
            BitmapCoding::Binary => out.extend_from_slice(&word.to_be_bytes()),
            BitmapCoding::Hex => push_hex(&word.to_be_bytes(), out),
            BitmapCoding::EbcdicHex => push_ebcdic_hex(&word.to_be_bytes(), out),
        }
    }
}

/// Appends `count`, which has at most `digits` decimal digits.
fn push_count(coding: LengthCoding, digits: usize, count: usize, out: &mut Vec<u8>) {
    let base = match coding {
        LengthCoding::Ascii | LengthCoding::Ebcdic => 10,
        LengthCoding::Bcd => 100,
        LengthCoding::Binary => 256,
    };
    for place in (0..coding.encoded_len(digits)).rev() {
        let part = (0..place).fold(count, |rest, _| rest / base) % base;
        let part = u8::try_from(part).expect("a remainder of at most 256 is a byte");
        out.push(match coding {
            LengthCoding::Ascii => b'0' + part,
            LengthCoding::Ebcdic => EBCDIC_ZERO + part,
            LengthCoding::Bcd => ((part / 10) << 4) | (part % 10),
            LengthCoding::Binary => part,
        });
    }
}

/// Appends a value that fits its field.
pub(super) fn push_value(coding: ValueCoding, value: &[u8], out: &mut Vec<u8>) {
    match coding {
        ValueCoding::Ascii | ValueCoding::Raw => out.extend_from_slice(value),
        ValueCoding::Ebcdic(page) => out.extend(value.iter().map(|&c| page.encode(c))),
        ValueCoding::Bcd(pad) => push_bcd(pad, value, out),
        ValueCoding::SignThenBcd(pad) => {
            if let Some((&sign, digits)) = value.split_first() {
                out.push(sign);
                push_bcd(pad, digits, out);
            }
        }
        ValueCoding::Hex => push_hex(value, out),
        ValueCoding::EbcdicHex => push_ebcdic_hex(value, out),
    }
}

fn push_bcd(pad: BcdPad, digits: &[u8], out: &mut Vec<u8>) {
    let (first, rest) = digits.split_at(pad.lead(digits.len()));
    out.extend(first.iter().map(|&digit| packed(&[pad.nibble(), digit])));
    let pairs = rest.chunks_exact(2);
    let last = pairs.remainder();
    out.extend(pairs.map(packed));
    out.extend(last.iter().map(|&digit| packed(&[digit, pad.nibble()])));
}

/// Packs the low half bytes of a pair.
fn packed(pair: &[u8]) -> u8 {
    pair.iter().fold(0, |byte, half| byte << 4 | half & 0xF)
}

fn push_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.extend([byte >> 4, byte & 0xF].map(hex_digit));
    }
}

fn push_ebcdic_hex(bytes: &[u8], out: &mut Vec<u8>) {
    for byte in bytes {
        out.extend([byte >> 4, byte & 0xF].map(|half| CodePage::Cp037.encode(hex_digit(half))));
    }
}

const fn hex_digit(half: u8) -> u8 {
    if half < 10 { b'0' + half } else { b'A' + half - 10 }
}
