//! The host's way to a session, and the session.

use core::fmt;

use diversify::gp::{CardCryptogram, HostCryptogram};
use rand_core::CryptoRng;

use super::check_values::CheckValues;
use super::data_key::DataKey;
use super::protocol::sealed::Protections;
use super::protocol::{Protocol, SecurityLevel};
use super::text::{line, max_data, protected_class};
use crate::class::Class;
use crate::command::{CommandApdu, LengthForm};
use crate::header::{Header, Instruction};
use crate::le::Le;
use crate::response::ResponseApdu;
use crate::secure::Rejected;
use crate::status::{StatusWord, UnexpectedStatus};

/// The host's challenge, good for one session. It is no secret; it can't be copied, since a session takes it once.
///
/// ```compile_fail,E0382
/// # use cardroot_apdu::{ResponseApdu, secure::{gp::HostChallenge, scp02::{Answer, CardKeys, initialise}}};
/// fn again(challenge: HostChallenge, answer: &Answer, keys: &CardKeys) {
///     let _ = initialise(challenge, answer, keys);
///     let _ = initialise(challenge, answer, keys);
/// }
/// ```
/// ```
/// # use cardroot_apdu::{ResponseApdu, secure::{gp::HostChallenge, scp02::{Answer, CardKeys, initialise}}};
/// fn once(challenge: HostChallenge, answer: &Answer, keys: &CardKeys) {
///     let _ = initialise(challenge, answer, keys);
/// }
/// ```
#[derive(Debug)]
pub struct HostChallenge([u8; 8]);

impl HostChallenge {
    /// Draws a challenge.
    pub fn generate(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = [0; 8];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// The bytes as they travel.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 8] {
        &self.0
    }
}

impl From<[u8; 8]> for HostChallenge {
    /// Takes a challenge that was drawn elsewhere. Used twice it lets old answers pass.
    fn from(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }
}

/// Keys and chaining values of a session that can be used.
pub(in crate::secure) struct Live<P> {
    pub(in crate::secure) line: P,
    pub(in crate::secure) data_key: DataKey,
}

/// A session whose keys are derived and whose card has proven nothing yet. Nothing was sent since INITIALIZE UPDATE.
#[derive(Debug)]
pub struct Initialised<P> {
    live: Live<P>,
    received: CardCryptogram,
    expected: CardCryptogram,
    cryptogram: HostCryptogram,
    check_values: CheckValues,
}

/// What [`Initialised`] is made of.
pub(in crate::secure) struct InitialisedParts<P> {
    pub(in crate::secure) live: Live<P>,
    pub(in crate::secure) received: CardCryptogram,
    pub(in crate::secure) expected: CardCryptogram,
    pub(in crate::secure) cryptogram: HostCryptogram,
    pub(in crate::secure) check_values: CheckValues,
}

impl<P: Protocol> Initialised<P> {
    pub(in crate::secure) fn new(parts: InitialisedParts<P>) -> Self {
        let InitialisedParts { live, received, expected, cryptogram, check_values } = parts;
        Self { live, received, expected, cryptogram, check_values }
    }

    /// Check values of the card's keys and of the session's, to be shown and compared before going on.
    #[must_use]
    pub const fn check_values(&self) -> &CheckValues {
        &self.check_values
    }

    /// Verifies the card's cryptogram in constant time.
    ///
    /// # Errors
    /// Returns [`Rejected`] if the card has other keys. Nothing was sent and the card has counted no failure yet: find out
    /// which keys are wrong, never try on.
    pub fn verify_card(self) -> Result<Verified<P>, Rejected> {
        self.expected.verify(&self.received).map_err(|_| Rejected)?;
        Ok(Verified { live: self.live, cryptogram: self.cryptogram })
    }
}

/// A session whose card has proven that it holds the keys.
#[derive(Debug)]
pub struct Verified<P> {
    live: Live<P>,
    cryptogram: HostCryptogram,
}

impl<P: Protocol> Verified<P> {
    /// EXTERNAL AUTHENTICATE `84 82 level 00 10 cryptogram MAC`, and what waits for its answer.
    #[must_use]
    pub fn external_authenticate(mut self, level: P::Level) -> Authenticating<P> {
        let class = Class::PROPRIETARY.with_proprietary_sm().expect("80 has a place for secure messaging");
        let header =
            Header { class, instruction: Instruction::EXTERNAL_AUTHENTICATE, p1: level.byte(), p2: 0 };
        let data = self.live.line.protect(header, self.cryptogram.as_bytes(), Protections::COMMAND_MAC);
        let command = CommandApdu::new(header).with_secret_data(data).expect("16 bytes");
        Authenticating { command, live: self.live, level }
    }
}

/// A session that waits for the answer to EXTERNAL AUTHENTICATE.
#[derive(Debug)]
pub struct Authenticating<P: Protocol> {
    command: CommandApdu,
    live: Live<P>,
    level: P::Level,
}

/// The card did not take the host's cryptogram. It has counted the failure: do not try again with the same keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the card refused to authenticate the host")]
pub struct NotAuthenticated(#[source] pub UnexpectedStatus);

impl<P: Protocol> Authenticating<P> {
    /// The command to send, once.
    #[must_use]
    pub const fn command(&self) -> &CommandApdu {
        &self.command
    }

    /// Takes the card's answer.
    ///
    /// # Errors
    /// Returns [`NotAuthenticated`] for every status but `9000`.
    pub fn confirm(mut self, answer: ResponseApdu) -> Result<HostSession<P>, NotAuthenticated> {
        answer.into_ok().map_err(NotAuthenticated)?;
        self.live.line.open();
        Ok(HostSession { live: Some(self.live), level: self.level, policy: StatusPolicy::default() })
    }
}

/// Which status words of the card end a session, besides those that do not verify.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum StatusPolicy {
    /// `6982`, `6987` and `6988`: the card has ended it on its side.
    #[default]
    SecurityErrors,
    /// Every status but `9000`, `62XX` and `63XX`: personalisation stops at the first refusal.
    Failures,
}

