//! Short names kept in place, so that data that carries one needs no allocator and no lifetime.

use core::fmt;

/// Longest name, in bytes.
const MAX_LEN: usize = 24;

/// A name of 1 to 24 printable ASCII characters without spaces.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Name {
    /// Zero behind the name.
    bytes: [u8; MAX_LEN],
    len: usize,
}

/// A text that is no [`Name`].
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    /// Empty or too long.
    #[error("a name is 1 to 24 bytes, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// A byte is a space, a control character or not ASCII.
    #[error("byte {position} of the name is not a printable ASCII character")]
    Character {
        /** Position of the first such byte, from 0. */
        position: usize,
    },
}

impl Name {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = MAX_LEN;

    /// Takes a name.
    ///
    /// # Errors
    /// Returns [`NameError::Length`] or [`NameError::Character`].
    pub fn new(text: &str) -> Result<Self, NameError> {
        let found = text.len();
        if !(1..=MAX_LEN).contains(&found) {
            return Err(NameError::Length { found });
        }
        match text.bytes().position(|byte| !byte.is_ascii_graphic()) {
            Some(position) => Err(NameError::Character { position }),
            None => Ok(Self::from_literal(text)),
        }
    }

    /// A name known to be well-formed.
    pub(crate) const fn from_literal(text: &str) -> Self {
        let mut bytes = [0; MAX_LEN];
        let (name, _) = bytes.split_at_mut(text.len());
        name.copy_from_slice(text.as_bytes());
        Self { bytes, len: text.len() }
    }

    /// The name's text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        let bytes = self.bytes.get(..self.len).expect("a name is at most 24 bytes");
        core::str::from_utf8(bytes).expect("a name is ASCII")
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_1_to_24_printable_characters() {
        assert_eq!(Name::new(""), Err(NameError::Length { found: 0 }));
        assert_eq!(Name::new("abcdefghijklmnopqrstuvwxy"), Err(NameError::Length { found: 25 }));
        assert_eq!(Name::new("city code"), Err(NameError::Character { position: 4 }));
        assert_eq!(Name::new("caf\u{e9}"), Err(NameError::Character { position: 3 }));
        assert_eq!(Name::new("abcdefghijklmnopqrstuvwx").map(|name| name.as_str().len()), Ok(24));
    }
}
