//! EMV cryptograms, response cryptograms, script MACs and PIN change on published values.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::CodeMismatch;
use cardroot_diversify::block::AesKey;
use cardroot_diversify::emv::{
    AcKey, AcPadding, ApplicationCryptogram, Arpc1, Arpc2, MdkAc, PanPsn, PinDigitsError,
    ProprietaryDataLengthError, ScriptCommand, ScriptEncKey, ScriptMacKey, ScriptPin, TransactionData, UdkAc,
    VisaCvn, VisaPinBlock, aes,
};
use common::{Row, hex, key, rows};

const VECTORS: &str = include_str!("data/diversify_emv_ac.csv");

fn rows_of(kinds: &[&str]) -> Vec<Row> {
    rows(VECTORS).into_iter().filter(|row| kinds.contains(&row.text("kind"))).collect()
}

fn ac_key(row: &Row) -> AcKey {
    row.key("key").try_into().unwrap()
}

/// What follows a name in `8698A7319324FD93 ARC 0000`; the cryptogram has no name.
fn named<'a>(row: &'a Row, name: &str) -> Option<&'a str> {
    row.text("data").split(' ').skip_while(|word| *word != name).nth(1)
}

fn request(row: &Row) -> ApplicationCryptogram {
    let (cryptogram, _) = row.text("data").split_once(' ').unwrap();
    ApplicationCryptogram::try_from(hex(cryptogram).as_slice()).unwrap()
}

#[test]
fn cryptograms_agree_with_published_values() {
    let rows = rows_of(&["ARQC"]);
    for row in &rows {
        let computed = ac_key(row).cryptogram(&row.bytes("data"), AcPadding::OneAndZeros);
        assert_eq!(computed.as_bytes()[..], row.bytes("result"), "{}", row.text("id"));
    }
    println!("{} cryptograms", rows.len());
    assert_eq!(rows.len(), 6);
}

#[test]
fn responses_by_method_1_agree_with_published_values() {
    let rows = rows_of(&["ARPC1", "CVN10-ARPC"]);
    for row in &rows {
        let code = hex(named(row, "ARC").unwrap()).try_into().unwrap();
        let received = Arpc1::from(row.array("result"));
        assert_eq!(ac_key(row).arpc_1(&request(row), code).verify(&received), Ok(()), "{}", row.text("id"));
    }
    println!("{} responses by method 1", rows.len());
    assert_eq!(rows.len(), 5 + 1);
}

#[test]
fn responses_by_method_2_agree_with_published_values() {
    let rows = rows_of(&["ARPC2", "CVN18-ARPC2"]);
    for row in &rows {
        let update = hex(named(row, "CSU").unwrap()).try_into().unwrap();
        let proprietary = hex(named(row, "PAD").unwrap_or(""));
        let computed = ac_key(row).arpc_2(&request(row), update, &proprietary).unwrap();
        assert_eq!(computed.verify(&Arpc2::from(row.array("result"))), Ok(()), "{}", row.text("id"));
    }
    println!("{} responses by method 2", rows.len());
    assert_eq!(rows.len(), 6 + 1);
}

/// Rows whose message has the transaction's counter and cryptogram behind the header.
const VISA_SCRIPTS: [&str; 2] = ["EMVAC-24", "EMVAC-32"];

#[test]
fn script_macs_agree_with_published_values() {
    let rows = rows_of(&["SCRIPT-MAC", "CVN22-MAC"]);
    for row in &rows {
        let (key, message) = (ScriptMacKey::try_from(row.key("key")).unwrap(), row.bytes("data"));
        let header = message[..5].try_into().unwrap();
        let mac = if VISA_SCRIPTS.contains(&row.text("id")) {
            let counter = u16::from_be_bytes([message[5], message[6]]);
            let request = ApplicationCryptogram::try_from(&message[7..15]).unwrap();
            key.mac_visa(&ScriptCommand { header, data: &message[15..] }, counter, &request)
        } else {
            key.mac(&ScriptCommand { header, data: &message[5..] })
        };
        assert_eq!(mac.as_bytes()[..], row.bytes("result"), "{}", row.text("id"));
    }
    println!("{} script MACs", rows.len());
    assert_eq!(rows.len(), 4 + 1);
}

fn pin(digits: &str) -> ScriptPin {
    ScriptPin::from_ascii_digits(digits.as_bytes()).unwrap()
}

