//! The fixed transaction key method.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report")]

mod common;

use core::time::Duration;

use cardroot_keyblock::components::{
    Ceremony, CustodianName, KeyComponent, KeyLabel, Outcome, Parity, Parts, Plan, Step, TdeaComponent,
};
use cardroot_keyblock::methods::{
    Event, FixedKeys, KeyName, KeyReference, KeySet, Loaded, MethodError, NotLoaded, Origin, PartyId,
    RestoreError, Stage, StorageKey, TdeaCmac, TdeaRetail,
};
use cardroot_keyblock::tdea::{KcvMethod, KeyLength, Padding, StrengthError, TdeaKey};
use cardroot_keyblock::tdea_keys::{DataKey, PinKey, RetailMacKey};
use cardroot_keyblock::{BlockKey, Usage};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

use common::{hex, opened, to_hex};

const NOW: Duration = Duration::from_secs(1_700_000_000);
const OVERLAP: Duration = Duration::from_secs(600);

type Host = FixedKeys<TdeaRetail>;

fn host() -> Host {
    FixedKeys::new(OVERLAP)
}

fn party(name: &str) -> PartyId {
    PartyId::try_from(name.as_bytes()).unwrap()
}

fn name(name: &str) -> KeyName {
    KeyName::try_from(name.as_bytes()).unwrap()
}

fn fresh() -> TdeaKey {
    TdeaKey::generate(KeyLength::Double, &mut UnwrapErr(SysRng))
}

fn loaded<K: BlockKey<Base = TdeaKey>>(key: TdeaKey) -> Loaded<K> {
    Loaded::from(opened(K::from_base(key)))
}

fn pin_and_mac() -> KeySet<TdeaRetail> {
    KeySet::new().with_pin(loaded(fresh())).with_mac(loaded(fresh()))
}

/// A host whose terminal has current keys.
fn host_with(terminal: PartyId, keys: KeySet<TdeaRetail>) -> Host {
    let mut host = host();
    let number = host.replace(terminal, None, keys).unwrap().written();
    host.confirm(terminal, number, NOW).unwrap().written();
    host
}

/// Enters two components and ends the ceremony.
fn ceremony(seed: u8) -> Outcome {
    let plan = Plan::<TdeaKey> {
        label: KeyLabel::new("TERM0001 PIN").unwrap(),
        length: KeyLength::Double,
        parts: Parts::try_from(2).unwrap(),
        parity: Parity::Keep,
        method: KcvMethod::TdeaZeros,
        kcv_len: 3,
        expected: None,
    };
    let component = |step: u8| -> TdeaComponent {
        KeyComponent::from_fill(KeyLength::Double, |bytes| {
            (0..)
                .zip(bytes)
                .for_each(|(at, byte): (u8, _)| *byte = seed.wrapping_mul(step) ^ at.wrapping_mul(step));
        })
    };
    let enter = |ceremony: Ceremony, who: &str, step| {
        ceremony.enter(CustodianName::new(who).unwrap(), component(step), None)
    };
    let Step::Taken(open) = enter(Ceremony::plan(plan).unwrap(), "Anna", 29) else {
        panic!("one is missing")
    };
    let Step::Complete(complete) = enter(open, "Boris", 113) else { panic!("it was the last") };
    complete.confirm()
}

#[test]
fn keys_serve_when_they_are_confirmed_and_not_before() {
    let (mut host, terminal) = (host(), party("TERM0001"));
    assert_eq!(host.outgoing(terminal).unwrap_err(), MethodError::UnknownParty(terminal));

    let change = host.replace(terminal, None, pin_and_mac()).unwrap();
    assert_eq!(change.records().len(), 1);
    assert_eq!((change.records()[0].event, change.records()[0].keys.len()), (Event::Proposed, 2));
    let number = change.written();
    assert_eq!(host.outgoing(terminal).unwrap_err(), MethodError::NoCurrentKey);
    let stages: Vec<Stage> =
        host.incoming(terminal, KeyReference::Implicit, NOW).unwrap().map(|(stage, _)| stage).collect();
    assert_eq!(stages, [Stage::Pending]);

    host.confirm(terminal, number, NOW).unwrap().written();
    assert_eq!(host.outgoing(terminal).unwrap().number(), number);
    assert_eq!(host.confirm(terminal, number, NOW).unwrap_err(), MethodError::NotPending { number });
}

#[test]
fn a_change_that_is_not_written_has_not_happened() {
    let (mut host, terminal) = (host(), party("TERM0001"));
    let key = fresh();
    drop(host.replace(terminal, None, KeySet::new().with_mac(loaded(key.duplicate()))).unwrap());
    assert_eq!(host.terminals().count(), 0);
    host.replace(terminal, None, KeySet::new().with_mac(loaded(key))).unwrap().written();
}

