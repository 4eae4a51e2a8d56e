//! AES DUKPT (ANS X9.24-3:2017), both sides of it: keys of 128, 192 and 256 bits, a counter of 32 bits, and working keys
//! for AES, TDEA and HMAC.
//!
//! ```
//! # #[cfg(feature = "std")]
//! # fn main() -> Result<(), Box<dyn core::error::Error>> {
//! use cardroot_dukpt::aes::{
//!     Accepted, Bdk, InitialKeyId, KeySets, Originator, PinEntry, Receiver, VolatileOriginator,
//! };
//! use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
//! use cardroot_dukpt::durable::{Device, DeviceKey, MemoryStore};
//! use cardroot_dukpt::guard::{MemoryGuard, Policy, RequestId, block_on};
//! use cardroot_dukpt::pin::{DecryptIso4PinBlock, Iso4PanField, Iso4PinField, Pan, Pin};
//! use getrandom::{SysRng, rand_core::UnwrapErr};
//!
//! let bdk = Bdk::from_key(AesKey::generate(AesKeyLength::Aes256, &mut UnwrapErr(SysRng)));
//!
//! // The key-loading facility derives one terminal's initial key and loads it together with its name.
//! let id = InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56]);
//! let device = Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)));
//! let store = MemoryStore::<{ VolatileOriginator::RECORD_LEN }>::new();
//! let mut terminal = Originator::load(store, device, bdk.derive_initial_key(&id))?;
//!
//! // The terminal encrypts a PIN. Its state has moved on in the store before it sees the key.
//! let (pin, pan) = (Pin::from_ascii_digits(b"1234")?, Pan::from_ascii_digits(b"4111111111111111")?);
//! let (entered, pan) = (Iso4PinField::encode(&pin, &mut UnwrapErr(SysRng)), Iso4PanField::encode(&pan));
//! let answer = terminal.request_pin_entry(Some((&entered, &pan)), AesKeyLength::Aes256)?;
//! let PinEntry::Entered { block, transaction } = answer else { panic!("a PIN was entered") };
//! let mac_key = |key: &cardroot_dukpt::aes::TransactionKey| key.mac_request_key(AesKeyLength::Aes256);
//! let (sent_ksn, sent_mac) = (*transaction.ksn(), mac_key(transaction.key())?.mac(&block.to_bytes()));
//! drop(transaction);
//!
//! // The acquirer derives the same key from the base key and the name that came with the message.
//! let mut key_sets = KeySets::new();
//! key_sets.insert(id.bdk_id(), bdk)?;
//! let host = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
//! let (message, ()) = host.derive(&sent_ksn)?.authenticate(|key| {
//!     let verified = mac_key(key)?.verify_mac(&block.to_bytes(), sent_mac.as_bytes());
//!     verified.map_err(Box::<dyn core::error::Error>::from)
//! })?;
//! let Accepted::New { transaction: received, .. } = block_on(host.accept(message, RequestId([1; 16])))? else {
//!     panic!("this request was answered before");
//! };
//! let Ok(field) = received.key().pin_key(AesKeyLength::Aes256)?.decrypt_iso4_pin_block(block, &pan);
//! assert!(field.decode()?.ct_eq(&pin));
//!
//! // One day a new initial key comes, under a key that both sides can derive, and replaces all that the terminal holds.
//! let update_key = host.key_sets().derive_update_key(&id).ok_or("an unknown key set")?;
//! assert!(update_key.ct_eq(&terminal.update_key()?));
//! # Ok(())
//! # }
//! # #[cfg(not(feature = "std"))]
//! # fn main() {}
//! ```
//!
//! # Keys
//!
//! Every derivation is one or two AES blocks under the parent key, over what the child is for. A [`TransactionKey`] gives
//! keys of eight usages; directions are those of the originator. In this module are the AES keys, in [`tdea_keys`] and
//! [`hmac_keys`] those of the other ciphers under the same names. A key may not be stronger than its parent.
//!
//! | key | usage | AES | TDEA | HMAC | may |
//! |---|---|---|---|---|---|
//! | `PinKey` | 1000 | yes | yes | | PIN blocks: of format 4 by AES, of formats 0, 1 and 3 by TDEA |
//! | `MacRequestKey` | 2000 | yes | yes | yes | CMAC or HMAC-SHA-256 of what the originator sends |
//! | `MacResponseKey` | 2001 | yes | yes | yes | … of what it receives |
//! | `MacBothKey` | 2002 | yes | yes | yes | … of both |
//! | `DataRequestKey` | 3000 | yes | yes | | CBC of what the originator sends |
//! | `DataResponseKey` | 3001 | yes | yes | | … of what it receives |
//! | `DataBothKey` | 3002 | yes | yes | | … of both |
//! | `KeyEncryptionKey` | 0002 | yes | yes | | nothing here: for key blocks |
//!
//! # Counters
//!
//! - The counter has 32 bits, a transaction's has 1 to 16 ones: 2,448,023,842 of them, from `00000001` to `FFFF0000`.
//! - The text of the standard and its pseudo code disagree by one: devices built from the pseudo code send counters of 17
//!   ones. Originators here never do; a receiver takes them if it is [told to](OnesLimit::Seventeen).
//! - `FFFFFFFF` names the [`UpdateKey`] and nothing else.
//!
//! Originator, receiver and replays are otherwise as in TDES DUKPT.

mod counter;
mod derive;
mod durable;
pub mod hmac_keys;
#[cfg(feature = "alloc")]
mod key_sets;
mod keys;
mod ksn;
mod originator;
#[cfg(feature = "alloc")]
mod receiver;
mod register;
#[cfg(test)]
mod secrets;
pub mod tdea_keys;
mod working_keys;

pub use crate::aes::counter::{Counter, CounterError, OnesLimit, ReplayError};
pub use crate::aes::durable::{Originator, PinEntry, PinEntryError};
#[cfg(feature = "alloc")]
pub use crate::aes::key_sets::{BdkIdTaken, KeySets};
pub use crate::aes::keys::{Bdk, DeriveError, InitialKey, StrongerThanParent, TransactionKey, UpdateKey};
pub use crate::aes::ksn::{BdkId, InitialKeyId, Ksn, KsnLengthError};
pub use crate::aes::originator::{UpdateKeyError, VolatileOriginator};
#[cfg(feature = "alloc")]
pub use crate::aes::receiver::{Accepted, Claimable, ReceiveError, Receiver, Repeat, Unauthenticated};
pub use crate::aes::working_keys::{
    DataBothKey, DataRequestKey, DataResponseKey, KeyEncryptionKey, MacBothKey, MacRequestKey,
    MacResponseKey, PinKey, ZERO_IV,
};

/// One transaction of AES DUKPT.
pub type Transaction = crate::Transaction<TransactionKey>;
