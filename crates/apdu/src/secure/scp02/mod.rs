//! Secure channel protocol 02 of GlobalPlatform, for host and card: TDEA keys of 16 bytes, explicit initiation, `i` = 15 and 55.
//!
//! ```text
//! C-MAC    retail MAC(S-MAC, CLA|04 INS P1 P2 Lc+8 data) from DES(S-MAC left, previous C-MAC), the first from zero
//! C-DEC    TDEA-CBC(S-ENC, data || 80 00..) from zero, after the MAC; Lc grows again; no data stays no data
//! R-MAC    retail MAC(S-RMAC, CLA INS P1 P2 Lc data || length(1) || reply || SW) from the previous R-MAC,
//!          the first from the C-MAC of EXTERNAL AUTHENTICATE; on refusals too
//! DEK      TDEA-ECB(S-DEK)
//! ```
//!
//! # Examples
//! ```
//! use cardroot_apdu::commands::gp::{get_status, initialize_update, StatusScope};
//! use cardroot_apdu::secure::gp::HostChallenge;
//! use cardroot_apdu::secure::scp02::{self, Answer, CardKeys, SecurityLevel};
//! use cardroot_apdu::{Channel, Script, ScriptedTransport};
//! use diversify::gp::{Kdek, Kenc, Kmac};
//! use tdea::TdeaKey;
//!
//! let script: Script = "
//!     > 8050000008D5AD539A60CA5E7200
//!     < 000074746E6E6E6262620102069FAA2A0591E73367DD78794D04315E 9000
//!     > 84820100107C799B3C771DBAE6BEF49310977617BA
//!     < 9000
//!     > 84F220020A4F00BB6E71C0EFCFCF0D00
//!     < 6A88
//! ".parse()?;
//! let mut channel = Channel::new(ScriptedTransport::new(script));
//! let challenge = HostChallenge::from([0xD5, 0xAD, 0x53, 0x9A, 0x60, 0xCA, 0x5E, 0x72]);
//! let answer = channel.transmit(&initialize_update(0, &challenge))?.into_ok()?;
//! let answer = Answer::decode(answer.data())?;
//!
//! // Here `answer.key_data` picks the card's keys.
//! let key = || TdeaKey::from(0x4041_4243_4445_4647_4849_4A4B_4C4D_4E4F_u128.to_be_bytes());
//! let keys = CardKeys { enc: Kenc::from_key(key()), mac: Kmac::from_key(key()), dek: Kdek::from_key(key()) };
//! let initialised = scp02::initialise(challenge, &answer, &keys)?;
//! assert_eq!(initialised.check_values().card.enc.as_bytes(), [0x8B, 0xAF, 0x47]);
//!
//! let mut card = initialised.verify_card()?.open(&mut channel, SecurityLevel::Mac)?;
//! let status = card.transmit(&get_status(StatusScope::LoadFiles))?.status();
//! assert_eq!(status.word(), 0x6A88);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Security
//! R-MAC is no part of `i` = 15 and 55 as the specification codes them; cards and hosts that announce them use it all the same
//! (levels 11 and 13), so it is here. The MAC is under the cipher: a card that tells wrong padding from a wrong MAC is an oracle.
//! [`CardSession`](super::gp::CardSession) computes the MAC in both cases and says the same. Prefer protocol 03.
//!
//! # Source
//! GlobalPlatform Card Specification 2.2, appendix E; the vectors name the hosts that agree.

mod answer;
mod line;

pub use answer::{Answer, AnswerError, CardSide, Implementation, answer, initialise};
pub use diversify::TripleLengthKey;
pub use diversify::gp::CardKeys;
pub use line::Scp02;

use super::gp::security_levels;

security_levels! {
    /// What a session protects.
    pub enum SecurityLevel {
        /// `00`: nothing; the host has authenticated itself.
        Authenticated = 0x00,
        /// `01`: MACs on commands.
        Mac = 0x01,
        /// `03`: MACs on commands, data of commands enciphered.
        MacAndCipher = 0x03,
        /// `11`: MACs on commands and responses.
        MacBothWays = 0x11,
        /// `13`: MACs on commands and responses, data of commands enciphered.
        MacBothWaysAndCipher = 0x13,
    }
}
