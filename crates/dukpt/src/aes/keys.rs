//! The keys above the working keys: base derivation, initial, transaction and update key.

use aeskey::{AesKey, AesKeyLength, Kcv, KcvError, KcvMethod};

use crate::aes::counter::{Counter, CounterError, OnesLimit};
use crate::aes::derive;
use crate::aes::ksn::{InitialKeyId, Ksn};
#[cfg(feature = "alloc")]
use crate::guard::OriginatorId;
use crate::keys::named_key;
use crate::scheme::NamedKey;

aeskey::key_type! {
    /// Base Derivation Key (BDK) of AES DUKPT. Held by receiving sides and key-loading facilities, never by an
    /// originator: whoever has it has the keys of all originators of the key set.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.1.
    ///
    /// # Examples
    /// It is no base derivation key of TDES DUKPT, not even with the same bytes:
    /// ```compile_fail,E0308
    /// use cardroot_dukpt::{Bdk, aes, tdea::TdeaKey};
    /// let bdk: aes::Bdk = Bdk::from_key(TdeaKey::from([0x25; 16]));
    /// ```
    pub struct Bdk;
}

impl Bdk {
    /// Derives the Initial Key (IK) of one originator, as long as this key.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.1 and B.5 (usage 8001). For the receiving TRSM or a key-loading facility.
    ///
    /// # Examples
    /// ```
    /// use cardroot_dukpt::aes::{Bdk, InitialKeyId};
    /// use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
    ///
    /// let bdk = Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| {
    ///     key.copy_from_slice(&0xFEDCBA9876543210_F1F1F1F1F1F1F1F1_u128.to_be_bytes());
    /// }));
    /// let id = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56]);
    /// let initial_key = bdk.derive_initial_key(&id);
    /// let published = 0x1273671EA26AC29A_FA4D1084127652A1_u128.to_be_bytes();
    /// assert_eq!(initial_key.expose_key().expose_bytes(), published);
    /// ```
    #[must_use]
    pub fn derive_initial_key(&self, id: &InitialKeyId) -> InitialKey {
        InitialKey { key: derive::initial_key(&self.0, id), id: *id }
    }

    /// Derives the key of one transaction from its name alone: [`derive_initial_key`](Self::derive_initial_key), then
    /// [`InitialKey::derive_transaction_key`].
    ///
    /// It remembers nothing and **accepts a replay like any other message**. For diagnosis, and for receivers without an
    /// allocator: those hold each counter against the last one accepted from the same originator, by
    /// [`Counter::follows`], and keep it where it outlives them. All others have `Receiver` do it (feature `alloc`).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.1 and 6.4. For the receiving TRSM.
    ///
    /// # Errors
    /// Returns [`CounterError`] if the counter of `ksn` is zero or has more ones than `limit`.
    pub fn derive_transaction_key(
        &self,
        ksn: &Ksn,
        limit: OnesLimit,
    ) -> Result<TransactionKey, CounterError> {
        Ok(self.derive_initial_key(&ksn.id()).transaction_key(ksn.counter_within(limit)?))
    }

    /// Derives the key under which a new initial key travels to an originator in the field. It is the same for the whole
    /// life of the initial key that it replaces, whatever the counter.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Update Initial Key". For the receiving TRSM.
    #[must_use]
    pub fn derive_update_key(&self, id: &InitialKeyId) -> UpdateKey {
        self.derive_initial_key(id).derive_update_key()
    }
}

/// A key would be stronger than the key it comes from: it would seem to protect what its parent does not.
///
/// TDEA keys of any length are weaker than AES keys of any length.
///
/// # Source
/// ANS X9.24-3:2017, and its supplement of test vectors for TDEA under AES-128.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key of {bits} bits would be stronger than the {} bits it is derived from", parent.bits())]
pub struct StrongerThanParent {
    /// Length of the derivation key.
    pub parent: AesKeyLength,
    /// Bits of the key asked for.
    pub bits: u16,
}

impl StrongerThanParent {
    pub(super) const fn check(parent: AesKeyLength, bits: u16) -> Result<(), Self> {
        if bits <= parent.bits() { Ok(()) } else { Err(Self { parent, bits }) }
    }
}

/// Initial Key (IK) of AES DUKPT with its name: the one is useless without the other, and wrong with any other. Wiped on
/// drop; `Debug` shows the name alone.
///
/// It is loaded into one originator, which keeps nothing of it. On the receiving side it need not be stored: the base
/// derivation key gives it again.
#[doc(alias = "IK")]
pub struct InitialKey {
    key: AesKey,
    id: InitialKeyId,
}

/// A transaction key that an initial key does not give.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DeriveError {
    /// The key serial number names another originator than the initial key.
    #[error("the key serial number is of another originator")]
    OtherOriginator,
    /// No transaction may carry this counter.
    #[error(transparent)]
    Counter(#[from] CounterError),
}

