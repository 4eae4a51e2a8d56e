//! The five PIN block formats of ISO 9564-1.

/// PIN block format of ISO 9564-1.
///
/// | format | clear block (`L` length, `P` digit) | PAN | block |
/// |---|---|---|---|
/// | 0 | `0 L P… F…` XOR `0000` and 12 account digits | bound | [`ClearPinBlock`] |
/// | 1 | `1 L P…` and random or unique nibbles | – | [`ClearPinBlock`] |
/// | 2 | `2 L P… F…` | – | [`CardPinBlock`] |
/// | 3 | `3 L P…` and random `A` to `F`, XOR `0000` and 12 account digits | bound | [`ClearPinBlock`] |
/// | 4 | `4 L P… A…` and 8 random bytes; the PAN in a second field | bound | [`Iso4PinField`], [`Iso4PanField`] |
///
/// [`ClearPinBlock`]: crate::ClearPinBlock
/// [`CardPinBlock`]: crate::CardPinBlock
/// [`Iso4PinField`]: crate::Iso4PinField
/// [`Iso4PanField`]: crate::Iso4PanField
///
/// # Source
/// ISO 9564-1:2017, 9.3 (formats 0 to 3) and 9.4 (format 4).
///
/// # Examples
/// ```
/// use cardroot_pin::PinBlockFormat;
///
/// assert_eq!(PinBlockFormat::try_from(3)?, PinBlockFormat::Iso3);
/// assert!(PinBlockFormat::try_from(5).is_err());
/// # Ok::<(), cardroot_pin::UnknownPinBlockFormat>(())
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[repr(u8)]
pub enum PinBlockFormat {
    /// PIN and PAN, filled with `F`: the format of TDEA networks.
    #[doc(alias = "ANSI X9.8")]
    #[doc(alias = "VISA-1")]
    #[doc(alias = "ECI-1")]
    Iso0 = 0,
    /// PIN and a field unique to the transaction, where the PAN is not at hand.
    #[doc(alias = "ECI-4")]
    Iso1 = 1,
    /// PIN alone, for submission to a chip card.
    Iso2 = 2,
    /// As format 0 with a random fill.
    Iso3 = 3,
    /// PIN and PAN in two sixteen-byte fields, for a cipher with sixteen-byte blocks.
    Iso4 = 4,
}

/// A number that names no PIN block format of ISO 9564-1.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("PIN block formats are numbered 0 to 4, found {found}")]
pub struct UnknownPinBlockFormat {
    /// The number supplied.
    pub found: u8,
}

impl PinBlockFormat {
    /// All formats, by number.
    pub const ALL: [Self; 5] = [Self::Iso0, Self::Iso1, Self::Iso2, Self::Iso3, Self::Iso4];

    /// The format number, which is also the first nibble of the clear block.
    pub const fn number(self) -> u8 {
        self as u8
    }

    /// Whether a block of this format can only be opened with the PAN it was made for.
    pub const fn binds_pan(self) -> bool {
        matches!(self, Self::Iso0 | Self::Iso3 | Self::Iso4)
    }
}

impl TryFrom<u8> for PinBlockFormat {
    type Error = UnknownPinBlockFormat;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::ALL
            .into_iter()
            .find(|format| format.number() == number)
            .ok_or(UnknownPinBlockFormat { found: number })
    }
}
