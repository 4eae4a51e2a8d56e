//! The tables, and what must hold before anything is written to them.

use dukpt::guard::Policy;
use postgres::Client;
use postgres::error::SqlState;
use postgres::types::Type;

use super::failure::opening;
use super::options::PostgresOptions;
use super::sql::quoted;
use crate::record::{self, VERSION};
use crate::{Cause, Error, Setting};

/// What a store is described by: one row.
const DESCRIPTION: &str = "
CREATE SCHEMA IF NOT EXISTS cardroot;
CREATE TABLE IF NOT EXISTS cardroot.store (
  one smallint PRIMARY KEY CHECK (one = 1),
  version bigint NOT NULL,
  late bigint NOT NULL CHECK (late BETWEEN 0 AND 63)
)";

/// The memories of version 1. Widths and order leave no gaps; the room left in each page lets an update stay in it.
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

/// Tries of a transaction that others were in the way of.
const TRIES: u32 = 20;

/// Makes the tables, unless there is a store. Of several programs that start together one makes it.
pub(super) fn create(client: &mut Client, options: &PostgresOptions, policy: Policy) -> Result<(), Error> {
    check_durability(client, options)?;
    for _ in 1..TRIES {
        match create_once(client, options, policy) {
            // The names were taken by another program at this moment, and PostgreSQL says so in several ways.
            Err(error) if error.code().is_some_and(is_race) => {}
            Err(error) => return Err(opening(error)),
            Ok(made) => return if made { Ok(()) } else { Err(Error::Exists) },
        }
    }
    create_once(client, options, policy).map_err(opening)?.then_some(()).ok_or(Error::Exists)
}

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

fn create_once(
    client: &mut Client,
    options: &PostgresOptions,
    policy: Policy,
) -> Result<bool, postgres::Error> {
    let in_schema = |sql: &str| sql.replace("cardroot", &quoted(&options.schema));
    let mut transaction = client.transaction()?;
    transaction.batch_execute(&in_schema(DESCRIPTION))?;
    // The row decides: whoever inserts it makes the rest, and others wait for that here.
    let (version, late) = (VERSION.cast_signed(), i64::from(record::window(policy)));
    let inserted = transaction.execute_typed(
        &in_schema(
            "INSERT INTO cardroot.store (one, version, late) VALUES (1, $1, $2) ON CONFLICT DO NOTHING",
        ),
        &[(&version, Type::INT8), (&late, Type::INT8)],
    )?;
    if inserted == 0 {
        return Ok(false);
    }
    transaction.batch_execute(&in_schema(&memories(options)))?;
    transaction.commit()?;
    Ok(true)
}

fn memories(options: &PostgresOptions) -> String {
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

/// Compares version and policy of the store, and what its commits are worth, with what this program wants.
pub(super) fn check(client: &mut Client, options: &PostgresOptions, policy: Policy) -> Result<(), Error> {
    check_durability(client, options)?;
    let select = format!("SELECT version, late FROM {}.store WHERE one = 1", quoted(&options.schema));
    let row = client.query_typed_opt(&select, &[]).map_err(opening)?.ok_or(Error::Missing)?;
    let number = |column| row.try_get::<_, i64>(column).ok().and_then(|number| u64::try_from(number).ok());
    let found = number(0).ok_or(Error::Foreign)?;
    if found != VERSION {
        return Err(Error::Version { found, known: VERSION });
    }
    let late = number(1).and_then(|late| u8::try_from(late).ok()).ok_or(Error::Foreign)?;
    if u32::from(late) != policy.window() {
        return Err(Error::Policy { stored: record::policy(late), asked: policy });
    }
    Ok(())
}

fn check_durability(client: &mut Client, options: &PostgresOptions) -> Result<(), Error> {
    let settings = [
        (Setting::SynchronousCommit, &["on", "remote_apply"][..]),
        // Databases that speak PostgreSQL's protocol over another storage don't have these.
        (Setting::Fsync, &["on", ""]),
        (Setting::FullPageWrites, &["on", ""]),
    ];
    for (setting, good) in settings {
        if !good.contains(&&*read(client, setting)?) {
            return Err(Error::NotDurable(setting));
        }
    }
    if options.standbys && read(client, Setting::SynchronousStandbyNames)?.trim().is_empty() {
        return Err(Error::NotDurable(Setting::SynchronousStandbyNames));
    }
    Ok(())
}

fn read(client: &mut Client, setting: Setting) -> Result<String, Error> {
    let select = format!("SELECT coalesce(current_setting('{setting}', true), '')");
    let row = client.query_typed_one(&select, &[]).map_err(opening)?;
    row.try_get(0).map_err(|error| Error::Open(Cause::new(error)))
}

/// Has the store keep the policy `to`, if it keeps `from`.
pub(super) fn change_policy(
    client: &mut Client,
    options: &PostgresOptions,
    from: Policy,
    to: Policy,
) -> Result<(), Error> {
    check(client, options, from)?;
    let update = "UPDATE cardroot.store SET late = $3 WHERE one = 1 AND version = $1 AND late = $2";
    let [from_late, to_late] = [from, to].map(|policy| i64::from(record::window(policy)));
    let version = VERSION.cast_signed();
    let changed = client.execute_typed(
        &update.replace("cardroot", &quoted(&options.schema)),
        &[(&version, Type::INT8), (&from_late, Type::INT8), (&to_late, Type::INT8)],
    );
    // If another program has changed it between, the comparison says to what.
    if changed.map_err(opening)? == 1 {
        Ok(())
    } else {
        check(client, options, from).and(Err(Error::Stopped))
    }
}
