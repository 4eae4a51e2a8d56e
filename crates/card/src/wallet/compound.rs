//! UPDATE CAPP DATA CACHE: records that a compound purchase writes, or nobody.

use core::fmt;

use apdu::StatusWord;

use super::Kind;
use crate::command::Command;
use crate::file::{Body, Layout, Records};
use crate::os::Os;
use crate::record::number_of;
use crate::secure_messaging::Protection;
use crate::session::Pending;
use crate::status::{Outcome, require};

/// Most records that a compound purchase writes.
const MAX_CACHED: usize = 8;

/// A record to be written when the purchase comes about.
pub(crate) struct CachedRecord {
    /// Place of the file in the current directory.
    file: usize,
    number: u8,
    data: Vec<u8>,
}

impl fmt::Debug for CachedRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CachedRecord").field("number", &self.number).finish_non_exhaustive()
    }
}

impl Os {
    /// UPDATE CAPP DATA CACHE `80 DC record (sfi << 3 | addressing) Lc data`, between INITIALIZE FOR CAPP PURCHASE and
    /// DEBIT: checks what UPDATE RECORD checks, and writes when DEBIT does. A refusal ends the purchase. The file has no
    /// line protection: a challenge would end the purchase too.
    pub(crate) fn cache_record(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let mut transaction = self.take_transaction(|kind| kind == Kind::Compound)?;
        let addressing = self.choose_records(command)?;
        let file = self.file()?;
        self.expect_access(file.header.write)?;
        require(file.header.protection == Protection::None, StatusWord::SM_OBJECT_MISSING)?;
        let Body::Records(records) = &file.body else { return Err(StatusWord::FILE_STRUCTURE) };
        require(!matches!(records.layout, Layout::Cyclic { .. }), StatusWord::FILE_STRUCTURE)?;
        let number = number_of(records, addressing, command.header.p1)?;
        require(transaction.cache.len() < MAX_CACHED, StatusWord::NOT_ENOUGH_MEMORY)?;
        let file = self.session.file.ok_or(StatusWord::NO_CURRENT_FILE)?;
        transaction.cache.push(CachedRecord { file, number, data: command.data.to_vec() });
        self.updated_files(&transaction.cache)?;
        self.session.pending = Some(Pending::Wallet(transaction));
        Ok(StatusWord::OK)
    }

    /// The files of the current directory as they are after these updates, in their order.
    pub(super) fn updated_files(&self, cache: &[CachedRecord]) -> Result<Vec<(usize, Records)>, StatusWord> {
        let mut files: Vec<(usize, Records)> = Vec::new();
        for update in cache {
            let place = match files.iter().position(|(index, _)| *index == update.file) {
                Some(place) => place,
                None => {
                    let file = self.directory().files.get(update.file).ok_or(StatusWord::FILE_NOT_FOUND)?;
                    let Body::Records(records) = &file.body else { return Err(StatusWord::FILE_STRUCTURE) };
                    files.push((update.file, records.clone()));
                    files.len() - 1
                }
            };
            let (_, records) = files.get_mut(place).expect("found or put there above");
            records.update(update.number, &update.data)?;
        }
        Ok(files)
    }
}
