//! An authentication card has the key that opens one key card, and no other use for it.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use apdu::commands::{select_file, verify};
use apdu::{Channel, StatusWord};
use card::{CardProfile, KeyCard as Kind};
use cardroot_kms::issuing::{
    KeyRing, KeyRingError, KeyScope, Mode, Plan, PlanError, PlanFault, Use, Verdict,
};
use cardroot_kms::key_card::{IdentifiedKeyCard, KeyCard, KeyName, OpenError};
use common::key_cards::{APPLICATION, SAM, key_card_plan, made, receiving, status, with_exchange_key};
use common::{CHIP, PIN, Reader, SoftCard, city_key, data, random_key, ring, rng};
use diversify::Factor;
use diversify::tree::purpose::ExternalAuthentication;
use diversify::tree::{CardKey, CityKey, Origin};
use tdea::TdeaKey;

const PLAN: &str = include_str!("data/authentication-card.toml");
/// Serial number of the authentication card; `CHIP` is that of the key card.
const OFFICER: [u8; 8] = [0x86, 0x60, 0x11, 0x08, 0x16, 0, 0, 2];
/// Identifier of the key on either card.
const KEY: u8 = 0x01;

fn key_of(card: [u8; 8]) -> CardKey<ExternalAuthentication> {
    city_key(0).card_key(Factor::from(card))
}

/// The keys of an authentication card for the card of that serial number.
fn keys_to_open(card: [u8; 8]) -> KeyRing {
    let mut keys = ring(0, OFFICER);
    keys.insert_opened_card_key(&key_of(card)).unwrap();
    keys
}

fn authentication_card(opens: [u8; 8]) -> Channel<SoftCard> {
    let profile = CardProfile::key_card(Kind::ExternalAuthentication, OFFICER);
    let (_, mut card) = made(&PLAN.parse().unwrap(), &keys_to_open(opens), profile);
    let mut channel = Channel::new(&mut card);
    channel.transmit(&select_file(APPLICATION)).unwrap().into_ok().unwrap();
    Channel::new(card)
}

fn show_pin(card: &mut Channel<SoftCard>) {
    card.transmit(&verify(0x00, &PIN).unwrap()).unwrap().into_ok().unwrap();
}

fn key_card(exchange: &TdeaKey) -> Channel<SoftCard> {
    let profile = CardProfile::key_card(Kind::City, CHIP);
    Channel::new(made(&key_card_plan(), &with_exchange_key(exchange), profile).1)
}

fn identified(key_card: &mut Channel<SoftCard>) -> IdentifiedKeyCard<'_, SoftCard> {
    KeyCard::select(key_card, APPLICATION).unwrap().verify_pin(0x00, &PIN).unwrap()
}

/// The officer has a card instead of the key: INTERNAL AUTHENTICATE of one card is EXTERNAL AUTHENTICATE of the other.
#[test]
fn an_authentication_card_made_by_a_plan_opens_the_key_card() {
    let exchange = random_key();
    let (mut key_card, mut officer) = (key_card(&exchange), authentication_card(CHIP));
    let mut refusal = |officer: &mut Channel<SoftCard>, id| match identified(&mut key_card)
        .authenticate_by(KEY, officer, id)
        .unwrap_err()
    {
        OpenError::AuthenticationCard(error) => status(error),
        other => panic!("{other:?}"),
    };
    // Its own PIN first.
    assert_eq!(refusal(&mut officer, KEY), StatusWord::SECURITY_STATUS);
    show_pin(&mut officer);
    assert_eq!(refusal(&mut officer, KEY + 1), StatusWord::REFERENCED_DATA_NOT_FOUND);

    let mut open = identified(&mut key_card).authenticate_by(KEY, &mut officer, KEY).unwrap();
    let sam = made(&SAM.parse().unwrap(), &with_exchange_key(&exchange), CardProfile::sam(CHIP)).1;
    let usage = PsamKeyUsage::new(1, 7).unwrap();
    let key = KeyName { usage, version: 1, exchange_version: 1, factors: &[] };
    open.give(&key, &mut receiving(&mut Channel::new(sam), ReceiverKind::Sam)).unwrap();
}

