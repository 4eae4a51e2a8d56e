//! The plan of a card, as it stands in a file.

use core::fmt;
use core::str::FromStr;

use apdu::commands::DfName;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::plan_error::PlanError;
use super::template::Template;

/// What a kind of card holds: directories, keys, PINs and files with their access rules, in the order in which they are made.
///
/// Within a directory keys come first, then PINs, then files, then wallets, each as they stand in the plan: the loading rules of the
/// card leave no other order of the first three. Numbers are bytes of the card operating system and may be written in hexadecimal (`0xAA`).
///
/// # Source
/// FMCOS 2.0 user manual, chapters 5 and 7; provincial CPU-card system, section 6.1.
///
/// # Examples
/// ```
/// use cardroot_kms::issuing::Plan;
///
/// let plan: Plan = r#"
///     name = "user card"
///     version = 1
///
///     [card]
///     master = { key = "issuing", tries = 3 }
///
///     [[application]]
///     id = 0x3F01
///     name = "A00000000386980701"
///     size = 0x0300
///     keys = { size = 0x0180 }
///     master = { key = "application control", tries = 3 }
///
///     [[application.key]]
///     id = 0
///     use = "line"
///     key = "line protection"
///     tries = 3
///
///     [[application.file]]
///     id = 0x0015
///     kind = { binary = 30 }
///     protection = "mac"
///     content = "33373031FFFFFFFF 01 01 {serial} 20261121 20361120 0000"
/// "#
/// .parse()?;
/// assert_eq!(plan.application[0].file[0].id, 0x0015);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Plan {
    /// Name, for people and records.
    pub name: String,
    /// Version, for records.
    pub version: u32,
    /// Card operating system: by default FMCOS, and no other can be planned for yet.
    #[serde(default)]
    pub system: System,
    /// The master file.
    pub card: CardLevel,
    /// Applications, one directory each.
    #[serde(default)]
    pub application: Vec<Application>,
}

/// Card operating systems.
///
/// How SmartCOS and Tianyu cards are told the fields of a file is in no public source (WRITE KEY is:
/// [`KeyHeader`](apdu::commands::pboc::KeyHeader)), so a plan for one is refused.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[non_exhaustive]
pub enum System {
    /// FMCOS 2.0 and TimeCOS.
    #[default]
    #[serde(rename = "fmcos")]
    Fmcos,
    /// SmartCOS 3.2.
    #[serde(rename = "smartcos")]
    SmartCos,
    /// Tianyu.
    #[serde(rename = "tianyu")]
    Tianyu,
}

/// The master file: it and its key file are there when the card comes, under the transport key.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct CardLevel {
    /// The card master, which takes the place of the transport key.
    pub master: Master,
    /// Keys of the card itself.
    #[serde(default)]
    pub key: Vec<Key>,
    /// Files of the card itself.
    #[serde(default)]
    pub file: Vec<File>,
}

/// A directory with its keys and files.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct Application {
    /// File identifier.
    pub id: u16,
    /// Name: an application identifier (AID), in hexadecimal digits.
    pub name: Name,
    /// Bytes of memory.
    pub size: u16,
    /// Who may create files: by default whoever proved the master.
    #[serde(default = "under_master")]
    pub create: u8,
    /// Who may erase the directory: by default nobody.
    #[serde(default = "never")]
    pub erase: u8,
    /// Short identifier of the file that SELECT shows, with bit 8 for an ADF.
    #[serde(default = "shown_file")]
    pub short_id: u8,
    /// The key file.
    pub keys: KeyFile,
    /// The application master, loaded under the card master.
    pub master: Master,
    /// Keys, loaded under the application master.
    #[serde(default)]
    pub key: Vec<Key>,
    /// Keys of city or province: a SAM derives those of user cards from them, a key card gives them to other cards.
    #[serde(default)]
    pub sam_key: Vec<SamKey>,
    /// The keys under which key cards and SAMs of one family give keys to each other: usage `1E`. One table, or several versions in
    /// an array: a transport card has the version that it gives and the one under which it gives it.
    #[serde(default, deserialize_with = "one_or_several")]
    pub exchange_key: Vec<ExchangeKey>,
    /// PINs.
    #[serde(default)]
    pub pin: Vec<Pin>,
    /// Files.
    #[serde(default)]
    pub file: Vec<File>,
    /// Wallets: an electronic deposit, an electronic purse.
    #[serde(default)]
    pub wallet: Vec<Wallet>,
}

