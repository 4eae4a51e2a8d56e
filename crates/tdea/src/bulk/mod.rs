//! Many blocks, keys or messages at once, bit-sliced and in constant time.
//!
//! A batch holds one bit of every block in one register: 64, 256 or 512 blocks run through the S-boxes as circuits of logic
//! instructions, all in the time of one pass. [`Engine`] hides that: it takes slices of any length and answers in their order.
//! Fewer items than a pass is worth go through the one-block cipher by themselves.
//!
//! ```
//! use cardroot_tdea::{Padding, TdeaKey, bulk::{Engine, MacKeys}};
//!
//! let (parent, engine) = (TdeaKey::from([0x25; 16]), Engine::new());
//! // A thousand card keys of one parent.
//! let factors: Vec<[u8; 8]> = (0..1000_u64).map(u64::to_be_bytes).collect();
//! let mut cards: Vec<TdeaKey> = factors.iter().map(|_| TdeaKey::from([0; 16])).collect();
//! engine.diversify(&parent, &factors, &mut cards)?;
//! // A retail MAC under each of them.
//! let messages = vec![b"message".as_slice(); 1000];
//! let mut codes = Vec::new();
//! engine.retail_macs(MacKeys::Each(&cards), Padding::Zeros, &messages, |_, code| codes.push(code))?;
//! # assert_eq!(codes.len(), 1000);
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! Nothing is allocated; a call needs less than 192 KiB of stack. Threads are the caller's choice: split the slices. AArch64
//! takes the portable back end: kernels for NEON are not written yet.
//!
//! # Timing
//! No table, no branch and no address depends on a key or on data. Lengths of messages and keys, and how many there are, show.
//! Planes, key planes and the blocks of a part batch are wiped at the end of a call; what the compiler spills to the stack is not.
//!
//! # Source
//! E. Biham, "A fast new DES implementation in software" (FSE 1997). The circuits are our own: see `tools/sbox-search`.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod backend;
mod blocks;
mod circuits;
mod derive;
mod each;
#[cfg_attr(not(feature = "hazmat"), allow(dead_code, reason = "some kernels serve `sliced` alone"))]
mod engine;
mod kernel;
#[cfg_attr(not(feature = "hazmat"), allow(unreachable_pub, reason = "`sliced` shows these types"))]
mod keys;
mod macs;
mod message;
mod order;
#[cfg_attr(not(feature = "hazmat"), allow(unreachable_pub, reason = "`sliced` shows these types"))]
mod planes;
mod portable;
#[cfg(all(test, not(cardroot_des)))]
mod proof;
#[cfg(feature = "hazmat")]
pub mod sliced;
mod step;
mod word;

#[cfg(feature = "hazmat")]
pub(crate) use order::KeyBits;

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
