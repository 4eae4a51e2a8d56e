#![doc = include_str!("../README.md")]
#![no_std]

mod aes;
mod assembly;
mod combine;
mod component;
mod key;
mod parts;
mod split;

pub use crate::aes::{AesKey, AesKeyLength};
pub use crate::assembly::{ComponentFault, KeyFault};
pub use crate::combine::{CombineError, combine};
pub use crate::component::{AesComponent, KeyComponent, TdeaComponent};
pub use crate::key::{ComponentKey, LengthError, NoParity, Parity};
pub use crate::parts::{Parts, PartsError};
pub use crate::split::{split, split_parts};
