//! One key or PIN with its attributes.

use core::fmt;

use apdu::StatusWord;
use diversify::block::Sm4Key;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::access::Access;
use crate::card_key::CardKey;
use crate::counter::ErrorCounter;
use crate::state::codec::{Reader, Stored, Writer};
use crate::system::CardSystem;

/// What a key is for. A command only ever looks for keys of its own kind.
///
/// # Source
/// FMCOS 2.0 user manual, 7.12.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyKind {
    /// `30`: INTERNAL AUTHENTICATE encrypts.
    InternalEncrypt,
    /// `31`: INTERNAL AUTHENTICATE decrypts.
    InternalDecrypt,
    /// `32`: INTERNAL AUTHENTICATE makes a MAC.
    InternalMac,
    /// `34`: transaction authorisation cryptogram.
    Tac,
    /// `36`: line protection of files, application maintenance.
    LineProtection,
    /// `37`: PIN unblock.
    PinUnblock,
    /// `38`: PIN reload.
    PinReload,
    /// `39`: EXTERNAL AUTHENTICATE; with identifier 00 the master of its directory.
    ExternalAuthentication,
    /// `3A`: a PIN.
    Pin,
    /// `3C`: overdraft limit update.
    Overdraft,
    /// `3D`: unload.
    Unload,
    /// `3E`: purchase and cash withdrawal.
    Purchase,
    /// `3F`: load.
    Load,
}

impl KeyKind {
    /// Whether such a key may be an SM4 key: what wallets and INTERNAL AUTHENTICATE do with one has no source that two agree
    /// about.
    pub(crate) const fn takes_sm4(self) -> bool {
        matches!(self, Self::LineProtection | Self::PinUnblock | Self::ExternalAuthentication)
    }

    /// Whether the last attribute is an error counter.
    const fn is_counted(self) -> bool {
        matches!(
            self,
            Self::LineProtection
                | Self::PinUnblock
                | Self::PinReload
                | Self::ExternalAuthentication
                | Self::Pin
        )
    }
}

/// The cipher of a key, where a header names it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Algorithm {
    /// DES or TDEA, by the length of the key.
    Tdea,
    Sm4,
}

/// How a key may be written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Writing {
    /// In the clear or under secure messaging.
    Any,
    /// Only as ciphertext with a MAC.
    Protected,
}

/// The type byte of a key record: kind in the low six bits, `11` above them for a protected key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct KeyType {
    pub(crate) kind: KeyKind,
    pub(crate) writing: Writing,
}

impl KeyType {
    /// Reads the type byte of [`KeyLayout::Parameters`](crate::system::KeyLayout::Parameters).
    pub(crate) fn from_byte(byte: u8, system: &CardSystem) -> Option<Self> {
        // Kinds are `0011 xxxx`: the two bits above are free for the mark, and `F9` is a protected `39`.
        let writing = match byte >> 6 {
            0b00 => Writing::Any,
            0b11 => Writing::Protected,
            _ => return None,
        };
        Some(Self { kind: system.key_kind(byte & 0x3F)?, writing })
    }
}

/// The PIN of a card holder, 2 to 6 bytes. Wiped on drop.
pub(crate) struct StoredPin(Zeroizing<Vec<u8>>);

impl StoredPin {
    /// Takes 2 to 8 bytes of which trailing `FF` are filling.
    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let filling = bytes.iter().rev().take_while(|byte| **byte == 0xFF).count();
        let digits = bytes.get(..bytes.len() - filling)?;
        (bytes.len() <= 8 && (2..=6).contains(&digits.len())).then(|| Self(Zeroizing::new(digits.to_vec())))
    }

    /// Compares in constant time for the length given.
    fn matches(&self, given: &[u8]) -> bool {
        self.0.ct_eq(given).into()
    }
}

/// The secret part of a record.
pub(crate) enum Secret {
    Key(CardKey),
    Pin(StoredPin),
}

impl Secret {
    fn decode(kind: KeyKind, algorithm: Algorithm, bytes: &[u8]) -> Result<Self, StatusWord> {
        let secret = match (kind, algorithm) {
            (KeyKind::Pin, Algorithm::Tdea) => StoredPin::decode(bytes).map(Self::Pin),
            (_, Algorithm::Tdea) => CardKey::try_from(bytes).ok().map(Self::Key),
            (kind, Algorithm::Sm4) if kind.takes_sm4() => {
                Sm4Key::try_from(bytes).ok().map(CardKey::Sm4).map(Self::Key)
            }
            (_, Algorithm::Sm4) => None,
        };
        secret.ok_or(StatusWord::WRONG_DATA)
    }

