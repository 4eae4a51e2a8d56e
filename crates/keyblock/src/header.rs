//! The header of a key block.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use crate::attributes::{Algorithm, Attributes, Exportability, KeyContext, KeyVersion, ModeOfUse, Usage};
use crate::optional::{BlockId, OptionalBlock, is_printable};
use crate::version::Version;

/// Length of a header without optional blocks, in characters.
pub(crate) const FIXED_LEN: usize = 16;
/// The length of a key block has four digits.
pub(crate) const MAX_LEN: usize = 9999;
/// The number of optional blocks has two digits.
pub(crate) const MAX_OPTIONAL_BLOCKS: usize = 99;

/// Characters that are no key block. Positions are counted from 0.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// Fewer characters than the shortest header.
    #[error("a key block has at least 16 characters, found {found}")]
    TooShort {
        /** Characters supplied. */
        found: usize,
    },
    /// A character that is not printable ASCII.
    #[error("character {position} is not printable ASCII")]
    Character {
        /** Its position. */
        position: usize,
    },
    /// A version that is not A to E.
    #[error("unknown version {:?}", char::from(*.found))]
    Version {
        /** The character found. */
        found: u8,
    },
    /// The length is not four digits.
    #[error("the length of the key block is not four digits")]
    LengthDigits,
    /// The block is longer or shorter than it says.
    #[error("the key block announces {announced} characters, found {found}")]
    Length {
        /** Characters announced. */
        announced: usize,
        /** Characters supplied. */
        found: usize,
    },
    /// A field of the header has a character that it can't have.
    #[error("the header field at position {position} is invalid")]
    Field {
        /** Position of the field. */
        position: usize,
    },
    /// An optional block is cut off, or its identifier or length is invalid.
    #[error("the optional block at position {position} is invalid")]
    OptionalBlock {
        /** Position of the block. */
        position: usize,
    },
    /// Two optional blocks are of the same kind.
    #[error("the optional block at position {position} is of a kind that is there already")]
    Duplicate {
        /** Position of the second block. */
        position: usize,
    },
    /// The header is not whole blocks of the cipher.
    #[error("a header of {len} characters is not a whole number of blocks")]
    HeaderLength {
        /** Length of the header. */
        len: usize,
    },
    /// Fewer characters than a MAC stand behind the header.
    #[error("the MAC is cut off")]
    MacMissing,
    /// The MAC is not hexadecimal.
    #[error("the MAC is not hexadecimal")]
    MacDigits,
    /// The ciphertext is not hexadecimal.
    #[error("the ciphertext is not hexadecimal")]
    CiphertextDigits,
    /// The ciphertext is missing or not whole blocks of the cipher.
    #[error("a ciphertext of {digits} digits is no whole number of blocks")]
    CiphertextLength {
        /** Hexadecimal digits found. */
        digits: usize,
    },
}

/// The header of a key block: what the key is, readable without any key.
///
/// | characters | field |
/// |---|---|
/// | 0 | version |
/// | 1-4 | length of the key block, decimal |
/// | 5-6 | usage |
/// | 7 | algorithm |
/// | 8 | mode of use |
/// | 9-10 | key version |
/// | 11 | exportability |
/// | 12-13 | number of optional blocks, decimal |
/// | 14 | context |
/// | 15 | reserved, `0` |
/// | from 16 | optional blocks |
///
/// # Source
/// ANS X9.143:2021 6.2, table 1.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    /// Version of the block.
    pub version: Version,
    /// What it says of the key.
    pub attributes: Attributes,
    /// Optional blocks in their order, padding among them. No two are of the same kind.
    pub optional_blocks: Vec<OptionalBlock>,
}

impl Header {
    /// The optional block of this kind.
    #[must_use]
    pub fn optional_block(&self, id: BlockId) -> Option<&OptionalBlock> {
        self.optional_blocks.iter().find(|block| block.id() == id)
    }

