//! Raw single DES.
#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::hazmat::{DesKey, DesMac};
use cardroot_tdea::{KeyError, MacError, MacPadding, Mode, Padding, PaddingError};
use common::{MODES, PADDINGS, key, message, reference};
use proptest::prelude::*;

const LEFT: [u8; 8] = [0x01, 0x23, 0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF];
const RIGHT: [u8; 8] = [0xFE, 0xDC, 0xBA, 0x98, 0x76, 0x54, 0x32, 0x10];
const THIRD: [u8; 8] = [0x45, 0x67, 0x89, 0xAB, 0xCD, 0xEF, 0x01, 0x23];
const IV: [u8; 8] = [0x4E, 0x06, 0x65, 0x48, 0, 0, 0, 0];

fn des_key(bytes: [u8; 8]) -> DesKey {
    DesKey::from_fill(|out| *out = bytes)
}

#[test]
fn a_des_key_is_8_bytes_and_keeps_them() {
    assert_eq!(*des_key(LEFT).expose_bytes(), LEFT);
    for found in (0..=24).filter(|len| *len != 8) {
        let error = DesKey::try_from(message(found).as_slice()).unwrap_err();
        assert_eq!(error, KeyError::DesLength { found });
        assert_eq!(error.to_string(), format!("a DES key is 8 bytes, found {found}"));
    }
    // Even parity in every byte.
    let even = [0; 8];
    assert_eq!(*DesKey::try_from(even.as_slice()).unwrap().expose_bytes(), even);
}

#[test]
fn the_halves_are_the_first_and_the_second_part() {
    for key in [key(&[LEFT, RIGHT].concat()), key(&[LEFT, RIGHT, THIRD].concat())] {
        assert_eq!(*DesKey::left_half(&key).expose_bytes(), LEFT);
        assert_eq!(*DesKey::right_half(&key).expose_bytes(), RIGHT);
    }
}

#[test]
fn the_xor_of_the_halves_needs_two_of_them() {
    let xor = DesKey::xor_of_halves(&key(&[LEFT, THIRD].concat())).unwrap();
    assert_eq!(*xor.expose_bytes(), [0x44, 0x44, 0xCC, 0xCC, 0x44, 0x44, 0xCC, 0xCC]);
    let error = DesKey::xor_of_halves(&key(&[LEFT, RIGHT, THIRD].concat())).unwrap_err();
    assert_eq!(error, KeyError::TripleLength);
    assert_eq!(error.to_string(), "a double-length key is needed");
}

proptest! {
    #[test]
    fn equality_looks_at_every_bit(bytes in any::<[u8; 8]>(), bit in 0..64_usize) {
        let mut other = bytes;
        other[bit / 8] ^= 1 << (bit % 8);
        prop_assert!(des_key(bytes).ct_eq(&des_key(bytes).duplicate()));
        prop_assert!(!des_key(bytes).ct_eq(&des_key(other)));
    }

    #[test]
    fn every_key_agrees_with_the_reference(bytes in any::<[u8; 8]>(), data in prop::collection::vec(any::<[u8; 8]>(), 0..6)) {
        let key = des_key(bytes);
        for block in &data {
            let mut one = *block;
            key.encrypt_block(&mut one);
            prop_assert_eq!(one, reference::des_encrypt(&bytes, *block));
            key.decrypt_block(&mut one);
            prop_assert_eq!(one, *block);
        }
        for mode in MODES {
            let mut out = data.as_flattened().to_vec();
            key.encrypt(mode, &mut out).unwrap();
            // Three equal parts make TDEA single DES.
            prop_assert_eq!(&out, &reference::encrypt(&[bytes; 3].concat(), mode, data.as_flattened()));
            key.decrypt(mode, &mut out).unwrap();
            prop_assert_eq!(&out, data.as_flattened());
        }
    }

    #[test]
    fn pieces_give_the_code_of_the_whole(message in prop::collection::vec(any::<u8>(), 0..64), size in 1..12_usize) {
        for padding in [MacPadding::Zeros, MacPadding::OneAndZeros, MacPadding::LengthFirst { message_len: message.len() as u64 }] {
            let mut whole = DesMac::with_iv(&des_key(LEFT), padding, IV);
            whole.update(&message);
            let mut mac = DesMac::with_iv(&des_key(LEFT), padding, IV);
            message.chunks(size).for_each(|piece| mac.update(piece));
            prop_assert_eq!(*mac.finalize().unwrap().as_bytes(), *whole.finalize().unwrap().as_bytes());
        }
    }
}

#[test]
fn ragged_data_is_refused_and_stays_as_it_was() {
    let mut data = message(7);
    let error = PaddingError::NotWholeBlocks { found: 7 };
    assert_eq!(des_key(LEFT).encrypt(Mode::Ecb, &mut data), Err(error));
    assert_eq!(des_key(LEFT).decrypt(Mode::CBC_ZERO_IV, &mut data), Err(error));
    assert_eq!(data, message(7));
}

#[test]
fn the_mac_agrees_with_the_reference_at_every_length_and_start() {
    for len in 0..=40 {
        let message = message(len);
        for padding in PADDINGS {
            let padded = reference::pad(padding, &message);
            let expected = reference::des_mac(&LEFT, [0; 8], &padded);
            assert_eq!(*DesMac::compute(&des_key(LEFT), padding, &message).unwrap().as_bytes(), expected);
        }
        let mut mac = DesMac::with_iv(&des_key(LEFT), MacPadding::OneAndZeros, IV);
        mac.update(&message);
        let expected = reference::des_mac(&LEFT, IV, &reference::pad(Padding::OneAndZeros, &message));
        assert_eq!(*mac.finalize().unwrap().as_bytes(), expected);
    }
}

#[test]
fn the_mac_refuses_what_the_others_refuse() {
    let error = DesMac::compute(&des_key(LEFT), Padding::None, &[]).unwrap_err();
    assert_eq!(error, MacError::NotWholeBlocks { found: 0 });
    let mac = DesMac::new(&des_key(LEFT), MacPadding::LengthFirst { message_len: 1 });
    assert_eq!(mac.finalize().unwrap_err(), MacError::MessageLength { announced: 1, found: 0 });
}

#[test]
fn nothing_shows_key_bytes() {
    common::assert_silent("DesKey", &des_key([0xA5; 8]));
    let mut mac = DesMac::new(&des_key([0xA5; 8]), MacPadding::Zeros);
    mac.update(&[0xA5; 13]);
    common::assert_silent("DesMac", &mac);
}
