#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod csm;
pub mod iso8583;
mod smid;
mod tlv;
#[cfg(feature = "toml")]
mod toml_text;

pub use smid::{Carrier, Control, ControlByte, Count, KeyName, KeyNameError, LayoutError, NameFraming};
pub use smid::{DataSet, DataSetError, DataSets, DataTag, Purpose};
pub use smid::{NameLayout, NameParts, Order, ProfileError};
pub use smid::{Smid, SmidDecodeError, SmidEncodeError, SmidList, SmidProfile};
pub use tlv::{Tag, TlvError};
#[cfg(feature = "toml")]
pub use toml_text::{TomlError, TomlReason};
