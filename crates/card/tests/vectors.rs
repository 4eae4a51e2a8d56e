//! Published commands replayed against the card, with the challenges they were made for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::{AuthenticationForm, CardProfile, CardSystem, FactorOrder};
use common::sm4::sm4_card;
use common::wallet::{mac, process_key, wallet_key, wallet_with};
use common::{CARD_MASTER, Desk, hex, hex_of, key_record, protected, rows, write_key_command};
use tdea::Padding;
use tdea::hazmat::{DesKey, DesMac};

const FF8: [u8; 8] = [0xFF; 8];
const FF16: [u8; 16] = [0xFF; 16];

/// A row of `pboc_apdu.csv`.
struct Row {
    id: String,
    key: Vec<u8>,
    input: String,
    result: Vec<u8>,
    apdu: String,
    published: bool,
}

impl Row {
    fn new(columns: &[String]) -> Self {
        Self {
            id: columns[0].clone(),
            key: hex(&columns[2]),
            input: columns[4].clone(),
            result: base16ct::mixed::decode_vec(&columns[5]).unwrap_or_default(),
            apdu: columns[6].clone(),
            published: columns[7] == "published",
        }
    }

    /// Data before ` IV `.
    fn data(&self) -> Vec<u8> {
        hex(self.input.split_once(" IV ").map_or(&*self.input, |(data, _)| data))
    }

    /// Challenge after ` IV `.
    fn challenge(&self) -> &str {
        self.input.split_once(" IV ").unwrap().1
    }
}

/// A card whose master file has this master.
fn card_under(master: &[u8]) -> Desk {
    let mut desk = Desk::new(CardProfile::user(common::SERIAL), master);
    desk.authenticate(0x00, master);
    desk.write_key(0xF9, 0x00, &key_record(0xF9, master), master).ok();
    desk.authenticate(0x00, master);
    desk
}

/// Enters a fresh application with a key file to which keys are added always.
fn enter_application(desk: &mut Desk) {
    desk.ok("80E03F0111 38 0600 F0 AA 95 FFFF A00000000386980701");
    desk.ok("00A40000023F01");
    desk.ok("80E0000007 3F 0180 95 F0 FFFF");
}

/// A card with an application under the master `FF` times 8, selected.
fn ff_application() -> Desk {
    let mut desk = card_under(&FF16);
    enter_application(&mut desk);
    desk.write_key(0x01, 0x00, &hex("F9F0AAAAFF FFFFFFFFFFFFFFFF"), &FF16).ok();
    desk
}

/// A card with an application whose line protection key 00 is `line`, with file 0015 under it. The master file has
/// file 0005 and a line protection key of its own, `FF` times 16.
fn protected_files(line: &[u8]) -> Desk {
    let mut desk = Desk::user().mastered();
    desk.write_key(0x01, 0x00, &key_record(0x36, &FF16), &CARD_MASTER).ok();
    desk.ok("80E0000507 A8 0030 F0 F0 FF FF");
    enter_application(&mut desk);
    desk.write_key(0x01, 0x00, &key_record(0xF9, &common::APP_MASTER), &CARD_MASTER).ok();
    desk.write_key(0x01, 0x00, &key_record(0x36, line), &common::APP_MASTER).ok();
    desk.ok("80E0001507 A8 001E F0 F0 FF FF");
    desk
}

/// Sends `command` over the challenge it was made for: with each of its last 32 bits changed, which must be refused as
/// `wrong`, then as it is, each time to a card that `prepare` gives. Returns the card that took it.
fn replay(prepare: impl Fn() -> Desk, challenge: &str, command: &str, wrong: u16) -> Desk {
    let send = |command: &[u8]| {
        let mut desk = prepare();
        desk.lay_ready(challenge);
        let drawn = u8::try_from(hex(challenge).len()).unwrap();
        assert_eq!(desk.challenge(drawn), hex(challenge));
        let answer = desk.send_bytes(command);
        (desk, answer)
    };
    let command = hex(command);
    for bit in 0..32 {
        let mut changed = command.clone();
        let last = changed.len() - 1 - bit / 8;
        changed[last] ^= 1 << (bit % 8);
        send(&changed).1.refused(wrong);
    }
    let (desk, answer) = send(&command);
    assert_eq!(answer.status, 0x9000, "{command:02X?}");
    desk
}

