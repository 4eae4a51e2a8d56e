#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(any(feature = "std", test))]
extern crate std;

#[cfg(feature = "alloc")]
pub mod audit;
#[cfg(feature = "std")]
mod block_on;
mod counter;
mod derive;
pub mod edition_2004;
#[cfg(feature = "alloc")]
pub mod guard;
#[cfg(feature = "alloc")]
mod incoming;
#[cfg(feature = "alloc")]
mod key_sets;
mod keys;
mod ksn;
#[cfg(feature = "std")]
mod memory_guard;
mod originator;
#[cfg(feature = "alloc")]
mod receiver;
mod register;
mod transaction;
mod working_keys;

pub use pin;
pub use tdea;

pub use crate::counter::{Counter, CounterError, EndOfLife, ReplayError};
#[cfg(feature = "alloc")]
pub use crate::incoming::{Accepted, Authentication, Claimable, Repeat, Unauthenticated};
#[cfg(feature = "alloc")]
pub use crate::key_sets::{KeySetError, KeySetId, KeySetIdError, KeySets, ReceiveError};
pub use crate::keys::{Bdk, DeriveError, InitialKey, InitialKeyError, TransactionKey};
pub use crate::ksn::{Ksn, KsnError};
pub use crate::originator::Originator;
#[cfg(feature = "alloc")]
pub use crate::receiver::{AcceptError, GuardError, Receiver};
pub use crate::transaction::Transaction;
pub use crate::working_keys::{
    DataRequestKey, DataResponseKey, MacRequestKey, MacResponseKey, PinKey, ZERO_IV,
};
