//! WRITE KEY of a user card, and the loading rules that a SAM shares.

use apdu::StatusWord;
use zeroize::Zeroizing;

use crate::command::Command;
use crate::directory::Path;
use crate::key_file::KeyFile;
use crate::key_record::{KeyKind, KeyRecord, KeyType, Writing};
use crate::memory::{KeyReference, Owner};
use crate::os::Os;
use crate::secure_messaging::Protection;
use crate::session::{Proof, Rights};
use crate::status::{Outcome, require};
use crate::system::KeyLayout;

/// P1 of a WRITE KEY that adds a key.
const ADD: u8 = 0x01;
/// No key has this identifier.
const NO_ID: u8 = 0xFF;

impl Os {
    /// WRITE KEY `80|84 D4 P1 kid Lc data`: P1 is `01` to add a key, or the type of the key to replace. The data is a
    /// key record, or under secure messaging `E(length || record || padding) || MAC4`.
    ///
    /// ```text
    /// what is written                  under control of
    /// card master                      its present value, at first the transport key
    /// first master of an application   the master of the directory above
    /// everything else                  the master of its directory
    /// ```
    ///
    /// Control is ciphertext and MAC under that master, or, for keys not marked as protected, a proof of that master by
    /// EXTERNAL AUTHENTICATE in this session. The access conditions of key file and key hold besides.
    ///
    /// # Source
    /// Provincial CPU-card system, section 6.1; FMCOS 2.0 user manual, 7.12.
    pub(crate) fn write_key(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        if self.profile.system().key_layout == KeyLayout::Header {
            return self.write_key_with_header(command);
        }
        let id = command.header.p2;
        require(id != NO_ID, StatusWord::WRONG_P1_P2)?;
        if command.header.p1 == ADD {
            self.add_key(command, id)
        } else {
            let key_type = KeyType::from_byte(command.header.p1, self.profile.system())
                .ok_or(StatusWord::WRONG_P1_P2)?;
            self.replace_key(command, key_type.kind, id)
        }
    }

    /// WRITE KEY `84 D4|E8 00 00 Lc E(length || id version algorithm type use follow change errors key || padding) || MAC4`.
    /// Whether it adds or replaces is the card's to see.
    fn write_key_with_header(&mut self, command: &Command<'_>) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        require(command.is_protected(), StatusWord::SM_OBJECT_MISSING)?;
        let has_master = self.key_file()?.has_master();
        let data = self.controlled_data(command)?;
        let record = KeyRecord::decode_with_header(&data, self.profile.system())?;
        require(has_master || record.is_master(), StatusWord::CONDITIONS_OF_USE)?;
        self.install(record)
    }

    /// Writes a key of which the command does not say whether it is there.
    pub(crate) fn install(&mut self, record: KeyRecord) -> Outcome {
        let (kind, id) = record.name();
        require(id != NO_ID, StatusWord::WRONG_DATA)?;
        match self.key_file()?.find(kind, id).map(|old| old.change) {
            Some(change) => {
                self.expect_access(change)?;
                self.check_replacement(&record, kind)?;
            }
            None if !record.is_master() => self.expect_access(self.key_file()?.add)?,
            None => {}
        }
        if !record.is_master() {
            self.expect_issuer()?;
        }
        self.store(record)
    }

    fn add_key(&mut self, command: &Command<'_>, id: u8) -> Outcome {
        self.expect_issuer()?;
        let is_first_master = !self.key_file()?.has_master();
        // The master above is all the control there can be over the first key of a directory.
        if is_first_master {
            require(id == KeyRecord::MASTER_ID, StatusWord::CONDITIONS_OF_USE)?;
        } else {
            self.expect_access(self.key_file()?.add)?;
        }
        let record = self.controlled_record(command, id)?;
        require(record.is_master() || !is_first_master, StatusWord::CONDITIONS_OF_USE)?;
        require(self.key_file()?.find(record.key_type.kind, id).is_none(), StatusWord::WRONG_DATA)?;
        self.store(record)
    }

