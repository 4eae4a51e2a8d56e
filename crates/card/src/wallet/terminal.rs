//! The second commands of transactions with a terminal: DEBIT FOR PURCHASE, CASH WITHDRAW, CAPP PURCHASE.

use apdu::StatusWord;

use super::host::split;
use super::process_key::{des_mac, process_key};
use super::{Counter, Kind, Receipt, Settlement};
use crate::command::Command;
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::status::{INSUFFICIENT_FUNDS, Outcome, WRONG_MAC, require};

impl Os {
    /// DEBIT `80 54 01 00 0F terminal sequence(4) date(4) time(3) MAC1(4)`; answers `TAC(4) MAC2(4)`. With P1 `03` it is
    /// UNLOAD.
    pub(crate) fn debit(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        if command.header.p1 == 0x03 {
            return self.debit_unload(command, out);
        }
        let transaction = self.take_transaction(|kind| kind.counter() == Counter::Offline)?;
        command.expect_parameters(0x01, 0x00)?;
        let (terminal_sequence, rest) =
            command.data.split_first_chunk::<4>().ok_or(StatusWord::WRONG_LENGTH)?;
        let (moment, mac) = split(rest)?;
        let [_, _, tail @ ..] = *terminal_sequence;
        let record = self.memory().find_key(transaction.key).expect("no command came since INITIALIZE");
        let key = record.key().expect("only records of kind PIN hold a PIN");
        let key = process_key(key, &transaction, tail);
        let (amount, code) = (transaction.amount.to_be_bytes(), [transaction.code()]);
        let expected = des_mac(&key, &[&amount, &code, &transaction.terminal, &moment]);
        require(expected.verify(mac).is_ok(), WRONG_MAC)?;
        command.expect_room(2 * MAC_LEN)?;
        let mut book = *self.book(transaction.account)?;
        book.balance = book.balance.checked_sub(transaction.amount).ok_or(INSUFFICIENT_FUNDS)?;
        book.count(Counter::Offline)?;
        let mac = des_mac(&key, &[&amount]).truncated();
        let tac =
            self.tac(&[&amount, &code[..], &transaction.terminal, terminal_sequence, &moment].concat())?;
        book.receipt = Some(Receipt { mac, tac, ..transaction.receipt() });
        let files = match transaction.kind {
            Kind::Compound => self.updated_files(&transaction.cache)?,
            _ => Vec::new(),
        };
        let record = self.record(&transaction, &book, moment);
        self.settle(Settlement { account: transaction.account, book, record, files })?;
        out.extend(tac);
        out.extend(mac);
        Ok(StatusWord::OK)
    }
}
