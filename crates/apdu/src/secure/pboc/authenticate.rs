//! EXTERNAL AUTHENTICATE: the host proves that it has a key.

use subtle::ConstantTimeEq;
use tdea::BLOCK_LEN;
use tdea::hazmat::DesKey;

use super::challenge::Challenge;
use super::keys::AuthenticationKey;
use crate::command::CommandApdu;
use crate::commands;
use crate::secure::Rejected;

/// The answer to a challenge, 8 bytes. It is public.
#[derive(Clone, Copy, Debug)]
pub struct Cryptogram([u8; BLOCK_LEN]);

impl Cryptogram {
    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }
}

/// A challenge of 16 bytes, good for one command.
#[derive(Debug)]
pub struct LongChallenge(pub [u8; 2 * BLOCK_LEN]);

/// The cryptogram over a challenge: `E(key, challenge)`, a challenge of 4 bytes completed by zeros.
///
/// # Source
/// FMCOS 2.0 user manual, chapter 7.
///
/// # Examples
/// ```
/// use cardroot_apdu::secure::pboc::{CardKey, Challenge, ExternalAuthKey, external_cryptogram};
/// use tdea::hazmat::DesKey;
///
/// let key = CardKey::from(DesKey::try_from(&[0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08][..])?);
/// let challenge = Challenge::try_from(&[0xBB, 0x83, 0xBF, 0xF3][..])?;
/// let cryptogram = external_cryptogram(&ExternalAuthKey::from_key(key), challenge);
/// assert_eq!(cryptogram.as_bytes(), &[0x74, 0xB0, 0x04, 0x7D, 0xD6, 0x81, 0xD9, 0x6C]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub fn external_cryptogram(key: &impl AuthenticationKey, challenge: Challenge) -> Cryptogram {
    let mut block = challenge.into_block();
    key.card_key().encrypt(&mut block);
    Cryptogram(block)
}

/// Verifies a cryptogram, in the card that drew `challenge`, in constant time.
///
/// # Errors
/// Returns [`Rejected`] for any other bytes.
pub fn verify_external_cryptogram(
    key: &impl AuthenticationKey,
    challenge: Challenge,
    received: &[u8],
) -> Result<(), Rejected> {
    let Cryptogram(expected) = external_cryptogram(key, challenge);
    if bool::from(expected.as_slice().ct_eq(received)) { Ok(()) } else { Err(Rejected) }
}

/// EXTERNAL AUTHENTICATE: `00 82 00 id 08 cryptogram`.
#[must_use]
pub fn external_authenticate(key_id: u8, key: &impl AuthenticationKey, challenge: Challenge) -> CommandApdu {
    external_command(key_id, external_cryptogram(key, challenge).as_bytes())
}

/// EXTERNAL AUTHENTICATE over a challenge of 16 bytes: the two halves of `E(key, challenge)` XORed.
///
/// # Source
/// Toll collection (ETC) programs; no published value confirms it.
#[must_use]
pub fn external_authenticate_folded(
    key_id: u8,
    key: &impl AuthenticationKey,
    challenge: LongChallenge,
) -> CommandApdu {
    let LongChallenge(mut blocks) = challenge;
    key.card_key().encrypt(&mut blocks);
    let (left, right) = blocks.split_at(BLOCK_LEN);
    let folded: [u8; BLOCK_LEN] =
        core::array::from_fn(|i| left.get(i).zip(right.get(i)).map_or(0, |(l, r)| l ^ r));
    external_command(key_id, &folded)
}

/// EXTERNAL AUTHENTICATE in two steps: `00 82 00 id 10 E(process key, challenge) host-random`, with the process key
/// `E(key, host-random)` of 8 bytes.
///
/// # Source
/// Social security cards; which random has which role is as public sources have it, no published value confirms it.
#[must_use]
pub fn external_authenticate_two_step(
    key_id: u8,
    key: &impl AuthenticationKey,
    host_random: [u8; BLOCK_LEN],
    challenge: Challenge,
) -> CommandApdu {
    let process_key = DesKey::from_fill(|bytes| {
        *bytes = host_random;
        key.card_key().encrypt(bytes);
    });
    let mut cryptogram = challenge.into_block();
    process_key.encrypt_block(&mut cryptogram);
    let mut data = [0; 2 * BLOCK_LEN];
    data.iter_mut().zip(cryptogram.iter().chain(&host_random)).for_each(|(out, byte)| *out = *byte);
    external_command(key_id, &data)
}

pub(super) fn external_command(key_id: u8, data: &[u8]) -> CommandApdu {
    commands::external_authenticate(key_id, data).expect("16 bytes at most")
}
