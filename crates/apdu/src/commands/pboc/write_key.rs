//! WRITE KEY: the records of the key file.

use super::super::identity::{PinLengthError, check_pin_length};
use super::create::Access;
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::header::{Header, Instruction};
use crate::secure::pboc::{CardKey, Challenge, MasterKey, Protection, protect};

/// Type byte of a key in the key file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct KeyType(u8);

impl KeyType {
    /// Encrypts in INTERNAL AUTHENTICATE.
    pub const DES_ENCRYPT: Self = Self(0x30);
    /// Decrypts in INTERNAL AUTHENTICATE.
    pub const DES_DECRYPT: Self = Self(0x31);
    /// Makes a MAC in INTERNAL AUTHENTICATE.
    pub const DES_MAC: Self = Self(0x32);
    /// Signs transactions: TAC, the "internal key".
    #[doc(alias = "DTK")]
    pub const TAC: Self = Self(0x34);
    /// Line protection of files.
    #[doc(alias = "DAMK")]
    pub const LINE: Self = Self(0x36);
    /// PIN UNBLOCK.
    pub const PIN_UNBLOCK: Self = Self(0x37);
    /// RELOAD PIN.
    pub const PIN_RELOAD: Self = Self(0x38);
    /// EXTERNAL AUTHENTICATE; number 00 is the master key of its directory.
    #[doc(alias = "CCK")]
    #[doc(alias = "DACK")]
    pub const EXTERNAL_AUTHENTICATE: Self = Self(0x39);
    /// PIN.
    pub const PIN: Self = Self(0x3A);
    /// Overdraft limit.
    pub const OVERDRAFT: Self = Self(0x3C);
    /// Unload.
    pub const UNLOAD: Self = Self(0x3D);
    /// Purchase.
    #[doc(alias = "DPK")]
    pub const PURCHASE: Self = Self(0x3E);
    /// Load.
    #[doc(alias = "DLK")]
    pub const LOAD: Self = Self(0x3F);

    /// The type with bits 8 and 7 set: from then on the card takes this key enciphered and with MAC only.
    #[must_use]
    pub const fn protected(self) -> Self {
        Self(self.0 | 0xC0)
    }

    /// The type byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// Whether the card will take later updates of a key in the clear.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyLoading {
    /// It will.
    Plain,
    /// Enciphered and with MAC only: the type byte has bits 8 and 7 set.
    Protected,
}

impl KeyLoading {
    const fn apply(self, key_type: KeyType) -> KeyType {
        match self {
            Self::Plain => key_type,
            Self::Protected => key_type.protected(),
        }
    }
}

/// Wrong tries that a key or PIN stands: in a fresh record both nibbles hold the same number, 1 to 15.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Tries(u8);

impl Tries {
    /// So many tries, or `None` unless 1 to 15.
    #[must_use]
    pub const fn new(tries: u8) -> Option<Self> {
        match tries {
            1..=15 => Some(Self(tries)),
            _ => None,
        }
    }

    /// The byte of the record.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0 << 4 | self.0
    }
}

/// Version and algorithm, which the card tells the terminal.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct KeyAttributes {
    /// Version.
    pub version: u8,
    /// Algorithm identifier: `00` is TDEA. Cards disagree on `01`, and `02` is reserved.
    pub algorithm: u8,
}

/// What a key is for, with what its record says besides.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyUse {
    /// Type 30.
    DesEncrypt(KeyAttributes),
    /// Type 31.
    DesDecrypt(KeyAttributes),
    /// Type 32.
    DesMac(KeyAttributes),
    /// Type 34.
    Tac(KeyAttributes),
    /// Type 36, one for each application.
    Line(Tries),
    /// Type 37. Once its tries are used up it is locked for good.
    PinUnblock(Tries),
    /// Type 38, one for each application.
    PinReload(Tries),
    /// Type 39. Once its tries are used up it is locked for good.
    ExternalAuthenticate {
        /// The low nibble becomes the security state after a success.
        follow_state: u8,
        /// Wrong tries allowed.
        tries: Tries,
    },
    /// Type 3C.
    Overdraft(KeyAttributes),
    /// Type 3D.
    Unload(KeyAttributes),
    /// Type 3E.
    Purchase(KeyAttributes),
    /// Type 3F.
    Load(KeyAttributes),
}

