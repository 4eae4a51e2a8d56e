#![doc = include_str!("../README.md")]
#![no_std]

mod factor;
mod level;
mod name;
pub mod pboc;
pub mod profile;
pub mod tree;

pub use crate::factor::{Factor, FactorLengthError};
pub use crate::level::LevelId;
pub use crate::name::{Name, NameError};
