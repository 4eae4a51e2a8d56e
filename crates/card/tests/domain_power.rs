//! Power that is cut at every write of a security domain: it comes up in the old or in the new state, no number of a session
//! and no try comes back, and keys that were replaced are gone.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use core::sync::atomic::Ordering;
use std::fs;

use apdu::commands::gp::{Confidentiality, Dgi, DgiFormat, Last, StoreData};
use apdu::secure::gp::{SecurityLevel, store_data};
use apdu::secure::scp02::{self, Scp02};
use apdu::secure::scp03::{self, Scp03};
use apdu::{CommandApdu, Header};
use cardroot_card::gp::{DomainKeys, DomainKeysError, DomainName, DomainProfile, SecurityDomain};
use cardroot_card::state::{CardStore, FileStore, MemoryStore, OpenError};
use cardroot_card::{Card, CardProfile, TransportKey};
use common::TestRng;
use common::domain::{Cut, Host, PROFILE, Side, copied, reopened, state, stored, version};
use common::power::{Failing, Moment, states_in, storage_key};
use tdea::{KeyLength, TdeaKey};

const LONG: [u8; 300] = [0x5A; 300];
const SECRET: [u8; 16] = *b"a secret content";

/// One block of plain groupings in a session of its own; it is not the last one.
fn store_block<P: Side>(host: &mut Host, fill: u8, data: &[u8]) -> Result<(), Cut> {
    let control = StoreData {
        last: Last::MoreToCome,
        confidentiality: Confidentiality::Plain,
        format: DgiFormat::Cps,
        block: 0,
    };
    let (mut card, _) = host.session::<P>(0, fill)?;
    card.transmit(&control.command(data)?)?.into_ok()?;
    Ok(())
}

/// Proofs right and wrong, keys added and replaced, data in one block and in many, broken off once.
fn life<P: Side>(host: &mut Host) -> Result<(), Cut> {
    assert_eq!(host.guess()?, 0x6300);
    host.session::<P>(1, 0x40)?;
    assert_eq!(host.guess()?, 0x6300);
    host.put_keys::<P>(0x40, None, 2, 0x42)?;
    host.put_keys::<P>(0x40, Some(1), 1, 0x44)?;
    store_block::<P>(host, 0x44, &[0x01, 0x01, 0x01, 0xAA])?;
    // The beginning of a grouping, which ends with its session.
    store_block::<P>(host, 0x44, &[0x01, 0x02, 0x02, 0xAA])?;
    host.domain().reset();
    let groupings = [
        Dgi { id: 0x0101, content: &LONG, confidentiality: Confidentiality::Plain },
        Dgi { id: 0x8000, content: &SECRET, confidentiality: Confidentiality::Encrypted },
    ];
    let (mut card, _) = host.session::<P>(2, 0x42)?;
    store_data(&mut card, &groupings, DgiFormat::Cps)?;
    host.session::<P>(1, 0x44)?;
    Ok(())
}

/// A life whose power goes at a write, the first one that of the factory; with all states that came into the store.
fn lived<P: Side>(cut: Option<(usize, Moment)>) -> (MemoryStore, Vec<Vec<u8>>) {
    let store = MemoryStore::new();
    let failing = Failing::on(&store, cut);
    let (states, switch) = (failing.states(), failing.switch());
    let ended = (|| life::<P>(&mut Host::make::<P>(failing, 0x40)?))();
    assert_eq!(ended.is_err(), switch.load(Ordering::Relaxed), "told nothing without a reason");
    assert_eq!(ended.is_err(), cut.is_some(), "a domain went on without power");
    let states = states.lock().unwrap().clone();
    (store, states)
}

