//! The portable form: integer registers alone.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "constant tables at lanes below 8; a word is cut where its lower half is meant"
)]

use super::permute::{join, split};
use super::tables::{P_PLACE, TRUTH};
use super::{BlockKeys, Direction};

/// How the truth tables are shifted.
pub(super) trait Lookup {
    /// The S-box of `lane` at the lowest six bits of `x`: its output bits where P sends them.
    fn s_box(lane: usize, x: u32) -> u32;
}

/// Turns a whole truth table: for targets that rotate 64 bits by a variable without a branch.
#[allow(dead_code, reason = "one of the two serves the target, tests run both")]
pub(super) struct Wide;

/// Chooses half a truth table by a mask and turns that: on 32-bit targets a compiler may branch on the count of a 64-bit
/// shift.
#[allow(dead_code, reason = "one of the two serves the target, tests run both")]
pub(super) struct Narrow;

/// The one for this target. `--cfg cardroot_backend="portable32"` takes the narrow one anywhere.
#[cfg(all(target_pointer_width = "64", not(cardroot_backend = "portable32")))]
pub(super) type Native = Wide;
#[cfg(not(all(target_pointer_width = "64", not(cardroot_backend = "portable32"))))]
pub(super) type Native = Narrow;

impl Lookup for Wide {
    #[inline(always)]
    fn s_box(lane: usize, x: u32) -> u32 {
        /// Turned left, so that turning right by the input brings the answer to its place.
        const TABLES: [[u64; 4]; 8] = {
            let mut tables = TRUTH;
            let mut index = 0;
            while index < 32 {
                let (lane, bit) = (index / 4, index % 4);
                tables[lane][bit] = TRUTH[lane][bit].rotate_left(P_PLACE[lane][bit]);
                index += 1;
            }
            tables
        };
        let turned = |bit: usize| (TABLES[lane][bit].rotate_right(x) as u32) & (1 << P_PLACE[lane][bit]);
        turned(0) | turned(1) | turned(2) | turned(3)
    }
}

impl Lookup for Narrow {
    #[inline(always)]
    fn s_box(lane: usize, x: u32) -> u32 {
        // All ones for an input of the upper half.
        let upper = (x >> 5 & 1).wrapping_neg();
        let turned = |bit: usize| {
            let table = TRUTH[lane][bit];
            let (low, high) = (table as u32, (table >> 32) as u32);
            let place = P_PLACE[lane][bit];
            let half = low.rotate_left(place) ^ (upper & (low ^ high).rotate_left(place));
            half.rotate_right(x) & (1 << place)
        };
        turned(0) | turned(1) | turned(2) | turned(3)
    }
}

/// `f(R, K)`.
#[inline(always)]
fn f<L: Lookup>(right: u32, key: u64) -> u32 {
    // Every second group of E lies eight bits further: two rotations put all of them at the foot of their bytes. The
    // two bits above each are no part of the input and do no harm.
    let (near, far) = (right.rotate_right(3) ^ (key as u32), right.rotate_left(1) ^ ((key >> 32) as u32));
    L::s_box(0, near)
        | L::s_box(1, near >> 8)
        | L::s_box(2, near >> 16)
        | L::s_box(3, near >> 24)
        | L::s_box(4, far)
        | L::s_box(5, far >> 8)
        | L::s_box(6, far >> 16)
        | L::s_box(7, far >> 24)
}

/// Runs `block` through the passes of `keys`.
pub(super) fn crypt<L: Lookup, const PASSES: usize>(
    keys: &BlockKeys<PASSES>,
    direction: Direction,
    block: &mut [u8; 8],
) {
    let (mut left, mut right) = split(*block);
    for pass in 0..PASSES {
        for pair in 0..8 {
            left ^= f::<L>(right, keys.at(direction, pass, 2 * pair));
            right ^= f::<L>(left, keys.at(direction, pass, 2 * pair + 1));
        }
        // The last round of a pass does not exchange the halves; the permutations between passes undo each other.
        (left, right) = (right, left);
    }
    *block = join(left, right);
}
