//! Many blocks under one key: ECB, and CBC decryption, where no block waits for another.

use super::Direction;
use super::engine::Engine;
use super::keys::LaneKeys;
use super::planes::{Planes, Rows};
use crate::cipher::Tdea;
use crate::key::TdeaKey;
use crate::modes::Mode;

impl Engine {
    /// Encrypts every block in place, each by itself (ECB).
    ///
    /// # Examples
    /// ```
    /// use cardroot_tdea::{TdeaKey, bulk::Engine};
    ///
    /// let mut blocks = [[0x5A; 8]; 1000];
    /// Engine::new().encrypt(&TdeaKey::from([0x25; 16]), &mut blocks);
    /// ```
    pub fn encrypt(self, key: &TdeaKey, blocks: &mut [[u8; 8]]) {
        self.crypt(key, Direction::Encrypt, blocks);
    }

    /// Decrypts every block in place, each by itself (ECB).
    pub fn decrypt(self, key: &TdeaKey, blocks: &mut [[u8; 8]]) {
        self.crypt(key, Direction::Decrypt, blocks);
    }

    fn crypt(self, key: &TdeaKey, direction: Direction, blocks: &mut [[u8; 8]]) {
        let single = self.crypt_long(key, direction, blocks);
        if !single.is_empty() {
            key.cipher().crypt_single(direction, Mode::Ecb, single);
        }
    }

    /// Decrypts a chain of blocks (CBC) in place: `P(i) = D(K, C(i)) XOR C(i-1)`, with `iv` for `C(0)`.
    pub fn decrypt_cbc(self, key: &TdeaKey, iv: [u8; 8], blocks: &mut [[u8; 8]]) {
        let (single, iv) = self.decrypt_long_cbc(key, iv, blocks);
        if !single.is_empty() {
            key.cipher().crypt_single(Direction::Decrypt, Mode::Cbc { iv }, single);
        }
    }

    /// Runs the blocks that are enough for it through the sliced road. Returns the others, which come last.
    pub(crate) fn crypt_long<'a>(
        self,
        key: &TdeaKey,
        direction: Direction,
        blocks: &'a mut [[u8; 8]],
    ) -> &'a mut [[u8; 8]] {
        let (sliced, single) = self.split(blocks);
        if !sliced.is_empty() {
            let keys = LaneKeys::shared(self, key);
            let mut planes = Planes::new();
            for batch in sliced.chunks_mut(self.lanes()) {
                self.load(batch, &mut planes);
                self.kernels.rounds(&mut planes, &keys.tdea(direction));
                self.store(&planes, batch);
            }
        }
        single
    }

    /// As [`crypt_long`](Self::crypt_long) for CBC decryption; returns the vector for the others too.
    pub(crate) fn decrypt_long_cbc<'a>(
        self,
        key: &TdeaKey,
        iv: [u8; 8],
        blocks: &'a mut [[u8; 8]],
    ) -> (&'a mut [[u8; 8]], [u8; 8]) {
        let (sliced, single) = self.split(blocks);
        let mut before = iv;
        if !sliced.is_empty() {
            let keys = LaneKeys::shared(self, key);
            let mut planes = Planes::new();
            let mut plain = Rows::new();
            for batch in sliced.chunks_mut(self.lanes()) {
                self.load(batch, &mut planes);
                self.kernels.rounds(&mut planes, &keys.tdea(Direction::Decrypt));
                self.kernels.store(&planes, plain.lanes(self));
                for (block, plain) in batch.iter_mut().zip(&plain.0) {
                    before = core::mem::replace(block, xor(*plain, before));
                }
            }
        }
        (single, before)
    }

    /// Splits off what goes the sliced road: whole batches, and the rest if it is worth a batch.
    fn split(self, blocks: &mut [[u8; 8]]) -> (&mut [[u8; 8]], &mut [[u8; 8]]) {
        let rest = blocks.len() % self.lanes();
        let worth = self.always_sliced || rest >= self.kernels.break_even.shared;
        blocks.split_at_mut(if worth { blocks.len() } else { blocks.len() - rest })
    }

    /// Reads one block of each lane; lanes that have none get a zero block.
    ///
    /// # Panics
    /// Panics if there are more blocks than lanes.
    pub(super) fn load(self, blocks: &[[u8; 8]], planes: &mut Planes) {
        if blocks.len() == self.lanes() {
            return self.kernels.load(blocks, planes);
        }
        let mut rows = Rows::new();
        rows.0.get_mut(..blocks.len()).expect("no more blocks than lanes").copy_from_slice(blocks);
        self.kernels.load(rows.lanes(self), planes);
    }

    /// Writes the blocks of the first lanes.
    ///
    /// # Panics
    /// Panics if there are more blocks than lanes.
    pub(super) fn store(self, planes: &Planes, blocks: &mut [[u8; 8]]) {
        if blocks.len() == self.lanes() {
            return self.kernels.store(planes, blocks);
        }
        let mut rows = Rows::new();
        self.kernels.store(planes, rows.lanes(self));
        blocks.copy_from_slice(rows.0.get(..blocks.len()).expect("no more blocks than lanes"));
    }
}

impl Direction {
    /// Runs one block through the cipher.
    pub(super) fn run(self, cipher: &Tdea, block: &mut [u8; 8]) {
        match self {
            Self::Encrypt => cipher.encrypt_block(block),
            Self::Decrypt => cipher.decrypt_block(block),
        }
    }
}

pub(super) fn xor(a: [u8; 8], b: [u8; 8]) -> [u8; 8] {
    (u64::from_ne_bytes(a) ^ u64::from_ne_bytes(b)).to_ne_bytes()
}
