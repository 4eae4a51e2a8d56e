//! A key card made by a plan gives a SAM, made by a plan, the keys of its city.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::{DesCrypt, ExportKey, PsamKeyUsage, ReceiverKind, des_crypt, init_for_descrypt};
use apdu::commands::{ChallengeLength, FileId, select_file, verify};
use apdu::secure::pboc::{Challenged, ExternalAuthKey, MasterKey};
use apdu::{Channel, StatusWord};
use card::{CardProfile, KeyCard as KeyCardKind};
use cardroot_kms::issuing::{KeyRingError, Mode, Plan, PlanError, PlanFault, Verdict};
use cardroot_kms::key_card::{KeyCard, KeyCardError, KeyName, OpenError, Receiver};
use common::key_cards::{
    APPLICATION, SAM, card_key, key_card_plan, made, officers_key, opened, receiving, send, status,
    with_exchange_key, without_parent_keys,
};
use common::{CHIP, PIN, Reader, SoftCard, city_key, data, random_key, ring, rng};
use diversify::Factor;
use diversify::tree::purpose::{ApplicationControl, InternalAuthentication, Purchase};
use diversify::tree::{Origin, ProvinceKey};
use tdea::TdeaKey;

/// The key card of a city, and a SAM, that have these exchange keys.
fn family(of_key_card: &TdeaKey, of_sam: &TdeaKey) -> (SoftCard, SoftCard) {
    let city = CardProfile::key_card(KeyCardKind::City, CHIP);
    let (_, giver) = made(&key_card_plan(), &with_exchange_key(of_key_card), city);
    let (_, sam) = made(&SAM.parse().unwrap(), &with_exchange_key(of_sam), CardProfile::sam(CHIP));
    (giver, sam)
}

/// The key of the city that encrypts, one level above the cards.
fn encrypting() -> KeyName<'static> {
    KeyName { usage: PsamKeyUsage::new(1, 7).unwrap(), version: 1, exchange_version: 1, factors: &[] }
}

/// What a card answers to EXPORT KEY, sent without the steps before it.
fn export_status(card: &mut SoftCard) -> StatusWord {
    let export = ExportKey {
        usage: encrypting().usage,
        version: 1,
        transport_version: 1,
        receiver_kind: ReceiverKind::Sam,
        receiver_serial: CHIP,
        challenge: [0x11; 8],
        factors: &[],
    };
    Channel::new(card).transmit(&export.command().unwrap()).unwrap().status()
}

#[test]
fn a_key_card_gives_its_keys_to_a_sam() {
    let exchange = random_key();
    let (giver, sam) = family(&exchange, &exchange);
    let (mut giver, mut sam) = (Channel::new(giver), Channel::new(sam));
    let purchase = KeyName { usage: PsamKeyUsage::new(1, 2).unwrap(), version: 5, ..encrypting() };
    let mut open = opened(&mut giver);
    let mut receiver = receiving(&mut sam, ReceiverKind::Sam);
    open.give(&encrypting(), &mut receiver).unwrap();
    open.give(&purchase, &mut receiver).unwrap();
    // A second time it takes its own place.
    open.give(&encrypting(), &mut receiver).unwrap();

    // The SAM has the city's key, and derives a card's from it.
    let mut sam = sam.into_transport();
    let user_card = Factor::from([0x55; 8]);
    send(&mut sam, &init_for_descrypt(encrypting().usage, 1, &[*user_card.as_bytes()]).unwrap());
    let answer = send(&mut sam, &des_crypt(DesCrypt::Encrypt, &[0x11; 8]).unwrap());
    let mut expected = [0x11; 8];
    let key = city_key::<InternalAuthentication>(0).card_key(user_card);
    key.expose_key().cipher().encrypt(tdea::Mode::Ecb, &mut expected).unwrap();
    assert_eq!(answer, expected);
}

#[test]
fn no_key_leaves_before_pin_and_proof() {
    let exchange = random_key();
    let (mut giver, _) = family(&exchange, &exchange);
    send(&mut giver, &select_file(APPLICATION));
    assert_eq!(export_status(&mut giver), StatusWord::SECURITY_STATUS);
    send(&mut giver, &verify(0x00, &PIN).unwrap());
    assert_eq!(export_status(&mut giver), StatusWord::SECURITY_STATUS, "the PIN alone");
    giver.reset();
    send(&mut giver, &select_file(APPLICATION));
    let mut channel = Channel::new(&mut giver);
    let challenged = Challenged::request(&mut channel, ChallengeLength::Eight).unwrap();
    challenged.external_authenticate(0x01, &officers_key()).unwrap().into_ok().unwrap();
    assert_eq!(export_status(&mut giver), StatusWord::SECURITY_STATUS, "the proof alone");
    send(&mut giver, &verify(0x00, &PIN).unwrap());
    assert_eq!(export_status(&mut giver), StatusWord::OK);
    // The master's proof is another matter than the officer's.
    giver.reset();
    let mut channel = Channel::new(&mut giver);
    receiving_master(&mut channel);
    channel.transmit(&verify(0x00, &PIN).unwrap()).unwrap().into_ok().unwrap();
    assert_eq!(export_status(&mut giver), StatusWord::SECURITY_STATUS, "PIN and master");
}

