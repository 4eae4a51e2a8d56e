//! A transport card brings the exchange keys of a family, and no other keys.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use apdu::{Channel, StatusWord};
use card::{CardProfile, KeyCard as Kind};
use cardroot_kms::issuing::{KeyRing, Mode, Plan, PlanError, PlanFault, Verdict};
use cardroot_kms::key_card::{KeyCardError, KeyName};
use common::key_cards::{
    SAM, key_card_plan, made, opened, receiving, refusal, status, with_exchange_key, without_parent_keys,
};
use common::{CHIP, Reader, SoftCard, data, random_key, ring, rng};
use tdea::TdeaKey;

const PLAN: &str = include_str!("data/transport-card.toml");

/// Two versions of the exchange key.
fn both(first: &TdeaKey, second: &TdeaKey) -> KeyRing {
    let mut keys = with_exchange_key(first);
    keys.insert_exchange_key(2, second).unwrap();
    keys
}

fn transport_card(keys: &KeyRing) -> Channel<SoftCard> {
    let profile = CardProfile::key_card(Kind::Transport, CHIP);
    Channel::new(made(&PLAN.parse().unwrap(), keys, profile).1)
}

/// Version `version` of the exchange key, to go under version `under`.
fn exchange(version: u8, under: u8) -> KeyName<'static> {
    KeyName { usage: PsamKeyUsage::new(0, 0x1E).unwrap(), version, exchange_version: under, factors: &[] }
}

/// The key of the city that encrypts, to go under version `under`.
fn encrypting(under: u8) -> KeyName<'static> {
    KeyName { usage: PsamKeyUsage::new(1, 7).unwrap(), version: 1, exchange_version: under, factors: &[] }
}

/// A city's key card and a SAM that have version 1 alone.
fn city_and_sam(first: &TdeaKey) -> (Channel<SoftCard>, Channel<SoftCard>) {
    let keys = with_exchange_key(first);
    let (_, city) = made(&key_card_plan(), &keys, CardProfile::key_card(Kind::City, CHIP));
    let (_, sam) = made(&SAM.parse().unwrap(), &keys, CardProfile::sam(CHIP));
    (Channel::new(city), Channel::new(sam))
}

#[test]
fn a_version_goes_to_a_family_under_the_one_before_it_and_keys_go_under_it_then() {
    let (first, second) = (random_key(), random_key());
    let mut transport = transport_card(&both(&first, &second));
    let (mut city, mut sam) = city_and_sam(&first);
    // Nobody has it yet.
    let early = opened(&mut city).give(&encrypting(2), &mut receiving(&mut sam, ReceiverKind::Sam));
    assert_eq!(refusal(early), StatusWord::REFERENCED_DATA_NOT_FOUND);

    let mut open = opened(&mut transport);
    open.give(&exchange(2, 1), &mut receiving(&mut city, ReceiverKind::City)).unwrap();
    // The city's card alone has it: the SAM can't open what comes under it.
    let half = opened(&mut city).give(&encrypting(2), &mut receiving(&mut sam, ReceiverKind::Sam));
    match half.unwrap_err() {
        KeyCardError::Receiver(error) => assert_eq!(status(error), StatusWord::REFERENCED_DATA_NOT_FOUND),
        other => panic!("{other:?}"),
    }
    open.give(&exchange(2, 1), &mut receiving(&mut sam, ReceiverKind::Sam)).unwrap();
    opened(&mut city).give(&encrypting(2), &mut receiving(&mut sam, ReceiverKind::Sam)).unwrap();
}

