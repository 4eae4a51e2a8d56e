//! SM4 keys on a card: what they protect and prove, and where they are refused.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::commands::pboc::{Access, HeaderKeyType, KeyHeader, Tries};
use apdu::secure::pboc::{Challenge, Protection, Sm4MasterKey};
use common::sm4::{sm4_card, sm4_key, sm4_record};
use common::{CARD_MASTER, hex_of};

const MASTER: [u8; 16] = *b"sm4 card master.";
const LINE: [u8; 16] = *b"sm4 maintenance.";

#[test]
fn files_are_written_and_read_under_sm4() {
    for (mode, protection) in [("80", Protection::Mac), ("C0", Protection::CipherAndMac)] {
        let mut desk = sm4_card(&MASTER);
        desk.authenticate_sm4(0x00, &MASTER);
        desk.write_with_header(&sm4_record(0x00, 0x05, &LINE), &MASTER).ok();
        // Both ways under line protection key 00.
        desk.ok(&format!("80E0020009 0015 00 0060 F0 F0 {mode} 7F"));
        // Whole blocks of SM4 and a byte more or less, besides the byte of the length.
        for len in [1, 7, 8, 14, 15, 16, 17, 31, 32, 64] {
            let data = vec![0x80; len];
            let update = format!("00D69500{len:02X}{}", hex_of(&data));
            desk.send_under_sm4(&update, protection, &LINE).ok();
            let read = desk.send_under_sm4(&format!("00B09500{len:02X}"), protection, &LINE);
            assert_eq!(read.ok(), data, "{len}");
        }
        desk.refused(0x6987, "00B0950008");
        desk.send_under_sm4("00D6950001AA", protection, &MASTER).refused(0x6988);
        // The same bytes as a TDEA key are another key.
        desk.send_protected("00D6950001AA", protection, &LINE).refused(0x6988);
    }
}

#[test]
fn an_sm4_key_with_wrong_proofs_is_locked() {
    let mut desk = sm4_card(&MASTER);
    for status in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.try_authenticate_sm4(0x00, &CARD_MASTER).refused(status);
    }
    desk.try_authenticate_sm4(0x00, &MASTER).refused(0x6983);
}

#[test]
fn an_sm4_key_answers_no_challenge_shorter_than_its_block() {
    let mut desk = sm4_card(&MASTER);
    desk.challenge(8);
    desk.refused(0x6985, "0082000008 0000000000000000");
    // And it cost no try.
    desk.authenticate_sm4(0x00, &MASTER);
}

#[test]
fn what_no_source_describes_is_no_sm4_key() {
    let mut desk = sm4_card(&MASTER);
    desk.authenticate_sm4(0x00, &MASTER);
    for key_type in [0x05, 0x06, 0x08] {
        desk.write_with_header(&sm4_record(0x41, key_type, &LINE), &MASTER).ok();
    }
    for key_type in [0x00, 0x01, 0x02, 0x07, 0x09, 0x0B] {
        desk.write_with_header(&sm4_record(0x41, key_type, &LINE), &MASTER).refused(0x6A80);
    }
    desk.write_with_header(&sm4_record(0x42, 0x05, &LINE[..8]), &MASTER).refused(0x6A80);
}

#[test]
fn an_update_keeps_the_cipher() {
    let mut desk = sm4_card(&MASTER);
    desk.authenticate_sm4(0x00, &MASTER);
    let mut record = sm4_record(0x41, 0x05, &LINE);
    desk.write_with_header(&record, &MASTER).ok();
    desk.write_with_header(&record, &MASTER).ok();
    record[2] = 0x00;
    desk.write_with_header(&record, &MASTER).refused(0x6A80);
}

#[test]
fn host_and_card_agree_about_sm4_keys() {
    let mut desk = sm4_card(&MASTER);
    desk.authenticate_sm4(0x00, &MASTER);
    let header = KeyHeader {
        id: 0x00,
        version: 1,
        key_type: HeaderKeyType::Maintenance,
        usage: Access::ALWAYS,
        follow_state: 0xFF,
        change: Access::NEVER,
        tries: Tries::new(3).unwrap(),
    };
    let challenge = Challenge::try_from(&desk.challenge(4)[..]).unwrap();
    let master = Sm4MasterKey::from_key(sm4_key(&MASTER));
    let command = header.write_sm4(&sm4_key(&LINE), &master, challenge);
    desk.send_bytes(command.encode().expose_bytes()).ok();
    desk.ok("80E0020009 0015 00 0010 F0 F0 80 7F");
    desk.send_under_sm4("00D6950002 0102", Protection::Mac, &LINE).ok();
}
