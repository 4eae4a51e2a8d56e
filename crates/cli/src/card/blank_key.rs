//! The key that a blank card is delivered with, as it is read.

use cardroot::card::TransportKey;
use cardroot::tdea::hazmat::DesKey;
use cardroot::tdea::{BLOCK_LEN, KeyError, TdeaKey};

use crate::any_key::repeated;

/// A transport key of 8 or 16 bytes.
pub(crate) struct BlankKey {
    /// As the card has it.
    pub(crate) card: TransportKey,
    /// As its host has it: one of 8 bytes twice.
    pub(crate) host: TdeaKey,
}

impl BlankKey {
    /// Whether it is the one of eight bytes `FF` that all the world knows, whatever its parity bits are.
    pub(super) fn is_known(&self) -> bool {
        self.host.expose_bytes().iter().all(|byte| byte | 1 == 0xFF)
    }
}

impl TryFrom<&[u8]> for BlankKey {
    type Error = KeyError;

    fn try_from(bytes: &[u8]) -> Result<Self, KeyError> {
        if bytes.len() == BLOCK_LEN {
            let key = DesKey::try_from(bytes)?;
            return Ok(Self { host: repeated(&key), card: key.into() });
        }
        let host = TdeaKey::try_from(bytes)?;
        Ok(Self { card: host.duplicate().try_into()?, host })
    }
}
