//! Secure channel protocols 02 and 03, and the security domain that speaks them.

use ::apdu::commands::gp::{KeyVersion, put_key};
use ::apdu::secure::gp::{
    CardInitialised, CardSession, HostSession, Initialised, PlainKey, Protocol, SecurityLevel,
};
use ::apdu::secure::{scp02, scp03};
use ::apdu::{CommandApdu, Header, ResponseApdu, StatusClass, StatusWord};
use ::card::MAX_RESPONSE_LEN;
use ::card::gp::{DomainKeys, DomainProfile, SecurityDomain};
use ::card::state::{CardStore as _, MemoryStore};
use ::diversify::block::AesKey;
use ::diversify::gp;
use ::tdea::TdeaKey;

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// ENC, MAC and DEK of the card, and three keys that it does not have.
const KEYS: [[u8; 16]; 6] = [
    *b"card's key: ENC.",
    *b"card's key: MAC.",
    *b"card's key: DEK.",
    *b"another key: enc",
    *b"another key: mac",
    *b"another key: dek",
];

fn tdea_keys(first: usize) -> gp::CardKeys {
    let key = |n: usize| TdeaKey::from(KEYS[first + n]);
    gp::CardKeys {
        enc: gp::Kenc::from_key(key(0)),
        mac: gp::Kmac::from_key(key(1)),
        dek: gp::Kdek::from_key(key(2)),
    }
}

fn aes_keys(first: usize) -> gp::aes::CardKeys {
    let key = |n: usize| AesKey::try_from(&KEYS[first + n][..]).unwrap();
    gp::aes::CardKeys {
        enc: gp::aes::Kenc::from_key(key(0)),
        mac: gp::aes::Kmac::from_key(key(1)),
        dek: gp::aes::Kdek::from_key(key(2)),
    }
}

/// No reply makes the host's side panic and no command the card's: what is not the other side's closes the session wherever a MAC
/// says so, and what is comes out as it went in.
///
/// Input: protocol, level, status, reply after its length, command.
pub fn scp_sessions_are_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    if input.coin() {
        let keys = tdea_keys(0);
        let side = scp02::CardSide {
            key_data: [0; 10],
            key_version: 1,
            keys: &keys,
            sequence: 1,
            challenge: [2; 6],
        };
        sessions(&mut input, scp02::SecurityLevel::ALL, || {
            let (answer, card) = scp02::answer([3; 8], &side).unwrap();
            (scp02::initialise([3; 8].into(), &answer, &keys).unwrap(), card)
        })
    } else {
        let keys = aes_keys(0);
        let side = scp03::CardSide {
            key_data: [0; 10],
            key_version: 1,
            keys: &keys,
            implementation: scp03::Implementation::I70,
            challenge: [2; 8],
            sequence: [0; 3],
        };
        sessions(&mut input, scp03::SecurityLevel::ALL, || {
            let (answer, card) = scp03::answer([3; 8], &side);
            (scp03::initialise([3; 8].into(), &answer, &keys), card)
        })
    }
}

fn sessions<P: Protocol>(
    input: &mut Input<'_>,
    levels: &[P::Level],
    begin: impl Fn() -> (Initialised<P>, CardInitialised<P>),
) -> Reach {
    let level = input.one_of(levels);
    let status = StatusWord::try_from(input.u16()).unwrap_or(StatusWord::OK);
    let reply = input.counted();
    let bytes = input.take_rest();
    let open = || -> (HostSession<P>, CardSession<P>) {
        let (host, card) = begin();
        let waiting = host.verify_card().unwrap().external_authenticate(level);
        let card = card.authenticate(waiting.command()).unwrap();
        (waiting.confirm(ResponseApdu::new(&[], StatusWord::OK).unwrap()).unwrap(), card)
    };
    let Ok(command) = CommandApdu::decode(bytes) else { return Reach::Refused };
    let has_mac = level.byte() & 0x01 != 0;
    let (mut host, mut card) = open();
    assert!(card.unwrap(&command).is_err() || !has_mac, "a forged command");

    let Ok(wrapped) = host.wrap(&command) else {
        assert!(!host.is_closed());
        return Reach::Refused;
    };
    let is_success = matches!(status.bytes(), [0x90, 0x00] | [0x62 | 0x63, _]);
    let forged = ResponseApdu::new(reply, status).unwrap();
    // Refusals of protocol 03 have no MAC, so that anybody can make one.
    if level.byte() & 0x10 != 0 && (is_success || !reply.is_empty()) {
        assert!(wrapped.reply.open(forged).is_err(), "a forged reply");
        assert!(host.is_closed());
    } else {
        let _ = wrapped.reply.open(forged);
    }

    let (mut host, mut card) = open();
    let wrapped = host.wrap(&command).unwrap();
    let Ok(unwrapped) = card.unwrap(&wrapped.command) else {
        assert!(!has_mac, "our own command");
        return Reach::Refused;
    };
    assert_eq!(unwrapped.command.expose_data(), command.expose_data());
    let Ok(sealed) = unwrapped.reply.seal(ResponseApdu::new(reply, status).unwrap()) else {
        return Reach::Refused;
    };
    let opened = wrapped.reply.open(sealed).unwrap();
    assert!(opened.data() == reply || (!is_success && opened.data().is_empty()));
    Reach::Held
}

