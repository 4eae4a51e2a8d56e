//! From a card's key to the key of one transaction.

use tdea::{KeyLength, TdeaKey};

use crate::emv::{
    AcKey, ApplicationCryptogram, ScriptEncKey, ScriptMacKey, SessionTree, UdkAc, UdkEnc, UdkMac,
};
use crate::pair::{TripleLengthKey, check_double_length, double_length, encrypt_pair};

impl UdkAc {
    /// Derives the cryptogram key of one transaction by the common method, from the card's transaction counter (ATC).
    ///
    /// `E(UDK, R with byte 2 = F0) || E(UDK, R with byte 2 = 0F)` with `R = ATC || 00*6`; then odd parity.
    ///
    /// # Source
    /// EMV Book 2, A1.3.1. For the issuer and the card.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn derive_common(&self, atc: u16) -> Result<AcKey, TripleLengthKey> {
        let [a0, a1] = atc.to_be_bytes();
        common(&self.0, [a0, a1, 0, 0, 0, 0, 0, 0]).map(AcKey)
    }

    /// Derives the cryptogram key of one transaction by Mastercard's method: as the common one, but with
    /// `R = ATC || 0000 || unpredictable number`.
    ///
    /// # Source
    /// Mastercard M/Chip (session key derivation, SKD), as public implementations agree. For the issuer and the card.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    #[doc(alias = "SKD")]
    pub fn derive_mastercard(
        &self,
        atc: u16,
        unpredictable_number: [u8; 4],
    ) -> Result<AcKey, TripleLengthKey> {
        let ([a0, a1], [u0, u1, u2, u3]) = (atc.to_be_bytes(), unpredictable_number);
        common(&self.0, [a0, a1, 0, 0, u0, u1, u2, u3]).map(AcKey)
    }

    /// Derives the cryptogram key of one transaction from a tree of keys; see [`SessionTree`].
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn derive_tree(&self, atc: u16, tree: &SessionTree) -> Result<AcKey, TripleLengthKey> {
        tree.derive(&self.0, atc).map(AcKey)
    }

    /// The key itself as the cryptogram key, for schemes that have no session keys: Visa's cryptogram version 10, and
    /// others' response cryptograms. Every transaction of the card then has the same key.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the key is of double length.
    pub fn without_session(&self) -> Result<AcKey, TripleLengthKey> {
        self.0.duplicate().try_into()
    }
}

/// Gives the two kinds of script keys the same derivations.
macro_rules! script_keys {
    ($($udk:ident => $key:ident)*) => {$(
        impl $udk {
            /// Derives the script key of one transaction by the common method, from its application cryptogram.
            ///
            /// `E(UDK, R with byte 2 = F0) || E(UDK, R with byte 2 = 0F)`, `R` being the cryptogram of the transaction:
            /// the first or the last, as the scheme says. Then odd parity.
            ///
            /// # Source
            /// EMV Book 2, A1.3.1. For the issuer and the card.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn derive_common(&self, cryptogram: &ApplicationCryptogram) -> Result<$key, TripleLengthKey> {
                common(&self.0, *cryptogram.as_bytes()).map($key)
            }

            /// Makes the script key of one transaction by Visa's method.
            ///
            /// The UDK with ATC XORed onto the last two bytes of its left half, and `~ATC` onto those of its right
            /// half; then odd parity.
            ///
            /// # Source
            /// Visa, cryptogram versions 10 and 18, as public implementations agree. For the issuer and the card.
            ///
            /// # Security
            /// This is a variant and no derivation: who knows one such key knows the UDK.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn derive_visa(&self, atc: u16) -> Result<$key, TripleLengthKey> {
                visa(&self.0, atc).map($key)
            }

            /// Derives the script key of one transaction from a tree of keys; see [`SessionTree`].
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn derive_tree(&self, atc: u16, tree: &SessionTree) -> Result<$key, TripleLengthKey> {
                tree.derive(&self.0, atc).map($key)
            }
        }
    )*};
}

script_keys! {
    UdkMac => ScriptMacKey
    UdkEnc => ScriptEncKey
}

/// The common session key from the diversification value `r`, whose third byte makes the halves differ.
fn common(udk: &TdeaKey, r: [u8; 8]) -> Result<TdeaKey, TripleLengthKey> {
    let [r0, r1, _, r3, r4, r5, r6, r7] = r;
    let half = |mark| [r0, r1, mark, r3, r4, r5, r6, r7];
    Ok(encrypt_pair(&double_length(udk)?, &half(0xF0), &half(0x0F)).into_odd_parity())
}

fn visa(udk: &TdeaKey, atc: u16) -> Result<TdeaKey, TripleLengthKey> {
    check_double_length(udk)?;
    let (left, right) = (u64::from(atc), u64::from(!atc));
    let masks = [left, right].into_iter().flat_map(u64::to_be_bytes);
    let key = TdeaKey::from_fill(KeyLength::Double, |key| {
        for ((byte, given), mask) in key.iter_mut().zip(udk.expose_bytes()).zip(masks) {
            *byte = given ^ mask;
        }
    });
    Ok(key.into_odd_parity())
}
