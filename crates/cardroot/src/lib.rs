#![doc = include_str!("../README.md")]

#[cfg(feature = "std")]
pub use kms;
#[cfg(any(feature = "store", feature = "postgres"))]
pub use store;
pub use {aeskey, apdu, card, components, diversify, dukpt, keyblock, pin, smid, tdea};

pub mod prelude;
