//! The memory in one file, by the embedded database redb.

mod block;
mod file;
mod log;

use core::fmt;
use std::path::Path;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use dukpt::guard::{Claim, Policy, ReplayGuard, Verdict};
use redb::{Database, ReadableTable, TableDefinition};

use self::file::{begin, opening, writing};
use self::log::{Log, Pace};
use crate::Error;
use crate::queue::{Closing, Queue};
use crate::record::{self, KEY_LEN, MEMORY_LEN, QUEUE_LIMIT};

type Key = [u8; KEY_LEN];
type MemoryBytes = [u8; MEMORY_LEN];
/// One memory of an originator, as it stands in the tree and in the log: see [`record`].
type Entry = (Key, MemoryBytes);

/// The tree, which lacks what the log has beyond it.
const MEMORIES: TableDefinition<'_, Key, MemoryBytes> = TableDefinition::new("cardroot.memories");

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
        file::make(path, policy)?;
        Self::open(path, policy)
    }

    /// Opens the store at `path`, which must keep `policy`. A store of an older version is for [`Self::migrate`].
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::InUse`], [`Error::Foreign`], [`Error::Version`], [`Error::Policy`], [`Error::Damaged`],
    /// [`Error::Full`] or [`Error::Open`].
    pub fn open(path: impl AsRef<Path>, policy: Policy) -> Result<Self, Error> {
        let database = file::open(path.as_ref())?;
        file::check(&database, policy)?;
        Self::start(database, policy, Pace::USUAL)
    }

    /// Opens the store at `path`, which keeps the policy `from`, and has it keep `to` from now on.
    ///
    /// No counter is accepted twice through any change: the memory reaches [`Memory::WINDOW`](dukpt::guard::Memory::WINDOW)
    /// counters back under every policy.
    ///
    /// # Errors
    /// As [`Self::open`], for `from`.
    pub fn change_policy(path: impl AsRef<Path>, from: Policy, to: Policy) -> Result<Self, Error> {
        let database = file::open(path.as_ref())?;
        file::check(&database, from)?;
        file::describe(&database, to).map_err(opening)?;
        Self::start(database, to, Pace::USUAL)
    }

    /// Brings a store that an older program made to the layout of this one, and returns the version that it had: in one transaction,
    /// which adds the log and leaves every memory where it is. Older programs answer [`Error::Version`] from then on.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::InUse`], [`Error::Foreign`], [`Error::Full`] or [`Error::Open`]; [`Error::Version`] if the store is
    /// newer than this program.
    pub fn migrate(path: impl AsRef<Path>) -> Result<u64, Error> {
        file::migrate(&file::open(path.as_ref())?)
    }

    /// The policy that the store keeps.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    fn start(database: Database, policy: Policy, pace: Pace) -> Result<Self, Error> {
        let log = file::read_log(&database, pace)?;
        let queue = Arc::new(Queue::new(QUEUE_LIMIT));
        let own = Arc::clone(&queue);
        let mut writer = Writer { database, policy, log };
        let thread = thread::Builder::new().name("cardroot-store".into());
        let thread = thread.spawn(move || writer.write(&own)).map_err(opening)?;
        Ok(Self { policy, queue, writer: Some(thread) })
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

/// What belongs to the thread that writes.
struct Writer {
    database: Database,
    policy: Policy,
    log: Log,
}

impl Writer {
    /// The writer's life. It ends with the first failure, and what it knows of the file with it.
    fn write(&mut self, queue: &Queue) {
        let _closing = Closing(queue);
        while let Some(group) = queue.take(GROUP) {
            let claims: Vec<&Claim> = group.claims().collect();
            let verdicts = self.commit(&claims);
            let failed = verdicts.is_err();
            queue.answer(group, verdicts);
            if failed {
                break;
            }
        }
    }

    /// Judges all claims, and writes what changes by them in one transaction.
    fn commit(&mut self, claims: &[&Claim]) -> Result<Vec<Verdict>, Error> {
        // Nobody else writes: a read transaction sees what the last commit left.
        let memories = file::read(&self.database, MEMORIES).map_err(writing)?;
        let Judged { mut verdicts, changed } = self.judge(&memories, claims)?;
        drop(memories);
        // What was refused is refused for what is durable already.
        if !changed.is_empty() {
            let transaction = begin(&self.database).map_err(writing)?;
            self.log.write(&transaction, &changed)?;
            transaction.commit().map_err(writing)?;
        }
        verdicts.sort_unstable_by_key(|(index, _)| *index);
        Ok(verdicts.into_iter().map(|(_, verdict)| verdict).collect())
    }

    fn judge(
        &self,
        memories: &impl ReadableTable<Key, MemoryBytes>,
        claims: &[&Claim],
    ) -> Result<Judged, Error> {
        // Originator by originator, so that neighbours in the tree are visited together and each one once.
        let mut order: Vec<(usize, &&Claim)> = claims.iter().enumerate().collect();
        order.sort_by_key(|(_, claim)| claim.originator);
        let mut judged = Judged { verdicts: Vec::with_capacity(claims.len()), changed: Vec::new() };
        for same in order.chunk_by(|(_, one), (_, next)| one.originator == next.originator) {
            let Some((_, first)) = same.first() else { continue };
            let key = record::key(&first.originator);
            let stored = match self.log.pending(&key) {
                Some(pending) => Some(*pending),
                None => memories.get(key).map_err(writing)?.map(|bytes| bytes.value()),
            };
            let mut memory = stored.map(|bytes| record::decode(&bytes)).transpose()?;
            let before = memory;
            for (index, claim) in same {
                let (verdict, new) = self.policy.judge(memory.as_ref(), claim);
                memory = new.or(memory);
                judged.verdicts.push((*index, verdict));
            }
            if let Some(memory) = memory.filter(|_| memory != before) {
                judged.changed.push((key, record::encode(&memory)));
            }
        }
        Ok(judged)
    }
}

struct Judged {
    /// With the index of the claim, in the order of originators.
    verdicts: Vec<(usize, Verdict)>,
    /// What to remember from now on, in that order too.
    changed: Vec<Entry>,
}

#[cfg(test)]
mod disk;
#[cfg(test)]
mod faults;
