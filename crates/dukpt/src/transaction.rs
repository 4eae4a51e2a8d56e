//! One transaction, as either side sees it.

use crate::keys::TransactionKey;
use crate::scheme::NamedKey;

/// One transaction: its key, and how far the counter has moved for it. The key is wiped on drop, so drop it when the
/// transaction is over.
///
/// `K` is the transaction key of the scheme: that of TDES DUKPT unless said otherwise.
#[derive(Debug)]
pub struct Transaction<K = TransactionKey> {
    key: K,
    skipped_counters: u32,
}

impl<K: NamedKey> Transaction<K> {
    pub(crate) const fn new(key: K, skipped_counters: u32) -> Self {
        Self { key, skipped_counters }
    }

    /// The transaction key: it gives the working keys.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The key serial number that goes with the message.
    #[must_use]
    pub fn ksn(&self) -> &K::Ksn {
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
