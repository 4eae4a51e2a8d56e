//! The tables of FIPS 46-3, and what the back ends make of them while the crate is compiled.
//!
//! Bits are numbered from 1, the leftmost first, as the standard does. No table is ever indexed by secret data.
#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "evaluated by the compiler, which refuses an index out of bounds; the numbers are below 64"
)]

/// Permuted choice 1: the 28 bits of C, then the 28 bits of D.
#[cfg(target_arch = "x86_64")]
const PERMUTED_CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, //
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12,
    4,
];

/// Permuted choice 2: six bits for each S-box; S1 to S4 take theirs from C, the others from D.
pub(super) const PERMUTED_CHOICE_2: [u8; 48] = [
    14, 17, 11, 24, 1, 5, 3, 28, 15, 6, 21, 10, 23, 19, 12, 4, 26, 8, 16, 7, 27, 20, 13, 2, //
    41, 52, 31, 37, 47, 55, 30, 40, 51, 45, 33, 48, 44, 49, 39, 56, 34, 53, 46, 42, 50, 36, 29, 32,
];

/// Places that C and D turn left before each round key is taken.
pub(super) const KEY_TURNS: [u32; 16] = [1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1];

/// Permutation P: where each bit of the S-boxes' output comes from.
const PERMUTATION: [u8; 32] = [
    16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, //
    2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
];

/// S1 to S8: four rows of sixteen each.
pub(crate) const S_BOXES: [[u8; 64]; 8] = [
    [
        14, 4, 13, 1, 2, 15, 11, 8, 3, 10, 6, 12, 5, 9, 0, 7, //
        0, 15, 7, 4, 14, 2, 13, 1, 10, 6, 12, 11, 9, 5, 3, 8, //
        4, 1, 14, 8, 13, 6, 2, 11, 15, 12, 9, 7, 3, 10, 5, 0, //
        15, 12, 8, 2, 4, 9, 1, 7, 5, 11, 3, 14, 10, 0, 6, 13,
    ],
    [
        15, 1, 8, 14, 6, 11, 3, 4, 9, 7, 2, 13, 12, 0, 5, 10, //
        3, 13, 4, 7, 15, 2, 8, 14, 12, 0, 1, 10, 6, 9, 11, 5, //
        0, 14, 7, 11, 10, 4, 13, 1, 5, 8, 12, 6, 9, 3, 2, 15, //
        13, 8, 10, 1, 3, 15, 4, 2, 11, 6, 7, 12, 0, 5, 14, 9,
    ],
    [
        10, 0, 9, 14, 6, 3, 15, 5, 1, 13, 12, 7, 11, 4, 2, 8, //
        13, 7, 0, 9, 3, 4, 6, 10, 2, 8, 5, 14, 12, 11, 15, 1, //
        13, 6, 4, 9, 8, 15, 3, 0, 11, 1, 2, 12, 5, 10, 14, 7, //
        1, 10, 13, 0, 6, 9, 8, 7, 4, 15, 14, 3, 11, 5, 2, 12,
    ],
    [
        7, 13, 14, 3, 0, 6, 9, 10, 1, 2, 8, 5, 11, 12, 4, 15, //
        13, 8, 11, 5, 6, 15, 0, 3, 4, 7, 2, 12, 1, 10, 14, 9, //
        10, 6, 9, 0, 12, 11, 7, 13, 15, 1, 3, 14, 5, 2, 8, 4, //
        3, 15, 0, 6, 10, 1, 13, 8, 9, 4, 5, 11, 12, 7, 2, 14,
    ],
    [
        2, 12, 4, 1, 7, 10, 11, 6, 8, 5, 3, 15, 13, 0, 14, 9, //
        14, 11, 2, 12, 4, 7, 13, 1, 5, 0, 15, 10, 3, 9, 8, 6, //
        4, 2, 1, 11, 10, 13, 7, 8, 15, 9, 12, 5, 6, 3, 0, 14, //
        11, 8, 12, 7, 1, 14, 2, 13, 6, 15, 0, 9, 10, 4, 5, 3,
    ],
    [
        12, 1, 10, 15, 9, 2, 6, 8, 0, 13, 3, 4, 14, 7, 5, 11, //
        10, 15, 4, 2, 7, 12, 9, 5, 6, 1, 13, 14, 0, 11, 3, 8, //
        9, 14, 15, 5, 2, 8, 12, 3, 7, 0, 4, 10, 1, 13, 11, 6, //
        4, 3, 2, 12, 9, 5, 15, 10, 11, 14, 1, 7, 6, 0, 8, 13,
    ],
    [
        4, 11, 2, 14, 15, 0, 8, 13, 3, 12, 9, 7, 5, 10, 6, 1, //
        13, 0, 11, 7, 4, 9, 1, 10, 14, 3, 5, 12, 2, 15, 8, 6, //
        1, 4, 11, 13, 12, 3, 7, 14, 10, 15, 6, 8, 0, 5, 9, 2, //
        6, 11, 13, 8, 1, 4, 10, 7, 9, 5, 0, 15, 14, 2, 3, 12,
    ],
    [
        13, 2, 8, 4, 6, 15, 11, 1, 10, 9, 3, 14, 5, 0, 12, 7, //
        1, 15, 13, 8, 10, 3, 7, 4, 12, 5, 6, 11, 0, 14, 9, 2, //
        7, 11, 4, 1, 9, 12, 14, 2, 0, 6, 10, 13, 15, 3, 5, 8, //
        2, 1, 14, 7, 4, 10, 8, 13, 15, 12, 9, 0, 3, 5, 6, 11,
    ],
];

