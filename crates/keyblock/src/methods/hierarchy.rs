//! Method: master key/transaction key.

use alloc::format;
use alloc::vec::Vec;
use core::fmt;
use core::time::Duration;

use aeskey::StorageKey;
use rand_core::CryptoRng;

use super::error::MethodError;
use super::loaded::{Loaded, Origin};
use super::name::{KeyName, KeyReference, PartyId};
use super::node::{Change, Node, Recorder, Slots};
use super::record::Event;
use super::role::{Master, Place, Role, SentRole, Under};
use super::slot::{Doomed, Held, Slot, SlotKeys, Stage};
use super::state::{Reader, RestoreError, StateKind};
use super::suite::KeySuite;
use crate::attributes::{Attributes, Exportability, KeyContext, KeyVersion};
use crate::block::KeyBlock;
use crate::block_key::sealed::Sealed;
use crate::block_key::{BaseKey, BlockKey};
use crate::header::Header;
use crate::kbpk::ProtectionKey;
use crate::optional::{BlockId, OptionalBlock};
use crate::unwrapped::{UnwrapError, Unwrapped};
use crate::version::Version;
use crate::wrap::{self, Form, Material, WrapError};

/// A node of the master key/transaction key method, with its relations to other parties.
///
/// | level | comes | protects |
/// |---|---|---|
/// | [`Master`] | by a ceremony, or in a block that a loading device opened | the key encrypting key |
/// | [`Kek`](super::Kek) | in a block under the master key | transaction keys; without one, the master key does |
/// | [`Pin`](super::Pin), [`Mac`](super::Mac), [`Data`](super::Data) | in blocks under the key encrypting key | PIN blocks, messages, data |
///
/// Both parties have such a node. The one that [`offer`](Self::offer)s a key has made it at random; nothing computes a new key from
/// an old one. The other one [`accept`](Self::accept)s the block. Nobody sends under a key before the other party is known to have it.
///
/// # Source
/// ANS X9.24-1:2009 8.6; 7.1.10 (strength), 7.6 (a pair of parties, one purpose), 7.7 (replacement).
///
/// # Examples
/// ```
/// use core::time::Duration;
/// # use cardroot_keyblock::methods::{KeyHierarchy, KeyName, KeyReference, Loaded, Mac, Master, PartyId, TdeaRetail};
/// # use cardroot_keyblock::tdea::{KeyLength, Padding};
/// # use cardroot_keyblock::{AesKbpk, Exportability, Form, ModeOfUse, NewKey, Version, aeskey::{AesKey, AesKeyLength}};
/// # use getrandom::{SysRng, rand_core::UnwrapErr};
/// # let rng = &mut UnwrapErr(SysRng);
/// # let loader = AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, rng));
/// # let master = NewKey::new(AesKbpk::from_key(AesKey::generate(AesKeyLength::Aes256, rng)), ModeOfUse::ENCRYPT_AND_DECRYPT)?;
/// # let master = master.wrap(&loader, &Form::new(Version::D, Exportability::None), rng)?;
/// let (now, overlap) = (Duration::from_secs(1_700_000_000), Duration::from_secs(600));
/// let mut host = KeyHierarchy::<AesKbpk, TdeaRetail>::new(Version::D, overlap)?;
/// let mut terminal = KeyHierarchy::<AesKbpk, TdeaRetail>::new(Version::D, overlap)?;
/// let (to_terminal, to_host) = (PartyId::try_from(&b"TERM0001"[..])?, PartyId::try_from(&b"ACQUIRER"[..])?);
///
/// // The master key is brought to both.
/// for (node, party) in [(&mut host, to_terminal), (&mut terminal, to_host)] {
///     let number = node.load_master(party, None, Loaded::from(master.unwrap(&loader)?.into_key()?))?.written();
///     node.confirm::<Master>(party, number, now)?.written();
/// }
///
/// // The host makes a MAC key and sends it; the terminal's answer, under the key before it, is not shown here.
/// let name = KeyName::try_from(&b"MAC-1"[..])?;
/// let offer = host.offer::<Mac>(to_terminal, Some(name), KeyLength::Double, rng)?;
/// let (number, block) = offer.written();
/// let taken = terminal.accept::<Mac>(to_host, &block, now)?.written();
/// host.confirm::<Mac>(to_terminal, number, now)?.written();
///
/// // The host's next message shows the terminal that the key is in use.
/// let key = host.outgoing::<Mac>(to_terminal)?;
/// let sent = key.key().mac(Padding::Zeros, b"a message")?;
/// let (_, found) = terminal.incoming::<Mac>(to_host, KeyReference::Named(name), now)?.next().expect("it is pending");
/// found.key().verify_mac(Padding::Zeros, b"a message", sent.as_bytes())?;
/// terminal.confirm::<Mac>(to_host, taken, now)?.written();
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
/// The master key is never sent:
/// ```
/// # use cardroot_keyblock::{methods::*, AesKbpk, aeskey::AesKeyLength};
/// # fn send(node: &mut KeyHierarchy<AesKbpk, TdeaRetail>, to: PartyId, rng: &mut impl rand_core::CryptoRng) {
/// let _ = node.offer::<Kek>(to, None, AesKeyLength::Aes256, rng);
/// # }
/// ```
/// ```compile_fail,E0277
/// # use cardroot_keyblock::{methods::*, AesKbpk, aeskey::AesKeyLength};
/// # fn send(node: &mut KeyHierarchy<AesKbpk, TdeaRetail>, to: PartyId, rng: &mut impl rand_core::CryptoRng) {
/// let _ = node.offer::<Master>(to, None, AesKeyLength::Aes256, rng);
/// # }
/// ```
pub struct KeyHierarchy<P: ProtectionKey, S: KeySuite> {
    node: Node<HierarchySlots<P, S>>,
    form: Form,
}

