//! Check values of a session, to be looked at before the host commits itself.

use core::fmt;

use aeskey::AesKey;
use tdea::{Kcv, KcvMethod};

/// Check values of the three keys of a card.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct KeyCheckValues {
    /// Of the key for encryption.
    pub enc: Kcv,
    /// Of the key for MACs.
    pub mac: Kcv,
    /// Of the key that encrypts data.
    pub dek: Kcv,
}

/// Check values of the keys of one session.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SessionCheckValues {
    /// Of S-ENC.
    pub enc: Kcv,
    /// Of S-MAC.
    pub mac: Kcv,
    /// Of S-RMAC.
    pub rmac: Kcv,
    /// Of S-DEK, which protocol 03 does not have.
    pub dek: Option<Kcv>,
}

/// Check values to compare with those of the keys that were meant, before EXTERNAL AUTHENTICATE costs one of the card's
/// tries: a template for another card, or a master that was never diversified, shows here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CheckValues {
    /// Of the card's keys.
    pub card: KeyCheckValues,
    /// Of the keys derived from them for this session.
    pub session: SessionCheckValues,
}

impl fmt::Display for CheckValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut show = |name: &str, kcv: &Kcv| {
            write!(f, "{name} ")?;
            kcv.as_bytes().iter().try_for_each(|byte| write!(f, "{byte:02X}"))
        };
        show("ENC", &self.card.enc)?;
        show(" MAC", &self.card.mac)?;
        show(" DEK", &self.card.dek)?;
        show(", session ENC", &self.session.enc)?;
        show(" MAC", &self.session.mac)?;
        show(" RMAC", &self.session.rmac)?;
        self.session.dek.as_ref().map_or(Ok(()), |dek| show(" DEK", dek))
    }
}

/// GlobalPlatform's check value of an AES key.
pub(in crate::secure) fn aes_kcv(key: &AesKey) -> Kcv {
    key.kcv_by(KcvMethod::AesOnes, Kcv::USUAL_LEN).expect("3 bytes of an AES method")
}
