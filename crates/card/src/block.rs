//! CARD BLOCK, APPLICATION BLOCK, APPLICATION UNBLOCK.

use apdu::StatusWord;

use crate::command::Command;
use crate::directory::{Directory, Lock, Path};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::secure_messaging::Protection;
use crate::status::{APPLICATION_LOCKED, Outcome, require};

/// Wrong APPLICATION UNBLOCKs in a row that lock the application for good.
const MAX_FAILED_UNBLOCKS: u8 = 3;

impl Os {
    /// CARD BLOCK `84 16 00 00 04 MAC`: from now on every command is answered `6A81`.
    pub(crate) fn block_card(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        self.expect_maintenance(command)?;
        self.commit(|memory| memory.blocked = true);
        Ok(StatusWord::OK)
    }

    /// APPLICATION BLOCK `84 1E 00 P2 04 MAC`: for a time (P2 `00`) or for good (`01`).
    pub(crate) fn block_application(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        let lock = match command.header.p2 {
            0x00 => Lock::Temporary,
            0x01 => Lock::Permanent,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        require(self.session.path != Path::MASTER_FILE, StatusWord::CONDITIONS_OF_USE)?;
        self.expect_maintenance(command)?;
        self.commit_here(|directory| directory.lock = lock);
        Ok(StatusWord::OK)
    }

    /// APPLICATION UNBLOCK `84 18 00 00 04 MAC`. Three wrong ones in a row lock the application for good.
    pub(crate) fn unblock_application(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_parameters(0x00, 0x00)?;
        require(self.directory().lock == Lock::Temporary, StatusWord::CONDITIONS_OF_USE)?;
        if self.directory().failed_unblocks >= MAX_FAILED_UNBLOCKS {
            // The power was cut between the last failure and what it leads to.
            self.commit_here(|directory| directory.lock = Lock::Permanent);
            return Err(APPLICATION_LOCKED);
        }
        // Counted as a failure until it is none.
        let failures = self.commit_here(Directory::count_unblock);
        match self.expect_maintenance(command) {
            Ok(()) => {
                self.commit_here(|directory| {
                    directory.failed_unblocks = 0;
                    directory.lock = Lock::Unlocked;
                });
                Ok(StatusWord::OK)
            }
            Err(StatusWord::SM_OBJECT_WRONG) if failures >= MAX_FAILED_UNBLOCKS => {
                self.commit_here(|directory| directory.lock = Lock::Permanent);
                Err(APPLICATION_LOCKED)
            }
            Err(StatusWord::SM_OBJECT_WRONG) => Err(StatusWord::SM_OBJECT_WRONG),
            Err(status) => {
                // Refused before the MAC was looked at.
                self.commit_here(|directory| directory.failed_unblocks -= 1);
                Err(status)
            }
        }
    }

    /// Demands a MAC over nothing but the header, by line protection key 00 of the current directory.
    fn expect_maintenance(&mut self, command: &Command<'_>) -> Result<(), StatusWord> {
        let key = KeyReference::line(self.session.path, 0x00);
        let body = self.open_message(command, key, Protection::Mac)?;
        require(body.is_empty(), StatusWord::WRONG_LENGTH)
    }
}
