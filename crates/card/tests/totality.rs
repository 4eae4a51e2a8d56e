//! Any bytes get an answer, and no answer ever has key bytes in it.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use std::collections::BTreeSet;

use apdu::CardTransport;
use apdu::secure::pboc::Protection;
use cardroot_card::{
    Card, CardKind, CardProfile, CardSystem, KeyCard, LifeCycle, MAX_RESPONSE_LEN, ShortBuffer, TransportKey,
};
use common::{
    APP_MASTER, CARD_MASTER, Desk, SERIAL, TRANSPORT, TestRng, key_record, rows, write_key_command,
};
use tdea::TdeaKey;
use tdea::hazmat::DesKey;

/// Secret bytes of all kinds that the cards below hold.
const INTERNAL: [u8; 16] = *b"\x91internal auth.\x92";
const LINE: [u8; 16] = *b"\x93line protecti.\x94";
const PARENT: [u8; 16] = *b"\x95parent of keys\x96";
const PIN: [u8; 6] = [0x97, 0x31, 0x41, 0x59, 0x26, 0x53];

/// Status words that a card may answer with: those of the table, and this family's own.
struct Statuses(BTreeSet<String>);

impl Statuses {
    fn load() -> Self {
        let rows = rows(include_str!("data/sw_table.csv"));
        assert_eq!(rows.len(), 55);
        Self(rows.into_iter().map(|row| row[0].clone()).collect())
    }

    fn contains(&self, status: u16) -> bool {
        let exact = format!("{status:04X}");
        let (family, counter) = (format!("{}XX", &exact[..2]), format!("{}X", &exact[..3]));
        let own = ["6901", "9302", "9303", "9401", "9402", "9403", "9406"].contains(&exact.as_str());
        own || self.0.contains(&exact) || self.0.contains(&family) || self.0.contains(&counter)
    }
}

/// An instruction that the card knows, or any byte.
fn instruction(rng: &mut TestRng) -> u8 {
    const KNOWN: [u8; 33] = [
        0xA4, 0x84, 0x82, 0x88, 0x20, 0xB0, 0xD6, 0xD0, 0xB2, 0xDC, 0xE2, 0xE0, 0x0E, 0xD4, 0x16, 0x1E, 0x18,
        0x1A, 0xFA, 0xC0, 0x24, 0x5E, 0x50, 0x52, 0x54, 0x58, 0x5A, 0x5C, 0x70, 0x72, 0xC6, 0xC8, 0xE8,
    ];
    if rng.below(8) == 0 { rng.byte() } else { rng.one_of(&KNOWN) }
}

/// A command that may well be meant for this card: known parameters, keys, files, lengths, now and then anything.
fn command(rng: &mut TestRng) -> Vec<u8> {
    if rng.below(16) == 0 {
        return (0..rng.below(300)).map(|_| rng.byte()).collect();
    }
    let class = if rng.below(16) == 0 { rng.byte() } else { rng.one_of(&[0x00, 0x04, 0x80, 0x84]) };
    let parameters = [0x00, 0x01, 0x02, 0x27, 0x30, 0x36, 0x39, 0x3F, 0x81, 0x95, 0xF9];
    let mut parameter = || if rng.below(8) == 0 { rng.byte() } else { rng.one_of(&parameters) };
    let (p1, p2) = (parameter(), parameter());
    let mut bytes = vec![class, instruction(rng), p1, p2];
    let len = rng.one_of(&[0, 0, 2, 4, 5, 7, 8, 12, 13, 16, 20, 21, 28, 40, 255]);
    if len > 0 {
        bytes.push(u8::try_from(len).unwrap());
        let start =
            rng.one_of(&[&[][..], &[0x3F, 0x00], &[0x3F, 0x01], &[0x28, 0x00, 0x10], &[0x38, 0x00, 0x20]]);
        bytes.extend(start.iter().copied().chain(core::iter::repeat_with(|| rng.byte())).take(len));
    }
    if rng.below(2) == 0 {
        bytes.push(rng.one_of(&[0x00, 0x04, 0x08, 0x10]));
    }
    bytes
}

