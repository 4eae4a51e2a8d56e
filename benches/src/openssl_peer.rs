//! OpenSSL as a peer: the fewest calls that its interface allows, contexts kept where it allows that.

use openssl::cipher::Cipher;
use openssl::cipher_ctx::CipherCtx;

/// Triple DES of OpenSSL under one double-length key; the context is kept between calls.
pub struct Tdes {
    context: CipherCtx,
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
        Self::start(Cipher::des_ede3_cbc(), key, Some(&[0; 8]))
    }

    /// Single DES under one half: the same key three times, since DES alone sits in the legacy provider.
    ///
    /// # Panics
    /// As [`ecb`](Self::ecb).
    #[must_use]
    pub fn single(key: &[u8; 8]) -> Self {
        let mut twice = [0; 16];
        twice[..8].copy_from_slice(key);
        twice[8..].copy_from_slice(key);
        Self::ecb(&twice)
    }

    fn start(cipher: &openssl::cipher::CipherRef, key: &[u8; 16], iv: Option<&[u8]>) -> Self {
        let mut triple = [0; 24];
        triple[..16].copy_from_slice(key);
        triple[16..].copy_from_slice(&key[..8]);
        let mut context = CipherCtx::new().expect("a context");
        context.encrypt_init(Some(cipher), Some(&triple), iv).expect("triple DES is in the default provider");
        context.set_padding(false);
        Self { context }
    }

    /// Encrypts whole blocks from `input` to `output`.
    ///
    /// # Panics
    /// Panics if the library refuses.
    pub fn encrypt(&mut self, input: &[u8], output: &mut [u8]) {
        self.context.cipher_update(input, Some(output)).expect("whole blocks");
    }
}
