//! What files the embedded guard opens, and what it says of others.
#![cfg(feature = "redb")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

use std::fs;
use std::path::PathBuf;

use cardroot_store::dukpt::guard::{
    Claim, OriginatorId, Policy, Refusal, ReplayGuard, RequestId, Scheme, Verdict, Window, block_on,
};
use cardroot_store::{Error, RedbGuard};
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use tempfile::TempDir;

const STORE: TableDefinition<'_, &str, u64> = TableDefinition::new("cardroot.store");
const MEMORIES: TableDefinition<'_, [u8; 9], [u8; 32]> = TableDefinition::new("cardroot.memories");

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
    let tables: Vec<String> =
        transaction.list_tables().unwrap().map(|table| redb::TableHandle::name(&table).to_owned()).collect();
    assert_eq!(tables, ["cardroot.memories", "cardroot.store"]);
    let store = transaction.open_table(STORE).unwrap();
    let entries: Vec<_> = store.iter().unwrap().map(|entry| entry.unwrap()).collect();
    let entries: Vec<_> = entries.iter().map(|(name, value)| (name.value(), value.value())).collect();
    assert_eq!(entries, [("version", 1), ("window", 5)]);
    let memory =
        transaction.open_table(MEMORIES).unwrap().get(*b"\x01\x11\x22\x33\x44\x55\x66\x77\x88").unwrap();
    let expected = b"\x00\x01\x02\x04\0\0\0\0\0\0\0\x07\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\xCC\x00\x01\x02\x02";
    assert_eq!(memory.unwrap().value(), *expected);
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
fn stores_of_another_version_are_refused_and_kept() {
    let (_folder, path) = folder();
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    edit(&path, |transaction| {
        transaction.open_table(STORE).unwrap().insert("version", 2).unwrap();
    });
    for _ in 0..2 {
        let error = RedbGuard::open(&path, Policy::Strict).unwrap_err();
        assert!(matches!(error, Error::Version { found: 2, known: 1 }));
        assert_eq!(error.to_string(), "the store has version 2, this program reads and writes version 1");
    }
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
        let key = *b"\x01\x11\x22\x33\x44\x55\x66\x77\x88";
        transaction.open_table(MEMORIES).unwrap().insert(key, [0; 32]).unwrap();
    });
    let guard = RedbGuard::open(&path, Policy::Strict).unwrap();
    assert!(matches!(block_on(guard.advance(&[claim(11, 2)])), Err(Error::Damaged(_))));
    assert!(matches!(block_on(guard.advance(&[claim(11, 2)])), Err(Error::Stopped)));
}

#[test]
fn guards_are_shared_by_threads_and_tasks() {
    fn shared<T: Send + Sync + 'static>() {}
    shared::<RedbGuard>();
    let (_folder, path) = folder();
    let guard = RedbGuard::create(&path, Policy::Strict).unwrap();
    assert_eq!(format!("{guard:?}"), "RedbGuard { policy: Strict, .. }");
}
