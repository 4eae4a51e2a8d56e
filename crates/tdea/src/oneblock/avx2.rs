//! The AVX2 form: the eight S-boxes in eight lanes of 32 bits.
//!
//! A lane keeps the six bits that E picks for its S-box from a half of the block. E and XOR change places, so E is applied
//! to what `f` gives, never to the halves. `vpsrlvd` answers zero for a count above 31: of the two halves of a truth
//! table, one shifted by `x` and one by `x ^ 32`, only the right one answers. The 32 output bits stand in four vectors,
//! arranged so that six permutations across the lanes fetch E of P of them: each brings every lane one bit.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "constant tables at lanes below 8; vectors are signed by name only"
)]

use core::arch::x86_64::*;

use super::permute::{join, split};
use super::tables::{BOX_OF_LANE, E_TURN, KEY_BIT, P_PLACE, TRUTH};
use super::{BlockKeys, Direction, ROUNDS, RoundKeys};

/// In which of four vectors each output bit of S1 to S8 stands: those that E doubles in the first two, the others in the
/// last two, so that each lane needs two bits from either of the first and one from either of the last.
const VECTOR: [[usize; 4]; 8] = [
    [0, 1, 2, 3],
    [0, 1, 2, 3],
    [1, 0, 2, 3],
    [3, 0, 2, 1],
    [1, 2, 0, 3],
    [1, 0, 3, 2],
    [0, 1, 3, 2],
    [0, 2, 3, 1],
];

/// Halves of the truth tables by vector and lane: for inputs below 32, and from 32.
const TABLES: [[[u32; 8]; 2]; 4] = {
    let mut tables = [[[0; 8]; 2]; 4];
    let mut index = 0;
    while index < 32 {
        let (lane, bit) = (index / 4, index % 4);
        let truth = TRUTH[lane][bit];
        let vector = VECTOR[BOX_OF_LANE[lane]][bit];
        tables[vector][0][lane] = truth as u32;
        tables[vector][1][lane] = (truth >> 32) as u32;
        index += 1;
    }
    tables
};

/// The vector that each of the six permutations reads.
const READS: [usize; 6] = [0, 0, 1, 1, 2, 3];

/// For each permutation the lane that a lane reads, and the place of the bit among the reader's six.
const ROUTES: [[[u32; 8]; 2]; 6] = {
    const FREE: u32 = u32::MAX;
    let mut routes = [[[FREE; 8]; 2]; 6];
    let mut index = 0;
    while index < 48 {
        let (lane, place) = (index / 6, index % 6);
        // The place in R of this bit of the lane's six, and the output bit that P sends there.
        let in_half = (E_TURN[lane] + place as u32) % 32;
        let mut from = 0;
        while P_PLACE[from / 4][from % 4] != in_half {
            from += 1;
        }
        let vector = VECTOR[BOX_OF_LANE[from / 4]][from % 4];
        let mut route = 0;
        while READS[route] != vector || routes[route][0][lane] != FREE {
            route += 1;
        }
        routes[route][0][lane] = from as u32 / 4;
        routes[route][1][lane] = place as u32;
        index += 1;
    }
    routes
};

#[inline]
#[target_feature(enable = "avx2")]
fn load<T, const N: usize>(words: &[T; N]) -> __m256i {
    const { assert!(size_of::<[T; N]>() == 32, "as long as a vector") };
    // SAFETY: the array is 32 bytes long, and the load asks for no alignment.
    #[allow(unsafe_code, reason = "the instruction takes a pointer")]
    unsafe {
        _mm256_loadu_si256(words.as_ptr().cast())
    }
}

