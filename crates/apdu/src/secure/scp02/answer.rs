//! INITIALIZE UPDATE: what the card answers, and what either side makes of it.

use diversify::gp::scp02::{Challenges, SessionKeys};
use diversify::gp::{CardCryptogram, CardKeys, HostCryptogram, KeyData};
use diversify::{CodeLengthError, TripleLengthKey};

use super::line::Scp02;
use crate::secure::gp::{
    CardInitialised, CheckValues, DataKey, HostChallenge, Initialised, InitialisedParts, KeyCheckValues,
    Live, SessionCheckValues,
};

/// Number of the protocol in the answer.
const PROTOCOL: u8 = 0x02;

/// Variant of the protocol (`i`). Cards announce it in their recognition data, not in the answer.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Implementation {
    /// `15`: the card's challenge is random.
    I15,
    /// `55`: the card's challenge is a function of its sequence counter.
    I55,
}

impl Implementation {
    /// The byte `i`.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::I15 => 0x15,
            Self::I55 => 0x55,
        }
    }
}

/// The card's answer to INITIALIZE UPDATE, 28 bytes. Public.
///
/// ```text
/// key data (10) || key version || 02 || sequence (2) || challenge (6) || cryptogram (8)
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Key diversification data: names the card to those who derive its keys.
    pub key_data: KeyData,
    /// Version of the keys.
    pub key_version: u8,
    /// The card's sequence counter.
    pub sequence: u16,
    /// The card's challenge.
    pub challenge: [u8; 6],
    /// The card's proof.
    pub cryptogram: CardCryptogram,
}

/// Bytes that are no answer of this protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The answer has another length.
    #[error("an answer of protocol 02 is 28 bytes, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// The card speaks another protocol.
    #[error("the card answered in protocol {found:02X}")]
    Protocol {
        /** Number of the protocol. */
        found: u8,
    },
}

impl From<CodeLengthError> for AnswerError {
    fn from(error: CodeLengthError) -> Self {
        Self::Length { found: error.found }
    }
}

impl Answer {
    /// Length in bytes.
    pub const LEN: usize = 28;

    /// Reads the answer; all of `data` is used.
    ///
    /// # Errors
    /// Returns [`AnswerError`] for anything that is no answer.
    pub fn decode(data: &[u8]) -> Result<Self, AnswerError> {
        let length = AnswerError::Length { found: data.len() };
        let (key_data, rest) = data.split_first_chunk().ok_or(length)?;
        let ([key_version, protocol], rest) = rest.split_first_chunk().ok_or(length)?;
        if *protocol != PROTOCOL {
            return Err(AnswerError::Protocol { found: *protocol });
        }
        let (sequence, rest) = rest.split_first_chunk().ok_or(length)?;
        let (challenge, cryptogram) = rest.split_first_chunk().ok_or(length)?;
        Ok(Self {
            key_data: *key_data,
            key_version: *key_version,
            sequence: u16::from_be_bytes(*sequence),
            challenge: *challenge,
            cryptogram: CardCryptogram::try_from(cryptogram).map_err(|_| length)?,
        })
    }

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut out = [0; Self::LEN];
        let sequence = self.sequence.to_be_bytes();
        let fields = self.key_data.iter().chain([&self.key_version, &PROTOCOL]).chain(&sequence);
        let fields = fields.chain(&self.challenge).chain(self.cryptogram.as_bytes());
        out.iter_mut().zip(fields).for_each(|(out, byte)| *out = *byte);
        out
    }
}

/// What both cryptograms and the session are made of.
struct Derived {
    live: Live<Scp02>,
    card: CardCryptogram,
    host: HostCryptogram,
    check_values: SessionCheckValues,
}

fn derive(challenges: &Challenges, keys: &CardKeys) -> Result<Derived, TripleLengthKey> {
    let SessionKeys { enc, mac, rmac, dek } = keys.scp02_session(challenges.sequence)?;
    Ok(Derived {
        card: enc.card_cryptogram(challenges),
        host: enc.host_cryptogram(challenges),
        check_values: SessionCheckValues {
            enc: enc.kcv(),
            mac: mac.kcv(),
            rmac: rmac.kcv(),
            dek: Some(dek.kcv()),
        },
        live: Live { line: Scp02::new(enc, mac, rmac), data_key: DataKey::tdea(dek) },
    })
}

/// Derives the keys of the session that the card's `answer` belongs to. Nothing is sent and nothing is verified yet.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless the keys are of double length.
pub fn initialise(
    challenge: HostChallenge,
    answer: &Answer,
    keys: &CardKeys,
) -> Result<Initialised<Scp02>, TripleLengthKey> {
    let challenges =
        Challenges { host: *challenge.as_bytes(), sequence: answer.sequence, card: answer.challenge };
    let Derived { live, card, host, check_values } = derive(&challenges, keys)?;
    let card_values = KeyCheckValues { enc: keys.enc.kcv(), mac: keys.mac.kcv(), dek: keys.dek.kcv() };
    Ok(Initialised::new(InitialisedParts {
        live,
        received: answer.cryptogram,
        expected: card,
        cryptogram: host,
        check_values: CheckValues { card: card_values, session: check_values },
    }))
}

/// What a card brings to a session.
#[derive(Debug)]
pub struct CardSide<'k> {
    /// Key diversification data.
    pub key_data: KeyData,
    /// Version of the keys.
    pub key_version: u8,
    /// The keys.
    pub keys: &'k CardKeys,
    /// The sequence counter of these keys. It must never come back once a session was opened with it.
    pub sequence: u16,
    /// The card's challenge.
    pub challenge: [u8; 6],
}

/// The card's side of INITIALIZE UPDATE: its answer, and what waits for EXTERNAL AUTHENTICATE.
///
/// # Errors
/// Returns [`TripleLengthKey`] unless the keys are of double length.
pub fn answer(
    host_challenge: [u8; 8],
    card: &CardSide<'_>,
) -> Result<(Answer, CardInitialised<Scp02>), TripleLengthKey> {
    let challenges = Challenges { host: host_challenge, sequence: card.sequence, card: card.challenge };
    let derived = derive(&challenges, card.keys)?;
    let answer = Answer {
        key_data: card.key_data,
        key_version: card.key_version,
        sequence: card.sequence,
        challenge: card.challenge,
        cryptogram: derived.card,
    };
    Ok((answer, CardInitialised::new(derived.live, derived.host)))
}
