//! Properties of the clear blocks: every byte string gets an answer, and what is accepted is encoded the same
//! again.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the report")]

mod common;

use cardroot_pin::{
    CardPinBlock, ClearPinBlock, InvalidFill, InvalidPinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
    PinBlockFormat, UnknownPinBlockFormat,
};
use common::{KnownRng, pan, pin};
use proptest::prelude::*;

const PAN: &str = "4012345678909";

fn any_pin() -> impl Strategy<Value = Pin> {
    "[0-9]{4,12}".prop_map(|digits| pin(&digits))
}

fn any_pan() -> impl Strategy<Value = Pan> {
    "[0-9]{8,19}".prop_map(|digits| pan(&digits))
}

/// Eight bytes that look enough like a PIN field for a good part of them to be accepted, or any at all.
fn likely_field() -> impl Strategy<Value = [u8; 8]> {
    let likely = (0u8..5, 2u8..15, "[0-9]{14}", any::<[u8; 7]>(), 0usize..4, 0usize..4).prop_map(
        |(format, length, digits, fill, fill_kind, off)| {
            let fill = [fill, [0xFF; 7], [0xAA; 7], fill.map(|byte| byte | 0xAA)][fill_kind];
            // In one of four cases the length does not fit the digits.
            let digits_written = usize::from(length) - usize::from(off == 3);
            let fill = base16ct::upper::encode_string(&fill);
            let text = format!("{format}{length:X}{}{}", &digits[..digits_written], &fill[digits_written..]);
            common::hex_array(&text)
        },
    );
    prop_oneof![4 => likely, 1 => any::<[u8; 8]>()]
}

/// Decodes with whatever type the format has; format 4 by its first half.
fn decode(format: PinBlockFormat, bytes: [u8; 8], pan: &Pan) -> Result<Pin, InvalidPinBlock> {
    match format {
        PinBlockFormat::Iso2 => CardPinBlock::from_fill(|block| *block = bytes).decode(),
        PinBlockFormat::Iso4 => Iso4PinField::from_fill(|block| block[..8].copy_from_slice(&bytes)).decode(),
        _ => ClearPinBlock::from_fill(|block| *block = bytes).decode(format, pan),
    }
}

/// Encodes with whatever type the format has; `fill` is that of a field that was accepted.
fn encode(format: PinBlockFormat, pin: &Pin, pan: &Pan, fill: [u8; 7]) -> [u8; 8] {
    match format {
        PinBlockFormat::Iso0 => *ClearPinBlock::encode_iso0(pin, pan).expose_bytes(),
        PinBlockFormat::Iso1 => *ClearPinBlock::encode_iso1_with_fixed_fill(pin, &fill).expose_bytes(),
        PinBlockFormat::Iso2 => *CardPinBlock::encode(pin).expose_bytes(),
        PinBlockFormat::Iso3 => {
            let encoded = ClearPinBlock::encode_iso3_with_fixed_fill(pin, pan, &without_digits(fill));
            *encoded.unwrap().expose_bytes()
        }
        PinBlockFormat::Iso4 => {
            let field = Iso4PinField::encode_with_fixed_random(pin, &[0; 8]);
            field.expose_bytes()[..8].try_into().unwrap()
        }
    }
}

/// `fill` with `F` in place of the digits, since the fill of format 3 has to be `A` to `F` under them as well.
fn without_digits(fill: [u8; 7]) -> [u8; 7] {
    let letter = |nibble: u8| if nibble < 0xA { 0xF } else { nibble };
    fill.map(|byte| letter(byte >> 4) << 4 | letter(byte & 0xF))
}

