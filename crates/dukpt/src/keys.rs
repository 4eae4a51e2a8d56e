//! The keys above the working keys: base derivation, initial and transaction key.

use tdea::{Kcv, KeyLength, StrengthError, TdeaKey};

use crate::bulk::{Goal, Halves, Sealed};
use crate::counter::{Counter, CounterError};
use crate::derive;
#[cfg(feature = "alloc")]
use crate::guard::OriginatorId;
use crate::ksn::Ksn;
use crate::scheme::NamedKey;

tdea::key_type! {
    /// Base Derivation Key (BDK), double or triple length. Held by receiving sides and key-loading facilities, never by
    /// an originator: whoever has it has the keys of all originators of the key set.
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7, items 1 to 6.
    pub struct Bdk;
}

impl Bdk {
    /// Derives the Initial Key (IK) of one originator. The counter of `ksn` plays no part.
    ///
    /// `IK = E(BDK, id) || E(BDK ^ M, id)`, `M` = `C0C0C0C0 00000000` for each part of the key, `id` = first 8 bytes of
    /// the KSN, counter cleared. Parity is left as it comes.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.6 (X9.24-3:2017 C.7). For the receiving TRSM or a key-loading facility.
    ///
    /// # Errors
    /// Returns [`StrengthError`] if two parts of this key agree once parity is masked, or one is a weak DES key.
    ///
    /// # Examples
    /// ```
    /// use cardroot_dukpt::{Bdk, Ksn, tdea::TdeaKey};
    ///
    /// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
    /// let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    /// let initial_key = bdk.derive_initial_key(&ksn)?;
    /// assert_eq!(initial_key.kcv().to_string(), "AF8C07");
    /// # Ok::<(), cardroot_dukpt::tdea::StrengthError>(())
    /// ```
    pub fn derive_initial_key(&self, ksn: &Ksn) -> Result<InitialKey, StrengthError> {
        self.0.check_strength()?;
        Ok(self.initial_key(ksn))
    }

    /// Derives the key of one transaction from its name alone: [`derive_initial_key`](Self::derive_initial_key), then
    /// [`InitialKey::derive_transaction_key`].
    ///
    /// It remembers nothing and **accepts a replay like any other message**. For diagnosis, and for receivers without an
    /// allocator: those hold each counter against the last one accepted from the same originator, by
    /// [`Counter::follows`](crate::Counter::follows), and keep it where it outlives them. All others have `Receiver` do
    /// it (feature `alloc`).
    ///
    /// # Source
    /// ANS X9.24-1:2009 8.7, figure 1. For the receiving TRSM.
    ///
    /// # Errors
    /// Returns [`DeriveError::Strength`] if two parts of this key agree once parity is masked, or one is a weak DES key,
    /// [`DeriveError::Counter`] if the counter of `ksn` is zero or has more than ten ones.
    pub fn derive_transaction_key(&self, ksn: &Ksn) -> Result<TransactionKey, DeriveError> {
        Ok(self.derive_initial_key(ksn)?.transaction_key(ksn)?)
    }

    /// As [`derive_initial_key`](Self::derive_initial_key), for holders that judged the key once.
    pub(crate) fn initial_key(&self, ksn: &Ksn) -> InitialKey {
        InitialKey { key: derive::initial_key(&self.0, ksn), ksn: ksn.initial() }
    }
}

/// Initial Key (IK) with its name, the KSN with the counter cleared: the one is useless without the other, and wrong with
/// any other. Wiped on drop; `Debug` shows the name alone.
///
/// It is loaded into one originator, which keeps nothing of it. On the receiving side it need not be stored: the base
/// derivation key gives it again.
///
/// # Source
/// ANS X9.24-1:2009 8.7.2.1: initial key and key name are loaded together.
#[doc(alias = "IPEK")]
#[doc(alias = "IK")]
pub struct InitialKey {
    key: TdeaKey,
    ksn: Ksn,
}

/// A key that can't be an initial key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum InitialKeyError {
    /// The key is of triple length; derivation knows two halves only.
    #[error("an initial key is of double length")]
    TripleLength,
    /// The key is weaker than its length says.
    #[error("initial key refused")]
    Strength(#[from] StrengthError),
}

