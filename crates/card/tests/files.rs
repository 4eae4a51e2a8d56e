//! Directories, files, line protection.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use common::{APP_MASTER, Desk, card_key, hex, hex_of, key_record};

const LINE: [u8; 16] = *b"line protection.";

/// An application with line protection keys 00 and 01.
fn with_line_keys() -> Desk {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, 0x00, &key_record(0x36, &LINE), &APP_MASTER).ok();
    desk.write_key(0x01, 0x01, &key_record(0x36, b"line prot. no. 1"), &APP_MASTER).ok();
    desk
}

#[test]
fn select_shows_the_master_file_as_real_cards_do() {
    let mut desk = Desk::user();
    let shown = hex("6F15840E315041592E5359532E4444463031A503880101");
    assert_eq!(desk.ok("00A40000023F0000"), shown);
    assert_eq!(desk.ok("00A404000E315041592E5359532E444446303100"), shown);
}

#[test]
fn select_shows_the_public_file_of_an_application() {
    let mut desk = Desk::user().with_application();
    let name = hex("A00000000386980701");
    let empty = [hex("6F0D8409"), name.clone(), hex("A500")].concat();
    assert_eq!(desk.ok("00A40400 09 A00000000386980701"), empty);
    desk.ok("80E0001507 28 001E F0 F0 FF FF");
    desk.ok(&format!("00D695001E{}", "5C".repeat(30)));
    let shown = [hex("6F2E8409"), name, hex("A5219F0C1E"), vec![0x5C; 30]].concat();
    assert_eq!(desk.ok("00A40000023F01"), shown);
}

#[test]
fn select_never_answers_more_than_le_asks_for() {
    let mut desk = Desk::user();
    let shown = desk.ok("00A40000023F00");
    let len = u8::try_from(shown.len()).unwrap();
    for too_few in [1, len - 1] {
        desk.refused(0x6C00 | u16::from(len), &format!("00A40000023F00 {too_few:02X}"));
    }
    for enough in [len, len + 1, 0xFF, 0x00] {
        assert_eq!(desk.ok(&format!("00A40000023F00 {enough:02X}")), shown);
    }
}

#[test]
fn select_shows_nothing_that_read_binary_would_not() {
    // Never to be read, to be read by the master alone, to be read under line protection alone.
    for rules in ["28 001E EF F0 FF FF", "28 001E AA F0 FF FF", "A8 001E F0 F0 FF 7F"] {
        let mut desk = Desk::user().with_application();
        desk.ok(&format!("80E0001507 {rules}"));
        desk.card.reset();
        let answer = desk.ok("00A40400 09 A00000000386980701");
        assert_eq!(answer, [hex("6F0D8409A00000000386980701"), hex("A500")].concat(), "{rules}");
    }
}

#[test]
fn select_finds_what_is_near() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 28 0008 F0 F0 FF FF");
    desk.ok("80E03F110D 38 0040 F0 F0 95 FFFF 1111111111");
    desk.ok("80E03F120D 38 0040 F0 F0 95 FFFF 1212121212");
    desk.ok("00A40000020001");
    desk.ok("00A40000023F11");
    desk.refused(0x6A82, "00A40000020001");
    desk.ok("00A40000023F12");
    desk.ok("00A40000023F12");
    desk.refused(0x6A82, "00A40000023F01");
    desk.ok("00A40400051111111111");
    desk.refused(0x6A82, "00A404000411111111");
    desk.refused(0x6A82, "00A40400");
    desk.refused(0x6700, "00A40000013F");
    desk.refused(0x6A86, "00A40100023F00");
    desk.refused(0x6A86, "00A40004023F00");
    desk.refused(0x6882, "04A40000023F00");
}

