//! The typed host of `apdu` against the card.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a panic is the report; a test program has no users"
)]

mod common;

use apdu::CommandApdu;
use apdu::commands::pboc::wallet::{
    Load, LoadKey, Overdraft, OverdraftKey, PinReloadKey, Purchase, PurchaseKey, PurchaseKind, TacKey,
    TransactionTime, TransactionType, Unload, UnloadKey, get_balance, transaction_proof,
    update_compound_cache,
};
use apdu::commands::pboc::{
    ExportKey, PsamKeyUsage, ReceiverKind, Wallet, change_pin, import_key, reload_pin, unblock_pin,
};
use apdu::commands::{Record, RecordAddress, Sfi};
use apdu::secure::Rejected;
use apdu::secure::pboc::{Challenge, PinUnblockKey};
use cardroot_card::{CardKind, KeyCard};
use common::wallet::{LOAD, OVERDRAFT, PURCHASE, RELOAD, TAC, UNBLOCK, UNLOAD, wallet};
use common::{Desk, card_key, hex};
use tdea::TdeaKey;

const TERMINAL: [u8; 6] = [0, 0x11, 0x22, 0x33, 0x44, 0x55];

fn time() -> TransactionTime {
    TransactionTime::from([0x20, 0x26, 0x01, 0x15, 0x12, 0x00, 0x00])
}

impl Desk {
    fn transmit(&mut self, command: &CommandApdu) -> common::Answer {
        self.send_bytes(command.encode().expose_bytes())
    }

    fn host_load(&mut self, wallet: Wallet, amount: u32) {
        let load = Load { wallet, key_id: 0x01, amount, terminal: TERMINAL };
        let answer = load.answer(&self.transmit(&load.initialize()).ok()).unwrap();
        assert_eq!(answer.key_attributes(), (0x01, 0x00));
        let (credit, sent) = answer.verify(&key(LOAD)).unwrap().credit(time());
        sent.verify_tac(&self.transmit(&credit).ok(), &key(TAC)).unwrap();
    }
}

fn key<K: TryFrom<TdeaKey>>(bytes: [u8; 16]) -> K {
    K::try_from(TdeaKey::from(bytes)).ok().unwrap()
}

fn shown() -> Desk {
    let mut desk = wallet();
    desk.verify_pin();
    desk
}

#[test]
fn host_and_card_agree_about_load_unload_and_overdraft() {
    let mut desk = shown();
    desk.host_load(Wallet::Purse, 7);
    desk.host_load(Wallet::Deposit, 0x1000);
    let unload = Unload { key_id: 0x01, amount: 0x0300, terminal: TERMINAL };
    let answer = unload.answer(&desk.transmit(&unload.initialize()).ok()).unwrap();
    assert_eq!((answer.claimed_balance(), answer.sequence()), (0x1000, 1));
    let (debit, sent) = answer.verify(&key::<UnloadKey>(UNLOAD)).unwrap().debit(time());
    let mac3 = desk.transmit(&debit).ok();
    sent.verify_mac3(&mac3).unwrap();
    assert_eq!(sent.verify_mac3(&mac3[..3]), Err(Rejected));
    for limit in [[0, 0x20, 0], [0, 0, 1], [0xFF, 0xFF, 0xFF]] {
        let overdraft = Overdraft { key_id: 0x01, limit, terminal: TERMINAL };
        let answer = overdraft.answer(&desk.transmit(&overdraft.initialize()).ok()).unwrap();
        let (update, sent) = answer.verify(&key::<OverdraftKey>(OVERDRAFT)).unwrap().update(time());
        sent.verify_tac(&desk.transmit(&update).ok(), &key(TAC)).unwrap();
    }
    let balance = desk.transmit(&get_balance(Wallet::Deposit)).ok();
    assert_eq!(balance, (0x0D00 + 0x00FF_FFFF_u32).to_be_bytes());
}

