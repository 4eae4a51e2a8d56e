//! The two clear fields of format 4. A key enciphers the one, adds the other, and enciphers again.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::bytes::secret_block;
use crate::field::{self, FILL_LEN, Fill};
use crate::{InvalidPinBlock, Pan, Pin, PinBlockFormat, fill, nibbles};

const LEN: usize = 16;
const RANDOM_LEN: usize = LEN - field::LEN;

secret_block! {
    /// Clear PIN field of format 4 of ISO 9564-1.
    ///
    /// `4 L P… A…` to eight bytes, then eight random bytes.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.2.2.
    ///
    /// # Examples
    /// ```
    /// use cardroot_pin::{Iso4PinField, Pin};
    /// use getrandom::{SysRng, rand_core::UnwrapErr};
    ///
    /// let pin = Pin::from_ascii_digits(b"1234")?;
    /// let field = Iso4PinField::encode(&pin, &mut UnwrapErr(SysRng));
    /// assert!(field.expose_bytes().starts_with(&[0x44, 0x12, 0x34, 0xAA, 0xAA, 0xAA, 0xAA, 0xAA]));
    /// assert!(field.decode()?.ct_eq(&pin));
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub struct Iso4PinField([u8; LEN]);
    pub fn from_fill;
}

impl Iso4PinField {
    /// Encodes the field with random bytes behind the PIN.
    pub fn encode(pin: &Pin, rng: &mut impl CryptoRng) -> Self {
        Self::encode_with_fixed_random(pin, &fill::random(rng))
    }

    /// Encodes the field with eight bytes the caller answers for, for known answers.
    ///
    /// # Security
    /// Two fields with the same bytes show whether PIN and PAN are equal once both are enciphered under one
    /// key.
    pub fn encode_with_fixed_random(pin: &Pin, random: &[u8; RANDOM_LEN]) -> Self {
        Self::from_fill(|bytes| {
            let (pin_half, random_half) = halves_mut(bytes);
            field::encode(pin_half, PinBlockFormat::Iso4, pin, &[0xAA; FILL_LEN]);
            *random_half = *random;
        })
    }

    /// Decodes the field: the fill must be all `A`, the last eight bytes may be anything.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong; a wrong PAN shows here too, as a field that makes
    /// no sense.
    pub fn decode(&self) -> Result<Pin, InvalidPinBlock> {
        let pin_half = self.0.first_chunk().expect("the field is longer than its first half");
        field::decode(pin_half, PinBlockFormat::Iso4, Fill::Exactly(0xA))
    }
}

fn halves_mut(bytes: &mut [u8; LEN]) -> (&mut [u8; field::LEN], &mut [u8; RANDOM_LEN]) {
    let (first, second) = bytes.split_first_chunk_mut().expect("the field is longer than its first half");
    (first, second.try_into().expect("the halves are as long as the field"))
}

secret_block! {
    /// Clear PAN field of format 4 of ISO 9564-1. It never travels: each side builds it from the PAN it
    /// knows.
    ///
    /// `M PAN… 0…`, `M` = PAN digits beyond twelve. A PAN below twelve digits is right-justified over zeros
    /// in the twelve digits behind `M = 0`.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.2.3.
    ///
    /// # Examples
    /// ```
    /// use cardroot_pin::{Iso4PanField, Pan};
    ///
    /// let field = Iso4PanField::encode(&Pan::from_ascii_digits(b"4111111111111111")?);
    /// assert!(field.expose_bytes().starts_with(&[0x44, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x10]));
    /// # Ok::<(), cardroot_pin::DigitsError>(())
    /// ```
    pub struct Iso4PanField([u8; LEN]);
    fn from_fill;
}

impl Iso4PanField {
    /// Encodes the field.
    pub fn encode(pan: &Pan) -> Self {
        const LEAST_DIGITS: u8 = 12;
        let mut places = Zeroizing::new([0u8; 2 * LEN]);
        let [excess, digits @ ..] = &mut *places;
        *excess = pan.length().saturating_sub(LEAST_DIGITS);
        let padding = usize::from(LEAST_DIGITS.saturating_sub(pan.length()));
        for (place, ascii) in digits.iter_mut().skip(padding).zip(pan.expose_digits()) {
            *place = ascii & 0x0F;
        }
        Self::from_fill(|bytes| nibbles::join(&*places, bytes))
    }
}
