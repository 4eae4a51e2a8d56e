//! AES DUKPT on published values: the supplement of X9.24-3:2017 and what deployed software adds to it.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::EndOfLife;
use cardroot_dukpt::aes::hmac_keys::HmacKeyLength;
use cardroot_dukpt::aes::{
    Bdk, Counter, CounterError, InitialKey, InitialKeyId, Ksn, OnesLimit, TransactionKey, VolatileOriginator,
    ZERO_IV,
};
use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
use cardroot_dukpt::pin::{
    DecryptIso4PinBlock, EncryptIso4PinBlock, EncryptedIso4PinBlock, Iso4PanField, Iso4PinField, Pan, Pin,
};
use cardroot_dukpt::tdea::KeyLength;
use common::{hex, rows, to_hex};
use serde::Deserialize;

const BDK: &str = "FEDCBA9876543210F1F1F1F1F1F1F1F1";

fn bdk(text: &str) -> Bdk {
    Bdk::from_key(AesKey::try_from(&*hex(text)).unwrap())
}

fn id(text: &str) -> InitialKeyId {
    <[u8; 8]>::try_from(hex(text)).unwrap().into()
}

fn ksn(text: &str) -> Ksn {
    Ksn::try_from(&*hex(text)).unwrap()
}

/// The working key of one usage and type, by the words of the file.
fn working_key(key: &TransactionKey, usage: &str, key_type: &str) -> Vec<u8> {
    let tdea = match key_type {
        "2TDEA" => Some(KeyLength::Double),
        "3TDEA" => Some(KeyLength::Triple),
        _ => None,
    };
    if let Some(length) = tdea {
        let key = match usage {
            "PIN" => key.pin_key_tdea(length).expose_key().duplicate(),
            "DENC" => key.data_request_key_tdea(length).expose_key().duplicate(),
            usage => panic!("unknown usage {usage}"),
        };
        return key.expose_bytes().to_vec();
    }
    let length = match key_type {
        "AES128" => AesKeyLength::Aes128,
        "AES192" => AesKeyLength::Aes192,
        "AES256" => AesKeyLength::Aes256,
        key_type => panic!("unknown key type {key_type}"),
    };
    let key = match usage {
        "PIN" => key.pin_key(length).unwrap().expose_key().duplicate(),
        "MACGEN" => key.mac_request_key(length).unwrap().expose_key().duplicate(),
        "DENC" => key.data_request_key(length).unwrap().expose_key().duplicate(),
        "DER" if key.length() == length => key.expose_key().duplicate(),
        usage => panic!("unknown usage {usage}"),
    };
    key.expose_bytes().to_vec()
}

/// The format 4 block of the supplement: PIN 1234, PAN and fill of page 31.
fn assert_pin_block(key: &TransactionKey, published: &str) {
    let pin = Pin::from_ascii_digits(b"1234").unwrap();
    let pin_field =
        Iso4PinField::encode_with_fixed_random(&pin, &hex("2F69ADDE2E9E7ACE").try_into().unwrap());
    let pan_field = Iso4PanField::encode(&Pan::from_ascii_digits(b"4111111111111111").unwrap());
    let key = key.pin_key(AesKeyLength::Aes128).unwrap();
    let Ok(block) = key.encrypt_iso4_pin_block(&pin_field, &pan_field);
    assert_eq!(to_hex(&block.to_bytes()), published);
    let received = EncryptedIso4PinBlock::try_from(&*hex(published)).unwrap();
    let Ok(field) = key.decrypt_iso4_pin_block(received, &pan_field);
    assert!(field.decode().unwrap().ct_eq(&pin));
}

