//! A SAM: parent keys, derivation, DES CRYPT, and a terminal that authenticates user cards with it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use common::{APP_MASTER, CARD_MASTER, Desk, SERIAL, hex, hex_of, key_record};
use diversify::{Factor, pboc};
use proptest::prelude::*;
use tdea::{Mode, Padding, RetailMac, TdeaKey};

/// Parent of internal authentication keys.
const PARENT: [u8; 16] = *b"parent: internal";
/// Parent of external authentication keys.
const PARENT_EXTERNAL: [u8; 16] = *b"parent: external";
/// Parent of line protection keys.
const PARENT_LINE: [u8; 16] = *b"parent: line MAC";

/// WRITE KEY of a SAM, to be protected.
fn write_sam_key(usage: u8, version: u8, key: &[u8]) -> String {
    format!("80D40000{:02X}{usage:02X}{version:02X}00{}", key.len() + 3, hex_of(key))
}

impl Desk {
    fn load(&mut self, usage: u8, version: u8, key: &[u8], master: &[u8]) -> common::Answer {
        self.send_protected(&write_sam_key(usage, version, key), Protection::CipherAndMac, master)
    }
}

/// A SAM with an application `3F01` under its own master, selected, the master proven.
fn sam_application() -> Desk {
    let mut desk = Desk::sam();
    desk.authenticate(0x00, &common::TRANSPORT);
    desk.load(0x00, 0x00, &CARD_MASTER, &common::TRANSPORT).ok();
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E03F010D 38 0400 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.ok("80E0000007 3F 0180 95 AA FFFF");
    desk.load(0x00, 0x00, &APP_MASTER, &CARD_MASTER).ok();
    desk.authenticate(0x00, &APP_MASTER);
    desk
}

/// The same with its parent keys: usage 27 (one level, encrypt) versions 1 and 2, 26 (one level, MAC), 42 (two levels,
/// purchase), 07 (no level, encrypt), 48 (two levels, MAC and encrypt).
fn loaded_sam() -> Desk {
    let mut desk = sam_application();
    desk.load(0x27, 0x01, &PARENT, &APP_MASTER).ok();
    desk.load(0x27, 0x02, &PARENT_EXTERNAL, &APP_MASTER).ok();
    desk.load(0x26, 0x01, &PARENT_LINE, &APP_MASTER).ok();
    desk.load(0x42, 0x01, &PARENT, &APP_MASTER).ok();
    desk.load(0x07, 0x01, &PARENT, &APP_MASTER).ok();
    desk.load(0x48, 0x01, &PARENT, &APP_MASTER).ok();
    desk
}

fn child(parent: &[u8], factor: [u8; 8]) -> Vec<u8> {
    let parent = TdeaKey::try_from(parent).unwrap();
    pboc::derive(&parent, Factor::from(factor)).unwrap().expose_bytes().to_vec()
}

/// A user card whose keys are children of the SAM's parents by its serial number.
fn user_card() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x01, &key_record(0xF0, &child(&PARENT, SERIAL)), &APP_MASTER).ok();
    desk.write_key(0x01, 0x01, &key_record(0xF9, &child(&PARENT_EXTERNAL, SERIAL)), &APP_MASTER).ok();
    desk.write_key(0x01, 0x00, &key_record(0xF6, &child(&PARENT_LINE, SERIAL)), &APP_MASTER).ok();
    desk.ok("80E0000107 A8 0008 F0 A1 FF FF");
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk
}

/// The terminal's part: has the SAM encrypt under the child of a parent key.
fn encrypt_by_sam(sam: &mut Desk, version: u8, factor: &[u8], block: &[u8]) -> Vec<u8> {
    sam.ok(&format!("801A27{version:02X}08{}", hex_of(factor)));
    sam.ok(&format!("80FA000008{}", hex_of(block)))
}

