//! MANAGE CHANNEL.

use crate::class::LogicalChannel;
use crate::command::CommandApdu;
use crate::header::{Header, Instruction};
use crate::le::Le;

/// MANAGE CHANNEL, open one that the card picks: `00 70 00 00 01`. The answer is its number; commands go there by
/// [`Class::on_channel`](crate::Class::on_channel).
///
/// # Source
/// ISO/IEC 7816-4:2013 11.1.2.
#[must_use]
pub fn open_channel() -> CommandApdu {
    CommandApdu::new(Header::iso(Instruction::MANAGE_CHANNEL, 0x00, 0)).with_le(Le::from_short_byte(1))
}

/// MANAGE CHANNEL, open this one: `00 70 00 number`.
#[must_use]
pub fn open_channel_numbered(channel: LogicalChannel) -> CommandApdu {
    CommandApdu::new(Header::iso(Instruction::MANAGE_CHANNEL, 0x00, channel.number()))
}

/// MANAGE CHANNEL, close this one: `00 70 80 number`. A card refuses to close channel 0.
#[must_use]
pub fn close_channel(channel: LogicalChannel) -> CommandApdu {
    CommandApdu::new(Header::iso(Instruction::MANAGE_CHANNEL, 0x80, channel.number()))
}