#[test]
fn keys_are_the_published_ones() {
    #[derive(Deserialize)]
    struct Row {
        bdk: String,
        ikid: String,
        ksn: String,
        counter: Option<u32>,
        usage: String,
        key_type: String,
        key: String,
    }
    let rows: Vec<Row> = rows("dukpt_aes_keys.csv", include_str!("data/dukpt_aes_keys.csv"), 138);
    let (mut beyond_the_text, mut update_keys) = (0, 0);
    for row in rows {
        let (bdk, id) = (bdk(&row.bdk), id(&row.ikid));
        let initial_key = bdk.derive_initial_key(&id);
        let Some(counter) = row.counter else {
            assert_eq!(row.usage, "IK");
            assert_eq!(to_hex(initial_key.expose_key().expose_bytes()), row.key);
            continue;
        };
        let ksn = ksn(&row.ksn);
        assert_eq!((ksn.id(), &row.ksn[16..]), (id, &*format!("{counter:08X}")));
        if counter == u32::MAX {
            let update_key = initial_key.derive_update_key();
            assert_eq!(update_key.ksn(), &ksn);
            let key = match &*row.usage {
                "DER" => update_key.expose_key().duplicate(),
                usage => {
                    assert_eq!(usage, "KEK");
                    let length = AesKeyLength::try_from(row.key.len() / 2).unwrap();
                    update_key.key_encryption_key(length).unwrap().expose_key().duplicate()
                }
            };
            assert_eq!(to_hex(key.expose_bytes()), row.key);
            update_keys += 1;
            continue;
        }
        let within_the_text = bdk.derive_transaction_key(&ksn, OnesLimit::Sixteen);
        assert_eq!(within_the_text.is_ok(), counter.count_ones() <= 16);
        beyond_the_text += u32::from(within_the_text.is_err());
        let key = bdk.derive_transaction_key(&ksn, OnesLimit::Seventeen).unwrap();
        if row.usage == "ENC_PINBLOCK4" {
            assert_pin_block(&key, &row.key);
        } else {
            assert_eq!(
                to_hex(&working_key(&key, &row.usage, &row.key_type)),
                row.key,
                "{} {}",
                row.ksn,
                row.usage
            );
        }
    }
    // Four rows are of counter 0001FFFF, which the supplement lists against the text.
    assert_eq!((beyond_the_text, update_keys), (4, 4));
}

#[test]
fn codes_and_data_agree_with_deployed_software() {
    #[derive(Deserialize)]
    struct Row {
        ksn: String,
        txn_key: String,
        cmac_request: String,
        cmac_response: String,
        hmac_request: String,
        hmac_response: String,
        data_request: String,
        data_response: String,
    }
    let rows: Vec<Row> = rows("dukpt_aes_usage_moov.csv", include_str!("data/dukpt_aes_usage_moov.csv"), 4);
    let bdk = bdk(BDK);
    let message = b"4012345678909D987";
    let mut padded = [0; 32];
    padded[..message.len()].copy_from_slice(message);
    for row in rows {
        let key = bdk.derive_transaction_key(&ksn(&row.ksn), OnesLimit::Sixteen).unwrap();
        assert_eq!(to_hex(key.expose_key().expose_bytes()), row.txn_key);

        let aes = AesKeyLength::Aes128;
        let (request, response) = (key.mac_request_key(aes).unwrap(), key.mac_response_key(aes).unwrap());
        assert_eq!(to_hex(request.mac(message).as_bytes()), row.cmac_request);
        assert_eq!(to_hex(response.mac(message).as_bytes()), row.cmac_response);
        assert!(request.verify_mac(message, &hex(&row.cmac_request)[..8]).is_ok());
        assert!(request.verify_mac(message, &hex(&row.cmac_response)).is_err());

        let hmac = HmacKeyLength::Hmac128;
        let (request, response) =
            (key.mac_request_key_hmac(hmac).unwrap(), key.mac_response_key_hmac(hmac).unwrap());
        assert_eq!(to_hex(request.mac(message).as_bytes()), row.hmac_request);
        assert_eq!(to_hex(response.mac(message).as_bytes()), row.hmac_response);
        assert!(response.verify_mac(message, &hex(&row.hmac_response)).is_ok());
        assert!(response.verify_mac(message, &hex(&row.hmac_request)).is_err());

        let (request, response) = (key.data_request_key(aes).unwrap(), key.data_response_key(aes).unwrap());
        let mut data = padded;
        request.encrypt(ZERO_IV, &mut data).unwrap();
        assert_eq!(to_hex(&data), row.data_request);
        request.decrypt(ZERO_IV, &mut data).unwrap();
        assert_eq!(data, padded);
        response.encrypt(ZERO_IV, &mut data).unwrap();
        assert_eq!(to_hex(&data), row.data_response);
    }
}

