//! One transaction of AES DUKPT, as either side sees it.

use crate::aes::keys::TransactionKey;
use crate::aes::ksn::Ksn;

/// One transaction: its key, and how far the counter has moved for it. The key is wiped on drop, so drop it when the
/// transaction is over.
#[derive(Debug)]
pub struct Transaction {
    key: TransactionKey,
    skipped_counters: u32,
}

impl Transaction {
    pub(super) const fn new(key: TransactionKey, skipped_counters: u32) -> Self {
        Self { key, skipped_counters }
    }

    /// The transaction key: it gives the working keys.
    #[must_use]
    pub const fn key(&self) -> &TransactionKey {
        &self.key
    }

    /// The key serial number that goes with the message.
    #[must_use]
    pub const fn ksn(&self) -> &Ksn {
        self.key.ksn()
    }

    /// How many counters were passed over since the transaction before. At the originator they are lost to registers
    /// that failed their check: anything but zero asks for maintenance. At the receiver they are transactions that never
    /// arrived, or were lost in this way.
    #[must_use]
    pub const fn skipped_counters(&self) -> u32 {
        self.skipped_counters
    }
}
