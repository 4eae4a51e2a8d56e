//! The AVX-512 form: the eight S-boxes in eight lanes of 64 bits, a whole truth table in each.
//!
//! As in the AVX2 form a lane keeps the six bits that E picks, and E is applied to what `f` gives. `vprorvq` looks at the
//! lowest six bits of its count alone. A byte permutation then fetches the six output bits that belong to a lane, one a
//! byte, and one bit-matrix product packs them.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_sign_loss,
    reason = "constant tables at lanes below 8; vectors are signed by name only"
)]

use core::arch::x86_64::*;

use super::permute::{join, split};
use super::tables::{E_TURN, KEY_BIT, P_PLACE, TRUTH};
use super::{BlockKeys, Direction, ROUNDS, RoundKeys};

cpufeatures::new!(supported, "avx512f", "avx512bw", "avx512vbmi", "avx512bitalg", "gfni");

/// Whether this processor has what the form needs beyond the sets that [`Backend::Avx512`](crate::Backend) names.
pub(super) fn is_available() -> bool {
    supported::get()
}

/// Truth tables by output bit and lane, turned so that the answer of bit `bit` comes to byte `bit`, its lowest bit.
const TABLES: [[u64; 8]; 4] = {
    let mut tables = [[0; 8]; 4];
    let mut index = 0;
    while index < 32 {
        let (lane, bit) = (index / 4, index % 4);
        tables[bit][lane] = TRUTH[lane][bit].rotate_left(8 * bit as u32);
        index += 1;
    }
    tables
};

/// For each lane the bytes that hold its six bits of E of P of the output, in the order in which the matrix product
/// takes rows: the lowest bit of its result comes from byte 7.
const FETCH: [u64; 8] = {
    let mut fetch = [0; 8];
    let mut index = 0;
    while index < 48 {
        let (lane, bit) = (index / 6, index % 6);
        // The place in R of this bit of the lane's six.
        let place = (E_TURN[lane] + bit as u32) % 32;
        let mut from = 0;
        while P_PLACE[from / 4][from % 4] != place {
            from += 1;
        }
        let byte = 8 * (from / 4) + from % 4;
        fetch[lane] |= (byte as u64) << (8 * (7 - bit));
        index += 1;
    }
    fetch
};

/// [`E_TURN`] in lanes of 64 bits.
const TURNS: [u64; 8] = {
    let mut turns = [0; 8];
    let mut lane = 0;
    while lane < 8 {
        turns[lane] = E_TURN[lane] as u64;
        lane += 1;
    }
    turns
};

#[inline]
#[target_feature(enable = "avx512f")]
fn load(words: &[u64; 8]) -> __m512i {
    // SAFETY: the array is 64 bytes long, and the load asks for no alignment.
    #[allow(unsafe_code, reason = "the instruction takes a pointer")]
    unsafe {
        _mm512_loadu_si512(words.as_ptr().cast())
    }
}

/// Takes the bits of `a` where `mask` has ones, of `b` elsewhere.
#[inline]
#[target_feature(enable = "avx512f")]
fn select(mask: __m512i, a: __m512i, b: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xCA>(mask, a, b)
}

/// The vectors that stay in registers.
struct Tables {
    truth: [__m512i; 4],
    fetch: __m512i,
    /// Ones in the lowest byte of every word of 16 bits.
    even: __m512i,
    /// Ones in the lower half of every word of 32 bits.
    low: __m512i,
    /// The vector that the matrix product multiplies: picks the lowest bit of each row, into the lowest byte alone.
    pack: __m512i,
}

impl Tables {
    #[inline]
    #[target_feature(enable = "avx512f")]
    fn new() -> Self {
        Self {
            truth: [load(&TABLES[0]), load(&TABLES[1]), load(&TABLES[2]), load(&TABLES[3])],
            fetch: load(&FETCH),
            even: _mm512_set1_epi64(0x00FF_00FF_00FF_00FF),
            low: _mm512_set1_epi64(0x0000_FFFF_0000_FFFF),
            pack: _mm512_set1_epi64(1),
        }
    }

