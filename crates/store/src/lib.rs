#![doc = include_str!("../README.md")]
#![allow(clippy::std_instead_of_alloc, reason = "a crate of threads and files has std")]

#[cfg(feature = "contract")]
pub mod contract;
mod error;
#[cfg(feature = "redb")]
mod queue;
#[cfg(feature = "redb")]
mod record;
#[cfg(feature = "redb")]
mod redb_guard;

pub use dukpt;

pub use crate::error::{Cause, Error, Setting};
#[cfg(feature = "redb")]
pub use crate::redb_guard::RedbGuard;
