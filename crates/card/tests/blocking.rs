//! CARD BLOCK, APPLICATION BLOCK, APPLICATION UNBLOCK, and the lock that wrong MACs bring.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::LifeCycle;
use common::{APP_MASTER, CARD_MASTER, Desk, key_record};

const LINE: [u8; 16] = *b"line protection.";
const WRONG: [u8; 16] = *b"another line key";
const BLOCK_CARD: &str = "80160000";
const BLOCK: &str = "801E0000";
const BLOCK_FOR_GOOD: &str = "801E0001";
const UNBLOCK: &str = "80180000";
const SELECT: &str = "00A40000023F01";

fn with_line_key() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x00, &key_record(0x36, &LINE), &APP_MASTER).ok();
    desk.ok("80E0000107 A8 0008 F0 F0 FF FF");
    desk
}

impl Desk {
    fn maintain(&mut self, command: &str, key: &[u8]) -> common::Answer {
        self.send_protected(command, Protection::Mac, key)
    }
}

#[test]
fn a_blocked_card_answers_6a81_to_everything() {
    let mut desk = with_line_key();
    desk.maintain(BLOCK_CARD, &WRONG).refused(0x6988);
    desk.maintain(BLOCK_CARD, &LINE).ok();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Blocked);
    desk.card.reset();
    for command in ["00A40000023F00", "0084000008", "00", "00D6810001 AA"] {
        desk.refused(0x6A81, command);
    }
}

#[test]
fn a_blocked_application_is_selected_with_a_warning_and_does_nothing() {
    let mut desk = with_line_key();
    desk.maintain(BLOCK, &LINE).ok();
    desk.refused(0x6985, "00B0810000");
    desk.refused(0x6985, "00A40000020001");
    desk.card.reset();
    let answer = desk.send(SELECT);
    assert_eq!(answer.status, 0x6283);
    assert_eq!(answer.data.first(), Some(&0x6F));
    desk.try_authenticate(0x00, &APP_MASTER).refused(0x6985);
    desk.maintain(BLOCK_FOR_GOOD, &LINE).refused(0x6985);
    // The rest of the card is as before.
    desk.ok("00A40000023F00");
    desk.authenticate(0x00, &CARD_MASTER);
    desk.send(SELECT);
    desk.maintain(UNBLOCK, &LINE).ok();
    desk.ok("00B0810000");
}

#[test]
fn directories_within_a_blocked_application_are_blocked() {
    let mut desk = with_line_key();
    desk.ok("80E03F110D 38 0040 F0 F0 95 FFFF 1111111111");
    desk.maintain(BLOCK, &LINE).ok();
    assert_eq!(desk.send("00A40400051111111111").status, 0x6283);
    desk.refused(0x6985, "80E0000207 28 0008 F0 F0 FF FF");
}

#[test]
fn three_wrong_unblocks_lock_the_application_for_good() {
    let mut desk = with_line_key();
    desk.maintain(BLOCK, &LINE).ok();
    desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
    // A refusal for want of a challenge is no wrong MAC.
    desk.refused(0x6985, "8418000004 AABBCCDD");
    desk.refused(0x6985, "8418000004 AABBCCDD");
    desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
    desk.refused(0x6985, "8418000004 AABBCCDD");
    desk.maintain(UNBLOCK, &WRONG).refused(0x9303);
    desk.maintain(UNBLOCK, &LINE).refused(0x9303);
    desk.refused(0x9303, SELECT);
    desk.card.reset();
    desk.refused(0x9303, SELECT);
    desk.ok("00A40000023F00");
}

#[test]
fn three_wrong_unblocks_are_enough_where_the_key_has_more_tries() {
    let mut desk = Desk::user().with_application();
    let record = [&[0x36, 0xF0, 0xAA, 0xFF, 0xFF][..], &LINE].concat();
    desk.write_key(0x01, 0x00, &record, &APP_MASTER).ok();
    desk.maintain(BLOCK, &LINE).ok();
    desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
    desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
    desk.maintain(UNBLOCK, &WRONG).refused(0x9303);
}

#[test]
fn a_good_unblock_forgives_the_bad_ones() {
    let mut desk = with_line_key();
    for _ in 0..3 {
        desk.maintain(BLOCK, &LINE).ok();
        desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
        desk.maintain(UNBLOCK, &WRONG).refused(0x6988);
        desk.maintain(UNBLOCK, &LINE).ok();
    }
}

#[test]
fn an_application_blocked_for_good_stays_so() {
    let mut desk = with_line_key();
    desk.maintain(BLOCK_FOR_GOOD, &LINE).ok();
    desk.maintain(UNBLOCK, &LINE).refused(0x9303);
    desk.refused(0x9303, "00B0810000");
}

#[test]
fn a_line_key_that_runs_out_takes_its_application_with_it() {
    let mut desk = with_line_key();
    for _ in 0..3 {
        desk.maintain("00D6810001 AA", &WRONG).refused(0x6988);
    }
    desk.maintain("00D6810001 AA", &LINE).refused(0x9303);
    desk.refused(0x9303, SELECT);
}

#[test]
fn the_master_file_is_not_blocked_as_an_application() {
    let mut desk = Desk::user().mastered();
    desk.write_key(0x01, 0x00, &key_record(0x36, &LINE), &CARD_MASTER).ok();
    desk.maintain(BLOCK, &LINE).refused(0x6985);
    for _ in 0..3 {
        desk.maintain(BLOCK_CARD, &WRONG).refused(0x6988);
    }
    // Its line key is locked, the card lives.
    desk.maintain(BLOCK_CARD, &LINE).refused(0x6983);
    desk.ok("00A40000023F00");
}

#[test]
fn blocking_needs_secure_messaging_and_right_parameters() {
    let mut desk = with_line_key();
    desk.refused(0x6987, BLOCK_CARD);
    desk.refused(0x6987, BLOCK);
    desk.maintain("80160001", &LINE).refused(0x6A86);
    desk.maintain("801E0002", &LINE).refused(0x6A86);
    desk.maintain("801E0100", &LINE).refused(0x6A86);
    desk.maintain("80180001", &LINE).refused(0x6A86);
    desk.maintain("8016000001AA", &LINE).refused(0x6700);
    desk.maintain(UNBLOCK, &LINE).refused(0x6985);
}
