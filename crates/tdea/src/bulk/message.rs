//! Blocks of a padded message, without a copy of it.

use crate::mac::MacPadding;
use crate::padding::{Padding, length_block};

/// A message with its padding. With [`Padding::None`] it is whole blocks, at least one.
#[derive(Clone, Copy)]
pub(super) struct PaddedMessage<'a> {
    pub(super) padding: Padding,
    pub(super) bytes: &'a [u8],
}

impl<'a> PaddedMessage<'a> {
    /// How many blocks it has, padding included.
    pub(super) fn blocks(self) -> usize {
        match self.padding {
            Padding::None => self.bytes.len() / 8,
            Padding::Zeros => self.bytes.len().div_ceil(8).max(1),
            Padding::OneAndZeros => self.bytes.len() / 8 + 1,
            Padding::LengthFirst => self.bytes.len().div_ceil(8).max(1) + 1,
        }
    }

    /// The block that starts at `offset` of the bytes, or the length block.
    #[inline]
    pub(super) fn block(self, offset: Option<usize>) -> [u8; 8] {
        let Some(offset) = offset else {
            return length_block(self.bytes.len() as u64);
        };
        let rest = self.bytes.get(offset..).unwrap_or_default();
        rest.first_chunk().copied().unwrap_or_else(|| self.last_block(rest))
    }

    /// Less than a block, padded.
    fn last_block(self, rest: &[u8]) -> [u8; 8] {
        let mut block = [0; 8];
        let mark = (self.padding == Padding::OneAndZeros).then_some(&0x80);
        for (byte, value) in block.iter_mut().zip(rest.iter().chain(mark)) {
            *byte = *value;
        }
        block
    }

    /// The bytes from block `index` on, and the padding that they still need.
    pub(super) fn rest(self, index: usize) -> (MacPadding, &'a [u8]) {
        let Some(offset) = offset(self.padding, index) else {
            return (MacPadding::LengthFirst { message_len: self.bytes.len() as u64 }, self.bytes);
        };
        let padding = match self.padding {
            Padding::OneAndZeros => MacPadding::OneAndZeros,
            // Behind the length block there are zeros to fill up with, and no second length.
            Padding::None | Padding::Zeros | Padding::LengthFirst => MacPadding::Zeros,
        };
        (padding, self.bytes.get(offset..).unwrap_or_default())
    }
}

/// Where in the bytes of a message block `index` starts; nowhere if it holds the length.
pub(super) const fn offset(padding: Padding, index: usize) -> Option<usize> {
    match padding {
        Padding::LengthFirst if index == 0 => None,
        Padding::LengthFirst => Some(8 * (index - 1)),
        Padding::None | Padding::Zeros | Padding::OneAndZeros => Some(8 * index),
    }
}
