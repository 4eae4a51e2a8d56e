//! A dialogue with a card: GET RESPONSE, wrong Le, command chaining.

use zeroize::Zeroize;

use crate::bytes::SecretBytes;
use crate::class::{Chaining, Class, ClassError, LogicalChannel};
use crate::command::{CommandApdu, LengthForm, Parts, Repetition};
use crate::commands::{close_channel, open_channel};
use crate::header::{Header, Instruction};
use crate::le::Le;
use crate::response::{ResponseApdu, ResponseError};
use crate::status::{StatusClass, StatusWord, UnexpectedStatus};
use crate::transport::{CardReset, CardTransport, Link};

/// A dialogue with a card over a transport: one command in, its whole answer out.
///
/// - `61XX`: the rest is fetched by GET RESPONSE on the same logical channel, without secure messaging and chaining.
/// - `6CXX`: the command is sent once more with Le XX, if it has an Le and [`Repetition::Allowed`].
/// - On a logical channel other than the basic one, every command is put there, and so is its GET RESPONSE.
/// - Long data goes out in a chain of short commands where [`transmit_chained`](Self::transmit_chained) says so.
///
/// A status word is data, not an error, except where it breaks off a chain: then the command never took place.
///
/// # Source
/// ISO/IEC 7816-4:2013 5.3.3, 5.3.4 and 5.6.
///
/// # Examples
/// ```
/// use cardroot_apdu::{Channel, CommandApdu, Header, Instruction, Le, Script, ScriptedTransport};
///
/// let script: Script = "> 00CA006600\n< 6102\n> 00C0000002\n< AABB9000".parse()?;
/// let mut channel = Channel::new(ScriptedTransport::new(script));
/// let command = CommandApdu::new(Header::iso(Instruction::GET_DATA, 0x00, 0x66)).with_le(Le::MAX_SHORT);
/// assert_eq!(channel.transmit(&command)?.into_ok()?.data(), [0xAA, 0xBB]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Channel<T> {
    transport: T,
    /// Room for the longest response. Wiped after each.
    buffer: SecretBytes,
    get_response_class: Option<Class>,
    logical: LogicalChannel,
}

