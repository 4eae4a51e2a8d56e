//! The paddings of ISO/IEC 9797-1.

use block_padding::array::Array;
use block_padding::{Iso7816, Padding as _, ZeroPadding};
use cipher::consts::U8;

use crate::BLOCK_LEN;

/// How data is brought to whole blocks before it is encrypted.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Padding {
    /// None: the data must be whole blocks already.
    None,
    /// ISO 9797-1 method 1: zeros up to a whole block, one zero block for empty data. Can't be taken off again,
    /// since nothing tells padding from data.
    #[doc(alias = "method 1")]
    Zeros,
    /// ISO 9797-1 method 2: one byte `80`, then zeros up to a whole block. Always adds at least one byte.
    #[doc(alias = "method 2")]
    #[doc(alias = "ISO 7816-4")]
    OneAndZeros,
    /// ISO 9797-1 method 3: one block with the data's length in bits, then the data as under method 1.
    #[doc(alias = "method 3")]
    LengthFirst,
}

/// Data or buffer of a length that the padding does not allow.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PaddingError {
    /// The data is not a whole number of blocks and no padding was asked for.
    #[error("data of {found} bytes is not a whole number of 8-byte blocks")]
    NotWholeBlocks {
        /** Bytes supplied. */
        found: usize,
    },
    /// The length is more than data in memory can have.
    #[error("data of {found} bytes can't be in memory")]
    TooLong {
        /** Bytes named. */
        found: usize,
    },
    /// The output buffer is too short.
    #[error("the output buffer takes {found} bytes, {needed} are needed")]
    Buffer {
        /** Bytes needed. */
        needed: usize,
        /** Bytes supplied. */
        found: usize,
    },
    /// The padding can't be taken off: use [`Padding::None`] and know the length by other means.
    #[error("zero padding can't be told from data")]
    Ambiguous,
    /// The padding is not what it must be. Opaque: nothing says where it failed.
    #[error(transparent)]
    Invalid(#[from] InvalidPadding),
}

/// The decrypted padding is malformed. Opaque on purpose: detail would make a padding oracle.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("invalid padding")]
pub struct InvalidPadding;

impl Padding {
    /// Length in bytes of `len` bytes of data once padded.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`] where no padding was asked for but is needed,
    /// [`PaddingError::TooLong`] for a length that no data in memory has.
    pub const fn padded_len(self, len: usize) -> Result<usize, PaddingError> {
        // No slice is longer than half the address space, and up to there the sums below fit.
        if len > usize::MAX / 2 {
            return Err(PaddingError::TooLong { found: len });
        }
        let whole = len.next_multiple_of(BLOCK_LEN);
        match self {
            Self::None if whole == len => Ok(len),
            Self::None => Err(PaddingError::NotWholeBlocks { found: len }),
            Self::Zeros if len == 0 => Ok(BLOCK_LEN),
            Self::Zeros => Ok(whole),
            Self::OneAndZeros => Ok((len + 1).next_multiple_of(BLOCK_LEN)),
            Self::LengthFirst if len == 0 => Ok(2 * BLOCK_LEN),
            Self::LengthFirst => Ok(BLOCK_LEN + whole),
        }
    }

    /// Writes `data` with its padding to the start of `out` and returns the part written.
    ///
    /// # Errors
    /// Returns [`PaddingError::NotWholeBlocks`] or [`PaddingError::Buffer`].
    pub fn pad_into(self, data: &[u8], out: &mut [u8]) -> Result<usize, PaddingError> {
        let needed = self.padded_len(data.len())?;
        let found = out.len();
        let out = out.get_mut(..needed).ok_or(PaddingError::Buffer { needed, found })?;
        let body = match (self, out.split_first_chunk_mut::<BLOCK_LEN>()) {
            (Self::LengthFirst, Some((length, body))) => {
                *length = length_block(data.len() as u64);
                body
            }
            _ => out,
        };
        body.split_at_mut(data.len()).0.copy_from_slice(data);
        match self {
            Self::OneAndZeros => Iso7816::raw_pad(body, data.len()),
            Self::None | Self::Zeros | Self::LengthFirst => ZeroPadding::raw_pad(body, data.len()),
        }
        Ok(needed)
    }

    /// Returns the data within `padded`.
    ///
    /// # Errors
    /// Returns [`PaddingError::Ambiguous`] for [`Padding::Zeros`], [`PaddingError::Invalid`] for malformed padding,
    /// [`PaddingError::NotWholeBlocks`] if `padded` is not whole blocks.
    pub fn strip(self, padded: &[u8]) -> Result<&[u8], PaddingError> {
        if !padded.len().is_multiple_of(BLOCK_LEN) {
            return Err(PaddingError::NotWholeBlocks { found: padded.len() });
        }
        match self {
            Self::None => Ok(padded),
            Self::Zeros => Err(PaddingError::Ambiguous),
            Self::OneAndZeros => Ok(strip_one_and_zeros(padded)?),
            Self::LengthFirst => Ok(strip_length_first(padded)?),
        }
    }
}

/// The first block of padding method 3: the length in bits, right-justified.
pub(crate) fn length_block(bytes: u64) -> [u8; BLOCK_LEN] {
    // No message reaches 2^61 bytes; a MAC that announces more never gets them and ends in an error.
    bytes.wrapping_mul(8).to_be_bytes()
}

/// The mark is in the last block: a whole block of padding zeros behind it is refused.
fn strip_one_and_zeros(padded: &[u8]) -> Result<&[u8], InvalidPadding> {
    let (blocks, _) = Array::slice_as_chunks(padded);
    Iso7816::unpad_blocks::<U8>(blocks).map_err(|_| InvalidPadding)
}

fn strip_length_first(padded: &[u8]) -> Result<&[u8], InvalidPadding> {
    let (length, body) = padded.split_first_chunk::<BLOCK_LEN>().ok_or(InvalidPadding)?;
    let bits = u64::from_be_bytes(*length);
    let len = usize::try_from(bits / 8).map_err(|_| InvalidPadding)?;
    let (data, fill) = body.split_at_checked(len).ok_or(InvalidPadding)?;
    let fills_the_last_block = Padding::Zeros.padded_len(len) == Ok(body.len());
    let zeros = fill.iter().fold(0, |all, byte| all | byte) == 0;
    if bits % 8 == 0 && fills_the_last_block && zeros { Ok(data) } else { Err(InvalidPadding) }
}
