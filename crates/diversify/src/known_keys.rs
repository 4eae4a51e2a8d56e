//! Keys that everybody knows.

use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use tdea::TdeaKey;
use zeroize::Zeroizing;

/// Length of the keys in the list: a longer key is judged by its first 16 bytes.
const LEN: usize = 16;

/// Parity bits make no difference to what a key encrypts, nor here.
const WITHOUT_PARITY: u8 = 0xFE;

/// Published test keys and factory defaults, beside the keys that repeat one byte.
const KNOWN: [(&str, [u8; LEN]); 10] = [
    (
        "the GlobalPlatform default key 40..4F",
        [0x40, 0x41, 0x42, 0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4A, 0x4B, 0x4C, 0x4D, 0x4E, 0x4F],
    ),
    (
        "the example key 0011..EEFF",
        [0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF],
    ),
    (
        "the example key 1122..EEFF",
        [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0x00, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF],
    ),
    (
        "the example key 1122..FF00",
        [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99, 0xAA, 0xBB, 0xCC, 0xDD, 0xEE, 0xFF, 0x00],
    ),
    (
        "the example key 00..0F",
        [0x00, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F],
    ),
    (
        "the example key 10..1F",
        [0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1A, 0x1B, 0x1C, 0x1D, 0x1E, 0x1F],
    ),
    (
        "the example key 1122..7788, twice",
        [0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88],
    ),
    (
        "the example key 0123..3210",
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10],
    ),
    (
        "the example key 0123..CDEF, twice",
        [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF],
    ),
    (
        "the example key FEDC..CDEF",
        [0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10, 0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF],
    ),
];

/// Names the published test key or factory default that `key` is, parity bits left out of account.
///
/// For production systems, which must refuse such keys wherever one comes in. Every key that repeats one byte is among
/// them: `FF` and `00` are factory defaults, `36`, `39` or `3F` what the examples of FMCOS cards load. A triple-length
/// key is known if its first 16 bytes are.
///
/// # Security
/// All entries are compared in constant time, whichever matches; only the verdict shows.
///
/// # Examples
/// ```
/// # use cardroot_diversify::known_test_key;
/// assert!(known_test_key(&[0xFF; 16].into()).is_some());
/// ```
#[must_use]
pub fn known_test_key(key: &TdeaKey) -> Option<&'static str> {
    let bytes = masked(key.expose_bytes());
    let mut found = one_byte_repeated(&bytes).unwrap_u8();
    for (number, (_, known)) in (2..).zip(&KNOWN) {
        found.conditional_assign(&number, bytes.ct_eq(&*masked(known)));
    }
    match found {
        0 => None,
        1 => Some("a key that repeats one byte"),
        number => KNOWN.get(usize::from(number - 2)).map(|(name, _)| *name),
    }
}

/// The first 16 bytes without their parity bits.
fn masked(key: &[u8]) -> Zeroizing<[u8; LEN]> {
    let mut masked = Zeroizing::new([0; LEN]);
    for (out, byte) in masked.iter_mut().zip(key) {
        *out = byte & WITHOUT_PARITY;
    }
    masked
}

fn one_byte_repeated(bytes: &[u8; LEN]) -> Choice {
    let [first, rest @ ..] = bytes;
    rest.iter().fold(Choice::from(1), |same, byte| same & byte.ct_eq(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_key_is_found_whatever_its_parity_bits() {
        for (name, bytes) in KNOWN {
            assert_eq!(known_test_key(&bytes.into()), Some(name));
            assert_eq!(known_test_key(&TdeaKey::from(bytes).into_odd_parity()), Some(name));
        }
    }

    #[test]
    fn one_byte_repeated_is_found_at_both_lengths() {
        for byte in 0..=u8::MAX {
            assert!(known_test_key(&[byte; 16].into()).is_some());
            assert!(known_test_key(&[byte; 24].into()).is_some());
        }
    }

    #[test]
    fn a_triple_length_key_is_known_by_its_first_16_bytes() {
        let long = TdeaKey::from_fill(tdea::KeyLength::Triple, |out| {
            for (out, byte) in out.iter_mut().zip(0x40..) {
                *out = byte;
            }
        });
        assert_eq!(known_test_key(&long), Some(KNOWN[0].0));
    }

    #[test]
    fn any_other_key_is_not_known() {
        for (_, bytes) in KNOWN {
            for position in 0..LEN {
                let mut other = bytes;
                other[position] ^= 0x10;
                assert_eq!(known_test_key(&other.into()), None);
            }
        }
    }
}
