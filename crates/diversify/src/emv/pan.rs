//! What a card's master keys are derived by.

use core::fmt;

/// Primary account number (PAN) and PAN sequence number (PSN): what a card's master keys are derived by. `Debug` shows
/// no digit.
#[derive(Clone, Copy)]
pub struct PanPsn<'a> {
    pan: &'a str,
    psn: &'a str,
}

/// Digits that are no PAN or no PSN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PanPsnError {
    /// A PAN of another length.
    #[error("a PAN is 1 to 19 digits, found {found}")]
    PanLength {
        /** Bytes supplied. */
        found: usize,
    },
    /// A PSN of another length.
    #[error("a PAN sequence number is 2 digits, found {found}")]
    PsnLength {
        /** Bytes supplied. */
        found: usize,
    },
    /// A character of PAN and PSN together that is no decimal digit.
    #[error("digit {position} of PAN and sequence number is not decimal")]
    NotADigit {
        /** Position of the first such character, from 0, the PSN counted after the PAN. */
        position: usize,
    },
}

impl<'a> PanPsn<'a> {
    /// Takes the digits of both. A card without PSN counts as `00`. The byte of tag 5F34 is BCD: `12` hex is `"12"`.
    ///
    /// # Errors
    /// Returns [`PanPsnError`].
    pub fn new(pan: &'a str, psn: Option<&'a str>) -> Result<Self, PanPsnError> {
        let card = Self { pan, psn: psn.unwrap_or("00") };
        if !(1..=19).contains(&pan.len()) {
            return Err(PanPsnError::PanLength { found: pan.len() });
        }
        if card.psn.len() != 2 {
            return Err(PanPsnError::PsnLength { found: card.psn.len() });
        }
        match card.digits().position(|digit| digit > 9) {
            Some(position) => Err(PanPsnError::NotADigit { position }),
            None => Ok(card),
        }
    }

    /// The values of all digits; more than 9 for what is none.
    fn digits(&self) -> impl DoubleEndedIterator<Item = u8> {
        self.pan.bytes().chain(self.psn.bytes()).map(|character| character.wrapping_sub(b'0'))
    }

    /// Digits of the PAN.
    pub(super) const fn pan_digits(&self) -> usize {
        self.pan.len()
    }

    /// Digits of PAN and PSN together.
    pub(super) const fn digit_count(&self) -> usize {
        self.pan.len() + self.psn.len()
    }

    /// Fills `bcd` from its end with the digits of PAN and PSN, zeros in front. What does not fit in front is left out.
    pub(super) fn fill_bcd(&self, bcd: &mut [u8]) {
        let mut digits = self.digits().rev();
        for byte in bcd.iter_mut().rev() {
            let (low, high) = (digits.next().unwrap_or(0), digits.next().unwrap_or(0));
            *byte = high << 4 | low;
        }
    }
}

impl fmt::Debug for PanPsn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanPsn").field("pan_digits", &self.pan.len()).finish_non_exhaustive()
    }
}
