//! Two of the methods of key management that ANS X9.24-1 approves: fixed transaction keys, and master key/transaction key. The third,
//! DUKPT, is a crate of its own.
//!
//! A node has relations with parties: a host with its terminals, a terminal with its acquirers. In each relation there is, of every
//! key, at most one version at each stage:
//!
//! ```text
//!            replace, offer, accept          confirm                confirm of the next
//!   (nothing) ─────────────────────▶ pending ───────▶ current ─────────────────────────▶ previous ──▶ destroyed
//!                                       └─ withdraw ──────────▶ destroyed                    expire, or the next after
//! ```
//!
//! # The state is written before it is used
//!
//! Every step is a [`Change`], which holds nothing yet. Its new state is written, then [`Change::written`] lets out what the step gives: a
//! key block that may be sent, the number of a version. Cut off anywhere, a node comes back from what is written ([`KeyHierarchy::restore`])
//! as it was before the step, or as it is after it:
//!
//! | cut off | party that offers | party that accepts | what happens then |
//! |---|---|---|---|
//! | before the offer is written | nothing was made | – | it is offered again, another key |
//! | after that, the block is lost | pending | current of before | [`KeyHierarchy::repeat_offer`]; both send under the key of before |
//! | before the acceptance is written | pending | current of before | as above |
//! | after that, the answer is lost | pending | pending | the repeated block gives the same number: answered again |
//! | before the confirmation is written | pending | pending | the same |
//! | after that | current; before it: previous | pending | the first message under the new key confirms it there; until then, while the overlap lasts, messages under the key of before are verified |
//!
//! At each line both parties have a key in common that the one sends under and the other one verifies by. At the last line that takes a
//! message of the party that offered before the overlap is over: after that it no longer has the key that the other one sends under, and
//! has to speak first. A party that gave up waiting withdraws; it must then know that the other one has not confirmed, for it no longer
//! has the key.
//!
//! # What a new key is
//!
//! Keys are generated at random, or come by a ceremony or in a block ([`Loaded`]); there is no way in for a key that was computed from
//! another. A node remembers a fingerprint of every key that it ever had and refuses each that comes a second time, be it in
//! another relation, for another purpose or years later: a block that is replayed, components that are entered again, a random
//! source that repeats itself.
//!
//! # Names
//!
//! A key may have a [`KeyName`], the bytes that a SMID carries, or none: then it is meant by whom the message comes from
//! ([`KeyReference`]), and the versions are tried in turn until the MAC fits.

mod error;
mod fixed;
mod hierarchy;
mod loaded;
mod name;
mod node;
mod record;
mod role;
mod slot;
mod state;
mod suite;

pub use aeskey::StorageKey;

pub use self::error::MethodError;
pub use self::fixed::FixedKeys;
pub use self::hierarchy::KeyHierarchy;
pub use self::loaded::{Loaded, NotLoaded, Origin};
pub use self::name::{KeyName, KeyReference, NameLengthError, PartyId};
pub use self::node::Change;
pub use self::record::{Event, KeyRecord, Record};
pub use self::role::{Data, Kek, Mac, Master, Pin, Role, SentRole};
pub use self::slot::{Held, Stage};
pub use self::state::RestoreError;
pub use self::suite::{Aes, KeySet, KeySuite, TdeaCmac, TdeaRetail};