/// The keys shared with one party.
pub struct HierarchySlots<P: ProtectionKey, S: KeySuite> {
    pub(super) master: Slot<Loaded<P>>,
    pub(super) kek: Slot<Loaded<P>>,
    pub(super) pin: Slot<Loaded<S::Pin>>,
    pub(super) mac: Slot<Loaded<S::Mac>>,
    pub(super) data: Slot<Loaded<S::Data>>,
}

/// Length of a new key, by its algorithm.
type LengthOf<K> = <<K as BlockKey>::Base as BaseKey>::Length;

/// A key that something received may be under.
type Candidate<'a, K> = (Stage, &'a Held<Loaded<K>>);

impl<P: ProtectionKey, S: KeySuite> KeyHierarchy<P, S> {
    /// A node without relations, which sends blocks of this version. Keys that are replaced serve for `overlap` more, so that messages
    /// in flight can be verified.
    ///
    /// # Errors
    /// Returns [`MethodError::Version`] if keys like `P` do not serve the version.
    pub fn new(version: Version, overlap: Duration) -> Result<Self, MethodError> {
        if !P::VERSIONS.contains(&version) {
            return Err(MethodError::Version { found: version });
        }
        Ok(Self { node: Node::new(overlap), form: Form::new(version, Exportability::None) })
    }

    /// The parties that the node shares, or shared, keys with.
    pub fn parties(&self) -> impl Iterator<Item = PartyId> {
        self.node.parties()
    }

