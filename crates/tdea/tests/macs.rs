//! Message authentication codes: in pieces, truncated, verified, and what is refused.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::{CbcMac, Cmac, Mac, MacError, MacMismatch, MacPadding, Padding, RetailMac, TdeaKey};
use common::{PADDINGS, hex, key, message, reference};
use proptest::prelude::*;

const KEY: &str = "0123456789ABCDEFFEDCBA9876543210456789ABCDEF0123";
const IV: [u8; 8] = [0x4E, 0x06, 0x65, 0x48, 0, 0, 0, 0];

fn double() -> TdeaKey {
    key(&hex(KEY)[..16])
}

fn triple() -> TdeaKey {
    key(&hex(KEY))
}

fn in_pieces(padding: Padding, message: &[u8]) -> MacPadding {
    match padding {
        Padding::None | Padding::Zeros => MacPadding::Zeros,
        Padding::OneAndZeros => MacPadding::OneAndZeros,
        Padding::LengthFirst => MacPadding::LengthFirst { message_len: message.len() as u64 },
    }
}

#[test]
fn every_algorithm_agrees_with_the_reference_at_every_length() {
    let left_right: [u8; 16] = hex(KEY)[..16].try_into().unwrap();
    for len in 0..=40 {
        let message = message(len);
        for padding in PADDINGS {
            let padded = reference::pad(padding, &message);
            for key in [double(), triple()] {
                let expected = reference::cbc_mac(key.expose_bytes(), &padded);
                assert_eq!(*CbcMac::compute(&key, padding, &message).unwrap().as_bytes(), expected);
            }
            let expected = reference::retail_mac(&left_right, [0; 8], &padded);
            assert_eq!(*RetailMac::compute(&double(), padding, &message).unwrap().as_bytes(), expected);

            let mut mac = RetailMac::with_iv(&double(), in_pieces(padding, &message), IV).unwrap();
            mac.update(&message);
            let expected = reference::retail_mac(&left_right, IV, &padded);
            assert_eq!(*mac.finalize().unwrap().as_bytes(), expected);
        }
        for key in [double(), triple()] {
            let expected = reference::cmac(key.expose_bytes(), &message);
            assert_eq!(*Cmac::compute(&key, &message).as_bytes(), expected);
        }
    }
}

/// A message and where to cut it; a cut may fall twice on one place and leave an empty piece.
fn cut_message() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    prop::collection::vec(any::<u8>(), 0..64).prop_flat_map(|message| {
        let cuts = prop::collection::vec(0..=message.len(), 0..6).prop_map(|mut cuts| {
            cuts.sort_unstable();
            cuts
        });
        (Just(message), cuts)
    })
}

fn pieces<'a>(message: &'a [u8], cuts: &[usize]) -> Vec<&'a [u8]> {
    let starts = [&[0], cuts].concat();
    let ends = [cuts, &[message.len()]].concat();
    starts.iter().zip(ends).map(|(start, end)| &message[*start..end]).collect()
}

proptest! {
    #[test]
    fn pieces_give_the_code_of_the_whole((message, cuts) in cut_message()) {
        let pieces = pieces(&message, &cuts);
        for padding in PADDINGS {
            let announced = in_pieces(padding, &message);

            let mut mac = CbcMac::new(&triple(), announced);
            pieces.iter().for_each(|piece| mac.update(piece));
            let whole = CbcMac::compute(&triple(), padding, &message).unwrap();
            prop_assert_eq!(*mac.finalize().unwrap().as_bytes(), *whole.as_bytes());

            let mut mac = RetailMac::new(&double(), announced).unwrap();
            pieces.iter().for_each(|piece| mac.update(piece));
            let whole = RetailMac::compute(&double(), padding, &message).unwrap();
            prop_assert_eq!(*mac.finalize().unwrap().as_bytes(), *whole.as_bytes());
        }
        for key in [double(), triple()] {
            let mut mac = Cmac::new(&key);
            pieces.iter().for_each(|piece| mac.update(piece));
            prop_assert_eq!(*mac.finalize().as_bytes(), *Cmac::compute(&key, &message).as_bytes());
        }
    }
}

