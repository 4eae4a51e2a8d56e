//! GlobalPlatform and EMV card personalisation (CPS): from the issuer's personalisation key to a card's three keys, and
//! on to the keys of one session with the card.
//!
//! | step | with TDEA keys | with AES keys |
//! |---|---|---|
//! | KMC → KENC, KMAC, KDEK | [`Kmc::diversify`] by [`Template`] | [`aes::Kmc::diversify_kdf3`] |
//! | → session keys | [`CardKeys::scp02_session`] | [`aes::CardKeys::scp03_session`] |
//!
//! No step adjusts parity.

pub mod aes;
pub mod scp02;
pub mod scp03;
mod templates;

use crate::code::public_code;
pub use crate::gp::templates::Template;

tdea::key_type! {
    /// Issuer's master key for card personalisation (KMC). It is no card's key: only what is derived from it is.
    /// ```compile_fail,E0308
    /// # use cardroot_diversify::gp::{Kenc, Kmc};
    /// fn authenticate(key: &Kenc) {}
    /// fn undiversified(master: Kmc) { authenticate(&master) }
    /// ```
    pub struct Kmc;
}

tdea::key_type! {
    /// A card's key for authentication and encryption of the secure channel (KENC).
    pub struct Kenc;
}

tdea::key_type! {
    /// A card's key for MACs of the secure channel (KMAC).
    pub struct Kmac;
}

tdea::key_type! {
    /// A card's key that encrypts confidential data and keys (KDEK).
    pub struct Kdek;
}

public_code! {
    /// A card's proof that it holds the keys of the session: it answers the host's challenge. Public.
    pub struct CardCryptogram([u8; 8]);
}

public_code! {
    /// A host's proof that it holds the keys of the session: it answers the card's challenge. Public.
    pub struct HostCryptogram([u8; 8]);
}

/// Key diversification data: the first 10 bytes of a card's answer to INITIALIZE UPDATE. Public.
#[doc(alias = "KEYDATA")]
pub type KeyData = [u8; 10];

/// The three keys of a card.
#[derive(Debug)]
pub struct CardKeys {
    /// Authentication and encryption of the secure channel.
    pub enc: Kenc,
    /// MACs of the secure channel.
    pub mac: Kmac,
    /// Encryption of confidential data and keys.
    pub dek: Kdek,
}
