//! A message on its way through the receiver: each step is a type, and the key comes out at the end. `K` is the transaction
//! key of the scheme.

use crate::guard::{Claim, Refusal, RequestId, Verdict};
use crate::keys::TransactionKey;
use crate::scheme::{BaseKeys, NamedKey};
use crate::transaction::Transaction;

/// A message whose key is derived and of which nothing is known yet: anybody can send a key serial number.
///
/// Its key is there to find out whether the message is genuine, and for nothing else. Wiped on drop.
#[derive(Debug)]
#[must_use = "nothing is accepted yet"]
pub struct Unauthenticated<K: NamedKey = TransactionKey> {
    key: K,
    counter: K::Counter,
}

/// A message that may claim its counter. Wiped on drop.
///
/// It has no way to its key; the receiver gives that when the counter is accepted:
/// ```
/// use cardroot_dukpt::{Accepted, Claimable, PinKey};
/// fn pin_key(accepted: &Accepted) -> Option<PinKey> {
///     let Accepted::New { transaction, .. } = accepted else { return None };
///     Some(transaction.key().pin_key())
/// }
/// ```
/// ```compile_fail,E0599
/// use cardroot_dukpt::{Accepted, Claimable, PinKey};
/// fn pin_key(claimable: &Claimable) -> Option<PinKey> {
///     Some(claimable.key().pin_key())
/// }
/// ```
#[derive(Debug)]
#[must_use = "nothing is accepted yet"]
pub struct Claimable<K: NamedKey = TransactionKey> {
    message: Unauthenticated<K>,
    authentication: Authentication,
}

/// How a message proved that it comes from the originator that it names.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Authentication {
    /// It did not: it carries nothing to prove it with. Anybody may have sent it.
    Absent,
    /// By what only the holder of the transaction key can make: the caller's check held.
    Verified,
}

/// A message that is accepted. The keys in it are wiped on drop.
#[derive(Debug)]
#[must_use = "a repeat must not be done as a new transaction"]
pub enum Accepted<K: NamedKey = TransactionKey> {
    /// A new transaction: its counter is accepted for the first and only time, and that is durable.
    New {
        /// The transaction.
        transaction: Transaction<K>,
        /// The highest counter accepted before: above the transaction's own if the message came late and the policy
        /// allows it. `None` if there was none.
        previous: Option<K::Counter>,
    },
    /// The last request accepted from the originator, asked again: to be answered as it was, and not to be done again.
    Repeated(Repeat<K>),
}

/// The key of a transaction that was accepted before, for answering the same request again. Wiped on drop.
///
/// No [`Transaction`], so that it can't be done a second time by the code for new ones:
/// ```
/// use cardroot_dukpt::{Repeat, Transaction};
/// fn book(transaction: &Transaction) {}
/// fn answer_again(repeat: &Repeat) { let _ = repeat.key().mac_response_key(); }
/// ```
/// ```compile_fail,E0308
/// use cardroot_dukpt::{Repeat, Transaction};
/// fn book(transaction: &Transaction) {}
/// fn answer_again(repeat: &Repeat) { book(repeat) }
/// ```
#[derive(Debug)]
pub struct Repeat<K = TransactionKey> {
    key: K,
}

impl<K: NamedKey> Unauthenticated<K> {
    /// Names a key that was derived for `counter`.
    pub(crate) const fn new(key: K, counter: K::Counter) -> Self {
        Self { key, counter }
    }

    /// The name that came with the message.
    #[must_use]
    pub fn ksn(&self) -> &K::Ksn {
        self.key.ksn()
    }

    /// The claim that the message would make: for records of messages that were not genuine.
    #[must_use]
    pub fn claim(&self, request: RequestId) -> Claim {
        Claim { originator: self.key.originator(), counter: self.counter.into(), request }
    }

    /// Lets `verify` find out whether the message comes from its originator: by its MAC, or by decrypting what has a form
    /// to check. What `verify` returns comes out beside the message that may now claim its counter.
    ///
    /// `verify` fails for what is not genuine, and for nothing else. A wrong PIN or an unknown card in a genuine message
    /// has used its counter up like any other: judge that when the counter is accepted, or the message could be sent
    /// again until it fits.
    ///
    /// # Errors
    /// Returns the error of `verify`. The key is wiped, and the receiver's memory knows nothing of the message.
    pub fn authenticate<T, E>(self, verify: impl FnOnce(&K) -> Result<T, E>) -> Result<(Claimable<K>, T), E> {
        let proof = verify(&self.key)?;
        Ok((Claimable { message: self, authentication: Authentication::Verified }, proof))
    }

    /// For messages that carry nothing to prove themselves with, as a PIN block alone.
    ///
    /// # Security
    /// Whoever knows the name of an originator can then claim its counters: one forged message with a high counter, and
    /// every genuine message is refused from there on. Use it where the line itself is authenticated.
    pub const fn without_mac(self) -> Claimable<K> {
        Claimable { message: self, authentication: Authentication::Absent }
    }
}

impl<K: NamedKey> Claimable<K> {
    /// The name that came with the message.
    #[must_use]
    pub fn ksn(&self) -> &K::Ksn {
        self.message.ksn()
    }

    /// How the message proved itself.
    #[must_use]
    pub const fn authentication(&self) -> Authentication {
        self.authentication
    }

    /// The claim that accepting the message as `request` makes.
    #[must_use]
    pub fn claim(&self, request: RequestId) -> Claim {
        self.message.claim(request)
    }

    /// Gives the key to whom the memory's verdict gives it. The rules for counters are those of `keys`.
    pub(crate) fn judged(
        self,
        verdict: Verdict,
        keys: &impl BaseKeys<Key = K>,
    ) -> Result<Accepted<K>, Refusal> {
        let Self { message: Unauthenticated { key, counter }, .. } = self;
        match verdict {
            Verdict::Accepted { previous } => {
                // A message that came late skips nothing: the gap was reported by the one that overtook it.
                let (previous, skipped_counters) = keys.gap(counter, previous);
                Ok(Accepted::New { transaction: Transaction::new(key, skipped_counters), previous })
            }
            Verdict::Repeated => Ok(Accepted::Repeated(Repeat { key })),
            Verdict::Refused(refusal) => Err(refusal),
        }
    }
}

impl<K: NamedKey> Accepted<K> {
    /// The name that came with the message.
    #[must_use]
    pub fn ksn(&self) -> &K::Ksn {
        match self {
            Self::New { transaction, .. } => transaction.ksn(),
            Self::Repeated(repeat) => repeat.ksn(),
        }
    }

    /// The verdict of the memory: for records.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match self {
            Self::New { previous, .. } => Verdict::Accepted { previous: previous.map(Into::into) },
            Self::Repeated(_) => Verdict::Repeated,
        }
    }
}

impl<K: NamedKey> Repeat<K> {
    /// The transaction key, as it was given the first time.
    #[must_use]
    pub const fn key(&self) -> &K {
        &self.key
    }

    /// The name that came with the message.
    #[must_use]
    pub fn ksn(&self) -> &K::Ksn {
        self.key.ksn()
    }
}
