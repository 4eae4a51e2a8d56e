//! A key for each block.

use super::Direction;
use super::engine::Engine;
use super::keys::LaneKeys;
use super::planes::{Planes, Rows};
use crate::key::TdeaKey;

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

    fn crypt_each(
        self,
        keys: &[TdeaKey],
        direction: Direction,
        blocks: &mut [[u8; 8]],
    ) -> Result<(), UnequalLengths> {
        UnequalLengths::check(keys.len(), blocks.len())?;
        let mut lane_keys = None;
        let (mut planes, mut rows) = (Planes::new(), Rows::new());
        for (keys, blocks) in keys.chunks(self.lanes()).zip(blocks.chunks_mut(self.lanes())) {
            if !self.always_sliced && keys.len() < self.kernels.break_even.each {
                for (key, block) in keys.iter().zip(blocks) {
                    direction.run(&key.cipher(), block);
                }
                break;
            }
            let lane_keys = lane_keys.get_or_insert_with(LaneKeys::new);
            lane_keys.read(self, keys.iter(), &mut rows, &mut planes);
            self.load(blocks, &mut planes);
            self.kernels.rounds(&mut planes, &lane_keys.tdea(direction));
            self.store(&planes, blocks);
        }
        Ok(())
    }
}