/// A security domain answers any sequence of commands with at most 256 bytes and a status word; a refusal has no data but its MAC, no
/// answer has a key in it, a session opens with the right keys only, and a command with a wrong bit ends it.
///
/// Input: cipher of the keys; then steps, each a tag and what belongs to it:
///
/// ```text
/// 0  a command after its length
/// 1  reset
/// 2  a session, with the right keys: level
/// 3  a session with other keys, whose EXTERNAL AUTHENTICATE is sent all the same
/// 4  a command of the session: INS, P1, P2, data after its length
/// 5  the same with one bit wrong: its place, then as 4
/// 6  PUT KEY of other keys: replaced version, version
/// ```
pub fn gp_domain_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let profile = DomainProfile { tries: 5, ..DomainProfile::new([0; 10]) };
    if input.coin() {
        let card = domain(profile, DomainKeys::Tdea(tdea_keys(0)));
        Desk::<scp02::Scp02>::new(card, data).play(&mut input, |host, answer, keys| {
            let answer = scp02::Answer::decode(answer).ok()?;
            scp02::initialise(host.into(), &answer, &tdea_keys(keys)).ok()
        })
    } else {
        let card = domain(profile, DomainKeys::Aes(aes_keys(0)));
        Desk::<scp03::Scp03>::new(card, data).play(&mut input, |host, answer, keys| {
            let answer = scp03::Answer::decode(answer).ok()?;
            Some(scp03::initialise(host.into(), &answer, &aes_keys(keys)))
        })
    }
}

/// Any bytes for a stored state are a security domain or refused; such a domain answers any commands, and is stored as one that
/// opens and tells the same.
///
/// Input: length of the state (2), the state; then commands after their lengths.
pub fn gp_state_open_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let len = input.u16().into();
    let mut store = MemoryStore::new();
    store.replace(input.take(len)).expect("memory takes everything");
    // Challenges are made of what is stored.
    let scp02 = scp02::Implementation::I55;
    let profile = DomainProfile { tries: 5, scp02, ..DomainProfile::new([0; 10]) };
    let open = || SecurityDomain::open(store.clone(), profile, SeededRng::new(0));
    let Ok(mut card) = open() else { return Reach::Refused };
    while !input.is_empty() {
        assert!(card.process(input.counted()).len() <= MAX_RESPONSE_LEN);
    }
    card.reset();
    let mut again = open().expect("a domain stores what opens");
    assert_eq!((again.tries_left(), again.is_personalised()), (card.tries_left(), card.is_personalised()));
    for command in
        [&b"\x80\xCA\x00\x66\x00"[..], b"\x80\xCA\x00\xE0\x00", b"\x80\x50\x00\x00\x08hostchal\x00"]
    {
        assert_eq!(again.process(command), card.process(command));
    }
    Reach::Held
}

fn domain(profile: DomainProfile, keys: DomainKeys) -> SecurityDomain<SeededRng> {
    SecurityDomain::new(profile, KeyVersion::new(1).unwrap(), keys, SeededRng::new(0)).unwrap()
}

