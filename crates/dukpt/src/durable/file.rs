//! A store in one file.

use alloc::vec::Vec;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::slots::{Slot, Slots, TwoSlots};

/// A store in one file, for one program at a time.
///
/// The file has a head of 4 KiB that says what it is, and two slots of 4 KiB, all of them allocated when it is made: a full
/// disk is noticed then and not in the middle of a transaction. What is destroyed is overwritten by zeros.
///
/// Journals, snapshots, copy-on-write and wear levelling below the file may keep what was overwritten, sealed under the
/// device key. Where that is not enough the store belongs on a medium that erases, see [`Slots`].
///
/// # Examples
/// ```
/// use cardroot_dukpt::durable::{Device, DeviceKey, FileStore};
/// use cardroot_dukpt::{Bdk, Ksn, Originator, tdea::TdeaKey};
///
/// # let folder = std::env::temp_dir().join(format!("cardroot-dukpt-doc-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// let path = folder.join("terminal.state");
/// let device = || Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
/// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
/// let name = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
///
/// let mut terminal = Originator::load(FileStore::open(&path)?, device(), bdk.derive_initial_key(&name)?)?;
/// assert_eq!(terminal.next_transaction()?.ksn().to_string(), "FFFF9876543210E00001");
///
/// // Nobody else uses the same counters meanwhile.
/// assert!(FileStore::open(&path).is_err());
///
/// // The power fails, and comes back.
/// drop(terminal);
/// let mut terminal = Originator::open(FileStore::open(&path)?, device())?;
/// assert_eq!(terminal.next_transaction()?.ksn().to_string(), "FFFF9876543210E00002");
/// # drop(terminal);
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type FileStore = TwoSlots<FileSlots>;

/// The two slots in one file.
#[derive(Debug)]
pub struct FileSlots(Parts<File>);

/// Head and slots, in a file or in what a test has in its place.
#[derive(Debug)]
pub(super) struct Parts<F> {
    file: F,
}

/// What a state file is made on. Each call may do a part, fail, or be the last before the power is gone.
pub(super) trait Medium: Read + Write + Seek {
    /// Returns when all that was written is durable.
    fn sync_all(&self) -> io::Result<()>;
}

impl Medium for File {
    fn sync_all(&self) -> io::Result<()> {
        Self::sync_all(self)
    }
}

/// Why a file does not serve as a store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// Another program, or another part of this one, has the file open as a store.
    #[error("the state file is in use: two programs on one state would use each key twice")]
    InUse,
    /// The file holds something else. It is left as it is.
    #[error("the file is not a state file of this program")]
    NotAStateFile,
    /// The file says that it is a state file of another version of this program. It is left as it is.
    #[error("the state file is one of another version of this program")]
    OtherVersion,
    /// The file begins as a state file and has lost its end, or got more. It is left as it is.
    #[error("the state file is damaged: it was cut, or something was added to it")]
    Length,
    /// The operating system refused: no space, no permission, a worn-out disk.
    #[error("the state file could not be read or written")]
    Io(#[from] io::Error),
}

/// Length of head and slots: no sector of a disk has a part of two of them.
const PART_LEN: usize = 4096;
/// How a state file begins; zeros follow up to the first slot.
const HEAD: &[u8; 32] = b"cardroot-dukpt state, version 1\n";
/// How it begins in every version.
const HEAD_OF_ANY_VERSION: &[u8] = b"cardroot-dukpt state, version ";
const FILE_LEN: usize = 3 * PART_LEN;

impl FileStore {
    /// Opens the store at `path`, or makes a new one there, readable by its owner only.
    ///
    /// The file is locked until the store is dropped. The lock holds between programs that ask for it, on one machine: it
    /// does not keep anybody from copying the file.
    ///
    /// # Errors
    /// Returns [`FileError::InUse`] if a store is open there, [`FileError::NotAStateFile`], [`FileError::OtherVersion`] or
    /// [`FileError::Length`] if the file is something else or not whole, [`FileError::Io`] as the operating system says.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, FileError> {
        FileSlots::open(path.as_ref()).map(Self::new)
    }
}

