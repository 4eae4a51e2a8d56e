//! The log in front of the tree: an accept writes the same among ten thousand originators and among ten million.
//!
//! A page of the tree has room for some sixty originators, and the tree copies each page that it changes. A batch whose
//! originators are scattered over many more pages would write a page for each claim, and most of another one above it. So
//! a commit writes what changed side by side, to the end of a log. Memories that the log has and the tree lacks are *pending*:
//! the writer holds them in memory, and judges a claim by what is pending before it asks the tree.
//!
//! A *sweep* goes through what is pending in the order of keys, round and round, and folds it into the tree: as many memories
//! as the commits brought, each time a little further on. A page has several of them by the time the sweep comes to it, and
//! they share its cost. When the sweep has come round to where it was when a block of the log was written, the tree has
//! all of the block, and it is removed.
//!
//! All of that is in the one transaction of a commit: a crash leaves tree, log and sweep as one of them left them. The newest
//! block says where the sweep is; to open a store is to read its log.

use core::ops::Bound::{Excluded, Unbounded};
use std::collections::BTreeMap;

use redb::{ReadableTable, ReadableTableMetadata, Table, TableDefinition, WriteTransaction};

use super::block::{self, ENTRIES, Place};
use super::file::{opening, writing};
use super::{Entry, Key, MEMORIES, MemoryBytes};
use crate::{Error, record};

/// The blocks, numbered without gaps.
pub(super) const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("cardroot.log");

type Blocks<'a> = Table<'a, u64, &'static [u8]>;

/// How much is pending before the sweep goes on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// One memory for so many originators in the tree,
    pub(super) share: u64,
    /// but so many at least
    pub(super) least: usize,
    /// and so many at most, because they are held in memory.
    pub(super) most: usize,
    /// How many are folded at least when any are: a page is not written for one.
    pub(super) step: usize,
    /// How many a block holds, at most [`ENTRIES`].
    pub(super) block: usize,
}

impl Pace {
    /// With one pending for 8 originators the sweep finds 15 to fold in a page of sixty: it comes there when all that gathered in a lap
    /// is still before it, and nothing is behind it.
    pub(super) const USUAL: Self = Self { share: 8, least: 16, most: 1 << 20, step: 64, block: ENTRIES };

    fn pending(self, originators: u64) -> usize {
        usize::try_from(originators / self.share).unwrap_or(self.most).clamp(self.least, self.most)
    }
}

#[derive(Debug)]
pub(super) struct Log {
    pace: Pace,
    /// The newest memory of each originator of which the tree lacks it.
    pending: BTreeMap<Key, MemoryBytes>,
    sweep: Place,
    /// How many memories were written since the sweep went on.
    brought: usize,
    /// How many originators the tree had then.
    originators: u64,
    /// The number of the oldest block.
    oldest: u64,
    /// The number of the newest block, and what it holds.
    newest: u64,
    filling: Vec<Entry>,
}

impl Log {
    /// Reads the log of a store whose tree has so many originators.
    pub(super) fn read(
        blocks: &impl ReadableTable<u64, &'static [u8]>,
        originators: u64,
        pace: Pace,
    ) -> Result<Self, Error> {
        let mut log = Self {
            pace,
            pending: BTreeMap::new(),
            sweep: Place::default(),
            brought: 0,
            originators,
            oldest: 0,
            newest: 0,
            filling: Vec::new(),
        };
        let ends = (blocks.first().map_err(opening)?, blocks.last().map_err(opening)?);
        let (Some((oldest, _)), Some((newest, bytes))) = ends else { return Ok(log) };
        (log.oldest, log.newest) = (oldest.value(), newest.value());
        (log.sweep, log.filling) = block::decode(bytes.value())?;
        let (mut number, mut before) = (log.oldest, Place::default());
        for block in blocks.iter().map_err(opening)? {
            let (found, bytes) = block.map_err(opening)?;
            let (place, entries) = block::decode(bytes.value())?;
            let is_next = found.value() == number && place >= before;
            number = number.checked_add(1).filter(|_| is_next).ok_or_else(record::impossible)?;
            before = place;
            // The sweep folds a memory when it comes to its key for the first time.
            log.pending.extend(entries.into_iter().filter(|(key, _)| place.next(*key) > log.sweep));
        }
        Ok(log)
    }