/// What an independent decoder, written with strings and early exits, says.
fn decode_plainly(format: PinBlockFormat, field: [u8; 8]) -> Option<String> {
    let text = base16ct::upper::encode_string(&field);
    let length = usize::from(field[0] & 0xF);
    if field[0] >> 4 != format.number() || !(4..=12).contains(&length) {
        return None;
    }
    let (digits, fill) = text[2..].split_at(length);
    let allowed = match format {
        PinBlockFormat::Iso0 | PinBlockFormat::Iso2 => "F",
        PinBlockFormat::Iso1 => "0123456789ABCDEF",
        PinBlockFormat::Iso3 => "ABCDEF",
        PinBlockFormat::Iso4 => "A",
    };
    let good =
        digits.chars().all(|nibble| nibble.is_ascii_digit()) && fill.chars().all(|f| allowed.contains(f));
    good.then(|| digits.to_owned())
}

fn shown(pin: &Pin) -> String {
    String::from_utf8(pin.expose_digits().to_vec()).unwrap()
}

/// Adds the account number field of formats 0 and 3, made by way of strings.
fn xor(block: [u8; 8], pan: &Pan) -> [u8; 8] {
    let account: String = String::from_utf8(pan.expose_digits().to_vec()).unwrap();
    let account = format!("{:0>24}", &account[..account.len() - 1]);
    let field = common::hex(&format!("0000{}", &account[12..]));
    core::array::from_fn(|index| block[index] ^ field[index])
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn decoders_agree_with_a_plain_one_and_accepted_bytes_encode_the_same(
        field in likely_field(), pan in any_pan()
    ) {
        for format in PinBlockFormat::ALL {
            let adds_pan = matches!(format, PinBlockFormat::Iso0 | PinBlockFormat::Iso3);
            let bytes = if adds_pan { xor(field, &pan) } else { field };
            let decoded = decode(format, bytes, &pan).ok();
            prop_assert_eq!(decoded.as_ref().map(shown), decode_plainly(format, field));
            if let Some(pin) = decoded {
                prop_assert_eq!(encode(format, &pin, &pan, field[1..].try_into().unwrap()), bytes);
            }
        }
    }

    #[test]
    fn every_byte_string_gets_an_answer_in_every_format(bytes: [u8; 8], pan in any_pan()) {
        for format in PinBlockFormat::ALL {
            let _ = decode(format, bytes, &pan);
            let _ = ClearPinBlock::from_fill(|block| *block = bytes).decode(format, &pan);
        }
    }

    #[test]
    fn encoded_pin_decodes_in_its_own_format_and_no_other(pin in any_pin(), pan in any_pan(), seed: u64) {
        let rng = &mut KnownRng(seed);
        let blocks = [
            (PinBlockFormat::Iso0, ClearPinBlock::encode_iso0(&pin, &pan)),
            (PinBlockFormat::Iso1, ClearPinBlock::encode_iso1(&pin, rng)),
            (PinBlockFormat::Iso3, ClearPinBlock::encode_iso3(&pin, &pan, rng)),
        ];
        for (own, block) in &blocks {
            for format in PinBlockFormat::ALL {
                let decoded = block.decode(format, &pan);
                prop_assert_eq!(decoded.is_ok_and(|decoded| decoded.ct_eq(&pin)), format == *own);
            }
        }
        prop_assert!(CardPinBlock::encode(&pin).decode().unwrap().ct_eq(&pin));
        prop_assert!(Iso4PinField::encode(&pin, rng).decode().unwrap().ct_eq(&pin));
    }

    #[test]
    fn pan_field_of_format_4_is_the_padded_decimal_pan(digits in "[0-9]{8,19}") {
        let excess = digits.len().saturating_sub(12);
        let expected = format!("{:0<32}", format!("{excess}{digits:0>12}"));
        let field = Iso4PanField::encode(&pan(&digits));
        prop_assert_eq!(base16ct::upper::encode_string(field.expose_bytes()), expected);
    }
}

