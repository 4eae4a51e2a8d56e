//! From fields to factors.

use crate::factor::Factor;
use crate::level::LevelId;
use crate::profile::error::{FactorFault, ProfileError};
use crate::profile::identity::{Identity, Value};
use crate::profile::spec::{DispersionProfile, Encoding, FactorSpec, OddDigits, Pad, Take};

/// Province, city and card.
const MAX_LEVELS: usize = 3;

/// One slot for each level that a profile may have.
type Slots = [Option<(LevelId, Factor)>; MAX_LEVELS];

/// The factors of one card or city, each with its level.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Factors {
    derivation_order: Slots,
    apdu_order: Slots,
}

impl Factors {
    /// Makes the factors; `profile` has been checked.
    pub(crate) fn build(
        profile: &DispersionProfile<'_>,
        identity: &Identity<'_>,
    ) -> Result<Self, ProfileError> {
        let mut derivation_order = Slots::default();
        for (slot, spec) in derivation_order.iter_mut().zip(profile.levels) {
            *slot = Some((spec.level, spec.factor(identity)?));
        }
        let mut apdu_order = Slots::default();
        for (slot, level) in apdu_order.iter_mut().zip(profile.apdu_order) {
            *slot = derivation_order.into_iter().flatten().find(|(made, _)| made == level);
        }
        Ok(Self { derivation_order, apdu_order })
    }

    /// The factor of one level.
    #[must_use]
    pub fn of(&self, level: LevelId) -> Option<Factor> {
        self.levels().find(|(made, _)| *made == level).map(|(_, factor)| factor)
    }

    /// All factors with their levels, in the order of derivation: what a record of the derivation holds.
    pub fn levels(&self) -> impl Iterator<Item = (LevelId, Factor)> {
        self.derivation_order.into_iter().flatten()
    }

    /// All factors in the order of derivation: the path for [`derive_path`](crate::pboc::derive_path).
    pub fn in_derivation_order(&self) -> impl Iterator<Item = Factor> {
        self.levels().map(|(_, factor)| factor)
    }

    /// All factors in the order of derivation, if there are `LEVELS`: a path for
    /// [`cohort_paths`](crate::pboc::cohort_paths).
    #[must_use]
    pub fn path<const LEVELS: usize>(&self) -> Option<[Factor; LEVELS]> {
        let (mut path, mut factors) = ([Factor::from([0; Factor::LEN]); LEVELS], self.in_derivation_order());
        for factor in &mut path {
            *factor = factors.next()?;
        }
        factors.next().is_none().then_some(path)
    }

    /// All factors in the order in which the profile's SAM command carries them.
    pub fn in_apdu_order(&self) -> impl Iterator<Item = Factor> {
        self.apdu_order.into_iter().flatten().map(|(_, factor)| factor)
    }
}

impl FactorSpec {
    /// Makes this level's factor.
    pub(crate) fn factor(&self, identity: &Identity<'_>) -> Result<Factor, ProfileError> {
        let make = || {
            let units = Units::of(identity.value(self.source)?, self.encoding)?;
            self.pad.fill(Part::of(units, self.take, self.encoding)?)
        };
        make().map_err(|fault| ProfileError::Factor { level: self.level, field: self.source, fault })
    }
}

