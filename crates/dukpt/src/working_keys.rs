//! The five working keys of the 2009 edition, and what each kind may do.

use tdea::{BLOCK_LEN, TdeaKey};

use crate::derive;
use crate::keys::TransactionKey;

/// The zero initial vector that ANS X9.24-1 Annex A uses with the data keys.
pub const ZERO_IV: [u8; BLOCK_LEN] = [0; BLOCK_LEN];

/// How a working key is made of a transaction key.
#[derive(Clone, Copy)]
#[allow(missing_debug_implementations, reason = "no name for it leaves the crate")]
pub struct Recipe {
    /// XORed onto both halves: a byte of ones at a place of its own for every use.
    pub(crate) variant: [u8; BLOCK_LEN],
    /// Whether the result is encrypted under itself.
    pub(crate) one_way: bool,
}

/// Source: ANS X9.24-1:2009 A.4.1, table A-1 (X9.24-3:2017 C.5.2, table 5); the data key of 2004 is the one without the step.
impl Recipe {
    pub(crate) const PIN: Self = Self::variant(7);
    pub(crate) const MAC_REQUEST: Self = Self::variant(6);
    pub(crate) const MAC_RESPONSE: Self = Self::variant(4);
    pub(crate) const DATA_2004: Self = Self::variant(5);
    pub(crate) const DATA_REQUEST: Self = Self { one_way: true, ..Self::variant(5) };
    pub(crate) const DATA_RESPONSE: Self = Self { one_way: true, ..Self::variant(3) };

    /// `FF` at this byte of each half, from 0 at the left.
    const fn variant(place: u32) -> Self {
        Self { variant: (0xFF_u64 << (56 - 8 * place)).to_be_bytes(), one_way: false }
    }

    pub(crate) fn make(self, transaction_key: &TdeaKey) -> TdeaKey {
        let variant = transaction_key.variant(&self.variant);
        if self.one_way { derive::one_way(&variant) } else { variant }
    }
}

tdea::key_type! {
    /// PIN encryption key: encrypts and decrypts PIN blocks of formats 0, 1 and 3, and nothing else.
    ///
    /// `transaction key ^ FF at bytes 7 and 15`, the same in all editions that use TDEA.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.4.1.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_dukpt::{Bdk, Ksn, tdea::TdeaKey};
    /// # let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
    /// # let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01]);
    /// # let transaction_key = bdk.derive_initial_key(&ksn)?.derive_transaction_key(&ksn)?;
    /// use cardroot_dukpt::pin::{ClearPinBlock, EncryptPinBlock, Pan, Pin};
    ///
    /// let (pin, pan) = (Pin::from_ascii_digits(b"1234")?, Pan::from_ascii_digits(b"4012345678909")?);
    /// let Ok(block) = transaction_key.pin_key().encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
    /// assert_eq!(format!("{block:?}"), "EncryptedPinBlock(1B9C1845EB993A7A)");
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    /// A MAC key computes MACs:
    /// ```
    /// # use cardroot_dukpt::TransactionKey;
    /// fn authenticate(transaction_key: &TransactionKey) -> [u8; 4] {
    ///     transaction_key.mac_request_key().mac(b"4012345678909D987").truncated()
    /// }
    /// ```
    /// and a PIN key can't:
    /// ```compile_fail,E0599
    /// # use cardroot_dukpt::TransactionKey;
    /// fn authenticate(transaction_key: &TransactionKey) -> [u8; 4] {
    ///     transaction_key.pin_key().mac(b"4012345678909D987").truncated()
    /// }
    /// ```
    #[doc(alias = "PEK")]
    pub struct PinKey { pub(crate) from_key }
}

