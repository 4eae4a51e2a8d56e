//! Enciphered blocks, and the traits of the keys that make and open them.

use crate::bytes::enciphered_block;
use crate::{ClearPinBlock, Iso4PanField, Iso4PinField};

/// A byte string that is not as long as the PIN block it should be.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("expected a PIN block of {expected} bytes, found {found}")]
pub struct BlockLengthError {
    /// Length of the block.
    pub expected: usize,
    /// Bytes supplied.
    pub found: usize,
}

enciphered_block! {
    /// Enciphered PIN block of format 0, 1 or 3. A public value: `Debug` shows it in hexadecimal.
    ///
    /// # Examples
    /// ```
    /// use cardroot_pin::EncryptedPinBlock;
    ///
    /// let block = EncryptedPinBlock::from([0x1B, 0x9C, 0x18, 0x45, 0xEB, 0x99, 0x3A, 0x7A]);
    /// assert_eq!(format!("{block:?}"), "EncryptedPinBlock(1B9C1845EB993A7A)");
    /// assert!(EncryptedPinBlock::try_from(&[0x1B][..]).is_err());
    /// ```
    pub struct EncryptedPinBlock([u8; 8]);
}

enciphered_block! {
    /// Enciphered PIN block of format 4. A public value: `Debug` shows it in hexadecimal.
    pub struct EncryptedIso4PinBlock([u8; 16]);
}

impl EncryptedIso4PinBlock {
    /// Enciphers the two fields with the block cipher of a PIN encryption key, which works in place: what an
    /// implementation of [`EncryptIso4PinBlock`] calls.
    ///
    /// `C = E(E(PIN field) ^ PAN field)`
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.3.
    pub fn encrypt_with(pin: &Iso4PinField, pan: &Iso4PanField, encrypt: impl Fn(&mut [u8; 16])) -> Self {
        // Once enciphered, the block tells nothing of the PIN.
        let mut block = *pin.expose_bytes();
        encrypt(&mut block);
        add(&mut block, pan);
        encrypt(&mut block);
        Self(block)
    }

    /// Deciphers the block with the block cipher of a PIN encryption key, which works in place: what an
    /// implementation of [`DecryptIso4PinBlock`] calls.
    ///
    /// `PIN field = D(D(C) ^ PAN field)`
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.4.
    pub fn decrypt_with(self, pan: &Iso4PanField, decrypt: impl Fn(&mut [u8; 16])) -> Iso4PinField {
        Iso4PinField::from_fill(|field| {
            *field = self.0;
            decrypt(field);
            add(field, pan);
            decrypt(field);
        })
    }
}

fn add(block: &mut [u8; 16], pan: &Iso4PanField) {
    for (byte, pan) in block.iter_mut().zip(pan.expose_bytes()) {
        *byte ^= pan;
    }
}

/// Enciphers clear PIN blocks. To be implemented by PIN encryption keys and nothing else: what implements it
/// must not encipher anything but PIN blocks.
pub trait EncryptPinBlock {
    /// Failure of the key, as of a token that went away; a key in memory says [`core::convert::Infallible`].
    type Error: core::error::Error;

    /// Enciphers one block in electronic codebook mode.
    ///
    /// # Errors
    /// Returns the key's own error.
    fn encrypt_pin_block(&self, clear: &ClearPinBlock) -> Result<EncryptedPinBlock, Self::Error>;
}

/// Deciphers PIN blocks. To be implemented by PIN encryption keys of a receiving side and nothing else.
///
/// A wrong key is no failure here: it gives a block that does not decode.
pub trait DecryptPinBlock {
    /// Failure of the key, as of a token that went away; a key in memory says [`core::convert::Infallible`].
    type Error: core::error::Error;

    /// Deciphers one block in electronic codebook mode.
    ///
    /// # Errors
    /// Returns the key's own error.
    fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Self::Error>;
}

/// Enciphers the fields of format 4. To be implemented by PIN encryption keys of a cipher with sixteen-byte
/// blocks and nothing else.
pub trait EncryptIso4PinBlock {
    /// Failure of the key, as of a token that went away; a key in memory says [`core::convert::Infallible`].
    type Error: core::error::Error;

    /// `C = E(K, E(K, PIN field) ^ PAN field)`.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.3.
    ///
    /// # Errors
    /// Returns the key's own error.
    fn encrypt_iso4_pin_block(
        &self,
        pin: &Iso4PinField,
        pan: &Iso4PanField,
    ) -> Result<EncryptedIso4PinBlock, Self::Error>;
}

/// Deciphers PIN blocks of format 4. To be implemented by PIN encryption keys of a receiving side and nothing
/// else.
///
/// A wrong key or PAN is no failure here: it gives a field that does not decode.
pub trait DecryptIso4PinBlock {
    /// Failure of the key, as of a token that went away; a key in memory says [`core::convert::Infallible`].
    type Error: core::error::Error;

    /// `PIN field = D(K, D(K, C) ^ PAN field)`.
    ///
    /// # Source
    /// ISO 9564-1:2017, 9.4.2.4.
    ///
    /// # Errors
    /// Returns the key's own error.
    fn decrypt_iso4_pin_block(
        &self,
        block: EncryptedIso4PinBlock,
        pan: &Iso4PanField,
    ) -> Result<Iso4PinField, Self::Error>;
}
