//! The derivations of ANS X9.24-1 on bare keys. The types that give them a purpose are in `keys` and `working_keys`.

use tdea::hazmat::{DesKey, KeyMask};
use tdea::{BLOCK_LEN, KeyLength, TdeaKey};

use crate::counter::Counter;
use crate::ksn::Ksn;

/// XORed onto each 8-byte part for one of the halves of a derived key.
const HALF_VARIANT: [u8; BLOCK_LEN] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];
pub(crate) static HALF_MASK: KeyMask = KeyMask::new(HALF_VARIANT);

/// `E(BDK, id) || E(BDK ^ C0C0C0C0 00000000 …, id)`, `id` = first 8 bytes of the KSN, counter cleared.
pub(crate) fn initial_key(bdk: &TdeaKey, ksn: &Ksn) -> TdeaKey {
    from_halves(|halves| {
        *halves = [ksn.initial().leftmost_64_bits(); 2];
        bdk.encrypt_masked(&HALF_MASK, halves);
    })
}

/// The key of one counter, by one step for each of its ones. Judges nothing: callers refuse bad counters first.
pub(crate) fn transaction_key(initial_key: &TdeaKey, ksn: &Ksn) -> TdeaKey {
    let mut key = initial_key.duplicate();
    let mut so_far = 0;
    // From the top: each step takes the KSN with only the bits gathered so far.
    for bit in (0..Counter::BITS).rev().map(|bit| 1 << bit).filter(|bit| ksn.counter_bits() & bit != 0) {
        so_far |= bit;
        key = step(&key, &ksn.with_counter_bits(so_far));
    }
    key
}

/// "Non-reversible Key Generation Process": a child key from its parent and the KSN that names the child.
///
/// Single DES. The standard makes the right half first; the halves do not depend on each other and are made together.
pub(crate) fn step(parent: &TdeaKey, child_ksn: &Ksn) -> TdeaKey {
    from_halves(|halves| {
        *halves = [child_ksn.rightmost_64_bits(); 2];
        whiten(halves, parent);
        DesKey::left_half(parent).encrypt_masked(&HALF_MASK, halves);
        whiten(halves, parent);
        halves.reverse();
    })
}

/// `E(key, key)`: the one-way step of the 2009 data keys. Each half of a double-length key is encrypted by itself, under the
/// whole key.
pub(crate) fn one_way(key: &TdeaKey) -> TdeaKey {
    from_halves(|halves| {
        halves.as_flattened_mut().copy_from_slice(key.expose_bytes());
        key.cipher().encrypt_two(halves);
    })
}

/// XORs the right half of the key onto the first block, that of its variant onto the second.
fn whiten(blocks: &mut [[u8; BLOCK_LEN]; 2], key: &TdeaKey) {
    let right = DesKey::right_half(key);
    for (block, variant) in blocks.iter_mut().zip([[0; BLOCK_LEN], HALF_VARIANT]) {
        for ((byte, mask), variant) in block.iter_mut().zip(right.expose_bytes()).zip(variant) {
            *byte ^= mask ^ variant;
        }
    }
}

/// Builds a double-length key in place: no copy of a half stays behind.
fn from_halves(fill: impl FnOnce(&mut [[u8; BLOCK_LEN]; 2])) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |bytes| {
        fill(bytes.as_chunks_mut().0.first_chunk_mut().expect("a double-length key has two halves"));
    })
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    /// The road itself refuses nothing, so the values at refused counters show that the refusal is all that stands there.
    #[test]
    fn plain_derivation_gives_the_computed_key_at_every_edge() {
        let mut checked = 0;
        let initial_key = TdeaKey::from(0x6AC292FAA1315B4D_858AB3A3D7D5933A_u128.to_be_bytes());
        let file = include_str!("../tests/data/dukpt_tdes_counter_cases.csv");
        for row in file.lines().filter(|line| !line.starts_with('#')).skip(1) {
            let columns: Vec<&str> = row.split(',').collect();
            let ksn = base16ct::upper::decode_vec(columns[2]).unwrap();
            let key = transaction_key(&initial_key, &Ksn::try_from(&*ksn).unwrap());
            assert_eq!(base16ct::upper::encode_string(key.expose_bytes()), columns[3], "{row}");
            checked += 1;
        }
        std::println!("dukpt_tdes_counter_cases.csv: {checked} rows");
        assert_eq!(checked, 11);
    }

    /// No vector of a triple-length base key is published. With equal outer parts it is the double-length key in another
    /// form, which it would not be if the second half's variant left out the third part.
    #[test]
    fn base_key_of_three_parts_with_equal_outer_ones_gives_the_double_length_answer() {
        let ksn = Ksn::from([0x11; 10]);
        let double = TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
        let triple = TdeaKey::from_fill(KeyLength::Triple, |bytes| {
            bytes[..16].copy_from_slice(double.expose_bytes());
            bytes[16..].copy_from_slice(&double.expose_bytes()[..8]);
        });
        assert!(initial_key(&triple, &ksn).ct_eq(&initial_key(&double, &ksn)));
    }
}
