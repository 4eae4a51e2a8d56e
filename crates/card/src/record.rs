//! READ RECORD, UPDATE RECORD, APPEND RECORD.

use apdu::StatusWord;

use crate::command::Command;
use crate::file::{Body, ElementaryFile, Layout, Records};
use crate::line::Extent;
use crate::os::Os;
use crate::status::{Outcome, require};

/// How a command names a record, in the low three bits of P2.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum Addressing {
    /// `000`: P1 is the first byte of the record.
    Tag,
    /// `011`: the one before the current record. UPDATE RECORD of a cyclic file overwrites the oldest with it.
    Previous,
    /// `100`: P1 is the number of the record.
    Number,
}

impl Os {
    /// READ RECORD `00|04 B2 record (sfi << 3 | addressing)`. Number 1 of a cyclic file is the newest record.
    pub(crate) fn read_record(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let addressing = self.choose_records(command)?;
        let answer = self.begin_read(command, self.file()?.header)?;
        let records = records_of(self.file()?)?;
        let number = number_of(records, addressing, command.header.p1)?;
        let content = records.by_number(number).ok_or(StatusWord::RECORD_NOT_FOUND)?;
        self.end_read(command, &answer, (Extent::Record, content), out)
    }

    /// UPDATE RECORD `00|04 DC record (sfi << 3 | addressing) Lc data`. A cyclic file takes it only as "previous", with
    /// record `00`: the newest record is written over the oldest. The number after the last record adds one.
    pub(crate) fn update_record(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        let addressing = self.choose_records(command)?;
        let file = self.file()?;
        let records = records_of(file)?;
        let is_cyclic = matches!(records.layout, Layout::Cyclic { .. });
        require(is_cyclic == (addressing == Addressing::Previous), StatusWord::WRONG_P1_P2)?;
        let number = match addressing {
            Addressing::Previous => {
                command.expect_p1(0x00)?;
                None
            }
            _ => Some(number_of(records, addressing, command.header.p1)?),
        };
        let data = self.begin_write(command, file.header)?;
        self.commit_records(|records| match number {
            Some(number) => records.update(number, &data),
            None => records.append(&data),
        })
    }

    /// APPEND RECORD `00|04 E2 00 (sfi << 3) Lc data`; the addressing `100` is taken too. In a cyclic file the new record becomes number 1.
    pub(crate) fn append_record(&mut self, command: &Command<'_>, _: &mut Vec<u8>) -> Outcome {
        command.expect_p1(0x00)?;
        let addressing = self.choose_records(command)?;
        require(addressing != Addressing::Previous, StatusWord::WRONG_P1_P2)?;
        let data = self.begin_write(command, self.file()?.header)?;
        self.commit_records(|records| records.append(&data))
    }

    /// Makes the addressed file current and reads how the record is named.
    pub(crate) fn choose_records(&mut self, command: &Command<'_>) -> Result<Addressing, StatusWord> {
        let addressing = match command.header.p2 & 0b111 {
            0b000 => Addressing::Tag,
            0b011 => Addressing::Previous,
            0b100 => Addressing::Number,
            _ => return Err(StatusWord::WRONG_P1_P2),
        };
        self.choose_file(command.header.p2 >> 3)?;
        records_of(self.file()?)?;
        Ok(addressing)
    }

    fn commit_records(&mut self, change: impl FnOnce(&mut Records) -> Result<(), StatusWord>) -> Outcome {
        self.commit_file(|body| match body {
            Body::Records(records) => change(records).map(|()| StatusWord::OK),
            Body::Transparent(_) | Body::Wallet(_) => Err(StatusWord::FILE_STRUCTURE),
        })
    }
}

fn records_of(file: &ElementaryFile) -> Result<&Records, StatusWord> {
    match &file.body {
        Body::Records(records) => Ok(records),
        Body::Transparent(_) | Body::Wallet(_) => Err(StatusWord::FILE_STRUCTURE),
    }
}

pub(crate) fn number_of(records: &Records, addressing: Addressing, p1: u8) -> Result<u8, StatusWord> {
    match addressing {
        Addressing::Number => Ok(p1),
        Addressing::Tag => records.number_of_tag(p1).ok_or(StatusWord::RECORD_NOT_FOUND),
        Addressing::Previous => Err(StatusWord::WRONG_P1_P2),
    }
}
