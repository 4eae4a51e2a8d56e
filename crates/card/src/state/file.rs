//! A store in one file.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use aeskey::StorageKey;
use zeroize::Zeroizing;

use super::seal;
use super::store::{CardStore, StoredCard};

/// How a state file begins.
const HEAD: &[u8] = b"cardroot-card state, version 1\n";
/// How it begins in every version.
const HEAD_OF_ANY_VERSION: &[u8] = b"cardroot-card state, version ";
/// Length of the head in bytes; zeros follow its text.
const HEAD_LEN: usize = 4096;
/// Length of a slot in bytes: more than twice what a domain can have to say, with 16 KiB of data groupings and eight sets of keys.
const SLOT_LEN: usize = 0x1_0000;

/// Why a file does not serve as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another program, or another part of this one, has the file open as a store.
    #[error("the state file is in use")]
    InUse,
    /// The file holds something else. It is left as it is.
    #[error("the file is not a state file of this program")]
    NotAStateFile,
    /// The file says that it is a state file of another version of this program. It is left as it is.
    #[error("the state file is one of another version of this program")]
    OtherVersion,
    /// There is no whole state under this key in the file: the key is another, or the file is damaged. Nobody can tell.
    #[error("the state file is damaged, or sealed under another key")]
    Unreadable,
    /// The operating system refused.
    #[error("the state file could not be read or written")]
    Io(#[from] io::Error),
}

/// Keeps one card in one file, sealed, for one program at a time.
///
/// ```text
/// head (4096)  text, zeros; written after the first state
/// slot A, B    "CRDS" | length (4) | generation (8) | SIV (16) | state, encrypted
/// ```
///
/// The slots are written in turn, and each write is durable before the next. A write that was torn does not authenticate, and
/// the other slot has the state before it.
///
/// # Security
/// The state is encrypted and authenticated: whoever has the file and not the key learns how long the state is and how often it
/// changed, and can't make another one. Whoever can put an old copy of the file back gives back tries and money: nothing in
/// a file can tell. The file is readable by its owner only.
///
/// # Examples
/// ```
/// use cardroot_card::state::{FileStore, StorageKey};
/// use cardroot_card::{Card, CardProfile, TransportKey};
///
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("card.state");
/// let store = || FileStore::open(&path, StorageKey::from_fill(|key| key.fill(0x3C)));
/// let rng = || rand_core::UnwrapErr(getrandom::SysRng);
/// let profile = CardProfile::user([0x86, 0x60, 0, 0, 0, 0, 0, 1]);
///
/// let mut card = Card::blank_in(store()?, profile, TransportKey::fmcos_default(), rng())?;
/// // A wrong cryptogram costs the transport key one of its three tries.
/// card.process(&[0x00, 0x84, 0x00, 0x00, 0x08]);
/// let wrong = [0x00, 0x82, 0x00, 0x00, 0x08, 0, 0, 0, 0, 0, 0, 0, 0];
/// assert_eq!(card.process(&wrong), [0x63, 0xC2]);
///
/// // The power fails, and comes back.
/// drop(card);
/// let mut card = Card::open(store()?, profile, rng())?;
/// card.process(&[0x00, 0x84, 0x00, 0x00, 0x08]);
/// assert_eq!(card.process(&wrong), [0x63, 0xC1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct FileStore(Slots<File>);

impl FileStore {
    /// Opens the store at `path`, or makes an empty one there.
    ///
    /// The file is locked until the store is dropped, on this machine, against those who ask for the lock.
    ///
    /// # Errors
    /// Returns [`FileError::InUse`] if a store is open there, [`FileError::NotAStateFile`] or [`FileError::OtherVersion`] if the
    /// file is something else, [`FileError::Unreadable`] if `key` opens nothing in it, [`FileError::Io`] as the operating
    /// system says.
    pub fn open(path: impl AsRef<Path>, key: StorageKey) -> Result<Self, FileError> {
        let path = path.as_ref();
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // A device may take all that is written and keep nothing of it.
        if !file.metadata()?.is_file() {
            return Err(FileError::NotAStateFile);
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FileError::InUse,
            TryLockError::Error(error) => FileError::Io(error),
        })?;
        let slots = Slots::open(file, key)?;
        sync_folder(path)?;
        Ok(Self(slots))
    }
}

