//! What a party must not forget.

use alloc::vec::Vec;

use smid::csm::{Count, KeyId};

use super::data_key::DataKey;
use crate::tdea_keys::Kek;

/// Keys, counts and open exchanges of one party with one other: everything that has to outlive a crash.
///
/// It is plain data, so that a store can write it in its own form and build it again. It holds clear keys; what writes it encrypts it.
#[derive(Debug, Default)]
pub struct State {
    /// Key encrypting keys in use.
    pub keks: Vec<KekEntry>,
    /// Data keys in use.
    pub data_keys: Vec<DataKeyEntry>,
    /// Keys that were replaced or discontinued, oldest first, until [`Party::forget_archive`](super::Party::forget_archive).
    pub archive: Vec<ArchivedKey>,
    /// Keys that were sent and not acknowledged.
    pub sent_keys: Option<SentKeys>,
    /// A DSM that was sent and not acknowledged.
    pub sent_discontinuation: Option<SentDiscontinuation>,
    /// Number of the next key encrypting key.
    pub next_serial: u64,
}

/// A key encrypting key pair with its counts.
#[derive(Debug)]
pub struct KekEntry {
    /// Number that this party gave the key; never given twice, as names may be.
    pub serial: u64,
    /// Name of the key.
    pub name: Option<KeyId>,
    /// The key.
    pub kek: Kek,
    /// How it came.
    pub origin: KekOrigin,
    /// Serial number of the key of the same name whose place it took.
    pub replaces: Option<u64>,
    /// Count of the next message sent under it; none if they are used up.
    pub send: Option<Count>,
    /// Least count that is accepted; none if they are used up.
    pub expect: Option<Count>,
    /// Times that the peer made this party move `send` up since the last acknowledgement.
    pub adjustments: u8,
}

/// How a key encrypting key came.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KekOrigin {
    /// By hand: it may encrypt other key encrypting keys.
    Manual,
    /// In a message, under another one: it encrypts data keys only.
    Automatic {
        /// Serial number of the key above.
        under: u64,
    },
}

/// A data key.
#[derive(Debug)]
pub struct DataKeyEntry {
    /// Name of the key.
    pub name: Option<KeyId>,
    /// The key.
    pub key: DataKey,
    /// What it is for; none until its first use decides.
    pub purpose: Option<Purpose>,
    /// Serial number of the key encrypting key that it came under.
    pub under: u64,
}

/// What a data key is for, for all its life.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Purpose {
    /// MACs.
    Authentication,
    /// Encryption.
    Encryption,
}

/// A key out of use.
#[derive(Debug)]
pub struct ArchivedKey {
    /// The key.
    pub key: OldKey,
    /// Why it is out of use.
    pub reason: ArchiveReason,
}

/// A key out of use, with what was known of it.
#[derive(Debug)]
pub enum OldKey {
    /// A key encrypting key; keys that came under it still name its serial number.
    Kek(KekEntry),
    /// A data key.
    Data(DataKeyEntry),
}

/// Why a key is out of use.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ArchiveReason {
    /// A key of the same name took its place.
    Replaced,
    /// A DSM named it, or a key above it.
    Discontinued,
}

/// A KSM that was sent and not acknowledged.
#[derive(Debug)]
pub struct SentKeys {
    /// Serial number of the key encrypting key on top.
    pub top: u64,
    /// Count of the message.
    pub count: Count,
    /// The new key encrypting key.
    pub kek: Option<KekEntry>,
    /// The new data keys.
    pub data_keys: Vec<DataKeyEntry>,
}

/// A DSM that was sent and not acknowledged. Its keys are out of use already.
#[derive(Debug)]
pub struct SentDiscontinuation {
    /// The keys that it named.
    pub keys: Vec<Option<KeyId>>,
    /// Name of the key that authenticates it.
    pub authentication_name: Option<KeyId>,
    /// The key that authenticates it.
    pub authentication: DataKey,
}

/// Keeps a [`State`], whatever happens to the power.
///
/// A party calls it before a message, a key or a success leaves, and lets nothing leave if it fails.
pub trait StateStore {
    /// Why the store could not write.
    type Error: core::error::Error + 'static;

    /// Puts `state` in the place of whatever is there, and returns once it is durable. At every moment the store holds the old
    /// state or the new one.
    ///
    /// # Errors
    /// Returns the store's error; the store then holds one of both.
    fn replace(&mut self, state: &State) -> Result<(), Self::Error>;
}

impl<S: StateStore + ?Sized> StateStore for &mut S {
    type Error = S::Error;

