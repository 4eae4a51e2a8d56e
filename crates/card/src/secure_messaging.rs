//! Secure messaging of the PBOC family, the card's side.
//!
//! It is made on the block ciphers and shares nothing with `apdu::secure`, which has the host's side: a mistake on one side must
//! not hide behind the same mistake on the other.

use apdu::StatusWord;
use subtle::ConstantTimeEq;
use tdea::BLOCK_LEN;
use zeroize::Zeroizing;

use crate::card_key::CardKey;
use crate::command::Command;
use crate::counter::Refusal;
use crate::directory::{Lock, Path};
use crate::key_record::{KeyKind, KeyRecord, Secret};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::state::codec::{Reader, Stored, Writer};
use crate::status::require;

/// Length of a MAC in bytes.
pub(crate) const MAC_LEN: usize = 4;

/// How data travels.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Protection {
    /// In the clear.
    None,
    /// `data || MAC4`.
    Mac,
    /// `E(length || data || padding) || MAC4`, the MAC over the ciphertext.
    Cipher,
}

impl Stored for Protection {
    fn write(&self, out: &mut Writer) {
        out.byte(match self {
            Self::None => 0,
            Self::Mac => 1,
            Self::Cipher => 2,
        });
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(match input.byte()? {
            0 => Self::None,
            1 => Self::Mac,
            2 => Self::Cipher,
            _ => return None,
        })
    }
}

impl Os {
    /// Verifies the MAC of a command and takes its data out of the protection.
    ///
    /// The MAC is over `CLA INS P1 P2 Lc` and the data before it, chained from the challenge. A wrong one costs the key
    /// a try; a line protection key that runs out of tries takes its application with it.
    pub(crate) fn open_message(
        &mut self,
        command: &Command<'_>,
        reference: KeyReference,
        protection: Protection,
    ) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let (body, mac) = command.data.split_last_chunk::<MAC_LEN>().ok_or(StatusWord::WRONG_LENGTH)?;
        let challenge = command.iv().ok_or(StatusWord::CONDITIONS_OF_USE)?;
        let levels = self.session.levels();
        let record = self.memory().find_key(reference).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        require(record.usage.permits(levels), StatusWord::SECURITY_STATUS)?;
        let lc = [u8::try_from(command.data.len()).expect("short commands only")];
        let message: [&[u8]; 3] = [&command.header.bytes(), &lc, body];
        match self.attempt(reference, |secret| is_mac(secret, challenge, &message, mac)) {
            Ok(()) => {}
            Err(Refusal::Locked) => return Err(StatusWord::AUTHENTICATION_BLOCKED),
            Err(Refusal::Failed { left }) => {
                self.punish(reference, left);
                return Err(StatusWord::SM_OBJECT_WRONG);
            }
        }
        match protection {
            Protection::Cipher => {
                let record = self.memory().find_key(reference).expect("the key was there for the MAC");
                decipher(key_of(record), body)
            }
            Protection::Mac | Protection::None => Ok(Zeroizing::new(body.to_vec())),
        }
    }

    /// Writes `data` to `out`, which is empty, under the protection, with the challenge of its command.
    pub(crate) fn seal_answer(
        &self,
        reference: KeyReference,
        protection: Protection,
        challenge: [u8; BLOCK_LEN],
        data: &[u8],
        out: &mut Vec<u8>,
    ) {
        let key = key_of(self.memory().find_key(reference).expect("the key was there for the command's MAC"));
        match protection {
            Protection::None | Protection::Mac => out.extend_from_slice(data),
            Protection::Cipher => encipher(key, data, out),
        }
        let mac = key.mac(challenge, &[out]);
        out.extend_from_slice(&mac);
    }

    /// Most bytes of data that fit into an answer under the protection.
    pub(crate) fn sealed_room(&self, reference: KeyReference, protection: Protection) -> usize {
        const MAX_BODY: usize = 256 - MAC_LEN;
        let key = key_of(self.memory().find_key(reference).expect("the key was there for the command's MAC"));
        match protection {
            Protection::None | Protection::Mac => MAX_BODY,
            // Whole blocks, the length of the data among them.
            Protection::Cipher => MAX_BODY / key.block_len() * key.block_len() - 1,
        }
    }

    fn punish(&mut self, reference: KeyReference, left: u8) {
        let is_application = reference.path != Path::MASTER_FILE;
        if matches!(reference.kind, KeyKind::LineProtection | KeyKind::PinUnblock)
            && left == 0
            && is_application
        {
            self.commit(|memory| memory.root.at_mut(reference.path).lock = Lock::Permanent);
        }
    }
}

fn is_mac(secret: &Secret, challenge: [u8; BLOCK_LEN], message: &[&[u8]], mac: &[u8; MAC_LEN]) -> bool {
    secret.key().is_some_and(|key| key.mac(challenge, message).ct_eq(mac).into())
}

fn key_of(record: &KeyRecord) -> &CardKey {
    record.key().expect("secure messaging never refers to a PIN")
}

/// `E(length || data || padding)` back into data.
pub(crate) fn decipher(key: &CardKey, body: &[u8]) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
    require(!body.is_empty() && body.len().is_multiple_of(key.block_len()), StatusWord::WRONG_DATA)?;
    let mut plain = Zeroizing::new(body.to_vec());
    key.decrypt(&mut plain);
    let len = data_len(&plain, key.block_len()).ok_or(StatusWord::WRONG_DATA)?;
    plain.copy_within(1..=len, 0);
    plain.truncate(len);
    Ok(plain)
}

/// Length of the data in `length || data || padding`. There may be a block of padding more than needed: senders
/// disagree about data that fills its last block.
fn data_len(plain: &[u8], block_len: usize) -> Option<usize> {
    let (len, rest) = plain.split_first()?;
    let len = usize::from(*len);
    match rest.get(len..)? {
        [] => Some(len),
        [0x80, zeros @ ..] if zeros.len() < block_len && zeros.iter().all(|byte| *byte == 0) => Some(len),
        _ => None,
    }
}

/// Writes `E(length || data || padding)` to `out`, which is empty; no padding where the last block is full.
pub(crate) fn encipher(key: &CardKey, data: &[u8], out: &mut Vec<u8>) {
    out.push(u8::try_from(data.len()).expect("protected answers are shorter than 256 bytes"));
    out.extend_from_slice(data);
    if !out.len().is_multiple_of(key.block_len()) {
        out.push(0x80);
        out.resize(out.len().next_multiple_of(key.block_len()), 0);
    }
    key.encrypt(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn padding_is_none_or_80_and_less_than_a_block_of_zeros() {
        let data_len = |plain: &[u8]| data_len(plain, BLOCK_LEN);
        assert_eq!(data_len(&[2, 1, 2]), Some(2));
        assert_eq!(data_len(&[2, 1, 2, 0x80, 0, 0, 0, 0]), Some(2));
        assert_eq!(data_len(&[2, 1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0]), Some(2));
        assert_eq!(data_len(&[0]), Some(0));
        for wrong in [
            &[][..],
            &[3, 1, 2],
            &[2, 1, 2, 0],
            &[2, 1, 2, 0x80, 1],
            &[2, 1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 1],
            &[2, 1, 2, 0x80, 0, 0, 0, 0, 0, 0, 0, 0],
        ] {
            assert_eq!(data_len(wrong), None, "{wrong:02X?}");
        }
    }
}
