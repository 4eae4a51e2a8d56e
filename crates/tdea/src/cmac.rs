//! TDEA-CMAC.

use core::fmt;

use ::cmac::Mac as _;
use cipher::common::InnerInit;

use crate::key::TdeaKey;
use crate::mac::Mac;
use crate::schedule::{self, Tdes};

/// CMAC with TDEA: 8 bytes.
///
/// CBC-MAC with the last block XORed with a subkey before it is encrypted; one subkey for a whole block, another for
/// a block that was padded (`80`, then zeros). Right for messages of any lengths, the empty one included.
///
/// # Source
/// NIST SP 800-38B (ISO 9797-1 MAC algorithm 5).
pub struct Cmac {
    inner: ::cmac::Cmac<Tdes>,
}

impl Cmac {
    /// Starts a message.
    #[must_use]
    pub fn new(key: &TdeaKey) -> Self {
        Self { inner: InnerInit::inner_init(schedule::tdes(key)) }
    }

    /// The code of a whole message.
    #[must_use]
    pub fn compute(key: &TdeaKey, message: &[u8]) -> Mac {
        let mut mac = Self::new(key);
        mac.update(message);
        mac.finalize()
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, data: &[u8]) {
        self.inner.update(data);
    }

    /// Ends the message.
    #[must_use]
    pub fn finalize(self) -> Mac {
        Mac::new(self.inner.finalize().into_bytes().into())
    }
}

impl fmt::Debug for Cmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cmac").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ::cmac::digest::block_api::{Buffer, CoreProxy};
    use zeroize::ZeroizeOnDrop;

    use super::*;

    /// The two fields of the outside type, which does not say it of itself.
    fn parts_are_wiped_on_drop<C: CoreProxy>(_: &C)
    where
        C::Core: ZeroizeOnDrop,
        Buffer<C::Core>: ZeroizeOnDrop,
    {
    }

    #[test]
    fn a_code_in_progress_is_wiped_on_drop() {
        let Cmac { inner } = Cmac::new(&TdeaKey::from([0x25; 16]));
        parts_are_wiped_on_drop(&inner);
    }
}
