//! A mother card has the parent key; the keys that go from it to cards are those of the tree.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::{DesCrypt, ExportKey, PsamKeyUsage, ReceiverKind, des_crypt, init_for_descrypt};
use apdu::{Channel, StatusWord};
use card::{CardProfile, KeyCard as Kind};
use cardroot_kms::issuing::{KeyRing, KeyRingError, KeyScope, Mode, Plan, PlanError, PlanFault, Verdict};
use cardroot_kms::key_card::{KeyName, function_path};
use common::key_cards::{
    SAM, made, opened, receiving, refusal, send, with_exchange_key, without_parent_keys,
};
use common::{CHIP, Reader, SoftCard, data, random_key, ring, rng};
use diversify::Factor;
use diversify::tree::purpose::{Function, InternalAuthentication, ProvincialApplication, Purchase};
use diversify::tree::{FunctionLabels, Origin, ParentKey, ProvinceKey};
use tdea::TdeaKey;

const PLAN: &str = include_str!("data/mother-card.toml");
const CITY: [u8; 8] = *b"3702\xFF\xFF\xFF\xFF";
const USER_CARD: [u8; 8] = [0x55; 8];
/// Kinds of the two keys that go on, and the versions that they go on under.
const ENCRYPT: (u8, u8) = (7, 1);
const PURCHASE: (u8, u8) = (2, 5);

fn parent() -> ParentKey {
    let key = TdeaKey::from(0x3B1C_8F6E_5A79_40D2_1FA4_C365_97E8_0BD6_u128.to_be_bytes());
    ParentKey::from_key(key, Origin::province(1)).unwrap()
}

fn of_province<F: Function<Master = ProvincialApplication>>() -> ProvinceKey<F> {
    let labels = &FunctionLabels::V1;
    parent().provincial_application_master(labels).function_key(labels)
}

fn with_parent_key(exchange: &TdeaKey) -> KeyRing {
    let mut keys = with_exchange_key(exchange);
    keys.insert_parent_key(&parent()).unwrap();
    keys
}

fn name(levels: u8, (kind, version): (u8, u8), factors: &[[u8; 8]]) -> KeyName<'_> {
    KeyName { usage: PsamKeyUsage::new(levels, kind).unwrap(), version, exchange_version: 1, factors }
}

fn mother_card(exchange: &TdeaKey) -> Channel<SoftCard> {
    let profile = CardProfile::key_card(Kind::Mother, CHIP);
    Channel::new(made(&PLAN.parse().unwrap(), &with_parent_key(exchange), profile).1)
}

/// A key card without keys of city or province.
fn empty(kind: Kind, exchange: &TdeaKey) -> Channel<SoftCard> {
    let plan = without_parent_keys(include_str!("data/key-card.toml")).parse().unwrap();
    Channel::new(made(&plan, &with_exchange_key(exchange), CardProfile::key_card(kind, CHIP)).1)
}

/// The secondary card with what the mother card gives it.
fn filled_secondary(exchange: &TdeaKey) -> Channel<SoftCard> {
    let (mut mother, mut secondary) = (mother_card(exchange), empty(Kind::Secondary, exchange));
    let mut receiver = receiving(&mut secondary, ReceiverKind::Secondary);
    let mut open = opened(&mut mother);
    let labels = &FunctionLabels::V1;
    let (internal, purchase) =
        (function_path::<InternalAuthentication>(labels), function_path::<Purchase>(labels));
    open.give(&name(4, ENCRYPT, &internal), &mut receiver).unwrap();
    open.give(&name(4, PURCHASE, &purchase), &mut receiver).unwrap();
    secondary
}

/// What a secondary card answers, opened, that is to give a key of the province to a city's card.
fn parcel(secondary: &mut Channel<SoftCard>, (kind, version): (u8, u8)) -> Vec<u8> {
    opened(secondary);
    let export = ExportKey {
        usage: PsamKeyUsage::new(2, kind).unwrap(),
        version,
        transport_version: 1,
        receiver_kind: ReceiverKind::City,
        receiver_serial: CHIP,
        challenge: [0x11; 8],
        factors: &[CITY],
    };
    let response = secondary.transmit(&export.command().unwrap()).unwrap();
    response.into_ok().unwrap().data().to_vec()
}

