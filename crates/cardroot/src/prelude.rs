//! The types that most programs need: `use cardroot::prelude::*;`.
//!
//! Types and traits only. Functions read better under their module: `components::combine`, `diversify::pboc::derive`.

pub use apdu::{CardTransport, Channel, CommandApdu, ResponseApdu, StatusWord};
pub use card::{Card, CardProfile};
pub use components::{Parity, Parts, TdeaComponent};
pub use diversify::Factor;
#[cfg(feature = "alloc")]
pub use dukpt::{Accepted, KeySetId, KeySets, Receiver};
pub use dukpt::{Bdk, Counter, InitialKey, Ksn, Originator, Transaction, VolatileOriginator};
pub use pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, EncryptedPinBlock, Pan, Pin, PinBlockFormat};
pub use smid::iso8583::{Dialect, Message};
pub use smid::{KeyName, Smid, SmidList, SmidProfile};
pub use tdea::{Kcv, KeyLength, TdeaKey};
