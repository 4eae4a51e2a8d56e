//! Where each bit of DES lives among the planes.
//!
//! Plane `p` of a batch carries bit `p + 1` of the block *after the initial permutation*: planes 0 to 31 are the left half,
//! 32 to 63 the right half, and neither this permutation nor the final one costs anything. A row before transposition is a block
//! read as a little-endian `u64`; its bit `i` is bit `(i ^ 7) + 1` of FIPS 46-3, which counts from the left.

#![allow(
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "indexes are constants or count the bits of a block; the numbers are below 64"
)]

/// For each bit of a block as a little-endian `u64`, its plane.
pub(super) const PLANE_OF_BIT: [u8; 64] = {
    let mut planes = [0; 64];
    let mut plane = 0;
    while plane < 64 {
        planes[bit_of_plane(plane)] = plane as u8;
        plane += 1;
    }
    planes
};

/// The bit of a block, as a little-endian `u64`, that plane `plane` carries.
pub(super) const fn bit_of_plane(plane: usize) -> usize {
    // The initial permutation reads every eighth bit: 58, 50, … 2, then 60, …, then 57 and so on.
    let first = [58, 60, 62, 64, 57, 59, 61, 63][plane / 8];
    (first - 8 * (plane % 8) - 1) ^ 7
}

/// For each bit of the registers C and D, C first, the plane of a key batch that carries it: permuted choice 1.
pub(super) const KEY_PLANES: [u8; 56] = {
    let mut planes = [0; 56];
    let mut bit = 0;
    while bit < 56 {
        planes[bit] = PLANE_OF_BIT[key_bit(bit)];
        bit += 1;
    }
    planes
};

/// The bit of a key, as a little-endian `u64`, that bit `index` of C and D takes.
pub(super) const fn key_bit(index: usize) -> usize {
    (PERMUTED_CHOICE_1[index] as usize - 1) ^ 7
}

/// The bits of C and D, C first, that a mask on a key inverts.
#[cfg(feature = "hazmat")]
pub(crate) struct KeyBits {
    bits: [u8; 56],
    len: usize,
}

#[cfg(feature = "hazmat")]
impl KeyBits {
    pub(crate) const fn of(mask: [u8; 8]) -> Self {
        let mask = u64::from_le_bytes(mask);
        let (mut bits, mut len, mut index) = ([0; 56], 0, 0);
        while index < 56 {
            if (mask >> key_bit(index)) & 1 == 1 {
                bits[len] = index as u8;
                len += 1;
            }
            index += 1;
        }
        Self { bits, len }
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bits[..self.len]
    }
}

const PERMUTED_CHOICE_1: [u8; 56] = [
    57, 49, 41, 33, 25, 17, 9, 1, 58, 50, 42, 34, 26, 18, 10, 2, 59, 51, 43, 35, 27, 19, 11, 3, 60, 52, 44,
    36, //
    63, 55, 47, 39, 31, 23, 15, 7, 62, 54, 46, 38, 30, 22, 14, 6, 61, 53, 45, 37, 29, 21, 13, 5, 28, 20, 12,
    4,
];

/// For each bit of a round key, the bit of C and D that it takes, from 0: permuted choice 2.
pub(super) const ROUND_KEY_BITS: [u8; 48] = [
    13, 16, 10, 23, 0, 4, 2, 27, 14, 5, 20, 9, 22, 18, 11, 3, 25, 7, 15, 6, 26, 19, 12, 1, //
    40, 51, 30, 36, 46, 54, 29, 39, 50, 44, 32, 47, 43, 48, 38, 55, 33, 52, 45, 41, 49, 35, 28, 31,
];

/// How far C and D have been rotated to the left in each round of an encryption.
pub(super) const ROTATIONS: [u8; 16] = [1, 2, 4, 6, 8, 10, 12, 14, 15, 17, 19, 21, 23, 25, 27, 0];

/// For each output bit of S1 to S8, the bit of the half block that the permutation P sends it to.
pub(super) const TARGETS: [u8; 32] = {
    let sources = [
        16, 7, 20, 21, 29, 12, 28, 17, 1, 15, 23, 26, 5, 18, 31, 10, //
        2, 8, 24, 14, 32, 27, 3, 9, 19, 13, 30, 6, 22, 11, 4, 25,
    ];
    let mut targets = [0; 32];
    let mut target = 0;
    while target < 32 {
        targets[sources[target] - 1] = target as u8;
        target += 1;
    }
    targets
};
