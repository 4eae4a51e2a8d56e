//! What every back end does, for any word. Nothing here branches on data or indexes by it.
//!
//! All functions here and in `step` are inlined into the entry points of the back ends, which are compiled for their instructions.

#![allow(clippy::indexing_slicing, reason = "indexes are constants or public tables")]

use core::sync::atomic::{Ordering, compiler_fence};

use super::Direction;
use super::circuits::{lut3_pair, plain};
use super::order::{KEY_PLANES, PLANE_OF_BIT, ROTATIONS, ROUND_KEY_BITS, TARGETS, key_bit};
use super::word::Word;

/// Transposes one block of each lane into planes. Lane `i` sits in bit `i / WORDS` of `u64` number `i % WORDS`, so that a row of
/// the bit matrix is read in one piece.
#[inline(always)]
pub(super) fn load<W: Word>(blocks: &[[u8; 8]], planes: &mut [W; 64]) {
    let mut rows = [W::splat(0); 64];
    for first in 0..8 {
        let mut group = [W::splat(0); 8];
        for (index, word) in group.iter_mut().enumerate() {
            *word = W::load(&blocks[(first + 8 * index) * W::WORDS..]);
        }
        let group = swap_far(group);
        for (index, word) in group.into_iter().enumerate() {
            rows[first + 8 * index] = word;
        }
    }
    for first in (0..64).step_by(8) {
        let group = swap_near(*rows[first..].first_chunk().expect("rows come in eights"));
        for (index, word) in group.into_iter().enumerate() {
            planes[usize::from(PLANE_OF_BIT[first + index])] = word;
        }
    }
}

/// Transposes planes back into one block of each lane.
#[inline(always)]
pub(super) fn store<W: Word>(planes: &[W; 64], blocks: &mut [[u8; 8]]) {
    let mut rows = [W::splat(0); 64];
    for first in (0..64).step_by(8) {
        let mut group = [W::splat(0); 8];
        for (index, word) in group.iter_mut().enumerate() {
            *word = planes[usize::from(PLANE_OF_BIT[first + index])];
        }
        let group = swap_near(group);
        *rows[first..].first_chunk_mut().expect("rows come in eights") = group;
    }
    for first in 0..8 {
        let mut group = [W::splat(0); 8];
        for (index, word) in group.iter_mut().enumerate() {
            *word = rows[first + 8 * index];
        }
        let group = swap_far(group);
        for (index, word) in group.into_iter().enumerate() {
            word.store(&mut blocks[(first + 8 * index) * W::WORDS..]);
        }
    }
}

/// The three coarse steps of the transposition, on rows that are 8 apart.
#[inline(always)]
fn swap_far<W: Word>(rows: [W; 8]) -> [W; 8] {
    let rows = swap::<W, 32>(rows, 4, 0x0000_0000_FFFF_FFFF);
    let rows = swap::<W, 16>(rows, 2, 0x0000_FFFF_0000_FFFF);
    swap::<W, 8>(rows, 1, 0x00FF_00FF_00FF_00FF)
}

/// The three fine steps, on neighbouring rows.
#[inline(always)]
fn swap_near<W: Word>(rows: [W; 8]) -> [W; 8] {
    let rows = swap::<W, 4>(rows, 4, 0x0F0F_0F0F_0F0F_0F0F);
    let rows = swap::<W, 2>(rows, 2, 0x3333_3333_3333_3333);
    swap::<W, 1>(rows, 1, 0x5555_5555_5555_5555)
}

/// Swaps the high part of each row with the low part of the row `distance` further on.
#[inline(always)]
fn swap<W: Word, const BITS: u32>(mut rows: [W; 8], distance: usize, low: u64) -> [W; 8] {
    let low = W::splat(low);
    for index in 0..8 {
        if index & distance == 0 {
            let (one, other) = (rows[index], rows[index + distance]);
            rows[index] = low.select(one, other.shl::<BITS>());
            rows[index + distance] = low.select(one.shr::<BITS>(), other);
        }
    }
    rows
}

