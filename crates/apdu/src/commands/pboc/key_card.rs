//! Keys from one key card to another, or to a SAM: the simulator's own commands, since no public source has any.

use super::header;
use super::write_key::PsamKeyUsage;
use crate::command::{CommandApdu, DataTooLong};
use crate::header::Header;
use crate::le::Le;

/// Length of a key on its way in bytes.
const WRAPPED_LEN: u8 = 0x1C;

/// What a card is that takes keys from key cards.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ReceiverKind {
    /// Secure access module, from the key card of its city.
    Sam,
    /// Mother card, exchange keys alone.
    Mother,
    /// Secondary key card, from the mother card.
    Secondary,
    /// Key card of a city, from the secondary one.
    City,
}

impl ReceiverKind {
    /// Its byte.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::Sam => 0x01,
            Self::Mother => 0x02,
            Self::Secondary => 0x03,
            Self::City => 0x04,
        }
    }
}

/// EXPORT KEY: `80 C6 usage version Lc transport-version kind serial challenge factors 1C`. The card answers the data of
/// [`import_key`] for this receiver and this challenge alone.
#[derive(Clone, Copy, Debug)]
pub struct ExportKey<'f> {
    /// Levels and kind of the key.
    pub usage: PsamKeyUsage,
    /// Version of the key.
    pub version: u8,
    /// Version of the transport key that both cards have.
    pub transport_version: u8,
    /// What the receiving card is.
    pub receiver_kind: ReceiverKind,
    /// Serial number of the receiving card.
    pub receiver_serial: [u8; 8],
    /// Challenge of 8 bytes that the receiving card drew.
    pub challenge: [u8; 8],
    /// Disperses the key first; it has as many levels fewer then.
    pub factors: &'f [[u8; 8]],
}

impl ExportKey<'_> {
    /// The command.
    ///
    /// # Errors
    /// Returns [`DataTooLong`] if the factors do not fit.
    pub fn command(&self) -> Result<CommandApdu, DataTooLong> {
        let data = [
            &[self.transport_version, self.receiver_kind.byte()],
            &self.receiver_serial[..],
            &self.challenge,
            self.factors.as_flattened(),
        ]
        .concat();
        let command = CommandApdu::new(header(0xC6, self.usage.byte(), self.version)).with_data(&data)?;
        Ok(command.with_le(Le::from_short_byte(WRAPPED_LEN)))
    }
}

/// IMPORT KEY: `84 C8 00 transport-version 1C data`, with the answer of [`ExportKey`] as data, right after the challenge.
///
/// # Errors
/// Returns [`DataTooLong`] if the data does not fit a command.
pub fn import_key(transport_version: u8, wrapped: &[u8]) -> Result<CommandApdu, DataTooLong> {
    let header: Header = header(0xC8, 0x00, transport_version);
    let class = header.class.with_proprietary_sm().expect("class 80 has a place for secure messaging");
    CommandApdu::new(Header { class, ..header }).with_data(wrapped)
}
