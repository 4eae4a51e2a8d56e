//! What the secure channel protocols of GlobalPlatform have in common: the steps to an open session, for host and card.
//!
//! ```text
//! host                                           card
//! HostChallenge
//!   INITIALIZE UPDATE  ----------------------->
//!                      <-----------------------  CardInitialised
//! Initialised          check values to look at
//!   verify_card
//! Verified
//!   EXTERNAL AUTHENTICATE  ------------------->  authenticate
//! Authenticating       <-----------------------
//!   confirm
//! HostSession                                    CardSession
//!   wrap  ------------------------------------>  unwrap
//!   reply.open  <------------------------------  reply.seal
//! ```
//!
//! Every step consumes the one before it, so none can be repeated: a cryptogram that does not fit ends in an error and in
//! nothing to try again with. Cards count such failures and lock themselves for good.
//!
//! A session is poisoned while a reply is awaited. Only a reply that verifies gives its keys back to it; one that does not,
//! a link that failed or a reply never looked at leave it without keys, closed for good.
//! ```
//! # use cardroot_apdu::{CommandApdu, secure::gp::{HostSession, Protocol}};
//! fn one_after_another<P: Protocol>(session: &mut HostSession<P>, command: &CommandApdu) {
//!     let _ = session.wrap(command);
//!     assert!(session.is_closed());
//! }
//! ```
//! Two commands in flight do not compile:
//! ```compile_fail,E0499
//! # use cardroot_apdu::{CommandApdu, secure::gp::{HostSession, Protocol}};
//! fn two_at_once<P: Protocol>(session: &mut HostSession<P>, command: &CommandApdu) {
//!     let first = session.wrap(command);
//!     let second = session.wrap(command);
//!     drop(first);
//! }
//! ```

mod card;
mod channel;
mod check_values;
mod data_key;
mod host;
mod personalise;
mod protocol;
mod text;

pub use card::{CardInitialised, CardSession, ReplySealer, SealError, UnwrapError, Unwrapped};
pub use channel::{SecureChannel, SecureChannelError};
pub use check_values::{CheckValues, KeyCheckValues, SessionCheckValues};
pub use data_key::{DataKey, DataKeyError, PlainKey, WrappedKey};
pub use host::{
    Authenticating, HostChallenge, HostSession, Initialised, NotAuthenticated, ReplyOpener, StatusPolicy,
    Verified, WrapError, Wrapped,
};
pub use personalise::{KeySet, PersonaliseError, put_key, store_data};
pub use protocol::{Protocol, SecurityLevel};

pub(super) use check_values::aes_kcv;
pub(super) use host::{InitialisedParts, Live};
pub(super) use protocol::{MAC_LEN, sealed, security_levels};
