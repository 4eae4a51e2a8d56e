//! Why a store could not be opened or a batch not be judged.

use core::fmt;
use std::sync::Arc;

use dukpt::guard::Policy;

/// Why a store could not be opened, or a batch could not be judged.
///
/// Only [`Overloaded`](Self::Overloaded), [`Unavailable`](Self::Unavailable) and what concerns the store as a whole
/// ([`Version`](Self::Version), [`Policy`](Self::Policy), [`NotDurable`](Self::NotDurable)) promise that nothing of the batch
/// was written. After any other, ask again with the same request identifiers.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no store. [`open`](crate#guarantees) makes none: an empty memory accepts every old message once more.
    #[error("there is no store here; make one, once")]
    Missing,
    /// There is a store, or a file, already.
    #[error("there is a store or a file here already")]
    Exists,
    /// Another process, or another guard of this process, holds the file.
    #[error("the store is in use by another guard")]
    InUse,
    /// The file or the schema belongs to another application.
    #[error("not a store of counters")]
    Foreign,
    /// The store has a layout of another version. An older one is for `RedbGuard::migrate` or `PostgresGuard::migrate`, a newer one for a
    /// newer program.
    #[error("the store has version {found}, this program reads and writes version {known}{}", way_out(*found, *known))]
    Version {
        /// The version of the store.
        found: u64,
        /// The version of this program.
        known: u64,
    },
    /// The store keeps another policy. To change it is a decision of its own.
    #[error("the store keeps the policy {stored:?}, not {asked:?}")]
    Policy {
        /// The policy of the store.
        stored: Policy,
        /// The policy of the caller.
        asked: Policy,
    },
    /// What is stored can't be: it was damaged, or written by something else.
    #[error("the store is damaged")]
    Damaged(#[source] Cause),
    /// No space is left on the disk, or the file may grow no further.
    #[error("no space is left for the store")]
    Full,
    /// The store could not be opened.
    #[error("the store can't be opened")]
    Open(#[source] Cause),
    /// The guard ended after a failure that it reported then. Only the store opened anew tells what was written.
    #[error("the guard has stopped after a failure; open the store again")]
    Stopped,
    /// More is waiting than the guard will queue; nothing of this batch is.
    #[error("{queued} claims are waiting already")]
    Overloaded {
        /// Claims that wait.
        queued: usize,
    },
    /// No connection, or the database could not do it now. Nothing of this batch was written.
    #[error("the database is not available; nothing was written")]
    Unavailable(#[source] Cause),
    /// Written or not, or written in one place only: ask again with the same request identifiers.
    #[error("unknown whether the batch was written")]
    OutcomeUnknown(#[source] Cause),
    /// The database would answer before it has written.
    #[error("the database is set to answer before it has written: {0}")]
    NotDurable(Setting),
}

fn way_out(found: u64, known: u64) -> &'static str {
    if found < known { "; migrate the store" } else { "; use a newer program" }
}

/// A setting of PostgreSQL that durability rests on.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Setting {
    /// `synchronous_commit` must be `on` or `remote_apply`.
    SynchronousCommit,
    /// `fsync` must be `on`.
    Fsync,
    /// `full_page_writes` must be `on`.
    FullPageWrites,
    /// `synchronous_standby_names` must name a standby, because the options ask for one.
    SynchronousStandbyNames,
}

impl fmt::Display for Setting {
    /// The name in PostgreSQL's configuration.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SynchronousCommit => "synchronous_commit",
            Self::Fsync => "fsync",
            Self::FullPageWrites => "full_page_writes",
            Self::SynchronousStandbyNames => "synchronous_standby_names",
        })
    }
}

/// What an engine or the operating system said; several callers of one commit share it.
#[derive(Clone, Debug)]
pub struct Cause(Arc<dyn core::error::Error + Send + Sync>);

impl Cause {
    #[cfg(any(feature = "redb", feature = "postgres"))]
    pub(crate) fn new(error: impl core::error::Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl core::error::Error for Cause {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source()
    }
}
