//! Files read in one piece, and new files that only their owner can read.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::error::Failure;

/// Most bytes of a message or script: far above what any is.
const MAX_INPUT: usize = 1 << 20;

/// Reads `path`, or standard input if there is none or it is `-`.
pub(crate) fn read_or_stdin(path: Option<&Path>) -> Result<Zeroizing<Vec<u8>>, Failure> {
    match path.filter(|path| !is_stdin(path)) {
        Some(path) => read(path, MAX_INPUT),
        None => read_stdin(MAX_INPUT),
    }
    .map_err(|error| unreadable(place(path), &error))
}

/// What [`read_or_stdin`] reads, in words.
pub(crate) fn place(path: Option<&Path>) -> String {
    match path.filter(|path| !is_stdin(path)) {
        Some(path) => path.display().to_string(),
        None => "standard input".into(),
    }
}

/// Says whether the path is `-`: standard input then.
pub(crate) fn is_stdin(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Reads a whole file of at most `max` bytes.
pub(crate) fn read(path: &Path, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    read_all(File::open(path)?, max)
}

/// Reads standard input to its end, at most `max` bytes, past the buffer of the standard library: nobody would wipe that.
pub(crate) fn read_stdin(max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    #[cfg(unix)]
    let stdin = File::from(std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?);
    #[cfg(not(unix))]
    let stdin = io::stdin();
    read_all(stdin, max)
}

/// Says that something can't be read, and why.
pub(crate) fn unreadable(what: impl core::fmt::Display, error: &io::Error) -> Failure {
    Failure::refused(format!("{what} can't be read: {error}"))
}

/// Says that a file can't be written, and why.
pub(crate) fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::refused(format!("{} can't be written: {error}", path.display()))
}

/// Says that a file is in the way.
pub(crate) fn not_overwritten(path: &Path) -> Failure {
    Failure::refused(format!("{} exists and is not overwritten: name another file", path.display()))
}

/// Reads into one buffer that never moves, so that no copy is left behind.
fn read_all(mut from: impl Read, max: usize) -> io::Result<Zeroizing<Vec<u8>>> {
    let mut buffer = Zeroizing::new(vec![0; max + 1]);
    let mut len = 0;
    while let Some(free @ [_, ..]) = buffer.get_mut(len..) {
        match from.read(free) {
            Ok(0) => {
                buffer.truncate(len);
                return Ok(buffer);
            }
            Ok(read) => len += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("it has more than {max} bytes")))
}

/// Files that are being made. Unless they are kept, they are gone when this is dropped: all of them or none.
#[derive(Debug, Default)]
pub(crate) struct NewFiles {
    made: Vec<PathBuf>,
    folder: Option<PathBuf>,
}

impl NewFiles {
    /// Makes a folder for its owner's eyes (mode 0700), unless it is there already. The one above it must be.
    pub(crate) fn folder(&mut self, path: &Path) -> Result<(), Failure> {
        if path.is_dir() {
            return Ok(());
        }
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder
            .create(path)
            .map_err(|error| Failure::refused(format!("{} can't be made: {error}", path.display())))?;
        self.folder = Some(path.into());
        Ok(())
    }

    /// Makes one file for its owner's eyes (mode 0600). What exists is never overwritten.
    pub(crate) fn create(&mut self, path: &Path) -> Result<File, Failure> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => not_overwritten(path),
            _ => unwritable(path, &error),
        })?;
        self.made.push(path.into());
        Ok(file)
    }

    /// The same with `content` and a line end.
    pub(crate) fn write_line(&mut self, path: &Path, content: &str) -> Result<(), Failure> {
        store_in(&mut self.create(path)?, path, content)
    }

    /// Makes one file and keeps it.
    pub(crate) fn store_line(path: &Path, content: &str) -> Result<(), Failure> {
        NewLine::make(path)?.store(content)
    }

    /// Keeps the files.
    pub(crate) fn keep(mut self) {
        self.made.clear();
        self.folder = None;
    }
}

/// Writes `content` and a line end, durably.
fn store_in(file: &mut File, path: &Path, content: &str) -> Result<(), Failure> {
    let mut write = || {
        file.write_all(content.as_bytes())?;
        file.write_all(b"\n")?;
        file.sync_all()
    };
    write().map_err(|error| unwritable(path, &error))
}

/// A new file for one line, with room for it. Unless the line is stored, it is gone when this is dropped.
#[derive(Debug)]
pub(crate) struct NewLine {
    path: PathBuf,
    file: File,
    files: NewFiles,
}

impl NewLine {
    /// Makes the file, and has the disk keep some room for it.
    pub(crate) fn make(path: &Path) -> Result<Self, Failure> {
        let mut files = NewFiles::default();
        let mut file = files.create(path)?;
        let mut reserve = || {
            file.write_all(b"\n")?;
            file.sync_all()?;
            file.rewind()
        };
        reserve().map_err(|error| unwritable(path, &error))?;
        Ok(Self { path: path.into(), file, files })
    }

    /// Stores the line, durably.
    pub(crate) fn store(mut self, content: &str) -> Result<(), Failure> {
        store_in(&mut self.file, &self.path, content)?;
        self.files.keep();
        Ok(())
    }
}

impl Drop for NewFiles {
    fn drop(&mut self) {
        for path in &self.made {
            // What can't be removed was reported as a failure already.
            let _ = fs::remove_file(path);
        }
        if let Some(folder) = &self.folder {
            let _ = fs::remove_dir(folder);
        }
    }
}