#[test]
fn a_key_file_is_the_first_of_its_directory_and_the_only_one() {
    let mut desk = Desk::user().with_application();
    desk.refused(0x6A80, "80E0000207 3F 0030 95 F0 FFFF");
    desk.ok("00A40000023F00");
    desk.authenticate(0x00, &common::CARD_MASTER);
    desk.ok("80E03F020D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    desk.ok("80E0000107 28 0008 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000007 3F 0030 95 F0 FFFF");
    desk.ok("800E000000");
    desk.ok("80E0000007 3F 0030 95 F0 FFFF");
}

#[test]
fn a_key_file_can_not_be_selected_nor_read() {
    let mut desk = Desk::user().with_application();
    desk.refused(0x6A82, "00A40000020000");
    desk.refused(0x6986, "00B0000000");
    desk.refused(0x6986, "00B0800000");
    desk.refused(0x6986, "00B2010400");
}

#[test]
fn a_directory_without_key_file_is_open_until_it_is_left() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F020D 38 0200 EF EF 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    desk.ok("80E0000107 28 0008 EF EF FF FF");
    desk.ok("00D6810002 AABB");
    desk.ok("00B0810000");
    desk.ok("00A40000023F02");
    desk.refused(0x6982, "80E0000207 28 0008 EF EF FF FF");
    desk.refused(0x6982, "00B0810000");
    desk.refused(0x6982, "00D6810002 AABB");
    desk.refused(0x6982, "800E000000");
}

#[test]
fn a_key_file_closes_its_directory() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F020D 38 0200 EF EF 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    desk.ok("80E0000007 3F 0030 95 F0 FFFF");
    desk.refused(0x6982, "80E0000107 28 0008 EF EF FF FF");
}

#[test]
fn a_reset_closes_every_directory() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F020D 38 0200 EF EF 95 FFFF 1122334455");
    desk.card.reset();
    desk.ok("00A40000023F02");
    desk.refused(0x6982, "80E0000107 28 0008 EF EF FF FF");
}

#[test]
fn erasing_a_directory_empties_and_opens_it() {
    let mut desk = with_line_keys();
    desk.ok("80E0000107 28 0008 F0 F0 FF FF");
    desk.ok("00A40000020001");
    desk.refused(0x6A86, "800E010000");
    desk.refused(0x6700, "800E000001AA");
    desk.ok("00A40000023F01");
    desk.refused(0x6982, "800E000000");
    desk.authenticate(0x00, &APP_MASTER);
    desk.ok("800E000000");
    desk.refused(0x6A82, "00A40000020001");
    desk.refused(0x6986, "00B0000000");
    desk.try_authenticate(0x00, &APP_MASTER).refused(0x6A88);
    // All its room is back.
    desk.ok("80E0000007 3F 0500 95 F0 FFFF");
}

#[test]
fn the_master_file_is_never_erased() {
    let mut desk = Desk::user().mastered();
    desk.refused(0x6982, "800E000000");
}

#[test]
fn create_file_refuses_by_reason() {
    let mut desk = Desk::user().mastered();
    desk.refused(0x6A86, "80E03F000D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.refused(0x6A80, "80E03F0108 38 0200 F0 AA 95 FFFF");
    desk.refused(0x6A80, "80E03F0119 38 0200 F0 AA 95 FFFF 1122334455667788990011223344556677");
    desk.refused(0x6A80, "80E03F0116 38 0200 F0 AA 95 FFFF 315041592E5359532E4444463031");
    desk.refused(0x6A84, "80E03F010D 38 2000 F0 AA 95 FFFF 1122334455");
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.refused(0x6A86, "80E03F010D 38 0200 F0 AA 95 FFFF 5544332211");
    desk.refused(0x6A80, "80E03F020D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.refused(0x6A86, "80E0000007 28 0008 F0 F0 FF FF");
    desk.refused(0x6A80, "80E00001");
    desk.refused(0x6A80, "80E0000106 28 0008 F0 F0 FF");
    desk.refused(0x6A80, "80E0000107 68 0008 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 28 0000 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2A 00 10 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2A 10 F9 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2C 0000 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2E 00 10 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2E 10 00 F0 F0 FF FF");
    desk.refused(0x6A80, "80E0000107 2F 0207 F0 00 FF 18");
    desk.refused(0x6A80, "80E0000107 2F 0208 F0 00 FF 00");
    desk.refused(0x6A80, "80E0000107 2F 0208 F0 00 FF 1F");
    desk.refused(0x6A86, "80E0000307 2F 0208 F0 00 FF 18");
    desk.refused(0x6882, "84E0000107 28 0008 F0 F0 FF FF");
}

#[test]
fn directories_go_three_levels_deep() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F010D 38 0200 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F01");
    desk.ok("80E03F020D 38 0100 F0 AA 95 FFFF 1122334456");
    desk.ok("00A40000023F02");
    desk.refused(0x6A80, "80E03F030D 38 0010 F0 AA 95 FFFF 1122334457");
}

#[test]
fn a_directory_of_its_size_is_full() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F020D 38 0060 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    // A file costs 11 bytes and its body, a directory its name too; of 96 bytes 19, 28 and 49 are used.
    desk.ok("80E0000107 28 0008 F0 F0 FF FF");
    desk.ok("80E0000207 2A 01 10 F0 F0 FF FF");
    desk.refused(0x6A84, "80E0000307 28 0027 F0 F0 FF FF");
    let name = "11223344556677889900112233445566";
    desk.refused(0x6A84, &format!("80E03F0318 38 0017 F0 AA 95 FFFF {name}"));
    desk.ok(&format!("80E03F0318 38 0016 F0 AA 95 FFFF {name}"));
    desk.refused(0x6A84, "80E0000307 28 0001 F0 F0 FF FF");
}

