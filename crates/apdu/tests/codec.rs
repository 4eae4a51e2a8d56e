//! Commands, responses, classes and status words against the vector files.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use cardroot_apdu::{
    Case, Chaining, Class, ClassError, ClassKind, CommandApdu, CommandError, Header, Instruction, Le,
    LengthForm, LogicalChannel, ResponseApdu, ResponseError, SecureMessaging, StatusClass, StatusWord,
    UnexpectedStatus,
};
use common::{assert_debug_hides_a5, hex, rows};
use proptest::prelude::*;

#[test]
fn every_command_case_decodes_and_encodes_to_the_same_bytes() {
    let rows = rows(include_str!("data/apdu_cases.csv"));
    let mut valid = 0;
    for row in &rows {
        let bytes = hex(&row[1]);
        let decoded = CommandApdu::decode(&bytes);
        if row[2] == "invalid" {
            check_refusal(row, decoded.expect_err(&row[5]));
            continue;
        }
        let command = decoded.unwrap_or_else(|error| panic!("{row:?}: {error}"));
        assert_eq!(case_name(command.case()), row[0], "{row:?}");
        assert_eq!(command.expose_data().len().to_string(), row[3], "{row:?}");
        let le = command.le().map(|le| le.bytes().to_string()).unwrap_or_default();
        assert_eq!(le, row[4], "{row:?}");
        assert_eq!(command.encode().expose_bytes(), bytes, "{row:?}");
        assert_eq!(command.encoded_len(), bytes.len(), "{row:?}");
        valid += 1;
    }
    println!("{} commands, {valid} of them valid", rows.len());
    assert_eq!((rows.len(), valid), (55, 33));
}

fn check_refusal(row: &[String], error: CommandError) {
    let by_header = matches!(error, CommandError::Class(_) | CommandError::Instruction(_));
    assert_eq!(by_header, row[5].starts_with("semantic:"), "{row:?}: {error}");
}

fn case_name(case: Case) -> &'static str {
    match case {
        Case::One => "1",
        Case::TwoShort => "2S",
        Case::ThreeShort => "3S",
        Case::FourShort => "4S",
        Case::TwoExtended => "2E",
        Case::ThreeExtended => "3E",
        Case::FourExtended => "4E",
    }
}

#[test]
fn a_built_command_is_short_where_it_can_be() {
    let header = Header::iso(Instruction::UPDATE_BINARY, 0, 0);
    let command = |len: usize| CommandApdu::new(header).with_data(&vec![0xAA; len]).unwrap();
    let le = |bytes| Le::new(bytes).unwrap();
    assert_eq!(command(255).with_le(le(256)).case(), Case::FourShort);
    assert_eq!(command(256).case(), Case::ThreeExtended);
    assert_eq!(command(1).with_le(le(257)).case(), Case::FourExtended);
    assert_eq!(command(0).with_le(le(257)).case(), Case::TwoExtended);
    assert_eq!(command(0).case(), Case::One);
    assert_eq!(command(1).extended().case(), Case::ThreeExtended);
    assert_eq!(command(0).extended().case(), Case::One);
    assert_eq!(command(65535).with_le(le(65536)).encoded_len(), CommandApdu::MAX_LEN);
}

#[test]
fn more_data_than_an_extended_command_takes_is_an_error() {
    let refused = CommandApdu::new(Header::iso(Instruction::UPDATE_BINARY, 0, 0)).with_data(&[0; 65536]);
    assert_eq!(refused.unwrap_err().found, 65536);
}

#[test]
fn a_card_has_a_status_for_every_refusal() {
    for (bytes, status) in [
        ("", StatusWord::WRONG_LENGTH),
        ("00A4000002AA", StatusWord::WRONG_LENGTH),
        ("FFA40000", StatusWord::CLASS_NOT_SUPPORTED),
        ("20A40000", StatusWord::CLASS_NOT_SUPPORTED),
        ("00600000", StatusWord::INSTRUCTION_NOT_SUPPORTED),
    ] {
        assert_eq!(CommandApdu::decode(&hex(bytes)).unwrap_err().status(), status, "{bytes}");
    }
}

#[test]
fn every_class_means_what_the_table_says() {
    let rows = rows(include_str!("data/apdu_cla.csv"));
    for row in &rows {
        let byte = hex(&row[0])[0];
        match (row[1].as_str(), Class::from_byte(byte)) {
            ("rfu", Err(ClassError::Reserved { byte: found })) => assert_eq!(found, byte),
            ("invalid", Err(ClassError::ProtocolSelection)) => {}
            (kind, Ok(class)) => {
                assert_eq!(class.byte(), byte);
                assert_eq!(kind_name(class.kind()), kind, "{byte:02X}");
                let channel = class.channel().map(|channel| channel.number().to_string());
                assert_eq!(channel.unwrap_or_default(), row[2], "{byte:02X}");
                assert_eq!(class.secure_messaging().map_or("", sm_name), row[3], "{byte:02X}");
                assert_eq!(class.chaining().map_or("", chaining_name), row[4], "{byte:02X}");
            }
            (kind, Err(error)) => panic!("{byte:02X} is {kind}: {error}"),
        }
    }
    println!("{} classes", rows.len());
    assert_eq!(rows.len(), 45);
}

