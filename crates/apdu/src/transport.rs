//! The link to a card.

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
}

impl<T: CardTransport + ?Sized> CardTransport for &mut T {
    type Error = T::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        (**self).transmit(command, response)
    }
}
