//! INITIALIZE UPDATE: what the card answers, and what either side makes of it.

use diversify::gp::aes::CardKeys;
use diversify::gp::scp03::{Challenges, SessionKeys};
use diversify::gp::{CardCryptogram, HostCryptogram, KeyData};

use super::SecurityLevel;
use super::line::Scp03;
use crate::bytes::SecretBytes;
use crate::secure::gp::{
    CardInitialised, CheckValues, DataKey, HostChallenge, Initialised, InitialisedParts, KeyCheckValues,
    Live, SessionCheckValues, aes_kcv,
};

/// Number of the protocol in the answer.
const PROTOCOL: u8 = 0x03;

/// Variant of the protocol (`i`), as the answer tells it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Implementation {
    /// `00`: random challenge, no protection of responses.
    I00,
    /// `10`: pseudo-random challenge, no protection of responses.
    I10,
    /// `30`: pseudo-random challenge, R-MAC.
    I30,
    /// `60`: random challenge, R-MAC and R-ENC.
    I60,
    /// `70`: pseudo-random challenge, R-MAC and R-ENC.
    I70,
}

impl Implementation {
    /// All variants.
    pub const ALL: [Self; 5] = [Self::I00, Self::I10, Self::I30, Self::I60, Self::I70];

    /// The byte `i`.
    #[must_use]
    pub const fn byte(self) -> u8 {
        match self {
            Self::I00 => 0x00,
            Self::I10 => 0x10,
            Self::I30 => 0x30,
            Self::I60 => 0x60,
            Self::I70 => 0x70,
        }
    }

    /// Reads the byte `i`; `None` for cryptograms of 16 bytes (S16) and reserved values.
    #[must_use]
    pub fn from_byte(byte: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|variant| variant.byte() == byte)
    }

    /// Whether the card's challenge is a function of its sequence counter, which is then in the answer.
    #[must_use]
    pub const fn is_pseudo_random(self) -> bool {
        self.byte() & 0x10 != 0
    }

    /// Whether a card of this variant takes `level`.
    #[must_use]
    pub const fn supports(self, level: SecurityLevel) -> bool {
        match level {
            SecurityLevel::Authenticated | SecurityLevel::Mac | SecurityLevel::MacAndCipher => true,
            SecurityLevel::MacBothWays | SecurityLevel::MacBothWaysAndCipher => self.byte() & 0x20 != 0,
            SecurityLevel::MacAndCipherBothWays => self.byte() & 0x60 == 0x60,
        }
    }
}

/// The card's answer to INITIALIZE UPDATE, 29 or 32 bytes. Public.
///
/// ```text
/// key data (10) || key version || 03 || i || challenge (8) || cryptogram (8) [|| sequence (3)]
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Answer {
    /// Key diversification data: names the card to those who derive its keys.
    pub key_data: KeyData,
    /// Version of the keys.
    pub key_version: u8,
    /// Variant of the protocol.
    pub implementation: Implementation,
    /// The card's challenge.
    pub challenge: [u8; 8],
    /// The card's proof.
    pub cryptogram: CardCryptogram,
    /// The card's sequence counter, with a pseudo-random challenge.
    pub sequence: Option<[u8; 3]>,
}

/// Bytes that are no answer of this protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The answer has another length than its variant says.
    #[error("an answer of protocol 03 is 29 or, with a sequence counter, 32 bytes, found {found}")]
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
    /// The variant is reserved or has cryptograms of 16 bytes.
    #[error("variant i = {found:02X} is not supported")]
    Implementation {
        /** The byte `i`. */
        found: u8,
    },
}

impl Answer {
    /// Length in bytes without a sequence counter.
    const SHORT_LEN: usize = 29;