/// Cuts the power before and after every write of a life; returns how many there are.
fn cut_everywhere<P: Side>() -> usize {
    let (_, states) = lived::<P>(None);
    for number in 0..states.len() {
        for (moment, done) in [(Moment::Before, number), (Moment::After, number + 1)] {
            let (store, torn) = lived::<P>(Some((number, moment)));
            assert!(torn.iter().eq(&states[..done]), "write {number} {moment:?}");
            let Some(expected) = torn.last() else {
                let empty = Host::open(Failing::on(&store, None)).map(drop);
                assert!(matches!(empty, Err(OpenError::Empty)));
                continue;
            };
            // Nothing is lost by coming up, and nothing is of a session.
            let mut host = reopened(&store);
            assert_eq!(status(&mut host, &[0x80, 0xF2, 0x80, 0x02, 0x02, 0x4F, 0x00]), 0x6982);
            assert_eq!(status(&mut host, &[0x84, 0x82, 0x01, 0x00, 0x00]), 0x6985);
            assert_eq!(state(&store).as_ref(), Some(expected), "write {number} {moment:?}");
        }
    }
    states.len()
}

fn status(host: &mut Host, command: &[u8]) -> u16 {
    let command = CommandApdu::decode(command).unwrap();
    host.channel.transmit(&command).unwrap().status().word()
}

#[test]
fn a_domain_survives_a_cut_at_every_write_of_its_life() {
    let writes = [cut_everywhere::<Scp02>(), cut_everywhere::<Scp03>()];
    println!("{writes:?} writes, cut before and after each");
    assert_eq!(writes, [23, 32]);
}

#[test]
fn a_session_of_protocol_03_is_counted_before_the_cards_cryptogram_leaves() {
    let store = stored::<Scp03>(0x40);
    for (moment, next) in [(Moment::Before, 0), (Moment::After, 1)] {
        let (failing, copy) = Failing::copy(&store, 0, moment);
        Host::open(failing).unwrap().begin::<Scp03>(1, 0x40).map(drop).unwrap_err();
        assert_eq!(reopened(&copy).begin::<Scp03>(1, 0x40).unwrap().1, next);
    }
}

#[test]
fn a_session_of_protocol_02_is_counted_before_it_is_open() {
    let store = stored::<Scp02>(0x40);
    // The first write spends the try, the second counts the session and gives the try back.
    for (writes, moment, next, tries) in [
        (0, Moment::Before, 0, 3),
        (0, Moment::After, 0, 2),
        (1, Moment::Before, 0, 2),
        (1, Moment::After, 1, 3),
    ] {
        let (failing, copy) = Failing::copy(&store, writes, moment);
        Host::open(failing).unwrap().session::<Scp02>(1, 0x40).map(drop).unwrap_err();
        let mut host = reopened(&copy);
        assert_eq!(host.domain().tries_left(), tries, "{writes} {moment:?}");
        assert_eq!(host.begin::<Scp02>(1, 0x40).unwrap().1, next, "{writes} {moment:?}");
    }
}

/// Somebody guesses and cuts the power as soon as a try is spent, or when it can not be.
fn guess_and_cut<P: Side>() {
    let mut store = stored::<P>(0x40);
    let before_the_try = usize::from(P::COUNTS_WHEN_BEGUN);
    for left in [2, 1, 0] {
        let (failing, copy) = Failing::copy(&store, before_the_try, Moment::Before);
        // Not a word about the cryptogram: a right one is told the same.
        Host::open(failing).unwrap().guess().unwrap_err();
        assert_eq!(reopened(&copy).domain().tries_left(), left + 1);
        let (failing, _) = Failing::copy(&store, before_the_try, Moment::Before);
        Host::open(failing).unwrap().session::<P>(1, 0x40).map(drop).unwrap_err();

        let (failing, next) = Failing::copy(&store, before_the_try, Moment::After);
        Host::open(failing).unwrap().guess().unwrap_err();
        assert_eq!(reopened(&next).domain().tries_left(), left);
        store = next;
    }
    let mut host = reopened(&store);
    assert_eq!(status(&mut host, b"\x80\x50\x00\x00\x08hostchal\x00"), 0x6983);
    host.domain().reset();
    assert_eq!(status(&mut host, b"\x80\x50\x00\x00\x08hostchal\x00"), 0x6983);
}

#[test]
fn no_cut_gives_a_try_back() {
    guess_and_cut::<Scp02>();
    guess_and_cut::<Scp03>();
}

