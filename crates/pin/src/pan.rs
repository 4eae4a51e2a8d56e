//! The primary account number.

use core::fmt::{self, Write as _};

use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::digits::{Digits, DigitsError};
use crate::nibbles;

/// Primary Account Number (PAN) of 8 to 19 digits, check digit included. Wiped on drop, shown masked.
///
/// `Display` and `Debug` show at most the first six and the last four digits and always hide at least six: a
/// PAN of 16 digits or more shows `6 + 4`, one of 15 shows `5 + 4`, one of 13 `3 + 4`, one of 10 only the
/// last four, one of 8 only the last two.
///
/// # Source
/// ISO/IEC 7812-1 (length, check digit); PCI DSS 4.0, 3.4.1 (what a masked PAN may show at most).
///
/// # Examples
/// ```
/// use cardroot_pin::Pan;
///
/// let pan = Pan::from_ascii_digits(b"4111111111111111")?;
/// assert_eq!(pan.to_string(), "411111******1111");
/// assert_eq!(pan.verify_luhn(), Ok(()));
/// # Ok::<(), cardroot_pin::DigitsError>(())
/// ```
/// It is not copied by accident:
/// ```compile_fail,E0599
/// # use cardroot_pin::Pan;
/// let pan = Pan::from_ascii_digits(b"4111111111111111")?;
/// let copy = pan.clone();
/// # Ok::<(), cardroot_pin::DigitsError>(())
/// ```
#[derive(ZeroizeOnDrop)]
pub struct Pan(Digits<{ Pan::MAX_DIGITS }>);

/// The last digit of a [`Pan`] is not its Luhn check digit.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the last digit is not the check digit of the account number")]
pub struct WrongCheckDigit;

impl Pan {
    /// Fewest digits of a PAN.
    pub const MIN_DIGITS: usize = 8;
    /// Most digits of a PAN.
    pub const MAX_DIGITS: usize = 19;

    /// Takes a PAN, one ASCII digit per byte, the check digit last. The check digit is not judged: not every
    /// issuer keeps to it; see [`verify_luhn`](Self::verify_luhn).
    ///
    /// # Errors
    /// Returns [`DigitsError::Length`] outside 8 to 19 bytes and [`DigitsError::NotADigit`] for any byte but
    /// `0` to `9`.
    pub fn from_ascii_digits(ascii: &[u8]) -> Result<Self, DigitsError> {
        Digits::from_ascii(ascii, Self::MIN_DIGITS).map(Self)
    }

    /// Checks the last digit: from the right every second digit is doubled, and the sum of all decimal digits
    /// must end in 0.
    ///
    /// # Source
    /// ISO/IEC 7812-1, annex B (Luhn formula).
    ///
    /// # Errors
    /// Returns [`WrongCheckDigit`] if the sum does not end in 0.
    #[doc(alias = "mod 10")]
    pub fn verify_luhn(&self) -> Result<(), WrongCheckDigit> {
        let values = self.expose_digits().iter().rev().map(|ascii| u32::from(ascii & 0x0F));
        let sum: u32 = values
            .enumerate()
            .map(|(place, digit)| if place % 2 == 0 { digit } else { doubled(digit) })
            .sum();
        if sum.is_multiple_of(10) { Ok(()) } else { Err(WrongCheckDigit) }
    }

    /// Shows the whole PAN as ASCII digits.
    pub fn expose_digits(&self) -> &[u8] {
        self.0.as_slice()
    }

    /// Copies the PAN, on purpose.
    pub fn duplicate(&self) -> Self {
        Self(self.0.duplicate())
    }

    /// Compares digits and length in constant time.
    pub fn ct_eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0)
    }

    pub(crate) fn length(&self) -> u8 {
        self.0.length()
    }

    /// The account number field of formats 0 and 3: `0000` and the twelve rightmost digits left of the check
    /// digit, a shorter number right-justified over zeros.
    pub(crate) fn account_field(&self) -> Zeroizing<[u8; 8]> {
        const ACCOUNT_DIGITS: usize = 12;
        let mut places = Zeroizing::new([0u8; 16]);
        let account = self.expose_digits().iter().rev().skip(1).take(ACCOUNT_DIGITS);
        for (place, ascii) in places.iter_mut().rev().zip(account) {
            *place = ascii & 0x0F;
        }
        let mut field = Zeroizing::new([0u8; 8]);
        nibbles::join(&*places, &mut *field);
        field
    }
}

/// Sum of the decimal digits of `2 * digit`.
fn doubled(digit: u32) -> u32 {
    2 * digit - digit / 5 * 9
}

impl fmt::Display for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HIDDEN_AT_LEAST: usize = 6;
        let digits = self.expose_digits();
        let shown = digits.len().saturating_sub(HIDDEN_AT_LEAST).min(6 + 4);
        let last = shown.min(4);
        let hidden = (shown - last)..(digits.len() - last);
        for (index, digit) in digits.iter().enumerate() {
            f.write_char(if hidden.contains(&index) { '*' } else { char::from(*digit) })?;
        }
        Ok(())
    }
}

impl fmt::Debug for Pan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Pan({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account_field(pan: &[u8]) -> [u8; 8] {
        *Pan::from_ascii_digits(pan).unwrap().account_field()
    }

    #[test]
    fn account_field_holds_twelve_digits_left_of_the_check_digit() {
        assert_eq!(account_field(b"4012345678909"), [0, 0, 0x40, 0x12, 0x34, 0x56, 0x78, 0x90]);
        assert_eq!(account_field(b"5555555551234567"), [0, 0, 0x55, 0x55, 0x55, 0x12, 0x34, 0x56]);
        assert_eq!(account_field(b"1234567890123456789"), [0, 0, 0x78, 0x90, 0x12, 0x34, 0x56, 0x78]);
    }

    #[test]
    fn short_account_number_is_right_justified_over_zeros() {
        assert_eq!(account_field(b"123456789012"), [0, 0, 0x01, 0x23, 0x45, 0x67, 0x89, 0x01]);
        assert_eq!(account_field(b"12345678"), [0, 0, 0, 0, 0x01, 0x23, 0x45, 0x67]);
    }
}
