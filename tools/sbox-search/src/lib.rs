//! S-box circuits of DES as data: read, proved and turned into the code of `tdea`'s bulk engine.
//!
//! ```text
//! cargo run --release -p sbox-search -- --sbox 1 --gates lut3 --seconds 60 --method walk
//! cargo run --release -p sbox-search --bin generate-circuits
//! ```
//!
//! The circuits are kept in `crates/tdea/data/sbox_circuits.txt`, which describes its own format; the code made of them is
//! `crates/tdea/src/bulk/circuits.rs`. A circuit is used only after it was proved over all 64 inputs of its box.

#![allow(
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a tool for its developers: a panic is a bug report"
)]

pub mod circuit;
pub mod emit;
mod order;
mod polarity;
pub mod random;
pub mod refine;
pub mod sbox;
pub mod search;
