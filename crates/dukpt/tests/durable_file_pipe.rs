//! Paths that are no regular files. By itself, because a program that is being started (here `mkfifo`) holds all locks for a moment
//! that its parent has, those of other tests among them.
#![cfg(all(feature = "std", unix))]
#![allow(clippy::unwrap_used, reason = "a panic is the report of a failed test")]

use core::time::Duration;
use std::process::Command;
use std::sync::mpsc;
use std::{env, fs, thread};

use cardroot_dukpt::durable::{FileError, FileStore};

/// A pipe would keep the program waiting for what never comes.
#[test]
fn what_is_no_file_is_refused_at_once() {
    let folder = env::temp_dir().join(format!("cardroot-dukpt-no-file-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let pipe = folder.join("terminal.state");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe, "/dev/null".into(), "/dev/zero".into()] {
        let (sender, refused) = mpsc::channel();
        thread::spawn(move || sender.send(matches!(FileStore::open(path), Err(FileError::NotAStateFile))));
        assert_eq!(refused.recv_timeout(Duration::from_secs(20)), Ok(true));
    }
    fs::remove_dir_all(folder).unwrap();
}