#[test]
fn pin_changes_agree_with_published_values() {
    let mut checked = 0;
    let visa_udk = UdkAc::from_key(key("2F98ADEF3B4FFE0E5832759BB5D057D6"));
    for row in rows(VECTORS) {
        let enc = || ScriptEncKey::try_from(row.key("key")).unwrap();
        let made = match row.text("kind") {
            "PINBLOCK2-ENC" => enc().encrypt_pin_mastercard(&pin("9999")).to_vec(),
            "CCD-PIN-ENC" => enc().encrypt_pin_ccd(&pin("9999")).to_vec(),
            "VIS-PINBLOCK" => {
                let block = VisaPinBlock::new(&UdkAc::from_key(row.key("key")), &pin(row.text("data")), None);
                block.expose_bytes().to_vec()
            }
            "VIS-PINBLOCK-CUR" => {
                let (new, current) =
                    row.text("data").strip_prefix("new ").unwrap().split_once(" current ").unwrap();
                let udk = UdkAc::from_key(row.key("key"));
                VisaPinBlock::new(&udk, &pin(new), Some(&pin(current))).expose_bytes().to_vec()
            }
            "VIS-PIN-ENC" => {
                enc().encrypt_pin_visa(&VisaPinBlock::new(&visa_udk, &pin("9999"), None)).to_vec()
            }
            _ => continue,
        };
        assert_eq!(made, row.bytes("result"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} PIN changes");
    assert_eq!(checked, 5);
}

#[test]
fn every_row_belongs_to_a_test() {
    assert_eq!(rows(VECTORS).len(), 6 + 6 + 7 + 5 + 5);
}

/// Row EMVAC-15 by its data elements, from the issuer's key on.
fn sale() -> (TransactionData, Vec<u8>) {
    let transaction = TransactionData {
        amount: [0, 0, 0, 0, 0x40, 0],
        other_amount: [0; 6],
        country: [0x01, 0x24],
        verification_results: [0x80, 0x00, 0x04, 0x80, 0x00],
        currency: [0x01, 0x24],
        date: [0x19, 0x11, 0x05],
        transaction_type: 0x01,
        unpredictable_number: [0x52, 0xBF, 0x45, 0x85],
        interchange_profile: [0x18, 0x00],
        atc: 0x001C,
    };
    (transaction, hex("06011203A0B800"))
}

#[test]
fn a_sale_of_version_18_agrees_from_the_issuer_key_to_the_response() {
    let card = PanPsn::new("000000000000000005", Some("23")).unwrap();
    let issuer = MdkAc::from_key(key("0123456789ABCDEFFEDCBA9876543210"));
    let (transaction, card_data) = sale();
    let card_key = issuer.diversify_b(&card).unwrap();
    let session = VisaCvn::Cvn18.ac_key(&card_key, transaction.atc).unwrap();
    let request = VisaCvn::Cvn18.cryptogram(&session, &transaction, &card_data);
    assert_eq!(request.as_bytes()[..], hex("8CAD6F2489C640B1"));
    let response = session.arpc_2(&request, [0; 4], &hex("12345678")).unwrap();
    assert_eq!(response.as_bytes()[..], hex("E39F1876"));
}

#[test]
fn version_10_pads_with_zeros_and_the_others_with_80() {
    let (transaction, card_data) = sale();
    let key = AcKey::try_from(key("512CE0EC80A45DAB49D5B59492E59BD9")).unwrap();
    let by = |padding| *key.cryptogram_of(&transaction, &card_data, padding).as_bytes();
    let of = |version: VisaCvn| *version.cryptogram(&key, &transaction, &card_data).as_bytes();
    assert_eq!(of(VisaCvn::Cvn10), by(AcPadding::Zeros));
    assert_eq!(of(VisaCvn::Cvn18), by(AcPadding::OneAndZeros));
    assert_eq!(of(VisaCvn::Cvn22), by(AcPadding::OneAndZeros));
    // 33 bytes of elements and 7 of the card are whole blocks: zeros add nothing.
    let whole: Vec<u8> =
        hex("0000000040000000000000000124800004800001241911050152BF45851800001C06011203A0B800");
    assert_eq!(of(VisaCvn::Cvn10), *key.cryptogram(&whole, AcPadding::Zeros).as_bytes());
}

/// RFC 4493, example 2: the cryptogram is the first half of CMAC.
#[test]
fn an_aes_cryptogram_is_the_first_half_of_cmac() {
    let key = AesKey::try_from(hex("2B7E151628AED2A6ABF7158809CF4F3C").as_slice()).unwrap();
    let computed = aes::AcKey::from_key(key).cryptogram(&hex("6BC1BEE22E409F96E93D7E117393172A"));
    assert_eq!(computed.as_bytes()[..], hex("070A16B46B4D4144"));
}

#[test]
fn any_changed_bit_of_a_cryptogram_is_a_mismatch() {
    let key = AcKey::try_from(key("C7AEDF49AEF2F146D692400E0B851A8F")).unwrap();
    let computed = key.cryptogram(b"", AcPadding::OneAndZeros);
    for bit in 0..64 {
        let mut received = *computed.as_bytes();
        received[bit / 8] ^= 1 << (bit % 8);
        assert_eq!(computed.verify(&received.into()), Err(CodeMismatch));
    }
    assert_eq!(computed.verify(&computed), Ok(()));
}

#[test]
fn proprietary_data_is_at_most_8_bytes() {
    let key = AcKey::try_from(key("C7AEDF49AEF2F146D692400E0B851A8F")).unwrap();
    let request = ApplicationCryptogram::from([7; 8]);
    assert!(key.arpc_2(&request, [0; 4], &[0; 8]).is_ok());
    assert_eq!(key.arpc_2(&request, [0; 4], &[0; 9]).unwrap_err(), ProprietaryDataLengthError { found: 9 });
}

#[test]
fn pins_of_every_length_make_their_blocks() {
    let udk = UdkAc::from_key([0; 16].into());
    let block = |digits: &str| *VisaPinBlock::new(&udk, &pin(digits), None).expose_bytes();
    // The key is zero: what is left is the PIN.
    assert_eq!(block("1234")[..], hex("041234FFFFFFFFFF"));
    assert_eq!(block("12345")[..], hex("0512345FFFFFFFFF"));
    assert_eq!(block("123456789012")[..], hex("0C123456789012FF"));
    let both = VisaPinBlock::new(&udk, &pin("1234"), Some(&pin("98765")));
    assert_eq!(both.expose_bytes()[..], hex("9C6464FFFFFFFFFF"));
}

#[test]
fn other_digits_are_no_pin() {
    let error = |digits: &str| ScriptPin::from_ascii_digits(digits.as_bytes()).unwrap_err();
    for found in [0, 3, 13, 300] {
        assert_eq!(error(&"1".repeat(found)), PinDigitsError::Length { found });
    }
    assert_eq!(error("12a4"), PinDigitsError::NotADigit { position: 2 });
    assert_eq!(error("/123"), PinDigitsError::NotADigit { position: 0 });
    assert_eq!(error("123:"), PinDigitsError::NotADigit { position: 3 });
}
