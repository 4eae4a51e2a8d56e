//! Access to elementary files: conditions and line protection, the same for bytes and for records.

use apdu::StatusWord;
use tdea::BLOCK_LEN;
use zeroize::Zeroizing;

use crate::command::Command;
use crate::file::{Body, ElementaryFile, FileHeader};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::secure_messaging::Protection;
use crate::status::{Outcome, require};

/// Most bytes of a file that a protected answer carries, as FMCOS has it. What is behind them is read by another offset.
const MAX_PROTECTED: usize = 239;

/// What is read.
#[derive(Clone, Copy)]
pub(crate) enum Extent {
    /// Bytes from an offset on: as many as come at once.
    Bytes,
    /// A record, of which there is no second part to be asked for.
    Record,
}

/// How the answer to a read is to travel.
pub(crate) enum Answer {
    Plain,
    Sealed {
        /** Line protection key. */
        key: KeyReference,
        /** Of the file. */
        protection: Protection,
        /** Of the command. */
        challenge: [u8; BLOCK_LEN],
    },
}

impl Os {
    /// The current elementary file, or the one with the short identifier `sfi`, which becomes current.
    pub(crate) fn choose_file(&mut self, sfi: u8) -> Result<(), StatusWord> {
        if sfi == 0 {
            return require(self.session.file.is_some(), StatusWord::NO_CURRENT_FILE);
        }
        let index = self.directory().find_short(sfi).ok_or(StatusWord::FILE_NOT_FOUND)?;
        self.session.file = Some(index);
        Ok(())
    }

    /// The current elementary file.
    pub(crate) fn file(&self) -> Result<&ElementaryFile, StatusWord> {
        let index = self.session.file.ok_or(StatusWord::NO_CURRENT_FILE)?;
        self.directory().files.get(index).ok_or(StatusWord::NO_CURRENT_FILE)
    }

    /// Changes the current elementary file; `change` changes all or, if it fails, nothing.
    pub(crate) fn commit_file<T>(
        &mut self,
        change: impl FnOnce(&mut Body) -> Result<T, StatusWord>,
    ) -> Result<T, StatusWord> {
        let index = self.session.file.ok_or(StatusWord::NO_CURRENT_FILE)?;
        self.commit_here(|directory| {
            change(&mut directory.files.get_mut(index).ok_or(StatusWord::NO_CURRENT_FILE)?.body)
        })
    }

    /// Checks a read command against the file: access condition, protection, MAC.
    pub(crate) fn begin_read(
        &mut self,
        command: &Command<'_>,
        file: FileHeader,
    ) -> Result<Answer, StatusWord> {
        self.expect_access(file.read)?;
        if !command.is_protected() {
            command.expect_no_data()?;
            require(file.reads_plain(), StatusWord::SM_OBJECT_MISSING)?;
            return Ok(Answer::Plain);
        }
        let protection = expect_protection(file)?;
        let key = KeyReference::line(self.session.path, file.read_key());
        let body = self.open_message(command, key, Protection::Mac)?;
        require(body.is_empty(), StatusWord::WRONG_LENGTH)?;
        let challenge = command.iv().ok_or(StatusWord::CONDITIONS_OF_USE)?;
        Ok(Answer::Sealed { key, protection, challenge })
    }

    /// Answers a read with as much of `content` as the command's Le says; Le counts the content, not its protection. A record
    /// that is too long for its protection is `6700`.
    pub(crate) fn end_read(
        &self,
        command: &Command<'_>,
        answer: &Answer,
        (extent, content): (Extent, &[u8]),
        out: &mut Vec<u8>,
    ) -> Outcome {
        match *answer {
            Answer::Plain => {
                let len = command.answer_len(content.len())?;
                out.extend(content.iter().take(len));
            }
            Answer::Sealed { key, protection, challenge } => {
                let available = match extent {
                    Extent::Bytes => content.len().min(MAX_PROTECTED),
                    Extent::Record => content.len(),
                };
                require(available <= self.sealed_room(key, protection), StatusWord::WRONG_LENGTH)?;
                let len = command.answer_len(available)?;
                let content = content.get(..len).expect("an answer is no longer than what is there");
                self.seal_answer(key, protection, challenge, content, out);
            }
        }
        Ok(StatusWord::OK)
    }

    /// Checks a write command against the file and returns its data: access condition, protection, MAC, cipher.
    pub(crate) fn begin_write(
        &mut self,
        command: &Command<'_>,
        file: FileHeader,
    ) -> Result<Zeroizing<Vec<u8>>, StatusWord> {
        self.expect_access(file.write)?;
        let data = match (command.is_protected(), file.protection) {
            (false, Protection::None) => Zeroizing::new(command.data.to_vec()),
            (false, _) => return Err(StatusWord::SM_OBJECT_MISSING),
            (true, _) => {
                let protection = expect_protection(file)?;
                let key = KeyReference::line(self.session.path, file.write_key());
                self.open_message(command, key, protection)?
            }
        };
        require(!data.is_empty(), StatusWord::WRONG_LENGTH)?;
        Ok(data)
    }
}

/// Secure messaging needs a file that was created for it.
fn expect_protection(file: FileHeader) -> Result<Protection, StatusWord> {
    require(file.protection != Protection::None, StatusWord::SECURE_MESSAGING_NOT_SUPPORTED)?;
    Ok(file.protection)
}
