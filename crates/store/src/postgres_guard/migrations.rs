//! The layouts of the tables, each made from the one before.

use dukpt::guard::Policy;
use postgres::error::SqlState;
use postgres::types::Type;
use postgres::{Client, GenericClient, Transaction};

use super::failure::opening;
use super::options::PostgresOptions;
use super::schema::{check_durability, number, quoted_in};
use super::sql::quoted;
use crate::{Error, record};

/// The layout that this program reads and writes: the last step's.
pub(super) const VERSION: u64 = STEPS.len() as u64;

/// What a store of any version has: one row that describes it. Version 0 has no more than this.
const DESCRIPTION: &str = "
CREATE SCHEMA IF NOT EXISTS cardroot;
CREATE TABLE IF NOT EXISTS cardroot.store (
  one smallint PRIMARY KEY CHECK (one = 1),
  version bigint NOT NULL,
  late bigint NOT NULL CHECK (late BETWEEN 0 AND 63)
)";

/// Step `n` makes version `n + 1` of version `n`. One that was released never changes: there are stores that took it.
const STEPS: [fn(&PostgresOptions) -> String; 2] = [memories, history];

/// The memories. Widths and order leave no gaps; the room left in each page lets an update stay in it.
fn memories(options: &PostgresOptions) -> String {
    const MEMORIES: &str = "
CREATE TABLE cardroot.memories (
  name bigint NOT NULL,
  last bigint NOT NULL CHECK (last BETWEEN 0 AND 4294967295),
  accepted bigint NOT NULL,
  counter bigint NOT NULL,
  previous bigint,
  scheme smallint NOT NULL,
  request bytea NOT NULL CHECK (length(request) = 16),
  PRIMARY KEY (scheme, name)
)";
    const ROOM: &str = " WITH (fillfactor = 70)";
    let Some(partitions) = options.partitions else { return format!("{MEMORIES}{ROOM}") };
    let mut sql = format!("{MEMORIES} PARTITION BY HASH (scheme, name);");
    for number in 0..partitions.get() {
        sql += &format!(
            "CREATE TABLE cardroot.memories_{number} PARTITION OF cardroot.memories
             FOR VALUES WITH (MODULUS {partitions}, REMAINDER {number}){ROOM};"
        );
    }
    sql
}

/// Which steps were taken when, from this one on.
fn history(_: &PostgresOptions) -> String {
    "CREATE TABLE cardroot.migrations (version bigint PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())"
        .into()
}

/// Tries of a transaction that others were in the way of.
const TRIES: u32 = 20;

/// Makes the tables, unless there is a store. Of several programs that start together one makes it.
pub(super) fn create(client: &mut Client, options: &PostgresOptions, policy: Policy) -> Result<(), Error> {
    let late = i64::from(record::window(policy));
    alone(client, options, |transaction| {
        transaction.batch_execute(&quoted_in(options, DESCRIPTION))?;
        let insert =
            "INSERT INTO cardroot.store (one, version, late) VALUES (1, 0, $1) ON CONFLICT DO NOTHING";
        match transaction.execute_typed(&quoted_in(options, insert), &[(&late, Type::INT8)])? {
            0 => Ok(Err(Error::Exists)),
            _ => climb(transaction, options, 0).map(Ok),
        }
    })
}

/// Brings the store to [`VERSION`], and returns the version that it had.
pub(super) fn migrate(client: &mut Client, options: &PostgresOptions) -> Result<u64, Error> {
    let select = quoted_in(options, "SELECT version FROM cardroot.store WHERE one = 1 FOR UPDATE");
    alone(client, options, |transaction| {
        // The row is locked besides: who changes the policy waits.
        let Some(row) = transaction.query_typed_opt(&select, &[])? else { return Ok(Err(Error::Missing)) };
        match number(&row, 0) {
            Some(from @ ..=VERSION) => climb(transaction, options, from).map(|()| Ok(from)),
            Some(found) => Ok(Err(Error::Version { found, known: VERSION })),
            None => Ok(Err(Error::Foreign)),
        }
    })
}

/// Takes all steps above version `from`, in their order, and writes down that it did.
fn climb(
    transaction: &mut Transaction<'_>,
    options: &PostgresOptions,
    from: u64,
) -> Result<(), postgres::Error> {
    let taken: Vec<i64> =
        (1..=VERSION.cast_signed()).filter(|version| *version > from.cast_signed()).collect();
    for (_, step) in (1..).zip(STEPS).filter(|(version, _)| *version > from) {
        transaction.batch_execute(&quoted_in(options, &step(options)))?;
    }
    let version = VERSION.cast_signed();
    let update = quoted_in(options, "UPDATE cardroot.store SET version = $1 WHERE one = 1");
    transaction.execute_typed(&update, &[(&version, Type::INT8)])?;
    let record = quoted_in(options, "INSERT INTO cardroot.migrations (version) SELECT unnest($1::bigint[])");
    transaction.execute_typed(&record, &[(&taken, Type::INT8_ARRAY)])?;
    Ok(())
}

/// Does `work` in one transaction, while no other program makes or changes the tables. What it refuses is rolled back.
fn alone<T>(
    client: &mut Client,
    options: &PostgresOptions,
    work: impl Fn(&mut Transaction<'_>) -> Result<Result<T, Error>, postgres::Error>,
) -> Result<T, Error> {
    check_durability(client, options)?;
    let mut attempt = || -> Result<Result<T, Error>, postgres::Error> {
        let mut transaction = client.transaction()?;
        lock(&mut transaction, options)?;
        let done = work(&mut transaction)?;
        if done.is_ok() {
            transaction.commit()?;
        }
        Ok(done)
    };
    for _ in 1..TRIES {
        match attempt() {
            Err(error) if error.code().is_some_and(is_race) => {}
            done => return done.map_err(opening)?,
        }
    }
    attempt().map_err(opening)?
}

/// An advisory lock by the name of the schema, until the transaction ends: a pooler may share the session afterwards.
fn lock(client: &mut impl GenericClient, options: &PostgresOptions) -> Result<(), postgres::Error> {
    let name = format!("cardroot {}", quoted(&options.schema));
    client
        .query_typed("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", &[(&name, Type::TEXT)])
        .map(drop)
}

/// Another program took the same names at this moment, under a database whose advisory locks are none.
fn is_race(code: &SqlState) -> bool {
    [
        SqlState::T_R_SERIALIZATION_FAILURE,
        SqlState::T_R_DEADLOCK_DETECTED,
        SqlState::UNIQUE_VIOLATION,
        SqlState::DUPLICATE_TABLE,
        SqlState::DUPLICATE_SCHEMA,
        SqlState::DUPLICATE_OBJECT,
    ]
    .contains(code)
}
