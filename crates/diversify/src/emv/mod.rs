//! EMV keys: from the issuer's key of one purpose to the card's key of the same purpose, on to the keys of one
//! transaction, and what those compute.
//!
//! | step | with TDEA keys | parity | with AES keys |
//! |---|---|---|---|
//! | issuer → card | option A: [`MdkAc::diversify_a`], B: [`MdkAc::diversify_b`] | odd | option C: [`aes::MdkAc::diversify_c`] |
//! | card → cryptogram key | common: [`UdkAc::derive_common`] | odd | [`aes::UdkAc::derive_common`] |
//! | | Mastercard: [`UdkAc::derive_mastercard`], EMV2000: [`UdkAc::derive_tree`] | odd | |
//! | | none: [`UdkAc::without_session`] | as it is | |
//! | card → script keys | common: [`UdkMac::derive_common`], EMV2000: [`UdkMac::derive_tree`] | odd | [`aes::UdkMac::derive_common`] |
//! | | Visa: [`UdkMac::derive_visa`] | odd | |
//! | ARQC, TC, AAC | [`AcKey::cryptogram`] | | [`aes::AcKey::cryptogram`] |
//! | ARPC | [`AcKey::arpc_1`], [`AcKey::arpc_2`] | | |
//! | issuer script | [`ScriptMacKey::mac`], [`ScriptMacKey::mac_visa`] | | |
//! | PIN change | [`ScriptEncKey::encrypt_pin_ccd`] and its neighbours | | |
//!
//! Which of these belong together for a Visa card says [`VisaCvn`].

pub mod aes;
mod cryptogram;
mod option_a;
mod option_b;
mod pan;
mod pin_change;
mod script;
mod session;
mod tree2000;
mod visa;

use tdea::TdeaKey;

use crate::cohort::{self, Cohort, Members, Paths};
pub use crate::emv::cryptogram::{
    AcPadding, ApplicationCryptogram, Arpc1, Arpc2, ProprietaryDataLengthError, TransactionData,
};
pub use crate::emv::pan::{PanPsn, PanPsnError};
pub use crate::emv::pin_change::{PinDigitsError, ScriptPin, VisaPinBlock};
pub use crate::emv::script::ScriptCommand;
pub use crate::emv::tree2000::{SessionTree, TreeShape};
pub use crate::emv::visa::VisaCvn;
use crate::factor::Factor;
use crate::pair::{TripleLengthKey, check_double_length};
use crate::pboc;

/// `E(master, Y) || E(master, ~Y)` with odd parity in the end: PBOC dispersion but for the parity.
fn card_key(master: &TdeaKey, y: Factor) -> Result<TdeaKey, TripleLengthKey> {
    Ok(pboc::derive(master, y)?.into_odd_parity())
}

/// The same for many cards, whose factors `factor` makes.
fn cohort_of<'a, E, K>(
    master: &TdeaKey,
    cards: impl IntoIterator<Item = Result<PanPsn<'a>, E>>,
    factor: impl Fn(&PanPsn<'_>) -> Factor,
    typed: impl Fn(TdeaKey) -> K,
) -> Result<Cohort<impl Members<Key = K, Fault = E>>, TripleLengthKey> {
    check_double_length(master)?;
    let factors = cards.into_iter().map(move |card| card.map(|card| [factor(&card)]));
    let finish = move |key: TdeaKey, _: [Factor; 1]| typed(key.into_odd_parity());
    Ok(cohort::of(factors, Paths { parent: master, finish }))
}

