//! Method: fixed transaction key.

use core::fmt;
use core::time::Duration;

use alloc::vec::Vec;

use aeskey::StorageKey;

use super::error::MethodError;
use super::name::{KeyName, KeyReference, PartyId};
use super::node::{Change, Node, Recorder, Slots};
use super::record::Event;
use super::slot::{Doomed, Held, Slot, SlotKeys, Stage};
use super::state::{Reader, RestoreError, StateKind};
use super::suite::{KeySet, KeySuite};

/// A node of the fixed transaction key method: a host with the keys of its terminals, or a terminal with its own.
///
/// Keys are found by the terminal identifier; a terminal with several acquirers has an identifier, and keys of its own, at each. They are
/// used until others come in their place, all of them together: by a ceremony or in key blocks.
///
/// # Source
/// ANS X9.24-1:2009 8.2.1.1 and 8.5; 8.3 (identification), 7.6 (a pair of parties, one purpose), 7.7 (replacement).
///
/// # Examples
/// ```
/// use core::time::Duration;
/// # use cardroot_keyblock::methods::{FixedKeys, KeyReference, KeySet, Loaded, MethodError, PartyId, StorageKey, TdeaRetail};
/// # use cardroot_keyblock::{tdea::{KeyLength, Padding, TdeaKey}, tdea_keys::{PinKey, RetailMacKey}};
/// # use cardroot_keyblock::{AesKbpk, Exportability, Form, ModeOfUse, NewKey, Version, aeskey::{AesKey, AesKeyLength}};
/// # use getrandom::{SysRng, rand_core::UnwrapErr};
/// # let rng = &mut UnwrapErr(SysRng);
/// # let loader = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, rng));
/// # let mac = NewKey::new(RetailMacKey::from_key(TdeaKey::generate(KeyLength::Double, rng)), ModeOfUse::GENERATE_AND_VERIFY)?;
/// # let block = mac.wrap(&loader, &Form::new(Version::D, Exportability::None), rng)?;
/// let storage = StorageKey::generate(rng);
/// let terminal = PartyId::try_from(&b"TERM0001"[..])?;
/// let mut host = FixedKeys::<TdeaRetail>::new(Duration::from_secs(3600));
///
/// // A key comes in a block; it is written before it is there.
/// let keys = KeySet::new().with_mac(Loaded::from(block.unwrap(&loader)?.into_key()?));
/// let change = host.replace(terminal, None, keys)?;
/// let row = change.state(&storage);
/// let number = change.written();
/// # drop(row);
///
/// // The terminal's first message under it confirms it.
/// let now = Duration::from_secs(1_700_000_000);
/// assert_eq!(host.outgoing(terminal).unwrap_err(), MethodError::NoCurrentKey);
/// # let sent = mac.key().mac(Padding::Zeros, b"a message")?;
/// let (_, version) = host.incoming(terminal, KeyReference::Implicit, now)?.next().expect("it is pending");
/// version.keys().mac().expect("the set has one").verify_mac(Padding::Zeros, b"a message", sent.as_bytes())?;
/// host.confirm(terminal, number, now)?.written();
/// assert_eq!(host.outgoing(terminal)?.number(), number);
///
/// // The same key never comes again.
/// let keys = KeySet::new().with_mac(Loaded::from(block.unwrap(&loader)?.into_key()?));
/// assert_eq!(host.replace(terminal, None, keys).unwrap_err(), MethodError::NotNew);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct FixedKeys<S: KeySuite> {
    node: Node<FixedSlots<S>>,
}

struct FixedSlots<S: KeySuite>(Slot<KeySet<S>>);

impl<S: KeySuite> FixedKeys<S> {
    /// A node without keys. Keys that are replaced serve for `overlap` more, so that messages in flight can be verified.
    #[must_use]
    pub const fn new(overlap: Duration) -> Self {
        Self { node: Node::new(overlap) }
    }

    /// The terminals that the node has, or had, keys of.
    pub fn terminals(&self) -> impl Iterator<Item = PartyId> {
        self.node.parties()
    }

