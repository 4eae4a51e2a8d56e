//! What an exchange does, step by step.

use cardroot_keyblock::csm::{
    ArchiveReason, DataKeyForm, DataKeyNames, Dates, Event, KeyError, MemoryStore, Naming, NewKeys, OldKey,
    Party, Purpose, Refusal, SendError, State, StateStore,
};
use cardroot_keyblock::smid::csm::{Class, Count, Csm, ErrorCodes, Service, ServiceRequest};
use cardroot_keyblock::tdea::{StrengthError, TdeaKey};
use cardroot_keyblock::tdea_keys::Kek;

use crate::{MASTER, Seeded, agreement, id, pair, party, two, under_master};

const FORM: DataKeyForm = DataKeyForm::DoubleRetailMac;

/// A message goes over and its answer back.
fn exchange<S: StateStore, T: StateStore>(
    from: &mut Party<S>,
    to: &mut Party<T>,
    text: &str,
) -> (Event, Event) {
    let outcome = to.receive(text.as_bytes()).unwrap();
    let answer = from.receive(outcome.reply.expect("an answer").as_bytes()).unwrap();
    assert_eq!(answer.reply, None);
    (outcome.event, answer.event)
}

#[test]
fn keys_are_requested_sent_and_acknowledged() {
    let (mut a, mut b) = pair(FORM);
    let request = ServiceRequest::DATA_KEY.with(Service::KkPair).with(Service::SecondKd);
    let outcome = a.receive(b.request_keys(request).as_bytes()).unwrap();
    assert_eq!((outcome.event, outcome.reply), (Event::KeysRequested(request), None));
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, &mut Seeded(1)).unwrap();
    let (there, back) = exchange(&mut a, &mut b, &ksm);
    let Event::KeysReceived(received) = there else { panic!("{there:?}") };
    assert_eq!((received.kek, received.data_keys), (id("K2"), vec![id("A"), id("B")]));
    assert_eq!(back, Event::KeysAcknowledged { count: Count::FIRST });
    // B sends under the new pair, in the other direction, from the first count.
    let ksm =
        b.send_keys(&NewKeys { under: id("K2"), ..NewKeys::new(DataKeyNames::One(id("C"))) }, &mut Seeded(2));
    let (_, back) = exchange(&mut b, &mut a, &ksm.unwrap());
    assert_eq!(back, Event::KeysAcknowledged { count: Count::FIRST });
    for (left, right) in a.state().data_keys.iter().zip(&b.state().data_keys) {
        assert!(left.key.ct_eq(&right.key) && left.name == right.name && left.purpose == right.purpose);
    }
    assert_eq!(a.state().data_keys.len(), 3);
}

#[test]
fn the_first_use_of_a_single_key_decides_for_good_and_is_stored_first() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&under_master(DataKeyNames::One(id("A"))), &mut Seeded(1)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    b.encryption_key(id("A")).unwrap();
    assert_eq!(b.authentication_key(id("A")).unwrap_err(), KeyError::Purpose(Purpose::Encryption));
    assert_eq!(b.store().state.as_ref().unwrap().data_keys[0].purpose, Some(Purpose::Encryption));
    assert_eq!(b.encryption_key(id("X")).unwrap_err(), KeyError::Unknown);
    // Two keys have their purposes from the message.
    let ksm = a.send_keys(&two("M", "E"), &mut Seeded(2)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    assert_eq!(a.encryption_key(id("M")).unwrap_err(), KeyError::Purpose(Purpose::Authentication));
    assert_eq!(b.authentication_key(id("E")).unwrap_err(), KeyError::Purpose(Purpose::Encryption));
}

