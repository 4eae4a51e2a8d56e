//! Challenges, authentication in both directions, PIN.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::commands::InternalOperation;
use apdu::secure::pboc::InternalAuthKey;
use common::{
    APP_MASTER, CARD_MASTER, Desk, TRANSPORT, card_key, hex, hex_of, key_record, write_key_command,
};

const KEY: [u8; 16] = *b"authentication k";

/// An application with external authentication key 01: used always, changed at level A, follow state 05, three tries.
fn with_external_key() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x01, &[&hex("39 F0 AA 05 33")[..], &KEY].concat(), &APP_MASTER).ok();
    desk
}

/// An application with PIN 00 = 123456: follow state 01, three tries.
fn with_pin() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x00, &hex("3A F0 EF 01 33 123456FFFF"), &APP_MASTER).ok();
    desk
}

#[test]
fn a_challenge_is_4_or_8_bytes_and_new_each_time() {
    let mut desk = Desk::user();
    assert_ne!(desk.challenge(8), desk.challenge(8));
    assert_eq!(desk.challenge(4).len(), 4);
    desk.refused(0x6700, "0084000005");
    desk.refused(0x6700, "0084000000");
    desk.refused(0x6700, "00840000");
    desk.refused(0x6700, "008400000101 08");
    desk.refused(0x6A86, "0084010008");
    desk.refused(0x6882, "0484000008");
    desk.refused(0x6D00, "8084000008");
}

#[test]
fn external_authentication_needs_a_fresh_challenge() {
    let mut desk = Desk::user();
    let cryptogram = "0082000008 0000000000000000";
    desk.refused(0x6985, cryptogram);
    desk.challenge(8);
    desk.ok("00A40000023F00");
    desk.refused(0x6985, cryptogram);
    // No try was lost by that.
    desk.challenge(8);
    desk.refused(0x63C2, cryptogram);
    // The refused one has used its challenge up.
    desk.refused(0x6985, cryptogram);
}

#[test]
fn external_authentication_refuses_by_reason() {
    let mut desk = Desk::user();
    desk.try_authenticate(0x01, &TRANSPORT).refused(0x6A88);
    desk.challenge(8);
    desk.refused(0x6700, "0082000007 00000000000000");
    desk.challenge(8);
    desk.refused(0x6A86, "0082010008 0000000000000000");
    for left in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.try_authenticate(0x00, &CARD_MASTER).refused(left);
    }
    desk.try_authenticate(0x00, &TRANSPORT).refused(0x6983);
}

#[test]
fn a_success_restores_the_tries_of_the_key() {
    let mut desk = Desk::user();
    desk.try_authenticate(0x00, &CARD_MASTER).refused(0x63C2);
    desk.authenticate(0x00, &TRANSPORT);
    desk.try_authenticate(0x00, &CARD_MASTER).refused(0x63C2);
}

#[test]
fn a_locked_key_is_not_revived_by_a_reset_nor_by_writing_it() {
    let mut desk = with_external_key();
    for left in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.try_authenticate(0x01, &CARD_MASTER).refused(left);
    }
    let fresh = [&hex("39 F0 AA 05 FF")[..], &KEY].concat();
    desk.write_key(0x39, 0x01, &fresh, &APP_MASTER).ok();
    desk.try_authenticate(0x01, &KEY).refused(0x6983);
    desk.ok(&write_key_command(0x39, 0x01, &fresh));
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk.try_authenticate(0x01, &KEY).refused(0x6983);
}

#[test]
fn the_follow_state_opens_what_asks_for_it() {
    let mut desk = with_external_key();
    desk.ok("80E0000107 28 0008 53 53 FF FF");
    desk.refused(0x6982, "00B0810000");
    desk.authenticate(0x01, &KEY);
    desk.ok("00B0810000");
    // Level A is over 5.
    desk.authenticate(0x00, &APP_MASTER);
    desk.refused(0x6982, "00B0810000");
    desk.authenticate(0x01, &KEY);
    desk.ok("00A40000023F01");
    desk.refused(0x6982, "00B0810000");
}

#[test]
fn the_state_of_the_master_file_stays_while_applications_change() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 28 0008 0A 0A FF FF");
    desk.ok("00A40000023F01");
    desk.ok("00B0810000");
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk.refused(0x6982, "00B0810000");
    desk.authenticate(0x00, &APP_MASTER);
    desk.refused(0x6982, "00B0810000");
}

#[test]
fn the_use_condition_of_a_key_holds() {
    let mut desk = with_external_key();
    desk.write_key(0x01, 0x02, &[&hex("39 55 AA 07 33")[..], &KEY].concat(), &APP_MASTER).ok();
    desk.try_authenticate(0x02, &KEY).refused(0x6982);
    desk.authenticate(0x01, &KEY);
    desk.authenticate(0x02, &KEY);
}

