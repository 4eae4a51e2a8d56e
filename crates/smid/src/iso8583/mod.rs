//! ISO 8583:1987 and ISO 8583:1993 messages in dialects that are data.
//!
//! A [`Dialect`] says how each field is written; a [`Message`] holds values and knows nothing of bytes on a line, so
//! that a message read in one dialect can be written in another of its version.

mod bitmap;
mod content;
mod decode;
mod dialect;
mod encode;
mod error;
mod field;
pub mod fields_1987;
pub mod fields_1993;
mod mac;
mod message;
mod mti;
mod rules;
mod smids;
mod store;

pub use bitmap::{Bitmap, BitmapError};
pub use content::Content;
pub use dialect::{BitmapCoding, Dialect, DialectError, DialectFault, MtiCoding};
pub use error::{DecodeError, DecodeReason, EncodeError, FieldError, FieldReason, Part};
pub use field::{BcdPad, Coding, Field, FieldSpec, Length, LengthCoding, ValueCoding};
pub use mac::{MacError, MacInput, VerifyError};
pub use message::{FieldValue, MASKED_FIELDS, Message};
pub use mti::{Class, Function, Mti, MtiError, Origin, Version};
pub use rules::{Finding, KeyExchange, KeyReference, RuleOptions, validate};
pub use smids::MessageSmidError;
