//! ISO 8583:1987 and ISO 8583:1993 messages in dialects that are data.
//!
//! A [`Dialect`] says how each field is written; a [`Message`] holds values and knows nothing of bytes on a line, so
//! that a message read in one dialect can be written in another of its version.

mod bitmap;
mod code_page;
mod content;
mod date;
mod decode;
mod dialect;
#[cfg(feature = "toml")]
mod dialect_toml;
mod encode;
mod error;
mod field;
pub mod fields_1987;
pub mod fields_1993;
#[cfg(feature = "json")]
mod json;
mod mac;
mod message;
mod mti;
mod rules;
mod show;
mod smids;
mod store;
mod subfields;

pub use bitmap::{Bitmap, BitmapError};
pub use code_page::CodePage;
pub use content::Content;
pub use date::DateFormat;
pub use dialect::{BitmapCoding, DateCheck, Dialect, DialectError, DialectFault, MtiCoding};
pub use error::{DecodeError, DecodeReason, EncodeError, FieldError, FieldReason, Part};
pub use field::{BcdPad, Coding, Field, FieldSpec, Length, LengthCoding, Sensitivity, ValueCoding};
#[cfg(feature = "json")]
pub use json::JsonError;
pub use mac::{MacError, MacInput, MacKey, SealError, VerifyError};
pub use message::{FieldValue, MASKED_FIELDS, Message};
pub use mti::{Class, Function, Mti, MtiError, Origin, Version};
pub use rules::{Finding, KeyExchange, KeyReference, RuleOptions, validate};
pub use show::MessageDisplay;
pub use smids::MessageSmidError;
pub use subfields::{Subfield, SubfieldError, SubfieldKey, SubfieldLength, SubfieldReason};
pub use subfields::{SubfieldSpec, Subfields};