#[test]
fn the_memory_of_the_card_is_all_there_is() {
    // 8192 bytes, of which the factory's key file takes 251 and this file 7930 and 11.
    let mut desk = Desk::user().mastered();
    desk.refused(0x6A84, "80E0000107 28 1EFB F0 F0 FF FF");
    desk.ok("80E0000107 28 1EFA F0 F0 FF FF");
    desk.refused(0x6A84, "80E0000207 28 0001 F0 F0 FF FF");
}

#[test]
fn a_key_file_takes_its_room_and_its_identifier() {
    let mut desk = Desk::user().mastered();
    desk.ok("80E03F020D 38 0040 F0 AA 95 FFFF 1122334455");
    desk.ok("00A40000023F02");
    desk.refused(0x6A84, "80E0000107 3F 0036 95 F0 FFFF");
    desk.ok("80E0000107 3F 0029 95 F0 FFFF");
    desk.refused(0x6A86, "80E0000107 28 0001 F0 F0 FF FF");
    // Of 64 bytes 52 are used.
    desk.refused(0x6A84, "80E0000207 28 0002 F0 F0 FF FF");
    desk.ok("80E0000207 28 0001 F0 F0 FF FF");
}

#[test]
fn bytes_are_read_and_written_by_offset() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 28 0120 F0 F0 FF FF");
    desk.ok("00D6810003 010203");
    desk.ok("00D0810102 AABB");
    assert_eq!(desk.ok("00B0810004"), hex("01AABB00"));
    assert_eq!(desk.ok("00B0000102"), hex("AABB"));
    assert_eq!(desk.ok("00B0810000").len(), 256);
    assert_eq!(desk.ok("00B0010000").len(), 0x20);
    desk.refused(0x6C20, "00B0010021");
    desk.refused(0x6B00, "00B0012001");
    desk.refused(0x6B00, "00D6012001 AA");
    desk.refused(0x6A84, "00D6011F02 AABB");
    desk.refused(0x6700, "00D68100");
    desk.refused(0x6700, "00B08100");
    desk.refused(0x6700, "00B081000101 01");
    desk.refused(0x6A82, "00B0820000");
    desk.refused(0x6A86, "00B0A10000");
    desk.refused(0x6882, "04D6810005 AA11223344");
    desk.refused(0x6882, "04B08100041122334400");
}

#[test]
fn fixed_records_are_added_and_updated_by_number() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 2A 02 03 F0 F0 FF FF");
    desk.refused(0x6A83, "00B2010C00");
    desk.ok("00E2000803 010101");
    desk.ok("00E2000C03 020202");
    desk.refused(0x6A84, "00E2000803 030303");
    desk.ok("00DC020C03 222222");
    assert_eq!(desk.ok("00B2010C00"), hex("010101"));
    assert_eq!(desk.ok("00B2020C03"), hex("222222"));
    desk.refused(0x6A84, "00DC030C03 030303");
    desk.refused(0x6A83, "00DC040C03 030303");
    desk.refused(0x6A83, "00DC000C03 030303");
    desk.refused(0x6700, "00DC010C02 0303");
    desk.refused(0x6A86, "00DC000B03 030303");
    desk.refused(0x6A86, "00B2010D00");
    desk.refused(0x6981, "00B0810000");
    desk.refused(0x6981, "00D6810001 AA");
}