/// Loads a key for INTERNAL AUTHENTICATE and sends the row's command.
fn check_internal(row: &Row, key_type: u8, id: u8) {
    let mut desk = Desk::user().with_application();
    desk.write_key(0x01, id, &key_record(key_type, &row.key), &common::APP_MASTER).ok();
    assert_eq!(desk.ok(&row.apdu), row.result, "{}", row.id);
}

/// The key that rows 08 to 11 load, as it proves itself.
fn check_loaded(desk: &mut Desk, id: u8) {
    desk.authenticate(id, &hex("1122334455667788"));
}

/// The ciphertext of row 11, with a MAC of our own: the row has none.
fn check_cipher_of_plain_record(row: &Row) {
    let mut desk = ff_application();
    let drawn = desk.challenge(8);
    let mut command = [hex("84D4010314"), row.result.clone()].concat();
    let message = command.iter().copied();
    // The chaining value XORed onto the first block is a MAC from zero over the message so changed.
    let message: Vec<u8> = message.enumerate().map(|(i, byte)| byte ^ drawn.get(i).unwrap_or(&0)).collect();
    let key = DesKey::try_from(row.key.as_slice()).unwrap();
    let mac = DesMac::compute(&key, Padding::OneAndZeros, &message).unwrap();
    command.extend(mac.truncated::<4>());
    desk.send_bytes(&command).ok();
    check_loaded(&mut desk, 0x03);
}

/// Rows 16 and 17 are one exchange: a protected read and the MAC of its answer.
fn check_protected_read(reply: &Row, command: &Row) {
    let mut desk = protected_files(&FF16);
    desk.ok("80E0000607 A8 0010 F0 F0 FF 7F");
    let update = format!("00D68600 10 {}", hex_of(&reply.data()));
    desk.send_protected(&update, Protection::Mac, &FF16).ok();
    desk.lay_ready(command.challenge());
    desk.challenge(4);
    let answer = desk.ok(&format!("04B0000004{}10", hex_of(&command.result)));
    assert_eq!(answer, [reply.data(), reply.result.clone()].concat());
}

/// Rows 01 and 02 are one command: a purchase parent key for a SAM.
fn check_sam_key(cipher: &Row, mac: &Row) {
    assert_eq!(cipher.apdu, format!("{}{}", hex_of(&mac.data()), hex_of(&mac.result)));
    let prepare = || {
        let mut desk = Desk::sam().mastered();
        enter_application(&mut desk);
        let master = [&hex("000000")[..], &cipher.key].concat();
        desk.send_protected(&sam_key_command(&master), Protection::CipherAndMac, &CARD_MASTER).ok();
        desk
    };
    let mut desk = replay(prepare, mac.challenge(), &cipher.apdu, 0x6988);
    // It is there, under its usage and version, and takes one factor.
    desk.ok("801A2200 08 1122334455667788");
    desk.refused(0x6A88, "801A2201 08 1122334455667788");
}

fn sam_key_command(record: &[u8]) -> String {
    format!("80D40000{:02X}{}", record.len(), hex_of(record))
}

const WALLET_KEY: &str = "00112233445566778899AABBCCDDEEFF";

/// A wallet whose load key 01, purchase key 00 and TAC key are these; the PIN is shown, the purse selected.
fn wallet_under(load: (&[u8], u8, u8), purchase: &[u8], tac: &[u8]) -> Desk {
    let (load, version, algorithm) = load;
    let keys = [
        (0x01, wallet_key(0x3F, version, algorithm, load)),
        (0x00, wallet_key(0x3F, version, algorithm, load)),
        (0x00, wallet_key(0x3E, 0x00, 0x00, purchase)),
        (0x00, wallet_key(0x34, 0x00, 0x00, tac)),
    ];
    let mut desk = wallet_with(CardSystem::FMCOS_2, &keys);
    desk.verify_pin();
    desk.ok("00A40000020002");
    desk
}

/// Transcript one: 2000 loaded, then 1 spent, under keys that are all the same.
fn published_wallet() -> Desk {
    let key = hex(WALLET_KEY);
    let mut desk = wallet_under((&key, 0x01, 0x00), &key, &key);
    desk.lay_ready("C903814D");
    let init = desk.ok("805000020B 01 00002000 001122334455 10");
    assert_eq!(hex_of(&init), "0000000000000100C903814D03976C22");
    assert_eq!(desk.ok("805200000B 20161216 105800 8AFA5718"), hex("FA00066D"));
    desk.lay_ready("584633C9");
    let init = desk.ok("805001020B 00 00000001 001122334455");
    assert_eq!(hex_of(&init), "0000200000000000000000584633C9");
    let answer = desk.ok("805401000F 00000000 20161216 134600 D45737C5 08");
    assert_eq!(hex_of(&answer), "8AF270DC66B54A6B");
    assert_eq!(desk.balance(0x02), 0x1FFF);
    desk
}

