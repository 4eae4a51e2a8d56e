//! PIN UNBLOCK, RELOAD PIN, CHANGE PIN.

use apdu::StatusWord;

use crate::command::Command;
use crate::counter::Refusal;
use crate::directory::{Lock, Path};
use crate::key_record::{KeyKind, StoredPin};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::secure_messaging::{MAC_LEN, Protection};
use crate::session::Proof;
use crate::status::{APPLICATION_LOCKED, Outcome, WRONG_MAC, require};
use crate::wallet::des_mac;

/// Ends the old PIN in CHANGE PIN.
const SEPARATOR: u8 = 0xFF;

impl Os {
    /// PIN UNBLOCK `84 24 kid 00 0C|14 E(length || PIN || padding) MAC4`, or with parameters `00 01` for kid 00: sets the PIN
    /// with the identifier of the unblock key (type `37`) and gives its tries back. An unblock key that runs out of tries
    /// takes its application with it: `9303`.
    pub(crate) fn unblock_pin(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let id = match (command.header.p1, command.header.p2) {
            (id, 0x00) => id,
            (0x00, 0x01) => 0x00,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        let key = KeyReference { path: self.session.path, kind: KeyKind::PinUnblock, id };
        self.expect_pin(id)?;
        let body = self.open_message(command, key, Protection::Cipher).map_err(|status| match status {
            StatusWord::SM_OBJECT_WRONG | StatusWord::AUTHENTICATION_BLOCKED if self.is_locked(key) => {
                APPLICATION_LOCKED
            }
            other => other,
        })?;
        self.set_pin(id, StoredPin::decode(&body).ok_or(StatusWord::WRONG_DATA)?)
    }

    /// RELOAD PIN `80 5E 00 kid 06-0A PIN MAC4`, CHANGE PIN `80 5E 01 kid 05-0D old FF new`.
    pub(crate) fn renew_pin(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        match command.header.p1 {
            0x00 => self.reload_pin(command),
            0x01 => self.change_pin(command),
            _ => Err(StatusWord::WRONG_P1_P2),
        }
    }

    /// The MAC is over the PIN alone, under the halves of the reload key (type `38`) XORed: no challenge is in it, so a
    /// command that was seen once reloads the same PIN again.
    fn reload_pin(&mut self, command: &Command<'_>) -> Outcome {
        let (pin, mac) = command.data.split_last_chunk::<MAC_LEN>().ok_or(StatusWord::WRONG_LENGTH)?;
        require((2..=6).contains(&pin.len()), StatusWord::WRONG_LENGTH)?;
        let id = command.header.p2;
        self.expect_pin(id)?;
        let keys = self.directory().keys.as_ref();
        let key_id = keys.and_then(|keys| keys.first(KeyKind::PinReload)).map(|record| record.id);
        let key_id = key_id.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        let key = self.usable_key(KeyKind::PinReload, key_id)?;
        let is_right = |key: &crate::card_key::CardKey| des_mac(&key.folded(), &[pin]).verify(mac).is_ok();
        self.attempt(key, |secret| secret.key().is_some_and(is_right)).map_err(|refusal| match refusal {
            Refusal::Locked => StatusWord::AUTHENTICATION_BLOCKED,
            Refusal::Failed { .. } => WRONG_MAC,
        })?;
        self.set_pin(id, StoredPin::decode(pin).ok_or(StatusWord::WRONG_DATA)?)
    }

    fn change_pin(&mut self, command: &Command<'_>) -> Outcome {
        let separator = command.data.iter().position(|byte| *byte == SEPARATOR);
        let (old, new) = command.data.split_at(separator.ok_or(StatusWord::WRONG_DATA)?);
        let new = new.get(1..).unwrap_or_default();
        let lengths = 2..=6;
        require(lengths.contains(&old.len()) && lengths.contains(&new.len()), StatusWord::WRONG_LENGTH)?;
        let new = StoredPin::decode(new).ok_or(StatusWord::WRONG_DATA)?;
        let pin = self.usable_key(KeyKind::Pin, command.header.p2)?;
        self.attempt_pin(pin, old)?;
        self.set_pin(pin.id, new)
    }

    fn expect_pin(&self, id: u8) -> Result<(), StatusWord> {
        require(self.key_here(KeyKind::Pin, id).is_some(), StatusWord::REFERENCED_DATA_NOT_FOUND)
    }

    /// Replaces a PIN that is there and gives its tries back. What the old one has opened is closed.
    fn set_pin(&mut self, id: u8, pin: StoredPin) -> Outcome {
        let cost = self.key_here(KeyKind::Pin, id).map_or(0, |old| old.cost_with(&pin));
        let freed = self.key_here(KeyKind::Pin, id).map_or(0, crate::key_record::KeyRecord::cost);
        require(self.key_file()?.has_room(cost, freed), StatusWord::NOT_ENOUGH_MEMORY)?;
        self.commit_keys(|keys| keys.set_pin(id, pin));
        self.session.forget(Proof::Pin);
        self.erase_past()
    }

    /// Whether a key has no tries left, or its application is locked.
    fn is_locked(&self, key: KeyReference) -> bool {
        let counter = self.memory().find_key(key).map(|record| record.counter.left());
        counter == Some(0)
            || (key.path != Path::MASTER_FILE && self.memory().root.lock_along(key.path) == Lock::Permanent)
    }
}
