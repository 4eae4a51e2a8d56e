//! Which key may be written when, and under which other key.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::LifeCycle;
use common::{APP_MASTER, CARD_MASTER, Desk, TRANSPORT, hex, hex_of, key_record, write_key_command};

const WORKING: [u8; 16] = *b"a working key 16";

/// A second application `3F02`, entered from the master file, its key file empty.
fn enter_second_application(desk: &mut Desk) {
    desk.ok("00A40000023F00");
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E03F020D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    desk.ok("80E0000007 3F 0100 95 F0 FFFF");
}

#[test]
fn the_life_of_a_card_goes_one_way() {
    let mut desk = Desk::user();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Blank);
    desk.authenticate(0x00, &TRANSPORT);
    assert_eq!(desk.card.life_cycle(), LifeCycle::TransportAuthenticated);
    desk.card.reset();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Blank);
    let mut desk = Desk::user().mastered();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Mastered);
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    assert_eq!(desk.card.life_cycle(), LifeCycle::Mastered);
    let mut desk = Desk::user().with_application();
    assert_eq!(desk.card.life_cycle(), LifeCycle::Personalised);
    // An open directory within it is enough to undo that, until it is left.
    desk.ok("80E03F110D 38 0040 F0 F0 95 FFFF 1111111111");
    assert_eq!(desk.card.life_cycle(), LifeCycle::Mastered);
    desk.ok("00A40000023F11");
    desk.ok("00A40400 09 A00000000386980701");
    assert_eq!(desk.card.life_cycle(), LifeCycle::Personalised);
    desk.authenticate(0x00, &APP_MASTER);
    desk.ok("800E000000");
    assert_eq!(desk.card.life_cycle(), LifeCycle::Mastered, "an erased directory is open");
}

#[test]
fn a_blank_card_takes_nothing_before_its_transport_key_is_proven() {
    let mut desk = Desk::user();
    desk.refused(0x6982, "80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.refused(0x6982, "800E000000");
    desk.write_key(0x39, 0x00, &key_record(0xF9, &CARD_MASTER), &TRANSPORT).refused(0x6982);
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), &TRANSPORT).refused(0x6985);
}

#[test]
fn a_card_under_its_transport_key_takes_nothing_but_a_new_master() {
    let mut desk = Desk::user();
    desk.authenticate(0x00, &TRANSPORT);
    desk.refused(0x6985, "80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), &TRANSPORT).refused(0x6985);
    desk.refused(0x6987, &write_key_command(0x39, 0x00, &key_record(0xF9, &CARD_MASTER)));
    desk.write_key(0x39, 0x00, &key_record(0xF9, &CARD_MASTER), &TRANSPORT).ok();
}

#[test]
fn the_card_master_replaces_the_transport_key_and_must_prove_itself() {
    let mut desk = Desk::user();
    desk.authenticate(0x00, &TRANSPORT);
    desk.write_key(0x39, 0x00, &key_record(0xF9, &CARD_MASTER), &TRANSPORT).ok();
    // What the transport key had opened is closed.
    desk.refused(0x6982, "80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.try_authenticate(0x00, &TRANSPORT).refused(0x63C2);
    desk.authenticate(0x00, &CARD_MASTER);
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
}

#[test]
fn the_card_master_is_updated_under_its_present_value_only() {
    let mut desk = Desk::user().mastered();
    let new = key_record(0xF9, b"second card mast");
    desk.write_key(0xF9, 0x00, &new, &TRANSPORT).refused(0x6988);
    desk.write_key(0xF9, 0x00, &new, b"second card mast").refused(0x6988);
    desk.write_key(0xF9, 0x00, &new, &CARD_MASTER).ok();
    desk.try_authenticate(0x00, &CARD_MASTER).refused(0x63C2);
    desk.authenticate(0x00, b"second card mast");
}

#[test]
fn a_transport_key_of_8_bytes_gives_way_to_a_master_of_16_and_no_key_gets_shorter() {
    let mut desk = Desk::new(cardroot_card::CardProfile::user(common::SERIAL), &[0xFF; 8]);
    desk.authenticate(0x00, &[0xFF; 8]);
    desk.write_key(0x39, 0x00, &key_record(0xF9, &CARD_MASTER), &[0xFF; 8]).ok();
    desk.authenticate(0x00, &CARD_MASTER);
    desk.write_key(0x39, 0x00, &key_record(0xF9, b"8 bytes."), &CARD_MASTER).refused(0x6A80);
    let mut desk = Desk::user();
    desk.authenticate(0x00, &TRANSPORT);
    desk.write_key(0x39, 0x00, &key_record(0xF9, b"8 bytes."), &TRANSPORT).refused(0x6A80);
}

#[test]
fn a_master_can_not_be_made_unprotected() {
    let mut desk = Desk::user();
    desk.authenticate(0x00, &TRANSPORT);
    desk.write_key(0x39, 0x00, &key_record(0x39, &CARD_MASTER), &TRANSPORT).refused(0x6A80);
}

#[test]
fn the_first_application_master_is_loaded_under_the_card_master() {
    let mut desk = Desk::user().mastered();
    enter_second_application(&mut desk);
    let record = key_record(0xF9, &APP_MASTER);
    desk.write_key(0x01, 0x00, &record, &APP_MASTER).refused(0x6988);
    desk.write_key(0x01, 0x00, &record, &TRANSPORT).refused(0x6988);
    desk.write_key(0x01, 0x00, &record, &CARD_MASTER).ok();
    desk.authenticate(0x00, &APP_MASTER);
}

#[test]
fn an_application_master_is_updated_under_itself() {
    let mut desk = Desk::user().with_application();
    let new = key_record(0xF9, b"application two.");
    desk.write_key(0xF9, 0x00, &new, &CARD_MASTER).refused(0x6988);
    desk.write_key(0xF9, 0x00, &new, &APP_MASTER).ok();
    desk.try_authenticate(0x00, &APP_MASTER).refused(0x63C2);
    desk.authenticate(0x00, b"application two.");
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6988);
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), b"application two.").ok();
}