#[test]
fn a_key_of_the_same_name_takes_the_place_of_the_old_one_which_is_archived_and_traced() {
    let (mut a, mut b) = pair(FORM);
    for seed in [1, 2] {
        let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, &mut Seeded(seed)).unwrap();
        exchange(&mut a, &mut b, &ksm);
    }
    for side in [a.state(), b.state()] {
        assert_eq!((side.keks.len(), side.data_keys.len(), side.archive.len()), (2, 2, 3));
        assert!(side.archive.iter().all(|old| old.reason == ArchiveReason::Replaced));
        let Some(OldKey::Kek(old)) =
            side.archive.iter().map(|old| &old.key).find(|old| matches!(old, OldKey::Kek(_)))
        else {
            panic!()
        };
        let new = side.keks.iter().find(|kek| kek.name == id("K2")).unwrap();
        // Replacing leaves the keys under it alone, but they can be found.
        assert_eq!(new.replaces, Some(old.serial));
        assert_eq!(side.exposed_by(old.serial).collect::<Vec<_>>(), [id("A"), id("B")]);
    }
    // The roles of names may change: a key for MACs takes the place of one for encryption.
    let ksm = a.send_keys(&two("B", "A"), &mut Seeded(3)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    assert!(b.authentication_key(id("B")).is_ok() && b.encryption_key(id("A")).is_ok());
    a.forget_archive().unwrap();
    assert!(a.state().archive.is_empty());
}

#[test]
fn discontinuing_a_pair_discontinues_the_keys_under_it() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, &mut Seeded(1)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    let ksm = a.send_keys(&two("C", "D"), &mut Seeded(2)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    let dsm = a.discontinue(&[id("K2"), id("D")], id("C")).unwrap();
    assert_eq!(a.repeat_discontinuation().unwrap(), dsm);
    let (there, back) = exchange(&mut a, &mut b, &dsm);
    assert_eq!(there, Event::KeysDiscontinued { named: vec![id("K2"), id("D")], keys: 4 });
    assert_eq!(back, Event::DiscontinuationAcknowledged);
    for side in [a.state(), b.state()] {
        assert_eq!((side.keks.len(), side.data_keys.len()), (1, 1));
        let discontinued = side.archive.iter().filter(|old| old.reason == ArchiveReason::Discontinued);
        assert_eq!(discontinued.count(), 4);
    }
    assert_eq!(a.repeat_discontinuation(), None);
    // No name among others ends the relationship, keys installed by hand too; the key that authenticates goes with it.
    let dsm = b.discontinue(&[id("C"), None], id("C")).unwrap();
    let (there, back) = exchange(&mut b, &mut a, &dsm);
    assert_eq!(there, Event::KeysDiscontinued { named: vec![id("C"), None], keys: 2 });
    assert_eq!(back, Event::DiscontinuationAcknowledged);
    assert!(a.state().keks.is_empty() && b.state().keks.is_empty() && a.state().data_keys.is_empty());
}

#[test]
fn a_discontinuation_whose_answer_was_lost_is_answered_again() {
    for (named, keys) in [(vec![id("A"), id("B")], 2), (vec![id("B")], 1), (vec![None], 3)] {
        let (mut a, mut b) = pair(FORM);
        let ksm = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
        exchange(&mut a, &mut b, &ksm);
        let dsm = a.discontinue(&named, id("A")).unwrap();
        let lost = b.receive(dsm.as_bytes()).unwrap();
        assert_eq!(lost.event, Event::KeysDiscontinued { named: named.clone(), keys });
        let archived = b.state().archive.len();
        let (there, back) = exchange(&mut a, &mut b, &dsm);
        assert_eq!(there, Event::KeysDiscontinued { named, keys: 0 });
        assert_eq!(back, Event::DiscontinuationAcknowledged);
        assert_eq!(b.state().archive.len(), archived);
        // Nobody else gets an answer out of a key that is out of use.
        let forged = dsm.replace("MAC/", "MAC/0").replace(" )", "0 )");
        assert!(matches!(b.receive(forged.as_bytes()).unwrap().event, Event::Refused(Refusal::NotAuthentic)));
    }
}