/// A command with a right MAC under one of the card's keys, or with a right cryptogram: the random ones hardly ever
/// get past those.
fn keyed_command(desk: &mut Desk, rng: &mut TestRng) -> Vec<u8> {
    let key = rng.one_of(&[CARD_MASTER, APP_MASTER, LINE]);
    let mut plain = command(rng);
    if let Some(class) = plain.first_mut() {
        *class = rng.one_of(&[0x00, 0x80]);
    }
    let is_short = apdu::CommandApdu::decode(&plain).is_ok_and(|command| command.expose_data().len() < 200);
    let drawn = desk.send_bytes(&[0x00, 0x84, 0x00, 0x00, 0x08]);
    if drawn.status != 0x9000 || !is_short {
        return plain;
    }
    let protection = rng.one_of(&[Protection::Mac, Protection::CipherAndMac]);
    let mut extended = apdu::CommandApdu::decode(&plain).unwrap();
    if extended.form() == apdu::LengthForm::Extended {
        extended = apdu::CommandApdu::new(extended.header());
    }
    common::protected(extended.encode().expose_bytes(), protection, &key, &drawn.data)
}

/// Counters of 15 tries, so that the card is not locked after three random commands; algorithm 00 of transaction keys.
fn record(key_type: u8, key: &[u8]) -> Vec<u8> {
    let last = if (0x3C..=0x3F).contains(&key_type) { 0x00 } else { 0xFF };
    [&[key_type, 0xF0, 0xAA, 0xAA, last], key].concat()
}

/// Every kind of card with every operating system.
fn profiles() -> Vec<CardProfile> {
    let kinds = [CardKind::User, CardKind::Sam].into_iter().chain(KeyCard::ALL.map(CardKind::KeyCard));
    let all: Vec<_> = kinds
        .flat_map(|kind| CardSystem::ALL.map(|system| CardProfile::new(kind, SERIAL).with_system(system)))
        .collect();
    assert_eq!(all.len(), 21);
    all
}

/// How a system writes keys and makes files.
struct Maker {
    desk: Desk,
    has_header: bool,
    write_key: u8,
}

impl Maker {
    fn new(profile: CardProfile) -> Self {
        let has_header = *profile.system() != CardSystem::FMCOS_2;
        let write_key = if *profile.system() == CardSystem::SMARTCOS_3_2 { 0xE8 } else { 0xD4 };
        Self { desk: Desk::new(profile, &TRANSPORT), has_header, write_key }
    }

    /// A key of FMCOS's type, fifteen tries, level A; under the system's own code for it.
    fn key(&mut self, id: u8, key_type: u8, key: &[u8], master: &[u8]) {
        let is_user = self.desk.card.profile().kind() == CardKind::User;
        if !self.has_header {
            let p1 = if key_type == 0xF9 && self.desk.card.life_cycle() != LifeCycle::Mastered {
                0x39
            } else {
                0x01
            };
            self.desk.write_key(p1, id, &record(key_type, key), master).ok();
        } else if is_user {
            let code = match key_type {
                0x30 => 0x09,
                0x34 => 0x02,
                0x36 => 0x05,
                0x37 => 0x06,
                0x39 | 0xF9 => 0x08,
                0x3A => 0x0B,
                0x3E => 0x00,
                0x3F => 0x01,
                _ => return,
            };
            let record = [&[id, 0xAA, 0x00, code, 0xF0, 0x0A, 0xAA, 0xFF], key].concat();
            self.protected(&record, master);
        } else if key_type == 0xF9 {
            self.sam_key(0x00, 0x00, key, master);
        }
    }

    fn sam_key(&mut self, usage: u8, version: u8, key: &[u8], master: &[u8]) {
        self.protected(&[&[usage, version, 0x00], key].concat(), master);
    }

    fn protected(&mut self, record: &[u8], master: &[u8]) {
        let (instruction, len) = (self.write_key, record.len());
        let command = format!("80{instruction:02X}0000{len:02X}{}", common::hex_of(record));
        self.desk.send_protected(&command, Protection::CipherAndMac, master).ok();
    }

