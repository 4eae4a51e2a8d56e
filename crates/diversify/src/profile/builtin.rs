//! Profiles of deployed systems, as far as public sources agree on them.

use crate::level::LevelId;
use crate::name::Name;
use crate::profile::error::UnknownProfile;
use crate::profile::spec::{DispersionProfile, Encoding, FactorSpec, OddDigits, Pad, Source, Take};

/// All profiles of this module.
pub const BUILT_IN: [DispersionProfile<'static>; 10] = [
    PBOC_CARD,
    CITY_FF,
    ISSUER_WHOLE,
    ISSUER_FF,
    TOLL,
    SOCIAL_SECURITY,
    ATR_TAIL,
    ATR_SERIAL,
    MOHURD_CARD,
    UID_80,
];

impl DispersionProfile<'static> {
    /// The built-in profile of a name, in the version that keys were made by.
    ///
    /// # Errors
    /// Returns [`UnknownProfile`], which says whether name or version is unknown.
    pub fn built_in(name: &str, version: u16) -> Result<Self, UnknownProfile> {
        let profile = BUILT_IN.into_iter().find(|profile| profile.name.as_str() == name);
        match profile.ok_or(UnknownProfile::Name)? {
            profile if profile.version == version => Ok(profile),
            Self { version: known, .. } => Err(UnknownProfile::Version { known, found: version }),
        }
    }
}

const BCD: Encoding = Encoding::Bcd { odd: OddDigits::Reject };

/// The card factor of the PBOC family.
const APP_SERIAL: FactorSpec = FactorSpec {
    level: LevelId::Card,
    source: Source::AppSerial,
    take: Take::Right(16),
    encoding: BCD,
    pad: Pad::Reject,
};

/// All of the ATR tail: card maker (2) and serial number (6).
const WHOLE_ATR_TAIL: FactorSpec = FactorSpec {
    level: LevelId::Card,
    source: Source::AtrTail,
    take: Take::Right(8),
    encoding: Encoding::Raw,
    pad: Pad::Reject,
};

/// Card: the rightmost 16 digits of the application serial number, which are the last 8 bytes of its 10 in file 0015.
///
/// # Source
/// PBOC wallet cards with a PSAM (FM1208 and its manuals).
pub const PBOC_CARD: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("pboc-card"),
    version: 1,
    levels: &[APP_SERIAL],
    apdu_order: &[LevelId::Card],
};

/// City: its code in BCD, then `FF`. Card: as [`PBOC_CARD`]. Commands carry the card's factor first.
///
/// # Source
/// POS terminals of city cards.
pub const CITY_FF: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("city-ff"),
    version: 1,
    levels: &[
        FactorSpec {
            level: LevelId::City,
            source: Source::CityCode,
            take: Take::Whole,
            encoding: BCD,
            pad: Pad::Ff,
        },
        APP_SERIAL,
    ],
    apdu_order: &[LevelId::Card, LevelId::City],
};

/// Issuer, in the city's place: its identifier of 8 bytes, whole. Card: as [`PBOC_CARD`]. Commands carry the issuer's
/// factor first.
///
/// # Source
/// POS terminals of bank cards; the second level of PSAM examples.
pub const ISSUER_WHOLE: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("issuer-whole"),
    version: 1,
    levels: &[
        FactorSpec {
            level: LevelId::City,
            source: Source::IssuerId,
            take: Take::Whole,
            encoding: Encoding::Raw,
            pad: Pad::Reject,
        },
        APP_SERIAL,
    ],
    apdu_order: &[LevelId::City, LevelId::Card],
};

/// Issuer, in the city's place: the first 4 bytes of its identifier, then `FF`. Card: as [`PBOC_CARD`]. Commands carry
/// the card's factor first.
///
/// # Source
/// POS terminals of city cards.
pub const ISSUER_FF: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("issuer-ff"),
    version: 1,
    levels: &[
        FactorSpec {
            level: LevelId::City,
            source: Source::IssuerId,
            take: Take::Left(4),
            encoding: Encoding::Raw,
            pad: Pad::Ff,
        },
        APP_SERIAL,
    ],
    apdu_order: &[LevelId::Card, LevelId::City],
};

/// Province: its code of one byte, then `80` and zeros. Card: key version (1) and card number (7), which the caller puts
/// together under the name `version-and-number`. Commands carry the card's factor first.
///
/// # Source
/// Toll cards. The one system known to mix the key version into a factor.
pub const TOLL: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("toll"),
    version: 1,
    levels: &[
        FactorSpec {
            level: LevelId::Province,
            source: Source::ProvinceCode,
            take: Take::Whole,
            encoding: BCD,
            pad: Pad::EightyThenZeros,
        },
        FactorSpec {
            level: LevelId::Card,
            source: Source::Custom(Name::from_literal("version-and-number")),
            take: Take::Whole,
            encoding: Encoding::Raw,
            pad: Pad::Reject,
        },
    ],
    apdu_order: &[LevelId::Card, LevelId::Province],
};

/// City: its code in ASCII, then zeros; a system suffix such as `sx` belongs to the code. Card: as [`ATR_TAIL`].
///
/// # Source
/// Scripts that issue social security cards.
pub const SOCIAL_SECURITY: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("social-security"),
    version: 1,
    levels: &[
        FactorSpec {
            level: LevelId::City,
            source: Source::CityCode,
            take: Take::Whole,
            encoding: Encoding::Ascii,
            pad: Pad::ZerosRight,
        },
        WHOLE_ATR_TAIL,
    ],
    apdu_order: &[LevelId::City, LevelId::Card],
};

/// Card: the last 8 bytes of the answer to reset: card maker (2) and serial number (6).
///
/// # Source
/// Scripts that issue social security cards and their SAMs.
pub const ATR_TAIL: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("atr-tail"),
    version: 1,
    levels: &[WHOLE_ATR_TAIL],
    apdu_order: &[LevelId::Card],
};

/// Card: the last 6 bytes of the answer to reset, which are the serial number, then zeros.
///
/// # Source
/// Card operating systems of social security cards.
pub const ATR_SERIAL: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("atr-serial"),
    version: 1,
    levels: &[FactorSpec { take: Take::Right(6), pad: Pad::ZerosRight, ..WHOLE_ATR_TAIL }],
    apdu_order: &[LevelId::Card],
};

/// Card: the application serial number of 8 bytes, whole: city (2), type (1), subtype (1), sequence (4).
///
/// # Source
/// City cards of the Ministry of Housing and Urban-Rural Development.
pub const MOHURD_CARD: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("mohurd-card"),
    version: 1,
    levels: &[FactorSpec { take: Take::Whole, encoding: Encoding::Raw, ..APP_SERIAL }],
    apdu_order: &[LevelId::Card],
};

/// Card: the chip's UID, then `80` and zeros.
///
/// # Source
/// Contactless city cards.
pub const UID_80: DispersionProfile<'static> = DispersionProfile {
    name: Name::from_literal("uid-80"),
    version: 1,
    levels: &[FactorSpec {
        level: LevelId::Card,
        source: Source::Uid,
        take: Take::Whole,
        encoding: Encoding::Raw,
        pad: Pad::EightyThenZeros,
    }],
    apdu_order: &[LevelId::Card],
};
