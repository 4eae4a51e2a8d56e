//! Keys that are, or were, here already: none of them begins a second life.

use cardroot_keyblock::csm::{
    DataKeyForm, DataKeyNames, Event, KekOrigin, NewKeys, OldKey, Party, Refusal, SendError,
};
use cardroot_keyblock::smid::csm::Count;
use cardroot_keyblock::tdea_keys::Kek;

use crate::second_road::{Ksm, sound};
use crate::{FORMS, MASTER, Seeded, id, pair, two, under_master};

const FORM: DataKeyForm = DataKeyForm::DoubleRetailMac;

fn kek(bytes: &[u8]) -> Kek {
    Kek::from_key(bytes.try_into().unwrap())
}

/// A key message with one known data key, as somebody can make it who has the key and the ciphertext of it.
fn with_known_key(form: DataKeyForm, head: &str, count: u64, key: Vec<u8>) -> String {
    Ksm { form, head, count, pair: None, keys: vec![(".X.M1", key)], more: "" }.text()
}

/// The key field of a message, up to its first full stop.
fn ciphertext(text: &str) -> &str {
    text.split_once("KD/").unwrap().1.split_once('.').unwrap().0
}

#[test]
fn a_pair_that_is_or_was_here_is_not_installed_again() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&two("A", "B"), &mut Seeded(1)).unwrap();
    assert!(matches!(b.receive(ksm.as_bytes()).unwrap().event, Event::KeysReceived(_)));
    let again = |party: &mut Party<_>, name| party.install_kek(id(name), kek(&MASTER)).unwrap_err();
    for party in [&mut a, &mut b] {
        // Its counts would begin at 1 once more, and the message above be accepted once more.
        assert_eq!(again(party, "M1"), SendError::NotNew);
        assert_eq!(again(party, "M2"), SendError::NotNew);
        party.install_kek(id("M1"), kek(&sound(FORM, 9))).unwrap();
        assert_eq!(again(party, "M1"), SendError::NotNew, "out of the archive");
    }
    assert!(matches!(b.receive(ksm.as_bytes()).unwrap().event, Event::Refused(_)));
    // A data key is no key encrypting key either.
    let data_key = b.state().data_keys[0].key.expose_bytes().to_vec();
    assert_eq!(b.install_kek(id("M3"), kek(&data_key)).unwrap_err(), SendError::NotNew);
}

#[test]
fn a_pair_on_its_way_does_not_take_the_place_of_one_that_is_installed_meanwhile() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, &mut Seeded(1)).unwrap();
    let rsm = b.receive(ksm.as_bytes()).unwrap().reply.unwrap();
    for party in [&mut a, &mut b] {
        party.install_kek(id("K2"), kek(&sound(FORM, 9))).unwrap();
    }
    assert_eq!(a.receive(rsm.as_bytes()).unwrap().event, Event::Refused(Refusal::Unexpected));
    for party in [&a, &b] {
        let found = party.state().keks.iter().find(|kek| kek.name == id("K2")).unwrap();
        assert_eq!(found.origin, KekOrigin::Manual);
    }
    let keys = NewKeys { under: id("K2"), ..NewKeys::new(DataKeyNames::One(id("A"))) };
    let ksm = a.send_keys(&keys, &mut Seeded(2)).unwrap();
    assert!(matches!(b.receive(ksm.as_bytes()).unwrap().event, Event::KeysReceived(_)));
}

