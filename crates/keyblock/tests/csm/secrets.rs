//! Keys do not show.

use cardroot_keyblock::csm::{DataKey, DataKeyEntry, DataKeyForm, Event, MemoryStore, NewKeys, Party, State};

use crate::{FORMS, agreement, id, pair, two};

fn shows_nothing(value: &impl core::fmt::Debug) {
    for text in [format!("{value:?}"), format!("{value:#?}"), format!("{value:#x?}")] {
        let text = text.to_lowercase();
        assert!(!text.contains("a5") && !text.contains("165"), "{text}");
    }
}

#[test]
fn debug_shows_no_key_bytes() {
    for form in FORMS {
        let key = || DataKey::from_fill(form, |key| key.fill(0xA5));
        shows_nothing(&key());
        let entry = |name| DataKeyEntry { name: id(name), key: key(), purpose: None, under: 0 };
        let state = State { data_keys: vec![entry("X"), entry("Y")], ..State::default() };
        shows_nothing(&state);
        let mut party = Party::new(agreement("BANKA", "BANKB", form), state, MemoryStore::default()).unwrap();
        shows_nothing(&party.authentication_key(id("X")).unwrap());
        shows_nothing(&party.encryption_key(id("Y")).unwrap());
        shows_nothing(&party);
    }
}

#[test]
fn debug_shows_no_vector_that_travels_encrypted() {
    let (mut a, mut b) = pair(DataKeyForm::SingleDes);
    let keys = NewKeys { iv: Some([0xA5; 8].into()), ..two("A", "B") };
    shows_nothing(&keys.iv);
    assert!(format!("{keys:?}").contains("iv: Some(Iv { .. })"));
    let ksm = a.send_keys(&keys, &mut crate::Seeded(5)).unwrap();
    let Event::KeysReceived(received) = b.receive(ksm.as_bytes()).unwrap().event else { panic!("{ksm}") };
    assert_eq!(received.iv, keys.iv);
    assert!(format!("{received:?}").contains("iv: Some(Iv { .. })"));
}

#[test]
fn no_clear_key_stands_in_a_message() {
    let (mut a, _) = pair(DataKeyForm::SingleDes);
    let ksm = a.send_keys(&two("A", "B"), &mut crate::Seeded(5)).unwrap();
    for key in &a.state().sent_keys.as_ref().unwrap().data_keys {
        assert!(!ksm.contains(&crate::second_road::hex(key.key.expose_bytes())));
    }
}
