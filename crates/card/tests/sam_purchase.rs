//! A SAM in a terminal takes money from a user card.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use common::sam::{DATE, card, init_sam, pay, sam};
use common::{Desk, hex_of};

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