/// Both directions have the same counts and the same `*KK`, so a ciphertext of the one opens in the other.
#[test]
fn a_key_that_became_known_does_not_come_back_to_its_sender() {
    for form in FORMS {
        let (mut a, mut b) = pair(form);
        let ksm = a.send_keys(&under_master(DataKeyNames::One(id("A"))), &mut Seeded(1)).unwrap();
        let rsm = b.receive(ksm.as_bytes()).unwrap().reply.unwrap();
        let known = b.state().data_keys[0].key.expose_bytes().to_vec();
        let forged = with_known_key(form, "RCV/BANKA ORG/BANKB", 1, known);
        assert_eq!(ciphertext(&forged), ciphertext(&ksm), "nothing but the known key was needed");
        let refused = Event::Refused(Refusal::KnownKey);
        assert_eq!(a.receive(forged.as_bytes()).unwrap().event, refused, "on its way");
        a.receive(rsm.as_bytes()).unwrap();
        assert_eq!(a.receive(forged.as_bytes()).unwrap().event, refused, "in use");
        let ksm = a.send_keys(&under_master(DataKeyNames::One(id("A"))), &mut Seeded(2)).unwrap();
        a.receive(b.receive(ksm.as_bytes()).unwrap().reply.unwrap().as_bytes()).unwrap();
        assert_eq!(a.receive(forged.as_bytes()).unwrap().event, refused, "in the archive");
        assert_eq!(a.state().keks[0].expect, Some(Count::FIRST));
    }
}

/// Counts that differ by 256 differ by a parity bit of the `*KK`, so a ciphertext under the one opens under the other.
#[test]
fn a_key_that_became_known_does_not_come_again_under_a_later_count() {
    for form in FORMS {
        let (mut a, mut b) = pair(form);
        let ksm = a.send_keys(&under_master(DataKeyNames::One(id("A"))), &mut Seeded(1)).unwrap();
        b.receive(ksm.as_bytes()).unwrap();
        let known = b.state().data_keys[0].key.expose_bytes().to_vec();
        let forged = with_known_key(form, "RCV/BANKB ORG/BANKA", 257, known);
        assert_eq!(ciphertext(&forged), ciphertext(&ksm), "nothing but the known key was needed");
        assert_eq!(b.receive(forged.as_bytes()).unwrap().event, Event::Refused(Refusal::KnownKey));
        assert_eq!(b.state().keks[0].expect, Count::FIRST.next());
    }
}

#[test]
fn a_key_has_one_place_in_the_hierarchy() {
    let (_, mut b) = pair(FORM);
    let head = "RCV/BANKB ORG/BANKA";
    let master = with_known_key(FORM, head, 1, MASTER.to_vec());
    assert_eq!(b.receive(master.as_bytes()).unwrap().event, Event::Refused(Refusal::KnownKey));
    let one = sound(FORM, 1);
    let pair = Some((".K2.M1", one.clone().try_into().unwrap()));
    let both = Ksm { form: FORM, head, count: 1, pair, keys: vec![(".A.K2", one)], more: "" };
    assert_eq!(b.receive(both.text().as_bytes()).unwrap().event, Event::Refused(Refusal::UnsoundKey));
}

#[test]
fn a_pair_exposes_all_keys_below_it() {
    let (mut a, mut b) = pair(FORM);
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("A", "B") }, &mut Seeded(1)).unwrap();
    let exposed = |party: &Party<_>, serial| {
        let mut names: Vec<_> =
            party.state().exposed_by(serial).map(|name| name.unwrap().to_string()).collect();
        names.sort();
        names.join(" ")
    };
    assert_eq!(exposed(&a, 0), "A B K2", "on their way: the peer may have them");
    let rsm = b.receive(ksm.as_bytes()).unwrap().reply.unwrap();
    a.receive(rsm.as_bytes()).unwrap();
    for party in [&a, &b] {
        let serial = party.state().keks.iter().find(|kek| kek.name == id("K2")).unwrap().serial;
        assert_eq!((&*exposed(party, 0), &*exposed(party, serial)), ("A B K2", "A B"));
    }
    // And so do those that were replaced.
    let ksm = a.send_keys(&NewKeys { kek: id("K2"), ..two("C", "D") }, &mut Seeded(2)).unwrap();
    a.receive(b.receive(ksm.as_bytes()).unwrap().reply.unwrap().as_bytes()).unwrap();
    for party in [&a, &b] {
        assert_eq!(exposed(party, 0), "A B C D K2 K2");
        assert!(party.state().archive.iter().any(|old| matches!(&old.key, OldKey::Kek(_))));
    }
}