tdea::key_type! {
    /// MAC key for what the originator sends.
    ///
    /// `transaction key ^ FF at bytes 6 and 14`; the 2004 edition uses the same bytes in both directions, see
    /// [`edition_2004::MacKey`](crate::edition_2004::MacKey).
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.4.1.
    ///
    /// # Examples
    /// A request is verified by the key for requests:
    /// ```
    /// # use cardroot_dukpt::{MacRequestKey, TransactionKey, tdea::MacMismatch};
    /// fn verify(key: &MacRequestKey, message: &[u8], mac: &[u8]) -> Result<(), MacMismatch> { key.verify_mac(message, mac) }
    /// fn request(transaction_key: &TransactionKey, message: &[u8], mac: &[u8]) -> Result<(), MacMismatch> {
    ///     verify(&transaction_key.mac_request_key(), message, mac)
    /// }
    /// ```
    /// and not by the one for responses:
    /// ```compile_fail,E0308
    /// # use cardroot_dukpt::{MacRequestKey, TransactionKey, tdea::MacMismatch};
    /// fn verify(key: &MacRequestKey, message: &[u8], mac: &[u8]) -> Result<(), MacMismatch> { key.verify_mac(message, mac) }
    /// fn request(transaction_key: &TransactionKey, message: &[u8], mac: &[u8]) -> Result<(), MacMismatch> {
    ///     verify(&transaction_key.mac_response_key(), message, mac)
    /// }
    /// ```
    pub struct MacRequestKey { pub(crate) from_key }
}

tdea::key_type! {
    /// MAC key for what the receiver answers.
    ///
    /// `transaction key ^ FF at bytes 4 and 12`. New in the 2009 edition.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.4.1.
    pub struct MacResponseKey { pub(crate) from_key }
}

tdea::key_type! {
    /// Data encryption key for what the originator sends.
    ///
    /// `V = transaction key ^ FF at bytes 5 and 13; key = E(V, V)`, each half by itself. The 2004 edition uses `V`, see
    /// [`edition_2004::DataKey`](crate::edition_2004::DataKey).
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.4.1.
    pub struct DataRequestKey { pub(crate) from_key }
}

tdea::key_type! {
    /// Data encryption key for what the receiver answers.
    ///
    /// `V = transaction key ^ FF at bytes 3 and 11; key = E(V, V)`, each half by itself. New in the 2009 edition.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.4.1.
    pub struct DataResponseKey { pub(crate) from_key }
}

impl TransactionKey {
    /// The PIN encryption key.
    #[must_use]
    pub fn pin_key(&self) -> PinKey {
        PinKey::from_key(Recipe::PIN.make(self.expose_key()))
    }

    /// The key for MACs of requests, 2009 edition.
    #[must_use]
    pub fn mac_request_key(&self) -> MacRequestKey {
        MacRequestKey::from_key(Recipe::MAC_REQUEST.make(self.expose_key()))
    }

    /// The key for MACs of responses, 2009 edition.
    #[must_use]
    pub fn mac_response_key(&self) -> MacResponseKey {
        MacResponseKey::from_key(Recipe::MAC_RESPONSE.make(self.expose_key()))
    }

    /// The key for data of requests, 2009 edition.
    #[must_use]
    pub fn data_request_key(&self) -> DataRequestKey {
        DataRequestKey::from_key(Recipe::DATA_REQUEST.make(self.expose_key()))
    }

    /// The key for data of responses, 2009 edition.
    #[must_use]
    pub fn data_response_key(&self) -> DataResponseKey {
        DataResponseKey::from_key(Recipe::DATA_RESPONSE.make(self.expose_key()))
    }
}

/// Gives a PIN encryption key its operations, on blocks of 8 bytes.
macro_rules! pin_key {
    ($name:ident) => {
        impl pin::EncryptPinBlock for $name {
            type Error = core::convert::Infallible;

            fn encrypt_pin_block(
                &self,
                clear: &pin::ClearPinBlock,
            ) -> Result<pin::EncryptedPinBlock, Self::Error> {
                let mut block = *clear.expose_bytes();
                self.0.cipher().encrypt_block(&mut block);
                Ok(pin::EncryptedPinBlock::from(block))
            }
        }

        impl pin::DecryptPinBlock for $name {
            type Error = core::convert::Infallible;

            fn decrypt_pin_block(
                &self,
                block: pin::EncryptedPinBlock,
            ) -> Result<pin::ClearPinBlock, Self::Error> {
                Ok(pin::ClearPinBlock::from_fill(|clear| {
                    *clear = block.to_bytes();
                    self.0.cipher().decrypt_block(clear);
                }))
            }
        }
    };
}
pub(crate) use pin_key;

