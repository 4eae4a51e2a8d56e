//! Originators whose state outlives a power cut: what is written where, in which order, and under which key.
//!
//! # Order
//! A transaction takes its key in memory, and keeps it there until all of this is done:
//! 1. the state after it, sealed, is durable in the store;
//! 2. the state before it is destroyed in the store: it holds the key's register;
//! 3. the device's counter against rollback has stepped, where there is one.
//!
//! A cut before 1 loses nothing. A cut after it loses the one counter whose key nobody saw. No cut leaves a store without
//! a state that opens, and none lets a key out twice. If a step fails without a cut, the key stays where it is and
//! the next call begins again with step 1 and the same state, so no counter is lost at all.
//!
//! # Record
//! What the store keeps is one *record*, `24 bytes header || 16 bytes SIV || sealed state`, numbers big-endian:
//!
//! | offset | bytes | part |
//! |---|---|---|
//! | 0 | 4 | `DKPT` |
//! | 4 | 1 | version of this format: 1 |
//! | 5 | 1 | scheme: 1 TDES, 2 AES |
//! | 6 | 10 | name: the initial KSN, or the initial key identifier and 2 zero bytes |
//! | 16 | 8 | generation: one more with every record of a device |
//! | 24 | 16 | synthetic initial vector, which authenticates header and state |
//! | 40 | | counter and registers, encrypted |
//!
//! Sealing is AES-SIV (RFC 5297, AES-SIV-CMAC-512) under the [`DeviceKey`], with the header as associated data. It needs no
//! nonce, so there is none to repeat when a state is written twice or its generation has been rolled back.

#[cfg(test)]
mod by_hand;
mod crc;
mod error;
#[cfg(feature = "std")]
mod file;
#[cfg(test)]
#[cfg(feature = "std")]
mod file_faults;
pub(crate) mod machine;
mod originator;
#[cfg(test)]
mod power_cuts;
pub(crate) mod rollback;
mod seal;
mod slots;
mod store;

/// Of a device: its own, made in it and kept in its secure part. Whoever has this key and the store's medium has all future keys
/// of the originators sealed there.
#[doc(inline)]
pub use aeskey::StorageKey as DeviceKey;

pub use self::error::{OriginatorError, StateError, StoredName};
#[cfg(feature = "std")]
pub use self::file::{FileError, FileSlots, FileStore};
pub use self::originator::{CurrentTransaction, Device, DurableOriginator, PinEntry};
pub use self::rollback::{MonotonicCounter, NoRollbackProtection, RollbackProtection};
pub(crate) use self::seal::record_len;
pub use self::slots::{Slot, Slots, SlotsError, TwoSlots};
pub use self::store::{MemoryStore, MemoryStoreFull, StateStore, Stored};