impl KeyUse {
    /// The type byte, without the bits for protection.
    #[must_use]
    pub const fn key_type(self) -> KeyType {
        self.fields().0
    }

    /// The type byte, and the two bytes after the access conditions.
    const fn fields(self) -> (KeyType, [u8; 2]) {
        const fn attributes(KeyAttributes { version, algorithm }: KeyAttributes) -> [u8; 2] {
            [version, algorithm]
        }
        match self {
            Self::DesEncrypt(a) => (KeyType::DES_ENCRYPT, attributes(a)),
            Self::DesDecrypt(a) => (KeyType::DES_DECRYPT, attributes(a)),
            Self::DesMac(a) => (KeyType::DES_MAC, attributes(a)),
            Self::Tac(a) => (KeyType::TAC, attributes(a)),
            Self::Overdraft(a) => (KeyType::OVERDRAFT, attributes(a)),
            Self::Unload(a) => (KeyType::UNLOAD, attributes(a)),
            Self::Purchase(a) => (KeyType::PURCHASE, attributes(a)),
            Self::Load(a) => (KeyType::LOAD, attributes(a)),
            Self::Line(tries) => (KeyType::LINE, [0xFF, tries.byte()]),
            Self::PinUnblock(tries) => (KeyType::PIN_UNBLOCK, [0xFF, tries.byte()]),
            Self::PinReload(tries) => (KeyType::PIN_RELOAD, [0xFF, tries.byte()]),
            Self::ExternalAuthenticate { follow_state, tries } => {
                (KeyType::EXTERNAL_AUTHENTICATE, [follow_state, tries.byte()])
            }
        }
    }
}

/// A key and what the card has to know of it: `type use change a b key`.
#[derive(Debug)]
pub struct KeyRecord<'k> {
    /// What it is for.
    pub key_use: KeyUse,
    /// Whether later updates may be in the clear.
    pub loading: KeyLoading,
    /// Who may use it.
    pub usage: Access,
    /// Who may change it.
    pub change: Access,
    /// The key.
    pub key: &'k CardKey,
}

/// A PIN and what the card has to know of it: `3A use EF follow tries PIN`.
#[derive(Clone, Copy)]
pub struct PinRecord<'p> {
    /// Who may present it.
    pub usage: Access,
    /// The low nibble becomes the security state after a success.
    pub follow_state: u8,
    /// Wrong tries allowed.
    pub tries: Tries,
    /// The PIN as the card compares it, 2 to 8 bytes of BCD, filled up by `FF`.
    pub pin: &'p [u8],
}

impl core::fmt::Debug for PinRecord<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("PinRecord").finish_non_exhaustive()
    }
}

/// Whether a record is new.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum WriteKeyAction {
    /// It is: P1 = 01.
    Add,
    /// It replaces one: P1 is the type that one has. The lengths must agree; the tries left stay as they are.
    Update {
        /// Type of the record as it is in the card.
        current: KeyType,
    },
}

/// WRITE KEY: `80 D4 P1 id Lc record`, or protected `84 D4 P1 id Lc E(LD record 80 00..) MAC`.
#[derive(Debug)]
pub struct WriteKey<'k> {
    /// Whether the record is new.
    pub action: WriteKeyAction,
    /// Identifier of the key.
    pub id: u8,
    /// The record.
    pub record: KeyRecord<'k>,
}

impl WriteKey<'_> {
    /// The command in the clear: for the first key of a directory, in a safe room.
    ///
    /// # Security
    /// The key goes over the link as it is.
    #[must_use]
    pub fn plain(&self) -> CommandApdu {
        let KeyRecord { key_use, loading, usage, change, key } = &self.record;
        let (key_type, [a, b]) = key_use.fields();
        let attributes = [loading.apply(key_type).byte(), usage.byte(), change.byte(), a, b];
        write_key(self.action, self.id, &attributes, key.bytes())
    }

    /// The command enciphered and with MAC under the master key of the directory.
    ///
    /// # Examples
    /// A line key can't protect it:
    /// ```
    /// use cardroot_apdu::{CommandApdu, commands::pboc::WriteKey, secure::pboc::{Challenge, MasterKey}};
    /// fn load(key: &WriteKey<'_>, under: &MasterKey, challenge: Challenge) -> CommandApdu {
    ///     key.protected(under, challenge)
    /// }
    /// ```
    /// ```compile_fail
    /// use cardroot_apdu::{CommandApdu, commands::pboc::WriteKey, secure::pboc::{Challenge, LineKey}};
    /// fn load(key: &WriteKey<'_>, under: &LineKey, challenge: Challenge) -> CommandApdu {
    ///     key.protected(under, challenge)
    /// }
    /// ```
    #[must_use]
    pub fn protected(&self, master: &MasterKey, challenge: Challenge) -> CommandApdu {
        enciphered(&self.plain(), master, challenge)
    }
}

