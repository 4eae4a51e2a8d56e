//! Both sides against each other over a line that loses, repeats and reorders, with crashes in the middle of everything.

use std::collections::HashSet;

use cardroot_keyblock::csm::{
    Agreement, DataKeyForm, DataKeyNames, Event, MemoryStore, NewKeys, Party, State, StateStore,
};
use cardroot_keyblock::smid::csm::{Class, Csm, Field, KeyId};
use cardroot_keyblock::tdea_keys::Kek;

use crate::{FORMS, MASTER, Seeded, agreement, id};

/// A store that a crash hits before or after it has written.
#[derive(Debug, Default)]
struct Crashing {
    memory: MemoryStore,
    crash: Option<Moment>,
}

#[derive(Clone, Copy, Debug)]
enum Moment {
    Before,
    After,
}

#[derive(Debug, thiserror::Error)]
#[error("the power is gone")]
struct Crash;

impl StateStore for Crashing {
    type Error = Crash;

    fn replace(&mut self, state: &State) -> Result<(), Crash> {
        let crash = self.crash.take();
        if matches!(crash, Some(Moment::Before)) {
            return Err(Crash);
        }
        let Ok(()) = self.memory.replace(state);
        crash.map_or(Ok(()), |_| Err(Crash))
    }
}

struct Side {
    agreement: Agreement,
    store: Crashing,
    /// Key on top and count of each KSM that left.
    sent: HashSet<(Option<KeyId>, u64)>,
    /// Texts that were accepted.
    accepted: HashSet<String>,
    /// Key on top and count of each KSM that was accepted.
    accepted_counts: HashSet<(Option<KeyId>, u64)>,
}

/// Key on top and count of a KSM.
fn count_of(text: &str) -> Option<(Option<KeyId>, u64)> {
    let csm = Csm::decode(text.as_bytes()).unwrap();
    let under = csm.fields().find_map(|field| match field {
        Field::KkPair(key) | Field::Kd(key) => Some(key.under),
        _ => None,
    })?;
    (csm.class() == Class::Ksm).then(|| (under, csm.count_p().unwrap().value()))
}

impl Side {
    fn new(own: &str, peer: &str, form: DataKeyForm) -> Self {
        let mut agreement = agreement(own, peer, form);
        (agreement.adjustments, agreement.greatest_adjustment) = (u8::MAX, u64::MAX);
        let mut party = Party::new(agreement, State::default(), Crashing::default()).unwrap();
        party.install_kek(id("M1"), Kek::from_key(MASTER.into())).unwrap();
        let store = party.into_store();
        Self {
            agreement,
            store,
            sent: HashSet::new(),
            accepted: HashSet::new(),
            accepted_counts: HashSet::new(),
        }
    }

    /// Runs one step of the party, which begins again from what is durable, as after a crash, and may crash itself.
    fn step<T, E>(
        &mut self,
        crash: Option<Moment>,
        act: impl FnOnce(&mut Party<&mut Crashing>) -> Result<T, E>,
    ) -> Option<T> {
        let before = self.state().duplicate();
        self.store.crash = crash;
        let party = &mut Party::new(self.agreement, before.duplicate(), &mut self.store).unwrap();
        let done = act(party).ok();
        self.store.crash = None;
        // What is durable never goes back, whether or not the step came to its end.
        for old in &before.keks {
            if let Some(new) = self.state().keks.iter().find(|kek| kek.serial == old.serial) {
                assert!(new.send >= old.send && new.expect >= old.expect, "{old:?} became {new:?}");
            }
        }
        done
    }

    fn send(&mut self, crash: Option<Moment>, rng: &mut Seeded, generation: usize) -> Option<String> {
        let keys = match rng.below(4) {
            0 => NewKeys { under: id("M1"), ..NewKeys::new(DataKeyNames::One(id("A"))) },
            1 => NewKeys {
                under: id("M1"),
                kek: id(&format!("K{generation}")),
                ..NewKeys::new(DataKeyNames::Two(id("A"), id("B")))
            },
            2 => NewKeys {
                under: id(&format!("K{generation}")),
                iv: Some([3; 8].into()),
                ..NewKeys::new(DataKeyNames::Two(id("B"), id("C")))
            },
            _ => NewKeys { under: id("M1"), ..NewKeys::new(DataKeyNames::Two(id("A"), id("B"))) },
        };
        let text = self.step(crash, |party| party.send_keys(&keys, rng))?;
        // A message has left only if this returned: its count must be new, for ever. Names of pairs are given anew, so they are left out.
        let key = count_of(&text).unwrap();
        assert!(key.0 != id("M1") || self.sent.insert(key), "{text}");
        Some(text)
    }

    fn receive(&mut self, crash: Option<Moment>, text: &str) -> (Option<Event>, Option<String>) {
        let master = self.state().keks.iter().find(|kek| kek.name == id("M1")).unwrap();
        let expected = master.expect.unwrap().value();
        let Some(outcome) = self.step(crash, |party| party.receive(text.as_bytes())) else {
            return (None, None);
        };
        if matches!(outcome.event, Event::KeysReceived(_)) {
            assert!(self.accepted.insert(text.to_owned()), "accepted twice: {text}");
            let key = count_of(text).unwrap();
            assert!(key.0 != id("M1") || self.accepted_counts.insert(key), "{text}");
            assert!(key.0 != id("M1") || key.1 >= expected, "{text}");
        }
        (Some(outcome.event), outcome.reply)
    }

