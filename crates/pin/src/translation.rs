//! Which PIN block may be translated into which, between the nodes of a network.
//!
//! | from \ to | 0, 3, 4 | 1 | 2 |
//! |---|---|---|---|
//! | 0, 3, 4 | with the same PAN | no: loses the PAN | no: card interface only |
//! | 1 | yes: adds the PAN | yes | no: card interface only |
//! | 2 | no | no | no |
//!
//! A [`Translation`] is what a node does: it is made of the two sides, each a PIN encryption key with the format
//! of its blocks, and of the one PAN that both have. The table is held to before anything is deciphered, and
//! neither PIN nor clear block comes out. [`check`] says what the table says; [`check_pan`] is for a node that
//! gets the PAN twice.
//!
//! A terminal that submits a PIN to a chip card builds format 2 from whatever format it holds; that is no
//! translation between nodes, and [`CardPinBlock`](crate::CardPinBlock) is a type apart for it.
//!
//! # Source
//! ISO 9564-1, clause 9, as commonly read; PCI PIN Security Requirements v3.1, 3-3, repeats the table. Of the
//! exceptions they know for a changed PAN (card issuance in a sensitive state, an account token
//! cryptographically bound to its PAN) none is granted here: they need a decision and a proof that this crate
//! does not have.

mod side;
mod translate;

pub use side::{Blocks, Incoming, Iso4Blocks, Outgoing};
pub use translate::{NotTranslated, Translation};

use crate::{Pan, PinBlockFormat};

/// Why a translation is not allowed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum TranslationError {
    /// The first format binds the PAN, and format 1 would lose it: the block could then be presented, or
    /// translated again, with the PAN of any other account.
    #[error("format 1 would lose the account number that the PIN block is bound to")]
    LosesPan,
    /// Format 2 is for submission to a chip card and does not leave the terminal.
    #[error("format 2 is for the card interface only")]
    CardInterfaceOnly,
    /// A PIN that came in format 2 was meant for a chip card.
    #[error("a PIN block in format 2 is not for interchange")]
    NotForInterchange,
    /// The PAN of the new block is not that of the old one.
    #[error("a translation keeps the account number")]
    PanChanged,
    /// One of the formats binds the PAN, and there is none.
    #[error("a block of format {} needs the account number", format.number())]
    PanMissing {
        /// The format.
        format: PinBlockFormat,
    },
    /// Blocks of format 4 are of sixteen bytes, under a key for them: see [`Iso4Blocks`].
    #[error("a block of format 4 has not eight bytes")]
    NotOfEightBytes,
}

/// Checks that a PIN block of format `from` may be translated into format `to` on its way to another node.
///
/// # Errors
/// Returns the reason why not; see the table of the [module](self).
///
/// # Examples
/// ```
/// use cardroot_pin::PinBlockFormat::{Iso0, Iso1, Iso4};
/// use cardroot_pin::translation::{TranslationError, check};
///
/// assert_eq!(check(Iso0, Iso4), Ok(()));
/// assert_eq!(check(Iso1, Iso0), Ok(()));
/// assert_eq!(check(Iso0, Iso1), Err(TranslationError::LosesPan));
/// ```
pub fn check(from: PinBlockFormat, to: PinBlockFormat) -> Result<(), TranslationError> {
    use PinBlockFormat::{Iso0, Iso1, Iso2, Iso3, Iso4};
    match (from, to) {
        (_, Iso2) => Err(TranslationError::CardInterfaceOnly),
        (Iso2, _) => Err(TranslationError::NotForInterchange),
        (Iso0 | Iso3 | Iso4, Iso1) => Err(TranslationError::LosesPan),
        (Iso1, Iso1) | (Iso0 | Iso1 | Iso3 | Iso4, Iso0 | Iso3 | Iso4) => Ok(()),
    }
}

/// Checks that a translation keeps the PAN.
///
/// # Errors
/// Returns [`TranslationError::PanChanged`] if the two differ, an account token in place of its PAN included.
pub fn check_pan(from: &Pan, to: &Pan) -> Result<(), TranslationError> {
    if from.ct_eq(to) { Ok(()) } else { Err(TranslationError::PanChanged) }
}
