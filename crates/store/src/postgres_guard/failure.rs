//! What an error of the database says about a batch.

use postgres::error::{DbError, Severity, SqlState};

use crate::{Cause, Error};

/// Why a batch was not judged.
#[derive(Debug)]
pub(super) enum Failure {
    /// Nothing was written, and the same may succeed: another transaction was in the way.
    Again(Cause),
    /// Nothing was written, and the same may succeed elsewhere: this server only reads, or goes down, or the store forbids
    /// this program to write. What is wrong shows when a new connection is checked.
    Reconnect(Cause),
    /// The end of it.
    Error(Error),
}

impl Failure {
    /// The fence of the statement let nothing through, or a memory vanished between two statements.
    pub(super) fn fenced() -> Self {
        Self::Reconnect(Cause::new(Fenced))
    }

    /// The same failure when something of the batch is written.
    pub(super) fn after_commit(self) -> Self {
        match self {
            Self::Again(cause) | Self::Reconnect(cause) | Self::Error(Error::Unavailable(cause)) => {
                Self::Error(Error::OutcomeUnknown(cause))
            }
            Self::Error(error) => Self::Error(error),
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the store forbids this program to write")]
struct Fenced;

impl From<postgres::Error> for Failure {
    fn from(error: postgres::Error) -> Self {
        // A server that said ERROR has rolled back. Anything else may have happened after the commit.
        let Some(code) =
            error.as_db_error().filter(|error| is_rolled_back(error)).map(DbError::code).cloned()
        else {
            return Self::Error(Error::OutcomeUnknown(Cause::new(error)));
        };
        let (again, elsewhere, full) = (
            [
                SqlState::T_R_SERIALIZATION_FAILURE,
                SqlState::T_R_DEADLOCK_DETECTED,
                SqlState::LOCK_NOT_AVAILABLE,
            ],
            [SqlState::READ_ONLY_SQL_TRANSACTION, SqlState::CANNOT_CONNECT_NOW],
            [SqlState::DISK_FULL],
        );
        match code {
            code if again.contains(&code) => Self::Again(Cause::new(error)),
            code if elsewhere.contains(&code) => Self::Reconnect(Cause::new(error)),
            code if full.contains(&code) => Self::Error(Error::Full),
            _ => Self::Error(Error::Unavailable(Cause::new(error))),
        }
    }
}

/// Whether the server has said that the transaction is gone.
fn is_rolled_back(error: &DbError) -> bool {
    let unknown = [SqlState::T_R_STATEMENT_COMPLETION_UNKNOWN, SqlState::TRANSACTION_RESOLUTION_UNKNOWN];
    error.parsed_severity() == Some(Severity::Error) && !unknown.contains(error.code())
}

/// What an error says where nothing is written: at the opening of a store.
pub(super) fn opening(error: postgres::Error) -> Error {
    let missing = [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME];
    match error.code() {
        Some(code) if missing.contains(code) => Error::Missing,
        Some(code) if *code == SqlState::UNDEFINED_COLUMN => Error::Foreign,
        Some(code) if *code == SqlState::DISK_FULL => Error::Full,
        _ => Error::Open(Cause::new(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_failure_after_a_commit_says_that_nothing_was_written() {
        let cause = || Cause::new(Fenced);
        let before =
            [Failure::Again(cause()), Failure::fenced(), Failure::Error(Error::Unavailable(cause()))];
        for failure in before {
            assert!(matches!(failure.after_commit(), Failure::Error(Error::OutcomeUnknown(_))));
        }
        let damaged = Failure::Error(Error::Damaged(cause())).after_commit();
        assert!(matches!(damaged, Failure::Error(Error::Damaged(_))));
    }
}
