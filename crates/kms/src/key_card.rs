//! Key cards: keys on their way from card to card, as ciphertext that only the receiving card opens.
//!
//! Mother card → secondary card → key card of a city → SAM. On the first leg the parent key becomes a key of the province
//! ([`function_path`]), on the second one of a city. A key card gives a key after its officer's PIN and the proof of an
//! external authentication key, to a card that has the same exchange key. What this program sees on the way is ciphertext.
//!
//! ```text
//! KeyCard ─ verify_pin ─▶ IdentifiedKeyCard ─ authenticate | authenticate_by ─▶ OpenKeyCard ─ give ─▶ Receiver
//! ```
//!
//! # Source
//! Provincial CPU-card system, sections 3.2 and 5.1: what has to be shown before a key leaves. The bytes of the two commands are the
//! simulator's own ([`ExportKey`]): no public source has any.
//!
//! # Examples
//! A key card gives nothing before its PIN and the proof:
//! ```
//! # use apdu::CardTransport;
//! # use apdu::secure::pboc::ExternalAuthKey;
//! # use cardroot_kms::key_card::{KeyCard, KeyName, Receiver};
//! fn give<T: CardTransport, R: CardTransport>(
//!     giver: KeyCard<'_, T>, proof: &ExternalAuthKey, sam: &mut Receiver<'_, R>, key: &KeyName<'_>,
//! ) -> Option<()> {
//!     giver.verify_pin(0, &[0x12, 0x34]).ok()?.authenticate(1, proof).ok()?.give(key, sam).ok()
//! }
//! ```
//! ```compile_fail,E0599
//! # use apdu::CardTransport;
//! # use apdu::secure::pboc::ExternalAuthKey;
//! # use cardroot_kms::key_card::{KeyCard, KeyName, Receiver};
//! fn give<T: CardTransport, R: CardTransport>(
//!     giver: KeyCard<'_, T>, proof: &ExternalAuthKey, sam: &mut Receiver<'_, R>, key: &KeyName<'_>,
//! ) -> Option<()> {
//!     giver.give(key, sam).ok()
//! }
//! ```

use apdu::commands::pboc::{ExportKey, PsamKeyUsage, ReceiverKind, import_key};
use apdu::commands::{
    ChallengeLength, FileId, InternalOperation, PinLengthError, external_authenticate, get_challenge,
    internal_authenticate, select_file, verify,
};
use apdu::secure::Rejected;
use apdu::secure::pboc::{ChallengeLengthError, Challenged, ExternalAuthKey, MasterKey, SessionError};
use apdu::{CardTransport, Channel, CommandApdu, DataTooLong};
use diversify::tree::FunctionLabels;
use diversify::tree::purpose::{Derived, Function};

/// Identifier of a directory's master.
const MASTER: u8 = 0x00;

/// A key that does not go from card to card.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyCardError<G, R = G> {
    /// The giving card refused, or its link failed.
    #[error("the giving card: {0}")]
    Giver(SessionError<G>),
    /// The receiving card refused, or its link failed.
    #[error("the receiving card: {0}")]
    Receiver(SessionError<R>),
    /// More factors, or a longer answer of the giving card, than one command takes.
    #[error(transparent)]
    TooLong(#[from] DataTooLong),
}

/// Why a key card stays shut.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError<G, A = G> {
    /// The key card refused, or its link failed.
    #[error("the key card: {0}")]
    KeyCard(SessionError<G>),
    /// The authentication card refused, or its link failed.
    #[error("the authentication card: {0}")]
    AuthenticationCard(SessionError<A>),
    /// No PIN has that length.
    #[error(transparent)]
    Pin(#[from] PinLengthError),
}

/// A key card with its application selected, and nothing shown to it.
#[derive(Debug)]
pub struct KeyCard<'c, T> {
    channel: &'c mut Channel<T>,
}