fn receiving_master(channel: &mut Channel<&mut SoftCard>) {
    let master = MasterKey::from_key(card_key::<ApplicationControl>());
    Receiver::open(channel, ReceiverKind::Sam, CHIP, APPLICATION, &master).unwrap();
}

#[test]
fn a_wrong_pin_and_a_wrong_proof_keep_a_key_card_shut() {
    let exchange = random_key();
    let (giver, _) = family(&exchange, &exchange);
    let mut giver = Channel::new(giver);
    let shut = |error| match error {
        OpenError::KeyCard(error) => status(error),
        other => panic!("{other:?}"),
    };
    let wrong = KeyCard::select(&mut giver, APPLICATION).unwrap().verify_pin(0x00, &[0x99; 2]);
    assert_eq!(shut(wrong.unwrap_err()), StatusWord::tries_left(2));
    let long = KeyCard::select(&mut giver, APPLICATION).unwrap().verify_pin(0x00, &[0x99; 9]);
    assert!(matches!(long.unwrap_err(), OpenError::Pin(_)));
    let known = KeyCard::select(&mut giver, APPLICATION).unwrap().verify_pin(0x00, &PIN).unwrap();
    let wrong = ExternalAuthKey::from_key(card_key::<InternalAuthentication>());
    assert_eq!(shut(known.authenticate(0x01, &wrong).unwrap_err()), StatusWord::tries_left(4));
    let nowhere = KeyCard::select(&mut giver, FileId(0x3F09));
    assert_eq!(shut(nowhere.unwrap_err()), StatusWord::FILE_NOT_FOUND);
}

#[test]
fn a_card_of_another_family_and_one_that_is_no_sam_get_no_key() {
    let (giver, sam) = family(&random_key(), &random_key());
    let (mut giver, mut sam) = (Channel::new(giver), Channel::new(sam));
    let mut open = opened(&mut giver);
    let mut receiver = receiving(&mut sam, ReceiverKind::Sam);
    match open.give(&encrypting(), &mut receiver).unwrap_err() {
        KeyCardError::Receiver(error) => assert_eq!(status(error), StatusWord::SM_OBJECT_WRONG),
        other => panic!("{other:?}"),
    }
    let none = KeyName { exchange_version: 2, ..encrypting() };
    let unknown = KeyName { version: 9, ..encrypting() };
    for (key, expected) in [
        (none, StatusWord::REFERENCED_DATA_NOT_FOUND),
        (unknown, StatusWord::REFERENCED_DATA_NOT_FOUND),
        (KeyName { factors: &[[0; 8]; 2], ..encrypting() }, StatusWord::WRONG_LENGTH),
    ] {
        match open.give(&key, &mut receiver).unwrap_err() {
            KeyCardError::Giver(error) => assert_eq!(status(error), expected, "{key:?}"),
            other => panic!("{other:?}"),
        }
    }
    // The city's card gives to SAMs, and to no other key card.
    let mut city = receiving(&mut sam, ReceiverKind::City);
    match open.give(&encrypting(), &mut city).unwrap_err() {
        KeyCardError::Giver(error) => assert_eq!(status(error), StatusWord::CONDITIONS_OF_USE),
        other => panic!("{other:?}"),
    }
    assert!(matches!(
        open.give(&KeyName { factors: &[[0; 8]; 9000], ..encrypting() }, &mut city),
        Err(KeyCardError::TooLong(_))
    ));
}

