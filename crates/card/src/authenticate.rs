//! GET CHALLENGE, EXTERNAL AUTHENTICATE, INTERNAL AUTHENTICATE, VERIFY.

use apdu::StatusWord;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use tdea::BLOCK_LEN;
use zeroize::Zeroizing;

use crate::command::Command;
use crate::key_record::{KeyKind, KeyRecord};
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::session::Challenge;
use crate::status::{Outcome, require};

impl Os {
    /// GET CHALLENGE `00 84 00 00 04|08`. Four bytes count as eight with zeros behind them.
    pub(crate) fn get_challenge(
        &mut self,
        command: &Command<'_>,
        rng: &mut dyn CryptoRng,
        out: &mut Vec<u8>,
    ) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        command.expect_no_data()?;
        let mut challenge = [0; BLOCK_LEN];
        let drawn = match command.le.map(apdu::Le::bytes) {
            Some(4) => {
                challenge.first_chunk_mut::<4>().expect("a block has more than 4 bytes").as_mut_slice()
            }
            Some(8) => challenge.as_mut_slice(),
            _ => return Err(StatusWord::WRONG_LENGTH),
        };
        rng.fill_bytes(drawn);
        out.extend_from_slice(drawn);
        self.session.challenge = Some(Challenge(challenge));
        Ok(StatusWord::OK)
    }

    /// EXTERNAL AUTHENTICATE `00 82 00 kid 08 E(key, challenge)`, with a key of type `39`.
    pub(crate) fn external_authenticate(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        require(command.data.len() == BLOCK_LEN, StatusWord::WRONG_LENGTH)?;
        let challenge = command.challenge.ok_or(StatusWord::CONDITIONS_OF_USE)?;
        let record = self.usable_key_mut(KeyKind::ExternalAuthentication, command.header.p2)?;
        let is_expected = |expected: Zeroizing<[u8; BLOCK_LEN]>| expected.ct_eq(command.data).into();
        record
            .attempt(|secret| secret.key().is_some_and(|key| is_expected(key.cryptogram(challenge))))
            .map_err(|refusal| refusal.status())?;
        let (level, master) = (record.follow_state(), record.is_master());
        self.session.prove(level, master);
        Ok(StatusWord::OK)
    }

    /// VERIFY `00 20 00 kid 02-06 PIN`, with a PIN of type `3A`.
    pub(crate) fn verify_pin(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        require((2..=6).contains(&command.data.len()), StatusWord::WRONG_LENGTH)?;
        let record = self.usable_key_mut(KeyKind::Pin, command.header.p2)?;
        record.attempt(|secret| secret.is_pin(command.data)).map_err(|refusal| refusal.status())?;
        let level = record.follow_state();
        self.session.prove(level, false);
        Ok(StatusWord::OK)
    }

    /// INTERNAL AUTHENTICATE `00 88 P1 kid Lc data`: P1 `00` encrypts with a key of type `30`, `01` decrypts with
    /// `31`, `02` makes a MAC of 4 bytes with `32`, chained from zero.
    pub(crate) fn internal_authenticate(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let kind = match command.header.p1 {
            0x00 => KeyKind::InternalEncrypt,
            0x01 => KeyKind::InternalDecrypt,
            0x02 => KeyKind::InternalMac,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        let whole_blocks = command.data.len().is_multiple_of(BLOCK_LEN) || kind == KeyKind::InternalMac;
        require(!command.data.is_empty() && whole_blocks, StatusWord::WRONG_LENGTH)?;
        command.expect_room(if kind == KeyKind::InternalMac { MAC_LEN } else { command.data.len() })?;
        let record = self.usable_key_mut(kind, command.header.p2)?;
        let key = record.key().expect("only records of kind PIN hold a PIN");
        match kind {
            KeyKind::InternalMac => {
                out.extend_from_slice(&key.mac([0; BLOCK_LEN], &[command.data]).truncated::<MAC_LEN>())
            }
            _ => {
                out.extend_from_slice(command.data);
                if kind == KeyKind::InternalEncrypt { key.encrypt(out) } else { key.decrypt(out) }
            }
        }
        Ok(StatusWord::OK)
    }

    /// The key of the current directory, if it may be used now.
    fn usable_key_mut(&mut self, kind: KeyKind, id: u8) -> Result<&mut KeyRecord, StatusWord> {
        let levels = self.session.levels();
        let record = self.directory_mut().keys.as_mut().and_then(|keys| keys.find_mut(kind, id));
        let record = record.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        require(record.usage.permits(levels), StatusWord::SECURITY_STATUS)?;
        Ok(record)
    }
}