/// How many bytes of a key in a row an answer must not have.
const PIECE: usize = 8;

/// A domain in a reader, the host's session with it, and what is checked of each answer.
struct Desk<P: Protocol> {
    card: SecurityDomain<SeededRng>,
    session: Option<HostSession<P>>,
    /// Whether the card may still be in a session without MACs, even if the host has given it up.
    may_be_plain: bool,
    /// Which keys the card's first set is.
    keys: usize,
    /// Pieces of keys that are in the input, so that a card may give them back.
    public: Vec<[u8; PIECE]>,
    reach: Reach,
}

impl<P: Protocol> Desk<P> {
    fn new(card: SecurityDomain<SeededRng>, data: &[u8]) -> Self {
        let pieces = KEYS.iter().flat_map(|key| key.windows(PIECE));
        let given = pieces.filter(|piece| data.windows(PIECE).any(|window| window == *piece));
        let public = given.map(|piece| piece.try_into().unwrap()).collect();
        Self { card, session: None, may_be_plain: false, keys: 0, public, reach: Reach::Refused }
    }

    fn play(
        mut self,
        input: &mut Input<'_>,
        initialise: impl Fn([u8; 8], &[u8], usize) -> Option<Initialised<P>>,
    ) -> Reach {
        while !input.is_empty() {
            match input.below(7) {
                0 => self.send_anything(input.counted()),
                1 => {
                    self.card.reset();
                    (self.session, self.may_be_plain) = (None, false);
                }
                2 => {
                    let level = P::Level::from_byte(input.one_of(&[0x01, 0x03, 0x11, 0x13, 0x00, 0x33]));
                    self.open(level, &initialise);
                }
                3 => self.open_with_other_keys(&initialise),
                4 => {
                    let command = session_command(input);
                    self.exchange(&command);
                }
                5 => {
                    let place = input.u16();
                    let command = session_command(input);
                    self.send_with_wrong_bit(&command, usize::from(place));
                }
                _ => self.put_other_keys(input.byte(), input.byte()),
            }
        }
        self.reach
    }

    fn send(&mut self, command: &[u8]) -> ResponseApdu {
        let response = self.card.process(command).to_vec();
        assert!(response.len() <= MAX_RESPONSE_LEN);
        for piece in KEYS.iter().flat_map(|key| key.windows(PIECE)) {
            let shows = response.windows(PIECE).any(|window| window == piece);
            assert!(!shows || self.public.iter().any(|public| public == piece), "an answer shows a key");
        }
        ResponseApdu::decode(&response).expect("a response")
    }

    /// A command that nobody made with the keys: it changes nothing that needs them.
    fn send_anything(&mut self, command: &[u8]) {
        let is_plain_session =
            self.session.as_ref().is_some_and(|session| !session.is_closed() && session.level().byte() == 0);
        let response = self.send(command);
        let is_refusal = matches!(
            response.status().class(),
            StatusClass::ExecutionError | StatusClass::CheckingError | StatusClass::WrongLe { .. }
        );
        assert!(!is_refusal || response.data().is_empty());
        if let [class, instruction, ..] = command {
            let needs_session = matches!(instruction, 0x82 | 0xD8 | 0xE2 | 0xF2);
            let is_status = *instruction == 0xF2 && class & 0x04 == 0 && self.may_be_plain;
            assert!(!needs_session || is_status || response.status() != StatusWord::OK);
        }
        // SELECT, INITIALIZE UPDATE or a command that did not verify may have ended it; an EXTERNAL AUTHENTICATE did.
        self.session = self.session.take().filter(|_| is_plain_session && is_harmless(command, &response));
    }

    fn open(
        &mut self,
        level: Option<P::Level>,
        initialise: &impl Fn([u8; 8], &[u8], usize) -> Option<Initialised<P>>,
    ) {
        let Some(level) = level else { return };
        (self.session, self.may_be_plain) = (None, false);
        let answer = self.send(b"\x80\x50\x00\x00\x08hostchal\x00");
        let Some(initialised) = initialise(*b"hostchal", answer.data(), self.keys) else {
            assert_ne!(answer.status(), StatusWord::OK);
            return;
        };
        let waiting = initialised.verify_card().unwrap().external_authenticate(level);
        let answer = self.send(waiting.command().encode().expose_bytes());
        self.session = Some(waiting.confirm(answer).expect("the right keys"));
        self.may_be_plain = level.byte() == 0;
    }

