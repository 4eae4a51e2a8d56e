//! Option B: 16 digits of a hash over all digits of PAN and PSN, for PANs of more than 16 digits.

use sha1::{Digest, Sha1};

use crate::emv::{PanPsn, option_a};
use crate::factor::Factor;

/// Longest PAN that option A takes whole.
const OPTION_A_DIGITS: usize = 16;
/// PAN and PSN in BCD: 21 digits at most.
const MAX_BCD_LEN: usize = 11;

/// As [`option_a::factor`] for a PAN of up to 16 digits, else the decimalised hash of PAN and PSN.
pub(super) fn factor(card: &PanPsn<'_>) -> Factor {
    if card.pan_digits() <= OPTION_A_DIGITS {
        return option_a::factor(card);
    }
    let mut bcd = [0; MAX_BCD_LEN];
    let len = card.digit_count().div_ceil(2);
    let bcd = bcd.get_mut(..len).expect("PAN and PSN are at most 21 digits");
    card.fill_bcd(bcd);
    decimalise(&Sha1::digest(&*bcd).into())
}

/// The hash's decimal digits from the left; where they are too few, its letters from the left, `A` as 0 to `F` as 5.
fn decimalise(hash: &[u8; 20]) -> Factor {
    let digits = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0F]);
    let decimal = digits.clone().filter(|digit| *digit < 10);
    let letters = digits.filter(|digit| *digit >= 10).map(|letter| letter - 10);
    let mut chosen = decimal.chain(letters);
    let mut next = || chosen.next().expect("a hash has 40 digits");
    Factor::from([(); Factor::LEN].map(|()| next() << 4 | next()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_follow_when_decimal_digits_run_out() {
        let hash = |start: [u8; 4]| {
            let mut hash = [0xFE; 20];
            hash.split_at_mut(4).0.copy_from_slice(&start);
            hash
        };
        let bytes = |hash| *decimalise(&hash).as_bytes();
        assert_eq!(bytes(hash([0x1A, 0xB2, 0x3C, 0xDD])), [0x12, 0x30, 0x12, 0x33, 0x54, 0x54, 0x54, 0x54]);
        assert_eq!(bytes([0x98; 20]), [0x98; 8]);
        assert_eq!(bytes([0xAF; 20]), [0x05; 8]);
    }
}
