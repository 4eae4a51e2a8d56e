//! The memory in one file, by the embedded database redb.

use core::fmt;
use core::hash::BuildHasher;
use std::fs::{self, File};
use std::hash::RandomState;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use dukpt::guard::{Claim, Policy, ReplayGuard, Verdict};
use redb::{Database, Durability, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

use crate::queue::{Closing, Queue};
use crate::record::{self, MEMORY_LEN, QUEUE_LIMIT, VERSION};
use crate::{Cause, Error};

/// `"version"`, and `"window"`: how far below the highest counter another may be.
const STORE: TableDefinition<'_, &str, u64> = TableDefinition::new("cardroot.store");
/// One memory an originator: see [`record`].
const MEMORIES: TableDefinition<'_, [u8; 9], [u8; MEMORY_LEN]> = TableDefinition::new("cardroot.memories");

/// How many claims one commit holds at most. More take longer than they save.
const GROUP: usize = 4096;

/// A receiver's memory in one file: embedded, durable, no server.
///
/// One thread writes. It commits what waits, and while it does, the batches of other callers gather for the next commit:
/// many callers cost the disk no more than one. An answer is given when the commit that holds it has reached the disk.
///
/// The file belongs to one guard at a time. Any failure of the disk ends the guard ([`Error::Stopped`]): what a disk has
/// kept after it reported an error is known only when the file is opened again.
///
/// # Examples
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("counters");
/// use cardroot_store::dukpt::guard::Policy;
/// use cardroot_store::{Error, RedbGuard};
///
/// assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::Missing)));
/// let guard = RedbGuard::create(&path, Policy::Strict)?;
/// assert!(matches!(RedbGuard::open(&path, Policy::Strict), Err(Error::InUse)));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct RedbGuard {
    policy: Policy,
    queue: Arc<Queue>,
    writer: Option<JoinHandle<()>>,
}

impl RedbGuard {
    /// Makes a store at `path`, empty: once for each set of keys, when the first of its terminals goes into service.
    ///
    /// # Errors
    /// [`Error::Exists`] if there is a file, whatever it holds, and what [`Self::open`] says.
    pub fn create(path: impl AsRef<Path>, policy: Policy) -> Result<Self, Error> {
        let path = path.as_ref();
        // A store under its own name is always a whole one: it is made beside it, and named when it is on the disk.
        let unfinished = Unfinished::beside(path);
        make_file(&unfinished.0, policy).map_err(opening)?;
        let named = fs::hard_link(&unfinished.0, path).and_then(|()| sync_folder(path));
        named.map_err(|error| opening(error.into()))?;
        Self::open(path, policy)
    }

    /// Opens the store at `path`, which must keep `policy`.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::InUse`], [`Error::Foreign`], [`Error::Version`], [`Error::Policy`], [`Error::Damaged`],
    /// [`Error::Full`] or [`Error::Open`].
    pub fn open(path: impl AsRef<Path>, policy: Policy) -> Result<Self, Error> {
        let database = open_file(path.as_ref())?;
        check(&database, policy)?;
        Self::start(database, policy)
    }

    /// Opens the store at `path`, which keeps the policy `from`, and has it keep `to` from now on.
    ///
    /// No counter is accepted twice through any change: the memory reaches [`Memory::WINDOW`](dukpt::guard::Memory::WINDOW)
    /// counters back under every policy.
    ///
    /// # Errors
    /// As [`Self::open`], for `from`.
    pub fn change_policy(path: impl AsRef<Path>, from: Policy, to: Policy) -> Result<Self, Error> {
        let database = open_file(path.as_ref())?;
        check(&database, from)?;
        describe(&database, to).map_err(opening)?;
        Self::start(database, to)
    }

    /// The policy that the store keeps.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    fn start(database: Database, policy: Policy) -> Result<Self, Error> {
        let queue = Arc::new(Queue::new(QUEUE_LIMIT));
        let own = Arc::clone(&queue);
        let writer = thread::Builder::new().name("cardroot-store".into());
        let writer =
            writer.spawn(move || write(&database, policy, &own)).map_err(|error| opening(error.into()))?;
        Ok(Self { policy, queue, writer: Some(writer) })
    }
}

impl ReplayGuard for RedbGuard {
    type Error = Error;

    /// The batch is queued when the future is first polled, and written from then on whether or not somebody waits.
    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Error> {
        self.queue.ask(claims).await
    }
}

impl Drop for RedbGuard {
    /// Ends the writer and closes the file. Nobody waits any more: every future borrows the guard.
    fn drop(&mut self) {
        self.queue.close();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has answered those who waited.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for RedbGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedbGuard").field("policy", &self.policy).finish_non_exhaustive()
    }
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

fn make_file(path: &Path, policy: Policy) -> Result<(), redb::Error> {
    describe(&Database::create(path)?, policy)
}

/// Has the folder of `path` remember its new entry: a file is durable only where its name is.
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}

