//! Keys: lengths, parity, strength, variants, generation, check values, and what `Debug` shows.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use core::convert::Infallible;

use cardroot_tdea::{Kcv, KcvError, KcvMethod, KcvMismatch, KeyError, KeyLength, StrengthError, TdeaKey};
use common::{hex, key, reference};
use proptest::prelude::*;
use rand_core::{TryCryptoRng, TryRng};

/// Odd parity throughout, all parts different, none weak.
const STRONG: &str = "0123456789ABCDEFFEDCBA9876543210456789ABCDEF0123";

fn strong(length: KeyLength) -> TdeaKey {
    key(&hex(STRONG)[..length.bytes()])
}

const LENGTHS: [KeyLength; 2] = [KeyLength::Double, KeyLength::Triple];

/// Flips the parity bits that `mask` names, its bit 0 that of the first byte.
fn flip_parity(bytes: &mut [u8], mask: u32) {
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte ^= u8::from(mask >> index & 1 == 1);
    }
}

#[test]
fn a_key_is_16_or_24_bytes() {
    for len in 0..=40 {
        let expected = match len {
            16 => Ok(KeyLength::Double),
            24 => Ok(KeyLength::Triple),
            found => Err(KeyError::Length { found }),
        };
        assert_eq!(KeyLength::try_from(len), expected);
        let bytes = common::message(len);
        assert_eq!(TdeaKey::try_from(bytes.as_slice()).map(|key| key.length()), expected);
        if let Err(error) = expected {
            assert_eq!(TdeaKey::try_from_odd_parity(&bytes).unwrap_err(), error);
        }
    }
    assert_eq!(KeyLength::Double.bytes(), 16);
    assert_eq!(KeyLength::Triple.bytes(), 24);
}

#[test]
fn every_constructor_but_generate_keeps_the_bytes() {
    // Neither all odd nor all even.
    let bytes: [u8; 24] = common::message(24).try_into().unwrap();
    let half: [u8; 16] = bytes[..16].try_into().unwrap();
    assert_eq!(TdeaKey::from(bytes).expose_bytes(), bytes);
    assert_eq!(TdeaKey::from(half).expose_bytes(), half);
    assert_eq!(key(&bytes).expose_bytes(), bytes);
    let filled = TdeaKey::from_fill(KeyLength::Double, |out| out.copy_from_slice(&half));
    assert_eq!(filled.expose_bytes(), half);
    let odd = hex(STRONG);
    assert_eq!(TdeaKey::try_from_odd_parity(&odd).unwrap().expose_bytes(), odd);
    let filled = TdeaKey::from_fill_odd_parity(KeyLength::Triple, |out| out.copy_from_slice(&odd));
    assert_eq!(filled.unwrap().expose_bytes(), odd);
}

#[test]
fn even_parity_is_refused_with_its_first_position() {
    for length in LENGTHS {
        for position in 0..length.bytes() {
            let mut bytes = strong(length).expose_bytes().to_vec();
            bytes[position..].iter_mut().for_each(|byte| *byte ^= 0x10);
            let error = KeyError::Parity { position };
            assert_eq!(key(&bytes).check_parity(), Err(error));
            assert_eq!(TdeaKey::try_from_odd_parity(&bytes).unwrap_err(), error);
            let filled = TdeaKey::from_fill_odd_parity(length, |out| out.copy_from_slice(&bytes));
            assert_eq!(filled.unwrap_err(), error);
        }
        assert_eq!(strong(length).check_parity(), Ok(()));
    }
}