#[test]
fn both_sides_load_by_ceremony_and_understand_each_other() {
    let terminal = party("TERM0001");
    let [mut host, mut device] = [host(), host()];
    for node in [&mut host, &mut device] {
        let (pin, mac) = (ceremony(0x3B), ceremony(0x5E));
        let (pin, mac) = (Loaded::from_ceremony(pin).unwrap(), Loaded::from_ceremony(mac).unwrap());
        let keys = KeySet::new().with_pin(pin).with_mac(mac);
        let change = node.replace(terminal, None, keys).unwrap();
        assert!(change.records()[0].keys.iter().all(|key| key.origin == Origin::Ceremony));
        let number = change.written();
        node.confirm(terminal, number, NOW).unwrap().written();
    }
    let [at_host, at_device] = [&host, &device].map(|node| node.outgoing(terminal).unwrap().keys());
    assert!(at_host.pin().unwrap().ct_eq(at_device.pin().unwrap()));
    let mac = at_device.mac().unwrap().mac(Padding::Zeros, b"0200").unwrap();
    at_host.mac().unwrap().verify_mac(Padding::Zeros, b"0200", mac.as_bytes()).unwrap();
    assert!(at_host.data().is_none());
}

#[test]
fn a_ceremony_without_a_key_and_a_record_of_another_key_load_nothing() {
    let foreign = Outcome { key: Ok(fresh()), record: ceremony(0x3B).record };
    assert_eq!(Loaded::<PinKey>::from_ceremony(foreign).unwrap_err(), NotLoaded::Record);

    let (made, other) = (ceremony(0x3B), ceremony(0x5E));
    let swapped = Outcome { key: made.key, record: other.record };
    assert_eq!(Loaded::<PinKey>::from_ceremony(swapped).unwrap_err(), NotLoaded::Record);

    // A ceremony makes no weak key; a forged outcome is judged all the same.
    let degenerate = TdeaKey::from([0x25; 16]);
    let kcv = degenerate.kcv();
    let mut record = ceremony(0x3B).record;
    record.verdict = cardroot_keyblock::components::Verdict::Made { kcv };
    let weak = Loaded::<PinKey>::from_ceremony(Outcome { key: Ok(degenerate), record }).unwrap_err();
    assert!(matches!(weak, NotLoaded::Strength(StrengthError::PartsEqual { .. })));
}

#[test]
fn keys_are_replaced_as_a_whole_or_not_at_all() {
    let terminal = party("TERM0001");
    let mut host = host_with(terminal, pin_and_mac());
    let only_pin = KeySet::new().with_pin(loaded(fresh()));
    let refused = host.replace(terminal, None, only_pin).unwrap_err();
    assert_eq!(refused, MethodError::Partial { missing: Usage::MAC_3 });
    assert_eq!(
        host.replace(terminal, None, KeySet::new()).unwrap_err(),
        MethodError::Partial { missing: Usage::PIN_ENCRYPTION }
    );
    assert_eq!(self::host().replace(terminal, None, KeySet::new()).unwrap_err(), MethodError::Empty);
    host.replace(terminal, None, pin_and_mac().with_data(loaded(fresh()))).unwrap().written();
}

#[test]
fn a_key_that_was_here_before_is_refused_wherever_and_whenever_it_comes() {
    let terminal = party("TERM0001");
    let key = fresh();
    let again = || key.duplicate();
    let mut host = host_with(terminal, KeySet::new().with_mac(loaded(again())));

    // For the same purpose, for another one, for another terminal, with other parity bits.
    let mac = || KeySet::new().with_mac(loaded::<RetailMacKey>(again()));
    let pin = KeySet::new().with_pin(loaded(again())).with_mac(loaded(fresh()));
    assert_eq!(host.replace(terminal, None, mac()).unwrap_err(), MethodError::NotNew);
    assert_eq!(host.replace(terminal, None, pin).unwrap_err(), MethodError::NotNew);
    assert_eq!(host.replace(party("TERM0002"), None, mac()).unwrap_err(), MethodError::NotNew);
    let other_parity = TdeaKey::from_fill(KeyLength::Double, |out| {
        out.iter_mut().zip(again().expose_bytes()).for_each(|(out, byte)| *out = byte ^ 1);
    });
    let other_parity = KeySet::new().with_mac(loaded(other_parity));
    assert_eq!(host.replace(terminal, None, other_parity).unwrap_err(), MethodError::NotNew);

    // One key for two purposes of one set.
    let twice = KeySet::new().with_mac(loaded(fresh()));
    let shared = fresh();
    let twice = twice.with_pin(loaded(shared.duplicate())).with_data(loaded::<DataKey>(shared));
    assert_eq!(host.replace(terminal, None, twice).unwrap_err(), MethodError::NotNew);

    // After it was replaced, after its terminal was retired.
    for _ in 0..3 {
        let number = host.replace(terminal, None, pin_and_mac()).unwrap().written();
        host.confirm(terminal, number, NOW).unwrap().written();
    }
    assert_eq!(
        host.replace(terminal, None, mac().with_pin(loaded(fresh()))).unwrap_err(),
        MethodError::NotNew
    );
    host.retire(terminal).unwrap().written();
    assert_eq!(host.replace(terminal, None, mac()).unwrap_err(), MethodError::NotNew);
}

