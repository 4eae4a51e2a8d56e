//! PIN UNBLOCK, RELOAD PIN, CHANGE PIN.

use super::header;
use super::wallet::PinReloadKey;
use crate::bytes::SecretBytes;
use crate::command::CommandApdu;
use crate::commands::PinLengthError;
use crate::secure::pboc::{Challenge, PinUnblockKey, Protection, protect};

/// Ends the old PIN in CHANGE PIN.
const SEPARATOR: u8 = 0xFF;

/// PIN UNBLOCK: `84 24 id 00 Lc E(length || PIN || padding) MAC4`. Sets the PIN `id` and gives its tries back, under the
/// unblock key of the same identifier.
///
/// # Errors
/// Returns [`PinLengthError`] unless the PIN is 2 to 6 bytes.
pub fn unblock_pin(
    id: u8,
    pin: &[u8],
    key: &PinUnblockKey,
    challenge: Challenge,
) -> Result<CommandApdu, PinLengthError> {
    check_length(pin)?;
    let command = CommandApdu::new(header(0x24, id, 0x00)).with_data(pin).expect("6 bytes at most");
    let protected = protect(&command, Protection::CipherAndMac, key, challenge);
    Ok(protected.expect("class 80 takes secure messaging and a PIN is short").command)
}

/// RELOAD PIN: `80 5E 00 id Lc PIN MAC4`. Sets the PIN and gives its tries back.
///
/// # Errors
/// Returns [`PinLengthError`] unless the PIN is 2 to 6 bytes.
///
/// # Security
/// The PIN goes over the link as it is, and there is no challenge: the command can be repeated by who has seen it.
pub fn reload_pin(id: u8, pin: &[u8], key: &PinReloadKey) -> Result<CommandApdu, PinLengthError> {
    check_length(pin)?;
    Ok(renew(0x00, id, &[pin, &key.mac(pin).truncated::<4>()]))
}

/// CHANGE PIN: `80 5E 01 id Lc old FF new`.
///
/// # Errors
/// Returns [`PinLengthError`] unless both PINs are 2 to 6 bytes.
///
/// # Security
/// Both PINs go over the link as they are.
pub fn change_pin(id: u8, old: &[u8], new: &[u8]) -> Result<CommandApdu, PinLengthError> {
    check_length(old)?;
    check_length(new)?;
    Ok(renew(0x01, id, &[old, &[SEPARATOR], new]))
}

fn renew(p1: u8, id: u8, parts: &[&[u8]]) -> CommandApdu {
    let mut data = SecretBytes::with_capacity(13);
    parts.iter().for_each(|part| data.extend(part));
    CommandApdu::new(header(0x5E, p1, id)).with_secret_data(data).expect("13 bytes at most")
}

const fn check_length(pin: &[u8]) -> Result<(), PinLengthError> {
    match pin.len() {
        2..=6 => Ok(()),
        found => Err(PinLengthError { found }),
    }
}