#[test]
fn host_and_card_agree_about_purchases_of_every_kind() {
    for (kind, transaction_type, wallet) in [
        (PurchaseKind::Purchase(Wallet::Purse), TransactionType::PursePurchase, Wallet::Purse),
        (PurchaseKind::Purchase(Wallet::Deposit), TransactionType::DepositPurchase, Wallet::Deposit),
        (PurchaseKind::Cash, TransactionType::Cash, Wallet::Deposit),
        (PurchaseKind::Compound, TransactionType::Compound, Wallet::Purse),
    ] {
        let mut desk = shown();
        desk.host_load(wallet, 100);
        let purchase = Purchase { kind, key_id: 0x01, amount: 30, terminal: TERMINAL };
        let answer = purchase.answer(&desk.transmit(&purchase.initialize()).ok()).unwrap();
        assert_eq!((answer.claimed_balance(), answer.claimed_limit()), (100, [0; 3]));
        let sequence = answer.sequence();
        if kind == PurchaseKind::Compound {
            let address = RecordAddress { file: Sfi::new(0x19), record: Record::Number(2) };
            desk.transmit(&update_compound_cache(address, &[0x77; 8]).unwrap()).ok();
        }
        let (debit, sent) = answer.debit(&key::<PurchaseKey>(PURCHASE), 0x0001_FFFE, time());
        let paid = desk.transmit(&debit).ok();
        let (statement, tac) = sent.verify(&paid).unwrap();
        assert_eq!(statement.transaction_type, transaction_type);
        statement.verify_tac(tac, &key(TAC)).unwrap();
        let mut other = statement;
        other.amount += 1;
        assert_eq!(other.verify_tac(tac, &key(TAC)), Err(Rejected));
        assert_eq!(statement.verify_tac(tac, &key(LOAD)), Err(Rejected));
        let proof = desk.transmit(&transaction_proof(transaction_type, sequence)).ok();
        assert_eq!(proof, [&paid[4..], &paid[..4]].concat());
        if kind == PurchaseKind::Compound {
            assert_eq!(desk.ok("00B202CC08"), [0x77; 8]);
        }
    }
}

#[test]
fn an_answer_that_was_lost_is_made_good_by_the_proof() {
    let mut desk = shown();
    let load = Load { wallet: Wallet::Deposit, key_id: 0x01, amount: 100, terminal: TERMINAL };
    let answer = load.answer(&desk.transmit(&load.initialize()).ok()).unwrap();
    let sequence = answer.sequence();
    let (credit, sent) = answer.verify(&key::<LoadKey>(LOAD)).unwrap().credit(time());
    desk.transmit(&credit).ok();
    desk.card.reset();
    desk.ok("00A40000023F01");
    let proof = desk.transmit(&transaction_proof(TransactionType::DepositLoad, sequence)).ok();
    assert_eq!(sent.verify_tac(&proof[..4], &key(TAC)), Err(Rejected));
    assert_eq!(sent.verify_proof(&proof, &key(TAC)).unwrap().as_bytes()[..], proof[4..]);
    assert_eq!(sent.verify_proof(&proof, &key(LOAD)), Err(Rejected));
    desk.verify_pin();

    let purchase = Purchase {
        kind: PurchaseKind::Purchase(Wallet::Deposit),
        key_id: 0x01,
        amount: 30,
        terminal: TERMINAL,
    };
    let answer = purchase.answer(&desk.transmit(&purchase.initialize()).ok()).unwrap();
    let sequence = answer.sequence();
    let (debit, sent) = answer.debit(&key::<PurchaseKey>(PURCHASE), 1, time());
    let paid = desk.transmit(&debit).ok();
    let proof = desk.transmit(&transaction_proof(TransactionType::DepositPurchase, sequence)).ok();
    // A wrong answer leaves the way to the proof open, and the one is not the other.
    assert!(sent.verify(&[0; 8]).is_err());
    assert!(sent.verify(&proof).is_err());
    assert!(sent.verify_proof(&paid).is_err());
    let (statement, tac) = sent.verify_proof(&proof).unwrap();
    assert_eq!(sent.verify(&paid), Ok((statement, tac)));
    statement.verify_tac(tac, &key(TAC)).unwrap();

    let unload = Unload { key_id: 0x01, amount: 70, terminal: TERMINAL };
    let answer = unload.answer(&desk.transmit(&unload.initialize()).ok()).unwrap();
    let sequence = answer.sequence();
    let (debit, sent) = answer.verify(&key::<UnloadKey>(UNLOAD)).unwrap().debit(time());
    desk.transmit(&debit).ok();
    let proof = desk.transmit(&transaction_proof(TransactionType::Unload, sequence)).ok();
    sent.verify_proof(&proof).unwrap();
    for len in [0, 4, 7] {
        assert_eq!(sent.verify_proof(&proof[..len]), Err(Rejected));
    }
}

