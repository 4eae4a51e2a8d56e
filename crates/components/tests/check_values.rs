//! Check values by every method: vectors, boundaries, and a second road to each value.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a test")]

use aes::Aes128;
use base16ct::mixed::decode_vec;
use cardroot_components::{AesComponent, AesKey, KeyLengthError, LengthError, TdeaComponent};
use cipher::{BlockCipherEncrypt, KeyInit};
use tdea::{Kcv, KcvError, KcvMethod, TdeaKey};

const TDEA_METHODS: [KcvMethod; 2] = [KcvMethod::TdeaZeros, KcvMethod::TdeaCmac];
const AES_METHODS: [KcvMethod; 3] = [KcvMethod::AesZeros, KcvMethod::AesOnes, KcvMethod::AesCmac];

fn method(name: &str) -> KcvMethod {
    match name {
        "tdea-zeros" => KcvMethod::TdeaZeros,
        "tdea-cmac" => KcvMethod::TdeaCmac,
        "aes-zeros" => KcvMethod::AesZeros,
        "aes-ones" => KcvMethod::AesOnes,
        "aes-cmac" => KcvMethod::AesCmac,
        other => panic!("no method {other}"),
    }
}

/// Check values of the same bytes as a key and as a component.
fn key_and_component_kcv(method: KcvMethod, bytes: &[u8], len: usize) -> [Kcv; 2] {
    if TDEA_METHODS.contains(&method) {
        let (key, component) = (TdeaKey::try_from(bytes).unwrap(), TdeaComponent::try_from(bytes).unwrap());
        [key.kcv_by(method, len).unwrap(), component.kcv_by(method, len).unwrap()]
    } else {
        let (key, component) = (AesKey::try_from(bytes).unwrap(), AesComponent::try_from(bytes).unwrap());
        [key.kcv_by(method, len).unwrap(), component.kcv_by(method, len).unwrap()]
    }
}

#[test]
fn every_row_of_the_check_value_file_agrees() {
    let rows = include_str!("data/kcv.csv").lines().filter(|line| !line.starts_with('#')).skip(1);
    let mut counts = [0; 5];
    for row in rows {
        let fields: Vec<&str> = row.split(',').collect();
        let [id, name, key, kcv, _status, _source] = fields[..] else { panic!("{row}") };
        let (method, key, kcv) = (method(name), decode_vec(key).unwrap(), decode_vec(kcv).unwrap());
        let published = Kcv::new(method, &kcv).unwrap();
        assert_eq!(key_and_component_kcv(method, &key, kcv.len()), [published; 2], "{id}");
        counts[TDEA_METHODS.iter().chain(&AES_METHODS).position(|other| *other == method).unwrap()] += 1;
    }
    println!("check values: {counts:?} rows of TDEA zeros, TDEA CMAC, AES zeros, AES ones, AES CMAC");
    assert_eq!(counts, [49, 3, 6, 12, 5]);
}

#[test]
fn every_length_of_a_method_is_a_prefix_of_its_longest() {
    for method in TDEA_METHODS.into_iter().chain(AES_METHODS) {
        let max = method.max_len();
        let [longest, _] = key_and_component_kcv(method, &[0x25; 16], max);
        for len in 2..=max {
            let [kcv, component_kcv] = key_and_component_kcv(method, &[0x25; 16], len);
            assert_eq!(kcv.as_bytes(), &longest.as_bytes()[..len]);
            assert_eq!(kcv, component_kcv);
        }
    }
}

#[test]
fn lengths_outside_the_method_are_errors() {
    let (tdea, aes) =
        (TdeaComponent::try_from(&[0x25; 16][..]).unwrap(), AesKey::try_from(&[0x25; 16][..]).unwrap());
    for found in [0, 1, 9, 16, 17, usize::MAX] {
        for method in TDEA_METHODS {
            assert_eq!(tdea.kcv_by(method, found), Err(KcvError::Length { max: 8, found }));
        }
    }
    for found in [0, 1, 17, 32, usize::MAX] {
        for method in AES_METHODS {
            assert_eq!(aes.kcv_by(method, found), Err(KcvError::Length { max: 16, found }));
        }
    }
}

