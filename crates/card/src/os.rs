//! The card operating system: all state of a card but its source of challenges.

use apdu::StatusWord;

use crate::access::Access;
use crate::directory::{Directory, Lock, Path};
use crate::key_file::KeyFile;
use crate::key_record::KeyRecord;
use crate::life_cycle::LifeCycle;
use crate::profile::CardProfile;
use crate::session::Session;
use crate::status::{APPLICATION_LOCKED, require};
use crate::transport_key::TransportKey;

/// Whose key the card's master is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Owner {
    /// The manufacturer's transport key.
    Factory,
    /// The issuer's card master key.
    Issuer,
}

/// A card without its source of challenges. The commands are methods of it, one file for each group.
#[derive(Debug)]
pub(crate) struct Os {
    pub(crate) profile: CardProfile,
    pub(crate) root: Directory,
    pub(crate) owner: Owner,
    pub(crate) blocked: bool,
    pub(crate) session: Session,
}

impl Os {
    pub(crate) fn blank(profile: CardProfile, transport: TransportKey) -> Self {
        let keys = KeyFile::factory(KeyRecord::master(transport.0));
        Self {
            profile,
            root: Directory::master_file(CardProfile::MEMORY, keys),
            owner: Owner::Factory,
            blocked: false,
            session: Session::default(),
        }
    }

    pub(crate) fn reset(&mut self) {
        self.root.leave_all();
        self.session = Session::default();
    }

    pub(crate) fn life_cycle(&self) -> LifeCycle {
        match self.owner {
            _ if self.blocked => LifeCycle::Blocked,
            Owner::Factory if self.session.has_proven_master(Path::MASTER_FILE) => {
                LifeCycle::TransportAuthenticated
            }
            Owner::Factory => LifeCycle::Blank,
            Owner::Issuer if self.root.has_application() && !self.root.has_open() => LifeCycle::Personalised,
            Owner::Issuer => LifeCycle::Mastered,
        }
    }

    /// The current directory.
    pub(crate) fn directory(&self) -> &Directory {
        self.root.at(self.session.path)
    }

    /// The current directory, to be changed.
    pub(crate) fn directory_mut(&mut self) -> &mut Directory {
        self.root.at_mut(self.session.path)
    }

    /// Makes the directory at `path` the current one. The one that is left is open no longer.
    pub(crate) fn enter(&mut self, path: Path) {
        self.directory_mut().leave();
        self.session.enter(path);
    }

    /// Demands that the session is allowed what `access` guards in the current directory.
    pub(crate) fn expect_access(&self, access: Access) -> Result<(), StatusWord> {
        let permitted = self.directory().is_open() || access.permits(self.session.levels());
        require(permitted, StatusWord::SECURITY_STATUS)
    }

    /// Demands that no directory on the way to the current one is blocked: `6985` for a time, `9303` for good.
    pub(crate) fn expect_unlocked(&self) -> Result<(), StatusWord> {
        match self.root.lock_along(self.session.path) {
            Lock::Unlocked => Ok(()),
            Lock::Temporary => Err(StatusWord::CONDITIONS_OF_USE),
            Lock::Permanent => Err(APPLICATION_LOCKED),
        }
    }

    /// Demands that the transport key has been replaced: before, nothing is put on the card.
    pub(crate) fn expect_issuer(&self) -> Result<(), StatusWord> {
        require(self.owner == Owner::Issuer, StatusWord::CONDITIONS_OF_USE)
    }
}
