//! Application cryptograms, and the issuer's answers to them.

use tdea::{MacPadding, RetailMac};

use crate::code::public_code;
use crate::emv::AcKey;

public_code! {
    /// Application cryptogram: a request (ARQC), an approval (TC) or a refusal (AAC). Public.
    #[doc(alias = "ARQC")]
    #[doc(alias = "TC")]
    #[doc(alias = "AAC")]
    pub struct ApplicationCryptogram([u8; 8]);
}

public_code! {
    /// Authorisation response cryptogram (ARPC) by method 1. Public.
    pub struct Arpc1([u8; 8]);
}

public_code! {
    /// Authorisation response cryptogram (ARPC) by method 2. Public.
    pub struct Arpc2([u8; 4]);
}

/// How the data of a cryptogram is brought to whole blocks.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AcPadding {
    /// Zeros, none if the blocks are whole already: Visa's cryptogram version 10.
    #[doc(alias = "method 1")]
    Zeros,
    /// One byte `80`, then zeros: EMV.
    #[doc(alias = "method 2")]
    OneAndZeros,
}

/// The data elements that go into a cryptogram, as they are in the messages. What the card adds follows them.
///
/// # Source
/// EMV Book 2, 8.1.1, table 26.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct TransactionData {
    /// Amount, authorised (tag 9F02), in BCD.
    pub amount: [u8; 6],
    /// Amount, other (9F03), in BCD.
    pub other_amount: [u8; 6],
    /// Terminal country code (9F1A).
    pub country: [u8; 2],
    /// Terminal verification results (95).
    #[doc(alias = "TVR")]
    pub verification_results: [u8; 5],
    /// Transaction currency code (5F2A).
    pub currency: [u8; 2],
    /// Transaction date (9A), in BCD: year, month, day.
    pub date: [u8; 3],
    /// Transaction type (9C).
    pub transaction_type: u8,
    /// Unpredictable number (9F37).
    pub unpredictable_number: [u8; 4],
    /// Application interchange profile (82).
    #[doc(alias = "AIP")]
    pub interchange_profile: [u8; 2],
    /// Application transaction counter (ATC, 9F36).
    pub atc: u16,
}

/// Proprietary authentication data of another length.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("proprietary authentication data is at most 8 bytes, found {found}")]
pub struct ProprietaryDataLengthError {
    /// Bytes supplied.
    pub found: usize,
}

impl AcKey {
    /// Computes the cryptogram of data that is here as a whole: retail MAC, all 8 bytes.
    ///
    /// # Source
    /// EMV Book 2, 8.1.2 and A1.2.1. For the issuer and the card.
    ///
    /// # Examples
    /// ```
    /// # use cardroot_diversify::emv::{AcKey, AcPadding, ApplicationCryptogram};
    /// # use tdea::TdeaKey;
    /// # fn derived() -> TdeaKey { 0xC7AE_DF49_AEF2_F146_D692_400E_0B85_1A8F_u128.to_be_bytes().into() }
    /// let key = AcKey::try_from(derived())?;
    /// let data = 0x0123_4567_89AB_CDEF_0123_4567_89AB_CDEF_u128.to_be_bytes();
    /// let received = ApplicationCryptogram::from([0x19, 0xC1, 0xFB, 0xC8, 0x3E, 0xBD, 0xC0, 0xD5]);
    /// key.cryptogram(&data, AcPadding::OneAndZeros).verify(&received)?;
    /// # Ok::<(), Box<dyn core::error::Error>>(())
    /// ```
    #[must_use]
    pub fn cryptogram(&self, data: &[u8], padding: AcPadding) -> ApplicationCryptogram {
        ApplicationCryptogram(self.mac([data], padding))
    }

    /// Computes the cryptogram of a transaction's data elements, followed by what the card adds: its verification
    /// results or all of its issuer application data, as the scheme says.
    ///
    /// # Source
    /// EMV Book 2, 8.1. For the issuer and the card.
    #[must_use]
    pub fn cryptogram_of(
        &self,
        transaction: &TransactionData,
        card_data: &[u8],
        padding: AcPadding,
    ) -> ApplicationCryptogram {
        let TransactionData {
            amount,
            other_amount,
            country,
            verification_results,
            currency,
            date,
            transaction_type,
            unpredictable_number,
            interchange_profile,
            atc,
        } = transaction;
        let pieces: [&[u8]; 11] = [
            amount,
            other_amount,
            country,
            verification_results,
            currency,
            date,
            &[*transaction_type],
            unpredictable_number,
            interchange_profile,
            &atc.to_be_bytes(),
            card_data,
        ];
        ApplicationCryptogram(self.mac(pieces, padding))
    }

    /// Computes the response cryptogram by method 1, for an authorisation response code (ARC):
    /// `E(key, cryptogram XOR (ARC || 00*6))`.
    ///
    /// # Source
    /// EMV Book 2, 8.2.1. For the issuer and the card.
    #[must_use]
    pub fn arpc_1(&self, request: &ApplicationCryptogram, response_code: [u8; 2]) -> Arpc1 {
        let [c0, c1, rest @ ..] = *request.as_bytes();
        let [r0, r1] = response_code;
        let [c2, c3, c4, c5, c6, c7] = rest;
        let mut block = [c0 ^ r0, c1 ^ r1, c2, c3, c4, c5, c6, c7];
        self.0.cipher().encrypt_block(&mut block);
        Arpc1(block)
    }

    /// Computes the response cryptogram by method 2, for a card status update (CSU) and up to 8 bytes of proprietary
    /// authentication data: the first 4 bytes of the retail MAC over `cryptogram || CSU || proprietary data`, padded by
    /// `80`.
    ///
    /// # Source
    /// EMV Book 2, 8.2.2. For the issuer and the card.
    ///
    /// # Errors
    /// Returns [`ProprietaryDataLengthError`] for more than 8 bytes.
    pub fn arpc_2(
        &self,
        request: &ApplicationCryptogram,
        status_update: [u8; 4],
        proprietary: &[u8],
    ) -> Result<Arpc2, ProprietaryDataLengthError> {
        if proprietary.len() > 8 {
            return Err(ProprietaryDataLengthError { found: proprietary.len() });
        }
        let [m0, m1, m2, m3, ..] =
            self.mac([request.as_bytes(), &status_update, proprietary], AcPadding::OneAndZeros);
        Ok(Arpc2([m0, m1, m2, m3]))
    }

    fn mac<const N: usize>(&self, pieces: [&[u8]; N], padding: AcPadding) -> [u8; 8] {
        let padding = match padding {
            AcPadding::Zeros => MacPadding::Zeros,
            AcPadding::OneAndZeros => MacPadding::OneAndZeros,
        };
        let mut mac = RetailMac::new(&self.0, padding).expect("a cryptogram key is of double length");
        pieces.into_iter().for_each(|piece| mac.update(piece));
        *mac.finalize().expect("these paddings fit every length").as_bytes()
    }
}
