//! Round keys without tables, shifts by key bits or branches on them.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "tables made by the compiler, which refuses an index out of bounds; the numbers are below 64"
)]

use super::RoundKeys;
use super::tables::{BOX_OF_LANE, KEY_TURNS, PERMUTED_CHOICE_1, PERMUTED_CHOICE_2};

/// One step of a bit permutation: turn the word left by `turn`, keep `mask`.
type Move = (u32, u64);

/// C in the lower half, D in the upper: bit 1 of either is bit 27 of its half.
const CHOICE_1: [Move; 33] = moves(&{
    let mut map = [(0, 0); 56];
    let mut to = 0;
    while to < 56 {
        map[to] = (64 - PERMUTED_CHOICE_1[to], half_bit(to));
        to += 1;
    }
    map
});

/// From there to a round key.
const CHOICE_2: [Move; 34] = moves(&{
    let mut map = [(0, 0); 48];
    let mut to = 0;
    while to < 48 {
        let (lane, bit) = (to / 6, to % 6);
        let from = PERMUTED_CHOICE_2[6 * BOX_OF_LANE[lane] + 5 - bit] as usize - 1;
        map[to] = (half_bit(from), (8 * lane + bit) as u8);
        to += 1;
    }
    map
});

/// Where bit `index` of C and D together, from 0, is kept.
const fn half_bit(index: usize) -> u8 {
    (32 * (index / 28) + 27 - index % 28) as u8
}

/// Gathers the bits that travel equally far. `N` must be the number of distances, or the build fails.
const fn moves<const N: usize>(from_to: &[(u8, u8)]) -> [Move; N] {
    let mut masks = [0_u64; 64];
    let mut at = 0;
    while at < from_to.len() {
        let (from, to) = from_to[at];
        masks[((to + 64 - from) % 64) as usize] |= 1 << to;
        at += 1;
    }
    let mut moves = [(0, 0); N];
    let (mut turn, mut count) = (0, 0);
    while turn < 64 {
        if masks[turn] != 0 {
            moves[count] = (turn as u32, masks[turn]);
            count += 1;
        }
        turn += 1;
    }
    assert!(count == N, "as many moves as distances");
    moves
}

fn permute(x: u64, moves: &[Move]) -> u64 {
    moves.iter().fold(0, |moved, (turn, mask)| moved | (x.rotate_left(*turn) & mask))
}

/// Turns C and D left by `turn` places.
fn turn_halves(halves: u64, turn: u32) -> u64 {
    const HALVES: u64 = 0x0FFF_FFFF_0FFF_FFFF;
    let carried = (1 << turn) - 1;
    ((halves << turn) | ((halves >> (28 - turn)) & (carried << 32 | carried))) & HALVES
}

/// The sixteen round keys of `key`, whose parity bits have no part in them.
pub(super) fn expand(key: u64) -> RoundKeys {
    let mut halves = permute(key, &CHOICE_1);
    KEY_TURNS.map(|turn| {
        halves = turn_halves(halves, turn);
        permute(halves, &CHOICE_2)
    })
}