    fn replace(&mut self, state: &State) -> Result<(), S::Error> {
        (**self).replace(state)
    }
}

/// The last state in memory, for simulations and tests: it does not outlive the program.
#[derive(Debug, Default)]
pub struct MemoryStore {
    /// The last state, if there was any.
    pub state: Option<State>,
}

impl StateStore for MemoryStore {
    type Error = core::convert::Infallible;

    fn replace(&mut self, state: &State) -> Result<(), Self::Error> {
        self.state = Some(state.duplicate());
        Ok(())
    }
}

impl State {
    /// Makes a second copy of all keys and counts.
    #[must_use]
    pub fn duplicate(&self) -> Self {
        Self {
            keks: self.keks.iter().map(KekEntry::duplicate).collect(),
            data_keys: self.data_keys.iter().map(DataKeyEntry::duplicate).collect(),
            archive: self.archive.iter().map(ArchivedKey::duplicate).collect(),
            sent_keys: self.sent_keys.as_ref().map(SentKeys::duplicate),
            sent_discontinuation: self.sent_discontinuation.as_ref().map(SentDiscontinuation::duplicate),
            next_serial: self.next_serial,
        }
    }

    /// All keys in use, on their way or in the archive that came under the key encrypting key `serial`, and those that came under one of
    /// them: what a compromise of it exposes.
    pub fn exposed_by(&self, serial: u64) -> impl Iterator<Item = Option<KeyId>> {
        let below = move |kek: &&KekEntry| kek.origin == KekOrigin::Automatic { under: serial };
        // Two layers at most: what came in a message encrypts data keys only.
        let mut serials: Vec<u64> = self.every_kek().filter(below).map(|kek| kek.serial).collect();
        serials.push(serial);
        let data = self.every_data_key().filter(move |key| serials.contains(&key.under));
        self.every_kek().filter(below).map(|kek| kek.name).chain(data.map(|key| key.name))
    }

    /// The key encrypting keys in use, in the archive and on their way.
    fn every_kek(&self) -> impl Iterator<Item = &KekEntry> {
        let archived = self.archive.iter().filter_map(|old| match &old.key {
            OldKey::Kek(kek) => Some(kek),
            OldKey::Data(_) => None,
        });
        self.keks.iter().chain(archived).chain(self.sent_keys.iter().filter_map(|sent| sent.kek.as_ref()))
    }

    /// The data keys in use, in the archive and on their way.
    fn every_data_key(&self) -> impl Iterator<Item = &DataKeyEntry> {
        let archived = self.archive.iter().filter_map(|old| match &old.key {
            OldKey::Data(key) => Some(key),
            OldKey::Kek(_) => None,
        });
        self.data_keys.iter().chain(archived).chain(self.sent_keys.iter().flat_map(|sent| &sent.data_keys))
    }

    /// Whether the key is here, of whatever type: in use, in the archive or on its way.
    pub(super) fn has_kek(&self, kek: &Kek) -> bool {
        self.every_kek().any(|entry| entry.kek.ct_eq(kek))
            || self.every_data_key().any(|entry| entry.key.is(kek))
    }

    /// As [`has_kek`](Self::has_kek), for a data key.
    pub(super) fn has_data_key(&self, key: &DataKey) -> bool {
        self.every_data_key().any(|entry| entry.key.ct_eq(key))
            || self.every_kek().any(|entry| key.is(&entry.kek))
    }

    pub(super) fn kek(&self, serial: u64) -> Option<&KekEntry> {
        self.keks.iter().find(|kek| kek.serial == serial)
    }

    pub(super) fn kek_mut(&mut self, serial: u64) -> Option<&mut KekEntry> {
        self.keks.iter_mut().find(|kek| kek.serial == serial)
    }

    /// A number that no key encrypting key has had.
    pub(super) const fn take_serial(&mut self) -> u64 {
        let serial = self.next_serial;
        self.next_serial = serial.wrapping_add(1);
        serial
    }

    /// Takes a key encrypting key into use, in the place of the one of its name.
    pub(super) fn put_kek(&mut self, mut kek: KekEntry) {
        for old in extract(&mut self.keks, |old| old.name == kek.name) {
            kek.replaces = Some(old.serial);
            self.archive.push(ArchivedKey { key: OldKey::Kek(old), reason: ArchiveReason::Replaced });
        }
        self.keks.push(kek);
    }

    /// Takes data keys into use, in the place of those of their names.
    pub(super) fn put_data_keys(&mut self, keys: Vec<DataKeyEntry>) {
        for old in extract(&mut self.data_keys, |old| keys.iter().any(|key| key.name == old.name)) {
            self.archive.push(ArchivedKey { key: OldKey::Data(old), reason: ArchiveReason::Replaced });
        }
        self.data_keys.extend(keys);
    }

