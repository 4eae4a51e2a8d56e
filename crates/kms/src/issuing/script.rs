//! What is done to one card, step by step.

use core::fmt;

use apdu::commands::FileId;
use apdu::commands::pboc::KeyAttributes;
use apdu::commands::pboc::{
    Access, CreateDf, CreateEf, CreateKeyFile, CreateWallet, EfKind, KeyLoading, KeyRecord, KeyType, KeyUse,
    PinRecord, PsamKeyUsage, Tries, WriteKey, WriteKeyAction, WritePsamKey,
};
use apdu::secure::pboc::{CardKey, LineKey, MasterKey, Protection};
use tdea::Kcv;
use zeroize::Zeroizing;

/// The steps that make a card of a plan, with the keys and the data of that one card.
///
/// Its text is the dry run: every step with the header of its command, the lengths of data and the check values of keys. Keys, PINs and
/// the content of files are not in it, and are wiped on drop.
#[derive(Debug)]
pub struct Script {
    pub(super) plan: String,
    pub(super) steps: Vec<Step>,
}

/// One step, and the place in the plan that it comes from.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) place: String,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    /// The transport key is proven and gives way to the card master.
    TakeOver {
        transport: MasterKey,
        master: LoadedMaster,
    },
    /// The proof of a master opens its directory.
    Prove(MasterKey),
    CreateDirectory(CreateDf),
    Select(FileId),
    CreateKeyFile(CreateKeyFile),
    /// The first master of a directory, under the master above.
    LoadMaster {
        master: LoadedMaster,
        under: MasterKey,
    },
    LoadKey {
        key: LoadedKey,
        under: MasterKey,
    },
    LoadSamKey {
        key: LoadedSamKey,
        under: MasterKey,
    },
    LoadPin {
        pin: LoadedPin,
        under: MasterKey,
    },
    CreateFile(CreateEf),
    CreateWallet(CreateWallet),
    WriteBinary(Content),
    AppendRecord {
        number: u8,
        content: Content,
    },
}

/// A key record that owns its key.
#[derive(Debug)]
pub(super) struct LoadedKey {
    pub(super) id: u8,
    pub(super) key_use: KeyUse,
    pub(super) loading: KeyLoading,
    pub(super) usage: Access,
    pub(super) change: Access,
    pub(super) key: CardKey,
    pub(super) kcv: Kcv,
}

/// A master: the record and the key at work are two copies of it.
#[derive(Debug)]
pub(super) struct LoadedMaster {
    pub(super) record: LoadedKey,
    pub(super) key: MasterKey,
}

#[derive(Debug)]
pub(super) struct LoadedSamKey {
    pub(super) usage: PsamKeyUsage,
    pub(super) slot: u8,
    pub(super) key: CardKey,
    pub(super) kcv: Kcv,
}

pub(super) struct LoadedPin {
    pub(super) id: u8,
    pub(super) usage: Access,
    pub(super) follow: u8,
    pub(super) tries: Tries,
    pub(super) pin: Zeroizing<Vec<u8>>,
}

/// Bytes for a file, and how they are protected on the way.
pub(super) struct Content {
    pub(super) file: FileId,
    pub(super) bytes: Zeroizing<Vec<u8>>,
    pub(super) protection: Option<(Protection, LineKey)>,
    /// Whether anybody may read it back without protection.
    pub(super) readable: bool,
}

impl LoadedKey {
    /// The command that writes it.
    pub(super) const fn write(&self, action: WriteKeyAction) -> WriteKey<'_> {
        let record = KeyRecord {
            key_use: self.key_use,
            loading: self.loading,
            usage: self.usage,
            change: self.change,
            key: &self.key,
        };
        WriteKey { action, id: self.id, record }
    }

    /// The type that its record has on the card.
    pub(super) const fn card_type(&self) -> KeyType {
        let key_type = self.key_use.key_type();
        match self.loading {
            KeyLoading::Plain => key_type,
            KeyLoading::Protected => key_type.protected(),
        }
    }
}

