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

    /// Block `index`.
    pub(super) fn block(self, index: usize) -> [u8; 8] {
        let (padding, rest) = self.rest(index);
        if let MacPadding::LengthFirst { message_len } = padding {
            return length_block(message_len);
        }
        if let Some(block) = rest.first_chunk() {
            return *block;
        }
        let mut block = [0; 8];
        let mark = (padding == MacPadding::OneAndZeros).then_some(&0x80);
        for (byte, value) in block.iter_mut().zip(rest.iter().chain(mark)) {
            *byte = *value;
        }
        block
    }

    /// The bytes from block `index` on, and the padding that they still need.
    pub(super) fn rest(self, index: usize) -> (MacPadding, &'a [u8]) {
        let (padding, skipped) = match self.padding {
            Padding::LengthFirst if index == 0 => {
                (MacPadding::LengthFirst { message_len: self.bytes.len() as u64 }, 0)
            }
            // Behind the length block there are zeros to fill up with, and no second length.
            Padding::LengthFirst => (MacPadding::Zeros, 8 * (index - 1)),
            Padding::None | Padding::Zeros => (MacPadding::Zeros, 8 * index),
            Padding::OneAndZeros => (MacPadding::OneAndZeros, 8 * index),
        };
        (padding, self.bytes.get(skipped..).unwrap_or_default())
    }
}
