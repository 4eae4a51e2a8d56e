//! What only a SAM does: WRITE KEY of parent keys, INIT_FOR_DESCRYPT, DES CRYPT.

use core::fmt;

use apdu::StatusWord;
use tdea::{BLOCK_LEN, MacPadding, Mode, RetailMac, TdeaKey};

use crate::card_key::CardKey;
use crate::command::Command;
use crate::key_record::KeyRecord;
use crate::os::Os;
use crate::sam_key::{ALGORITHM, KEY_LEN, SamKey, Usage};
use crate::secure_messaging::MAC_LEN;
use crate::session::Pending;
use crate::status::{NOT_INITIALISED, Outcome, require};

/// What DES CRYPT may do with a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Operation {
    Encrypt,
    Mac,
}

impl Usage {
    /// Whether DES CRYPT may do `operation` with keys of this usage: types 5 and 6 make MACs, 7 encrypts, 8 does both.
    const fn allows(self, operation: Operation) -> bool {
        match operation {
            Operation::Encrypt => matches!(self.key_type(), 7 | 8),
            Operation::Mac => matches!(self.key_type(), 5 | 6 | 8),
        }
    }
}

/// The key of one user card, between INIT_FOR_DESCRYPT and the end of DES CRYPT. Any other command drops it.
pub(crate) struct DerivedKey {
    usage: Usage,
    key: TdeaKey,
    /// A MAC of which more parts are to come.
    mac: Option<RetailMac>,
}

impl fmt::Debug for DerivedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DerivedKey").field("usage", &self.usage).finish_non_exhaustive()
    }
}

impl Os {
    /// WRITE KEY of a SAM, `84 D4 00 00 1C E(13 || usage || version || algorithm || key || padding) || MAC4`, under the
    /// loading rules of every card. Type 0 is the master of the current directory, type 1 its line protection key, the
    /// version being its identifier; other types are parent keys for user cards. With another P1 it is
    /// [`write_key`](Self::write_key).
    pub(crate) fn write_key_to_sam(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        if command.header.p1 != 0x00 {
            return self.write_key(command, out);
        }
        command.expect_parameters(0x00, 0x00)?;
        require(command.is_protected(), StatusWord::SM_OBJECT_MISSING)?;
        let has_master = self.key_file()?.has_master();
        let data = self.controlled_data(command)?;
        let [usage, version, ALGORITHM, key @ ..] = data.as_slice() else {
            return Err(StatusWord::WRONG_DATA);
        };
        let (usage, version) = (Usage(*usage), *version);
        require(key.len() == KEY_LEN, StatusWord::WRONG_DATA)?;
        let key = TdeaKey::try_from(key).expect("16 bytes are a double-length key");
        match (usage.levels(), usage.key_type()) {
            (0, Usage::MASTER) => self.install(KeyRecord::master(CardKey::Double(key))),
            (_, Usage::MASTER) => Err(StatusWord::WRONG_DATA),
            _ if !has_master => Err(StatusWord::CONDITIONS_OF_USE),
            (0, Usage::MAINTENANCE) => self.install(KeyRecord::maintenance(version, CardKey::Double(key))),
            (_, Usage::MAINTENANCE) => Err(StatusWord::WRONG_DATA),
            _ => self.write_parent_key(SamKey::new(usage, version, key)),
        }
    }

    /// Writes a key that the card derives from.
    pub(crate) fn write_parent_key(&mut self, key: SamKey) -> Outcome {
        self.expect_issuer()?;
        let keys = self.key_file()?;
        self.expect_access(keys.add)?;
        let (usage, version) = key.name();
        let is_new = keys.find_sam_key(usage, version).is_none();
        let freed = if is_new { 0 } else { SamKey::COST };
        require(keys.has_room(SamKey::COST, freed), StatusWord::NOT_ENOUGH_MEMORY)?;
        self.commit_keys(|keys| keys.put_sam_key(key));
        if is_new { Ok(StatusWord::OK) } else { self.erase_past() }
    }

