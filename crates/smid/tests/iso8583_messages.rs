//! Messages that other implementations published: decoded, compared field by field, encoded again.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::missing_panics_doc,
    reason = "a panic here is the test's report"
)]

mod vectors;

use cardroot_smid::iso8583::{
    BcdPad, BitmapError, Coding, DecodeReason, Dialect, EncodeError, FieldError, FieldReason, FieldSpec,
    FieldValue, Length, LengthCoding, MASKED_FIELDS, Message, Part, Sensitivity, ValueCoding, Version,
};
use vectors::samples;

fn shown(value: FieldValue<'_>) -> String {
    match value {
        FieldValue::Text(text) => text.to_owned(),
        FieldValue::Bytes(bytes) => base16ct::upper::encode_string(bytes),
    }
}

#[test]
fn published_messages_decode_to_their_fields_and_encode_to_their_bytes() {
    let mut compared = 0;
    for sample in samples() {
        let message = Message::decode(&sample.dialect, &sample.bytes).unwrap();
        assert_eq!(message.mti().to_string(), sample.fields[&0], "{}", sample.source);
        let found: Vec<(u8, String)> =
            message.fields().map(|(number, value)| (number, shown(value))).collect();
        let expected: Vec<(u8, String)> =
            sample.fields.iter().skip(1).map(|(number, value)| (*number, value.clone())).collect();
        assert_eq!(found, expected, "{}", sample.source);
        assert_eq!(message.encode(&sample.dialect).unwrap(), sample.bytes, "{}", sample.source);
        compared += found.len();
    }
    println!("{compared} fields in 7 messages");
    assert_eq!(compared, 5 * 64 - 1 + 22 + 3);
}

#[test]
fn message_built_from_its_fields_encodes_to_the_published_bytes() {
    for sample in samples() {
        let mut message = Message::new(sample.fields[&0].parse().unwrap());
        // From the last to the first, so that every value is inserted before others.
        for (&number, value) in sample.fields.iter().skip(1).rev() {
            if sample.dialect.field(number).unwrap().spec.content.is_binary() {
                let bytes = base16ct::mixed::decode_vec(value).unwrap();
                message.set_bytes(&sample.dialect, number, &bytes).unwrap();
            } else {
                message.set_text(&sample.dialect, number, value).unwrap();
            }
        }
        assert_eq!(message.encode(&sample.dialect).unwrap(), sample.bytes, "{}", sample.source);
    }
}

#[test]
fn smallest_moov_message_is_of_the_built_in_dialect() {
    let sample = samples().pop().unwrap();
    assert_eq!(sample.bytes, b"01007000000000000000164242424242424242123456000000000100");
    let message = Message::decode(Dialect::ISO1987_ASCII, &sample.bytes).unwrap();
    assert_eq!(message.text(2), Some("4242424242424242"));
    assert_eq!(message.encode(Dialect::ISO1987_ASCII).unwrap(), sample.bytes);
}