proptest! {
    #[test]
    fn adjusting_parity_changes_parity_bits_only(bytes in any::<[u8; 24]>()) {
        let adjusted = TdeaKey::from(bytes).into_odd_parity();
        prop_assert_eq!(adjusted.check_parity(), Ok(()));
        for (old, new) in bytes.iter().zip(adjusted.expose_bytes()) {
            prop_assert_eq!(old & 0xFE, new & 0xFE);
            prop_assert_eq!(new.count_ones() % 2, 1);
        }
        prop_assert_eq!(adjusted.kcv_by(KcvMethod::TdeaZeros, 8), TdeaKey::from(bytes).kcv_by(KcvMethod::TdeaZeros, 8));
    }

    #[test]
    fn a_variant_of_a_variant_is_the_key(bytes in any::<[u8; 24]>(), mask in any::<[u8; 8]>()) {
        for key in [key(&bytes), key(&bytes[..16])] {
            let variant = key.variant(&mask);
            prop_assert_eq!(variant.length(), key.length());
            for (part, old) in variant.expose_bytes().chunks(8).zip(key.expose_bytes().chunks(8)) {
                prop_assert!(part.iter().zip(old).zip(mask).all(|((new, old), mask)| *new == old ^ mask));
            }
            prop_assert!(variant.variant(&mask).ct_eq(&key));
        }
    }

    #[test]
    fn equality_looks_at_every_bit_and_at_the_length(bytes in any::<[u8; 24]>(), bit in 0..192_usize) {
        let mut other = bytes;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(key(&bytes).ct_eq(&key(&bytes).duplicate()));
        prop_assert!(!key(&bytes).ct_eq(&key(&other)));
        prop_assert!(!key(&bytes).ct_eq(&key(&bytes[..16])));
    }
}

#[test]
fn equal_parts_are_found_whatever_their_parity() {
    let parts: Vec<[u8; 8]> = hex(STRONG).as_chunks().0.to_vec();
    let [a, b, _] = parts[..] else { unreachable!() };
    for (parts, error) in [
        (vec![a, a], StrengthError::PartsEqual { first: 1, second: 2 }),
        (vec![a, a, b], StrengthError::PartsEqual { first: 1, second: 2 }),
        (vec![a, b, a], StrengthError::PartsEqual { first: 1, second: 3 }),
        (vec![b, a, a], StrengthError::PartsEqual { first: 2, second: 3 }),
        (vec![a, a, a], StrengthError::PartsEqual { first: 1, second: 2 }),
    ] {
        for mask in [0, 1, 0x80, 0xFF00, 0x0080_4001, 0x00FF_FFFF] {
            let mut bytes = parts.concat();
            flip_parity(&mut bytes, mask);
            assert_eq!(key(&bytes).check_strength(), Err(error));
        }
    }
    for length in LENGTHS {
        assert_eq!(strong(length).check_strength(), Ok(()));
    }
}

#[test]
fn parts_that_differ_in_one_key_bit_are_different() {
    for bit in (0..64_u32).filter(|bit| bit % 8 != 0) {
        let part = u64::from_be_bytes(hex(STRONG)[..8].try_into().unwrap());
        let bytes = [part.to_be_bytes(), (part ^ (1 << bit)).to_be_bytes()].concat();
        assert_eq!(key(&bytes).check_strength(), Ok(()), "bit {bit}");
    }
}

/// NIST SP 800-67: the weak keys, and the semi-weak ones in their pairs.
const WEAK: [&str; 4] = ["0101010101010101", "FEFEFEFEFEFEFEFE", "E0E0E0E0F1F1F1F1", "1F1F1F1F0E0E0E0E"];
const SEMI_WEAK: [[&str; 2]; 6] = [
    ["01FE01FE01FE01FE", "FE01FE01FE01FE01"],
    ["1FE01FE00EF10EF1", "E01FE01FF10EF10E"],
    ["01E001E001F101F1", "E001E001F101F101"],
    ["1FFE1FFE0EFE0EFE", "FE1FFE1FFE0EFE0E"],
    ["011F011F010E010E", "1F011F010E010E01"],
    ["E0FEE0FEF1FEF1FE", "FEE0FEE0FEF1FEF1"],
];

fn part(digits: &str) -> [u8; 8] {
    hex(digits).try_into().unwrap()
}

#[test]
fn the_listed_keys_are_weak_and_semi_weak_by_what_they_do() {
    let block = *b"cardroot";
    for weak in WEAK.map(part) {
        let twice = reference::des_encrypt(&weak, reference::des_encrypt(&weak, block));
        assert_eq!(twice, block);
    }
    for [one, other] in SEMI_WEAK.map(|pair| pair.map(part)) {
        assert_eq!(reference::des_encrypt(&other, reference::des_encrypt(&one, block)), block);
        assert_ne!(reference::des_encrypt(&one, reference::des_encrypt(&one, block)), block);
    }
}