/// A field as a row of digits or bytes.
#[derive(Clone, Copy)]
enum Units<'a> {
    /// One in each byte: a digit's ASCII character, or the byte itself.
    Bytes(&'a [u8]),
    /// Two digits in each byte.
    Packed(&'a [u8]),
}

impl<'a> Units<'a> {
    /// Reads a field as the encoding wants it; every digit and character is looked at, whichever part is taken later.
    fn of(value: Value<'a>, encoding: Encoding) -> Result<Self, FactorFault> {
        match (encoding, value) {
            (Encoding::Raw, Value::Bytes(bytes)) => Ok(Self::Bytes(bytes)),
            (Encoding::Raw, Value::Text(_)) => Err(FactorFault::Text),
            (Encoding::Ascii, Value::Bytes(_)) => Err(FactorFault::Bytes),
            (Encoding::Ascii, Value::Text(text)) => {
                match text.bytes().position(|byte| !matches!(byte, b' '..=b'~')) {
                    Some(position) => Err(FactorFault::NotAscii { position }),
                    None => Ok(Self::Bytes(text.as_bytes())),
                }
            }
            (Encoding::Bcd { .. }, Value::Text(text)) => Self::Bytes(text.as_bytes()).all_decimal(),
            (Encoding::Bcd { .. }, Value::Bytes(bytes)) => Self::Packed(bytes).all_decimal(),
        }
    }

    fn all_decimal(self) -> Result<Self, FactorFault> {
        match self.digits().position(|digit| digit > 9) {
            Some(position) => Err(FactorFault::NotADigit { position }),
            None => Ok(self),
        }
    }

    fn len(self) -> usize {
        match self {
            Self::Bytes(bytes) => bytes.len(),
            Self::Packed(bytes) => 2 * bytes.len(),
        }
    }

    /// The values of digits; more than 9 for what is none.
    fn digits(self) -> impl Iterator<Item = u8> {
        let (text, packed) = match self {
            Self::Bytes(text) => (text, [].as_slice()),
            Self::Packed(packed) => ([].as_slice(), packed),
        };
        let text = text.iter().map(|character| character.wrapping_sub(b'0'));
        text.chain(packed.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]))
    }

    /// The bytes themselves.
    fn bytes(self) -> impl Iterator<Item = u8> {
        let (Self::Bytes(bytes) | Self::Packed(bytes)) = self;
        bytes.iter().copied()
    }
}

/// The encoded part of a field: 1 to 8 bytes at the start, zeros behind.
struct Part {
    bytes: [u8; Factor::LEN],
    len: usize,
}

impl Part {
    fn of(units: Units<'_>, take: Take, encoding: Encoding) -> Result<Self, FactorFault> {
        let found = units.len();
        let (skip, count) = match take {
            Take::Whole => (0, found),
            Take::Left(needed) | Take::Right(needed) if found < needed => {
                return Err(FactorFault::TooFew { needed, found });
            }
            Take::Left(needed) => (0, needed),
            Take::Right(needed) => (found - needed, needed),
        };
        let max = encoding.max_units();
        match encoding {
            _ if count == 0 => Err(FactorFault::Empty),
            _ if count > max => Err(FactorFault::TooLong { max, found: count }),
            Encoding::Raw | Encoding::Ascii => Ok(Self::collect(units.bytes().skip(skip).take(count))),
            Encoding::Bcd { odd } => Self::pack(units.digits().skip(skip).take(count), count, odd),
        }
    }

    fn collect(source: impl Iterator<Item = u8>) -> Self {
        let mut part = Self { bytes: [0; Factor::LEN], len: 0 };
        for (out, byte) in part.bytes.iter_mut().zip(source) {
            *out = byte;
            part.len += 1;
        }
        part
    }

    /// Packs `count` digits, two in a byte.
    fn pack(digits: impl Iterator<Item = u8>, count: usize, odd: OddDigits) -> Result<Self, FactorFault> {
        let (first, last) = match odd {
            _ if count.is_multiple_of(2) => (None, None),
            OddDigits::LeadingZero => (Some(0), None),
            OddDigits::TrailingF => (None, Some(0x0F)),
            OddDigits::Reject => return Err(FactorFault::OddDigits { found: count }),
        };
        let mut nibbles = first.into_iter().chain(digits).chain(last);
        Ok(Self::collect(core::iter::from_fn(|| Some(nibbles.next()? << 4 | nibbles.next()?))))
    }
}

impl Pad {
    fn fill(self, part: Part) -> Result<Factor, FactorFault> {
        let Part { mut bytes, len } = part;
        let (start, rest) = bytes.split_at_mut(len);
        match (self, rest.first_mut()) {
            // Zeros are there already; eight bytes have no rest to fill.
            (Self::ZerosRight, _) | (_, None) => {}
            (Self::EightyThenZeros, Some(first)) => *first = 0x80,
            (Self::Ff, _) => rest.fill(0xFF),
            (Self::ZerosLeft, _) => bytes.rotate_right(Factor::LEN - len),
            (Self::Repeat, _) if Factor::LEN.is_multiple_of(len) => {
                rest.chunks_mut(len).for_each(|copy| copy.copy_from_slice(start));
            }
            (Self::Repeat, _) => return Err(FactorFault::Repeat { found: len }),
            (Self::Reject, _) => return Err(FactorFault::TooShort { found: len }),
        }
        Ok(Factor::from(bytes))
    }
}
