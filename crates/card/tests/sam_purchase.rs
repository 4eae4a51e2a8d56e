//! A SAM in a terminal takes money from a user card.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::CardSystem;
use common::wallet::{LOAD, TAC, wallet_key, wallet_with};
use common::{APP_MASTER, CARD_MASTER, Desk, SERIAL, hex_of};
use diversify::{Factor, pboc};
use tdea::TdeaKey;

const PARENT: [u8; 16] = *b"parent: purchase";
const DATE: &str = "20260115";
const TIME: &str = "120000";

fn load(desk: &mut Desk, usage: u8, version: u8, key: &[u8]) {
    let command = format!("80D4000013{usage:02X}{version:02X}00{}", hex_of(key));
    desk.send_protected(&command, Protection::CipherAndMac, &APP_MASTER).ok();
}

/// A SAM with five versions of the purchase key, one level, and its files; the terminal number is in the master file.
fn sam() -> Desk {
    let mut desk = Desk::sam().mastered();
    desk.ok("80E0001607 28 0006 F0 AA FF FF");
    desk.ok("00D6960006 001122334455");
    desk.ok("80E03F010D 38 0800 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.ok("80E0000007 3F 0180 95 F0 FFFF");
    let master = format!("80D4000013000000{}", hex_of(&APP_MASTER));
    desk.send_protected(&master, Protection::CipherAndMac, &CARD_MASTER).ok();
    for version in 1..=5 {
        let mut key = PARENT;
        key[15] ^= version;
        load(&mut desk, 0x22, version, &key);
    }
    desk.ok("80E0001907 28 0004 F0 F0 FF FF");
    desk.ok("00D6990004 00000001");
    desk
}

/// A user card with 500 in its purse, whose purchase key 01 is of that version.
fn card(version: u8) -> Desk {
    let mut parent = PARENT;
    parent[15] ^= version;
    let child = pboc::derive(&TdeaKey::from(parent), Factor::from(SERIAL)).unwrap();
    let keys = [
        (0x01, wallet_key(0x3F, 0x01, 0x00, &LOAD)),
        (0x01, wallet_key(0x3E, version, 0x00, child.expose_bytes())),
        (0x00, wallet_key(0x34, 0x01, 0x00, &TAC)),
    ];
    let mut desk = wallet_with(CardSystem::FMCOS_2, &keys);
    desk.verify_pin();
    desk.load_account(0x02, 500);
    desk
}

/// INIT_SAM_FOR_PURCHASE out of the card's answer to INITIALIZE.
fn init_sam(init: &[u8], amount: u32, date: &str) -> String {
    let (sequence, attributes, random) = (hex_of(&init[4..6]), hex_of(&init[9..11]), hex_of(&init[11..]));
    format!("807000001C {random}{sequence}{amount:08X}06{date}{TIME}{attributes}{} 08", hex_of(&SERIAL))
}

/// Asks card and SAM as far as the card's `TAC || MAC2`.
fn pay(card: &mut Desk, sam: &mut Desk, amount: u32) -> Vec<u8> {
    let init = card.ok(&format!("805001020B 01 {amount:08X} 001122334455 0F"));
    let answer = sam.ok(&init_sam(&init, amount, DATE));
    let (sequence, mac1) = (hex_of(&answer[..4]), hex_of(&answer[4..]));
    card.ok(&format!("805401000F {sequence}{DATE}{TIME}{mac1} 08"))
}

#[test]
fn a_terminal_is_paid_under_every_version_of_the_key() {
    let mut sam = sam();
    for version in 1..=5 {
        let mut card = card(version);
        let answer = pay(&mut card, &mut sam, 120);
        sam.ok(&format!("8072000004{}", hex_of(&answer[4..])));
        assert_eq!(card.balance(0x02), 380);
        assert_eq!(sam.ok("00B0990004"), [0, 0, 0, 1 + version]);
    }
    // A sixth version is not there.
    let init = card(6).ok("805001020B 01 00000001 001122334455 0F");
    sam.refused(0x6A88, &init_sam(&init, 1, DATE));
}

#[test]
fn the_terminals_number_goes_up_before_mac1_leaves_and_never_back() {
    let (mut sam, mut card) = (sam(), card(1));
    for number in 1..4 {
        let init = card.ok("805001020B 01 00000001 001122334455 0F");
        let answer = sam.ok(&init_sam(&init, 1, DATE));
        assert_eq!(answer[..4], [0, 0, 0, number]);
        sam.card.reset();
        sam.ok("00A40000023F01");
    }
    sam.refused(0x6985, "00D6990004 00000003");
    sam.refused(0x6985, "00D6990301 03");
    sam.ok("00D6990004 FFFFFFFE");
    let init = card.ok("805001020B 01 00000001 001122334455 0F");
    assert_eq!(sam.ok(&init_sam(&init, 1, DATE))[..4], [0xFF, 0xFF, 0xFF, 0xFE]);
    sam.refused(0x9402, &init_sam(&init, 1, DATE));
}

#[test]
fn wrong_mac2s_are_counted_and_lock_for_good() {
    let (mut sam, mut card) = (sam(), card(1));
    for _ in 0..14 {
        pay(&mut card, &mut sam, 1);
        sam.refused(0x9302, "8072000004 00000000");
        sam.refused(0x6901, "8072000004 00000000");
    }
    // A right one in between gives the tries back.
    let answer = pay(&mut card, &mut sam, 1);
    sam.ok(&format!("8072000004{}", hex_of(&answer[4..])));
    for _ in 0..14 {
        pay(&mut card, &mut sam, 1);
        sam.refused(0x9302, "8072000004 00000000");
    }
    pay(&mut card, &mut sam, 1);
    sam.refused(0x9303, "8072000004 00000000");
    sam.card.reset();
    sam.refused(0x9303, "00A40000023F01");
}

#[test]
fn any_command_in_between_ends_the_purchase() {
    for interruption in ["0084000004", "801A2201081122334455667788", "00", "80FA000008 0000000000000000"] {
        let (mut sam, mut card) = (sam(), card(1));
        let answer = pay(&mut card, &mut sam, 1);
        sam.send(interruption);
        sam.refused(0x6901, &format!("8072000004{}", hex_of(&answer[4..])));
    }
}

#[test]
fn a_sam_works_on_the_days_of_its_file_0017() {
    let (mut sam, mut card) = (sam(), card(1));
    sam.ok("80E0001707 28 0019 F0 F0 FF FF");
    sam.ok("00D6970019 01 0102030405060708 0102030405060708 20260101 20261231");
    let init = card.ok("805001020B 01 00000001 001122334455 0F");
    for (date, status) in
        [("20251231", 0x6985), ("20260101", 0x9000), ("20261231", 0x9000), ("20270101", 0x6985)]
    {
        assert_eq!(sam.send(&init_sam(&init, 1, date)).status, status, "{date}");
    }
}

#[test]
fn a_file_0017_that_ends_before_its_days_is_no_permission() {
    let (mut sam, mut card) = (sam(), card(1));
    sam.ok("80E0001707 28 0018 F0 F0 FF FF");
    let init = card.ok("805001020B 01 00000001 001122334455 0F");
    sam.refused(0x6985, &init_sam(&init, 1, DATE));
    // Nor is one of records.
    let mut sam = self::sam();
    sam.ok("80E0001707 2C 0040 F0 F0 FF FF");
    sam.refused(0x6985, &init_sam(&init, 1, DATE));
}

#[test]
fn init_sam_refuses_by_reason() {
    let mut desk = sam();
    let good = "00000000 0000 00000001 06 20260115120000 01 00 1122334455667788";
    desk.ok(&format!("807000001C {good} 08"));
    for (status, command) in [
        (0x6A86, format!("807001001C {good}")),
        (0x6C08, format!("807000001C {good} 07")),
        (0x6700, "8070000014 00000000 0000 00000001 06 20260115120000 01 00".to_owned()),
        (0x6700, "8070000013 00000000 0000 00000001 06 20260115120000 01".to_owned()),
        (0x6700, "807000001B 00000000 0000 00000001 06 20260115120000 01 00 11223344556677".to_owned()),
        (0x6A88, format!("8070000024 {good} 0000000000000000")),
        (0x6A80, format!("807000001C {}", good.replace(" 06 ", " 02 "))),
        (0x6A80, format!("807000001C {}", good.replace("01 00 11", "01 01 11"))),
        (0x6A88, format!("807000001C {}", good.replace("01 00 11", "06 00 11"))),
        (0x6882, format!("847000001C {good}")),
    ] {
        desk.refused(status, &command);
    }
    let mut user = Desk::user().mastered();
    user.refused(0x6D00, &format!("807000001C {good}"));
    user.refused(0x6D00, "8072000004 00000000");
    // Without its files it does nothing.
    let mut bare = Desk::sam().mastered();
    bare.refused(0x6A82, &format!("807000001C {good}"));
    bare.ok("80E0001607 28 0006 F0 AA FF FF");
    bare.refused(0x6A82, &format!("807000001C {good}"));
}