impl CardStore for FileStore {
    fn load(&mut self) -> io::Result<Option<StoredCard>> {
        self.0.load()
    }

    fn replace(&mut self, state: &[u8]) -> io::Result<()> {
        self.0.replace(state)
    }
}

/// Makes the file's name durable; elsewhere than on Unix that comes with the file.
#[cfg(unix)]
fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(folder)?.sync_all()
}

#[cfg(not(unix))]
fn sync_folder(_: &Path) -> io::Result<()> {
    Ok(())
}

/// What a state file is made on. Each call may do a part, fail, or be the last before the power is gone.
trait Medium: Read + Write + Seek {
    /// Returns when all that was written is durable.
    fn sync_all(&self) -> io::Result<()>;
}

impl Medium for File {
    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }
}

#[derive(Clone, Copy, Debug)]
enum Slot {
    A,
    B,
}

impl Slot {
    const fn start(self) -> usize {
        match self {
            Self::A => HEAD_LEN,
            Self::B => HEAD_LEN + SLOT_LEN,
        }
    }

    const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A state as it stands in the file.
struct Found {
    slot: Slot,
    generation: u64,
    state: Zeroizing<Vec<u8>>,
    record: Vec<u8>,
}

/// The two slots, in a file or in what a test has in its place.
#[derive(Debug)]
struct Slots<F> {
    file: F,
    key: StorageKey,
    /// Where the newest state is, and its generation.
    newest: Option<(Slot, u64)>,
}

impl<F: Medium> Slots<F> {
    fn open(mut file: F, key: StorageKey) -> Result<Self, FileError> {
        let head = read(&mut file, 0, HEAD_LEN)?;
        let is_made = head.starts_with(HEAD);
        if !is_made && !is_unfinished(&head) {
            let is_known = head.starts_with(HEAD_OF_ANY_VERSION);
            return Err(if is_known { FileError::OtherVersion } else { FileError::NotAStateFile });
        }
        let mut slots = Self { file, key, newest: None };
        if is_made {
            let found = slots.find()?.ok_or(FileError::Unreadable)?;
            slots.newest = Some((found.slot, found.generation));
            // A program whose sync failed leaves what others read and no disk has. The bytes are those that are there, so a
            // tear does them no harm.
            slots.write(found.slot.start(), &found.record)?;
            slots.write(0, HEAD)?;
        }
        Ok(slots)
    }

    /// The newest state that is whole.
    fn find(&mut self) -> io::Result<Option<Found>> {
        let mut newest: Option<Found> = None;
        for slot in [Slot::A, Slot::B] {
            let record = read(&mut self.file, slot.start(), SLOT_LEN)?;
            if let Some((generation, state)) = seal::open(&self.key, &record)
                && newest.as_ref().is_none_or(|newest| newest.generation < generation)
            {
                newest = Some(Found { slot, generation, state, record });
            }
        }
        Ok(newest)
    }

    fn load(&mut self) -> io::Result<Option<StoredCard>> {
        if self.newest.is_none() {
            return Ok(None);
        }
        let found =
            self.find()?.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, FileError::Unreadable))?;
        Ok(Some(StoredCard(found.state)))
    }

    fn replace(&mut self, state: &[u8]) -> io::Result<()> {
        let (slot, generation) = match self.newest {
            Some((slot, generation)) => (slot.other(), generation + 1),
            None => (Slot::A, 0),
        };
        let record = seal::seal(&self.key, generation, state);
        if record.len() > SLOT_LEN {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.write(slot.start(), &record)?;
        if self.newest.is_none() {
            self.write(0, HEAD)?;
        }
        self.newest = Some((slot, generation));
        Ok(())
    }

    /// Returns when the bytes are durable.
    fn write(&mut self, start: usize, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(start as u64))?;
        self.file.write_all(bytes)?;
        self.file.sync_all()
    }
}

/// As many bytes as there are, `len` at most.
fn read(file: &mut impl Medium, start: usize, len: usize) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(start as u64))?;
    file.take(len as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether a head is what a cut may leave of a new file: a part of the text, and zeros.
fn is_unfinished(head: &[u8]) -> bool {
    let text = head.iter().zip(HEAD).take_while(|(found, text)| found == text).count();
    head.iter().skip(text).all(|byte| *byte == 0)
}

#[cfg(test)]
#[path = "file_faults.rs"]
mod file_faults;
