//! Keys under keys that are offset by a count.

use alloc::string::String;
use alloc::vec::Vec;

use smid::csm::{Count, Cryptogram};
use tdea::{BLOCK_LEN, Mode, TdeaKey};
use zeroize::Zeroizing;

use crate::tdea_keys::Kek;

/// Where the 56 bits of a count are XORed onto each half of the key encrypting key.
///
/// Sources say that the count is 56 bits and is XORed, not where. With [`RightAligned`](Self::RightAligned) seven bits of a count, the lowest and
/// every eighth above it, fall on parity bits, so 128 counts make one and the same cipher key: what was sent under one of them decrypts under
/// the others. The counts of messages differ all the same, and a key that comes again is refused while it is in use or in the archive.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CountPlacement {
    /// A zero byte, then the 7 bytes of the count.
    RightAligned,
    /// 7 bits of the count in the upper bits of each byte: no bit falls on a parity bit.
    SkippingParity,
}

impl CountPlacement {
    pub(super) const fn mask(self, count: Count) -> [u8; BLOCK_LEN] {
        let count = count.value();
        match self {
            Self::RightAligned => count.to_be_bytes(),
            Self::SkippingParity => {
                let (mut mask, mut byte) = (0, 0);
                while byte < BLOCK_LEN {
                    mask |= ((count >> (7 * byte)) & 0x7F) << (8 * byte + 1);
                    byte += 1;
                }
                u64::to_be_bytes(mask)
            }
        }
    }
}

/// Encrypts a key part by part under `kek` offset by `count`, in hexadecimal.
pub(super) fn wrap(kek: &Kek, placement: CountPlacement, count: Count, key: &[u8]) -> String {
    // Encrypted in place: no clear copy is left on the heap.
    let mut cryptogram: Vec<u8> = key.to_vec();
    let offset = kek.expose_key().variant(&placement.mask(count));
    offset.cipher().encrypt(Mode::Ecb, &mut cryptogram).expect("keys are whole blocks");
    base16ct::upper::encode_string(&cryptogram)
}

/// Decrypts what [`wrap`] made.
pub(super) fn unwrap(
    kek: &Kek,
    placement: CountPlacement,
    count: Count,
    cryptogram: &Cryptogram<'_>,
) -> Zeroizing<Vec<u8>> {
    let mut key: Zeroizing<Vec<u8>> = Zeroizing::new(cryptogram.bytes().collect());
    let offset: TdeaKey = kek.expose_key().variant(&placement.mask(count));
    offset.cipher().decrypt(Mode::Ecb, &mut key).expect("the cryptogram of a key field is whole blocks");
    key
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_bit_of_a_count_is_lost_and_none_falls_on_parity_if_it_is_skipped() {
        let all = CountPlacement::SkippingParity.mask(Count::MAX);
        assert_eq!(all, [0xFE; 8]);
        assert_eq!(CountPlacement::RightAligned.mask(Count::MAX), [0, 255, 255, 255, 255, 255, 255, 255]);
        let mut seen = 0;
        for bit in 0..56 {
            let mask = CountPlacement::SkippingParity.mask(Count::new(1 << bit).expect("56 bits"));
            let mask = u64::from_be_bytes(mask);
            assert_eq!((mask.count_ones(), mask & seen), (1, 0));
            seen |= mask;
        }
    }
}
