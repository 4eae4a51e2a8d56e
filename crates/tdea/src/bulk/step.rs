//! One step of a non-reversible key generation: two DES that run side by side.
//!
//! Neither waits for the other, so the processor always finds gates that it can run. They work in one compact buffer, which one register
//! points to.

#![allow(clippy::indexing_slicing, reason = "indexes are constants or public tables")]

use super::kernel::{INVERTED_HALF, halves, rotated, round};
use super::order::{KEY_PLANES, PLANE_OF_BIT, ROTATIONS};
use super::word::Word;

/// Words of the buffer that a step works in: two values of 64, two keys of 112.
pub(super) const STEP_WORDS: usize = 2 * 64 + 2 * 112;

/// XORed onto each half of the key for the left half of the next one.
const VARIANT: u64 = u64::from_le_bytes([0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0]);

/// Runs the body once for each number, which is a constant in it.
macro_rules! unrolled {
    ($index:ident in 0..56 $body:block) => {
        unrolled!($index [0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27] $body);
        unrolled!($index [28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55] $body);
    };
    ($index:ident in 0..64 $body:block) => {
        unrolled!($index in 0..56 $body);
        unrolled!($index [56 57 58 59 60 61 62 63] $body);
    };
    ($index:ident [$($number:literal)*] $body:block) => {$({
        const $index: usize = $number;
        $body
    })*};
}

/// In the lanes of `moved`, with the key `L || R` and the mask `V`:
/// `L, R = E(L ^ V)[register ^ R ^ V] ^ R ^ V, E(L)[register ^ R] ^ R`.
#[inline(always)]
pub(super) fn step<W: Word>(
    left: &mut [W; 64],
    right: &mut [W; 64],
    register: &[W; 64],
    moved: &W,
    buffer: &mut [W; STEP_WORDS],
) {
    let (values, keys) = buffer.split_at_mut(2 * 64);
    let [next_left, next_right] = values.as_chunks_mut::<64>().0 else { unreachable!("two values") };
    let [varied_key, key] = keys.as_chunks_mut::<112>().0 else { unreachable!("two keys") };
    unrolled!(BIT in 0..56 {
        const PLANE: usize = KEY_PLANES[BIT] as usize;
        // The registers C and D stand twice in a row.
        const ONCE: usize = BIT + BIT / 28 * 28;
        let bit = left[PLANE];
        let varied = inverted_if(VARIED[PLANE], bit);
        [key[ONCE], key[ONCE + 28]] = [bit; 2];
        [varied_key[ONCE], varied_key[ONCE + 28]] = [varied; 2];
    });
    unrolled!(PLANE in 0..64 {
        let value = register[PLANE].xor(right[PLANE]);
        next_right[PLANE] = inverted_if(inside::<W>(PLANE), value);
        next_left[PLANE] = inverted_if(inside::<W>(PLANE) ^ VARIED[PLANE], value);
    });
    encrypt_two([next_left, next_right], [varied_key, key]);
    unrolled!(PLANE in 0..64 {
        // The halves come out swapped.
        const OUT: usize = (PLANE + 32) % 64;
        let change = next_left[OUT].xor3(left[PLANE], right[PLANE]);
        left[PLANE] = left[PLANE].xor(masked(moved, inside::<W>(PLANE) ^ VARIED[PLANE], change));
        right[PLANE] = right[PLANE].xor(masked(moved, inside::<W>(PLANE), next_right[OUT]));
    });
}

/// DES in two batches at once, round by round.
#[inline(always)]
fn encrypt_two<W: Word>([one, other]: [&mut [W; 64]; 2], [one_key, other_key]: [&[W; 112]; 2]) {
    let (left, right) = halves(one);
    let (other_left, other_right) = halves(other);
    for [odd, even] in ROTATIONS.as_chunks::<2>().0 {
        round(left, right, &rotated(one_key, *odd));
        round(other_left, other_right, &rotated(other_key, *odd));
        round(right, left, &rotated(one_key, *even));
        round(other_right, other_left, &rotated(other_key, *even));
    }
}

/// The planes of a block that the variant inverts.
const VARIED: [bool; 64] = {
    let mut varied = [false; 64];
    let mut bit = 0;
    while bit < 64 {
        varied[PLANE_OF_BIT[bit] as usize] = VARIANT >> bit & 1 == 1;
        bit += 1;
    }
    varied
};

/// Whether the rounds keep a plane inverted.
#[inline(always)]
const fn inside<W: Word>(plane: usize) -> bool {
    !W::TERNARY && INVERTED_HALF[plane % 32]
}

#[inline(always)]
fn inverted_if<W: Word>(inverted: bool, value: W) -> W {
    if inverted { value.not() } else { value }
}

/// `value`, or its inverse, in the lanes of `mask`; zero in the others.
#[inline(always)]
fn masked<W: Word>(mask: &W, inverted: bool, value: W) -> W {
    if inverted { mask.and_not(value) } else { mask.and(value) }
}