#[test]
fn counters_at_the_edges_follow_each_rule() {
    #[derive(Deserialize)]
    struct Row {
        counter: String,
        ones: u32,
        ksn: String,
        derivation_key: String,
        pin_key_aes128: String,
        next_text: String,
        next_refcode: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_aes_counter_cases.csv", include_str!("data/dukpt_aes_counter_cases.csv"), 16);
    for row in rows {
        let value = u32::from_str_radix(&row.counter, 16).unwrap();
        assert_eq!(value.count_ones(), row.ones);
        for (limit, next) in [(OnesLimit::Sixteen, &row.next_text), (OnesLimit::Seventeen, &row.next_refcode)]
        {
            let key = bdk(BDK).derive_transaction_key(&ksn(&row.ksn), limit);
            let max = limit.max_ones();
            let Ok(counter) = Counter::within(value, limit) else {
                let refused = match row.ones {
                    0 => CounterError::Zero,
                    ones => CounterError::TooManyOnes { ones, max },
                };
                assert!(row.ones == 0 || row.ones > max);
                assert_eq!(key.unwrap_err(), refused);
                continue;
            };
            let key = key.unwrap();
            assert_eq!(to_hex(key.expose_key().expose_bytes()), row.derivation_key);
            assert_eq!(to_hex(&working_key(&key, "PIN", "AES128")), row.pin_key_aes128);
            let expected = match &**next {
                "END" => Err(EndOfLife),
                next => Ok(Counter::within(u32::from_str_radix(next, 16).unwrap(), limit).unwrap()),
            };
            assert_eq!(counter.next(limit), expected, "{}", row.counter);
        }
    }
}

#[test]
fn an_originator_comes_to_the_published_keys_by_itself() {
    let initial_key = InitialKey::from_key(
        AesKey::try_from(&*hex("1273671EA26AC29AFA4D1084127652A1")).unwrap(),
        id("1234567890123456"),
    );
    let mut terminal = VolatileOriginator::load(initial_key);
    for expected in [
        "AF8CB133A78F8DC2D1359F18527593FB",
        "D30BDC73EC9714B000BEC66BDB7B6D09",
        "7D69F01F3B45449F62C7816ECE723268",
    ] {
        let transaction = terminal.next_transaction().unwrap();
        assert_eq!(to_hex(&working_key(transaction.key(), "PIN", "AES128")), expected);
    }
}

/// One public text gives the 2TDEA key where the 3TDEA key belongs.
#[test]
fn tdea_update_keys_are_told_apart() {
    #[derive(Deserialize)]
    struct Row {
        what: String,
        published: String,
        correct: String,
    }
    let rows: Vec<Row> =
        rows("known_bad_published_values.csv", include_str!("data/known_bad_published_values.csv"), 6);
    let row = rows.iter().find(|row| row.what == "3TDEA update key from AES-128 BDK").unwrap();
    let update_key = bdk(BDK).derive_update_key(&id("1234567890123456"));
    let kek = |length| to_hex(update_key.key_encryption_key_tdea(length).expose_key().expose_bytes());
    assert_eq!(kek(KeyLength::Double), row.published);
    assert_eq!(kek(KeyLength::Triple), row.correct);
}
