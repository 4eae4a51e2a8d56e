//! Secure messaging of the PBOC family, as FMCOS does it: line protection under a challenge of the card.
//!
//! ```text
//! IV        challenge of 8 bytes, or challenge of 4 bytes || 00 00 00 00
//! MAC       left 4 bytes of MAC(key, IV, CLA|04 INS P1 P2 Lc+4 data), padded by 80 00.. in any case
//! cipher    ECB(key, LD || plaintext), LD = length of the plaintext, padded by 80 00.. only up to a whole block
//! both      the MAC is made over the ciphertext
//! reply     data || MAC(key, IV, data): the same IV, the data alone; no header, no status word
//! ```
//!
//! A key of 8 bytes is single DES (MAC algorithm 1), one of 16 bytes TDEA (MAC algorithm 3, the retail MAC). Cards with SM4 do
//! the same in blocks of 16 bytes, with CBC-MAC; the key's type says which cipher it is for.
//!
//! The card draws a challenge and takes it for the very next command. Here that is a rule of the type system: a
//! [`Challenge`] is used up by what it protects, and a [`Challenged`] channel lets nothing else through before.
//! ```compile_fail,E0382
//! # use cardroot_apdu::{CommandApdu, secure::pboc::{Challenge, LineKey, Protection, protect}};
//! fn twice(command: &CommandApdu, key: &LineKey, challenge: Challenge) {
//!     let _ = protect(command, Protection::Mac, key, challenge);
//!     let _ = protect(command, Protection::Mac, key, challenge);
//! }
//! ```
//! ```
//! # use cardroot_apdu::{CommandApdu, secure::pboc::{Challenge, LineKey, Protection, protect}};
//! fn once_each(command: &CommandApdu, key: &LineKey, first: Challenge, second: Challenge) {
//!     let _ = protect(command, Protection::Mac, key, first);
//!     let _ = protect(command, Protection::Mac, key, second);
//! }
//! ```
//!
//! # Source
//! FMCOS 2.0 user manual, chapter 5; the programs and transcripts named in the vectors, proven on FM1208 silicon.

mod authenticate;
mod challenge;
mod cipher;
mod keys;
mod line;
mod line_cipher;
mod session;
mod sm4;

pub use authenticate::{
    Cryptogram, LongChallenge, external_authenticate, external_authenticate_folded,
    external_authenticate_two_step, external_cryptogram, verify_external_cryptogram,
};
pub use challenge::{Challenge, ChallengeLengthError};
pub use keys::{
    AuthenticationKey, CardKey, ExternalAuthKey, InternalAuthKey, InternalDataError, LineKey, MasterKey,
    PinUnblockKey, ProtectionKey, TripleLengthKey,
};
pub use line::{
    ProtectError, Protected, Protection, ReplyOpener, ReplySealer, Unprotected, protect, unprotect,
};
pub use session::{Challenged, SessionError};
pub use sm4::{Sm4LineKey, Sm4MasterKey};
