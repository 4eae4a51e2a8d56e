#![doc = include_str!("../README.md")]
#![no_std]

mod cmac;
mod key;
mod key_type;
mod modes;

pub use tdea::{Kcv, KcvError, KcvMethod};

pub use crate::cmac::{Cmac, Mac, MacMismatch};
pub use crate::key::{AesKey, AesKeyLength, KeyLengthError};
pub use crate::modes::NotWholeBlocks;

/// Length of an AES block, in bytes.
pub const BLOCK_LEN: usize = 16;