#[test]
fn every_pin_length_round_trips_in_every_format() {
    let rng = &mut KnownRng(1);
    for length in Pin::MIN_DIGITS..=Pin::MAX_DIGITS {
        let pin = pin(&"987654321098"[..length]);
        let pan = pan(PAN);
        assert!(ClearPinBlock::encode_iso0(&pin, &pan).decode_iso0(&pan).unwrap().ct_eq(&pin));
        assert!(ClearPinBlock::encode_iso1(&pin, rng).decode_iso1().unwrap().ct_eq(&pin));
        assert!(CardPinBlock::encode(&pin).decode().unwrap().ct_eq(&pin));
        assert!(ClearPinBlock::encode_iso3(&pin, &pan, rng).decode_iso3(&pan).unwrap().ct_eq(&pin));
        assert!(Iso4PinField::encode(&pin, rng).decode().unwrap().ct_eq(&pin));
    }
}

#[test]
fn random_fill_differs_and_takes_every_allowed_value_at_every_position() {
    let (pin, pan, rng) = (pin("1234"), pan(PAN), &mut KnownRng(2));
    let mut seen = [[0u16; 16]; 3];
    for _ in 0..400 {
        let iso1 = ClearPinBlock::encode_iso1(&pin, rng);
        let iso3 = xor(*ClearPinBlock::encode_iso3(&pin, &pan, rng).expose_bytes(), &pan);
        let iso4 = Iso4PinField::encode(&pin, rng);
        let fills = [&iso1.expose_bytes()[3..], &iso3[3..], &iso4.expose_bytes()[8..]];
        for (seen, fill) in seen.iter_mut().zip(fills) {
            let nibbles = fill.iter().flat_map(|byte| [byte >> 4, byte & 0xF]);
            for (seen, nibble) in seen.iter_mut().zip(nibbles) {
                *seen |= 1 << nibble;
            }
        }
    }
    assert_eq!(seen[0][..10], [0xFFFF; 10]);
    assert_eq!(seen[1][..10], [0xFC00; 10]);
    assert_eq!(seen[2], [0xFFFF; 16]);
}

#[test]
fn random_draw_is_the_same_for_every_pin_length() {
    let draw = |encode: &dyn Fn(&Pin, &mut KnownRng)| {
        ["1234", "12345", "123456789012"].map(|digits| {
            let mut rng = KnownRng(3);
            encode(&pin(digits), &mut rng);
            rng.0
        })
    };
    let all_equal = |states: [u64; 3]| states[0] != 3 && states == [states[0]; 3];
    assert!(all_equal(draw(&|pin, rng| drop(ClearPinBlock::encode_iso1(pin, rng)))));
    assert!(all_equal(draw(&|pin, rng| drop(ClearPinBlock::encode_iso3(pin, &pan(PAN), rng)))));
    assert!(all_equal(draw(&|pin, rng| drop(Iso4PinField::encode(pin, rng)))));
}

#[test]
fn fixed_fill_of_format_3_outside_a_to_f_is_an_error() {
    let refused =
        ClearPinBlock::encode_iso3_with_fixed_fill(&pin("1234"), &pan(PAN), &[0xFF, 0xFF, 0xF9, 0, 0, 0, 0]);
    assert_eq!(refused.unwrap_err(), InvalidFill { position: 5 });
}

#[test]
fn eight_byte_block_is_never_valid_in_format_2_or_4() {
    for bytes in [*b"\x24\x12\x34\xFF\xFF\xFF\xFF\xFF", *b"\x44\x12\x34\xAA\xAA\xAA\xAA\xAA"] {
        let block = ClearPinBlock::from_fill(|block| *block = bytes);
        for format in [PinBlockFormat::Iso2, PinBlockFormat::Iso4] {
            assert_eq!(block.decode(format, &pan(PAN)).unwrap_err(), InvalidPinBlock);
        }
    }
}

#[test]
fn format_numbers_from_0_to_4_exist() {
    for number in 0..=255 {
        match PinBlockFormat::try_from(number) {
            Ok(format) => assert!(number <= 4 && format.number() == number),
            Err(error) => assert!(number > 4 && error == UnknownPinBlockFormat { found: number }),
        }
    }
    let binding = PinBlockFormat::ALL.map(PinBlockFormat::binds_pan);
    assert_eq!(binding, [true, false, false, true, true]);
}
