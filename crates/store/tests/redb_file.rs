//! What files the embedded guard opens, and what it says of others.
#![cfg(feature = "redb")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

use std::fs;
use std::path::PathBuf;

use cardroot_store::dukpt::guard::{
    Claim, OriginatorId, Policy, Refusal, ReplayGuard, RequestId, Scheme, Verdict, Window, block_on,
};
use cardroot_store::{Error, RedbGuard};
use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use tempfile::TempDir;

const STORE: TableDefinition<'_, &str, u64> = TableDefinition::new("cardroot.store");
const MEMORIES: TableDefinition<'_, [u8; 9], [u8; 32]> = TableDefinition::new("cardroot.memories");
const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("cardroot.log");

/// The key of the originator below.
const KEY: [u8; 9] = *b"\x01\x11\x22\x33\x44\x55\x66\x77\x88";

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counters");
    (folder, path)
}

fn claim(counter: u32, request: u8) -> Claim {
    let originator =
        OriginatorId { scheme: Scheme::Tdes, id: [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88] };
    Claim { originator, counter, request: RequestId([request; 16]) }
}

fn ask(guard: &RedbGuard, claim: Claim) -> Verdict {
    block_on(guard.advance(&[claim])).unwrap()[0]
}

fn window(width: u8) -> Policy {
    Policy::Window(Window::new(width).unwrap())
}

/// Changes a closed store behind the guard's back.
fn edit(path: &PathBuf, edit: impl FnOnce(&redb::WriteTransaction)) {
    let database = Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    edit(&transaction);
    transaction.commit().unwrap();
}

#[test]
fn layout_in_the_file_is_the_documented_one() {
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, window(5)).unwrap();
    ask(&guard, claim(0x0001_0203, 0xAA));
    ask(&guard, claim(0x0001_0204, 0xBB));
    ask(&guard, claim(0x0001_0202, 0xCC));
    drop(guard);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_read().unwrap();
    let tables = transaction.list_tables().unwrap();
    let tables: Vec<String> = tables.map(|table| redb::TableHandle::name(&table).to_owned()).collect();
    assert_eq!(tables, ["cardroot.log", "cardroot.memories", "cardroot.store"]);
    let store = transaction.open_table(STORE).unwrap();
    let entries: Vec<_> = store.iter().unwrap().map(|entry| entry.unwrap()).collect();
    let entries: Vec<_> = entries.iter().map(|(name, value)| (name.value(), value.value())).collect();
    assert_eq!(entries, [("version", 2), ("window", 5)]);

    let memory = |last: u8, accepted: u8, request: u8, counter: u8| {
        let accepted = [0, 0, 0, 0, 0, 0, 0, accepted];
        [&[0, 1, 2, last][..], &accepted, &[request; 16], &[0, 1, 2, counter]].concat()
    };
    let memories = [memory(3, 1, 0xAA, 3), memory(4, 3, 0xBB, 4), memory(4, 7, 0xCC, 2)];
    let entries: Vec<u8> = memories.iter().flat_map(|memory| [&KEY[..], memory].concat()).collect();
    let log = transaction.open_table(LOG).unwrap();
    assert_eq!(log.len().unwrap(), 1);
    let block = log.get(0).unwrap().unwrap();
    assert_eq!(block.value(), [&[0; 17][..], &entries].concat(), "the sweep is at the beginning");
    assert_eq!(transaction.open_table(MEMORIES).unwrap().len().unwrap(), 0, "nothing is folded yet");
}

#[test]
fn memories_move_from_the_log_to_the_tree() {
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    for counter in 1..=600 {
        ask(&guard, claim(counter, 0xDD));
    }
    drop(guard);
    let database = Database::open(&path).unwrap();
    let transaction = database.begin_read().unwrap();
    let log = transaction.open_table(LOG).unwrap();
    let (oldest, newest) = (log.first().unwrap().unwrap(), log.last().unwrap().unwrap());
    let (oldest, newest) = (oldest.0.value(), newest.0.value());
    assert!(oldest > 0 && newest == 600 / 99, "blocks {oldest} to {newest}");
    let memory = transaction.open_table(MEMORIES).unwrap().get(KEY).unwrap().unwrap().value();
    let last = u32::from_be_bytes(*memory.first_chunk().unwrap());
    assert!((400..=600).contains(&last), "{last}");
    assert_eq!(memory[4..], [&[0xFF; 8][..], &[0xDD; 16], &memory[..4]].concat());
}

#[test]
fn a_store_is_made_once_and_opened_only_if_it_is_there() {
    let (folder, path) = folder();
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Missing)));
    assert!(!path.exists(), "opening makes no store");
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    assert!(matches!(RedbGuard::create(&path, Policy::Strict), Err(Error::Exists)));
    drop(RedbGuard::open(&path, Policy::Strict).unwrap());
    let names: Vec<_> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["counters"], "nothing else is left in the folder");
    let nowhere = folder.path().join("no such folder").join("counters");
    assert!(matches!(RedbGuard::create(nowhere, Policy::Strict), Err(Error::Missing)));
}