#[test]
fn a_method_of_the_other_cipher_is_an_error() {
    let tdea = TdeaComponent::try_from(&[0x25; 16][..]).unwrap();
    let aes = AesComponent::try_from(&[0x25; 16][..]).unwrap();
    for method in AES_METHODS {
        assert_eq!(tdea.kcv_by(method, 3), Err(KcvError::Cipher));
    }
    for method in TDEA_METHODS {
        assert_eq!(aes.kcv_by(method, 3), Err(KcvError::Cipher));
    }
}

#[test]
fn the_usual_check_value_of_a_component_is_three_bytes_over_zeros() {
    let bytes = decode_vec("0123456789ABCDEFFEDCBA9876543210").unwrap();
    let component = TdeaComponent::try_from(&bytes[..]).unwrap();
    assert_eq!(component.kcv(), Kcv::new(KcvMethod::TdeaZeros, &[0x08, 0xD7, 0xB4]).unwrap());
}

/// `E(dbl(E(0)))` is the CMAC of one zero block (NIST SP 800-38B 6.2: a whole last block is masked with K1).
fn double(block: &mut [u8], reduction: u8) {
    let carry = block[0] >> 7;
    for i in 0..block.len() {
        block[i] = block[i] << 1 | block.get(i + 1).map_or(0, |next| next >> 7);
    }
    *block.last_mut().unwrap() ^= carry * reduction;
}

#[test]
fn cmac_check_values_agree_with_cmac_by_hand() {
    let mut carries = [0; 2];
    for seed in 0..64u8 {
        let bytes: [u8; 16] = b"a key for tests!".map(|byte| byte ^ seed.rotate_left(3));

        let cipher = Aes128::new(&bytes.into());
        let mut block = [0; 16];
        cipher.encrypt_block((&mut block).into());
        carries[usize::from(block[0] >> 7)] += 1;
        double(&mut block, 0x87);
        cipher.encrypt_block((&mut block).into());
        let key = AesKey::try_from(&bytes[..]).unwrap();
        assert_eq!(key.kcv_by(KcvMethod::AesCmac, 16).unwrap().as_bytes(), block);

        let key = TdeaKey::from(bytes);
        let mut block = [0; 8];
        key.cipher().encrypt_block(&mut block);
        double(&mut block, 0x1B);
        key.cipher().encrypt_block(&mut block);
        assert_eq!(key.kcv_by(KcvMethod::TdeaCmac, 8).unwrap().as_bytes(), block);
    }
    assert!(carries.iter().all(|count| *count > 0), "both ways of doubling were walked");
}

#[test]
fn values_of_different_methods_never_agree() {
    let key = AesKey::try_from(&[0x25; 16][..]).unwrap();
    let bytes = key.kcv_by(KcvMethod::AesZeros, 3).unwrap();
    let other = Kcv::new(KcvMethod::AesCmac, bytes.as_bytes()).unwrap();
    assert!(bytes.verify(&other).is_err());
}

#[test]
fn only_lengths_of_the_cipher_are_keys_and_components() {
    for found in 0..=40 {
        let bytes = vec![0x25; found];
        let aes = AesKey::try_from(&bytes[..]).map(|key| (key.length().bytes(), key.expose_bytes() == bytes));
        let component =
            AesComponent::try_from(&bytes[..]).map(|c| (c.length().bytes(), c.expose_bytes() == bytes));
        if [16, 24, 32].contains(&found) {
            assert_eq!((aes, component), (Ok((found, true)), Ok((found, true))));
        } else {
            assert_eq!((aes, component), (Err(KeyLengthError { found }), Err(LengthError { found })));
        }

        let component =
            TdeaComponent::try_from(&bytes[..]).map(|c| (c.length().bytes(), c.expose_bytes() == bytes));
        let expected = if [16, 24].contains(&found) { Ok((found, true)) } else { Err(LengthError { found }) };
        assert_eq!(component, expected);
    }
}
