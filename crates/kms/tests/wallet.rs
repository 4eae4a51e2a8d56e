//! A card made by a plan is loaded by the host of its city and pays at a terminal: with the terminal's key, and at a SAM made by a
//! plan.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::pboc::Wallet;
use apdu::commands::pboc::wallet::{
    Load, LoadKey, Purchase, PurchaseKey, PurchaseKind, TacKey, TransactionTime, get_balance,
};
use apdu::commands::{FileId, Record, RecordAddress, Sfi, read_record, select_file, verify};
use apdu::secure::Rejected;
use apdu::{Channel, CommandApdu, Le};
use card::{CardProfile, KeyCard};
use cardroot_kms::issuing::{Mode, Plan};
use common::{CHIP, PIN, Reader, SoftCard, blank, city_key, data, random_key, ring, user_plan};
use diversify::Factor;
use diversify::tree::purpose::{Function, Purchase as PurchaseFunction, Recharge, Tac};
use tdea::TdeaKey;

const TERMINAL: [u8; 6] = [0x37, 0x01, 0, 0, 0, 0x01];
const APPLICATION: FileId = FileId(0x3F01);
const SAM: &str = include_str!("data/purchase-sam.toml");

fn time() -> TransactionTime {
    TransactionTime::from([0x20, 0x26, 0x11, 0x22, 0x12, 0x00, 0x00])
}

/// A key of the card, from that of its city by the way of the host.
fn card_key<F: Function, K: TryFrom<TdeaKey, Error: core::fmt::Debug>>() -> K {
    K::try_from(city_key::<F>(0).card_key(Factor::from(CHIP)).expose_key().duplicate()).unwrap()
}

fn made(plan: &Plan, profile: CardProfile) -> SoftCard {
    let transport = random_key();
    let script = plan.script(&ring(0, CHIP), &data(), &transport, Mode::Production).unwrap();
    let mut card = blank(profile, &transport);
    script.issue(&mut Reader::steady(&mut card)).unwrap();
    card.reset();
    card
}

fn send(card: &mut SoftCard, command: &CommandApdu) -> Vec<u8> {
    Channel::new(card).transmit(command).unwrap().into_ok().unwrap().data().to_vec()
}

/// A user card of the plan with its application open to the holder.
fn opened() -> SoftCard {
    let mut card = made(&user_plan(), CardProfile::user(CHIP));
    send(&mut card, &select_file(APPLICATION));
    send(&mut card, &verify(0x00, &PIN).unwrap());
    card
}

fn balance(card: &mut SoftCard, wallet: Wallet) -> u32 {
    u32::from_be_bytes(send(card, &get_balance(wallet)).try_into().unwrap())
}

fn load(card: &mut SoftCard, wallet: Wallet, amount: u32) {
    let load = Load { wallet, key_id: 0x01, amount, terminal: TERMINAL };
    let answer = load.answer(&send(card, &load.initialize())).unwrap();
    assert_eq!(answer.key_attributes(), (1, 0), "the version of the city's key");
    let (credit, sent) = answer.verify(&card_key::<Recharge, LoadKey>()).unwrap().credit(time());
    sent.verify_tac(&send(card, &credit), &card_key::<Tac, TacKey>()).unwrap();
}

const fn purchase(wallet: Wallet, amount: u32) -> Purchase {
    Purchase { kind: PurchaseKind::Purchase(wallet), key_id: 0x01, amount, terminal: TERMINAL }
}

#[test]
fn wallets_of_a_plan_are_loaded_and_pay() {
    let mut card = opened();
    for wallet in [Wallet::Deposit, Wallet::Purse] {
        assert_eq!(balance(&mut card, wallet), 0);
        load(&mut card, wallet, 5000);
        let purchase = purchase(wallet, 1250);
        let answer = purchase.answer(&send(&mut card, &purchase.initialize())).unwrap();
        assert_eq!((answer.claimed_balance(), answer.claimed_limit()), (5000, [0; 3]));
        let (debit, sent) = answer.debit(&card_key::<PurchaseFunction, PurchaseKey>(), 1, time());
        let (statement, tac) = sent.verify(&send(&mut card, &debit)).unwrap();
        statement.verify_tac(tac, &card_key::<Tac, TacKey>()).unwrap();
        assert_eq!(balance(&mut card, wallet), 3750);
    }
    // The log: `sequence overdraft amount type terminal date time`, the newest first.
    let newest = RecordAddress { file: Sfi::new(0x18), record: Record::Number(1) };
    let record = send(&mut card, &read_record(newest, Le::new(23).unwrap()));
    let expected = [&[0, 0, 0, 0, 0, 0, 0, 0x04, 0xE2, 0x06][..], &TERMINAL, time().as_bytes()].concat();
    assert_eq!(record, expected);
}

#[test]
fn a_card_of_a_plan_is_not_loaded_under_the_keys_of_another_city() {
    let mut card = opened();
    let load = Load { wallet: Wallet::Purse, key_id: 0x01, amount: 5000, terminal: TERMINAL };
    let answer = load.answer(&send(&mut card, &load.initialize())).unwrap();
    let other = city_key::<Recharge>(0x40).card_key(Factor::from(CHIP));
    let other = LoadKey::try_from(other.expose_key().duplicate()).unwrap();
    assert_eq!(answer.verify(&other).map(drop), Err(Rejected));
    assert_eq!(balance(&mut card, Wallet::Purse), 0);
}

#[test]
fn a_card_of_a_plan_pays_at_a_sam_of_a_plan() {
    let mut card = opened();
    load(&mut card, Wallet::Purse, 5000);
    let mut sam = made(&SAM.parse().unwrap(), CardProfile::sam(CHIP));
    send(&mut sam, &select_file(APPLICATION));
    for number in [1, 2] {
        let purchase = purchase(Wallet::Purse, 100);
        let answer = purchase.answer(&send(&mut card, &purchase.initialize())).unwrap();
        let (ask, asked) = answer.ask_sam(&[CHIP], time()).unwrap();
        let (debit, waiting) = asked.debit(&send(&mut sam, &ask)).unwrap();
        let paid = send(&mut card, &debit);
        let (credit, statement, tac) = waiting.credit_sam(&paid).unwrap();
        send(&mut sam, &credit);
        assert_eq!((statement.terminal_sequence, statement.terminal), (number, TERMINAL));
        statement.verify_tac(tac, &card_key::<Tac, TacKey>()).unwrap();
    }
    assert_eq!(balance(&mut card, Wallet::Purse), 4800);
}

#[test]
fn only_user_cards_have_wallets() {
    let plan = user_plan();
    for profile in [CardProfile::sam(CHIP), CardProfile::key_card(KeyCard::City, CHIP)] {
        let transport = random_key();
        let script = plan.script(&ring(0, CHIP), &data(), &transport, Mode::Production).unwrap();
        let mut card = blank(profile, &transport);
        let error = script.issue(&mut Reader::steady(&mut card)).unwrap_err();
        assert!(error.place.starts_with("application 3F01"), "{error}");
    }
}
