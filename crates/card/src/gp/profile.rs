//! What the factory decides about a security domain.

use apdu::secure::{scp02, scp03};
use diversify::gp::KeyData;

/// Name (AID) of a security domain, 5 to 16 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DomainName {
    bytes: [u8; Self::MAX_LEN],
    len: usize,
}

/// A name of less than 5 or more than 16 bytes.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the name of a security domain is 5 to 16 bytes, found {found}")]
pub struct DomainNameError {
    /// Bytes supplied.
    pub found: usize,
}

impl DomainName {
    const MIN_LEN: usize = 5;
    const MAX_LEN: usize = 16;

    /// `A000000151000000`: GlobalPlatform's.
    pub const GLOBAL_PLATFORM: Self = Self::eight([0xA0, 0x00, 0x00, 0x01, 0x51, 0x00, 0x00, 0x00]);
    /// `A000000003000000`: Visa's, on older cards.
    pub const VISA: Self = Self::eight([0xA0, 0x00, 0x00, 0x00, 0x03, 0x00, 0x00, 0x00]);

    const fn eight([a, b, c, d, e, f, g, h]: [u8; 8]) -> Self {
        Self { bytes: [a, b, c, d, e, f, g, h, 0, 0, 0, 0, 0, 0, 0, 0], len: 8 }
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).expect("a name is at most 16 bytes")
    }

    /// Whether SELECT means this domain by `name`: all of it, its beginning, or nothing.
    pub(super) fn is_meant_by(&self, name: &[u8]) -> bool {
        name.is_empty() || (name.len() >= Self::MIN_LEN && self.as_bytes().starts_with(name))
    }
}

impl TryFrom<&[u8]> for DomainName {
    type Error = DomainNameError;

    fn try_from(name: &[u8]) -> Result<Self, DomainNameError> {
        let mut bytes = [0; Self::MAX_LEN];
        match bytes.get_mut(..name.len()) {
            Some(start) if name.len() >= Self::MIN_LEN => start.copy_from_slice(name),
            _ => return Err(DomainNameError { found: name.len() }),
        }
        Ok(Self { bytes, len: name.len() })
    }
}

/// What the factory decided about a security domain.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct DomainProfile {
    /// Its name.
    pub name: DomainName,
    /// Key diversification data, in the answer to INITIALIZE UPDATE.
    pub key_data: KeyData,
    /// Life cycle data of the chip (CPLC), tag `9F7F`.
    pub production: [u8; 42],
    /// Variant of protocol 02, for sets of TDEA keys.
    pub scp02: scp02::Implementation,
    /// Variant of protocol 03, for sets of AES keys.
    pub scp03: scp03::Implementation,
    /// Failed authentications in a row that lock the domain for good, at least one.
    pub tries: u8,
}

impl DomainProfile {
    /// A domain under GlobalPlatform's name, protocol 02 by `i` = 15 and protocol 03 by `i` = 70, ten tries.
    #[must_use]
    pub const fn new(key_data: KeyData) -> Self {
        Self {
            name: DomainName::GLOBAL_PLATFORM,
            key_data,
            production: [0; 42],
            scp02: scp02::Implementation::I15,
            scp03: scp03::Implementation::I70,
            tries: 10,
        }
    }

    /// What tells one domain from another in a store: all of it, the name behind its length.
    pub(super) fn identity(&self) -> Vec<u8> {
        let name = self.name.as_bytes();
        let len = u8::try_from(name.len()).expect("a name is at most 16 bytes");
        let choices = [self.scp02.byte(), self.scp03.byte(), self.tries];
        [&[len], name, &self.key_data, &self.production, &choices].concat()
    }
}
