//! What keeps an old command from being replayed.

use tdea::BLOCK_LEN;

/// Random bytes of the card, good for one command: every use takes it away.
///
/// It is no secret. It can't be copied, since the card takes it once.
#[derive(Debug)]
pub struct Challenge([u8; BLOCK_LEN]);

/// A challenge of another length than 4 or 8 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a challenge is 4 or 8 bytes, found {found}")]
pub struct ChallengeLengthError {
    /// Bytes supplied.
    pub found: usize,
}

impl Challenge {
    /// As a block: the 8 bytes, or the 4 bytes and four zeros.
    pub(super) const fn into_block(self) -> [u8; BLOCK_LEN] {
        self.0
    }
}

impl TryFrom<&[u8]> for Challenge {
    type Error = ChallengeLengthError;

    /// Takes what the card drew.
    fn try_from(bytes: &[u8]) -> Result<Self, ChallengeLengthError> {
        let mut block = [0; BLOCK_LEN];
        match (bytes.len(), block.get_mut(..bytes.len())) {
            (4 | 8, Some(start)) => start.copy_from_slice(bytes),
            (found, _) => return Err(ChallengeLengthError { found }),
        }
        Ok(Self(block))
    }
}