    fn open_with_other_keys(
        &mut self,
        initialise: &impl Fn([u8; 8], &[u8], usize) -> Option<Initialised<P>>,
    ) {
        (self.session, self.may_be_plain) = (None, false);
        let answer = self.send(b"\x80\x50\x00\x00\x08hostchal\x00");
        let Some(initialised) = initialise(*b"hostchal", answer.data(), 3 - self.keys) else { return };
        assert!(initialised.verify_card().is_err());
        let answer =
            self.send(&[0x84, 0x82, 0x01, 0x00, 0x10, 1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(answer.status(), StatusWord::NO_INFORMATION_CHANGED);
    }

    /// Sends a command in the session; the answer must verify.
    fn exchange(&mut self, command: &CommandApdu) -> Option<ResponseApdu> {
        let mut session = self.session.take()?;
        let opened = match session.wrap(command) {
            Ok(wrapped) => {
                let response = self.send(wrapped.command.encode().expose_bytes());
                // At level 00 the command may have been one that ends or begins a session, or that announces a MAC.
                Some(wrapped.reply.open(response).expect("the card's own answer"))
            }
            Err(_) => None,
        };
        let ends = matches!(command.header().instruction.byte(), 0xA4 | 0x50 | 0x82);
        self.session = Some(session).filter(|session| !session.is_closed() && !ends);
        if opened.as_ref().is_some_and(|opened| opened.status() == StatusWord::OK) {
            self.reach = Reach::Held;
        }
        opened
    }

    fn send_with_wrong_bit(&mut self, command: &CommandApdu, place: usize) {
        let Some(mut session) = self.session.take().filter(|session| session.level().byte() != 0) else {
            return;
        };
        let Ok(wrapped) = session.wrap(command) else { return };
        let mut bytes = wrapped.command.encode().expose_bytes().to_vec();
        // In P1, P2, the data or the MAC; class and instruction could make it another command.
        let text: Vec<usize> = [2, 3].into_iter().chain(5..5 + wrapped.command.expose_data().len()).collect();
        bytes[text[place / 8 % text.len()]] ^= 1 << (place % 8);
        let status = self.send(&bytes).status();
        assert!(matches!(status, StatusWord::SM_OBJECT_WRONG | StatusWord::CONDITIONS_OF_USE), "{status}");
    }

    fn put_other_keys(&mut self, replaced: u8, version: u8) {
        let Some(version) = KeyVersion::new(version) else { return };
        let Some(session) = &self.session else { return };
        let Ok(data_key) = session.data_key() else { return };
        let wrapped = [3, 4, 5].map(|n| {
            let bytes = &KEYS[n];
            match data_key.block_len() {
                8 => data_key.wrap(&PlainKey::Tdea(&TdeaKey::from(*bytes))),
                _ => data_key.wrap(&PlainKey::Aes(&AesKey::try_from(&bytes[..]).unwrap())),
            }
            .unwrap()
        });
        let Ok(command) = put_key(KeyVersion::new(replaced), version, 0x01, &wrapped) else { return };
        let is_first = replaced == 1 && self.keys == 0;
        let answer = self.exchange(&command);
        if is_first && answer.is_some_and(|answer| answer.status() == StatusWord::OK) {
            self.keys = 3;
        }
    }
}

/// A command of class 80.
fn session_command(input: &mut Input<'_>) -> CommandApdu {
    let instruction = input.one_of(&[0xE2, 0xD8, 0xF2, 0xCA, 0x50, 0xEE]);
    let [p1, p2] = input.array();
    let header = Header::try_from([0x80, instruction, p1, p2]).unwrap();
    CommandApdu::new(header).with_data(input.counted()).unwrap()
}

/// Whether a session at level 00 outlives the command.
fn is_harmless(command: &[u8], response: &ResponseApdu) -> bool {
    matches!(command, [0x00 | 0x80, 0xF2 | 0xCA | 0xE2 | 0xD8 | 0xEE, ..])
        && response.status() != StatusWord::SECURITY_STATUS
}
