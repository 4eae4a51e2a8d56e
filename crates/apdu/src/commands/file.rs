//! Files and their content.

use crate::command::{CommandApdu, DataTooLong, Repetition};
use crate::header::{Header, Instruction};
use crate::le::Le;

/// File identifier, two bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FileId(pub u16);

impl FileId {
    /// Master file (MF), the root.
    pub const MASTER: Self = Self(0x3F00);
}

/// Short file identifier (SFI), 1 to 30.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Sfi(u8);

impl Sfi {
    /// Identifier `number`, or `None` unless it is 1 to 30.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        match number {
            1..=30 => Some(Self(number)),
            _ => None,
        }
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

/// Name of a directory (DF), 1 to 16 bytes; an application identifier (AID) is one.
#[doc(alias = "AID")]
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct DfName {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

/// A name of no bytes or of more than 16.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a DF name is 1 to 16 bytes, found {found}")]
pub struct DfNameError {
    /// Bytes supplied.
    pub found: usize,
}

impl DfName {
    /// Most bytes of a name.
    pub const MAX_LEN: usize = 16;

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).expect("a name is at most 16 bytes")
    }
}

impl TryFrom<&[u8]> for DfName {
    type Error = DfNameError;

    fn try_from(name: &[u8]) -> Result<Self, DfNameError> {
        let (mut bytes, len) = ([0; Self::MAX_LEN], name.len());
        match bytes.get_mut(..len) {
            Some(start) if len > 0 => start.copy_from_slice(name),
            _ => return Err(DfNameError { found: len }),
        }
        Ok(Self { bytes, len })
    }
}

/// Where READ BINARY and UPDATE BINARY start: P1-P2.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct BinaryAddress([u8; 2]);

impl BinaryAddress {
    /// Byte `offset` of the selected file, or `None` over 32767.
    #[must_use]
    pub const fn current(offset: u16) -> Option<Self> {
        if offset <= 0x7FFF { Some(Self(offset.to_be_bytes())) } else { None }
    }

    /// Byte `offset` of file `sfi`, which is selected by that.
    #[must_use]
    pub const fn in_file(sfi: Sfi, offset: u8) -> Self {
        Self([0x80 | sfi.number(), offset])
    }
}

/// Which record of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Record {
    /// By number, from 1; the newest record of a cyclic file is 1. Number 0 is the current record.
    Number(u8),
    /// The first with this record identifier (tag).
    Identifier(u8),
    /// The previous one: how a cyclic file is written, whose oldest record gives way.
    Previous,
}

/// A record of a file.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct RecordAddress {
    /// The file; `None` is the selected one.
    pub file: Option<Sfi>,
    /// The record.
    pub record: Record,
}

impl RecordAddress {
    fn header(self, instruction: Instruction) -> Header {
        let (p1, reference) = match self.record {
            Record::Number(number) => (number, 0x04),
            Record::Identifier(tag) => (tag, 0x00),
            Record::Previous => (0x00, 0x03),
        };
        Header::iso(instruction, p1, file_bits(self.file) | reference)
    }
}

/// The upper five bits of P2 in record commands.
fn file_bits(file: Option<Sfi>) -> u8 {
    file.map_or(0, |sfi| sfi.number() << 3)
}

/// SELECT by identifier: `00 A4 00 00 02 id 00`. The answer is the file control information (FCI).
#[must_use]
pub fn select_file(id: FileId) -> CommandApdu {
    select(0x00, &id.0.to_be_bytes())
}

/// SELECT by name: `00 A4 04 00 Lc name 00`. The answer is the file control information (FCI).
#[must_use]
pub fn select_name(name: &DfName) -> CommandApdu {
    select(0x04, name.as_bytes())
}

fn select(p1: u8, reference: &[u8]) -> CommandApdu {
    CommandApdu::new(Header::iso(Instruction::SELECT, p1, 0))
        .with_data(reference)
        .expect("a name is at most 16 bytes")
        .with_le(Le::MAX_SHORT)
        .with_repetition(Repetition::Allowed)
}

/// READ BINARY: `00 B0 P1 P2 Le`.
#[must_use]
pub fn read_binary(address: BinaryAddress, le: Le) -> CommandApdu {
    let BinaryAddress([p1, p2]) = address;
    read(Header::iso(Instruction::READ_BINARY, p1, p2), le)
}

/// READ RECORD: `00 B2 P1 P2 Le`.
#[must_use]
pub fn read_record(address: RecordAddress, le: Le) -> CommandApdu {
    read(address.header(Instruction::READ_RECORD), le)
}

fn read(header: Header, le: Le) -> CommandApdu {
    CommandApdu::new(header).with_le(le).with_repetition(Repetition::Allowed)
}

/// UPDATE BINARY: `00 D6 P1 P2 Lc data`.
///
/// # Errors
/// Returns [`DataTooLong`] over 65535 bytes.
pub fn update_binary(address: BinaryAddress, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
    let BinaryAddress([p1, p2]) = address;
    CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, p1, p2)).with_data(data)
}

/// UPDATE RECORD: `00 DC P1 P2 Lc data`.
///
/// # Errors
/// Returns [`DataTooLong`] over 65535 bytes.
pub fn update_record(address: RecordAddress, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
    CommandApdu::new(address.header(Instruction::UPDATE_RECORD)).with_data(data)
}

/// APPEND RECORD: `00 E2 00 P2 Lc data`. `None` is the selected file.
///
/// # Errors
/// Returns [`DataTooLong`] over 65535 bytes.
pub fn append_record(file: Option<Sfi>, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
    CommandApdu::new(Header::iso(Instruction::APPEND_RECORD, 0, file_bits(file))).with_data(data)
}
