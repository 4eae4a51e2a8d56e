//! ECB and CBC with the paddings of ISO 9797-1, and what is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::{InvalidPadding, Mode, Padding, PaddingError, Tdea, TdeaKey};
use common::{MODES, PADDINGS, hex, key, message, reference};
use proptest::prelude::*;

const KEY: &str = "0123456789ABCDEF23456789ABCDEF01456789ABCDEF0123";

fn cipher() -> Tdea {
    key(&hex(KEY)).cipher()
}

fn padded(padding: Padding, data: &[u8]) -> Vec<u8> {
    let mut out = vec![0xEE; padding.padded_len(data.len()).unwrap()];
    assert_eq!(padding.pad_into(data, &mut out).unwrap(), out.len());
    out
}

proptest! {
    #[test]
    fn every_key_agrees_with_the_reference(bytes in any::<[u8; 24]>(), data in prop::collection::vec(any::<[u8; 8]>(), 0..6)) {
        for key in [key(&bytes), key(&bytes[..16])] {
            for mode in MODES {
                let mut data = data.as_flattened().to_vec();
                let plain = data.clone();
                key.cipher().encrypt(mode, &mut data).unwrap();
                prop_assert_eq!(&data, &reference::encrypt(key.expose_bytes(), mode, &plain));
                key.cipher().decrypt(mode, &mut data).unwrap();
                prop_assert_eq!(data, plain);
            }
        }
    }

    #[test]
    fn one_block_is_ecb_of_one_block(bytes in any::<[u8; 24]>(), block in any::<[u8; 8]>()) {
        for key in [key(&bytes), key(&bytes[..16])] {
            let mut data = block;
            key.cipher().encrypt_block(&mut data);
            prop_assert_eq!(data, reference::tdea_encrypt(key.expose_bytes(), block));
            prop_assert_eq!(block, reference::tdea_decrypt(key.expose_bytes(), data));
            key.cipher().decrypt_block(&mut data);
            prop_assert_eq!(data, block);
        }
    }

    #[test]
    fn stripping_is_total_and_gives_only_what_was_padded(bytes in prop::collection::vec(prop_oneof![Just(0), Just(0x80), any::<u8>()], 0..40)) {
        for padding in [Padding::OneAndZeros, Padding::LengthFirst] {
            if let Ok(data) = padding.strip(&bytes) {
                prop_assert_eq!(padded(padding, data), bytes.clone());
            }
        }
    }
}

#[test]
fn padding_agrees_with_the_reference_at_every_length() {
    for padding in PADDINGS {
        for len in 0..=40 {
            let data = message(len);
            assert_eq!(padded(padding, &data), reference::pad(padding, &data), "{padding:?}, {len} bytes");
        }
    }
}

#[test]
fn empty_data_and_whole_blocks_follow_the_standard() {
    let block = hex("0102030405060708");
    for (padding, empty, whole) in [
        (Padding::None, "", "0102030405060708"),
        (Padding::Zeros, "0000000000000000", "0102030405060708"),
        (Padding::OneAndZeros, "8000000000000000", "01020304050607088000000000000000"),
        (Padding::LengthFirst, "00000000000000000000000000000000", "00000000000000400102030405060708"),
    ] {
        assert_eq!(padded(padding, &[]), hex(empty), "{padding:?}");
        assert_eq!(padded(padding, &block), hex(whole), "{padding:?}");
    }
}

#[test]
fn padding_writes_nothing_behind_its_end() {
    for padding in PADDINGS {
        let mut out = [0xEE; 64];
        let len = padding.pad_into(&message(5), &mut out).unwrap();
        assert!(out[len..].iter().all(|byte| *byte == 0xEE));
    }
}

#[test]
fn every_padding_comes_off_again() {
    for mode in MODES {
        for padding in PADDINGS {
            for len in 0..=40 {
                let plain = message(len);
                let mut out = vec![0xEE; 64];
                let written = cipher().encrypt_padded(mode, padding, &plain, &mut out).unwrap();
                assert_eq!(written, padding.padded_len(len).unwrap());
                let (data, rest) = out.split_at_mut(written);
                assert_eq!(data, reference::encrypt(&hex(KEY), mode, &reference::pad(padding, &plain)));
                assert!(rest.iter().all(|byte| *byte == 0xEE));
                if padding == Padding::Zeros {
                    let cipher_text = data.to_vec();
                    let result = cipher().decrypt_padded(mode, padding, data);
                    assert_eq!(result, Err(PaddingError::Ambiguous));
                    assert_eq!(data, cipher_text);
                } else {
                    assert_eq!(cipher().decrypt_padded(mode, padding, data).unwrap(), plain);
                }
            }
        }
    }
}