/// A command that has no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ChannelError<E> {
    /// The link failed. Whether the card carried out the command is not known.
    #[error("the link to the card failed")]
    Link(#[source] E),
    /// What came back is no response.
    #[error(transparent)]
    Response(#[from] ResponseError),
    /// The transport reports more bytes than it had room for.
    #[error("the transport reports {reported} bytes, more than it was given room for")]
    Overrun {
        /** Bytes reported. */
        reported: usize,
    },
    /// The card goes on announcing data without giving any, or in too many pieces.
    #[error("the card announces data without end")]
    Stalled,
    /// The class can't chain, or has no place for the logical channel.
    #[error(transparent)]
    Class(#[from] ClassError),
    /// The command is longer than the link takes; nothing was sent.
    #[error("a command of {needed} bytes does not go over a link that takes {most}")]
    LinkLimit {
        /** Bytes of the command. */
        needed: usize,
        /** Bytes that the link takes. */
        most: usize,
    },
    /// A chain ends in a short command, whose Le is at most 256.
    #[error("a chained command expects at most 256 bytes, found {found}")]
    ChainedLe {
        /** Bytes expected. */
        found: u32,
    },
    /// The card refused a part before the last one; nothing more was sent.
    #[error("the card broke the chain off at part {part}: {status}")]
    ChainBroken {
        /** Part refused, from 0. */
        part: usize,
        /** What the card answered. */
        status: StatusWord,
    },
}

/// A logical channel that was not opened or closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum LogicalChannelError<E> {
    /// MANAGE CHANNEL has no answer.
    #[error(transparent)]
    Channel(#[from] ChannelError<E>),
    /// The card refused: `6A81` if it has none left, or none at all.
    #[error(transparent)]
    Refused(#[from] UnexpectedStatus),
    /// The card opened something, and what it says of it is no number of a channel from 1 to 19.
    #[error("the card does not say which channel it opened")]
    Number,
}

impl<T: CardTransport> Channel<T> {
    /// Most GET RESPONSE commands for one answer: twice what 65536 bytes take in full pieces.
    pub const MAX_GET_RESPONSES: usize = 512;

    /// A dialogue over `transport`.
    pub fn new(transport: T) -> Self {
        Self {
            transport,
            buffer: SecretBytes::zeroed(ResponseApdu::MAX_LEN),
            get_response_class: None,
            logical: LogicalChannel::BASIC,
        }
    }

    /// The same with a fixed class for GET RESPONSE, for cards whose proprietary classes mean something else than
    /// [`Class::get_response`] takes them for.
    #[must_use]
    pub fn with_get_response_class(self, class: Class) -> Self {
        Self { get_response_class: Some(class), ..self }
    }

    /// The logical channel that commands are put on. A command for another one, on the basic channel, is left there.
    #[must_use]
    pub const fn logical_channel(&self) -> LogicalChannel {
        self.logical
    }

    /// What is known of the link.
    #[must_use]
    pub fn link(&self) -> Link<'_> {
        self.transport.link()
    }

    /// A dialogue over the same transport on another logical channel, which is open. It keeps its number; closing is up to
    /// [`close_logical_channel`](Self::close_logical_channel).
    ///
    /// Classes `8X` are put there as GlobalPlatform codes them.
    pub fn on(&mut self, logical: LogicalChannel) -> Channel<&mut T> {
        Channel { get_response_class: self.get_response_class, logical, ..Channel::new(&mut self.transport) }
    }

    /// MANAGE CHANNEL: opens a logical channel that the card picks and returns its number, for [`on`](Self::on).
    ///
    /// # Source
    /// ISO/IEC 7816-4:2013 11.1.2.
    ///
    /// # Errors
    /// Returns [`LogicalChannelError`] if none was opened.
    ///
    /// # Examples
    /// ```
    /// use cardroot_apdu::commands::{FileId, select_file};
    /// use cardroot_apdu::{Channel, Script, ScriptedTransport};
    ///
    /// let script: Script = "> 0070000001\n< 019000\n> 01A40000023F0000\n< 9000\n> 00708001\n< 9000".parse()?;
    /// let mut basic = Channel::new(ScriptedTransport::new(script));
    /// let number = basic.open_logical_channel()?;
    /// basic.on(number).transmit(&select_file(FileId::MASTER))?.into_ok()?;
    /// basic.close_logical_channel(number)?;
    /// # basic.into_transport().finish()?;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn open_logical_channel(&mut self) -> Result<LogicalChannel, LogicalChannelError<T::Error>> {
        let response = self.transmit(&open_channel())?.into_ok()?;
        match response.data() {
            [number @ 1..=0xFF] => LogicalChannel::new(*number).ok_or(LogicalChannelError::Number),
            _ => Err(LogicalChannelError::Number),
        }
    }

    /// MANAGE CHANNEL: closes a logical channel.
    ///
    /// # Errors
    /// Returns [`LogicalChannelError`] if the card does not; it never closes the basic one.
    pub fn close_logical_channel(
        &mut self,
        logical: LogicalChannel,
    ) -> Result<(), LogicalChannelError<T::Error>> {
        self.transmit(&close_channel(logical))?.into_ok()?;
        Ok(())
    }

    /// Resets the card. Its logical channels and its security state are gone.
    ///
    /// # Errors
    /// Returns [`ChannelError::Link`] if the link failed.
    pub fn reset(&mut self) -> Result<(), ChannelError<T::Error>>
    where
        T: CardReset,
    {
        self.transport.reset().map_err(ChannelError::Link)
    }

    /// The transport within.
    pub fn into_transport(self) -> T {
        self.transport
    }

    /// Sends `command` and returns the whole answer.
    ///
    /// An answer that broke off has the status that ended it and no data.
    ///
    /// # Errors
    /// Returns [`ChannelError`] if there is no answer; never for a status word.
    pub fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, ChannelError<T::Error>> {
        let parts = self.placed(command)?;
        let mut response = self.exchange(&parts.encode())?;
        if let (StatusClass::WrongLe { available }, Some(_), Repetition::Allowed) =
            (response.status().class(), parts.le, command.repetition())
        {
            response = self.exchange(&Parts { le: Some(available), ..parts }.encode())?;
        }
        self.collect(parts.header.class, response)
    }

    /// Sends `command`, in a chain of short commands if its data takes more than one. Le is on the last of them only.
    ///
    /// # Errors
    /// Besides those of [`transmit`](Self::transmit): [`ChannelError::Class`] for a proprietary class,
    /// [`ChannelError::ChainedLe`] over 256, [`ChannelError::ChainBroken`] if a part before the last is not answered
    /// by `9000`.
    pub fn transmit_chained(
        &mut self,
        command: &CommandApdu,
    ) -> Result<ResponseApdu, ChannelError<T::Error>> {
        let whole = Parts { form: LengthForm::Short, ..self.placed(command)? };
        if whole.data.len() <= CommandApdu::MAX_SHORT_DATA {
            return self.transmit(command);
        }
        if let Some(le) = whole.le.filter(|le| *le > Le::MAX_SHORT) {
            return Err(ChannelError::ChainedLe { found: le.bytes() });
        }
        let header = |chaining| -> Result<Header, ClassError> {
            Ok(Header { class: whole.header.class.with_chaining(chaining)?, ..whole.header })
        };
        let (more, last) = (header(Chaining::MoreToCome)?, header(Chaining::LastOrOnly)?);
        // The last piece is never empty, not even where the data is a multiple of the pieces.
        let last_start = (whole.data.len() - 1) / CommandApdu::MAX_SHORT_DATA * CommandApdu::MAX_SHORT_DATA;
        let (first_pieces, last_piece) = whole.data.split_at(last_start);
        for (part, data) in first_pieces.chunks(CommandApdu::MAX_SHORT_DATA).enumerate() {
            let response = self.exchange(&Parts { header: more, data, le: None, ..whole }.encode())?;
            if response.status() != StatusWord::OK {
                return Err(ChannelError::ChainBroken { part, status: response.status() });
            }
        }
        let response = self.exchange(&Parts { header: last, data: last_piece, ..whole }.encode())?;
        self.collect(last.class, response)
    }

    /// The command on the logical channel of this dialogue.
    fn placed<'a>(&self, command: &'a CommandApdu) -> Result<Parts<'a>, ClassError> {
        Ok(Parts { header: self.place(command.header())?, ..command.as_parts() })
    }

    /// A header on the logical channel of this dialogue. One that is there stays as it is.
    pub(crate) fn place(&self, header: Header) -> Result<Header, ClassError> {
        if self.logical == LogicalChannel::BASIC {
            return Ok(header);
        }
        Ok(Header { class: header.class.on_global_platform_channel(self.logical)?, ..header })
    }

    /// Fetches what `61XX` announces until it announces no more.
    fn collect(&mut self, class: Class, first: ResponseApdu) -> Result<ResponseApdu, ChannelError<T::Error>> {
        if !announces_more(first.status()) {
            return Ok(first);
        }
        let (mut data, mut status) = first.into_parts();
        let mut fetched = 0;
        while let StatusClass::MoreData { available } = status.class() {
            let part = self.get_response(class, available)?;
            status = part.status();
            fetched += 1;
            if announces_more(status) && (part.data().is_empty() || fetched == Self::MAX_GET_RESPONSES) {
                return Err(ChannelError::Stalled);
            }
            data.extend(part.data());
            if data.len() > ResponseApdu::MAX_DATA {
                return Err(ResponseError::DataTooLong { found: data.len() }.into());
            }
        }
        // Part of the data is no answer.
        let data = if is_failure(status) { SecretBytes::default() } else { data };
        Ok(ResponseApdu::from_secret(data, status)?)
    }

    fn get_response(&mut self, class: Class, le: Le) -> Result<ResponseApdu, ChannelError<T::Error>> {
        let class = self.get_response_class.unwrap_or(class.get_response());
        let header = Header { class, instruction: Instruction::GET_RESPONSE, p1: 0, p2: 0 };
        let command = CommandApdu::new(header).with_le(le);
        let response = self.exchange(&command.encode())?;
        match response.status().class() {
            StatusClass::WrongLe { available } => self.exchange(&command.encode_with_le(available)),
            _ => Ok(response),
        }
    }

    /// One command, one response.
    fn exchange(&mut self, command: &SecretBytes) -> Result<ResponseApdu, ChannelError<T::Error>> {
        let (needed, most) = (command.len(), self.transport.link().max_command_len);
        if needed > most {
            return Err(ChannelError::LinkLimit { needed, most });
        }
        let buffer = self.buffer.as_mut_slice();
        let result = self.transport.transmit(command.expose_bytes(), buffer).map_err(ChannelError::Link);
        let written = match result {
            Ok(reported) => buffer.get_mut(..reported).ok_or(ChannelError::Overrun { reported }),
            Err(error) => Err(error),
        };
        match written {
            Ok(bytes) => {
                let response = ResponseApdu::decode(bytes);
                bytes.zeroize();
                Ok(response?)
            }
            Err(error) => {
                self.buffer.as_mut_slice().zeroize();
                Err(error)
            }
        }
    }
}

const fn announces_more(status: StatusWord) -> bool {
    matches!(status.class(), StatusClass::MoreData { .. })
}

const fn is_failure(status: StatusWord) -> bool {
    matches!(
        status.class(),
        StatusClass::ExecutionError | StatusClass::CheckingError | StatusClass::WrongLe { .. }
    )
}
