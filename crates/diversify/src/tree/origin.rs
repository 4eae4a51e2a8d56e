//! Whose key it is: public, carried by every key of the tree.

use crate::factor::Factor;
use crate::level::LevelId;

/// Whose key a key of the tree is, and which version. Public.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Origin {
    /// Version of the parent key: all keys below have it. Several versions live side by side; the version selects the
    /// root and is no part of a factor.
    pub version: u8,
    /// Whose key.
    pub place: Place,
}

/// The place in the province that a key belongs to, named by its factors.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// The province as a whole: parent, secondary and province keys.
    Province,
    /// One city.
    City {
        /** Factor of the city. */
        city: Factor,
    },
    /// One card of a city.
    Card {
        /** Factor of the city. */
        city: Factor,
        /** Factor of the card. */
        card: Factor,
    },
}

impl Origin {
    /// Keys of the province as a whole.
    #[must_use]
    pub const fn province(version: u8) -> Self {
        Self { version, place: Place::Province }
    }

    /// Keys of one city.
    #[must_use]
    pub const fn city(version: u8, city: Factor) -> Self {
        Self { version, place: Place::City { city } }
    }

    /// Keys of one card.
    #[must_use]
    pub const fn card(version: u8, city: Factor, card: Factor) -> Self {
        Self { version, place: Place::Card { city, card } }
    }
}

impl Place {
    /// Whether keys of `level` belong to such a place.
    pub(crate) const fn suits(&self, level: LevelId) -> bool {
        match self {
            Self::Province => matches!(level, LevelId::Parent | LevelId::Secondary | LevelId::Province),
            Self::City { .. } => matches!(level, LevelId::City),
            Self::Card { .. } => matches!(level, LevelId::Card),
        }
    }

    /// Factor of the city, at city and card level.
    #[must_use]
    pub const fn city(&self) -> Option<Factor> {
        match self {
            Self::Province => None,
            Self::City { city } | Self::Card { city, .. } => Some(*city),
        }
    }

    /// Factor of the card, at card level.
    #[must_use]
    pub const fn card(&self) -> Option<Factor> {
        match self {
            Self::Province | Self::City { .. } => None,
            Self::Card { card, .. } => Some(*card),
        }
    }
}
