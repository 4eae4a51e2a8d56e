#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;
#[cfg(feature = "pcsc")]
extern crate std;

mod bytes;
mod channel;
mod class;
mod command;
pub mod commands;
mod cursor;
pub mod dgi;
mod header;
mod le;
mod log;
#[cfg(feature = "pcsc")]
pub mod pcsc;
mod response;
mod script;
pub mod secure;
mod status;
mod t0;
pub mod tlv;
mod transport;

pub use crate::bytes::SecretBytes;
pub use crate::channel::{Channel, ChannelError, LogicalChannelError};
pub use crate::class::{Chaining, Class, ClassError, ClassKind, LogicalChannel, SecureMessaging};
pub use crate::command::{Case, CommandApdu, CommandError, DataTooLong, LengthForm, Repetition};
pub use crate::header::{Header, Instruction, InvalidInstruction};
pub use crate::le::Le;
pub use crate::log::{LoggedAnswer, LoggedCommand, LoggedExchange, LoggedTransport};
pub use crate::response::{ResponseApdu, ResponseError};
pub use crate::script::{RecordingTransport, Script, ScriptError, ScriptedTransport};
pub use crate::status::{InvalidStatusWord, StatusClass, StatusWord, UnexpectedStatus};
pub use crate::t0::{T0Error, T0Transport};
pub use crate::transport::{CardReset, CardTransport, Link, Protocol};
