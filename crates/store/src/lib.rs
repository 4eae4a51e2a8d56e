#![doc = include_str!("../README.md")]
#![allow(clippy::std_instead_of_alloc, reason = "a crate of threads and files has std")]

#[cfg(feature = "contract")]
pub mod contract;
mod error;
#[cfg(feature = "postgres")]
mod postgres_guard;
#[cfg(any(feature = "redb", feature = "postgres"))]
mod queue;
#[cfg(any(feature = "redb", feature = "postgres"))]
mod record;
#[cfg(feature = "redb")]
mod redb_guard;

pub use dukpt;

pub use crate::error::{Cause, Error, Setting};
#[cfg(feature = "postgres")]
pub use crate::postgres_guard::{PostgresGuard, PostgresOptions};
#[cfg(feature = "redb")]
pub use crate::redb_guard::RedbGuard;