#[test]
fn without_padding_whole_blocks_pass_and_others_do_not() {
    for mode in MODES {
        for len in 0..=24 {
            let plain = message(len);
            let mut data = plain.clone();
            let mut out = [0; 24];
            if len % 8 == 0 {
                let written = cipher().encrypt_padded(mode, Padding::None, &plain, &mut out).unwrap();
                assert_eq!(written, len);
                cipher().encrypt(mode, &mut data).unwrap();
                assert_eq!(out[..len], data);
                assert_eq!(cipher().decrypt_padded(mode, Padding::None, &mut data).unwrap(), plain);
            } else {
                let error = PaddingError::NotWholeBlocks { found: len };
                assert_eq!(Padding::None.padded_len(len), Err(error));
                assert_eq!(cipher().encrypt(mode, &mut data), Err(error));
                assert_eq!(cipher().decrypt(mode, &mut data), Err(error));
                assert_eq!(cipher().encrypt_padded(mode, Padding::None, &plain, &mut out), Err(error));
                for padding in [Padding::None, Padding::OneAndZeros, Padding::LengthFirst] {
                    assert_eq!(padding.strip(&data), Err(error));
                    assert_eq!(cipher().decrypt_padded(mode, padding, &mut data), Err(error));
                }
                assert_eq!(data, plain, "refused data stays as it was");
            }
        }
    }
}

#[test]
fn a_short_buffer_is_refused() {
    for (padding, needed) in [(Padding::Zeros, 8), (Padding::OneAndZeros, 16), (Padding::LengthFirst, 16)] {
        for found in 0..needed {
            let mut out = vec![0xEE; found];
            let error = PaddingError::Buffer { needed, found };
            assert_eq!(padding.pad_into(&message(8), &mut out), Err(error));
            assert_eq!(cipher().encrypt_padded(Mode::Ecb, padding, &message(8), &mut out), Err(error));
            assert!(out.iter().all(|byte| *byte == 0xEE));
        }
    }
}

#[test]
fn a_length_that_no_data_has_is_refused() {
    for padding in [Padding::None, Padding::Zeros, Padding::OneAndZeros, Padding::LengthFirst] {
        for found in [usize::MAX, usize::MAX - 7, usize::MAX / 2 + 1] {
            assert_eq!(padding.padded_len(found), Err(PaddingError::TooLong { found }));
        }
    }
    let longest = usize::MAX / 2;
    assert_eq!(Padding::OneAndZeros.padded_len(longest), Ok(longest + 1));
    assert_eq!(Padding::LengthFirst.padded_len(longest), Ok(longest + 9));
}

#[test]
fn malformed_padding_is_refused() {
    let cases = [
        (Padding::OneAndZeros, ""),
        (Padding::OneAndZeros, "0000000000000000"),
        (Padding::OneAndZeros, "0102030405060708"),
        (Padding::OneAndZeros, "0102030405068001"),
        (Padding::OneAndZeros, "0102030405060781"),
        // The mark a block too early.
        (Padding::OneAndZeros, "01020304050607800000000000000000"),
        (Padding::LengthFirst, ""),
        // A length block alone: empty data still has one zero block.
        (Padding::LengthFirst, "0000000000000000"),
        (Padding::LengthFirst, "00000000000000000000000000000000 0000000000000000"),
        (Padding::LengthFirst, "00000000000000000000000000000001"),
        (Padding::LengthFirst, "00000000000000080100000000000001"),
        (Padding::LengthFirst, "00000000000000080101010000000000"),
        (Padding::LengthFirst, "00000000000000090100000000000000"),
        (Padding::LengthFirst, "00000000000000480102030405060708"),
        (Padding::LengthFirst, "000000000000004001020304050607080000000000000000"),
        (Padding::LengthFirst, "FFFFFFFFFFFFFFF80102030405060708"),
    ];
    for (padding, digits) in cases {
        let bytes = hex(&digits.replace(' ', ""));
        assert_eq!(padding.strip(&bytes), Err(PaddingError::Invalid(InvalidPadding)), "{padding:?} {digits}");
        let mut data = bytes.clone();
        cipher().encrypt(Mode::Ecb, &mut data).unwrap();
        let result = cipher().decrypt_padded(Mode::Ecb, padding, &mut data);
        assert_eq!(result, Err(PaddingError::Invalid(InvalidPadding)));
        assert_eq!(data, bytes);
    }
    assert_eq!(Padding::Zeros.strip(&[0; 8]), Err(PaddingError::Ambiguous));
    assert_eq!(Padding::Zeros.strip(&[0; 7]), Err(PaddingError::NotWholeBlocks { found: 7 }));
}

