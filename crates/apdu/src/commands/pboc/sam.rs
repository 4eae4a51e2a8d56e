//! What a terminal asks of its SAM.

use super::write_key::PsamKeyUsage;
use crate::command::{CommandApdu, DataTooLong};
use crate::header::{Header, Instruction};

/// What DES CRYPT does with its data, and whether more is to come: P1.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum DesCrypt {
    /// Encrypts whole blocks; the derived key is dropped afterwards.
    Encrypt,
    /// Encrypts whole blocks; more are to come.
    EncryptMore,
    /// MAC of 4 bytes over all of the data: initial vector (8), then whole blocks, padded by the caller.
    Mac,
    /// First part of the data of a MAC: initial vector (8), then whole blocks.
    MacFirst,
    /// A further part of the data of a MAC.
    MacNext,
    /// The last part of the data of a MAC; the card answers the 4 bytes.
    MacLast,
}

impl DesCrypt {
    const fn p1(self) -> u8 {
        match self {
            Self::Encrypt => 0x00,
            Self::MacLast => 0x01,
            Self::EncryptMore => 0x02,
            Self::MacNext => 0x03,
            Self::Mac => 0x05,
            Self::MacFirst => 0x07,
        }
    }
}

/// INIT_FOR_DESCRYPT: `80 1A usage version Lc factors`. Derives the key of one user card within the SAM, for the DES
/// CRYPT commands that follow; one factor of 8 bytes for each level of the usage, in the order of the derivation.
///
/// # Errors
/// Returns [`DataTooLong`] if the factors do not fit a command.
///
/// # Examples
/// ```
/// use cardroot_apdu::commands::pboc::{DesCrypt, PsamKeyUsage, des_crypt, init_for_descrypt};
///
/// let usage = PsamKeyUsage::new(1, 7).ok_or("no such usage")?;
/// let init = init_for_descrypt(usage, 0x01, &[[0x11; 8]])?;
/// assert_eq!(init.encode().expose_bytes()[..5], [0x80, 0x1A, 0x27, 0x01, 0x08]);
/// let crypt = des_crypt(DesCrypt::Encrypt, &[0; 8])?;
/// assert_eq!(crypt.encode().expose_bytes()[..5], [0x80, 0xFA, 0x00, 0x00, 0x08]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn init_for_descrypt(
    usage: PsamKeyUsage,
    version: u8,
    factors: &[[u8; 8]],
) -> Result<CommandApdu, DataTooLong> {
    let header = Header::proprietary(Instruction::INIT_FOR_DESCRYPT, usage.byte(), version);
    CommandApdu::new(header).with_data(factors.as_flattened())
}

/// DES CRYPT: `80 FA P1 00 Lc data`, under the key that INIT_FOR_DESCRYPT derived.
///
/// # Errors
/// Returns [`DataTooLong`] if the data does not fit a command.
pub fn des_crypt(operation: DesCrypt, data: &[u8]) -> Result<CommandApdu, DataTooLong> {
    CommandApdu::new(Header::proprietary(Instruction::DES_CRYPT, operation.p1(), 0x00)).with_data(data)
}
