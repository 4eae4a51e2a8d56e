//! The clear payload: length of the key in bits, key, random fill.

use alloc::vec::Vec;

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::version::Version;

/// Length of the length, in bytes.
const LENGTH_LEN: usize = 2;

/// Length of the payload for a key that is made to look `shown_len` bytes long, in bytes.
pub(crate) const fn len(version: Version, shown_len: usize) -> usize {
    (LENGTH_LEN + shown_len).next_multiple_of(version.payload_unit())
}

/// Most bytes that a key in a payload of `len` bytes can have.
pub(crate) const fn room(len: usize) -> usize {
    len.saturating_sub(LENGTH_LEN)
}

/// Writes a payload of `len` bytes, at least two more than the key; nothing if the key has more bits than the length can say.
pub(crate) fn encode(len: usize, key: &[u8], rng: &mut impl CryptoRng) -> Option<Zeroizing<Vec<u8>>> {
    let bits = u16::try_from(key.len().checked_mul(8)?).ok()?;
    // The capacity is there from the start: a vector that grows leaves copies behind.
    let mut payload = Zeroizing::new(Vec::with_capacity(len));
    payload.extend_from_slice(&bits.to_be_bytes());
    payload.extend_from_slice(key);
    let fill = payload.len();
    payload.resize(len, 0);
    rng.fill_bytes(payload.get_mut(fill..)?);
    Some(payload)
}

/// The key within a payload: whole bytes, at least one.
pub(crate) fn key(payload: &[u8]) -> Option<&[u8]> {
    let (length, rest) = payload.split_first_chunk::<LENGTH_LEN>()?;
    let bits = usize::from(u16::from_be_bytes(*length));
    if bits == 0 || bits % 8 != 0 { None } else { rest.get(..bits / 8) }
}
