//! A disk that fails: at every operation in turn, and with every way that a disk may have kept what was not synced.

use core::ops::Range;
use std::collections::BTreeMap;
use std::io::ErrorKind;

use dukpt::guard::{Claim, MemoryGuard, Policy, ReplayGuard, block_on};

use super::block::ENTRIES;
use super::disk::{self, Coins, Contents, Disk, HASTY, database, made};
use super::log::{LOG, Pace};
use super::{Key, MemoryBytes, file};
use crate::Error;
use crate::record::{self, VERSION};

type Memories = BTreeMap<Key, MemoryBytes>;

/// Batches, and what a guard remembers after each: `states[n]` after `n` of them.
struct Work {
    pace: Pace,
    batches: Vec<Vec<Claim>>,
    states: Vec<Memories>,
}

impl Work {
    fn new(pace: Pace, sizes: &[usize]) -> Self {
        let (rule, mut coins) = (MemoryGuard::new(Policy::Strict), Coins(0x5EED));
        let mut work = Self { pace, batches: vec![], states: vec![Memories::new()] };
        let mut all = Memories::new();
        for (counter, size) in (1..).zip(sizes) {
            let mut claim = |number: usize| {
                let terminal = if *size > 100 { number as u64 } else { coins.next() % 9 };
                disk::claim(terminal, counter + u32::from(coins.toss()), u8::try_from(counter).unwrap())
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
        let guard = match disk::open(disk, Policy::Strict, self.pace) {
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
        let contents = Contents::read(&disk, Policy::Strict);
        let contents = contents.unwrap_or_else(|error| panic!("{context}: {error:?}"));
        let all = self.states.last().unwrap().keys();
        let found: Memories = all.filter_map(|key| Some((*key, *contents.memory(key)?))).collect();
        let possible = acknowledged..(acknowledged + 2).min(self.states.len());
        let written = possible.into_iter().find(|count| self.states[*count] == found);
        let written =
            written.unwrap_or_else(|| panic!("{context}: neither before nor after batch {acknowledged}"));
        if let Some(batch) = self.batches.get(written) {
            block_on(disk::open(&disk, Policy::Strict, self.pace).unwrap().advance(batch))
                .unwrap_or_else(|error| panic!("{context}: {error}"));
        }
    }
}

/// How many operations the whole work takes, which must remove so many blocks of the log.
fn operations(work: &Work, removed: u64) -> usize {
    let disk = made(Policy::Strict);
    assert_eq!(work.run(&disk).0, work.batches.len());
    let operations = disk.operations();
    let Contents { tree, blocks, .. } = Contents::read(&disk, Policy::Strict).unwrap();
    let (in_tree, oldest, newest) = (tree.len(), blocks[0], blocks[blocks.len() - 1]);
    println!("{in_tree} memories in the tree, blocks {oldest} to {newest} in the log at the end");
    assert!(in_tree > 0 && oldest >= removed, "work without a sweep, or without an end of it, shows half");
    operations
}

/// Fails each operation of the work in turn, and all after it or none. Returns how many failures and how many images.
fn fail_each_operation(work: &Work, removed: u64, step: usize, seeds: Range<u64>) -> (usize, usize) {
    let (base, operations) = (made(Policy::Strict).content(), operations(work, removed));
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
    let work = Work::new(HASTY, &[3, 1, 5, 2, 8, 1, 4, 1, 6]);
    let (failures, images) = fail_each_operation(&work, 4, 1, 1..4);
    println!("{failures} failures, {images} images");
    assert!(failures > 100 && images == 5 * failures);
}

#[test]
fn a_failure_while_the_file_grows_loses_nothing_acknowledged() {
    let work = Work::new(Pace { block: ENTRIES, ..HASTY }, &[3, 10_000, 4, 5]);
    let (failures, images) = fail_each_operation(&work, 0, 17, 1..2);
    println!("{failures} failures, {images} images");
    assert!(failures > 20);
}

/// A store of version 1: without a log.
fn made_by_version_1() -> Disk {
    let disk = made(Policy::Strict);
    let database = database(&disk).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.delete_table(LOG).unwrap();
    transaction.open_table(file::STORE).unwrap().insert("version", 1).unwrap();
    transaction.open_table(super::MEMORIES).unwrap().insert([1; 9], [0x11; 32]).unwrap();
    transaction.commit().unwrap();
    drop(database);
    Disk::new(disk.content())
}

#[test]
fn a_failure_while_a_store_is_migrated_leaves_the_old_one_or_the_new_one() {
    let base = made_by_version_1();
    let whole = Disk::new(base.content());
    assert_eq!(file::migrate(&database(&whole).unwrap()).unwrap(), 1);
    let mut found = [0; 2];
    for first in 0..whole.operations() {
        let disk = Disk::new(base.content());
        disk.fail(first..usize::MAX, ErrorKind::Other);
        let migrated = database(&disk).and_then(|database| file::migrate(&database));
        for image in disk.images(1..30) {
            let disk = Disk::new(image);
            match Contents::read(&disk, Policy::Strict) {
                Ok(contents) => {
                    assert_eq!(contents.tree, Memories::from([([1; 9], [0x11; 32])]));
                    found[1] += 1;
                }
                Err(Error::Version { found: 1, known: VERSION }) => {
                    assert!(migrated.is_err(), "what was acknowledged is lost");
                    found[0] += 1;
                }
                Err(error) => panic!("operation {first}: {error:?}"),
            }
        }
    }
    println!("{} images of the old version, {} of the new one", found[0], found[1]);
    assert!(found.iter().all(|images| *images > 20), "{found:?}");
}

/// `cargo test --release -p cardroot-store --lib faults -- --ignored --nocapture`
#[test]
#[ignore = "minutes: more than 100,000 cuts"]
fn a_failure_of_any_operation_of_longer_work_loses_nothing_acknowledged() {
    let work = [
        (Work::new(HASTY, &[1; 40]), 8, 1, 1..130),
        (Work::new(Pace { step: 4, block: 2, ..HASTY }, &[2; 40]), 8, 1, 1..130),
        (Work::new(Pace { block: ENTRIES, ..HASTY }, &[3, 30_000, 4, 1, 20_000, 2, 9]), 0, 29, 1..3),
    ];
    let mut all = 0;
    for (work, removed, step, seeds) in work {
        let (failures, images) = fail_each_operation(&work, removed, step, seeds);
        println!("{failures} failures, {images} images");
        all += images;
    }
    assert!(all > 100_000, "{all}");
}
