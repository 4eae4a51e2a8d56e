//! The state of a relation at rest: encrypted and authenticated under a key of the node.

use alloc::vec::Vec;

use aeskey::{NotSealed, StorageKey};
use zeroize::Zeroizing;

use super::name::PartyId;
use crate::attributes::{Algorithm, Usage};

const MAGIC: &[u8] = b"CRKM";
const FORMAT: u8 = 1;
const SIV_LEN: usize = StorageKey::SIV_LEN;

/// A state that can't be taken in.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The node has a relation with this party.
    #[error("the node has a relation with this party")]
    Occupied,
    /// The state is not one of this party, this kind of node and this storage key, or it was altered. Opaque on purpose.
    #[error("the state can't be opened")]
    Refused,
    /// A key of the state is or was a key of another relation.
    #[error("a key of the state belongs to another relation")]
    NotUnique,
}

/// `SIV 16 || what `encode` writes, encrypted`. It writes at most `room` bytes.
pub(crate) fn seal(
    key: &StorageKey,
    kind: &StateKind,
    party: PartyId,
    room: usize,
    encode: impl FnOnce(&mut Vec<u8>),
) -> Vec<u8> {
    // A vector that grows leaves what it held behind, keys too.
    let mut sealed = Zeroizing::new(Vec::with_capacity(SIV_LEN + room));
    sealed.resize(SIV_LEN, 0);
    encode(&mut sealed);
    debug_assert!(sealed.len() <= SIV_LEN + room);
    let (siv, state) = sealed.split_at_mut(SIV_LEN);
    siv.copy_from_slice(&key.seal([&kind.0, party.as_bytes()], state));
    core::mem::take(&mut sealed)
}

pub(crate) fn open(
    key: &StorageKey,
    kind: &StateKind,
    party: PartyId,
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, RestoreError> {
    let (siv, state) = sealed.split_first_chunk().ok_or(RestoreError::Refused)?;
    let mut clear = Zeroizing::new(state.to_vec());
    key.open([&kind.0, party.as_bytes()], siv, &mut clear).map_err(|NotSealed| RestoreError::Refused)?;
    Ok(clear)
}

/// What a state is of: `magic 4 || format 1 || method 1 || usage 2 and algorithm 1 of every kind of key`.
pub(crate) struct StateKind(Vec<u8>);

impl StateKind {
    pub(crate) fn new<'a>(method: u8, kinds: impl IntoIterator<Item = &'a (Usage, Algorithm)>) -> Self {
        let mut kind = MAGIC.to_vec();
        kind.extend_from_slice(&[FORMAT, method]);
        for (usage, algorithm) in kinds {
            kind.extend_from_slice(&usage.code());
            kind.extend_from_slice(&algorithm.code());
        }
        Self(kind)
    }
}

/// Reads a state from front to back.
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(state: &'a [u8]) -> Self {
        Self(state)
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*array)
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    /// Bytes behind their number.
    pub(crate) fn counted(&mut self) -> Option<&'a [u8]> {
        let len = self.byte()?.into();
        let (counted, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(counted)
    }
}
