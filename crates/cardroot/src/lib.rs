#![doc = include_str!("../README.md")]

pub use {aeskey, apdu, card, components, diversify, dukpt, pin, smid, tdea};

pub mod prelude;
