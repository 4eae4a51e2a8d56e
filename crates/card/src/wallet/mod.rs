//! The wallet: electronic deposit (ED, file 0001) and electronic purse (EP, file 0002).
//!
//! A transaction is two commands: INITIALIZE answers a random number, the second command brings the MAC that the process
//! key of this very transaction makes. The process key is made anew in each of the two and kept by none. Whatever
//! comes in between, or a loss of power, ends the transaction.
//!
//! # Source
//! PBOC electronic purse and passbook, as FMCOS 2.0 has it.

mod compound;
mod host;
mod initialize;
mod inquiry;
mod pending;
mod process_key;
mod terminal;

use apdu::StatusWord;

pub(crate) use self::pending::Transaction;
pub(crate) use self::process_key::des_mac;
use crate::access::Access;
use crate::file::{Body, Layout, Records};
use crate::key_record::KeyKind;
use crate::os::Os;
use crate::state::codec::{Reader, Stored, Writer};
use crate::status::COUNTER_EXHAUSTED;
use crate::system::LogSequence;

/// Length of a record of the transaction log in bytes.
const RECORD_LEN: usize = 23;

/// One of the two accounts of an application.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Account {
    /// Electronic deposit, the passbook: asks for the PIN.
    Deposit,
    /// Electronic purse: pays without PIN.
    Purse,
}

impl Account {
    /// By P2 of a command.
    const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            0x01 => Some(Self::Deposit),
            0x02 => Some(Self::Purse),
            _ => None,
        }
    }

    /// By its file, whose identifier is as long as P2 but for the zeros.
    pub(crate) fn from_fid(fid: u16) -> Option<Self> {
        Self::from_byte(u8::try_from(fid).ok()?)
    }

    const fn fid(self) -> u16 {
        match self {
            Self::Deposit => 0x0001,
            Self::Purse => 0x0002,
        }
    }
}

/// What a transaction does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Load,
    Unload,
    Cash,
    Purchase,
    Overdraft,
    Compound,
}

/// Which of the two counters of an account numbers a transaction.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Counter {
    /// Transactions with the host.
    Online,
    /// Transactions with a terminal.
    Offline,
}

impl Kind {
    /// By P1 and P2 of INITIALIZE.
    const fn from_parameters(p1: u8, account: Account) -> Option<Self> {
        Some(match (p1, account) {
            (0x00, _) => Self::Load,
            (0x01, _) => Self::Purchase,
            (0x02, Account::Deposit) => Self::Cash,
            (0x03, Account::Purse) => Self::Compound,
            (0x04, Account::Deposit) => Self::Overdraft,
            (0x05, Account::Deposit) => Self::Unload,
            _ => return None,
        })
    }

    /// Transaction type, as it stands in MACs and records.
    const fn code(self, account: Account) -> u8 {
        match (self, account) {
            (Self::Load, Account::Deposit) => 0x01,
            (Self::Load, Account::Purse) => 0x02,
            (Self::Unload, _) => 0x03,
            (Self::Cash, _) => 0x04,
            (Self::Purchase, Account::Deposit) => 0x05,
            (Self::Purchase, Account::Purse) => 0x06,
            (Self::Overdraft, _) => 0x07,
            (Self::Compound, _) => 0x09,
        }
    }

    /// The account whose transactions have this type.
    const fn account_of(code: u8) -> Option<Account> {
        match code {
            0x01 | 0x03 | 0x04 | 0x05 | 0x07 => Some(Account::Deposit),
            0x02 | 0x06 | 0x09 => Some(Account::Purse),
            _ => None,
        }
    }

    const fn key(self) -> KeyKind {
        match self {
            Self::Load => KeyKind::Load,
            Self::Unload => KeyKind::Unload,
            Self::Cash | Self::Purchase | Self::Compound => KeyKind::Purchase,
            Self::Overdraft => KeyKind::Overdraft,
        }
    }

    const fn counter(self) -> Counter {
        match self {
            Self::Load | Self::Unload | Self::Overdraft => Counter::Online,
            Self::Cash | Self::Purchase | Self::Compound => Counter::Offline,
        }
    }

    /// Only the purse pays without the PIN.
    const fn needs_pin(self, account: Account) -> bool {
        !matches!((self, account), (Self::Purchase | Self::Compound, Account::Purse))
    }
}

/// What GET TRANSACTION PROVE answers about the last transaction of an account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Receipt {
    code: u8,
    /// As INITIALIZE told it.
    sequence: u16,
    mac: [u8; 4],
    tac: [u8; 4],
}

/// An account: file type `2F`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Book {
    /// Where the account may be used.
    usage: Access,
    /// Short identifier of the cyclic file for its transactions.
    log: u8,
    /// What can be spent, the overdraft limit included.
    balance: u32,
    overdraft: u32,
    /// Number of the next transaction with the host.
    online: u16,
    /// Number of the next transaction with a terminal.
    offline: u16,
    receipt: Option<Receipt>,
}

impl Book {
    /// Length of its body in bytes.
    pub(crate) const LEN: usize = 22;

    pub(crate) const fn new(usage: Access, log: u8) -> Self {
        Self { usage, log, balance: 0, overdraft: 0, online: 0, offline: 0, receipt: None }
    }

