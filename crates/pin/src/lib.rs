#![doc = include_str!("../README.md")]
#![no_std]

mod block;
mod bytes;
mod digits;
mod encipher;
mod field;
mod fill;
mod format;
mod iso4;
mod nibbles;
mod pan;
mod pin;
pub mod translation;

pub use block::{CardPinBlock, ClearPinBlock};
pub use digits::DigitsError;
pub use encipher::{
    BlockLengthError, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock,
};
pub use field::InvalidPinBlock;
pub use fill::InvalidFill;
pub use format::{PinBlockFormat, UnknownPinBlockFormat};
pub use iso4::{Iso4PanField, Iso4PinField};
pub use pan::{Pan, WrongCheckDigit};
pub use pin::Pin;