fn kind_name(kind: ClassKind) -> &'static str {
    match kind {
        ClassKind::FirstInterindustry => "first_interindustry",
        ClassKind::FurtherInterindustry => "further_interindustry",
        ClassKind::Proprietary => "proprietary",
    }
}

fn sm_name(sm: SecureMessaging) -> &'static str {
    match sm {
        SecureMessaging::None => "none",
        SecureMessaging::Proprietary => "proprietary",
        SecureMessaging::HeaderNotAuthenticated => "iso_header_not_authenticated",
        SecureMessaging::HeaderAuthenticated => "iso_header_authenticated",
    }
}

fn chaining_name(chaining: Chaining) -> &'static str {
    match chaining {
        Chaining::LastOrOnly => "False",
        Chaining::MoreToCome => "True",
    }
}

#[test]
fn globalplatform_notes_on_channels_hold_for_get_response() {
    let mut checked = 0;
    for row in rows(include_str!("data/apdu_cla.csv")) {
        let Some(note) = row[5].strip_prefix("GlobalPlatform: channel ") else { continue };
        let number: u8 = note.split(',').next().unwrap().parse().unwrap();
        let class = Class::from_byte(hex(&row[0])[0]).unwrap();
        assert_eq!(class.get_response().channel(), LogicalChannel::new(number), "{row:?}");
        checked += 1;
    }
    println!("{checked} GlobalPlatform classes");
    assert_eq!(checked, 13);
}

#[test]
fn every_response_decodes_and_encodes_to_the_same_bytes() {
    let rows = rows(include_str!("data/apdu_responses.csv"));
    for row in &rows {
        let bytes = hex(&row[0]);
        match (row[1].as_str(), ResponseApdu::decode(&bytes)) {
            ("valid", Ok(response)) => {
                assert_eq!(response.data().len().to_string(), row[2], "{row:?}");
                assert_eq!(format!("{:04X}", response.status().word()), row[3], "{row:?}");
                assert_eq!(response.encode().expose_bytes(), bytes, "{row:?}");
            }
            ("invalid", Err(ResponseError::TooShort { found })) => assert_eq!(found, bytes.len()),
            ("invalid-sw", Err(ResponseError::Status(error))) => {
                assert_eq!(format!("{:04X}", error.word), row[3])
            }
            (_, other) => panic!("{row:?}: {other:?}"),
        }
    }
    println!("{} responses", rows.len());
    assert_eq!(rows.len(), 16);
}

#[test]
fn a_response_is_at_most_65536_bytes_and_a_status() {
    let mut bytes = vec![0xAA; 65536];
    bytes.extend([0x90, 0x00]);
    assert_eq!(ResponseApdu::decode(&bytes).unwrap().data().len(), 65536);
    bytes.insert(0, 0xAA);
    assert_eq!(ResponseApdu::decode(&bytes).unwrap_err(), ResponseError::DataTooLong { found: 65537 });
    assert_eq!(ResponseApdu::decode(&[]).unwrap_err(), ResponseError::TooShort { found: 0 });
}

#[test]
fn only_9000_is_success() {
    let response = |word: u16| ResponseApdu::new(&[1], StatusWord::try_from(word).unwrap()).unwrap();
    assert_eq!(response(0x9000).into_ok().unwrap().data(), [1]);
    for word in [0x63C0, 0x63C2, 0x6282, 0x6110, 0x6C10, 0x6982, 0x9302] {
        let status = StatusWord::try_from(word).unwrap();
        assert_eq!(response(word).into_ok().unwrap_err(), UnexpectedStatus(status), "{word:04X}");
    }
}

/// The status words a row of the table speaks of: `6982`, `61XX`, `6202-6280`, several by comma.
fn status_range(pattern: &str) -> Vec<core::ops::RangeInclusive<u16>> {
    let word = |text: &str, x: &str| u16::from_str_radix(&text.replace('X', x), 16).unwrap();
    let pattern = pattern.split(" (").next().unwrap();
    pattern
        .split(", ")
        .map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            word(first, "0")..=word(last, "F")
        })
        .collect()
}

fn class_name(class: StatusClass) -> &'static str {
    match class {
        StatusClass::Normal => "ok",
        StatusClass::MoreData { .. } => "more",
        StatusClass::Warning => "warn",
        StatusClass::ExecutionError => "exec",
        StatusClass::CheckingError => "check",
        StatusClass::WrongLe { .. } => "retry",
        StatusClass::Proprietary => "prop",
        _ => "unknown",
    }
}

