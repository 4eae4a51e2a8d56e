//! Whole EMV transactions: from the issuer's keys to the answer and to the scripts, as published.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::emv::{
    AcKey, AcPadding, ApplicationCryptogram, MdkAc, MdkEnc, MdkMac, PanPsn, ScriptCommand, ScriptEncKey,
    ScriptMacKey, ScriptPin, TransactionData, UdkAc, UdkEnc, UdkMac, VisaCvn, VisaPinBlock,
};
use common::{Row, rows};

const VECTORS: &str = include_str!("data/emv_cards.csv");
/// The MAC of all these scripts.
const MAC_LEN: usize = 8;

/// A card's keys and what it brings into the transaction.
struct Card {
    ac: UdkAc,
    mac: UdkMac,
    enc: UdkEnc,
    transaction: TransactionData,
    card_data: Vec<u8>,
    request: ApplicationCryptogram,
}

impl Card {
    fn new(row: &Row) -> Self {
        let card = PanPsn::new(row.text("pan"), Some(row.text("psn"))).unwrap();
        Self {
            ac: MdkAc::from_key(row.key("mdk_ac")).diversify_a(&card).unwrap(),
            mac: MdkMac::from_key(row.key("mdk_mac")).diversify_a(&card).unwrap(),
            enc: MdkEnc::from_key(row.key("mdk_enc")).diversify_a(&card).unwrap(),
            transaction: transaction(&row.bytes("transaction")),
            card_data: row.bytes("card_data"),
            request: row.array("request").into(),
        }
    }
}

fn transaction(bytes: &[u8]) -> TransactionData {
    let element = |start: usize, end: usize| &bytes[start..end];
    assert_eq!(bytes.len(), 33);
    TransactionData {
        amount: element(0, 6).try_into().unwrap(),
        other_amount: element(6, 12).try_into().unwrap(),
        country: element(12, 14).try_into().unwrap(),
        verification_results: element(14, 19).try_into().unwrap(),
        currency: element(19, 21).try_into().unwrap(),
        date: element(21, 24).try_into().unwrap(),
        transaction_type: bytes[24],
        unpredictable_number: element(25, 29).try_into().unwrap(),
        interchange_profile: element(29, 31).try_into().unwrap(),
        atc: u16::from_be_bytes(element(31, 33).try_into().unwrap()),
    }
}

/// The command of a column without its MAC, and the MAC.
fn command(row: &Row, column: &str) -> ([u8; 5], Vec<u8>, [u8; MAC_LEN]) {
    let bytes = row.bytes(column);
    let (body, mac) = bytes.split_last_chunk().unwrap();
    (body[..5].try_into().unwrap(), body[5..].to_vec(), *mac)
}

fn pin(digits: &str) -> ScriptPin {
    ScriptPin::from_ascii_digits(digits.as_bytes()).unwrap()
}

fn visa(row: &Row, version: VisaCvn) {
    let Card { ac, mac, enc, transaction, card_data, request } = Card::new(row);
    let key = version.ac_key(&ac, transaction.atc).unwrap();
    assert_eq!(version.cryptogram(&key, &transaction, &card_data).verify(&request), Ok(()));
    let response = match version {
        VisaCvn::Cvn10 => key.arpc_1(&request, row.array("response_data")).as_bytes().to_vec(),
        _ => key.arpc_2(&request, row.array("response_data"), &[]).unwrap().as_bytes().to_vec(),
    };
    assert_eq!(response, row.bytes("response"));

    let mac_key: ScriptMacKey = version.script_mac_key(&mac, transaction.atc, &request).unwrap();
    let enc_key: ScriptEncKey = version.script_enc_key(&enc, transaction.atc, &request).unwrap();
    let current = pin("8888");
    let pin_data =
        |current| enc_key.encrypt_pin_visa(&VisaPinBlock::new(&ac, &pin("9999"), current)).to_vec();
    let scripts = [
        ("unblock", vec![]),
        ("pin_change", pin_data(None)),
        ("pin_change_current", pin_data(Some(&current))),
    ];
    for (column, expected) in scripts {
        let (header, data, sent) = command(row, column);
        assert_eq!(data, expected, "{column}");
        let computed = mac_key.mac_visa(&ScriptCommand { header, data: &data }, transaction.atc, &request);
        assert_eq!(computed.verify(&sent), Ok(()), "{column}");
    }
}

fn mastercard(row: &Row) {
    let Card { ac, mac, enc, transaction, card_data, request } = Card::new(row);
    let key: AcKey = ac.derive_mastercard(transaction.atc, transaction.unpredictable_number).unwrap();
    let computed = key.cryptogram_of(&transaction, &card_data, AcPadding::OneAndZeros);
    assert_eq!(computed.verify(&request), Ok(()));
    let response = key.arpc_1(&request, row.array("response_data"));
    assert_eq!(response.as_bytes()[..], row.bytes("response"));

    let (mac_key, enc_key) = (mac.derive_common(&request).unwrap(), enc.derive_common(&request).unwrap());
    let scripts =
        [("unblock", vec![]), ("pin_change", enc_key.encrypt_pin_mastercard(&pin("9999")).to_vec())];
    for (column, expected) in scripts {
        let (header, data, sent) = command(row, column);
        assert_eq!(data, expected, "{column}");
        assert_eq!(mac_key.mac(&ScriptCommand { header, data: &data }).verify(&sent), Ok(()), "{column}");
    }
}

#[test]
fn transactions_agree_from_the_issuer_keys_to_the_scripts() {
    let rows = rows(VECTORS);
    for row in &rows {
        match row.text("scheme") {
            "CVN10" => visa(row, VisaCvn::Cvn10),
            "CVN18" => visa(row, VisaCvn::Cvn18),
            "SKD" => mastercard(row),
            other => panic!("{other}"),
        }
    }
    println!("{} transactions", rows.len());
    assert_eq!(rows.len(), 3);
}
