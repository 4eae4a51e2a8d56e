//! Keys on their way from the mother card to a SAM, and what key cards do not do.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use cardroot_card::{CardKind, CardProfile, KeyCard};
use common::family::{
    AREA, AUTHENTICATION, EXPORT, ROOT, export, give, key_card, load, member, open, serial,
};
use common::{APP_MASTER, Desk, TRANSPORT, hex, hex_of};
use diversify::{Factor, pboc};
use tdea::{Mode, TdeaKey};

#[test]
fn keys_go_down_from_the_mother_card_to_a_sam() {
    let mut mother = key_card(KeyCard::Mother);
    let mut secondary = key_card(KeyCard::Secondary);
    let mut city = key_card(KeyCard::City);
    let mut sam = member(CardKind::Sam);
    for version in 1..=5 {
        let mut root = ROOT;
        root[0] ^= version;
        load(&mut mother, 0x47, version, &root).ok();
    }
    for desk in [&mut mother, &mut secondary, &mut city] {
        open(desk);
    }
    for version in 1..=5 {
        give(&mut mother, &mut secondary, 0x47, version, &[]).ok();
        // The city's share is one level down.
        give(&mut secondary, &mut city, 0x47, version, &AREA).ok();
        give(&mut city, &mut sam, 0x27, version, &[]).ok();
        sam.ok(&format!("801A27{version:02X}08 8660000000000099"));
        let answer = sam.ok("80FA000008 0102030405060708");
        let mut root = ROOT;
        root[0] ^= version;
        let path = [AREA, [0x86, 0x60, 0, 0, 0, 0, 0, 0x99]].map(Factor::from);
        let key = pboc::derive_path(&TdeaKey::from(root), path).unwrap();
        let mut expected = [1, 2, 3, 4, 5, 6, 7, 8];
        key.cipher().encrypt(Mode::Ecb, &mut expected).unwrap();
        assert_eq!(answer, expected);
    }
    for desk in [&mother, &secondary, &city, &sam] {
        for answer in &desk.seen {
            assert!(!answer.windows(8).any(|window| ROOT[1..].windows(8).any(|key| key == window)));
        }
    }
}

#[test]
fn nothing_leaves_without_pin_and_external_authentication() {
    let mut mother = key_card(KeyCard::Mother);
    load(&mut mother, 0x47, 0x01, &ROOT).ok();
    let command = export(0x47, 0x01, 0x01, CardKind::KeyCard(KeyCard::Secondary), &[7; 8], &[]);
    mother.refused(0x6982, &command);
    mother.ok("0020000002 1234");
    mother.refused(0x6982, &command);
    // The master is no external authentication card.
    mother.authenticate(0x00, &APP_MASTER);
    mother.refused(0x6982, &command);
    mother.ok("00A40000023F01");
    mother.authenticate(0x01, &AUTHENTICATION);
    mother.refused(0x6982, &command);
    mother.ok("0020000002 1234");
    mother.ok(&command);
    mother.card.reset();
    mother.ok("00A40000023F01");
    mother.refused(0x6982, &command);
}

#[test]
fn every_kind_gives_to_the_next_kind_alone() {
    let all: Vec<CardKind> =
        [CardKind::User, CardKind::Sam].into_iter().chain(KeyCard::ALL.map(CardKind::KeyCard)).collect();
    let mut given = Vec::new();
    for giver in KeyCard::ALL {
        let mut desk = key_card(giver);
        load(&mut desk, 0x1E, 0x02, &AUTHENTICATION).ok();
        load(&mut desk, 0x47, 0x01, &ROOT).ok();
        open(&mut desk);
        for receiver in &all {
            for usage in [0x47, 0x1E] {
                let version = if usage == 0x1E { 0x02 } else { 0x01 };
                let answer = desk.send(&export(usage, version, 0x01, *receiver, &[7; 8], &[]));
                match answer.status {
                    0x9000 => given.push((giver, usage, *receiver)),
                    status => assert_eq!(status, 0x6985),
                }
            }
        }
    }
    use KeyCard::{City, Mother, Secondary, Transport};
    assert_eq!(
        given,
        [
            (Mother, 0x47, CardKind::KeyCard(Secondary)),
            (Secondary, 0x47, CardKind::KeyCard(City)),
            (City, 0x47, CardKind::Sam),
            (Transport, 0x1E, CardKind::Sam),
            (Transport, 0x1E, CardKind::KeyCard(Mother)),
            (Transport, 0x1E, CardKind::KeyCard(Secondary)),
            (Transport, 0x1E, CardKind::KeyCard(City)),
        ]
    );
}

