//! Key sets and their sequence counters.

use apdu::StatusWord;
use apdu::commands::gp::KeyVersion;
use diversify::gp;

use crate::status::require;

/// The three keys of a set. Their cipher says which protocol they are for.
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
    pub(super) fn check(&self) -> Result<(), DomainKeysError> {
        match self {
            Self::Tdea(keys) => keys.scp02_session(0).map(drop).map_err(|_| DomainKeysError),
            Self::Aes(_) => Ok(()),
        }
    }

    /// Whether a session of the one could be one of the other, number for number: they have the key of their cryptograms or that
    /// of their MACs in common. Compares in constant time.
    fn shares_sessions_with(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Tdea(a), Self::Tdea(b)) => {
                a.enc.expose_key().ct_eq(b.enc.expose_key()) | a.mac.expose_key().ct_eq(b.mac.expose_key())
            }
            (Self::Aes(a), Self::Aes(b)) => {
                a.enc.expose_key().ct_eq(b.enc.expose_key()) | a.mac.expose_key().ct_eq(b.mac.expose_key())
            }
            _ => false,
        }
    }

    /// Type bytes and lengths, as key information tells them, by identifier from 01 on.
    pub(super) fn types(&self) -> [(u8, usize); 3] {
        match self {
            Self::Tdea(_) => [(KEY_TYPE_TDEA, 16); 3],
            Self::Aes(keys) => [keys.enc.length(), keys.mac.length(), keys.dek.length()]
                .map(|length| (KEY_TYPE_AES, length.bytes())),
        }
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
    pub(super) const fn new(version: KeyVersion, keys: DomainKeys) -> Self {
        Self { version, keys, sequence: 0 }
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
    pub(super) fn find(&mut self, number: u8) -> Result<&mut KeySet, StatusWord> {
        let mut sets = self.0.iter_mut();
        let found = if number == 0 { sets.next() } else { sets.find(|set| set.version.number() == number) };
        found.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &KeySet> {
        self.0.iter()
    }

    /// Counts a session of version `number`, and with it for every set that has the same keys: session keys are made of keys and
    /// counter, not of the version.
    pub(super) fn advance(&mut self, number: u8) -> Result<(), StatusWord> {
        let set = self.find(number)?;
        set.sequence += 1;
        let (number, counted) = (set.version, set.sequence);
        let shares: Vec<bool> = match self.iter().find(|set| set.version == number) {
            Some(counting) => self.iter().map(|set| set.keys.shares_sessions_with(&counting.keys)).collect(),
            None => Vec::new(),
        };
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
            *self.find(replaced)? = set;
        }
        Ok(())
    }
}