    fn state(&self) -> &State {
        self.store.memory.state.as_ref().unwrap()
    }
}

fn moment(rng: &mut Seeded) -> Option<Moment> {
    match rng.below(12) {
        0 => Some(Moment::Before),
        1 => Some(Moment::After),
        _ => None,
    }
}

/// Runs `steps` steps and returns how many KSMs were accepted and acknowledged.
fn run(form: DataKeyForm, seed: u64, steps: usize) -> [usize; 3] {
    let mut rng = Seeded(seed);
    let mut sides = [Side::new("BANKA", "BANKB", form), Side::new("BANKB", "BANKA", form)];
    let mut line: Vec<(usize, String)> = Vec::new();
    let [mut accepted, mut acknowledged, mut adjusted] = [0; 3];
    for step in 0..steps {
        if line.is_empty() || rng.one_in(4) {
            let side = rng.below(2);
            let crash = moment(&mut rng);
            let message = match rng.below(8) {
                0 => sides[side].step(crash, |party| party.discontinue(&[id("B")], id("A"))),
                1 => sides[side].step(crash, |party| {
                    party.abandon_sent_keys().map(|()| party.request_keys(Default::default()))
                }),
                2 => sides[side].step(None, |party| party.repeat_discontinuation().ok_or(Crash)),
                _ => sides[side].send(crash, &mut rng, step / 400),
            };
            line.extend(message.map(|text| (1 - side, text)));
            continue;
        }
        let at = rng.below(line.len());
        let (to, text) = if rng.one_in(6) { line[at].clone() } else { line.swap_remove(at) };
        if rng.one_in(6) {
            continue;
        }
        let crash = moment(&mut rng);
        let (event, reply) = sides[to].receive(crash, &text);
        match event {
            Some(Event::KeysReceived(_)) => accepted += 1,
            Some(Event::KeysAcknowledged { .. }) => acknowledged += 1,
            Some(Event::CountAdjusted { .. }) => adjusted += 1,
            _ => {}
        }
        line.extend(reply.map(|text| (1 - to, text)));
        if step % 64 == 0 {
            for side in &mut sides {
                side.step(None, |party| party.forget_archive()).unwrap();
            }
        }
    }
    agree_after_quiet(&mut sides, &mut rng);
    [accepted, acknowledged, adjusted]
}

/// Once nothing is lost any more, one exchange, or two if the count has to move, makes the keys of both sides agree.
fn agree_after_quiet(sides: &mut [Side; 2], rng: &mut Seeded) {
    for side in &mut *sides {
        side.step(None, |party| party.abandon_sent_keys()).unwrap();
    }
    let names = DataKeyNames::Two(id("A"), id("B"));
    let keys = NewKeys { under: id("M1"), kek: id("LAST"), ..NewKeys::new(names) };
    let [a, b] = sides;
    for _ in 0..2 {
        let text = a.step(None, |party| party.send_keys(&keys, rng)).unwrap();
        let (_, reply) = b.receive(None, &text);
        if let (Some(Event::KeysAcknowledged { .. }), _) = a.receive(None, &reply.unwrap()) {
            break;
        }
    }
    assert!(a.state().sent_keys.is_none());
    for name in [id("A"), id("B")] {
        let [one, other] =
            [&*a, &*b].map(|side| side.state().data_keys.iter().find(|key| key.name == name).unwrap());
        assert!(one.key.ct_eq(&other.key) && one.purpose == other.purpose);
    }
    let [one, other] =
        [&*a, &*b].map(|side| side.state().keks.iter().find(|kek| kek.name == id("LAST")).unwrap());
    assert!(one.kek.ct_eq(&other.kek) && one.send == other.expect && one.expect == other.send);
}

#[test]
fn counts_never_repeat_and_nothing_is_accepted_twice_whatever_happens() {
    let mut total = [0; 3];
    for form in FORMS {
        for seed in 0..6 {
            let counts = run(form, seed, 4000);
            total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
        }
    }
    let [accepted, acknowledged, adjusted] = total;
    println!("{accepted} messages accepted, {acknowledged} acknowledged, {adjusted} counts adjusted");
    assert!(accepted > 2500 && acknowledged > 1200 && adjusted > 0);
}

/// `cargo test --release -p cardroot-keyblock --features csm --test csm -- --ignored --nocapture`
#[test]
#[ignore = "a minute or more in release"]
fn counts_never_repeat_in_a_long_run() {
    let mut total = [0; 3];
    for seed in 100..400 {
        let counts = run(FORMS[seed as usize % 3], seed, 10_000);
        total.iter_mut().zip(counts).for_each(|(total, count)| *total += count);
    }
    println!("{total:?} accepted, acknowledged, adjusted");
    assert!(total[0] > 100_000);
}
