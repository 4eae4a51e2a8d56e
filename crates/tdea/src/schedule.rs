//! Expanded keys: the one place that knows what does the DES rounds.
//!
//! It is the one-block tier of this crate, or the crate `des` in a build with `--cfg cardroot_des`.

pub(crate) use self::engine::{Des, Tdes, encrypt_pair};
#[cfg(feature = "hazmat")]
pub(crate) use self::engine::{Mask, des_masked};
use crate::BLOCK_LEN;
use crate::key::TdeaKey;

/// Expands a DES key.
pub(crate) fn des(key: &[u8; BLOCK_LEN]) -> Des {
    engine::des(key)
}

/// Expands a TDEA key; K1 serves as K3 of a double-length one.
pub(crate) fn tdes(key: &TdeaKey) -> Tdes {
    engine::tdes(key.three_parts())
}

/// Expands a TDEA key, and the same key with `mask` XORed onto each part.
#[cfg(feature = "hazmat")]
pub(crate) fn tdes_masked(key: &TdeaKey, mask: &Mask) -> [Tdes; 2] {
    engine::tdes_masked(key.three_parts(), mask)
}

#[cfg(not(cardroot_des))]
mod engine {
    use crate::BLOCK_LEN;
    use crate::oneblock::BlockKeys;
    #[cfg(feature = "hazmat")]
    pub(crate) use crate::oneblock::Mask;

    pub(crate) type Des = BlockKeys<1>;
    pub(crate) type Tdes = BlockKeys<3>;

    pub(super) fn des(key: &[u8; BLOCK_LEN]) -> Des {
        Des::des(key)
    }

    pub(super) fn tdes(parts: [&[u8; BLOCK_LEN]; 3]) -> Tdes {
        Tdes::tdea(parts)
    }

    /// Expands a DES key, and the same key with `mask` XORed onto it.
    #[cfg(feature = "hazmat")]
    pub(crate) fn des_masked(key: &[u8; BLOCK_LEN], mask: &Mask) -> [Des; 2] {
        let des = des(key);
        let masked = des.masked(mask);
        [des, masked]
    }

    #[cfg(feature = "hazmat")]
    pub(super) fn tdes_masked(parts: [&[u8; BLOCK_LEN]; 3], mask: &Mask) -> [Tdes; 2] {
        let tdes = tdes(parts);
        let masked = tdes.masked(mask);
        [tdes, masked]
    }

    /// Encrypts two blocks under a key each.
    pub(crate) fn encrypt_pair<const PASSES: usize>(
        keys: [&BlockKeys<PASSES>; 2],
        blocks: &mut [[u8; BLOCK_LEN]; 2],
    ) {
        BlockKeys::encrypt_pair(keys, blocks);
    }
}

#[cfg(cardroot_des)]
mod engine {
    use cipher::consts::U8;
    use cipher::{Array, BlockCipherEncrypt, BlockSizeUser, KeyInit};
    pub(crate) use des::{Des, TdesEde3 as Tdes};
    use zeroize::Zeroizing;

    use crate::BLOCK_LEN;

    pub(super) fn des(key: &[u8; BLOCK_LEN]) -> Des {
        Des::new(<&Array<_, _>>::from(key))
    }

    pub(super) fn tdes(parts: [&[u8; BLOCK_LEN]; 3]) -> Tdes {
        let parts = Zeroizing::new(parts.map(|part| *part));
        Tdes::new(<&Array<_, _>>::try_from(parts.as_flattened()).expect("three parts are 24 bytes"))
    }

    /// A public constant that is XORed onto keys.
    #[cfg(feature = "hazmat")]
    pub(crate) struct Mask([u8; BLOCK_LEN]);

    #[cfg(feature = "hazmat")]
    impl Mask {
        pub(crate) const fn new(mask: [u8; BLOCK_LEN]) -> Self {
            Self(mask)
        }

        fn apply(&self, part: &[u8; BLOCK_LEN]) -> Zeroizing<[u8; BLOCK_LEN]> {
            let mut masked = Zeroizing::new(*part);
            masked.iter_mut().zip(self.0).for_each(|(byte, mask)| *byte ^= mask);
            masked
        }
    }

    /// Expands a DES key, and the same key with `mask` XORed onto it.
    #[cfg(feature = "hazmat")]
    pub(crate) fn des_masked(key: &[u8; BLOCK_LEN], mask: &Mask) -> [Des; 2] {
        [des(key), des(&mask.apply(key))]
    }

    #[cfg(feature = "hazmat")]
    pub(super) fn tdes_masked(parts: [&[u8; BLOCK_LEN]; 3], mask: &Mask) -> [Tdes; 2] {
        let masked = parts.map(|part| mask.apply(part));
        [tdes(parts), tdes(masked.each_ref().map(|part| &**part))]
    }

    /// Encrypts two blocks under a key each.
    pub(crate) fn encrypt_pair<C>(keys: [&C; 2], blocks: &mut [[u8; BLOCK_LEN]; 2])
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U8>,
    {
        for (key, block) in keys.into_iter().zip(blocks) {
            key.encrypt_block(block.into());
        }
    }
}
