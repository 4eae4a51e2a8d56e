#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(feature = "alloc")]
extern crate alloc;

pub mod block;
mod code;
pub mod cohort;
pub mod emv;
mod factor;
pub mod gp;
mod known_keys;
mod level;
mod name;
mod pair;
pub mod pboc;
pub mod profile;
pub mod sm4;
pub mod transport;
pub mod tree;

pub use crate::code::{CodeLengthError, CodeMismatch};
pub use crate::factor::{Factor, FactorLengthError, NoFactor, PathFactorError};
pub use crate::known_keys::known_test_key;
pub use crate::level::LevelId;
pub use crate::name::{Name, NameError};
pub use crate::pair::TripleLengthKey;
