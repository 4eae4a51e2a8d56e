#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod aes_keys;
mod attributes;
mod binding;
mod block;
mod block_key;
mod check_value;
#[cfg(feature = "csm")]
pub mod csm;
#[cfg(feature = "hazmat")]
pub mod hazmat;
mod header;
mod kbpk;
pub mod methods;
mod optional;
mod payload;
mod strength;
pub mod tdea_keys;
mod unwrapped;
mod version;
mod wrap;

pub use {aeskey, components, pin, tdea};

#[cfg(feature = "csm")]
pub use smid;

pub use crate::attributes::{
    Algorithm, Attributes, Exportability, KeyContext, KeyVersion, ModeOfUse, NotACode, Usage,
};
pub use crate::block::KeyBlock;
pub use crate::block_key::{BaseKey, BlockKey};
pub use crate::check_value::{CheckMethod, CheckValue};
pub use crate::header::{DecodeError, Header};
pub use crate::kbpk::{AesKbpk, DerivationKbpk, Iso20038Kbpk, ProtectionKey, VariantKbpk};
pub use crate::optional::{BlockId, Content, OptionalBlock, OptionalBlockError};
pub use crate::strength::Strength;
pub use crate::unwrapped::{KeyBytes, NotThisKey, UnwrapError, Unwrapped};
pub use crate::version::Version;
pub use crate::wrap::{CheckValues, Form, Masking, NewKey, NewKeyError, WrapError};
