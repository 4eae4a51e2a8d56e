//! The key schedule of one key for all lanes, as masks.
//!
//! Key XORs are folded into the data: a half block is stored with the round key of its next use already on the four
//! middle bits of each box, where every bit of the half appears once. What is XORed onto a half after its use takes the old
//! key off and puts the next one on. Only the two outer bits of each box, which repeat a neighbour's, need an XOR of their own.

use core::fmt;

use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::Direction;
use super::circuits::plain;
use super::engine::{Engine, Kernels};
use super::order::{ROTATIONS, ROUND_KEY_BITS, TARGETS, key_bit};
use super::planes::wipe;
use crate::key::TdeaKey;

/// Masks of one round: all ones or all zeros for each bit.
#[derive(Clone, Copy)]
pub(super) struct RoundMasks {
    /// For each bit of the half that is changed: the key it carries XOR the key it is to carry.
    pub(super) fold: [u64; 32],
    /// For the two outer bits of each box: the round key XOR the key that the bit carries.
    pub(super) outer: [u64; 16],
}

/// Masks of one DES in a chain of them.
#[derive(Clone, Copy)]
pub(super) struct StageMasks {
    /// What comes onto the right half at first.
    pub(super) entry: [u64; 32],
    pub(super) rounds: [RoundMasks; 16],
}

/// What the rounds of a chain read.
#[derive(Clone, Copy)]
pub(super) struct Stages<'a> {
    pub(super) rounds: &'a [StageMasks],
    /// What comes off the right half at last.
    pub(super) exit: &'a [u64; 32],
}

/// The masks of up to three DES in a chain. Wiped on drop.
pub struct SharedKey {
    stages: [StageMasks; 3],
    exit: [u64; 32],
    len: usize,
}

impl SharedKey {
    /// The chain of these DES keys, each in its direction; at most three.
    pub(super) fn new(kernels: &Kernels, chain: &[(&[u8; 8], Direction)]) -> Self {
        const EMPTY: StageMasks =
            StageMasks { entry: [0; 32], rounds: [RoundMasks { fold: [0; 32], outer: [0; 16] }; 16] };
        let mut shared = Self { stages: [EMPTY; 3], exit: [0; 32], len: chain.len() };
        let mut keys = Zeroizing::new([[0; 16]; 3]);
        for (words, (key, direction)) in keys.iter_mut().zip(chain) {
            round_words(key, words);
            if *direction == Direction::Decrypt {
                words.reverse();
            }
        }
        let inverted = if kernels.inverted_boxes { INVERTED } else { 0 };
        for (index, stage) in shared.stages.iter_mut().take(chain.len()).enumerate() {
            let [before, words, after] =
                [index.checked_sub(1), Some(index), index.checked_add(1).filter(|next| *next < chain.len())]
                    .map(|index| index.and_then(|index| keys.get(index)).unwrap_or(&[0; 16]));
            kernels.spread(u64::from(middle(before[15] ^ words[0])), &mut stage.entry);
            for (round, masks) in stage.rounds.iter_mut().enumerate() {
                let carried = match round {
                    0 if index == 0 => 0,
                    0 => words[1],
                    _ => words[round - 1],
                };
                let next = match round {
                    15 => after[1],
                    _ => words[round + 1],
                };
                kernels.spread(u64::from(middle(carried ^ next) ^ inverted), &mut masks.fold);
                kernels.spread(words[round] >> 32, &mut masks.outer);
            }
        }
        let last = chain.len().checked_sub(1).and_then(|last| keys.get(last)).unwrap_or(&[0; 16]);
        kernels.spread(u64::from(middle(last[15])), &mut shared.exit);
        shared
    }

    /// TDEA under `key`.
    pub(super) fn tdea(engine: Engine, key: &TdeaKey, direction: Direction) -> Self {
        let [first, second, third] = key.three_parts();
        let (inner, outer) = (direction.reverse(), direction);
        let chain = match direction {
            Direction::Encrypt => [(first, outer), (second, inner), (third, outer)],
            Direction::Decrypt => [(third, outer), (second, inner), (first, outer)],
        };
        Self::new(engine.kernels, &chain)
    }

    pub(super) fn stages(&self) -> Stages<'_> {
        Stages {
            rounds: self.stages.get(..self.len).expect("a chain has at most three keys"),
            exit: &self.exit,
        }
    }
}

impl Drop for SharedKey {
    fn drop(&mut self) {
        for stage in &mut self.stages {
            wipe(&mut stage.entry);
            for round in &mut stage.rounds {
                wipe(&mut round.fold);
                wipe(&mut round.outer);
            }
        }
        wipe(&mut self.exit);
    }
}

impl ZeroizeOnDrop for SharedKey {}

impl fmt::Debug for SharedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedKey").finish_non_exhaustive()
    }
}

/// The key of the middle bits, which a round word has in its low half.
#[allow(clippy::cast_possible_truncation, reason = "the low half is meant")]
const fn middle(word: u64) -> u32 {
    word as u32
}

/// One word for each round: bit `i` below 32 is the key of bit `i` of the half as a middle bit; bits 32 to 47 are, for the first
/// and last bit of each box, its key XOR that of the same bit of the half as a middle bit.
fn round_words(key: &[u8; 8], words: &mut [u64; 16]) {
    let key = u64::from_le_bytes(*key);
    for (bit, effects) in EFFECTS.iter().enumerate() {
        let mask = 0_u64.wrapping_sub((key >> key_bit(bit)) & 1);
        for (word, effect) in words.iter_mut().zip(effects) {
            *word ^= mask & effect;
        }
    }
}

/// For each bit of C and D: which bits of the round words it turns over.
static EFFECTS: [[u64; 16]; 56] = {
    let mut effects = [[0; 16]; 56];
    let mut round = 0;
    while round < 16 {
        let mut slot = 0;
        while slot < 48 {
            let rotated = ROUND_KEY_BITS[slot] as usize;
            let source = rotated / 28 * 28 + (rotated % 28 + ROTATIONS[round] as usize) % 28;
            effects[source][round] |= effect(slot);
            slot += 1;
        }
        round += 1;
    }
    effects
};

/// The bits of a round word that depend on bit `slot` of the 48-bit round key.
const fn effect(slot: usize) -> u64 {
    let (number, input) = (slot / 6, slot % 6);
    match input {
        0 => 1 << (32 + 2 * number),
        5 => 1 << (33 + 2 * number),
        // The first middle bit is also the last bit of the box before, the last one the first of the box after.
        1 => 1 << (4 * number) | 1 << (33 + 2 * ((number + 7) % 8)),
        4 => 1 << (4 * number + 3) | 1 << (32 + 2 * ((number + 1) % 8)),
        _ => 1 << (4 * number + input - 1),
    }
}

/// The bits of a half block that come out of the two-input circuits inverted.
const INVERTED: u32 = {
    let mut bits = 0;
    let mut output = 0;
    while output < 32 {
        bits |= ((plain::INVERTED[output / 4] >> (3 - output % 4)) as u32 & 1) << TARGETS[output];
        output += 1;
    }
    bits
};
