//! Clear eight-byte blocks: formats 0, 1 and 3 between nodes, format 2 for the chip card.

use rand_core::CryptoRng;

use crate::bytes::secret_block;
use crate::field::{self, FILL_LEN, Fill};
use crate::fill::{self, InvalidFill};
use crate::{InvalidPinBlock, Pan, Pin, PinBlockFormat};

const FILL_F: [u8; FILL_LEN] = [0xFF; FILL_LEN];

secret_block! {
    /// Clear PIN block of eight bytes, in format 0, 1 or 3 of ISO 9564-1: what a PIN encryption key takes and
    /// gives back.
    ///
    /// The bytes of a deciphered block do not prove their own format, so whoever decodes names the format
    /// agreed with the sender; never take it from the first nibble, which an attacker may choose.
    ///
    /// Format 2 is another type, [`CardPinBlock`]: it must not travel between nodes, and does not get there.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.3.2 (format 0), 9.3.3 (format 1), 9.3.5 (format 3).
    ///
    /// # Security
    /// Each decoding tells one bit about a block and a PAN the caller may have chosen. Count failures per
    /// sender.
    ///
    /// # Examples
    /// ```
    /// use cardroot_pin::{ClearPinBlock, Pan, Pin};
    ///
    /// let pin = Pin::from_ascii_digits(b"1234")?;
    /// let pan = Pan::from_ascii_digits(b"4012345678909")?;
    /// let block = ClearPinBlock::encode_iso0(&pin, &pan);
    /// assert_eq!(block.expose_bytes(), &[0x04, 0x12, 0x74, 0xED, 0xCB, 0xA9, 0x87, 0x6F]);
    /// assert!(block.decode_iso0(&pan)?.ct_eq(&pin));
    ///
    /// let other = Pan::from_ascii_digits(b"4111111111111111")?;
    /// assert!(block.decode_iso0(&other).is_err());
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    pub struct ClearPinBlock([u8; field::LEN]);
    pub fn from_fill;
}

impl ClearPinBlock {
    /// Encodes format 0: `0 L P… F…` XOR `0000` and the twelve rightmost PAN digits left of the check digit.
    pub fn encode_iso0(pin: &Pin, pan: &Pan) -> Self {
        Self::encode_bound(PinBlockFormat::Iso0, pin, pan, &FILL_F)
    }

    /// Encodes format 1: `1 L P…` and random nibbles. For use where the PAN is not at hand; every other place
    /// wants a format that binds it.
    pub fn encode_iso1(pin: &Pin, rng: &mut impl CryptoRng) -> Self {
        Self::encode_iso1_with_fixed_fill(pin, &fill::random(rng))
    }

    /// Encodes format 1 with a fill the caller answers for: known answers, or a device that puts a value
    /// there that is unique to the transaction. `fill` lies over bytes 1 to 7 of the block, and the PIN
    /// digits over its beginning.
    ///
    /// # Security
    /// Two blocks of one fill show whether their PINs are equal once both are enciphered under one key.
    pub fn encode_iso1_with_fixed_fill(pin: &Pin, fill: &[u8; 7]) -> Self {
        Self::from_fill(|block| field::encode(block, PinBlockFormat::Iso1, pin, fill))
    }

    /// Encodes format 3: `3 L P…` and random nibbles `A` to `F`, XOR `0000` and the twelve rightmost PAN
    /// digits left of the check digit.
    pub fn encode_iso3(pin: &Pin, pan: &Pan, rng: &mut impl CryptoRng) -> Self {
        Self::encode_bound(PinBlockFormat::Iso3, pin, pan, &fill::random_a_to_f(rng))
    }

    /// Encodes format 3 with a fill the caller answers for, for known answers. `fill` lies over bytes 1 to 7
    /// of the field before the PAN is added, and the PIN digits over its beginning.
    ///
    /// # Security
    /// One fill for all blocks turns format 3 into format 0: equal PINs of one PAN give equal blocks.
    ///
    /// # Errors
    /// Returns [`InvalidFill`] if any of the 14 nibbles is not `A` to `F`, covered or not.
    pub fn encode_iso3_with_fixed_fill(pin: &Pin, pan: &Pan, fill: &[u8; 7]) -> Result<Self, InvalidFill> {
        fill::check_a_to_f(fill)?;
        Ok(Self::encode_bound(PinBlockFormat::Iso3, pin, pan, fill))
    }

