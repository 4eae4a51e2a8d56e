//! Cryptographic service messages and the exchange of keys by them.

use std::collections::HashSet;

use keyblock::csm::{
    Agreement, DataKeyForm, DataKeyNames, Event, MemoryStore, NewKeys, Party, Refusal, State,
};
use keyblock::smid::csm::{Count, Csm, Draft, Service, ServiceRequest, Strictness, check, peek};
use keyblock::tdea_keys::Kek;

use crate::Reach;
use crate::input::Input;
use crate::rng::SeededRng;

/// Any bytes are a message or an error with a place in them, read strictly or leniently; what is read strictly is written as it was, what is
/// read leniently is read strictly once written; a code covers what it should.
pub fn csm_decode_is_total(data: &[u8]) -> Reach {
    let mut reach = Reach::Refused;
    for strictness in [Strictness::Strict, Strictness::Lenient] {
        let peeked = peek(data, strictness);
        match Csm::read(data, strictness) {
            Err(error) => assert!(error.offset <= data.len()),
            Ok(csm) => {
                reach = Reach::Held;
                let strict = csm.rewrite();
                assert!(strictness == Strictness::Lenient || strict.as_bytes() == data);
                assert_eq!(Csm::decode(strict.as_bytes()).unwrap().rewrite(), strict);
                let mut draft = Draft::new(csm.class());
                csm.fields().skip(1).for_each(|field| draft.push(field).unwrap());
                assert_eq!(draft.finish(), strict);
                if let Some((class, receiver, originator)) = peeked {
                    let named = (Some(receiver), Some(originator));
                    assert_eq!((class, named), (csm.class(), (csm.receiver(), csm.originator())));
                }
                if let Some(range) = csm.coverage() {
                    assert!(data[range.clone()].starts_with(b"MCL/"));
                    assert!(data[range.end..].starts_with(b"MAC/") || data[range.end..].starts_with(b"EDC/"));
                }
                let findings = check(&csm);
                assert!(findings.len() <= 64 + data.len() / 4);
            }
        }
    }
    reach
}

/// Whatever two parties do and whatever reaches them, of each other, from before or from anybody, neither panics, no count leaves twice,
/// and none is accepted twice; at rest one exchange makes their keys agree.
///
/// Input: form of the keys, seed; then steps, one byte each, and what they need.
pub fn csm_exchange_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let forms = [DataKeyForm::SingleDes, DataKeyForm::DoubleCbcMac, DataKeyForm::DoubleRetailMac];
    let form = input.one_of(&forms);
    let mut rng = SeededRng::new(input.byte().into());
    let mut sides = [Side::new("BANKA", "BANKB", form), Side::new("BANKB", "BANKA", form)];
    let mut line: Vec<(usize, String)> = Vec::new();
    let mut accepted = 0;
    // A long input would only be slow.
    for _ in 0..16 {
        if input.is_empty() {
            break;
        }
        let own = input.below(2);
        let side = &mut sides[own];
        let message = match input.below(8) {
            0 | 1 => side.send(&mut input, &mut rng),
            2 => {
                let name = input.one_of(&[None, Side::name("A"), Side::name("B"), Side::name("K2")]);
                side.party.discontinue(&[name], Side::name("A")).ok()
            }
            3 => Some(side.party.request_keys(ServiceRequest::from_iter([input.one_of(&Service::ALL)]))),
            4 => {
                // Anybody's bytes, and an old message with one character changed.
                let text = match line.get(input.below(16)) {
                    Some((_, old)) => {
                        let mut text = old.clone().into_bytes();
                        let at = input.below(256) % text.len();
                        text[at] = input.byte();
                        text
                    }
                    None => input.counted().to_vec(),
                };
                accepted += usize::from(side.receive(&text).0);
                None
            }
            _ => {
                let Some((to, text)) = line.get(input.below(16)).cloned() else { continue };
                let (new, reply) = sides[to].receive(text.as_bytes());
                accepted += usize::from(new);
                reply.map(|text| (1 - to, text)).into_iter().for_each(|message| line.insert(0, message));
                None
            }
        };
        message.into_iter().for_each(|text| line.insert(0, (1 - own, text)));
    }
    settle(sides, &mut rng);
    if accepted > 0 { Reach::Held } else { Reach::Refused }
}

/// Serial number, count to send, count expected, adjustments.
type KekShape = (u64, Option<Count>, Option<Count>, u8);

struct Side {
    party: Party<MemoryStore>,
    sent: HashSet<(u64, Count)>,
    accepted: HashSet<(u64, Count)>,
}