impl FileSlots {
    fn open(path: &Path) -> Result<Self, FileError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let file = options.open(path)?;
        // A pipe would have us wait for what never comes.
        if !file.metadata()?.is_file() {
            return Err(FileError::NotAStateFile);
        }
        file.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => FileError::InUse,
            TryLockError::Error(error) => FileError::Io(error),
        })?;
        Parts::open(file, || sync_folder(path)).map(Self)
    }
}

impl<F: Medium> Parts<F> {
    /// Takes a file as it is, or makes it. `sync_name` makes its name durable.
    pub(super) fn open(mut file: F, sync_name: impl FnOnce() -> io::Result<()>) -> Result<Self, FileError> {
        let mut found = Vec::new();
        (&mut file).take(FILE_LEN as u64 + 1).read_to_end(&mut found)?;
        match found.strip_prefix(HEAD) {
            // A program whose sync failed leaves a head that others read and no disk has.
            Some(rest) if found.len() == FILE_LEN => {
                if rest.iter().all(|byte| *byte == 0) {
                    write_head(&mut file)?;
                }
            }
            // The head is written last: a file that has any of it was whole.
            Some(_) => return Err(FileError::Length),
            None if is_unfinished(&found) => make(&mut file)?,
            None if HEAD.starts_with(&found) => return Err(FileError::Length),
            None if found.starts_with(HEAD_OF_ANY_VERSION) => return Err(FileError::OtherVersion),
            None => return Err(FileError::NotAStateFile),
        }
        // A program that died after making the file may not have come so far.
        sync_name()?;
        Ok(Self { file })
    }

    fn seek(&mut self, slot: Slot, offset: usize) -> io::Result<()> {
        let start = match slot {
            Slot::A => PART_LEN,
            Slot::B => 2 * PART_LEN,
        };
        self.file.seek(SeekFrom::Start((start + offset) as u64)).map(drop)
    }
}

/// Whether a file holds what a cut may leave of a new one: zeros, and a part of the head once all of them are there.
fn is_unfinished(found: &[u8]) -> bool {
    let is_long = found.len() == FILE_LEN;
    let head = found.iter().zip(HEAD).take_while(|(found, head)| is_long && found == head).count();
    found.len() <= FILE_LEN && found.iter().skip(head).all(|byte| *byte == 0)
}

/// Makes the whole file: its space first and its head last.
fn make(file: &mut impl Medium) -> io::Result<()> {
    file.rewind()?;
    file.write_all(&[0; FILE_LEN])?;
    file.sync_all()?;
    write_head(file)
}

fn write_head(file: &mut impl Medium) -> io::Result<()> {
    file.rewind()?;
    file.write_all(HEAD)?;
    file.sync_all()
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

impl<F: Medium> Slots for Parts<F> {
    type Error = io::Error;

    fn slot_len(&self) -> usize {
        PART_LEN
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> io::Result<()> {
        self.seek(slot, offset)?;
        self.file.read_exact(bytes)
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.seek(slot, offset)?;
        self.file.write_all(bytes)
    }

    fn erase(&mut self, slot: Slot) -> io::Result<()> {
        self.seek(slot, 0)?;
        self.file.write_all(&[0; PART_LEN])
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_all()
    }

    fn refresh(&mut self, slot: Slot) -> io::Result<()> {
        let mut content = [0; PART_LEN];
        self.read(slot, 0, &mut content)?;
        self.write(slot, 0, &content)
    }
}

impl Slots for FileSlots {
    type Error = io::Error;

    fn slot_len(&self) -> usize {
        self.0.slot_len()
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> io::Result<()> {
        self.0.read(slot, offset, bytes)
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> io::Result<()> {
        self.0.write(slot, offset, bytes)
    }

    fn erase(&mut self, slot: Slot) -> io::Result<()> {
        self.0.erase(slot)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.0.sync()
    }

    fn refresh(&mut self, slot: Slot) -> io::Result<()> {
        self.0.refresh(slot)
    }
}