#[test]
fn one_guard_at_a_time_has_the_file() {
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::InUse)));
    assert!(matches!(RedbGuard::change_policy(&path, Policy::Strict, window(1)), Err(Error::InUse)));
    assert!(matches!(RedbGuard::create(&path, Policy::Strict), Err(Error::Exists)));
    drop(guard);
    assert!(RedbGuard::open(&path, Policy::Strict).is_ok());
}

#[test]
fn files_of_others_are_refused() {
    let (folder, path) = folder();
    for content in [&b""[..], b"x", &[0; 8192], b"SQLite format 3\0 and so on and so on and so on and so on"]
    {
        fs::write(&path, content).unwrap();
        assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Foreign)), "{content:?}");
        assert_eq!(fs::read(&path).unwrap(), content, "and not touched");
        fs::remove_file(&path).unwrap();
    }
    let of_another = TableDefinition::<&str, &str>::new("settings");
    let database = Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(of_another).unwrap();
    transaction.commit().unwrap();
    drop(database);
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Foreign)));
    assert!(matches!(RedbGuard::open(folder.path(), Policy::Strict), Err(Error::Open(_))));
}

#[test]
fn tables_of_other_types_are_refused() {
    let (_folder, path) = folder();
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    edit(&path, |transaction| {
        transaction.delete_table(STORE).unwrap();
        transaction.open_table(TableDefinition::<u8, u8>::new("cardroot.store")).unwrap();
    });
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Foreign)));
}

#[test]
fn stores_of_a_newer_version_are_refused_and_kept() {
    let (_folder, path) = folder();
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    edit(&path, |transaction| {
        transaction.open_table(STORE).unwrap().insert("version", 3).unwrap();
    });
    for _ in 0..2 {
        let error = RedbGuard::open(&path, Policy::Strict).unwrap_err();
        assert!(matches!(error, Error::Version { found: 3, known: 2 }));
        let said = "the store has version 3, this program reads and writes version 2; use a newer program";
        assert_eq!(error.to_string(), said);
        assert!(matches!(RedbGuard::migrate(&path), Err(Error::Version { found: 3, known: 2 })));
    }
}

/// Writes a store as the first version of this crate did: two tables, all memories in the tree.
fn made_by_version_1(path: &PathBuf, window: u64, memories: &[([u8; 9], [u8; 32])]) {
    let database = Database::create(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let mut store = transaction.open_table(STORE).unwrap();
    store.insert("version", 1).unwrap();
    store.insert("window", window).unwrap();
    let mut tree = transaction.open_table(MEMORIES).unwrap();
    for (key, memory) in memories {
        tree.insert(key, memory).unwrap();
    }
    drop((store, tree));
    transaction.commit().unwrap();
}

#[test]
fn a_store_of_version_1_is_refused_until_it_is_migrated_and_has_forgotten_nothing_then() {
    let (_folder, path) = folder();
    // Counters 10 and 8 were accepted, 8 last, for request CC.
    let mut memory = [0xCC; 32];
    memory[..12].copy_from_slice(&[0, 0, 0, 10, 0, 0, 0, 0, 0, 0, 0, 0b101]);
    memory[28..].copy_from_slice(&[0, 0, 0, 8]);
    made_by_version_1(&path, 5, &[(KEY, memory)]);
    for _ in 0..2 {
        let error = RedbGuard::open(&path, window(5)).unwrap_err();
        assert!(matches!(error, Error::Version { found: 1, known: 2 }));
        let said = "the store has version 1, this program reads and writes version 2; migrate the store";
        assert_eq!(error.to_string(), said);
    }
    assert_eq!(RedbGuard::migrate(&path).unwrap(), 1);
    assert_eq!(RedbGuard::migrate(&path).unwrap(), 2, "once is enough");
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Policy { .. })));
    let guard = RedbGuard::open(&path, window(5)).unwrap();
    assert_eq!(ask(&guard, claim(8, 0xCC)), Verdict::Repeated);
    assert_eq!(ask(&guard, claim(10, 1)), Verdict::Refused(Refusal::Replay { found: 10 }));
    assert_eq!(ask(&guard, claim(9, 2)), Verdict::Accepted { previous: Some(10) });
    assert_eq!(ask(&guard, claim(4, 3)), Verdict::Refused(Refusal::Below { found: 4, last: 10 }));
    assert_eq!(ask(&guard, claim(11, 4)), Verdict::Accepted { previous: Some(10) });
}

#[test]
fn what_is_no_store_is_not_migrated() {
    let (_folder, path) = folder();
    assert!(matches!(RedbGuard::migrate(&path), Err(Error::Missing)));
    made_by_version_1(&path, 64, &[]);
    assert!(matches!(RedbGuard::migrate(&path), Err(Error::Foreign)), "no policy has this number");
    edit(&path, |transaction| {
        transaction.open_table(STORE).unwrap().remove("version").unwrap();
    });
    assert!(matches!(RedbGuard::migrate(&path), Err(Error::Foreign)));
    fs::write(&path, "a text").unwrap();
    assert!(matches!(RedbGuard::migrate(&path), Err(Error::Foreign)));
}