#[test]
fn application_keys_are_loaded_and_updated_under_the_application_master() {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x01, &key_record(0xF0, &WORKING), &CARD_MASTER).refused(0x6988);
    desk.write_key(0x01, 0x01, &key_record(0xF0, &WORKING), &APP_MASTER).ok();
    desk.write_key(0xF0, 0x01, &key_record(0xF0, b"a newer work key"), &CARD_MASTER).refused(0x6988);
    desk.write_key(0xF0, 0x01, &key_record(0xF0, b"a newer work key"), &WORKING).refused(0x6988);
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0xF0, 0x01, &key_record(0xF0, b"a newer work key"), &APP_MASTER).ok();
}

#[test]
fn no_key_comes_before_the_master_of_its_directory() {
    let mut desk = Desk::user().mastered();
    enter_second_application(&mut desk);
    desk.write_key(0x01, 0x01, &key_record(0x39, &WORKING), &CARD_MASTER).refused(0x6985);
    desk.write_key(0x01, 0x00, &key_record(0x36, &WORKING), &CARD_MASTER).refused(0x6985);
    desk.refused(0x6985, &write_key_command(0x01, 0x00, &key_record(0x36, &WORKING)));
}

#[test]
fn a_key_in_the_clear_needs_a_proof_of_the_master_in_charge() {
    let mut desk = Desk::user().mastered();
    enter_second_application(&mut desk);
    let master = write_key_command(0x01, 0x00, &key_record(0x39, &APP_MASTER));
    // The card master was proven in this session: it may name the first master of an application.
    desk.ok(&master);
    let key = write_key_command(0x01, 0x01, &key_record(0x30, &WORKING));
    desk.refused(0x6982, &key);
    desk.authenticate(0x00, &APP_MASTER);
    desk.ok(&key);
    // An unprotected key may be replaced in the clear, a protected one no more.
    desk.ok(&write_key_command(0x30, 0x01, &key_record(0x30, b"a newer work key")));
    desk.write_key(0x30, 0x01, &key_record(0xF0, b"a newer work key"), &APP_MASTER).ok();
    desk.refused(0x6987, &write_key_command(0xF0, 0x01, &key_record(0xF0, &WORKING)));
    desk.refused(0x6987, &write_key_command(0xF0, 0x01, &key_record(0x30, &WORKING)));
}

#[test]
fn a_key_marked_as_protected_never_comes_in_the_clear() {
    let mut desk = Desk::user().mastered();
    enter_second_application(&mut desk);
    // Neither as a first master, nor as a new key, nor in the place of one that was not protected.
    desk.refused(0x6987, &write_key_command(0x01, 0x00, &key_record(0xF9, &APP_MASTER)));
    desk.ok(&write_key_command(0x01, 0x00, &key_record(0x39, &APP_MASTER)));
    desk.authenticate(0x00, &APP_MASTER);
    desk.refused(0x6987, &write_key_command(0x01, 0x01, &key_record(0xF0, &WORKING)));
    desk.refused(0x6987, &write_key_command(0x39, 0x00, &key_record(0xF9, b"application two.")));
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0x39, 0x00, &key_record(0xF9, b"application two."), &APP_MASTER).ok();
    desk.authenticate(0x00, b"application two.");
}

