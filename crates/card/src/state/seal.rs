//! A state under a key, with its generation in clear.

use aeskey::StorageKey;
use zeroize::Zeroizing;

/// First bytes of a record.
const MAGIC: [u8; 4] = *b"CRDS";
/// Length of the header in bytes: magic, length of the state (4), generation (8).
const HEADER_LEN: usize = 16;
/// What a record has besides the state, in bytes.
pub(super) const OVERHEAD: usize = HEADER_LEN + StorageKey::SIV_LEN;

/// `magic | length | generation | SIV | ciphertext`; the SIV is over all of the state and the header.
pub(super) fn seal(key: &StorageKey, generation: u64, state: &[u8]) -> Vec<u8> {
    let len = u32::try_from(state.len()).expect("a state fits into its slot");
    let mut record = Vec::with_capacity(OVERHEAD + state.len());
    record.extend(MAGIC);
    record.extend(len.to_be_bytes());
    record.extend(generation.to_be_bytes());
    // The state is never in an unwiped buffer in the clear: it is encrypted in a wiped one and copied then.
    let mut state = Zeroizing::new(state.to_vec());
    let siv = key.seal([&record], &mut state);
    record.extend_from_slice(&siv);
    record.extend_from_slice(&state);
    record
}

/// Opens the record that `bytes` begin with: its generation and state, `None` if it is not whole or not under this key.
pub(super) fn open(key: &StorageKey, bytes: &[u8]) -> Option<(u64, Zeroizing<Vec<u8>>)> {
    let (header, rest) = bytes.split_first_chunk::<HEADER_LEN>()?;
    let (siv, rest) = rest.split_first_chunk()?;
    let [magic @ .., l0, l1, l2, l3, g0, g1, g2, g3, g4, g5, g6, g7] = *header;
    let len = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok()?;
    let mut state = Zeroizing::new(rest.get(..len).filter(|_| magic == MAGIC)?.to_vec());
    key.open([header], siv, &mut state).ok()?;
    Some((u64::from_be_bytes([g0, g1, g2, g3, g4, g5, g6, g7]), state))
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
            assert_eq!(base16ct::upper::encode_string(&seal(&key, generation, state)), record);
            let record = base16ct::upper::decode_vec(record).unwrap();
            let (found, opened) = open(&key, &record).unwrap();
            assert_eq!((found, opened.as_slice()), (generation, state));
        }
    }
}