#[test]
fn cbc_with_the_zero_vector_is_cbc() {
    assert_eq!(Mode::CBC_ZERO_IV, Mode::Cbc { iv: [0; 8] });
}

#[test]
fn a_double_length_key_serves_its_first_part_as_the_third() {
    let bytes = hex(KEY);
    let double = key(&bytes[..16]).cipher();
    let triple = TdeaKey::try_from([&bytes[..16], &bytes[..8]].concat().as_slice()).unwrap().cipher();
    let (mut one, mut other) = (message(24), message(24));
    double.encrypt(Mode::CBC_ZERO_IV, &mut one).unwrap();
    triple.encrypt(Mode::CBC_ZERO_IV, &mut other).unwrap();
    assert_eq!(one, other);
}

#[test]
fn errors_say_what_was_wrong() {
    let texts = [
        (PaddingError::NotWholeBlocks { found: 7 }, "data of 7 bytes is not a whole number of 8-byte blocks"),
        (PaddingError::TooLong { found: 7 }, "data of 7 bytes can't be in memory"),
        (PaddingError::Buffer { needed: 8, found: 7 }, "the output buffer takes 7 bytes, 8 are needed"),
        (PaddingError::Ambiguous, "zero padding can't be told from data"),
        (PaddingError::Invalid(InvalidPadding), "invalid padding"),
    ];
    for (error, expected) in texts {
        assert_eq!(error.to_string(), expected);
    }
}

#[cfg(feature = "alloc")]
mod vectors {
    use super::*;

    #[test]
    fn vectors_hold_what_slices_hold() {
        for mode in MODES {
            for padding in PADDINGS {
                for len in 0..=17 {
                    let plain = message(len);
                    let data = cipher().encrypt_padded_vec(mode, padding, &plain).unwrap();
                    assert_eq!(data, reference::encrypt(&hex(KEY), mode, &reference::pad(padding, &plain)));
                    let result = cipher().decrypt_padded_vec(mode, padding, &data);
                    if padding == Padding::Zeros {
                        assert_eq!(result.unwrap_err(), PaddingError::Ambiguous);
                    } else {
                        assert_eq!(result.unwrap().expose_bytes(), plain);
                    }
                }
            }
        }
    }

    #[test]
    fn vectors_are_refused_as_slices_are() {
        let error = PaddingError::NotWholeBlocks { found: 7 };
        assert_eq!(cipher().encrypt_padded_vec(Mode::Ecb, Padding::None, &[0; 7]), Err(error));
        assert_eq!(cipher().decrypt_padded_vec(Mode::Ecb, Padding::OneAndZeros, &[0; 7]).unwrap_err(), error);
        let error = PaddingError::Invalid(InvalidPadding);
        assert_eq!(cipher().decrypt_padded_vec(Mode::Ecb, Padding::OneAndZeros, &[]).unwrap_err(), error);
    }

    #[test]
    fn plaintext_shows_its_length_only() {
        let data = cipher().encrypt_padded_vec(Mode::Ecb, Padding::OneAndZeros, &[0xA5; 8]).unwrap();
        let plain = cipher().decrypt_padded_vec(Mode::Ecb, Padding::OneAndZeros, &data).unwrap();
        common::assert_silent("Plaintext", &plain);
        assert_eq!(format!("{plain:?}"), "Plaintext { len: 8, .. }");
    }
}
