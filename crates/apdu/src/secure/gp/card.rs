//! The card's way to a session, and the session.

use core::fmt;

use diversify::gp::HostCryptogram;

use super::data_key::DataKey;
use super::host::Live;
use super::protocol::sealed::Protections;
use super::protocol::{Protocol, SecurityLevel};
use super::text::{line, max_reply, protected_class};
use crate::command::{CommandApdu, LengthForm};
use crate::header::{Header, Instruction};
use crate::response::ResponseApdu;
use crate::secure::Rejected;

/// A session that the card has answered INITIALIZE UPDATE for, and whose host has proven nothing yet.
#[derive(Debug)]
pub struct CardInitialised<P> {
    live: Live<P>,
    expected: HostCryptogram,
}

impl<P: Protocol> CardInitialised<P> {
    pub(in crate::secure) const fn new(live: Live<P>, expected: HostCryptogram) -> Self {
        Self { live, expected }
    }

    /// Verifies EXTERNAL AUTHENTICATE: its MAC and the host's cryptogram, in constant time.
    ///
    /// # Errors
    /// Returns [`Rejected`] for anything else, a level that the protocol does not have among it. The session is gone; the card
    /// must count the failure before it answers.
    pub fn authenticate(mut self, command: &CommandApdu) -> Result<CardSession<P>, Rejected> {
        let header = command.header();
        let level = P::Level::from_byte(header.p1).ok_or(Rejected)?;
        let is_command = header.instruction == Instruction::EXTERNAL_AUTHENTICATE
            && header.p2 == 0
            && header.class.without_proprietary_sm().is_some_and(|plain| protected_class(plain).is_some())
            && command.form() == LengthForm::Short;
        if !is_command {
            return Err(Rejected);
        }
        let data = self.live.line.unprotect(line(header), command.expose_data(), Protections::COMMAND_MAC)?;
        let received = HostCryptogram::try_from(data.expose_bytes()).map_err(|_| Rejected)?;
        self.expected.verify(&received).map_err(|_| Rejected)?;
        self.live.line.open();
        Ok(CardSession { live: Some(self.live), level })
    }
}

/// An open session of the card.
pub struct CardSession<P: Protocol> {
    /// `None`: closed, or a reply is to be sealed.
    live: Option<Live<P>>,
    level: P::Level,
}

/// A command that the session does not unwrap.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum UnwrapError {
    /// The session has ended before.
    #[error("the secure channel session is closed")]
    Closed,
    /// The command is not the host's. The session has ended.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

/// A command that was verified and opened.
#[derive(Debug)]
pub struct Unwrapped<'s, P: Protocol> {
    /// The command without protection: class, Lc and data as the host had them.
    pub command: CommandApdu,
    /// Seals the reply. Dropped without one it closes the session.
    pub reply: ReplySealer<'s, P>,
}

/// The end of an exchange that the reply is missing from.
#[derive(Debug)]
#[must_use = "without its reply the session is closed"]
pub struct ReplySealer<'s, P: Protocol> {
    session: &'s mut CardSession<P>,
    live: Live<P>,
}

/// With its protection the data does not fit a short response. The session is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{found} bytes of response data are too long to protect, at most {max} fit")]
pub struct SealError {
    /// Most bytes at this level.
    pub max: usize,
    /// Bytes of data.
    pub found: usize,
}

impl<P: Protocol> CardSession<P> {
    /// What it protects.
    #[must_use]
    pub const fn level(&self) -> P::Level {
        self.level
    }

    /// Whether it has ended for good.
    #[must_use]
    pub const fn is_closed(&self) -> bool {
        self.live.is_none()
    }

    /// Verifies and opens a command. At level 00 it is one without secure messaging.
    ///
    /// # Errors
    /// Returns [`UnwrapError::Rejected`], and nothing about why, for a command without the protection of the level: the session
    /// is closed.
    pub fn unwrap(&mut self, command: &CommandApdu) -> Result<Unwrapped<'_, P>, UnwrapError> {
        let mut live = self.live.take().ok_or(UnwrapError::Closed)?;
        let with = Protections(self.level.byte());
        let header = command.header();
        let plain = header.class.without_proprietary_sm();
        let (class, data) = match (with.command_mac(), plain) {
            (false, None) => (header.class, command.expose_data().into()),
            (true, Some(plain))
                if protected_class(plain).is_some() && command.form() == LengthForm::Short =>
            {
                (plain, live.line.unprotect(line(header), command.expose_data(), with)?)
            }
            _ => return Err(Rejected.into()),
        };
        let command = CommandApdu::new(Header { class, ..header })
            .with_secret_data(data)
            .expect("no longer than what came")
            .with_le_field(command.le());
        Ok(Unwrapped { command, reply: ReplySealer { session: self, live } })
    }
}

impl<P: Protocol> ReplySealer<'_, P> {
    /// The key that decrypts keys and confidential data in this session.
    #[must_use]
    pub const fn data_key(&self) -> &DataKey {
        &self.live.data_key
    }

    /// Protects the reply. The session goes on.
    ///
    /// # Errors
    /// Returns [`SealError`] if it does not fit a short response then.
    pub fn seal(self, response: ResponseApdu) -> Result<ResponseApdu, SealError> {
        let Self { session, mut live } = self;
        let with = Protections(session.level.byte());
        let (data, status) = response.into_parts();
        let (max, found) = (max_reply(with.response_cipher()), data.len());
        if with.response_mac() && found > max {
            return Err(SealError { max, found });
        }
        let data = live.line.seal(data, status, with);
        session.live = Some(live);
        Ok(ResponseApdu::from_secret(data, status).expect("checked to fit"))
    }
}

impl<P: Protocol> fmt::Debug for CardSession<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CardSession")
            .field("level", &self.level)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