#[test]
fn weak_and_semi_weak_parts_are_found_in_every_place_whatever_their_parity() {
    let semi_weak = SEMI_WEAK.as_flattened().iter().map(|digits| (part(digits), false));
    for (listed, weak) in WEAK.iter().map(|digits| (part(digits), true)).chain(semi_weak) {
        for length in LENGTHS {
            for place in 0..length.bytes() / 8 {
                for mask in [0, 1, 0x80, 0x5A, 0xFF] {
                    let mut bytes = strong(length).expose_bytes().to_vec();
                    let bad = &mut bytes[8 * place..][..8];
                    bad.copy_from_slice(&listed);
                    flip_parity(bad, mask);
                    let part = u8::try_from(place).unwrap() + 1;
                    let error =
                        if weak { StrengthError::Weak { part } } else { StrengthError::SemiWeak { part } };
                    assert_eq!(key(&bytes).check_strength(), Err(error));
                }
            }
        }
    }
}

#[test]
fn equal_parts_are_named_before_weak_ones() {
    let weak = part(WEAK[0]);
    let error = StrengthError::PartsEqual { first: 1, second: 2 };
    assert_eq!(key(&[weak, weak].concat()).check_strength(), Err(error));
}

/// Gives out the bytes it was made of, in their order.
struct Scripted<'a>(&'a [u8]);

impl TryRng for Scripted<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("keys are drawn in bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("keys are drawn in bytes")
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        let (next, rest) = self.0.split_at(out.len());
        out.copy_from_slice(next);
        self.0 = rest;
        Ok(())
    }
}

impl TryCryptoRng for Scripted<'_> {}

#[test]
fn generation_draws_again_after_a_bad_key_and_adjusts_parity() {
    for length in LENGTHS {
        let good = strong(length);
        let mut even = good.expose_bytes().to_vec();
        flip_parity(&mut even, 0x00FF_FFFF);
        let zeros = vec![0; length.bytes()];
        let weak = [&part(WEAK[2]), &good.expose_bytes()[8..]].concat();
        let script = [zeros, weak, even].concat();
        let mut rng = Scripted(&script);
        assert!(TdeaKey::generate(length, &mut rng).ct_eq(&good));
        assert!(rng.0.is_empty());
    }
}

#[test]
fn check_values_by_every_method_and_length() {
    for length in LENGTHS {
        let key = strong(length);
        let zeros = reference::tdea_encrypt(key.expose_bytes(), [0; 8]);
        let cmac = reference::cmac(key.expose_bytes(), &[0; 8]);
        for len in 2..=8 {
            for (method, block) in [(KcvMethod::TdeaZeros, zeros), (KcvMethod::TdeaCmac, cmac)] {
                let kcv = key.kcv_by(method, len).unwrap();
                assert_eq!(kcv.as_bytes(), &block[..len]);
                assert_eq!(kcv.method(), method);
            }
        }
        assert_eq!(key.kcv(), key.kcv_by(KcvMethod::TdeaZeros, Kcv::USUAL_LEN).unwrap());
    }
}

#[test]
fn the_check_value_of_a_known_key() {
    let key = key(&hex("0123456789ABCDEFFEDCBA9876543210"));
    assert_eq!(key.kcv().to_string(), "08D7B4");
    assert_eq!(format!("{:?}", key.kcv()), "Kcv(TdeaZeros, 08D7B4)");
}

