//! The link to a card.

use crate::command::CommandApdu;

/// A card or reader that answers command APDUs.
///
/// Give it [`ResponseApdu::MAX_LEN`](crate::ResponseApdu::MAX_LEN) bytes of room: where a buffer is too small, the
/// card has carried out the command all the same and its answer is lost.
pub trait CardTransport {
    /// Failure of the link itself; a status word is data.
    type Error: core::error::Error;
    /// Sends `command`; returns how many bytes of `response` were written, SW1-SW2 included.
    ///
    /// # Errors
    /// Returns what the link has to say if it failed.
    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error>;

    /// What is known of the link: nothing, unless a transport says more.
    fn link(&self) -> Link<'_> {
        Link::default()
    }
}

/// A link over which the card can be reset.
pub trait CardReset: CardTransport {
    /// Resets the card: its security state, logical channels and sessions are gone.
    ///
    /// # Errors
    /// Returns what the link has to say if it failed.
    fn reset(&mut self) -> Result<(), Self::Error>;
}

/// What a transport knows of its link and of the card at the end of it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Link<'a> {
    /// Answer to reset (ATR).
    pub atr: Option<&'a [u8]>,
    /// Protocol between reader and card.
    pub protocol: Option<Protocol>,
    /// Length in bytes of the longest command that goes over the link; [`CommandApdu::MAX_LEN`] if nothing limits it.
    pub max_command_len: usize,
    /// How often the card has lost its state on this link. A session that finds another number than at its start is
    /// over.
    pub resets: u32,
}

impl Default for Link<'_> {
    fn default() -> Self {
        Self { atr: None, protocol: None, max_command_len: CommandApdu::MAX_LEN, resets: 0 }
    }
}

/// Transmission protocol between reader and card.
///
/// # Source
/// ISO/IEC 7816-3:2006 10 (T=0) and 11 (T=1).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Protocol {
    /// Bytes, data in one direction for each command.
    T0,
    /// Blocks, commands and responses whole.
    T1,
}

impl<T: CardTransport + ?Sized> CardTransport for &mut T {
    type Error = T::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        (**self).transmit(command, response)
    }

    fn link(&self) -> Link<'_> {
        (**self).link()
    }
}

impl<T: CardReset + ?Sized> CardReset for &mut T {
    fn reset(&mut self) -> Result<(), Self::Error> {
        (**self).reset()
    }
}
