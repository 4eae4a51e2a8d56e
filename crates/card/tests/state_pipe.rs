//! Paths that are no regular files. By itself, because a program that is being started (here `mkfifo`) holds all locks for a moment
//! that its parent has, those of other tests among them.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a panic is the report of a failed test")]

use core::time::Duration;
use std::process::Command;
use std::sync::mpsc;
use std::thread;

use cardroot_card::state::{FileError, FileStore, StorageKey};

/// A pipe has no place to go back to, and a device may take all that is written and keep nothing of it.
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let pipe = folder.path().join("card.state");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe, "/dev/null".into(), "/dev/zero".into()] {
        let (sender, refused) = mpsc::channel();
        let open = || FileStore::open(path, StorageKey::from_fill(|key| key.fill(0x3C)));
        thread::spawn(move || sender.send(matches!(open(), Err(FileError::NotAStateFile))));
        assert_eq!(refused.recv_timeout(Duration::from_secs(20)), Ok(true));
    }
}
