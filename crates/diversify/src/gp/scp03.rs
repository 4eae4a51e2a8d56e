//! Secure channel protocol 03: the AES keys of one session, and the cryptograms they make.

use aeskey::{AesKey, Cmac};

use crate::gp::aes::{CardKeys, Kenc, Kmac};
use crate::gp::{CardCryptogram, HostCryptogram};

/// Length of a cryptogram, in bits.
const CRYPTOGRAM_BITS: u16 = 64;

aeskey::key_type! {
    /// Session key for encryption (S-ENC).
    pub struct Senc { pub(crate) from_key }
}

aeskey::key_type! {
    /// Session key for MACs of commands and for the cryptograms (S-MAC).
    pub struct Smac { pub(crate) from_key }
}

aeskey::key_type! {
    /// Session key for MACs of responses (S-RMAC).
    pub struct Srmac { pub(crate) from_key }
}

/// The keys of one session. There is none for confidential data: KDEK serves as it is.
#[derive(Debug)]
pub struct SessionKeys {
    /// Encryption.
    pub enc: Senc,
    /// MACs of commands, and cryptograms.
    pub mac: Smac,
    /// MACs of responses.
    pub rmac: Srmac,
}

/// What both sides bring to a session. Public.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Challenges {
    /// The host's challenge, from its INITIALIZE UPDATE.
    pub host: [u8; 8],
    /// The card's challenge, from its answer.
    pub card: [u8; 8],
}

impl CardKeys {
    /// Derives the keys of one session.
    #[must_use]
    pub fn scp03_session(&self, challenges: &Challenges) -> SessionKeys {
        SessionKeys {
            enc: self.enc.scp03_session_key(challenges),
            mac: self.mac.scp03_session_key(challenges),
            rmac: self.mac.scp03_response_key(challenges),
        }
    }
}

/// Gives a card's key the session keys that come from it.
macro_rules! derivations {
    ($($card_key:ident::$method:ident => $session_key:ident by $constant:literal, $text:literal;)*) => {$(
        impl $card_key {
            #[doc = concat!("Derives the session key ", $text, ", as long as the card's key.")]
            ///
            /// The leftmost bytes of `B(1) || B(2)`, with `B(i) = CMAC(key, 00*11 || constant || 00 || bits(2) || i ||
            #[doc = concat!("host challenge || card challenge)` and the constant `", stringify!($constant), "`.")]
            ///
            /// # Source
            /// GlobalPlatform Card Specification, Amendment D, 4.1.5 and 6.2.1. For the host and the card.
            #[must_use]
            pub fn $method(&self, challenges: &Challenges) -> $session_key {
                $session_key(session_key(self.expose_key(), $constant, challenges))
            }
        }
    )*};
}

derivations! {
    Kenc::scp03_session_key => Senc by 0x04, "for encryption";
    Kmac::scp03_session_key => Smac by 0x06, "for MACs of commands and for the cryptograms";
    Kmac::scp03_response_key => Srmac by 0x07, "for MACs of responses";
}

impl Kenc {
    /// The card's challenge where it is pseudo-random (bit 5 of `i`): the first 8 bytes of the derivation function by
    /// the constant `02`, over the sequence counter and the name of the application that runs the protocol.
    ///
    /// # Source
    /// GlobalPlatform Card Specification, Amendment D, 6.2.2.1.
    #[must_use]
    pub fn scp03_card_challenge(&self, sequence: [u8; 3], name: &[u8]) -> [u8; 8] {
        let label = label(0x02, CRYPTOGRAM_BITS, 1);
        Cmac::new(self.expose_key()).chain(&label).chain(&sequence).chain(name).finalize().truncated()
    }
}

fn session_key(card_key: &AesKey, constant: u8, challenges: &Challenges) -> AesKey {
    let length = card_key.length();
    AesKey::from_blocks(length, |counter, block| {
        derivation(card_key, constant, length.bits(), counter, challenges).finalize_into(block);
    })
}

/// One block of the derivation function, ready to end.
fn derivation(key: &AesKey, constant: u8, bits: u16, counter: u8, challenges: &Challenges) -> Cmac {
    Cmac::new(key).chain(&label(constant, bits, counter)).chain(&challenges.host).chain(&challenges.card)
}

/// What the derivation function takes before the context.
const fn label(constant: u8, bits: u16, counter: u8) -> [u8; 16] {
    let [high, low] = bits.to_be_bytes();
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, constant, 0, high, low, counter]
}

impl Smac {
    /// The card's cryptogram: the first 8 bytes of the derivation function by the constant `00`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification, Amendment D, 6.2.2.2.
    #[must_use]
    pub fn card_cryptogram(&self, challenges: &Challenges) -> CardCryptogram {
        CardCryptogram(self.cryptogram(0x00, challenges))
    }

    /// The host's cryptogram: the first 8 bytes of the derivation function by the constant `01`.
    ///
    /// # Source
    /// GlobalPlatform Card Specification, Amendment D, 6.2.2.3.
    #[must_use]
    pub fn host_cryptogram(&self, challenges: &Challenges) -> HostCryptogram {
        HostCryptogram(self.cryptogram(0x01, challenges))
    }

    fn cryptogram(&self, constant: u8, challenges: &Challenges) -> [u8; 8] {
        derivation(&self.0, constant, CRYPTOGRAM_BITS, 1, challenges).finalize().truncated()
    }
}
