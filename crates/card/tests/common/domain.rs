//! A security domain in a store that may lose its power, and a host that drives it by either protocol.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std"
)]

use core::cell::{RefCell, RefMut};
use core::error::Error;
use core::sync::atomic::{AtomicBool, Ordering};
use std::rc::Rc;
use std::sync::Arc;

use aeskey::{AesKey, AesKeyLength};
use apdu::commands::gp::{KeyVersion, initialize_update};
use apdu::secure::gp::{
    HostChallenge, Initialised, KeySet, PlainKey, Protocol, SecureChannel, SecurityLevel, put_key,
};
use apdu::secure::{scp02, scp03};
use apdu::{CardTransport, Channel};
use cardroot_card::ShortBuffer;
use cardroot_card::gp::{DomainKeys, DomainProfile, SecurityDomain};
use cardroot_card::state::{CardStore, MemoryStore, OpenError};
use diversify::gp;
use tdea::{KeyLength, TdeaKey};

use super::TestRng;
use super::power::{Failing, Moment};

pub type Domain = SecurityDomain<TestRng>;

pub fn version(number: u8) -> KeyVersion {
    KeyVersion::new(number).unwrap()
}

pub fn tdea_keys(fill: u8) -> gp::CardKeys {
    let key =
        |n: u8| TdeaKey::from_fill(KeyLength::Double, |key| key.iter_mut().for_each(|byte| *byte = fill + n));
    gp::CardKeys {
        enc: gp::Kenc::from_key(key(0)),
        mac: gp::Kmac::from_key(key(0x10)),
        dek: gp::Kdek::from_key(key(0x20)),
    }
}

pub fn aes_keys(fill: u8, length: AesKeyLength) -> gp::aes::CardKeys {
    let key = |n: u8| AesKey::from_fill(length, |key| key.fill(fill + n));
    gp::aes::CardKeys {
        enc: gp::aes::Kenc::from_key(key(0)),
        mac: gp::aes::Kmac::from_key(key(0x10)),
        dek: gp::aes::Kdek::from_key(key(0x20)),
    }
}

pub const PROFILE: DomainProfile = DomainProfile {
    tries: 3,
    // So that nothing but the counter tells one session from another.
    scp02: scp02::Implementation::I55,
    ..DomainProfile::new([0x4B; 10])
};

/// The key sets of one protocol: keys of 16 bytes, `fill` for ENC, 10 and 20 more for MAC and DEK.
pub trait Side: Protocol {
    /// Whether the counter moves at INITIALIZE UPDATE; else it moves when the session is open.
    const COUNTS_WHEN_BEGUN: bool;
    fn keys(fill: u8) -> DomainKeys;
    fn initialise(challenge: HostChallenge, answer: &[u8], fill: u8) -> (Initialised<Self>, u32)
    where
        Self: Sized;
}

impl Side for scp02::Scp02 {
    const COUNTS_WHEN_BEGUN: bool = false;

    fn keys(fill: u8) -> DomainKeys {
        DomainKeys::Tdea(tdea_keys(fill))
    }

    fn initialise(challenge: HostChallenge, answer: &[u8], fill: u8) -> (Initialised<Self>, u32) {
        let answer = scp02::Answer::decode(answer).unwrap();
        (scp02::initialise(challenge, &answer, &tdea_keys(fill)).unwrap(), answer.sequence.into())
    }
}

impl Side for scp03::Scp03 {
    const COUNTS_WHEN_BEGUN: bool = true;

    fn keys(fill: u8) -> DomainKeys {
        DomainKeys::Aes(aes_keys(fill, AesKeyLength::Aes128))
    }

    fn initialise(challenge: HostChallenge, answer: &[u8], fill: u8) -> (Initialised<Self>, u32) {
        let answer = scp03::Answer::decode(answer).unwrap();
        let [a, b, c] = answer.sequence.expect("a pseudo-random challenge");
        let keys = aes_keys(fill, AesKeyLength::Aes128);
        (scp03::initialise(challenge, &answer, &keys), u32::from_be_bytes([0, a, b, c]))
    }
}

/// The host was told nothing, because the power is gone.
#[derive(Debug)]
pub struct Cut;

impl<E: Error> From<E> for Cut {
    fn from(_: E) -> Self {
        Self
    }
}

/// The domain on its wire: from the write that failed on, each answer is `6581`, and no other one is before.
#[derive(Clone)]
pub struct Wire {
    domain: Rc<RefCell<Domain>>,
    is_cut: Arc<AtomicBool>,
}

impl CardTransport for Wire {
    type Error = ShortBuffer;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, ShortBuffer> {
        let len = self.domain.borrow_mut().transmit(command, response)?;
        assert_eq!(response[..len] == [0x65, 0x81], self.is_cut.load(Ordering::Relaxed));
        Ok(len)
    }
}

