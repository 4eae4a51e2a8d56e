//! What must hold before anything is written to the tables.

use dukpt::guard::Policy;
use postgres::types::Type;
use postgres::{Client, Row};

use super::failure::opening;
use super::migrations::VERSION;
use super::options::PostgresOptions;
use super::sql::quoted;
use crate::record;
use crate::{Cause, Error, Setting};

/// A statement for the schema of the options.
pub(super) fn quoted_in(options: &PostgresOptions, sql: &str) -> String {
    sql.replace("cardroot", &quoted(&options.schema))
}

/// A column that holds a number of ours.
pub(super) fn number(row: &Row, column: usize) -> Option<u64> {
    row.try_get::<_, i64>(column).ok().and_then(|number| u64::try_from(number).ok())
}

/// Compares version and policy of the store, and what its commits are worth, with what this program wants.
pub(super) fn check(client: &mut Client, options: &PostgresOptions, policy: Policy) -> Result<(), Error> {
    check_durability(client, options)?;
    let select = quoted_in(options, "SELECT version, late FROM cardroot.store WHERE one = 1");
    let row = client.query_typed_opt(&select, &[]).map_err(opening)?.ok_or(Error::Missing)?;
    let found = number(&row, 0).ok_or(Error::Foreign)?;
    if found != VERSION {
        return Err(Error::Version { found, known: VERSION });
    }
    let stored = number(&row, 1).and_then(record::policy).ok_or(Error::Foreign)?;
    if stored != policy {
        return Err(Error::Policy { stored, asked: policy });
    }
    Ok(())
}

pub(super) fn check_durability(client: &mut Client, options: &PostgresOptions) -> Result<(), Error> {
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
        &quoted_in(options, update),
        &[(&version, Type::INT8), (&from_late, Type::INT8), (&to_late, Type::INT8)],
    );
    // If another program has changed it between, the comparison says to what.
    if changed.map_err(opening)? == 1 {
        Ok(())
    } else {
        check(client, options, from).and(Err(Error::Stopped))
    }
}
