//! AES-CMAC.

use core::fmt;

use ::cmac::Mac as _;
use ::cmac::digest::FixedOutput;
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use cipher::KeyInit;
use cipher::common::InnerInit;
use subtle::ConstantTimeEq;

use crate::BLOCK_LEN;
use crate::key::{AesKey, AesKeyLength};
use crate::modes::expanded;

/// CMAC with AES: 16 bytes.
///
/// CBC-MAC with the last block XORed with a subkey before it is encrypted; one subkey for a whole block, another for
/// a block that was padded (`80`, then zeros). Right for messages of any lengths, the empty one included.
///
/// # Source
/// NIST SP 800-38B (ISO 9797-1 MAC algorithm 5).
pub struct Cmac(Inner);

enum Inner {
    Aes128(::cmac::Cmac<Aes128Enc>),
    Aes192(::cmac::Cmac<Aes192Enc>),
    Aes256(::cmac::Cmac<Aes256Enc>),
}

impl Cmac {
    /// Starts a message.
    #[must_use]
    pub fn new(key: &AesKey) -> Self {
        Self(match key.length() {
            AesKeyLength::Aes128 => {
                Inner::Aes128(expanded!(key, Aes128Enc, |cipher| InnerInit::inner_init(cipher)))
            }
            AesKeyLength::Aes192 => {
                Inner::Aes192(expanded!(key, Aes192Enc, |cipher| InnerInit::inner_init(cipher)))
            }
            AesKeyLength::Aes256 => {
                Inner::Aes256(expanded!(key, Aes256Enc, |cipher| InnerInit::inner_init(cipher)))
            }
        })
    }

    /// The code of a whole message.
    #[must_use]
    pub fn compute(key: &AesKey, message: &[u8]) -> Mac {
        Self::new(key).chain(message).finalize()
    }

    /// Takes the next piece of the message.
    pub fn update(&mut self, data: &[u8]) {
        match &mut self.0 {
            Inner::Aes128(mac) => mac.update(data),
            Inner::Aes192(mac) => mac.update(data),
            Inner::Aes256(mac) => mac.update(data),
        }
    }

    /// Takes the next piece of the message and goes on.
    #[must_use]
    pub fn chain(mut self, data: &[u8]) -> Self {
        self.update(data);
        self
    }

    /// Ends the message.
    #[must_use]
    pub fn finalize(self) -> Mac {
        let mut code = [0; BLOCK_LEN];
        self.finalize_into(&mut code);
        Mac(code)
    }

    /// Ends the message and writes the code to where a key is being made: derivations take CMAC so, and leave no copy.
    pub fn finalize_into(self, code: &mut [u8; BLOCK_LEN]) {
        let code = code.into();
        match self.0 {
            Inner::Aes128(mac) => FixedOutput::finalize_into(mac, code),
            Inner::Aes192(mac) => FixedOutput::finalize_into(mac, code),
            Inner::Aes256(mac) => FixedOutput::finalize_into(mac, code),
        }
    }
}

impl fmt::Debug for Cmac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cmac").finish_non_exhaustive()
    }
}

/// A message authentication code of 16 bytes. It is public once sent; compare it by [`verify`](Self::verify) only.
#[derive(Clone, Copy)]
pub struct Mac([u8; BLOCK_LEN]);

impl Mac {
    /// Shortest truncation that verifies, in bytes.
    pub const MIN_LEN: usize = 4;

    /// All 16 bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }

    /// The leftmost `N` bytes, 4 to 16 of them.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_aeskey::{AesKey, AesKeyLength, Cmac};
    /// # let key = AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25));
    /// let mac = Cmac::compute(&key, b"message");
    /// let sent = mac.truncated::<8>();
    /// assert!(mac.verify(&sent).is_ok());
    /// ```
    /// Other lengths do not compile:
    /// ```compile_fail,E0080
    /// # use cardroot_aeskey::{AesKey, AesKeyLength, Cmac};
    /// # let key = AesKey::from_fill(AesKeyLength::Aes128, |key| key.fill(0x25));
    /// let mac = Cmac::compute(&key, b"message");
    /// let sent = mac.truncated::<3>();
    /// ```
    #[must_use]
    pub fn truncated<const N: usize>(&self) -> [u8; N] {
        const { assert!(Self::MIN_LEN <= N && N <= BLOCK_LEN, "a MAC is truncated to 4..=16 bytes") };
        *self.0.first_chunk().expect("N is at most 16")
    }

    /// Compares with a received code of 4 to 16 bytes, in constant time for its length.
    ///
    /// # Security
    /// Who may send a code of 4 bytes finds one that fits in 2^31 tries: agree on a length and refuse others.
    ///
    /// # Errors
    /// Returns [`MacMismatch`] if the leftmost bytes differ or `received` is shorter than 4 or longer than 16 bytes.
    pub fn verify(&self, received: &[u8]) -> Result<(), MacMismatch> {
        let ours = self.0.get(..received.len()).ok_or(MacMismatch)?;
        if received.len() >= Self::MIN_LEN && bool::from(ours.ct_eq(received)) {
            Ok(())
        } else {
            Err(MacMismatch)
        }
    }
}

impl fmt::Debug for Mac {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mac(")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))?;
        f.write_str(")")
    }
}

/// The code received is not the code of this message. Opaque: nothing says where they differ.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("message authentication code mismatch")]
pub struct MacMismatch;

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
        let Cmac(inner) = Cmac::new(&AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(7)));
        match inner {
            Inner::Aes128(mac) => parts_are_wiped_on_drop(&mac),
            Inner::Aes192(mac) => parts_are_wiped_on_drop(&mac),
            Inner::Aes256(mac) => parts_are_wiped_on_drop(&mac),
        }
    }
}