#[test]
fn the_newest_cyclic_record_is_number_1() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0001807 2E 03 02 F0 F0 FF FF");
    for n in 1..=4 {
        desk.ok(&format!("00E200C002 {n:02X}{n:02X}"));
    }
    desk.ok("00DC00C302 0505");
    for (number, content) in [(1, "0505"), (2, "0404"), (3, "0303")] {
        assert_eq!(desk.ok(&format!("00B2{number:02X}C400")), hex(content));
    }
    desk.refused(0x6A83, "00B204C400");
    desk.refused(0x6A86, "00DC01C402 0505");
    desk.refused(0x6A86, "00DC01C302 0505");
}

#[test]
fn variable_records_are_tlv_and_found_by_tag() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 2C 000A F0 F0 FF FF");
    desk.ok("00DC010C04 F7020102");
    desk.ok("00E2000803 F80103");
    assert_eq!(desk.ok("00B2F80800"), hex("F80103"));
    desk.ok("00DCF80804 F8020405");
    assert_eq!(desk.ok("00B2020C00"), hex("F8020405"));
    desk.refused(0x6A84, "00E2000803 F90106");
    desk.refused(0x6A84, "00DC010C07 F7050102030405");
    desk.refused(0x6A83, "00B2F90800");
    desk.refused(0x6A80, "00DC010C04 F7010102");
    desk.refused(0x6A80, "00DC010C01 F7");
}

#[test]
fn record_commands_refuse_a_file_of_bytes() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 28 0008 F0 F0 FF FF");
    desk.refused(0x6981, "00B2010C00");
    desk.refused(0x6981, "00DC010C01 AA");
    desk.refused(0x6981, "00E2000801 AA");
}

#[test]
fn access_conditions_of_files_hold() {
    let mut desk = Desk::user().with_application();
    desk.ok("80E0000107 28 0008 F0 AA FF FF");
    desk.ok("80E0000207 2A 02 01 EF F0 FF FF");
    desk.ok("00D6810001 AA");
    desk.ok("00A40000023F01");
    desk.refused(0x6982, "00D6810001 AA");
    desk.ok("00B0810001");
    desk.ok("00E2001001 AA");
    desk.refused(0x6982, "00B2011400");
}

/// Writes and reads a protected file through the host's side, all that the card has to say about a wrong way.
fn check_protected_file(type_bits: u8, protection: Protection) {
    let mut desk = with_line_keys();
    desk.ok(&format!("80E0000107 {:02X} 0020 F0 F0 FF 7F", 0x28 | type_bits));
    let content = hex("00112233445566778899");
    let update = format!("00D681020A{}", hex_of(&content));
    desk.refused(0x6987, &update);
    desk.send_protected(&update, protection, b"line prot. no. 1").refused(0x6988);
    desk.send_protected(&update, protection, &LINE).ok();
    desk.refused(0x6987, "00B0810200");
    let command = apdu::CommandApdu::decode(&hex("00B081020A")).unwrap();
    let challenge = desk.challenge(8);
    let challenge = apdu::secure::pboc::Challenge::try_from(&challenge[..]).unwrap();
    let key = apdu::secure::pboc::LineKey::from_key(card_key(&LINE));
    let sent = apdu::secure::pboc::protect(&command, protection, &key, challenge).unwrap();
    let response = desk.card.process(sent.command.encode().expose_bytes()).to_vec();
    let is_in_the_clear = response.windows(content.len()).any(|window| window == content);
    assert_eq!(is_in_the_clear, protection == Protection::Mac);
    let opened = sent.reply.open(apdu::ResponseApdu::decode(&response).unwrap()).unwrap();
    assert_eq!(opened.data(), content);
}

#[test]
fn a_file_under_mac_is_written_and_read_under_mac() {
    check_protected_file(0x80, Protection::Mac);
}

