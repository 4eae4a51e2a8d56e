#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

mod backend;
pub mod bulk;
mod cipher;
mod cmac;
#[cfg(feature = "hazmat")]
pub mod hazmat;
mod kcv;
mod key;
mod key_type;
mod mac;
mod modes;
#[cfg_attr(cardroot_des, allow(dead_code, reason = "the crate `des` stands in for it"))]
mod oneblock;
mod padding;
mod parity;
#[cfg(feature = "alloc")]
mod plaintext;
mod schedule;
mod strength;

pub use crate::backend::{Backend, BackendUnavailable};
pub use crate::cipher::Tdea;
pub use crate::cmac::Cmac;
pub use crate::kcv::{Kcv, KcvError, KcvMethod, KcvMismatch};
pub use crate::key::{KeyError, KeyLength, TdeaKey};
pub use crate::mac::{CbcMac, Mac, MacError, MacMismatch, MacPadding, RetailMac};
pub use crate::modes::Mode;
pub use crate::padding::{InvalidPadding, Padding, PaddingError};
#[cfg(feature = "alloc")]
pub use crate::plaintext::Plaintext;
pub use crate::strength::StrengthError;

/// Length of a TDEA block, in bytes.
pub const BLOCK_LEN: usize = 8;

#[cfg(test)]
mod wiping {
    /// Compiles only for a value that wipes itself when it is dropped.
    pub(crate) fn is_wiped_on_drop(_: &impl zeroize::ZeroizeOnDrop) {}
}
