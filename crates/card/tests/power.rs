//! Power that is cut at every write: the card comes up in the old or in the new state, and never further back.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::secure::pboc::Protection;
use cardroot_card::state::{CardStore, FileStore, MemoryStore, OpenError};
use cardroot_card::{AuthenticationForm, Card, CardKind, CardProfile, CardSystem, KeyCard, TransportKey};
use common::power::{Failing, Moment, Run, Supply, states_in, storage_key};
use common::wallet::{TERMINAL, wallet};
use common::{
    APP_MASTER, CARD_MASTER, Desk, SERIAL, TRANSPORT, TestRng, family, hex, hex_of, key_record, sam,
};

use tdea::TdeaKey;

/// Cuts the power before and after write `number`, looks at what the cards have and starts them again.
fn cut_at(number: usize, whole: &Run, scenario: impl Fn()) {
    for (moment, done) in [(Moment::Before, number), (Moment::After, number + 1)] {
        let torn = Supply::run(&scenario, Some((number, moment)));
        assert!(!torn.is_whole, "write {number}: a card went on without power");
        for (index, (profile, store)) in torn.cards.into_iter().enumerate() {
            let stored = store.clone().load().unwrap();
            let expected = whole.state_after(index, done);
            assert_eq!(
                stored.as_ref().map(|state| state.expose_bytes()),
                expected,
                "write {number} {moment:?}"
            );
            if let Some(expected) = expected {
                let mut desk = Desk::reopened(store.clone(), profile);
                desk.challenge(8);
                // Nothing is lost by coming up.
                assert_eq!(store.clone().load().unwrap().unwrap().expose_bytes(), expected);
            }
        }
    }
}

/// The same at every write of `scenario`; returns how many there are.
fn cut_everywhere(scenario: impl Fn()) -> usize {
    let whole = Supply::run(&scenario, None);
    assert!(whole.is_whole);
    (0..whole.writes.len()).for_each(|number| cut_at(number, &whole, &scenario));
    whole.writes.len()
}

/// Personalisation, loads, purchases of every kind, unload, PIN right and wrong.
fn life_of_a_user_card() {
    let mut desk = wallet();
    desk.refused(0x63C2, "0020000002 4321");
    desk.verify_pin();
    desk.load_account(0x02, 1000);
    desk.load_account(0x01, 500);
    desk.pay(0x01, 0x02, 0x06, 300, 1);
    desk.pay(0x02, 0x01, 0x04, 100, 2);
    desk.pay(0x01, 0x01, 0x05, 100, 3);
    let init = desk.ok(&format!("805003020B 01 0000000A {TERMINAL} 0F"));
    desk.ok("80DC01CC08 1111111111111111");
    let (_, debit) = Desk::debit_command(&init, 10, 0x09, 5);
    desk.ok(&debit);
    desk.ok("805E010005 1234 FF 5678");
    desk.card.reset();
    desk.ok("00A40000023F01");
    assert_eq!(desk.try_authenticate(0x00, &CARD_MASTER).status, 0x63C2);
    desk.authenticate(0x00, &APP_MASTER);
    desk.write_key(0x01, 0x05, &key_record(0xF6, b"line protection."), &APP_MASTER).ok();
}

#[test]
fn a_user_card_survives_a_cut_at_every_write_of_its_life() {
    let cuts = cut_everywhere(life_of_a_user_card);
    println!("{cuts} writes, cut before and after each");
    assert_eq!(cuts, 66);
}

#[test]
fn a_purchase_at_a_sam_survives_a_cut_at_every_write() {
    let cuts = cut_everywhere(|| {
        let (mut terminal, mut card) = (sam::sam(), sam::card(1));
        let answer = sam::pay(&mut card, &mut terminal, 120);
        terminal.refused(0x9302, "8072000004 00000000");
        let answer_of_next = sam::pay(&mut card, &mut terminal, 120);
        assert_ne!(answer, answer_of_next);
        terminal.ok(&format!("8072000004{}", hex_of(&answer_of_next[4..])));
    });
    assert_eq!(cuts, 78);
}

#[test]
fn a_key_on_its_way_between_key_cards_survives_a_cut_at_every_write() {
    let cuts = cut_everywhere(|| {
        let mut mother = family::key_card(KeyCard::Mother);
        let mut secondary = family::key_card(KeyCard::Secondary);
        family::load(&mut mother, 0x47, 0x01, &family::ROOT).ok();
        family::open(&mut mother);
        family::open(&mut secondary);
        family::give(&mut mother, &mut secondary, 0x47, 0x01, &[]).ok();
    });
    assert_eq!(cuts, 60);
}

