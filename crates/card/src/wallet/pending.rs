//! A transaction between its two commands.

use apdu::StatusWord;

use super::compound::CachedRecord;
use super::{Account, Kind};
use crate::memory::KeyReference;
use crate::os::Os;
use crate::session::Pending;
use crate::status::NOT_INITIALISED;

/// What INITIALIZE leaves for the second command. No key is among it.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(super) account: Account,
    pub(super) kind: Kind,
    pub(super) key: KeyReference,
    /// Counter of the account as INITIALIZE told it.
    pub(super) sequence: u16,
    pub(super) random: [u8; 4],
    pub(super) amount: u32,
    pub(super) terminal: [u8; 6],
    /// Records that a compound purchase will write.
    pub(super) cache: Vec<CachedRecord>,
}

impl Transaction {
    pub(super) const fn code(&self) -> u8 {
        self.kind.code(self.account)
    }
}

impl Os {
    /// Takes the transaction that INITIALIZE has left, `6901` if there is none for which `fits` holds. It is over with
    /// that, whatever the command comes to.
    pub(super) fn take_transaction(
        &mut self,
        fits: impl FnOnce(Kind) -> bool,
    ) -> Result<Transaction, StatusWord> {
        match self.session.pending.take() {
            Some(Pending::Wallet(transaction)) if fits(transaction.kind) => Ok(transaction),
            _ => Err(NOT_INITIALISED),
        }
    }
}