/// Turns the planes of a key batch, XORed with `mask`, into the registers C and D, each twice in a row: a rotated register is
/// a slice of it.
#[inline(always)]
pub(super) fn expand_keys<W: Word>(planes: &[W; 64], mask: u64, key: &mut [W; 112]) {
    for (half, registers) in key.chunks_exact_mut(56).enumerate() {
        let (once, twice) = registers.split_at_mut(28);
        for (index, (once, twice)) in once.iter_mut().zip(twice).enumerate() {
            let plane = usize::from(KEY_PLANES[28 * half + index]);
            let flip = 0_u64.wrapping_sub((mask >> key_bit(28 * half + index)) & 1);
            *once = planes[plane].xor(W::splat(flip));
            *twice = *once;
        }
    }
}

/// Inverts bits of C and D, counted from the first of C, in every lane.
#[inline(always)]
pub(super) fn invert_key_bits<W: Word>(registers: &mut [W; 112], bits: &[u8]) {
    for bit in bits {
        let once = usize::from(*bit) + usize::from(*bit) / 28 * 28;
        registers[once] = registers[once].not();
        registers[once + 28] = registers[once];
    }
}

/// Turns one key into the registers C and D of every lane.
#[inline(always)]
pub(super) fn splat_key<W: Word>(key: u64, registers: &mut [W; 112]) {
    for (half, registers) in registers.chunks_exact_mut(56).enumerate() {
        let (once, twice) = registers.split_at_mut(28);
        for (index, (once, twice)) in once.iter_mut().zip(twice).enumerate() {
            let bit = 0_u64.wrapping_sub((key >> key_bit(28 * half + index)) & 1);
            *once = W::splat(bit);
            *twice = *once;
        }
    }
}

