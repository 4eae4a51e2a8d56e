//! A card in software against a host that knows its keys and plays foul.

use ::apdu::secure::pboc::{CardKey, Challenge, MasterKey, Protection, external_authenticate, protect};
use ::apdu::{CommandApdu, Header, StatusClass, StatusWord};
use ::card::state::{CardStore as _, MemoryStore};
use ::card::{
    AuthenticationForm, Card, CardKind, CardProfile, CardSystem, KeyCard, MAX_RESPONSE_LEN, TransportKey,
};
use ::tdea::TdeaKey;
use ::tdea::hazmat::DesKey;

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// The transport key, and what a host may load in its place or below it.
const KEYS: [[u8; 16]; 4] =
    [*b"transport key 16", *b"card master key.", *b"application mstr", *b"line protection."];

/// A card of every kind and every system answers any sequence of commands, right ones under their keys among them, with at most 256 bytes and a
/// status word; a refusal has no data, no answer has a key in it, and no command with a wrong MAC succeeds.
///
/// Input: kind and system of the card, length of its transport key; then steps, each a tag and what belongs to it:
///
/// ```text
/// 0  a command after its length
/// 1  reset
/// 2  EXTERNAL AUTHENTICATE: key, its number
/// 3  a command with line protection: right MAC or wrong, protection, key, command after its length
/// 4  WRITE KEY with line protection: key, P1, P2, number of bytes in front of the key, these, key to write
/// ```
pub fn card_process_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let profile = input.one_of(&profiles());
    let mut desk = Desk::new(profile, input.one_of(&[16, 8]), data);
    while !input.is_empty() {
        match input.below(5) {
            0 => {
                desk.send(input.counted());
            }
            1 => desk.card.reset(),
            2 => desk.authenticate(input.below(KEYS.len()), input.byte()),
            3 => {
                let mac = input.one_of(&[LineMac::Right, LineMac::Wrong]);
                let (protection, key) = (protection(&mut input), input.below(KEYS.len()));
                desk.send_protected(input.counted(), protection, mac, key);
            }
            _ => {
                let (protection, key) = (protection(&mut input), input.below(KEYS.len()));
                let [p1, p2] = input.array();
                let len = input.below(17);
                let record = [input.take(len), &KEYS[input.below(KEYS.len())]].concat();
                let len = u8::try_from(record.len()).unwrap();
                let instruction = if *profile.system() == CardSystem::SMARTCOS_3_2 { 0xE8 } else { 0xD4 };
                let command = [&[0x80, instruction, p1, p2, len], record.as_slice()].concat();
                desk.send_protected(&command, protection, LineMac::Right, key);
            }
        }
    }
    desk.reach
}

/// Any bytes for a stored state are a card or refused; such a card answers any commands, and is stored as one that opens.
///
/// Input: number of the card's profile; length of the state (2), the state; then commands after their lengths.
pub fn card_state_open_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let profile = input.one_of(&profiles());
    let len = input.u16().into();
    let mut store = MemoryStore::new();
    store.replace(input.take(len)).expect("memory takes everything");
    let open = || Card::open(store.clone(), profile, SeededRng::new(0));
    let Ok(mut card) = open() else { return Reach::Refused };
    while !input.is_empty() {
        assert!(card.process(input.counted()).len() <= MAX_RESPONSE_LEN);
    }
    card.reset();
    assert_eq!(open().expect("a card stores what opens").life_cycle(), card.life_cycle());
    Reach::Held
}

/// Every kind of card with every system, FMCOS first; then the other forms of EXTERNAL AUTHENTICATE.
fn profiles() -> Vec<CardProfile> {
    let serial = *b"\x86\x60serial";
    let kinds = [CardKind::User, CardKind::Sam].into_iter().chain(KeyCard::ALL.map(CardKind::KeyCard));
    let kinds: Vec<_> = kinds.collect();
    let forms = [AuthenticationForm::Folded, AuthenticationForm::TwoStep];
    let forms = forms.map(|form| CardSystem::FMCOS_2.with_authentication(form));
    let of = |system: CardSystem| {
        kinds.iter().map(move |kind| CardProfile::new(*kind, serial).with_system(system)).collect::<Vec<_>>()
    };
    CardSystem::ALL.into_iter().chain(forms).flat_map(of).collect()
}

