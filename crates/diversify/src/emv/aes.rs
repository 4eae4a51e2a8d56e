//! EMV keys of AES: option C, session keys and cryptograms. None has parity.

use aeskey::{AesKey, AesKeyLength, BLOCK_LEN, Cmac};

use crate::cohort::{self, Cohort, Members, OneByOne};
use crate::emv::{ApplicationCryptogram, PanPsn};

/// Declares the issuer's and the card's key of one purpose.
macro_rules! purposes {
    ($(
        $(#[$master_doc:meta])* $master:ident
        $(#[$card_doc:meta])* $card:ident
    )*) => {$(
        aeskey::key_type! {
            $(#[$master_doc])*
            pub struct $master;
        }

        aeskey::key_type! {
            $(#[$card_doc])*
            pub struct $card;
        }

        impl $master {
            /// Derives the card's key by option C.
            ///
            /// The leftmost bytes of `AES(master, Y) || AES(master, ~Y)`, `Y` being all digits of PAN and PSN in BCD,
            /// with zeros in front to 16 bytes.
            ///
            /// # Source
            /// EMV Book 2, A1.4.3. For the issuer.
            #[must_use]
            pub fn diversify_c(&self, card: &PanPsn<'_>, length: AesKeyLength) -> $card {
                $card(option_c(&self.0, card, length))
            }

            /// Derives the keys of many cards by option C, one after another; see [`diversify_c`](Self::diversify_c) and
            /// [cohorts](crate::cohort).
            pub fn cohort_c<'a, E>(
                &self,
                cards: impl IntoIterator<Item = Result<PanPsn<'a>, E>>,
                length: AesKeyLength,
            ) -> Cohort<impl Members<Key = $card, Fault = E>> {
                cohort::of(cards, OneByOne(move |card: PanPsn<'a>| self.diversify_c(&card, length)))
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
    MdkMac
    /// Unique Derived Key (UDK) for the integrity of issuer scripts.
    #[doc(alias = "ICC MK-SMI")]
    UdkMac

    /// Master Derivation Key (MDK) for the confidentiality of issuer scripts.
    #[doc(alias = "IMK-SMC")]
    MdkEnc
    /// Unique Derived Key (UDK) for the confidentiality of issuer scripts.
    #[doc(alias = "ICC MK-SMC")]
    UdkEnc

    /// Master Derivation Key (MDK) for the card's dynamic number.
    #[doc(alias = "IMK-IDN")]
    MdkIdn
    /// Unique Derived Key (UDK) for the card's dynamic number.
    #[doc(alias = "ICC MK-IDN")]
    UdkIdn
}

aeskey::key_type! {
    /// The session key that computes application cryptograms.
    #[doc(alias = "SKAC")]
    pub struct AcKey;
}

aeskey::key_type! {
    /// The session key for MACs of issuer scripts.
    #[doc(alias = "SKSMI")]
    pub struct ScriptMacKey;
}

aeskey::key_type! {
    /// The session key that encrypts data of issuer scripts.
    #[doc(alias = "SKSMC")]
    pub struct ScriptEncKey;
}

impl UdkAc {
    /// Derives the cryptogram key of one transaction from the card's transaction counter (ATC), as long as this key.
    ///
    /// `AES(UDK, R)` with `R = ATC || 00*14`; for longer keys the leftmost bytes of
    /// `AES(UDK, R with byte 2 = F0) || AES(UDK, R with byte 2 = 0F)`.
    ///
    /// # Source
    /// EMV Book 2, A1.3.1. For the issuer and the card.
    #[must_use]
    pub fn derive_common(&self, atc: u16) -> AcKey {
        AcKey(common(&self.0, &atc.to_be_bytes()))
    }
}

/// Gives the two kinds of script keys the same derivation.
macro_rules! script_keys {
    ($($udk:ident => $key:ident)*) => {$(
        impl $udk {
            /// Derives the script key of one transaction from its application cryptogram, as long as this key.
            ///
            /// As [`UdkAc::derive_common`], with `R = cryptogram || 00*8`.
            ///
            /// # Source
            /// EMV Book 2, A1.3.1. For the issuer and the card.
            #[must_use]
            pub fn derive_common(&self, cryptogram: &ApplicationCryptogram) -> $key {
                $key(common(&self.0, cryptogram.as_bytes()))
            }
        }
    )*};
}

script_keys! {
    UdkMac => ScriptMacKey
    UdkEnc => ScriptEncKey
}

impl AcKey {
    /// Computes the cryptogram of data that is here as a whole: the first 8 bytes of CMAC.
    ///
    /// # Source
    /// EMV Book 2, 8.1.2 and A1.2.2. For the issuer and the card.
    #[must_use]
    pub fn cryptogram(&self, data: &[u8]) -> ApplicationCryptogram {
        ApplicationCryptogram::from(Cmac::compute(&self.0, data).truncated())
    }
}

fn option_c(master: &AesKey, card: &PanPsn<'_>, length: AesKeyLength) -> AesKey {
    let mut y = [0; BLOCK_LEN];
    card.fill_bcd(&mut y);
    AesKey::from_blocks(length, |number, block| {
        *block = if number == 1 { y } else { y.map(|byte| !byte) };
        master.encrypt_block(block);
    })
}

/// The common session key from the start of the diversification value, zeros behind it.
fn common(udk: &AesKey, start: &[u8]) -> AesKey {
    let mut r = [0; BLOCK_LEN];
    for (byte, given) in r.iter_mut().zip(start) {
        *byte = *given;
    }
    let [r0, r1, r2, rest @ ..] = r;
    AesKey::from_blocks(udk.length(), |number, block| {
        // One block needs no mark; the two of a longer key have one each.
        let mark = match (udk.length(), number) {
            (AesKeyLength::Aes128, _) => r2,
            (_, 1) => 0xF0,
            _ => 0x0F,
        };
        let (marked, tail) = block.split_at_mut(3);
        marked.copy_from_slice(&[r0, r1, mark]);
        tail.copy_from_slice(&rest);
        udk.encrypt_block(block);
    })
}