#[test]
fn without_padding_whole_blocks_are_what_method_1_makes_of_them() {
    for len in 0..=24 {
        let message = message(len);
        let cbc = CbcMac::compute(&triple(), Padding::None, &message);
        let retail = RetailMac::compute(&double(), Padding::None, &message);
        if len > 0 && len % 8 == 0 {
            let zeros = CbcMac::compute(&triple(), Padding::Zeros, &message).unwrap();
            assert_eq!(cbc.unwrap().as_bytes(), zeros.as_bytes());
            let zeros = RetailMac::compute(&double(), Padding::Zeros, &message).unwrap();
            assert_eq!(retail.unwrap().as_bytes(), zeros.as_bytes());
        } else {
            let error = MacError::NotWholeBlocks { found: len };
            assert_eq!(cbc.unwrap_err(), error);
            assert_eq!(retail.unwrap_err(), error);
        }
    }
}

#[test]
fn another_length_than_announced_is_an_error() {
    for (announced, found) in [(0, 1), (1, 0), (8, 7), (8, 9), (16, 8), (u64::MAX, 8), (1 << 61, 0)] {
        let padding = MacPadding::LengthFirst { message_len: announced };
        let error = MacError::MessageLength { announced, found };
        let message = message(usize::try_from(found).unwrap());

        let mut mac = CbcMac::new(&triple(), padding);
        mac.update(&message);
        assert_eq!(mac.finalize().unwrap_err(), error);

        let mut mac = RetailMac::new(&double(), padding).unwrap();
        mac.update(&message);
        assert_eq!(mac.finalize().unwrap_err(), error);
    }
}

#[test]
fn algorithm_3_refuses_a_triple_length_key() {
    let error = MacError::TripleLengthKey;
    assert_eq!(RetailMac::new(&triple(), MacPadding::Zeros).unwrap_err(), error);
    assert_eq!(RetailMac::with_iv(&triple(), MacPadding::Zeros, IV).unwrap_err(), error);
    assert_eq!(RetailMac::compute(&triple(), Padding::Zeros, b"message").unwrap_err(), error);
}

fn mac() -> Mac {
    RetailMac::compute(&double(), Padding::OneAndZeros, b"message").unwrap()
}

#[test]
fn a_truncated_code_is_the_leftmost_bytes() {
    let whole = mac();
    assert_eq!(whole.truncated::<4>(), whole.as_bytes()[..4]);
    assert_eq!(whole.truncated::<5>(), whole.as_bytes()[..5]);
    assert_eq!(whole.truncated::<6>(), whole.as_bytes()[..6]);
    assert_eq!(whole.truncated::<7>(), whole.as_bytes()[..7]);
    assert_eq!(whole.truncated::<8>(), *whole.as_bytes());
}

#[test]
fn codes_of_4_to_8_bytes_verify_and_no_others() {
    let mut received = mac().as_bytes().to_vec();
    received.extend([0; 4]);
    for len in 0..=received.len() {
        let expected = if (4..=8).contains(&len) { Ok(()) } else { Err(MacMismatch) };
        assert_eq!(mac().verify(&received[..len]), expected, "{len} bytes");
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for len in 4..=8 {
        for bit in 0..8 * len {
            let mut received = mac().as_bytes()[..len].to_vec();
            received[bit / 8] ^= 1 << (bit % 8);
            assert_eq!(mac().verify(&received), Err(MacMismatch), "bit {bit} of {len} bytes");
        }
    }
}

#[test]
fn a_code_in_progress_shows_nothing_and_a_code_shows_itself() {
    let fill = [0xA5; 16].into();
    let mut cbc = CbcMac::new(&fill, MacPadding::OneAndZeros);
    let mut retail = RetailMac::new(&fill, MacPadding::OneAndZeros).unwrap();
    let mut cmac = Cmac::new(&fill);
    cbc.update(&[0xA5; 13]);
    retail.update(&[0xA5; 13]);
    cmac.update(&[0xA5; 13]);
    common::assert_silent("CbcMac", &cbc);
    common::assert_silent("RetailMac", &retail);
    common::assert_silent("Cmac", &cmac);

    let digits = base16ct::upper::encode_string(mac().as_bytes());
    assert_eq!(format!("{:?}", mac()), format!("Mac({digits})"));
}

#[test]
fn errors_say_what_was_wrong() {
    let texts = [
        (MacError::TripleLengthKey.to_string(), "MAC algorithm 3 takes a double-length key"),
        (
            MacError::MessageLength { announced: 8, found: 7 }.to_string(),
            "a message of 8 bytes was announced, 7 bytes came",
        ),
        (MacError::NotWholeBlocks { found: 7 }.to_string(), "a message of 7 bytes needs padding"),
        (MacMismatch.to_string(), "message authentication code mismatch"),
    ];
    for (text, expected) in texts {
        assert_eq!(text, expected);
    }
}