/// Two roads to one key: a secondary card that the mother card filled, and one that was made with the province's keys of the tree, give
/// the same away.
#[test]
fn what_a_secondary_card_gets_from_the_mother_card_is_the_provinces_key() {
    let exchange = random_key();
    let mut from_mother = filled_secondary(&exchange);
    let mut keys = with_exchange_key(&exchange);
    keys.insert_province_key(&of_province::<InternalAuthentication>()).unwrap();
    keys.insert_province_key(&of_province::<Purchase>()).unwrap();
    let text = include_str!("data/key-card.toml").replace("kind = ", "of = \"province\", kind = ");
    let profile = CardProfile::key_card(Kind::Secondary, CHIP);
    let mut from_tree = Channel::new(made(&text.parse().unwrap(), &keys, profile).1);
    for key in [ENCRYPT, PURCHASE] {
        assert_eq!(parcel(&mut from_mother, key), parcel(&mut from_tree, key));
    }
    assert_ne!(parcel(&mut from_mother, ENCRYPT)[..24], parcel(&mut from_mother, PURCHASE)[..24]);
}

/// And so down to a user card: SAM and tree encrypt alike.
#[test]
fn the_parent_key_reaches_a_sam_as_the_key_of_a_city() {
    let exchange = random_key();
    let (mut secondary, mut city) = (filled_secondary(&exchange), empty(Kind::City, &exchange));
    let sam = made(&SAM.parse().unwrap(), &with_exchange_key(&exchange), CardProfile::sam(CHIP)).1;
    let mut sam = Channel::new(sam);
    let to_city = name(2, ENCRYPT, &[CITY]);
    opened(&mut secondary).give(&to_city, &mut receiving(&mut city, ReceiverKind::City)).unwrap();
    let to_sam = name(1, ENCRYPT, &[]);
    opened(&mut city).give(&to_sam, &mut receiving(&mut sam, ReceiverKind::Sam)).unwrap();

    let mut sam = sam.into_transport();
    send(&mut sam, &init_for_descrypt(to_sam.usage, to_sam.version, &[USER_CARD]).unwrap());
    let answer = send(&mut sam, &des_crypt(DesCrypt::Encrypt, &[0x11; 8]).unwrap());
    let mut expected = [0x11; 8];
    let key = of_province::<InternalAuthentication>()
        .city_key(Factor::from(CITY))
        .card_key(Factor::from(USER_CARD));
    key.expose_key().cipher().encrypt(tdea::Mode::Ecb, &mut expected).unwrap();
    assert_eq!(answer, expected);
}

#[test]
fn a_mother_card_gives_to_secondary_cards_alone_and_only_dispersed_as_far_as_it_may() {
    let exchange = random_key();
    let mut mother = mother_card(&exchange);
    let path = function_path::<InternalAuthentication>(&FunctionLabels::V1);
    let (mut city, mut secondary) = (empty(Kind::City, &exchange), empty(Kind::Secondary, &exchange));
    let mut open = opened(&mut mother);
    let mut city = receiving(&mut city, ReceiverKind::City);
    let mut secondary = receiving(&mut secondary, ReceiverKind::Secondary);
    assert_eq!(refusal(open.give(&name(4, ENCRYPT, &path), &mut city)), StatusWord::CONDITIONS_OF_USE);
    let too_far = [[0; 8]; 5];
    assert_eq!(refusal(open.give(&name(4, ENCRYPT, &too_far), &mut secondary)), StatusWord::WRONG_LENGTH);
    // Under no other number of levels than the plan's.
    let none = refusal(open.give(&name(2, ENCRYPT, &[]), &mut secondary));
    assert_eq!(none, StatusWord::REFERENCED_DATA_NOT_FOUND);
}

