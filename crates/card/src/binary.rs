//! READ BINARY and UPDATE BINARY.

use apdu::StatusWord;

use crate::command::Command;
use crate::file::{Body, ElementaryFile};
use crate::line::Extent;
use crate::os::Os;
use crate::profile::CardKind;
use crate::sam_purchase::TERMINAL_SEQUENCE;
use crate::status::{Outcome, require};

impl Os {
    /// READ BINARY `00|04 B0 (80|sfi) offset`, or `00|04 B0 offset (2)` for the current file.
    pub(crate) fn read_binary(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let offset = self.choose_bytes(command)?;
        let answer = self.begin_read(command, self.file()?.header)?;
        let content = bytes_of(self.file()?)?.get(offset..).unwrap_or_default();
        require(!content.is_empty(), StatusWord::WRONG_OFFSET)?;
        self.end_read(command, &answer, (Extent::Bytes, content), out)
    }

    /// UPDATE BINARY `00|04 D6 P1 P2 Lc data`, addressed like READ BINARY.
    pub(crate) fn update_binary(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let offset = self.choose_bytes(command)?;
        let file = self.file()?;
        require(offset < bytes_of(file)?.len(), StatusWord::WRONG_OFFSET)?;
        let (fid, old) = (file.header.fid, bytes_of(file)?.get(offset..).unwrap_or_default().to_vec());
        let data = self.begin_write(command, file.header)?;
        // A terminal's number that was used never comes again.
        let is_counter = self.profile.kind() == CardKind::Sam && fid == TERMINAL_SEQUENCE;
        require(!is_counter || old.get(..data.len()) <= Some(&*data), StatusWord::CONDITIONS_OF_USE)?;
        self.commit_file(|body| {
            let Body::Transparent(bytes) = body else { return Err(StatusWord::FILE_STRUCTURE) };
            let place = bytes.get_mut(offset..).and_then(|bytes| bytes.get_mut(..data.len()));
            place.ok_or(StatusWord::NOT_ENOUGH_MEMORY)?.copy_from_slice(&data);
            Ok(StatusWord::OK)
        })
    }

    /// Makes the addressed file current and returns the offset in it.
    fn choose_bytes(&mut self, command: &Command<'_>) -> Result<usize, StatusWord> {
        let (p1, p2) = (command.header.p1, command.header.p2);
        let (sfi, offset) = match p1 {
            0x00..=0x7F => (0, u16::from_be_bytes([p1, p2])),
            0x80..=0x9F => (p1 & 0x1F, u16::from(p2)),
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        self.choose_file(sfi)?;
        bytes_of(self.file()?)?;
        Ok(usize::from(offset))
    }
}

fn bytes_of(file: &ElementaryFile) -> Result<&[u8], StatusWord> {
    match &file.body {
        Body::Transparent(bytes) => Ok(bytes),
        Body::Records(_) | Body::Wallet(_) => Err(StatusWord::FILE_STRUCTURE),
    }
}