#[test]
fn messages_in_flight_are_verified_until_the_overlap_is_over_and_then_the_key_is_destroyed() {
    let terminal = party("TERM0001");
    let mut host = host_with(terminal, pin_and_mac());
    let number = host.replace(terminal, None, pin_and_mac()).unwrap().written();
    host.confirm(terminal, number, NOW).unwrap().written();

    let previous = |host: &Host, now| {
        let mut serving = host.incoming(terminal, KeyReference::Implicit, now).unwrap();
        serving.any(|(stage, _)| stage == Stage::Previous)
    };
    let last = NOW + OVERLAP - Duration::from_nanos(1);
    assert!(previous(&host, last) && !previous(&host, NOW + OVERLAP));

    assert!(host.expire(terminal, last).unwrap().records().is_empty());
    let change = host.expire(terminal, NOW + OVERLAP).unwrap();
    assert_eq!((change.records()[0].event, change.records()[0].number), (Event::Destroyed, 1));
    change.written();
    assert!(!previous(&host, NOW));
}

#[test]
fn the_next_replacement_destroys_what_still_overlaps() {
    let terminal = party("TERM0001");
    let mut host = host_with(terminal, pin_and_mac());
    for expected in [vec![], vec![1], vec![2]] {
        let number = host.replace(terminal, None, pin_and_mac()).unwrap().written();
        let change = host.confirm(terminal, number, NOW).unwrap();
        let destroyed = change.records().iter().filter(|record| record.event == Event::Destroyed);
        assert_eq!(destroyed.map(|record| record.number).collect::<Vec<_>>(), expected);
        change.written();
    }
}

#[test]
fn a_message_means_its_key_by_name_or_by_terminal() {
    let terminal = party("TERM0001");
    let (old, new) = (name("KEY-1"), name("KEY-2"));
    let mut host = host();
    let number = host.replace(terminal, Some(old), pin_and_mac()).unwrap().written();
    host.confirm(terminal, number, NOW).unwrap().written();
    assert_eq!(host.replace(terminal, Some(old), pin_and_mac()).unwrap_err(), MethodError::NameInUse);
    host.replace(terminal, Some(new), pin_and_mac()).unwrap().written();

    let meant = |reference| -> Vec<_> {
        let found = host.incoming(terminal, reference, NOW).unwrap();
        found.map(|(stage, version)| (stage, version.number())).collect()
    };
    assert_eq!(meant(KeyReference::Named(old)), [(Stage::Current, 1)]);
    assert_eq!(meant(KeyReference::Named(new)), [(Stage::Pending, 2)]);
    assert_eq!(meant(KeyReference::Named(name("KEY-3"))), []);
    assert_eq!(meant(KeyReference::Implicit), [(Stage::Current, 1), (Stage::Pending, 2)]);
}

#[test]
fn one_replacement_is_pending_at_a_time_and_can_be_given_up() {
    let terminal = party("TERM0001");
    let mut host = host_with(terminal, pin_and_mac());
    host.replace(terminal, None, pin_and_mac()).unwrap().written();
    assert_eq!(host.replace(terminal, None, pin_and_mac()).unwrap_err(), MethodError::Pending { number: 2 });
    assert_eq!(host.withdraw(terminal, 1).unwrap_err(), MethodError::NotPending { number: 1 });
    let change = host.withdraw(terminal, 2).unwrap();
    assert_eq!(change.records()[0].event, Event::Withdrawn);
    change.written();
    assert_eq!(host.outgoing(terminal).unwrap().number(), 1);
    assert_eq!(host.replace(terminal, None, pin_and_mac()).unwrap().written(), 3);
}

