//! PIN encryption keys out of the ciphers of other crates. Format 4 is written out here once more, to hold the library against.

use core::convert::Infallible;

use aes::Aes128;
use aes::cipher::consts::U16;
use aes::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use cardroot_pin::{
    ClearPinBlock, DecryptIso4PinBlock, DecryptPinBlock, EncryptIso4PinBlock, EncryptPinBlock,
    EncryptedIso4PinBlock, EncryptedPinBlock, Iso4PanField, Iso4PinField,
};
use des::TdesEde2;

use super::hex;

pub(crate) struct TdeaPinKey(pub(crate) TdesEde2);

impl EncryptPinBlock for TdeaPinKey {
    type Error = Infallible;

    fn encrypt_pin_block(&self, clear: &ClearPinBlock) -> Result<EncryptedPinBlock, Infallible> {
        let mut block = (*clear.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        Ok(EncryptedPinBlock::from(block.0))
    }
}

impl DecryptPinBlock for TdeaPinKey {
    type Error = Infallible;

    fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Infallible> {
        let mut block = block.to_bytes().into();
        self.0.decrypt_block(&mut block);
        Ok(ClearPinBlock::from_fill(|clear| *clear = block.0))
    }
}

pub(crate) struct AesPinKey<C>(pub(crate) C);

fn xor(one: [u8; 16], other: &[u8; 16]) -> [u8; 16] {
    let mut sum = one;
    sum.iter_mut().zip(other).for_each(|(byte, other)| *byte ^= other);
    sum
}

impl<C: BlockCipherEncrypt<BlockSize = U16>> EncryptIso4PinBlock for AesPinKey<C> {
    type Error = Infallible;

    fn encrypt_iso4_pin_block(
        &self,
        pin: &Iso4PinField,
        pan: &Iso4PanField,
    ) -> Result<EncryptedIso4PinBlock, Infallible> {
        let mut block = (*pin.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        let mut block = xor(block.0, pan.expose_bytes()).into();
        self.0.encrypt_block(&mut block);
        Ok(EncryptedIso4PinBlock::from(block.0))
    }
}

impl<C: BlockCipherDecrypt<BlockSize = U16>> DecryptIso4PinBlock for AesPinKey<C> {
    type Error = Infallible;

    fn decrypt_iso4_pin_block(
        &self,
        block: EncryptedIso4PinBlock,
        pan: &Iso4PanField,
    ) -> Result<Iso4PinField, Infallible> {
        let mut block = block.to_bytes().into();
        self.0.decrypt_block(&mut block);
        let mut block = xor(block.0, pan.expose_bytes()).into();
        self.0.decrypt_block(&mut block);
        Ok(Iso4PinField::from_fill(|field| *field = block.0))
    }
}

pub(crate) fn tdea_key(key: &str) -> TdeaPinKey {
    TdeaPinKey(TdesEde2::new_from_slice(&hex(key)).unwrap())
}

pub(crate) fn aes_key(key: &str) -> AesPinKey<Aes128> {
    AesPinKey(Aes128::new_from_slice(&hex(key)).unwrap())
}