    /// Decodes a block of the format agreed with the sender; `pan` plays no part in format 1. Formats 2 and 4
    /// have types of their own, so no block of this type is valid in them.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong.
    pub fn decode(&self, format: PinBlockFormat, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
        match format {
            PinBlockFormat::Iso0 => self.decode_iso0(pan),
            PinBlockFormat::Iso1 => self.decode_iso1(),
            PinBlockFormat::Iso3 => self.decode_iso3(pan),
            PinBlockFormat::Iso2 | PinBlockFormat::Iso4 => Err(InvalidPinBlock),
        }
    }

    /// Decodes format 0: the fill must be all `F`.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong, a wrong PAN among it.
    pub fn decode_iso0(&self, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
        field::decode(&self.without_pan(pan).0, PinBlockFormat::Iso0, Fill::Exactly(0xF))
    }

    /// Decodes format 1: the fill may be anything.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong.
    pub fn decode_iso1(&self) -> Result<Pin, InvalidPinBlock> {
        field::decode(&self.0, PinBlockFormat::Iso1, Fill::Any)
    }

    /// Decodes format 3: the fill must be `A` to `F`.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong, a wrong PAN among it.
    pub fn decode_iso3(&self, pan: &Pan) -> Result<Pin, InvalidPinBlock> {
        field::decode(&self.without_pan(pan).0, PinBlockFormat::Iso3, Fill::AToF)
    }

    fn encode_bound(format: PinBlockFormat, pin: &Pin, pan: &Pan, fill: &[u8; FILL_LEN]) -> Self {
        Self::from_fill(|block| {
            field::encode(block, format, pin, fill);
            xor_pan(block, pan);
        })
    }

    /// The PIN field under the account number field.
    fn without_pan(&self, pan: &Pan) -> Self {
        Self::from_fill(|block| {
            *block = self.0;
            xor_pan(block, pan);
        })
    }
}

fn xor_pan(block: &mut [u8; field::LEN], pan: &Pan) {
    for (byte, account) in block.iter_mut().zip(pan.account_field().iter()) {
        *byte ^= account;
    }
}

secret_block! {
    /// Clear PIN block of format 2 of ISO 9564-1: what a terminal hands to a chip card (`VERIFY`,
    /// `CHANGE REFERENCE DATA`).
    ///
    /// `2 L P… F…`. The same PIN always gives the same block, with nothing of the PAN or the transaction in
    /// it, so it is for the card interface alone, and the traits for PIN encryption keys do not take it.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.3.4.
    ///
    /// # Examples
    /// ```
    /// use cardroot_pin::{CardPinBlock, Pin};
    ///
    /// let block = CardPinBlock::encode(&Pin::from_ascii_digits(b"34567")?);
    /// assert_eq!(block.expose_bytes(), &[0x25, 0x34, 0x56, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF]);
    /// # Ok::<(), cardroot_pin::DigitsError>(())
    /// ```
    /// A PIN encryption key takes a [`ClearPinBlock`]:
    /// ```
    /// # use cardroot_pin::{ClearPinBlock, EncryptPinBlock, EncryptedPinBlock};
    /// fn send<K: EncryptPinBlock>(key: &K, block: &ClearPinBlock) -> Result<EncryptedPinBlock, K::Error> {
    ///     key.encrypt_pin_block(block)
    /// }
    /// ```
    /// and no block that is meant for a card:
    /// ```compile_fail,E0308
    /// # use cardroot_pin::{CardPinBlock, EncryptPinBlock, EncryptedPinBlock};
    /// fn send<K: EncryptPinBlock>(key: &K, block: &CardPinBlock) -> Result<EncryptedPinBlock, K::Error> {
    ///     key.encrypt_pin_block(block)
    /// }
    /// ```
    pub struct CardPinBlock([u8; field::LEN]);
    pub fn from_fill;
}

impl CardPinBlock {
    /// Encodes `2 L P… F…`.
    pub fn encode(pin: &Pin) -> Self {
        Self::from_fill(|block| field::encode(block, PinBlockFormat::Iso2, pin, &FILL_F))
    }

    /// Decodes the block, on the card's side.
    ///
    /// # Errors
    /// Returns [`InvalidPinBlock`] for whatever is wrong.
    pub fn decode(&self) -> Result<Pin, InvalidPinBlock> {
        field::decode(&self.0, PinBlockFormat::Iso2, Fill::Exactly(0xF))
    }
}
