//! Many blocks, keys or messages at once, bit-sliced and in constant time.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod backend;
mod blocks;
mod circuits;
mod derive;
mod each;
mod engine;
mod kernel;
mod keys;
mod macs;
mod order;
mod planes;
mod portable;
#[cfg(all(test, not(cardroot_des)))]
mod proof;
#[cfg(feature = "hazmat")]
pub mod sliced;
mod word;

pub use each::UnequalLengths;
pub use engine::Engine;
pub use macs::{MacKeys, MacsError};

/// Which way a block cipher is run.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Direction {
    /// Plaintext to ciphertext.
    Encrypt,
    /// Ciphertext to plaintext.
    Decrypt,
}

impl Direction {
    const fn reverse(self) -> Self {
        match self {
            Self::Encrypt => Self::Decrypt,
            Self::Decrypt => Self::Encrypt,
        }
    }
}