#[test]
fn the_authentication_card_of_another_key_card_opens_nothing() {
    let (mut key_card, mut officer) = (key_card(&random_key()), authentication_card([0x77; 8]));
    show_pin(&mut officer);
    match identified(&mut key_card).authenticate_by(KEY, &mut officer, KEY).unwrap_err() {
        OpenError::KeyCard(error) => assert_eq!(status(error), StatusWord::tries_left(4)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_authentication_card_is_compared_and_finished_as_other_cards_are() {
    let profile = CardProfile::key_card(Kind::ExternalAuthentication, OFFICER);
    let (script, mut card) = made(&PLAN.parse().unwrap(), &keys_to_open(CHIP), profile);
    let place = "application 3F01, key encrypt 01";
    for _ in 0..2 {
        let comparisons = script.compare(&mut Reader::steady(&mut card), &mut rng()).unwrap();
        // The card proves the very key.
        assert_eq!(comparisons.iter().find(|step| step.place == place).unwrap().verdict, Verdict::Same);
        assert!(!comparisons.iter().any(|step| step.verdict == Verdict::Missing), "{comparisons:#?}");
        card.reset();
        script.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap();
        card.reset();
    }
    let other = PLAN.parse::<Plan>().unwrap();
    let other = other.script(&keys_to_open([0x77; 8]), &data(), &random_key(), Mode::Production).unwrap();
    let comparisons = other.compare(&mut Reader::steady(&mut card), &mut rng()).unwrap();
    let verdict = comparisons.iter().find(|step| step.place == place).unwrap().verdict;
    assert!(matches!(verdict, Verdict::Differs(_)), "{verdict:?}");
}

/// The fault of a plan with one text replaced by another, which must be there, and where it is.
fn fault(from: &str, to: &str, keys: &KeyRing) -> (String, PlanFault) {
    assert!(PLAN.contains(from), "{from}");
    let plan = PLAN.replace(from, to).parse::<Plan>();
    match plan.and_then(|plan| plan.script(keys, &data(), &random_key(), Mode::Production)).unwrap_err() {
        PlanError::At { place, fault } => (place, fault),
        other => panic!("{other:?}"),
    }
}

/// As external authentication key it would open this card too.
#[test]
fn the_key_of_the_opened_card_serves_its_proof_alone() {
    for (used, name, attributes) in [
        (Use::Decrypt, "decrypt", ""),
        (Use::Mac, "mac", ""),
        (Use::Tac, "tac", ""),
        (Use::Line, "line", ", tries = 3"),
        (Use::ExternalAuthentication, "external-authentication", ", tries = 3, follow = 2"),
    ] {
        let to = format!("use = \"{name}\"{attributes}");
        let place = format!("application 3F01, key {name} 01");
        let expected = (place, PlanFault::OpensOnly(used));
        assert_eq!(fault("use = \"encrypt\"", &to, &keys_to_open(CHIP)), expected);
    }
}

#[test]
fn an_authentication_card_has_the_key_of_the_other_card_and_not_its_own() {
    let place = || "application 3F01, key encrypt 01".to_owned();
    let missing = PlanFault::NoKey("external authentication".to_owned());
    // The ring has that of the card itself.
    assert_eq!(fault("id = 1", "id = 1", &ring(0, OFFICER)), (place(), missing));
    // And that does not prove anything here.
    let own = PlanFault::NotForThisFunction { function: "external authentication", used: Use::Encrypt };
    assert_eq!(fault(", of = \"opened-card\"", "", &keys_to_open(CHIP)), (place(), own));
    // Of the opened card there is this key and no other.
    let missing = PlanFault::NoKey("internal authentication".to_owned());
    assert_eq!(
        fault("\"external authentication\"", "\"internal authentication\"", &keys_to_open(CHIP)),
        (place(), missing)
    );
    // Once.
    let second =
        "key = [{ id = 2, use = \"encrypt\", key = \"external authentication\", of = \"opened-card\" }, ";
    let twice = PlanFault::SecondPurpose("external authentication".to_owned());
    assert_eq!(fault("key = [", second, &keys_to_open(CHIP)), (place(), twice));
}

#[test]
fn the_key_of_the_opened_card_does_not_let_others_of_that_card_onto_the_ring() {
    let mut keys = keys_to_open(CHIP);
    assert_eq!(keys.insert_card_key(&key_of(CHIP)), Err(KeyRingError::OtherPlace));
    assert_eq!(keys.insert_card_key(&key_of([0x77; 8])), Err(KeyRingError::OtherPlace));
    assert_eq!(keys.insert_opened_card_key(&key_of(CHIP)), Err(KeyRingError::Twice));
    assert_eq!(keys.insert_opened_card_key(&key_of([0x77; 8])), Err(KeyRingError::OtherPlace));
    assert_eq!(ring(0, CHIP).insert_opened_card_key(&key_of(CHIP)), Err(KeyRingError::OpensItself));
    let mut keys = KeyRing::new();
    keys.insert_opened_card_key(&key_of(CHIP)).unwrap();
    assert_eq!(keys.insert_card_key(&key_of(CHIP)), Err(KeyRingError::OpensItself));
    // The opened card may be of another city.
    let elsewhere = Origin::city(1, Factor::from([0x01; 8]));
    let elsewhere = CityKey::<ExternalAuthentication>::from_key(random_key(), elsewhere).unwrap();
    let mut keys = ring(0, OFFICER);
    keys.insert_opened_card_key(&elsewhere.card_key(Factor::from(CHIP))).unwrap();
    assert_eq!(keys.insert_city_key(&elsewhere), Err(KeyRingError::OtherPlace));
    let opened = |(_, scope, ..): &(_, KeyScope, _, _)| *scope == KeyScope::OpenedCard;
    assert_eq!(keys.check_values().filter(opened).count(), 1);
}