/// A key card that knows its officer.
#[derive(Debug)]
pub struct IdentifiedKeyCard<'c, T> {
    channel: &'c mut Channel<T>,
}

/// A key card that gives keys, until it is reset or another directory is selected.
#[derive(Debug)]
pub struct OpenKeyCard<'c, T> {
    channel: &'c mut Channel<T>,
}

/// Which key a card gives.
#[derive(Clone, Copy, Debug)]
pub struct KeyName<'f> {
    /// Levels and kind that the giving card keeps it under.
    pub usage: PsamKeyUsage,
    /// Version that it keeps it under; the receiving card takes it over.
    pub version: u8,
    /// Version of the exchange key that both cards have.
    pub exchange_version: u8,
    /// Disperses the key first, such as a city's factor: the receiving card gets it with as many levels fewer.
    pub factors: &'f [[u8; 8]],
}

/// The factors by which a mother card disperses the parent key, so that a secondary card gets the province's key of function `F`, with
/// two levels fewer: the label of its master, then its own.
///
/// The mother card can't tell functions apart. The kind in [`KeyName::usage`] has to be one that `F` calls for, as it has to be in plans.
///
/// # Examples
/// ```
/// use apdu::commands::pboc::PsamKeyUsage;
/// use cardroot_kms::key_card::{KeyName, function_path};
/// use diversify::tree::FunctionLabels;
/// use diversify::tree::purpose::Purchase;
///
/// let factors = function_path::<Purchase>(&FunctionLabels::V1);
/// let usage = PsamKeyUsage::new(4, 2).expect("4 levels and kind 2 fit a byte");
/// let purchase = KeyName { usage, version: 1, exchange_version: 1, factors: &factors };
/// assert_eq!(purchase.usage.byte(), 0x82);
/// ```
#[must_use]
pub fn function_path<F: Function>(labels: &FunctionLabels) -> [[u8; 8]; 2] {
    [<F::Master as Derived>::ID, F::ID].map(|purpose| *labels.of(purpose).as_bytes())
}

/// A SAM or key card whose application is open to its centre.
#[derive(Debug)]
pub struct Receiver<'c, R> {
    channel: &'c mut Channel<R>,
    kind: ReceiverKind,
    serial: [u8; 8],
}

impl<'c, T: CardTransport> KeyCard<'c, T> {
    /// Selects the application of a key card.
    ///
    /// # Errors
    /// Returns [`OpenError::KeyCard`] if there is none.
    pub fn select(channel: &'c mut Channel<T>, application: FileId) -> Result<Self, OpenError<T::Error>> {
        select(channel, application).map_err(OpenError::KeyCard)?;
        Ok(Self { channel })
    }

    /// Shows the officer's PIN, as the card compares it.
    ///
    /// # Errors
    /// Returns [`OpenError`] if the card refuses it: the status says how many tries are left.
    pub fn verify_pin(self, id: u8, pin: &[u8]) -> Result<IdentifiedKeyCard<'c, T>, OpenError<T::Error>> {
        send(self.channel, &verify(id, pin)?).map_err(OpenError::KeyCard)?;
        Ok(IdentifiedKeyCard { channel: self.channel })
    }
}