    /// E of what `f` gives for the S-boxes' inputs `x`.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
    fn f(&self, x: __m512i) -> __m512i {
        let [t0, t1, t2, t3] = self.truth;
        let outer = select(self.even, _mm512_rorv_epi64(t0, x), _mm512_rorv_epi64(t1, x));
        let inner = select(self.even, _mm512_rorv_epi64(t2, x), _mm512_rorv_epi64(t3, x));
        let bits = select(self.low, outer, inner);
        _mm512_gf2p8affine_epi64_epi8::<0>(self.pack, _mm512_permutexvar_epi8(self.fetch, bits))
    }
}

/// What the S-boxes see of a half of the block under a round key.
#[inline]
#[target_feature(enable = "avx512f")]
fn keyed(half: __m512i, key: u64) -> __m512i {
    _mm512_xor_si512(half, _mm512_cvtepu8_epi64(_mm_cvtsi64_si128(key as i64)))
}

/// Gives each lane its six bits of a half of the block.
#[inline]
#[target_feature(enable = "avx512f")]
fn expand_half(half: u32) -> __m512i {
    let turned = _mm512_rorv_epi32(_mm512_set1_epi32(half as i32), load(&TURNS));
    _mm512_and_si512(turned, _mm512_set1_epi64(0x3F))
}

/// Moves the middle four of a lane's six bits, which are its own, to their place in a half of the block.
#[inline]
#[target_feature(enable = "avx512f")]
fn contract(half: __m512i) -> __m512i {
    let nibbles = _mm512_and_si512(_mm512_srli_epi64::<1>(half), _mm512_set1_epi64(0xF));
    let places = _mm512_add_epi64(load(&TURNS), _mm512_set1_epi64(1));
    _mm512_sllv_epi64(nibbles, _mm512_and_si512(places, _mm512_set1_epi64(31)))
}

/// Runs independent blocks through the passes of a key each.
#[target_feature(enable = "avx512f,avx512bw,avx512vbmi,gfni")]
pub(super) fn crypt<const PASSES: usize, const BLOCKS: usize>(
    keys: [&BlockKeys<PASSES>; BLOCKS],
    direction: Direction,
    blocks: &mut [[u8; 8]; BLOCKS],
) {
    let tables = Tables::new();
    // Loops, not `map`: what is handed to a function without the instructions is not inlined into it.
    let mut left = [_mm512_setzero_si512(); BLOCKS];
    let mut right = left;
    let mut x = [_mm512_setzero_si512(); BLOCKS];
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
                x[b] = _mm512_xor_si512(keyed(left[b], next), f);
                (left[b], right[b]) = (right[b], _mm512_xor_si512(left[b], f));
            }
        }
        (left, right) = (right, left);
    }
    for (b, block) in blocks.iter_mut().enumerate() {
        let halves = _mm512_or_si512(contract(right[b]), _mm512_slli_epi64::<32>(contract(left[b])));
        let halves = _mm512_reduce_or_epi64(halves) as u64;
        *block = join((halves >> 32) as u32, halves as u32);
    }
}

/// For each round, which bit of the key makes each bit of the round key.
const PICK: [[u64; 8]; ROUNDS] = {
    // The upper two bits of each byte come from bit 0, a parity bit, which is cleared.
    let mut pick = [[0; 8]; ROUNDS];
    let mut index = 0;
    while index < 16 * 48 {
        let (round, lane, bit) = (index / 48, index / 6 % 8, index % 6);
        pick[round][lane] |= (KEY_BIT[round][lane][bit] as u64) << (8 * bit);
        index += 1;
    }
    pick
};

/// Writes the sixteen round keys of `key`: one instruction picks all the bits of one.
#[target_feature(enable = "avx512f,avx512bw,avx512bitalg")]
pub(super) fn expand(key: u64, keys: &mut RoundKeys) {
    let key = _mm512_set1_epi64((key & !1) as i64);
    for (round_key, pick) in keys.iter_mut().zip(&PICK) {
        *round_key = _mm512_bitshuffle_epi64_mask(key, load(pick));
    }
}