#[test]
fn check_values_of_lengths_and_methods_that_do_not_exist() {
    let key = strong(KeyLength::Double);
    for method in [KcvMethod::TdeaZeros, KcvMethod::TdeaCmac] {
        for found in [0, 1, 9, 16, usize::MAX] {
            assert_eq!(key.kcv_by(method, found).unwrap_err(), KcvError::Length { max: 8, found });
        }
    }
    for method in [KcvMethod::AesZeros, KcvMethod::AesOnes, KcvMethod::AesCmac, KcvMethod::Sm4Zeros] {
        assert_eq!(key.kcv_by(method, 3).unwrap_err(), KcvError::Cipher);
    }
    for (method, max) in [
        (KcvMethod::TdeaZeros, 8),
        (KcvMethod::TdeaCmac, 8),
        (KcvMethod::AesZeros, 16),
        (KcvMethod::AesOnes, 16),
        (KcvMethod::AesCmac, 16),
        (KcvMethod::Sm4Zeros, 16),
    ] {
        assert_eq!(method.max_len(), max);
        for found in [0, 1, max + 1] {
            assert_eq!(Kcv::new(method, &vec![0; found]).unwrap_err(), KcvError::Length { max, found });
        }
        for len in [2, max] {
            assert_eq!(Kcv::new(method, &common::message(len)).unwrap().as_bytes(), common::message(len));
        }
    }
}

#[test]
fn check_values_agree_in_method_length_and_bytes() {
    let kcv = |method, digits| Kcv::new(method, &hex(digits)).unwrap();
    let value = kcv(KcvMethod::TdeaZeros, "08D7B4");
    assert_eq!(value.verify(&kcv(KcvMethod::TdeaZeros, "08D7B4")), Ok(()));
    for other in [
        kcv(KcvMethod::TdeaCmac, "08D7B4"),
        kcv(KcvMethod::TdeaZeros, "08D7"),
        kcv(KcvMethod::TdeaZeros, "08D7B400"),
        kcv(KcvMethod::TdeaZeros, "08D7B5"),
        kcv(KcvMethod::TdeaZeros, "88D7B4"),
    ] {
        assert_eq!(value.verify(&other), Err(KcvMismatch));
        assert_ne!(value, other);
    }
}

#[test]
fn errors_say_what_was_wrong() {
    let texts = [
        (KeyError::Length { found: 8 }.to_string(), "a TDEA key is 16 or 24 bytes, found 8"),
        (KeyError::Parity { position: 3 }.to_string(), "key byte 3 has even parity"),
        (StrengthError::PartsEqual { first: 1, second: 3 }.to_string(), "key parts 1 and 3 are equal"),
        (StrengthError::Weak { part: 2 }.to_string(), "key part 2 is a weak DES key"),
        (StrengthError::SemiWeak { part: 2 }.to_string(), "key part 2 is a semi-weak DES key"),
        (
            KcvError::Length { max: 8, found: 9 }.to_string(),
            "a check value of this method is 2 to 8 bytes, 9 asked for",
        ),
        (KcvError::Cipher.to_string(), "the check value method belongs to another cipher"),
        (KcvMismatch.to_string(), "check value mismatch"),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
    }
}

mod typed {
    cardroot_tdea::key_type! {
        /// A key with a purpose.
        pub(super) struct Purpose;
    }

    cardroot_tdea::key_type! {
        /// A key that only this module makes.
        pub(super) struct Derived { pub(self) from_key }
    }

    pub(super) fn derive(key: cardroot_tdea::TdeaKey) -> Derived {
        Derived::from_key(key)
    }
}

#[test]
fn a_typed_key_answers_as_its_key() {
    let key = strong(KeyLength::Triple);
    let typed = typed::Purpose::from_key(key.duplicate());
    assert_eq!(typed.length(), KeyLength::Triple);
    assert_eq!(typed.kcv(), key.kcv());
    assert!(typed.expose_key().ct_eq(&key));
    assert!(typed.ct_eq(&typed.duplicate()));
    assert!(!typed.ct_eq(&typed::Purpose::from_key(strong(KeyLength::Double))));

    let derived = typed::derive(key.duplicate());
    assert_eq!(derived.length(), KeyLength::Triple);
    assert_eq!(derived.kcv(), key.kcv());
    assert!(derived.ct_eq(&derived.duplicate()));
    assert!(derived.expose_key().ct_eq(&key));
}

#[test]
fn no_key_shows_its_bytes() {
    for length in LENGTHS {
        let key = TdeaKey::from_fill(length, |bytes| bytes.fill(0xA5));
        common::assert_silent("TdeaKey", &key);
        common::assert_silent("Tdea", &key.cipher());
        common::assert_silent("Purpose", &typed::Purpose::from_key(key.duplicate()));
        common::assert_silent("Derived", &typed::derive(key));
    }
}