impl<'c, T: CardTransport> IdentifiedKeyCard<'c, T> {
    /// Proves external authentication key `id`, which is not the master.
    ///
    /// # Errors
    /// Returns [`OpenError::KeyCard`] if the card refuses the proof.
    pub fn authenticate(
        self,
        id: u8,
        key: &ExternalAuthKey,
    ) -> Result<OpenKeyCard<'c, T>, OpenError<T::Error>> {
        let proven = Challenged::request(self.channel, ChallengeLength::Eight)
            .and_then(|challenged| Ok(challenged.external_authenticate(id, key)?.into_ok()?));
        proven.map_err(OpenError::KeyCard)?;
        Ok(OpenKeyCard { channel: self.channel })
    }

    /// The same by an external authentication card, in whose selected application internal authentication key `card_id` is: this
    /// program does not have the key.
    ///
    /// # Errors
    /// Returns [`OpenError`] if either card refuses.
    pub fn authenticate_by<A: CardTransport>(
        self,
        id: u8,
        card: &mut Channel<A>,
        card_id: u8,
    ) -> Result<OpenKeyCard<'c, T>, OpenError<T::Error, A::Error>> {
        let challenge = block_of_challenge(self.channel).map_err(OpenError::KeyCard)?;
        let ask = internal_authenticate(InternalOperation::Encrypt, card_id, &challenge);
        let cryptogram = send(card, &ask.expect("8 bytes fit a command"))
            .and_then(|answer| <[u8; 8]>::try_from(answer.as_slice()).map_err(|_| Rejected.into()))
            .map_err(OpenError::AuthenticationCard)?;
        let proof = external_authenticate(id, &cryptogram).expect("8 bytes fit a command");
        send(self.channel, &proof).map_err(OpenError::KeyCard)?;
        Ok(OpenKeyCard { channel: self.channel })
    }
}

impl<T: CardTransport> OpenKeyCard<'_, T> {
    /// Gives a key to `receiver`: for its serial number and its challenge alone. Where the receiver has a key of that name, the new
    /// one takes its place.
    ///
    /// # Errors
    /// Returns [`KeyCardError::Giver`] if there is no such key, or a card of this kind does not give it to one of that kind;
    /// [`KeyCardError::Receiver`] if the cards have no exchange key in common, which costs the receiver's a try.
    pub fn give<R: CardTransport>(
        &mut self,
        key: &KeyName<'_>,
        receiver: &mut Receiver<'_, R>,
    ) -> Result<(), KeyCardError<T::Error, R::Error>> {
        let challenge = block_of_challenge(receiver.channel).map_err(KeyCardError::Receiver)?;
        let export = ExportKey {
            usage: key.usage,
            version: key.version,
            transport_version: key.exchange_version,
            receiver_kind: receiver.kind,
            receiver_serial: receiver.serial,
            challenge,
            factors: key.factors,
        };
        let wrapped = send(self.channel, &export.command()?).map_err(KeyCardError::Giver)?;
        let import = import_key(key.exchange_version, &wrapped)?;
        send(receiver.channel, &import).map_err(KeyCardError::Receiver)?;
        Ok(())
    }
}

impl<'c, R: CardTransport> Receiver<'c, R> {
    /// Selects the application of a card that is to get keys, and proves its master: keys are added under it.
    ///
    /// # Errors
    /// Returns [`SessionError`] if the card refuses.
    pub fn open(
        channel: &'c mut Channel<R>,
        kind: ReceiverKind,
        serial: [u8; 8],
        application: FileId,
        master: &MasterKey,
    ) -> Result<Self, SessionError<R::Error>> {
        select(channel, application)?;
        Challenged::request(channel, ChallengeLength::Eight)?
            .external_authenticate(MASTER, master)?
            .into_ok()?;
        Ok(Self { channel, kind, serial })
    }
}

/// What a card answers to a command; a refusal is an error.
fn send<T: CardTransport>(
    channel: &mut Channel<T>,
    command: &CommandApdu,
) -> Result<Vec<u8>, SessionError<T::Error>> {
    Ok(channel.transmit(command)?.into_ok()?.data().to_vec())
}

fn select<T: CardTransport>(
    channel: &mut Channel<T>,
    application: FileId,
) -> Result<(), SessionError<T::Error>> {
    send(channel, &select_file(FileId::MASTER))?;
    send(channel, &select_file(application)).map(drop)
}

fn block_of_challenge<T: CardTransport>(channel: &mut Channel<T>) -> Result<[u8; 8], SessionError<T::Error>> {
    let challenge = send(channel, &get_challenge(ChallengeLength::Eight))?;
    let found = challenge.len();
    Ok(challenge.try_into().map_err(|_| ChallengeLengthError { found })?)
}
