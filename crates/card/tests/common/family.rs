//! Key cards and SAMs of one family.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, unreachable_pub, reason = "a panic is the report")]

use apdu::secure::pboc::Protection;
use cardroot_card::{CardKind, CardProfile, KeyCard};

use super::{APP_MASTER, Answer, CARD_MASTER, Desk, TRANSPORT, hex, hex_of, key_record};

pub const EXPORT: [u8; 16] = *b"transport key of";
pub const AUTHENTICATION: [u8; 16] = *b"external authen.";
pub const ROOT: [u8; 16] = *b"root of all keys";
pub const AREA: [u8; 8] = [0x31, 0x80, 0, 0, 0, 0, 0, 0];

pub fn serial(kind: CardKind) -> [u8; 8] {
    [0x86, 0x60, 0, 0, 0, 0, 0x10, kind.code()]
}

pub fn load(desk: &mut Desk, usage: u8, version: u8, key: &[u8]) -> Answer {
    let command = format!("80D4000013{usage:02X}{version:02X}00{}", hex_of(key));
    desk.send_protected(&command, Protection::CipherAndMac, &APP_MASTER)
}

/// A card of the family: application, PIN 00, external authentication key 01, transport key version 1. Its application is
/// selected, nothing is proven.
pub fn member(kind: CardKind) -> Desk {
    let mut desk = Desk::new(CardProfile::new(kind, serial(kind)), &TRANSPORT).mastered();
    desk.ok("80E03F010D 38 0800 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.ok("80E0000007 3F 0180 95 F0 FFFF");
    let master = format!("80D4000013000000{}", hex_of(&APP_MASTER));
    desk.send_protected(&master, Protection::CipherAndMac, &CARD_MASTER).ok();
    desk.write_key(0x01, 0x00, &hex("3A F0 EF 01 33 1234"), &APP_MASTER).ok();
    desk.write_key(0x01, 0x01, &key_record(0x39, &AUTHENTICATION), &APP_MASTER).ok();
    load(&mut desk, 0x1E, 0x01, &EXPORT).ok();
    desk
}

pub fn key_card(kind: KeyCard) -> Desk {
    member(CardKind::KeyCard(kind))
}

pub fn open(desk: &mut Desk) {
    desk.ok("0020000002 1234");
    desk.authenticate(0x01, &AUTHENTICATION);
}

/// EXPORT KEY for a card of that kind which drew `challenge`.
pub fn export(
    usage: u8,
    version: u8,
    transport: u8,
    receiver: CardKind,
    challenge: &[u8],
    factors: &[u8],
) -> String {
    let len = 18 + factors.len();
    let (kind, serial) = (receiver.code(), hex_of(&serial(receiver)));
    format!(
        "80C6{usage:02X}{version:02X}{len:02X}{transport:02X}{kind:02X}{serial}{}{} 1C",
        hex_of(challenge),
        hex_of(factors)
    )
}

/// Gives a key to `receiver`.
pub fn give(giver: &mut Desk, receiver: &mut Desk, usage: u8, version: u8, factors: &[u8]) -> Answer {
    let kind = receiver.card.profile().kind();
    let challenge = receiver.challenge(8);
    let data = giver.ok(&export(usage, version, 0x01, kind, &challenge, factors));
    receiver.send(&format!("84C800011C{}", hex_of(&data)))
}
