//! A key card made by a plan gives a SAM, made by a plan, the keys of its city.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::{DesCrypt, ExportKey, PsamKeyUsage, des_crypt, import_key, init_for_descrypt};
use apdu::commands::{ChallengeLength, FileId, get_challenge, select_file, verify};
use apdu::secure::pboc::{AuthenticationKey, CardKey, Challenged, ExternalAuthKey, MasterKey};
use apdu::{Channel, CommandApdu, StatusWord};
use card::{CardKind, CardProfile, KeyCard};
use cardroot_kms::issuing::{KeyRing, KeyRingError, Mode, Plan, PlanError, PlanFault, Script, Verdict};
use common::{CHIP, PIN, Reader, SoftCard, blank, city_key, data, random_key, ring, rng};
use diversify::Factor;
use diversify::tree::purpose::{
    ApplicationControl, ExternalAuthentication, Function, InternalAuthentication,
};
use tdea::TdeaKey;

const APPLICATION: FileId = FileId(0x3F01);
const SAM: &str = r#"
    name = "SAM of a key card"
    version = 1
    [card]
    master = { key = "issuing", tries = 3 }
    [[application]]
    id = 0x3F01
    name = "A00000000386980702"
    size = 0x0300
    keys = { size = 0x0180 }
    master = { key = "application control", tries = 3 }
    exchange-key = { version = 1 }
"#;

fn key_card_plan() -> Plan {
    include_str!("data/key-card.toml").parse().unwrap()
}

fn with_exchange_key(key: &TdeaKey) -> KeyRing {
    let mut keys = ring(0, CHIP);
    keys.insert_exchange_key(1, key).unwrap();
    keys
}

fn made(plan: &Plan, keys: &KeyRing, profile: CardProfile) -> (Script, SoftCard) {
    let transport = random_key();
    let script = plan.script(keys, &data(), &transport, Mode::Production).unwrap();
    let mut card = blank(profile, &transport);
    script.issue(&mut Reader::steady(&mut card)).unwrap();
    card.reset();
    (script, card)
}

fn send(card: &mut SoftCard, command: &CommandApdu) -> Vec<u8> {
    Channel::new(card).transmit(command).unwrap().into_ok().unwrap().data().to_vec()
}

fn card_key<F: Function>() -> CardKey {
    let key = city_key::<F>(0).card_key(Factor::from(CHIP));
    CardKey::try_from(key.expose_key().duplicate()).unwrap()
}

fn prove(card: &mut SoftCard, id: u8, key: &impl AuthenticationKey) {
    let mut channel = Channel::new(card);
    let challenged = Challenged::request(&mut channel, ChallengeLength::Eight).unwrap();
    challenged.external_authenticate(id, key).unwrap().into_ok().unwrap();
}

#[test]
fn a_key_card_gives_its_keys_to_a_sam_after_pin_and_proof_alone() {
    let keys = with_exchange_key(&random_key());
    let (_, mut giver) = made(&key_card_plan(), &keys, CardProfile::key_card(KeyCard::City, CHIP));
    let (_, mut sam) = made(&SAM.parse().unwrap(), &keys, CardProfile::sam(CHIP));
    send(&mut giver, &select_file(APPLICATION));
    send(&mut sam, &select_file(APPLICATION));
    prove(&mut sam, 0x00, &MasterKey::from_key(card_key::<ApplicationControl>()));

    let usage = PsamKeyUsage::new(1, 7).unwrap();
    let challenge = send(&mut sam, &get_challenge(ChallengeLength::Eight));
    let export = ExportKey {
        usage,
        version: 1,
        transport_version: 1,
        receiver_kind: CardKind::Sam.code(),
        receiver_serial: CHIP,
        challenge: challenge.try_into().unwrap(),
        factors: &[],
    };
    let export = export.command().unwrap();
    let refused = Channel::new(&mut giver).transmit(&export).unwrap();
    assert_eq!(refused.status(), StatusWord::SECURITY_STATUS);
    send(&mut giver, &verify(0x00, &PIN).unwrap());
    prove(&mut giver, 0x01, &ExternalAuthKey::from_key(card_key::<ExternalAuthentication>()));
    let wrapped = send(&mut giver, &export);
    send(&mut sam, &import_key(1, &wrapped).unwrap());

    // The SAM has the city's key, and derives a card's from it.
    let user_card = Factor::from([0x55; 8]);
    send(&mut sam, &init_for_descrypt(usage, 1, &[*user_card.as_bytes()]).unwrap());
    let answer = send(&mut sam, &des_crypt(DesCrypt::Encrypt, &[0x11; 8]).unwrap());
    let mut expected = [0x11; 8];
    let key = city_key::<InternalAuthentication>(0).card_key(user_card);
    key.expose_key().cipher().encrypt(tdea::Mode::Ecb, &mut expected).unwrap();
    assert_eq!(answer, expected);
}

#[test]
fn a_key_card_is_compared_and_finished_as_other_cards_are() {
    let keys = with_exchange_key(&random_key());
    let (script, mut card) = made(&key_card_plan(), &keys, CardProfile::key_card(KeyCard::City, CHIP));
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

    let purchase = city_key::<diversify::tree::purpose::Purchase>(0).expose_key().duplicate();
    let second = KeyRingError::SecondPurpose("purchase");
    assert_eq!(ring(0, CHIP).insert_exchange_key(1, &purchase), Err(second));
    let mut keys = with_exchange_key(&transport);
    assert_eq!(keys.insert_exchange_key(1, &random_key()), Err(KeyRingError::Twice));
    let known = TdeaKey::from(0x404142434445464748494A4B4C4D4E4F_u128.to_be_bytes());
    let known = key_card_plan().script(&with_exchange_key(&known), &data(), &transport, Mode::Production);
    assert!(matches!(known.unwrap_err(), PlanError::At { fault: PlanFault::TestKey(_), .. }));
}
