//! OpenSSL as a peer: the fewest calls that its interface allows, contexts kept where it allows that.

use openssl::cipher::{Cipher, CipherRef};
use openssl::cipher_ctx::CipherCtx;

use crate::Peer;

/// Triple DES of OpenSSL; the context is kept between calls and keys.
pub struct Tdes {
    context: CipherCtx,
    iv: Option<[u8; 8]>,
    output: Vec<u8>,
}

impl core::fmt::Debug for Tdes {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Tdes").finish_non_exhaustive()
    }
}

impl Tdes {
    /// ECB under a double-length key.
    ///
    /// # Panics
    /// Panics if the library lacks triple DES: there is nothing to compare with then.
    #[must_use]
    pub fn ecb(key: &[u8; 16]) -> Self {
        Self::start(Cipher::des_ede3(), key, None)
    }

    /// CBC with a zero initial vector under a double-length key.
    ///
    /// # Panics
    /// As [`ecb`](Self::ecb).
    #[must_use]
    pub fn cbc(key: &[u8; 16]) -> Self {
        Self::start(Cipher::des_ede3_cbc(), key, Some([0; 8]))
    }

    fn start(cipher: &CipherRef, key: &[u8; 16], iv: Option<[u8; 8]>) -> Self {
        let context = CipherCtx::new().expect("a context");
        let mut tdes = Self { context, iv, output: Vec::new() };
        tdes.init(Some(cipher), key);
        tdes.context.set_padding(false);
        tdes
    }

    /// Starts anew under another key.
    ///
    /// # Panics
    /// Panics if the library refuses.
    pub fn set_key(&mut self, key: &[u8; 16]) {
        self.init(None, key);
    }

    fn init(&mut self, cipher: Option<&CipherRef>, key: &[u8; 16]) {
        let mut triple = [0; 24];
        triple.iter_mut().zip(key.iter().cycle()).for_each(|(out, byte)| *out = *byte);
        let iv = self.iv.as_ref().map(<[u8; 8]>::as_slice);
        self.context.encrypt_init(cipher, Some(&triple), iv).expect("triple DES is in the default provider");
    }

    /// Encrypts whole blocks.
    ///
    /// # Panics
    /// Panics if the library refuses.
    pub fn encrypt(&mut self, input: &[u8]) -> &[u8] {
        // The interface wants room for a block that was held back before, although there is none.
        let needed = self.output.len().max(input.len() + 8);
        self.output.resize(needed, 0);
        let written = self.context.cipher_update(input, Some(&mut self.output)).expect("whole blocks");
        self.output.get(..written).expect("no more was written than there was room for")
    }
}

/// OpenSSL as somebody who derives keys would use it.
#[derive(Debug)]
pub struct OpenSsl {
    ecb: Tdes,
}

impl Default for OpenSsl {
    fn default() -> Self {
        Self { ecb: Tdes::ecb(&crate::KEY) }
    }
}

impl Peer for OpenSsl {
    fn encrypt_tdea(&mut self, key: &[u8; 16], blocks: &mut [[u8; 8]]) {
        self.ecb.set_key(key);
        let blocks = blocks.as_flattened_mut();
        let encrypted = self.ecb.encrypt(blocks);
        blocks.copy_from_slice(encrypted);
    }

    /// By triple DES with one key three times: DES alone sits in the legacy provider.
    fn encrypt_des(&mut self, key: &[u8; 8], block: &mut [u8; 8]) {
        self.ecb.set_key(&twice(key));
        let encrypted = self.ecb.encrypt(block);
        block.copy_from_slice(encrypted);
    }
}

/// A single DES key as a double-length one.
#[must_use]
pub fn twice(key: &[u8; 8]) -> [u8; 16] {
    let half = u128::from(u64::from_be_bytes(*key));
    (half << 64 | half).to_be_bytes()
}
