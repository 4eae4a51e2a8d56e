//! The working keys of AES DUKPT that are AES keys, and how all working keys are derived.

use core::convert::Infallible;

use aeskey::{AesKeyLength, BLOCK_LEN, NotWholeBlocks};
use pin::{DecryptIso4PinBlock, EncryptIso4PinBlock, EncryptedIso4PinBlock, Iso4PanField, Iso4PinField};
use tdea::KeyLength;

use crate::aes::derive::{self, Usage};
use crate::aes::hmac_keys::HmacKeyLength;
use crate::aes::keys::{StrongerThanParent, TransactionKey, UpdateKey};
use crate::aes::{hmac_keys, tdea_keys};

/// The zero initial vector that published examples use with the data keys.
pub const ZERO_IV: [u8; BLOCK_LEN] = [0; BLOCK_LEN];

aeskey::key_type! {
    /// PIN encryption key (usage 1000): encrypts and decrypts PIN blocks of format 4, and nothing else.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2.
    ///
    /// # Examples
    /// A MAC key computes MACs:
    /// ```
    /// # use cardroot_dukpt::{aes::{StrongerThanParent, TransactionKey}, aeskey::AesKeyLength};
    /// fn authenticate(key: &TransactionKey) -> Result<[u8; 8], StrongerThanParent> {
    ///     Ok(key.mac_request_key(AesKeyLength::Aes128)?.mac(b"4012345678909D987").truncated())
    /// }
    /// ```
    /// and a PIN key can't:
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::{aes::{StrongerThanParent, TransactionKey}, aeskey::AesKeyLength};
    /// fn authenticate(key: &TransactionKey) -> Result<[u8; 8], StrongerThanParent> {
    ///     Ok(key.pin_key(AesKeyLength::Aes128)?.mac(b"4012345678909D987").truncated())
    /// }
    /// ```
    /// Nor does it take the 8-byte blocks that are for TDEA keys:
    /// ```
    /// # use cardroot_dukpt::{aes::tdea_keys, pin::{ClearPinBlock, EncryptPinBlock}};
    /// fn send(key: &tdea_keys::PinKey, block: &ClearPinBlock) { let _ = key.encrypt_pin_block(block); }
    /// ```
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::{aes::PinKey, pin::{ClearPinBlock, EncryptPinBlock}};
    /// fn send(key: &PinKey, block: &ClearPinBlock) { let _ = key.encrypt_pin_block(block); }
    /// ```
    #[doc(alias = "PEK")]
    pub struct PinKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// MAC key for what the originator sends (usage 2000).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "message authentication, generation": as the originator sees it.
    ///
    /// # Examples
    /// A request is verified by the key for requests:
    /// ```
    /// # use cardroot_dukpt::{aes::{MacRequestKey, StrongerThanParent, TransactionKey}, aeskey::AesKeyLength};
    /// fn request(key: &TransactionKey) -> Result<MacRequestKey, StrongerThanParent> {
    ///     key.mac_request_key(AesKeyLength::Aes128)
    /// }
    /// ```
    /// and not by the one for responses:
    /// ```compile_fail,E0308
    /// # use cardroot_dukpt::{aes::{MacRequestKey, StrongerThanParent, TransactionKey}, aeskey::AesKeyLength};
    /// fn request(key: &TransactionKey) -> Result<MacRequestKey, StrongerThanParent> {
    ///     key.mac_response_key(AesKeyLength::Aes128)
    /// }
    /// ```
    #[doc(alias = "message authentication, generation")]
    pub struct MacRequestKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// MAC key for what the receiver answers (usage 2001).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "message authentication, verification": as the originator sees it.
    #[doc(alias = "message authentication, verification")]
    pub struct MacResponseKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// MAC key for both directions (usage 2002).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "message authentication, both ways".
    pub struct MacBothKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// Data encryption key for what the originator sends (usage 3000).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "data encryption, encrypt": as the originator sees it.
    #[doc(alias = "data encryption, encrypt")]
    pub struct DataRequestKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// Data encryption key for what the receiver answers (usage 3001).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "data encryption, decrypt": as the originator sees it.
    #[doc(alias = "data encryption, decrypt")]
    pub struct DataResponseKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// Data encryption key for both directions (usage 3002).
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, "data encryption, both ways".
    pub struct DataBothKey { pub(crate) from_key }
}

aeskey::key_type! {
    /// Key Encryption Key (KEK, usage 0002): other keys travel under it.
    ///
    /// From an [`UpdateKey`] it brings a new initial key to an originator, in a key block (ANS X9.143). Key blocks are
    /// not here: [`expose_key`](Self::expose_key) hands the key to what makes them.
    ///
    /// # Source
    /// ANS X9.24-3:2017 6.3.2, and B.6.3, "Update Initial Key".
    #[doc(alias = "KEK")]
    pub struct KeyEncryptionKey { pub(crate) from_key }
}

