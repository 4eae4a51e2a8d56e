//! WRITE KEY of the SmartCOS and Tianyu families, where a header names the key.

use diversify::block::Sm4Key;

use super::{Access, Tries, header};
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::secure::pboc::{CardKey, Challenge, MasterKey, Protection, ProtectionKey, Sm4MasterKey, protect};

/// Card operating systems whose keys come with a header.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HeaderSystem {
    /// SmartCOS 3.2: WRITE KEY is `84 E8 00 00`.
    SmartCos,
    /// Tianyu: WRITE KEY is `84 D4 00 00`.
    Tianyu,
}

/// What a key with a header is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum HeaderKeyType {
    /// `00`: purchase.
    Purchase,
    /// `01`: load.
    Load,
    /// `02`: transaction authorisation cryptogram.
    Tac,
    /// `05`: line protection of files.
    Maintenance,
    /// `06`: PIN UNBLOCK.
    PinUnblock,
    /// `07`: RELOAD PIN, on Tianyu cards. For SmartCOS sources say this, or TAC.
    PinReload,
    /// `08`: EXTERNAL AUTHENTICATE; number 00 is the master of its directory.
    ExternalAuthenticate,
    /// `09`: INTERNAL AUTHENTICATE.
    InternalAuthenticate,
}

impl HeaderKeyType {
    /// Every type there is. A PIN (`0B`) comes by the same command; how its bytes stand in the place of the key is in no public source.
    pub const ALL: [Self; 8] = [
        Self::Purchase,
        Self::Load,
        Self::Tac,
        Self::Maintenance,
        Self::PinUnblock,
        Self::PinReload,
        Self::ExternalAuthenticate,
        Self::InternalAuthenticate,
    ];

    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Purchase => 0x00,
            Self::Load => 0x01,
            Self::Tac => 0x02,
            Self::Maintenance => 0x05,
            Self::PinUnblock => 0x06,
            Self::PinReload => 0x07,
            Self::ExternalAuthenticate => 0x08,
            Self::InternalAuthenticate => 0x09,
        }
    }
}

/// What a card of these families has to know of a key.
///
/// ```text
/// id || version || algorithm || type || use || follow || change || tries || key
/// ```
///
/// A key is written as ciphertext only, under the master of its directory; the first master of a directory under that of the directory
/// above, and that of the card under the transport key. Whether it is new or takes the place of another the card sees by itself.
///
/// # Source
/// Tianyu's loading program, and the command table of SmartCOS 3.2.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyHeader {
    /// Number; SM4 keys have numbers from 40 on.
    pub id: u8,
    /// Version.
    pub version: u8,
    /// What it is for.
    pub key_type: HeaderKeyType,
    /// Who may use it.
    pub usage: Access,
    /// Security state after a success.
    pub follow_state: u8,
    /// Who may change it.
    pub change: Access,
    /// Wrong tries allowed.
    pub tries: Tries,
}

const ALGORITHM_TDEA: u8 = 0x00;
const ALGORITHM_SM4: u8 = 0x04;

impl KeyHeader {
    /// WRITE KEY `84 E8|D4 00 00 24 E(18 || header || key || 80 00..) || MAC4`; `1C` and `10` for a key of 8 bytes.
    #[must_use]
    pub fn write(
        &self,
        system: HeaderSystem,
        key: &CardKey,
        master: &MasterKey,
        challenge: Challenge,
    ) -> CommandApdu {
        self.protected(system, (ALGORITHM_TDEA, key.bytes()), master, challenge)
    }

    /// WRITE KEY of an SM4 key, which Tianyu cards have: `84 D4 00 00 24 E(18 || header || key || 80 00..) || MAC4`.
    #[must_use]
    pub fn write_sm4(&self, key: &Sm4Key, master: &Sm4MasterKey, challenge: Challenge) -> CommandApdu {
        self.protected(HeaderSystem::Tianyu, (ALGORITHM_SM4, key.expose_bytes()), master, challenge)
    }

    fn protected(
        &self,
        system: HeaderSystem,
        (algorithm, key): (u8, &[u8]),
        master: &impl ProtectionKey,
        challenge: Challenge,
    ) -> CommandApdu {
        let Self { id, version, key_type, usage, follow_state, change, tries } = *self;
        let fields = [
            id,
            version,
            algorithm,
            key_type.byte(),
            usage.byte(),
            follow_state,
            change.byte(),
            tries.byte(),
        ];
        let mut data = SecretBytes::with_capacity(fields.len() + key.len());
        data.extend(&fields);
        data.extend(key);
        let instruction = match system {
            HeaderSystem::SmartCos => 0xE8,
            HeaderSystem::Tianyu => 0xD4,
        };
        let command = CommandApdu::new(header(instruction, 0x00, 0x00)).with_secret_data(data);
        let command = command.expect("24 bytes at most");
        let protected = protect(&command, Protection::CipherAndMac, master, challenge);
        protected.expect("class 80, and 24 bytes fit").command
    }
}

/// What END CREATE ends.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EndCreate {
    /// The master file: P1 = 00.
    MasterFile,
    /// The current directory: P1 = 01.
    Directory,
}

/// END CREATE of these families: `80 E0 00|01 01`. From then on the access rules hold.
///
/// CREATE FILE itself (`80 E0 00|01|02`, with `00` for bytes, `03` for a ring of records, `05` for keys and `06` for a wallet in its data)
/// is not here: in which order the other fields follow is in no public source.
#[must_use]
pub fn end_create(what: EndCreate) -> CommandApdu {
    let p1 = match what {
        EndCreate::MasterFile => 0x00,
        EndCreate::Directory => 0x01,
    };
    CommandApdu::new(header(0xE0, p1, 0x01))
}
