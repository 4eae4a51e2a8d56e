#![doc = include_str!("../README.md")]
#![no_std]

mod factor;
pub mod pboc;

pub use crate::factor::{Factor, FactorLengthError};