impl PinRecord<'_> {
    /// WRITE KEY with this PIN, in the clear.
    ///
    /// # Errors
    /// Returns [`PinLengthError`] unless the PIN is 2 to 8 bytes.
    ///
    /// # Security
    /// The PIN goes over the link as it is.
    pub fn plain(&self, action: WriteKeyAction, id: u8) -> Result<CommandApdu, PinLengthError> {
        check_pin_length(self.pin)?;
        let attributes = [
            KeyType::PIN.byte(),
            self.usage.byte(),
            Access::NEVER.byte(),
            self.follow_state,
            self.tries.byte(),
        ];
        Ok(write_key(action, id, &attributes, self.pin))
    }

    /// WRITE KEY with this PIN, enciphered and with MAC under the master key of the directory.
    ///
    /// # Errors
    /// Returns [`PinLengthError`] unless the PIN is 2 to 8 bytes.
    pub fn protected(
        &self,
        action: WriteKeyAction,
        id: u8,
        master: &MasterKey,
        challenge: Challenge,
    ) -> Result<CommandApdu, PinLengthError> {
        Ok(enciphered(&self.plain(action, id)?, master, challenge))
    }
}

/// How far a key of a PSAM is from the card keys it stands for, and what it is for: `levels << 5 | kind`.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct PsamKeyUsage(u8);

impl PsamKeyUsage {
    /// `levels` of dispersion (0 to 7) and a `kind` (0 to 31), or `None` beyond. A purchase key is kind 2 and has one
    /// level at least.
    #[must_use]
    pub const fn new(levels: u8, kind: u8) -> Option<Self> {
        if levels <= 7 && kind <= 31 { Some(Self(levels << 5 | kind)) } else { None }
    }

    /// The usage byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// WRITE KEY of a PSAM: `84 D4 00 00 Lc E(LD usage version algorithm key 80 00..) MAC`.
#[derive(Debug)]
pub struct WritePsamKey<'k> {
    /// Levels and kind.
    pub usage: PsamKeyUsage,
    /// Version and algorithm; the version of a purchase key is that of the cards.
    pub attributes: KeyAttributes,
    /// The key.
    pub key: &'k CardKey,
}

impl WritePsamKey<'_> {
    /// The command under the master key of the directory.
    #[must_use]
    pub fn protected(&self, master: &MasterKey, challenge: Challenge) -> CommandApdu {
        let attributes = [self.usage.0, self.attributes.version, self.attributes.algorithm];
        let header = Header::proprietary(Instruction::WRITE_KEY, 0, 0);
        enciphered(&record_command(header, &attributes, self.key.bytes()), master, challenge)
    }
}

fn write_key(action: WriteKeyAction, id: u8, attributes: &[u8], secret: &[u8]) -> CommandApdu {
    let p1 = match action {
        WriteKeyAction::Add => 0x01,
        WriteKeyAction::Update { current } => current.byte(),
    };
    record_command(Header::proprietary(Instruction::WRITE_KEY, p1, id), attributes, secret)
}

fn record_command(header: Header, attributes: &[u8], secret: &[u8]) -> CommandApdu {
    let mut record = SecretBytes::with_capacity(attributes.len() + secret.len());
    record.extend(attributes);
    record.extend(secret);
    CommandApdu::new(header).with_secret_data(record).expect("a record is at most 21 bytes")
}

fn enciphered(command: &CommandApdu, master: &MasterKey, challenge: Challenge) -> CommandApdu {
    protect(command, Protection::CipherAndMac, master, challenge)
        .expect("class 80 takes secure messaging and a record is at most 21 bytes")
        .command
}
