//! VERIFY, PIN UNBLOCK, RELOAD PIN, CHANGE PIN.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use common::wallet::{RELOAD, UNBLOCK, folded_mac, wallet};
use common::{CARD_MASTER, Desk, hex};

fn unblock(desk: &mut Desk, parameters: &str, pin: &str, key: &[u8]) -> common::Answer {
    let command = format!("8024{parameters}{:02X}{pin}", pin.len() / 2);
    desk.send_protected(&command, Protection::CipherAndMac, key)
}

fn reload(pin: &str) -> String {
    format!("805E0000{:02X}{pin}{}", pin.len() / 2 + 4, folded_mac(&RELOAD, pin))
}

fn lock(desk: &mut Desk) {
    for status in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.refused(status, "0020000002 4321");
    }
}

#[test]
fn unblock_sets_the_pin_and_gives_its_tries_back() {
    for parameters in ["0000", "0001"] {
        let mut desk = wallet();
        lock(&mut desk);
        unblock(&mut desk, parameters, "567890", &UNBLOCK).ok();
        desk.refused(0x63C2, "0020000002 1234");
        desk.ok("0020000003 567890");
    }
}

#[test]
fn unblock_refuses_by_reason() {
    let mut desk = wallet();
    unblock(&mut desk, "0100", "1234", &UNBLOCK).refused(0x6A88);
    unblock(&mut desk, "0101", "1234", &UNBLOCK).refused(0x6A86);
    unblock(&mut desk, "0000", "12", &UNBLOCK).refused(0x6A80);
    unblock(&mut desk, "0000", "12345678901234", &UNBLOCK).refused(0x6A80);
    desk.refused(0x6987, "8024000002 1234");
    desk.refused(0x6985, "842400000C 000000000000000000000000");
    desk.ok("0020000002 1234");
}

#[test]
fn an_unblock_key_without_tries_takes_the_application_with_it() {
    let mut desk = wallet();
    unblock(&mut desk, "0000", "1234", &RELOAD).refused(0x6988);
    unblock(&mut desk, "0000", "1234", &UNBLOCK).ok();
    unblock(&mut desk, "0000", "1234", &RELOAD).refused(0x6988);
    unblock(&mut desk, "0000", "1234", &RELOAD).refused(0x6988);
    unblock(&mut desk, "0000", "1234", &RELOAD).refused(0x9303);
    unblock(&mut desk, "0000", "1234", &UNBLOCK).refused(0x9303);
    desk.refused(0x9303, "0020000002 1234");
    desk.card.reset();
    desk.refused(0x9303, "00A40000023F01");
}

#[test]
fn reload_sets_the_pin_and_gives_its_tries_back() {
    let mut desk = wallet();
    lock(&mut desk);
    desk.ok(&reload("9999"));
    desk.ok("0020000002 9999");
    // Its MAC has no challenge in it: that is the command, not this card.
    desk.ok("805E010005 9999 FF 1111");
    desk.ok(&reload("9999"));
    desk.ok("0020000002 9999");
}

#[test]
fn a_reload_key_without_tries_is_locked_for_good() {
    let mut desk = wallet();
    let wrong = format!("805E0000069999{}", folded_mac(&UNBLOCK, "9999"));
    desk.refused(0x9302, &wrong);
    desk.ok(&reload("9999"));
    for status in [0x9302, 0x9302, 0x9302, 0x6983] {
        desk.refused(status, &wrong);
    }
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk.refused(0x6983, &reload("1234"));
    desk.ok("0020000002 9999");
}

#[test]
fn change_takes_the_old_pin_and_counts_wrong_ones() {
    let mut desk = wallet();
    desk.refused(0x63C2, "805E010005 4321 FF 5555");
    desk.ok("805E010005 1234 FF 5555");
    desk.refused(0x63C2, "0020000002 1234");
    desk.ok("0020000002 5555");
    desk.ok("805E010009 5555 FF 123456789012");
    desk.ok("0020000006 123456789012");
    for status in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.refused(status, "805E010005 4321 FF 5555");
    }
    desk.refused(0x6983, "805E010009 123456789012 FF 5555");
}

