//! Names of parties and keys.

use core::fmt;
use core::str::FromStr;

/// Text is not the name of a party or a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The name is too short or too long.
    #[error("{found} characters, a name of {min} to {max} is needed")]
    Length {
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
        /// Characters found.
        found: usize,
    },
    /// A character is a blank, a full stop, an asterisk, a control character or not of ASCII.
    #[error("the character at {position} can't be part of a name")]
    Character {
        /// Position in the name, from 0.
        position: usize,
    },
}

/// Declares a short public name.
macro_rules! name {
    ($(#[$meta:meta])* $name:ident, $min:literal) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub struct $name {
            // Zero beyond `len`, so that derived equality and hashing hold.
            bytes: [u8; Self::MAX_LEN],
            len: u8,
        }

        impl $name {
            /// Fewest characters.
            pub const MIN_LEN: usize = $min;
            /// Most characters.
            pub const MAX_LEN: usize = 16;

            /// Copies a name.
            ///
            /// # Errors
            /// Returns [`NameError`] for a length or a character that names can't have.
            pub fn new(text: &str) -> Result<Self, NameError> {
                let found = text.len();
                let length = NameError::Length { min: $min, max: Self::MAX_LEN, found };
                if let Some(position) = text.bytes().position(|c| !c.is_ascii_graphic() || c == b'.' || c == b'*') {
                    return Err(NameError::Character { position });
                }
                if found < $min {
                    return Err(length);
                }
                let mut bytes = [0; Self::MAX_LEN];
                bytes.get_mut(..found).ok_or(length)?.copy_from_slice(text.as_bytes());
                Ok(Self { bytes, len: u8::try_from(found).map_err(|_| length)? })
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                let name = self.bytes.get(..self.len.into()).expect("a name is at most 16 characters");
                str::from_utf8(name).expect("a name is ASCII")
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}

name! {
    /// Name of a party: 4 to 16 printable characters but blank, full stop and asterisk.
    ///
    /// # Source
    /// FIPS PUB 171, option 8.
    PartyId, 4
}

name! {
    /// Name of a key: 1 to 16 printable characters but blank, full stop and asterisk. It is public.
    ///
    /// # Source
    /// FIPS PUB 171, option 8.
    KeyId, 1
}
