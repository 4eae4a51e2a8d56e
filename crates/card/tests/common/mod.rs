//! A desk with a card in a reader: sends commands and says what must come back.
//!
//! Commands are made by the host's side of `apdu`; the card's side is this crate on `tdea` alone. That is the second
//! road to every MAC and cipher.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std and no users"
)]

use core::cell::RefCell;
use core::convert::Infallible;
use std::collections::VecDeque;
use std::rc::Rc;

use apdu::CommandApdu;
use apdu::secure::pboc::{
    CardKey, Challenge, LineKey, MasterKey, Protection, external_authenticate, protect,
};
use cardroot_card::state::CardStore;
use cardroot_card::{Card, CardProfile, TransportKey};
use rand_core::{TryCryptoRng, TryRng};
use tdea::TdeaKey;
use tdea::hazmat::DesKey;

pub mod domain;
pub mod family;
pub mod power;
pub mod sam;
pub mod sm4;
pub mod wallet;

pub const SERIAL: [u8; 8] = [0x86, 0x60, 0x11, 0x08, 0x16, 0x00, 0x00, 0x01];
pub const TRANSPORT: [u8; 16] = *b"transport key 16";
pub const CARD_MASTER: [u8; 16] = *b"card master key.";
pub const APP_MASTER: [u8; 16] = *b"application mstr";

/// Gives the bytes that a test has laid ready, then SplitMix64. For tests only.
pub struct TestRng {
    ready: VecDeque<u8>,
    state: u64,
}

impl TestRng {
    pub fn new(seed: u64) -> Self {
        Self { ready: VecDeque::new(), state: seed }
    }

    pub fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end).unwrap()).unwrap()
    }

    pub fn byte(&mut self) -> u8 {
        self.next().to_be_bytes()[0]
    }

    pub fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// Turns up to three bits of a command, none at the offset `kept`, and changes its length now and then.
    pub fn spoil(&mut self, bytes: &mut Vec<u8>, kept: Option<usize>) {
        for _ in 0..self.below(4) {
            let at = self.below(bytes.len());
            if kept != Some(at) {
                bytes[at] ^= 1 << self.below(8);
            }
        }
        match self.below(16) {
            0 => bytes.truncate(self.below(bytes.len())),
            1 => bytes.push(self.byte()),
            _ => {}
        }
    }
}

impl TryRng for TestRng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(u32::try_from(self.next() >> 32).unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.next())
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        for byte in dst {
            *byte = match self.ready.pop_front() {
                Some(ready) => ready,
                None => self.byte(),
            };
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

/// The source of challenges is the test's own, so that published ones can be put in.
#[derive(Clone)]
pub struct Source(Rc<RefCell<TestRng>>);

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.borrow_mut().try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.borrow_mut().try_next_u64()
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        self.0.borrow_mut().try_fill_bytes(dst)
    }
}

impl TryCryptoRng for Source {}

/// A status word, or response data with one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    pub data: Vec<u8>,
    pub status: u16,
}

pub struct Desk {
    pub card: Card<Source>,
    source: Source,
    /// All responses so far.
    pub seen: Vec<Vec<u8>>,
}

impl Desk {
    pub fn new(profile: CardProfile, transport: &[u8]) -> Self {
        let source = Source(Rc::new(RefCell::new(TestRng::new(0))));
        let transport = match transport.len() {
            8 => TransportKey::from(DesKey::try_from(transport).unwrap()),
            _ => TransportKey::try_from(TdeaKey::try_from(transport).unwrap()).unwrap(),
        };
        let card = power::blank(profile, transport, source.clone());
        Self { card, source, seen: Vec::new() }
    }

    /// The same card with its power back.
    pub fn reopened(store: impl CardStore + 'static, profile: CardProfile) -> Self {
        let source = Source(Rc::new(RefCell::new(TestRng::new(1))));
        Self { card: Card::open(store, profile, source.clone()).unwrap(), source, seen: Vec::new() }
    }

    pub fn user() -> Self {
        Self::new(CardProfile::user(SERIAL), &TRANSPORT)
    }

    pub fn sam() -> Self {
        Self::new(CardProfile::sam(SERIAL), &TRANSPORT)
    }

    /// Under its issuer's master, proven in this session.
    pub fn mastered(mut self) -> Self {
        self.authenticate(0x00, &TRANSPORT);
        let record = key_record(0xF9, &CARD_MASTER);
        self.write_key(0x39, 0x00, &record, &TRANSPORT).ok();
        self.authenticate(0x00, &CARD_MASTER);
        self
    }

    /// With an application `3F01` under its own master, selected, its master proven. Its files are free to make, its
    /// keys are added at level A.
    pub fn with_application(self) -> Self {
        let mut desk = self.mastered();
        desk.make_application();
        desk
    }

