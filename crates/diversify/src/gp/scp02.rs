//! Secure channel protocol 02 and card personalisation: the TDEA keys of one session, and the cryptograms they make.

use tdea::{CbcMac, KeyLength, MacPadding, Mode, Padding, RetailMac, TdeaKey};

use crate::gp::{CardCryptogram, CardKeys, HostCryptogram, Kdek, Kenc, Kmac};
use crate::pair::{TripleLengthKey, double_length};

/// Declares the session keys, which only derivation makes.
macro_rules! session_keys {
    ($($(#[$meta:meta])* $name:ident)*) => {$(
        tdea::key_type! {
            $(#[$meta])*
            pub struct $name { pub(crate) from_key }
        }
    )*};
}

session_keys! {
    /// Session key for encryption and for the cryptograms (S-ENC). It is no key for MACs of commands:
    /// ```
    /// # use cardroot_diversify::gp::scp02::{Senc, Smac};
    /// fn command_mac(key: &Smac) {}
    /// fn right(key: Smac) { command_mac(&key) }
    /// ```
    /// ```compile_fail,E0308
    /// # use cardroot_diversify::gp::scp02::{Senc, Smac};
    /// fn command_mac(key: &Smac) {}
    /// fn wrong(key: Senc) { command_mac(&key) }
    /// ```
    #[doc(alias = "SKUENC")]
    Senc
    /// Session key for MACs of commands (S-MAC).
    #[doc(alias = "SKUMAC")]
    Smac
    /// Session key for MACs of responses (S-RMAC).
    Srmac
    /// Session key that encrypts confidential data and keys (S-DEK).
    #[doc(alias = "SKUDEK")]
    Sdek
}

/// The keys of one session.
#[derive(Debug)]
pub struct SessionKeys {
    /// Encryption and cryptograms.
    pub enc: Senc,
    /// MACs of commands.
    pub mac: Smac,
    /// MACs of responses.
    pub rmac: Srmac,
    /// Encryption of confidential data and keys.
    pub dek: Sdek,
}

/// What both sides bring to a session. Public.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Challenges {
    /// The host's challenge, from its INITIALIZE UPDATE.
    pub host: [u8; 8],
    /// The card's sequence counter, from its answer.
    pub sequence: u16,
    /// The card's challenge, from its answer.
    pub card: [u8; 6],
}

impl CardKeys {
    /// Derives the keys of one session; `sequence` is the card's sequence counter. MACs of responses come from KMAC,
    /// as those of commands do.
    ///
    /// # Errors
    /// Returns [`TripleLengthKey`] unless the keys are of double length.
    pub fn scp02_session(&self, sequence: u16) -> Result<SessionKeys, TripleLengthKey> {
        Ok(SessionKeys {
            enc: self.enc.scp02_session_key(sequence)?,
            mac: self.mac.scp02_session_key(sequence)?,
            rmac: self.mac.scp02_response_key(sequence)?,
            dek: self.dek.scp02_session_key(sequence)?,
        })
    }
}

/// Gives a card's key the session keys that come from it.
macro_rules! derivations {
    ($($card_key:ident::$method:ident => $session_key:ident by $constant:literal, $text:literal;)*) => {$(
        impl $card_key {
            #[doc = concat!("Derives the session key ", $text, ".")]
            ///
            /// TDEA in CBC mode from a zero vector over `constant(2) || sequence(2) || 00*12`, the constant being
            #[doc = concat!("`", stringify!($constant), "`. Parity is not adjusted.")]
            ///
            /// # Source
            /// GlobalPlatform Card Specification 2.2, appendix E.4; EMV Card Personalization Specification 1.1. For the
            /// host and the card.
            ///
            /// # Errors
            /// Returns [`TripleLengthKey`] unless the key is of double length.
            pub fn $method(&self, sequence: u16) -> Result<$session_key, TripleLengthKey> {
                session_key(self.expose_key(), $constant, sequence).map($session_key)
            }
        }
    )*};
}

derivations! {
    Kenc::scp02_session_key => Senc by 0x0182, "for encryption and for the cryptograms";
    Kmac::scp02_session_key => Smac by 0x0101, "for MACs of commands";
    Kmac::scp02_response_key => Srmac by 0x0102, "for MACs of responses";
    Kdek::scp02_session_key => Sdek by 0x0181, "that encrypts confidential data and keys";
}

fn session_key(card_key: &TdeaKey, constant: u16, sequence: u16) -> Result<TdeaKey, TripleLengthKey> {
    let cipher = double_length(card_key)?;
    Ok(TdeaKey::from_fill(KeyLength::Double, |key| {
        for (byte, given) in key.iter_mut().zip([constant, sequence].into_iter().flat_map(u16::to_be_bytes)) {
            *byte = given;
        }
        cipher.encrypt(Mode::CBC_ZERO_IV, key).expect("a double-length key is two blocks");
    }))
}

impl Senc {
    /// The card's cryptogram: CBC-MAC with TDEA over `host challenge || sequence || card challenge`, padded by `80`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification 2.2, appendix E.4.
    #[must_use]
    pub fn card_cryptogram(&self, challenges: &Challenges) -> CardCryptogram {
        let Challenges { host, sequence, card } = challenges;
        CardCryptogram(self.cryptogram([host, &sequence.to_be_bytes(), card]))
    }

    /// The host's cryptogram: CBC-MAC with TDEA over `sequence || card challenge || host challenge`, padded by `80`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification 2.2, appendix E.4.
    #[must_use]
    pub fn host_cryptogram(&self, challenges: &Challenges) -> HostCryptogram {
        let Challenges { host, sequence, card } = challenges;
        HostCryptogram(self.cryptogram([&sequence.to_be_bytes(), card, host]))
    }

    fn cryptogram(&self, pieces: [&[u8]; 3]) -> [u8; 8] {
        let mut mac = CbcMac::new(&self.0, MacPadding::OneAndZeros);
        pieces.into_iter().for_each(|piece| mac.update(piece));
        *mac.finalize().expect("this padding fits every length").as_bytes()
    }
}

impl Smac {
    /// The card's challenge where it is pseudo-random (bit 7 of `i`): the first 6 bytes of the retail MAC over the name
    /// of the application that runs the protocol, padded by `80`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification 2.2, appendix E.4.2.3; no published value at hand.
    #[must_use]
    pub fn scp02_card_challenge(&self, name: &[u8]) -> [u8; 6] {
        let mac = RetailMac::compute(&self.0, Padding::OneAndZeros, name);
        mac.expect("session keys are of double length and this padding fits every length").truncated()
    }
}
