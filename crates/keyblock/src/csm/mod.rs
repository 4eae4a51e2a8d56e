//! Key exchange between two parties by cryptographic service messages: the point-to-point environment of ANS X9.17.
//!
//! The two share a key encrypting key pair (`*KK`) that custodians installed on both sides. Either may send keys (party A), and either may ask for
//! them or end their use. Each side is a [`Party`]: it makes messages, answers messages, and keeps its [`State`] in a [`StateStore`] *before* a
//! message, a key or a success leaves it, so that no crash makes it use a count twice or accept one twice.
//!
//! ```
//! use cardroot_keyblock::csm::{Agreement, DataKeyForm, DataKeyNames, Event, MemoryStore, NewKeys, Party, Purpose, State};
//! use cardroot_keyblock::tdea::{KeyLength, TdeaKey};
//! use cardroot_keyblock::tdea_keys::Kek;
//! use getrandom::{SysRng, rand_core::UnwrapErr};
//!
//! let rng = &mut UnwrapErr(SysRng);
//! let kek = TdeaKey::generate(KeyLength::Double, rng);
//! let (bank_a, bank_b) = ("BANKA".parse()?, "BANKB".parse()?);
//! let party = |own, peer| {
//!     let agreement = Agreement::new(own, peer, DataKeyForm::DoubleRetailMac);
//!     let mut party = Party::new(agreement, State::default(), MemoryStore::default())?;
//!     // By hand, as components, on both sides.
//!     party.install_kek(Some("MASTER1".parse()?), Kek::from_key(kek.duplicate()))?;
//!     Ok::<_, Box<dyn core::error::Error>>(party)
//! };
//! let (mut a, mut b) = (party(bank_a, bank_b)?, party(bank_b, bank_a)?);
//!
//! // A sends a key for MACs and one for data; B takes them and acknowledges.
//! let names = DataKeyNames::Two(Some("MAC7".parse()?), Some("DATA7".parse()?));
//! let ksm = a.send_keys(&NewKeys { under: Some("MASTER1".parse()?), ..NewKeys::new(names) }, rng)?;
//! let received = b.receive(ksm.as_bytes())?;
//! assert!(matches!(received.event, Event::KeysReceived(_)));
//! let acknowledged = a.receive(received.reply.expect("a KSM is answered").as_bytes())?;
//! assert!(matches!(acknowledged.event, Event::KeysAcknowledged { .. }));
//!
//! let mac = a.authentication_key(Some("MAC7".parse()?))?.mac(b"pay 100");
//! b.authentication_key(Some("MAC7".parse()?))?.verify_mac(b"pay 100", &mac.truncated::<4>())?;
//! // A key has one purpose for all its life.
//! assert!(b.encryption_key(Some("MAC7".parse()?)).is_err());
//!
//! // The same message again is not accepted, and B says which count it expects.
//! assert!(matches!(b.receive(ksm.as_bytes())?.event, Event::Refused(_)));
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```
//!
//! # Counts
//! Every `*KK` has a count for each direction, which begins at 1. A KSM carries the count of the key on top; that key, offset by it, encrypts the
//! keys of the message. A `*KK` in the message encrypts the data keys, offset by 1, so that its own messages begin at 2. A count below the one
//! expected is refused, and the ESM says which is expected: the sender moves its count up, never down, at most
//! [`Agreement::adjustments`] times before a message is acknowledged. After that the `*KK` has to be replaced. A count above is accepted, and the
//! difference is reported.
//!
//! # Source
//! FIPS PUB 171 (1992), options 2 to 22 and A.1 to A.19, point-to-point; the offset of a transported `*KK` and the XOR of two data keys from
//! the key services of IBM ICSF (CSNAKEX, CSNAKIM). No complete example with keys has been published, so nothing here is tested against one:
//! the tests compute offset and MAC a second time out of single blocks. Differences from FIPS 171: keys are not notarized, and the parties may
//! agree not to name them.
//!
//! # Security
//! Without notarization nothing binds a ciphertext to its direction: both have the same `*KK` and the same counts. Whoever learns a data key can
//! send its ciphertext back, and authenticate it. So no key is accepted or installed that is in use here, on its way or in the archive; what
//! [`Party::forget_archive`] drops is known no more.
//!
//! An ESM carries no MAC: anybody can forge one. All it can do here is move a count up, by no more than
//! [`Agreement::greatest_adjustment`], and keys on their way stay on their way. A DSM has no count: an old one, sent again while the key that authenticates it
//! is in use, discontinues a new key of the same name; and the answer to an old one, held back and sent later, passes for the answer to a new
//! one that names the same keys. Give keys new names.

mod agreement;
mod data_key;
mod event;
#[cfg(feature = "csm-notarization-experimental")]
pub mod notarization;
mod offset;
mod party;
mod receive;
mod send;
mod state;

pub use agreement::{Agreement, AgreementError, Dates, Naming};
pub use data_key::{AuthenticationKey, DataKey, DataKeyForm, EncryptionKey, Iv};
pub use event::{Event, KeyError, Outcome, ReceivedKeys, Refusal, SendError};
pub use offset::CountPlacement;
pub use party::Party;
pub use send::{DataKeyNames, NewKeys};
pub use state::{
    ArchiveReason, ArchivedKey, DataKeyEntry, KekEntry, KekOrigin, MemoryStore, OldKey, Purpose,
    SentDiscontinuation, SentKeys, State, StateStore,
};
