//! A byte buffer that wipes itself.

use alloc::vec::Vec;
use core::fmt;

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Bytes of a command or response. Wiped on drop; `Debug` shows their number only.
///
/// A VERIFY command is a PIN and a WRITE KEY command a key, and nothing in their bytes says so. Therefore every
/// buffer of this crate is treated as a secret: there is no mark that could be forgotten.
#[derive(Default, ZeroizeOnDrop)]
pub struct SecretBytes(Vec<u8>);

impl SecretBytes {
    pub(crate) fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// A buffer of `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Self {
        Self(alloc::vec![0; len])
    }

    /// Appends `bytes`. Where the buffer has to move, what it leaves behind is wiped.
    pub(crate) fn extend(&mut self, bytes: &[u8]) {
        let needed = self.0.len() + bytes.len();
        if needed > self.0.capacity() {
            let mut moved = Vec::with_capacity(needed.max(2 * self.0.capacity()));
            moved.extend_from_slice(&self.0);
            self.0.zeroize();
            self.0 = moved;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.0
    }

    /// Shows the bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Number of bytes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl From<&[u8]> for SecretBytes {
    fn from(bytes: &[u8]) -> Self {
        // An exact allocation: no spare capacity to move out of.
        Self(Vec::from(bytes))
    }
}

impl fmt::Debug for SecretBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SecretBytes({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn growing_keeps_the_bytes_in_order() {
        let mut bytes = SecretBytes::default();
        for n in 0..=255_u8 {
            bytes.extend(&[n]);
        }
        assert!(bytes.expose_bytes().iter().copied().eq(0..=255));
    }
}
