//! The lock on the store in one file. By itself, because a program that is being started holds all locks for a moment that
//! its parent has, those of other tests among them.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a panic is the report of a failed test")]

use std::path::Path;
use std::process::Command;
use std::{env, fs};

use cardroot_dukpt::durable::{FileError, FileStore};

const PATH_FOR_ANOTHER: &str = "CARDROOT_DUKPT_TEST_STATE";

#[test]
fn a_store_in_use_is_refused_here_and_to_other_programs() {
    let folder = env::temp_dir().join(format!("cardroot-dukpt-in-use-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let state = folder.join("terminal.state");
    let store = FileStore::open(&state).unwrap();
    assert!(matches!(FileStore::open(&state), Err(FileError::InUse)));
    assert!(!another_program_opens(&state), "it is locked");
    drop(store);
    assert!(another_program_opens(&state), "it is not locked any more");
    assert!(FileStore::open(&state).is_ok());
    fs::remove_dir_all(folder).unwrap();
}

fn another_program_opens(state: &Path) -> bool {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "--ignored", "another_program"])
        .env(PATH_FOR_ANOTHER, state)
        .output()
        .unwrap()
        .status
        .success()
}

#[test]
#[ignore = "run by another test, as another program"]
fn another_program() {
    if let Some(path) = env::var_os(PATH_FOR_ANOTHER) {
        FileStore::open(path).unwrap();
    }
}