/// Makes a working key the end of bulk derivation.
macro_rules! derived_key {
    ($name:ident: $recipe:ident) => {
        impl $crate::bulk::Sealed for $name {
            const GOAL: $crate::bulk::Goal<'static> = $crate::bulk::Goal::WorkingKey(Recipe::$recipe);

            fn blank(_: &$crate::Ksn) -> Self {
                Self(tdea::TdeaKey::from([0; 16]))
            }

            #[inline]
            fn rename(&mut self, _: &$crate::Ksn) -> &mut $crate::bulk::Halves {
                self.0.overwrite_double()
            }
        }
    };
}
pub(crate) use derived_key;

/// Gives a MAC key its operations.
macro_rules! mac_key {
    ($name:ident) => {
        #[cfg(feature = "alloc")]
        impl $crate::bulk::MacKey for $name {}

        impl $name {
            /// The code of a whole message: ISO 9797-1 MAC algorithm 3 with zero padding. Annex A sends the leftmost
            /// 4 bytes of it: [`truncated`](tdea::Mac::truncated).
            ///
            /// # Source
            /// ANS X9.19; ANS X9.24-1:2009 A.4.
            #[must_use]
            pub fn mac(&self, message: &[u8]) -> tdea::Mac {
                tdea::RetailMac::compute(&self.0, tdea::Padding::Zeros, message)
                    .expect("the key is of double length and any message can be padded")
            }

            /// Starts the code of a message that comes in pieces, as [`mac`](Self::mac) computes it.
            #[must_use]
            pub fn start_mac(&self) -> tdea::RetailMac {
                tdea::RetailMac::new(&self.0, tdea::MacPadding::Zeros).expect("the key is of double length")
            }

            /// Verifies a received code of 4 to 8 bytes as [`mac`](Self::mac) computes it, in constant time.
            ///
            /// # Errors
            /// Returns [`MacMismatch`](tdea::MacMismatch) if it is not the code of `message`.
            pub fn verify_mac(&self, message: &[u8], received: &[u8]) -> Result<(), tdea::MacMismatch> {
                self.mac(message).verify(received)
            }

            /// The TDEA-CMAC of a whole message. Not in the tables of ANS X9.24-1; agreed between some parties.
            ///
            /// # Source
            /// NIST SP 800-38B.
            #[must_use]
            pub fn cmac(&self, message: &[u8]) -> tdea::Mac {
                tdea::Cmac::compute(&self.0, message)
            }

            /// Starts the TDEA-CMAC of a message that comes in pieces.
            #[must_use]
            pub fn start_cmac(&self) -> tdea::Cmac {
                tdea::Cmac::new(&self.0)
            }
        }
    };
}

