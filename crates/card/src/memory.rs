//! What a card keeps without power.

use crate::directory::Directory;
use crate::directory::Path;
use crate::key_file::KeyFile;
use crate::key_record::{KeyKind, KeyRecord};
use crate::profile::CardProfile;
use crate::state::codec::{Reader, Stored, Writer};
use crate::state::{CardState, OpenError};
use crate::transport_key::TransportKey;

/// Whose key the card's master is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Owner {
    /// The manufacturer's transport key.
    Factory,
    /// The issuer's card master key.
    Issuer,
}

/// Everything that survives a reset: files, keys, counters and locks. Plain data; only [`Os::commit`] changes it.
///
/// [`Os::commit`]: crate::os::Os::commit
#[derive(Debug)]
pub(crate) struct Memory {
    pub(crate) root: Directory,
    pub(crate) owner: Owner,
    /// By CARD BLOCK.
    pub(crate) blocked: bool,
}

impl Memory {
    /// That of a card as it leaves the factory.
    pub(crate) fn blank(transport: TransportKey) -> Self {
        let keys = KeyFile::factory(KeyRecord::master(transport.0));
        let root = Directory::master_file(CardProfile::MEMORY, keys);
        Self { root, owner: Owner::Factory, blocked: false }
    }

    pub(crate) fn find_key(&self, reference: KeyReference) -> Option<&KeyRecord> {
        self.root.at(reference.path).keys.as_ref()?.find(reference.kind, reference.id)
    }

    pub(crate) fn find_key_mut(&mut self, reference: KeyReference) -> Option<&mut KeyRecord> {
        self.root.at_mut(reference.path).keys.as_mut()?.find_mut(reference.kind, reference.id)
    }
}

/// Where a key is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyReference {
    pub(crate) path: Path,
    pub(crate) kind: KeyKind,
    pub(crate) id: u8,
}

impl KeyReference {
    /// The master of the directory at `path`.
    pub(crate) const fn master(path: Path) -> Self {
        Self { path, kind: KeyKind::ExternalAuthentication, id: KeyRecord::MASTER_ID }
    }

    /// A line protection key of the directory at `path`.
    pub(crate) const fn line(path: Path, id: u8) -> Self {
        Self { path, kind: KeyKind::LineProtection, id }
    }
}

impl Stored for Owner {
    fn write(&self, out: &mut Writer) {
        out.byte(match self {
            Self::Factory => 0,
            Self::Issuer => 1,
        });
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        input.flag().map(|issuer| if issuer { Self::Issuer } else { Self::Factory })
    }
}

impl Stored for Memory {
    fn write(&self, out: &mut Writer) {
        self.owner.write(out);
        out.byte(u8::from(self.blocked));
        self.root.write(out);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let memory =
            Self { owner: Owner::read(input)?, blocked: input.flag()?, root: Directory::read(input)? };
        (memory.root.header.capacity == CardProfile::MEMORY).then_some(memory)
    }
}

impl CardState for Memory {
    const KIND: u8 = 0x00;

    fn other_card() -> OpenError {
        OpenError::OtherCard
    }
}
