//! Security Management Information Data elements: which key a message uses, by name.

mod control;
mod data_set;
mod error;
mod key_name;
mod layout;
mod list;
mod profile;
#[cfg(feature = "toml")]
mod profile_toml;

pub use control::Control;
pub use data_set::{DataSet, DataSetError, DataSets, DataTag, Purpose};
pub use error::{ProfileError, SmidDecodeError, SmidEncodeError};
pub use key_name::{KeyName, KeyNameError};
pub use layout::{LayoutError, NameLayout, NameParts};
pub use list::{Carrier, SmidList};
pub use profile::{ControlByte, Count, NameFraming, Order, SmidProfile};

/// Security Management Information Data element (SMID) of the DUKPT method: the name of one key.
///
/// `[CONTROL] || KEY NAME`, control 1 byte and optional, key name 5 to 16 bytes.
///
/// # Source
/// ANS X9.24-1:2009 8.7.1. How its bytes stand in a message is a matter of [`SmidProfile`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[doc(alias = "KSN")]
pub struct Smid {
    /// Control byte; absent where the profile sends none.
    pub control: Option<Control>,
    /// Name of the key, which incorporates the key set identifier.
    pub key_name: KeyName,
}

impl Smid {
    /// Builds a SMID without control byte.
    pub const fn new(key_name: KeyName) -> Self {
        Self { control: None, key_name }
    }

    /// Builds a SMID with a control byte.
    pub const fn with_control(control: Control, key_name: KeyName) -> Self {
        Self { control: Some(control), key_name }
    }
}