impl LoadedSamKey {
    pub(super) const fn write(&self) -> WritePsamKey<'_> {
        let attributes = KeyAttributes { version: self.slot, algorithm: ALGORITHM };
        WritePsamKey { usage: self.usage, attributes, key: &self.key }
    }
}

/// TDEA.
pub(super) const ALGORITHM: u8 = 0x00;

impl LoadedPin {
    pub(super) fn record(&self) -> PinRecord<'_> {
        PinRecord { usage: self.usage, follow_state: self.follow, tries: self.tries, pin: &self.pin }
    }
}

impl Script {
    /// Name and version of the plan.
    #[must_use]
    pub fn plan(&self) -> &str {
        &self.plan
    }

    /// Number of steps.
    #[must_use]
    pub fn len(&self) -> usize {
        self.steps.len()
    }

    /// The dry run as data: the place in the plan that a step comes from, and what it does.
    pub fn steps(&self) -> impl Iterator<Item = (&str, String)> {
        self.steps.iter().map(|step| (step.place.as_str(), step.action.to_string()))
    }

    /// Whether there is nothing to do, which no plan comes to.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

impl fmt::Debug for LoadedPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoadedPin").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("file", &self.file).finish_non_exhaustive()
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "# {}", self.plan)?;
        self.steps.iter().enumerate().try_for_each(|(number, step)| writeln!(f, "{:3}  {step}", number + 1))
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<32} {}", self.place, self.action)
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TakeOver { master, .. } => {
                write!(f, "EXTERNAL AUTHENTICATE by the transport key; {}", master.record)
            }
            Self::Prove(_) => write!(f, "EXTERNAL AUTHENTICATE 00"),
            Self::CreateDirectory(df) => {
                write!(f, "CREATE FILE {:04X}, a directory of {} bytes", df.id.0, df.size)
            }
            Self::Select(id) => write!(f, "SELECT {:04X}", id.0),
            Self::CreateKeyFile(file) => {
                write!(f, "CREATE FILE {:04X}, for keys in {} bytes", file.id.0, file.size)
            }
            Self::LoadMaster { master, .. } => write!(f, "{}", master.record),
            Self::LoadKey { key, .. } => write!(f, "{key}"),
            Self::LoadSamKey { key, .. } => {
                write!(
                    f,
                    "WRITE KEY usage {:02X} version {:02X}, check value {}",
                    key.usage.byte(),
                    key.slot,
                    key.kcv
                )
            }
            Self::LoadPin { pin, .. } => write!(f, "WRITE KEY type 3A id {:02X}, a PIN", pin.id),
            Self::CreateFile(file) => {
                write!(f, "CREATE FILE {:04X}, ", file.id.0)?;
                match file.kind {
                    EfKind::Binary { size } => write!(f, "{size} bytes"),
                    EfKind::FixedRecords { count, len } => write!(f, "{count} records of {len} bytes"),
                    EfKind::VariableRecords { size } => write!(f, "records in {size} bytes"),
                    EfKind::Cyclic { count, len } => write!(f, "a ring of {count} records of {len} bytes"),
                }
            }
            Self::CreateWallet(account) => {
                write!(
                    f,
                    "CREATE FILE {:04X}, a wallet with its log in {:04X}",
                    account.wallet.file().0,
                    account.log.number()
                )
            }
            Self::WriteBinary(content) => {
                write!(f, "UPDATE BINARY {:04X}, {} bytes", content.file.0, content.bytes.len())
            }
            Self::AppendRecord { number, content } => {
                write!(f, "APPEND RECORD {number} of {:04X}, {} bytes", content.file.0, content.bytes.len())
            }
        }
    }
}

impl fmt::Display for LoadedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WRITE KEY type {:02X} id {:02X}, check value {}",
            self.card_type().byte(),
            self.id,
            self.kcv
        )
    }
}
