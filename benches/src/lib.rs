//! Benchmarks of cardroot beside its peers, in the same run and on the same inputs.
//!
//! `cargo bench -p benches` runs them. The crate `des` is always a peer; OpenSSL, libgcrypt, nettle and Botan are where the system
//! has them ([`peers`]). Inputs are fixed, nothing is random. Every peer is held to give cardroot's answer before it is timed.

pub mod clock;
pub mod derivation;
pub mod peers;

/// The double-length key of every bench: the base derivation key that X9.24-1 Annex A prints.
pub const KEY: [u8; 16] = 0x0123_4567_89AB_CDEF_FEDC_BA98_7654_3210_u128.to_be_bytes();

/// A library that knows DES and none of this field's derivations.
pub trait Peer {
    /// Encrypts every block by itself under a double-length key, whose set-up is part of the work.
    fn encrypt_tdea(&mut self, key: &[u8; 16], blocks: &mut [[u8; 8]]);

    /// Encrypts one block under a single DES key, whose set-up is part of the work.
    fn encrypt_des(&mut self, key: &[u8; 8], block: &mut [u8; 8]);
}
