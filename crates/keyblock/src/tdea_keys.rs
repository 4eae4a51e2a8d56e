//! Keys of TDEA with one purpose each, as blocks hold them.
//!
//! Where a mode of use allows one direction only, there are types for one direction: a [`PinEncryptionKey`] comes out of a block of mode
//! `E`, and out of `B` and `N`, which allow more; a [`PinKey`] does not come out of `E`.
//!
//! | type | usage | comes out of modes | goes into modes |
//! |---|---|---|---|
//! | [`PinKey`], [`PinEncryptionKey`], [`PinDecryptionKey`] | `P0` | `B N`, `E B N`, `D B N` | `B E D N`, `E`, `D` |
//! | [`DataKey`], [`DataEncryptionKey`], [`DataDecryptionKey`] | `D0` | as above | as above |
//! | [`RetailMacKey`], [`RetailMacGenerationKey`], [`RetailMacVerificationKey`] | `M3` | `C N`, `G C N`, `V C N` | `C G V N`, `G`, `V` |
//! | [`CmacKey`], [`CmacGenerationKey`], [`CmacVerificationKey`] | `M6` | as above | as above |
//! | [`Kek`] | `K0` | `B N` | `B E D N` |
//! | [`Bdk`], [`InitialKey`], [`DerivationKey`] | `B0`, `B1`, `B3` | `X N` | `X N` |
//! | [`CryptogramMasterKey`], [`ConfidentialityMasterKey`], [`IntegrityMasterKey`] | `E0`, `E1`, `E2` | `X N` | `X N` |
//!
//! The keys of the last two rows compute nothing here: [`BlockKey::into_base`](crate::BlockKey::into_base) hands them to the crate
//! whose trade they are.

use core::convert::Infallible;

use pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, EncryptedPinBlock};
use tdea::{BLOCK_LEN, Mac, MacError, MacMismatch, Mode, Padding, PaddingError, RetailMac};

use crate::block_key::{block_key, cmac_keys};

block_key! {
    /// PIN encryption key, both ways.
    pub struct PinKey(tdea::TdeaKey): PIN_ENCRYPTION, both_ciphers;
    /// PIN encryption key that only encrypts.
    pub struct PinEncryptionKey(tdea::TdeaKey): PIN_ENCRYPTION, encryption;
    /// PIN encryption key that only decrypts.
    pub struct PinDecryptionKey(tdea::TdeaKey): PIN_ENCRYPTION, decryption;
    /// Data encryption key, both ways.
    pub struct DataKey(tdea::TdeaKey): DATA_ENCRYPTION, both_ciphers;
    /// Data encryption key that only encrypts.
    pub struct DataEncryptionKey(tdea::TdeaKey): DATA_ENCRYPTION, encryption;
    /// Data encryption key that only decrypts.
    pub struct DataDecryptionKey(tdea::TdeaKey): DATA_ENCRYPTION, decryption;
    /// Key of the retail MAC, ISO 9797-1 MAC algorithm 3: generates and verifies.
    pub struct RetailMacKey(tdea::TdeaKey): MAC_3, both_macs;
    /// Key of the retail MAC that only generates.
    pub struct RetailMacGenerationKey(tdea::TdeaKey): MAC_3, generation;
    /// Key of the retail MAC that only verifies.
    pub struct RetailMacVerificationKey(tdea::TdeaKey): MAC_3, verification;
    /// Key of TDEA-CMAC: generates and verifies.
    pub struct CmacKey(tdea::TdeaKey): CMAC, both_macs;
    /// Key of TDEA-CMAC that only generates.
    pub struct CmacGenerationKey(tdea::TdeaKey): CMAC, generation;
    /// Key of TDEA-CMAC that only verifies.
    pub struct CmacVerificationKey(tdea::TdeaKey): CMAC, verification;
    /// Key Encrypting Key (KEK), for keys that are not in key blocks.
    #[doc(alias = "ZMK")]
    pub struct Kek(tdea::TdeaKey): KEY_ENCRYPTION, both_ciphers;
    /// Base Derivation Key (BDK) of DUKPT.
    pub struct Bdk(tdea::TdeaKey): BASE_DERIVATION, derivation;
    /// Initial key of DUKPT. Its name is in the optional block `KS`.
    #[doc(alias = "IPEK")]
    pub struct InitialKey(tdea::TdeaKey): INITIAL, derivation;
    /// Key derivation key of schemes outside ANS X9.24.
    pub struct DerivationKey(tdea::TdeaKey): DERIVATION, derivation;
    /// EMV issuer master key for application cryptograms.
    pub struct CryptogramMasterKey(tdea::TdeaKey): EMV_CRYPTOGRAM, derivation;
    /// EMV issuer master key for the confidentiality of secure messaging.
    pub struct ConfidentialityMasterKey(tdea::TdeaKey): EMV_CONFIDENTIALITY, derivation;
    /// EMV issuer master key for the integrity of secure messaging.
    pub struct IntegrityMasterKey(tdea::TdeaKey): EMV_INTEGRITY, derivation;
}

