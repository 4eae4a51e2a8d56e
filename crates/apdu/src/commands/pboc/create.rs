//! CREATE FILE and ERASE DF.

use super::super::file::{DfName, FileId, Sfi};
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::header::{Header, Instruction};
use crate::le::Le;
use crate::secure::pboc::Protection;

/// Access condition: which security state an operation needs.
///
/// ```text
/// 0Y   the state of the MF is Y or more
/// XY   the state of the current DF is Y to X; never, if X is less than Y
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Access(u8);

impl Access {
    /// In every state: `F0`.
    pub const ALWAYS: Self = Self(0xF0);
    /// In no state: `EF`.
    pub const NEVER: Self = Self(0xEF);

    /// Reads an access byte.
    #[must_use]
    pub const fn from_byte(byte: u8) -> Self {
        Self(byte)
    }

    /// The access byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

/// CREATE FILE for the master file: `80 E0 3F 00 0D 38 FFFF create erase code`.
#[derive(Debug)]
pub struct CreateMf {
    /// Who may create files in it.
    pub create: Access,
    /// Who may erase it.
    pub erase: Access,
    /// The transport code of the blank card; `FF` eight times from the factory.
    pub transport_code: [u8; 8],
}

impl CreateMf {
    /// The command.
    #[must_use]
    pub fn command(&self) -> CommandApdu {
        let size = [0xFF, 0xFF];
        create(FileId::MASTER, DIRECTORY, size, &[&[self.create.0, self.erase.0], &self.transport_code])
    }
}

/// CREATE FILE for a directory (DF): `80 E0 id Lc 38 size create erase short-id FFFF name`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreateDf {
    /// Identifier.
    pub id: FileId,
    /// Room for all that will be in it, in bytes.
    pub size: u16,
    /// Who may create files in it.
    pub create: Access,
    /// Who may erase it.
    pub erase: Access,
    /// Short identifier of the file that SELECT shows: `95` is file 0015.
    pub short_id: u8,
    /// Name by which it is selected.
    pub name: DfName,
}

impl CreateDf {
    /// The command.
    #[must_use]
    pub fn command(&self) -> CommandApdu {
        let fixed = [self.create.0, self.erase.0, self.short_id, 0xFF, 0xFF];
        create(self.id, DIRECTORY, self.size.to_be_bytes(), &[&fixed, self.name.as_bytes()])
    }
}

/// CREATE FILE for a key file, the first file of every directory: `80 E0 id 07 3F size short-id add FFFF`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreateKeyFile {
    /// Identifier, 0000 by custom.
    pub id: FileId,
    /// Room in bytes: a key takes its length and 8 more.
    pub size: u16,
    /// Short identifier of the directory: `01` in the MF.
    pub short_id: u8,
    /// Who may add keys.
    pub add: Access,
}

impl CreateKeyFile {
    /// The command.
    #[must_use]
    pub fn command(&self) -> CommandApdu {
        create(self.id, KEY_FILE, self.size.to_be_bytes(), &[&[self.short_id, self.add.0, 0xFF, 0xFF]])
    }
}

/// Structure and size of a file with data.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EfKind {
    /// Binary, type 28.
    Binary {
        /// Bytes.
        size: u16,
    },
    /// Records of one length, type 2A.
    FixedRecords {
        /// Records.
        count: u8,
        /// Bytes in each.
        len: u8,
    },
    /// TLV records of any length, type 2C.
    VariableRecords {
        /// Bytes for all.
        size: u16,
    },
    /// Records of one length, the newest over the oldest, type 2E.
    Cyclic {
        /// Records.
        count: u8,
        /// Bytes in each.
        len: u8,
    },
}

/// Whether READ needs line protection too; where a file has it, writing always does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReadProtection {
    /// Reading is free of it.
    Free,
    /// Reading is protected as writing is.
    Protected,
}

/// Identifiers of the line keys of a file, 0 to 3 each.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct LineKeyIds {
    read: u8,
    write: u8,
}

impl LineKeyIds {
    /// Key 0 for both.
    pub const ZERO: Self = Self { read: 0, write: 0 };