#[test]
fn a_sender_that_lost_its_count_moves_it_up_once_and_then_the_pair_has_to_be_replaced() {
    let (mut a, mut b) = pair(FORM);
    for seed in 0..5 {
        let ksm = a.send_keys(&two("A", "B"), &mut Seeded(seed)).unwrap();
        exchange(&mut a, &mut b, &ksm);
    }
    // A begins again from nothing but the master: its count is behind.
    let mut a = party(agreement("BANKA", "BANKB", FORM));
    let count = |value| Count::new(value).unwrap();
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(6)).unwrap();
    let outcome = b.receive(ksm.as_bytes()).unwrap();
    let (expected, received) = (count(6), count(1));
    assert_eq!(outcome.event, Event::Refused(Refusal::CountTooLow { expected, received }));
    let esm = outcome.reply.unwrap();
    assert_eq!(esm, "CSM(MCL/ESM RCV/BANKA ORG/BANKB ERF/C CTP/00000000000006 CTR/00000000000001 )");
    assert_eq!(
        a.receive(esm.as_bytes()).unwrap().event,
        Event::CountAdjusted { from: received, to: expected }
    );
    // The same ESM again changes nothing.
    let again = a.receive(esm.as_bytes()).unwrap().event;
    assert_eq!(again, Event::PeerReported { codes: ErrorCodes::CANNOT_PROCESS, expected: Some(expected) });
    // One that is forged for the message after it can't move the count a second time.
    a.send_keys(&two("A", "B"), &mut Seeded(7)).unwrap();
    let forged = "CSM(MCL/ESM RCV/BANKA ORG/BANKB ERF/C CTP/00000000000106 CTR/00000000000006 )";
    let event = a.receive(forged.as_bytes()).unwrap().event;
    assert_eq!(event, Event::KekMustBeReplaced { name: id("M1"), expected: count(0x106) });
    // An acknowledgement allows the next adjustment.
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(8)).unwrap();
    let (there, back) = exchange(&mut a, &mut b, &ksm);
    assert!(matches!(there, Event::KeysReceived(received) if received.skipped == 1));
    assert_eq!(back, Event::KeysAcknowledged { count: count(7) });
    assert_eq!(a.state().keks[0].adjustments, 0);
}

#[test]
fn a_count_is_never_moved_by_more_than_agreed_nor_down() {
    let (mut a, _) = pair(FORM);
    a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
    let esm = |expected: u64, received: u64| {
        format!("CSM(MCL/ESM RCV/BANKA ORG/BANKB ERF/C CTP/{expected:014X} CTR/{received:014X} )")
    };
    let too_far = a.receive(esm(1002, 1).as_bytes()).unwrap().event;
    assert!(matches!(too_far, Event::KekMustBeReplaced { .. }));
    for (expected, received) in [(0, 1), (1, 1), (2, 1), (500, 0), (500, 2)] {
        let event = a.receive(esm(expected, received).as_bytes()).unwrap().event;
        assert!(matches!(event, Event::PeerReported { .. }), "{event:?}");
    }
    assert_eq!(a.state().keks[0].send, Count::new(2).ok());
    let event = a.receive(esm(1001, 1).as_bytes()).unwrap().event;
    assert!(matches!(event, Event::CountAdjusted { .. }));
}

#[test]
fn a_lost_acknowledgement_leaves_the_sender_without_the_key_until_it_sends_again() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
    let late = b.receive(ksm.as_bytes()).unwrap().reply.unwrap();
    assert_eq!(a.authentication_key(id("A")).unwrap_err(), KeyError::Unknown);
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(2)).unwrap();
    // The late answer is not one to the new keys, and the peer is told.
    let outcome = a.receive(late.as_bytes()).unwrap();
    assert_eq!(outcome.event, Event::Refused(Refusal::NotAuthentic));
    let told = b.receive(outcome.reply.unwrap().as_bytes()).unwrap();
    assert!(matches!(told.event, Event::PeerReported { .. }) && told.reply.is_none());
    let (_, back) = exchange(&mut a, &mut b, &ksm);
    assert!(matches!(back, Event::KeysAcknowledged { .. }));
    assert!(a.state().data_keys[0].key.ct_eq(&b.state().data_keys[0].key));
}

#[test]
fn keys_of_one_name_that_cross_are_refused_by_both() {
    let (mut a, mut b) = pair(FORM);
    let from_a = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
    let from_b = b.send_keys(&two("B", "C"), &mut Seeded(2)).unwrap();
    assert_eq!(b.receive(from_a.as_bytes()).unwrap().event, Event::Refused(Refusal::Crossing));
    assert_eq!(a.receive(from_b.as_bytes()).unwrap().event, Event::Refused(Refusal::Crossing));
    // One gives way.
    b.abandon_sent_keys().unwrap();
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(3)).unwrap();
    let (_, back) = exchange(&mut a, &mut b, &ksm);
    assert!(matches!(back, Event::KeysAcknowledged { .. }));
}

