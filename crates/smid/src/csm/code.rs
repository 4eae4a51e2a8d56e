//! Counts and codes.

use core::fmt;

/// A count: 56 bits, 14 hexadecimal digits. The key encrypting key is offset by it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Count(u64);

/// A number that takes more than 56 bits.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a count has at most 56 bits")]
pub struct CountError;

impl Count {
    /// The count of the first message under a key.
    pub const FIRST: Self = Self(1);
    /// The greatest count.
    pub const MAX: Self = Self((1 << 56) - 1);
    /// Digits in a message.
    pub const DIGITS: usize = 14;

    /// Takes a number as a count.
    ///
    /// # Errors
    /// Returns [`CountError`] for a number of more than 56 bits.
    pub const fn new(value: u64) -> Result<Self, CountError> {
        if value <= Self::MAX.0 { Ok(Self(value)) } else { Err(CountError) }
    }

    /// The number.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }

    /// The count after this one, unless it is the greatest.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        if self.0 < Self::MAX.0 { Some(Self(self.0 + 1)) } else { None }
    }
}

impl TryFrom<u64> for Count {
    type Error = CountError;

    fn try_from(value: u64) -> Result<Self, CountError> {
        Self::new(value)
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:014X}", self.0)
    }
}

/// A MAC or an error detection code: 4 to 8 bytes. Compare it in constant time, as the `Mac` of `cardroot-tdea` does.
#[derive(Clone, Copy)]
pub struct Code {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

/// A code of another length than 4 to 8 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a code is 4 to 8 bytes, found {found}")]
pub struct CodeError {
    /// Bytes supplied.
    pub found: usize,
}

impl Code {
    /// Shortest code, in bytes: that of ANS X9.9.
    pub const MIN_LEN: usize = 4;
    /// Longest code, in bytes.
    pub const MAX_LEN: usize = 8;

    /// Copies a code.
    ///
    /// # Errors
    /// Returns [`CodeError`] if it is shorter than 4 or longer than 8 bytes.
    pub fn new(code: &[u8]) -> Result<Self, CodeError> {
        let mut bytes = [0; Self::MAX_LEN];
        match bytes.get_mut(..code.len()) {
            Some(slot) if code.len() >= Self::MIN_LEN => slot.copy_from_slice(code),
            _ => return Err(CodeError { found: code.len() }),
        }
        Ok(Self { bytes, len: code.len() })
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).expect("a code is at most 8 bytes")
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Code({self})")
    }
}
