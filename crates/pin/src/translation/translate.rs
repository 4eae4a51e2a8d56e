//! The translation itself.

use rand_core::CryptoRng;

use super::{Incoming, Outgoing, TranslationError, check};
use crate::{InvalidPinBlock, Pan};

/// A translation that the rules allow, from one side to the other: a block is deciphered under the key of the
/// first and goes out enciphered under the key of the second. Neither PIN nor clear block is shown.
///
/// The sides may be of any two methods of key management, and the keys in any place: what they are is a matter
/// of the traits. There is one PAN, that of the transaction, so a translation cannot change it.
///
/// # Source
/// ISO 9564-1, clause 9; the table of the [module](super).
///
/// # Examples
/// From a terminal in format 0 to a network in format 4:
/// ```
/// use cardroot_pin::translation::{Blocks, Iso4Blocks, NotTranslated, Translation};
/// use cardroot_pin::{
///     DecryptPinBlock, EncryptIso4PinBlock, EncryptedIso4PinBlock, EncryptedPinBlock, Pan, PinBlockFormat,
/// };
/// use getrandom::{SysRng, rand_core::UnwrapErr};
///
/// fn pass_on<T: DecryptPinBlock, N: EncryptIso4PinBlock>(
///     block: EncryptedPinBlock,
///     (terminal, network): (&T, &N),
///     pan: &Pan,
/// ) -> Result<EncryptedIso4PinBlock, NotTranslated<T::Error, N::Error>> {
///     let from = Blocks::new(PinBlockFormat::Iso0, terminal);
///     let translation = Translation::new(from, Iso4Blocks::new(network), Some(pan)).expect("0 may become 4");
///     translation.translate(block, &mut UnwrapErr(SysRng))
/// }
/// ```
/// What is inside a block is for the keys alone:
/// ```compile_fail,E0599
/// # use cardroot_pin::translation::Blocks;
/// # use cardroot_pin::{DecryptPinBlock, EncryptedPinBlock, Pan};
/// fn peep<T: DecryptPinBlock>(from: Blocks<'_, T>, block: EncryptedPinBlock, pan: &Pan) {
///     let _ = from.open(block, Some(pan));
/// }
/// ```
#[derive(Debug)]
pub struct Translation<'p, S, T> {
    from: S,
    to: T,
    pan: Option<&'p Pan>,
}

/// A block that was not translated. It tells the two ends apart and nothing about the PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum NotTranslated<S, T> {
    /// The block does not decode: one and the same answer whatever is wrong with it, and for a wrong key or PAN.
    #[error(transparent)]
    InvalidPinBlock(InvalidPinBlock),
    /// The key of the incoming side failed.
    #[error("the key of the incoming block failed")]
    IncomingKey(#[source] S),
    /// The key of the outgoing side failed.
    #[error("the key of the outgoing block failed")]
    OutgoingKey(#[source] T),
}

impl<'p, S: Incoming, T: Outgoing> Translation<'p, S, T> {
    /// Holds the two sides to the rules. `pan` is that of the transaction; only where both formats are 1 there
    /// need not be one.
    ///
    /// # Errors
    /// Returns the reason why not; see the table of the [module](super).
    pub fn new(from: S, to: T, pan: Option<&'p Pan>) -> Result<Self, TranslationError> {
        check(from.format(), to.format())?;
        from.check()?;
        to.check()?;
        match [from.format(), to.format()].into_iter().find(|format| format.binds_pan()) {
            Some(format) if pan.is_none() => Err(TranslationError::PanMissing { format }),
            _ => Ok(Self { from, to, pan }),
        }
    }

    /// Translates one block. `rng` gives the fill of formats 1, 3 and 4, which is new for every block.
    ///
    /// # Errors
    /// Returns [`NotTranslated::InvalidPinBlock`] for whatever is wrong with the block, or the error of a key.
    ///
    /// # Security
    /// An answer is one bit about a block and a PAN that a sender may have chosen. Count failures per sender.
    pub fn translate(
        &self,
        block: S::Block,
        rng: &mut impl CryptoRng,
    ) -> Result<T::Block, NotTranslated<S::Error, T::Error>> {
        let opened = self.from.open(block, self.pan).map_err(NotTranslated::IncomingKey)?;
        let pin = opened.map_err(NotTranslated::InvalidPinBlock)?;
        self.to.close(&pin, self.pan, rng).map_err(NotTranslated::OutgoingKey)
    }
}
