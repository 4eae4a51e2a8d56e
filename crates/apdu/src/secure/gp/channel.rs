//! A session over a channel.

use core::fmt;

use super::data_key::DataKey;
use super::host::{HostSession, NotAuthenticated, StatusPolicy, Verified, WrapError};
use super::protocol::Protocol;
use crate::channel::{Channel, ChannelError};
use crate::command::CommandApdu;
use crate::response::ResponseApdu;
use crate::secure::Rejected;
use crate::status::UnexpectedStatus;
use crate::transport::CardTransport;

/// A channel with an open session: whatever is sent through it is protected. A card that was reset under it ends the session.
pub struct SecureChannel<'c, T, P: Protocol> {
    channel: &'c mut Channel<T>,
    session: HostSession<P>,
    /// How often the card had been reset when the session was opened.
    resets: u32,
}

/// An exchange that did not come about. Unless the command could not be wrapped, the session is closed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SecureChannelError<E> {
    /// The command has no answer.
    #[error(transparent)]
    Channel(#[from] ChannelError<E>),
    /// The card refused EXTERNAL AUTHENTICATE.
    #[error(transparent)]
    NotAuthenticated(#[from] NotAuthenticated),
    /// The command can't be wrapped, or the session is closed.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// The reply is not the card's.
    #[error(transparent)]
    Rejected(#[from] Rejected),
    /// The card refused a command that had to succeed.
    #[error(transparent)]
    Status(#[from] UnexpectedStatus),
}

impl<P: Protocol> Verified<P> {
    /// Sends EXTERNAL AUTHENTICATE and opens the session.
    ///
    /// # Errors
    /// Returns [`SecureChannelError`] if there is no answer or a refusal.
    pub fn open<T: CardTransport>(
        self,
        channel: &mut Channel<T>,
        level: P::Level,
    ) -> Result<SecureChannel<'_, T, P>, SecureChannelError<T::Error>> {
        let resets = channel.link().resets;
        let waiting = self.external_authenticate(level);
        let answer = channel.transmit(waiting.command())?;
        Ok(SecureChannel { channel, session: waiting.confirm(answer)?, resets })
    }
}

impl<T: CardTransport, P: Protocol> SecureChannel<'_, T, P> {
    /// The same with another policy.
    #[must_use]
    pub fn with_policy(self, policy: StatusPolicy) -> Self {
        Self { session: self.session.with_policy(policy), ..self }
    }

    /// Sends `command`, wrapped, and opens the reply.
    ///
    /// # Errors
    /// Returns [`SecureChannelError`]; never for a status word.
    pub fn transmit(&mut self, command: &CommandApdu) -> Result<ResponseApdu, SecureChannelError<T::Error>> {
        if self.channel.link().resets != self.resets {
            self.session.close();
        }
        let wrapped = self.session.wrap(command)?;
        let response = self.channel.transmit(&wrapped.command)?;
        Ok(wrapped.reply.open(response)?)
    }

    /// The session.
    #[must_use]
    pub const fn session(&self) -> &HostSession<P> {
        &self.session
    }

    /// The key that encrypts keys and confidential data in this session.
    ///
    /// # Errors
    /// Returns [`WrapError::Closed`].
    pub fn data_key(&self) -> Result<&DataKey, WrapError> {
        self.session.data_key()
    }
}

impl<T, P: Protocol> fmt::Debug for SecureChannel<'_, T, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SecureChannel").field("session", &self.session).finish_non_exhaustive()
    }
}
