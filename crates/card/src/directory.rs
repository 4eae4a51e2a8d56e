//! The tree of directories.

use crate::access::Access;
use crate::file::ElementaryFile;
use crate::key_file::KeyFile;
use crate::state::codec::{Reader, Stored, Writer};

/// File identifier of the master file.
pub(crate) const MASTER_FILE: u16 = 0x3F00;
/// Name of the master file.
const MASTER_FILE_NAME: &[u8] = b"1PAY.SYS.DDF01";
/// Longest name of a directory in bytes.
pub(crate) const MAX_NAME: usize = 16;
/// What each file costs besides its body, in bytes.
pub(crate) const FILE_OVERHEAD: usize = 11;

/// The way from the master file to a directory. Directories only vanish below the current one, so a path that is
/// kept stays good.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Path {
    steps: [usize; Path::MAX_DEPTH],
    depth: usize,
}

impl Path {
    /// The master file's.
    pub(crate) const MASTER_FILE: Self = Self { steps: [0; Self::MAX_DEPTH], depth: 0 };
    /// Levels below the master file: three in all.
    const MAX_DEPTH: usize = 2;

    fn steps(&self) -> &[usize] {
        self.steps.get(..self.depth).expect("the depth is never more than MAX_DEPTH")
    }

    /// The way to the child at `index`, `None` on the lowest level.
    pub(crate) fn child(mut self, index: usize) -> Option<Self> {
        *self.steps.get_mut(self.depth)? = index;
        self.depth += 1;
        Some(self)
    }

    pub(crate) fn parent(mut self) -> Option<Self> {
        self.depth = self.depth.checked_sub(1)?;
        // Equal paths have equal arrays.
        *self.steps.get_mut(self.depth)? = 0;
        Some(self)
    }
}

/// Whether an application answers.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) enum Lock {
    Unlocked,
    /// By APPLICATION BLOCK, until APPLICATION UNBLOCK.
    Temporary,
    /// By APPLICATION BLOCK, or by too many wrong MACs.
    Permanent,
}

/// What CREATE FILE says about a directory.
#[derive(Debug)]
pub(crate) struct DirectoryHeader {
    pub(crate) fid: u16,
    /// Body in bytes that its files may take up.
    pub(crate) capacity: usize,
    pub(crate) create: Access,
    pub(crate) erase: Access,
    /// Tells a DDF from an ADF, and the file that SELECT shows.
    pub(crate) application: u8,
    pub(crate) name: Vec<u8>,
}

/// A directory: the master file (MF), a DDF or an ADF.
#[derive(Debug)]
pub(crate) struct Directory {
    pub(crate) header: DirectoryHeader,
    used: usize,
    /// Created or erased and not left since: without a key file it is then open to everybody. A reset ends it.
    pub(crate) fresh: bool,
    pub(crate) lock: Lock,
    /// Wrong APPLICATION UNBLOCKs in a row.
    pub(crate) failed_unblocks: u8,
    pub(crate) keys: Option<KeyFile>,
    pub(crate) files: Vec<ElementaryFile>,
    children: Vec<Directory>,
}

impl Directory {
    /// The master file of a blank card of `memory` bytes. Files are made by its master and it can't be erased.
    pub(crate) fn master_file(memory: usize, keys: KeyFile) -> Self {
        let header = DirectoryHeader {
            fid: MASTER_FILE,
            capacity: memory,
            create: Access::MASTER,
            erase: Access::NEVER,
            application: 0x01,
            name: MASTER_FILE_NAME.to_vec(),
        };
        let mut root = Self::new(header);
        root.used = FILE_OVERHEAD + keys.capacity();
        root.fresh = false;
        root.keys = Some(keys);
        root
    }

    const fn new(header: DirectoryHeader) -> Self {
        Self {
            header,
            used: 0,
            fresh: true,
            lock: Lock::Unlocked,
            failed_unblocks: 0,
            keys: None,
            files: Vec::new(),
            children: Vec::new(),
        }
    }

    pub(crate) fn at(&self, path: Path) -> &Self {
        path.steps()
            .iter()
            .fold(self, |directory, step| directory.children.get(*step).expect("a path leads to a directory"))
    }

    pub(crate) fn at_mut(&mut self, path: Path) -> &mut Self {
        path.steps().iter().fold(self, |directory, step| {
            directory.children.get_mut(*step).expect("a path leads to a directory")
        })
    }

    /// The heaviest lock on the way to `path`.
    pub(crate) fn lock_along(&self, path: Path) -> Lock {
        let mut directory = self;
        let mut lock = self.lock;
        for step in path.steps() {
            directory = directory.children.get(*step).expect("a path leads to a directory");
            lock = lock.max(directory.lock);
        }
        lock
    }

    /// Where below this directory, itself at `here`, the directory of that name is.
    pub(crate) fn find_name(&self, here: Path, name: &[u8]) -> Option<Path> {
        if self.header.name == name {
            return Some(here);
        }
        let mut children = self.children.iter().enumerate();
        children.find_map(|(index, child)| child.find_name(here.child(index)?, name))
    }

    /// The child directory with that identifier.
    pub(crate) fn find_child(&self, fid: u16) -> Option<usize> {
        self.children.iter().position(|child| child.header.fid == fid)
    }

    /// The elementary file with that identifier.
    pub(crate) fn find_file(&self, fid: u16) -> Option<usize> {
        self.files.iter().position(|file| file.header.fid == fid)
    }

    /// The elementary file with that short identifier: the low five bits of the long one.
    pub(crate) fn find_short(&self, sfi: u8) -> Option<usize> {
        self.files.iter().position(|file| file.header.fid & 0x1F == u16::from(sfi))
    }

