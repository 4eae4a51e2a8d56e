//! A transport that tells what went over the link, and never the data.

use core::fmt;

use crate::command::Parts;
use crate::header::Header;
use crate::le::Le;
use crate::status::StatusWord;
use crate::transport::{CardReset, CardTransport, Link};

/// A transport that reports every exchange to a sink.
///
/// It can't know which data is secret, so no data gets through at all: a report has the header, lengths and the
/// status word, whatever the command.
///
/// # Examples
/// ```
/// use cardroot_apdu::{CardTransport, LoggedTransport, Script, ScriptedTransport};
///
/// let card = ScriptedTransport::new("> 0020000003123456\n< 63C2".parse::<Script>()?);
/// let mut lines = Vec::new();
/// let mut logged = LoggedTransport::new(card, |exchange| lines.push(exchange.to_string()));
/// logged.transmit(&[0x00, 0x20, 0x00, 0x00, 0x03, 0x12, 0x34, 0x56], &mut [0; 258])?;
/// assert_eq!(lines, ["00200000 Lc 3 -> 63C2, counter X"]);
/// # Ok::<(), cardroot_apdu::ScriptError>(())
/// ```
#[derive(Debug)]
pub struct LoggedTransport<T, F> {
    inner: T,
    sink: F,
}

impl<T: CardTransport, F: FnMut(&LoggedExchange)> LoggedTransport<T, F> {
    /// Reports what goes over `inner` to `sink`.
    pub const fn new(inner: T, sink: F) -> Self {
        Self { inner, sink }
    }

    /// The transport within.
    pub fn into_inner(self) -> T {
        self.inner
    }
}

impl<T: CardTransport, F: FnMut(&LoggedExchange)> CardTransport for LoggedTransport<T, F> {
    type Error = T::Error;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Self::Error> {
        let result = self.inner.transmit(command, response);
        let answer = match &result {
            Ok(len) => LoggedAnswer::of(response.get(..*len).unwrap_or_default()),
            Err(_) => LoggedAnswer::LinkFailed,
        };
        (self.sink)(&LoggedExchange { command: LoggedCommand::of(command), answer });
        result
    }

    fn link(&self) -> Link<'_> {
        self.inner.link()
    }
}

impl<T: CardReset, F: FnMut(&LoggedExchange)> CardReset for LoggedTransport<T, F> {
    fn reset(&mut self) -> Result<(), Self::Error> {
        self.inner.reset()
    }
}

/// What may be known of an exchange. `Display` puts it in one line.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct LoggedExchange {
    /// Of the command.
    pub command: LoggedCommand,
    /// Of the answer.
    pub answer: LoggedAnswer,
}

/// What may be known of a command.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoggedCommand {
    /// A command.
    Apdu {
        /// Its header.
        header: Header,
        /// Number of data bytes, the value of Lc.
        data_len: usize,
        /// Its expected length.
        le: Option<Le>,
    },
    /// Bytes that are no command.
    Malformed {
        /// Their number.
        len: usize,
    },
}

/// What may be known of an answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum LoggedAnswer {
    /// A response.
    Apdu {
        /// Number of data bytes.
        data_len: usize,
        /// Its status word.
        status: StatusWord,
    },
    /// Bytes that are no response.
    Malformed {
        /// Their number.
        len: usize,
    },
    /// No answer: the link failed.
    LinkFailed,
}

impl LoggedCommand {
    fn of(bytes: &[u8]) -> Self {
        match Parts::decode(bytes) {
            Ok(Parts { header, data, le, .. }) => Self::Apdu { header, data_len: data.len(), le },
            Err(_) => Self::Malformed { len: bytes.len() },
        }
    }
}

impl LoggedAnswer {
    fn of(bytes: &[u8]) -> Self {
        let malformed = Self::Malformed { len: bytes.len() };
        let Some((data, status)) = bytes.split_last_chunk() else { return malformed };
        StatusWord::try_from(*status).map_or(malformed, |status| Self::Apdu { data_len: data.len(), status })
    }
}

impl fmt::Display for LoggedExchange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} -> {}", self.command, self.answer)
    }
}

impl fmt::Display for LoggedCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (header, data_len, le) = match self {
            Self::Malformed { len } => return write!(f, "{len} bytes that are no command"),
            Self::Apdu { header, data_len, le } => (header, *data_len, le),
        };
        write!(f, "{header}")?;
        if data_len > 0 {
            write!(f, " Lc {data_len}")?;
        }
        le.map_or(Ok(()), |le| write!(f, " Le {}", le.bytes()))
    }
}

impl fmt::Display for LoggedAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Apdu { data_len: 0, status } => write!(f, "{status}"),
            Self::Apdu { data_len, status } => write!(f, "{data_len} bytes, {status}"),
            Self::Malformed { len } => write!(f, "{len} bytes that are no response"),
            Self::LinkFailed => f.write_str("link failed"),
        }
    }
}
