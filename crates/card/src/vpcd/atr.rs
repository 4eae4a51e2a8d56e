//! The answer to reset.

use core::fmt;

use apdu::Protocol;

use crate::profile::CardProfile;

/// Answer to reset (ATR), 2 to 33 bytes. It is public.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct Atr(Vec<u8>);

/// Bytes of no length that an answer to reset has.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an answer to reset is 2 to 33 bytes, found {found}")]
pub struct AtrError {
    /// Bytes supplied.
    pub found: usize,
}

impl Atr {
    /// The answer to reset of such a card, made to announce `protocol`.
    ///
    /// ```text
    /// T=0  3B 6D 00 00 | historical bytes (13)
    /// T=1  3B ED 00 00 01 | historical bytes (13) | check byte: XOR of all but the first
    /// ```
    ///
    /// # Source
    /// ISO/IEC 7816-3:2006 8.2. [`CardProfile::atr`] has the historical bytes.
    #[must_use]
    pub fn of(profile: &CardProfile, protocol: Protocol) -> Self {
        let plain = profile.atr();
        if protocol == Protocol::T0 {
            return Self(plain.to_vec());
        }
        const TD1_PRESENT: u8 = 0x80;
        let [ts, t0, tb1, tc1, historical @ ..] = plain;
        let mut atr = vec![ts, t0 | TD1_PRESENT, tb1, tc1, 0x01];
        atr.extend(historical);
        atr.push(atr.iter().skip(1).fold(0, |check, byte| check ^ byte));
        Self(atr)
    }

    /// The shortest answer to reset that announces `protocol`, of a card with nothing to say about itself.
    ///
    /// ```text
    /// T=0  3B 00
    /// T=1  3B 80 01 81
    /// ```
    ///
    /// # Source
    /// ISO/IEC 7816-3:2006 8.2.
    #[must_use]
    pub fn bare(protocol: Protocol) -> Self {
        match protocol {
            Protocol::T0 => Self(vec![0x3B, 0x00]),
            Protocol::T1 => Self(vec![0x3B, 0x80, 0x01, 0x81]),
        }
    }

    /// Its bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl TryFrom<&[u8]> for Atr {
    type Error = AtrError;

    /// Takes the bytes as they are; what is in them is between the card and its readers.
    fn try_from(bytes: &[u8]) -> Result<Self, AtrError> {
        match bytes.len() {
            2..=33 => Ok(Self(bytes.to_vec())),
            found => Err(AtrError { found }),
        }
    }
}

impl fmt::Debug for Atr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Atr({:02X?})", self.0)
    }
}
