//! How a batch of items becomes keys.

use core::array;

use tdea::bulk::Engine;
use tdea::{BLOCK_LEN, KeyLength, TdeaKey};
use zeroize::Zeroizing;

use crate::factor::Factor;
use crate::gp::{CardKeys, KeyData, Template};

/// Most items of a batch: one pass of the widest engine.
pub(crate) const BATCH: usize = 512;

/// A rule by which keys are made of items.
pub(crate) trait Rule<T> {
    /// What is made of an item.
    type Key;

    /// Hands out the key of each item, in their order; there are at most [`BATCH`].
    fn derive(&self, engine: Engine, items: impl Iterator<Item = T>, key: impl FnMut(Self::Key));
}

/// Dispersion down `LEVELS` levels: `E(K, F) || E(K, ~F)`, what comes out being the next `K`.
pub(crate) struct Paths<'k, F> {
    /// Of double length.
    pub(crate) parent: &'k TdeaKey,
    /// Makes the last child the key that the scheme wants: parity, type, origin.
    pub(crate) finish: F,
}

impl<const LEVELS: usize, K, F: Fn(TdeaKey, [Factor; LEVELS]) -> K> Rule<[Factor; LEVELS]> for Paths<'_, F> {
    type Key = K;

    fn derive(&self, engine: Engine, items: impl Iterator<Item = [Factor; LEVELS]>, mut key: impl FnMut(K)) {
        let mut paths = [[[0; Factor::LEN]; LEVELS]; BATCH];
        let mut count = 0;
        for (path, item) in paths.iter_mut().zip(items) {
            *path = item.map(|factor| *factor.as_bytes());
            count += 1;
        }
        let mut children: [TdeaKey; BATCH] = array::from_fn(|_| TdeaKey::from([0; 2 * BLOCK_LEN]));
        let (paths, children) = (paths.split_at(count).0, children.split_at_mut(count).0);
        engine.diversify_paths(self.parent, paths, children).expect("there is a child for each path");
        for (child, path) in children.iter().zip(paths) {
            key((self.finish)(child.duplicate(), path.map(Factor::from)));
        }
    }
}

/// The three keys of a card by a template of card personalisation.
pub(crate) struct Personalisation<'k> {
    /// Of double length.
    pub(crate) master: &'k TdeaKey,
    pub(crate) template: Template,
}

impl Rule<KeyData> for Personalisation<'_> {
    type Key = CardKeys;

    fn derive(&self, engine: Engine, items: impl Iterator<Item = KeyData>, mut key: impl FnMut(CardKeys)) {
        let mut cards = Zeroizing::new([[[[0; BLOCK_LEN]; 2]; 3]; BATCH]);
        let mut count = 0;
        for (card, data) in cards.iter_mut().zip(items) {
            *card = self.template.blocks(&data);
            count += 1;
        }
        let cards = cards.split_at_mut(count).0;
        engine.encrypt(self.master, cards.as_flattened_mut().as_flattened_mut());
        for card in cards {
            key(CardKeys::from_keys(card.each_ref().map(double_length_key)));
        }
    }
}

fn double_length_key(halves: &[[u8; BLOCK_LEN]; 2]) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |key| key.copy_from_slice(halves.as_flattened()))
}

/// One item after another, for ciphers that have no bulk engine.
pub(crate) struct OneByOne<F>(pub(crate) F);

impl<T, K, F: Fn(T) -> K> Rule<T> for OneByOne<F> {
    type Key = K;

    fn derive(&self, _: Engine, items: impl Iterator<Item = T>, key: impl FnMut(K)) {
        items.map(&self.0).for_each(key);
    }
}