#[test]
fn message_cut_short_anywhere_is_an_error_at_its_end() {
    let mut cuts = 0;
    for sample in samples() {
        for end in 0..sample.bytes.len() {
            let error = Message::decode(&sample.dialect, &sample.bytes[..end]).unwrap_err();
            assert!(matches!(error.reason, DecodeReason::Truncated { .. }), "{end}: {error}");
            assert_eq!(error.offset, end, "{}", sample.source);
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert_eq!(cuts, samples().iter().map(|sample| sample.bytes.len()).sum::<usize>());
}

#[test]
fn byte_after_the_last_field_is_an_error() {
    for sample in samples() {
        let longer = [sample.bytes.as_slice(), b"0"].concat();
        let error = Message::decode(&sample.dialect, &longer).unwrap_err();
        assert_eq!(error.part, Part::End);
        assert_eq!(error.offset, sample.bytes.len());
        assert_eq!(error.reason, DecodeReason::Leftover { count: 1 });
    }
}

#[test]
fn message_goes_from_the_text_to_the_packed_dialect() {
    let mut message = Message::decode(Dialect::ISO1987_ASCII, &samples()[6].bytes).unwrap();
    message.set_text(Dialect::ISO1987_ASCII, 35, "4242424242424242=2512").unwrap();
    let packed = message.encode(Dialect::ISO1987_BINARY).unwrap();
    assert_eq!(
        base16ct::upper::encode_string(&packed),
        "0100700000002000000016424242424242424212345600000000010021\
         4242424242424242D25120"
            .replace(' ', "")
    );
    let back = Message::decode(Dialect::ISO1987_BINARY, &packed).unwrap();
    assert_eq!(back.encode(Dialect::ISO1987_ASCII).unwrap(), message.encode(Dialect::ISO1987_ASCII).unwrap());
}

/// Decodes `bytes` and returns what is wrong: part, offset, reason.
fn refusal(dialect: &Dialect, bytes: &[u8]) -> (Part, usize, DecodeReason) {
    let error = Message::decode(dialect, bytes).unwrap_err();
    (error.part, error.offset, error.reason)
}

#[test]
fn header_faults_are_located() {
    let (text, packed) = (Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY);
    let version = DecodeReason::Version { expected: Version::Iso1993, found: Version::Iso1987 };
    assert_eq!(refusal(text, b"19x0"), (Part::Mti, 2, DecodeReason::Digit));
    assert_eq!(refusal(packed, b"\x12\xA0"), (Part::Mti, 1, DecodeReason::Digit));
    assert_eq!(refusal(text, b"0200"), (Part::Mti, 0, version));
    assert_eq!(refusal(text, b"1200700000000000000g"), (Part::Bitmap, 19, DecodeReason::HexDigit));
    // Lower case would not come back as it was.
    assert_eq!(refusal(text, b"1200a000000000000000"), (Part::Bitmap, 4, DecodeReason::HexDigit));
    let tertiary = b"\x12\x00\x80\0\0\0\0\0\0\0\x80\0\0\0\0\0\0\0";
    assert_eq!(refusal(packed, tertiary), (Part::Bitmap, 10, BitmapError::Tertiary.into()));
    let empty = b"\x12\x00\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
    assert_eq!(refusal(packed, empty), (Part::Bitmap, 10, BitmapError::EmptySecondary.into()));
}

#[test]
fn field_faults_are_located() {
    let (text, packed) = (Dialect::ISO1993_ASCII, Dialect::ISO1993_BINARY);
    let class =
        |dialect: &Dialect, number| DecodeReason::Character(dialect.field(number).unwrap().spec.content);
    let with = |bitmap: u64, rest: &[u8]| [&b"\x12\x00"[..], &bitmap.to_be_bytes(), rest].concat();
    let text_with = |bitmap: u64, rest: &[u8]| [format!("1200{bitmap:016X}").as_bytes(), rest].concat();
    let field = |number: u8| 1u64 << (64 - number);

    // Text: the length, its limit, the class.
    assert_eq!(refusal(text, &text_with(field(2), b" 1")), (Part::Field(2), 20, DecodeReason::Digit));
    assert_eq!(refusal(text, &text_with(field(2), b"1 ")), (Part::Field(2), 21, DecodeReason::Digit));
    let too_long = DecodeReason::TooLong { max: 19, found: 20 };
    assert_eq!(refusal(text, &text_with(field(2), b"20")), (Part::Field(2), 20, too_long));
    assert_eq!(refusal(text, &text_with(field(2), b"0512E45")), (Part::Field(2), 24, class(text, 2)));
    assert_eq!(
        refusal(text, &text_with(field(52), b"000000000000000f")),
        (Part::Field(52), 35, DecodeReason::HexDigit)
    );
    let truncated = DecodeReason::Truncated { missing: 3 };
    assert_eq!(refusal(text, &text_with(field(2), b"0512")), (Part::Field(2), 24, truncated));

    // Packed: length digits, digits, the fill before and after an odd number of them.
    assert_eq!(refusal(packed, &with(field(2), b"\x1A")), (Part::Field(2), 10, DecodeReason::Digit));
    assert_eq!(refusal(packed, &with(field(2), b"\x20")), (Part::Field(2), 10, too_long));
    assert_eq!(
        refusal(packed, &with(field(2), b"\x05\x12\x34\x56")),
        (Part::Field(2), 13, DecodeReason::Fill)
    );
    assert_eq!(refusal(packed, &with(field(2), b"\x03\x12\xB0")), (Part::Field(2), 12, class(packed, 2)));
    assert_eq!(refusal(packed, &with(field(19), b"\x18\x40")), (Part::Field(19), 10, DecodeReason::Fill));
    assert_eq!(refusal(packed, &with(field(19), b"\x08\x4A")), (Part::Field(19), 11, class(packed, 19)));
    let over = DecodeReason::TooLong { max: 255, found: 256 };
    assert_eq!(refusal(packed, &with(field(55), b"\x02\x56")), (Part::Field(55), 10, over));
}

#[test]
fn signed_amount_faults_are_located() {
    let packed = Dialect::ISO1993_BINARY;
    let amount = |sign: u8, digits: &[u8; 8]| {
        [&b"\x12\x00\x80\0\0\0\0\0\0\0\0\0\0\0\x80\0\0\0"[..], &[sign], digits].concat()
    };
    let message = Message::decode(packed, &amount(b'D', b"\0\0\0\0\0\0\x12\x34")).unwrap();
    assert_eq!(message.text(97), Some("D0000000000001234"));
    let class = DecodeReason::Character(packed.field(97).unwrap().spec.content);
    assert_eq!(refusal(packed, &amount(b'0', b"\0\0\0\0\0\0\0\0")), (Part::Field(97), 18, class));
    assert_eq!(refusal(packed, &amount(b'C', b"\0\0\0\0\0\0\0\xA0")), (Part::Field(97), 26, class));
}

#[test]
fn fill_of_a_signed_amount_is_located_behind_the_sign() {
    let mut dialect = Dialect::ISO1993_BINARY.derive("amount of odd length");
    let spec = FieldSpec { length: Length::Fixed(4), ..dialect.field(97).unwrap().spec.clone() };
    let value = ValueCoding::SignThenBcd(BcdPad::TrailingF);
    dialect.set_field(spec, Coding { length: LengthCoding::Bcd, value }).unwrap();
    let amount = |digits: &[u8]| [&b"\x12\x00\x80\0\0\0\0\0\0\0\0\0\0\0\x80\0\0\0C"[..], digits].concat();
    assert_eq!(Message::decode(&dialect, &amount(b"\x12\x3F")).unwrap().text(97), Some("C123"));
    assert_eq!(refusal(&dialect, &amount(b"\x12\x30")), (Part::Field(97), 20, DecodeReason::Fill));
}

#[test]
fn values_that_do_not_fit_are_refused_with_field_and_position() {
    let dialect = Dialect::ISO1993_ASCII;
    let mut message = Message::new("1200".parse().unwrap());
    let error = |field, position, reason| Err(FieldError { field, position, reason });
    let class = |field| FieldReason::Character(dialect.field(field).unwrap().spec.content);

    for number in [0, 1, 65, 129, 255] {
        assert_eq!(message.set_text(dialect, number, "0"), error(number, 0, FieldReason::NotAField));
    }
    assert_eq!(message.set_text(dialect, 52, "00"), error(52, 0, FieldReason::TextForBytes));
    assert_eq!(message.set_bytes(dialect, 3, b"000000"), error(3, 0, FieldReason::BytesForText));
    let fixed = |found| FieldReason::FixedLength { expected: 6, found };
    assert_eq!(message.set_text(dialect, 3, "00000"), error(3, 5, fixed(5)));
    assert_eq!(message.set_text(dialect, 3, "0000000"), error(3, 6, fixed(7)));
    let too_long = FieldReason::TooLong { max: 19, found: 20 };
    assert_eq!(message.set_text(dialect, 2, "42424242424242424242"), error(2, 19, too_long));
    assert_eq!(message.set_text(dialect, 2, "4242 4242"), error(2, 4, class(2)));
    assert_eq!(message.set_text(dialect, 97, "X0000000000001234"), error(97, 0, class(97)));
    assert_eq!(
        message.set_text(dialect, 49, "97€"),
        error(49, 3, FieldReason::FixedLength { expected: 3, found: 5 })
    );
    assert_eq!(message.set_text(dialect, 47, "caf\u{e9}"), error(47, 3, class(47)));
    assert_eq!(message.bitmap().count(), 0);
}

#[test]
fn message_of_another_version_or_shape_is_not_encoded() {
    let mut message = Message::new("1200".parse().unwrap());
    message.set_bytes(Dialect::ISO1993_ASCII, 53, &[0; 10]).unwrap();
    let version = EncodeError::Version { expected: Version::Iso1987, found: Version::Iso1993 };
    assert_eq!(message.encode(Dialect::ISO1987_ASCII), Err(version));
    message.set_mti("0200".parse().unwrap());
    let reason = FieldReason::BytesForText;
    let field = EncodeError::Field(FieldError { field: 53, position: 0, reason });
    assert_eq!(message.encode(Dialect::ISO1987_ASCII), Err(field));
}

#[test]
fn fields_are_replaced_removed_and_copied() {
    let dialect = Dialect::ISO1993_ASCII;
    let mut message = Message::decode(dialect, &[&b"1200"[..], b"0000000000000000"].concat()).unwrap();
    message.set_text(dialect, 11, "000001").unwrap();
    message.set_text(dialect, 2, "4012345678909").unwrap();
    message.set_text(dialect, 2, "4242424242424242").unwrap();
    let copy = message.duplicate();
    message.remove(2);
    message.remove(3);
    assert_eq!((message.text(2), message.text(11)), (None, Some("000001")));
    assert_eq!((copy.text(2), copy.text(11)), (Some("4242424242424242"), Some("000001")));
    assert_eq!((copy.bytes(2), copy.get(3)), (None, None));
}

#[test]
fn debug_shows_key_names_and_hides_cardholder_data() {
    let dialect = Dialect::ISO1993_ASCII;
    let mut message = Message::new("1200".parse().unwrap());
    for number in MASKED_FIELDS {
        if dialect.field(number).unwrap().spec.content.is_binary() {
            message.set_bytes(dialect, number, &[0xA5; 8]).unwrap();
        } else {
            message.set_text(dialect, number, "77777777").unwrap();
        }
    }
    message.set_text(dialect, 3, "123456").unwrap();
    message.set_bytes(dialect, 53, &[0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0, 1]).unwrap();
    let input = message.mac_input(dialect).unwrap();
    let all =
        format!("{message:?} {message:#?} {:x?} {:?} {input:?} {input:#?}", message.get(2), message.get(52));
    for secret in ["7777", "a5", "A5", "165", "55, 55"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
    for public in [
        "1200",
        "\"123456\"",
        "9876543210E00001",
        "Some(Text(<8 characters>))",
        "Some(Bytes(<8 bytes>))",
        "MacInput { field: 128, covered: <",
    ] {
        assert!(all.contains(public), "{public} not in {all}");
    }
}

#[test]
fn debug_hides_what_the_dialect_of_the_message_masks() {
    let plain = Dialect::ISO1987_BINARY;
    let mut masking = plain.derive("masking");
    let mut private = plain.field(48).unwrap().clone();
    private.spec.sensitivity = Sensitivity::Masked;
    masking.set_field(private.spec, private.coding).unwrap();

    let mut message = Message::new("0100".parse().unwrap());
    message.set_text(&masking, 48, "CVV2 777").unwrap();
    message.set_text(&masking, 3, "123456").unwrap();
    let decoded = Message::decode(&masking, &message.encode(&masking).unwrap()).unwrap();
    for message in [&message, &decoded, &message.duplicate()] {
        // Not even with another dialect at hand, which would show the field.
        let shown = format!("{message:?} {:?} {}", message.display_exposed(plain), message.display(plain));
        assert!(!shown.contains("777") && shown.contains("Text(<8 characters>)"), "{shown}");
        assert!(message.is_masked(plain, 48) && !message.is_masked(plain, 3) && message.is_masked(plain, 2));
    }
    // What is set anew, is as the new dialect says.
    message.set_text(plain, 48, "CVV2 777").unwrap();
    assert!(format!("{message:?}").contains("777"));
    message.set_text(&masking, 48, "CVV2 777").unwrap();
    message.remove(48);
    message.set_text(plain, 48, "PUBLIC").unwrap();
    assert!(format!("{message:?}").contains("PUBLIC"));
}

#[test]
fn errors_name_the_place_and_no_content() {
    let error = Message::decode(Dialect::ISO1987_ASCII, b"0200400000000000000005424x2").unwrap_err();
    assert_eq!(error.to_string(), "field 2, byte 25: the character is not of class n");
    let mut message = Message::new("0200".parse().unwrap());
    let error = message.set_text(Dialect::ISO1987_ASCII, 2, "4242x").unwrap_err();
    assert_eq!(error.to_string(), "field 2, position 4: the character is not of class n");
}
