//! GET CHALLENGE, EXTERNAL AUTHENTICATE, INTERNAL AUTHENTICATE, VERIFY.

use apdu::StatusWord;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use tdea::BLOCK_LEN;
use tdea::hazmat::DesKey;
use zeroize::Zeroizing;

use crate::card_key::CardKey;
use crate::command::Command;
use crate::counter::Refusal;
use crate::key_record::{KeyKind, KeyRecord};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::session::{Challenge, Proof};
use crate::status::{Outcome, require};
use crate::system::AuthenticationForm;

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
        let is_folded = self.profile.system().authentication() == AuthenticationForm::Folded;
        let mut bytes = [0; 2 * BLOCK_LEN];
        let len = match command.le.map(apdu::Le::bytes) {
            Some(4) => 4,
            Some(8) => 8,
            Some(16) if is_folded => 16,
            _ => return Err(StatusWord::WRONG_LENGTH),
        };
        let drawn = bytes.get_mut(..len).expect("16 bytes at most");
        rng.fill_bytes(drawn);
        out.extend_from_slice(drawn);
        let block = *bytes.first_chunk().expect("two blocks begin with one");
        let challenge = if len == bytes.len() { Challenge::Long(bytes) } else { Challenge::Block(block) };
        self.session.challenge = Some(challenge);
        Ok(StatusWord::OK)
    }

    /// EXTERNAL AUTHENTICATE `00 82 00 kid Lc cryptogram`, with a key of type `39`, in the form of the card's system. An SM4
    /// key answers challenges of 16 bytes alone: `6985` to others.
    pub(crate) fn external_authenticate(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        let form = self.profile.system().authentication();
        let len = if form == AuthenticationForm::TwoStep { 2 * BLOCK_LEN } else { BLOCK_LEN };
        require(command.data.len() == len, StatusWord::WRONG_LENGTH)?;
        let challenge = match (form, command.challenge) {
            (AuthenticationForm::Folded, Some(challenge @ Challenge::Long(_)))
            | (
                AuthenticationForm::Block | AuthenticationForm::TwoStep,
                Some(challenge @ Challenge::Block(_)),
            ) => challenge,
            _ => return Err(StatusWord::CONDITIONS_OF_USE),
        };
        let key = self.usable_key(KeyKind::ExternalAuthentication, command.header.p2)?;
        let block_len = self.memory().find_key(key).and_then(KeyRecord::key).map_or(0, CardKey::block_len);
        require(block_len <= challenge.len(), StatusWord::CONDITIONS_OF_USE)?;
        self.attempt(key, |secret| {
            secret.key().is_some_and(|key| is_cryptogram(key, challenge, command.data))
        })
        .map_err(Refusal::status)?;
        self.session.prove(self.follow_state(key), Proof::of_external(key.id));
        Ok(StatusWord::OK)
    }

    /// VERIFY `00 20 00 kid 02-06 PIN`, with a PIN of type `3A`. A wrong one takes back what a right one has opened.
    pub(crate) fn verify_pin(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        require((2..=6).contains(&command.data.len()), StatusWord::WRONG_LENGTH)?;
        let pin = self.usable_key(KeyKind::Pin, command.header.p2)?;
        self.attempt_pin(pin, command.data)?;
        self.session.prove(self.follow_state(pin), Proof::Pin);
        Ok(StatusWord::OK)
    }

    /// A try of a PIN. A wrong one takes the proof back that a right one before it was.
    pub(crate) fn attempt_pin(&mut self, pin: KeyReference, given: &[u8]) -> Result<(), StatusWord> {
        self.attempt(pin, |secret| secret.is_pin(given)).map_err(|refusal| {
            if self.session.has_proven(Proof::Pin) {
                self.session.forget(Proof::Pin);
            }
            refusal.status()
        })
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
        let reference = self.usable_key(kind, command.header.p2)?;
        let record = self.memory().find_key(reference).expect("a usable key is there");
        let key = record.key().expect("only records of kind PIN hold a PIN");
        match kind {
            KeyKind::InternalMac => out.extend_from_slice(&key.mac([0; BLOCK_LEN], &[command.data])),
            _ => {
                out.extend_from_slice(command.data);
                if kind == KeyKind::InternalEncrypt { key.encrypt(out) } else { key.decrypt(out) }
            }
        }
        Ok(StatusWord::OK)
    }

    /// The state that proving the key leads to.
    fn follow_state(&self, key: KeyReference) -> u8 {
        self.memory().find_key(key).expect("a proven key is there").follow_state()
    }
}

/// Whether `data` is what EXTERNAL AUTHENTICATE must bring: two blocks are a cryptogram and the host's random number. The
/// comparison takes constant time.
fn is_cryptogram(key: &CardKey, challenge: Challenge, data: &[u8]) -> bool {
    let expected = match (challenge, data.split_first_chunk::<BLOCK_LEN>()) {
        (Challenge::Block(block), Some((_, []))) => {
            let mut block = Zeroizing::new(block);
            key.encrypt(&mut *block);
            block
        }
        (Challenge::Block(mut block), Some((_, random))) => {
            let process_key = DesKey::from_fill(|key_block| {
                key_block.iter_mut().zip(random).for_each(|(place, byte)| *place = *byte);
                key.encrypt(key_block);
            });
            process_key.encrypt_block(&mut block);
            Zeroizing::new(block)
        }
        (Challenge::Long(mut blocks), _) => {
            key.encrypt(&mut blocks);
            let (left, right) = blocks.split_at(BLOCK_LEN);
            let mut folded = Zeroizing::new([0; BLOCK_LEN]);
            let halves = left.iter().zip(right);
            folded.iter_mut().zip(halves).for_each(|(place, (left, right))| *place = left ^ right);
            folded
        }
        (Challenge::Block(_), None) => return false,
    };
    data.first_chunk::<BLOCK_LEN>().is_some_and(|cryptogram| expected.ct_eq(cryptogram).into())
}