#[test]
fn secrets_that_were_replaced_or_erased_are_in_neither_slot_of_the_file() {
    const OLD: [u8; 16] = *b"line, old\xB1\xB2\xB3\xB4\xB5\xB6\xB7";
    const NEW: [u8; 16] = *b"line, new\xC1\xC2\xC3\xC4\xC5\xC6\xC7";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("user.card");
    let profile = CardProfile::user(SERIAL);
    let store = || FileStore::open(&path, storage_key()).unwrap();
    let transport = TransportKey::try_from(TdeaKey::from(TRANSPORT)).unwrap();
    drop(Card::blank_in(store(), profile, transport, TestRng::new(1)).unwrap());
    let shown = || {
        let states = states_in(&path);
        let is_there = |secret: &[u8; 16]| {
            states.each_ref().map(|state| state.windows(16).any(|window| window == secret))
        };
        [TRANSPORT, CARD_MASTER, APP_MASTER, OLD, NEW].map(|secret| is_there(&secret))
    };
    let (no, yes) = ([false; 2], [true; 2]);

    drop(Desk::reopened(store(), profile).mastered());
    assert_eq!(shown()[..2], [no, yes], "the transport key, the master");
    let mut desk = Desk::reopened(store(), profile);
    desk.authenticate(0x00, &CARD_MASTER);
    desk.make_application();
    desk.write_key(0x01, 0x05, &key_record(0xF6, &OLD), &APP_MASTER).ok();
    desk.write_key(0x36, 0x05, &key_record(0xF6, &NEW), &APP_MASTER).ok();
    drop(desk);
    assert_eq!(shown()[2..], [yes, no, yes], "the application's master, the old key, the new one");

    let mut desk = Desk::reopened(store(), profile);
    desk.ok("00A40000023F01");
    desk.authenticate(0x00, &APP_MASTER);
    desk.ok("800E000000");
    drop(desk);
    assert_eq!(shown()[1..], [yes, no, no, no], "the card's master, and nothing of what was erased");
}

/// A user card in a store of its own, with 1000 in its purse, as it comes up.
fn stored_wallet() -> (CardProfile, MemoryStore) {
    let run = Supply::run(
        || {
            let mut desk = wallet();
            desk.verify_pin();
            desk.load_account(0x02, 1000);
        },
        None,
    );
    run.cards.into_iter().next().unwrap()
}

#[test]
fn get_transaction_prove_recovers_a_purchase_whose_answer_was_lost() {
    let (profile, store) = stored_wallet();
    for (moment, balance) in [(Moment::Before, 1000), (Moment::After, 700)] {
        let (failing, copy) = Failing::copy(&store, 0, moment);
        let mut desk = Desk::reopened(failing, profile);
        desk.ok("00A40000023F01");
        let init = desk.ok(&format!("805001020B 01 0000012C {TERMINAL} 0F"));
        let (key, debit) = Desk::debit_command(&init, 300, 0x06, 7);
        desk.refused(0x6581, &debit);
        // It is dead until it is opened again.
        desk.refused(0x6581, "805C000204");
        desk.card.reset();
        desk.refused(0x6581, "00A40000023F01");

        let mut desk = Desk::reopened(copy, profile);
        desk.ok("00A40000023F01");
        assert_eq!(desk.balance(0x02), balance);
        let prove = format!("805A000602 {} 08", hex_of(&init[4..6]));
        match moment {
            // The terminal asks again under the same number.
            Moment::Before => {
                desk.refused(0x9406, &prove);
                assert_eq!(desk.ok(&format!("805001020B 01 0000012C {TERMINAL} 0F"))[4..6], init[4..6]);
            }
            Moment::After => {
                let proof = desk.ok(&prove);
                assert_eq!(hex_of(&proof[..4]), common::wallet::mac(&key, "0000012C"));
                assert_eq!(desk.ok(&format!("805001020B 01 0000012C {TERMINAL} 0F"))[4..6], [0, 1]);
            }
        }
    }
}