    fn file(&mut self, of_fmcos: &str, of_others: &str) {
        self.desk.ok(if self.has_header { of_others } else { of_fmcos });
    }
}

/// A card with every kind of key and file that its profile has, by a script whose answers are kept. Nothing is proven.
fn furnished(profile: CardProfile) -> Desk {
    let mut maker = Maker::new(profile);
    maker.desk.authenticate(0x00, &TRANSPORT);
    maker.key(0x00, 0xF9, &CARD_MASTER, &TRANSPORT);
    maker.desk.authenticate(0x00, &CARD_MASTER);
    maker.file(
        "80E03F0111 38 0600 F0 AA 95 FFFF A00000000386980701",
        "80E0010010 3F01 0600 F0 AA 95 A00000000386980701",
    );
    maker.desk.ok("00A40000023F01");
    maker.file("80E0000007 3F 0280 95 AA FFFF", "80E0020006 0000 05 0280 AA");
    maker.key(0x00, 0xF9, &APP_MASTER, &CARD_MASTER);
    maker.desk.authenticate(0x00, &APP_MASTER);
    for (id, key_type, key) in [
        (0x01, 0x30, &INTERNAL[..]),
        (0x01, 0x31, &INTERNAL),
        (0x01, 0x32, &INTERNAL),
        (0x00, 0x34, &INTERNAL),
        (0x00, 0x36, &LINE),
        (0x00, 0x37, &LINE),
        (0x00, 0x38, &LINE),
        (0x01, 0x39, &LINE[..8]),
        (0x00, 0x3A, &PIN),
        (0x01, 0x3C, &INTERNAL),
        (0x01, 0x3D, &INTERNAL),
        (0x01, 0x3E, &INTERNAL),
        (0x01, 0x3F, &INTERNAL),
    ] {
        maker.key(id, key_type, key, &APP_MASTER);
    }
    if profile.kind() != CardKind::User {
        for (usage, version) in [(0x27, 0x01), (0x28, 0x01), (0x22, 0x01), (0x1E, 0x01), (0x1E, 0x02)] {
            maker.sam_key(usage, version, &PARENT, &APP_MASTER);
        }
        maker.file("80E0001607 28 0006 F0 F0 FF FF", "80E0020009 0016 00 0006 F0 F0 00 FF");
        maker.file("80E0001907 28 0004 F0 F0 FF FF", "80E0020009 0019 00 0004 F0 F0 00 FF");
    }
    maker.file("80E0001507 28 001E F0 F0 FF FF", "80E0020009 0015 00 001E F0 F0 00 FF");
    maker.file("80E0000307 E8 0020 F0 F0 FF 7F", "80E0020009 0003 00 0020 F0 F0 C0 7F");
    maker.file("80E0001807 2E 0A17 F0 EF FF FF", "80E0020009 0018 03 0A17 F0 EF 00 FF");
    if !maker.has_header {
        maker.desk.ok("80E0000407 AA 04 08 F0 F0 FF FF");
        maker.desk.ok("80E0000507 2A 04 08 F0 F0 FF FF");
    }
    if profile.kind() == CardKind::User {
        maker.file("80E0000107 2F 0208 F0 00 FF 18", "80E0020005 0001 06 F0 18");
        maker.file("80E0000207 2F 0208 F0 00 FF 18", "80E0020005 0002 06 F0 18");
        maker.desk.ok("0020000006 973141592653");
        maker.desk.ok("0088000108 0102030405060708");
        maker.desk.ok("805000020B 01 00001000 001122334455 10");
    }
    maker.desk.card.reset();
    maker.desk.ok("00A40000023F01");
    maker.desk
}