/// Gives a derivation key the methods that derive working keys of one usage: as AES, TDEA or HMAC keys.
macro_rules! working_keys {
    ($parent:ident { $(
        $text:literal $usage:ident => $name:ident: $aes:ident, $tdea:ident $(, $hmac:ident)?;
    )* }) => {
        impl $parent {$(
            #[doc = concat!($text, ", for AES.")]
            ///
            /// # Errors
            /// Returns [`StrongerThanParent`] if `length` is above that of this key.
            pub fn $aes(&self, length: AesKeyLength) -> Result<$name, StrongerThanParent> {
                derive::aes_key(self.expose_key(), Usage::$usage, length, self.ksn()).map($name::from_key)
            }

            #[doc = concat!($text, ", for TDEA.")]
            #[must_use]
            pub fn $tdea(&self, length: KeyLength) -> tdea_keys::$name {
                let key = derive::tdea_key(self.expose_key(), Usage::$usage, length, self.ksn());
                tdea_keys::$name::from_key(key)
            }

            $(
                #[doc = concat!($text, ", for HMAC.")]
                ///
                /// # Errors
                /// Returns [`StrongerThanParent`] if `length` is above that of this key.
                pub fn $hmac(&self, length: HmacKeyLength) -> Result<hmac_keys::$name, StrongerThanParent> {
                    derive::hmac_key(self.expose_key(), Usage::$usage, length, self.ksn())
                        .map(hmac_keys::$name::from_key)
                }
            )?
        )*}
    };
}

working_keys!(TransactionKey {
    "The PIN encryption key" Pin => PinKey: pin_key, pin_key_tdea;
    "The key for MACs of requests" MacRequest => MacRequestKey:
        mac_request_key, mac_request_key_tdea, mac_request_key_hmac;
    "The key for MACs of responses" MacResponse => MacResponseKey:
        mac_response_key, mac_response_key_tdea, mac_response_key_hmac;
    "The key for MACs in both directions" MacBoth => MacBothKey:
        mac_both_key, mac_both_key_tdea, mac_both_key_hmac;
    "The key for data of requests" DataRequest => DataRequestKey: data_request_key, data_request_key_tdea;
    "The key for data of responses" DataResponse => DataResponseKey: data_response_key, data_response_key_tdea;
    "The key for data in both directions" DataBoth => DataBothKey: data_both_key, data_both_key_tdea;
    "The key for other keys" KeyEncryption => KeyEncryptionKey: key_encryption_key, key_encryption_key_tdea;
});

working_keys!(UpdateKey {
    "The key for the new initial key" KeyEncryption => KeyEncryptionKey: key_encryption_key, key_encryption_key_tdea;
});

impl EncryptIso4PinBlock for PinKey {
    type Error = Infallible;

    fn encrypt_iso4_pin_block(
        &self,
        pin: &Iso4PinField,
        pan: &Iso4PanField,
    ) -> Result<EncryptedIso4PinBlock, Infallible> {
        Ok(EncryptedIso4PinBlock::encrypt_with(pin, pan, |block| self.0.encrypt_block(block)))
    }
}

impl DecryptIso4PinBlock for PinKey {
    type Error = Infallible;

    fn decrypt_iso4_pin_block(
        &self,
        block: EncryptedIso4PinBlock,
        pan: &Iso4PanField,
    ) -> Result<Iso4PinField, Infallible> {
        Ok(block.decrypt_with(pan, |block| self.0.decrypt_block(block)))
    }
}

/// Gives MAC keys over the keys of a crate their operations: CMAC, which takes keys of all lengths.
macro_rules! cmac_keys {
    ($krate:ident: $($name:ident)*) => {$(
        impl $name {
            /// CMAC of a whole message.
            ///
            /// # Source
            /// NIST SP 800-38B.
            #[must_use]
            pub fn mac(&self, message: &[u8]) -> $krate::Mac {
                $krate::Cmac::compute(&self.0, message)
            }

            /// Starts the code of a message that comes in pieces.
            #[must_use]
            pub fn start_mac(&self) -> $krate::Cmac {
                $krate::Cmac::new(&self.0)
            }

            /// Verifies a received code of 4 bytes or more, in constant time.
            ///
            /// # Errors
            /// Returns [`MacMismatch`](tdea::MacMismatch) if it is not the code of `message`.
            pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), tdea::MacMismatch> {
                self.mac(message).verify(received)
            }
        }
    )*};
}
pub(super) use cmac_keys;

/// Gives data encryption keys their operations: AES-CBC.
macro_rules! data_keys {
    ($($name:ident)*) => {$(
        impl $name {
            /// Encrypts whole blocks in place, by CBC from `iv`: [`ZERO_IV`] in published examples. Padding is up to the
            /// message.
            ///
            /// # Errors
            /// Returns [`NotWholeBlocks`]; the data is then as it was.
            pub fn encrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
                self.0.encrypt_cbc(iv, data)
            }

            /// Decrypts whole blocks in place, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`NotWholeBlocks`]; the data is then as it was.
            pub fn decrypt(&self, iv: [u8; BLOCK_LEN], data: &mut [u8]) -> Result<(), NotWholeBlocks> {
                self.0.decrypt_cbc(iv, data)
            }
        }
    )*};
}

cmac_keys!(aeskey: MacRequestKey MacResponseKey MacBothKey);
data_keys!(DataRequestKey DataResponseKey DataBothKey);
