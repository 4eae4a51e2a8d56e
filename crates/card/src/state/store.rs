//! What keeps the state of a card.

use alloc::sync::Arc;
use core::fmt;
use std::io;
use std::sync::{Mutex, PoisonError};

use zeroize::Zeroizing;

/// The state of a card as its store gives it back, keys in the clear. Wiped on drop; `Debug` shows none of it.
pub struct StoredCard(pub(super) Zeroizing<Vec<u8>>);

impl StoredCard {
    /// Shows the bytes.
    #[must_use]
    pub fn expose_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for StoredCard {
    fn from(bytes: Vec<u8>) -> Self {
        Self(Zeroizing::new(bytes))
    }
}

impl fmt::Debug for StoredCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoredCard").field("len", &self.0.len()).finish_non_exhaustive()
    }
}

/// Keeps the state of one card, some kilobytes that hold its keys in the clear.
///
/// [`FileStore`](super::FileStore) and [`MemoryStore`] do; so may a database or the flash of a device.
pub trait CardStore: Send {
    /// The state that was stored last, `None` if there never was one.
    ///
    /// # Errors
    /// Returns an error if the state can't be read, or is not whole.
    fn load(&mut self) -> io::Result<Option<StoredCard>>;

    /// Puts `state` in the place of the one before, and returns when it is durable. Whatever happens in between, the store
    /// then has the one or the other as a whole.
    ///
    /// # Errors
    /// Returns an error if `state` may not be durable. The store is not asked again.
    fn replace(&mut self, state: &[u8]) -> io::Result<()>;
}

/// Keeps a card as long as the process lives: for tests of what a loss of power does. A clone is the same store.
#[derive(Clone, Default)]
pub struct MemoryStore(Arc<Mutex<Option<Zeroizing<Vec<u8>>>>>);

impl MemoryStore {
    /// A store without a card.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl CardStore for MemoryStore {
    fn load(&mut self) -> io::Result<Option<StoredCard>> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(state.as_ref().map(|state| StoredCard(state.clone())))
    }

    fn replace(&mut self, state: &[u8]) -> io::Result<()> {
        let state = Zeroizing::new(state.to_vec());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(state);
        Ok(())
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").finish_non_exhaustive()
    }
}
