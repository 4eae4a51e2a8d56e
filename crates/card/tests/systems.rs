//! Cards of other makers: what differs from FMCOS, with TDEA keys.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::commands::InternalOperation;
use apdu::commands::pboc::{Access, EndCreate, HeaderKeyType, HeaderSystem, KeyHeader, Tries, end_create};
use apdu::secure::pboc::{Challenge, InternalAuthKey, MasterKey, Protection};
use cardroot_card::{CardProfile, CardSystem, LifeCycle};
use common::wallet::{LOAD, MOMENT, PURCHASE, TAC, TERMINAL, UNBLOCK, mac};
use common::{APP_MASTER, CARD_MASTER, Desk, SERIAL, TRANSPORT, card_key, hex, hex_of};

/// `id version algorithm type use follow change errors key`
fn record(id: u8, key_type: u8, follow: u8, key: &[u8]) -> Vec<u8> {
    [&[id, 0x01, 0x00, key_type, 0xF0, follow, 0xF0, 0x33][..], key].concat()
}

/// The systems whose keys have a header, with their instruction of WRITE KEY.
const SYSTEMS: [(CardSystem, u8); 2] = [(CardSystem::SMARTCOS_3_2, 0xE8), (CardSystem::TIANYU, 0xD4)];

fn write(desk: &mut Desk, instruction: u8, record: &[u8], master: &[u8]) -> common::Answer {
    let command = format!("80{instruction:02X}0000{:02X}{}", record.len(), hex_of(record));
    desk.send_protected(&command, Protection::CipherAndMac, master)
}

/// The host's builder for a key that anybody may use and change, of three tries.
fn write_by_host(
    desk: &mut Desk,
    system: HeaderSystem,
    (id, key_type, follow_state): (u8, HeaderKeyType, u8),
    key: &[u8],
    master: &[u8],
) -> common::Answer {
    let (usage, change) = (Access::ALWAYS, Access::ALWAYS);
    let tries = Tries::new(3).unwrap();
    let header = KeyHeader { id, version: 1, key_type, usage, follow_state, change, tries };
    let challenge = Challenge::try_from(&desk.challenge(4)[..]).unwrap();
    let command = header.write(system, &card_key(key), &MasterKey::from_key(card_key(master)), challenge);
    desk.send_bytes(command.encode().expose_bytes())
}

/// A card that the host has brought as far as its application's own master.
fn application_by_host(system: CardSystem, family: HeaderSystem) -> Desk {
    const MASTER: (u8, HeaderKeyType, u8) = (0x00, HeaderKeyType::ExternalAuthenticate, 0x0A);
    let mut desk = Desk::new(CardProfile::user(SERIAL).with_system(system), &TRANSPORT);
    desk.authenticate(0x00, &TRANSPORT);
    write_by_host(&mut desk, family, MASTER, &CARD_MASTER, &TRANSPORT).ok();
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E001000C 3F01 0800 F0 AA 95 A000000003");
    desk.ok("00A40000023F01");
    desk.ok("80E0020006 0000 05 0200 F0");
    write_by_host(&mut desk, family, MASTER, &APP_MASTER, &CARD_MASTER).ok();
    desk
}

/// The host's tables and the card's were written apart: key types, instruction, layout, END CREATE.
#[test]
fn host_and_card_agree_about_keys_with_a_header() {
    for (system, family) in
        [(CardSystem::SMARTCOS_3_2, HeaderSystem::SmartCos), (CardSystem::TIANYU, HeaderSystem::Tianyu)]
    {
        let mut desk = application_by_host(system, family);
        for key_type in HeaderKeyType::ALL {
            // SmartCOS's 07 is one that sources disagree about, and the card has none.
            let is_open = family == HeaderSystem::SmartCos && key_type == HeaderKeyType::PinReload;
            let status = if is_open { 0x6A80 } else { 0x9000 };
            let answer = write_by_host(&mut desk, family, (0x01, key_type, 0x02), &LOAD, &APP_MASTER);
            assert_eq!(answer.status, status, "{} {key_type:?}", system.name());
        }
        // Keys of 8 bytes too, and the other family's instruction is none.
        let eight = (0x02, HeaderKeyType::Maintenance, 0xFF);
        write_by_host(&mut desk, family, eight, &LOAD[..8], &APP_MASTER).ok();
        let other = match family {
            HeaderSystem::SmartCos => HeaderSystem::Tianyu,
            HeaderSystem::Tianyu => HeaderSystem::SmartCos,
        };
        write_by_host(&mut desk, other, eight, &LOAD[..8], &APP_MASTER).refused(0x6D00);

        let end = |what| end_create(what).encode();
        let refused = desk.send_bytes(end(EndCreate::MasterFile).expose_bytes());
        refused.refused(0x6A86);
        desk.send_bytes(end(EndCreate::Directory).expose_bytes()).ok();
        desk.ok("00A40000023F00");
        desk.send_bytes(end(EndCreate::Directory).expose_bytes()).refused(0x6982);

        // What was written is what the names say: it proves the host and the card.
        desk.ok("00A40000023F01");
        desk.authenticate(0x01, &LOAD);
        let challenge = hex("1122334455667788");
        let answer = desk.ok("0088000108 1122334455667788");
        let proof = InternalAuthKey::from_key(card_key(&LOAD));
        proof.verify_answer(InternalOperation::Encrypt, &challenge, &answer).unwrap();
    }
}

