//! Round keys in integer registers: no table, no shift by key bits, no branch on them.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_lossless,
    clippy::cast_possible_truncation,
    reason = "tables made by the compiler, which refuses an index out of bounds; the numbers are below 64"
)]

use super::permute::{swap, transpose};
use super::tables::{BOX_OF_LANE, KEY_TURNS, PERMUTED_CHOICE_2};
use super::{ROUNDS, RoundKeys};

/// Distances of the exchanges that make up permuted choice 2. Such a network can bring the bits of either half of a
/// word into any order (V. E. Beneš, 1964).
const DISTANCES: [u32; 9] = [16, 8, 4, 2, 1, 2, 4, 8, 16];

/// For each exchange the bits that change places with those above them.
const EXCHANGES: [u64; 9] = {
    let (c, d) = (route(choice_2(1)), route(choice_2(0)));
    let mut exchanges = [0; 9];
    let mut stage = 0;
    while stage < 9 {
        exchanges[stage] = (c[stage] as u64) << 32 | d[stage] as u64;
        stage += 1;
    }
    exchanges
};

/// Where permuted choice 2 sends each bit of C (`half` 1) or D (`half` 0), bit 1 of which is bit 27 of a word. The bits
/// that are not chosen fill the places that are left.
///
/// The lanes that C serves are 2, 3, 6 and 7; here they stand side by side, as do those of D.
const fn choice_2(half: usize) -> [u8; 32] {
    const NOWHERE: u8 = u8::MAX;
    let mut to = [NOWHERE; 32];
    let mut taken = [false; 32];
    let mut index = 0;
    while index < 24 {
        let (place, bit) = (index / 6, index % 6);
        let lane = 4 * (place / 2) + 2 * half + place % 2;
        let chosen = PERMUTED_CHOICE_2[6 * BOX_OF_LANE[lane] + 5 - bit] as usize - 1;
        assert!(chosen / 28 == 1 - half, "C serves S1 to S4, D the others");
        to[27 - chosen % 28] = (8 * place + bit) as u8;
        taken[8 * place + bit] = true;
        index += 1;
    }
    let (mut from, mut free) = (0, 0);
    while from < 32 {
        if to[from] == NOWHERE {
            while taken[free] {
                free += 1;
            }
            to[from] = free as u8;
            taken[free] = true;
        }
        from += 1;
    }
    to
}

/// Finds the exchanges that send every bit `from` of a word to `to[from]`.
///
/// From the outermost pair of exchanges inwards: bits that are neighbours at the given distance, before or after, must go
/// through different halves of what lies within. Each round trip through such neighbours settles one chain of bits.
const fn route(mut to: [u8; 32]) -> [u32; 9] {
    let mut exchanges = [0; 9];
    let mut level = 0;
    while level < 5 {
        let distance = 16 >> level;
        let mut from = [0; 32];
        let mut bit = 0;
        while bit < 32 {
            from[to[bit] as usize] = bit;
            bit += 1;
        }

        let mut upper = [false; 32];
        let mut settled = [false; 32];
        let mut start = 0;
        while start < 32 {
            let mut low = start;
            while !settled[low] {
                let high = from[to[low] as usize ^ distance];
                upper[high] = true;
                settled[low] = true;
                settled[high] = true;
                low = high ^ distance;
            }
            start += 1;
        }

        let mut within = [0; 32];
        let mut bit = 0;
        while bit < 32 {
            let lowest = bit & distance == 0;
            if lowest && upper[bit] {
                exchanges[level] |= 1 << bit;
            }
            if lowest && upper[from[bit]] {
                exchanges[8 - level] |= 1 << bit;
            }
            let side = if upper[bit] { distance } else { 0 };
            within[bit & !distance | side] = (to[bit] as usize & !distance | side) as u8;
            bit += 1;
        }
        to = within;
        level += 1;
    }
    exchanges
}

/// Permuted choice 1: D in the lower half of a word, C in the upper.
///
/// Columns of the key, read from its last byte to its first, make the rows of the standard's table.
const fn choice_1(key: u64) -> u64 {
    let [_parity, r7, r6, r5, r4, r3, r2, r1] = transpose(key.swap_bytes()).to_le_bytes();
    let c = u32::from_be_bytes([r1, r2, r3, r4]) >> 4;
    let d = u32::from_be_bytes([r7, r6, r5, r4 << 4]) >> 4;
    (c as u64) << 32 | d as u64
}

/// Turns C and D left by `turn` places.
const fn turn_halves(halves: u64, turn: u32) -> u64 {
    const HALVES: u64 = 0x0FFF_FFFF_0FFF_FFFF;
    let carried = (1 << turn) - 1;
    ((halves << turn) | ((halves >> (28 - turn)) & (carried << 32 | carried))) & HALVES
}

/// Writes the sixteen round keys of `key`, whose parity bits have no part in them.
pub(super) const fn expand(key: u64, keys: &mut RoundKeys) {
    let mut halves = choice_1(key);
    let mut round = 0;
    while round < ROUNDS {
        halves = turn_halves(halves, KEY_TURNS[round]);
        keys[round] = halves;
        round += 1;
    }
    // All keys through one exchange at a time: they do not wait for one another.
    let mut stage = 0;
    while stage < DISTANCES.len() {
        swap_each(keys, DISTANCES[stage], EXCHANGES[stage]);
        stage += 1;
    }
    // Deals the lanes out in their order.
    swap_each(keys, 16, 0x0000_0000_FFFF_0000);
    let mut round = 0;
    while round < ROUNDS {
        keys[round] &= 0x3F3F_3F3F_3F3F_3F3F;
        round += 1;
    }
}

const fn swap_each(keys: &mut RoundKeys, distance: u32, exchange: u64) {
    let mut round = 0;
    while round < ROUNDS {
        keys[round] = swap(keys[round], distance, exchange);
        round += 1;
    }
}
