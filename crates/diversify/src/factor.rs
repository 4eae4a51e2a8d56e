//! What a key is diversified by.

use core::fmt;

/// Length of a factor, in bytes: one TDEA block.
const LEN: usize = tdea::BLOCK_LEN;

/// Dispersion factor: the 8 public bytes that one level of diversification mixes into a key.
///
/// Factors may be logged, keys may not. A factor made from a card number is cardholder data all the same.
#[doc(alias = "diversification data")]
#[derive(Clone, Copy, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Factor([u8; LEN]);

/// A byte string that is no factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a dispersion factor is 8 bytes, found {found}")]
pub struct FactorLengthError {
    /// Bytes supplied.
    pub found: usize,
}

/// A byte string within a list that is no factor.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("factor {position} of the path: {fault}")]
pub struct PathFactorError {
    /// Position in the list, from 0.
    pub position: usize,
    /// What is wrong with it.
    #[source]
    pub fault: FactorLengthError,
}

/// A path without factors: the root itself would be handed out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the path has no factor: an undiversified key is not handed out")]
pub struct NoFactor;

impl Factor {
    /// Length in bytes.
    pub const LEN: usize = LEN;

    /// The factor's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; Self::LEN] {
        &self.0
    }

    /// The factor with every bit inverted: what makes the right half of the child key.
    #[must_use]
    pub fn complement(self) -> Self {
        Self(self.0.map(|byte| !byte))
    }

    /// The factors of a path from byte strings, as files and commands carry them; an error names the place in the list.
    ///
    /// ```
    /// # use cardroot_diversify::Factor;
    /// let [city, card] = [[0x37; 8], [0x11; 8]];
    /// let path: Result<Vec<_>, _> = Factor::path([&city[..], &card[..7]]).collect();
    /// assert_eq!(path.unwrap_err().to_string(), "factor 1 of the path: a dispersion factor is 8 bytes, found 7");
    /// ```
    pub fn path<'a>(
        items: impl IntoIterator<Item = &'a [u8]>,
    ) -> impl Iterator<Item = Result<Self, PathFactorError>> {
        let factor =
            |(position, item)| Self::try_from(item).map_err(|fault| PathFactorError { position, fault });
        items.into_iter().enumerate().map(factor)
    }

    /// Up to 7 ASCII characters, then `80`, then zeros.
    pub(crate) const fn from_label(label: &str) -> Self {
        let mut bytes = [0; LEN];
        let (text, rest) = bytes.split_at_mut(label.len());
        text.copy_from_slice(label.as_bytes());
        *rest.first_mut().expect("a label is at most 7 characters") = 0x80;
        Self(bytes)
    }
}

impl From<[u8; LEN]> for Factor {
    fn from(bytes: [u8; LEN]) -> Self {
        Self(bytes)
    }
}

impl TryFrom<&[u8]> for Factor {
    type Error = FactorLengthError;

    fn try_from(bytes: &[u8]) -> Result<Self, FactorLengthError> {
        bytes.try_into().map(Self).map_err(|_| FactorLengthError { found: bytes.len() })
    }
}

impl fmt::Display for Factor {
    /// Upper-case hex without separators.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

impl fmt::Debug for Factor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Factor({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_followed_by_80_and_zeros() {
        assert_eq!(Factor::from_label("TAC").as_bytes(), b"TAC\x80\0\0\0\0");
        assert_eq!(Factor::from_label("CARDMNT").as_bytes(), b"CARDMNT\x80");
    }

    #[test]
    fn a_fault_in_a_path_is_named_by_its_place() {
        let good = [7; 8];
        let mut path = Factor::path([&good[..], &good[..7], &[], &good]);
        let at =
            |position, found| Some(Err(PathFactorError { position, fault: FactorLengthError { found } }));
        assert_eq!(path.next(), Some(Ok(Factor::from(good))));
        assert_eq!(path.next(), at(1, 7));
        assert_eq!(path.next(), at(2, 0));
        assert_eq!(path.next(), Some(Ok(Factor::from(good))));
        assert_eq!(path.next(), None);
    }

    #[test]
    fn other_lengths_are_no_factor() {
        for found in [0, 7, 9, 16] {
            assert_eq!(Factor::try_from(&[0; 16][..found]), Err(FactorLengthError { found }));
        }
        assert_eq!(Factor::try_from(&[1; 8][..]), Ok(Factor::from([1; 8])));
    }
}
