//! What an originator with durable state can do in AES DUKPT alone.

use core::convert::Infallible;

use aeskey::AesKeyLength;
use pin::{EncryptIso4PinBlock, EncryptedIso4PinBlock, Iso4PanField, Iso4PinField};

use crate::aes::Transaction;
use crate::aes::keys::{StrongerThanParent, UpdateKey};
use crate::aes::originator::{UpdateKeyError, VolatileOriginator};
use crate::durable::rollback::Rollback;
use crate::durable::{self, DurableOriginator, OriginatorError, StateStore};

/// The originating side of AES DUKPT: a terminal or PIN pad, over a [store](StateStore) that outlives a power cut.
///
/// # Examples
/// ```
/// use cardroot_dukpt::aes::{Bdk, InitialKeyId, Originator, VolatileOriginator};
/// use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
/// use cardroot_dukpt::durable::{Device, DeviceKey, MemoryStore};
///
/// let bdk = Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes128, |key| {
///     key.copy_from_slice(&0xFEDCBA9876543210_F1F1F1F1F1F1F1F1_u128.to_be_bytes());
/// }));
/// let name = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56]);
/// let device = || Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
/// let mut store = MemoryStore::<{ VolatileOriginator::RECORD_LEN }>::new();
///
/// let mut terminal = Originator::load(&mut store, device(), bdk.derive_initial_key(&name))?;
/// assert_eq!(terminal.next_transaction()?.ksn().to_string(), "123456789012345600000001");
///
/// // Opened again, it goes on from where it was.
/// let mut terminal = Originator::open_named(&mut store, device(), &name)?;
/// let transaction = terminal.next_transaction()?;
/// let mac = transaction.key().mac_request_key(AesKeyLength::Aes128)?.mac(b"4012345678909D987");
/// assert_eq!(mac.truncated(), [0x4D, 0x10, 0x47, 0x04, 0xC5, 0x34, 0x91, 0xA6]);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub type Originator<S, R> = DurableOriginator<VolatileOriginator, S, R>;

/// What came of asking a customer for the PIN: a PIN block of format 4, if one was entered.
pub type PinEntry<'a> = durable::PinEntry<'a, EncryptedIso4PinBlock, Transaction>;

/// Why a PIN was not encrypted. Whatever it is, no counter is used twice.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PinEntryError<S, R> {
    /// The initial key is shorter than the PIN key asked for. No key was taken.
    #[error(transparent)]
    KeyLength(#[from] StrongerThanParent),
    /// The originator gives no key.
    #[error(transparent)]
    Originator(#[from] OriginatorError<S, R>),
}

impl<S: StateStore, R: Rollback> Originator<S, R> {
    /// Encrypts the PIN of a customer, for the account that goes with it, into a block of format 4, if a PIN was entered. If none was, no key is taken and
    /// nothing is written. The PIN key has `length`, which both sides agreed on.
    ///
    /// Blocks of formats 0, 1 and 3 are for TDEA: take a transaction for them by
    /// [`next_transaction`](Self::next_transaction), and its
    /// [`pin_key_tdea`](crate::aes::TransactionKey::pin_key_tdea).
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Generate Working Keys"; ISO 9564-1:2017 9.4.2.3 for format 4.
    ///
    /// # Errors
    /// Returns [`PinEntryError::KeyLength`] if `length` is above that of the initial key, else as
    /// [`next_transaction`](Self::next_transaction).
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::aes::{Bdk, InitialKeyId, Originator, VolatileOriginator};
    /// # use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
    /// # use cardroot_dukpt::durable::{Device, DeviceKey, MemoryStore};
    /// use cardroot_dukpt::aes::PinEntry;
    /// use cardroot_dukpt::pin::{Iso4PanField, Iso4PinField, Pan, Pin};
    /// use getrandom::{SysRng, rand_core::UnwrapErr};
    ///
    /// # let bdk = Bdk::from_key(AesKey::generate(AesKeyLength::Aes128, &mut UnwrapErr(SysRng)));
    /// # let name = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56]);
    /// # let device = Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
    /// # let store = MemoryStore::<{ VolatileOriginator::RECORD_LEN }>::new();
    /// let mut terminal = Originator::load(store, device, bdk.derive_initial_key(&name))?;
    /// let (pin, pan) = (Pin::from_ascii_digits(b"1234")?, Pan::from_ascii_digits(b"4111111111111111")?);
    /// let pan = Iso4PanField::encode(&pan);
    /// assert!(matches!(terminal.request_pin_entry(None, AesKeyLength::Aes128)?, PinEntry::NotEntered));
    ///
    /// let entered = Iso4PinField::encode(&pin, &mut UnwrapErr(SysRng));
    /// let PinEntry::Entered { block, transaction } =
    ///     terminal.request_pin_entry(Some((&entered, &pan)), AesKeyLength::Aes128)?
    /// else {
    ///     panic!("a PIN was entered")
    /// };
    /// assert_eq!(transaction.ksn().to_string(), "123456789012345600000001");
    /// # let _ = block;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub fn request_pin_entry(
        &mut self,
        entered: Option<(&Iso4PinField, &Iso4PanField)>,
        length: AesKeyLength,
    ) -> Result<PinEntry<'_>, PinEntryError<S::Error, R::Error>> {
        let Some((pin, pan)) = entered else { return Ok(PinEntry::NotEntered) };
        // Before a key is taken, or it would be lost.
        StrongerThanParent::check(self.machine().key_length(), length.bits())?;
        let transaction = self.next_transaction()?;
        let pin_key = transaction.key().pin_key(length).expect("the key is as long as the initial key");
        let block: Result<_, Infallible> = pin_key.encrypt_iso4_pin_block(pin, pan);
        let Ok(block) = block;
        Ok(PinEntry::Entered { block, transaction })
    }

    /// Derives the key under which a new initial key comes from the receiver. Nothing is written and no counter is used
    /// up.
    ///
    /// The new key, unwrapped, is an [`InitialKey`](crate::aes::InitialKey) with a new name, and
    /// [`renew`](Self::renew) puts it durably in the place of all that there is.
    ///
    /// # Source
    /// ANS X9.24-3:2017 B.6.3, "Update Initial Key"; see [`VolatileOriginator::update_key`].
    ///
    /// # Errors
    /// Returns [`UpdateKeyError::EndOfLife`] if the originator has ceased, [`UpdateKeyError::RegisterDamaged`] if the
    /// register that leads there fails its check.
    pub fn update_key(&self) -> Result<UpdateKey, UpdateKeyError> {
        self.machine().update_key()
    }

    /// Length of the initial key: no working key is longer.
    pub fn key_length(&self) -> AesKeyLength {
        self.machine().key_length()
    }
}
