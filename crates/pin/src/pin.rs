//! The personal identification number.

use core::fmt;

use zeroize::ZeroizeOnDrop;

use crate::digits::{Digits, DigitsError};

/// Personal Identification Number (PIN) of 4 to 12 digits. Wiped on drop; `Debug` shows neither digits nor
/// length.
///
/// # Source
/// ISO 9564-1:2017, 8.1 (length).
///
/// # Examples
/// ```
/// use cardroot_pin::Pin;
///
/// let pin = Pin::from_ascii_digits(b"1234")?;
/// assert!(pin.ct_eq(&pin.duplicate()));
/// assert_eq!(format!("{pin:?}"), "Pin { .. }");
/// # Ok::<(), cardroot_pin::DigitsError>(())
/// ```
/// It is not copied by accident:
/// ```compile_fail,E0599
/// # use cardroot_pin::Pin;
/// let pin = Pin::from_ascii_digits(b"1234")?;
/// let copy = pin.clone();
/// # Ok::<(), cardroot_pin::DigitsError>(())
/// ```
/// nor compared byte by byte:
/// ```compile_fail,E0369
/// # use cardroot_pin::Pin;
/// let pin = Pin::from_ascii_digits(b"1234")?;
/// assert!(pin == pin.duplicate());
/// # Ok::<(), cardroot_pin::DigitsError>(())
/// ```
#[derive(ZeroizeOnDrop)]
pub struct Pin(Digits<{ Pin::MAX_DIGITS }>);

impl Pin {
    /// Fewest digits of a PIN.
    pub const MIN_DIGITS: usize = 4;
    /// Most digits of a PIN.
    pub const MAX_DIGITS: usize = 12;

    /// Takes a PIN as its keys were pressed, one ASCII digit per byte. The caller wipes its own copy.
    ///
    /// # Errors
    /// Returns [`DigitsError::Length`] outside 4 to 12 bytes and [`DigitsError::NotADigit`] for any byte but
    /// `0` to `9`.
    pub fn from_ascii_digits(ascii: &[u8]) -> Result<Self, DigitsError> {
        Digits::from_ascii(ascii, Self::MIN_DIGITS).map(Self)
    }

    /// Shows the PIN as ASCII digits. The length of the slice is as secret as the digits are.
    pub fn expose_digits(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Copies the PIN, on purpose.
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// Compares digits and length in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }

    /// ASCII digits over zeros, and how many there are: what the constant-time decoder produces.
    pub(crate) fn from_padded(ascii: &[u8; Self::MAX_DIGITS], length: u8) -> Self {
        Self(Digits::from_padded(ascii, length))
    }

    pub(crate) fn padded(&self) -> &[u8; Self::MAX_DIGITS] {
        self.0.padded()
    }

    pub(crate) fn length(&self) -> u8 {
        self.0.length()
    }
}

impl fmt::Debug for Pin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pin").finish_non_exhaustive()
    }
}
