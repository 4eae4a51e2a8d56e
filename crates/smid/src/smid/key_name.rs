//! The key name: which key, in public.

use core::fmt;

/// Name of a key (KEY NAME), 5 to 16 bytes: key set identifier || TRSM identifier || transaction counter.
///
/// A key name is public, so it prints in hex. The DUKPT key serial number of Annex A is one of 10 bytes.
///
/// # Source
/// ANS X9.24-1:2009 8.7 (the three parts, in this order) and 8.7.1 (the length).
///
/// # Examples
/// ```
/// use cardroot_smid::KeyName;
///
/// let name = KeyName::new(&[0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01])?;
/// assert_eq!(name.to_string(), "FFFF9876543210E00001");
/// # Ok::<(), cardroot_smid::KeyNameError>(())
/// ```
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
#[doc(alias = "KSN")]
pub struct KeyName {
    len: u8,
    // Zero beyond `len`, so that derived equality and hashing hold.
    bytes: [u8; Self::MAX_LEN],
}

/// A key name is 5 to 16 bytes long.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key name is 5 to 16 bytes, found {found}")]
pub struct KeyNameError {
    /// Bytes supplied.
    pub found: usize,
}

impl KeyName {
    /// Shortest key name, in bytes.
    pub const MIN_LEN: usize = 5;
    /// Longest key name, in bytes.
    pub const MAX_LEN: usize = 16;

    /// Copies a key name from `name`.
    ///
    /// # Errors
    /// Returns [`KeyNameError`] if `name` is shorter than 5 or longer than 16 bytes.
    pub fn new(name: &[u8]) -> Result<Self, KeyNameError> {
        Self::joined(&[], name)
    }

    /// Copies a key name that stands in two parts, `head || tail`.
    pub(crate) fn joined(head: &[u8], tail: &[u8]) -> Result<Self, KeyNameError> {
        let found = head.len() + tail.len();
        let len = u8::try_from(found).map_err(|_| KeyNameError { found })?;
        if !(Self::MIN_LEN..=Self::MAX_LEN).contains(&found) {
            return Err(KeyNameError { found });
        }
        let mut bytes = [0; Self::MAX_LEN];
        for (slot, byte) in bytes.iter_mut().zip(head.iter().chain(tail)) {
            *slot = *byte;
        }
        Ok(Self { len, bytes })
    }

    /// Returns the name, key set identifier first.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).expect("a key name is at most MAX_LEN bytes")
    }
}

impl TryFrom<&[u8]> for KeyName {
    type Error = KeyNameError;

    fn try_from(name: &[u8]) -> Result<Self, KeyNameError> {
        Self::new(name)
    }
}

impl From<[u8; 10]> for KeyName {
    /// Takes a key serial number of Annex A, ten bytes with leading `FF`.
    fn from(ksn: [u8; 10]) -> Self {
        Self::new(&ksn).expect("10 lies between MIN_LEN and MAX_LEN")
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyName({self})")
    }
}