    fn replace_key(&mut self, command: &Command<'_>, kind: KeyKind, id: u8) -> Outcome {
        let old = self.key_file()?.find(kind, id).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        let (writing, change, is_master) = (old.key_type.writing, old.change, old.is_master());
        require(command.is_protected() || writing == Writing::Any, StatusWord::SM_OBJECT_MISSING)?;
        self.expect_access(change)?;
        if !is_master {
            self.expect_issuer()?;
        }
        let record = self.controlled_record(command, id)?;
        self.check_replacement(&record, kind)?;
        self.store(record)
    }

    /// The record that the command brings. One that is marked as protected never comes in the clear, not even where nothing
    /// protected is there yet.
    fn controlled_record(&mut self, command: &Command<'_>, id: u8) -> Result<KeyRecord, StatusWord> {
        let record = KeyRecord::decode(id, &self.controlled_data(command)?, self.profile.system())?;
        let may_be_plain = record.key_type.writing == Writing::Any;
        require(command.is_protected() || may_be_plain, StatusWord::SM_OBJECT_MISSING)?;
        Ok(record)
    }

    /// The new record must be of the same kind, cipher and length, and a protected key stays protected. The transport key
    /// alone may give way to a longer key or one of another cipher.
    pub(crate) fn check_replacement(&self, record: &KeyRecord, kind: KeyKind) -> Result<(), StatusWord> {
        let old = self.key_file()?.find(kind, record.id).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        let fits = match (kind, self.memory().owner) {
            (KeyKind::Pin, _) => true,
            (_, Owner::Factory) => record.secret_len() >= old.secret_len(),
            (_, Owner::Issuer) => record.key().zip(old.key()).is_some_and(|(new, old)| new.is_like(old)),
        };
        let is_as_protected =
            old.key_type.writing == Writing::Any || record.key_type.writing == Writing::Protected;
        require(record.key_type.kind == kind && fits && is_as_protected, StatusWord::WRONG_DATA)
    }

    /// The data of the command, once the master in charge has control over it.
    pub(crate) fn controlled_data(
        &mut self,
        command: &Command<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        let path = self.path_of_master_in_charge()?;
        if command.is_protected() {
            self.open_message(command, KeyReference::master(path), Protection::Cipher)
        } else {
            require(self.session.has_proven_master(path), StatusWord::SECURITY_STATUS)?;
            Ok(Zeroizing::new(command.data.to_vec()))
        }
    }

    /// The current directory if it has a master, else the one above.
    fn path_of_master_in_charge(&self) -> Result<Path, StatusWord> {
        let here = self.session.path;
        if self.key_file()?.has_master() {
            Ok(here)
        } else {
            here.parent().ok_or(StatusWord::CONDITIONS_OF_USE)
        }
    }

    /// Writes a record in the place of the one with its name if there is one. A new value must prove itself: what the old one
    /// had opened is closed.
    pub(crate) fn store(&mut self, record: KeyRecord) -> Outcome {
        let (keys, (kind, id)) = (self.key_file()?, record.name());
        let old = keys.find(kind, id);
        require(keys.has_room(record.cost(), old.map_or(0, KeyRecord::cost)), StatusWord::NOT_ENOUGH_MEMORY)?;
        let outdated = old.and_then(|_| Proof::of(kind, id)).filter(|proof| self.session.has_proven(*proof));
        let (path, is_master, is_new) = (self.session.path, record.is_master(), old.is_none());
        self.commit(|memory| {
            if is_master && path == Path::MASTER_FILE {
                memory.owner = Owner::Issuer;
            }
            let keys = memory.root.at_mut(path).keys.as_mut().expect("the key file was there before");
            keys.put(record);
        });
        if is_master {
            self.session.set_rights(Rights::default());
        } else if let Some(proof) = outdated {
            self.session.forget(proof);
        }
        if is_new { Ok(StatusWord::OK) } else { self.erase_past() }
    }

    /// The key file of the current directory.
    pub(crate) fn key_file(&self) -> Result<&KeyFile, StatusWord> {
        self.directory().keys.as_ref().ok_or(StatusWord::FILE_NOT_FOUND)
    }

    /// Changes the key file of the current directory, which is there.
    pub(crate) fn commit_keys<T>(&mut self, change: impl FnOnce(&mut KeyFile) -> T) -> T {
        self.commit_here(|directory| {
            change(directory.keys.as_mut().expect("the caller has found the key file"))
        })
    }
}