impl StatusPolicy {
    const fn closes(self, status: StatusWord) -> bool {
        match self {
            Self::SecurityErrors => matches!(
                status,
                StatusWord::SECURITY_STATUS | StatusWord::SM_OBJECT_MISSING | StatusWord::SM_OBJECT_WRONG
            ),
            Self::Failures => !matches!(status.bytes(), [0x90, 0x00] | [0x62 | 0x63, _]),
        }
    }
}

/// An open session of the host.
///
/// It wraps a command and opens the reply to it, one at a time. What travels in between (GET RESPONSE, the reader) is below
/// it: hand it the whole answer of a [`Channel`](crate::Channel).
pub struct HostSession<P: Protocol> {
    /// `None`: closed, or a reply is awaited. The keys are then in its opener or wiped.
    live: Option<Live<P>>,
    level: P::Level,
    policy: StatusPolicy,
}

/// A command that a session does not wrap. Nothing was sent; but for [`WrapError::Closed`] the session goes on.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrapError {
    /// The session has ended: a reply was not the card's, or never came.
    #[error("the secure channel session is closed")]
    Closed,
    /// The class has no place for secure messaging, has it already, or says that more parts of a chain follow.
    #[error("class {byte:02X} takes no secure messaging of this protocol")]
    Class {
        /** Class. */
        byte: u8,
    },
    /// With its protection the data would not fit a short command.
    #[error("{found} bytes of data are too long to wrap, at most {max} fit")]
    TooLong {
        /** Most bytes at this level. */
        max: usize,
        /** Bytes of data. */
        found: usize,
    },
    /// These protocols take short commands.
    #[error("an extended command is not wrapped")]
    Extended,
}

/// A wrapped command on its way to the card.
#[derive(Debug)]
pub struct Wrapped<'s, P: Protocol> {
    /// The command to send, once: its MAC is good once.
    pub command: CommandApdu,
    /// Opens the reply. Dropped without one it closes the session.
    pub reply: ReplyOpener<'s, P>,
}

/// The end of an exchange that the reply is missing from.
#[derive(Debug)]
#[must_use = "without its reply the session is closed"]
pub struct ReplyOpener<'s, P: Protocol> {
    session: &'s mut HostSession<P>,
    live: Live<P>,
}

impl<P: Protocol> HostSession<P> {
    /// The same with another policy.
    #[must_use]
    pub fn with_policy(self, policy: StatusPolicy) -> Self {
        Self { policy, ..self }
    }

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

    /// Ends it for good: the card has lost its side, or nothing more is to be said. Its keys are wiped.
    pub fn close(&mut self) {
        self.live = None;
    }

    /// The key that encrypts keys and confidential data in this session.
    ///
    /// # Errors
    /// Returns [`WrapError::Closed`].
    pub fn data_key(&self) -> Result<&DataKey, WrapError> {
        self.live.as_ref().map(|live| &live.data_key).ok_or(WrapError::Closed)
    }

    /// Wraps `command`. At level 00 it stays as it is.
    ///
    /// Where replies are protected, an Le becomes `00`: the MAC is longer than the answer that was meant. An absent Le stays
    /// absent.
    ///
    /// # Errors
    /// Returns [`WrapError`]; nothing has changed then.
    pub fn wrap(&mut self, command: &CommandApdu) -> Result<Wrapped<'_, P>, WrapError> {
        let with = Protections(self.level.byte());
        let plain = command.header();
        let class = match with.command_mac() {
            true => protected_class(plain.class).ok_or(WrapError::Class { byte: plain.class.byte() })?,
            false => plain.class,
        };
        if command.form() == LengthForm::Extended {
            return Err(WrapError::Extended);
        }
        let (max, found) = (max_data(with.command_cipher()), command.expose_data().len());
        if with.command_mac() && found > max {
            return Err(WrapError::TooLong { max, found });
        }
        let mut live = self.live.take().ok_or(WrapError::Closed)?;
        let header = Header { class, ..plain };
        let data = match with.command_mac() {
            true => live.line.protect(line(header), command.expose_data(), with),
            false => command.expose_data().into(),
        };
        let le = command.le().map(|le| if with.response_mac() { Le::MAX_SHORT } else { le });
        let command =
            CommandApdu::new(header).with_secret_data(data).expect("at most 255 bytes").with_le_field(le);
        Ok(Wrapped { command, reply: ReplyOpener { session: self, live } })
    }
}

impl<P: Protocol> ReplyOpener<'_, P> {
    /// Verifies and opens the reply. The session goes on unless it is rejected or its status ends the session.
    ///
    /// # Errors
    /// Returns [`Rejected`], and nothing about why. The session is closed.
    ///
    /// # Security
    /// Only at levels with MACs on responses is the reply the card's for sure, and in protocol 03 even there a failure has no
    /// MAC.
    pub fn open(self, response: ResponseApdu) -> Result<ResponseApdu, Rejected> {
        let Self { session, mut live } = self;
        let (data, status) = response.into_parts();
        let data = live.line.unseal(data, status, Protections(session.level.byte()))?;
        if !session.policy.closes(status) {
            session.live = Some(live);
        }
        Ok(ResponseApdu::from_secret(data, status).expect("no longer than what came"))
    }
}

impl<P> fmt::Debug for Live<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Live").finish_non_exhaustive()
    }
}

impl<P: Protocol> fmt::Debug for HostSession<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostSession")
            .field("level", &self.level)
            .field("closed", &self.is_closed())
            .finish_non_exhaustive()
    }
}
