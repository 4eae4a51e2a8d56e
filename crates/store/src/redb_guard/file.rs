//! The file: made, opened, described, brought to this layout.

use core::hash::BuildHasher;
use std::fs::{self, File};
use std::hash::RandomState;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use dukpt::guard::Policy;
use redb::{
    Database, Durability, ReadOnlyTable, ReadableDatabase, ReadableTableMetadata, TableDefinition,
    WriteTransaction,
};

use super::MEMORIES;
use super::log::{LOG, Log, Pace};
use crate::record::{self, VERSION};
use crate::{Cause, Error};

/// `"version"`, and `"window"`: how far below the highest counter another may be.
pub(super) const STORE: TableDefinition<'_, &str, u64> = TableDefinition::new("cardroot.store");

/// Makes an empty store. Under its own name it is always a whole one: it is made beside it, and named when it is on the disk.
pub(super) fn make(path: &Path, policy: Policy) -> Result<(), Error> {
    let unfinished = Unfinished::beside(path);
    let made = || -> Result<(), redb::Error> {
        describe(&Database::create(&unfinished.0)?, policy)?;
        fs::hard_link(&unfinished.0, path)?;
        Ok(sync_folder(path)?)
    };
    made().map_err(opening)
}

/// A file that is removed unless it got a second name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn beside(path: &Path) -> Self {
        let unique = RandomState::new().hash_one(path);
        let mut name = path.as_os_str().to_owned();
        name.push(format!(".{unique:016x}.new"));
        Self(name.into())
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // Left behind it would be a file too many, and no harm.
        let _ = fs::remove_file(&self.0);
    }
}

/// Has the folder of `path` remember its new entry: a file is durable only where its name is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}

pub(super) fn open(path: &Path) -> Result<Database, Error> {
    // Database::open makes a file of no length into nothing and says so; a missing one is an I/O error.
    Database::open(path).map_err(opening)
}

/// Writes version and policy, and makes the tables that are missing.
pub(super) fn describe(database: &Database, policy: Policy) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    {
        let mut store = transaction.open_table(STORE)?;
        store.insert("version", VERSION)?;
        store.insert("window", u64::from(record::window(policy)))?;
        transaction.open_table(MEMORIES)?;
        transaction.open_table(LOG)?;
    }
    Ok(transaction.commit()?)
}

/// Compares version and policy with what this program wants.
pub(super) fn check(database: &Database, policy: Policy) -> Result<(), Error> {
    let found = version(database)?;
    if found != VERSION {
        return Err(Error::Version { found, known: VERSION });
    }
    let stored = stored_policy(database)?;
    if stored != policy {
        return Err(Error::Policy { stored, asked: policy });
    }
    Ok(())
}

/// Brings a store to [`VERSION`], and returns the version that it had. Version 1 had no log.
pub(super) fn migrate(database: &Database) -> Result<u64, Error> {
    let found = version(database)?;
    match found {
        VERSION => {}
        1 => describe(database, stored_policy(database)?).map_err(opening)?,
        found => return Err(Error::Version { found, known: VERSION }),
    }
    Ok(found)
}

pub(super) fn read_log(database: &Database, pace: Pace) -> Result<Log, Error> {
    let originators = read(database, MEMORIES).and_then(|memories| Ok(memories.len()?)).map_err(opening)?;
    Log::read(&read(database, LOG).map_err(opening)?, originators, pace)
}

/// A table as the last commit left it.
pub(super) fn read<K: redb::Key, V: redb::Value>(
    database: &Database,
    table: TableDefinition<'_, K, V>,
) -> Result<ReadOnlyTable<K, V>, redb::Error> {
    Ok(database.begin_read()?.open_table(table)?)
}

fn version(database: &Database) -> Result<u64, Error> {
    described(database, "version")?.ok_or(Error::Foreign)
}

fn stored_policy(database: &Database) -> Result<Policy, Error> {
    described(database, "window")?.and_then(record::policy).ok_or(Error::Foreign)
}

fn described(database: &Database, name: &str) -> Result<Option<u64>, Error> {
    Ok(read(database, STORE).map_err(opening)?.get(name).map_err(opening)?.map(|value| value.value()))
}

pub(super) fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    // The default of redb, said because everything rests on it.
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

pub(super) fn opening(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(error) => match error.kind() {
            ErrorKind::NotFound => Error::Missing,
            ErrorKind::AlreadyExists => Error::Exists,
            ErrorKind::InvalidData => Error::Foreign,
            _ => no_space(&error).unwrap_or_else(|| Error::Open(Cause::new(error))),
        },
        redb::Error::DatabaseAlreadyOpen => Error::InUse,
        redb::Error::TableDoesNotExist(_)
        | redb::Error::TableTypeMismatch { .. }
        | redb::Error::TableIsMultimap(_)
        | redb::Error::TypeDefinitionChanged { .. } => Error::Foreign,
        error @ redb::Error::Corrupted(_) => Error::Damaged(Cause::new(error)),
        error => Error::Open(Cause::new(error)),
    }
}

pub(super) fn writing(error: impl Into<redb::Error>) -> Error {
    match error.into() {
        redb::Error::Io(error) => {
            no_space(&error).unwrap_or_else(|| Error::OutcomeUnknown(Cause::new(error)))
        }
        error @ redb::Error::Corrupted(_) => Error::Damaged(Cause::new(error)),
        error => Error::OutcomeUnknown(Cause::new(error)),
    }
}

fn no_space(error: &io::Error) -> Option<Error> {
    let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    kinds.contains(&error.kind()).then_some(Error::Full)
}