/// Shifts each lane right by a count of its own; one above 31 leaves zero.
///
/// Spelled out, because the compiler takes the intrinsic apart into a shift, a comparison and a choice, and does not
/// find back.
#[inline]
#[target_feature(enable = "avx2")]
fn shift_right(words: __m256i, counts: __m256i) -> __m256i {
    let shifted;
    // SAFETY: the instruction is part of AVX2, reads and writes the named registers alone and sets no flag.
    #[allow(unsafe_code, reason = "inline assembly")]
    unsafe {
        core::arch::asm!(
            "vpsrlvd {shifted}, {words}, {counts}",
            shifted = lateout(ymm_reg) shifted,
            words = in(ymm_reg) words,
            counts = in(ymm_reg) counts,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    shifted
}

/// The tables as vectors.
struct Tables {
    truth: [[__m256i; 2]; 4],
    routes: [[__m256i; 2]; 6],
}

impl Tables {
    #[inline]
    #[target_feature(enable = "avx2")]
    fn new() -> Self {
        let zero = _mm256_setzero_si256();
        let mut tables = Self { truth: [[zero; 2]; 4], routes: [[zero; 2]; 6] };
        for (vectors, words) in tables.truth.iter_mut().zip(&TABLES) {
            *vectors = [load(&words[0]), load(&words[1])];
        }
        for (vectors, words) in tables.routes.iter_mut().zip(&ROUTES) {
            *vectors = [load(&words[0]), load(&words[1])];
        }
        tables
    }

    /// E of what `f` gives for the S-boxes' inputs, as [`keyed`] has them.
    #[inline]
    #[target_feature(enable = "avx2")]
    fn f(&self, [x, x_upper]: [__m256i; 2]) -> __m256i {
        let mut outputs = [_mm256_setzero_si256(); 4];
        for (output, [low, high]) in outputs.iter_mut().zip(self.truth) {
            let answer = _mm256_or_si256(shift_right(low, x), shift_right(high, x_upper));
            *output = _mm256_and_si256(answer, _mm256_set1_epi32(1));
        }
        let fetch = |route: usize| {
            let [lanes, places] = self.routes[route];
            _mm256_sllv_epi32(_mm256_permutevar8x32_epi32(outputs[READS[route]], lanes), places)
        };
        let first = _mm256_or_si256(fetch(0), fetch(1));
        let second = _mm256_or_si256(fetch(2), fetch(3));
        let third = _mm256_or_si256(fetch(4), fetch(5));
        _mm256_or_si256(_mm256_or_si256(first, second), third)
    }
}

/// What the S-boxes see of a half of the block under a round key: whole, and with the top bit of the six turned over.
#[inline]
#[target_feature(enable = "avx2")]
fn keyed(half: __m256i, key: u64) -> [__m256i; 2] {
    let x = _mm256_xor_si256(half, _mm256_cvtepu8_epi32(_mm_cvtsi64_si128(key as i64)));
    [x, _mm256_xor_si256(x, _mm256_set1_epi32(32))]
}

#[inline]
#[target_feature(enable = "avx2")]
fn xor_both([a, b]: [__m256i; 2], c: __m256i) -> [__m256i; 2] {
    [_mm256_xor_si256(a, c), _mm256_xor_si256(b, c)]
}

/// Gives each lane its six bits of a half of the block.
#[inline]
#[target_feature(enable = "avx2")]
fn expand_half(half: u32) -> __m256i {
    let (word, turns) = (_mm256_set1_epi32(half as i32), load(&E_TURN));
    let lower = _mm256_srlv_epi32(word, turns);
    let upper = _mm256_sllv_epi32(word, _mm256_sub_epi32(_mm256_set1_epi32(32), turns));
    _mm256_and_si256(_mm256_or_si256(lower, upper), _mm256_set1_epi32(0x3F))
}

/// ORs all lanes together, into every lane.
#[inline]
#[target_feature(enable = "avx2")]
fn gather(lanes: __m256i) -> __m256i {
    let lanes = _mm256_or_si256(lanes, _mm256_permute2x128_si256::<1>(lanes, lanes));
    let lanes = _mm256_or_si256(lanes, _mm256_shuffle_epi32::<0b01_00_11_10>(lanes));
    _mm256_or_si256(lanes, _mm256_shuffle_epi32::<0b10_11_00_01>(lanes))
}

/// Takes a half of the block back from its lanes: the middle four of a lane's six bits are its own.
#[inline]
#[target_feature(enable = "avx2")]
fn contract(half: __m256i) -> u32 {
    let nibbles = _mm256_and_si256(_mm256_srli_epi32::<1>(half), _mm256_set1_epi32(0xF));
    let places = _mm256_add_epi32(load(&E_TURN), _mm256_set1_epi32(1));
    let placed = _mm256_sllv_epi32(nibbles, _mm256_and_si256(places, _mm256_set1_epi32(31)));
    _mm256_cvtsi256_si32(gather(placed)) as u32
}

/// Runs independent blocks through the passes of a key each.
#[target_feature(enable = "avx2")]
pub(super) fn crypt<const PASSES: usize, const BLOCKS: usize>(
    keys: [&BlockKeys<PASSES>; BLOCKS],
    direction: Direction,
    blocks: &mut [[u8; 8]; BLOCKS],
) {
    let tables = Tables::new();
    // Loops, not `map`: what is handed to a function without the instructions is not inlined into it.
    let mut left = [_mm256_setzero_si256(); BLOCKS];
    let mut right = left;
    let mut x = [[_mm256_setzero_si256(); 2]; BLOCKS];
    for b in 0..BLOCKS {
        let (l, r) = split(blocks[b]);
        (left[b], right[b]) = (expand_half(l), expand_half(r));
    }
    for pass in 0..PASSES {
        for b in 0..BLOCKS {
            x[b] = keyed(right[b], keys[b].at(direction, pass, 0));
        }
        for round in 0..ROUNDS {
            for b in 0..BLOCKS {
                let f = tables.f(x[b]);
                // The next input, with the key already in the left half: one XOR from `f`. After the last round of a
                // pass it is not used.
                let next = keys[b].at(direction, pass, (round + 1) % ROUNDS);
                x[b] = xor_both(keyed(left[b], next), f);
                (left[b], right[b]) = (right[b], _mm256_xor_si256(left[b], f));
            }
        }
        (left, right) = (right, left);
    }
    for (b, block) in blocks.iter_mut().enumerate() {
        *block = join(contract(left[b]), contract(right[b]));
    }
}

/// For each round, which byte of the key and which bit of it makes each bit of the round key.
const KEY_BYTE: Picks = key_bits().0;
const KEY_MASK: Picks = key_bits().1;

/// By round, by half of the round key, by bit.
type Picks = [[[u8; 32]; 2]; 16];

const fn key_bits() -> (Picks, Picks) {
    // The upper two bits of each lane: byte 0x80 is zero, which never equals its mask.
    let (mut bytes, mut masks) = ([[[0x80; 32]; 2]; 16], [[[1; 32]; 2]; 16]);
    let mut index = 0;
    while index < 16 * 48 {
        let (round, lane, bit) = (index / 48, index / 6 % 8, index % 6);
        let (half, at) = (lane / 4, 8 * (lane % 4) + bit);
        let from = KEY_BIT[round][lane][bit];
        bytes[round][half][at] = from / 8;
        masks[round][half][at] = 1 << (from % 8);
        index += 1;
    }
    (bytes, masks)
}

/// Writes the sixteen round keys of `key`: a byte for each bit, picked, tested and packed.
#[target_feature(enable = "avx2")]
pub(super) fn expand(key: u64, keys: &mut RoundKeys) {
    let key = _mm256_set1_epi64x(key as i64);
    for ((round_key, bytes), masks) in keys.iter_mut().zip(&KEY_BYTE).zip(&KEY_MASK) {
        *round_key = pick(key, &bytes[0], &masks[0]) | pick(key, &bytes[1], &masks[1]) << 32;
    }
}

/// Half a round key: which of the bytes picked from the key have their bit set.
#[inline]
#[target_feature(enable = "avx2")]
fn pick(key: __m256i, bytes: &[u8; 32], masks: &[u8; 32]) -> u64 {
    let masks = load(masks);
    let picked = _mm256_and_si256(_mm256_shuffle_epi8(key, load(bytes)), masks);
    u64::from(_mm256_movemask_epi8(_mm256_cmpeq_epi8(picked, masks)) as u32)
}