    fn expose_bytes(&self) -> &[u8] {
        match self {
            Self::Key(key) => key.expose_bytes(),
            Self::Pin(pin) => &pin.0,
        }
    }

    pub(crate) const fn key(&self) -> Option<&CardKey> {
        match self {
            Self::Key(key) => Some(key),
            Self::Pin(_) => None,
        }
    }

    /// Whether `given` is this PIN. A key is no PIN.
    pub(crate) fn is_pin(&self, given: &[u8]) -> bool {
        match self {
            Self::Key(_) => false,
            Self::Pin(pin) => pin.matches(given),
        }
    }
}

/// A key or PIN in a key file.
///
/// ```text
/// type | use | change | a | b | key (8 or 16) or PIN (2 to 8)
/// a, b: follow state and error counter (36-3A), version and algorithm (others)
/// ```
pub(crate) struct KeyRecord {
    pub(crate) key_type: KeyType,
    pub(crate) id: u8,
    /// Where the key may be used.
    pub(crate) usage: Access,
    /// Where it may be replaced.
    pub(crate) change: Access,
    a: u8,
    /// Error counter of the kinds that have one, for others the algorithm.
    pub(crate) counter: ErrorCounter,
    secret: Secret,
}

impl KeyRecord {
    /// Identifier of the external authentication key that is its directory's master.
    pub(crate) const MASTER_ID: u8 = 0x00;
    /// What a record costs besides its secret, in bytes.
    const OVERHEAD: usize = 8;

    /// Reads the data of WRITE KEY where parameters name the key: `type use change a b key`.
    pub(crate) fn decode(id: u8, bytes: &[u8], system: &CardSystem) -> Result<Self, StatusWord> {
        let (key_type, rest) = bytes.split_first().ok_or(StatusWord::WRONG_DATA)?;
        let key_type = KeyType::from_byte(*key_type, system).ok_or(StatusWord::WRONG_DATA)?;
        Self::decode_behind_type(id, key_type, Algorithm::Tdea, rest)
    }

    /// Reads `use change a b key`.
    fn decode_behind_type(
        id: u8,
        key_type: KeyType,
        algorithm: Algorithm,
        bytes: &[u8],
    ) -> Result<Self, StatusWord> {
        let ([usage, change, a, b], secret) = bytes.split_first_chunk().ok_or(StatusWord::WRONG_DATA)?;
        Ok(Self {
            key_type,
            id,
            usage: Access::from_byte(*usage),
            change: Access::from_byte(*change),
            a: *a,
            counter: ErrorCounter::from_byte(*b),
            secret: Secret::decode(key_type.kind, algorithm, secret)?,
        })
    }

    /// Reads the data of WRITE KEY where a header names the key: `id version algorithm type use follow change errors
    /// key`. Such keys are only ever written as ciphertext.
    pub(crate) fn decode_with_header(bytes: &[u8], system: &CardSystem) -> Result<Self, StatusWord> {
        let ([id, version, algorithm, code, usage, follow, change, errors], secret) =
            bytes.split_first_chunk().ok_or(StatusWord::WRONG_DATA)?;
        let kind = system.key_kind(*code).ok_or(StatusWord::WRONG_DATA)?;
        let cipher = system.algorithm(*algorithm).ok_or(StatusWord::WRONG_DATA)?;
        let (a, b) = if kind.is_counted() { (*follow, *errors) } else { (*version, *algorithm) };
        Ok(Self {
            key_type: KeyType { kind, writing: Writing::Protected },
            id: *id,
            usage: Access::from_byte(*usage),
            change: Access::from_byte(*change),
            a,
            counter: ErrorCounter::from_byte(b),
            secret: Secret::decode(kind, cipher, secret)?,
        })
    }

    /// A master as the factory makes it, and as a SAM makes it out of a key that comes without attributes:
    /// `F9 F0 AA AA 33`.
    pub(crate) const fn master(key: CardKey) -> Self {
        Self {
            key_type: KeyType { kind: KeyKind::ExternalAuthentication, writing: Writing::Protected },
            id: Self::MASTER_ID,
            usage: Access::ALWAYS,
            change: Access::MASTER,
            a: 0xAA,
            counter: ErrorCounter::from_byte(0x33),
            secret: Secret::Key(key),
        }
    }

    /// A line protection key as a SAM makes it out of a key that comes without attributes: `F6 F0 AA FF 33`.
    pub(crate) const fn maintenance(id: u8, key: CardKey) -> Self {
        let mut record = Self::master(key);
        record.key_type.kind = KeyKind::LineProtection;
        record.id = id;
        record.a = 0xFF;
        record
    }