#[test]
fn a_state_comes_back_as_it_was_and_only_where_it_belongs() {
    let storage = StorageKey::generate(&mut UnwrapErr(SysRng));
    let terminal = party("TERM0001");
    let (old, key) = (fresh(), fresh());
    let mut host = host_with(terminal, KeySet::new().with_mac(loaded(old.duplicate())));
    let number =
        host.replace(terminal, Some(name("K")), KeySet::new().with_mac(loaded(key))).unwrap().written();
    host.confirm(terminal, number, NOW).unwrap().written();
    let change = host.replace(terminal, None, pin_and_mac()).unwrap();
    let state = change.state(&storage);
    change.written();

    let mut back = self::host();
    back.restore(terminal, &state, &storage).unwrap();
    let view = |host: &Host| -> Vec<_> {
        let all = host.incoming(terminal, KeyReference::Implicit, NOW).unwrap();
        all.map(|(stage, version)| (stage, version.number(), version.name())).collect()
    };
    assert_eq!(view(&back), view(&host));
    assert_eq!(view(&back).len(), 3);
    let [was, is] = [&host, &back].map(|host| host.outgoing(terminal).unwrap().keys().mac().unwrap());
    assert!(was.ct_eq(is));
    // The history came along.
    back.withdraw(terminal, 3).unwrap().written();
    let again = KeySet::new().with_mac(loaded(old));
    assert_eq!(back.replace(terminal, None, again).unwrap_err(), MethodError::NotNew);

    assert_eq!(back.restore(terminal, &state, &storage).unwrap_err(), RestoreError::Occupied);
    let refused = |terminal: PartyId, state: &[u8], storage: &StorageKey| {
        assert_eq!(self::host().restore(terminal, state, storage).unwrap_err(), RestoreError::Refused);
    };
    refused(party("TERM0002"), &state, &storage);
    refused(terminal, &state, &StorageKey::from_fill(|key| key.fill(0x3C)));
    let mut other_suite = FixedKeys::<TdeaCmac>::new(OVERLAP);
    assert_eq!(other_suite.restore(terminal, &state, &storage).unwrap_err(), RestoreError::Refused);
    for at in 0..state.len() {
        let mut altered = state.clone();
        altered[at] ^= 1;
        refused(terminal, &altered, &storage);
        refused(terminal, &state[..at], &storage);
    }
}

#[test]
fn a_state_written_before_opens_and_is_written_alike_today() {
    let file = include_str!("data/fixed_keys_state.txt");
    let state = hex(file.lines().find(|line| !line.starts_with('#')).unwrap());
    let storage = StorageKey::from_fill(|key| key.fill(0x3C));
    let terminal = party("TERM0001");
    let [first, second, pin] = [0x11, 0x23, 0x35].map(|first| {
        move || TdeaKey::from(core::array::from_fn::<u8, 16, _>(|at| first + 7 * u8::try_from(at).unwrap()))
    });
    let mut host = host_with(terminal, KeySet::new().with_mac(loaded(first())));
    let both = KeySet::new().with_pin(loaded(pin())).with_mac(loaded(second()));
    let change = host.replace(terminal, Some(name("K")), both).unwrap();
    assert_eq!(to_hex(&change.state(&storage)), to_hex(&state));

    let mut back = self::host();
    back.restore(terminal, &state, &storage).unwrap();
    assert!(back.outgoing(terminal).unwrap().keys().mac().unwrap().expose_key().ct_eq(&first()));
    back.confirm(terminal, 2, NOW).unwrap().written();
    let confirmed = back.outgoing(terminal).unwrap();
    assert_eq!(confirmed.name(), Some(name("K")));
    assert!(confirmed.keys().mac().unwrap().expose_key().ct_eq(&second()));
    assert!(confirmed.keys().pin().unwrap().expose_key().ct_eq(&pin()));
}

#[test]
fn keys_of_two_acquirers_are_independent() {
    let [first, second] = ["ACQ-A", "ACQ-B"].map(party);
    let mut terminal = host_with(first, pin_and_mac());
    let number = terminal.replace(second, None, pin_and_mac()).unwrap().written();
    terminal.confirm(second, number, NOW).unwrap().written();
    terminal.retire(first).unwrap().written();
    assert_eq!(terminal.outgoing(first).unwrap_err(), MethodError::NoCurrentKey);
    assert!(terminal.outgoing(second).is_ok());
    assert!(terminal.terminals().eq([first, second]));
}

#[test]
fn names_have_bounds() {
    assert!(KeyName::try_from(&[][..]).is_err() && KeyName::try_from(&[0; 17][..]).is_err());
    assert_eq!(KeyName::try_from(&[0xA5; 16][..]).unwrap().as_bytes(), [0xA5; 16]);
    assert!(PartyId::try_from(&[0; 33][..]).is_err() && PartyId::try_from(&[0; 32][..]).is_ok());
    assert_eq!(format!("{:?}", party("T1")), "PartyId(5431)");
}
