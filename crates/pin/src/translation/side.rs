//! The two sides of a translation: blocks of a format under a key.

use rand_core::CryptoRng;

use super::TranslationError;
use crate::{
    ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock, InvalidPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
    PinBlockFormat,
};

/// Blocks of eight bytes under one PIN encryption key, in the format agreed with the other end: 0, 1 or 3.
#[derive(Debug)]
pub struct Blocks<'k, K: ?Sized> {
    format: PinBlockFormat,
    key: &'k K,
}

impl<'k, K: ?Sized> Blocks<'k, K> {
    /// Blocks of `format` under `key`. [`Translation::new`](super::Translation::new) judges the format.
    pub const fn new(format: PinBlockFormat, key: &'k K) -> Self {
        Self { format, key }
    }
}

/// Blocks of format 4 under one PIN encryption key.
#[derive(Debug)]
pub struct Iso4Blocks<'k, K: ?Sized> {
    key: &'k K,
}

impl<'k, K: ?Sized> Iso4Blocks<'k, K> {
    /// Blocks of format 4 under `key`.
    pub const fn new(key: &'k K) -> Self {
        Self { key }
    }
}

/// The side that blocks come from: [`Blocks`] or [`Iso4Blocks`] under a key that deciphers. Sealed.
pub trait Incoming: sealed::Open {}
/// The side that blocks go to: [`Blocks`] or [`Iso4Blocks`] under a key that enciphers. Sealed.
pub trait Outgoing: sealed::Close {}

impl<K: DecryptPinBlock + ?Sized> Incoming for Blocks<'_, K> {}
impl<K: EncryptPinBlock + ?Sized> Outgoing for Blocks<'_, K> {}
impl<K: DecryptIso4PinBlock + ?Sized> Incoming for Iso4Blocks<'_, K> {}
impl<K: EncryptIso4PinBlock + ?Sized> Outgoing for Iso4Blocks<'_, K> {}

pub(super) mod sealed {
    use super::{CryptoRng, InvalidPinBlock, Pan, Pin, PinBlockFormat, TranslationError};

    /// What all sides have: a format, and blocks of it.
    pub trait Side {
        /// The enciphered block.
        type Block;

        fn format(&self) -> PinBlockFormat;

        /// Refuses a format whose blocks are not those of the side.
        fn check(&self) -> Result<(), TranslationError>;
    }

    /// Out of reach for everybody but `Translation`, for it lets go of the PIN.
    pub trait Open: Side {
        /// Failure of the key.
        type Error: core::error::Error;

        /// `pan` is there if the format binds it.
        fn open(
            &self,
            block: Self::Block,
            pan: Option<&Pan>,
        ) -> Result<Result<Pin, InvalidPinBlock>, Self::Error>;
    }

    pub trait Close: Side {
        /// Failure of the key.
        type Error: core::error::Error;

        /// `pan` is there if the format binds it.
        fn close(
            &self,
            pin: &Pin,
            pan: Option<&Pan>,
            rng: &mut impl CryptoRng,
        ) -> Result<Self::Block, Self::Error>;
    }
}
use sealed::{Close, Open, Side};

const PAN_IS_THERE: &str = "a translation whose formats bind the PAN is refused without it";

impl<K: ?Sized> Side for Blocks<'_, K> {
    type Block = EncryptedPinBlock;

    fn format(&self) -> PinBlockFormat {
        self.format
    }

    fn check(&self) -> Result<(), TranslationError> {
        match self.format {
            PinBlockFormat::Iso4 => Err(TranslationError::NotOfEightBytes),
            _ => Ok(()),
        }
    }
}

impl<K: DecryptPinBlock + ?Sized> Open for Blocks<'_, K> {
    type Error = K::Error;

    fn open(
        &self,
        block: EncryptedPinBlock,
        pan: Option<&Pan>,
    ) -> Result<Result<Pin, InvalidPinBlock>, K::Error> {
        let clear = self.key.decrypt_pin_block(block)?;
        Ok(match self.format {
            PinBlockFormat::Iso1 => clear.decode_iso1(),
            bound => clear.decode(bound, pan.expect(PAN_IS_THERE)),
        })
    }
}

impl<K: EncryptPinBlock + ?Sized> Close for Blocks<'_, K> {
    type Error = K::Error;

    fn close(
        &self,
        pin: &Pin,
        pan: Option<&Pan>,
        rng: &mut impl CryptoRng,
    ) -> Result<EncryptedPinBlock, K::Error> {
        let clear = match self.format {
            PinBlockFormat::Iso1 => ClearPinBlock::encode_iso1(pin, rng),
            PinBlockFormat::Iso3 => ClearPinBlock::encode_iso3(pin, pan.expect(PAN_IS_THERE), rng),
            // Formats 2 and 4 were refused when the translation was made.
            _ => ClearPinBlock::encode_iso0(pin, pan.expect(PAN_IS_THERE)),
        };
        self.key.encrypt_pin_block(&clear)
    }
}

impl<K: ?Sized> Side for Iso4Blocks<'_, K> {
    type Block = EncryptedIso4PinBlock;

    fn format(&self) -> PinBlockFormat {
        PinBlockFormat::Iso4
    }

    fn check(&self) -> Result<(), TranslationError> {
        Ok(())
    }
}

impl<K: DecryptIso4PinBlock + ?Sized> Open for Iso4Blocks<'_, K> {
    type Error = K::Error;

    fn open(
        &self,
        block: EncryptedIso4PinBlock,
        pan: Option<&Pan>,
    ) -> Result<Result<Pin, InvalidPinBlock>, K::Error> {
        let pan = Iso4PanField::encode(pan.expect(PAN_IS_THERE));
        Ok(self.key.decrypt_iso4_pin_block(block, &pan)?.decode())
    }
}

impl<K: EncryptIso4PinBlock + ?Sized> Close for Iso4Blocks<'_, K> {
    type Error = K::Error;

    fn close(
        &self,
        pin: &Pin,
        pan: Option<&Pan>,
        rng: &mut impl CryptoRng,
    ) -> Result<EncryptedIso4PinBlock, K::Error> {
        let pan = Iso4PanField::encode(pan.expect(PAN_IS_THERE));
        self.key.encrypt_iso4_pin_block(&Iso4PinField::encode(pin, rng), &pan)
    }
}