/// Commands that do something on one of the cards above, for changing a few bits in them.
const PLAUSIBLE: [&str; 24] = [
    "00A40000023F01",
    "0020000006973141592653",
    "00880001080102030405060708",
    "00B095001E",
    "00B201C417",
    "805000020B010000100000112233445510",
    "805001020B01000000000011223344550F",
    "805003020B01000000000011223344550F",
    "8050040107010011223344551300",
    "805200000B201612161058008AFA571804",
    "805401000F0000000020161216134600D45737C508",
    "805800000E00010020161216134600D45737C504",
    "80DC012C080102030405060708",
    "805A000202000008",
    "805C000204",
    "805E00000A9731415926530A0B0C0D",
    "805E01000D973141592653FF973141592653",
    "801A2701080102030405060708",
    "80FA0000080102030405060708",
    "807000001C0000000000000000000106202601151200000100010203040506070808",
    "807200000401020304",
    "80C628011201038660000000001003070707070707070708",
    "84C800011C00000000000000000000000000000000000000000000000000000000",
    "842400000C000000000000000000000000",
];

fn mutated(rng: &mut TestRng) -> Vec<u8> {
    let mut bytes = common::hex(rng.one_of(&PLAUSIBLE));
    // Another instruction could write the PIN of a command into a file, to be read again rightly.
    rng.spoil(&mut bytes, Some(1));
    bytes
}

/// No response holds eight bytes in a row of any secret, nor the PIN.
fn assert_no_secret(responses: &[Vec<u8>]) {
    for key in [TRANSPORT, CARD_MASTER, APP_MASTER, INTERNAL, LINE, PARENT] {
        for window in key.windows(8) {
            let has = |response: &Vec<u8>| response.windows(8).any(|bytes| bytes == window);
            assert!(!responses.iter().any(has));
        }
    }
    assert!(!responses.iter().any(|response| response.windows(PIN.len()).any(|bytes| bytes == PIN)));
}

/// Sends random commands to a furnished card; a new one whenever it is blocked, a reset now and then.
fn bombard(profile: CardProfile, seed: u64, commands: usize) {
    let statuses = Statuses::load();
    let mut rng = TestRng::new(seed);
    let mut desk = furnished(profile);
    let mut reached = BTreeSet::new();
    assert_no_secret(&desk.seen);
    for n in 0..commands {
        if n % 1000 == 999 || desk.card.life_cycle() == LifeCycle::Blocked {
            assert_no_secret(&desk.seen);
            desk = furnished(profile);
        }
        if rng.below(64) == 0 {
            desk.card.reset();
        }
        if rng.below(4) == 0 {
            desk.send("00A40000023F01");
        }
        let bytes = match rng.below(3) {
            0 => keyed_command(&mut desk, &mut rng),
            1 => mutated(&mut rng),
            _ => command(&mut rng),
        };
        let answer = desk.send_bytes(&bytes);
        assert!(answer.data.len() + 2 <= MAX_RESPONSE_LEN);
        assert!(statuses.contains(answer.status), "{:04X} to {bytes:02X?}", answer.status);
        let is_warning = answer.status == 0x6283;
        assert!(answer.status == 0x9000 || is_warning || answer.data.is_empty(), "data with a refusal");
        reached.insert(answer.status);
    }
    assert_no_secret(&desk.seen);
    println!("{commands} commands reached {} statuses: {reached:04X?}", reached.len());
    assert!(reached.len() > 15, "the commands are too random to reach anything");
}

/// Sends commands of somebody who has no key to a card whose PIN is locked: nothing gets it open, and no blank card becomes
/// another.
fn besiege(profile: CardProfile, seed: u64, commands: usize) {
    let mut rng = TestRng::new(seed);
    let mut blank = Desk::new(profile, &TRANSPORT);
    let mut desk = furnished(profile);
    let has_pin = desk.send("0020000006 000000000000").status == 0x63CE;
    while desk.send("0020000006 000000000000").status & 0xFFF0 == 0x63C0 {}
    for n in 0..commands {
        let bytes = if rng.below(2) == 0 { mutated(&mut rng) } else { command(&mut rng) };
        blank.send_bytes(&bytes);
        desk.send_bytes(&bytes);
        if n % 1024 == 0 {
            assert_eq!(blank.card.life_cycle(), LifeCycle::Blank);
            assert_no_secret(&desk.seen);
            (desk.seen, blank.seen) = (Vec::new(), Vec::new());
            // The right PIN, before and after a reset.
            if rng.below(2) == 0 {
                desk.card.reset();
            }
            desk.send("00A40000023F01");
            let status = desk.send("0020000006 973141592653").status;
            assert!(status != 0x9000 && (!has_pin || status & 0xFFF0 != 0x63C0), "{status:04X}");
        }
    }
}