/// Two roads to one key: down the tree, and from card to card.
#[test]
fn keys_of_the_province_reach_a_sam_by_way_of_a_citys_card() {
    let exchange = random_key();
    let (city, user_card) = (Factor::from(*b"3702\xFF\xFF\xFF\xFF"), Factor::from([0x55; 8]));
    let province_key =
        |seed| TdeaKey::from(core::array::from_fn::<u8, 16, _>(|i| u8::try_from(i).unwrap() * 7 + seed));
    let internal =
        ProvinceKey::<InternalAuthentication>::from_key(province_key(1), Origin::province(1)).unwrap();
    let purchase = ProvinceKey::<Purchase>::from_key(province_key(2), Origin::province(1)).unwrap();
    let mut keys = with_exchange_key(&exchange);
    keys.insert_province_key(&internal).unwrap();
    keys.insert_province_key(&purchase).unwrap();

    let text = include_str!("data/key-card.toml");
    let of_province = text.replace("kind = ", "of = \"province\", kind = ");
    let (plan, bare) = (of_province.parse().unwrap(), without_parent_keys(text).parse().unwrap());
    let (_, secondary) = made(&plan, &keys, CardProfile::key_card(KeyCardKind::Secondary, CHIP));
    let (_, city_card) = made(&bare, &keys, CardProfile::key_card(KeyCardKind::City, CHIP));
    let (_, sam) = made(&SAM.parse().unwrap(), &keys, CardProfile::sam(CHIP));
    let (mut secondary, mut city_card) = (Channel::new(secondary), Channel::new(city_card));
    let mut sam = Channel::new(sam);

    let two_levels = PsamKeyUsage::new(2, 7).unwrap();
    let undispersed = KeyName { usage: two_levels, ..encrypting() };
    let for_city = KeyName { factors: &[*city.as_bytes()], ..undispersed };
    opened(&mut secondary).give(&for_city, &mut receiving(&mut city_card, ReceiverKind::City)).unwrap();
    // The SAM gets its key from the city's card alone.
    match opened(&mut secondary).give(&for_city, &mut receiving(&mut sam, ReceiverKind::Sam)).unwrap_err() {
        KeyCardError::Giver(error) => assert_eq!(status(error), StatusWord::CONDITIONS_OF_USE),
        other => panic!("{other:?}"),
    }
    opened(&mut city_card).give(&encrypting(), &mut receiving(&mut sam, ReceiverKind::Sam)).unwrap();

    let mut sam = sam.into_transport();
    send(&mut sam, &init_for_descrypt(encrypting().usage, 1, &[*user_card.as_bytes()]).unwrap());
    let answer = send(&mut sam, &des_crypt(DesCrypt::Encrypt, &[0x11; 8]).unwrap());
    let mut expected = [0x11; 8];
    let key = internal.city_key(city).card_key(user_card);
    key.expose_key().cipher().encrypt(tdea::Mode::Ecb, &mut expected).unwrap();
    assert_eq!(answer, expected);
}

#[test]
fn a_key_of_the_province_is_two_levels_from_a_card() {
    let text = include_str!("data/key-card.toml").replace("kind = 7", "kind = 7, of = \"province\"");
    let with =
        |levels: u8| text.replace("kind = 7,", &format!("kind = 7, levels = {levels},")).parse::<Plan>();
    for levels in [0, 1, 8] {
        let place = "application 3F01, SAM key `internal authentication`".to_owned();
        assert_eq!(with(levels), Err(PlanError::At { place, fault: PlanFault::SamUsage }));
    }
    // A ring of the city's keys does not have it.
    let without =
        with(2).unwrap().script(&with_exchange_key(&random_key()), &data(), &random_key(), Mode::Production);
    let fault = PlanFault::NoKey("internal authentication".to_owned());
    assert!(matches!(without.unwrap_err(), PlanError::At { fault: found, .. } if found == fault));
}

/// A SAM that says it is another one gets what it can't open.
#[test]
fn a_key_is_for_one_card_alone() {
    let exchange = random_key();
    let (giver, sam) = family(&exchange, &exchange);
    let (mut giver, mut sam) = (Channel::new(giver), Channel::new(sam));
    let master = MasterKey::from_key(card_key::<ApplicationControl>());
    let serial = [0x77; 8];
    let mut other = Receiver::open(&mut sam, ReceiverKind::Sam, serial, APPLICATION, &master).unwrap();
    match opened(&mut giver).give(&encrypting(), &mut other).unwrap_err() {
        KeyCardError::Receiver(error) => assert_eq!(status(error), StatusWord::SM_OBJECT_WRONG),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_key_card_is_compared_and_finished_as_other_cards_are() {
    let keys = with_exchange_key(&random_key());
    let (script, mut card) = made(&key_card_plan(), &keys, CardProfile::key_card(KeyCardKind::City, CHIP));
    for _ in 0..2 {
        let comparisons = script.compare(&mut Reader::steady(&mut card), &mut rng()).unwrap();
        let is_fault = |verdict| matches!(verdict, Verdict::Missing | Verdict::Differs(_));
        assert!(!comparisons.iter().any(|step| is_fault(step.verdict)), "{comparisons:#?}");
        card.reset();
        script.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap();
        card.reset();
    }
}

#[test]
fn the_exchange_key_is_a_key_of_its_own() {
    let transport = random_key();
    let without = key_card_plan().script(&ring(0, CHIP), &data(), &transport, Mode::Production);
    let fault = PlanFault::NoKey("exchange".to_owned());
    let place = "application 3F01, exchange key".to_owned();
    assert_eq!(without.unwrap_err(), PlanError::At { place, fault });

    let purchase = city_key::<Purchase>(0).expose_key().duplicate();
    let second = KeyRingError::SecondPurpose("purchase");
    assert_eq!(ring(0, CHIP).insert_exchange_key(1, &purchase), Err(second));
    let mut keys = with_exchange_key(&transport);
    assert_eq!(keys.insert_exchange_key(1, &random_key()), Err(KeyRingError::Twice));
    let known = TdeaKey::from(0x404142434445464748494A4B4C4D4E4F_u128.to_be_bytes());
    let known = key_card_plan().script(&with_exchange_key(&known), &data(), &transport, Mode::Production);
    assert!(matches!(known.unwrap_err(), PlanError::At { fault: PlanFault::TestKey(_), .. }));
}
