//! The bytes of a wrapped key.

use core::fmt;

use tdea::{Kcv, KcvMethod};

use crate::factor::Factor;
use crate::level::LevelId;
use crate::tree::purpose::PurposeId;
use crate::tree::{Origin, Place};

/// Length of the header, in bytes.
pub(crate) const HEADER_LEN: usize = 24;
/// Length of the ciphertext, in bytes: three blocks.
pub(crate) const CIPHERTEXT_LEN: usize = 24;
/// Length of the MAC, in bytes.
pub(crate) const MAC_LEN: usize = 8;
/// Length of the header without the two factors, in bytes.
const FIXED_LEN: usize = HEADER_LEN - 2 * Factor::LEN;

const FORMAT: u8 = 1;
/// TDEA with a double-length key, as FMCOS and PSAM cards number it.
pub(crate) const ALGORITHM_TDEA: u8 = 0;
/// A factor that the level does not have.
const NO_FACTOR: [u8; Factor::LEN] = [0; Factor::LEN];

/// A key under a transport key: public, authentic only once it is unwrapped.
#[derive(Clone, Copy, Eq, PartialEq)]
pub struct WrappedKey {
    pub(crate) header: Header,
    pub(crate) ciphertext: [u8; CIPHERTEXT_LEN],
    pub(crate) mac: [u8; MAC_LEN],
}

/// What a wrapped key says of itself in clear.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Header {
    /// Level of the key.
    pub level: LevelId,
    /// Purpose of the key.
    pub purpose: PurposeId,
    /// Whose key it is, and which version.
    pub origin: Origin,
    /// Check value of the key.
    pub kcv: Kcv,
}

/// Bytes that are no wrapped key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum WrappedKeyError {
    /// Not [`WrappedKey::LEN`] bytes long.
    #[error("a wrapped key is 56 bytes, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// Another format than `01`.
    #[error("unknown format {found:#04x}")]
    Format {
        /** Code found. */
        found: u8,
    },
    /// A code that no level has.
    #[error("unknown level {found:#04x}")]
    Level {
        /** Code found. */
        found: u8,
    },
    /// A code that no purpose has.
    #[error("unknown purpose {found:#04x}")]
    Purpose {
        /** Code found. */
        found: u8,
    },
    /// Another algorithm than TDEA with a double-length key.
    #[error("unknown algorithm {found:#04x}")]
    Algorithm {
        /** Code found. */
        found: u8,
    },
    /// Keys of this purpose do not stand at this level.
    #[error("there is no key for {purpose} at {level} level")]
    NoSuchKey {
        /** Level found. */
        level: LevelId,
        /** Purpose found. */
        purpose: PurposeId,
    },
    /// A factor where the level has none.
    #[error("a factor is given that a key of {level} level does not have")]
    Factor {
        /** Level found. */
        level: LevelId,
    },
}

impl WrappedKey {
    /// Length in bytes.
    pub const LEN: usize = HEADER_LEN + CIPHERTEXT_LEN + MAC_LEN;

    /// What it says of itself. Anybody can write that: it is true once the key is unwrapped.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// The bytes, as the [module](crate::transport) lays them out.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        let (header, rest) = bytes.split_at_mut(HEADER_LEN);
        let (ciphertext, mac) = rest.split_at_mut(CIPHERTEXT_LEN);
        header.copy_from_slice(&self.header.to_bytes());
        ciphertext.copy_from_slice(&self.ciphertext);
        mac.copy_from_slice(&self.mac);
        bytes
    }

    /// Reads the bytes; all of them, and only in the form that [`to_bytes`](Self::to_bytes) writes.
    ///
    /// # Errors
    /// Returns the first [`WrappedKeyError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, WrappedKeyError> {
        let error = WrappedKeyError::Length { found: bytes.len() };
        let (header, rest) = bytes.split_first_chunk().ok_or(error)?;
        let (ciphertext, mac) = rest.split_first_chunk().ok_or(error)?;
        let mac = mac.try_into().map_err(|_| error)?;
        Ok(Self { header: Header::decode(header)?, ciphertext: *ciphertext, mac })
    }
}

impl Header {
    pub(crate) fn to_bytes(self) -> [u8; HEADER_LEN] {
        let Self { level, purpose, origin: Origin { version, place }, kcv } = self;
        let mut bytes = [0; HEADER_LEN];
        let (fixed, factors) = bytes.split_at_mut(FIXED_LEN);
        let codes = [FORMAT, level.code(), purpose.code(), ALGORITHM_TDEA, version];
        for (out, byte) in fixed.iter_mut().zip(codes.iter().chain(kcv.as_bytes())) {
            *out = *byte;
        }
        for (out, factor) in factors.chunks_exact_mut(Factor::LEN).zip([place.city(), place.card()]) {
            out.copy_from_slice(&factor.map_or(NO_FACTOR, |factor| *factor.as_bytes()));
        }
        bytes
    }

    fn decode(bytes: &[u8; HEADER_LEN]) -> Result<Self, WrappedKeyError> {
        let (&[format, level, purpose, algorithm, version, ref kcv @ ..], factors) =
            bytes.split_first_chunk::<FIXED_LEN>().expect("the header is longer than its fixed part");
        if format != FORMAT {
            return Err(WrappedKeyError::Format { found: format });
        }
        let level = LevelId::from_code(level).ok_or(WrappedKeyError::Level { found: level })?;
        let purpose = PurposeId::from_code(purpose).ok_or(WrappedKeyError::Purpose { found: purpose })?;
        if algorithm != ALGORITHM_TDEA {
            return Err(WrappedKeyError::Algorithm { found: algorithm });
        }
        let kcv = Kcv::new(KcvMethod::TdeaZeros, kcv).expect("3 bytes are within the method's range");
        let place = place(level, purpose, factors)?;
        Ok(Self { level, purpose, origin: Origin { version, place }, kcv })
    }
}

/// The place of a key of that level; only the factors that it has may be given.
fn place(level: LevelId, purpose: PurposeId, factors: &[u8]) -> Result<Place, WrappedKeyError> {
    let mut factors = factors.as_chunks::<{ Factor::LEN }>().0.iter().copied();
    let mut factor = || factors.next().expect("the header has two factors");
    let (city, card) = (factor(), factor());
    let surplus = Err(WrappedKeyError::Factor { level });
    match (level, purpose.master()) {
        (LevelId::Secondary, None) | (LevelId::Province, Some(_)) => {
            if [city, card] == [NO_FACTOR; 2] {
                Ok(Place::Province)
            } else {
                surplus
            }
        }
        (LevelId::City, Some(_)) => {
            if card == NO_FACTOR {
                Ok(Place::City { city: city.into() })
            } else {
                surplus
            }
        }
        (LevelId::Card, Some(_)) => Ok(Place::Card { city: city.into(), card: card.into() }),
        _ => Err(WrappedKeyError::NoSuchKey { level, purpose }),
    }
}

impl fmt::Debug for WrappedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WrappedKey").field("header", &self.header).finish_non_exhaustive()
    }
}
