//! Keys on their way: a key of the tree leaves a centre only as ciphertext that one other centre can open.
//!
//! The transport key is shared by the two centres and used for nothing else. It never touches a key itself: two keys
//! derived from it do, one that encrypts and one that authenticates, as the PBOC children of the labels `WRAPENC` and
//! `WRAPMAC` (then `80`).
//!
//! A wrapped key is 56 bytes:
//!
//! | bytes | field | |
//! |---|---|---|
//! | 0 | format | `01` |
//! | 1 | level | [`LevelId::code`](crate::LevelId::code) |
//! | 2 | purpose | [`PurposeId::code`](crate::tree::purpose::PurposeId::code) |
//! | 3 | algorithm | `00`: TDEA, double length |
//! | 4 | version | of the parent key |
//! | 5-7 | check value | 3 bytes |
//! | 8-15 | city | factor, zeros above city level |
//! | 16-23 | card | factor, zeros above card level |
//! | 24-47 | ciphertext | ECB of `14 ‖ level ‖ purpose ‖ version ‖ algorithm ‖ key (16) ‖ 80 00 00` |
//! | 48-55 | MAC | retail MAC over bytes 0 to 47 and padding `80` |
//!
//! The ciphertext has the form in which card operating systems take keys: length, header, key, padding. ECB is enough,
//! for no block of it is free of key bytes and the MAC holds the blocks together.

mod key;
mod wrapped;

pub use key::{TransportKey, UnwrapError, WrapError};
pub use wrapped::{Header, WrappedKey, WrappedKeyError};
