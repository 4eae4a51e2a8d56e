#![doc = include_str!("../README.md")]
#![no_std]

mod cmac;
mod key;
mod key_type;
mod modes;
#[cfg(feature = "siv")]
mod storage_key;

pub use tdea::{Kcv, KcvError, KcvMethod, MacMismatch};

pub use crate::cmac::{Cmac, Mac};
pub use crate::key::{AesKey, AesKeyLength, KeyLengthError};
pub use crate::modes::NotWholeBlocks;
#[cfg(feature = "siv")]
pub use crate::storage_key::{NotSealed, StorageKey, StorageKeyLengthError};

/// Length of an AES block, in bytes.
pub const BLOCK_LEN: usize = 16;