/// Another load under the same key.
fn check_other_load(random: &str, mac1: &str) {
    let key = hex(WALLET_KEY);
    let mut desk = wallet_under((&key, 0x01, 0x00), &key, &key);
    desk.lay_ready(random);
    let init = desk.ok("805000020B 01 00002000 001122334455 10");
    assert_eq!(hex_of(&init[12..]), mac1);
}

/// The source's card had this key under algorithm 02 and answered a MAC1 that is none; this one refuses such a key.
fn check_load_under_a_reserved_algorithm(row: &Row) {
    let key = hex(WALLET_KEY);
    // The row names no challenge: it is what the process key deciphers to.
    let random = "3948BC11";
    assert_eq!(process_key(&key, &hex(random), &[0, 0], &[0x80, 0]), row.key);
    check_other_load(random, &hex_of(&row.result));
    let mut desk = wallet_under((&key, 0x00, 0x02), &key, &key);
    desk.refused(0x6985, "805000020B 01 00002000 001122334455 10");
}

/// A load whose online sequence is already 0017.
fn check_late_load() {
    let key = hex("3F013F013F013F013F013F013F013F01");
    let mut desk = wallet_under((&key, 0x00, 0x01), &key, &key);
    let init = "805000020B 01 00000001 112233445566 10";
    for _ in 0..0x17 {
        let answer = desk.ok(init);
        let process = process_key(&key, &answer[8..12], &answer[4..6], &[0x80, 0x00]);
        let mac2 = mac(&process, "00000001 02 112233445566 20170310110733");
        desk.ok(&format!("805200000B 20170310110733 {mac2}"));
    }
    desk.lay_ready("06B825D7");
    desk.ok(init);
    desk.ok("805200000B 20170310110734 9C8A0625");
}

/// The load whose key has unequal halves.
fn check_unequal_halves() {
    let load = hex("3F3F3F3F3F3F3F3F1122334455667788");
    let mut desk = wallet_under((&load, 0x00, 0x01), &load, &hex("34343434343434341122334455667788"));
    desk.lay_ready("4E066548");
    let init = desk.ok("805000020B 00 00000010 666666666666 10");
    assert_eq!(hex_of(&init), "00000000000000014E0665480D39ADBB");
    assert_eq!(desk.ok("805200000B 20240411 212121 097E98FE 04"), hex("A802863E"));
}

/// PIN 00 is 1234 and has no tries left.
fn locked_pin(key_type: u8, key: &[u8]) -> Desk {
    let mut desk = wallet_with(CardSystem::FMCOS_2, &[(0x00, wallet_key(key_type, 0xFF, 0x33, key))]);
    for status in [0x63C2, 0x63C1, 0x63C0, 0x6983] {
        desk.refused(status, "0020000002 4321");
    }
    desk.refused(0x6983, "0020000002 1234");
    desk
}

/// The row's input has the card's factor before the area's.
fn check_sam_purchase(row: &Row) {
    for (order, factors) in [
        (FactorOrder::RootFirst, "3180000000000000 0000199808150001"),
        (FactorOrder::CardFirst, "0000199808150001 3180000000000000"),
    ] {
        let profile = CardProfile::sam(common::SERIAL).with_system(CardSystem::FMCOS_2.with_factors(order));
        let mut desk = Desk::new(profile, &common::TRANSPORT).mastered();
        enter_application(&mut desk);
        desk.send_protected(
            &sam_key_command(&hex(&format!("000000{WALLET_KEY}"))),
            Protection::CipherAndMac,
            &CARD_MASTER,
        )
        .ok();
        let key = hex(WALLET_KEY);
        let record = [&hex("420100")[..], &row.key].concat();
        desk.send_protected(&sam_key_command(&record), Protection::CipherAndMac, &key).ok();
        desk.ok("80E0001607 28 0006 F0 F0 FF FF");
        desk.ok("80E0001907 28 0004 F0 F0 FF FF");
        desk.ok("00D6960006 000000000001");
        desk.ok("00D6990004 00000123");
        let start = row.apdu.split_once('<').unwrap().0;
        let answer = desk.ok(&format!("{start}{factors} 08"));
        assert_eq!(hex_of(&answer), format!("00000123{}", hex_of(&row.result)), "{order:?}");
        assert_eq!(desk.ok("00B0990004"), hex("00000124"));
    }
}

