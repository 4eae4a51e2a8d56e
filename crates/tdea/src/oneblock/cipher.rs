//! Expanded keys, as block ciphers of the crate `cipher`.

use ::cipher::consts::{U2, U8};
use ::cipher::{
    Array, Block, BlockCipherDecBackend, BlockCipherDecClosure, BlockCipherDecrypt, BlockCipherEncBackend,
    BlockCipherEncClosure, BlockCipherEncrypt, BlockSizeUser, InOut, ParBlocks, ParBlocksSizeUser,
};
use zeroize::ZeroizeOnDrop;

#[cfg(feature = "hazmat")]
use super::key_schedule;
use super::{ROUNDS, RoundKeys, crypt, expand};
use crate::BLOCK_LEN;

/// Which way through the round keys.
#[derive(Clone, Copy)]
pub(crate) enum Direction {
    Encrypt,
    Decrypt,
}

/// The round keys of one pass (DES) or three (TDEA) in the order in which encryption uses them. Wiped on drop.
#[derive(ZeroizeOnDrop)]
pub(crate) struct BlockKeys<const PASSES: usize>(pub(super) [RoundKeys; PASSES]);

/// The round keys of a public constant that is XORed onto keys.
#[cfg(feature = "hazmat")]
pub(crate) struct Mask(RoundKeys);

#[cfg(feature = "hazmat")]
impl Mask {
    pub(crate) const fn new(mask: [u8; BLOCK_LEN]) -> Self {
        let mut keys = [0; ROUNDS];
        key_schedule::expand(u64::from_be_bytes(mask), &mut keys);
        Self(keys)
    }
}

impl BlockKeys<1> {
    /// Expands a DES key.
    pub(crate) fn des(key: &[u8; BLOCK_LEN]) -> Self {
        let mut keys = Self([[0; ROUNDS]]);
        let [pass] = &mut keys.0;
        expand(*key, pass);
        keys
    }
}

impl BlockKeys<3> {
    /// Expands a TDEA key. The middle pass of an encryption decrypts: its round keys stand in reverse.
    pub(crate) fn tdea(parts: [&[u8; BLOCK_LEN]; 3]) -> Self {
        let mut keys = Self([[0; ROUNDS]; 3]);
        let ([first, second, third], [k1, k2, k3]) = (&mut keys.0, parts);
        expand(*k1, first);
        expand(*k2, second);
        second.reverse();
        if core::ptr::eq(k1, k3) {
            *third = *first;
        } else {
            expand(*k3, third);
        }
        keys
    }
}

impl<const PASSES: usize> BlockKeys<PASSES> {
    /// The round keys of the same key with `mask` XORed onto each part. The schedule only picks bits, so a constant on the key is
    /// a constant on each round key.
    #[cfg(feature = "hazmat")]
    pub(crate) fn masked(&self, mask: &Mask) -> Self {
        let mut keys = Self(self.0);
        for (index, pass) in keys.0.iter_mut().enumerate() {
            // The middle pass of TDEA has them in reverse.
            if index == 1 {
                pass.iter_mut().zip(mask.0.iter().rev()).for_each(|(key, mask)| *key ^= mask);
            } else {
                pass.iter_mut().zip(&mask.0).for_each(|(key, mask)| *key ^= mask);
            }
        }
        keys
    }

    /// The round key for a pass and a round of it, both counted in the order of use.
    #[inline(always)]
    #[allow(clippy::indexing_slicing, reason = "the back ends count passes and rounds up to their number")]
    pub(super) const fn at(&self, direction: Direction, pass: usize, round: usize) -> u64 {
        match direction {
            Direction::Encrypt => self.0[pass][round],
            Direction::Decrypt => self.0[PASSES - 1 - pass][ROUNDS - 1 - round],
        }
    }

    /// Encrypts two blocks under a key each, in the time of little more than one.
    pub(crate) fn encrypt_pair(keys: [&Self; 2], blocks: &mut [[u8; BLOCK_LEN]; 2]) {
        crypt(keys, Direction::Encrypt, blocks);
    }

    /// Works where the result belongs: no copy of it stays here.
    fn one(&self, direction: Direction, mut block: InOut<'_, '_, Block<Self>>) {
        let input = block.clone_in();
        let out = block.get_out();
        *out = input;
        crypt([self], direction, core::array::from_mut(&mut out.0));
    }

    fn two(&self, direction: Direction, mut blocks: InOut<'_, '_, ParBlocks<Self>>) {
        let input = blocks.clone_in();
        let out = blocks.get_out();
        *out = input;
        let out = Array::cast_slice_to_core_mut(out.as_mut_slice());
        crypt([self, self], direction, out.try_into().expect("a pair has two blocks"));
    }
}

impl<const PASSES: usize> BlockSizeUser for BlockKeys<PASSES> {
    type BlockSize = U8;
}

impl<const PASSES: usize> ParBlocksSizeUser for BlockKeys<PASSES> {
    type ParBlocksSize = U2;
}

impl<const PASSES: usize> BlockCipherEncrypt for BlockKeys<PASSES> {
    fn encrypt_with_backend(&self, f: impl BlockCipherEncClosure<BlockSize = U8>) {
        f.call(self);
    }
}

impl<const PASSES: usize> BlockCipherEncBackend for BlockKeys<PASSES> {
    fn encrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
        self.one(Direction::Encrypt, block);
    }

    fn encrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        self.two(Direction::Encrypt, blocks);
    }
}

impl<const PASSES: usize> BlockCipherDecrypt for BlockKeys<PASSES> {
    fn decrypt_with_backend(&self, f: impl BlockCipherDecClosure<BlockSize = U8>) {
        f.call(self);
    }
}

impl<const PASSES: usize> BlockCipherDecBackend for BlockKeys<PASSES> {
    fn decrypt_block(&self, block: InOut<'_, '_, Block<Self>>) {
        self.one(Direction::Decrypt, block);
    }

    fn decrypt_par_blocks(&self, blocks: InOut<'_, '_, ParBlocks<Self>>) {
        self.two(Direction::Decrypt, blocks);
    }
}
