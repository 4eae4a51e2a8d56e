//! Where the host's memory of counters is kept: opened in each of its lives, and left as a crash leaves it.

use std::fs;
use std::path::{Path, PathBuf};

use cardroot::dukpt::guard::{Policy, ReplayGuard};
use store::RedbGuard;
#[cfg(feature = "postgres")]
use store::{Error, PostgresGuard, PostgresOptions};

use crate::Failure;

pub trait Memory {
    type Guard: ReplayGuard + Sync;

    fn open(&self) -> Result<Self::Guard, Failure>;

    /// The host dies with the guard open. Whatever the guard does when it is dropped now must count for nothing.
    fn crash(&self) -> Result<(), Failure>;
}

/// In a file, by the embedded database.
#[derive(Debug)]
pub struct InFile {
    path: PathBuf,
    /// The file as it was at a crash.
    crashed: PathBuf,
}

impl InFile {
    /// The store of this folder; it is made if there is none, and brought to this program's layout if an older one made it.
    pub fn within(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder).map_err(|error| Failure(format!("{}: {error}", folder.display())))?;
        let path = folder.join("counters");
        if path.exists() {
            RedbGuard::migrate(&path)?;
        } else {
            drop(RedbGuard::create(&path, Policy::Strict)?);
        }
        Ok(Self { crashed: folder.join("counters.crashed"), path })
    }
}

impl Memory for InFile {
    type Guard = RedbGuard;

    fn open(&self) -> Result<RedbGuard, Failure> {
        if self.crashed.exists() {
            fs::rename(&self.crashed, &self.path)?;
        }
        Ok(RedbGuard::open(&self.path, Policy::Strict)?)
    }

    /// Keeps the file as a killed process leaves it, not closed: the next life repairs it.
    fn crash(&self) -> Result<(), Failure> {
        // Elsewhere nobody may read a file that is locked; there it is closed first.
        if cfg!(unix) {
            fs::copy(&self.path, &self.crashed)?;
        }
        Ok(())
    }
}

/// In PostgreSQL, where several hosts could share it.
#[cfg(feature = "postgres")]
#[derive(Debug)]
pub struct InPostgres(PostgresOptions);

#[cfg(feature = "postgres")]
impl InPostgres {
    /// The store of this database; it is made if there is none, and brought to this program's layout if it is older.
    pub fn at(address: &str) -> Result<Self, Failure> {
        let options = PostgresOptions::new(address)?;
        match PostgresGuard::create(&options, Policy::Strict) {
            Ok(_) => {}
            Err(Error::Exists) => drop(PostgresGuard::migrate(&options)?),
            Err(error) => return Err(error.into()),
        }
        Ok(Self(options))
    }
}

#[cfg(feature = "postgres")]
impl Memory for InPostgres {
    type Guard = PostgresGuard;

    fn open(&self) -> Result<PostgresGuard, Failure> {
        Ok(PostgresGuard::open(&self.0, Policy::Strict)?)
    }

    /// The server is another machine. It commits what has reached it, and no more.
    fn crash(&self) -> Result<(), Failure> {
        Ok(())
    }
}
