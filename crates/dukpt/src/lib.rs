#![doc = include_str!("../README.md")]
#![no_std]

#[cfg(any(feature = "alloc", test))]
extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod bulk;
mod counter;
mod derive;
pub mod edition_2004;
#[cfg(feature = "alloc")]
pub mod guard;
mod keys;
mod ksn;
mod originator;
mod receiver;
mod register;
mod transaction;
mod working_keys;

pub use pin;
pub use tdea;

pub use crate::counter::{Counter, CounterError, EndOfLife, ReplayError};
pub use crate::keys::{Bdk, DeriveError, InitialKey, InitialKeyError, TransactionKey};
pub use crate::ksn::{Ksn, KsnError};
pub use crate::originator::Originator;
pub use crate::receiver::{AcceptError, Receiver};
pub use crate::transaction::Transaction;
pub use crate::working_keys::{
    DataRequestKey, DataResponseKey, MacRequestKey, MacResponseKey, PinKey, ZERO_IV,
};
