//! The four bytes every command starts with.

use core::fmt;

use crate::class::Class;
use crate::command::CommandError;

/// Instruction byte (INS).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Instruction(u8);

/// `6X` and `9X` are no instructions: under T=0 they would read as status bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{byte:02X} is no instruction")]
pub struct InvalidInstruction {
    /// The byte.
    pub byte: u8,
}

impl Instruction {
    /// ERASE DF of the PBOC family; ERASE BINARY in ISO 7816-4.
    pub const ERASE: Self = Self(0x0E);
    /// CARD BLOCK of the PBOC family.
    pub const CARD_BLOCK: Self = Self(0x16);
    /// APPLICATION UNBLOCK of the PBOC family.
    pub const APPLICATION_UNBLOCK: Self = Self(0x18);
    /// INIT_FOR_DESCRYPT of a SAM.
    pub const INIT_FOR_DESCRYPT: Self = Self(0x1A);
    /// APPLICATION BLOCK of the PBOC family.
    pub const APPLICATION_BLOCK: Self = Self(0x1E);
    /// VERIFY.
    pub const VERIFY: Self = Self(0x20);
    /// INITIALIZE UPDATE of GlobalPlatform.
    pub const INITIALIZE_UPDATE: Self = Self(0x50);
    /// MANAGE CHANNEL.
    pub const MANAGE_CHANNEL: Self = Self(0x70);
    /// EXTERNAL AUTHENTICATE.
    pub const EXTERNAL_AUTHENTICATE: Self = Self(0x82);
    /// GET CHALLENGE.
    pub const GET_CHALLENGE: Self = Self(0x84);
    /// INTERNAL AUTHENTICATE.
    pub const INTERNAL_AUTHENTICATE: Self = Self(0x88);
    /// SELECT.
    pub const SELECT: Self = Self(0xA4);
    /// READ BINARY.
    pub const READ_BINARY: Self = Self(0xB0);
    /// READ RECORD.
    pub const READ_RECORD: Self = Self(0xB2);
    /// GET RESPONSE.
    pub const GET_RESPONSE: Self = Self(0xC0);
    /// ENVELOPE.
    pub const ENVELOPE: Self = Self(0xC2);
    /// GET DATA.
    pub const GET_DATA: Self = Self(0xCA);
    /// WRITE KEY of the PBOC family.
    pub const WRITE_KEY: Self = Self(0xD4);
    /// UPDATE BINARY.
    pub const UPDATE_BINARY: Self = Self(0xD6);
    /// PUT KEY of GlobalPlatform.
    pub const PUT_KEY: Self = Self(0xD8);
    /// UPDATE RECORD.
    pub const UPDATE_RECORD: Self = Self(0xDC);
    /// CREATE FILE.
    pub const CREATE_FILE: Self = Self(0xE0);
    /// APPEND RECORD.
    pub const APPEND_RECORD: Self = Self(0xE2);
    /// STORE DATA of GlobalPlatform.
    pub const STORE_DATA: Self = Self(0xE2);
    /// GET STATUS of GlobalPlatform.
    pub const GET_STATUS: Self = Self(0xF2);
    /// DES CRYPT of a SAM.
    pub const DES_CRYPT: Self = Self(0xFA);

    /// Reads an instruction byte.
    ///
    /// # Errors
    /// Returns [`InvalidInstruction`] for `6X` and `9X` (ISO/IEC 7816-4:2013 5.5).
    pub const fn from_byte(byte: u8) -> Result<Self, InvalidInstruction> {
        match byte {
            0x60..=0x6F | 0x90..=0x9F => Err(InvalidInstruction { byte }),
            _ => Ok(Self(byte)),
        }
    }

    /// The instruction byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for Instruction {
    type Error = InvalidInstruction;

    fn try_from(byte: u8) -> Result<Self, InvalidInstruction> {
        Self::from_byte(byte)
    }
}

/// Command header: CLA, INS, P1, P2. It never holds a secret.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct Header {
    /// Class (CLA).
    pub class: Class,
    /// Instruction (INS).
    pub instruction: Instruction,
    /// First parameter.
    pub p1: u8,
    /// Second parameter.
    pub p2: u8,
}

impl Header {
    /// Length in bytes.
    pub const LEN: usize = 4;

    /// A header of class `00`.
    #[must_use]
    pub const fn iso(instruction: Instruction, p1: u8, p2: u8) -> Self {
        Self { class: Class::ISO, instruction, p1, p2 }
    }

    /// A header of class `80`.
    #[must_use]
    pub const fn proprietary(instruction: Instruction, p1: u8, p2: u8) -> Self {
        Self { class: Class::PROPRIETARY, instruction, p1, p2 }
    }

    /// The four bytes.
    #[must_use]
    pub const fn bytes(self) -> [u8; Self::LEN] {
        [self.class.byte(), self.instruction.byte(), self.p1, self.p2]
    }
}

impl TryFrom<[u8; Header::LEN]> for Header {
    type Error = CommandError;

    /// Reads a header.
    fn try_from([cla, ins, p1, p2]: [u8; Self::LEN]) -> Result<Self, CommandError> {
        Ok(Self { class: cla.try_into()?, instruction: ins.try_into()?, p1, p2 })
    }
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}
