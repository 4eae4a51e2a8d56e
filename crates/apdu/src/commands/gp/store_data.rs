//! STORE DATA and the data groupings it carries.

use crate::command::{CommandApdu, DataTooLong};
use crate::dgi::{DgiWriter, GroupingTooLong};
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

/// A data grouping to be stored: what an application gets under one identifier, coded as [`dgi`](crate::dgi) has it.
#[derive(Clone, Copy)]
pub struct Dgi<'d> {
    /// Identifier (DGI).
    pub id: u16,
    /// Content; padded by who knows its format where it is to be encrypted.
    pub content: &'d [u8],
    /// Whether it goes encrypted under the data key.
    pub confidentiality: Confidentiality,
}

impl Dgi<'_> {
    /// Appends the grouping to `out`, its content encrypted by `key` where that is asked for.
    ///
    /// # Errors
    /// Returns [`GroupingTooLong`], or [`DataKeyError::NotWholeBlocks`] for content that should be encrypted.
    pub(crate) fn write(&self, key: &DataKey, out: &mut DgiWriter) -> Result<(), EncodeError> {
        match self.confidentiality {
            Confidentiality::Plain => out.push(self.id, self.content)?,
            Confidentiality::Encrypted => out.push(self.id, key.encrypt(self.content)?.expose_bytes())?,
        };
        Ok(())
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
    TooLong(#[from] GroupingTooLong),
    #[error(transparent)]
    Key(#[from] DataKeyError),
}