/// Version 1 is replaced under version 2; who does not get it is out of the family.
#[test]
fn a_version_is_replaced_under_another() {
    let (first, second, third) = (random_key(), random_key(), random_key());
    let (mut city, mut sam) = city_and_sam(&first);
    let mut old = transport_card(&both(&first, &second));
    opened(&mut old).give(&exchange(2, 1), &mut receiving(&mut city, ReceiverKind::City)).unwrap();
    let mut new = transport_card(&both(&third, &second));
    opened(&mut new).give(&exchange(1, 2), &mut receiving(&mut city, ReceiverKind::City)).unwrap();
    // The SAM still has the first version 1.
    let given = opened(&mut city).give(&encrypting(1), &mut receiving(&mut sam, ReceiverKind::Sam));
    match given.unwrap_err() {
        KeyCardError::Receiver(error) => assert_eq!(status(error), StatusWord::SM_OBJECT_WRONG),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_card_that_gives_or_takes_keys_takes_exchange_keys_from_a_transport_card() {
    let (first, second) = (random_key(), random_key());
    let mut transport = transport_card(&both(&first, &second));
    let mut open = opened(&mut transport);
    let plan: Plan = without_parent_keys(include_str!("data/key-card.toml")).parse().unwrap();
    for (profile, kind) in [
        (CardProfile::sam(CHIP), ReceiverKind::Sam),
        (CardProfile::key_card(Kind::Mother, CHIP), ReceiverKind::Mother),
        (CardProfile::key_card(Kind::Secondary, CHIP), ReceiverKind::Secondary),
        (CardProfile::key_card(Kind::City, CHIP), ReceiverKind::City),
    ] {
        let mut card = Channel::new(made(&plan, &with_exchange_key(&first), profile).1);
        open.give(&exchange(2, 1), &mut receiving(&mut card, kind)).unwrap();
    }
}

#[test]
fn a_transport_card_gives_exchange_keys_alone_none_under_itself_and_no_other_card_does() {
    let (first, second) = (random_key(), random_key());
    let keys = both(&first, &second);
    let (mut city, mut sam) = city_and_sam(&first);
    // This one has a key of the city too; it keeps it.
    let parent_key = "sam-key = [{ key = \"internal authentication\", kind = 7 }]\nexchange-key";
    let plan = PLAN.replace("exchange-key", parent_key).parse().unwrap();
    let profile = CardProfile::key_card(Kind::Transport, CHIP);
    let mut transport = Channel::new(made(&plan, &keys, profile).1);
    let mut open = opened(&mut transport);
    let mut receiver = receiving(&mut sam, ReceiverKind::Sam);
    assert_eq!(refusal(open.give(&encrypting(1), &mut receiver)), StatusWord::CONDITIONS_OF_USE);
    assert_eq!(refusal(open.give(&exchange(2, 2), &mut receiver)), StatusWord::CONDITIONS_OF_USE);
    assert_eq!(refusal(open.give(&exchange(3, 1), &mut receiver)), StatusWord::REFERENCED_DATA_NOT_FOUND);
    open.give(&exchange(2, 1), &mut receiving(&mut city, ReceiverKind::City)).unwrap();
    let from_city = opened(&mut city).give(&exchange(2, 1), &mut receiver);
    assert_eq!(refusal(from_city), StatusWord::CONDITIONS_OF_USE);
}

fn fault(keys: &KeyRing, versions: &str) -> (String, PlanFault) {
    let text = PLAN.replace("[{ version = 1 }, { version = 2 }]", versions);
    let plan = text.parse::<Plan>();
    match plan.and_then(|plan| plan.script(keys, &data(), &random_key(), Mode::Production)).unwrap_err() {
        PlanError::At { place, fault } => (place, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_version_stands_once() {
    let keys = both(&random_key(), &random_key());
    let at = |which: &str| format!("application 3F01, exchange key{which}");
    let twice = "[{ version = 1 }, { version = 2 }, { version = 1 }]";
    assert!(PLAN.replace("[{ version = 1 }, { version = 2 }]", twice).parse::<Plan>().is_err());
    assert_eq!(fault(&keys, twice), (at(" 01"), PlanFault::Twice));
    assert_eq!(fault(&keys, "[{}, {}]"), (at(""), PlanFault::Twice));
    // The ring says which version it is.
    assert_eq!(fault(&with_exchange_key(&random_key()), "[{ version = 1 }, {}]"), (at(""), PlanFault::Twice));
    let several = PlanFault::SeveralVersions("exchange".to_owned());
    assert_eq!(fault(&keys, "{}"), (at(""), several));
}

#[test]
fn a_version_that_the_ring_has_not_is_missed() {
    let missing = PlanFault::NoKey("exchange".to_owned());
    let place = |version| format!("application 3F01, exchange key {version}");
    let keys = with_exchange_key(&random_key());
    assert_eq!(fault(&keys, "[{ version = 1 }, { version = 2 }]"), (place("02"), missing.clone()));
    assert_eq!(fault(&ring(0, CHIP), "[{ version = 1 }]"), (place("01"), missing));
}

#[test]
fn one_exchange_key_is_written_as_a_table_or_as_an_array() {
    let with = |text: &str| PLAN.replace("[{ version = 1 }, { version = 2 }]", text).parse::<Plan>();
    assert_eq!(with("{ version = 1 }").unwrap(), with("[{ version = 1 }]").unwrap());
    assert_eq!(with("[]").unwrap(), PLAN.replace("exchange-key", "# ").parse().unwrap());
    for (text, reason) in [
        ("{ versions = 1 }", "unknown field `versions`"),
        ("[{ version = 256 }]", "invalid value"),
        ("1", "an exchange key, or an array of them"),
        ("[1]", "invalid type"),
    ] {
        let error = with(text).unwrap_err().to_string();
        assert!(error.contains(reason) && error.starts_with("line 15: "), "{error}");
    }
}

/// Master, officer's key and two exchange keys of 24 bytes each, and a PIN of 10.
#[test]
fn exchange_keys_count_for_the_room_of_the_key_file() {
    let text = PLAN.replace("size = 0x0100", "size = 0x006A");
    assert!(text.parse::<Plan>().is_ok());
    let fault = PlanFault::NoRoom { what: "the key file", needed: 0x6A, room: 0x69 };
    let place = "application 3F01".to_owned();
    assert_eq!(text.replace("0x006A", "0x0069").parse::<Plan>(), Err(PlanError::At { place, fault }));
}

#[test]
fn a_transport_card_is_compared_and_finished_as_other_cards_are() {
    let keys = both(&random_key(), &random_key());
    let profile = CardProfile::key_card(Kind::Transport, CHIP);
    let (script, mut card) = made(&PLAN.parse().unwrap(), &keys, profile);
    let comparisons = script.compare(&mut Reader::steady(&mut card), &mut rng()).unwrap();
    let is_fault = |verdict| matches!(verdict, Verdict::Missing | Verdict::Differs(_));
    assert!(!comparisons.iter().any(|step| is_fault(step.verdict)), "{comparisons:#?}");
    card.reset();
    script.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap();
}