/// A transaction key that a key above it does not give.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeriveError {
    /// The key serial number names another originator than the initial key.
    #[error("the key serial number is of another originator")]
    OtherOriginator,
    /// The base derivation key is weaker than its length says.
    #[error("base derivation key refused")]
    Strength(#[from] StrengthError),
    /// No transaction may carry this counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
}

impl InitialKey {
    /// Takes an initial key that came by other ways than [`Bdk::derive_initial_key`], with the KSN that came along. The
    /// counter of `ksn` is cleared.
    ///
    /// # Errors
    /// Returns [`InitialKeyError`] if `key` is not of double length, has equal halves or a weak one.
    pub fn from_key(key: TdeaKey, ksn: &Ksn) -> Result<Self, InitialKeyError> {
        if key.length() != KeyLength::Double {
            return Err(InitialKeyError::TripleLength);
        }
        key.check_strength()?;
        Ok(Self { key, ksn: ksn.initial() })
    }

    /// Derives the key of one transaction, as the receiver does: one non-reversible step for each one in the counter,
    /// from the highest down.
    ///
    /// A step makes `DES(L', X ^ R') ^ R' || DES(L, X ^ R) ^ R` of the key `L || R`, `L' || R'` being the key XOR
    /// `C0C0C0C0 00000000` for each half and `X` the rightmost 64 bits of the KSN with the ones gathered so far.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.3, each step by A.2 "Non-reversible Key Generation Process" (X9.24-3:2017 C.4 and C.3.6). For
    /// the receiving TRSM.
    ///
    /// # Errors
    /// Returns [`DeriveError::OtherOriginator`] if `ksn` does not belong to this key, [`DeriveError::Counter`] if its
    /// counter is zero or has more than ten ones.
    pub fn derive_transaction_key(&self, ksn: &Ksn) -> Result<TransactionKey, DeriveError> {
        if ksn.initial() != self.ksn {
            return Err(DeriveError::OtherOriginator);
        }
        Ok(self.transaction_key(ksn)?)
    }

    /// As [`derive_transaction_key`](Self::derive_transaction_key), for a KSN known to belong to this key.
    pub(crate) fn transaction_key(&self, ksn: &Ksn) -> Result<TransactionKey, CounterError> {
        ksn.counter()?;
        Ok(TransactionKey::new(derive::transaction_key(&self.key, ksn), *ksn))
    }

    /// The name of the key: a KSN with the counter cleared.
    #[must_use]
    pub const fn ksn(&self) -> &Ksn {
        &self.ksn
    }

    /// The usual check value: 3 bytes of the zero block encrypted.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.key.kcv()
    }
}

impl Sealed for InitialKey {
    const GOAL: Goal<'static> = Goal::InitialKey;

    fn blank(ksn: &Ksn) -> Self {
        Self { key: TdeaKey::from([0; 16]), ksn: ksn.initial() }
    }

    #[inline]
    fn rename(&mut self, ksn: &Ksn) -> &mut Halves {
        self.ksn = ksn.initial();
        self.key.overwrite_double()
    }
}

/// The key of one transaction with its name, the KSN to send or received. Wiped on drop; `Debug` shows the name alone.
///
/// It encrypts nothing itself. Its methods give the working keys: those of the 2009 edition by their names, those of the
/// 2004 edition by names that say so.
///
/// # Source
/// ANS X9.24-1:2009 8.7 (current transaction key).
pub struct TransactionKey {
    key: TdeaKey,
    ksn: Ksn,
}

impl TransactionKey {
    /// Names a derived key.
    pub(crate) const fn new(key: TdeaKey, ksn: Ksn) -> Self {
        Self { key, ksn }
    }

    /// The name of the key, which goes with the message.
    #[must_use]
    pub const fn ksn(&self) -> &Ksn {
        &self.ksn
    }

    /// The usual check value: 3 bytes of the zero block encrypted.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.key.kcv()
    }
}

impl Sealed for TransactionKey {
    const GOAL: Goal<'static> = Goal::TransactionKey;

    fn blank(ksn: &Ksn) -> Self {
        Self { key: TdeaKey::from([0; 16]), ksn: *ksn }
    }

