//! A counter against rollback in a file: the least that a device can have.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use cardroot::dukpt::durable::MonotonicCounter;

/// A count in a file of its own, one line of text. It is replaced as a whole, so a cut leaves the old count or the new one.
///
/// It stands in for a counter in secure hardware, and finds an old copy of the state file as long as nobody puts back an old
/// copy of this file, too.
#[derive(Debug)]
pub(super) struct CounterFile {
    path: PathBuf,
}

/// A counter file that does not serve.
#[derive(Debug, thiserror::Error)]
pub(super) enum CounterFileError {
    #[error("it is not a counter file of this program")]
    NotACounter,
    #[error("it has counted to its end")]
    Full,
    #[error(transparent)]
    Io(#[from] io::Error),
}

const HEAD: &str = "cardroot rollback counter ";

impl CounterFile {
    /// Takes the counter that is at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, CounterFileError> {
        let mut counter = Self { path: path.into() };
        counter.value()?;
        Ok(counter)
    }

    /// The same; if there is nothing, the count begins.
    pub(super) fn make(path: &Path) -> Result<Self, CounterFileError> {
        match Self::open(path) {
            Err(CounterFileError::Io(error)) if error.kind() == io::ErrorKind::NotFound => {
                let counter = Self { path: path.into() };
                counter.store(0)?;
                Ok(counter)
            }
            opened => opened,
        }
    }

    fn store(&self, value: u64) -> Result<(), CounterFileError> {
        let mut new = self.path.clone().into_os_string();
        new.push(".new");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(format!("{HEAD}{value}\n").as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(&new, &self.path)?;
        Ok(self.sync_folder()?)
    }

    /// Makes the file's name durable; elsewhere than on Unix that comes with the file.
    fn sync_folder(&self) -> io::Result<()> {
        if cfg!(not(unix)) {
            return Ok(());
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }
}

impl MonotonicCounter for CounterFile {
    type Error = CounterFileError;

    fn value(&mut self) -> Result<u64, CounterFileError> {
        const MAX_LEN: usize = 64;
        let text = crate::file::read(&self.path, MAX_LEN).map_err(|error| match error.kind() {
            io::ErrorKind::FileTooLarge => CounterFileError::NotACounter,
            _ => error.into(),
        })?;
        let text = core::str::from_utf8(&text).map_err(|_| CounterFileError::NotACounter)?;
        let digits = text.strip_prefix(HEAD).and_then(|rest| rest.strip_suffix('\n'));
        let value: u64 =
            digits.and_then(|digits| digits.parse().ok()).ok_or(CounterFileError::NotACounter)?;
        // Signs and leading zeros would be two texts for one number.
        if digits == Some(&*value.to_string()) { Ok(value) } else { Err(CounterFileError::NotACounter) }
    }

    fn increment(&mut self) -> Result<(), CounterFileError> {
        let next = self.value()?.checked_add(1).ok_or(CounterFileError::Full)?;
        self.store(next)
    }
}