/// Gives a data encryption key its encryption: TDEA-CBC.
macro_rules! encrypts_data {
    ($name:ident) => {
        impl $name {
            /// Encrypts whole blocks in place, by CBC from `iv`: [`ZERO_IV`](crate::ZERO_IV) in ANS X9.24-1 Annex A.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`](tdea::PaddingError::NotWholeBlocks); the data is then as it was.
            pub fn encrypt(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                data: &mut [u8],
            ) -> Result<(), tdea::PaddingError> {
                self.0.cipher().encrypt(tdea::Mode::Cbc { iv }, data)
            }

            /// Pads `data`, encrypts it to the start of `out` and returns how many bytes were written:
            /// [`Padding::padded_len`](tdea::Padding::padded_len) tells them beforehand.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`](tdea::PaddingError::NotWholeBlocks) or
            /// [`PaddingError::Buffer`](tdea::PaddingError::Buffer).
            pub fn encrypt_padded(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                padding: tdea::Padding,
                data: &[u8],
                out: &mut [u8],
            ) -> Result<usize, tdea::PaddingError> {
                self.0.cipher().encrypt_padded(tdea::Mode::Cbc { iv }, padding, data, out)
            }

            /// Pads and encrypts `data`, by CBC from `iv`.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`](tdea::PaddingError::NotWholeBlocks) or
            /// [`PaddingError::TooLong`](tdea::PaddingError::TooLong).
            #[cfg(feature = "alloc")]
            pub fn encrypt_padded_vec(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                padding: tdea::Padding,
                data: &[u8],
            ) -> Result<alloc::vec::Vec<u8>, tdea::PaddingError> {
                self.0.cipher().encrypt_padded_vec(tdea::Mode::Cbc { iv }, padding, data)
            }
        }
    };
}
pub(crate) use encrypts_data;

/// Gives a data encryption key its decryption: TDEA-CBC.
macro_rules! decrypts_data {
    ($name:ident) => {
        impl $name {
            /// Decrypts whole blocks in place, by CBC from `iv`. The only way to take data under
            /// [`Padding::Zeros`](tdea::Padding::Zeros), whose length must be known by other means.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`](tdea::PaddingError::NotWholeBlocks); the data is then as it was.
            pub fn decrypt(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                data: &mut [u8],
            ) -> Result<(), tdea::PaddingError> {
                self.0.cipher().decrypt(tdea::Mode::Cbc { iv }, data)
            }

            /// Decrypts in place and returns the data without its padding. On an error the plaintext stays in `data`; see
            /// [`Tdea::decrypt_padded`](tdea::Tdea::decrypt_padded) for what an attacker can make of it.
            ///
            /// # Errors
            /// Returns [`PaddingError::NotWholeBlocks`](tdea::PaddingError::NotWholeBlocks),
            /// [`PaddingError::Invalid`](tdea::PaddingError::Invalid), or
            /// [`PaddingError::Ambiguous`](tdea::PaddingError::Ambiguous) for zero padding.
            pub fn decrypt_padded<'a>(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                padding: tdea::Padding,
                data: &'a mut [u8],
            ) -> Result<&'a [u8], tdea::PaddingError> {
                self.0.cipher().decrypt_padded(tdea::Mode::Cbc { iv }, padding, data)
            }

            /// Decrypts `data`, by CBC from `iv`, and takes the padding off. On an error nothing of the plaintext is left.
            ///
            /// # Errors
            /// As [`decrypt_padded`](Self::decrypt_padded).
            #[cfg(feature = "alloc")]
            pub fn decrypt_padded_vec(
                &self,
                iv: [u8; tdea::BLOCK_LEN],
                padding: tdea::Padding,
                data: &[u8],
            ) -> Result<tdea::Plaintext, tdea::PaddingError> {
                self.0.cipher().decrypt_padded_vec(tdea::Mode::Cbc { iv }, padding, data)
            }
        }
    };
}
pub(crate) use decrypts_data;

/// Gives a data encryption key both.
macro_rules! data_key {
    ($name:ident) => {
        $crate::working_keys::decrypts_data!($name);
        $crate::working_keys::encrypts_data!($name);
    };
}
pub(crate) use data_key;

pin_key!(PinKey);
mac_key!(MacRequestKey);
mac_key!(MacResponseKey);
data_key!(DataRequestKey);
data_key!(DataResponseKey);
derived_key!(PinKey: PIN);
derived_key!(MacRequestKey: MAC_REQUEST);
derived_key!(MacResponseKey: MAC_RESPONSE);
derived_key!(DataRequestKey: DATA_REQUEST);
derived_key!(DataResponseKey: DATA_RESPONSE);
