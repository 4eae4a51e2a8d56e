//! A security domain answers any bytes, shows no key, opens for nobody who lacks the keys, and stays locked once it is.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::std_instead_of_alloc,
    reason = "a panic is the report; a test program has std and no users"
)]

mod common;

use std::collections::BTreeSet;

use apdu::commands::gp::initialize_update;
use apdu::secure::gp::{HostSession, SecurityLevel};
use apdu::secure::scp02::Scp02;
use apdu::secure::scp03::Scp03;
use apdu::{CommandApdu, ResponseApdu, StatusWord};
use cardroot_card::MAX_RESPONSE_LEN;
use cardroot_card::gp::{DomainProfile, SecurityDomain};
use common::domain::{Domain, PROFILE, Side, version};
use common::{TestRng, rows};

/// Bytes that the keys of the domains below consist of: ENC, and 10 and 20 more for MAC and DEK.
const FILL: u8 = 0x91;

/// Commands that do something on a domain, for changing a few bits in them.
const PLAUSIBLE: [&str; 12] = [
    "00A4040000",
    "00A4040008A000000151000000",
    "8050000008010203040506070800",
    "8050010008010203040506070800",
    "848201001000000000000000000000000000000000",
    "84820300100102030405060708090A0B0C0D0E0F10",
    "80CA00E000",
    "80CA006600",
    "80CA9F7F00",
    "80F28002024F0000",
    "80E28000060101030A0B0C",
    "80D8018143300080103B6E1B0C3DE9B6AB3A1D0F2C5E6A7B8C038BAF4780103B6E1B0C3DE9B6AB3A1D0F2C5E6A7B8C038BAF4780103B6E1B0C3DE9B6AB3A1D0F2C5E6A7B8C038BAF47",
];

/// What the host sends in INITIALIZE UPDATE.
const CHALLENGE: [u8; 8] = *b"hostchal";

/// A domain in a reader, and what is checked of each of its answers.
struct Desk {
    card: Domain,
    known: BTreeSet<String>,
    reached: BTreeSet<u16>,
}

impl Desk {
    fn new<P: Side>(tries: u8, seed: u64) -> Self {
        let profile = DomainProfile { tries, ..PROFILE };
        let keys = P::keys(FILL);
        let card = SecurityDomain::new(profile, version(1), keys, TestRng::new(seed)).unwrap();
        let known = rows(include_str!("data/sw_table.csv")).into_iter().map(|row| row[0].clone()).collect();
        Self { card, known, reached: BTreeSet::new() }
    }

    fn send(&mut self, command: &[u8]) -> ResponseApdu {
        let response = self.card.process(command);
        assert!(response.len() <= MAX_RESPONSE_LEN);
        for byte in [FILL, FILL + 0x10, FILL + 0x20] {
            assert!(!response.windows(8).any(|half| half == [byte; 8]), "{command:02X?} shows a key");
        }
        let response = ResponseApdu::decode(response).expect("a response");
        let word = response.status().word();
        let is_known = self.known.contains(&format!("{word:04X}"))
            || self.known.contains(&format!("{:02X}XX", word >> 8));
        assert!(is_known, "{word:04X} to {command:02X?}");
        self.reached.insert(word);
        response
    }

    /// INITIALIZE UPDATE by the keys' version.
    fn begin(&mut self) -> ResponseApdu {
        self.send(initialize_update(0, &CHALLENGE.into()).encode().expose_bytes())
    }

    /// Opens a session at `level`.
    fn open<P: Side>(&mut self, level: P::Level) -> HostSession<P> {
        let (initialised, _) = P::initialise(CHALLENGE.into(), self.begin().data(), FILL);
        let waiting = initialised.verify_card().unwrap().external_authenticate(level);
        let answer = self.send(waiting.command().encode().expose_bytes());
        waiting.confirm(answer).expect("the right keys")
    }
}

/// Anything, or a command that is one of the above but for a few bits.
fn command(rng: &mut TestRng) -> Vec<u8> {
    if rng.below(8) == 0 {
        return (0..rng.below(300)).map(|_| rng.byte()).collect();
    }
    let mut bytes = common::hex(rng.one_of(&PLAUSIBLE));
    rng.spoil(&mut bytes, None);
    bytes
}