fn fault(text: &str, keys: &KeyRing) -> PlanFault {
    let script = text.parse::<Plan>();
    match script.and_then(|plan| plan.script(keys, &data(), &random_key(), Mode::Production)).unwrap_err() {
        PlanError::At { place, fault } => {
            assert_eq!(place, "application 3F01, SAM key `parent`");
            fault
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_parent_key_is_four_levels_from_a_card() {
    let keys = with_parent_key(&random_key());
    let with = |levels: u8| PLAN.replace("kind = 7", &format!("kind = 7, levels = {levels}"));
    for levels in [0, 1, 2, 3, 8] {
        assert_eq!(with(levels).parse::<Plan>().map_err(|_| ()), Err(()), "{levels}");
        assert_eq!(fault(&with(levels), &keys), PlanFault::SamUsage);
    }
    for levels in [4, 5, 7] {
        let script =
            with(levels).parse::<Plan>().unwrap().script(&keys, &data(), &random_key(), Mode::Production);
        let usage = format!("usage {:02X} version 01", levels << 5 | 7);
        assert!(script.unwrap().to_string().contains(&usage), "{usage}");
    }
}

#[test]
fn a_ring_without_the_parent_key_makes_no_mother_card() {
    let missing = PlanFault::NoKey("parent".to_owned());
    assert_eq!(fault(PLAN, &ring(0, CHIP)), missing);
    // There is none of a city.
    let of_city = PLAN.replace("of = \"province\", ", "");
    assert_eq!(fault(&of_city, &with_parent_key(&random_key())), missing);
}

/// Kind 1E among the others: under the parent key no other key travels.
#[test]
fn the_parent_key_goes_under_kinds_of_functions_alone() {
    let keys = with_parent_key(&random_key());
    let goes = |kind: &u8| {
        let text = PLAN.replace("kind = 7", &format!("kind = {kind}"));
        match text.parse::<Plan>().unwrap().script(&keys, &data(), &random_key(), Mode::Production) {
            Ok(_) => true,
            Err(_) => {
                assert_eq!(
                    fault(&text, &keys),
                    PlanFault::NotForThisKind { function: "parent", kind: *kind }
                );
                false
            }
        }
    };
    let allowed: Vec<u8> = (2..=31).filter(goes).collect();
    assert_eq!(allowed, [2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15]);
}

/// As a card's own key it would do the work of one function with the key of all.
#[test]
fn the_parent_key_is_no_key_of_a_card_itself() {
    let text = PLAN.replace("key = \"external authentication\"", "key = \"parent\"");
    let script = text.parse::<Plan>().unwrap().script(
        &with_parent_key(&random_key()),
        &data(),
        &random_key(),
        Mode::Production,
    );
    let place = "application 3F01, key external-authentication 01".to_owned();
    assert_eq!(script.unwrap_err(), PlanError::At { place, fault: PlanFault::NoKey("parent".to_owned()) });
}

#[test]
fn the_parent_key_is_on_a_ring_once_and_for_nothing_else() {
    let mut keys = with_parent_key(&random_key());
    assert_eq!(keys.insert_parent_key(&parent()), Err(KeyRingError::Twice));
    let same =
        ProvinceKey::<Purchase>::from_key(parent().expose_key().duplicate(), Origin::province(1)).unwrap();
    assert_eq!(keys.insert_province_key(&same), Err(KeyRingError::SecondPurpose("parent")));
    assert_eq!(
        keys.insert_exchange_key(2, parent().expose_key()),
        Err(KeyRingError::SecondPurpose("parent"))
    );
    let (_, scope, version, kcv) = keys.check_values().find(|(name, ..)| *name == "parent").unwrap();
    assert_eq!((scope, version, kcv), (KeyScope::Province, 1, parent().kcv()));
}

#[test]
fn a_mother_card_is_compared_and_finished_as_other_cards_are() {
    let keys = with_parent_key(&random_key());
    let (script, mut card) = made(&PLAN.parse().unwrap(), &keys, CardProfile::key_card(Kind::Mother, CHIP));
    let comparisons = script.compare(&mut Reader::steady(&mut card), &mut rng()).unwrap();
    let is_fault = |verdict| matches!(verdict, Verdict::Missing | Verdict::Differs(_));
    assert!(!comparisons.iter().any(|step| is_fault(step.verdict)), "{comparisons:#?}");
    card.reset();
    script.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap();
}

/// It keeps keys of its own only.
#[test]
fn a_user_card_takes_no_parent_key() {
    let transport = random_key();
    let plan: Plan = PLAN.parse().unwrap();
    let script = plan.script(&with_parent_key(&random_key()), &data(), &transport, Mode::Production).unwrap();
    let mut card = common::blank(CardProfile::user(CHIP), &transport);
    let error = script.issue(&mut Reader::steady(&mut card)).unwrap_err();
    assert_eq!(error.place, "application 3F01, SAM key `parent`");
}
