//! Key sets and their sequence counters.

use aeskey::AesKey;
use apdu::StatusWord;
use apdu::commands::gp::KeyVersion;
use diversify::gp;
use tdea::TdeaKey;

use crate::state::codec::{Reader, Stored, Writer};
use crate::status::require;

/// The three keys of a set, made of those for ENC, MAC and DEK. Their cipher says which protocol they are for.
#[derive(Debug)]
pub enum DomainKeys {
    /// TDEA keys of 16 bytes: protocol 02.
    Tdea(gp::CardKeys),
    /// AES keys: protocol 03.
    Aes(gp::aes::CardKeys),
}

/// Keys that make no set.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the keys of protocol 02 are 16 bytes")]
pub struct DomainKeysError;

impl DomainKeys {
    /// Refuses keys that no session can be made from.
    fn check(&self) -> Result<(), DomainKeysError> {
        match self {
            Self::Tdea(keys) => keys.scp02_session(0).map(drop).map_err(|_| DomainKeysError),
            Self::Aes(_) => Ok(()),
        }
    }

    /// Whether a session of the one could be one of the other, number for number: they have the key of their cryptograms or that
    /// of their MACs in common, parity bits left out of account. Compares in constant time.
    fn shares_sessions_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tdea(a), Self::Tdea(b)) => {
                are_one(a.enc.expose_key(), b.enc.expose_key())
                    | are_one(a.mac.expose_key(), b.mac.expose_key())
            }
            (Self::Aes(a), Self::Aes(b)) => {
                a.enc.expose_key().ct_eq(b.enc.expose_key()) | a.mac.expose_key().ct_eq(b.mac.expose_key())
            }
            _ => false,
        }
    }

    /// The keys, those for ENC, MAC and DEK.
    fn expose(&self) -> [&[u8]; 3] {
        match self {
            Self::Tdea(keys) => [keys.enc.expose_key(), keys.mac.expose_key(), keys.dek.expose_key()]
                .map(TdeaKey::expose_bytes),
            Self::Aes(keys) => [keys.enc.expose_key(), keys.mac.expose_key(), keys.dek.expose_key()]
                .map(AesKey::expose_bytes),
        }
    }

    /// Whether a session is counted at its beginning; in protocol 02 it is when it is open.
    pub(super) const fn count_when_begun(&self) -> bool {
        matches!(self, Self::Aes(_))
    }

    const fn type_byte(&self) -> u8 {
        match self {
            Self::Tdea(_) => KEY_TYPE_TDEA,
            Self::Aes(_) => KEY_TYPE_AES,
        }
    }

    /// Type bytes and lengths, as key information tells them, by identifier from 01 on.
    pub(super) fn types(&self) -> [(u8, usize); 3] {
        self.expose().map(|key| (self.type_byte(), key.len()))
    }
}

/// Whether two keys encrypt alike whatever their parity bits are.
fn are_one(a: &TdeaKey, b: &TdeaKey) -> bool {
    a.duplicate().into_odd_parity().ct_eq(&b.duplicate().into_odd_parity())
}

impl From<[TdeaKey; 3]> for DomainKeys {
    fn from([enc, mac, dek]: [TdeaKey; 3]) -> Self {
        Self::Tdea(gp::CardKeys {
            enc: gp::Kenc::from_key(enc),
            mac: gp::Kmac::from_key(mac),
            dek: gp::Kdek::from_key(dek),
        })
    }
}

impl From<[AesKey; 3]> for DomainKeys {
    fn from([enc, mac, dek]: [AesKey; 3]) -> Self {
        Self::Aes(gp::aes::CardKeys {
            enc: gp::aes::Kenc::from_key(enc),
            mac: gp::aes::Kmac::from_key(mac),
            dek: gp::aes::Kdek::from_key(dek),
        })
    }
}

impl Stored for DomainKeys {
    fn write(&self, out: &mut Writer) {
        out.byte(self.type_byte());
        self.expose().iter().for_each(|key| out.counted(key));
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let kind = input.byte()?;
        let (enc, mac, dek) = (input.counted()?, input.counted()?, input.counted()?);
        let tdea = |key| TdeaKey::try_from(key).ok();
        let aes = |key| AesKey::try_from(key).ok();
        Some(match kind {
            KEY_TYPE_TDEA => Self::from([tdea(enc)?, tdea(mac)?, tdea(dek)?]),
            KEY_TYPE_AES => Self::from([aes(enc)?, aes(mac)?, aes(dek)?]),
            _ => return None,
        })
    }
}