/// Commands of somebody who has no key, between resets: none opens, changes or locks in what only a session may change, and the
/// owner is let in afterwards.
fn bombard<P: Side>(level: P::Level, seed: u64, commands: usize) {
    let mut rng = TestRng::new(seed);
    let mut desk = Desk::new::<P>(u8::MAX, seed);
    for n in 0..commands {
        if rng.below(64) == 0 {
            desk.card.reset();
        }
        let bytes = command(&mut rng);
        let answer = desk.send(&bytes);
        let is_refusal = answer.status() != StatusWord::OK;
        assert!(!is_refusal || answer.data().is_empty(), "{bytes:02X?}: data with a refusal");
        if let [_, 0x82 | 0xD8 | 0xE2 | 0xF2, ..] = bytes[..] {
            assert!(is_refusal, "{bytes:02X?} was carried out for nobody");
        }
        if n % 256 == 0 {
            assert!(!desk.open::<P>(level).is_closed());
            assert_eq!(desk.card.tries_left(), u8::MAX);
        }
    }
    assert!(!desk.card.is_personalised());
    println!("{commands} commands reached {} statuses: {:04X?}", desk.reached.len(), desk.reached);
    assert!(desk.reached.len() > 10, "the commands are too random to reach anything");
}

/// Commands under the MAC of a session: each is answered so that the host can check it, and none shows a key.
fn converse<P: Side>(level: P::Level, seed: u64, commands: usize) {
    let mut rng = TestRng::new(seed);
    let mut desk = Desk::new::<P>(u8::MAX, seed);
    let mut session = desk.open::<P>(level);
    let mut done = 0;
    for n in 0..commands {
        let plain = CommandApdu::decode(&command(&mut rng));
        // The keys stay what they are, so that the owner gets in again; what PUT KEY does has tests of its own.
        let Some(plain) = plain.ok().filter(|plain| plain.header().instruction.byte() != 0xD8) else {
            continue;
        };
        let ends = matches!(plain.header().instruction.byte(), 0xA4 | 0x50 | 0x82);
        if let Ok(wrapped) = session.wrap(&plain) {
            let answer = desk.send(wrapped.command.encode().expose_bytes());
            let opened = wrapped.reply.open(answer);
            done += usize::from(opened.is_ok_and(|answer| answer.status() == StatusWord::OK));
        }
        if session.is_closed() || ends || n % 256 == 0 {
            // What STORE DATA filled is a new domain's again.
            desk.card = Desk::new::<P>(u8::MAX, rng.next()).card;
            session = desk.open::<P>(level);
        }
    }
    println!("{commands} commands within sessions: {done} were carried out");
    assert!(done * 20 > commands, "hardly any command was carried out");
}

/// After the last try nothing opens the domain, not even its keys.
fn besiege<P: Side>(seed: u64, commands: usize) {
    let mut rng = TestRng::new(seed);
    let mut desk = Desk::new::<P>(3, seed);
    for _ in 0..3 {
        desk.send(&common::hex("8050000008 010203040506070800"));
        assert_eq!(
            desk.send(&common::hex("8482010010 00000000000000000000000000000000")).status().word(),
            0x6300
        );
    }
    for _ in 0..commands {
        if rng.below(64) == 0 {
            desk.card.reset();
        }
        let bytes = command(&mut rng);
        let status = desk.send(&bytes).status().word();
        if let [_, 0x50 | 0x82 | 0xD8 | 0xE2 | 0xF2, ..] = bytes[..] {
            assert_ne!(status, 0x9000, "{bytes:02X?}");
        }
        assert_eq!(desk.card.tries_left(), 0);
    }
    let owner = desk.begin();
    assert_eq!((owner.data(), owner.status().word()), (&[][..], 0x6983));
}

/// About `commands` of each kind, at each of the levels.
fn every_level<P: Side>(levels: &[u8], seed: u64, commands: usize) {
    for byte in levels {
        let level = P::Level::from_byte(*byte).unwrap();
        bombard::<P>(level, seed + u64::from(*byte), commands / levels.len());
        converse::<P>(level, seed + u64::from(*byte), commands / levels.len());
    }
    besiege::<P>(seed, commands);
}

fn every_protocol(seed: u64, commands: usize) {
    every_level::<Scp02>(&[0x01, 0x03, 0x11, 0x13], seed, commands);
    every_level::<Scp03>(&[0x01, 0x03, 0x11, 0x13, 0x33], seed, commands);
}

#[test]
fn a_domain_answers_anything_shows_no_key_and_stays_locked() {
    every_protocol(1, 1 << 12);
}

// cargo test -p cardroot-card --test domain_totality -- --ignored
#[test]
#[ignore = "3 * 2^20 commands: half a minute"]
fn a_million_commands_find_nothing_in_a_domain() {
    every_protocol(100, 1 << 19);
}
