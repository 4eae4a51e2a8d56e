#![doc = include_str!("../README.md")]

pub use {apdu, card, components, diversify, dukpt, pin, smid, tdea};

pub mod prelude;
