//! The key file of a directory.

use crate::access::Access;
use crate::key_record::{KeyKind, KeyRecord, StoredPin};
use crate::sam_key::SamKey;
use crate::state::codec::{Reader, Stored, Writer};

/// The keys of one directory. No command reads it.
#[derive(Debug)]
pub(crate) struct KeyFile {
    fid: u16,
    capacity: usize,
    used: usize,
    /// Where keys may be added.
    pub(crate) add: Access,
    records: Vec<KeyRecord>,
    sam_keys: Vec<SamKey>,
}

impl KeyFile {
    /// File identifier of the factory's key file, and by custom of every other.
    const FACTORY_FID: u16 = 0x0000;
    /// Body of the factory's key file in bytes: room for ten keys of 16 bytes.
    const FACTORY_CAPACITY: usize = 240;

    pub(crate) const fn new(fid: u16, capacity: usize, add: Access) -> Self {
        Self { fid, capacity, used: 0, add, records: Vec::new(), sam_keys: Vec::new() }
    }

    /// The key file of a blank card: its only key is `master`, and only the master adds others.
    pub(crate) fn factory(master: KeyRecord) -> Self {
        let mut keys = Self::new(Self::FACTORY_FID, Self::FACTORY_CAPACITY, Access::MASTER);
        keys.put(master);
        keys
    }

    pub(crate) const fn fid(&self) -> u16 {
        self.fid
    }

    /// Length of the body in bytes.
    pub(crate) const fn capacity(&self) -> usize {
        self.capacity
    }

    pub(crate) fn find(&self, kind: KeyKind, id: u8) -> Option<&KeyRecord> {
        self.records.iter().find(|record| record.name() == (kind, id))
    }

    pub(crate) fn find_mut(&mut self, kind: KeyKind, id: u8) -> Option<&mut KeyRecord> {
        self.records.iter_mut().find(|record| record.name() == (kind, id))
    }

    /// The first key of a kind of which one is enough.
    pub(crate) fn first(&self, kind: KeyKind) -> Option<&KeyRecord> {
        self.records.iter().find(|record| record.key_type.kind == kind)
    }

    /// Gives the PIN `id`, which is there, another value and all its tries. There is room for it.
    pub(crate) fn set_pin(&mut self, id: u8, pin: StoredPin) {
        let record = self.find_mut(KeyKind::Pin, id).expect("the caller has found the PIN");
        let freed = record.cost();
        record.set_pin(pin);
        let cost = record.cost();
        self.used = self.used - freed + cost;
    }

    pub(crate) fn master(&self) -> Option<&KeyRecord> {
        self.find(KeyKind::ExternalAuthentication, KeyRecord::MASTER_ID)
    }

    pub(crate) fn has_master(&self) -> bool {
        self.master().is_some()
    }

    /// Whether `cost` more bytes find room, `freed` bytes being given back.
    pub(crate) const fn has_room(&self, cost: usize, freed: usize) -> bool {
        self.used - freed + cost <= self.capacity
    }

    /// Writes a record for which there is room, in the place of the one with its name if there is one.
    pub(crate) fn put(&mut self, mut record: KeyRecord) {
        self.used += record.cost();
        if let Some(old) = self.find_mut(record.key_type.kind, record.id) {
            record.inherit_counter(old);
            let freed = old.cost();
            *old = record;
            self.used -= freed;
        } else {
            self.records.push(record);
        }
    }

    pub(crate) fn find_sam_key(&self, usage: u8, version: u8) -> Option<&SamKey> {
        self.sam_keys.iter().find(|key| key.name() == (usage, version))
    }

    pub(crate) fn find_sam_key_mut(&mut self, usage: u8, version: u8) -> Option<&mut SamKey> {
        self.sam_keys.iter_mut().find(|key| key.name() == (usage, version))
    }

    /// Writes a SAM key for which there is room, in the place of the one with its name if there is one.
    pub(crate) fn put_sam_key(&mut self, mut key: SamKey) {
        if let Some(old) = self.sam_keys.iter_mut().find(|old| old.name() == key.name()) {
            key.counter = old.counter;
            *old = key;
        } else {
            self.used += SamKey::COST;
            self.sam_keys.push(key);
        }
    }
}

impl Stored for KeyFile {
    fn write(&self, out: &mut Writer) {
        out.number(self.fid);
        out.size(self.capacity);
        self.add.write(out);
        out.all(&self.records);
        out.all(&self.sam_keys);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let mut file = Self::new(input.number()?, input.size()?, Access::read(input)?);
        input.for_each(|record: KeyRecord| {
            let (kind, id) = record.name();
            let is_new = file.find(kind, id).is_none() && file.has_room(record.cost(), 0);
            is_new.then(|| file.put(record))
        })?;
        input.for_each(|key: SamKey| {
            let (usage, version) = key.name();
            let is_new = file.find_sam_key(usage, version).is_none() && file.has_room(SamKey::COST, 0);
            is_new.then(|| file.put_sam_key(key))
        })?;
        Some(file)
    }
}