#[test]
fn a_reset_ends_the_proof_that_lets_keys_in_the_clear() {
    let mut desk = Desk::user().mastered();
    enter_second_application(&mut desk);
    desk.card.reset();
    desk.ok("00A40000023F02");
    desk.refused(0x6982, &write_key_command(0x01, 0x00, &key_record(0x39, &APP_MASTER)));
}

#[test]
fn access_conditions_hold_besides_the_cipher() {
    // Keys of the application are added at level A: selecting it again ends that.
    let mut desk = Desk::user().with_application();
    desk.ok("00A40000023F01");
    let record = key_record(0x30, &WORKING);
    desk.write_key(0x01, 0x01, &record, &APP_MASTER).refused(0x6982);
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0x01, 0x01, &record, &APP_MASTER).ok();
    desk.ok("00A40000023F01");
    desk.write_key(0x30, 0x01, &record, &APP_MASTER).refused(0x6982);
}

#[test]
fn a_record_is_read_strictly() {
    let mut desk = Desk::user().with_application();
    let mut write = |record: &[u8]| desk.write_key(0x01, 0x05, record, &APP_MASTER).status;
    assert_eq!(write(&key_record(0x33, &WORKING)), 0x6A80, "no such type");
    assert_eq!(write(&key_record(0x79, &WORKING)), 0x6A80, "bit 7 alone");
    assert_eq!(write(&key_record(0xB9, &WORKING)), 0x6A80, "bit 8 alone");
    assert_eq!(write(&key_record(0x30, &WORKING[..15])), 0x6A80);
    assert_eq!(write(&key_record(0x30, &[0x11; 24])), 0x6A80, "triple length");
    assert_eq!(write(&[0x30, 0xF0, 0xAA, 0x00]), 0x6A80);
    assert_eq!(write(&key_record(0x3A, &[0x12])), 0x6A80, "a PIN of one byte");
    assert_eq!(write(&key_record(0x3A, &[0x12, 0xFF])), 0x6A80, "a PIN of one byte and filling");
    assert_eq!(write(&key_record(0x3A, &[0x12; 8])), 0x6A80, "VERIFY takes six bytes");
    assert_eq!(write(&key_record(0x3A, &[0x12; 9])), 0x6A80);
    assert_eq!(write(&key_record(0x30, &WORKING)), 0x9000);
    assert_eq!(write(&key_record(0x30, &WORKING)), 0x6A80, "there is one of that name");
    assert_eq!(write(&key_record(0x31, &WORKING)), 0x9000, "another type is another name");
}

#[test]
fn a_replacement_is_of_the_same_kind_and_length() {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), &APP_MASTER).ok();
    let mut replace = |record: &[u8]| desk.write_key(0x30, 0x01, record, &APP_MASTER).status;
    assert_eq!(replace(&key_record(0x31, &WORKING)), 0x6A80);
    assert_eq!(replace(&key_record(0x30, &WORKING[..8])), 0x6A80);
    assert_eq!(replace(&key_record(0x30, b"another work key")), 0x9000);
    desk.write_key(0x30, 0x02, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6A88);
}

#[test]
fn a_pin_is_not_replaced_by_write_key() {
    let mut desk = Desk::user().with_application();
    let record = [&[0x3A, 0xF0, 0xEF, 0x01, 0x33][..], &[0x12, 0x34]].concat();
    desk.write_key(0x01, 0x00, &record, &APP_MASTER).ok();
    desk.write_key(0x3A, 0x00, &record, &APP_MASTER).refused(0x6982);
}

#[test]
fn a_key_file_of_its_size_is_full() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    // Three keys, two of 16 bytes and one of 8, and 8 more each.
    desk.ok("80E0000007 3F 0040 95 F0 FFFF");
    desk.write_key(0x01, 0x00, &key_record(0xF9, &APP_MASTER), &CARD_MASTER).ok();
    desk.write_key(0x01, 0x01, &key_record(0x30, &WORKING), &APP_MASTER).ok();
    desk.write_key(0x01, 0x02, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6A84);
    // A key that is replaced gives its room back.
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0x30, 0x01, &key_record(0x30, b"another work key"), &APP_MASTER).ok();
    desk.write_key(0x01, 0x02, &key_record(0x30, &WORKING[..8]), &APP_MASTER).ok();
    desk.write_key(0x30, 0x01, &key_record(0x30, &WORKING), &APP_MASTER).ok();
    desk.write_key(0x01, 0x03, &hex("3AF0EF0133 1234"), &APP_MASTER).refused(0x6A84);
}

