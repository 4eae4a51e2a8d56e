//! Processes that die with the file open.
#![cfg(feature = "redb")]
#![allow(clippy::unwrap_used, reason = "a panic is how a test reports")]

mod common;

use std::path::Path;

use cardroot_store::dukpt::guard::{Policy, ReplayGuard, Verdict, block_on};
use cardroot_store::{Error, RedbGuard};
use common::child::{self, Task};
use common::load::{Ledger, claim};
use redb::{ReadableDatabase, ReadableTable, TableDefinition};

const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("cardroot.log");

/// Not a test: what the other tests start and kill.
#[test]
#[ignore = "a child process of the other tests"]
fn child() {
    if let Some(task) = child::task() {
        child::work(&RedbGuard::open(&task.store, Policy::Strict).unwrap(), &task);
    }
}

fn task(path: &Path, round: u32, ledger: &Ledger) -> Task {
    Task { store: path.to_str().unwrap().to_owned(), round, start: ledger.restart() }
}

fn kill(rounds: u32) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counters");
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    let mut ledger = Ledger::default();
    for round in 0..rounds {
        let child = child::spawn(&task(&path, round, &ledger));
        // Another number of lines each time, so that the kill falls on other moments.
        child::kill_after(child, 60 + usize::try_from(round * 7 % 31).unwrap(), &mut ledger);
        ledger.verify(&RedbGuard::open(&path, Policy::Strict).unwrap());
    }
    // Blocks of the log are gone: the kills met sweeps, which are at work from the first hundreds of counters on.
    let database = redb::Database::open(&path).unwrap();
    let log = database.begin_read().unwrap().open_table(LOG).unwrap();
    let removed = log.first().unwrap().unwrap().0.value();
    assert!(removed > 0, "no sweep came round");
    println!("{rounds} kills, {} acknowledged, none lost, none twice, {removed} blocks swept", ledger.len());
    assert!(ledger.len() > 10 * usize::try_from(rounds).unwrap());
}

#[test]
fn a_killed_process_loses_nothing_acknowledged_and_accepts_nothing_twice() {
    kill(8);
}

/// `cargo test --release -p cardroot-store --test redb_crash -- --ignored --nocapture`
#[test]
#[ignore = "minutes"]
fn a_process_killed_500_times_loses_nothing_acknowledged() {
    kill(500);
}

#[test]
fn a_second_process_is_refused_until_the_first_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counters");
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    let mut first = child::spawn(&task(&path, 0, &Ledger::default()));
    child::wait_until_open(&mut first);
    assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::InUse)));
    child::kill_after(first, 0, &mut Ledger::default());
    assert!(RedbGuard::open(&path, Policy::Strict).is_ok());
}

/// Not a test: names new terminals until there is no space for more.
#[test]
#[ignore = "a child process of another test"]
fn child_that_fills() {
    let Some(task) = child::task() else { return };
    let guard = RedbGuard::open(&task.store, Policy::Strict).unwrap();
    for first in (0..).step_by(200) {
        let claims: Vec<_> = (first..first + 200).map(|terminal| claim(terminal, 1, [0; 2])).collect();
        match block_on(guard.advance(&claims)) {
            Ok(verdicts) => assert_eq!(verdicts, [Verdict::Accepted { previous: None }; 200]),
            Err(error) => {
                assert!(matches!(error, Error::Full), "{error:?}");
                println!("\nfull");
                return;
            }
        }
        (first..first + 200).for_each(|terminal| child::say(terminal, 1));
    }
}

/// The shell's limit on the length of files stands for a full disk.
#[cfg(unix)]
#[test]
fn a_file_that_may_not_grow_accepts_no_more_and_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("counters");
    drop(RedbGuard::create(&path, Policy::Strict).unwrap());
    let length = path.metadata().unwrap().len();
    let mut ledger = Ledger::default();
    // In blocks of 512 bytes; the signal of the limit is ignored, so that writing fails.
    let script = format!("trap '' XFSZ; ulimit -f {}; exec \"$@\"", length / 512);
    let child = child::spawn_by("child_that_fills", &task(&path, 0, &ledger), Some(&script));
    assert!(child::wait(child, &mut ledger).contains("full"));
    println!("{} acknowledged in a file of {length} bytes", ledger.len());
    assert!(ledger.len() > 1000);
    let guard = RedbGuard::open(&path, Policy::Strict).unwrap();
    ledger.verify(&guard);
    let more: Vec<_> = (1..2000).map(|terminal| claim(terminal << 16, 1, [0; 2])).collect();
    let verdicts = block_on(guard.advance(&more)).unwrap();
    assert_eq!(verdicts, [Verdict::Accepted { previous: None }; 1999], "with space again it goes on");
}