/// The key file of an application.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct KeyFile {
    /// File identifier: by default `0000`.
    #[serde(default)]
    pub id: u16,
    /// Bytes of memory.
    pub size: u16,
    /// Short identifier of the file that SELECT shows, as in the directory.
    #[serde(default = "shown_file")]
    pub short_id: u8,
    /// Who may add keys: by default whoever proved the master.
    #[serde(default = "under_master")]
    pub add: u8,
}

/// The master of a directory: external authentication key `00`.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Master {
    /// Function whose key it is, such as `issuing`.
    pub key: String,
    /// Version of the key, where the ring has several.
    pub version: Option<u8>,
    /// Wrong tries that it stands.
    pub tries: u8,
    /// The low nibble becomes the security state: by default `A`.
    #[serde(default = "master_level")]
    pub follow: u8,
    /// Who may change it: by default whoever proved it.
    #[serde(default = "under_master")]
    pub change: u8,
}

/// A key that the card works with.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Key {
    /// Identifier.
    pub id: u8,
    /// What the card uses it for.
    pub r#use: Use,
    /// Function whose key it is, such as `purchase`.
    pub key: String,
    /// Whose key it is: by default the card's own.
    #[serde(default)]
    pub of: Holder,
    /// Version of the key, where the ring has several. The card is told the version of the key that is loaded.
    pub version: Option<u8>,
    /// Wrong tries that it stands, for the uses that count them.
    pub tries: Option<u8>,
    /// The low nibble becomes the security state, for external authentication. It is never the master's.
    pub follow: Option<u8>,
    /// Who may use it: by default everybody.
    #[serde(default = "always")]
    pub usage: u8,
    /// Who may change it: by default whoever proved the master.
    #[serde(default = "under_master")]
    pub change: u8,
    /// Whether later updates may come in the clear: by default not.
    #[serde(default)]
    pub loading: Loading,
}

/// Whose key a card has for itself.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Holder {
    /// The card's own.
    #[default]
    Card,
    /// That of the key card that it opens, for an authentication card: its external authentication key, for use `encrypt` alone.
    OpenedCard,
}

/// What the card uses a key for: its type.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Use {
    /// Type 30: INTERNAL AUTHENTICATE by encryption.
    Encrypt,
    /// Type 31: INTERNAL AUTHENTICATE by decryption.
    Decrypt,
    /// Type 32: INTERNAL AUTHENTICATE by MAC.
    Mac,
    /// Type 34: transaction authentication code.
    Tac,
    /// Type 36: line protection of files.
    Line,
    /// Type 37.
    PinUnblock,
    /// Type 38.
    PinReload,
    /// Type 39.
    ExternalAuthentication,
    /// Type 3C.
    Overdraft,
    /// Type 3D.
    Unload,
    /// Type 3E.
    Purchase,
    /// Type 3F.
    Load,
}

/// Whether a key may be updated in the clear later on. Issuing always loads it as ciphertext.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub enum Loading {
    /// As ciphertext with MAC only.
    #[default]
    Protected,
    /// In the clear too.
    Plain,
}

/// The exchange key of a family of key cards and SAMs.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ExchangeKey {
    /// Version of the key, where the ring has several. The card keeps it under the version of the key that is loaded.
    pub version: Option<u8>,
}

/// A key of the city or province in a SAM or on a key card.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct SamKey {
    /// Function whose key it is; `parent`, of the province, is the key that all of them come from, for a mother card.
    pub key: String,
    /// Version of the key, where the ring has several.
    pub version: Option<u8>,
    /// Version under which the SAM keeps it: by default the version of the key.
    pub slot: Option<u8>,
    /// Whose key it is: by default the city's.
    #[serde(default)]
    pub of: Owner,
    /// Levels of dispersion down to the key of a user card, at most 7. By default, and at the least, 1 for a key of the city, 2
    /// for one of the province and 4 for its parent key (secondary master, function, city, card).
    pub levels: Option<u8>,
    /// Type in the SAM, one that the function of the key calls for: 2 is purchase, 7 is encryption.
    pub kind: u8,
}

/// Whose a key is that user cards' keys are derived from.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Owner {
    /// A city's.
    #[default]
    City,
    /// The province's: a secondary key card gives each city its own, a SAM derives those of every city; a mother card gives the
    /// secondary card the province's, from the parent key.
    Province,
}

/// A PIN.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Pin {
    /// Identifier.
    pub id: u8,
    /// The PIN as the card compares it, as a rule `{pin}`.
    pub value: Template,
    /// Wrong tries that it stands.
    pub tries: u8,
    /// The low nibble becomes the security state, which is never the master's.
    pub follow: u8,
    /// Who may present it: by default everybody.
    #[serde(default = "always")]
    pub usage: u8,
}

