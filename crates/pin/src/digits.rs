//! Decimal digits in a fixed array: what a PIN and a PAN have in common.

use subtle::ConstantTimeEq;
use zeroize::ZeroizeOnDrop;

/// Digits that do not make a [`Pin`](crate::Pin) or a [`Pan`](crate::Pan). Carries positions, never a digit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DigitsError {
    /// There are too few or too many digits.
    #[error("expected {min} to {max} digits, found {found}")]
    Length {
        /// Fewest digits allowed.
        min: usize,
        /// Most digits allowed.
        max: usize,
        /// Bytes supplied.
        found: usize,
    },
    /// A byte is not an ASCII digit.
    #[error("byte {position} is not an ASCII digit")]
    NotADigit {
        /// Index of the first such byte, from 0.
        position: usize,
    },
}

/// Up to `MAX` ASCII digits, left-justified; the bytes after them stay zero, so equal numbers are equal
/// arrays.
#[derive(ZeroizeOnDrop)]
pub(crate) struct Digits<const MAX: usize> {
    ascii: [u8; MAX],
    length: u8,
}

impl<const MAX: usize> Digits<MAX> {
    /// Takes `min..=MAX` ASCII digits.
    pub(crate) fn from_ascii(ascii: &[u8], min: usize) -> Result<Self, DigitsError> {
        let found = ascii.len();
        let length = u8::try_from(found).ok().filter(|_| (min..=MAX).contains(&found));
        let length = length.ok_or(DigitsError::Length { min, max: MAX, found })?;
        if let Some(position) = ascii.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(DigitsError::NotADigit { position });
        }
        let mut digits = Self { ascii: [0; MAX], length };
        for (digit, byte) in digits.ascii.iter_mut().zip(ascii) {
            *digit = *byte;
        }
        Ok(digits)
    }

    /// Takes digits already left-justified over zeros; for callers that checked them without branching.
    pub(crate) fn from_padded(ascii: &[u8; MAX], length: u8) -> Self {
        Self { ascii: *ascii, length }
    }

    pub(crate) fn padded(&self) -> &[u8; MAX] {
        &self.ascii
    }

    pub(crate) fn length(&self) -> u8 {
        self.length
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.ascii.get(..usize::from(self.length)).expect("both constructors bound the length by the array")
    }

    pub(crate) fn duplicate(&self) -> Self {
        Self::from_padded(&self.ascii, self.length)
    }

    pub(crate) fn ct_eq(&self, other: &Self) -> bool {
        // The zeros behind the digits make numbers of different length differ here.
        self.ascii.ct_eq(&other.ascii).into()
    }
}
