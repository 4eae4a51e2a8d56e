//! MACs of issuer scripts.

use tdea::{Mac, MacPadding, RetailMac};

use crate::emv::{ApplicationCryptogram, ScriptMacKey};

/// A command of an issuer script, before its MAC is added.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScriptCommand<'a> {
    /// CLA, INS, P1, P2 and Lc, the MAC's length counted in.
    pub header: [u8; 5],
    /// Data, encrypted if it is confidential.
    pub data: &'a [u8],
}

impl ScriptMacKey {
    /// Computes the MAC over `header || data`: retail MAC, padded by `80`. Its first 4 to 8 bytes travel.
    ///
    /// # Source
    /// EMV Book 2, 9.2.3 and A1.2.1 (format 2); Mastercard's scripts. For the issuer and the card.
    #[must_use]
    pub fn mac(&self, command: &ScriptCommand<'_>) -> Mac {
        self.over([&command.header, command.data])
    }

    /// Computes the MAC over `header || ATC || cryptogram || data`: retail MAC, padded by `80`. Its first 4 to 8 bytes
    /// travel.
    ///
    /// # Source
    /// EMV Book 2, 9.2.3, with the transaction's counter and cryptogram that Visa's scripts put in. For the issuer and
    /// the card.
    #[must_use]
    pub fn mac_visa(&self, command: &ScriptCommand<'_>, atc: u16, request: &ApplicationCryptogram) -> Mac {
        self.over([&command.header, &atc.to_be_bytes(), request.as_bytes(), command.data])
    }

    fn over<const N: usize>(&self, pieces: [&[u8]; N]) -> Mac {
        let mut mac =
            RetailMac::new(&self.0, MacPadding::OneAndZeros).expect("a script key is of double length");
        pieces.into_iter().for_each(|piece| mac.update(piece));
        mac.finalize().expect("this padding fits every length")
    }
}
