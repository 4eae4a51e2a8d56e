//! Keys of AES with one purpose each, as blocks hold them: what [`tdea_keys`](crate::tdea_keys) has, but for the retail MAC and the
//! EMV masters.
//!
//! | type | usage | comes out of modes | goes into modes |
//! |---|---|---|---|
//! | [`PinKey`], [`PinEncryptionKey`], [`PinDecryptionKey`] | `P0` | `B N`, `E B N`, `D B N` | `B E D N`, `E`, `D` |
//! | [`DataKey`], [`DataEncryptionKey`], [`DataDecryptionKey`] | `D0` | as above | as above |
//! | [`CmacKey`], [`CmacGenerationKey`], [`CmacVerificationKey`] | `M6` | `C N`, `G C N`, `V C N` | `C G V N`, `G`, `V` |
//! | [`Kek`] | `K0` | `B N` | `B E D N` |
//! | [`Bdk`], [`InitialKey`], [`DerivationKey`] | `B0`, `B1`, `B3` | `X N` | `X N` |

use core::convert::Infallible;

use aeskey::{BLOCK_LEN, NotWholeBlocks};
use pin::{DecryptIso4PinBlock, EncryptIso4PinBlock, EncryptedIso4PinBlock, Iso4PanField, Iso4PinField};

use crate::block_key::{block_key, cmac_keys};

block_key! {
    /// PIN encryption key, both ways.
    pub struct PinKey(aeskey::AesKey): PIN_ENCRYPTION, both_ciphers;
    /// PIN encryption key that only encrypts.
    pub struct PinEncryptionKey(aeskey::AesKey): PIN_ENCRYPTION, encryption;
    /// PIN encryption key that only decrypts.
    pub struct PinDecryptionKey(aeskey::AesKey): PIN_ENCRYPTION, decryption;
    /// Data encryption key, both ways.
    pub struct DataKey(aeskey::AesKey): DATA_ENCRYPTION, both_ciphers;
    /// Data encryption key that only encrypts.
    pub struct DataEncryptionKey(aeskey::AesKey): DATA_ENCRYPTION, encryption;
    /// Data encryption key that only decrypts.
    pub struct DataDecryptionKey(aeskey::AesKey): DATA_ENCRYPTION, decryption;
    /// Key of AES-CMAC: generates and verifies.
    pub struct CmacKey(aeskey::AesKey): CMAC, both_macs;
    /// Key of AES-CMAC that only generates.
    pub struct CmacGenerationKey(aeskey::AesKey): CMAC, generation;
    /// Key of AES-CMAC that only verifies.
    pub struct CmacVerificationKey(aeskey::AesKey): CMAC, verification;
    /// Key Encrypting Key (KEK), for keys that are not in key blocks.
    pub struct Kek(aeskey::AesKey): KEY_ENCRYPTION, both_ciphers;
    /// Base Derivation Key (BDK) of AES DUKPT.
    pub struct Bdk(aeskey::AesKey): BASE_DERIVATION, derivation;
    /// Initial key of AES DUKPT. Its name is in the optional block `IK`.
    pub struct InitialKey(aeskey::AesKey): INITIAL, derivation;
    /// Key derivation key of schemes outside ANS X9.24.
    pub struct DerivationKey(aeskey::AesKey): DERIVATION, derivation;
}

/// Gives keys the operations of their direction.
macro_rules! operations {
    ($($name:ident: $($operation:ident)*;)*) => {$($(operations!(@$operation $name);)*)*};

    (@encrypt_pin $name:ident) => {
        impl EncryptIso4PinBlock for $name {
            type Error = Infallible;

            fn encrypt_iso4_pin_block(
                &self,
                pin: &Iso4PinField,
                pan: &Iso4PanField,
            ) -> Result<EncryptedIso4PinBlock, Infallible> {
                Ok(EncryptedIso4PinBlock::encrypt_with(pin, pan, |block| self.0.encrypt_block(block)))
            }
        }
    };
    (@decrypt_pin $name:ident) => {
        impl DecryptIso4PinBlock for $name {
            type Error = Infallible;

            fn decrypt_iso4_pin_block(
                &self,
                block: EncryptedIso4PinBlock,
                pan: &Iso4PanField,
            ) -> Result<Iso4PinField, Infallible> {
                Ok(block.decrypt_with(pan, |block| self.0.decrypt_block(block)))
            }
        }
    };
    (@encrypt_data $name:ident) => {
        impl $name {
            /// Encrypts whole blocks in place, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`NotWholeBlocks`]; the data is then as it was.
            pub fn encrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
                self.0.encrypt_cbc(iv, data)
            }
        }
    };
    (@decrypt_data $name:ident) => {
        impl $name {
            /// Decrypts whole blocks in place, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`NotWholeBlocks`]; the data is then as it was.
            pub fn decrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
                self.0.decrypt_cbc(iv, data)
            }
        }
    };
}

operations! {
    PinKey: encrypt_pin decrypt_pin;
    PinEncryptionKey: encrypt_pin;
    PinDecryptionKey: decrypt_pin;
    DataKey: encrypt_data decrypt_data;
    DataEncryptionKey: encrypt_data;
    DataDecryptionKey: decrypt_data;
}

cmac_keys!(aeskey: generate CmacKey CmacGenerationKey; verify CmacKey CmacVerificationKey);