/// Type byte of TDEA keys.
pub(super) const KEY_TYPE_TDEA: u8 = 0x80;
/// Type byte of AES keys.
pub(super) const KEY_TYPE_AES: u8 = 0x88;

/// A set of keys under its version.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) version: KeyVersion,
    pub(super) keys: DomainKeys,
    /// Sessions so far: those opened in protocol 02, those begun in protocol 03.
    sequence: u32,
}

impl KeySet {
    pub(super) fn new(version: KeyVersion, keys: DomainKeys) -> Result<Self, DomainKeysError> {
        keys.check()?;
        Ok(Self { version, keys, sequence: 0 })
    }

    /// Where the counter ends.
    const fn last_sequence(&self) -> u32 {
        match self.keys {
            DomainKeys::Tdea(_) => 0xFFFF,
            DomainKeys::Aes(_) => 0x00FF_FFFF,
        }
    }

    /// The counter for a new session. The last value is never used, so that no session leaves the counter where it was.
    pub(super) fn sequence(&self) -> Result<u32, StatusWord> {
        require(self.sequence < self.last_sequence(), StatusWord::CONDITIONS_OF_USE)?;
        Ok(self.sequence)
    }
}

impl Stored for KeySet {
    fn write(&self, out: &mut Writer) {
        out.byte(self.version.number());
        self.keys.write(out);
        out.put(&self.sequence.to_be_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let version = KeyVersion::new(input.byte()?)?;
        let mut set = Self::new(version, DomainKeys::read(input)?).ok()?;
        set.sequence = u32::from_be_bytes(input.array()?);
        (set.sequence <= set.last_sequence()).then_some(set)
    }
}

/// The key sets of a domain.
#[derive(Debug)]
pub(super) struct KeySets(Vec<KeySet>);

impl KeySets {
    /// Most sets; their information fits one response.
    const MAX: usize = 8;

    pub(super) fn new(first: KeySet) -> Self {
        Self(vec![first])
    }

    /// The set of version `number`; the first one for `00`.
    pub(super) fn find(&self, number: u8) -> Result<&KeySet, StatusWord> {
        let mut sets = self.iter();
        let found = if number == 0 { sets.next() } else { sets.find(|set| set.version.number() == number) };
        found.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KeySet> {
        self.0.iter()
    }

    /// Counts a session of version `number`, and with it for every set that has the same keys: session keys are made of keys and
    /// counter, not of the version.
    pub(super) fn advance(&mut self, number: u8) -> Result<(), StatusWord> {
        let counting = self.find(number)?;
        let counted = counting.sequence()? + 1;
        let shares: Vec<bool> =
            self.iter().map(|set| set.keys.shares_sessions_with(&counting.keys)).collect();
        let sharing = self.0.iter_mut().zip(shares).filter(|(_, shares)| *shares);
        sharing.for_each(|(set, _)| set.sequence = set.sequence.max(counted));
        Ok(())
    }

    /// Puts a set in the place of version `replaced`, or, for `00`, beside the others. Keys that are on the card already, those
    /// that they replace included, go on with their count.
    pub(super) fn put(&mut self, replaced: u8, mut set: KeySet) -> Result<(), StatusWord> {
        let is_taken = self.iter().any(|old| old.version == set.version && old.version.number() != replaced);
        require(!is_taken, StatusWord::WRONG_DATA)?;
        let sharing = self.iter().filter(|old| old.keys.shares_sessions_with(&set.keys));
        set.sequence = sharing.map(|old| old.sequence).max().unwrap_or(0);
        if replaced == 0 {
            require(self.0.len() < Self::MAX, StatusWord::NOT_ENOUGH_MEMORY)?;
            self.0.push(set);
        } else {
            let old = self.0.iter_mut().find(|old| old.version.number() == replaced);
            *old.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)? = set;
        }
        Ok(())
    }
}

impl Stored for KeySets {
    fn write(&self, out: &mut Writer) {
        out.all(&self.0);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let mut sets = Vec::<KeySet>::new();
        input.for_each(|set: KeySet| {
            let is_new = sets.len() < Self::MAX && sets.iter().all(|other| other.version != set.version);
            is_new.then(|| sets.push(set))
        })?;
        (!sets.is_empty()).then_some(Self(sets))
    }
}
