//! Two blocks under a parent make a double-length child: what all rules of this crate have in common.

use tdea::{BLOCK_LEN, KeyLength, Tdea, TdeaKey};

/// The rule is defined for keys of 16 bytes, and makes keys of 16 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the derivation takes a double-length key")]
pub struct TripleLengthKey;

/// Verifies that a parent is of double length.
pub(crate) const fn check_double_length(parent: &TdeaKey) -> Result<(), TripleLengthKey> {
    match parent.length() {
        KeyLength::Double => Ok(()),
        KeyLength::Triple => Err(TripleLengthKey),
    }
}

/// The parent with its schedule expanded, if it is of double length.
pub(crate) fn double_length(parent: &TdeaKey) -> Result<Tdea, TripleLengthKey> {
    check_double_length(parent)?;
    Ok(parent.cipher())
}

/// `E(parent, left) || E(parent, right)`, parity as it comes.
pub(crate) fn encrypt_pair(parent: &Tdea, left: &[u8; BLOCK_LEN], right: &[u8; BLOCK_LEN]) -> TdeaKey {
    encrypt_halves(parent, |halves| *halves = [*left, *right])
}

/// The same with both blocks filled in place. The cipher runs once for the two.
pub(crate) fn encrypt_halves(parent: &Tdea, fill: impl FnOnce(&mut [[u8; BLOCK_LEN]; 2])) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |child| {
        let halves = child.as_chunks_mut().0.first_chunk_mut().expect("a double-length key is two blocks");
        fill(halves);
        parent.encrypt_two(halves);
    })
}
