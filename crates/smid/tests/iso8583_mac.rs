//! What a MAC covers, and SMIDs in messages that carry one. The "MAC" here is a checksum: this crate has no keys.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

use cardroot_smid::iso8583::{
    BitmapCoding, Coding, Content, DecodeReason, Dialect, EncodeError, FieldSpec, Length, LengthCoding,
    MacError, Message, MessageSmidError, ValueCoding, VerifyError, Version,
};
use cardroot_smid::{Carrier, Control, Smid, SmidDecodeError, SmidEncodeError, SmidList, SmidProfile};

const KSN: [u8; 10] = [0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x01];

/// Depends on every byte and its place (FNV-1a).
fn checksum(covered: &[u8]) -> [u8; 8] {
    let mut sum = 0xCBF2_9CE4_8422_2325_u64;
    for &byte in covered {
        sum = (sum ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
    }
    sum.to_be_bytes()
}

#[derive(Debug, PartialEq)]
struct WrongSum;

fn check(covered: &[u8], mac: &[u8; 8]) -> Result<(), WrongSum> {
    if checksum(covered) == *mac { Ok(()) } else { Err(WrongSum) }
}

fn request() -> Message {
    let dialect = Dialect::ISO1993_BINARY;
    let mut message = Message::new("1200".parse().unwrap());
    message.set_text(dialect, 11, "000042").unwrap();
    message.set_bytes(dialect, 52, &[0x52; 8]).unwrap();
    message.set_smids(dialect, &SmidProfile::KEY_NAME_10, &Smid::new(KSN.into()).into()).unwrap();
    message
}

#[test]
fn mac_covers_the_message_up_to_itself_with_its_bit_set() {
    let input = request().mac_input(Dialect::ISO1993_BINARY).unwrap();
    let expected = [
        &b"\x12\x00\x00\x20\0\0\0\0\x18\x01\x00\x00\x42"[..],
        &[0x52; 8],
        b"\x10\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01",
    ]
    .concat();
    assert_eq!((input.field(), input.covered()), (64, expected.as_slice()));

    let input = request().mac_input(Dialect::ISO1993_ASCII).unwrap();
    let expected = [
        &b"12000020000000001801"[..],
        b"000042",
        b"5252525252525252",
        b"10\xFF\xFF\x98\x76\x54\x32\x10\xE0\x00\x01",
    ]
    .concat();
    assert_eq!((input.field(), input.covered()), (64, expected.as_slice()));
}

#[test]
fn mac_moves_to_bit_128_with_a_field_above_64() {
    let dialect = Dialect::ISO1993_BINARY;
    let mut message = request();
    message.seal_with(dialect, checksum).unwrap();
    assert!(message.contains(64));
    message.set_text(dialect, 70, "840").unwrap();
    let sealed = message.seal_with(dialect, checksum).unwrap();
    assert!(!message.contains(64) && message.contains(128));
    assert_eq!(message.encode(dialect).unwrap(), sealed);
    // Bits 70 and 128, after which nothing but the country code and the MAC follow.
    assert_eq!(sealed[10..18], [0x04, 0, 0, 0, 0, 0, 0, 1]);
    message.remove(70);
    message.seal_with(dialect, checksum).unwrap();
    assert!(message.contains(64) && !message.contains(128));
}

#[test]
fn sealed_message_verifies_and_any_changed_byte_does_not() {
    for dialect in [Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY] {
        for secondary in [false, true] {
            let mut message = request();
            if secondary {
                message.set_text(dialect, 70, "840").unwrap();
            }
            let sealed = message.seal_with(dialect, checksum).unwrap();
            assert_eq!(message.encode(dialect).unwrap(), sealed);
            let verified = Message::verify_with(dialect, &sealed, check).unwrap();
            assert_eq!(verified.text(11), Some("000042"));
            for at in 0..sealed.len() {
                let mut changed = sealed.clone();
                changed[at] ^= 0x01;
                assert!(Message::verify_with(dialect, &changed, check).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn check_sees_the_bytes_as_received_and_its_error_comes_back() {
    let dialect = Dialect::ISO1993_ASCII;
    let sealed = request().seal_with(dialect, |_| *b"\x01\x23\x45\x67\x89\xAB\xCD\xEF").unwrap();
    assert!(sealed.ends_with(b"0123456789ABCDEF"));
    let error = Message::verify_with(dialect, &sealed, |covered, mac| {
        assert_eq!(covered, &sealed[..sealed.len() - 16]);
        assert_eq!(mac, b"\x01\x23\x45\x67\x89\xAB\xCD\xEF");
        Err(WrongSum)
    });
    assert_eq!(error.unwrap_err(), VerifyError::Refused(WrongSum));
}

#[test]
fn message_with_its_mac_missing_doubled_or_misplaced_is_refused_unchecked() {
    let dialect = Dialect::ISO1993_BINARY;
    let refusal = |message: &Message| {
        let bytes = message.encode(dialect).unwrap();
        let never = |_: &[u8], _: &[u8; 8]| -> Result<(), WrongSum> { panic!("checked") };
        Message::verify_with(dialect, &bytes, never).unwrap_err()
    };
    let mut message = request();
    assert_eq!(refusal(&message), VerifyError::Missing);
    message.set_bytes(dialect, 64, &[0; 8]).unwrap();
    message.set_text(dialect, 70, "840").unwrap();
    assert_eq!(refusal(&message), VerifyError::NotLast);
    message.set_bytes(dialect, 128, &[0; 8]).unwrap();
    assert_eq!(refusal(&message), VerifyError::Two);

    let error = Message::verify_with(dialect, b"\x12", check).unwrap_err();
    assert!(
        matches!(error, VerifyError::Decode(error) if error.reason == DecodeReason::Truncated { missing: 1 })
    );
}

#[test]
fn dialect_without_eight_bytes_for_the_mac_is_refused() {
    let mut dialect = Dialect::ISO1993_BINARY.derive("short MAC");
    let coding = Coding { length: LengthCoding::Bcd, value: ValueCoding::Raw };
    let spec = FieldSpec::new(64, "MAC", Content::B, Length::Fixed(4));
    dialect.set_field(spec, coding).unwrap();
    let mut message = request();
    assert_eq!(message.seal_with(&dialect, checksum), Err(MacError::Shape { field: 64 }));
    assert!(!message.contains(64));
    message.set_bytes(&dialect, 64, &[0; 4]).unwrap();
    let bytes = message.encode(&dialect).unwrap();
    assert_eq!(Message::verify_with(&dialect, &bytes, check).unwrap_err(), VerifyError::Shape { field: 64 });
}

#[test]
fn message_that_cannot_be_encoded_is_not_sealed_and_keeps_its_mac() {
    let mut message = request();
    message.set_bytes(Dialect::ISO1993_BINARY, 64, &[0x64; 8]).unwrap();
    let never = |_: &[u8]| panic!("sealed");
    let error = message.seal_with(Dialect::ISO1987_BINARY, never).unwrap_err();
    let version = EncodeError::Version { expected: Version::Iso1987, found: Version::Iso1993 };
    assert_eq!(error, MacError::Encode(version));
    assert_eq!(message.bytes(64), Some(&[0x64; 8][..]));
}

#[test]
fn key_exchange_carries_current_and_future_smids() {
    let profile = SmidProfile::CONTROL_KEY_NAME_10;
    let current = SmidList::from(Smid::with_control(Control::A5, KSN.into()));
    let mut next = KSN;
    next[9] = 2;
    let future =
        SmidList::pin_and_mac(&profile, Smid::with_control(Control::A5, next.into()), current.as_slice()[0]);
    for dialect in [Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY] {
        let mut message = Message::new("1804".parse().unwrap());
        assert_eq!(message.smids(&profile), Ok(None));
        message.set_smids(dialect, &profile, &current).unwrap();
        message.set_future_smids(dialect, &profile, &future).unwrap();
        let sealed = message.seal_with(dialect, checksum).unwrap();
        let received = Message::verify_with(dialect, &sealed, check).unwrap();
        assert_eq!(received.smids(&profile), Ok(Some(current.clone())));
        assert_eq!(received.future_smids(&profile), Ok(Some(future.clone())));
        let wrong = received.smids(&SmidProfile::KEY_NAME_10).unwrap_err();
        assert_eq!(wrong, MessageSmidError::Decode(SmidDecodeError::Leftover { at: 10, count: 1 }));
    }
}

#[test]
fn smids_are_for_1993_and_binary_fields() {
    let profile = SmidProfile::KEY_NAME_10;
    let smids = SmidList::from(Smid::new(KSN.into()));
    let mut old = Message::new("0200".parse().unwrap());
    let version = MessageSmidError::Version { found: Version::Iso1987 };
    assert_eq!(old.set_smids(Dialect::ISO1987_ASCII, &profile, &smids), Err(version));
    assert_eq!(old.set_future_smids(Dialect::ISO1987_ASCII, &profile, &smids), Err(version));
    old.set_text(Dialect::ISO1987_ASCII, 53, "1234567890123456").unwrap();
    assert_eq!(old.smids(&profile), Err(version));
    assert_eq!(old.future_smids(&profile), Err(version));

    // A network that kept its sixteen digits in bit 53.
    let mut kept = Dialect::ISO1993_ASCII.derive("digits in bit 53");
    let digits = Dialect::ISO1987_ASCII.field(53).unwrap().clone();
    kept.set_field(digits.spec, digits.coding).unwrap();
    kept.set_bitmap(BitmapCoding::Binary);
    let mut message = Message::new("1200".parse().unwrap());
    assert!(matches!(message.set_smids(&kept, &profile, &smids), Err(MessageSmidError::Field(_))));
    message.set_text(&kept, 53, "1234567890123456").unwrap();
    assert_eq!(message.smids(&profile), Err(MessageSmidError::Text { carrier: Carrier::Bit53 }));
    let encode = message.set_smids(Dialect::ISO1993_ASCII, &SmidProfile::CONTROL_KEY_NAME_10, &smids);
    assert_eq!(encode, Err(MessageSmidError::Encode(SmidEncodeError::MissingControl { entry: 0 })));
}