/// A card with an application under its own master, its type bytes those of the system.
fn application(system: CardSystem, instruction: u8) -> Desk {
    let mut desk = Desk::new(CardProfile::user(SERIAL).with_system(system), &TRANSPORT);
    desk.authenticate(0x00, &TRANSPORT);
    write(&mut desk, instruction, &record(0x00, 0x08, 0x0A, &CARD_MASTER), &TRANSPORT).ok();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Mastered);
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E001000C 3F01 0800 F0 AA 95 A000000003");
    desk.ok("00A40000023F01");
    desk.ok("80E0020006 0000 05 0200 F0");
    write(&mut desk, instruction, &record(0x00, 0x08, 0x0A, &APP_MASTER), &CARD_MASTER).ok();
    desk
}

#[test]
fn a_card_is_issued_and_pays() {
    for (system, instruction) in SYSTEMS {
        let mut desk = application(system, instruction);
        for (id, key_type, key) in
            [(1, 0x00, &PURCHASE), (1, 0x01, &LOAD), (0, 0x02, &TAC), (0, 0x05, &UNBLOCK)]
        {
            write(&mut desk, instruction, &record(id, key_type, 0xFF, key), &APP_MASTER).ok();
        }
        write(&mut desk, instruction, &record(0x00, 0x0B, 0x01, &hex("1234")), &APP_MASTER).ok();
        desk.ok("80E0020009 0018 03 0A17 F0 EF 00 FF");
        desk.ok("80E0020005 0002 06 F0 18");
        desk.ok("80E0020009 0015 00 001E F0 F0 80 FF");
        desk.ok("80E00101");
        desk.card.reset();
        desk.ok("00A40000023F01");
        assert_eq!(desk.card.life_cycle(), LifeCycle::Personalised);
        desk.verify_pin();
        desk.load_account(0x02, 1000);
        desk.pay(0x01, 0x02, 0x06, 300, 1);
        assert_eq!(desk.balance(0x02), 700);
        desk.send_protected("00D6950002 0102", Protection::Mac, &UNBLOCK).ok();
        assert_eq!(desk.ok("00B0950002"), [1, 2]);
        // A load whose MAC2 is wrong, and codes of FMCOS, are nothing here.
        let init = desk.initialize(0x00, 0x02, "00000001", &LOAD);
        let wrong = mac(&init.key, &format!("0000000201{TERMINAL}{MOMENT}"));
        desk.refused(0x9302, &format!("805200000B{MOMENT}{wrong}"));
    }
}

#[test]
fn end_create_closes_a_directory_to_everybody() {
    let (system, instruction) = SYSTEMS[1];
    let mut desk = application(system, instruction);
    desk.ok("80E001000C 3F02 0080 AA AA 95 A000000004");
    desk.ok("00A40000023F02");
    desk.ok("80E0020009 0001 00 0008 F0 F0 00 FF");
    desk.refused(0x6A86, "80E00001");
    desk.ok("80E00101");
    desk.refused(0x6982, "80E0020009 0002 00 0008 F0 F0 00 FF");
    desk.refused(0x6982, "80E00101");
}

#[test]
fn keys_come_as_ciphertext_of_their_exact_form() {
    for (system, instruction) in SYSTEMS {
        let mut desk = application(system, instruction);
        let good = record(0x01, 0x00, 0xFF, &PURCHASE);
        let plain = format!("80{instruction:02X}000018{}", hex_of(&good));
        desk.refused(0x6987, &plain);
        let mut of_sm4 = good.clone();
        of_sm4[2] = 0x04;
        write(&mut desk, instruction, &of_sm4, &APP_MASTER).refused(0x6A80);
        for key_type in [0x03, 0x04, 0x0A, 0x30, 0x39, 0xFF] {
            write(&mut desk, instruction, &record(0x01, key_type, 0xFF, &PURCHASE), &APP_MASTER)
                .refused(0x6A80);
        }
        write(&mut desk, instruction, &record(0xFF, 0x00, 0xFF, &PURCHASE), &APP_MASTER).refused(0x6A80);
        write(&mut desk, instruction, &good[..7], &APP_MASTER).refused(0x6A80);
        write(&mut desk, instruction, &good[..23], &APP_MASTER).refused(0x6A80);
        write(&mut desk, instruction, &good, &CARD_MASTER).refused(0x6988);
        write(&mut desk, instruction, &good, &APP_MASTER).ok();
        let command = format!("80{instruction:02X}010018{}", hex_of(&good));
        desk.send_protected(&command, Protection::CipherAndMac, &APP_MASTER).refused(0x6A86);
    }
}

#[test]
fn each_system_knows_its_own_codes_and_instructions() {
    let seven = |(system, instruction)| {
        let mut desk = application(system, instruction);
        write(&mut desk, instruction, &record(0x00, 0x07, 0xFF, &LOAD), &APP_MASTER).status
    };
    // Sources disagree about SmartCOS's type 07.
    assert_eq!(SYSTEMS.map(seven), [0x6A80, 0x9000]);
    let mut desk = application(CardSystem::SMARTCOS_3_2, 0xE8);
    write(&mut desk, 0xD4, &record(0x01, 0x00, 0xFF, &PURCHASE), &APP_MASTER).refused(0x6D00);
    desk.refused(0x6A86, "80E0001507 28 0008 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0020009 0001 01 0008 F0 F0 00 FF");
    desk.refused(0x6A80, "80E0020009 0001 00 0008 F0 F0 01 FF");
    desk.refused(0x6A86, "80E0030009 0001 00 0008 F0 F0 00 FF");
    desk.refused(0x6A80, "80E0020000");
}

#[test]
fn the_systems_are_named() {
    assert_eq!(CardSystem::ALL.map(|system| system.name()), ["FMCOS 2.0", "SmartCOS 3.2", "Tianyu"]);
}
