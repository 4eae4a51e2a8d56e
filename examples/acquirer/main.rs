//! An acquirer's host under fire: thousands of terminals that crash, fall back and are cloned, strangers on their lines, and a
//! host that crashes too.
//!
//! ```sh
//! cargo run --release --example acquirer
//! ```
//! The run succeeds if the host made of every single message what the fleet expected, accepted no counter twice and lost
//! nothing that it had answered.

#![allow(unreachable_pub, reason = "a program has no API")]
#![allow(clippy::std_instead_of_core, clippy::std_instead_of_alloc, reason = "a program has std")]
#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "figures for people"
)]

mod bank;
mod chip;
mod dice;
mod expect;
mod figures;
mod fleet;
mod forgery;
mod host;
mod keys;
mod ledger;
mod line;
mod memory;
mod report;
mod run;
mod service;
mod terminal;
#[cfg(test)]
mod tests;
mod wire;
mod witness;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use clap::Parser;

use crate::figures::Goal;
use crate::ledger::Ledger;
use crate::memory::InFile;
use crate::run::{Options, run};

/// What ends the run: a sentence for the one who started it.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    /// An error with all that caused it.
    pub fn from_chain(error: &dyn std::error::Error) -> Self {
        let causes = std::iter::successors(error.source(), |cause| cause.source());
        Self(causes.fold(error.to_string(), |chain, cause| format!("{chain}: {cause}")))
    }
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::from_chain(&error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// An acquirer's host, and a fleet of terminals that crash, fall back and are cloned.
#[derive(Debug, Parser)]
struct Args {
    #[arg(long, default_value_t = 10_000, value_parser = clap::value_parser!(u32).range(1..=i64::from(fleet::MOST_TERMINALS)))]
    terminals: u32,
    /// How many times a terminal is set to work.
    #[arg(long, default_value_t = 300_000)]
    transactions: u64,
    /// Trade so long instead.
    #[arg(long, conflicts_with = "transactions")]
    seconds: Option<u32>,
    /// Connections between the fleet and the host, with a thread at both ends.
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=1024))]
    connections: u32,
    /// How often the host crashes.
    #[arg(long, default_value_t = 2)]
    crashes: u32,
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Keep the host's memory in this folder, instead of one that is removed.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Keep the host's memory in this PostgreSQL database: postgres://user@host/database, or host=… user=….
    #[cfg(feature = "postgres")]
    #[arg(long, conflicts_with = "data")]
    postgres: Option<String>,
}

impl Args {
    fn options(&self) -> Options {
        let seconds = self.seconds.map(|seconds| Duration::from_secs(seconds.into()));
        // A memory that is kept may know the names of an earlier run.
        let key_set = if self.is_kept() { key_set_of_today() } else { keys::DEMONSTRATION };
        Options {
            terminals: self.terminals,
            connections: self.connections.min(self.terminals),
            crashes: self.crashes,
            seed: self.seed,
            key_set,
            goal: seconds.map_or(Goal::Transactions(self.transactions), Goal::Time),
            quiet: false,
        }
    }

    /// Whether the memory outlives the run.
    const fn is_kept(&self) -> bool {
        #[cfg(feature = "postgres")]
        if self.postgres.is_some() {
            return true;
        }
        self.data.is_some()
    }
}

/// One that no run of another second had.
fn key_set_of_today() -> u64 {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    0xFF_FF00_0000 | now.as_secs() & 0xFF_FFFF
}

fn main() -> ExitCode {
    match trade(&Args::parse()) {
        Ok(ledger) => {
            print!("{ledger}");
            if ledger.faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(failure) => {
            eprintln!("acquirer: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn trade(args: &Args) -> Result<Ledger, Failure> {
    #[cfg(feature = "postgres")]
    if let Some(address) = &args.postgres {
        return run(&args.options(), &memory::InPostgres::at(address)?);
    }
    let temporary = tempfile::tempdir()?;
    let folder = args.data.as_deref().unwrap_or(temporary.path());
    run(&args.options(), &InFile::within(folder)?)
}