#[test]
fn internal_authentication_answers_as_the_host_computes() {
    let mut desk = Desk::user().with_application();
    let host = |key: &[u8]| InternalAuthKey::from_key(card_key(key));
    for key in [&KEY[..], &KEY[..8]] {
        let id = u8::try_from(key.len()).unwrap();
        for (p1, key_type, operation) in [
            (0x00, 0x30, InternalOperation::Encrypt),
            (0x01, 0x31, InternalOperation::Decrypt),
            (0x02, 0x32, InternalOperation::Mac),
        ] {
            desk.write_key(0x01, id, &key_record(key_type, key), &APP_MASTER).ok();
            let data = [0x5A; 24];
            let answer = desk.ok(&format!("0088{p1:02X}{id:02X}18{}", hex_of(&data)));
            assert_eq!(host(key).verify_answer(operation, &data, &answer), Ok(()));
        }
    }
    // A MAC is over any length, a cipher over blocks.
    desk.ok("0088021003 AABBCC");
    desk.refused(0x6700, "0088001007 AABBCCDDEEFF00");
    desk.refused(0x6700, "00880010");
}

#[test]
fn internal_authentication_knows_its_keys_by_their_type() {
    let mut desk = with_external_key();
    desk.write_key(0x01, 0x01, &key_record(0x30, &KEY), &APP_MASTER).ok();
    desk.ok("0088000108 0102030405060708");
    desk.refused(0x6A88, "0088010108 0102030405060708");
    desk.refused(0x6A88, "0088020108 0102030405060708");
    desk.refused(0x6A88, "0088000008 0102030405060708");
    desk.refused(0x6A86, "0088030108 0102030405060708");
    desk.refused(0x6C08, "0088000108 0102030405060708 04");
    desk.ok("0088000108 0102030405060708 00");
}

#[test]
fn a_pin_is_verified_without_its_filling() {
    let mut desk = with_pin();
    desk.ok("0020000003 123456");
    desk.refused(0x63C2, "0020000005 123456FFFF");
    desk.ok("0020000003 123456");
    desk.refused(0x63C2, "0020000002 1234");
    desk.refused(0x6A88, "0020000103 123456");
    desk.refused(0x6A86, "0020010003 123456");
    desk.refused(0x6700, "0020000001 12");
    desk.refused(0x6700, "0020000007 12345612345678");
    desk.refused(0x6700, "00200000");
}

#[test]
fn a_pin_locks_after_its_tries() {
    let mut desk = with_pin();
    for left in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.refused(left, "0020000003 654321");
    }
    desk.refused(0x6983, "0020000003 123456");
}

#[test]
fn a_verified_pin_opens_what_asks_for_it() {
    let mut desk = with_pin();
    desk.ok("80E0000107 28 0008 11 F0 FF FF");
    desk.refused(0x6982, "00B0810000");
    desk.ok("0020000003 123456");
    desk.ok("00B0810000");
}

#[test]
fn keys_and_pins_of_the_same_number_are_different_things() {
    let mut desk = with_pin();
    desk.try_authenticate(0x00, &[0x12; 16]).refused(0x63C2);
    desk.refused(0x63C2, &format!("0020000006{}", hex_of(&APP_MASTER[..6])));
}

#[test]
fn a_key_or_pin_that_was_replaced_takes_what_it_had_opened_with_it() {
    let mut desk = Desk::user().with_application();
    let external = |key: &[u8; 16]| [&hex("39 F0 F0 05 33")[..], key].concat();
    desk.write_key(0x01, 0x01, &external(b"an external key."), &APP_MASTER).ok();
    desk.write_key(0x01, 0x00, &hex("3A F0 F0 05 33 1234"), &APP_MASTER).ok();
    desk.ok("80E0001507 28 0008 F5 F0 FF FF");
    let read = "00B0950008";

    desk.authenticate(0x01, b"an external key.");
    desk.ok(read);
    desk.write_key(0x39, 0x01, &external(b"a newer ext key."), &APP_MASTER).ok();
    desk.refused(0x6982, read);

    desk.authenticate(0x01, b"a newer ext key.");
    desk.ok("0020000002 1234");
    desk.ok(read);
    desk.write_key(0x3A, 0x00, &hex("3A F0 F0 05 33 4321"), &APP_MASTER).ok();
    desk.refused(0x6982, read);
    // What the master has opened stays open while other keys change.
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0x3A, 0x00, &hex("3A F0 F0 05 33 1234"), &APP_MASTER).ok();
    desk.ok(read);
}
