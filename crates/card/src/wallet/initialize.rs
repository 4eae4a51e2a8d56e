//! INITIALIZE FOR LOAD, UNLOAD, PURCHASE, CASH WITHDRAW, CAPP PURCHASE, UPDATE OVERDRAFT LIMIT.

use apdu::StatusWord;
use rand_core::CryptoRng;

use super::pending::Transaction;
use super::process_key::{HOST_TAIL, des_mac, process_key};
use super::{Account, Book, Counter, Kind};
use crate::command::Command;
use crate::key_record::{KeyKind, KeyRecord};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::secure_messaging::MAC_LEN;
use crate::session::Pending;
use crate::status::{COUNTER_EXHAUSTED, INSUFFICIENT_FUNDS, KEY_INDEX, Outcome, require};

/// Algorithm identifiers of transaction keys. Both mean DES or TDEA, by the length of the key; a card that was tried with others
/// answered MACs that are none.
const ALGORITHMS: [u8; 2] = [0x00, 0x01];

/// The data of INITIALIZE: `kid(1) amount(4) terminal(6)`, without amount for the overdraft.
struct Request {
    key_id: u8,
    amount: u32,
    terminal: [u8; 6],
}

impl Request {
    fn decode(kind: Kind, data: &[u8]) -> Result<Self, StatusWord> {
        match (kind, data) {
            (Kind::Overdraft, &[key_id, ref terminal @ ..]) => {
                let terminal = terminal.try_into().map_err(|_| StatusWord::WRONG_LENGTH)?;
                Ok(Self { key_id, amount: 0, terminal })
            }
            (_, &[key_id, a0, a1, a2, a3, ref terminal @ ..]) => {
                let terminal = terminal.try_into().map_err(|_| StatusWord::WRONG_LENGTH)?;
                Ok(Self { key_id, amount: u32::from_be_bytes([a0, a1, a2, a3]), terminal })
            }
            _ => Err(StatusWord::WRONG_LENGTH),
        }
    }
}

impl Os {
    /// INITIALIZE `80 50 P1 P2 Lc kid amount(4) terminal(6)`:
    ///
    /// ```text
    /// P1  00 load  01 purchase  02 cash  03 compound purchase  04 overdraft (without amount)  05 unload
    /// P2  01 deposit  02 purse
    /// load, unload              balance(4) online(2) version algorithm random(4) MAC1(4)
    /// overdraft                 balance(4) online(2) limit(3) version algorithm random(4) MAC1(4)
    /// purchase, cash, compound  balance(4) offline(2) limit(3) version algorithm random(4)
    /// ```
    pub(crate) fn initialize(
        &mut self,
        command: &Command<'_>,
        rng: &mut dyn CryptoRng,
        out: &mut Vec<u8>,
    ) -> Outcome {
        let account = Account::from_byte(command.header.p2).ok_or(StatusWord::WRONG_P1_P2)?;
        let kind = Kind::from_parameters(command.header.p1, account).ok_or(StatusWord::WRONG_P1_P2)?;
        let request = Request::decode(kind, command.data)?;
        let book = *self.book(account)?;
        self.expect_access(book.usage)?;
        require(!kind.needs_pin(account) || self.session.rights().pin, StatusWord::SECURITY_STATUS)?;
        let key = self.wallet_key(kind, request.key_id)?;
        self.log_of(&book)?;
        let sequence = book.sequence(kind.counter());
        require(sequence < u16::MAX, COUNTER_EXHAUSTED)?;
        expect_funds(kind, &book, request.amount)?;
        command.expect_room(answer_len(kind))?;
        let mut random = [0; 4];
        rng.fill_bytes(&mut random);
        let Request { amount, terminal, .. } = request;
        let cache = Vec::new();
        let transaction = Transaction { account, kind, key, sequence, random, amount, terminal, cache };
        self.write_answer(&transaction, &book, out);
        self.session.pending = Some(Pending::Wallet(transaction));
        Ok(StatusWord::OK)
    }

    /// The key of a transaction, `9403` if it is not there, `6985` if its algorithm is none that wallets have. Nothing starts
    /// without the key of the TAC.
    fn wallet_key(&self, kind: Kind, id: u8) -> Result<KeyReference, StatusWord> {
        let key = self.usable_key(kind.key(), id).map_err(|status| match status {
            StatusWord::REFERENCED_DATA_NOT_FOUND => KEY_INDEX,
            other => other,
        })?;
        self.tac_key()?;
        let record = self.memory().find_key(key).expect("a usable key is there");
        let [_, algorithm] = record.attributes();
        require(ALGORITHMS.contains(&algorithm), StatusWord::CONDITIONS_OF_USE)?;
        Ok(key)
    }

    /// The key of the TAC: the first of its kind, if it may be used now.
    pub(super) fn tac_key(&self) -> Result<&KeyRecord, StatusWord> {
        let keys = self.directory().keys.as_ref();
        let key = keys.and_then(|keys| keys.first(KeyKind::Tac));
        let key = key.ok_or(StatusWord::REFERENCED_DATA_NOT_FOUND)?;
        require(key.usage.permits(self.session.levels()), StatusWord::SECURITY_STATUS)?;
        Ok(key)
    }

    fn write_answer(&self, transaction: &Transaction, book: &Book, out: &mut Vec<u8>) {
        let record = self.memory().find_key(transaction.key).expect("a usable key is there");
        let counter = transaction.kind.counter();
        let balance = book.balance.to_be_bytes();
        out.extend(balance);
        out.extend(transaction.sequence.to_be_bytes());
        if counter == Counter::Offline || transaction.kind == Kind::Overdraft {
            out.extend(book.overdraft_bytes());
        }
        out.extend(record.attributes());
        out.extend(transaction.random);
        if counter == Counter::Online {
            let key = record.key().expect("only records of kind PIN hold a PIN");
            let process_key = process_key(key, transaction, HOST_TAIL);
            let amount = transaction.amount.to_be_bytes();
            let limit = book.overdraft_bytes();
            let what: &[u8] = if transaction.kind == Kind::Overdraft { &limit } else { &amount };
            let mac = des_mac(&process_key, &[&balance, what, &[transaction.code()], &transaction.terminal]);
            out.extend(mac.truncated::<MAC_LEN>());
        }
    }
}

const fn answer_len(kind: Kind) -> usize {
    match kind {
        Kind::Load | Kind::Unload => 16,
        Kind::Overdraft => 19,
        Kind::Purchase | Kind::Cash | Kind::Compound => 15,
    }
}

fn expect_funds(kind: Kind, book: &Book, amount: u32) -> Result<(), StatusWord> {
    match kind {
        Kind::Load => require(book.balance.checked_add(amount).is_some(), StatusWord::CONDITIONS_OF_USE),
        Kind::Overdraft => Ok(()),
        Kind::Unload | Kind::Purchase | Kind::Cash | Kind::Compound => {
            require(amount <= book.balance, INSUFFICIENT_FUNDS)
        }
    }
}