/// Declares the issuer's and the card's key of one purpose.
macro_rules! purposes {
    ($(
        $(#[$master_doc:meta])* $master:ident
        $(#[$card_doc:meta])* $card:ident
    )*) => {$(
        tdea::key_type! {
            $(#[$master_doc])*
            pub struct $master;
        }

        tdea::key_type! {
            $(#[$card_doc])*
            pub struct $card;
        }

        impl $master {
            /// Derives the card's key by option A.
            ///
            /// `E(master, Y) || E(master, ~Y)`, `Y` being the rightmost 16 digits of PAN and PSN, zeros in front if
            /// there are fewer; then odd parity.
            ///
            /// # Source
            /// EMV Book 2, A1.4.1. For the issuer.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn diversify_a(&self, card: &PanPsn<'_>) -> Result<$card, TripleLengthKey> {
                Ok($card(card_key(&self.0, option_a::factor(card))?))
            }

            /// Derives the card's key by option B, which is option A for a PAN of up to 16 digits.
            ///
            /// As option A, `Y` being the first 16 decimal digits of SHA-1 over all digits of PAN and PSN in BCD, a
            /// zero in front if they are odd in number. If the hash has fewer, its letters follow, `A` as 0 to `F` as 5.
            ///
            /// # Source
            /// EMV Book 2, A1.4.2. For the issuer.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn diversify_b(&self, card: &PanPsn<'_>) -> Result<$card, TripleLengthKey> {
                Ok($card(card_key(&self.0, option_b::factor(card))?))
            }

            /// Derives the keys of many cards by option A; see [`diversify_a`](Self::diversify_a) and [cohorts](crate::cohort).
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn cohort_a<'a, E>(
                &self,
                cards: impl IntoIterator<Item = Result<PanPsn<'a>, E>>,
            ) -> Result<Cohort<impl Members<Key = $card, Fault = E>>, TripleLengthKey> {
                cohort_of(&self.0, cards, option_a::factor, $card)
            }

            /// Derives the keys of many cards by option B; see [`diversify_b`](Self::diversify_b) and [cohorts](crate::cohort).
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn cohort_b<'a, E>(
                &self,
                cards: impl IntoIterator<Item = Result<PanPsn<'a>, E>>,
            ) -> Result<Cohort<impl Members<Key = $card, Fault = E>>, TripleLengthKey> {
                cohort_of(&self.0, cards, option_b::factor, $card)
            }
        }
    )*};
}

purposes! {
    /// Master Derivation Key (MDK) for application cryptograms.
    #[doc(alias = "IMK-AC")]
    MdkAc
    /// Unique Derived Key (UDK) for application cryptograms.
    #[doc(alias = "ICC MK-AC")]
    UdkAc

    /// Master Derivation Key (MDK) for the integrity of issuer scripts.
    #[doc(alias = "IMK-SMI")]
    #[doc(alias = "MDKMAC")]
    MdkMac
    /// Unique Derived Key (UDK) for the integrity of issuer scripts.
    #[doc(alias = "UDKMAC")]
    UdkMac

    /// Master Derivation Key (MDK) for the confidentiality of issuer scripts.
    #[doc(alias = "IMK-SMC")]
    #[doc(alias = "MDKENC")]
    MdkEnc
    /// Unique Derived Key (UDK) for the confidentiality of issuer scripts.
    #[doc(alias = "UDKENC")]
    UdkEnc

    /// Master Derivation Key (MDK) for the card's dynamic number.
    #[doc(alias = "IMK-IDN")]
    MdkIdn
    /// Unique Derived Key (UDK) for the card's dynamic number.
    #[doc(alias = "ICC MK-IDN")]
    UdkIdn
}

/// Declares keys that derivation makes, or that come from outside and are of double length.
macro_rules! transaction_keys {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        tdea::key_type! {
            $(#[$meta])*
            pub struct $name { pub(crate) from_key }
        }

        impl TryFrom<TdeaKey> for $name {
            type Error = TripleLengthKey;

            /// Gives a key from outside this purpose, for good.
            fn try_from(key: TdeaKey) -> Result<Self, TripleLengthKey> {
                check_double_length(&key)?;
                Ok(Self::from_key(key))
            }
        }
    )*};
}

transaction_keys! {
    /// The key that computes application cryptograms and answers them: the session key, or the UDK itself where a
    /// scheme has no session keys. It computes no MAC of a script:
    /// ```
    /// # use cardroot_diversify::emv::{ScriptCommand, ScriptMacKey};
    /// fn protect(key: &ScriptMacKey, command: &ScriptCommand<'_>) { let _ = key.mac(command); }
    /// ```
    /// ```compile_fail,E0599
    /// # use cardroot_diversify::emv::{AcKey, ScriptCommand};
    /// fn protect(key: &AcKey, command: &ScriptCommand<'_>) { let _ = key.mac(command); }
    /// ```
    /// Nor is the card's key a session key:
    /// ```compile_fail,E0599
    /// # use cardroot_diversify::emv::{AcPadding, UdkAc};
    /// fn approve(key: &UdkAc, data: &[u8]) { let _ = key.cryptogram(data, AcPadding::OneAndZeros); }
    /// ```
    #[doc(alias = "SKAC")]
    AcKey
    /// The session key for MACs of issuer scripts.
    #[doc(alias = "SKSMI")]
    ScriptMacKey
    /// The session key that encrypts data of issuer scripts.
    #[doc(alias = "SKSMC")]
    ScriptEncKey
}
