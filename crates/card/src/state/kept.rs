//! What a card has in its memory, and in its store if it has one.

use core::fmt;

use apdu::StatusWord;
use zeroize::Zeroizing;

use super::codec::{Reader, Stored, Writer};
use super::store::CardStore;
use super::{FORMAT, OpenError};

/// Everything that a card of some kind keeps without power. Plain data.
pub(crate) trait CardState: Stored {
    /// Upper half of the first byte of a state: the kind of card. The lower half is the format of the rest.
    const KIND: u8;

    /// What a state of this kind is refused with if its card is another one.
    fn other_card() -> OpenError;
}

/// The state of the card with that identity, as bytes.
pub(crate) fn encode<S: CardState>(identity: &[u8], state: &S) -> Zeroizing<Vec<u8>> {
    let mut out = Writer::new();
    out.byte(S::KIND | FORMAT);
    out.counted(identity);
    state.write(&mut out);
    out.finish()
}

/// The state of the card with that identity.
pub(crate) fn decode<S: CardState>(identity: &[u8], bytes: &[u8]) -> Result<S, OpenError> {
    let mut input = Reader::new(bytes);
    let first = input.byte().ok_or(OpenError::Damaged)?;
    let (kind, found) = (first & 0xF0, first & 0x0F);
    if kind != S::KIND {
        return Err(OpenError::OtherKind);
    }
    if found != FORMAT {
        return Err(OpenError::OtherFormat { found });
    }
    if input.counted().ok_or(OpenError::Damaged)? != identity {
        return Err(S::other_card());
    }
    let state = S::read(&mut input).ok_or(OpenError::Damaged)?;
    input.finish().ok_or(OpenError::Damaged)?;
    Ok(state)
}

/// The state of a card that changes by `commit` alone, and whose changes are durable when that returns.
#[derive(Debug)]
pub(crate) struct Kept<S> {
    state: S,
    durability: Durability,
}

/// Where changes go.
enum Durability {
    /// Nowhere: the card ends with the process.
    None,
    /// Into a store, under the identity of the card.
    Store { store: Box<dyn CardStore>, identity: Vec<u8> },
    /// Into a store that has failed: what it has now is not known, so nothing more is done.
    Lost,
}

impl<S: CardState> Kept<S> {
    /// The state of a card that ends with the process.
    pub(crate) const fn in_memory(state: S) -> Self {
        Self { state, durability: Durability::None }
    }

    /// The state of a new card, that is in the store when this returns.
    pub(crate) fn create(
        mut store: Box<dyn CardStore>,
        identity: Vec<u8>,
        state: S,
    ) -> Result<Self, OpenError> {
        if store.load()?.is_some() {
            return Err(OpenError::Occupied);
        }
        store.replace(&encode(&identity, &state))?;
        Ok(Self { state, durability: Durability::Store { store, identity } })
    }

    /// The state that is in the store.
    pub(crate) fn open(mut store: Box<dyn CardStore>, identity: Vec<u8>) -> Result<Self, OpenError> {
        let stored = store.load()?.ok_or(OpenError::Empty)?;
        let state = decode(&identity, stored.expose_bytes())?;
        Ok(Self { state, durability: Durability::Store { store, identity } })
    }

    pub(crate) const fn get(&self) -> &S {
        &self.state
    }

    /// Changes the state: all that `change` does or nothing of it, should power fail. There is no other way.
    ///
    /// The change is durable on return, or the card [is dead](Self::is_dead).
    pub(crate) fn commit<T>(&mut self, change: impl FnOnce(&mut S) -> T) -> T {
        let outcome = change(&mut self.state);
        self.keep();
        outcome
    }

    /// The same for a `change` that changes all or, if it fails, nothing. Success says that it is durable.
    pub(crate) fn try_commit<T>(
        &mut self,
        change: impl FnOnce(&mut S) -> Result<T, StatusWord>,
    ) -> Result<T, StatusWord> {
        let outcome = change(&mut self.state)?;
        self.keep();
        if self.is_dead() { Err(StatusWord::MEMORY_FAILURE) } else { Ok(outcome) }
    }

    /// Stores the state once more, so that a store which has the last state and the one before has no other than this.
    pub(crate) fn erase_past(&mut self) -> Result<(), StatusWord> {
        self.try_commit(|_| Ok(()))
    }

    /// Whether the store has failed: what the card has in memory may be nowhere else, so it answers nothing more.
    pub(crate) const fn is_dead(&self) -> bool {
        matches!(self.durability, Durability::Lost)
    }

    fn keep(&mut self) {
        if let Durability::Store { store, identity } = &mut self.durability
            && store.replace(&encode(identity, &self.state)).is_err()
        {
            self.durability = Durability::Lost;
        }
    }
}

impl fmt::Debug for Durability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Store { .. } => "Store",
            Self::Lost => "Lost",
        })
    }
}