    /// These keys, or `None` if one is over 3.
    #[must_use]
    pub const fn new(read: u8, write: u8) -> Option<Self> {
        if read <= 3 && write <= 3 { Some(Self { read, write }) } else { None }
    }
}

/// CREATE FILE for a file with data: `80 E0 id 07 type size read write FF keys`.
///
/// The type has bit 8 set for MAC protection, bits 8 and 7 for enciphered data with MAC. In the last byte the key
/// identifiers stand as their complement.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreateEf {
    /// Identifier.
    pub id: FileId,
    /// Structure and size.
    pub kind: EfKind,
    /// Who may read it.
    pub read: Access,
    /// Who may write it.
    pub write: Access,
    /// Line protection, if any.
    pub protection: Option<Protection>,
    /// Whether reading is protected too.
    pub read_protection: ReadProtection,
    /// Line keys.
    pub line_keys: LineKeyIds,
}

impl CreateEf {
    /// The command.
    #[must_use]
    pub fn command(&self) -> CommandApdu {
        let (kind, size) = match self.kind {
            EfKind::Binary { size } => (0x28, size.to_be_bytes()),
            EfKind::FixedRecords { count, len } => (0x2A, [count, len]),
            EfKind::VariableRecords { size } => (0x2C, size.to_be_bytes()),
            EfKind::Cyclic { count, len } => (0x2E, [count, len]),
        };
        let protection = match self.protection {
            None => 0x00,
            Some(Protection::Mac) => 0x80,
            Some(Protection::CipherAndMac) => 0xC0,
        };
        let fields = [self.read.0, self.write.0, 0xFF, self.keys_byte()];
        create(self.id, protection | kind, size, &[&fields])
    }

    fn keys_byte(&self) -> u8 {
        let free = match self.read_protection {
            ReadProtection::Free => 0x80,
            ReadProtection::Protected => 0x00,
        };
        // Bits 7 to 5 are reserved and set.
        free | 0x70 | ((3 - self.line_keys.read) << 2) | (3 - self.line_keys.write)
    }
}

/// The two purses of an application.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Wallet {
    /// Electronic deposit (ED), file 0001.
    Deposit,
    /// Electronic purse (EP), file 0002.
    Purse,
}

impl Wallet {
    /// Its file.
    #[must_use]
    pub const fn file(self) -> FileId {
        match self {
            Self::Deposit => FileId(0x0001),
            Self::Purse => FileId(0x0002),
        }
    }
}

/// CREATE FILE for a purse: `80 E0 id 07 2F 0208 use 00 FF log`.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CreateWallet {
    /// Which one.
    pub wallet: Wallet,
    /// Who may use it.
    pub usage: Access,
    /// The cyclic file for its transactions.
    pub log: Sfi,
}

impl CreateWallet {
    /// The command.
    #[must_use]
    pub fn command(&self) -> CommandApdu {
        create(self.wallet.file(), WALLET, [0x02, 0x08], &[&[self.usage.0, 0x00, 0xFF, self.log.number()]])
    }
}

/// ERASE DF: `80 0E 00 00 00`. Erases what is in the current directory; its access conditions start over.
#[must_use]
pub fn erase_df() -> CommandApdu {
    // The last byte is printed for every link, also where T=0 does not add it.
    CommandApdu::new(Header::proprietary(Instruction::ERASE, 0, 0)).with_le(Le::MAX_SHORT)
}

const WALLET: u8 = 0x2F;
const DIRECTORY: u8 = 0x38;
const KEY_FILE: u8 = 0x3F;

fn create(FileId(id): FileId, kind: u8, size: [u8; 2], fields: &[&[u8]]) -> CommandApdu {
    let [p1, p2] = id.to_be_bytes();
    let mut data = SecretBytes::with_capacity(32);
    data.extend(&[kind]);
    data.extend(&size);
    fields.iter().for_each(|field| data.extend(field));
    CommandApdu::new(Header::proprietary(Instruction::CREATE_FILE, p1, p2))
        .with_secret_data(data)
        .expect("the fields of a file are at most 24 bytes")
}