#[test]
fn a_transport_key_does_not_travel_under_itself() {
    let mut desk = key_card(KeyCard::Transport);
    open(&mut desk);
    desk.refused(0x6985, &export(0x1E, 0x01, 0x01, CardKind::Sam, &[7; 8], &[]));
}

#[test]
fn ciphertext_is_for_one_card_one_kind_one_challenge() {
    let mut mother = key_card(KeyCard::Mother);
    load(&mut mother, 0x47, 0x01, &ROOT).ok();
    open(&mut mother);
    let receiver = CardKind::KeyCard(KeyCard::Secondary);
    let mut secondary = key_card(KeyCard::Secondary);
    let challenge = secondary.challenge(8);
    let data = hex_of(&mother.ok(&export(0x47, 0x01, 0x01, receiver, &challenge, &[])));
    // Another challenge.
    secondary.challenge(8);
    secondary.refused(0x6988, &format!("84C800011C{data}"));
    secondary.refused(0x6985, &format!("84C800011C{data}"));
    // Another card, another kind.
    let strange_serial = export(0x47, 0x01, 0x01, receiver, &challenge, &[]).replace("86600000", "86600001");
    let strange = hex_of(&mother.ok(&strange_serial));
    secondary.lay_ready(&hex_of(&challenge));
    secondary.challenge(8);
    secondary.refused(0x6988, &format!("84C800011C{strange}"));
    let mut city = key_card(KeyCard::City);
    city.lay_ready(&hex_of(&challenge));
    city.challenge(8);
    city.refused(0x6988, &format!("84C800011C{data}"));
    // Every bit counts.
    for bit in 0..8 * 0x1C {
        let mut changed = hex(&data);
        changed[bit / 8] ^= 1 << (bit % 8);
        let mut secondary = key_card(KeyCard::Secondary);
        secondary.lay_ready(&hex_of(&challenge));
        secondary.challenge(8);
        secondary.refused(0x6988, &format!("84C800011C{}", hex_of(&changed)));
    }
    let mut secondary = key_card(KeyCard::Secondary);
    secondary.lay_ready(&hex_of(&challenge));
    secondary.challenge(8);
    secondary.ok(&format!("84C800011C{data}"));
}

#[test]
fn a_transport_key_that_is_attacked_locks_for_good() {
    let mut city = key_card(KeyCard::City);
    for _ in 0..15 {
        city.challenge(8);
        city.refused(0x6988, &format!("84C800011C{}", "00".repeat(28)));
    }
    city.challenge(8);
    city.refused(0x6983, &format!("84C800011C{}", "00".repeat(28)));
    // Writing it again gives no tries back.
    load(&mut city, 0x1E, 0x01, &EXPORT).ok();
    city.challenge(8);
    city.refused(0x6983, &format!("84C800011C{}", "00".repeat(28)));
}