/// Sends a proof that somebody has recorded to the domain after a loss of power.
fn play_back<P: Side>() {
    let store = stored::<P>(0x40);
    let mut host = reopened(&store);
    let (initialised, _) = host.begin::<P>(1, 0x40).unwrap();
    let level = P::Level::from_byte(0x03).unwrap();
    let proof = initialised.verify_card().unwrap().external_authenticate(level);
    assert_eq!(host.channel.transmit(proof.command()).unwrap().status().word(), 0x9000);
    // The second host draws the challenge of the first.
    let mut host = reopened(&store);
    host.begin::<P>(1, 0x40).map(drop).unwrap();
    assert_eq!(host.channel.transmit(proof.command()).unwrap().status().word(), 0x6300);
}

#[test]
fn a_recorded_session_can_not_be_played_back_after_a_loss_of_power() {
    play_back::<Scp02>();
    play_back::<Scp03>();
}

#[test]
fn a_domain_that_could_not_store_answers_nothing_until_it_is_opened_again() {
    let store = stored::<Scp03>(0x40);
    let (failing, copy) = Failing::copy(&store, 0, Moment::Before);
    let mut host = Host::open(failing).unwrap();
    host.begin::<Scp03>(1, 0x40).map(drop).unwrap_err();
    for command in [&b"\x00\xA4\x04\x00\x00"[..], b"\x80\xCA\x9F\x7F\x00"] {
        assert_eq!(status(&mut host, command), 0x6581);
        host.domain().reset();
    }
    for command in [&b"\x80"[..], b""] {
        assert_eq!(host.domain().process(command), [0x65, 0x81]);
    }
    assert_eq!(state(&copy), state(&store));
    reopened(&copy).session::<Scp03>(1, 0x40).map(drop).unwrap();
}

#[test]
fn what_is_refused_is_not_written() {
    let store = stored::<Scp02>(0x40);
    let failing = Failing::on(&store, None);
    let states = failing.states();
    let mut host = Host::open(failing).unwrap();
    let (mut card, _) = host.session::<Scp02>(1, 0x40).unwrap();
    let mut refusal = |header: [u8; 4], data: &[u8]| {
        let command = CommandApdu::new(Header::try_from(header).unwrap()).with_data(data).unwrap();
        card.transmit(&command).unwrap().status().word()
    };
    assert_eq!(refusal([0x80, 0xD8, 0x00, 0x81], &[0x01]), 0x6A80);
    assert_eq!(refusal([0x80, 0xE2, 0x00, 0x01], &[0x01, 0x01, 0x01, 0xAA]), 0x6A86);
    // The beginning of a grouping is kept for its session only.
    assert_eq!(refusal([0x80, 0xE2, 0x00, 0x00], &[0x01, 0x01, 0x02, 0xAA]), 0x9000);
    assert_eq!(states.lock().unwrap().len(), 2, "the try, and the session");
}

/// Whether a half of one of these keys is somewhere.
fn shows(bytes: &[u8], fill: u8) -> bool {
    [fill, fill + 0x10, fill + 0x20].iter().any(|byte| bytes.windows(8).any(|window| window == [*byte; 8]))
}

fn replace_keys_in_a_file<P: Side>() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("domain.card");
    let store = || FileStore::open(&path, storage_key()).unwrap();
    let in_the_clear = || {
        let content = fs::read(&path).unwrap();
        [0x40, 0x42, 0x44].iter().any(|fill| shows(&content, *fill))
    };
    SecurityDomain::new_in(store(), PROFILE, version(1), P::keys(0x40), TestRng::new(1)).unwrap();
    assert!(!in_the_clear());
    Host::open_in(store()).guess().unwrap();
    assert!(states_in(&path).iter().all(|state| shows(state, 0x40)));
    Host::open_in(store()).put_keys::<P>(0x40, Some(1), 1, 0x42).unwrap();
    for state in states_in(&path) {
        assert!(shows(&state, 0x42) && !shows(&state, 0x40));
    }
    Host::open_in(store()).put_keys::<P>(0x42, Some(1), 1, 0x44).unwrap();
    for state in states_in(&path) {
        assert!(shows(&state, 0x44) && !shows(&state, 0x42));
    }
    assert!(!in_the_clear());
}

