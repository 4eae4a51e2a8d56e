//! DES and TDEA on one block, or on two that do not depend on each other, in constant time.
//!
//! Each output bit of an S-box is a truth table of 64 bits; turned by the S-box's input it has the answer at its foot.
//! So nothing is loaded from an address, and nothing branches, by a secret. The passes of TDEA follow one another
//! without the permutations between them, which undo each other.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod cipher;
mod key_schedule;
mod permute;
mod portable;
pub(crate) mod tables;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use crate::backend::Backend;

#[cfg(all(feature = "hazmat", not(cardroot_des)))]
pub(crate) use self::cipher::Mask;
pub(crate) use self::cipher::{BlockKeys, Direction};

/// Rounds of one pass.
const ROUNDS: usize = 16;

/// Round keys of one pass in the order of use: a byte for each lane, six bits in it.
type RoundKeys = [u64; ROUNDS];

/// Writes the round keys of one DES key.
fn expand(key: [u8; 8], keys: &mut RoundKeys) {
    let key = u64::from_be_bytes(key);
    #[cfg(target_arch = "x86_64")]
    match Backend::active() {
        // SAFETY: both say that the processor has the instructions.
        #[allow(unsafe_code, reason = "calls code for an instruction set that was found at run time")]
        Backend::Avx512 if avx512::is_available() => return unsafe { avx512::expand(key, keys) },
        // SAFETY: the active back end is available, and AVX-512 includes AVX2.
        #[allow(unsafe_code, reason = "calls code for an instruction set that was found at run time")]
        Backend::Avx512 | Backend::Avx2 => return unsafe { avx2::expand(key, keys) },
        Backend::Portable => {}
    }
    key_schedule::expand(key, keys);
}

/// Runs independent blocks through the passes of a key each.
fn crypt<const PASSES: usize, const BLOCKS: usize>(
    keys: [&BlockKeys<PASSES>; BLOCKS],
    direction: Direction,
    blocks: &mut [[u8; 8]; BLOCKS],
) {
    #[cfg(target_arch = "x86_64")]
    match Backend::active() {
        // SAFETY: both say that the processor has the instructions.
        #[allow(unsafe_code, reason = "calls code for an instruction set that was found at run time")]
        Backend::Avx512 if avx512::is_available() => {
            return unsafe { avx512::crypt(keys, direction, blocks) };
        }
        // SAFETY: the active back end is available, and AVX-512 includes AVX2.
        #[allow(unsafe_code, reason = "calls code for an instruction set that was found at run time")]
        Backend::Avx512 | Backend::Avx2 => return unsafe { avx2::crypt(keys, direction, blocks) },
        Backend::Portable => {}
    }
    for (keys, block) in keys.into_iter().zip(blocks) {
        portable::crypt::<portable::Native, PASSES>(keys, direction, block);
    }
}