#[test]
fn every_kind_of_key_is_loaded_and_has_a_name_of_its_own() {
    let mut desk = Desk::user().with_application();
    for key_type in [0x30, 0x31, 0x32, 0x34, 0x36, 0x37, 0x38, 0x39, 0x3C, 0x3D, 0x3E, 0x3F] {
        let record = key_record(0xC0 | key_type, &WORKING[..8]);
        desk.write_key(0x01, 0x01, &record, &APP_MASTER).ok();
        desk.write_key(0x01, 0x01, &record, &APP_MASTER).refused(0x6A80);
        desk.write_key(key_type, 0x01, &record, &APP_MASTER).ok();
    }
}

#[test]
fn there_is_no_key_ff_and_no_other_p1() {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0xFF, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6A86);
    desk.write_key(0x00, 0x00, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6A86);
    desk.write_key(0x33, 0x00, &key_record(0x30, &WORKING), &APP_MASTER).refused(0x6A86);
}

#[test]
fn keys_need_a_key_file() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.write_key(0x01, 0x00, &key_record(0xF9, &APP_MASTER), &CARD_MASTER).refused(0x6A82);
}

#[test]
fn a_load_is_bound_to_its_challenge() {
    let mut desk = Desk::user().with_application();
    let plain = write_key_command(0x01, 0x01, &key_record(0x30, &WORKING));
    // A command in between.
    let command = desk.protected(&plain, Protection::CipherAndMac, &APP_MASTER);
    desk.refused(0x6A82, "00A40000020001");
    desk.send_bytes(&command).refused(0x6985);
    // Bytes that are no command.
    let command = desk.protected(&plain, Protection::CipherAndMac, &APP_MASTER);
    desk.refused(0x6700, "00");
    desk.send_bytes(&command).refused(0x6985);
    // A second challenge.
    let command = desk.protected(&plain, Protection::CipherAndMac, &APP_MASTER);
    desk.challenge(4);
    desk.send_bytes(&command).refused(0x6988);
    // A replay, without and with a challenge.
    let command = desk.protected(&plain, Protection::CipherAndMac, &APP_MASTER);
    desk.send_bytes(&command).ok();
    desk.send_bytes(&command).refused(0x6985);
    desk.challenge(4);
    desk.send_bytes(&command).refused(0x6988);
}

#[test]
fn wrong_macs_lock_the_master_and_it_stays_locked() {
    let mut desk = Desk::user().with_application();
    let record = key_record(0x30, &WORKING);
    for _ in 0..3 {
        desk.write_key(0x01, 0x01, &record, b"not the master..").refused(0x6988);
    }
    desk.write_key(0x01, 0x01, &record, &APP_MASTER).refused(0x6983);
    desk.card.reset();
    desk.ok("00A40000023F01");
    desk.try_authenticate(0x00, &APP_MASTER).refused(0x6983);
}

#[test]
fn a_success_restores_the_tries() {
    let mut desk = Desk::user().with_application();
    for id in 1..=5 {
        let record = key_record(0x30, &WORKING);
        desk.write_key(0x01, id, &record, b"not the master..").refused(0x6988);
        desk.write_key(0x01, id, &record, b"not the master..").refused(0x6988);
        desk.write_key(0x01, id, &record, &APP_MASTER).ok();
    }
}

#[test]
fn ciphertext_that_was_never_enciphered_is_refused_after_its_mac() {
    let mut desk = Desk::user().with_application();
    // MAC only, where cipher and MAC are demanded.
    let plain = write_key_command(0x01, 0x01, &key_record(0x30, &WORKING));
    desk.send_protected(&plain, Protection::Mac, &APP_MASTER).refused(0x6A80);
    // Whole blocks, but the first decrypts to no length.
    desk.send_protected(&format!("80D4010110{}", hex_of(&WORKING)), Protection::Mac, &APP_MASTER)
        .refused(0x6A80);
    // A MAC and nothing else.
    desk.send_protected("80D40101", Protection::Mac, &APP_MASTER).refused(0x6A80);
    desk.refused(0x6700, "84D4010103 AABBCC");
}
