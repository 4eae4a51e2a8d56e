//! The T=0 protocol under a link that does not know commands, only TPDUs.

use crate::command::{Case, CommandApdu, CommandError, LengthForm, Parts};
use crate::header::{Header, Instruction};
use crate::le::Le;
use crate::response::{ResponseApdu, ResponseError};
use crate::status::StatusWord;
use crate::transport::{CardReset, CardTransport, Link, Protocol};

/// A transport that sends commands as T=0 does: a header, one length byte P3, data in one direction only.
///
/// ```text
/// case 1           P3 = 00
/// case 2           P3 = Le, or 00 where Le is 256 and more
/// case 3 and 4     P3 = Lc, data; Le is not sent
/// ... over 255     the whole command in pieces of 255 bytes as data of ENVELOPE
/// ```
///
/// What it does not do is up to the [`Channel`](crate::Channel) above: GET RESPONSE after `61XX`, the second try
/// after `6CXX`. Put it over links that pass TPDUs; the transport of the feature `pcsc` does this by itself.
///
/// # Source
/// ISO/IEC 7816-3:2006 12.2; ISO/IEC 7816-4:2013 11.7.2 (ENVELOPE).
#[derive(Debug)]
pub struct T0Transport<T> {
    inner: T,
}

/// A command that T=0 could not bring to the card.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum T0Error<E> {
    /// The link failed.
    #[error("the link to the card failed")]
    Link(#[source] E),
    /// The bytes to send are no command.
    #[error(transparent)]
    Command(#[from] CommandError),
    /// What came back is no response.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The card refused a piece of the command; nothing more was sent.
    #[error("the card refused piece {piece} of the command: {status}")]
    EnvelopeRefused {
        /** Piece refused, from 0. */
        piece: usize,
        /** What the card answered. */
        status: StatusWord,
    },
}

impl<T: CardTransport> T0Transport<T> {
    /// Sends TPDUs over `inner`.
    pub const fn new(inner: T) -> Self {
        Self { inner }
    }

    /// The transport within.
    pub fn into_inner(self) -> T {
        self.inner
    }

    fn send(&mut self, tpdu: &Parts<'_>, response: &mut [u8]) -> Result<usize, T0Error<T::Error>> {
        self.inner.transmit(tpdu.encode().expose_bytes(), response).map_err(T0Error::Link)
    }

    /// Sends `command` as data of ENVELOPE. A last piece that is full is followed by an empty one, which ends it.
    fn envelope(
        &mut self,
        header: Header,
        command: &[u8],
        response: &mut [u8],
    ) -> Result<usize, T0Error<T::Error>> {
        let class = header.class.get_response();
        let header = Header { class, instruction: Instruction::ENVELOPE, p1: 0, p2: 0 };
        let piece = |data| Parts { header, data, le: None, form: LengthForm::Short };
        let (full, rest) = command.as_chunks::<{ CommandApdu::MAX_SHORT_DATA }>();
        for (index, data) in full.iter().enumerate() {
            let len = self.send(&piece(data), response)?;
            let status = ResponseApdu::decode(response.get(..len).unwrap_or_default())?.status();
            if status != StatusWord::OK {
                return Err(T0Error::EnvelopeRefused { piece: index, status });
            }
        }
        match rest {
            [] => self.send(&Parts { le: Some(Le::MAX_SHORT), ..piece(rest) }, response),
            _ => self.send(&piece(rest), response),
        }
    }
}

impl<T: CardTransport<Error: 'static>> CardTransport for T0Transport<T> {
    type Error = T0Error<T::Error>;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        let parts = Parts::decode(command)?;
        let short = Parts { form: LengthForm::Short, ..parts };
        match parts.case() {
            // P3 = 00 looks like an Le of 256.
            Case::One => self.send(&Parts { le: Some(Le::MAX_SHORT), ..short }, response),
            Case::TwoShort | Case::TwoExtended => {
                self.send(&Parts { le: short.le.min(Some(Le::MAX_SHORT)), ..short }, response)
            }
            _ if parts.data.len() <= CommandApdu::MAX_SHORT_DATA => {
                self.send(&Parts { le: None, ..short }, response)
            }
            _ => self.envelope(parts.header, command, response),
        }
    }
    fn link(&self) -> Link<'_> {
        // Long commands go in envelopes, so the pieces don't limit them.
        Link { protocol: Some(Protocol::T0), max_command_len: CommandApdu::MAX_LEN, ..self.inner.link() }
    }
}

impl<T: CardReset<Error: 'static>> CardReset for T0Transport<T> {
    fn reset(&mut self) -> Result<(), Self::Error> {
        self.inner.reset().map_err(T0Error::Link)
    }
}