#[test]
fn a_try_that_can_not_be_spent_looks_at_nothing() {
    let (profile, store) = stored_wallet();
    for pin in ["1234", "4321"] {
        let (failing, copy) = Failing::copy(&store, 0, Moment::Before);
        let mut desk = Desk::reopened(failing, profile);
        desk.ok("00A40000023F01");
        desk.refused(0x6581, &format!("0020000002 {pin}"));
        let mut desk = Desk::reopened(copy, profile);
        desk.ok("00A40000023F01");
        desk.refused(0x63C2, "0020000002 4321");
    }
}

#[test]
fn no_cut_gives_a_try_back() {
    // Somebody guesses and cuts the power as soon as a try is spent.
    type Guess = fn(&mut Desk) -> u16;
    let verify: Guess = |desk| desk.send("0020000002 4321").status;
    let authenticate: Guess = |desk| desk.try_authenticate(0x00, &TRANSPORT).status;
    let (profile, store) = stored_wallet();
    for guess in [verify, authenticate] {
        let (_, mut copy) = Failing::copy(&store, 0, Moment::Before);
        for _ in 0..3 {
            let (failing, next) = Failing::copy(&copy, 0, Moment::After);
            let mut desk = Desk::reopened(failing, profile);
            desk.ok("00A40000023F01");
            assert_eq!(guess(&mut desk), 0x6581);
            copy = next;
        }
        let mut desk = Desk::reopened(copy, profile);
        desk.ok("00A40000023F01");
        assert_eq!(guess(&mut desk), 0x6983);
    }
}

#[test]
fn a_third_wrong_unblock_locks_although_the_power_was_cut() {
    let line = *b"line protection.";
    let run = Supply::run(
        || {
            let mut desk = Desk::user().with_application();
            // Fifteen tries, so that the key itself is not what locks.
            let record = [&hex("F6 F0 AA FF FF")[..], &line].concat();
            desk.write_key(0x01, 0x00, &record, &APP_MASTER).ok();
            desk.send_protected("801E000000", Protection::Mac, &line).ok();
        },
        None,
    );
    let (profile, mut store) = run.cards.into_iter().next().unwrap();
    for failure in 1..=3 {
        // Two writes come before the MAC is looked at: the failure is counted, a try of the key is spent.
        let (failing, next) = Failing::copy(&store, 1, Moment::After);
        let mut desk = Desk::reopened(failing, profile);
        desk.send("00A40000023F01");
        let answer = desk.send_protected("8018000000", Protection::Mac, &TRANSPORT);
        assert_eq!(answer.status, 0x6581, "{failure}");
        store = next;
    }
    let mut desk = Desk::reopened(store, profile);
    desk.send("00A40000023F01");
    desk.send_protected("8018000000", Protection::Mac, &line).refused(0x9303);
}

#[test]
fn the_number_of_a_terminal_never_comes_twice() {
    let run = Supply::run(|| drop(sam::sam()), None);
    let (profile, store) = run.cards.into_iter().next().unwrap();
    let mut card = sam::card(1);
    let init = card.ok("805001020B 01 00000001 001122334455 0F");
    for (moment, number) in [(Moment::Before, 1), (Moment::After, 2)] {
        let (failing, copy) = Failing::copy(&store, 0, moment);
        let mut desk = Desk::reopened(failing, profile);
        desk.ok("00A40000023F01");
        desk.refused(0x6581, &sam::init_sam(&init, 1, sam::DATE));
        let mut desk = Desk::reopened(copy, profile);
        desk.ok("00A40000023F01");
        assert_eq!(desk.ok(&sam::init_sam(&init, 1, sam::DATE))[..4], [0, 0, 0, number]);
    }
}

#[test]
fn what_is_no_card_or_another_one_is_refused() {
    let (profile, store) = stored_wallet();
    let open = |store: &MemoryStore, profile| {
        Card::open(store.clone(), profile, TestRng::new(0)).map(drop).unwrap_err()
    };
    assert!(matches!(open(&MemoryStore::new(), profile), OpenError::Empty));
    let forms = CardSystem::FMCOS_2.with_authentication(AuthenticationForm::Folded);
    for other in [
        CardProfile::user([0; 8]),
        CardProfile::sam(SERIAL),
        CardProfile::new(CardKind::User, SERIAL).with_system(CardSystem::TIANYU),
        CardProfile::user(SERIAL).with_system(forms),
    ] {
        assert!(matches!(open(&store, other), OpenError::OtherCard));
    }
    let again = Card::blank_in(store.clone(), profile, TransportKey::fmcos_default(), TestRng::new(0));
    assert!(matches!(again.map(drop), Err(OpenError::Occupied)));

    let state = store.clone().load().unwrap().unwrap().expose_bytes().to_vec();
    let with = |bytes: &[u8]| {
        let mut store = MemoryStore::new();
        store.replace(bytes).unwrap();
        open(&store, profile)
    };
    for len in 0..state.len() {
        assert!(matches!(with(&state[..len]), OpenError::Damaged), "{len} bytes");
    }
    assert!(matches!(with(&[&state[..], &[0]].concat()), OpenError::Damaged));
    let other_format = [&[2], &state[1..]].concat();
    assert!(matches!(with(&other_format), OpenError::OtherFormat { found: 2 }));
}