/// The rounds of one DES after the other.
#[inline(always)]
pub(super) fn rounds<'a, W: Word + 'a>(
    planes: &mut [W; 64],
    stages: impl ExactSizeIterator<Item = (&'a [W; 112], Direction)>,
) {
    let odd_stages = !stages.len().is_multiple_of(2);
    let (left, right) = halves(planes);
    let (mut left, mut right) = (left, right);
    invert_for_circuits(left);
    invert_for_circuits(right);
    for (key, direction) in stages {
        des(left, right, key, direction);
        core::mem::swap(&mut left, &mut right);
    }
    if odd_stages {
        core::mem::swap(left, right);
    }
    invert_for_circuits(left);
    invert_for_circuits(right);
}

/// Inverts the bits of a half block that the rounds keep inverted, before the first of them and after the last.
#[inline(always)]
fn invert_for_circuits<W: Word>(half: &mut [W; 32]) {
    if !W::TERNARY {
        for (plane, _) in half.iter_mut().zip(INVERTED_HALF).filter(|(_, inverted)| *inverted) {
            *plane = plane.not();
        }
    }
}

/// The bits of a half block that the circuits of two-input gates want inverted.
pub(super) const INVERTED_HALF: [bool; 32] = {
    let mut half = [false; 32];
    let mut bit = 0;
    while bit < 32 {
        // A box reads its own four bits with its inner inputs.
        half[bit] = plain::INVERTED_INPUTS[bit / 4] >> (4 - bit % 4) & 1 == 1;
        bit += 1;
    }
    half
};

/// Sixteen rounds. The halves of the result are swapped.
#[inline(always)]
fn des<W: Word>(left: &mut [W; 32], right: &mut [W; 32], key: &[W; 112], direction: Direction) {
    for pair in 0..8 {
        let (odd, even) = match direction {
            Direction::Encrypt => (ROTATIONS[2 * pair], ROTATIONS[2 * pair + 1]),
            Direction::Decrypt => (ROTATIONS[15 - 2 * pair], ROTATIONS[14 - 2 * pair]),
        };
        round(left, right, &rotated(key, odd));
        round(right, left, &rotated(key, even));
    }
}

/// `out = a ^ b`
#[inline(always)]
pub(super) fn set_xor<W: Word>(out: &mut [W; 64], a: &[W; 64], b: &[W; 64]) {
    for (out, (a, b)) in out.iter_mut().zip(a.iter().zip(b)) {
        *out = a.xor(*b);
    }
}

/// XORs a block, as a little-endian number, onto every lane.
#[inline(always)]
pub(super) fn xor_value<W: Word>(planes: &mut [W; 64], value: u64) {
    for (bit, plane) in PLANE_OF_BIT.iter().enumerate() {
        let plane = &mut planes[usize::from(*plane)];
        *plane = plane.xor(W::splat(0_u64.wrapping_sub((value >> bit) & 1)));
    }
}

/// Takes the value of `other` in the lanes of `mask`.
#[inline(always)]
pub(super) fn select<W: Word>(planes: &mut [W; 64], mask: &W, other: &[W; 64]) {
    for (plane, other) in planes.iter_mut().zip(other) {
        *plane = mask.select(*other, *plane);
    }
}

/// In each lane moves the highest one among the `low_bits` lowest bits, as FIPS 46-3 counts them from the right.
#[inline(always)]
pub(super) fn move_highest_bit<W: Word>(from: &mut [W; 64], to: &mut [W; 64], low_bits: u32, moved: &mut W) {
    let mut found = W::splat(0);
    for bit in (0..low_bits.min(64)).rev() {
        // Of a block as a little-endian number, the last byte is the highest.
        let plane = usize::from(PLANE_OF_BIT[(bit ^ 0b11_1000) as usize]);
        let highest = from[plane].and_not(found);
        from[plane] = from[plane].and(found);
        to[plane] = to[plane].or(highest);
        found = found.or(highest);
    }
    *moved = found;
}

#[inline(always)]
pub(super) fn halves<W>(planes: &mut [W; 64]) -> (&mut [W; 32], &mut [W; 32]) {
    match planes.as_chunks_mut().0 {
        [left, right] => (left, right),
        _ => unreachable!("64 planes are two halves"),
    }
}

/// The registers C and D as one round sees them.
#[inline(always)]
pub(super) fn rotated<W>(key: &[W; 112], by: u8) -> [&[W; 28]; 2] {
    let by = usize::from(by);
    [0, 56].map(|register| key[register + by..].first_chunk().expect("a register is there twice"))
}

/// `left ^= f(right, key)`
#[inline(always)]
pub(super) fn round<W: Word>(left: &mut [W; 32], right: &[W; 32], key: &[&[W; 28]; 2]) {
    macro_rules! boxes {
        ($($box:literal $name:ident),*) => {$({
            let inputs = [
                keyed(right, key, (4 * $box + 31) % 32, 6 * $box),
                keyed(right, key, 4 * $box, 6 * $box + 1),
                keyed(right, key, 4 * $box + 1, 6 * $box + 2),
                keyed(right, key, 4 * $box + 2, 6 * $box + 3),
                keyed(right, key, 4 * $box + 3, 6 * $box + 4),
                keyed(right, key, (4 * $box + 4) % 32, 6 * $box + 5),
            ];
            let targets = [
                usize::from(TARGETS[4 * $box]),
                usize::from(TARGETS[4 * $box + 1]),
                usize::from(TARGETS[4 * $box + 2]),
                usize::from(TARGETS[4 * $box + 3]),
            ];
            if W::TERNARY {
                let before = targets.map(|target| left[target]);
                let after = lut3_pair::$name(inputs, before);
                left[targets[0]] = after[0];
                left[targets[1]] = after[1];
                left[targets[2]] = after[2];
                left[targets[3]] = after[3];
            } else {
                plain::$name(inputs, |bit, value| {
                    let inverted = plain::INVERTED_OUTPUTS[$box] >> (3 - bit) & 1 == 1;
                    let value = if inverted { value.not() } else { value };
                    left[targets[bit]] = left[targets[bit]].xor(value);
                });
            }
            keep_order();
        })*};
    }
    // In this order no box of the next round soon needs what a late one of this round puts out.
    boxes!(0 s1, 4 s5, 1 s2, 7 s8, 5 s6, 3 s4, 6 s7, 2 s3);
}

#[inline(always)]
fn keyed<W: Word>(right: &[W; 32], key: &[&[W; 28]; 2], bit: usize, slot: usize) -> W {
    let index = usize::from(ROUND_KEY_BITS[slot]);
    right[bit].xor(key[index / 28][index % 28])
}

/// Keeps the compiler from loading the inputs of the next boxes early, which would spill the gates of this one.
#[inline(always)]
fn keep_order() {
    compiler_fence(Ordering::SeqCst);
}
