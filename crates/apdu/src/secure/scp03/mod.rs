//! Secure channel protocol 03 of GlobalPlatform, for host and card: AES keys of 16, 24 or 32 bytes, MACs and cryptograms of 8
//! bytes (S8), `i` = 10, 30, 60 and 70 (and 00, which announces neither).
//!
//! ```text
//! C-MAC    CMAC(S-MAC, previous || CLA|04 INS P1 P2 Lc data'), left 8 of 16 bytes; all 16 are the next "previous", first zero
//! C-DEC    data' = AES-CBC(S-ENC, data || 80 00..) from AES(S-ENC, counter), before the MAC; the counter counts every
//!          command from 1; no data stays no data
//! R-MAC    CMAC(S-RMAC, C-MAC of the command (16) || reply' || SW), left 8 bytes
//! R-ENC    reply' = AES-CBC(S-ENC, reply || 80 00..) from AES(S-ENC, 80 || counter), before the MAC
//! DEK      AES-CBC(KDEK) from zero: the card's key as it is
//! ```
//! A refusal (neither `9000` nor `62XX`, `63XX`) is its status word alone.
//!
//! # Source
//! GlobalPlatform Card Specification, Amendment D, 4 to 7.

mod answer;
mod line;

pub use answer::{Answer, AnswerError, CardSide, Implementation, answer, initialise};
pub use diversify::gp::aes::CardKeys;
pub use line::Scp03;

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
        /// `33`: MACs on and data enciphered in commands and responses.
        MacAndCipherBothWays = 0x33,
    }
}