#[test]
fn keys_that_were_replaced_are_in_neither_slot_of_the_file_and_none_is_in_the_clear() {
    replace_keys_in_a_file::<Scp02>();
    replace_keys_in_a_file::<Scp03>();
}

#[test]
fn what_is_no_domain_or_another_one_is_refused() {
    let store = stored::<Scp03>(0x40);
    let open = |store: &MemoryStore, profile| {
        SecurityDomain::open(store.clone(), profile, TestRng::new(0)).map(drop).unwrap_err()
    };
    assert!(matches!(open(&MemoryStore::new(), PROFILE), OpenError::Empty));
    for other in [
        DomainProfile { name: DomainName::VISA, ..PROFILE },
        DomainProfile { key_data: [0; 10], ..PROFILE },
        DomainProfile { production: [1; 42], ..PROFILE },
        DomainProfile { scp02: scp02::Implementation::I15, ..PROFILE },
        DomainProfile { scp03: scp03::Implementation::I10, ..PROFILE },
        DomainProfile { tries: 4, ..PROFILE },
    ] {
        assert!(matches!(open(&store, other), OpenError::OtherDomain));
    }
    let again = Host::make::<Scp03>(Failing::on(&store, None), 0x40);
    assert!(matches!(again.map(drop), Err(OpenError::Occupied)));
    let long = TdeaKey::from_fill(KeyLength::Triple, |key| key.fill(0x25));
    let keys = DomainKeys::from([long.duplicate(), long.duplicate(), long]);
    let empty = MemoryStore::new();
    let refused = SecurityDomain::new_in(empty.clone(), PROFILE, version(1), keys, TestRng::new(0));
    assert!(matches!(refused.map(drop), Err(OpenError::DomainKeys(DomainKeysError))));
    assert_eq!(state(&empty), None);

    let bytes = state(&store).unwrap();
    let with = |bytes: &[u8]| {
        let mut store = MemoryStore::new();
        store.replace(bytes).unwrap();
        open(&store, PROFILE)
    };
    for len in 0..bytes.len() {
        assert!(matches!(with(&bytes[..len]), OpenError::Damaged), "{len} bytes");
    }
    assert!(matches!(with(&[&bytes[..], &[0]].concat()), OpenError::Damaged));
    assert!(matches!(with(&[&[0x12], &bytes[1..]].concat()), OpenError::OtherFormat { found: 2 }));
}

#[test]
fn neither_kind_of_card_is_opened_as_the_other() {
    let profile = CardProfile::user([1; 8]);
    let card = MemoryStore::new();
    Card::blank_in(card.clone(), profile, TransportKey::fmcos_default(), TestRng::new(0)).unwrap();
    let domain = stored::<Scp02>(0x40);
    let as_domain = SecurityDomain::open(card.clone(), PROFILE, TestRng::new(0));
    assert!(matches!(as_domain.map(drop), Err(OpenError::OtherKind)));
    let as_card = Card::open(domain.clone(), profile, TestRng::new(0));
    assert!(matches!(as_card.map(drop), Err(OpenError::OtherKind)));
    // Nor does a new one take the other's place.
    let in_its_place =
        Card::blank_in(domain.clone(), profile, TransportKey::fmcos_default(), TestRng::new(0));
    assert!(matches!(in_its_place.map(drop), Err(OpenError::Occupied)));
    assert!(matches!(
        Host::make::<Scp02>(Failing::on(&card, None), 0x40).map(drop),
        Err(OpenError::Occupied)
    ));
    reopened(&domain).session::<Scp02>(1, 0x40).map(drop).unwrap();
}

/// What a host knows of a domain: keys of version 01, number of its next session, tries, content of grouping 0101.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Known {
    fill: u8,
    next: u32,
    tries: u8,
    grouping: Option<u8>,
}

