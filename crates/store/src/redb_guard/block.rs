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
