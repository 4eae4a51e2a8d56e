//! The expected length (Le) of response data.

use core::num::NonZeroU32;

/// Expected length (Le): how many bytes of response data the sender takes at most, 1 to 65536.
///
/// A command without the Le field has none: `Option<Le>` keeps "absent" apart from the coding `00`, which means 256.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Le(NonZeroU32);

impl Le {
    /// As much as a short command can ask for: 256, coded `00`.
    pub const MAX_SHORT: Self = Self::from_short_byte(0);
    /// As much as an extended command can ask for: 65536, coded `0000`.
    pub const MAX_EXTENDED: Self = Self::from_extended_bytes([0, 0]);

    /// An expected length of `bytes`, or `None` unless it is 1 to 65536.
    #[must_use]
    pub const fn new(bytes: u32) -> Option<Self> {
        match NonZeroU32::new(bytes) {
            Some(bytes) if bytes.get() <= 65536 => Some(Self(bytes)),
            _ => None,
        }
    }

    /// Reads the one-byte coding: `00` means 256. Also the SW2 of `61XX` and `6CXX`.
    #[must_use]
    pub const fn from_short_byte(byte: u8) -> Self {
        match NonZeroU32::new(byte as u32) {
            Some(bytes) => Self(bytes),
            None => Self(NonZeroU32::new(256).expect("256 is not zero")),
        }
    }

    /// Reads the two-byte coding: `0000` means 65536.
    #[must_use]
    pub const fn from_extended_bytes(bytes: [u8; 2]) -> Self {
        match NonZeroU32::new(u16::from_be_bytes(bytes) as u32) {
            Some(bytes) => Self(bytes),
            None => Self(NonZeroU32::new(65536).expect("65536 is not zero")),
        }
    }

    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        self.0.get()
    }

    /// The one-byte coding, or `None` over 256.
    #[must_use]
    pub const fn to_short_byte(self) -> Option<u8> {
        match self.bytes().to_be_bytes() {
            [0, 0, 0, byte] | [0, 0, 1, byte @ 0] => Some(byte),
            _ => None,
        }
    }

    /// The two-byte coding.
    #[must_use]
    pub const fn to_extended_bytes(self) -> [u8; 2] {
        // 65536 loses its only bit here: 0000 is its coding.
        let [_, _, high, low] = self.bytes().to_be_bytes();
        [high, low]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_survives_its_coding() {
        for bytes in 1..=65536 {
            let le = Le::new(bytes).unwrap();
            assert_eq!(Le::from_extended_bytes(le.to_extended_bytes()), le);
            assert_eq!(le.to_short_byte().map(Le::from_short_byte), (bytes <= 256).then_some(le));
        }
    }

    #[test]
    fn nothing_and_more_than_65536_are_no_length() {
        assert_eq!(Le::new(0), None);
        assert_eq!(Le::new(65537), None);
        assert_eq!(Le::MAX_SHORT.bytes(), 256);
        assert_eq!(Le::MAX_EXTENDED.bytes(), 65536);
    }
}