    /// Takes the next master key of a relation, or its first. It is pending until [`confirm`](Self::confirm).
    ///
    /// # Errors
    /// Returns [`MethodError::NotNew`] if the node has or ever had the key, for whomever, [`MethodError::NameInUse`],
    /// [`MethodError::Pending`] if another is pending.
    pub fn load_master(
        &mut self,
        party: PartyId,
        name: Option<KeyName>,
        key: Loaded<P>,
    ) -> Result<Change<'_, u32>, MethodError> {
        self.node.open_or_change(party, |draft| draft.propose(Master::slot_mut, name, key))
    }

    /// Makes a new random key and wraps it for the party. It is pending until [`confirm`](Self::confirm).
    ///
    /// Its name travels as the label (`LB`) of the block, in hexadecimal, and so under its MAC.
    ///
    /// # Errors
    /// Returns [`MethodError::NoCurrentKey`] if no key to wrap it under is current, [`MethodError::Pending`],
    /// [`MethodError::NameInUse`], [`MethodError::Wrap`], as for a key that is stronger than the one above it, and
    /// [`MethodError::NotNew`] for a random source that repeats itself.
    pub fn offer<R: SentRole<P, S>>(
        &mut self,
        party: PartyId,
        name: Option<KeyName>,
        length: LengthOf<R::Key>,
        rng: &mut impl CryptoRng,
    ) -> Result<Change<'_, (u32, KeyBlock)>, MethodError> {
        let form = &self.form;
        self.node.change(party, |draft| {
            let key = R::Key::from_base(<R::Key as BlockKey>::Base::generate(length, rng));
            let new = Loaded { key, origin: Origin::Generated };
            let block = wrap(protector(&draft.slots, R::UNDER)?, form, name, &new.key, rng)?;
            Ok((draft.propose(R::slot_mut, name, new)?, block))
        })
    }

    /// Wraps the pending key once more: for an offer whose answer was lost. The other party takes it as the same.
    ///
    /// # Errors
    /// Returns [`MethodError::NothingPending`] if no offer of this node is, [`MethodError::NoCurrentKey`] or [`MethodError::Wrap`].
    pub fn repeat_offer<R: SentRole<P, S>>(
        &self,
        party: PartyId,
        rng: &mut impl CryptoRng,
    ) -> Result<(u32, KeyBlock), MethodError> {
        let slots = self.node.slots(party)?;
        let pending =
            R::slot(slots).pending().filter(|pending| pending.content().origin == Origin::Generated);
        let pending = pending.ok_or(MethodError::NothingPending)?;
        let block = wrap(protector(slots, R::UNDER)?, &self.form, pending.name(), pending.key(), rng)?;
        Ok((pending.number(), block))
    }

    /// Takes a key that the party offers, with the name that its block has. It is pending until [`confirm`](Self::confirm); a block
    /// with the key that is pending gives its number again.
    ///
    /// The block is tried under all keys that may protect it now.
    ///
    /// # Errors
    /// Returns [`MethodError::Unwrap`] if it opens under none, [`MethodError::Key`] if it holds something else,
    /// [`MethodError::NotNew`] for any key that the node has or had, so for every block that comes again later or that it made itself,
    /// [`MethodError::Pending`] if another key is pending, [`MethodError::Label`], [`MethodError::NameInUse`].
    pub fn accept<R: SentRole<P, S>>(
        &mut self,
        party: PartyId,
        block: &KeyBlock,
        now: Duration,
    ) -> Result<Change<'_, u32>, MethodError> {
        self.node.change(party, |draft| {
            let opened = open(protectors(&draft.slots, R::UNDER, now), block)?.into_key::<R::Key>()?;
            let name = name_of(opened.header())?;
            let code = opened.key().base().fingerprint();
            // An offer of this node that comes back is no offer of the party.
            if let Some(pending) = R::slot(&draft.slots).pending()
                && pending.content().origin == Origin::KeyBlock
                && pending.key().base().fingerprint() == code
            {
                draft.recorder.record(Event::Repeated, pending);
                return Ok(pending.number());
            }
            draft.propose(R::slot_mut, name, Loaded::from(opened))
        })
    }

    /// The other party has the pending key: it is current, the one before stays for the overlap.
    ///
    /// The party that offered it calls this when the answer came and was verified; the party that accepted it, when something
    /// under it came; for a master key, both when the custodians have compared check values.
    ///
    /// # Errors
    /// Returns [`MethodError::NotPending`] unless this version is pending.
    pub fn confirm<R: Role<P, S>>(
        &mut self,
        party: PartyId,
        number: u32,
        now: Duration,
    ) -> Result<Change<'_, ()>, MethodError> {
        self.node.confirm(party, R::slot_mut, number, now)
    }

    /// Gives the pending key up.
    ///
    /// # Errors
    /// Returns [`MethodError::NotPending`] unless this version is pending.
    pub fn withdraw<R: Role<P, S>>(
        &mut self,
        party: PartyId,
        number: u32,
    ) -> Result<Change<'_, ()>, MethodError> {
        self.node.withdraw(party, R::slot_mut, number)
    }

    /// Destroys the keys of a relation whose overlap is over.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn expire(&mut self, party: PartyId, now: Duration) -> Result<Change<'_, ()>, MethodError> {
        self.node.destroy(party, Doomed::Expired { now })
    }

    /// Destroys all keys of a relation, as when one of them may be known: those that came under it too. That they were there is
    /// remembered.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn retire(&mut self, party: PartyId) -> Result<Change<'_, ()>, MethodError> {
        self.node.destroy(party, Doomed::All)
    }

    /// The key for what is sent.
    ///
    /// # Errors
    /// Returns [`MethodError::NoCurrentKey`] or [`MethodError::UnknownParty`].
    pub fn outgoing<R: Role<P, S>>(&self, party: PartyId) -> Result<&Held<Loaded<R::Key>>, MethodError> {
        R::slot(self.node.slots(party)?).current().ok_or(MethodError::NoCurrentKey)
    }

    /// The keys that what is received may be under, in the order to try them: current, pending, and previous while it serves.
    ///
    /// # Errors
    /// Returns [`MethodError::UnknownParty`].
    pub fn incoming<R: Role<P, S>>(
        &self,
        party: PartyId,
        reference: KeyReference,
        now: Duration,
    ) -> Result<impl Iterator<Item = Candidate<'_, R::Key>>, MethodError> {
        Ok(R::slot(self.node.slots(party)?).meant_by(reference, now))
    }

    /// Takes the state of a relation that [`Change::state`] gave, as after a restart. An old state is not told from the last one.
    ///
    /// # Errors
    /// Returns [`RestoreError`].
    pub fn restore(
        &mut self,
        party: PartyId,
        state: &[u8],
        storage: &StorageKey,
    ) -> Result<(), RestoreError> {
        self.node.restore(party, state, storage)
    }
}