#[test]
fn a_host_goes_no_further_with_a_card_that_is_not_the_issuers() {
    let mut desk = shown();
    let load = Load { wallet: Wallet::Purse, key_id: 0x01, amount: 5, terminal: TERMINAL };
    let answer = desk.transmit(&load.initialize()).ok();
    for bit in 0..8 * answer.len() {
        let mut changed = answer.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let verified = load.answer(&changed).unwrap().verify(&key::<LoadKey>(LOAD)).map(|_| ());
        // Version and algorithm are under no MAC.
        assert_eq!(verified.is_ok(), (48..64).contains(&bit), "{bit}");
    }
    assert!(load.answer(&answer).unwrap().verify(&key(PURCHASE)).is_err());
    for len in [0, 15, 17] {
        assert_eq!(load.answer(&answer.repeat(2)[..len]).unwrap_err().found, len);
    }
}

#[test]
fn a_receipt_with_a_changed_bit_is_rejected() {
    let mut desk = shown();
    desk.host_load(Wallet::Purse, 100);
    let load = Load { wallet: Wallet::Purse, key_id: 0x01, amount: 5, terminal: TERMINAL };
    let answer = load.answer(&desk.transmit(&load.initialize()).ok()).unwrap();
    let (credit, sent) = answer.verify(&key(LOAD)).unwrap().credit(time());
    let tac = desk.transmit(&credit).ok();
    for bit in 0..32 {
        let mut changed = tac.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(sent.verify_tac(&changed, &key(TAC)), Err(Rejected));
    }
    assert!(sent.verify_tac(&tac, &key(TAC)).is_ok());
    let purchase =
        Purchase { kind: PurchaseKind::Purchase(Wallet::Purse), key_id: 0x01, amount: 1, terminal: TERMINAL };
    for bit in 32..64 {
        let answer = purchase.answer(&desk.transmit(&purchase.initialize()).ok()).unwrap();
        let (debit, sent) = answer.debit(&key(PURCHASE), 1, time());
        let mut paid = desk.transmit(&debit).ok();
        paid[bit / 8] ^= 1 << (bit % 8);
        assert!(sent.verify(&paid).is_err());
    }
}

#[test]
fn a_host_renews_pins() {
    let mut desk = wallet();
    let challenge = Challenge::try_from(&desk.challenge(4)[..]).unwrap();
    let unblock_key = PinUnblockKey::from_key(card_key(&UNBLOCK));
    desk.transmit(&unblock_pin(0x00, &[0x11, 0x11], &unblock_key, challenge).unwrap()).ok();
    desk.ok("0020000002 1111");
    desk.transmit(&change_pin(0x00, &[0x11, 0x11], &[0x22; 6]).unwrap()).ok();
    desk.ok("0020000006 222222222222");
    let reload_key: PinReloadKey = key(RELOAD);
    desk.transmit(&reload_pin(0x00, &[0x33; 3], &reload_key).unwrap()).ok();
    desk.ok("0020000003 333333");
    for pin in [&[0x11][..], &[0x11; 7]] {
        assert_eq!(reload_pin(0x00, pin, &reload_key).unwrap_err().found, pin.len());
        assert_eq!(change_pin(0x00, pin, &[0x22; 6]).unwrap_err().found, pin.len());
        assert_eq!(change_pin(0x00, &[0x22; 6], pin).unwrap_err().found, pin.len());
    }
}

