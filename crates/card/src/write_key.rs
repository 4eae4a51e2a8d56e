//! WRITE KEY of a user card, and the loading rules that a SAM shares.

use apdu::StatusWord;
use zeroize::Zeroizing;

use crate::command::Command;
use crate::directory::Path;
use crate::key_file::KeyFile;
use crate::key_record::{KeyKind, KeyRecord, KeyType, Writing};
use crate::os::{Os, Owner};
use crate::secure_messaging::{KeyReference, Protection};
use crate::session::Rights;
use crate::status::{Outcome, require};

/// P1 of a WRITE KEY that adds a key.
const ADD: u8 = 0x01;

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
        let id = command.header.p2;
        require(id != 0xFF, StatusWord::WRONG_P1_P2)?;
        if command.header.p1 == ADD {
            self.add_key(command, id)
        } else {
            let key_type = KeyType::from_byte(command.header.p1).ok_or(StatusWord::WRONG_P1_P2)?;
            self.replace_key(command, key_type.kind, id)
        }
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
        let record = KeyRecord::decode(id, &self.controlled_data(command)?)?;
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
        let record = KeyRecord::decode(id, &self.controlled_data(command)?)?;
        self.check_replacement(&record, kind)?;
        self.store(record)
    }

    /// The new record must be of the same kind and length, and a protected key stays protected. The transport key
    /// alone may give way to a longer key.
    pub(crate) fn check_replacement(&self, record: &KeyRecord, kind: KeyKind) -> Result<(), StatusWord> {
        let old = self.key_file()?.find(kind, record.id).ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        let fits = match (kind, self.owner) {
            (KeyKind::Pin, _) => true,
            (_, Owner::Factory) => record.secret_len() >= old.secret_len(),
            (_, Owner::Issuer) => record.secret_len() == old.secret_len(),
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

    /// Writes a record in the place of the one with its name if there is one. A new master must prove itself: what its
    /// old value had opened is closed.
    pub(crate) fn store(&mut self, record: KeyRecord) -> Outcome {
        let keys = self.key_file()?;
        let freed = keys.find(record.key_type.kind, record.id).map_or(0, KeyRecord::cost);
        require(keys.has_room(record.cost(), freed), StatusWord::NOT_ENOUGH_MEMORY)?;
        if record.is_master() {
            self.session.set_rights(Rights::default());
            if self.session.path == Path::MASTER_FILE {
                self.owner = Owner::Issuer;
            }
        }
        self.key_file_mut()?.put(record);
        Ok(StatusWord::OK)
    }

    /// The key file of the current directory.
    pub(crate) fn key_file(&self) -> Result<&KeyFile, StatusWord> {
        self.directory().keys.as_ref().ok_or(StatusWord::FILE_NOT_FOUND)
    }

    pub(crate) fn key_file_mut(&mut self) -> Result<&mut KeyFile, StatusWord> {
        self.directory_mut().keys.as_mut().ok_or(StatusWord::FILE_NOT_FOUND)
    }
}
