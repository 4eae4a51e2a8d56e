//! A disk in memory that fails when it is told to, and knows what it may have kept; and stores on it.

use core::ops::Range;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use dukpt::guard::{Claim, OriginatorId, Policy, RequestId, Scheme};
use redb::{Builder, Database, ReadableTable, StorageBackend};

use super::log::{LOG, Log, Pace};
use super::{Key, MEMORIES, MemoryBytes, RedbGuard, file};
use crate::Error;

/// A log that is swept with each commit, and folded wholly every few: sweeps in every phase within a short work.
pub(super) const HASTY: Pace = Pace { share: 4, least: 3, most: 1 << 20, step: 1, block: 3 };

/// What a disk keeps in one piece.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
pub(super) struct Disk(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// What a reader sees.
    now: Vec<u8>,
    /// What is on the disk for certain.
    synced: Vec<u8>,
    /// What came after, in order: an offset and bytes, or a new length.
    unsynced: Vec<Change>,
    /// Operations that change the disk, so far.
    operations: usize,
    /// Those that fail, and how.
    failing: Range<usize>,
    kind: Option<ErrorKind>,
}

#[derive(Debug)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

impl Disk {
    pub(super) fn new(content: Vec<u8>) -> Self {
        let state = State { synced: content.clone(), now: content, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn fail(&self, failing: Range<usize>, kind: ErrorKind) {
        let mut state = self.state();
        (state.failing, state.kind) = (failing, Some(kind));
    }

    /// What a reader sees.
    pub(super) fn content(&self) -> Vec<u8> {
        self.state().now.clone()
    }

    /// How many operations have changed the disk.
    pub(super) fn operations(&self) -> usize {
        self.state().operations
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    fn change(&self, change: Change) -> io::Result<()> {
        let mut state = self.state();
        let failed = state.count();
        if failed.is_ok() {
            apply(&mut state.now, &change);
        }
        // A write that failed may have reached the disk in part.
        state.unsynced.push(change);
        failed
    }

    /// What may be found later: all that was written, only what was synced, and something between for each seed.
    pub(super) fn images(&self, seeds: Range<u64>) -> Vec<Vec<u8>> {
        let torn = seeds.map(|seed| self.torn(seed)).collect();
        let state = self.state();
        [vec![state.now.clone(), state.synced.clone()], torn].concat()
    }

    /// What a power cut leaves: of all that was not synced, each sector by itself is there or not.
    fn torn(&self, seed: u64) -> Vec<u8> {
        let state = self.state();
        let (mut image, mut coins) = (state.synced.clone(), Coins(seed));
        for change in &state.unsynced {
            match change {
                Change::Length(_) if coins.toss() => apply(&mut image, change),
                Change::Length(_) => {}
                Change::Write(offset, bytes) => {
                    for (number, sector) in bytes.chunks(SECTOR).enumerate() {
                        if coins.toss() {
                            apply(&mut image, &Change::Write(offset + number * SECTOR, sector.to_vec()));
                        }
                    }
                }
            }
        }
        image
    }
}

impl State {
    fn count(&mut self) -> io::Result<()> {
        let number = self.operations;
        self.operations += 1;
        match self.kind {
            Some(kind) if self.failing.contains(&number) => Err(kind.into()),
            _ => Ok(()),
        }
    }
}

fn apply(image: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Length(length) => image.resize(*length, 0),
        Change::Write(offset, bytes) => {
            let end = offset + bytes.len();
            image.resize(image.len().max(end), 0);
            image[*offset..end].copy_from_slice(bytes);
        }
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.state().now.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let state = self.state();
        out.copy_from_slice(state.now.get(offset..offset + out.len()).ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(len).unwrap()))
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut state = self.state();
        state.count()?;
        state.synced = state.now.clone();
        state.unsynced.clear();
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        self.change(Change::Write(usize::try_from(offset).unwrap(), data.to_vec()))
    }
}

/// Xorshift: the same tosses in every run.
pub(super) struct Coins(pub(super) u64);

impl Coins {
    pub(super) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    pub(super) fn toss(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }
}

pub(super) fn originator(number: u64) -> OriginatorId {
    OriginatorId { scheme: Scheme::Tdes, id: number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes() }
}

pub(super) fn claim(number: u64, counter: u32, request: u8) -> Claim {
    Claim { originator: originator(number), counter, request: RequestId([request; 16]) }
}

/// A store that was made and closed.
pub(super) fn made(policy: Policy) -> Disk {
    let disk = Disk::new(vec![]);
    file::describe(&database(&disk).unwrap(), policy).unwrap();
    Disk::new(disk.content())
}

pub(super) fn database(disk: &Disk) -> Result<Database, Error> {
    Builder::new().create_with_backend(disk.clone()).map_err(file::opening)
}

pub(super) fn open(disk: &Disk, policy: Policy, pace: Pace) -> Result<RedbGuard, Error> {
    let database = database(disk)?;
    file::check(&database, policy)?;
    RedbGuard::start(database, policy, pace)
}

/// What a closed store holds.
pub(super) struct Contents {
    pub(super) log: Log,
    pub(super) tree: BTreeMap<Key, MemoryBytes>,
    /// The numbers of the log's blocks.
    pub(super) blocks: Vec<u64>,
}

impl Contents {
    pub(super) fn read(disk: &Disk, policy: Policy) -> Result<Self, Error> {
        let database = database(disk)?;
        file::check(&database, policy)?;
        let (tree, blocks) = (file::read(&database, MEMORIES).unwrap(), file::read(&database, LOG).unwrap());
        Ok(Self {
            log: file::read_log(&database, HASTY)?,
            tree: tree
                .iter()
                .unwrap()
                .map(|entry| entry.map(|(k, v)| (k.value(), v.value())).unwrap())
                .collect(),
            blocks: blocks.iter().unwrap().map(|entry| entry.unwrap().0.value()).collect(),
        })
    }

    /// What it remembers of an originator: what is pending goes before what is in the tree.
    pub(super) fn memory(&self, key: &Key) -> Option<&MemoryBytes> {
        self.log.pending(key).or_else(|| self.tree.get(key))
    }
}