#[test]
fn a_terminal_tells_a_genuine_card_from_another_and_is_told_itself() {
    let (mut sam, mut card) = (loaded_sam(), user_card());
    let atr = card.card.profile().atr();
    let factor = &atr[9..];
    // The card proves itself to the terminal, whose SAM computes what must come.
    let random = hex("0F1E2D3C4B5A6978");
    let proof = card.ok(&format!("0088000108{}", hex_of(&random)));
    assert_eq!(encrypt_by_sam(&mut sam, 0x01, factor, &random), proof);
    // The terminal proves itself by its SAM, and may write a file that the SAM protects.
    card.refused(0x6982, "00D6810001 AA");
    let challenge = card.challenge(8);
    let cryptogram = encrypt_by_sam(&mut sam, 0x02, factor, &challenge);
    card.ok(&format!("0082000108{}", hex_of(&cryptogram)));
    let challenge = card.challenge(4);
    sam.ok(&format!("801A260108{}", hex_of(factor)));
    let message = format!("{}00000000 04D6810005AA8000 ", hex_of(&challenge));
    let mac = sam.ok(&format!("80FA050010{message}"));
    card.ok(&format!("04D6810005AA{}", hex_of(&mac)));
    assert_eq!(card.ok("00B0810001"), [0xAA]);
    // A card with another serial number has other keys.
    let other = encrypt_by_sam(&mut sam, 0x01, &[0x86, 0x60, 0, 0, 0, 0, 0, 2], &random);
    assert_ne!(other, proof);
}

#[test]
fn a_sam_takes_its_keys_under_the_loading_rules() {
    let mut desk = Desk::sam();
    desk.load(0x00, 0x00, &CARD_MASTER, &common::TRANSPORT).refused(0x6982);
    desk.authenticate(0x00, &common::TRANSPORT);
    desk.load(0x27, 0x01, &PARENT, &common::TRANSPORT).refused(0x6985);
    desk.load(0x01, 0x00, &PARENT, &common::TRANSPORT).refused(0x6985);
    desk.load(0x00, 0x00, &CARD_MASTER, &CARD_MASTER).refused(0x6988);
    desk.load(0x00, 0x00, &CARD_MASTER, &common::TRANSPORT).ok();
    desk.try_authenticate(0x00, &common::TRANSPORT).refused(0x63C2);
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E03F010D 38 0400 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.load(0x00, 0x00, &APP_MASTER, &CARD_MASTER).refused(0x6A82);
    desk.ok("80E0000007 3F 0180 95 AA FFFF");
    desk.load(0x27, 0x01, &PARENT, &CARD_MASTER).refused(0x6985);
    desk.load(0x01, 0x00, &PARENT, &CARD_MASTER).refused(0x6985);
    desk.load(0x00, 0x00, &APP_MASTER, &CARD_MASTER).ok();
    desk.load(0x27, 0x01, &PARENT, &CARD_MASTER).refused(0x6988);
    desk.load(0x27, 0x01, &PARENT, &APP_MASTER).refused(0x6982);
    desk.authenticate(0x00, &APP_MASTER);
    desk.load(0x27, 0x01, &PARENT, &APP_MASTER).ok();
    desk.load(0x00, 0x00, b"a newer app mast", &APP_MASTER).ok();
    desk.load(0x27, 0x02, &PARENT, b"a newer app mast").refused(0x6982);
    desk.authenticate(0x00, b"a newer app mast");
    desk.load(0x27, 0x02, &PARENT, b"a newer app mast").ok();
}

#[test]
fn a_sam_key_comes_as_ciphertext_of_its_exact_form() {
    let mut desk = sam_application();
    desk.refused(0x6987, &write_sam_key(0x27, 0x01, &PARENT));
    desk.load(0x27, 0x01, &PARENT[..8], &APP_MASTER).refused(0x6A80);
    desk.load(0x27, 0x01, &[0x11; 24], &APP_MASTER).refused(0x6A80);
    // An algorithm other than TDEA.
    let other = write_sam_key(0x27, 0x01, &PARENT).replace("270100", "270101");
    desk.send_protected(&other, Protection::CipherAndMac, &APP_MASTER).refused(0x6A80);
    // Masters and maintenance keys have no levels.
    desk.load(0x20, 0x00, &PARENT, &APP_MASTER).refused(0x6A80);
    desk.load(0x21, 0x00, &PARENT, &APP_MASTER).refused(0x6A80);
    let command = write_sam_key(0x27, 0x01, &PARENT).replace("80D40000", "80D40001");
    desk.send_protected(&command, Protection::CipherAndMac, &APP_MASTER).refused(0x6A86);
}

#[test]
fn a_sam_key_with_the_same_usage_and_version_replaces_the_old_one() {
    let mut desk = loaded_sam();
    let before = encrypt_by_sam(&mut desk, 0x01, &SERIAL, &[0; 8]);
    desk.load(0x27, 0x01, &PARENT_LINE, &APP_MASTER).ok();
    assert_ne!(encrypt_by_sam(&mut desk, 0x01, &SERIAL, &[0; 8]), before);
}

