//! Challenges, PINs and the card's own authentication.

use crate::command::{CommandApdu, DataTooLong, Repetition};
use crate::header::{Header, Instruction};
use crate::le::Le;

/// Length of a challenge.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ChallengeLength {
    /// 4 bytes, completed to a block by zeros.
    Four,
    /// 8 bytes, a whole block.
    Eight,
}

/// What a card of the PBOC family does in INTERNAL AUTHENTICATE: P1, which goes with the type of the key.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum InternalOperation {
    /// ECB encryption, with a key of type 30.
    Encrypt,
    /// ECB decryption, with a key of type 31.
    Decrypt,
    /// MAC of 4 bytes, with a key of type 32.
    Mac,
}

/// A PIN of less than 2 or more than 8 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a PIN is 2 to 8 bytes, found {found}")]
pub struct PinLengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// GET CHALLENGE: `00 84 00 00 Le`. What the card answers is good for the next command only.
#[must_use]
pub fn get_challenge(length: ChallengeLength) -> CommandApdu {
    let le = match length {
        ChallengeLength::Four => 4,
        ChallengeLength::Eight => 8,
    };
    CommandApdu::new(Header::iso(Instruction::GET_CHALLENGE, 0, 0))
        .with_le(Le::from_short_byte(le))
        .with_repetition(Repetition::Allowed)
}

/// VERIFY: `00 20 00 id Lc PIN`. The PIN goes to the card as it is, in the card's own coding (BCD in PBOC).
///
/// # Errors
/// Returns [`PinLengthError`] unless the PIN is 2 to 8 bytes.
pub fn verify(pin_id: u8, pin: &[u8]) -> Result<CommandApdu, PinLengthError> {
    check_pin_length(pin)?;
    let command = CommandApdu::new(Header::iso(Instruction::VERIFY, 0, pin_id));
    Ok(command.with_data(pin).expect("a PIN is at most 8 bytes"))
}

pub(super) const fn check_pin_length(pin: &[u8]) -> Result<(), PinLengthError> {
    match pin.len() {
        2..=8 => Ok(()),
        found => Err(PinLengthError { found }),
    }
}

/// EXTERNAL AUTHENTICATE: `00 82 00 id Lc cryptogram`, with a cryptogram that somebody else has made, such as a SAM or an
/// authentication card. [`secure::pboc`](crate::secure::pboc) makes it for who has the key.
///
/// # Errors
/// Returns [`DataTooLong`] over 65535 bytes.
pub fn external_authenticate(key_id: u8, cryptogram: &[u8]) -> Result<CommandApdu, DataTooLong> {
    CommandApdu::new(Header::iso(Instruction::EXTERNAL_AUTHENTICATE, 0, key_id)).with_data(cryptogram)
}

/// INTERNAL AUTHENTICATE: `00 88 P1 id Lc data`. Where T=0 holds the answer back it comes by `61XX`.
///
/// # Errors
/// Returns [`DataTooLong`] over 65535 bytes.
pub fn internal_authenticate(
    operation: InternalOperation,
    key_id: u8,
    data: &[u8],
) -> Result<CommandApdu, DataTooLong> {
    let p1 = match operation {
        InternalOperation::Encrypt => 0x00,
        InternalOperation::Decrypt => 0x01,
        InternalOperation::Mac => 0x02,
    };
    CommandApdu::new(Header::iso(Instruction::INTERNAL_AUTHENTICATE, p1, key_id)).with_data(data)
}
