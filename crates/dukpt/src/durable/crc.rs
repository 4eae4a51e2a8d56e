//! The checksum that tells a whole record from a torn one.

/// CRC-32 as in ISO 3309 and zlib: polynomial `04C11DB7`, reflected. Bit by bit: a record is some hundred bytes, and firmware
/// has better uses for a table of 1 KiB.
#[derive(Clone, Copy, Debug)]
pub(super) struct Crc32(u32);

const POLYNOMIAL_REFLECTED: u32 = 0xEDB8_8320;

impl Crc32 {
    pub(super) const fn new() -> Self {
        Self(u32::MAX)
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 ^= u32::from(*byte);
            for _ in 0..u8::BITS {
                let carry = if self.0 & 1 == 0 { 0 } else { POLYNOMIAL_REFLECTED };
                self.0 = self.0 >> 1 ^ carry;
            }
        }
    }

    pub(super) const fn value(self) -> u32 {
        !self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value of the CRC catalogues.
    #[test]
    fn nine_digits_give_the_check_value_whole_or_in_pieces() {
        let mut crc = Crc32::new();
        assert_eq!(crc.value(), 0);
        crc.update(b"1234");
        crc.update(b"56789");
        assert_eq!(crc.value(), 0xCBF4_3926);
    }
}