/// The transport key of a card of that form is the row's.
fn check_authentication(form: AuthenticationForm, key: &[u8], challenge: &str, command: &str) {
    let system = CardSystem::FMCOS_2.with_authentication(form);
    let send = |system: CardSystem, command: &[u8]| {
        let mut desk = Desk::new(CardProfile::user(common::SERIAL).with_system(system), key);
        desk.lay_ready(challenge);
        desk.send(&format!("00840000{:02X}", hex(challenge).len()));
        desk.send_bytes(command).status
    };
    let command = hex(command);
    assert_eq!(send(system, &command), 0x9000);
    for bit in 0..8 * (command.len() - 5) {
        let mut wrong = command.clone();
        wrong[5 + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(send(system, &wrong), 0x63C2);
    }
    assert!([0x6700, 0x6985].contains(&send(CardSystem::FMCOS_2, &command)));
}

fn check_sm4_loading(row: &Row) {
    let prepare = || {
        let mut desk = sm4_card(&row.key);
        desk.authenticate_sm4(0x00, &row.key);
        desk
    };
    let mut desk = replay(prepare, row.challenge(), &row.apdu, 0x6988);
    // It is there: adding another is allowed, and replacing this one needs a level that nobody has.
    let mut record = row.data()[1..25].to_vec();
    desk.write_with_header(&record, &row.key).refused(0x6982);
    record[0] += 1;
    desk.write_with_header(&record, &row.key).ok();
}

fn check_sm4_authentication(row: &Row) {
    let send = |command: &[u8]| {
        let mut desk = sm4_card(&row.key);
        desk.lay_ready(&row.input);
        assert_eq!(desk.challenge(16), hex(&row.input));
        desk.send_bytes(command).status
    };
    let command = hex(&row.apdu);
    assert_eq!(send(&command), 0x9000);
    for bit in 0..8 * row.result.len() {
        let mut wrong = command.clone();
        wrong[5 + bit / 8] ^= 1 << (bit % 8);
        assert_eq!(send(&wrong), 0x63C2);
    }
}

/// Checks a row; `false` if its step is not in this crate.
fn check(row: &Row, all: &[Row]) -> bool {
    let other = |id: &str| all.iter().find(|row| row.id == id).unwrap();
    let line_key = || protected_files(&row.key);
    match row.id.as_str() {
        "APDU-01" => check_sam_key(row, other("APDU-02")),
        "APDU-02" => check_sam_key(other("APDU-01"), row),
        "APDU-03" => {
            let prepare = || {
                let mut desk = Desk::user().with_application();
                desk.write_key(0x01, 0x01, &key_record(0x39, &row.key), &common::APP_MASTER).ok();
                desk
            };
            replay(prepare, row.input.strip_suffix("00000000").unwrap(), &row.apdu, 0x63C2);
        }
        "APDU-04" => {
            replay(|| Desk::new(CardProfile::user(common::SERIAL), &row.key), &row.input, &row.apdu, 0x63C2);
        }
        "APDU-05" => check_internal(row, 0x30, 0x01),
        "APDU-06" => check_internal(row, 0x31, 0x02),
        "APDU-07" => check_internal(row, 0x32, 0x03),
        "APDU-08" | "APDU-09" => {
            let command = other("APDU-09");
            assert!(command.apdu.contains(&hex_of(&other("APDU-08").result)));
            let mut desk = replay(ff_application, command.challenge(), &command.apdu, 0x6988);
            check_loaded(&mut desk, 0x02);
        }
        "APDU-10" => {
            let prepare = || {
                let mut desk = ff_application();
                desk.write_key(0x01, 0x01, &hex("39F0F0AAFF 8877665544332211"), &FF8).ok();
                desk
            };
            let mut desk = replay(prepare, row.challenge(), &row.apdu, 0x6988);
            check_loaded(&mut desk, 0x01);
            // A protected key is not written in the clear any more, nor made an unprotected one.
            desk.refused(0x6987, "80D4F9010D F9F0F0AAFF1122334455667788");
            desk.write_key(0xF9, 0x01, &hex("39F0F0AAFF1122334455667788"), &FF8).refused(0x6A80);
        }
        "APDU-11" => check_cipher_of_plain_record(row),
        "APDU-13" => {
            let prepare = || {
                let mut desk = line_key();
                desk.ok("00A40000023F00");
                desk
            };
            let mut desk = replay(prepare, row.challenge(), &row.apdu, 0x6988);
            assert_eq!(desk.ok("00B0850030"), row.data()[5..]);
        }
        "APDU-14" => {
            let mut desk = replay(line_key, row.challenge(), &row.apdu, 0x6988);
            assert_eq!(desk.ok("00B095001E"), row.data()[5..]);
        }
        "APDU-16" => check_protected_read(row, other("APDU-17")),
        "APDU-17" => check_protected_read(other("APDU-16"), row),
        "APDU-19" => check_load_under_a_reserved_algorithm(row),
        "APDU-20" | "APDU-21" => check_other_load("E0B84748", "EA411F90"),
        "APDU-22" | "APDU-24" | "APDU-25" | "APDU-26" | "APDU-27" | "APDU-28" => {
            let seen: String = published_wallet().seen.iter().map(|answer| hex_of(answer)).collect();
            // The process keys are in no answer; what they made is.
            let is_key = matches!(row.id.as_str(), "APDU-22" | "APDU-26");
            let is_sent = matches!(row.id.as_str(), "APDU-24" | "APDU-27");
            assert_eq!(seen.contains(&hex_of(&row.result)), !is_key && !is_sent, "{}", row.id);
        }
        "APDU-30" | "APDU-32" => check_late_load(),
        "APDU-34" | "APDU-35" | "APDU-36" | "APDU-37" => check_unequal_halves(),
        "APDU-39" => {
            let mut desk = locked_pin(0x38, &row.key);
            desk.refused(0x9302, &row.apdu.replace("7A6D4654", "7A6D4655"));
            desk.ok(&row.apdu);
            desk.ok("0020000003 123456");
        }
        "APDU-43" => {
            let prepare = || locked_pin(0x37, &row.key);
            let mut desk = replay(prepare, row.challenge(), &row.apdu, 0x6988);
            desk.ok("0020000003 123456");
        }
        "APDU-45" => check_sam_purchase(row),
        "APDU-46" => check_sm4_loading(row),
        "APDU-47" => check_sm4_authentication(row),
        "APDU-48" => check_authentication(AuthenticationForm::Folded, &row.key, &row.input, &row.apdu),
        "APDU-49" => check_authentication(
            AuthenticationForm::TwoStep,
            &row.key,
            "A1A2A3A4A5A6A7A8",
            &row.apdu.replace("<kid>", "00"),
        ),
        "APDU-40" => {
            let mut desk = replay(line_key, row.challenge(), &row.apdu, 0x6988);
            desk.refused(0x6A81, "00A40000023F00");
        }
        "APDU-41" => {
            let mut desk = replay(line_key, row.challenge(), &row.apdu, 0x6988);
            desk.refused(0x6985, "00B095001E");
        }
        "APDU-42" => {
            let prepare = || {
                let mut desk = line_key();
                desk.send_protected("801E0000", Protection::Mac, &row.key).ok();
                desk
            };
            let mut desk = replay(prepare, row.challenge(), &row.apdu, 0x6988);
            desk.ok("00B095001E");
        }
        "APDU-44" => {
            let prepare = || {
                let mut desk = card_under(&FF16);
                enter_application(&mut desk);
                desk
            };
            // The row does not name its challenge; it is the one of the other computed rows.
            let mut desk = replay(prepare, "A3BBCFC8", &row.apdu, 0x6988);
            desk.authenticate(0x00, &hex("00112233445566778899AABBCCDDEEFF"));
        }
        _ => return false,
    }
    true
}

#[test]
fn published_commands_are_carried_out_and_changed_ones_are_not() {
    let all: Vec<Row> = rows(include_str!("data/pboc_apdu.csv")).iter().map(|row| Row::new(row)).collect();
    let (met, left): (Vec<_>, Vec<_>) = all.iter().partition(|row| check(row, &all));
    let published = met.iter().filter(|row| row.published).count();
    println!("{} of {} rows met, {published} of them published", met.len(), all.len());
    assert_eq!((all.len(), met.len(), published), (41, 41, 30));
    assert!(left.is_empty());
}

#[test]
fn the_host_of_apdu_makes_the_published_bytes() {
    // The other road to row 09: were the host wrong, all tests made with it would be.
    let record = hex("F9F0F0AAFF1122334455667788");
    let command = hex(&write_key_command(0x01, 0x02, &record));
    let bytes = protected(&command, Protection::CipherAndMac, &FF8, &hex("4C45BAB9"));
    assert_eq!(bytes, hex("84D40102147C87BC23140021B3AFEA67E6359DDCFED7C943F6"));
}