    #[inline]
    fn rename(&mut self, ksn: &Ksn) -> &mut Halves {
        self.ksn = *ksn;
        self.key.overwrite_double()
    }
}

impl NamedKey for TransactionKey {
    type Ksn = Ksn;
    type Counter = Counter;

    fn ksn(&self) -> &Ksn {
        self.ksn()
    }

    #[cfg(feature = "alloc")]
    fn originator(&self) -> OriginatorId {
        OriginatorId::from(self.ksn())
    }
}

/// What keys with names have in common, in both schemes: a key of type `$key`, and the public value `$name` that names it.
macro_rules! named_key {
    ($type:ident: $key:ty, $name:ident) => {
        impl $type {
            /// Compares key and name, the key in constant time.
            #[must_use]
            pub fn ct_eq(&self, other: &Self) -> bool {
                self.key.ct_eq(&other.key) & (self.$name == other.$name)
            }

            /// Shows the key without its purpose: for wrapping, loading, diagnosis and tests.
            #[must_use]
            pub const fn expose_key(&self) -> &$key {
                &self.key
            }
        }

        impl ::core::fmt::Debug for $type {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.debug_struct(stringify!($type))
                    .field(stringify!($name), &self.$name)
                    .finish_non_exhaustive()
            }
        }
    };
}
pub(crate) use named_key;

named_key!(InitialKey: TdeaKey, ksn);
named_key!(TransactionKey: TdeaKey, ksn);

#[cfg(test)]
mod tests {
    use alloc::format;
    use core::fmt::Debug;

    use zeroize::ZeroizeOnDrop;

    use super::*;
    use crate::Transaction;

    fn is_wiped_on_drop(_: &impl ZeroizeOnDrop) {}

    fn is_silent(secret: &impl Debug) {
        for shown in [format!("{secret:?}"), format!("{secret:#?}"), format!("{secret:#x?}")] {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }

    fn a5() -> TdeaKey {
        TdeaKey::from([0xA5; 16])
    }

    #[test]
    fn debug_shows_no_key_bytes() {
        let ksn = Ksn::from([0x11; 10]);
        is_silent(&Bdk::from_key(a5()));
        is_silent(&InitialKey { key: a5(), ksn });
        is_silent(&Transaction::new(TransactionKey::new(a5(), ksn), 0));
        is_silent(&crate::PinKey::from_key(a5()));
        is_silent(&crate::MacRequestKey::from_key(a5()));
        is_silent(&crate::MacResponseKey::from_key(a5()));
        is_silent(&crate::DataRequestKey::from_key(a5()));
        is_silent(&crate::DataResponseKey::from_key(a5()));
        is_silent(&crate::edition_2004::MacKey::from_key(a5()));
        is_silent(&crate::edition_2004::DataKey::from_key(a5()));
    }

    #[test]
    fn named_keys_are_wiped_on_drop() {
        let ksn = Ksn::from([0x11; 10]);
        let InitialKey { key, ksn: _ } = InitialKey { key: a5(), ksn };
        is_wiped_on_drop(&key);
        let TransactionKey { key, ksn: _ } = TransactionKey::new(a5(), ksn);
        is_wiped_on_drop(&key);
    }

    #[test]
    fn named_keys_show_their_names() {
        let (key, ksn) = (a5(), Ksn::from([0x11; 10]));
        assert_eq!(
            format!("{:?}", InitialKey { key, ksn }),
            "InitialKey { ksn: Ksn(11111111111111111111), .. }"
        );
        assert_eq!(
            format!("{:?}", TransactionKey::new(a5(), ksn)),
            "TransactionKey { ksn: Ksn(11111111111111111111), .. }"
        );
    }

    #[test]
    fn transaction_keys_are_equal_only_with_their_names() {
        let named = |name| TransactionKey::new(a5(), Ksn::from([name; 10]));
        assert!(named(0x11).ct_eq(&named(0x11)));
        assert!(!named(0x11).ct_eq(&named(0x22)));
        let other = TransactionKey::new(TdeaKey::from([0x5A; 16]), Ksn::from([0x11; 10]));
        assert!(!named(0x11).ct_eq(&other));
    }
}