/// A file with data.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[non_exhaustive]
pub struct File {
    /// File identifier.
    pub id: u16,
    /// Structure and size.
    pub kind: FileKind,
    /// Who may read it: by default everybody.
    #[serde(default = "always")]
    pub read: u8,
    /// Who may write it: by default everybody who has its line protection key. A file without line protection needs a rule.
    pub write: Option<u8>,
    /// How commands that write it are protected: by default not at all.
    pub protection: Option<ContentProtection>,
    /// Whether reading is protected as writing is.
    #[serde(default)]
    pub protect_reading: bool,
    /// What a binary file holds; it may be shorter than the file.
    pub content: Option<Template>,
    /// What a file of records holds, the first record first.
    #[serde(default)]
    pub record: Vec<Template>,
}

/// A wallet. It begins without money.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Wallet {
    /// Which one.
    pub kind: WalletKind,
    /// Identifier of the cyclic file for its transactions, `0x0001` to `0x001E`.
    pub log: u16,
    /// Who may use it: by default everybody. Money moves under its keys, and a PIN where the card asks for it, whatever the rule.
    #[serde(default = "always")]
    pub usage: u8,
}

/// The wallets that an application can have.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WalletKind {
    /// Electronic deposit (ED), file 0001.
    #[doc(alias = "passbook")]
    Deposit,
    /// Electronic purse (EP), file 0002.
    Purse,
}

/// Structure and size of a file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[non_exhaustive]
pub enum FileKind {
    /// So many bytes.
    Binary(u16),
    /// Records of one length: number and bytes in each.
    FixedRecords(u8, u8),
    /// Records of any length in so many bytes.
    VariableRecords(u16),
    /// Records of one length, the newest over the oldest: number and bytes in each.
    Cyclic(u8, u8),
}

/// Line protection of a file.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum ContentProtection {
    /// MAC.
    Mac,
    /// Ciphertext with MAC.
    CipherAndMac,
}

/// A directory's name, 1 to 16 bytes in hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Name(pub DfName);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = base16ct::mixed::decode_vec(&text)
            .map_err(|_| serde::de::Error::custom("a name is pairs of hexadecimal digits"))?;
        DfName::try_from(bytes.as_slice()).map(Self).map_err(serde::de::Error::custom)
    }
}

impl FromStr for Plan {
    type Err = PlanError;

    /// Reads a plan in TOML, and checks what can be checked without keys and a card's data.
    fn from_str(text: &str) -> Result<Self, PlanError> {
        let plan: Self = toml::from_str(text).map_err(|error| PlanError::Toml {
            line: line_of(text, &error),
            reason: error.message().replace('\n', ", "),
        })?;
        plan.check()?;
        Ok(plan)
    }
}

/// Line of an error, from 1.
pub(super) fn line_of(text: &str, error: &toml::de::Error) -> usize {
    let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
    before.matches('\n').count() + 1
}

impl fmt::Display for Use {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Mac => "mac",
            Self::Tac => "tac",
            Self::Line => "line",
            Self::PinUnblock => "pin-unblock",
            Self::PinReload => "pin-reload",
            Self::ExternalAuthentication => "external-authentication",
            Self::Overdraft => "overdraft",
            Self::Unload => "unload",
            Self::Purchase => "purchase",
            Self::Load => "load",
        })
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fmcos => "FMCOS",
            Self::SmartCos => "SmartCOS",
            Self::Tianyu => "Tianyu",
        })
    }
}

impl fmt::Display for WalletKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Deposit => "deposit",
            Self::Purse => "purse",
        })
    }
}

/// Reads a table as an array of one.
fn one_or_several<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<ExchangeKey>, D::Error> {
    struct OneOrSeveral;

    impl<'de> Visitor<'de> for OneOrSeveral {
        type Value = Vec<ExchangeKey>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an exchange key, or an array of them")
        }

        fn visit_map<A: MapAccess<'de>>(self, table: A) -> Result<Self::Value, A::Error> {
            Ok(vec![ExchangeKey::deserialize(MapAccessDeserializer::new(table))?])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, array: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(array))
        }
    }

    deserializer.deserialize_any(OneOrSeveral)
}

const fn always() -> u8 {
    0xF0
}

const fn never() -> u8 {
    0xEF
}

const fn under_master() -> u8 {
    0xAA
}

const fn master_level() -> u8 {
    0x0A
}

const fn shown_file() -> u8 {
    0x95
}