#[test]
fn nothing_leaves_under_a_transport_key_that_is_locked() {
    let mut city = key_card(KeyCard::City);
    load(&mut city, 0x27, 0x01, &ROOT).ok();
    open(&mut city);
    city.ok(&export(0x27, 0x01, 0x01, CardKind::Sam, &[7; 8], &[]));
    for _ in 0..15 {
        city.challenge(8);
        city.refused(0x6988, &format!("84C800011C{}", "00".repeat(28)));
    }
    city.refused(0x6983, &export(0x27, 0x01, 0x01, CardKind::Sam, &[7; 8], &[]));
    // Under another one that is not.
    load(&mut city, 0x1E, 0x02, &EXPORT).ok();
    city.ok(&export(0x27, 0x01, 0x02, CardKind::Sam, &[7; 8], &[]));
}

#[test]
fn key_cards_do_nothing_else_with_their_keys() {
    for kind in KeyCard::ALL {
        let mut desk = key_card(kind);
        load(&mut desk, 0x07, 0x01, &ROOT).ok();
        load(&mut desk, 0x22, 0x01, &ROOT).ok();
        open(&mut desk);
        for command in [
            "801A0701",
            "80FA000008 0000000000000000",
            "807000001C 00000000 0000 00000001 06 20260115120000 01 00 1122334455667788",
            "805000020B 01 00000001 001122334455",
            "805C000204",
        ] {
            desk.refused(0x6D00, command);
        }
        desk.refused(0x6A88, "0088000108 0000000000000000");
    }
    // And the others export nothing.
    for kind in [CardKind::User, CardKind::Sam] {
        let mut desk = Desk::new(CardProfile::new(kind, serial(kind)), &TRANSPORT).mastered();
        desk.refused(0x6D00, &export(0x47, 0x01, 0x01, CardKind::Sam, &[7; 8], &[]));
    }
}

#[test]
fn an_authentication_card_opens_a_mother_card() {
    let mut holder = key_card(KeyCard::ExternalAuthentication);
    // Its key is used after the PIN alone.
    let record = [&hex("F0 F1 AA 01 00")[..], &AUTHENTICATION].concat();
    holder.write_key(0x01, 0x01, &record, &APP_MASTER).ok();
    let mut mother = key_card(KeyCard::Mother);
    let challenge = hex_of(&mother.challenge(8));
    holder.refused(0x6982, &format!("0088000108{challenge}"));
    holder.ok("0020000002 1234");
    let cryptogram = hex_of(&holder.ok(&format!("0088000108{challenge}")));
    mother.ok(&format!("0082000108{cryptogram}"));
}

#[test]
fn export_and_import_refuse_by_reason() {
    let mut mother = key_card(KeyCard::Mother);
    load(&mut mother, 0x47, 0x01, &ROOT).ok();
    open(&mut mother);
    let receiver = CardKind::KeyCard(KeyCard::Secondary);
    mother.refused(0x6A88, &export(0x47, 0x02, 0x01, receiver, &[7; 8], &[]));
    mother.refused(0x6A88, &export(0x47, 0x01, 0x02, receiver, &[7; 8], &[]));
    mother.refused(0x6700, &export(0x47, 0x01, 0x01, receiver, &[7; 8], &[0; 24]));
    mother.refused(0x6700, &export(0x47, 0x01, 0x01, receiver, &[7; 8], &[0; 7]));
    mother.refused(0x6700, "80C6470111 01 03 8660000000001003 07070707070707");
    mother.refused(0x6A80, "80C6470112 01 07 8660000000001003 0707070707070707");
    let good = export(0x47, 0x01, 0x01, receiver, &[7; 8], &[]);
    mother.refused(0x6C1C, &format!("{} 1B", good.strip_suffix(" 1C").unwrap()));
    mother.challenge(8);
    mother.refused(0x6700, "84C8000108 0000000000000000");
    mother.challenge(8);
    mother.refused(0x6A86, &format!("84C801011C{}", "00".repeat(28)));
    mother.challenge(8);
    mother.refused(0x6A88, &format!("84C800021C{}", "00".repeat(28)));
    mother.refused(0x6987, &format!("80C800011C{}", "00".repeat(28)));
}
