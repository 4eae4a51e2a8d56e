//! The card operating system: all state of a card but its source of challenges.

use apdu::StatusWord;

use crate::access::Access;
use crate::counter::Refusal;
use crate::directory::{Directory, Lock, Path};
use crate::key_record::{KeyKind, KeyRecord, Secret};
use crate::life_cycle::LifeCycle;
use crate::memory::{KeyReference, Memory, Owner};
use crate::profile::CardProfile;
use crate::session::Session;
use crate::state::{CardStore, Kept, OpenError};
use crate::status::{APPLICATION_LOCKED, Outcome, require};
use crate::transport_key::TransportKey;

/// A card without its source of challenges. The commands are methods of it, one file for each group.
///
/// A command checks first, then computes what is to change, then changes all of it in one [`commit`](Self::commit), then
/// answers. What it must not gain by a loss of power in between, such as a try of a key, is committed before the check.
#[derive(Debug)]
pub(crate) struct Os {
    pub(crate) profile: CardProfile,
    memory: Kept<Memory>,
    pub(crate) session: Session,
}

impl Os {
    pub(crate) fn blank(profile: CardProfile, transport: TransportKey) -> Self {
        Self::new(profile, Kept::in_memory(Memory::blank(transport)))
    }

    /// A blank card that is in the store when this returns.
    pub(crate) fn blank_in(
        store: Box<dyn CardStore>,
        profile: CardProfile,
        transport: TransportKey,
    ) -> Result<Self, OpenError> {
        let memory = Kept::create(store, profile.identity(), Memory::blank(transport))?;
        Ok(Self::new(profile, memory))
    }

    /// The card in the store, as after a reset.
    pub(crate) fn open(store: Box<dyn CardStore>, profile: CardProfile) -> Result<Self, OpenError> {
        let memory = Kept::open(store, profile.identity())?;
        Ok(Self::new(profile, memory))
    }

    fn new(profile: CardProfile, memory: Kept<Memory>) -> Self {
        Self { profile, memory, session: Session::default() }
    }

    /// What the card keeps.
    pub(crate) const fn memory(&self) -> &Memory {
        self.memory.get()
    }

    /// Changes what the card keeps: all that `change` does or nothing of it, should power fail. There is no other way.
    ///
    /// The change is durable on return, or the card [is dead](Self::is_dead).
    pub(crate) fn commit<T>(&mut self, change: impl FnOnce(&mut Memory) -> T) -> T {
        self.memory.commit(change)
    }

    /// Has the store forget the state before this one, so that keys which are gone are nowhere.
    pub(crate) fn erase_past(&mut self) -> Outcome {
        self.memory.erase_past().map(|()| StatusWord::OK)
    }

    /// Whether the store has failed: what the card has in memory may be nowhere else, so it answers nothing more.
    pub(crate) const fn is_dead(&self) -> bool {
        self.memory.is_dead()
    }

    /// Changes the current directory.
    pub(crate) fn commit_here<T>(&mut self, change: impl FnOnce(&mut Directory) -> T) -> T {
        let path = self.session.path;
        self.commit(|memory| change(memory.root.at_mut(path)))
    }

    pub(crate) fn reset(&mut self) {
        if self.memory().root.is_fresh() {
            self.commit(|memory| memory.root.leave_all());
        }
        self.session = Session::default();
    }

    pub(crate) fn life_cycle(&self) -> LifeCycle {
        let root = &self.memory().root;
        match self.memory().owner {
            _ if self.memory().blocked => LifeCycle::Blocked,
            Owner::Factory if self.session.has_proven_master(Path::MASTER_FILE) => {
                LifeCycle::TransportAuthenticated
            }
            Owner::Factory => LifeCycle::Blank,
            Owner::Issuer if root.has_application() && !root.has_open() => LifeCycle::Personalised,
            Owner::Issuer => LifeCycle::Mastered,
        }
    }

    /// The current directory.
    pub(crate) fn directory(&self) -> &Directory {
        self.memory().root.at(self.session.path)
    }

    /// Makes the directory at `path` the current one. The one that is left is open no longer.
    pub(crate) fn enter(&mut self, path: Path) {
        if self.directory().fresh {
            self.commit_here(Directory::leave);
        }
        self.session.enter(path);
    }

    /// Demands that the session is allowed what `access` guards in the current directory.
    pub(crate) fn expect_access(&self, access: Access) -> Result<(), StatusWord> {
        let permitted = self.directory().is_open() || access.permits(self.session.levels());
        require(permitted, StatusWord::SECURITY_STATUS)
    }

    /// Demands that no directory on the way to the current one is blocked: `6985` for a time, `9303` for good.
    pub(crate) fn expect_unlocked(&self) -> Result<(), StatusWord> {
        match self.memory().root.lock_along(self.session.path) {
            Lock::Unlocked => Ok(()),
            Lock::Temporary => Err(StatusWord::CONDITIONS_OF_USE),
            Lock::Permanent => Err(APPLICATION_LOCKED),
        }
    }

    /// Demands that the transport key has been replaced: before, nothing is put on the card.
    pub(crate) fn expect_issuer(&self) -> Result<(), StatusWord> {
        require(self.memory().owner == Owner::Issuer, StatusWord::CONDITIONS_OF_USE)
    }

    /// A key of the current directory, if it is there.
    pub(crate) fn key_here(&self, kind: KeyKind, id: u8) -> Option<&KeyRecord> {
        self.directory().keys.as_ref()?.find(kind, id)
    }

    /// Where a key of the current directory is, if it may be used now.
    pub(crate) fn usable_key(&self, kind: KeyKind, id: u8) -> Result<KeyReference, StatusWord> {
        let record = self.key_here(kind, id).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        require(record.usage.permits(self.session.levels()), StatusWord::SECURITY_STATUS)?;
        Ok(KeyReference { path: self.session.path, kind, id })
    }

    /// Runs `check` on the secret of a key that is there. A try of its error counter is spent for good before the check
    /// starts, so that no loss of power gives a try away for free; success restores the counter.
    pub(crate) fn attempt(
        &mut self,
        key: KeyReference,
        check: impl FnOnce(&Secret) -> bool,
    ) -> Result<(), Refusal> {
        let left = self.commit(|memory| key_mut(memory, key).counter.spend())?;
        if self.is_dead() {
            // The try may be spent in memory only, and buys nothing.
            return Err(Refusal::Locked);
        }
        let record = self.memory().find_key(key).expect("the caller has found the key");
        if !record.check(check) {
            return Err(Refusal::Failed { left });
        }
        self.commit(|memory| key_mut(memory, key).counter.restore());
        Ok(())
    }
}

fn key_mut(memory: &mut Memory, key: KeyReference) -> &mut KeyRecord {
    memory.find_key_mut(key).expect("the caller has found the key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_try_is_spent_before_the_check() {
        let mut os = Os::blank(CardProfile::user([0; 8]), TransportKey::fmcos_default());
        let master = KeyReference::master(Path::MASTER_FILE);
        let stopped = std::panic::catch_unwind(core::panic::AssertUnwindSafe(|| {
            os.attempt(master, |_| panic!("power lost"))
        }));
        assert!(stopped.is_err());
        assert_eq!(os.memory().find_key(master).unwrap().counter.left(), 2);
        assert_eq!(os.attempt(master, |_| true), Ok(()));
        assert_eq!(os.memory().find_key(master).unwrap().counter.left(), 3);
    }
}
