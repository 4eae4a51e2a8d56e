//! STORE DATA and the data groupings it carries.

use crate::bytes::SecretBytes;
use crate::command::{CommandApdu, DataTooLong};
use crate::header::{Header, Instruction};
use crate::secure::gp::{DataKey, DataKeyError};

/// Whether data groupings are encrypted under the data key besides what the session does.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Confidentiality {
    /// They are not.
    Plain,
    /// Each content is encrypted by itself; tags and lengths are not.
    Encrypted,
}

/// How the structure of the data is announced in P1.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum DgiFormat {
    /// Bits 5 and 4 are zero, as in EMV card personalisation, which is older than they are.
    #[default]
    Cps,
    /// Bits 5 and 4 are `01`: data groupings, as GlobalPlatform codes them.
    GlobalPlatform,
}

/// Whether a command is the last of personalisation.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Last {
    /// More commands follow.
    MoreToCome,
    /// The card or application is personalised.
    Last,
}

/// P1 and P2 of STORE DATA.
///
/// ```text
/// P1  b8 last  b7-b6 11 all encrypted, 00 none  b5-b4 01 data groupings (GlobalPlatform), 00 (CPS)
/// P2  number of the block, from 00
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct StoreData {
    /// Whether it is the last command.
    pub last: Last,
    /// Whether its groupings are encrypted.
    pub confidentiality: Confidentiality,
    /// How the structure is announced.
    pub format: DgiFormat,
    /// Number of the block.
    pub block: u8,
}

impl StoreData {
    /// The command `80 E2 P1 P2 Lc data`.
    ///
    /// # Errors
    /// Returns [`DataTooLong`] over 65535 bytes.
    pub fn command(self, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
        let last = match self.last {
            Last::MoreToCome => 0x00,
            Last::Last => 0x80,
        };
        let confidentiality = match self.confidentiality {
            Confidentiality::Plain => 0x00,
            Confidentiality::Encrypted => 0x60,
        };
        let format = match self.format {
            DgiFormat::Cps => 0x00,
            DgiFormat::GlobalPlatform => 0x08,
        };
        let header =
            Header::proprietary(Instruction::STORE_DATA, last | confidentiality | format, self.block);
        CommandApdu::new(header).with_data(data)
    }
}

/// A data grouping: what an application stores under one identifier.
///
/// ```text
/// identifier (2) || length (1, or FF and 2 from 255 on) || content
/// ```
///
/// # Source
/// EMV Card Personalization Specification 1.1, section 2.
#[derive(Clone, Copy)]
pub struct Dgi<'d> {
    /// Identifier (DGI).
    pub id: u16,
    /// Content; padded by who knows its format where it is to be encrypted.
    pub content: &'d [u8],
    /// Whether it goes encrypted under the data key.
    pub confidentiality: Confidentiality,
}

/// More content than a data grouping can have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a data grouping holds at most 65535 bytes, found {found}")]
pub struct DgiTooLong {
    /// Bytes supplied.
    pub found: usize,
}

impl Dgi<'_> {
    /// Encodes the grouping, its content encrypted by `key` where that is asked for.
    ///
    /// # Errors
    /// Returns [`DgiTooLong`], or [`DataKeyError::NotWholeBlocks`] for content that should be encrypted.
    pub(crate) fn encode(&self, key: &DataKey) -> Result<SecretBytes, EncodeError> {
        let found = self.content.len();
        let length = u16::try_from(found).map_err(|_| DgiTooLong { found })?.to_be_bytes();
        let content = match self.confidentiality {
            Confidentiality::Plain => SecretBytes::from(self.content),
            Confidentiality::Encrypted => key.encrypt(self.content)?,
        };
        let mut out = SecretBytes::with_capacity(5 + content.len());
        out.extend(&self.id.to_be_bytes());
        match length {
            [0, length @ ..=0xFE] => out.extend(&[length]),
            [high, low] => out.extend(&[0xFF, high, low]),
        }
        out.extend(content.expose_bytes());
        Ok(out)
    }
}

impl core::fmt::Debug for Dgi<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Dgi")
            .field("id", &format_args!("{:04X}", self.id))
            .field("len", &self.content.len())
            .field("confidentiality", &self.confidentiality)
            .finish()
    }
}

/// A grouping that can't be encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub(crate) enum EncodeError {
    #[error(transparent)]
    TooLong(#[from] DgiTooLong),
    #[error(transparent)]
    Key(#[from] DataKeyError),
}