impl Side {
    fn name(name: &str) -> Option<keyblock::smid::csm::KeyId> {
        name.parse().ok()
    }

    fn new(own: &str, peer: &str, form: DataKeyForm) -> Self {
        let agreement = Agreement::new(own.parse().unwrap(), peer.parse().unwrap(), form);
        let mut party = Party::new(agreement, State::default(), MemoryStore::default()).unwrap();
        Self::install(&mut party, "M1", 0x0123456789ABCDEF_FEDCBA9876543210);
        Self { party, sent: HashSet::new(), accepted: HashSet::new() }
    }

    fn install(party: &mut Party<MemoryStore>, name: &str, kek: u128) {
        party.install_kek(Self::name(name), Kek::from_key(kek.to_be_bytes().into())).unwrap();
    }

    fn send(&mut self, input: &mut Input<'_>, rng: &mut SeededRng) -> Option<String> {
        let names = match input.below(3) {
            0 => DataKeyNames::One(Self::name("A")),
            1 => DataKeyNames::Two(Self::name("A"), Self::name("B")),
            _ => DataKeyNames::Two(Self::name("B"), Self::name("C")),
        };
        let under = input.one_of(&[Self::name("M1"), Self::name("K2")]);
        let kek = if input.coin() { Self::name("K2") } else { None };
        let iv = input.coin().then(|| [7; 8].into());
        let text = self.party.send_keys(&NewKeys { under, kek, iv, ..NewKeys::new(names) }, rng).ok()?;
        let sent = self.party.state().sent_keys.as_ref().unwrap();
        assert!(self.sent.insert((sent.top, sent.count)), "a count left twice");
        Some(text)
    }

    /// Counts, and how many keys there are of each kind: what no refusal may change.
    fn shape(&self) -> (Vec<KekShape>, [usize; 2], [bool; 2]) {
        let state = self.party.state();
        let keks = state.keks.iter().map(|kek| (kek.serial, kek.send, kek.expect, kek.adjustments)).collect();
        let open = [state.sent_keys.is_some(), state.sent_discontinuation.is_some()];
        (keks, [state.data_keys.len(), state.archive.len()], open)
    }

    /// Whether keys were accepted, and the answer.
    fn receive(&mut self, text: &[u8]) -> (bool, Option<String>) {
        let before = self.shape();
        let outcome = self.party.receive(text).unwrap();
        if let Some(reply) = &outcome.reply {
            assert_eq!(check(&Csm::decode(reply.as_bytes()).unwrap()), []);
        }
        // Only an answer in time or a new message changes anything.
        if let Event::Refused(refusal) = &outcome.event {
            assert_eq!(self.shape(), before);
            assert!(*refusal != Refusal::Misrouted || outcome.reply.is_none());
        }
        let Event::KeysReceived(received) = &outcome.event else { return (false, outcome.reply) };
        let moved = before.0.iter().find(|(serial, _, expect, _)| {
            self.party.state().keks.iter().any(|kek| kek.serial == *serial && kek.expect != *expect)
        });
        // A pair that took the place of the one on top would have left the list; none can.
        let (serial, _, expect, _) = moved.unwrap();
        assert!(expect.unwrap() <= received.count);
        assert!(self.accepted.insert((*serial, received.count)), "a count was accepted twice");
        (true, outcome.reply)
    }
}

/// Without a line that loses anything, under a new pair, the keys agree.
fn settle([mut a, mut b]: [Side; 2], rng: &mut SeededRng) {
    for side in [&mut a, &mut b] {
        Side::install(&mut side.party, "M2", 0x1315191C2325292A_3132343738F1F2F4);
        side.party.abandon_sent_keys().unwrap();
    }
    let names = DataKeyNames::Two(Side::name("A"), Side::name("B"));
    let keys = NewKeys { under: Side::name("M2"), ..NewKeys::new(names) };
    let ksm = a.party.send_keys(&keys, rng).unwrap();
    let (accepted, reply) = b.receive(ksm.as_bytes());
    assert!(accepted);
    let outcome = a.party.receive(reply.unwrap().as_bytes()).unwrap();
    assert!(matches!(outcome.event, Event::KeysAcknowledged { .. }));
    for name in ["A", "B"].map(Side::name) {
        let key = |side: &Side| {
            side.party.state().data_keys.iter().find(|key| key.name == name).unwrap().key.duplicate()
        };
        assert!(key(&a).ct_eq(&key(&b)));
    }
}
