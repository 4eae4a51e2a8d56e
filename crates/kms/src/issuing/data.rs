//! What differs from card to card.

use alloc::collections::BTreeMap;
use core::fmt;

use zeroize::Zeroizing;

/// What one card gets besides keys, by name: serial numbers, the holder, the PIN as the card compares it.
///
/// Wiped on drop; `Debug` shows the names alone.
#[derive(Default)]
pub struct CardData(BTreeMap<String, Zeroizing<Vec<u8>>>);

impl CardData {
    /// No data.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With `bytes` under `name`, in the place of those that it had.
    #[must_use]
    pub fn with(mut self, name: &str, bytes: &[u8]) -> Self {
        self.0.insert(name.to_owned(), Zeroizing::new(bytes.to_vec()));
        self
    }

    /// The bytes of a name.
    #[must_use]
    pub fn expose(&self, name: &str) -> Option<&[u8]> {
        self.0.get(name).map(|bytes| bytes.as_slice())
    }
}

impl fmt::Debug for CardData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_names_alone() {
        let data = CardData::new().with("pin", &[0xA5; 4]);
        for text in [format!("{data:?}"), format!("{data:#?}")] {
            assert!(
                text.contains("pin") && !text.to_lowercase().contains("a5") && !text.contains("165"),
                "{text}"
            );
        }
    }
}
