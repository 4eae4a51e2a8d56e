//! The blocks of the log, and the places of the sweep.

use super::{Entry, Key};
use crate::Error;
use crate::record::{self, KEY_LEN, MEMORY_LEN};

/// How many memories a block holds at most: with what redb adds, one page of 4096 bytes.
pub(super) const ENTRIES: usize = 99;
const ENTRY_LEN: usize = KEY_LEN + MEMORY_LEN;

/// A place on the way of the sweep: it has gone round so many times, and after that as far as this key.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub(super) struct Place {
    laps: u64,
    /// All zero, which names nobody, where a lap begins.
    key: Key,
}

impl Place {
    pub(super) const fn key(self) -> Key {
        self.key
    }

    /// The place at `key`, in the same lap if it is still ahead.
    pub(super) fn next(self, key: Key) -> Self {
        Self { laps: self.laps + u64::from(key <= self.key), key }
    }

    /// The same place, a lap later.
    pub(super) fn again(self) -> Self {
        self.next(self.key)
    }

    /// Where the next lap begins.
    pub(super) fn next_lap(self) -> Self {
        self.next(Key::default())
    }

    fn decode(laps: [u8; 8], key: Key) -> Result<Self, Error> {
        let laps = u64::from_be_bytes(laps);
        // Nobody sweeps so often, and what is left can be counted up.
        if laps >> 63 == 0 { Ok(Self { laps, key }) } else { Err(record::impossible()) }
    }
}

/// `laps (8) || key (9) || (key (9) || memory (32)) *`, big-endian: where the sweep is, and memories in the order of their writing.
pub(super) fn encode(place: Place, entries: &[Entry]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 + KEY_LEN + entries.len() * ENTRY_LEN);
    bytes.extend(place.laps.to_be_bytes());
    bytes.extend(place.key);
    for (key, memory) in entries {
        bytes.extend(key);
        bytes.extend(memory);
    }
    bytes
}

/// The place and the memories of a block. There are some, and they are possible ones.
pub(super) fn decode(bytes: &[u8]) -> Result<(Place, Vec<Entry>), Error> {
    let fields = || {
        let (laps, rest) = bytes.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let (entries, more) = rest.as_chunks::<ENTRY_LEN>();
        let fits = more.is_empty() && (1..=ENTRIES).contains(&entries.len());
        let entries: Option<Vec<Entry>> = entries.iter().map(split).collect();
        Some((*laps, *key, entries.filter(|_| fits)?))
    };
    let (laps, key, entries) = fields().ok_or_else(record::impossible)?;
    entries.iter().try_for_each(|(_, memory)| record::decode(memory).map(drop))?;
    Ok((Place::decode(laps, key)?, entries))
}

fn split(entry: &[u8; ENTRY_LEN]) -> Option<Entry> {
    let (key, memory) = entry.split_first_chunk()?;
    Some((*key, *memory.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn memory() -> impl Strategy<Value = [u8; MEMORY_LEN]> {
        any::<(u32, u64, [u8; 16])>().prop_map(|(last, accepted, request)| {
            let request = (dukpt::guard::RequestId(request), last);
            record::encode(&dukpt::guard::Memory { last, accepted: accepted | 1, request })
        })
    }

    proptest! {
        #[test]
        fn blocks_are_read_as_they_were_written(
            laps in 0..1_u64 << 63,
            key: Key,
            entries in proptest::collection::vec((any::<Key>(), memory()), 1..=ENTRIES),
        ) {
            let bytes = encode(Place { laps, key }, &entries);
            prop_assert_eq!(decode(&bytes).unwrap(), (Place { laps, key }, entries));
        }

        #[test]
        fn bytes_are_a_block_or_damage(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            match decode(&bytes) {
                Ok((place, entries)) => prop_assert_eq!(encode(place, &entries), bytes),
                Err(error) => prop_assert!(matches!(error, Error::Damaged(_))),
            }
        }
    }

    #[test]
    fn a_full_block_is_a_page() {
        let entry = ([1; KEY_LEN], [0; MEMORY_LEN]);
        // redb adds 4 bytes to a page, and to each pair of this table the key of 8 and the end of the value, 4.
        let page = |entries| 4 + 8 + 4 + encode(Place::default(), &vec![entry; entries]).len();
        assert!(page(ENTRIES) <= 4096 && page(ENTRIES + 1) > 4096);
    }
}
