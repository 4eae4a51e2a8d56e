#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

mod bytes;
mod class;
mod command;
mod header;
mod le;
mod response;
mod status;

pub use crate::bytes::SecretBytes;
pub use crate::class::{Chaining, Class, ClassError, ClassKind, LogicalChannel, SecureMessaging};
pub use crate::command::{Case, CommandApdu, CommandError, DataTooLong, LengthForm, Repetition};
pub use crate::header::{Header, Instruction, InvalidInstruction};
pub use crate::le::Le;
pub use crate::response::{ResponseApdu, ResponseError};
pub use crate::status::{InvalidStatusWord, StatusClass, StatusWord, UnexpectedStatus};