    /// The same for a card whose master is proven.
    pub fn make_application(&mut self) {
        self.ok("80E03F0111 38 0600 F0 AA 95 FFFF A00000000386980701");
        self.ok("00A40000023F01");
        self.ok("80E0000007 3F 0180 95 AA FFFF");
        self.write_key(0x01, 0x00, &key_record(0xF9, &APP_MASTER), &CARD_MASTER).ok();
        self.authenticate(0x00, &APP_MASTER);
    }

    /// Lays ready what GET CHALLENGE will draw.
    pub fn lay_ready(&mut self, bytes: &str) {
        self.source.0.borrow_mut().ready.extend(hex(bytes));
    }

    pub fn send_bytes(&mut self, command: &[u8]) -> Answer {
        let response = self.card.process(command).to_vec();
        self.seen.push(response.clone());
        let (data, status) = response.split_last_chunk::<2>().unwrap();
        power::note_answer(*status);
        Answer { data: data.to_vec(), status: u16::from_be_bytes(*status) }
    }

    pub fn send(&mut self, command: &str) -> Answer {
        self.send_bytes(&hex(command))
    }

    /// Sends a command that must be carried out; returns its data.
    pub fn ok(&mut self, command: &str) -> Vec<u8> {
        let answer = self.send(command);
        assert_eq!(answer.status, 0x9000, "{command}");
        answer.data
    }

    /// Sends a command that must be refused with this status and no data.
    #[track_caller]
    pub fn refused(&mut self, status: u16, command: &str) {
        self.send(command).refused(status);
    }

    pub fn challenge(&mut self, len: u8) -> Vec<u8> {
        let answer = self.send_bytes(&[0x00, 0x84, 0x00, 0x00, len]);
        assert_eq!((answer.status, answer.data.len()), (0x9000, usize::from(len)));
        answer.data
    }

    /// EXTERNAL AUTHENTICATE over a fresh challenge.
    pub fn try_authenticate(&mut self, id: u8, key: &[u8]) -> Answer {
        let challenge = Challenge::try_from(&self.challenge(8)[..]).unwrap();
        let command = external_authenticate(id, &MasterKey::from_key(card_key(key)), challenge);
        self.send_bytes(command.encode().expose_bytes())
    }

    pub fn authenticate(&mut self, id: u8, key: &[u8]) {
        assert_eq!(self.try_authenticate(id, key).status, 0x9000);
    }

    /// The bytes of a command protected over a fresh challenge.
    pub fn protected(&mut self, command: &str, protection: Protection, key: &[u8]) -> Vec<u8> {
        let challenge = self.challenge(4);
        protected(&hex(command), protection, key, &challenge)
    }

    pub fn send_protected(&mut self, command: &str, protection: Protection, key: &[u8]) -> Answer {
        let command = self.protected(command, protection, key);
        self.send_bytes(&command)
    }

    /// WRITE KEY as ciphertext with MAC.
    pub fn write_key(&mut self, p1: u8, id: u8, record: &[u8], master: &[u8]) -> Answer {
        let command = write_key_command(p1, id, record);
        self.send_protected(&command, Protection::CipherAndMac, master)
    }
}

impl Answer {
    #[track_caller]
    pub fn ok(self) -> Vec<u8> {
        assert_eq!(self.status, 0x9000, "{self:02X?}");
        self.data
    }

    #[track_caller]
    pub fn refused(self, status: u16) {
        assert_eq!(format!("{:04X}", self.status), format!("{status:04X}"));
        assert!(self.data.is_empty());
    }
}

/// The bytes of a command protected for one challenge.
pub fn protected(command: &[u8], protection: Protection, key: &[u8], challenge: &[u8]) -> Vec<u8> {
    let command = CommandApdu::decode(command).unwrap();
    let challenge = Challenge::try_from(challenge).unwrap();
    let key = LineKey::from_key(card_key(key));
    protect(&command, protection, &key, challenge).unwrap().command.encode().expose_bytes().to_vec()
}

/// WRITE KEY in the clear.
pub fn write_key_command(p1: u8, id: u8, record: &[u8]) -> String {
    format!("80D4{p1:02X}{id:02X}{:02X}{}", record.len(), hex_of(record))
}

/// A record that is used always, changed at level A; leads to level A with three tries, or is version AA, algorithm 33.
pub fn key_record(key_type: u8, key: &[u8]) -> Vec<u8> {
    [&[key_type, 0xF0, 0xAA, 0xAA, 0x33], key].concat()
}

pub fn card_key(bytes: &[u8]) -> CardKey {
    match bytes.len() {
        8 => DesKey::try_from(bytes).unwrap().into(),
        _ => TdeaKey::try_from(bytes).unwrap().try_into().unwrap(),
    }
}

pub fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    base16ct::mixed::decode_vec(&digits).unwrap_or_else(|_| panic!("not hex: {text}"))
}

pub fn hex_of(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

/// The rows of a CSV file under its header line, split into columns; commas within double quotes are text.
pub fn rows(csv: &str) -> Vec<Vec<String>> {
    csv.lines().skip(1).map(split).collect()
}

fn split(line: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            _ => fields.last_mut().unwrap().push(c),
        }
    }
    fields
}
