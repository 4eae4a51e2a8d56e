//! AES-CMAC.

use core::fmt;

use ::cmac::Mac as _;
use ::cmac::digest::FixedOutput;
use aes::{Aes128Enc, Aes192Enc, Aes256Enc};
use cipher::KeyInit;
use cipher::common::InnerInit;

use crate::BLOCK_LEN;
use crate::key::{AesKey, AesKeyLength};
use crate::modes::expanded;

/// A message authentication code of 16 bytes, of which 4 or more are sent.
pub type Mac = tdea::Mac<BLOCK_LEN>;

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
        Mac::new(code)
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
