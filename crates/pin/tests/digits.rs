//! PINs and PANs: what they take, what they refuse, what they show.

#![allow(clippy::unwrap_used, reason = "a panic here is the report")]

mod common;

use cardroot_pin::{DigitsError, Pan, Pin, WrongCheckDigit};
use common::{pan, pin};
use proptest::prelude::*;

#[test]
fn pin_takes_4_to_12_digits() {
    for found in 0..300 {
        let digits = vec![b'7'; found];
        match Pin::from_ascii_digits(&digits) {
            Ok(pin) => assert!((4..=12).contains(&found) && pin.expose_digits() == digits),
            Err(error) => {
                assert!(!(4..=12).contains(&found));
                assert_eq!(error, DigitsError::Length { min: 4, max: 12, found });
            }
        }
    }
}

#[test]
fn pan_takes_8_to_19_digits() {
    for found in 0..300 {
        let digits = vec![b'7'; found];
        match Pan::from_ascii_digits(&digits) {
            Ok(pan) => assert!((8..=19).contains(&found) && pan.expose_digits() == digits),
            Err(error) => {
                assert!(!(8..=19).contains(&found));
                assert_eq!(error, DigitsError::Length { min: 8, max: 19, found });
            }
        }
    }
}

#[test]
fn any_byte_but_a_digit_is_refused_with_its_position() {
    for position in 0..8 {
        for byte in (0..=255u8).filter(|byte| !byte.is_ascii_digit()) {
            let mut digits = *b"12345678";
            *digits.get_mut(position).unwrap() = byte;
            assert_eq!(Pin::from_ascii_digits(&digits).unwrap_err(), DigitsError::NotADigit { position });
            assert_eq!(Pan::from_ascii_digits(&digits).unwrap_err(), DigitsError::NotADigit { position });
        }
    }
}

#[test]
fn errors_say_where_and_how_many() {
    let error = Pin::from_ascii_digits(b"123").unwrap_err();
    assert_eq!(error.to_string(), "expected 4 to 12 digits, found 3");
    let error = Pan::from_ascii_digits(b"1234567X").unwrap_err();
    assert_eq!(error.to_string(), "byte 7 is not an ASCII digit");
}

#[test]
fn equality_sees_every_digit_and_the_length() {
    let one = pin("123456789012");
    assert!(one.ct_eq(&one.duplicate()));
    for other in ["023456789012", "123456789013", "12345678901", "1234"] {
        assert!(!one.ct_eq(&pin(other)), "{other}");
    }
    assert!(!pin("1234").ct_eq(&pin("12340")));

    let one = pan("4111111111111111");
    assert!(one.ct_eq(&one.duplicate()));
    for other in ["4111111111111112", "5111111111111111", "411111111111111", "41111111111111110"] {
        assert!(!one.ct_eq(&pan(other)), "{other}");
    }
}

#[test]
fn pan_shows_first_six_and_last_four_and_hides_six() {
    let all = "1234567890123456789";
    let masked = [
        (8, "******78"),
        (9, "******789"),
        (10, "******7890"),
        (11, "1******8901"),
        (12, "12******9012"),
        (13, "123******0123"),
        (14, "1234******1234"),
        (15, "12345******2345"),
        (16, "123456******3456"),
        (17, "123456*******4567"),
        (18, "123456********5678"),
        (19, "123456*********6789"),
    ];
    for (length, expected) in masked {
        let pan = pan(all.get(..length).unwrap());
        assert_eq!(pan.to_string(), expected);
        assert_eq!(format!("{pan:?}"), format!("Pan({expected})"));
        assert_eq!(format!("{pan:#?}"), format!("Pan({expected})"));
    }
}

#[test]
fn known_account_numbers_have_their_check_digit() {
    // Luhn's example, network test numbers of 13 to 19 digits, and the account number of ANS X9.24-1 A.4.
    for valid in [
        "79927398713",
        "4222222222222",
        "378282246310005",
        "4111111111111111",
        "5555555555554444",
        "6304000000000000",
        "6205500000000000004",
        "4012345678909",
        "00000000",
    ] {
        assert_eq!(pan(valid).verify_luhn(), Ok(()), "{valid}");
    }
    for digit in (b'0'..=b'9').filter(|digit| *digit != b'3') {
        let wrong = Pan::from_ascii_digits(&[b"7992739871".as_slice(), &[digit]].concat()).unwrap();
        assert_eq!(wrong.verify_luhn(), Err(WrongCheckDigit));
    }
}

proptest! {
    #[test]
    fn exactly_one_check_digit_fits_and_one_wrong_digit_is_noticed(
        account in "[0-9]{7,18}", place in any::<prop::sample::Index>(), step in 1u8..10
    ) {
        let fitting: Vec<String> = (0..10)
            .map(|check| format!("{account}{check}"))
            .filter(|digits| pan(digits).verify_luhn().is_ok())
            .collect();
        prop_assert_eq!(fitting.len(), 1);

        let mut wrong = fitting.concat().into_bytes();
        let digit = wrong.get_mut(place.index(account.len())).unwrap();
        *digit = (*digit - b'0' + step) % 10 + b'0';
        prop_assert!(Pan::from_ascii_digits(&wrong).unwrap().verify_luhn().is_err());
    }
}
