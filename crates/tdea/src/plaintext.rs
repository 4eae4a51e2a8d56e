//! Decrypted data on the heap.

use alloc::vec::Vec;
use core::fmt;

use zeroize::ZeroizeOnDrop;

/// Decrypted data without its padding. Wiped on drop; `Debug` shows its length only.
#[derive(ZeroizeOnDrop)]
pub struct Plaintext(pub(crate) Vec<u8>);

impl Plaintext {
    /// Shows the data.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Plaintext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plaintext").field("len", &self.0.len()).finish_non_exhaustive()
    }
}