/// Which S-box, from 0, each lane serves.
///
/// In this order two rotations of R put the six bits that E picks for each box at the foot of the lane's byte.
pub(super) const BOX_OF_LANE: [usize; 8] = [6, 4, 2, 0, 7, 5, 3, 1];

/// How far R turns right until the six bits that E picks for the lane's S-box are its lowest.
pub(super) const E_TURN: [u32; 8] = {
    let mut turns = [0; 8];
    let mut lane = 0;
    while lane < 8 {
        turns[lane] = (59 - 4 * BOX_OF_LANE[lane] as u32) % 32;
        lane += 1;
    }
    turns
};

/// Where P sends output bit `bit` (0 for the leftmost) of the lane's S-box: the place in a word, 0 for the lowest.
pub(super) const P_PLACE: [[u32; 4]; 8] = {
    let mut places = [[0; 4]; 8];
    let mut lane = 0;
    while lane < 8 {
        let mut to = 0;
        while to < 32 {
            let from = PERMUTATION[to] as usize - 1;
            if from / 4 == BOX_OF_LANE[lane] {
                places[lane][from % 4] = 31 - to as u32;
            }
            to += 1;
        }
        lane += 1;
    }
    places
};

/// Truth table of output bit `bit` (0 for the leftmost) of the lane's S-box: bit `x` answers the input `x`, whose
/// highest bit is the leftmost of the six.
pub(super) const TRUTH: [[u64; 4]; 8] = {
    let mut truth = [[0; 4]; 8];
    let mut lane = 0;
    while lane < 8 {
        let mut x = 0;
        while x < 64 {
            // The outer two bits choose the row, the inner four the column.
            let (row, column) = (x >> 4 & 2 | x & 1, x >> 1 & 15);
            let output = S_BOXES[BOX_OF_LANE[lane]][16 * row + column];
            let mut bit = 0;
            while bit < 4 {
                truth[lane][bit] |= ((output >> (3 - bit) & 1) as u64) << x;
                bit += 1;
            }
            x += 1;
        }
        lane += 1;
    }
    truth
};

/// Which bit of the key (0 for the lowest of the big-endian number) becomes bit `bit` (0 for the lowest) of the lane's
/// byte in the round key of `round`.
#[cfg(target_arch = "x86_64")]
pub(super) const KEY_BIT: [[[u8; 6]; 8]; 16] = {
    let mut key_bit = [[[0; 6]; 8]; 16];
    let (mut round, mut turned) = (0, 0);
    while round < 16 {
        turned += KEY_TURNS[round] as usize;
        let mut lane = 0;
        while lane < 8 {
            let mut bit = 0;
            while bit < 6 {
                let chosen = PERMUTED_CHOICE_2[6 * BOX_OF_LANE[lane] + 5 - bit] as usize - 1;
                let from = 28 * (chosen / 28) + (chosen % 28 + turned) % 28;
                key_bit[round][lane][bit] = 64 - PERMUTED_CHOICE_1[from];
                bit += 1;
            }
            lane += 1;
        }
        round += 1;
    }
    key_bit
};
