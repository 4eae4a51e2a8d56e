//! The second commands of transactions with the host: CREDIT FOR LOAD, UNLOAD, UPDATE OVERDRAFT LIMIT.

use apdu::StatusWord;
use tdea::hazmat::DesKey;

use super::pending::Transaction;
use super::process_key::{HOST_TAIL, des_mac, process_key};
use super::{Book, Counter, Kind, Moment, Receipt, Settlement};
use crate::command::Command;
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::status::{INSUFFICIENT_FUNDS, Outcome, WRONG_MAC, require};

impl Os {
    /// CREDIT FOR LOAD `80 52 00 00 0B date(4) time(3) MAC2(4)`; answers the TAC.
    pub(crate) fn credit_load(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let transaction = self.take_transaction(|kind| kind == Kind::Load)?;
        command.expect_parameters(0x00, 0x00)?;
        let (moment, mac) = split(command.data)?;
        let key = self.host_process_key(&transaction);
        let amount = transaction.amount.to_be_bytes();
        self.expect_mac2(&key, &transaction, &amount, &moment, mac)?;
        command.expect_room(MAC_LEN)?;
        let mut book = *self.book(transaction.account)?;
        book.balance = book.balance.checked_add(transaction.amount).ok_or(StatusWord::CONDITIONS_OF_USE)?;
        let tac = self.tac(&statement(&book, &transaction, &amount, &moment))?;
        self.finish_online(&transaction, book, moment, Receipt { tac, ..transaction.receipt() })?;
        out.extend(tac);
        Ok(StatusWord::OK)
    }

    /// UNLOAD `80 54 03 00 0B date(4) time(3) MAC2(4)`; answers MAC3, which is made like the TAC of a load but with the
    /// process key.
    pub(super) fn debit_unload(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let transaction = self.take_transaction(|kind| kind == Kind::Unload)?;
        command.expect_parameters(0x03, 0x00)?;
        let (moment, mac) = split(command.data)?;
        let key = self.host_process_key(&transaction);
        let amount = transaction.amount.to_be_bytes();
        self.expect_mac2(&key, &transaction, &amount, &moment, mac)?;
        command.expect_room(MAC_LEN)?;
        let mut book = *self.book(transaction.account)?;
        book.balance = book.balance.checked_sub(transaction.amount).ok_or(INSUFFICIENT_FUNDS)?;
        let mac = des_mac(&key, &[&statement(&book, &transaction, &amount, &moment)]).truncated();
        self.finish_online(&transaction, book, moment, Receipt { mac, ..transaction.receipt() })?;
        out.extend(mac);
        Ok(StatusWord::OK)
    }

    /// UPDATE OVERDRAFT LIMIT `80 58 00 00 0E limit(3) date(4) time(3) MAC2(4)`; answers the TAC. The limit is part of the
    /// balance, which changes with it; a limit below what is overdrawn is `9401`.
    pub(crate) fn update_overdraft(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Outcome {
        let transaction = self.take_transaction(|kind| kind == Kind::Overdraft)?;
        command.expect_parameters(0x00, 0x00)?;
        let (limit, rest) = command.data.split_first_chunk::<3>().ok_or(StatusWord::WRONG_LENGTH)?;
        let (moment, mac) = split(rest)?;
        let key = self.host_process_key(&transaction);
        self.expect_mac2(&key, &transaction, limit, &moment, mac)?;
        command.expect_room(MAC_LEN)?;
        let mut book = *self.book(transaction.account)?;
        let [l0, l1, l2] = *limit;
        let new_limit = u32::from_be_bytes([0, l0, l1, l2]);
        let own = i64::from(book.balance) - i64::from(book.overdraft);
        let balance = own + i64::from(new_limit);
        require(balance >= 0, INSUFFICIENT_FUNDS)?;
        book.balance = u32::try_from(balance).map_err(|_| StatusWord::CONDITIONS_OF_USE)?;
        book.overdraft = new_limit;
        let tac = self.tac(&statement(&book, &transaction, limit, &moment))?;
        self.finish_online(&transaction, book, moment, Receipt { tac, ..transaction.receipt() })?;
        out.extend(tac);
        Ok(StatusWord::OK)
    }

    fn host_process_key(&self, transaction: &Transaction) -> DesKey {
        let record = self.memory().find_key(transaction.key).expect("no command came since INITIALIZE");
        process_key(record.key().expect("only records of kind PIN hold a PIN"), transaction, HOST_TAIL)
    }

    /// MAC2 `what || type || terminal || date || time`
    fn expect_mac2(
        &self,
        key: &DesKey,
        transaction: &Transaction,
        what: &[u8],
        moment: &Moment,
        mac: &[u8],
    ) -> Result<(), StatusWord> {
        let expected = des_mac(key, &[what, &[transaction.code()], &transaction.terminal, moment]);
        require(expected.verify(mac).is_ok(), WRONG_MAC)
    }

    /// The transaction authorisation cryptogram: a MAC under the halves of its key XORed.
    pub(super) fn tac(&self, message: &[u8]) -> Result<[u8; MAC_LEN], StatusWord> {
        let key = self.tac_key()?.key().expect("only records of kind PIN hold a PIN").folded();
        Ok(des_mac(&key, &[message]).truncated())
    }

    fn finish_online(
        &mut self,
        transaction: &Transaction,
        mut book: Book,
        moment: Moment,
        receipt: Receipt,
    ) -> Result<(), StatusWord> {
        book.count(Counter::Online)?;
        book.receipt = Some(receipt);
        let record = self.record(transaction, &book, moment);
        self.settle(Settlement { account: transaction.account, book, record, files: Vec::new() })
    }
}

impl Transaction {
    /// Of a transaction for which the card makes neither MAC nor TAC: what it does make is filled in.
    pub(super) const fn receipt(&self) -> Receipt {
        Receipt { code: self.code(), sequence: self.sequence, mac: [0; MAC_LEN], tac: [0; MAC_LEN] }
    }
}

/// `balance after(4) || sequence(2) || what || type || terminal || date || time`
fn statement(book: &Book, transaction: &Transaction, what: &[u8], moment: &Moment) -> Vec<u8> {
    [
        &book.balance.to_be_bytes(),
        &transaction.sequence.to_be_bytes()[..],
        what,
        &[transaction.code()],
        &transaction.terminal,
        moment,
    ]
    .concat()
}

/// `date(4) time(3) MAC(4)`
pub(super) fn split(data: &[u8]) -> Result<(Moment, &[u8; MAC_LEN]), StatusWord> {
    let (moment, mac) = data.split_first_chunk().ok_or(StatusWord::WRONG_LENGTH)?;
    Ok((*moment, mac.try_into().map_err(|_| StatusWord::WRONG_LENGTH)?))
}
