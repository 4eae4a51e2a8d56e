//! The store in one file.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use std::env;
use std::fs;
use std::path::PathBuf;

use cardroot_dukpt::durable::{
    Device, DeviceKey, FileError, FileStore, NoRollbackProtection, OriginatorError, StateError, StateStore,
    Stored,
};
use cardroot_dukpt::{Bdk, InitialKey, Originator};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, key, ksn};

const FILE_LEN: usize = 3 * 4096;

/// A folder that is gone after the test.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = env::temp_dir().join(format!("cardroot-dukpt-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }

    fn state(&self) -> PathBuf {
        self.0.join("terminal.state")
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn initial_key() -> InitialKey {
    Bdk::from_key(key(ANNEX_A_BDK)).derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap()
}

fn device() -> Device<NoRollbackProtection> {
    Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)))
}

fn next_counter(store: FileStore) -> u32 {
    let mut terminal = Originator::open(store, device()).unwrap();
    terminal.next_transaction().unwrap().ksn().counter().unwrap().value()
}

#[test]
fn the_state_survives_the_program() {
    let folder = Folder::new("survives");
    Originator::load(FileStore::open(folder.state()).unwrap(), device(), initial_key()).unwrap();
    for expected in 1..=20 {
        assert_eq!(next_counter(FileStore::open(folder.state()).unwrap()), expected);
    }
    let occupied =
        Originator::load(FileStore::open(folder.state()).unwrap(), device(), initial_key()).unwrap_err();
    assert!(matches!(occupied, OriginatorError::State(StateError::Occupied)));
}

#[test]
fn one_slot_of_the_file_holds_the_state_and_the_other_zeros() {
    let folder = Folder::new("zeros");
    Originator::load(FileStore::open(folder.state()).unwrap(), device(), initial_key()).unwrap();
    for _ in 0..5 {
        next_counter(FileStore::open(folder.state()).unwrap());
        let file = fs::read(folder.state()).unwrap();
        assert_eq!(file.len(), FILE_LEN);
        assert!(file.starts_with(b"cardroot-dukpt state, version 1\n"));
        let blank = file[4096..].chunks(4096).filter(|slot| slot.iter().all(|byte| *byte == 0)).count();
        assert_eq!(blank, 1);
    }
}

#[test]
fn files_of_something_else_are_left_as_they_are() {
    let folder = Folder::new("something-else");
    let zeros_and_more = [vec![0; FILE_LEN], vec![0]].concat();
    let nearly = [vec![0; FILE_LEN - 1], vec![1]].concat();
    for contents in [b"name = \"x\"\n".to_vec(), zeros_and_more, nearly, vec![0xFF; FILE_LEN]] {
        fs::write(folder.state(), &contents).unwrap();
        assert!(matches!(FileStore::open(folder.state()), Err(FileError::NotAStateFile)));
        assert_eq!(fs::read(folder.state()).unwrap(), contents);
    }
    assert!(matches!(FileStore::open(&folder.0), Err(FileError::Io(_))), "a folder");
    assert!(matches!(FileStore::open(folder.0.join("no/such/folder")), Err(FileError::Io(_))));
}

#[test]
fn a_file_of_another_version_is_named_and_left_as_it_is() {
    let folder = Folder::new("version");
    for version in ["2\n", "10\n", "1.1\n", "2"] {
        let head = format!("cardroot-dukpt state, version {version}").into_bytes();
        for contents in [[&head[..], &[0; FILE_LEN - 32]].concat(), head] {
            fs::write(folder.state(), &contents).unwrap();
            assert!(matches!(FileStore::open(folder.state()), Err(FileError::OtherVersion)), "{version}");
            assert_eq!(fs::read(folder.state()).unwrap(), contents);
        }
    }
}

#[test]
fn a_file_cut_short_or_long_is_left_as_it_is() {
    let folder = Folder::new("cut");
    Originator::load(FileStore::open(folder.state()).unwrap(), device(), initial_key()).unwrap();
    let whole = fs::read(folder.state()).unwrap();
    let end_of_record = whole.iter().rposition(|byte| *byte != 0).unwrap() + 1;
    let longer = [&whole[..], &[0]].concat();
    let cut = [1, 20, 31, 32, 4096, 5000, end_of_record, FILE_LEN - 1].map(|len| &whole[..len]);
    for contents in cut.into_iter().chain([&*longer]) {
        fs::write(folder.state(), contents).unwrap();
        assert!(matches!(FileStore::open(folder.state()), Err(FileError::Length)));
        assert_eq!(fs::read(folder.state()).unwrap(), contents);
    }
}

#[test]
fn a_file_whose_making_was_cut_is_made_again() {
    let folder = Folder::new("making");
    let head = b"cardroot-dukpt state, version 1\n";
    // The head is written when the whole file is durable: a shorter one has nothing of it.
    let short = [0, 1, 100, 4096, FILE_LEN - 1].map(|len| (len, 0));
    let whole = [0, 1, 31].map(|of_head| (FILE_LEN, of_head));
    for (len, of_head) in short.into_iter().chain(whole) {
        let mut contents = vec![0; len];
        for (byte, head) in contents.iter_mut().zip(&head[..of_head]) {
            *byte = *head;
        }
        fs::write(folder.state(), contents).unwrap();
        let mut store = FileStore::open(folder.state()).unwrap();
        assert_eq!(store.read(&mut []).unwrap(), Stored::Nothing);
        assert_eq!(fs::metadata(folder.state()).unwrap().len(), FILE_LEN as u64);
    }
}

#[test]
fn an_old_copy_of_the_file_is_what_a_counter_of_the_device_is_for() {
    let folder = Folder::new("old-copy");
    Originator::load(FileStore::open(folder.state()).unwrap(), device(), initial_key()).unwrap();
    let old = fs::read(folder.state()).unwrap();
    assert_eq!(next_counter(FileStore::open(folder.state()).unwrap()), 1);
    fs::write(folder.state(), old).unwrap();
    // `NoRollbackProtection` says so.
    assert_eq!(next_counter(FileStore::open(folder.state()).unwrap()), 1);
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("owner");
    drop(FileStore::open(folder.state()).unwrap());
    assert_eq!(fs::metadata(folder.state()).unwrap().permissions().mode() & 0o777, 0o600);
}
