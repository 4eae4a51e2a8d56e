//! *Experimental: no public vector.* Keys bound to the parties that exchange them.
//!
//! The formula is the one remembered from a textbook (Menezes, van Oorschot and Vanstone, chapter 13). No source that we could read confirms it and
//! no published value checks it, so [`Party`](super::Party) does not use it: it may change or go without notice.

use tdea::hazmat::DesKey;
use tdea::{BLOCK_LEN, KeyLength, TdeaKey};

use smid::csm::Count;

use super::CountPlacement;
use crate::tdea_keys::Kek;

/// Notarizes a key encrypting key pair: `left = E(KR ^ i_L, j_R) ^ KL ^ N`, `right = E(KL ^ j_L, i_R) ^ KR ^ N`.
///
/// `i` is the origin, `j` the destination, each 16 characters whose halves are `L` and `R`; `N` is the count. How shorter names are filled up is left
/// to the caller, since no source tells.
///
/// Returns nothing unless `kek` is of double length.
#[must_use]
pub fn notarized(
    kek: &Kek,
    origin: &[u8; 16],
    destination: &[u8; 16],
    placement: CountPlacement,
    count: Option<Count>,
) -> Option<Kek> {
    if kek.length() != KeyLength::Double {
        return None;
    }
    let key = kek.expose_key();
    let halves = |name: &[u8; 16]| {
        let (left, right) = name.split_at(BLOCK_LEN);
        (block(left), block(right))
    };
    let ((i_left, i_right), (j_left, j_right)) = (halves(origin), halves(destination));
    let seal = |key: DesKey, mask: [u8; BLOCK_LEN], mut text: [u8; BLOCK_LEN]| {
        let masked = DesKey::from_fill(|out| {
            for ((out, key), mask) in out.iter_mut().zip(key.expose_bytes()).zip(mask) {
                *out = key ^ mask;
            }
        });
        masked.encrypt_block(&mut text);
        text
    };
    // Nothing of the key can be told from either without the other half.
    let left = seal(DesKey::right_half(key), i_left, j_right);
    let right = seal(DesKey::left_half(key), j_left, i_right);
    let notarized = TdeaKey::from_fill(KeyLength::Double, |out| {
        for (out, (key, seal)) in out.iter_mut().zip(key.expose_bytes().iter().zip(left.iter().chain(&right)))
        {
            *out = key ^ seal;
        }
    });
    Some(Kek::from_key(match count {
        Some(count) => notarized.variant(&placement.mask(count)),
        None => notarized,
    }))
}

fn block(half: &[u8]) -> [u8; BLOCK_LEN] {
    half.try_into().expect("half of 16 bytes is a block")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No vector confirms the formula; this only holds what any formula of its kind has to.
    #[test]
    fn every_input_changes_the_key() {
        let kek = Kek::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
        let (a, b) = (b"BANKA           ", b"BANKB           ");
        let notarize =
            |from, to, count| notarized(&kek, from, to, CountPlacement::RightAligned, count).expect("a pair");
        let plain = notarize(a, b, None);
        let others =
            [notarize(b, a, None), notarize(a, a, None), notarize(a, b, Some(Count::FIRST)), kek.duplicate()];
        assert!(others.iter().all(|other| !other.ct_eq(&plain)));
        assert!(notarize(a, b, None).ct_eq(&plain));
        let triple = Kek::from_key(TdeaKey::from([0x25; 24]));
        assert!(notarized(&triple, a, b, CountPlacement::RightAligned, None).is_none());
    }
}
