#![doc = include_str!("../README.md")]
#![no_std]

extern crate alloc;

pub mod csm;
pub mod iso8583;
mod smid;

pub use smid::{Carrier, Control, ControlByte, Count, KeyName, KeyNameError, LayoutError, NameFraming};
pub use smid::{NameLayout, NameParts, Order, ProfileError};
pub use smid::{Smid, SmidDecodeError, SmidEncodeError, SmidList, SmidProfile};
