#![doc = include_str!("../README.md")]

extern crate alloc;

pub mod issuing;
pub mod key_card;
