//! Visa's cryptogram versions: which of the parts belong together.

use crate::emv::{
    AcKey, AcPadding, ApplicationCryptogram, ScriptEncKey, ScriptMacKey, TransactionData, UdkAc, UdkEnc,
    UdkMac,
};
use crate::pair::TripleLengthKey;

/// Cryptogram version number (CVN) of a Visa card: how its keys and cryptograms are made.
///
/// | version | cryptogram key | padding | the card adds | ARPC | script keys |
/// |---|---|---|---|---|---|
/// | 10 | the UDK itself | zeros | verification results | [method 1](AcKey::arpc_1) | Visa's, from ATC |
/// | 18 | common, from ATC | `80`, zeros | issuer application data, all of it | [method 2](AcKey::arpc_2) | Visa's, from ATC |
/// | 22 | common, from ATC | `80`, zeros | issuer application data, all of it | [method 2](AcKey::arpc_2) | common, from the cryptogram |
///
/// MACs of scripts are [`ScriptMacKey::mac_visa`], new PINs travel by [`ScriptEncKey::encrypt_pin_visa`].
///
/// # Source
/// Visa Integrated Circuit Card Specification, as public implementations agree on it.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum VisaCvn {
    /// Version 10.
    Cvn10,
    /// Version 18.
    Cvn18,
    /// Version 22.
    Cvn22,
}

impl VisaCvn {
    /// Derives the cryptogram key of one transaction.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn ac_key(self, udk: &UdkAc, atc: u16) -> Result<AcKey, TripleLengthKey> {
        match self {
            Self::Cvn10 => udk.without_session(),
            Self::Cvn18 | Self::Cvn22 => udk.derive_common(atc),
        }
    }

    /// Derives the key for MACs of one transaction's scripts.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn script_mac_key(
        self,
        udk: &UdkMac,
        atc: u16,
        request: &ApplicationCryptogram,
    ) -> Result<ScriptMacKey, TripleLengthKey> {
        match self {
            Self::Cvn10 | Self::Cvn18 => udk.derive_visa(atc),
            Self::Cvn22 => udk.derive_common(request),
        }
    }

    /// Derives the key that encrypts data of one transaction's scripts.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn script_enc_key(
        self,
        udk: &UdkEnc,
        atc: u16,
        request: &ApplicationCryptogram,
    ) -> Result<ScriptEncKey, TripleLengthKey> {
        match self {
            Self::Cvn10 | Self::Cvn18 => udk.derive_visa(atc),
            Self::Cvn22 => udk.derive_common(request),
        }
    }

    /// Computes the cryptogram of a transaction. `card_data` is what the card adds in this version.
    #[must_use]
    pub fn cryptogram(
        self,
        key: &AcKey,
        transaction: &TransactionData,
        card_data: &[u8],
    ) -> ApplicationCryptogram {
        let padding = match self {
            Self::Cvn10 => AcPadding::Zeros,
            Self::Cvn18 | Self::Cvn22 => AcPadding::OneAndZeros,
        };
        key.cryptogram_of(transaction, card_data, padding)
    }
}