#[test]
fn a_file_under_cipher_and_mac_is_written_and_read_so() {
    check_protected_file(0xC0, Protection::CipherAndMac);
}

#[test]
fn all_of_a_long_protected_file_comes_in_parts() {
    let mut desk = with_line_keys();
    desk.ok("80E0000107 E8 0120 F0 F0 FF 7F");
    // 239 bytes, their length, no padding: 240, and the MAC.
    assert_eq!(desk.send_protected("00B0810000", Protection::Mac, &LINE).ok().len(), 244);
    assert_eq!(desk.send_protected("00B0010000", Protection::Mac, &LINE).ok().len(), 40 + 4);
    desk.send_protected("00B00100FF", Protection::Mac, &LINE).refused(0x6C20);
}

#[test]
fn the_keys_of_a_file_are_named_by_their_complement() {
    let mut desk = with_line_keys();
    // Read with key 00, write with key 01; reading is free too.
    desk.ok("80E0000107 A8 0008 F0 F0 FF FE");
    desk.send_protected("00D6810001 AA", Protection::Mac, &LINE).refused(0x6988);
    desk.send_protected("00D6810001 AA", Protection::Mac, b"line prot. no. 1").ok();
    assert_eq!(desk.ok("00B0810001"), [0xAA]);
    desk.send_protected("00B0810001", Protection::Mac, &LINE).ok();
    // Keys 02 and 03 are not there.
    desk.ok("80E0000207 A8 0008 F0 F0 FF 74");
    desk.send_protected("00D6820001 AA", Protection::Mac, &LINE).refused(0x6A88);
    desk.send_protected("00B0820001", Protection::Mac, &LINE).refused(0x6A88);
}

#[test]
fn protected_records_are_written_and_read() {
    let mut desk = with_line_keys();
    desk.ok("80E0000107 EA 02 08 F0 F0 FF 7F");
    desk.refused(0x6987, "00E2000808 0102030405060708");
    desk.send_protected("00E2000808 0102030405060708", Protection::CipherAndMac, &LINE).ok();
    desk.send_protected("00DC010C08 1112131415161718", Protection::CipherAndMac, &LINE).ok();
    desk.refused(0x6987, "00B2010C08");
    let sealed = desk.send_protected("00B2010C08", Protection::Mac, &LINE).ok();
    assert_eq!(sealed.len(), 16 + 4);
}

#[test]
fn the_longest_protected_records_come_whole() {
    // As long as WRITE can bring them: 255 bytes less MAC, length and padding.
    for (file_type, protection, len, sealed) in
        [("AC", Protection::Mac, 251, 251), ("EC", Protection::CipherAndMac, 247, 248)]
    {
        let mut desk = with_line_keys();
        desk.ok(&format!("80E0000107 {file_type} 0100 F0 F0 FF 7F"));
        let record = [&[0x61, len - 2][..], &vec![0x5A; usize::from(len) - 2]].concat();
        let append = format!("00E20008{len:02X}{}", common::hex_of(&record));
        desk.send_protected(&append, protection, &LINE).ok();
        let answer = desk.send_protected("00B2010C00", Protection::Mac, &LINE).ok();
        assert_eq!(answer.len(), sealed + 4);
        if protection == Protection::Mac {
            assert_eq!(answer[..sealed], record);
        }
    }
}

#[test]
fn a_protected_write_is_bound_to_its_challenge() {
    let mut desk = with_line_keys();
    desk.ok("80E0000107 A8 0008 F0 F0 FF FF");
    let command = desk.protected("00D6810001 AA", Protection::Mac, &LINE);
    desk.ok("00B0810001");
    desk.send_bytes(&command).refused(0x6985);
    let command = desk.protected("00D6810001 AA", Protection::Mac, &LINE);
    desk.send_bytes(&command).ok();
    desk.challenge(4);
    desk.send_bytes(&command).refused(0x6988);
    desk.challenge(4);
    desk.refused(0x6700, "04D6810003 AABBCC");
    // A MAC over nothing is right, and nothing is not written.
    desk.send_protected("00D68100", Protection::Mac, &LINE).refused(0x6700);
}
