//! New PINs on their way into a card.

use core::fmt;

use tdea::{BLOCK_LEN, Mode};
use zeroize::{ZeroizeOnDrop, Zeroizing};

use crate::emv::{ScriptEncKey, UdkAc};

const MIN_DIGITS: usize = 4;
const MAX_DIGITS: usize = 12;

/// A PIN that a script puts into a card. Wiped on drop; `Debug` shows no digit.
///
/// It is made from the ASCII digits that other types of PIN expose, so that no crate of PINs is needed here.
#[derive(ZeroizeOnDrop)]
pub struct ScriptPin {
    /// Values of the digits, zeros behind them.
    digits: [u8; MAX_DIGITS],
    length: u8,
}

/// Digits that are no PIN.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PinDigitsError {
    /// Too few or too many digits.
    #[error("a PIN is 4 to 12 digits, found {found}")]
    Length {
        /** Bytes supplied. */
        found: usize,
    },
    /// Not a decimal digit.
    #[error("byte {position} of the PIN is not an ASCII digit")]
    NotADigit {
        /** Position of the first such byte, from 0. */
        position: usize,
    },
}

impl ScriptPin {
    /// Takes 4 to 12 ASCII digits.
    ///
    /// # Errors
    /// Returns [`PinDigitsError`].
    pub fn from_ascii_digits(ascii: &[u8]) -> Result<Self, PinDigitsError> {
        let found = ascii.len();
        let length = u8::try_from(found).ok().filter(|_| (MIN_DIGITS..=MAX_DIGITS).contains(&found));
        let length = length.ok_or(PinDigitsError::Length { found })?;
        if let Some(position) = ascii.iter().position(|byte| !byte.is_ascii_digit()) {
            return Err(PinDigitsError::NotADigit { position });
        }
        let mut pin = Self { digits: [0; MAX_DIGITS], length };
        for (digit, byte) in pin.digits.iter_mut().zip(ascii) {
            *digit = byte & 0x0F;
        }
        Ok(pin)
    }

    /// `control || length || digits || F…`: format 2 of ISO 9564 for the control 2.
    fn block(&self, control: u8) -> Zeroizing<[u8; BLOCK_LEN]> {
        let [d0, d1, d2, d3, d4, d5] = *self.packed(0xF);
        Zeroizing::new([control << 4 | self.length, d0, d1, d2, d3, d4, d5, 0xFF])
    }

    /// All digits, two to a byte, `fill` behind them.
    fn packed(&self, fill: u8) -> Zeroizing<[u8; MAX_DIGITS / 2]> {
        let mut nibbles = Zeroizing::new(self.digits);
        nibbles.iter_mut().skip(usize::from(self.length)).for_each(|nibble| *nibble = fill);
        let mut packed = Zeroizing::new([0; MAX_DIGITS / 2]);
        for (byte, [high, low]) in packed.iter_mut().zip(nibbles.as_chunks().0) {
            *byte = high << 4 | low;
        }
        packed
    }
}

impl fmt::Debug for ScriptPin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScriptPin").finish_non_exhaustive()
    }
}

/// The clear PIN block of Visa's scripts. Wiped on drop; `Debug` shows nothing of it.
#[derive(ZeroizeOnDrop)]
pub struct VisaPinBlock([u8; BLOCK_LEN]);

impl VisaPinBlock {
    /// Makes the block of a new PIN, with the PIN it replaces if the script's form has it.
    ///
    /// `(00*4 || bytes 4 to 7 of UDK) XOR (0 L PIN F…)`, then XOR `current PIN 0…`.
    ///
    /// # Source
    /// Visa Integrated Circuit Card Specification (PIN CHANGE/UNBLOCK), as public implementations agree. For the issuer
    /// and the card.
    #[must_use]
    pub fn new(udk: &UdkAc, pin: &ScriptPin, current: Option<&ScriptPin>) -> Self {
        let mut block = Self(*pin.block(0));
        let udk = udk.0.expose_bytes().iter();
        for (byte, key_byte) in block.0.iter_mut().zip(udk).skip(4) {
            *byte ^= key_byte;
        }
        if let Some(current) = current {
            for (byte, digits) in block.0.iter_mut().zip(current.packed(0).iter()) {
                *byte ^= digits;
            }
        }
        block
    }

    /// Shows the clear bytes.
    #[must_use]
    pub const fn expose_bytes(&self) -> &[u8; BLOCK_LEN] {
        &self.0
    }
}

impl fmt::Debug for VisaPinBlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VisaPinBlock").finish_non_exhaustive()
    }
}

impl ScriptEncKey {
    /// Encrypts a new PIN for Mastercard's scripts: its ISO 9564 block of format 2, without padding.
    ///
    /// # Source
    /// Mastercard M/Chip, as public implementations agree. For the issuer.
    #[must_use]
    pub fn encrypt_pin_mastercard(&self, pin: &ScriptPin) -> [u8; BLOCK_LEN] {
        let mut block = pin.block(2);
        self.0.cipher().encrypt_block(&mut block);
        *block
    }

    /// Encrypts a new PIN for the scripts of EMV's common core definitions (CCD): its ISO 9564 block of format 2, then a
    /// block of padding by `80`, in CBC mode from a zero vector.
    ///
    /// # Source
    /// EMV Book 2, 9.3 and A1.1. For the issuer.
    #[must_use]
    pub fn encrypt_pin_ccd(&self, pin: &ScriptPin) -> [u8; 2 * BLOCK_LEN] {
        let mut data = Zeroizing::new([0; 2 * BLOCK_LEN]);
        let (block, padding) = data.split_at_mut(BLOCK_LEN);
        block.copy_from_slice(&*pin.block(2));
        padding.copy_from_slice(&[0x80, 0, 0, 0, 0, 0, 0, 0]);
        self.0.cipher().encrypt(Mode::CBC_ZERO_IV, &mut *data).expect("the data is two blocks");
        *data
    }

    /// Encrypts a new PIN for Visa's scripts: `08 || block || 80 00*6` in ECB mode.
    ///
    /// # Source
    /// Visa Integrated Circuit Card Specification, as public implementations agree. For the issuer.
    #[must_use]
    pub fn encrypt_pin_visa(&self, block: &VisaPinBlock) -> [u8; 2 * BLOCK_LEN] {
        let [b0, b1, b2, b3, b4, b5, b6, b7] = block.0;
        let mut data = Zeroizing::new([[0x08, b0, b1, b2, b3, b4, b5, b6], [b7, 0x80, 0, 0, 0, 0, 0, 0]]);
        self.0.cipher().encrypt_two(&mut data);
        let mut encrypted = [0; 2 * BLOCK_LEN];
        encrypted.copy_from_slice(data.as_flattened());
        encrypted
    }
}