impl InitialKey {
    /// Takes an initial key that came by other ways than [`Bdk::derive_initial_key`], with its name.
    #[must_use]
    pub const fn from_key(key: AesKey, id: InitialKeyId) -> Self {
        Self { key, id }
    }

    /// Derives the key of one transaction, as the receiver does: one derivation for each one in the counter, from the
    /// highest down, each by the counter with the ones gathered so far.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.1 and 6.4 (usage 8000). For the receiving TRSM.
    ///
    /// # Errors
    /// Returns [`DeriveError::OtherOriginator`] if `ksn` does not belong to this key, [`DeriveError::Counter`] if its
    /// counter is zero or has more ones than `limit`.
    pub fn derive_transaction_key(&self, ksn: &Ksn, limit: OnesLimit) -> Result<TransactionKey, DeriveError> {
        if ksn.id() != self.id {
            return Err(DeriveError::OtherOriginator);
        }
        Ok(self.transaction_key(ksn.counter_within(limit)?))
    }

    /// As [`derive_transaction_key`](Self::derive_transaction_key), for a counter of this originator.
    pub(super) fn transaction_key(&self, counter: Counter) -> TransactionKey {
        let key = derive::steps(self.key.duplicate(), self.id, 0, counter.value());
        TransactionKey::new(key, Ksn::new(self.id, counter))
    }

    /// Derives the key under which a new initial key travels to the originator that has this one.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Update Initial Key". For the receiving TRSM.
    #[must_use]
    pub fn derive_update_key(&self) -> UpdateKey {
        UpdateKey::new(derive::steps(self.key.duplicate(), self.id, 0, Counter::UPDATE), self.id)
    }

    /// The name of the key.
    #[must_use]
    pub const fn id(&self) -> &InitialKeyId {
        &self.id
    }
}

/// The derivation key of one transaction with its name, the KSN to send or received. Wiped on drop; `Debug` shows the
/// name alone.
///
/// It encrypts nothing itself. Its methods give the [working keys](crate::aes#keys), each of the length asked for.
#[doc(alias = "derivation key")]
pub struct TransactionKey {
    key: AesKey,
    ksn: Ksn,
}

impl TransactionKey {
    /// Names a derived key.
    pub(super) const fn new(key: AesKey, ksn: Ksn) -> Self {
        Self { key, ksn }
    }

    /// The name of the key, which goes with the message.
    #[must_use]
    pub const fn ksn(&self) -> &Ksn {
        &self.ksn
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

/// The key under which a new initial key travels to an originator that is in the field. Wiped on drop; `Debug` shows the
/// name alone.
///
/// It is the derivation key of the counter `FFFFFFFF`, which no transaction has, and gives key encryption keys and nothing
/// else. [`VolatileOriginator::update_key`](crate::aes::VolatileOriginator::update_key) finds it on the other side.
///
/// # Source
/// ANS X9.24-3:2017 B.6.3, "Update Initial Key".
///
/// # Examples
/// ```
/// # use cardroot_dukpt::aes::{KeyEncryptionKey, StrongerThanParent, UpdateKey};
/// # use cardroot_dukpt::aeskey::AesKeyLength;
/// fn wrapping_key(update_key: &UpdateKey) -> Result<KeyEncryptionKey, StrongerThanParent> {
///     update_key.key_encryption_key(AesKeyLength::Aes128)
/// }
/// ```
/// No PIN is ever under it:
/// ```compile_fail,E0599
/// # use cardroot_dukpt::aes::{PinKey, StrongerThanParent, UpdateKey};
/// # use cardroot_dukpt::aeskey::AesKeyLength;
/// fn pin_key(update_key: &UpdateKey) -> Result<PinKey, StrongerThanParent> {
///     update_key.pin_key(AesKeyLength::Aes128)
/// }
/// ```
pub struct UpdateKey {
    key: AesKey,
    ksn: Ksn,
}

impl UpdateKey {
    pub(super) const fn new(key: AesKey, id: InitialKeyId) -> Self {
        Self { key, ksn: Ksn::with_counter_bits(id, Counter::UPDATE) }
    }

    /// The name of the key: the initial key identifier that it replaces, and `FFFFFFFF`.
    #[must_use]
    pub const fn ksn(&self) -> &Ksn {
        &self.ksn
    }
}

/// What AES keys with names have in common.
macro_rules! named_aes_key {
    ($type:ident, $name:ident) => {
        named_key!($type: AesKey, $name);

        impl $type {
            /// Length of the key.
            #[must_use]
            pub const fn length(&self) -> AesKeyLength {
                self.key.length()
            }

            /// The check value by `method`, `len` bytes of it.
            ///
            /// # Errors
            /// As [`AesKey::kcv_by`].
            pub fn kcv_by(&self, method: KcvMethod, len: usize) -> Result<Kcv, KcvError> {
                self.key.kcv_by(method, len)
            }
        }
    };
}

named_aes_key!(InitialKey, id);
named_aes_key!(TransactionKey, ksn);
named_aes_key!(UpdateKey, ksn);
