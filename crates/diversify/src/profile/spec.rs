//! What a profile says.

use core::fmt;

use crate::factor::Factor;
use crate::level::LevelId;
use crate::name::Name;
use crate::profile::error::{DefinitionError, ProfileError};
use crate::profile::factors::Factors;
use crate::profile::identity::Identity;

/// How the factors of one kind of key are made: named, versioned data.
///
/// A profile is checked whenever it is used; [`check`](Self::check) does it beforehand, when one is read from a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DispersionProfile<'a> {
    /// Name, for records.
    pub name: Name,
    /// Version of this profile. A change of any other field is a new version.
    pub version: u16,
    /// One factor for each level, in the order of derivation: province before city before card.
    pub levels: &'a [FactorSpec],
    /// The same levels in the order in which a SAM command carries their factors. Card operating systems differ here;
    /// the derivation never does.
    pub apdu_order: &'a [LevelId],
}

/// How the factor of one level is made. Always 8 bytes in the end.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FactorSpec {
    /// Province, city or card.
    pub level: LevelId,
    /// The field it comes from.
    pub source: Source,
    /// Which part of the field.
    pub take: Take,
    /// How the part becomes bytes.
    pub encoding: Encoding,
    /// How fewer than 8 bytes become 8.
    pub pad: Pad,
}

/// The fields that factors are made from.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Source {
    /// Code of the province.
    ProvinceCode,
    /// Code of the city.
    CityCode,
    /// Issuer identifier: bytes 1 to 8 of file 0015.
    IssuerId,
    /// Application serial number: bytes 11 to 20 of file 0015.
    AppSerial,
    /// Primary account number, then sequence number. Cardholder data.
    PanPsn,
    /// Unique identifier of a contactless chip.
    Uid,
    /// The end of the answer to reset: card maker and serial number.
    AtrTail,
    /// A field that only this project has.
    Custom(Name),
}

/// Which part of a field is used. Counted in digits under [`Encoding::Bcd`], in bytes otherwise.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Take {
    /// All of it: a field that is too long is an error.
    Whole,
    /// This many from the left: a field with fewer is an error.
    Left(usize),
    /// This many from the right: a field with fewer is an error.
    Right(usize),
}

/// How a field becomes bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Encoding {
    /// Bytes as they are.
    Raw,
    /// Decimal digits, two in a byte. The field is a text of digits, or bytes that hold two digits each already.
    Bcd {
        /** What happens to an odd number of digits. */
        odd: OddDigits,
    },
    /// Printable ASCII text, one character in a byte.
    Ascii,
}

/// How an odd number of digits becomes whole bytes.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum OddDigits {
    /// It does not: an error.
    Reject,
    /// A nibble `0` comes first.
    LeadingZero,
    /// A nibble `F` comes last.
    TrailingF,
}

/// How fewer than 8 bytes become 8. Eight bytes stay as they are.
///
/// Padding tells fields of one length apart, and no others: under [`ZerosRight`](Self::ZerosRight), `31` and `3100` are
/// one factor. Where a field's length may vary, [`Take::Left`] or [`Take::Right`] pins what is used of it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Pad {
    /// One byte `80`, then zeros.
    EightyThenZeros,
    /// Bytes `FF` behind.
    Ff,
    /// Zeros in front.
    ZerosLeft,
    /// Zeros behind.
    ZerosRight,
    /// The bytes over and over; there must be 1, 2 or 4 of them.
    Repeat,
    /// Not at all: an error.
    Reject,
}

impl DispersionProfile<'_> {
    /// The factors of every level of the profile, for a card or a city whose fields are `identity`.
    ///
    /// # Errors
    /// Returns [`ProfileError::Definition`] if the profile contradicts itself, [`ProfileError::Factor`] for the first
    /// level whose factor can't be made.
    pub fn factors(&self, identity: &Identity<'_>) -> Result<Factors, ProfileError> {
        self.check()?;
        Factors::build(self, identity)
    }

    /// The factor of one level alone; no other field is needed.
    ///
    /// # Errors
    /// Returns [`ProfileError::Definition`] if the profile contradicts itself, [`ProfileError::NoLevel`] if it does not
    /// make the factor of `level`, [`ProfileError::Factor`] if the factor can't be made.
    pub fn factor(&self, level: LevelId, identity: &Identity<'_>) -> Result<Factor, ProfileError> {
        self.check()?;
        self.spec(level).ok_or(ProfileError::NoLevel { level })?.factor(identity)
    }

    /// How the factor of `level` is made, if the profile has that level.
    #[must_use]
    pub fn spec(&self, level: LevelId) -> Option<&FactorSpec> {
        self.levels.iter().find(|spec| spec.level == level)
    }

    /// Verifies that the profile does not contradict itself.
    ///
    /// # Errors
    /// Returns the first [`DefinitionError`].
    pub fn check(&self) -> Result<(), DefinitionError> {
        if self.levels.is_empty() {
            return Err(DefinitionError::NoLevels);
        }
        self.levels.iter().try_for_each(FactorSpec::check)?;
        if !self.levels.is_sorted_by(|upper, lower| upper.level < lower.level) {
            return Err(DefinitionError::LevelOrder);
        }
        let all_there = self.levels.iter().all(|spec| self.apdu_order.contains(&spec.level));
        if all_there && self.apdu_order.len() == self.levels.len() {
            Ok(())
        } else {
            Err(DefinitionError::ApduOrder)
        }
    }
}

impl FactorSpec {
    fn check(&self) -> Result<(), DefinitionError> {
        let Self { level, .. } = *self;
        let max = self.encoding.max_units();
        match (level, self.take) {
            (LevelId::Parent | LevelId::Secondary, _) => Err(DefinitionError::NotByIdentity { level }),
            (_, Take::Left(found) | Take::Right(found)) if !(1..=max).contains(&found) => {
                Err(DefinitionError::Take { level, max, found })
            }
            _ => Ok(()),
        }
    }
}

impl Encoding {
    /// How many digits or bytes of a field make 8 bytes.
    pub(crate) const fn max_units(self) -> usize {
        match self {
            Self::Raw | Self::Ascii => Factor::LEN,
            Self::Bcd { .. } => 2 * Factor::LEN,
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::ProvinceCode => "province code",
            Self::CityCode => "city code",
            Self::IssuerId => "issuer identifier",
            Self::AppSerial => "application serial number",
            Self::PanPsn => "PAN and sequence number",
            Self::Uid => "chip UID",
            Self::AtrTail => "ATR tail",
            Self::Custom(name) => name.as_str(),
        })
    }
}
