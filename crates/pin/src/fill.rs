//! Random fill. Every call draws the same amount, whatever the PIN.

use rand_core::CryptoRng;
use zeroize::Zeroizing;

use crate::field::FILL_LEN;
use crate::nibbles;

/// A fill for format 3 with a nibble outside `A` to `F`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("fill nibble {position} is not A to F")]
pub struct InvalidFill {
    /// Index of the first such nibble, from 0.
    pub position: usize,
}

/// Uniform bytes.
pub(crate) fn random<const N: usize>(rng: &mut impl CryptoRng) -> Zeroizing<[u8; N]> {
    let mut fill = Zeroizing::new([0u8; N]);
    rng.fill_bytes(&mut *fill);
    fill
}

/// Nibbles `A` to `F`.
pub(crate) fn random_a_to_f(rng: &mut impl CryptoRng) -> Zeroizing<[u8; FILL_LEN]> {
    let mut nibbles = Zeroizing::new([0u8; 2 * FILL_LEN]);
    nibbles.fill_with(|| a_to_f(rng.next_u32()));
    let mut fill = Zeroizing::new([0u8; FILL_LEN]);
    nibbles::join(&*nibbles, &mut *fill);
    fill
}

/// Refuses a fill with a nibble below `A`.
pub(crate) fn check_a_to_f(fill: &[u8; FILL_LEN]) -> Result<(), InvalidFill> {
    let mut nibbles = [0u8; 2 * FILL_LEN];
    nibbles::split(fill, &mut nibbles);
    match nibbles.iter().position(|nibble| *nibble < 0xA) {
        Some(position) => Err(InvalidFill { position }),
        None => Ok(()),
    }
}

/// Scales 32 random bits down to six values. No value is likelier than another by more than 2^-32, and unlike
/// drawing again this ends with any generator.
fn a_to_f(random: u32) -> u8 {
    let [.., value] = ((u64::from(random) * 6) >> 32).to_be_bytes();
    0xA + value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn six_equal_parts_of_the_draw_give_a_to_f() {
        assert_eq!([0, u32::MAX / 6].map(a_to_f), [0xA, 0xA]);
        assert_eq!([u32::MAX / 6 + 1, u32::MAX / 2].map(a_to_f), [0xB, 0xC]);
        assert_eq!([u32::MAX / 2 + 1, u32::MAX].map(a_to_f), [0xD, 0xF]);
        for sixth in 0..6u32 {
            assert_eq!(u32::from(a_to_f(u32::MAX / 6 * sixth + 1_000)), 0xA + sixth);
        }
    }

    #[test]
    fn fill_below_a_is_refused_with_its_position() {
        assert_eq!(check_a_to_f(&[0xAF; 7]), Ok(()));
        for position in 0..14 {
            let mut fill = [0xFF; 7];
            fill[position / 2] = if position % 2 == 0 { 0x9F } else { 0xF9 };
            assert_eq!(check_a_to_f(&fill), Err(InvalidFill { position }));
        }
    }
}
