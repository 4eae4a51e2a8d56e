//! Expanded keys: the one place that knows what does the DES rounds.
//!
//! It is the one-block tier of this crate, or the crate `des` in a build with `--cfg cardroot_des`.

pub(crate) use self::engine::{Des, Tdes, encrypt_pair};
use crate::BLOCK_LEN;
use crate::key::TdeaKey;

/// Expands a DES key.
pub(crate) fn des(key: &[u8; BLOCK_LEN]) -> Des {
    engine::des(key)
}

/// Expands a TDEA key; K1 serves as K3 of a double-length one.
pub(crate) fn tdes(key: &TdeaKey) -> Tdes {
    match key.parts() {
        [k1, k2] => engine::tdes([k1, k2, k1]),
        [k1, k2, k3] => engine::tdes([k1, k2, k3]),
        _ => unreachable!("a TDEA key has two or three parts"),
    }
}

#[cfg(not(cardroot_des))]
mod engine {
    use crate::BLOCK_LEN;
    use crate::oneblock::BlockKeys;

    pub(crate) type Des = BlockKeys<1>;
    pub(crate) type Tdes = BlockKeys<3>;

    pub(super) fn des(key: &[u8; BLOCK_LEN]) -> Des {
        Des::des(key)
    }

    pub(super) fn tdes(parts: [&[u8; BLOCK_LEN]; 3]) -> Tdes {
        Tdes::tdea(parts)
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
