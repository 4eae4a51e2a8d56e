//! What keys refuse, compare and show.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

use cardroot_aeskey::{
    AesKey, AesKeyLength, Cmac, KcvError, KcvMethod, KeyLengthError, MacMismatch, NotWholeBlocks,
};
use getrandom::{SysRng, rand_core::UnwrapErr};
use proptest::prelude::*;

const LENGTHS: [AesKeyLength; 3] = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256];

cardroot_aeskey::key_type! {
    /// A key for tests.
    pub struct TestKey { pub(crate) from_key }
}

fn filled(length: AesKeyLength, byte: u8) -> AesKey {
    AesKey::from_fill(length, |key| key.fill(byte))
}

#[test]
fn other_lengths_are_no_key() {
    for found in 0..=40 {
        let key = AesKey::try_from(&[7; 40][..found]);
        if [16, 24, 32].contains(&found) {
            let key = key.unwrap();
            assert_eq!((key.length().bytes(), usize::from(key.length().bits())), (found, 8 * found));
            assert_eq!(key.expose_bytes(), &[7; 40][..found]);
        } else {
            assert_eq!(key.unwrap_err(), KeyLengthError { found });
        }
    }
}

#[test]
fn keys_are_drawn_copied_and_compared() {
    let mut rng = UnwrapErr(SysRng);
    for length in LENGTHS {
        let key = AesKey::generate(length, &mut rng);
        assert_eq!(key.length(), length);
        assert!(key.ct_eq(&key.duplicate()));
        assert!(!key.ct_eq(&AesKey::generate(length, &mut rng)));
        assert!(!key.ct_eq(&filled(length, 0)));
    }
    assert!(!filled(AesKeyLength::Aes128, 0).ct_eq(&filled(AesKeyLength::Aes192, 0)));
    let typed = TestKey::from_key(filled(AesKeyLength::Aes192, 7));
    assert!(typed.ct_eq(&typed.duplicate()) && typed.expose_key().ct_eq(&filled(AesKeyLength::Aes192, 7)));
    assert_eq!(typed.kcv_by(KcvMethod::AesCmac, 5), typed.expose_key().kcv_by(KcvMethod::AesCmac, 5));
}

#[test]
fn a_check_value_of_another_cipher_or_length_is_refused() {
    let key = filled(AesKeyLength::Aes128, 7);
    for method in [KcvMethod::TdeaZeros, KcvMethod::TdeaCmac, KcvMethod::Sm4Zeros] {
        assert_eq!(key.kcv_by(method, 3), Err(KcvError::Cipher));
    }
    for found in [0, 1, 17] {
        assert_eq!(key.kcv_by(KcvMethod::AesOnes, found), Err(KcvError::Length { max: 16, found }));
    }
}

#[test]
fn data_that_is_not_whole_blocks_is_refused_and_left_alone() {
    let key = filled(AesKeyLength::Aes128, 7);
    for found in [1, 15, 17, 31] {
        let mut data = vec![9; found];
        assert_eq!(key.encrypt_cbc([0; 16], &mut data), Err(NotWholeBlocks { found }));
        assert_eq!(key.decrypt_cbc([0; 16], &mut data), Err(NotWholeBlocks { found }));
        assert_eq!(data, vec![9; found]);
    }
    assert_eq!(key.encrypt_cbc([0; 16], &mut []), Ok(()));
    assert_eq!(key.decrypt_cbc([0; 16], &mut []), Ok(()));
}

#[test]
fn codes_verify_from_four_to_sixteen_bytes() {
    let mac = Cmac::compute(&filled(AesKeyLength::Aes128, 7), b"message");
    let whole = mac.as_bytes();
    for len in 0..=16 {
        let expected = if len < 4 { Err(MacMismatch) } else { Ok(()) };
        assert_eq!(mac.verify(&whole[..len]), expected);
    }
    assert_eq!(mac.verify(&[&whole[..], &[0]].concat()), Err(MacMismatch));
    for byte in 0..16 {
        let mut other = *whole;
        other[byte] ^= 1;
        assert_eq!(mac.verify(&other), Err(MacMismatch));
    }
    assert_eq!(mac.truncated::<8>(), whole[..8]);
}

#[test]
fn keys_from_blocks_take_the_leftmost_bytes() {
    for length in LENGTHS {
        let key = AesKey::from_blocks(length, |number, block| block.fill(number));
        let expected = [[1; 16], [2; 16]];
        assert_eq!(key.expose_bytes(), &expected.as_flattened()[..length.bytes()]);
    }
}

#[test]
fn nothing_shows_a_key() {
    for length in LENGTHS {
        let key = filled(length, 0xA5);
        let typed = TestKey::from_key(key.duplicate());
        let mac = Cmac::new(&key);
        for shown in [
            format!("{key:?}{typed:?}{mac:?}"),
            format!("{key:#?}{typed:#?}{mac:#?}"),
            format!("{key:#x?}{typed:#x?}{mac:#x?}"),
        ] {
            assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
        }
    }
    assert_eq!(format!("{:?}", filled(AesKeyLength::Aes256, 7)), "AesKey { length: Aes256, .. }");
}

proptest! {
    #[test]
    fn what_is_encrypted_decrypts(key: [u8; 32], length in 0..3usize, iv: [u8; 16], blocks in 0..9usize, byte: u8) {
        let key = AesKey::try_from(&key[..LENGTHS[length].bytes()]).unwrap();
        let plain = vec![byte; 16 * blocks];
        let mut data = plain.clone();
        key.encrypt_cbc(iv, &mut data).unwrap();
        prop_assert!(blocks == 0 || data != plain);
        // CBC by hand: each block is decrypted by itself, and the one before it added.
        let mut before = iv;
        for block in data.as_chunks().0 {
            let mut clear = *block;
            key.decrypt_block(&mut clear);
            prop_assert!(clear.iter().zip(before).all(|(clear, before)| clear ^ before == byte));
            before = *block;
        }
        key.decrypt_cbc(iv, &mut data).unwrap();
        prop_assert_eq!(data, plain);
    }
}