    /// The memory of an originator that is pending.
    pub(super) fn pending(&self, key: &Key) -> Option<&MemoryBytes> {
        self.pending.get(key)
    }

    /// Writes memories, and has the sweep go on. After an error neither the transaction nor this log may be used.
    pub(super) fn write(&mut self, transaction: &WriteTransaction, changed: &[Entry]) -> Result<(), Error> {
        self.pending.extend(changed.iter().copied());
        self.brought = self.brought.saturating_add(changed.len());
        let due = self.due();
        if due >= self.pace.step {
            self.fold(transaction, due).map_err(writing)?;
        }
        let mut blocks = transaction.open_table(LOG).map_err(writing)?;
        let full = self.append(&mut blocks, changed).map_err(writing)?;
        // Faster than they come, or a log that was once too long would stay so.
        self.remove_needless(&mut blocks, 2 * full)
    }

    /// How many memories to fold now: what is pending beyond its measure, and at most twice what was brought.
    fn due(&self) -> usize {
        let pending = self.pace.pending(self.originators);
        let beyond = self.pending.len().saturating_sub(pending);
        // Where the same few are written again and again, it is the log that grows.
        let logged =
            usize::try_from(self.newest - self.oldest).unwrap_or(usize::MAX).saturating_mul(self.pace.block);
        beyond.max(logged.saturating_sub(4 * pending)).min(self.brought.saturating_mul(2))
    }

    /// Folds the next `count` memories, or what is left of this lap.
    fn fold(&mut self, transaction: &WriteTransaction, count: usize) -> Result<(), redb::Error> {
        let ahead = self.pending.range((Excluded(self.sweep.key()), Unbounded));
        let folded: Vec<Entry> = ahead.take(count).map(|(key, memory)| (*key, *memory)).collect();
        let mut memories = transaction.open_table(MEMORIES)?;
        for (key, memory) in &folded {
            memories.insert(key, memory)?;
            self.pending.remove(key);
        }
        self.sweep = match folded.last() {
            Some((key, _)) if folded.len() == count => self.sweep.next(*key),
            _ => self.sweep.next_lap(),
        };
        (self.brought, self.originators) = (0, memories.len()?);
        Ok(())
    }

    /// Fills the newest block, and new ones after it. Returns how many were filled.
    fn append(&mut self, blocks: &mut Blocks<'_>, changed: &[Entry]) -> Result<usize, redb::Error> {
        let (mut rest, mut full) = (changed, 0);
        while !rest.is_empty() {
            if self.filling.len() >= self.pace.block {
                self.filling.clear();
                self.newest += 1;
                full += 1;
            }
            let (now, later) = rest.split_at(rest.len().min(self.pace.block - self.filling.len()));
            self.filling.extend(now);
            // The place after this commit's fold: at worst what was folded in it is taken for pending, and folded again.
            blocks.insert(self.newest, block::encode(self.sweep, &self.filling).as_slice())?;
            rest = later;
        }
        Ok(full)
    }

    /// Removes the oldest blocks, at most `count`, of which the tree has everything. The newest is never one of them.
    fn remove_needless(&mut self, blocks: &mut Blocks<'_>, count: usize) -> Result<(), Error> {
        for _ in 0..count {
            let oldest = blocks.get(self.oldest).map_err(writing)?.ok_or_else(record::impossible)?;
            let (place, _) = block::decode(oldest.value())?;
            if place.again() > self.sweep {
                break;
            }
            drop(oldest);
            blocks.remove(self.oldest).map_err(writing)?;
            self.oldest += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