    /// Kind and identifier: no two records of a key file have both in common.
    pub(crate) const fn name(&self) -> (KeyKind, u8) {
        (self.key_type.kind, self.id)
    }

    pub(crate) fn is_master(&self) -> bool {
        self.name() == (KeyKind::ExternalAuthentication, Self::MASTER_ID)
    }

    /// Length of the key or PIN in bytes.
    pub(crate) fn secret_len(&self) -> usize {
        match &self.secret {
            Secret::Key(key) => key.len(),
            Secret::Pin(pin) => pin.0.len(),
        }
    }

    /// Room it takes in its key file, in bytes.
    pub(crate) fn cost(&self) -> usize {
        self.secret_len() + Self::OVERHEAD
    }

    /// The state that proving the key leads to.
    pub(crate) const fn follow_state(&self) -> u8 {
        self.a & 0x0F
    }

    /// Version and algorithm, of a key that has them.
    pub(crate) const fn attributes(&self) -> [u8; 2] {
        [self.a, self.counter.byte()]
    }

    /// Room that it would take with another PIN, in bytes.
    pub(crate) fn cost_with(&self, pin: &StoredPin) -> usize {
        pin.0.len() + Self::OVERHEAD
    }

    /// Gives a PIN another value and all its tries.
    pub(crate) fn set_pin(&mut self, pin: StoredPin) {
        self.secret = Secret::Pin(pin);
        self.counter.restore();
    }

    /// The key, `None` for a PIN.
    pub(crate) const fn key(&self) -> Option<&CardKey> {
        self.secret.key()
    }

    /// Runs `check` on the secret.
    pub(crate) fn check(&self, check: impl FnOnce(&Secret) -> bool) -> bool {
        check(&self.secret)
    }

    /// Takes over the error counter of the record that this one replaces: writing a key gives no tries back.
    pub(crate) const fn inherit_counter(&mut self, old: &Self) {
        if self.key_type.kind.is_counted() {
            self.counter = old.counter;
        }
    }
}

/// `id | length | type use change a b secret`, with the type codes of FMCOS, which has every kind, in every system. The two
/// bits above a code are `00` for a key of any writing, `11` for a protected one, `01` for one of SM4, which is protected.
impl Stored for KeyRecord {
    fn write(&self, out: &mut Writer) {
        let code = CardSystem::FMCOS_2.key_code(self.key_type.kind).expect("FMCOS has every kind");
        let mark = match (self.key_type.writing, self.key()) {
            (_, Some(CardKey::Sm4(_))) => SM4_MARK,
            (Writing::Any, _) => 0x00,
            (Writing::Protected, _) => 0xC0,
        };
        out.byte(self.id);
        out.size(5 + self.secret_len());
        out.byte(mark | code);
        self.usage.write(out);
        self.change.write(out);
        out.put(&self.attributes());
        out.put(self.secret.expose_bytes());
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        let id = input.byte()?;
        let bytes = input.counted()?;
        let (&code, rest) = bytes.split_first()?;
        let (code, algorithm) = match code & 0xC0 {
            SM4_MARK => (code | 0xC0, Algorithm::Sm4),
            _ => (code, Algorithm::Tdea),
        };
        let key_type = KeyType::from_byte(code, &CardSystem::FMCOS_2)?;
        let record = Self::decode_behind_type(id, key_type, algorithm, rest).ok()?;
        // A PIN that is kept has no filling.
        (bytes.len() == 5 + record.secret_len()).then_some(record)
    }
}

/// The bits above the code of an SM4 key, where a card is kept.
const SM4_MARK: u8 = 0x40;

impl fmt::Debug for KeyRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRecord")
            .field("key_type", &self.key_type)
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(key_type: u8, b: u8) -> KeyRecord {
        let bytes = [key_type, 0xF0, 0xAA, 0x01, b, 1, 2, 3, 4, 5, 6, 7, 8];
        KeyRecord::decode(0x01, &bytes, &CardSystem::FMCOS_2).unwrap()
    }

    #[test]
    fn a_counter_is_taken_over_and_an_algorithm_is_not() {
        for (key_type, kept) in
            [(0x39, 0x31), (0x36, 0x31), (0x37, 0x31), (0x38, 0x31), (0x30, 0x02), (0x3E, 0x02)]
        {
            let mut new = record(key_type, 0x02);
            new.inherit_counter(&record(key_type, 0x31));
            assert_eq!(new.counter, ErrorCounter::from_byte(kept), "{key_type:02X}");
        }
    }
}
