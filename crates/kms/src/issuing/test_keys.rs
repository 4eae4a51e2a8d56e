//! Keys that the whole world knows.

use subtle::ConstantTimeEq;
use tdea::TdeaKey;

/// Where a known key is known from, and its bytes.
const KNOWN: [(&str, [u8; 16]); 7] = [
    ("GlobalPlatform default", 0x404142434445464748494A4B4C4D4E4F_u128.to_be_bytes()),
    ("X9.24-1 Annex A base key", 0x0123456789ABCDEFFEDCBA9876543210_u128.to_be_bytes()),
    ("counting from 00", 0x000102030405060708090A0B0C0D0E0F_u128.to_be_bytes()),
    ("counting from 10", 0x101112131415161718191A1B1C1D1E1F_u128.to_be_bytes()),
    ("00 to FF in 11", 0x00112233445566778899AABBCCDDEEFF_u128.to_be_bytes()),
    ("11 to 00 in 11", 0x112233445566778899AABBCCDDEEFF00_u128.to_be_bytes()),
    ("11 to FF in decimal and hexadecimal", 0x11223344556677889900AABBCCDDEEFF_u128.to_be_bytes()),
];

/// Which known test key this is, parity bits aside: one of a list, or one whose bytes are all the same (the factory's `FF`
/// and the programmer's `00` among them).
///
/// The comparison takes the same time whatever key it is; that a key is refused is no secret.
pub(super) fn name(key: &TdeaKey) -> Option<&'static str> {
    let bytes = key.expose_bytes();
    let known = KNOWN.iter().find(|(_, known)| same(bytes, known)).map(|(name, _)| *name);
    let first = bytes.first().copied().unwrap_or_default();
    let uniform = bytes.iter().fold(0, |difference, byte| difference | (byte ^ first)) & 0xFE;
    known.or_else(|| bool::from(uniform.ct_eq(&0)).then_some("one byte repeated"))
}

fn same(bytes: &[u8], known: &[u8; 16]) -> bool {
    let difference = bytes.iter().zip(known).fold(0, |difference, (a, b)| difference | (a ^ b));
    bytes.len() == known.len() && bool::from((difference & 0xFE).ct_eq(&0))
}

#[cfg(test)]
mod tests {
    use tdea::KeyLength;

    use super::*;

    #[test]
    fn known_keys_are_known_whatever_their_parity() {
        for (name_of, bytes) in KNOWN {
            assert_eq!(name(&TdeaKey::from(bytes)), Some(name_of));
            assert_eq!(name(&TdeaKey::from(bytes.map(|byte| byte ^ 1))), Some(name_of));
        }
        for byte in [0x00, 0xFF, 0x88] {
            assert_eq!(name(&TdeaKey::from([byte; 16])), Some("one byte repeated"));
        }
    }

    #[test]
    fn a_key_one_bit_away_is_not_known() {
        for (_, bytes) in KNOWN {
            let mut bytes = bytes;
            bytes[15] ^= 0x02;
            assert_eq!(name(&TdeaKey::from(bytes)), None);
        }
        let mut rng = rand_core::UnwrapErr(getrandom::SysRng);
        assert_eq!(name(&TdeaKey::generate(KeyLength::Double, &mut rng)), None);
    }
}
