//! The memory in PostgreSQL, for several hosts and for more terminals than one machine serves.

use core::fmt;
use core::hash::BuildHasher;
use core::time::Duration;
use std::hash::RandomState;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use dukpt::guard::{Claim, Policy, ReplayGuard, Verdict};
use postgres::Client;

use self::failure::Failure;
pub use self::options::PostgresOptions;
use self::options::Warnings;
use self::sql::Statements;
use crate::queue::{Closing, Queue};
use crate::record::QUEUE_LIMIT;
use crate::{Cause, Error};

mod failure;
mod migrations;
mod options;
mod schema;
mod sql;
#[cfg(feature = "postgres-tls")]
mod tls;

/// How many claims one statement holds at most, unless a single batch holds more.
const GROUP: usize = 1000;

/// How long a batch is tried that others were in the way of, or that found no server that writes.
const PATIENCE: Duration = Duration::from_secs(5);

/// Time between two tries at most.
const LONGEST_WAIT: Duration = Duration::from_millis(100);

/// After so long without use a connection is tried before something is trusted to it.
const IDLE: Duration = Duration::from_secs(1);

/// A receiver's memory in PostgreSQL: for many hosts at once.
///
/// A few threads, a connection each, take what waits and write it with one statement, all or none. Nothing is kept in a
/// session, so that connections may go through a pooler that shares them by transaction. The row lock of each terminal
/// decides between hosts; the server's quorum of standbys, if it has one, answers before the guard does.
///
/// When the server goes away with a batch under way the answer is [`Error::OutcomeUnknown`]; the next batch finds a new
/// connection.
///
/// # Examples
/// ```no_run
/// use cardroot_store::dukpt::guard::Policy;
/// use cardroot_store::{PostgresGuard, PostgresOptions};
///
/// let options = PostgresOptions::new("host=db1,db2 user=receiver dbname=dukpt target_session_attrs=read-write")?;
/// // Once:
/// drop(PostgresGuard::create(&options, Policy::Strict)?);
/// // In every host, ever after:
/// let guard = PostgresGuard::open(&options.require_standbys(), Policy::Strict)?;
/// # Ok::<(), cardroot_store::Error>(())
/// ```
pub struct PostgresGuard {
    policy: Policy,
    queue: Arc<Queue>,
    writers: Vec<JoinHandle<()>>,
}

impl PostgresGuard {
    /// Makes a store, empty: once for each set of keys, when the first of its terminals goes into service.
    ///
    /// # Errors
    /// [`Error::Exists`] if the schema holds one, and what [`Self::open`] says.
    pub fn create(options: &PostgresOptions, policy: Policy) -> Result<Self, Error> {
        let mut client = options.connect(&Warnings::default()).map_err(failure::opening)?;
        migrations::create(&mut client, options, policy)?;
        Self::open(options, policy)
    }

    /// Opens a store, which must keep `policy`. Makes no tables: the account needs SELECT, INSERT and UPDATE alone.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Foreign`], [`Error::Version`], [`Error::Policy`], [`Error::NotDurable`] or [`Error::Open`].
    pub fn open(options: &PostgresOptions, policy: Policy) -> Result<Self, Error> {
        let mut client = options.connect(&Warnings::default()).map_err(failure::opening)?;
        schema::check(&mut client, options, policy)?;
        Self::start(options, policy)
    }

    /// Opens a store that keeps the policy `from`, and has it keep `to` from now on. Guards that are open elsewhere, of any
    /// host, answer [`Error::Policy`] from then on.
    ///
    /// No counter is accepted twice through any change: the memory reaches [`Memory::WINDOW`](dukpt::guard::Memory::WINDOW)
    /// counters back under every policy.
    ///
    /// # Errors
    /// As [`Self::open`], for `from`.
    pub fn change_policy(options: &PostgresOptions, from: Policy, to: Policy) -> Result<Self, Error> {
        let mut client = options.connect(&Warnings::default()).map_err(failure::opening)?;
        schema::change_policy(&mut client, options, from, to)?;
        Self::open(options, to)
    }

    /// Brings the tables of a store that an older program made to the layout of this one, and returns the version that they had:
    /// all steps in one transaction, or none. Programs that do so at the same time wait for each other. Guards of the older program
    /// answer [`Error::Version`] from then on; what was accepted stays accepted.
    ///
    /// # Errors
    /// [`Error::Missing`], [`Error::Foreign`], [`Error::NotDurable`] or [`Error::Open`]; [`Error::Version`] if the store is newer than
    /// this program.
    pub fn migrate(options: &PostgresOptions) -> Result<u64, Error> {
        let mut client = options.connect(&Warnings::default()).map_err(failure::opening)?;
        migrations::migrate(&mut client, options)
    }

