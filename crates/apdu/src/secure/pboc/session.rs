//! A channel whose card waits for the one command its challenge is for.

use super::authenticate::external_authenticate;
use super::challenge::{Challenge, ChallengeLengthError};
use super::keys::{AuthenticationKey, MasterKey, ProtectionKey};
use super::line::{ProtectError, Protection, protect_under};
use crate::channel::{Channel, ChannelError};
use crate::class::ClassError;
use crate::command::CommandApdu;
use crate::commands::pboc::WriteKey;
use crate::commands::{ChallengeLength, get_challenge};
use crate::response::ResponseApdu;
use crate::secure::Rejected;
use crate::status::UnexpectedStatus;
use crate::transport::CardTransport;

/// A channel with a fresh challenge of its card. Any other command would void the challenge, so the channel is locked
/// until the challenge is used, or given up by dropping this.
///
/// On a logical channel the MAC is over the class that the card gets, channel and all.
///
/// # Examples
/// ```
/// use cardroot_apdu::commands::ChallengeLength;
/// use cardroot_apdu::secure::pboc::{CardKey, Challenged, ExternalAuthKey};
/// use cardroot_apdu::{Channel, Script, ScriptedTransport};
/// use tdea::hazmat::DesKey;
///
/// let script: Script = "> 0084000008\n< 53FD1F262EC4E6E29000\n> 0082000008A0DBBFC1192FF24A\n< 9000".parse()?;
/// let mut channel = Channel::new(ScriptedTransport::new(script));
/// let key = ExternalAuthKey::from_key(CardKey::from(DesKey::from_fill(|bytes| bytes.fill(0xFF))));
/// let challenged = Challenged::request(&mut channel, ChallengeLength::Eight)?;
/// challenged.external_authenticate(0x00, &key)?.into_ok()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
/// Nothing else goes through before:
/// ```compile_fail,E0499
/// # use cardroot_apdu::{CardTransport, Channel, CommandApdu, commands::ChallengeLength};
/// # use cardroot_apdu::secure::pboc::{Challenged, ExternalAuthKey};
/// fn interrupted<T: CardTransport>(channel: &mut Channel<T>, other: &CommandApdu, key: &ExternalAuthKey) {
///     let challenged = Challenged::request(channel, ChallengeLength::Eight).ok().unwrap();
///     let _ = channel.transmit(other);
///     let _ = challenged.external_authenticate(0x00, key);
/// }
/// ```
#[derive(Debug)]
pub struct Challenged<'c, T> {
    channel: &'c mut Channel<T>,
    challenge: Challenge,
}

/// A protected exchange that did not come about.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SessionError<E> {
    /// The command has no answer.
    #[error(transparent)]
    Channel(#[from] ChannelError<E>),
    /// The card gave no challenge.
    #[error(transparent)]
    Status(#[from] UnexpectedStatus),
    /// The challenge has a wrong length.
    #[error(transparent)]
    Challenge(#[from] ChallengeLengthError),
    /// The command can't be protected.
    #[error(transparent)]
    Protect(#[from] ProtectError),
    /// The reply is not the card's.
    #[error(transparent)]
    Rejected(#[from] Rejected),
}

impl<'c, T: CardTransport> Challenged<'c, T> {
    /// Asks the card for a challenge.
    ///
    /// # Errors
    /// Returns [`SessionError`] if the card has none to give.
    pub fn request(
        channel: &'c mut Channel<T>,
        length: ChallengeLength,
    ) -> Result<Self, SessionError<T::Error>> {
        let response = channel.transmit(&get_challenge(length))?.into_ok()?;
        Ok(Self { challenge: Challenge::try_from(response.data())?, channel })
    }

    /// EXTERNAL AUTHENTICATE with key number `key_id`.
    ///
    /// # Errors
    /// Returns [`ChannelError`] if there is no answer. A refusal is an answer: look at its status.
    pub fn external_authenticate(
        self,
        key_id: u8,
        key: &impl AuthenticationKey,
    ) -> Result<ResponseApdu, ChannelError<T::Error>> {
        self.channel.transmit(&external_authenticate(key_id, key, self.challenge))
    }

    /// WRITE KEY, enciphered and with MAC under the master key of the directory.
    ///
    /// # Errors
    /// Returns [`ChannelError`] if there is no answer. A refusal is an answer: look at its status.
    pub fn write_key(
        self,
        key: &WriteKey<'_>,
        master: &MasterKey,
    ) -> Result<ResponseApdu, ChannelError<T::Error>> {
        let command = key.plain();
        let header = self.channel.place(command.header())?;
        let protected = protect_under(header, &command, Protection::CipherAndMac, master, self.challenge)
            // A record fits a command: it is the channel that has no place for the protection.
            .map_err(|_| ClassError::SecureMessaging { byte: header.class.byte() })?;
        self.channel.transmit(&protected.command)
    }

    /// Sends a command that writes or locks, protected. The answer has no protection.
    ///
    /// # Errors
    /// Returns [`SessionError`] if the command can't be protected or has no answer.
    pub fn write(
        self,
        command: &CommandApdu,
        protection: Protection,
        key: &impl ProtectionKey,
    ) -> Result<ResponseApdu, SessionError<T::Error>> {
        let header = self.channel.place(command.header()).map_err(ChannelError::Class)?;
        let protected = protect_under(header, command, protection, key, self.challenge)?;
        Ok(self.channel.transmit(&protected.command)?)
    }

    /// Sends a command that reads, protected, and verifies and opens the answer.
    ///
    /// # Errors
    /// Returns [`SessionError`] if the command can't be protected, has no answer, or has one that is not the card's.
    pub fn read(
        self,
        command: &CommandApdu,
        protection: Protection,
        key: &impl ProtectionKey,
    ) -> Result<ResponseApdu, SessionError<T::Error>> {
        let header = self.channel.place(command.header()).map_err(ChannelError::Class)?;
        let protected = protect_under(header, command, protection, key, self.challenge)?;
        let response = self.channel.transmit(&protected.command)?;
        Ok(protected.reply.open(response)?)
    }
}