fn bombard_all(seed: u64, commands: usize) {
    for (n, profile) in (0..).zip(profiles()) {
        bombard(profile, seed + n, commands / 2);
        besiege(profile, seed + n, commands / 2);
    }
}

#[test]
fn every_card_answers_anything_shows_no_key_and_stays_locked() {
    bombard_all(1, 1 << 14);
}

// cargo test -p cardroot-card --release --test totality -- --ignored
#[test]
#[ignore = "2^20 commands for each of 21 profiles: a minute in release"]
fn a_million_commands_find_nothing() {
    bombard_all(100, 1 << 20);
}

#[test]
fn every_beginning_of_a_command_gets_an_answer() {
    let mut desk = furnished(CardProfile::user(SERIAL));
    desk.authenticate(0x00, &APP_MASTER);
    let whole = common::hex(&write_key_command(0x01, 0x05, &key_record(0x30, &INTERNAL)));
    for len in 0..whole.len() {
        let status = desk.send_bytes(&whole[..len]).status;
        assert!([0x6700, 0x6A80].contains(&status), "{len} bytes: {status:04X}");
    }
}

#[test]
fn classes_and_forms_of_others_are_refused() {
    let mut desk = furnished(CardProfile::user(SERIAL));
    for (command, status) in [
        ("", 0x6700),
        ("20A40000023F00", 0x6E00),
        ("FFA40000023F00", 0x6E00),
        ("01A40000023F00", 0x6E00),
        ("10A40000023F00", 0x6E00),
        ("0CA40000023F00", 0x6E00),
        ("A0A40000023F00", 0x6E00),
        ("00660000", 0x6D00),
        ("00FE0000", 0x6D00),
        ("80A40000023F00", 0x6D00),
        ("00C0000000", 0x6D00),
        ("00A40000000002 3F00", 0x6700),
        ("00A4000003 3F00", 0x6700),
    ] {
        desk.refused(status, command);
    }
}

#[test]
fn the_transport_says_when_the_buffer_is_too_short() {
    let mut desk = Desk::user();
    let mut buffer = [0; MAX_RESPONSE_LEN];
    let select = common::hex("00A40000023F00");
    let len = desk.card.transmit(&select, &mut buffer).unwrap();
    assert_eq!((len, &buffer[len - 2..len]), (25, &[0x90, 0x00][..]));
    let refused = desk.card.transmit(&select, &mut buffer[..24]);
    assert_eq!(refused, Err(ShortBuffer { needed: 25, found: 24 }));
}

#[test]
fn nothing_that_is_formatted_shows_a_key() {
    let single = DesKey::from_fill(|key| key.fill(0xA5));
    let transport = TransportKey::from(single);
    let double = TransportKey::try_from(TdeaKey::from([0xA5; 16])).unwrap();
    assert!(TransportKey::try_from(TdeaKey::from([0xA5; 24])).is_err());
    let mut desk = Desk::new(CardProfile::user([0; 8]), &[0xA5; 16]);
    desk.authenticate(0x00, &[0xA5; 16]);
    desk.write_key(0x39, 0x00, &key_record(0xF9, &[0xA5; 16]), &[0xA5; 16]).ok();
    let mut texts = vec![format!("{transport:?}{transport:#x?}"), format!("{double:?}{double:#x?}")];
    texts.push(format!("{:?}{:#x?}", desk.card, desk.card));
    let blank = Card::blank(CardProfile::user([0; 8]), TransportKey::fmcos_default(), TestRng::new(0));
    texts.push(format!("{blank:?}"));
    for text in texts {
        let lower = text.to_lowercase();
        assert!(!lower.contains("a5") && !lower.contains("165") && !lower.contains("255"), "{text}");
    }
}