#[test]
fn another_policy_is_an_error_and_a_change_of_it_explicit() {
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    for counter in [10, 20] {
        assert!(matches!(ask(&guard, claim(counter, 1)), Verdict::Accepted { .. }));
    }
    assert_eq!(ask(&guard, claim(15, 2)), Verdict::Refused(Refusal::Below { found: 15, last: 20 }));
    drop(guard);
    let error = RedbGuard::open(&path, window(8)).unwrap_err();
    assert!(matches!(error, Error::Policy { stored: Policy::Strict, asked: Policy::Window(_) }));
    assert!(matches!(RedbGuard::change_policy(&path, window(8), Policy::Strict), Err(Error::Policy { .. })));

    let guard = RedbGuard::change_policy(&path, Policy::Strict, window(20)).unwrap();
    assert_eq!(guard.policy(), window(20));
    assert_eq!(ask(&guard, claim(15, 3)), Verdict::Accepted { previous: Some(20) });
    assert_eq!(ask(&guard, claim(10, 4)), Verdict::Refused(Refusal::Replay { found: 10 }));
    drop(guard);
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Policy { .. })));
    assert!(RedbGuard::open(&path, window(20)).is_ok());
}

#[test]
fn a_memory_that_was_never_written_so_is_damage_and_ends_the_guard() {
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    ask(&guard, claim(10, 1));
    drop(guard);
    edit(&path, |transaction| {
        transaction.open_table(LOG).unwrap().pop_first().unwrap();
        transaction.open_table(MEMORIES).unwrap().insert(KEY, [0; 32]).unwrap();
    });
    let guard = RedbGuard::open(&path, Policy::Strict).unwrap();
    assert!(matches!(block_on(guard.advance(&[claim(11, 2)])), Err(Error::Damaged(_))));
    assert!(matches!(block_on(guard.advance(&[claim(11, 2)])), Err(Error::Stopped)));
}

#[test]
fn a_log_that_was_never_written_so_is_damage() {
    type Blocks<'a> = &'a [(u64, &'a [u8])];

    let memory = |bit: u8| {
        let accepted = [0, 0, 0, 0, 0, 0, 0, bit];
        [&[0, 0, 0, 9][..], &accepted, &[0x5A; 16], &[0, 0, 0, 9]].concat()
    };
    let block = |laps: u64, key: u8, entries: usize| {
        [&laps.to_be_bytes()[..], &[key; 9], &[&KEY[..], &memory(1)].concat().repeat(entries)].concat()
    };
    let good = block(2, 7, 3);
    let impossible = [&block(2, 7, 1)[..], &KEY, &memory(2)].concat();
    let damaged: &[(&str, Blocks<'_>)] = &[
        ("nothing in a block", &[(0, &[])]),
        ("no place", &[(0, &good[..16])]),
        ("no memory", &[(0, &good[..17])]),
        ("a memory and a byte", &[(0, &[&good[..], &[0]].concat())]),
        ("a memory less a byte", &[(0, &good[..good.len() - 1])]),
        ("more memories than a block holds", &[(0, &block(2, 7, 100))]),
        ("a memory that no claims lead to", &[(0, &impossible)]),
        ("the same in an older block", &[(0, &impossible), (1, &good)]),
        ("laps that nobody counts", &[(0, &block(1 << 63, 7, 1))]),
        ("a block that is missing", &[(3, &good), (5, &good)]),
        ("a number after which there is none", &[(u64::MAX, &good)]),
        ("a sweep that goes back", &[(3, &block(2, 8, 1)), (4, &good)]),
        ("a sweep that goes back by a lap", &[(3, &block(3, 1, 1)), (4, &good)]),
    ];
    let (_folder, path) = folder();
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    let write = |blocks: Blocks<'_>| {
        edit(&path, |transaction| {
            let mut log = transaction.open_table(LOG).unwrap();
            log.retain(|_, _| false).unwrap();
            for (number, block) in blocks {
                log.insert(number, block).unwrap();
            }
        });
    };
    for (what, blocks) in damaged {
        write(blocks);
        let opened = RedbGuard::open(&path, Policy::Strict);
        assert!(matches!(opened, Err(Error::Damaged(_))), "{what}: {opened:?}");
    }
    println!("{} kinds of damage", damaged.len());
    write(&[(3, &block(1, 9, 99)), (4, &good), (5, &block(2, 7, 1))]);
    let guard = RedbGuard::open(&path, Policy::Strict).unwrap();
    assert_eq!(ask(&guard, claim(9, 1)), Verdict::Refused(Refusal::Replay { found: 9 }));
}

#[test]
fn guards_are_shared_by_threads_and_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<RedbGuard>();
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    assert_eq!(format!("{guard:?}"), "RedbGuard { policy: Strict, .. }");
}
