//! Names in a record: public text of bounded length.

use core::{fmt, str};

/// A text that is no name.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// The text is empty.
    #[error("the name is empty")]
    Empty,
    /// The text is too long.
    #[error("a name is at most {max} bytes in UTF-8, found {found}")]
    Length {
        /** The most bytes allowed. */
        max: usize,
        /** Bytes supplied. */
        found: usize,
    },
    /// The text has a control character, or white space at its beginning or end: two names must not look
    /// alike.
    #[error("the name has a character at byte {position} that can't stand there")]
    Character {
        /** Position of its first byte, from 0. */
        position: usize,
    },
}

/// Declares a text type; all of them keep the same rules.
macro_rules! name_type {
    ($(#[$meta:meta])* $name:ident) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Eq, Hash, PartialEq)]
        pub struct $name {
            bytes: [u8; Self::MAX_LEN],
            len: usize,
        }

        impl $name {
            /// Most bytes of a name, in UTF-8.
            pub const MAX_LEN: usize = 48;

            /// Takes a name.
            ///
            /// # Errors
            /// Returns [`NameError::Empty`], [`NameError::Length`], or [`NameError::Character`] for a control
            /// character or for white space at either end.
            pub fn new(name: &str) -> Result<Self, NameError> {
                check(name)?;
                let mut bytes = [0; Self::MAX_LEN];
                let len = name.len();
                bytes
                    .get_mut(..len)
                    .ok_or(NameError::Length { max: Self::MAX_LEN, found: len })?
                    .copy_from_slice(name.as_bytes());
                Ok(Self { bytes, len })
            }

            /// The name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                self.bytes.get(..self.len).and_then(|name| str::from_utf8(name).ok()).expect("it was a str")
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&self.as_str()).finish()
            }
        }
    };
}

name_type! {
    /// Name of a custodian, as the record of a ceremony gives it: 1 to 48 bytes of UTF-8.
    ///
    /// Take it from whatever authenticated the person, not from a text field: who is who is decided there.
    CustodianName
}

name_type! {
    /// Name of the key that a ceremony makes: 1 to 48 bytes of UTF-8.
    KeyLabel
}

impl CustodianName {
    /// Says whether both names are the same person's. Upper and lower case of ASCII letters make no
    /// difference.
    #[must_use]
    pub fn is_same_person(&self, other: &Self) -> bool {
        self.as_str().eq_ignore_ascii_case(other.as_str())
    }
}

/// Verifies everything but the length.
fn check(name: &str) -> Result<(), NameError> {
    if name.is_empty() {
        return Err(NameError::Empty);
    }
    let inner = name.len() - name.trim_start().len()..name.trim_end().len();
    let misplaced = |(position, c): &(usize, char)| c.is_control() || !inner.contains(position);
    match name.char_indices().find(misplaced) {
        Some((position, _)) => Err(NameError::Character { position }),
        None => Ok(()),
    }
}
