//! Locking a card and its applications. These commands have no data but their MAC: send them protected by the line
//! key of the MF or the application.

use crate::command::CommandApdu;
use crate::header::{Header, Instruction};

/// How long an application stays blocked.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Duration {
    /// Until APPLICATION UNBLOCK.
    Temporary,
    /// For ever.
    Permanent,
}

/// CARD BLOCK: `84 16 00 00 04 MAC` once protected. Every later command is refused with `6A81`, for ever.
#[must_use]
pub fn card_block() -> CommandApdu {
    CommandApdu::new(Header::proprietary(Instruction::CARD_BLOCK, 0, 0))
}

/// APPLICATION BLOCK: `84 1E 00 P2 04 MAC` once protected.
#[must_use]
pub fn application_block(duration: Duration) -> CommandApdu {
    let p2 = match duration {
        Duration::Temporary => 0x00,
        Duration::Permanent => 0x01,
    };
    CommandApdu::new(Header::proprietary(Instruction::APPLICATION_BLOCK, 0, p2))
}

/// APPLICATION UNBLOCK: `84 18 00 00 04 MAC` once protected. Three wrong MACs in a row lock the application for ever.
#[must_use]
pub fn application_unblock() -> CommandApdu {
    CommandApdu::new(Header::proprietary(Instruction::APPLICATION_UNBLOCK, 0, 0))
}