fn protection(input: &mut Input<'_>) -> Protection {
    input.one_of(&[Protection::CipherAndMac, Protection::Mac])
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum LineMac {
    Right,
    Wrong,
}

/// A card in a reader, and what is checked of each of its answers.
struct Desk {
    card: Card<SeededRng>,
    transport_len: usize,
    /// Pieces of keys that are in the input, so that a card may give them back.
    public: Vec<[u8; PIECE]>,
    /// `Held` once a step beyond SELECT and GET CHALLENGE has succeeded.
    reach: Reach,
}

/// How many bytes of a key in a row an answer must not have.
const PIECE: usize = 8;

impl Desk {
    fn new(profile: CardProfile, transport_len: usize, data: &[u8]) -> Self {
        let transport = match transport_len {
            8 => TransportKey::from(DesKey::try_from(&KEYS[0][..8]).unwrap()),
            _ => TransportKey::try_from(TdeaKey::from(KEYS[0])).unwrap(),
        };
        let card = Card::blank(profile, transport, SeededRng::new(0));
        let pieces = KEYS.iter().flat_map(|key| key.windows(PIECE));
        let given = pieces.filter(|piece| data.windows(PIECE).any(|window| window == *piece));
        let public = given.map(|piece| piece.try_into().unwrap()).collect();
        Self { card, transport_len, public, reach: Reach::Refused }
    }

    fn send(&mut self, command: &[u8]) -> StatusWord {
        let response = self.card.process(command).to_vec();
        assert!(response.len() <= MAX_RESPONSE_LEN);
        let (data, status) = response.split_last_chunk().expect("a status word at least");
        let status = StatusWord::try_from(*status).expect("a status word");
        let is_refusal = matches!(
            status.class(),
            StatusClass::ExecutionError | StatusClass::CheckingError | StatusClass::WrongLe { .. }
        );
        assert!(!is_refusal || data.is_empty());
        for piece in KEYS.iter().flat_map(|key| key.windows(PIECE)) {
            let shows = data.windows(PIECE).any(|window| window == piece);
            assert!(!shows || self.public.iter().any(|public| public == piece), "an answer shows a key");
        }
        let is_anybodys = matches!(command, [_, 0xA4 | 0x84, ..]);
        if status == StatusWord::OK && !is_anybodys {
            self.reach = Reach::Held;
        }
        status
    }

    fn challenge(&mut self, len: u8) -> Option<Challenge> {
        let response = self.card.process(&[0x00, 0x84, 0x00, 0x00, len]);
        let (challenge, _) = response.split_last_chunk::<2>()?;
        Challenge::try_from(challenge).ok()
    }

    /// A key by its number; the transport key as long as this card has it.
    fn key(&self, number: usize) -> MasterKey {
        let key = if number == 0 && self.transport_len == 8 {
            CardKey::from(DesKey::try_from(&KEYS[0][..8]).unwrap())
        } else {
            CardKey::try_from(TdeaKey::from(KEYS[number])).unwrap()
        };
        MasterKey::from_key(key)
    }

    fn authenticate(&mut self, key: usize, key_id: u8) {
        let Some(challenge) = self.challenge(8) else { return };
        let command = external_authenticate(key_id, &self.key(key), challenge);
        self.send(command.encode().expose_bytes());
    }

    fn send_protected(&mut self, command: &[u8], protection: Protection, mac: LineMac, key: usize) {
        let (Ok(command), Some(challenge)) = (CommandApdu::decode(command), self.challenge(4)) else {
            return;
        };
        let key = self.key(key);
        let Ok(protected) = protect(&command, protection, &key, challenge) else { return };
        let mut bytes = protected.command.encode().expose_bytes().to_vec();
        if mac == LineMac::Wrong {
            // The MAC ends the data, which follows header and Lc.
            bytes[Header::LEN + protected.command.expose_data().len()] ^= 1;
        }
        let status = self.send(&bytes);
        assert!(mac == LineMac::Right || status != StatusWord::OK);
    }
}