    /// Whether `name` is that of a key in use or on its way to the peer, of any type.
    pub(super) fn knows(&self, name: KeyId) -> bool {
        let keks = self.keks.iter().map(|kek| kek.name);
        keks.chain(self.data_keys.iter().map(|key| key.name)).any(|known| known == Some(name))
            || self.sent_keys.as_ref().is_some_and(|sent| sent.names().any(|sent| sent == Some(name)))
    }

    /// Whether the archive has a key of any type that was discontinued by this name.
    pub(super) fn discontinued(&self, name: KeyId) -> bool {
        let old = self.archive.iter().filter(|old| old.reason == ArchiveReason::Discontinued);
        old.map(|old| old.key.name()).any(|known| known == Some(name))
    }

    /// The data keys of the archive that were discontinued.
    pub(super) fn discontinued_data_keys(&self) -> impl Iterator<Item = &DataKeyEntry> {
        self.archive.iter().filter_map(|old| match (&old.key, old.reason) {
            (OldKey::Data(key), ArchiveReason::Discontinued) => Some(key),
            _ => None,
        })
    }

    /// Puts the keys that `names` name out of use, all keys that came under one of them, and keys on their way that it concerns.
    /// Returns how many they were.
    pub(super) fn discontinue(&mut self, names: &[Option<KeyId>]) -> usize {
        let all = names.contains(&None);
        let named = |name: Option<KeyId>| all || (name.is_some() && names.contains(&name));
        let mut gone: Vec<KekEntry> = extract(&mut self.keks, |kek| named(kek.name));
        let serials: Vec<u64> = gone.iter().map(|kek| kek.serial).collect();
        // Two layers at most: what came in a message encrypts data keys only.
        gone.extend(extract(&mut self.keks, |kek| match kek.origin {
            KekOrigin::Automatic { under } => serials.contains(&under),
            KekOrigin::Manual => false,
        }));
        let serials: Vec<u64> = gone.iter().map(|kek| kek.serial).collect();
        let data = extract(&mut self.data_keys, |key| named(key.name) || serials.contains(&key.under));
        let concerned = self
            .sent_keys
            .as_ref()
            .is_some_and(|sent| serials.contains(&sent.top) || sent.names().any(named));
        if concerned {
            self.sent_keys = None;
        }
        let count = gone.len() + data.len();
        let old = gone.into_iter().map(OldKey::Kek).chain(data.into_iter().map(OldKey::Data));
        self.archive.extend(old.map(|key| ArchivedKey { key, reason: ArchiveReason::Discontinued }));
        count
    }
}

/// Takes out of `entries` those that `wanted` picks.
fn extract<T>(entries: &mut Vec<T>, wanted: impl FnMut(&T) -> bool) -> Vec<T> {
    let (taken, left) = core::mem::take(entries).into_iter().partition(wanted);
    *entries = left;
    taken
}

impl KekEntry {
    fn duplicate(&self) -> Self {
        Self { kek: self.kek.duplicate(), ..*self }
    }
}

impl DataKeyEntry {
    pub(super) fn duplicate(&self) -> Self {
        Self { key: self.key.duplicate(), ..*self }
    }
}

impl OldKey {
    const fn name(&self) -> Option<KeyId> {
        match self {
            Self::Kek(kek) => kek.name,
            Self::Data(key) => key.name,
        }
    }
}

impl ArchivedKey {
    fn duplicate(&self) -> Self {
        let key = match &self.key {
            OldKey::Kek(kek) => OldKey::Kek(kek.duplicate()),
            OldKey::Data(key) => OldKey::Data(key.duplicate()),
        };
        Self { key, reason: self.reason }
    }
}

impl SentKeys {
    /// Names of the keys on their way.
    pub(super) fn names(&self) -> impl Iterator<Item = Option<KeyId>> {
        self.data_keys.iter().map(|key| key.name).chain(self.kek.iter().map(|kek| kek.name))
    }

    fn duplicate(&self) -> Self {
        let data_keys = self.data_keys.iter().map(DataKeyEntry::duplicate).collect();
        Self { kek: self.kek.as_ref().map(KekEntry::duplicate), data_keys, ..*self }
    }
}

impl SentDiscontinuation {
    fn duplicate(&self) -> Self {
        Self { keys: self.keys.clone(), authentication: self.authentication.duplicate(), ..*self }
    }
}