    /// The policy that the store keeps.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }

    fn start(options: &PostgresOptions, policy: Policy) -> Result<Self, Error> {
        let queue = Arc::new(Queue::new(QUEUE_LIMIT));
        let mut guard = Self { policy, queue, writers: Vec::new() };
        for _ in 0..options.connections.get() {
            let mut writer = Writer::new(options, policy);
            let queue = Arc::clone(&guard.queue);
            let thread = thread::Builder::new().name("cardroot-store".into());
            let thread =
                thread.spawn(move || writer.write(&queue)).map_err(|error| Error::Open(Cause::new(error)))?;
            guard.writers.push(thread);
        }
        Ok(guard)
    }
}

impl ReplayGuard for PostgresGuard {
    type Error = Error;

    /// The batch is queued when the future is first polled, and written from then on whether or not somebody waits.
    async fn advance(&self, claims: &[Claim]) -> Result<Vec<Verdict>, Error> {
        self.queue.ask(claims).await
    }
}

impl Drop for PostgresGuard {
    /// Ends the writers. Nobody waits any more: every future borrows the guard.
    fn drop(&mut self) {
        self.queue.close();
        for writer in self.writers.drain(..) {
            // A writer that panicked has answered those who waited.
            let _ = writer.join();
        }
    }
}

impl fmt::Debug for PostgresGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresGuard").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// What a thread has.
struct Writer {
    options: PostgresOptions,
    policy: Policy,
    warnings: Warnings,
    /// A session that was well when it was used last, then.
    session: Option<(Session, Instant)>,
}

struct Session {
    client: Client,
    sql: Statements,
}

impl Writer {
    fn new(options: &PostgresOptions, policy: Policy) -> Self {
        Self { options: options.clone(), policy, warnings: Warnings::default(), session: None }
    }

    fn write(&mut self, queue: &Queue) {
        let _closing = Closing(queue);
        while let Some(group) = queue.take(GROUP) {
            let claims: Vec<&Claim> = group.claims().collect();
            let verdicts = self.judge(&claims);
            queue.answer(group, verdicts);
        }
    }

    /// Tries again for a while where an error says that nothing was written and that it may pass.
    fn judge(&mut self, claims: &[&Claim]) -> Result<Vec<Verdict>, Error> {
        let start = Instant::now();
        let mut wait = Duration::from_millis(1);
        loop {
            let cause = match self.judge_once(claims) {
                Ok(verdicts) => return Ok(verdicts),
                Err(Failure::Error(error)) => return Err(error),
                Err(Failure::Again(cause) | Failure::Reconnect(cause)) => cause,
            };
            if start.elapsed() > PATIENCE {
                return Err(Error::Unavailable(cause));
            }
            // Others that were in the way wait for other times, so that they do not meet again.
            thread::sleep(wait.mul_f64(0.5 + f64::from(jitter()) / 255.0));
            wait = (2 * wait).min(LONGEST_WAIT);
        }
    }

    fn judge_once(&mut self, claims: &[&Claim]) -> Result<Vec<Verdict>, Failure> {
        // Outside the writer while it is used: a session that failed is not put back.
        let mut session = self.session()?;
        self.warnings.take();
        let verdicts = sql::judge(&mut session.client, &session.sql, claims);
        // Whoever cancels a wait for the standbys makes PostgreSQL commit without them, and warn.
        let warned = self.warnings.take().map(|warning| Error::OutcomeUnknown(Cause::new(warning)));
        if matches!(verdicts, Ok(_) | Err(Failure::Again(_))) {
            self.session = Some((session, Instant::now()));
        }
        warned.map_or(verdicts, |warned| Err(Failure::Error(warned)))
    }

    /// The session if it is well, or a new one.
    fn session(&mut self) -> Result<Session, Failure> {
        if let Some((mut session, used)) = self.session.take()
            && (used.elapsed() < IDLE || session.client.is_valid(PATIENCE).is_ok())
        {
            return Ok(session);
        }
        let reconnect = |error: postgres::Error| Failure::Reconnect(Cause::new(error));
        let mut client = self.options.connect(&self.warnings).map_err(reconnect)?;
        match schema::check(&mut client, &self.options, self.policy) {
            Ok(()) => {}
            Err(Error::Open(cause)) => return Err(Failure::Reconnect(cause)),
            Err(error) => return Err(Failure::Error(error)),
        }
        let sql = Statements::new(&mut client, &self.options, self.policy).map_err(reconnect)?;
        Ok(Session { client, sql })
    }
}

/// A number that differs between threads and moments.
fn jitter() -> u8 {
    let [byte, ..] = RandomState::new().hash_one(()).to_ne_bytes();
    byte
}
