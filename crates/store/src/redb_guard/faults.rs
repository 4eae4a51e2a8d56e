//! A disk that fails: at every operation in turn, and with every way that a disk may have kept what was not synced.

use core::ops::Range;
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::sync::{Arc, Mutex, MutexGuard};

use dukpt::guard::{Claim, MemoryGuard, OriginatorId, Policy, ReplayGuard, RequestId, Scheme, block_on};
use redb::{Builder, Database, ReadableDatabase, ReadableTable, StorageBackend};

use super::{MEMORIES, RedbGuard, check, describe, opening};
use crate::{Error, record};

/// What a disk keeps in one piece.
const SECTOR: usize = 512;

#[derive(Clone, Debug)]
struct Disk(Arc<Mutex<State>>);

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
    fn new(content: Vec<u8>) -> Self {
        let state = State { synced: content.clone(), now: content, ..State::default() };
        Self(Arc::new(Mutex::new(state)))
    }

    fn fail(&self, failing: Range<usize>, kind: ErrorKind) {
        let mut state = self.state();
        (state.failing, state.kind) = (failing, Some(kind));
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
    fn images(&self, seeds: Range<u64>) -> Vec<Vec<u8>> {
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
struct Coins(u64);

impl Coins {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn toss(&mut self) -> bool {
        self.next().is_multiple_of(2)
    }
}

type Memories = BTreeMap<[u8; 9], [u8; record::MEMORY_LEN]>;

/// Batches, and what a guard remembers after each: `states[n]` after `n` of them.
struct Work {
    batches: Vec<Vec<Claim>>,
    states: Vec<Memories>,
}

impl Work {
    fn new(sizes: &[usize]) -> Self {
        let (rule, mut coins) = (MemoryGuard::new(Policy::Strict), Coins(0x5EED));
        let mut work = Self { batches: vec![], states: vec![Memories::new()] };
        let mut all = Memories::new();
        for (counter, size) in (1..).zip(sizes) {
            let mut claim = |number: usize| Claim {
                originator: originator(if *size > 100 { number as u64 } else { coins.next() % 9 }),
                counter: counter + u32::from(coins.toss()),
                request: RequestId([u8::try_from(counter).unwrap(); 16]),
            };
            let batch: Vec<Claim> = (0..*size).map(&mut claim).collect();
            let Ok(_) = block_on(rule.advance(&batch));
            for claim in &batch {
                let memory = rule.memory(&claim.originator).unwrap();
                all.insert(record::key(&claim.originator), record::encode(&memory));
            }
            work.batches.push(batch);
            work.states.push(all.clone());
        }
        work
    }

    /// Gives all batches to a guard on `disk`, up to the first that fails: how many were acknowledged, and the failure.
    fn run(&self, disk: &Disk) -> (usize, Option<Error>) {
        let guard = match open(disk) {
            Ok(guard) => guard,
            Err(error) => return (0, Some(error)),
        };
        for (acknowledged, batch) in self.batches.iter().enumerate() {
            if let Err(error) = block_on(guard.advance(batch)) {
                let again = block_on(guard.advance(batch));
                assert!(matches!(again, Err(Error::Stopped)), "a guard ends with its first failure");
                return (acknowledged, Some(error));
            }
        }
        (self.batches.len(), None)
    }

    /// Opens what a failure has left, compares it, and goes on with it.
    fn inspect(&self, image: Vec<u8>, acknowledged: usize, context: &str) {
        let disk = Disk::new(image);
        let database =
            Builder::new().create_with_backend(disk.clone()).unwrap_or_else(|e| panic!("{context}: {e}"));
        check(&database, Policy::Strict).unwrap_or_else(|error| panic!("{context}: {error:?}"));
        let transaction = database.begin_read().unwrap();
        let table = transaction.open_table(MEMORIES).unwrap();
        let found: Memories =
            table.iter().unwrap().map(Result::unwrap).map(|(k, v)| (k.value(), v.value())).collect();
        drop((table, transaction, database));
        let possible = acknowledged..(acknowledged + 2).min(self.states.len());
        let written = possible.into_iter().find(|count| self.states[*count] == found);
        let written =
            written.unwrap_or_else(|| panic!("{context}: neither before nor after batch {acknowledged}"));
        if let Some(batch) = self.batches.get(written) {
            block_on(open(&disk).unwrap().advance(batch))
                .unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

fn originator(number: u64) -> OriginatorId {
    OriginatorId { scheme: Scheme::Tdes, id: number.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes() }
}

fn database(disk: &Disk) -> Result<Database, Error> {
    Builder::new().create_with_backend(disk.clone()).map_err(|error| opening(error.into()))
}

fn open(disk: &Disk) -> Result<RedbGuard, Error> {
    let database = database(disk)?;
    check(&database, Policy::Strict)?;
    RedbGuard::start(database, Policy::Strict)
}

/// A store that was made and closed.
fn made() -> Vec<u8> {
    let disk = Disk::new(vec![]);
    describe(&database(&disk).unwrap(), Policy::Strict).unwrap();
    disk.state().now.clone()
}

/// Fails each operation of the work in turn, and all after it or none. Returns how many failures and how many images.
fn fail_each_operation(work: &Work, step: usize, seeds: Range<u64>) -> (usize, usize) {
    let base = made();
    let whole = Disk::new(base.clone());
    assert_eq!(work.run(&whole).0, work.batches.len());
    let operations = whole.state().operations;
    let (mut failures, mut images) = (0, 0);
    for first in (0..operations).step_by(step) {
        for (failing, kind) in
            [(first..usize::MAX, ErrorKind::Other), (first..first + 1, ErrorKind::StorageFull)]
        {
            let disk = Disk::new(base.clone());
            disk.fail(failing.clone(), kind);
            let (acknowledged, error) = work.run(&disk);
            match error {
                Some(Error::Full) => assert_eq!(kind, ErrorKind::StorageFull),
                Some(error) => {
                    assert!(matches!(error, Error::OutcomeUnknown(_) | Error::Open(_)), "{error:?}")
                }
                // The failure fell on closing the file.
                None => assert_eq!(acknowledged, work.batches.len()),
            }
            let context = format!("operations {failing:?} of {operations} fail");
            for image in disk.images(seeds.clone()) {
                work.inspect(image, acknowledged, &context);
                images += 1;
            }
            failures += 1;
        }
    }
    (failures, images)
}

#[test]
fn a_failure_of_any_operation_loses_nothing_acknowledged_and_leaves_no_batch_in_part() {
    let work = Work::new(&[3, 1, 5, 2, 8]);
    let (failures, images) = fail_each_operation(&work, 1, 1..4);
    println!("{failures} failures, {images} images");
    assert!(failures > 60 && images == 5 * failures);
}

#[test]
fn a_failure_while_the_file_grows_loses_nothing_acknowledged() {
    let work = Work::new(&[3, 30_000, 4]);
    let (failures, images) = fail_each_operation(&work, 47, 1..2);
    println!("{failures} failures, {images} images");
    assert!(failures > 20);
}

/// `cargo test --release -p cardroot-store --lib faults -- --ignored --nocapture`
#[test]
#[ignore = "minutes: more than 100,000 cuts"]
fn a_failure_of_any_operation_of_longer_work_loses_nothing_acknowledged() {
    let work = [(Work::new(&[1; 40]), 1, 1..180), (Work::new(&[3, 30_000, 4, 1, 20_000, 2]), 13, 1..3)];
    let mut all = 0;
    for (work, step, seeds) in work {
        let (failures, images) = fail_each_operation(&work, step, seeds);
        println!("{failures} failures, {images} images");
        all += images;
    }
    assert!(all > 100_000, "{all}");
}
