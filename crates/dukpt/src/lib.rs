#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

pub mod aes;
#[cfg(feature = "alloc")]
pub mod audit;
#[cfg(feature = "std")]
mod block_on;
pub mod bulk;
mod counter;
mod derive;
pub mod durable;
pub mod edition_2004;
#[cfg(feature = "alloc")]
pub mod guard;
#[cfg(feature = "alloc")]
mod incoming;
#[cfg(feature = "alloc")]
mod key_sets;
mod keys;
mod ksn;
pub mod legacy;
#[cfg(feature = "std")]
mod memory_guard;
mod originator;
#[cfg(feature = "alloc")]
mod receiver;
mod register;
mod scheme;
mod transaction;
mod working_keys;

pub use aeskey;
pub use pin;
pub use tdea;

pub use crate::counter::{Counter, CounterError, EndOfLife, ReplayError};
#[cfg(feature = "alloc")]
pub use crate::incoming::{Accepted, Authentication, Claimable, Repeat, Unauthenticated};
#[cfg(feature = "alloc")]
pub use crate::key_sets::{KeySetError, KeySetId, KeySetIdError, KeySets, ReceiveError};
pub use crate::keys::{Bdk, DeriveError, InitialKey, InitialKeyError, TransactionKey};
pub use crate::ksn::{Ksn, KsnError};
pub use crate::originator::VolatileOriginator;
#[cfg(feature = "alloc")]
pub use crate::receiver::{AcceptError, GuardError, Receiver};
pub use crate::transaction::Transaction;
pub use crate::working_keys::{
    DataRequestKey, DataResponseKey, MacRequestKey, MacResponseKey, PinKey, ZERO_IV,
};

/// The originating side of DUKPT: a terminal or PIN pad, over a [store](durable::StateStore) that outlives a power cut.
///
/// # Examples
/// ```
/// use cardroot_dukpt::durable::{Device, DeviceKey, MemoryStore};
/// use cardroot_dukpt::{Bdk, Ksn, Originator, VolatileOriginator, tdea::TdeaKey};
///
/// let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
/// let name = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
/// let device = || Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
/// let mut store = MemoryStore::<{ VolatileOriginator::RECORD_LEN }>::new();
///
/// let mut terminal = Originator::load(&mut store, device(), bdk.derive_initial_key(&name)?)?;
/// let transaction = terminal.next_transaction()?;
/// assert_eq!(transaction.ksn().to_string(), "FFFF9876543210E00001");
/// let mac: [u8; 4] = transaction.key().mac_request_key().mac(b"4012345678909D987").truncated();
/// assert_eq!(mac, [0x9C, 0xCC, 0x78, 0x17]);
///
/// // Opened again, it goes on from where it was.
/// let mut terminal = Originator::open_named(&mut store, device(), &name)?;
/// assert_eq!(terminal.next_transaction()?.ksn().to_string(), "FFFF9876543210E00002");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub type Originator<S, R> = durable::DurableOriginator<VolatileOriginator, S, R>;