#[test]
fn no_answer_to_damage_is_a_panic() {
    let (profile, store) = stored_wallet();
    let state = store.clone().load().unwrap().unwrap().expose_bytes().to_vec();
    let (mut opened, mut rng) = (0, TestRng::new(7));
    for round in 0..4000 {
        let mut bytes = state.clone();
        for _ in 0..1 + round % 3 {
            let place = 20 + rng.below(state.len() - 20);
            let byte = rng.byte();
            bytes[place] = rng.one_of(&[0, 1, 2, 0x7F, 0xFF, byte]);
        }
        let mut store = MemoryStore::new();
        store.replace(&bytes).unwrap();
        let Ok(card) = Card::open(store.clone(), profile, TestRng::new(1)) else { continue };
        drop(card);
        opened += 1;
        let mut desk = Desk::reopened(store.clone(), profile);
        for command in [
            "00A40000023F01",
            "0020000002 1234",
            "805C000204",
            "805001020B 01 0000012C 001122334455 0F",
            "805401000F 00000001 20161216105800 00000000 08",
            "00B201C417",
            "80E0002007 2A 0208 F0 F0 FF FF",
            "00E2000008 1111111111111111",
        ] {
            desk.send(command);
        }
        drop(desk);
        // What was written since can be read.
        Desk::reopened(store, profile);
    }
    println!("{opened} of 4000 damaged states still are cards");
    assert!(opened > 500);
}

/// Cuts the power at a random write of wrong PIN, right PIN and two purchases, again and again; a card that has locked itself
/// gives way to another.
fn cut_at_random(rounds: usize) {
    let (profile, first) = stored_wallet();
    let mut rng = TestRng::new(99);
    let (mut store, mut balance) = (first.clone(), 1000);
    for round in 0..rounds {
        if round % 100 == 0 {
            (store, balance) = (first.clone(), 1000);
        }
        let moment = rng.one_of(&[Moment::Before, Moment::After]);
        let (failing, next) = Failing::copy(&store, rng.below(8), moment);
        let mut desk = Desk::reopened(failing, profile);
        desk.ok("00A40000023F01");
        let asked = spend(&mut desk, &mut balance);
        let mut desk = Desk::reopened(next.clone(), profile);
        desk.ok("00A40000023F01");
        let found = desk.balance(0x02);
        assert!(
            found == balance || asked == Some(found),
            "round {round}: {balance} and {asked:?}, found {found}"
        );
        (store, balance) = (next, found);
    }
}

/// Tries PINs and pays until the power goes. `balance` follows what was answered; returns what it may be besides.
fn spend(desk: &mut Desk, balance: &mut u32) -> Option<u32> {
    let wrong = if balance.is_multiple_of(3) { "0020000002 4321" } else { "0020000002 1234" };
    for command in [wrong, "0020000002 1234"] {
        match desk.send(command).status {
            0x6581 => return None,
            0x9000 | 0x63C0..=0x63C2 | 0x6983 => {}
            other => panic!("{other:04X}"),
        }
    }
    for terminal_sequence in [7, 8] {
        let after = *balance - 1;
        let init = desk.ok(&format!("805001020B 01 00000001 {TERMINAL} 0F"));
        let (_, debit) = Desk::debit_command(&init, 1, 0x06, terminal_sequence);
        match desk.send(&debit).status {
            0x6581 => return Some(after),
            status => assert_eq!(status, 0x9000),
        }
        *balance = after;
    }
    None
}

#[test]
fn random_cuts_lose_nothing_that_was_answered() {
    cut_at_random(2000);
}

#[test]
#[ignore = "some minutes; cargo test --release -p cardroot-card --test power -- --ignored"]
fn a_million_random_cuts_lose_nothing_that_was_answered() {
    cut_at_random(1_000_000);
}
