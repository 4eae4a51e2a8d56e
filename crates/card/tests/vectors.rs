//! Published commands replayed against the card, with the challenges they were made for.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::CardProfile;
use common::{CARD_MASTER, Desk, hex, key_record, protected, rows, write_key_command};
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
    let update = format!("00D68600 10 {}", common::hex_of(&reply.data()));
    desk.send_protected(&update, Protection::Mac, &FF16).ok();
    desk.lay_ready(command.challenge());
    desk.challenge(4);
    let answer = desk.ok(&format!("04B0000004{}10", common::hex_of(&command.result)));
    assert_eq!(answer, [reply.data(), reply.result.clone()].concat());
}

/// Rows 01 and 02 are one command: a purchase parent key for a SAM.
fn check_sam_key(cipher: &Row, mac: &Row) {
    assert_eq!(cipher.apdu, format!("{}{}", common::hex_of(&mac.data()), common::hex_of(&mac.result)));
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
    format!("80D40000{:02X}{}", record.len(), common::hex_of(record))
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
            assert!(command.apdu.contains(&common::hex_of(&other("APDU-08").result)));
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
    assert_eq!((all.len(), met.len(), published), (41, 19, 15));
    println!("not here: {:?}", left.iter().map(|row| &row.id).collect::<Vec<_>>());
}

#[test]
fn the_host_of_apdu_makes_the_published_bytes() {
    // The other road to row 09: were the host wrong, all tests made with it would be.
    let record = hex("F9F0F0AAFF1122334455667788");
    let command = hex(&write_key_command(0x01, 0x02, &record));
    let bytes = protected(&command, Protection::CipherAndMac, &FF8, &hex("4C45BAB9"));
    assert_eq!(bytes, hex("84D40102147C87BC23140021B3AFEA67E6359DDCFED7C943F6"));
}