/// Gives keys the operations of their direction.
macro_rules! operations {
    ($($name:ident: $($operation:ident)*;)*) => {$($(operations!(@$operation $name);)*)*};

    (@encrypt_pin $name:ident) => {
        impl EncryptPinBlock for $name {
            type Error = Infallible;

            fn encrypt_pin_block(&self, clear: &ClearPinBlock) -> Result<EncryptedPinBlock, Infallible> {
                // Once encrypted, the block tells nothing of the PIN.
                let mut block = *clear.expose_bytes();
                self.0.cipher().encrypt_block(&mut block);
                Ok(EncryptedPinBlock::from(block))
            }
        }
    };
    (@decrypt_pin $name:ident) => {
        impl DecryptPinBlock for $name {
            type Error = Infallible;

            fn decrypt_pin_block(&self, block: EncryptedPinBlock) -> Result<ClearPinBlock, Infallible> {
                Ok(ClearPinBlock::from_fill(|clear| {
                    *clear = block.to_bytes();
                    self.0.cipher().decrypt_block(clear);
                }))
            }
        }
    };
    (@encrypt_data $name:ident) => {
        impl $name {
            /// Encrypts whole blocks in place, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
            pub fn encrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), PaddingError> {
                self.0.cipher().encrypt(Mode::Cbc { iv }, data)
            }
        }
    };
    (@decrypt_data $name:ident) => {
        impl $name {
            /// Decrypts whole blocks in place, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`]; the data is then as it was.
            pub fn decrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), PaddingError> {
                self.0.cipher().decrypt(Mode::Cbc { iv }, data)
            }
        }
    };
    (@retail_mac $name:ident) => {
        impl $name {
            /// The code of a whole message: ISO 9797-1 MAC algorithm 3.
            ///
            /// # Errors
            /// Returns [`MacError::TripleLengthKey`] unless the key is of double length, [`MacError::NotWholeBlocks`] if
            /// [`Padding::None`] does not suit the message.
            pub fn mac(&self, padding: Padding, message: &[u8]) -> Result<Mac, MacError> {
                RetailMac::compute(&self.0, padding, message)
            }
        }
    };
    (@verify_retail_mac $name:ident) => {
        impl $name {
            /// Verifies a received code of 4 to 8 bytes, in constant time.
            ///
            /// # Errors
            /// Returns [`MacMismatch`] if it is not the code of `message`, or none can be computed: the key is of triple length, or
            /// [`Padding::None`] does not suit the message.
            pub fn verify_mac(&self, padding: Padding, message: &[u8], received: &[u8]) -> Result<(), MacMismatch> {
                RetailMac::compute(&self.0, padding, message).map_err(|_| MacMismatch)?.verify(received)
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
    RetailMacKey: retail_mac verify_retail_mac;
    RetailMacGenerationKey: retail_mac;
    RetailMacVerificationKey: verify_retail_mac;
}

cmac_keys!(tdea: generate CmacKey CmacGenerationKey; verify CmacKey CmacVerificationKey);
