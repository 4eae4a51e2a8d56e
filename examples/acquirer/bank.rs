//! Who stands behind the acquirer: customers with their accounts, and the books. Another system than the host: it does not
//! crash with it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use cardroot::dukpt::TransactionKey;
use cardroot::dukpt::guard::{Claim, OriginatorId};
use cardroot::pin::{DecryptPinBlock, EncryptedPinBlock, Pan, Pin, PinBlockFormat};
use cardroot::smid::iso8583::Message;

use crate::Failure;
use crate::wire::{APPROVED, WRONG_PIN};

#[derive(Debug)]
pub struct Customer {
    pub pan: String,
    pub pin: String,
}

/// So many made-up customers, always the same.
pub fn customers(count: u32) -> Vec<Customer> {
    let customer = |number| Customer {
        pan: format!("62288800{number:08}"),
        pin: format!("{:04}", (number * 7919 + 1234) % 10_000),
    };
    (0..count).map(customer).collect()
}

#[derive(Debug)]
pub struct Bank {
    accounts: HashMap<String, Pin>,
    books: Mutex<Books>,
}

#[derive(Debug, Default)]
pub struct Books {
    entries: HashMap<(OriginatorId, u32), &'static str>,
    /// Sum of all that was approved.
    pub cents: u64,
    /// Entries made under a counter that had one.
    pub twice: u64,
}

impl Bank {
    pub fn new(customers: &[Customer]) -> Result<Self, Failure> {
        let account = |customer: &Customer| {
            Ok((customer.pan.clone(), Pin::from_ascii_digits(customer.pin.as_bytes())?))
        };
        let accounts = customers.iter().map(account).collect::<Result<_, Failure>>()?;
        Ok(Self { accounts, books: Mutex::default() })
    }

    /// Judges a transaction and books it under its counter. Returns the action code.
    pub fn book(&self, claim: &Claim, message: &Message, key: &TransactionKey) -> &'static str {
        let code = if self.is_right_pin(message, key) == Some(true) { APPROVED } else { WRONG_PIN };
        let cents = message.text(4).and_then(|cents| cents.parse::<u64>().ok()).unwrap_or_default();
        let mut books = self.books();
        if books.entries.insert((claim.originator, claim.counter), code).is_some() {
            books.twice += 1;
        }
        if code == APPROVED {
            books.cents += cents;
        }
        code
    }

    /// The action code of what was booked.
    pub fn booked(&self, claim: &Claim) -> Option<&'static str> {
        self.books().entries.get(&(claim.originator, claim.counter)).copied()
    }

    pub fn books(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_right_pin(&self, message: &Message, key: &TransactionKey) -> Option<bool> {
        let number = message.text(2)?;
        let account = self.accounts.get(number)?;
        let pan = Pan::from_ascii_digits(number.as_bytes()).ok()?;
        let block = EncryptedPinBlock::try_from(message.bytes(52)?).ok()?;
        let Ok(clear) = key.pin_key().decrypt_pin_block(block);
        Some(clear.decode(PinBlockFormat::Iso0, &pan).ok()?.ct_eq(account))
    }
}
