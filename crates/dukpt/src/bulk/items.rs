//! What is derived from which keys, and the one-block road to it.

use pin::{DecryptPinBlock, EncryptedPinBlock};
use tdea::TdeaKey;

use super::{Halves, StrongBdk};
use crate::derive;
use crate::keys::{DeriveError, InitialKey};
use crate::ksn::Ksn;
use crate::working_keys::{PinKey, Recipe};

/// The keys that derivation starts from.
#[derive(Clone, Copy)]
pub(super) enum Parents<'a> {
    Bdk(StrongBdk<'a>),
    Bdks(&'a [StrongBdk<'a>]),
    InitialKey(&'a InitialKey),
    InitialKeys(&'a [&'a InitialKey]),
}

/// What is derived.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "no name for it leaves the crate")]
pub enum Goal<'a> {
    /// The initial key.
    InitialKey,
    /// The transaction key.
    TransactionKey,
    /// A working key.
    WorkingKey(Recipe),
    /// The clear form of a PIN block.
    PinBlocks(&'a [EncryptedPinBlock]),
}

/// Key serial numbers and the keys that they belong to.
#[derive(Clone, Copy)]
pub(super) struct Items<'a> {
    pub(super) parents: Parents<'a>,
    pub(super) ksns: &'a [Ksn],
}

const AS_MANY: &str = "there are as many as key serial numbers";

impl<'a> Parents<'a> {
    /// The base derivation key of an item.
    pub(super) fn bdk(self, position: usize) -> Option<&'a TdeaKey> {
        match self {
            Self::Bdk(bdk) => Some(bdk.key()),
            Self::Bdks(bdks) => Some(bdks.get(position).expect(AS_MANY).key()),
            Self::InitialKey(_) | Self::InitialKeys(_) => None,
        }
    }

    /// The initial key of an item.
    pub(super) fn initial_key(self, position: usize) -> Option<&'a InitialKey> {
        match self {
            Self::InitialKey(key) => Some(key),
            Self::InitialKeys(keys) => Some(keys.get(position).expect(AS_MANY)),
            Self::Bdk(_) | Self::Bdks(_) => None,
        }
    }

    fn window(self, first: usize, len: usize) -> Self {
        match self {
            Self::Bdks(bdks) => Self::Bdks(window(bdks, first, len)),
            Self::InitialKeys(keys) => Self::InitialKeys(window(keys, first, len)),
            one => one,
        }
    }
}

impl Goal<'_> {
    pub(super) fn window(self, first: usize, len: usize) -> Self {
        match self {
            Self::PinBlocks(blocks) => Self::PinBlocks(window(blocks, first, len)),
            key => key,
        }
    }
}

fn window<T>(items: &[T], first: usize, len: usize) -> &[T] {
    items.get(first..).and_then(|items| items.get(..len)).expect(AS_MANY)
}

impl<'a> Items<'a> {
    pub(super) fn window(self, first: usize, len: usize) -> Self {
        Self { parents: self.parents.window(first, len), ksns: window(self.ksns, first, len) }
    }

    #[inline]
    pub(super) fn ksn(self, position: usize) -> &'a Ksn {
        self.ksns.get(position).expect("a position among the items")
    }

    /// How many steps an item takes from its initial key, or why it is refused.
    #[inline]
    pub(super) fn steps(self, goal: Goal<'_>, position: usize) -> Result<u32, DeriveError> {
        let ksn = self.ksn(position);
        if self.parents.initial_key(position).is_some_and(|key| *key.ksn() != ksn.initial()) {
            return Err(DeriveError::OtherOriginator);
        }
        match goal {
            Goal::InitialKey => Ok(0),
            _ => Ok(ksn.counter()?.ones()),
        }
    }

    /// Takes the one-block road for an item that is not refused.
    pub(super) fn derive_one(self, goal: Goal<'_>, position: usize, out: &mut Halves) {
        let ksn = self.ksn(position);
        let initial_key = match (self.parents.bdk(position), self.parents.initial_key(position)) {
            (Some(bdk), _) => derive::initial_key(bdk, ksn),
            (_, Some(key)) => key.expose_key().duplicate(),
            (None, None) => unreachable!("an item has one of them"),
        };
        let transaction_key = || derive::transaction_key(&initial_key, ksn);
        let mut put = |key: &TdeaKey| out.as_flattened_mut().copy_from_slice(key.expose_bytes());
        match goal {
            Goal::InitialKey => put(&initial_key),
            Goal::TransactionKey => put(&transaction_key()),
            Goal::WorkingKey(recipe) => put(&recipe.make(&transaction_key())),
            Goal::PinBlocks(blocks) => {
                let key = PinKey::from_key(Recipe::PIN.make(&transaction_key()));
                let Ok(clear) = key.decrypt_pin_block(*blocks.get(position).expect(AS_MANY));
                let [block, _] = out;
                *block = *clear.expose_bytes();
            }
        }
    }
}