fn open_file(path: &Path) -> Result<Database, Error> {
    // Database::open makes a file of no length into nothing and says so; a missing one is an I/O error.
    Database::open(path).map_err(|error| opening(error.into()))
}

/// Writes version and policy.
fn describe(database: &Database, policy: Policy) -> Result<(), redb::Error> {
    let transaction = begin(database)?;
    {
        let mut store = transaction.open_table(STORE)?;
        store.insert("version", VERSION)?;
        store.insert("window", u64::from(record::window(policy)))?;
        transaction.open_table(MEMORIES)?;
    }
    Ok(transaction.commit()?)
}

/// Compares version and policy with what this program wants.
fn check(database: &Database, policy: Policy) -> Result<(), Error> {
    let describe = |name| -> Result<Option<u64>, redb::Error> {
        Ok(database.begin_read()?.open_table(STORE)?.get(name)?.map(|value| value.value()))
    };
    let found = describe("version").map_err(opening)?.ok_or(Error::Foreign)?;
    if found != VERSION {
        return Err(Error::Version { found, known: VERSION });
    }
    let stored = describe("window").map_err(opening)?.and_then(record::policy).ok_or(Error::Foreign)?;
    if stored != policy {
        return Err(Error::Policy { stored, asked: policy });
    }
    Ok(())
}

fn begin(database: &Database) -> Result<WriteTransaction, redb::Error> {
    let mut transaction = database.begin_write()?;
    // The default of redb, said because everything rests on it.
    transaction.set_durability(Durability::Immediate)?;
    Ok(transaction)
}

/// The writer's life.
fn write(database: &Database, policy: Policy, queue: &Queue) {
    let _closing = Closing(queue);
    while let Some(group) = queue.take(GROUP) {
        let claims: Vec<&Claim> = group.claims().collect();
        let verdicts = commit(database, policy, &claims);
        let failed = verdicts.is_err();
        queue.answer(group, verdicts);
        if failed {
            break;
        }
    }
}

/// Judges all claims in one transaction.
fn commit(database: &Database, policy: Policy, claims: &[&Claim]) -> Result<Vec<Verdict>, Error> {
    let transaction = begin(database).map_err(writing)?;
    let Judged { mut verdicts, changed } = judge(&transaction, policy, claims)?;
    if changed {
        transaction.commit().map_err(|error| writing(error.into()))?;
    } else {
        // What was refused is refused for what is durable already.
        transaction.abort().map_err(|error| writing(error.into()))?;
    }
    verdicts.sort_unstable_by_key(|(index, _)| *index);
    Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
}

struct Judged {
    /// With the index of the claim, in the order of originators.
    verdicts: Vec<(usize, Verdict)>,
    changed: bool,
}

fn judge(transaction: &WriteTransaction, policy: Policy, claims: &[&Claim]) -> Result<Judged, Error> {
    let mut memories = transaction.open_table(MEMORIES).map_err(|error| writing(error.into()))?;
    // Originator by originator, so that neighbours in the tree are visited together and each one once.
    let mut order: Vec<(usize, &&Claim)> = claims.iter().enumerate().collect();
    order.sort_by_key(|(_, claim)| claim.originator);
    let mut judged = Judged { verdicts: Vec::with_capacity(claims.len()), changed: false };
    for same in order.chunk_by(|(_, one), (_, next)| one.originator == next.originator) {
        let Some((_, first)) = same.first() else { continue };
        let key = record::key(&first.originator);
        let stored = memories.get(key).map_err(|error| writing(error.into()))?.map(|bytes| bytes.value());
        let mut memory = stored.map(|bytes| record::decode(&bytes)).transpose()?;
        let before = memory;
        for (index, claim) in same {
            let (verdict, new) = policy.judge(memory.as_ref(), claim);
            memory = new.or(memory);
            judged.verdicts.push((*index, verdict));
        }
        if let Some(memory) = memory.filter(|_| memory != before) {
            memories.insert(key, record::encode(&memory)).map_err(|error| writing(error.into()))?;
            judged.changed = true;
        }
    }
    Ok(judged)
}

fn opening(error: redb::Error) -> Error {
    match error {
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
        redb::Error::Corrupted(_) => Error::Damaged(Cause::new(error)),
        _ => Error::Open(Cause::new(error)),
    }
}

fn writing(error: redb::Error) -> Error {
    match error {
        redb::Error::Io(error) => {
            no_space(&error).unwrap_or_else(|| Error::OutcomeUnknown(Cause::new(error)))
        }
        redb::Error::Corrupted(_) => Error::Damaged(Cause::new(error)),
        _ => Error::OutcomeUnknown(Cause::new(error)),
    }
}

fn no_space(error: &io::Error) -> Option<Error> {
    let kinds = [ErrorKind::StorageFull, ErrorKind::QuotaExceeded, ErrorKind::FileTooLarge];
    kinds.contains(&error.kind()).then_some(Error::Full)
}

#[cfg(test)]
mod faults;