pub struct Host {
    pub channel: Channel<Wire>,
    wire: Wire,
    rng: TestRng,
}

impl Host {
    /// A host with a new domain: keys of `fill` as version 01.
    pub fn make<P: Side>(store: Failing, fill: u8) -> Result<Self, OpenError> {
        let is_cut = store.switch();
        let domain = SecurityDomain::new_in(store, PROFILE, version(1), P::keys(fill), TestRng::new(1))?;
        Ok(Self::with(domain, is_cut))
    }

    /// A host with the domain in a store.
    pub fn open(store: Failing) -> Result<Self, OpenError> {
        let is_cut = store.switch();
        SecurityDomain::open(store, PROFILE, TestRng::new(1)).map(|domain| Self::with(domain, is_cut))
    }

    /// The same without a supply that may fail.
    pub fn open_in(store: impl CardStore + 'static) -> Self {
        Self::with(SecurityDomain::open(store, PROFILE, TestRng::new(1)).unwrap(), Arc::default())
    }

    fn with(domain: Domain, is_cut: Arc<AtomicBool>) -> Self {
        let wire = Wire { domain: Rc::new(RefCell::new(domain)), is_cut };
        Self { channel: Channel::new(wire.clone()), wire, rng: TestRng::new(2) }
    }

    pub fn domain(&self) -> RefMut<'_, Domain> {
        self.wire.domain.borrow_mut()
    }

    pub fn is_cut(&self) -> bool {
        self.wire.is_cut.load(Ordering::Relaxed)
    }

    /// INITIALIZE UPDATE: the number of the session, and what waits for the host's proof.
    pub fn begin<P: Side>(&mut self, number: u8, fill: u8) -> Result<(Initialised<P>, u32), Cut> {
        let challenge = HostChallenge::generate(&mut self.rng);
        let answer = self.channel.transmit(&initialize_update(number, &challenge))?.into_ok()?;
        Ok(P::initialise(challenge, answer.data(), fill))
    }

    /// A session at level 03, and its number.
    pub fn session<P: Side>(
        &mut self,
        number: u8,
        fill: u8,
    ) -> Result<(SecureChannel<'_, Wire, P>, u32), Cut> {
        let (initialised, sequence) = self.begin::<P>(number, fill)?;
        let level = P::Level::from_byte(0x03).unwrap();
        Ok((initialised.verify_card().unwrap().open(&mut self.channel, level)?, sequence))
    }

    /// INITIALIZE UPDATE and a proof under no key. The status word is that of EXTERNAL AUTHENTICATE.
    pub fn guess(&mut self) -> Result<u16, Cut> {
        let challenge = HostChallenge::generate(&mut self.rng);
        self.channel.transmit(&initialize_update(0, &challenge))?.into_ok()?;
        let proof = [&[0x84, 0x82, 0x01, 0x00, 0x10][..], &[0; 16]].concat();
        let proof = apdu::CommandApdu::decode(&proof).unwrap();
        match self.channel.transmit(&proof)?.status().word() {
            0x6581 => Err(Cut),
            status => Ok(status),
        }
    }

    /// A session that replaces version `replaced` by keys of `new`, or adds them, as `number`.
    pub fn put_keys<P: Side>(
        &mut self,
        fill: u8,
        replaced: Option<u8>,
        number: u8,
        new: u8,
    ) -> Result<(), Cut> {
        let (mut card, _) = self.session::<P>(replaced.unwrap_or(0), fill)?;
        let keys = P::keys(new);
        let [enc, mac, dek] = match &keys {
            DomainKeys::Tdea(keys) => {
                [keys.enc.expose_key(), keys.mac.expose_key(), keys.dek.expose_key()].map(PlainKey::Tdea)
            }
            DomainKeys::Aes(keys) => {
                [keys.enc.expose_key(), keys.mac.expose_key(), keys.dek.expose_key()].map(PlainKey::Aes)
            }
        };
        let set = KeySet { version: version(number), replaces: replaced.map(version), enc, mac, dek };
        Ok(put_key(&mut card, &set)?)
    }
}

/// A store with a new domain in it: keys of `fill` as version 01.
pub fn stored<P: Side>(fill: u8) -> MemoryStore {
    let store = MemoryStore::new();
    Host::make::<P>(Failing::on(&store, None), fill).unwrap();
    store
}

/// What is in a store.
pub fn state(store: &MemoryStore) -> Option<Vec<u8>> {
    store.clone().load().unwrap().map(|state| state.expose_bytes().to_vec())
}

/// The domain in a store whose power stays.
pub fn reopened(store: &MemoryStore) -> Host {
    Host::open_in(store.clone())
}

/// The same in a copy of the store, for a look at it that changes nothing.
pub fn copied(store: &MemoryStore) -> Host {
    Host::open_in(Failing::copy(store, usize::MAX, Moment::Before).1)
}
