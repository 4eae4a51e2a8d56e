//! EMV master keys: from the issuer's key of one purpose to the card's key of the same purpose.

use core::fmt;

use tdea::TdeaKey;

use crate::factor::Factor;
use crate::pair::TripleLengthKey;
use crate::pboc;

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

    /// The rightmost 16 digits in BCD, zeros in front.
    fn rightmost(&self) -> Factor {
        let mut bytes = [0; Factor::LEN];
        let mut digits = self.digits().rev();
        for byte in bytes.iter_mut().rev() {
            let (low, high) = (digits.next().unwrap_or(0), digits.next().unwrap_or(0));
            *byte = high << 4 | low;
        }
        Factor::from(bytes)
    }
}

impl fmt::Debug for PanPsn<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PanPsn").field("pan_digits", &self.pan.len()).finish_non_exhaustive()
    }
}

/// `E(master, Y) || E(master, ~Y)`, `Y` being the rightmost 16 digits, with odd parity in the end: PBOC dispersion but
/// for the parity.
fn option_a(master: &TdeaKey, card: &PanPsn<'_>) -> Result<TdeaKey, TripleLengthKey> {
    Ok(pboc::derive(master, card.rightmost())?.into_odd_parity())
}

/// Declares the issuer's and the card's key of one purpose.
macro_rules! purposes {
    ($(
        $(#[$master_doc:meta])* $master:ident
        $(#[$card_doc:meta])* $card:ident
    )*) => {$(
        tdea::key_type! {
            $(#[$master_doc])*
            pub struct $master;
        }

        tdea::key_type! {
            $(#[$card_doc])*
            pub struct $card;
        }

        impl $master {
            /// Derives the card's key by option A.
            ///
            /// `E(master, Y) || E(master, ~Y)`, `Y` being the rightmost 16 digits of PAN and PSN, zeros in front if
            /// there are fewer; then odd parity.
            ///
            /// # Source
            /// EMV Book 2, A1.4.1. For the issuer.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn diversify_a(&self, card: &PanPsn<'_>) -> Result<$card, TripleLengthKey> {
                Ok($card(option_a(&self.0, card)?))
            }
        }
    )*};
}

purposes! {
    /// Master Derivation Key (MDK) for application cryptograms.
    #[doc(alias = "IMK-AC")]
    MdkAc
    /// Unique Derived Key (UDK) for application cryptograms.
    #[doc(alias = "ICC MK-AC")]
    UdkAc

    /// Master Derivation Key (MDK) for the integrity of issuer scripts.
    #[doc(alias = "IMK-SMI")]
    #[doc(alias = "MDKMAC")]
    MdkMac
    /// Unique Derived Key (UDK) for the integrity of issuer scripts.
    #[doc(alias = "UDKMAC")]
    UdkMac

    /// Master Derivation Key (MDK) for the confidentiality of issuer scripts.
    #[doc(alias = "IMK-SMC")]
    #[doc(alias = "MDKENC")]
    MdkEnc
    /// Unique Derived Key (UDK) for the confidentiality of issuer scripts.
    #[doc(alias = "UDKENC")]
    UdkEnc
}