const NEW: Known = Known { fill: 0x40, next: 0, tries: 3, grouping: None };

impl Known {
    /// What is in a store: looked up in a copy.
    fn found<P: Side>(store: &MemoryStore, fill: u8) -> Self {
        let mut host = copied(store);
        let (tries, grouping) = {
            let domain = host.domain();
            (domain.tries_left(), domain.expose_grouping(0x0101).map(|content| content[0]))
        };
        let (initialised, next) = host.begin::<P>(1, fill).unwrap();
        initialised.verify_card().unwrap();
        Self { fill, next, tries, grouping }
    }

    /// What a proof brings about, right or wrong, write by write.
    fn proof<P: Side>(self, is_right: bool) -> Vec<Self> {
        let counted = Self { next: self.next + 1, ..self };
        let begun = if P::COUNTS_WHEN_BEGUN { counted } else { self };
        let spent = Self { tries: self.tries - 1, ..begun };
        let right = Self { next: counted.next, tries: 3, ..self };
        let mut states = vec![self];
        states.extend(P::COUNTS_WHEN_BEGUN.then_some(begun));
        states.push(spent);
        states.extend(is_right.then_some(right));
        states
    }
}

/// One thing that a host does, drawn by `rng`; with all states that it leads through, write by write.
fn act<P: Side>(host: &mut Host, known: Known, rng: &mut TestRng) -> (Vec<Known>, Result<(), Cut>) {
    let mut states = known.proof::<P>(true);
    let proven = *states.last().unwrap();
    match rng.below(5) {
        0 | 1 if known.tries > 1 => (known.proof::<P>(false), host.guess().map(drop)),
        2 => {
            let new = 0x40 + 2 * u8::try_from(rng.below(8)).unwrap();
            let next = if new == known.fill { proven.next } else { 0 };
            let replaced = Known { fill: new, next, ..proven };
            // What was replaced is written over once more.
            states.extend([replaced, replaced]);
            (states, host.put_keys::<P>(known.fill, Some(1), 1, new))
        }
        3 => {
            let content = rng.byte();
            states.push(Known { grouping: Some(content), ..proven });
            (states, store_block::<P>(host, known.fill, &[0x01, 0x01, 0x01, content]))
        }
        _ => (states, host.session::<P>(1, known.fill).map(drop)),
    }
}

/// Cuts the power at a random write of random commands, again and again; a domain that has locked itself gives way to another.
fn cut_at_random<P: Side>(rounds: usize) {
    let mut rng = TestRng::new(99);
    let (mut store, mut known) = (stored::<P>(NEW.fill), NEW);
    for round in 0..rounds {
        let moment = rng.one_of(&[Moment::Before, Moment::After]);
        let (failing, next) = Failing::copy(&store, rng.below(8), moment);
        let written = failing.states();
        let count = || written.lock().unwrap().len();
        let mut host = Host::open(failing).unwrap();
        while !host.is_cut() {
            let before = count();
            let (states, told) = act::<P>(&mut host, known, &mut rng);
            // How many of its writes were done says which state it is.
            known = states[count() - before];
            assert_eq!(told.is_err(), host.is_cut(), "round {round}");
            assert!(told.is_err() || known == *states.last().unwrap(), "round {round}");
        }
        store = next;
        if known.tries == 0 {
            assert_eq!(reopened(&store).domain().tries_left(), 0, "round {round}");
            (store, known) = (stored::<P>(NEW.fill), NEW);
        }
        assert_eq!(Known::found::<P>(&store, known.fill), known, "round {round}");
    }
}

#[test]
fn random_cuts_bring_no_number_of_a_session_and_no_try_back() {
    cut_at_random::<Scp02>(400);
    cut_at_random::<Scp03>(400);
}

#[test]
#[ignore = "three minutes; cargo test -p cardroot-card --test domain_power -- --ignored"]
fn a_million_random_cuts_bring_nothing_back() {
    cut_at_random::<Scp02>(500_000);
    cut_at_random::<Scp03>(500_000);
}