    /// Whether any file or directory in here has that identifier.
    pub(crate) fn has(&self, fid: u16) -> bool {
        self.find_child(fid).is_some()
            || self.find_file(fid).is_some()
            || self.keys.as_ref().is_some_and(|keys| keys.fid() == fid)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.keys.is_none() && self.files.is_empty() && self.children.is_empty()
    }

    /// Whether access conditions do not hold here yet.
    pub(crate) const fn is_open(&self) -> bool {
        self.fresh && self.keys.is_none()
    }

    /// Whether this directory or one below it is open.
    pub(crate) fn has_open(&self) -> bool {
        self.is_open() || self.children.iter().any(Self::has_open)
    }

    /// Whether a child has a master of its own.
    pub(crate) fn has_application(&self) -> bool {
        self.children.iter().any(|child| child.keys.as_ref().is_some_and(KeyFile::has_master))
    }

    /// Whether this directory or one below it was not left since it was made.
    pub(crate) fn is_fresh(&self) -> bool {
        self.fresh || self.children.iter().any(Self::is_fresh)
    }

    /// Counts an APPLICATION UNBLOCK as failed, until it is known not to be. The count never comes round to zero, however
    /// often power fails before it is known.
    pub(crate) const fn count_unblock(&mut self) -> u8 {
        self.failed_unblocks = self.failed_unblocks.saturating_add(1);
        self.failed_unblocks
    }

    /// Ends the time in which this directory is open.
    pub(crate) const fn leave(&mut self) {
        self.fresh = false;
    }

    /// The same for all directories, as a reset does.
    pub(crate) fn leave_all(&mut self) {
        self.leave();
        self.children.iter_mut().for_each(Self::leave_all);
    }

    /// Whether a file with a body of `body` bytes finds room.
    pub(crate) const fn has_room(&self, body: usize) -> bool {
        FILE_OVERHEAD + body <= self.header.capacity - self.used
    }

    /// Adds a file for which there is room.
    pub(crate) fn add_file(&mut self, file: ElementaryFile) {
        self.used += FILE_OVERHEAD + file.body_len();
        self.files.push(file);
    }

    /// Adds the key file for which there is room.
    pub(crate) fn add_keys(&mut self, keys: KeyFile) {
        self.used += FILE_OVERHEAD + keys.capacity();
        self.keys = Some(keys);
    }

    /// Adds a directory for which there is room.
    pub(crate) fn add_child(&mut self, header: DirectoryHeader) {
        self.adopt(Self::new(header));
    }

    fn adopt(&mut self, child: Self) {
        self.used += FILE_OVERHEAD + child.header.capacity + child.header.name.len();
        self.children.push(child);
    }

    /// Removes everything within and opens the directory again.
    pub(crate) fn erase(&mut self) {
        self.keys = None;
        self.files.clear();
        self.children.clear();
        self.used = 0;
        self.fresh = true;
    }
}

impl Stored for Lock {
    fn write(&self, out: &mut Writer) {
        out.byte(match self {
            Self::Unlocked => 0,
            Self::Temporary => 1,
            Self::Permanent => 2,
        });
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(match input.byte()? {
            0 => Self::Unlocked,
            1 => Self::Temporary,
            2 => Self::Permanent,
            _ => return None,
        })
    }
}

impl Stored for DirectoryHeader {
    fn write(&self, out: &mut Writer) {
        out.number(self.fid);
        out.size(self.capacity);
        self.create.write(out);
        self.erase.write(out);
        out.byte(self.application);
        out.counted(&self.name);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let header = Self {
            fid: input.number()?,
            capacity: input.size()?,
            create: Access::read(input)?,
            erase: Access::read(input)?,
            application: input.byte()?,
            name: input.counted()?.to_vec(),
        };
        (1..=MAX_NAME).contains(&header.name.len()).then_some(header)
    }
}

/// What `fresh` says is not kept: no directory is open after a loss of power.
impl Stored for Directory {
    fn write(&self, out: &mut Writer) {
        self.header.write(out);
        self.lock.write(out);
        out.byte(self.failed_unblocks);
        out.option(self.keys.as_ref());
        out.all(&self.files);
        out.all(&self.children);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Self::read_below(Path::MASTER_FILE, input)
    }
}

impl Directory {
    /// Reads the directory at `here`, with everything in it put into the room that it has.
    fn read_below(here: Path, input: &mut Reader<'_>) -> Option<Self> {
        let mut directory = Self::new(DirectoryHeader::read(input)?);
        directory.fresh = false;
        directory.lock = Lock::read(input)?;
        directory.failed_unblocks = input.byte()?;
        if let Some(keys) = input.option::<KeyFile>()? {
            directory.has_room(keys.capacity()).then(|| directory.add_keys(keys))?;
        }
        input.for_each(|file: ElementaryFile| {
            let fits = !directory.has(file.header.fid) && directory.has_room(file.body_len());
            fits.then(|| directory.add_file(file))
        })?;
        for index in 0..input.size()? {
            let child = Self::read_below(here.child(index)?, input)?;
            let body = child.header.capacity + child.header.name.len();
            let fits = !directory.has(child.header.fid) && directory.has_room(body);
            fits.then(|| directory.adopt(child))?;
        }
        Some(directory)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_record::KeyRecord;
    use crate::transport_key::TransportKey;

    #[test]
    fn failed_unblocks_are_counted_to_the_end_and_not_from_the_beginning_again() {
        let keys = KeyFile::factory(KeyRecord::master(TransportKey::fmcos_default().0));
        let mut directory = Directory::master_file(1024, keys);
        for _ in 0..300 {
            directory.count_unblock();
        }
        assert_eq!(directory.count_unblock(), 0xFF);
    }
}