    /// Reads the answer; all of `data` is used.
    ///
    /// # Errors
    /// Returns [`AnswerError`] for anything that is no answer.
    pub fn decode(data: &[u8]) -> Result<Self, AnswerError> {
        let length = AnswerError::Length { found: data.len() };
        let (key_data, rest) = data.split_first_chunk().ok_or(length)?;
        let ([key_version, protocol, i], rest) = rest.split_first_chunk().ok_or(length)?;
        if *protocol != PROTOCOL {
            return Err(AnswerError::Protocol { found: *protocol });
        }
        let implementation =
            Implementation::from_byte(*i).ok_or(AnswerError::Implementation { found: *i })?;
        let (challenge, rest) = rest.split_first_chunk().ok_or(length)?;
        let (cryptogram, rest) = rest.split_first_chunk::<8>().ok_or(length)?;
        let sequence = match (implementation.is_pseudo_random(), rest) {
            (false, []) => None,
            (true, [a, b, c]) => Some([*a, *b, *c]),
            _ => return Err(length),
        };
        Ok(Self {
            key_data: *key_data,
            key_version: *key_version,
            implementation,
            challenge: *challenge,
            cryptogram: CardCryptogram::from(*cryptogram),
            sequence,
        })
    }

    /// Encodes the answer.
    #[must_use]
    pub fn encode(&self) -> SecretBytes {
        let mut out = SecretBytes::with_capacity(Self::SHORT_LEN + 3);
        out.extend(&self.key_data);
        out.extend(&[self.key_version, PROTOCOL, self.implementation.byte()]);
        out.extend(&self.challenge);
        out.extend(self.cryptogram.as_bytes());
        out.extend(self.sequence.as_ref().map_or(&[], |sequence| sequence.as_slice()));
        out
    }
}

/// What both cryptograms and the session are made of.
struct Derived {
    live: Live<Scp03>,
    card: CardCryptogram,
    host: HostCryptogram,
    check_values: SessionCheckValues,
}

fn derive(challenges: &Challenges, keys: &CardKeys) -> Derived {
    let SessionKeys { enc, mac, rmac } = keys.scp03_session(challenges);
    Derived {
        card: mac.card_cryptogram(challenges),
        host: mac.host_cryptogram(challenges),
        check_values: SessionCheckValues {
            enc: aes_kcv(enc.expose_key()),
            mac: aes_kcv(mac.expose_key()),
            rmac: aes_kcv(rmac.expose_key()),
            dek: None,
        },
        live: Live { line: Scp03::new(enc, mac, rmac), data_key: DataKey::aes(keys.dek.duplicate()) },
    }
}

/// Derives the keys of the session that the card's `answer` belongs to. Nothing is sent and nothing is verified yet.
#[must_use]
pub fn initialise(challenge: HostChallenge, answer: &Answer, keys: &CardKeys) -> Initialised<Scp03> {
    let challenges = Challenges { host: *challenge.as_bytes(), card: answer.challenge };
    let Derived { live, card, host, check_values } = derive(&challenges, keys);
    let card_values = KeyCheckValues {
        enc: aes_kcv(keys.enc.expose_key()),
        mac: aes_kcv(keys.mac.expose_key()),
        dek: aes_kcv(keys.dek.expose_key()),
    };
    Initialised::new(InitialisedParts {
        live,
        received: answer.cryptogram,
        expected: card,
        cryptogram: host,
        check_values: CheckValues { card: card_values, session: check_values },
    })
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
    /// Variant of the protocol.
    pub implementation: Implementation,
    /// The card's challenge.
    pub challenge: [u8; 8],
    /// The sequence counter that the challenge comes from. It goes into the answer if the variant is pseudo-random.
    pub sequence: [u8; 3],
}

/// The card's side of INITIALIZE UPDATE: its answer, and what waits for EXTERNAL AUTHENTICATE.
#[must_use]
pub fn answer(host_challenge: [u8; 8], card: &CardSide<'_>) -> (Answer, CardInitialised<Scp03>) {
    let derived = derive(&Challenges { host: host_challenge, card: card.challenge }, card.keys);
    let answer = Answer {
        key_data: card.key_data,
        key_version: card.key_version,
        implementation: card.implementation,
        challenge: card.challenge,
        cryptogram: derived.card,
        sequence: card.implementation.is_pseudo_random().then_some(card.sequence),
    };
    (answer, CardInitialised::new(derived.live, derived.host))
}
