//! Names of parties and of keys: public bytes of bounded length.

use core::fmt;

/// Bytes that are no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a name has 1 to {max} bytes, found {found}")]
pub struct NameLengthError {
    /// Most bytes of such a name.
    pub max: usize,
    /// Bytes supplied.
    pub found: usize,
}

/// Declares a name of up to `$max` bytes.
macro_rules! name {
    ($(#[$meta:meta])* pub struct $name:ident up to $max:literal;) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name {
            bytes: [u8; $max],
            len: usize,
        }

        impl $name {
            /// Most bytes of such a name.
            pub const MAX_LEN: usize = $max;

            /// The bytes.
            #[must_use]
            pub fn as_bytes(&self) -> &[u8] {
                self.bytes.get(..self.len).expect("no name is longer than its array")
            }
        }

        impl TryFrom<&[u8]> for $name {
            type Error = NameLengthError;

            fn try_from(name: &[u8]) -> Result<Self, NameLengthError> {
                let (len, max) = (name.len(), Self::MAX_LEN);
                let mut bytes = [0; $max];
                match bytes.get_mut(..len) {
                    Some(taken) if len > 0 => taken.copy_from_slice(name),
                    _ => return Err(NameLengthError { max, found: len }),
                }
                Ok(Self { bytes, len })
            }
        }

        impl fmt::Display for $name {
            /// Upper-case hex.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

name! {
    /// The other party of a relation, as a terminal identifier or the name of a centre: 1 to 32 bytes.
    pub struct PartyId up to 32;
}

name! {
    /// Name of a key, as a SMID carries it: 1 to 16 bytes. It tells nothing of the key.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.3 and 8.4.
    pub struct KeyName up to 16;
}

/// How a message says which key it is under.
///
/// # Source
/// ANS X9.24-1:2009 8.3.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyReference {
    /// By whom it comes from: every version that is alive may be meant.
    Implicit,
    /// By the name of the key.
    Named(KeyName),
}