#[test]
fn parties_without_names_have_one_pair_and_the_last_keys() {
    let [mut a, mut b] = [("BANKA", "BANKB"), ("BANKB", "BANKA")].map(|(own, peer)| {
        let mut agreement = agreement(own, peer, FORM);
        agreement.naming = Naming::Unnamed;
        let mut party = Party::new(agreement, State::default(), MemoryStore::default()).unwrap();
        let kek = || Kek::from_key(MASTER.into());
        assert_eq!(party.install_kek(id("M1"), kek()).unwrap_err(), SendError::Naming);
        party.install_kek(None, kek()).unwrap();
        party
    });
    for seed in [1, 2] {
        let ksm = a.send_keys(&NewKeys::new(DataKeyNames::Two(None, None)), &mut Seeded(seed)).unwrap();
        exchange(&mut a, &mut b, &ksm);
    }
    assert_eq!((a.state().data_keys.len(), b.state().data_keys.len()), (2, 2));
    let mac = a.authentication_key(None).unwrap().mac(b"x");
    b.authentication_key(None).unwrap().verify_mac(b"x", mac.as_bytes()).unwrap();
    assert!(b.encryption_key(None).is_ok());
    let named = NewKeys::new(DataKeyNames::One(id("A")));
    assert_eq!(a.send_keys(&named, &mut Seeded(3)).unwrap_err(), SendError::Naming);
    let pair = NewKeys { kek: id("K2"), ..NewKeys::new(DataKeyNames::One(None)) };
    assert_eq!(a.send_keys(&pair, &mut Seeded(3)).unwrap_err(), SendError::Naming);
    let dsm = a.discontinue(&[None], None).unwrap();
    assert!(!dsm.contains("IDA"));
    let (_, back) = exchange(&mut a, &mut b, &dsm);
    assert_eq!(back, Event::DiscontinuationAcknowledged);
}

#[test]
fn dates_are_refused_or_reported_as_agreed() {
    let keys = NewKeys { effective: Some("261122031500"), ..two("A", "B") };
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&keys, &mut Seeded(1)).unwrap();
    let outcome = b.receive(ksm.as_bytes()).unwrap();
    assert_eq!(outcome.event, Event::Refused(Refusal::Option));
    assert!(outcome.reply.unwrap().contains("ERF/O CTP/ "));
    let mut reporting = agreement("BANKB", "BANKA", FORM);
    reporting.dates = Dates::Reported;
    let outcome = party(reporting).receive(ksm.as_bytes()).unwrap();
    assert!(
        matches!(outcome.event, Event::KeysReceived(received) if received.effective.as_deref() == Some("261122031500"))
    );
    let keys = NewKeys { effective: Some("no date"), ..keys };
    assert!(matches!(a.send_keys(&keys, &mut Seeded(1)), Err(SendError::Encode(_))));
}

#[test]
fn error_detection_codes_are_verified_where_the_parties_use_them() {
    let [a, b] = [("BANKA", "BANKB"), ("BANKB", "BANKA")].map(|(own, peer)| {
        let mut agreement = agreement(own, peer, FORM);
        agreement.edc_key = Some([0x25; 8]);
        party(agreement)
    });
    let mut a = a;
    let rsi = b.request_keys(ServiceRequest::DATA_KEY);
    let csm = Csm::decode(rsi.as_bytes()).unwrap();
    let (covered, code) = csm.edc().unwrap();
    assert_eq!(code.as_bytes(), crate::second_road::mac(DataKeyForm::SingleDes, &[0x25; 8], covered));
    assert!(matches!(a.receive(rsi.as_bytes()).unwrap().event, Event::KeysRequested(_)));
    let wrong = rsi.replace("SVR/", "SVR/KD");
    let outcome = a.receive(wrong.as_bytes()).unwrap();
    assert_eq!(outcome.event, Event::Refused(Refusal::NotAuthentic));
    // An ESM with a wrong code is never answered.
    let esm = outcome.reply.unwrap().replace("RCV/BANKB ORG/BANKA", "RCV/BANKA ORG/BANKB");
    let outcome = a.receive(esm.as_bytes()).unwrap();
    assert_eq!((outcome.event, outcome.reply), (Event::Refused(Refusal::NotAuthentic), None));
    // Parties that do not use codes pass over them.
    let (mut plain, _) = pair(FORM);
    assert!(matches!(plain.receive(wrong.as_bytes()).unwrap().event, Event::KeysRequested(_)));
}

