//! What the card forgets at reset.

use tdea::BLOCK_LEN;

use crate::access::Levels;
use crate::directory::Path;
use crate::sam::DerivedKey;

/// Challenge of GET CHALLENGE: 8 bytes, or 4 bytes and zeros. Good for the next command only.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Challenge(pub(crate) [u8; BLOCK_LEN]);

/// What has been proven about one directory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rights {
    /// Security state, 0 to 15.
    pub(crate) level: u8,
    /// Whether the present value of the directory's master was proven.
    pub(crate) master: bool,
}

/// State between two resets.
#[derive(Debug, Default)]
pub(crate) struct Session {
    pub(crate) path: Path,
    /// The current elementary file, as its place in the current directory.
    pub(crate) file: Option<usize>,
    /// Rights in the master file. They stay while other directories are selected.
    master_file: Rights,
    /// Rights in the current directory. Selecting any directory ends them.
    directory: Rights,
    pub(crate) challenge: Option<Challenge>,
    pub(crate) derived: Option<DerivedKey>,
}

impl Session {
    pub(crate) const fn levels(&self) -> Levels {
        Levels { master_file: self.master_file.level, directory: self.directory.level }
    }

    /// Whether the master of the directory at `path` was proven and its rights still hold.
    pub(crate) fn has_proven_master(&self, path: Path) -> bool {
        if path == Path::MASTER_FILE {
            self.master_file.master
        } else {
            path == self.path && self.directory.master
        }
    }

    /// Makes the directory at `path` the current one.
    pub(crate) fn enter(&mut self, path: Path) {
        self.path = path;
        self.file = None;
        self.directory = Rights::default();
    }

    /// Gives or takes rights in the current directory. In the master file both states are set.
    pub(crate) fn set_rights(&mut self, rights: Rights) {
        self.directory = rights;
        if self.path == Path::MASTER_FILE {
            self.master_file = rights;
        }
    }

    /// Notes a successful EXTERNAL AUTHENTICATE or VERIFY. A proof of the master outlives the proof of another key.
    pub(crate) fn prove(&mut self, level: u8, master: bool) {
        let master = master || self.has_proven_master(self.path);
        self.set_rights(Rights { level, master });
    }
}
