//! The key that a blank card is delivered with.

use core::fmt;

use tdea::hazmat::DesKey;
use tdea::{KeyError, TdeaKey};

use crate::card_key::CardKey;

/// Transport key: loaded by the manufacturer so that the issuing centre can tell its cards from swapped ones, then
/// replaced by the card master key. Wiped on drop; `Debug` shows no key bytes.
///
/// It has 8 or 16 bytes: `From<DesKey>`, `TryFrom<TdeaKey>`.
///
/// # Source
/// Provincial CPU-card system, section 8.1.
#[doc(alias = "transport code")]
pub struct TransportKey(pub(crate) CardKey);

impl TransportKey {
    /// The transport code that FMCOS cards leave the factory with unless something else was ordered: eight bytes `FF`.
    /// The whole world knows it, so it proves nothing about where a card comes from.
    #[must_use]
    pub fn fmcos_default() -> Self {
        Self::from(DesKey::from_fill(|key| key.fill(0xFF)))
    }
}

impl From<DesKey> for TransportKey {
    fn from(key: DesKey) -> Self {
        Self(CardKey::Single(key))
    }
}

impl TryFrom<TdeaKey> for TransportKey {
    type Error = KeyError;

    /// Takes a double-length key; a triple-length key is [`KeyError::Length`].
    fn try_from(key: TdeaKey) -> Result<Self, KeyError> {
        CardKey::try_from(key).map(Self)
    }
}

impl fmt::Debug for TransportKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TransportKey").finish_non_exhaustive()
    }
}
