//! A card in a reader, and the guard that has it alone.

use alloc::vec::Vec;
use core::fmt;

use ::pcsc::{Card, Disposition, Protocols, ShareMode};
use zeroize::Zeroize;

use crate::bytes::SecretBytes;
use crate::header::Header;
use crate::pcsc::error::PcscError;
use crate::status::StatusWord;
use crate::t0::T0Transport;
use crate::transport::{CardReset, CardTransport, Link, Protocol};

/// What happens to the card when it is connected anew or let go.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Treatment {
    /// It is left as it is.
    Leave,
    /// It is reset.
    Reset,
    /// Its power is taken away for a moment.
    Unpower,
}

impl Treatment {
    const fn disposition(self) -> Disposition {
        match self {
            Self::Leave => Disposition::LeaveCard,
            Self::Reset => Disposition::ResetCard,
            Self::Unpower => Disposition::UnpowerCard,
        }
    }
}

/// A card in a reader. Under T=0 it does what that protocol leaves to the host: P3, no Le beside data, ENVELOPE.
///
/// When it is dropped the card is reset, so that nobody inherits its security state; [`close`](Self::close) lets it go in
/// another way.
pub struct PcscTransport {
    card: Card,
    state: Connection,
}

/// What belongs to an open card beside its handle, so that a transaction can borrow both.
struct Connection {
    mode: ShareMode,
    protocols: Protocols,
    atr: Vec<u8>,
    protocol: Protocol,
    resets: u32,
    /// Room for the longest response that PC/SC has: a smaller one would lose answers. Wiped after each.
    buffer: SecretBytes,
}

impl PcscTransport {
    pub(super) fn new(card: Card, mode: ShareMode, protocols: Protocols) -> Result<Self, PcscError> {
        let buffer = SecretBytes::zeroed(::pcsc::MAX_BUFFER_SIZE_EXTENDED);
        let mut state =
            Connection { mode, protocols, atr: Vec::new(), protocol: Protocol::T1, resets: 0, buffer };
        state.read_status(&card)?;
        Ok(Self { card, state })
    }

    /// Connects to the card anew, as is due after [`PcscError::CardReset`] and [`PcscError::CardRemoved`]. It counts as a
    /// reset, whatever the treatment: nothing that was open on the card is to be relied on.
    ///
    /// # Errors
    /// Returns [`PcscError`] if there is no card, or not such a card.
    pub fn reconnect(&mut self, treatment: Treatment) -> Result<(), PcscError> {
        let Self { card, state } = self;
        card.reconnect(state.mode, state.protocols, treatment.disposition()).map_err(PcscError::of)?;
        state.resets = state.resets.saturating_add(1);
        state.read_status(card)
    }

    /// Keeps every other program away from the card until the guard that it returns is dropped. Waits for the
    /// transaction of another program to end.
    ///
    /// # Errors
    /// Returns [`PcscError::CardReset`] and [`PcscError::CardRemoved`] if the card is not the one it was.
    pub fn transaction(&mut self) -> Result<PcscTransaction<'_>, PcscError> {
        let Self { card, state } = self;
        let transaction = card.transaction().map_err(PcscError::of)?;
        Ok(PcscTransaction { transaction, state })
    }

    /// Lets go of the card.
    ///
    /// # Errors
    /// Returns [`PcscError`] if the service reports one; the card is reset then.
    pub fn close(self, treatment: Treatment) -> Result<(), PcscError> {
        self.card.disconnect(treatment.disposition()).map_err(|(_, error)| PcscError::of(error))
    }
}

impl CardTransport for PcscTransport {
    type Error = PcscError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, PcscError> {
        self.state.transmit(&self.card, command, response)
    }

    fn link(&self) -> Link<'_> {
        self.state.link()
    }
}

impl CardReset for PcscTransport {
    fn reset(&mut self) -> Result<(), PcscError> {
        self.reconnect(Treatment::Reset)
    }
}

impl fmt::Debug for PcscTransport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscTransport").field("protocol", &self.state.protocol).finish_non_exhaustive()
    }
}

/// A card that no other program can talk to meanwhile. Dropping it ends the transaction and leaves the card as it is.
pub struct PcscTransaction<'a> {
    transaction: ::pcsc::Transaction<'a>,
    state: &'a mut Connection,
}

impl PcscTransaction<'_> {
    /// Ends the transaction.
    ///
    /// # Errors
    /// Returns [`PcscError`] if the service reports one.
    pub fn end(self, treatment: Treatment) -> Result<(), PcscError> {
        if treatment != Treatment::Leave {
            self.state.resets = self.state.resets.saturating_add(1);
        }
        self.transaction.end(treatment.disposition()).map_err(|(_, error)| PcscError::of(error))
    }
}

impl CardTransport for PcscTransaction<'_> {
    type Error = PcscError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, PcscError> {
        self.state.transmit(&self.transaction, command, response)
    }

    fn link(&self) -> Link<'_> {
        self.state.link()
    }
}

impl fmt::Debug for PcscTransaction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PcscTransaction").field("protocol", &self.state.protocol).finish_non_exhaustive()
    }
}

impl Connection {
    /// Reads protocol and answer to reset.
    fn read_status(&mut self, card: &Card) -> Result<(), PcscError> {
        let status = card.status2_owned().map_err(PcscError::of)?;
        self.protocol = match status.protocol2() {
            Some(::pcsc::Protocol::T0) => Protocol::T0,
            Some(::pcsc::Protocol::T1) => Protocol::T1,
            _ => return Err(PcscError::ProtocolMismatch),
        };
        self.atr = status.atr().to_vec();
        Ok(())
    }

    fn transmit(&mut self, card: &Card, command: &[u8], response: &mut [u8]) -> Result<usize, PcscError> {
        let mut wire = Wire { card, buffer: &mut self.buffer };
        match self.protocol {
            Protocol::T1 => wire.transmit(command, response),
            Protocol::T0 => Ok(T0Transport::new(wire).transmit(command, response)?),
        }
    }

    fn link(&self) -> Link<'_> {
        Link { atr: Some(&self.atr), protocol: Some(self.protocol), resets: self.resets, ..Link::default() }
    }
}

/// The card as the service has it: bytes there and back.
struct Wire<'a> {
    card: &'a Card,
    buffer: &'a mut SecretBytes,
}

impl CardTransport for Wire<'_> {
    type Error = PcscError;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, PcscError> {
        if command.len() < Header::LEN {
            return Err(PcscError::ShortCommand { found: command.len() });
        }
        let buffer = self.buffer.as_mut_slice();
        let result = self.card.transmit(command, buffer).map(<[u8]>::len).map_err(PcscError::of);
        let answer = buffer.get_mut(..*result.as_ref().unwrap_or(&usize::MAX));
        match (result, answer) {
            (Ok(needed), Some(answer)) => {
                let found = response.len();
                let copied = match response.get_mut(..needed) {
                    _ if needed < StatusWord::LEN => Err(PcscError::ShortResponse { found: needed }),
                    Some(room) => {
                        room.copy_from_slice(answer);
                        Ok(needed)
                    }
                    None => Err(PcscError::ShortBuffer { needed, found }),
                };
                answer.zeroize();
                copied
            }
            (result, _) => {
                self.buffer.as_mut_slice().zeroize();
                result
            }
        }
    }
}