    /// INIT_FOR_DESCRYPT `80 1A usage version Lc factors`: derives the key that DES CRYPT then uses. There are exactly as
    /// many factors as the usage has levels: fewer would make a parent key encrypt, and its children are nothing but
    /// encrypted factors.
    pub(crate) fn init_for_descrypt(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let (usage, version) = (Usage(command.header.p1), command.header.p2);
        let (factors, rest) = command.data.as_chunks::<BLOCK_LEN>();
        require(rest.is_empty() && factors.len() == usize::from(usage.levels()), StatusWord::WRONG_LENGTH)?;
        let keys = self.directory().keys.as_ref();
        let key = keys.and_then(|keys| keys.find_sam_key(usage.0, version));
        let key = key.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        let key = key.child(self.profile.system().factors().in_order(factors));
        self.session.pending = Some(Pending::Derived(DerivedKey { usage, key, mac: None }));
        Ok(StatusWord::OK)
    }

    /// DES CRYPT `80 FA P1 00 Lc data`, data in whole blocks. The derived key is dropped after the last part.
    ///
    /// ```text
    /// P1  00  encrypt, last part     01  MAC, last part    07  MAC, first part: IV (8) and blocks
    ///     02  encrypt, more to come  03  MAC, next part    05  MAC, only part: IV (8) and blocks
    /// ```
    pub(crate) fn des_crypt(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let Some(Pending::Derived(mut derived)) = self.session.pending.take() else {
            return Err(NOT_INITIALISED);
        };
        require(command.header.p2 == 0x00, StatusWord::WRONG_P1_P2)?;
        let is_whole = !command.data.is_empty() && command.data.len().is_multiple_of(BLOCK_LEN);
        require(is_whole, StatusWord::WRONG_LENGTH)?;
        match command.header.p1 {
            0x00 => derived.encrypt(command, out)?,
            0x02 => {
                derived.encrypt(command, out)?;
                self.session.pending = Some(Pending::Derived(derived));
            }
            0x05 => derived.begin_mac(command)?.end_mac(command, out)?,
            0x07 => self.session.pending = Some(Pending::Derived(derived.begin_mac(command)?)),
            0x03 => self.session.pending = Some(Pending::Derived(derived.continue_mac(command.data)?)),
            0x01 => derived.continue_mac(command.data)?.end_mac(command, out)?,
            _ => return Err(StatusWord::WRONG_P1_P2),
        }
        Ok(StatusWord::OK)
    }
}

impl DerivedKey {
    fn encrypt(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), StatusWord> {
        let is_allowed = self.usage.allows(Operation::Encrypt) && self.mac.is_none();
        require(is_allowed, StatusWord::CONDITIONS_OF_USE)?;
        command.expect_room(command.data.len())?;
        out.extend_from_slice(command.data);
        self.key.cipher().encrypt(Mode::Ecb, out).expect("the data is whole blocks");
        Ok(())
    }

    fn begin_mac(mut self, command: &Command<'_>) -> Result<Self, StatusWord> {
        let is_allowed = self.usage.allows(Operation::Mac) && self.mac.is_none();
        require(is_allowed, StatusWord::CONDITIONS_OF_USE)?;
        let (iv, blocks) = command.data.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
        let mut mac =
            RetailMac::with_iv(&self.key, MacPadding::Zeros, *iv).expect("SAM keys are of double length");
        mac.update(blocks);
        self.mac = Some(mac);
        Ok(self)
    }

    fn continue_mac(mut self, blocks: &[u8]) -> Result<Self, StatusWord> {
        self.mac.as_mut().ok_or(NOT_INITIALISED)?.update(blocks);
        Ok(self)
    }

    fn end_mac(self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), StatusWord> {
        command.expect_room(MAC_LEN)?;
        let mac = self.mac.ok_or(NOT_INITIALISED)?.finalize().expect("no message length was announced");
        out.extend_from_slice(&mac.truncated::<MAC_LEN>());
        Ok(())
    }
}
