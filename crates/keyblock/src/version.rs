//! The versions of key blocks.

use core::fmt;

/// Version of a key block: how the key is protected, and where encryption and authentication take their keys from.
///
/// | version | keys from the protection key | encryption | MAC |
/// |---|---|---|---|
/// | A, C | variants: XOR `45…`, XOR `4D…` | TDEA-CBC from the first 8 characters of the header | 4 bytes of the TDEA CBC-MAC of header and ciphertext |
/// | B | TDEA-CMAC | TDEA-CBC from the MAC | TDEA-CMAC of header and clear payload, 8 bytes |
/// | D | AES-CMAC | AES-CBC from the MAC | AES-CMAC of header and clear payload, 16 bytes |
/// | E | AES-CMAC | AES-CTR from the MAC | AES-CMAC of header and clear payload, 16 bytes |
///
/// # Source
/// ASC X9 TR-31:2018 (A to D), ANS X9.143:2021 (B to D), ISO 20038:2017 (D, E).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Version {
    /// Variants of the protection key, as TR-31:2005 has it. Withdrawn: for reading and for systems that know no other.
    A,
    /// Keys derived from a TDEA protection key.
    B,
    /// As [`A`](Self::A), with header fields that were defined more exactly.
    C,
    /// Keys derived from an AES protection key, CBC.
    D,
    /// Keys derived from an AES protection key, counter mode: the payload needs no padding.
    E,
}

impl Version {
    const ALL: [Self; 5] = [Self::A, Self::B, Self::C, Self::D, Self::E];

    /// The first character of a block.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::A => b'A',
            Self::B => b'B',
            Self::C => b'C',
            Self::D => b'D',
            Self::E => b'E',
        }
    }

    pub(crate) fn decode(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|version| version.code() == code)
    }

    /// Length of a block of the cipher, in bytes. Headers are whole blocks too, in characters.
    pub(crate) const fn block_len(self) -> usize {
        match self {
            Self::A | Self::B | Self::C => tdea::BLOCK_LEN,
            Self::D | Self::E => aeskey::BLOCK_LEN,
        }
    }

    /// What the length of a ciphertext is a multiple of, in bytes.
    pub(crate) const fn payload_unit(self) -> usize {
        match self {
            Self::A | Self::B | Self::C | Self::D => self.block_len(),
            Self::E => 1,
        }
    }

    /// Length of the MAC, in bytes.
    pub(crate) const fn mac_len(self) -> usize {
        match self {
            Self::A | Self::C => 4,
            Self::B => 8,
            Self::D | Self::E => 16,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        char::from(self.code()).fmt(f)
    }
}
