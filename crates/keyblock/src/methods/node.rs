//! What nodes of both methods have in common: relations with parties, and changes that are written before they hold.

use alloc::boxed::Box;
use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use aeskey::StorageKey;

use super::error::MethodError;
use super::name::{KeyName, PartyId};
use super::record::{Event, KeyRecord, Record};
use super::slot::{Doomed, Fingerprint, Held, Part, SLOT_BYTES, Slot, SlotKeys};
use super::state::{self, Reader, RestoreError, StateKind};

/// The slots of a relation.
pub(crate) trait Slots: Clone + Default + 'static {
    /// How many there are.
    const SLOTS: usize;

    /// What tells its states from those of other nodes.
    fn kind() -> StateKind;

    fn names(&self) -> impl Iterator<Item = KeyName>;

    fn encode(&self, out: &mut Vec<u8>);

    fn decode(reader: &mut Reader<'_>) -> Option<Self>;

    /// Takes out the versions that are to be destroyed.
    fn destroy(&mut self, which: Doomed, records: &mut Recorder);
}

/// Collects the records of a change.
pub(crate) struct Recorder {
    party: PartyId,
    records: Vec<Record>,
}

impl Recorder {
    pub(crate) fn record<T: SlotKeys>(&mut self, event: Event, version: &Held<T>) {
        let keys = version.content().parts().into_iter();
        self.records.push(Record {
            party: self.party,
            event,
            number: version.number(),
            name: version.name(),
            keys: keys
                .map(|Part { usage, check_value, origin, .. }| KeyRecord { usage, check_value, origin })
                .collect(),
        });
    }
}

/// The keys shared with one party, and the fingerprints of all that ever were.
struct Relation<R> {
    slots: R,
    history: Vec<Fingerprint>,
}

/// All relations of a node.
pub(crate) struct Node<R> {
    relations: BTreeMap<PartyId, Relation<R>>,
    /// The histories of all relations.
    seen: BTreeSet<Fingerprint>,
    overlap: Duration,
}

impl<R: Slots> Node<R> {
    pub(crate) const fn new(overlap: Duration) -> Self {
        Self { relations: BTreeMap::new(), seen: BTreeSet::new(), overlap }
    }

    pub(crate) fn parties(&self) -> impl Iterator<Item = PartyId> {
        self.relations.keys().copied()
    }

    pub(crate) fn slots(&self, party: PartyId) -> Result<&R, MethodError> {
        let relation = self.relations.get(&party).ok_or(MethodError::UnknownParty(party))?;
        Ok(&relation.slots)
    }

    /// Prepares a change of a relation that exists.
    pub(crate) fn change<T>(
        &mut self,
        party: PartyId,
        step: impl FnOnce(&mut Draft<'_, R>) -> Result<T, MethodError>,
    ) -> Result<Change<'_, T>, MethodError> {
        self.slots(party)?;
        self.open_or_change(party, step)
    }

    /// Prepares a change of a relation, which may be its beginning.
    pub(crate) fn open_or_change<T>(
        &mut self,
        party: PartyId,
        step: impl FnOnce(&mut Draft<'_, R>) -> Result<T, MethodError>,
    ) -> Result<Change<'_, T>, MethodError> {
        let now = self.relations.get(&party);
        let mut draft = Draft {
            slots: now.map(|relation| relation.slots.clone()).unwrap_or_default(),
            history: now.map(|relation| relation.history.clone()).unwrap_or_default(),
            seen: &self.seen,
            overlap: self.overlap,
            recorder: Recorder { party, records: Vec::new() },
        };
        let out = step(&mut draft)?;
        let Draft { slots, history, recorder, .. } = draft;
        let prepared = PreparedIn { node: self, party, next: Relation { slots, history } };
        Ok(Change { prepared: Box::new(prepared), records: recorder.records, out })
    }

    /// Prepares the end of the pending version of a slot.
    pub(crate) fn withdraw<T: SlotKeys>(
        &mut self,
        party: PartyId,
        slot: impl FnOnce(&mut R) -> &mut Slot<T>,
        number: u32,
    ) -> Result<Change<'_, ()>, MethodError> {
        self.change(party, |draft| {
            let version = slot(&mut draft.slots).take_pending(number)?;
            draft.recorder.record(Event::Withdrawn, &version);
            Ok(())
        })
    }

    /// Prepares the turn from the current version of a slot to the pending one.
    pub(crate) fn confirm<T: SlotKeys>(
        &mut self,
        party: PartyId,
        slot: impl FnOnce(&mut R) -> &mut Slot<T>,
        number: u32,
        now: Duration,
    ) -> Result<Change<'_, ()>, MethodError> {
        self.change(party, |draft| {
            let slot = slot(&mut draft.slots);
            let gone = slot.confirm(number, now.saturating_add(draft.overlap))?;
            let current = slot.current().expect("a version was confirmed");
            draft.recorder.record(Event::Confirmed, current);
            gone.iter().for_each(|version| draft.recorder.record(Event::Destroyed, version));
            Ok(())
        })
    }

    pub(crate) fn destroy(&mut self, party: PartyId, which: Doomed) -> Result<Change<'_, ()>, MethodError> {
        self.change(party, |draft| {
            draft.slots.destroy(which, &mut draft.recorder);
            Ok(())
        })
    }

    pub(crate) fn restore(
        &mut self,
        party: PartyId,
        state: &[u8],
        storage: &StorageKey,
    ) -> Result<(), RestoreError> {
        if self.relations.contains_key(&party) {
            return Err(RestoreError::Occupied);
        }
        let clear = state::open(storage, &R::kind(), party, state)?;
        let relation = Relation::decode(&clear).ok_or(RestoreError::Refused)?;
        if relation.history.iter().any(|fingerprint| self.seen.contains(fingerprint)) {
            return Err(RestoreError::NotUnique);
        }
        self.seen.extend(&relation.history);
        self.relations.insert(party, relation);
        Ok(())
    }
}