impl<K: BlockKey> Held<Loaded<K>> {
    /// The key.
    #[must_use]
    pub fn key(&self) -> &K {
        &self.content().key
    }
}

/// The current key that keys are wrapped under.
fn protector<P: ProtectionKey, S: KeySuite>(
    slots: &HierarchySlots<P, S>,
    under: Under,
) -> Result<&P, MethodError> {
    let kek = slots.kek.current().filter(|_| matches!(under, Under::Lowest));
    kek.or(slots.master.current()).map(Held::key).ok_or(MethodError::NoCurrentKey)
}

/// The keys that a block may be under: no master key any more once a key encrypting key is current.
fn protectors<P: ProtectionKey, S: KeySuite>(
    slots: &HierarchySlots<P, S>,
    under: Under,
    now: Duration,
) -> impl Iterator<Item = &P> {
    let by_kek = matches!(under, Under::Lowest);
    let by_master = !by_kek || slots.kek.current().is_none();
    let keks = slots.kek.serving(now).filter(move |_| by_kek);
    let masters = slots.master.serving(now).filter(move |_| by_master);
    keks.chain(masters).map(|(_, version)| version.key())
}

fn open<'a, P: ProtectionKey + 'a>(
    mut kbpks: impl Iterator<Item = &'a P>,
    block: &KeyBlock,
) -> Result<Unwrapped, UnwrapError> {
    kbpks
        .find_map(|kbpk| match block.unwrap(kbpk) {
            Err(UnwrapError::Refused) => None,
            decided => Some(decided),
        })
        .unwrap_or(Err(UnwrapError::Refused))
}