#[test]
fn the_commands_of_sam_and_key_cards_have_their_bytes() {
    let purchase = Purchase {
        kind: PurchaseKind::Purchase(Wallet::Purse),
        key_id: 0x00,
        amount: 0x64,
        terminal: TERMINAL,
    };
    let answer = hex("00000200 0001 000000 01 00 584633C9");
    let time = TransactionTime::from([0x20, 0x24, 0x01, 0x01, 0x12, 0x00, 0x00]);
    let factors = [[0, 0, 0x19, 0x98, 0x08, 0x15, 0, 1], [0x31, 0x80, 0, 0, 0, 0, 0, 0]];
    let (command, asked) = purchase.answer(&answer).unwrap().ask_sam(&factors, time).unwrap();
    // The computed row for it.
    let row = "8070000024 584633C9 0001 00000064 06 20240101120000 0100 0000199808150001 3180000000000000 08";
    assert_eq!(command.encode().expose_bytes(), hex(row));
    let (debit, paid) = asked.debit(&hex("00000123 4AA83659")).unwrap();
    let bytes = "805401000F 00000123 20240101120000 4AA83659 08";
    assert_eq!(debit.encode().expose_bytes(), hex(bytes));
    let (credit, statement, tac) = paid.credit_sam(&hex("01020304 05060708")).unwrap();
    assert_eq!(credit.encode().expose_bytes(), hex("8072000004 05060708"));
    assert_eq!((statement.terminal_sequence, tac.as_bytes()), (0x123, &[1, 2, 3, 4]));
    // The proof has them the other way round.
    let (credit, same, tac) = paid.credit_sam_by_proof(&hex("05060708 01020304")).unwrap();
    assert_eq!(credit.encode().expose_bytes(), hex("8072000004 05060708"));
    assert_eq!((same, tac.as_bytes()), (statement, &[1, 2, 3, 4]));
    assert!(paid.credit_sam(&[0; 7]).is_err() && paid.credit_sam_by_proof(&[0; 9]).is_err());
    let export = ExportKey {
        usage: PsamKeyUsage::new(2, 7).unwrap(),
        version: 0x01,
        transport_version: 0x02,
        receiver_kind: ReceiverKind::Secondary,
        receiver_serial: [4; 8],
        challenge: [5; 8],
        factors: &[[6; 8]],
    };
    let bytes = "80C647011A 02 03 0404040404040404 0505050505050505 0606060606060606 1C";
    assert_eq!(export.command().unwrap().encode().expose_bytes(), hex(bytes));
    let import = import_key(0x02, &[7; 28]).unwrap();
    assert_eq!(import.encode().expose_bytes()[..5], hex("84C800021C"));
}

#[test]
fn host_and_card_agree_about_the_bytes_of_receivers() {
    for (receiver, kind) in [
        (ReceiverKind::Sam, CardKind::Sam),
        (ReceiverKind::Mother, CardKind::KeyCard(KeyCard::Mother)),
        (ReceiverKind::Secondary, CardKind::KeyCard(KeyCard::Secondary)),
        (ReceiverKind::City, CardKind::KeyCard(KeyCard::City)),
    ] {
        assert_eq!(receiver.byte(), kind.code());
    }
}

#[test]
fn a_triple_length_key_is_no_wallet_key() {
    assert!(LoadKey::try_from(TdeaKey::from([0x25; 24])).is_err());
    assert!(key::<TacKey>(TAC).ct_eq(&key::<TacKey>(TAC).duplicate()));
    assert!(!key::<TacKey>(TAC).ct_eq(&key(LOAD)));
}

#[test]
fn nothing_of_the_host_that_is_formatted_shows_a_key() {
    let bytes = [0xA5; 16];
    let (load, purchase): (LoadKey, PurchaseKey) = (key(bytes), key(bytes));
    let mut texts = vec![format!("{load:?}{load:#x?}{purchase:?}")];
    texts.push(format!("{:?}{:?}", key::<UnloadKey>(bytes), key::<OverdraftKey>(bytes)));
    texts.push(format!("{:?}{:?}", key::<TacKey>(bytes), key::<PinReloadKey>(bytes)));
    texts.push(format!("{:?}", PinUnblockKey::from_key(card_key(&bytes))));
    texts.push(format!("{:?}", reload_pin(0, &[0xA5; 6], &key(bytes)).unwrap()));
    for text in texts {
        let lower = text.to_lowercase();
        assert!(!lower.contains("a5") && !lower.contains("165"), "{text}");
    }
}