impl<R: Slots> Relation<R> {
    /// Most bytes that [`encode`](Self::encode) writes.
    const fn most_bytes(&self) -> usize {
        R::SLOTS * SLOT_BYTES + 4 + self.history.len() * size_of::<Fingerprint>()
    }

    /// `slots || number of fingerprints 4 || fingerprints`
    fn encode(&self, out: &mut Vec<u8>) {
        self.slots.encode(out);
        let count = u32::try_from(self.history.len()).expect("versions are counted by u32, three keys each");
        out.extend_from_slice(&count.to_be_bytes());
        self.history.iter().for_each(|fingerprint| out.extend_from_slice(fingerprint));
    }

    fn decode(state: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(state);
        let slots = R::decode(&mut reader)?;
        let count = u32::from_be_bytes(reader.array()?);
        let history = (0..count).map(|_| reader.array()).collect::<Option<_>>()?;
        reader.is_empty().then_some(Self { slots, history })
    }
}

/// A relation as it will be.
pub(crate) struct Draft<'a, R> {
    pub(crate) slots: R,
    pub(crate) recorder: Recorder,
    history: Vec<Fingerprint>,
    seen: &'a BTreeSet<Fingerprint>,
    overlap: Duration,
}

impl<R: Slots> Draft<'_, R> {
    /// Takes new keys into a slot: keys that this node never had, under a name that no key of the relation has.
    pub(crate) fn propose<T: SlotKeys>(
        &mut self,
        slot: impl FnOnce(&mut R) -> &mut Slot<T>,
        name: Option<KeyName>,
        keys: T,
    ) -> Result<u32, MethodError> {
        if name.is_some_and(|name| self.slots.names().any(|used| used == name)) {
            return Err(MethodError::NameInUse);
        }
        for Part { fingerprint, .. } in keys.parts() {
            if self.seen.contains(&fingerprint) || self.history.contains(&fingerprint) {
                return Err(MethodError::NotNew);
            }
            self.history.push(fingerprint);
        }
        let version = slot(&mut self.slots).propose(name, keys)?;
        self.recorder.record(Event::Proposed, version);
        Ok(version.number())
    }
}

/// A change that is prepared. Nothing has happened yet: dropped, it leaves everything as it was.
///
/// What it gives, a key block that may be sent or the number of a version, comes out of [`written`](Self::written) alone. Before that
/// belongs the writing: [`state`](Self::state) in place of the old state of the party, and [`records`](Self::records) into the ledger, at
/// best in one transaction of a database.
#[must_use = "nothing has happened until the new state is written"]
pub struct Change<'a, T> {
    prepared: Box<dyn Prepared + 'a>,
    records: Vec<Record>,
    out: T,
}

impl<T> Change<'_, T> {
    /// What the audit gets to know.
    #[must_use]
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// The new state of the relation, under the storage key. The old one must be destroyed with it.
    #[must_use]
    pub fn state(&self, storage: &StorageKey) -> Vec<u8> {
        self.prepared.state(storage)
    }

    /// Call it when state and records are written: the change holds from here on.
    pub fn written(self) -> T {
        self.prepared.apply();
        self.out
    }
}

impl<T> fmt::Debug for Change<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Change").field("records", &self.records).finish_non_exhaustive()
    }
}

/// A change without the types of its keys.
trait Prepared {
    fn state(&self, storage: &StorageKey) -> Vec<u8>;
    fn apply(self: Box<Self>);
}

struct PreparedIn<'a, R> {
    node: &'a mut Node<R>,
    party: PartyId,
    next: Relation<R>,
}

impl<R: Slots> Prepared for PreparedIn<'_, R> {
    fn state(&self, storage: &StorageKey) -> Vec<u8> {
        state::seal(storage, &R::kind(), self.party, self.next.most_bytes(), |clear| self.next.encode(clear))
    }

    fn apply(self: Box<Self>) {
        let Self { node, party, next } = *self;
        node.seen.extend(&next.history);
        node.relations.insert(party, next);
    }
}