#[test]
fn what_cannot_be_sent_is_an_error_and_costs_no_count() {
    let (mut a, mut b) = pair(FORM);
    let rng = &mut Seeded(1);
    let one = |under| NewKeys { under, ..NewKeys::new(DataKeyNames::One(id("A"))) };
    assert_eq!(a.send_keys(&two("A", "A"), rng).unwrap_err(), SendError::Naming);
    assert_eq!(a.send_keys(&under_master(DataKeyNames::One(None)), rng).unwrap_err(), SendError::Naming);
    assert_eq!(a.send_keys(&NewKeys { kek: id("M1"), ..two("A", "B") }, rng).unwrap_err(), SendError::Naming);
    assert_eq!(a.send_keys(&one(id("M9")), rng).unwrap_err(), SendError::UnknownKek);
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, rng).unwrap();
    exchange(&mut a, &mut b, &ksm);
    // A pair that came in a message encrypts data keys only, and nothing says which of two is meant.
    assert_eq!(
        a.send_keys(&NewKeys { kek: id("K3"), ..one(id("K2")) }, rng).unwrap_err(),
        SendError::UnknownKek
    );
    assert_eq!(a.send_keys(&one(None), rng).unwrap_err(), SendError::UnknownKek);
    assert_eq!(a.discontinue(&[], id("A")).unwrap_err(), SendError::UnknownKey);
    assert_eq!(a.discontinue(&[id("X")], id("A")).unwrap_err(), SendError::UnknownKey);
    assert_eq!(a.discontinue(&[id("A")], id("X")).unwrap_err(), SendError::UnknownKey);
    assert_eq!(a.discontinue(&[id("A")], None).unwrap_err(), SendError::Naming);
    assert_eq!(a.state().keks[0].send, Count::new(2).ok());

    let kek = |key: TdeaKey| Kek::from_key(key);
    assert_eq!(a.install_kek(None, kek(MASTER.into())).unwrap_err(), SendError::Naming);
    assert_eq!(a.install_kek(id("M"), kek([0x25; 24].into())).unwrap_err(), SendError::NotAPair);
    let equal = StrengthError::PartsEqual { first: 1, second: 2 };
    assert_eq!(a.install_kek(id("M"), kek([0x25; 16].into())).unwrap_err(), SendError::Strength(equal));
    let even = MASTER.map(|byte| byte ^ 1);
    assert_eq!(a.install_kek(id("M"), kek(even.into())).unwrap_err(), SendError::Parity);
    assert!(Party::new(agreement("BANKA", "BANKA", FORM), State::default(), a.into_store()).is_err());
}

#[test]
fn counts_that_are_used_up_are_an_error_on_both_sides() {
    let [mut a, mut b] = [("BANKA", "BANKB"), ("BANKB", "BANKA")].map(|(own, peer)| {
        let mut state = pair(FORM).0.state().duplicate();
        (state.keks[0].send, state.keks[0].expect) = (Some(Count::MAX), Some(Count::MAX));
        Party::new(agreement(own, peer, FORM), state, MemoryStore::default()).unwrap()
    });
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
    exchange(&mut a, &mut b, &ksm);
    assert_eq!((a.state().keks[0].send, b.state().keks[0].expect), (None, None));
    assert_eq!(a.send_keys(&two("A", "B"), &mut Seeded(2)).unwrap_err(), SendError::CountsUsedUp);
    let again = b.receive(ksm.as_bytes()).unwrap();
    assert_eq!(again.event, Event::Refused(Refusal::CountsUsedUp));
    assert_eq!(Csm::decode(again.reply.unwrap().as_bytes()).unwrap().class(), Class::Esm);
}