    /// Takes the next keys of a terminal, or its first. They are pending until [`confirm`](Self::confirm).
    ///
    /// # Errors
    /// Returns [`MethodError::Empty`], [`MethodError::Partial`] if the current set has a key for a purpose that the new one has not,
    /// [`MethodError::NotNew`] if the node has or ever had one of the keys, [`MethodError::NameInUse`], [`MethodError::Pending`] if
    /// others are pending.
    pub fn replace(
        &mut self,
        terminal: PartyId,
        name: Option<KeyName>,
        keys: KeySet<S>,
    ) -> Result<Change<'_, u32>, MethodError> {
        self.node.open_or_change(terminal, |draft| {
            let new = keys.parts();
            let served = draft.slots.0.current().map(|version| version.keys().parts()).unwrap_or_default();
            let missing = served.iter().find(|old| new.iter().all(|new| new.usage != old.usage));
            match missing {
                Some(missing) => Err(MethodError::Partial { missing: missing.usage }),
                None if new.is_empty() => Err(MethodError::Empty),
                None => draft.propose(|slots| &mut slots.0, name, keys),
            }
        })
    }

    /// The other side has the pending keys: they are current, the ones before stay for the overlap.
    ///
    /// Call it when a message was verified under them, or when those who loaded them have compared check values.
    ///
    /// # Errors
    /// Returns [`MethodError::NotPending`] unless this version is pending.
    pub fn confirm(
        &mut self,
        terminal: PartyId,
        number: u32,
        now: Duration,
    ) -> Result<Change<'_, ()>, MethodError> {
        self.node.confirm(terminal, |slots| &mut slots.0, number, now)
    }

    /// Gives the pending keys up.
    ///
    /// # Errors
    /// Returns [`MethodError::NotPending`] unless this version is pending.
    pub fn withdraw(&mut self, terminal: PartyId, number: u32) -> Result<Change<'_, ()>, MethodError> {
        self.node.withdraw(terminal, |slots| &mut slots.0, number)
    }

    /// Destroys the keys whose overlap is over.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn expire(&mut self, terminal: PartyId, now: Duration) -> Result<Change<'_, ()>, MethodError> {
        self.node.destroy(terminal, Doomed::Expired { now })
    }

    /// Destroys all keys of a terminal. That they were there is remembered.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn retire(&mut self, terminal: PartyId) -> Result<Change<'_, ()>, MethodError> {
        self.node.destroy(terminal, Doomed::All)
    }

    /// The keys for what is sent.
    ///
    /// # Errors
    /// Returns [`MethodError::NoCurrentKey`] or [`MethodError::UnknownParty`].
    pub fn outgoing(&self, terminal: PartyId) -> Result<&Held<KeySet<S>>, MethodError> {
        self.node.slots(terminal)?.0.current().ok_or(MethodError::NoCurrentKey)
    }

    /// The keys that a received message may be under, in the order to try them: current, pending, and previous while it serves.
    ///
    /// A message verified under the pending keys confirms them.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn incoming(
        &self,
        terminal: PartyId,
        reference: KeyReference,
        now: Duration,
    ) -> Result<impl Iterator<Item = (Stage, &Held<KeySet<S>>)>, MethodError> {
        Ok(self.node.slots(terminal)?.0.meant_by(reference, now))
    }

    /// Takes the state of a terminal that [`Change::state`] gave, as after a restart. An old state is not told from the last one.
    ///
    /// # Errors
    /// Returns [`RestoreError`].
    pub fn restore(
        &mut self,
        terminal: PartyId,
        state: &[u8],
        storage: &StorageKey,
    ) -> Result<(), RestoreError> {
        self.node.restore(terminal, state, storage)
    }
}

impl<S: KeySuite> Held<KeySet<S>> {
    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &KeySet<S> {
        self.content()
    }
}

impl<S: KeySuite> fmt::Debug for FixedKeys<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FixedKeys").finish_non_exhaustive()
    }
}

impl<S: KeySuite> Clone for FixedSlots<S> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<S: KeySuite> Default for FixedSlots<S> {
    fn default() -> Self {
        Self(Slot::default())
    }
}

impl<S: KeySuite> Slots for FixedSlots<S> {
    const SLOTS: usize = 1;

    fn kind() -> StateKind {
        StateKind::new(1, KeySet::<S>::KINDS)
    }

    fn names(&self) -> impl Iterator<Item = KeyName> {
        self.0.names()
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.0.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        Slot::decode(reader).map(Self)
    }

    fn destroy(&mut self, which: Doomed, records: &mut Recorder) {
        self.0.take(which).for_each(|version| records.record(Event::Destroyed, &version));
    }
}
