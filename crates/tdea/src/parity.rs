//! Odd parity of DES key bytes: the lowest bit of each byte makes the number of ones odd.

/// Returns `byte` with its lowest bit set so that the byte has odd parity.
pub(crate) const fn odd(byte: u8) -> u8 {
    let upper = byte & 0xFE;
    upper | (fold(upper) ^ 1)
}

/// Returns 1 if `byte` has an odd number of ones, else 0. Shifts only: no table, no branch on the byte.
const fn fold(byte: u8) -> u8 {
    let nibble = byte ^ (byte >> 4);
    let pair = nibble ^ (nibble >> 2);
    (pair ^ (pair >> 1)) & 1
}

/// Sets odd parity on every byte.
pub(crate) fn adjust(bytes: &mut [u8]) {
    for byte in bytes {
        *byte = odd(*byte);
    }
}

/// Returns the position of the first byte of even parity; `bytes` are the bytes of a key, 24 at most.
///
/// Only the verdict is branched on.
pub(crate) fn first_even(bytes: &[u8]) -> Option<usize> {
    let even = bytes.iter().rev().fold(0_u32, |even, byte| (even << 1) | u32::from(fold(*byte) ^ 1));
    (even != 0).then(|| even.trailing_zeros() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_gets_odd_parity_and_keeps_its_upper_bits() {
        for byte in 0..=u8::MAX {
            assert_eq!(odd(byte).count_ones() % 2, 1);
            assert_eq!(odd(byte) & 0xFE, byte & 0xFE);
        }
    }

    #[test]
    fn the_first_byte_of_even_parity_is_named() {
        assert_eq!(first_even(&[0x01, 0x02, 0x04]), None);
        assert_eq!(first_even(&[0x01, 0x03, 0x00]), Some(1));
        assert_eq!(first_even(&[]), None);
    }
}