    const fn sequence(&self, counter: Counter) -> u16 {
        match counter {
            Counter::Online => self.online,
            Counter::Offline => self.offline,
        }
    }

    /// Counts a transaction: `9402` if the counter has come to its end.
    fn count(&mut self, counter: Counter) -> Result<(), StatusWord> {
        let sequence = match counter {
            Counter::Online => &mut self.online,
            Counter::Offline => &mut self.offline,
        };
        *sequence = sequence.checked_add(1).ok_or(COUNTER_EXHAUSTED)?;
        Ok(())
    }

    /// The overdraft limit as commands and records have it.
    const fn overdraft_bytes(&self) -> [u8; 3] {
        let [_, limit @ ..] = self.overdraft.to_be_bytes();
        limit
    }
}

impl Stored for Book {
    fn write(&self, out: &mut Writer) {
        self.usage.write(out);
        out.byte(self.log);
        out.put(&self.balance.to_be_bytes());
        out.put(&self.overdraft.to_be_bytes());
        out.number(self.online);
        out.number(self.offline);
        out.option(self.receipt.as_ref());
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            usage: Access::read(input)?,
            log: input.byte()?,
            balance: input.array().map(u32::from_be_bytes)?,
            overdraft: input.array().map(u32::from_be_bytes)?,
            online: input.number()?,
            offline: input.number()?,
            receipt: input.option()?,
        })
    }
}

impl Stored for Receipt {
    fn write(&self, out: &mut Writer) {
        out.byte(self.code);
        out.number(self.sequence);
        out.put(&self.mac);
        out.put(&self.tac);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            code: input.byte()?,
            sequence: input.number()?,
            mac: input.array()?,
            tac: input.array()?,
        })
    }
}

/// Date and time as the other side gives them: YYYYMMDD HHMMSS in BCD.
type Moment = [u8; 7];

/// All that a finished transaction changes.
struct Settlement {
    account: Account,
    book: Book,
    record: [u8; RECORD_LEN],
    /// Files that a compound purchase has changed, by their place in the directory.
    files: Vec<(usize, Records)>,
}

impl Os {
    /// The account in the current directory.
    fn book(&self, account: Account) -> Result<&Book, StatusWord> {
        let index = self.directory().find_file(account.fid()).ok_or(StatusWord::FILE_NOT_FOUND)?;
        match self.directory().files.get(index).map(|file| &file.body) {
            Some(Body::Wallet(book)) => Ok(book),
            _ => Err(StatusWord::FILE_NOT_FOUND),
        }
    }

    /// Where the log of an account is. Without it there is no transaction.
    fn log_of(&self, book: &Book) -> Result<usize, StatusWord> {
        let index = self.directory().find_short(book.log).ok_or(StatusWord::CONDITIONS_OF_USE)?;
        match self.directory().files.get(index).map(|file| &file.body) {
            Some(Body::Records(records)) => match records.layout {
                Layout::Cyclic { len, .. } if usize::from(len) == RECORD_LEN => Ok(index),
                _ => Err(StatusWord::CONDITIONS_OF_USE),
            },
            _ => Err(StatusWord::CONDITIONS_OF_USE),
        }
    }

    /// Balance, counter, receipt, log and cached records, all at once.
    fn settle(&mut self, settlement: Settlement) -> Result<(), StatusWord> {
        let Settlement { account, book, record, files } = settlement;
        let log = self.log_of(&book)?;
        let place = self.directory().find_file(account.fid()).ok_or(StatusWord::FILE_NOT_FOUND)?;
        self.commit_here(|directory| {
            for (index, records) in files {
                directory.files.get_mut(index).expect("the file was read before").body =
                    Body::Records(records);
            }
            directory.files.get_mut(place).expect("the account was read before").body = Body::Wallet(book);
            let log = &mut directory.files.get_mut(log).expect("the log was found before").body;
            if let Body::Records(log) = log {
                log.append(&record).expect("a cyclic file takes records of its length");
            }
        });
        Ok(())
    }

    /// `sequence(2) overdraft(3) amount(4) type(1) terminal(6) date(4) time(3)`
    fn record(&self, transaction: &Transaction, book: &Book, moment: Moment) -> [u8; RECORD_LEN] {
        let number = match self.profile.system().log_sequence() {
            LogSequence::BeforeIncrement => transaction.sequence,
            LogSequence::AfterIncrement => transaction.sequence.saturating_add(1),
        };
        let mut record = [0; RECORD_LEN];
        let parts: [&[u8]; 6] = [
            &number.to_be_bytes(),
            &book.overdraft_bytes(),
            &transaction.amount.to_be_bytes(),
            &[transaction.code()],
            &transaction.terminal,
            &moment,
        ];
        record.iter_mut().zip(parts.concat()).for_each(|(place, byte)| *place = byte);
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_ends_and_does_not_wrap() {
        for counter in [Counter::Online, Counter::Offline] {
            let mut book = Book::new(Access::ALWAYS, 0x18);
            (book.online, book.offline) = (0xFFFE, 0xFFFE);
            assert_eq!(book.count(counter), Ok(()));
            assert_eq!(book.count(counter), Err(COUNTER_EXHAUSTED));
            assert_eq!(book.sequence(counter), 0xFFFF);
        }
    }
}
