//! How many components a key has.

/// Number of components of a key: 2 to 9.
///
/// # Source
/// ANS X9.24-1:2009 7.5.1: two or more. That nine are enough is ours: one digit on the form, and a bound
/// that needs no allocation.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Parts(usize);

/// A number of components that a key can't have.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a key has {min} to {max} components, found {found}", min = Parts::MIN, max = Parts::MAX)]
pub struct PartsError {
    /// Number asked for or supplied.
    pub found: usize,
}

impl Parts {
    /// Fewest components: one would be the key.
    pub const MIN: usize = 2;
    /// Most components.
    pub const MAX: usize = 9;

    /// Two components.
    pub const TWO: Self = Self(2);
    /// Three components.
    pub const THREE: Self = Self(3);

    /// The number.
    #[must_use]
    pub const fn get(self) -> usize {
        self.0
    }
}

impl TryFrom<usize> for Parts {
    type Error = PartsError;

    fn try_from(found: usize) -> Result<Self, PartsError> {
        if (Self::MIN..=Self::MAX).contains(&found) { Ok(Self(found)) } else { Err(PartsError { found }) }
    }
}
