//! A SAM in a terminal and the user cards that pay there.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "a panic is the report")]

use apdu::secure::pboc::Protection;
use cardroot_card::CardSystem;
use diversify::{Factor, pboc};
use tdea::TdeaKey;

use super::wallet::{LOAD, TAC, wallet_key, wallet_with};
use super::{APP_MASTER, CARD_MASTER, Desk, SERIAL, hex_of};

pub const PARENT: [u8; 16] = *b"parent: purchase";
pub const DATE: &str = "20260115";
pub const TIME: &str = "120000";

pub fn load(desk: &mut Desk, usage: u8, version: u8, key: &[u8]) {
    let command = format!("80D4000013{usage:02X}{version:02X}00{}", hex_of(key));
    desk.send_protected(&command, Protection::CipherAndMac, &APP_MASTER).ok();
}

/// A SAM with five versions of the purchase key, one level, and its files; the terminal number is in the master file.
pub fn sam() -> Desk {
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
pub fn card(version: u8) -> Desk {
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
pub fn init_sam(init: &[u8], amount: u32, date: &str) -> String {
    let (sequence, attributes, random) = (hex_of(&init[4..6]), hex_of(&init[9..11]), hex_of(&init[11..]));
    format!("807000001C {random}{sequence}{amount:08X}06{date}{TIME}{attributes}{} 08", hex_of(&SERIAL))
}

/// Asks card and SAM as far as the card's `TAC || MAC2`.
pub fn pay(card: &mut Desk, sam: &mut Desk, amount: u32) -> Vec<u8> {
    let init = card.ok(&format!("805001020B 01 {amount:08X} 001122334455 0F"));
    let answer = sam.ok(&init_sam(&init, amount, DATE));
    let (sequence, mac1) = (hex_of(&answer[..4]), hex_of(&answer[4..]));
    card.ok(&format!("805401000F {sequence}{DATE}{TIME}{mac1} 08"))
}