    /// Reads the header of a whole key block, and where it ends.
    pub(crate) fn decode_prefix(text: &str) -> Result<(Self, usize), DecodeError> {
        let found = text.len();
        let fixed: &[u8; FIXED_LEN] = text.as_bytes().first_chunk().ok_or(DecodeError::TooShort { found })?;
        let [version, a, b, c, d, u0, u1, algorithm, mode, v0, v1, export, n0, n1, context, reserved] =
            *fixed;

        let version = Version::decode(version).ok_or(DecodeError::Version { found: version })?;
        let announced = decimal(&[a, b, c, d]).ok_or(DecodeError::LengthDigits)?;
        if announced != found {
            return Err(DecodeError::Length { announced, found });
        }
        let field = |position| DecodeError::Field { position };
        let attributes = Attributes {
            usage: Usage::try_from([u0, u1]).map_err(|_| field(5))?,
            algorithm: Algorithm::try_from([algorithm]).map_err(|_| field(7))?,
            mode: ModeOfUse::try_from([mode]).map_err(|_| field(8))?,
            key_version: KeyVersion::try_from([v0, v1]).map_err(|_| field(9))?,
            exportability: Exportability::decode(export).ok_or(field(11))?,
            context: KeyContext::decode(context).ok_or(field(14))?,
        };
        let count = decimal(&[n0, n1]).ok_or(field(12))?;
        if reserved != b'0' {
            return Err(field(15));
        }

        let mut header = Self { version, attributes, optional_blocks: Vec::new() };
        let mut position = FIXED_LEN;
        for _ in 0..count {
            let (block, end) = OptionalBlock::decode(text, position)?;
            if header.optional_block(block.id()).is_some() {
                return Err(DecodeError::Duplicate { position });
            }
            header.optional_blocks.push(block);
            position = end;
        }
        if !position.is_multiple_of(version.block_len()) {
            return Err(DecodeError::HeaderLength { len: position });
        }
        Ok((header, position))
    }

    /// Length of the header with `padding` characters more, in characters.
    fn encoded_len(&self) -> usize {
        FIXED_LEN + self.optional_blocks.iter().map(OptionalBlock::encoded_len).sum::<usize>()
    }

    /// Adds the padding block that makes the header whole blocks, if one is needed.
    pub(crate) fn pad(&mut self) {
        let unit = self.version.block_len();
        let len = self.encoded_len();
        if !len.is_multiple_of(unit) {
            let empty = OptionalBlock::written(BlockId::PADDING, String::new());
            let fill = (len + empty.encoded_len()).next_multiple_of(unit) - len - empty.encoded_len();
            self.optional_blocks.push(OptionalBlock::written(BlockId::PADDING, "0".repeat(fill)));
        }
    }

    /// Writes the header of a key block with `rest` characters behind it; nothing if the fields can't hold the numbers.
    pub(crate) fn encode(&self, rest: usize) -> Option<Vec<u8>> {
        let total = self.encoded_len().checked_add(rest).filter(|total| *total <= MAX_LEN)?;
        let count = Some(self.optional_blocks.len()).filter(|count| *count <= MAX_OPTIONAL_BLOCKS)?;
        let Attributes { usage, algorithm, mode, key_version, exportability, context } = self.attributes;

        let mut out = Vec::with_capacity(total);
        out.push(self.version.code());
        out.extend_from_slice(format!("{total:04}").as_bytes());
        out.extend_from_slice(&usage.code());
        out.extend_from_slice(&algorithm.code());
        out.extend_from_slice(&mode.code());
        out.extend_from_slice(&key_version.code());
        out.push(exportability.code());
        out.extend_from_slice(format!("{count:02}").as_bytes());
        out.extend_from_slice(&[context.code(), b'0']);
        self.optional_blocks.iter().for_each(|block| block.encode_into(&mut out));
        Some(out)
    }
}

/// Takes bytes as printable ASCII.
pub(crate) fn printable(text: &[u8]) -> Result<&str, DecodeError> {
    match text.iter().position(|character| !is_printable(*character)) {
        Some(position) => Err(DecodeError::Character { position }),
        None => Ok(str::from_utf8(text).expect("printable ASCII is UTF-8")),
    }
}

/// Reads decimal digits, and nothing else.
fn decimal(digits: &[u8]) -> Option<usize> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + usize::from(digit - b'0')))
}