fn wrap<K: BlockKey>(
    kbpk: &impl ProtectionKey,
    form: &Form,
    name: Option<KeyName>,
    key: &K,
    rng: &mut impl CryptoRng,
) -> Result<KeyBlock, WrapError> {
    let base = key.base();
    let attributes = Attributes {
        usage: K::USAGE,
        algorithm: K::Base::ALGORITHM,
        mode: K::GIVES.first().copied().unwrap_or(crate::ModeOfUse::ANY),
        key_version: KeyVersion::UNUSED,
        exportability: form.exportability,
        context: KeyContext::ByProtectionKey,
    };
    let label = name.map(|name| OptionalBlock::written(BlockId::LABEL, format!("{name}")));
    let material = Material {
        attributes,
        optional_blocks: label.into_iter().collect(),
        key: base.expose_bytes(),
        shown_len: base.expose_bytes().len(),
        strength: base.strength(),
    };
    wrap::wrap(kbpk, form, material, rng)
}

/// The name that a block gives its key.
fn name_of(header: &Header) -> Result<Option<KeyName>, MethodError> {
    let Some(label) = header.optional_block(BlockId::LABEL) else { return Ok(None) };
    let bytes = base16ct::upper::decode_vec(label.data()).map_err(|_| MethodError::Label)?;
    KeyName::try_from(&*bytes).map(Some).map_err(|_| MethodError::Label)
}

impl<P: ProtectionKey, S: KeySuite> fmt::Debug for KeyHierarchy<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyHierarchy").finish_non_exhaustive()
    }
}

impl<P: ProtectionKey, S: KeySuite> fmt::Debug for HierarchySlots<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HierarchySlots").finish_non_exhaustive()
    }
}

impl<P: ProtectionKey, S: KeySuite> Clone for HierarchySlots<P, S> {
    fn clone(&self) -> Self {
        Self {
            master: self.master.clone(),
            kek: self.kek.clone(),
            pin: self.pin.clone(),
            mac: self.mac.clone(),
            data: self.data.clone(),
        }
    }
}

impl<P: ProtectionKey, S: KeySuite> Default for HierarchySlots<P, S> {
    fn default() -> Self {
        Self {
            master: Slot::default(),
            kek: Slot::default(),
            pin: Slot::default(),
            mac: Slot::default(),
            data: Slot::default(),
        }
    }
}

impl<P: ProtectionKey, S: KeySuite> Slots for HierarchySlots<P, S> {
    const SLOTS: usize = 5;

    fn kind() -> StateKind {
        let keys =
            [Loaded::<P>::KINDS, Loaded::<S::Pin>::KINDS, Loaded::<S::Mac>::KINDS, Loaded::<S::Data>::KINDS];
        StateKind::new(2, keys.into_iter().flatten())
    }

    fn names(&self) -> impl Iterator<Item = KeyName> {
        let protecting = self.master.names().chain(self.kek.names());
        protecting.chain(self.pin.names()).chain(self.mac.names()).chain(self.data.names())
    }

    fn encode(&self, out: &mut Vec<u8>) {
        self.master.encode(out);
        self.kek.encode(out);
        self.pin.encode(out);
        self.mac.encode(out);
        self.data.encode(out);
    }

    fn decode(reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            master: Slot::decode(reader)?,
            kek: Slot::decode(reader)?,
            pin: Slot::decode(reader)?,
            mac: Slot::decode(reader)?,
            data: Slot::decode(reader)?,
        })
    }

    fn destroy(&mut self, which: Doomed, records: &mut Recorder) {
        let event = Event::Destroyed;
        self.master.take(which).for_each(|version| records.record(event, &version));
        self.kek.take(which).for_each(|version| records.record(event, &version));
        self.pin.take(which).for_each(|version| records.record(event, &version));
        self.mac.take(which).for_each(|version| records.record(event, &version));
        self.data.take(which).for_each(|version| records.record(event, &version));
    }
}
