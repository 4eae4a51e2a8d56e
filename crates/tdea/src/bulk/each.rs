//! A key for each block.

use super::Direction;
use super::engine::Engine;
use super::planes::{KeyPlanes, Planes, Rows};
use crate::key::{KeyLength, TdeaKey};

/// Two slices that belong together, item by item, are not of one length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{left} and {right} items do not pair up")]
pub struct UnequalLengths {
    /** Items of the first slice. */
    pub left: usize,
    /** Items of the second slice. */
    pub right: usize,
}

impl UnequalLengths {
    pub(super) const fn check(left: usize, right: usize) -> Result<(), Self> {
        if left == right { Ok(()) } else { Err(Self { left, right }) }
    }
}

impl Engine {
    /// Encrypts every block in place under the key beside it. Lengths of keys may be mixed.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`]; the blocks are then as they were.
    pub fn encrypt_each(self, keys: &[TdeaKey], blocks: &mut [[u8; 8]]) -> Result<(), UnequalLengths> {
        self.crypt_each(keys, Direction::Encrypt, blocks)
    }

    /// Decrypts every block in place under the key beside it. Lengths of keys may be mixed.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`]; the blocks are then as they were.
    pub fn decrypt_each(self, keys: &[TdeaKey], blocks: &mut [[u8; 8]]) -> Result<(), UnequalLengths> {
        self.crypt_each(keys, Direction::Decrypt, blocks)
    }

    fn crypt_each(self, keys: &[TdeaKey], direction: Direction, blocks: &mut [[u8; 8]]) -> Result<(), UnequalLengths> {
        UnequalLengths::check(keys.len(), blocks.len())?;
        let mut lane_keys = None;
        let mut planes = Planes::new();
        for (keys, blocks) in keys.chunks(self.lanes()).zip(blocks.chunks_mut(self.lanes())) {
            if !self.always_sliced && keys.len() < self.kernels.break_even.each {
                for (key, block) in keys.iter().zip(blocks) {
                    direction.run(&key.cipher(), block);
                }
                break;
            }
            let lane_keys = lane_keys.get_or_insert_with(LaneKeys::new);
            lane_keys.read(self, keys.iter());
            self.load(blocks, &mut planes);
            self.kernels.rounds_keyed(&mut planes, &lane_keys.tdea(direction));
            self.store(&planes, blocks);
        }
        Ok(())
    }
}

/// A TDEA key for each lane.
pub(super) struct LaneKeys {
    parts: [KeyPlanes; 3],
    /// Whether some lane has a third part of its own.
    triple: bool,
    rows: Rows,
    planes: Planes,
}

impl LaneKeys {
    pub(super) const fn new() -> Self {
        Self {
            parts: [KeyPlanes::new(), KeyPlanes::new(), KeyPlanes::new()],
            triple: false,
            rows: Rows::new(),
            planes: Planes::new(),
        }
    }

    /// Takes the keys of the first lanes.
    pub(super) fn read<'a>(&mut self, engine: Engine, keys: impl ExactSizeIterator<Item = &'a TdeaKey> + Clone) {
        self.triple = keys.clone().any(|key| key.length() == KeyLength::Triple);
        let parts = if self.triple { 3 } else { 2 };
        let rows = self.rows.0.get_mut(..engine.lanes()).expect("a batch has at most 512 lanes");
        for (index, part) in self.parts.iter_mut().take(parts).enumerate() {
            for (row, key) in rows.iter_mut().zip(keys.clone()) {
                *row = *key.three_parts().get(index).copied().expect("three parts");
            }
            engine.kernels.load(rows, &mut self.planes);
            engine.kernels.expand_keys(&self.planes, 0, part);
        }
    }

    /// The first part.
    pub(super) const fn left(&self) -> &KeyPlanes {
        &self.parts[0]
    }

    /// The second part.
    pub(super) const fn right(&self) -> &KeyPlanes {
        &self.parts[1]
    }

    /// TDEA under these keys.
    pub(super) const fn tdea(&self, direction: Direction) -> [(&KeyPlanes, Direction); 3] {
        let [first, second, third] = &self.parts;
        let third = if self.triple { third } else { first };
        match direction {
            Direction::Encrypt => [(first, direction), (second, direction.reverse()), (third, direction)],
            Direction::Decrypt => [(third, direction), (second, direction.reverse()), (first, direction)],
        }
    }
}