#[test]
fn pin_commands_refuse_by_reason() {
    let mut desk = wallet();
    for (status, command) in [
        (0x6A86, "805E020005 1234 FF 5555"),
        (0x6A80, "805E010004 1234 5555"),
        (0x6700, "805E010004 1234 FF 55"),
        (0x6700, "805E010004 12 FF 5555"),
        (0x6700, "805E01000A 1234 FF 12345678901234"),
        (0x6700, "805E010003 1234 FF"),
        (0x6A88, "805E010105 1234 FF 5555"),
        (0x6700, "805E0000"),
        (0x6700, "805E000005 12 00000000"),
        (0x6700, "805E00000B 12345678901234 00000000"),
        (0x6A88, "805E000106 1234 00000000"),
        (0x6882, "845E010005 1234 FF 5555"),
    ] {
        desk.refused(status, command);
    }
    // Filling behind the new PIN is taken off.
    desk.ok("805E010006 1234 FF 5555FF");
    desk.ok("805E010005 5555 FF 1234");
    desk.ok("0020000002 1234");
}

#[test]
fn a_new_pin_must_be_shown() {
    let mut desk = wallet();
    desk.verify_pin();
    desk.ok("805C000104");
    desk.ok("805E010005 1234 FF 5555");
    desk.refused(0x6982, "805C000104");
    desk.ok("0020000002 5555");
    desk.ok("805C000104");
}

#[test]
fn a_wrong_pin_takes_the_proof_of_the_right_one_back() {
    for wrong in ["0020000002 4321", "805E010005 4321 FF 5555"] {
        let mut desk = wallet();
        desk.verify_pin();
        desk.ok("805C000104");
        desk.refused(0x63C2, wrong);
        desk.refused(0x6982, "805C000104");
        desk.refused(0x63C1, wrong);
        desk.verify_pin();
        desk.ok("805C000104");
        for status in [0x63C2, 0x63C1, 0x63C0] {
            desk.refused(status, wrong);
        }
        // What is locked opens nothing any more.
        desk.refused(0x6982, "805000010B 01 00000001 001122334455 10");
    }
}

#[test]
fn a_pin_grows_only_as_far_as_its_file_has_room() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F0111 38 0600 F0 AA 95 FFFF A00000000386980701");
    desk.ok("00A40000023F01");
    // The master takes 24 bytes, the PIN 10; one byte is left.
    desk.ok("80E0000007 3F 0023 95 F0 FFFF");
    let (app, card) = (common::APP_MASTER, common::CARD_MASTER);
    desk.write_key(0x01, 0x00, &common::key_record(0xF9, &app), &card).ok();
    desk.write_key(0x01, 0x00, &hex("3A F0 EF 01 33 1234"), &app).ok();
    desk.refused(0x6A84, "805E010007 1234 FF 12345678");
    desk.ok("805E010006 1234 FF 123456");
    desk.ok("0020000003 123456");
}

#[test]
fn a_wrong_pin_closes_what_the_right_one_opened_before_the_master_file_was_selected_again() {
    let mut desk = Desk::user().mastered();
    desk.write_key(0x01, 0x00, &hex("3A F0 EF 05 33 1234"), &CARD_MASTER).ok();
    desk.ok("80E0001507 28 0008 05 F0 FF FF");
    desk.card.reset();
    desk.refused(0x6982, "00B0950008");
    desk.ok("0020000002 1234");
    // The level in the master file outlives the selection.
    desk.ok("00A40000023F00");
    desk.ok("00B0950008");
    desk.refused(0x63C2, "0020000002 4321");
    desk.refused(0x6982, "00B0950008");
}
