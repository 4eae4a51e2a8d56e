//! A state under a key, with its generation in clear.

use core::fmt;

use aes_siv::siv::Aes256Siv;
use aes_siv::{KeyInit, Tag};
use rand_core::CryptoRng;
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// First bytes of a record.
const MAGIC: [u8; 4] = *b"CRDS";
/// Length of the synthetic initialisation vector in bytes.
const SIV_LEN: usize = 16;
/// Length of the header in bytes: magic, length of the state (4), generation (8).
const HEADER_LEN: usize = 16;
/// What a record has besides the state, in bytes.
pub(super) const OVERHEAD: usize = HEADER_LEN + SIV_LEN;

/// The key under which a card's state is sealed: two AES-256 keys, of AES-SIV-CMAC-512. Wiped on drop; `Debug` shows nothing.
///
/// It protects keys of every length that a card has. Whoever has it and the file has all keys in it.
///
/// # Source
/// RFC 5297, 6.3 (AEAD_AES_SIV_CMAC_512).
#[derive(ZeroizeOnDrop)]
pub struct StorageKey([u8; StorageKey::LEN]);

impl StorageKey {
    /// Length in bytes.
    pub const LEN: usize = 64;

    /// Builds the key in place, so no copy of it stays in the caller's frame.
    #[must_use]
    pub fn from_fill(fill: impl FnOnce(&mut [u8; Self::LEN])) -> Self {
        let mut key = Self([0; Self::LEN]);
        fill(&mut key.0);
        key
    }

    /// Draws a new key at random.
    #[must_use]
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        Self::from_fill(|key| rng.fill_bytes(key))
    }

    fn cipher(&self) -> Aes256Siv {
        Aes256Siv::new((&self.0).into())
    }

    /// `magic | length | generation | SIV | ciphertext`; the SIV is over all of the state and the header.
    pub(super) fn seal(&self, generation: u64, state: &[u8]) -> Vec<u8> {
        let len = u32::try_from(state.len()).expect("a state fits into its slot");
        let mut record = Vec::with_capacity(OVERHEAD + state.len());
        record.extend(MAGIC);
        record.extend(len.to_be_bytes());
        record.extend(generation.to_be_bytes());
        let header = record.clone();
        // The state is never in an unwiped buffer in the clear: it is encrypted in a wiped one and copied then.
        let mut state = Zeroizing::new(state.to_vec());
        let siv = self
            .cipher()
            .encrypt_inout_detached([header.as_slice()], state.as_mut_slice().into())
            .expect("one associated string is within the limit");
        record.extend_from_slice(&siv);
        record.extend_from_slice(&state);
        record
    }

    /// Opens the record that `bytes` begin with: its generation and state, `None` if it is not whole or not under this key.
    pub(super) fn open(&self, bytes: &[u8]) -> Option<(u64, Zeroizing<Vec<u8>>)> {
        let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
        let (siv, rest) = rest.split_first_chunk::<SIV_LEN>()?;
        let [magic @ .., l0, l1, l2, l3, g0, g1, g2, g3, g4, g5, g6, g7] = *header;
        let len = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok()?;
        let mut state = Zeroizing::new(rest.get(..len).filter(|_| magic == MAGIC)?.to_vec());
        self.cipher()
            .decrypt_inout_detached([header.as_slice()], state.as_mut_slice().into(), &Tag::from(*siv))
            .ok()?;
        Some((u64::from_be_bytes([g0, g1, g2, g3, g4, g5, g6, g7]), state))
    }
}

impl TryFrom<&[u8]> for StorageKey {
    type Error = StorageKeyLength;

    fn try_from(bytes: &[u8]) -> Result<Self, StorageKeyLength> {
        let bytes: &[u8; Self::LEN] =
            bytes.try_into().map_err(|_| StorageKeyLength { found: bytes.len() })?;
        Ok(Self::from_fill(|key| key.copy_from_slice(bytes)))
    }
}

impl fmt::Debug for StorageKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageKey").finish_non_exhaustive()
    }
}

/// A storage key of another length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a storage key is {} bytes, found {found}", StorageKey::LEN)]
pub struct StorageKeyLength {
    /// Bytes supplied.
    pub found: usize,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records of states of version 0.1.0 of this crate, with their generations.
    const WRITTEN_BEFORE: [(u64, &[u8], &str); 3] = [
        (
            0,
            b"first state",
            "435244530000000B0000000000000000F6BA589CBE06FD60938EA738FDC4D73AD0F3E6C17F897DBCEC0AE5",
        ),
        (
            1,
            b"second, longer",
            "435244530000000E000000000000000127013592719368CDC087AAE015C51F4D7FC686EAE8BC8231B9902ADE1579",
        ),
        (0x0102_0304_0506_0708, b"", "4352445300000000010203040506070847FD67E61C96682BC058F397AC8255C7"),
    ];

    #[test]
    fn records_written_before_open_and_are_written_alike_today() {
        let key = StorageKey::from_fill(|key| key.fill(0x3C));
        for (generation, state, record) in WRITTEN_BEFORE {
            assert_eq!(base16ct::upper::encode_string(&key.seal(generation, state)), record);
            let record = base16ct::upper::decode_vec(record).unwrap();
            let (found, opened) = key.open(&record).unwrap();
            assert_eq!((found, opened.as_slice()), (generation, state));
        }
    }
}