#[test]
fn a_key_file_of_its_size_is_full_for_parent_keys_too() {
    let mut desk = Desk::sam().mastered();
    desk.ok("80E03F010D 38 0400 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    // The master and two more, 24 bytes each, and one byte too few for a third.
    desk.ok("80E0000007 3F 005F 95 F0 FFFF");
    desk.load(0x00, 0x00, &APP_MASTER, &CARD_MASTER).ok();
    desk.load(0x27, 0x01, &PARENT, &APP_MASTER).ok();
    desk.load(0x27, 0x02, &PARENT, &APP_MASTER).ok();
    desk.load(0x27, 0x03, &PARENT, &APP_MASTER).refused(0x6A84);
    desk.load(0x27, 0x02, &PARENT_LINE, &APP_MASTER).ok();
}

#[test]
fn the_maintenance_key_of_a_sam_protects_its_files() {
    let mut desk = sam_application();
    desk.ok("00A40000023F01");
    desk.load(0x01, 0x00, &PARENT_LINE, &APP_MASTER).refused(0x6982);
    desk.authenticate(0x00, &APP_MASTER);
    desk.load(0x01, 0x00, &PARENT_LINE, &APP_MASTER).ok();
    desk.ok("80E0000107 A8 0006 F0 F0 FF FF");
    desk.send_protected("00D6810006 000000000001", Protection::Mac, &PARENT).refused(0x6988);
    desk.send_protected("00D6810006 000000000001", Protection::Mac, &PARENT_LINE).ok();
    // Replacing it takes level A.
    desk.ok("00A40000023F01");
    desk.load(0x01, 0x00, &PARENT, &APP_MASTER).refused(0x6982);
    desk.authenticate(0x00, &APP_MASTER);
    desk.load(0x01, 0x00, &PARENT, &APP_MASTER).ok();
    desk.send_protected("00D6810006 000000000002", Protection::Mac, &PARENT).ok();
}

#[test]
fn there_are_as_many_factors_as_the_key_has_levels() {
    let mut desk = loaded_sam();
    // With fewer, a parent would encrypt F || ~F: that is its child.
    desk.refused(0x6700, "801A2701");
    desk.refused(0x6700, &format!("801A270110{}{}", hex_of(&SERIAL), hex_of(&SERIAL)));
    desk.refused(0x6700, "801A270107 00000000000000");
    desk.refused(0x6700, &format!("801A070108{}", hex_of(&SERIAL)));
    desk.refused(0x6A88, &format!("801A270308{}", hex_of(&SERIAL)));
    desk.refused(0x6A88, &format!("801A280108{}", hex_of(&SERIAL)));
    desk.ok("801A0701");
    desk.ok(&format!("801A480110{}{}", hex_of(&SERIAL), hex_of(&SERIAL)));
}

#[test]
fn a_key_is_used_for_what_its_usage_says() {
    let mut desk = loaded_sam();
    let factor = hex_of(&SERIAL);
    let (encrypt, mac) = ("80FA000008 0000000000000000", "80FA050010 00000000000000000000000000000000");
    for (init, encrypts, macs) in [
        (format!("801A270108{factor}"), true, false),
        (format!("801A260108{factor}"), false, true),
        (format!("801A480110{factor}{factor}"), true, true),
        (format!("801A420110{factor}{factor}"), false, false),
    ] {
        for (command, is_allowed) in [(encrypt, encrypts), (mac, macs)] {
            desk.ok(&init);
            assert_eq!(desk.send(command).status, if is_allowed { 0x9000 } else { 0x6985 }, "{init}");
        }
    }
}

#[test]
fn a_derived_key_lives_until_the_last_part_or_any_other_command() {
    let mut desk = loaded_sam();
    let (init, block) = (format!("801A270108{}", hex_of(&SERIAL)), "0000000000000000");
    let (more, last) = (format!("80FA020008{block}"), format!("80FA000008{block}"));
    desk.refused(0x6901, &last);
    desk.ok(&init);
    let first = desk.ok(&more);
    assert_eq!(desk.ok(&last), first);
    desk.refused(0x6901, &last);
    desk.ok(&init);
    desk.challenge(8);
    desk.refused(0x6901, &last);
    // A refused DES CRYPT ends it too.
    desk.ok(&init);
    desk.refused(0x6700, "80FA000007 00000000000000");
    desk.refused(0x6901, &last);
    desk.ok(&init);
    desk.card.reset();
    desk.refused(0x6901, &last);
}

#[test]
fn des_crypt_refuses_by_reason() {
    let mut desk = loaded_sam();
    let init = format!("801A480110{}{}", hex_of(&SERIAL), hex_of(&SERIAL));
    let mut after_init = |command: &str, status: u16| {
        desk.ok(&init);
        desk.refused(status, command);
    };
    after_init("80FA000108 0000000000000000", 0x6A86);
    after_init("80FA040008 0000000000000000", 0x6A86);
    after_init("80FA060008 0000000000000000", 0x6A86);
    after_init("80FA080008 0000000000000000", 0x6A86);
    after_init("80FA0000", 0x6700);
    after_init("80FA000008 0000000000000000 04", 0x6C08);
    after_init("80FA010008 0000000000000000", 0x6901);
    after_init("80FA030008 0000000000000000", 0x6901);
    after_init("84FA000008 0000000000000000", 0x6882);
}

#[test]
fn a_mac_may_come_in_parts() {
    let mut desk = loaded_sam();
    let init = format!("801A260108{}", hex_of(&SERIAL));
    let (iv, data) = (hex("A3BBCFC800000000"), [0x3C; 40]);
    let key = TdeaKey::try_from(child(&PARENT_LINE, SERIAL).as_slice()).unwrap();
    let chained: Vec<u8> = data.iter().enumerate().map(|(i, byte)| byte ^ iv.get(i).unwrap_or(&0)).collect();
    let expected = RetailMac::compute(&key, Padding::None, &chained).unwrap().truncated::<4>();
    desk.ok(&init);
    assert_eq!(desk.ok(&format!("80FA050030{}{}", hex_of(&iv), hex_of(&data))), expected);
    desk.ok(&init);
    assert!(desk.ok(&format!("80FA070010{}{}", hex_of(&iv), hex_of(&data[..8]))).is_empty());
    assert!(desk.ok(&format!("80FA030010{}", hex_of(&data[8..24]))).is_empty());
    assert_eq!(desk.ok(&format!("80FA010010{}", hex_of(&data[24..]))), expected);
    // Encryption does not mix with a MAC under way.
    desk.ok(&format!("801A480110{}{}", hex_of(&SERIAL), hex_of(&SERIAL)));
    desk.ok(&format!("80FA070010{}{}", hex_of(&iv), hex_of(&data[..8])));
    desk.refused(0x6985, "80FA000008 0000000000000000");
}

#[test]
fn a_user_card_has_no_sam_commands() {
    let mut desk = Desk::user().with_application();
    desk.refused(0x6D00, "801A0701");
    desk.refused(0x6D00, "80FA000008 0000000000000000");
    desk.load(0x27, 0x01, &PARENT, &APP_MASTER).refused(0x6A86);
}

#[test]
fn a_sam_has_the_keys_of_every_card_too() {
    let mut desk = loaded_sam();
    desk.write_key(0x01, 0x01, &key_record(0x30, &PARENT), &APP_MASTER).ok();
    desk.ok("0088000108 0102030405060708");
    desk.write_key(0x01, 0x00, &[&[0x3A, 0xF0, 0xEF, 0x01, 0x33][..], &[0x12, 0x34]].concat(), &APP_MASTER)
        .ok();
    desk.ok("0020000002 1234");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// The SAM against `diversify`: two levels, then one block.
    #[test]
    fn a_sam_derives_as_the_host_does(factors: [[u8; 8]; 2], block: [u8; 8]) {
        let mut desk = sam_application();
        desk.load(0x47, 0x01, &PARENT, &APP_MASTER).ok();
        desk.ok(&format!("801A470110{}", hex_of(factors.as_flattened())));
        let answer = desk.ok(&format!("80FA000008{}", hex_of(&block)));
        let root = TdeaKey::from(PARENT);
        let key = pboc::derive_path(&root, factors.map(Factor::from)).unwrap();
        let mut expected = block;
        key.cipher().encrypt(Mode::Ecb, &mut expected).unwrap();
        prop_assert_eq!(answer, expected);
    }
}
