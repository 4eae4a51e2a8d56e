//! The levels of the key tree.

use core::fmt;

/// Where a key stands in the tree, from the root down.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum LevelId {
    /// The root.
    Parent,
    /// The masters made from the root.
    Secondary,
    /// The keys of the province, one for each function.
    Province,
    /// The keys of one city (bank area, issuer).
    City,
    /// The keys of one card.
    Card,
}

impl LevelId {
    /// The level's code in records: 0 for the root, 4 for a card.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Parent => 0,
            Self::Secondary => 1,
            Self::Province => 2,
            Self::City => 3,
            Self::Card => 4,
        }
    }

    /// The level of a code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Parent),
            1 => Some(Self::Secondary),
            2 => Some(Self::Province),
            3 => Some(Self::City),
            4 => Some(Self::Card),
            _ => None,
        }
    }
}

impl fmt::Display for LevelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Parent => "parent",
            Self::Secondary => "secondary",
            Self::Province => "province",
            Self::City => "city",
            Self::Card => "card",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_lead_back_to_their_levels() {
        for code in 0..=u8::MAX {
            let level = LevelId::from_code(code);
            assert_eq!(level.is_some(), code <= 4);
            assert!(level.is_none_or(|level| level.code() == code));
        }
    }
}