/// Walks all 65536 words: each is judged by the narrowest row that covers it, so every row is met on each of its words.
#[test]
fn every_status_word_is_classified_as_the_table_says() {
    let rows = rows(include_str!("data/sw_table.csv"));
    let mut met = vec![0_u32; rows.len()];
    let mut unlisted = 0;
    for word in 0..=u16::MAX {
        let width = |row: &Vec<String>| -> usize { status_range(&row[0]).iter().map(|r| r.len()).sum() };
        let covering = rows
            .iter()
            .enumerate()
            .filter(|(_, row)| status_range(&row[0]).iter().any(|r| r.contains(&word)));
        let Some((index, row)) = covering.min_by_key(|(_, row)| width(row)) else {
            let status = StatusWord::try_from(word).expect("the table covers every invalid word");
            assert!(["warn", "exec", "check"].contains(&class_name(status.class())), "{word:04X}");
            unlisted += 1;
            continue;
        };
        met[index] += 1;
        check_status(word, row);
    }
    println!("{} rows of status words, {unlisted} words in none", rows.len());
    assert_eq!(rows.len(), 55);
    assert!(met.iter().all(|count| *count > 0), "a row was never met: {met:?}");
}

fn check_status(word: u16, row: &[String]) {
    let Ok(status) = StatusWord::try_from(word) else {
        assert_eq!(row[1], "invalid", "{word:04X}");
        return;
    };
    assert_eq!(class_name(status.class()), row[1], "{word:04X}");
    assert_eq!(status.meaning(), row[2].split(" (").next().unwrap(), "{word:04X}");
    assert_eq!(status.counter().is_some(), row[3] == "expose counter", "{word:04X}");
    let sw2 = Le::from_short_byte(status.bytes()[1]);
    match status.class() {
        StatusClass::MoreData { available } => assert_eq!((available, &row[3][..12]), (sw2, "GET RESPONSE")),
        StatusClass::WrongLe { available } => assert_eq!((available, &row[3][..11]), (sw2, "repeat once")),
        _ => {}
    }
}

#[test]
fn a_counter_status_carries_its_counter() {
    for tries in 0..=15 {
        assert_eq!(StatusWord::tries_left(tries).counter(), Some(tries));
    }
    assert_eq!(StatusWord::tries_left(16).counter(), Some(15));
    assert_eq!(StatusWord::OK.counter(), None);
}

#[test]
fn no_debug_output_shows_data() {
    let command = CommandApdu::new(Header::iso(Instruction::VERIFY, 0, 1)).with_data(&[0xA5; 6]).unwrap();
    let response = ResponseApdu::new(&[0xA5; 6], StatusWord::OK).unwrap();
    assert_debug_hides_a5(&command);
    assert_debug_hides_a5(&command.encode());
    assert_debug_hides_a5(&response);
    assert_debug_hides_a5(&response.encode());
}

fn any_header() -> impl Strategy<Value = Header> {
    any::<[u8; 4]>().prop_filter_map("a header", |bytes| Header::try_from(bytes).ok())
}

proptest! {
    #[test]
    fn decoding_gives_back_what_was_encoded(
        header in any_header(),
        data in proptest::collection::vec(any::<u8>(), 0..600),
        le in proptest::option::of(1..=65536_u32),
        extended: bool,
    ) {
        let mut command = CommandApdu::new(header).with_data(&data).unwrap();
        if let Some(le) = le {
            command = command.with_le(Le::new(le).unwrap());
        }
        if extended {
            command = command.extended();
        }
        let decoded = CommandApdu::decode(command.encode().expose_bytes()).unwrap();
        prop_assert_eq!(decoded.header(), header);
        prop_assert_eq!(decoded.expose_data(), &data);
        prop_assert_eq!(decoded.le().map(Le::bytes), le);
        prop_assert_eq!(decoded.form(), command.form());
        prop_assert!(extended || data.len() > 255 || le > Some(256) || decoded.form() == LengthForm::Short);
    }

    #[test]
    fn accepted_commands_encode_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        if let Ok(command) = CommandApdu::decode(&bytes) {
            let encoded = command.encode();
            prop_assert_eq!(encoded.expose_bytes(), bytes);
        }
    }

    /// Small bytes after a plain header: most of them are length fields that almost fit.
    #[test]
    fn accepted_bodies_encode_to_the_same_bytes(body in proptest::collection::vec(0..8_u8, 0..14)) {
        let mut bytes = vec![0x00, 0xB0, 0x00, 0x00];
        bytes.extend(body);
        if let Ok(command) = CommandApdu::decode(&bytes) {
            let encoded = command.encode();
            prop_assert_eq!(encoded.expose_bytes(), bytes);
        }
    }

    #[test]
    fn accepted_responses_encode_to_the_same_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..20)) {
        if let Ok(response) = ResponseApdu::decode(&bytes) {
            let encoded = response.encode();
            prop_assert_eq!(encoded.expose_bytes(), bytes);
        }
    }
}
