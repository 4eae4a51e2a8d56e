//! What is read only: single DES, and card data under the PIN key.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::legacy::edition_1992::SingleDesReceiver;
use cardroot_dukpt::legacy::pin_variant_data;
use cardroot_dukpt::pin::{DecryptPinBlock, EncryptedPinBlock, Pan, Pin};
use cardroot_dukpt::tdea::{PaddingError, StrengthError, TdeaKey};
use cardroot_dukpt::{Bdk, CounterError, ZERO_IV};
use common::{ANNEX_A_BDK, bdk, hex, key, ksn, rows, to_hex};
use serde::Deserialize;

#[test]
fn pin_blocks_of_single_des_decrypt_to_their_pins() {
    #[derive(Deserialize)]
    struct Row {
        ksn: String,
        pan: String,
        pin: String,
        block: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_1992_pin_blocks.csv", include_str!("data/dukpt_1992_pin_blocks.csv"), 11);
    let receiver = SingleDesReceiver::new(Bdk::from_key(key(ANNEX_A_BDK))).unwrap();
    for row in rows {
        let key = receiver.derive_pin_key(&ksn(&row.ksn)).unwrap();
        let block = EncryptedPinBlock::try_from(&*hex(&row.block)).unwrap();
        let Ok(clear) = key.decrypt_pin_block(block);
        let pan = Pan::from_ascii_digits(row.pan.as_bytes()).unwrap();
        let pin = clear.decode_iso0(&pan).unwrap();
        assert!(pin.ct_eq(&Pin::from_ascii_digits(row.pin.as_bytes()).unwrap()), "{}", row.ksn);
    }
}

#[test]
fn single_des_keeps_to_the_rules_of_base_keys_and_counters() {
    let equal = Bdk::from_key(TdeaKey::from([0x25; 16]));
    let refused = StrengthError::PartsEqual { first: 1, second: 2 };
    assert_eq!(SingleDesReceiver::new(equal).unwrap_err(), refused);
    let receiver = SingleDesReceiver::new(Bdk::from_key(key(ANNEX_A_BDK))).unwrap();
    let zero = receiver.derive_pin_key(&ksn("FFFF9876543210E00000")).unwrap_err();
    assert_eq!(zero, CounterError::Zero);
    let many = receiver.derive_pin_key(&ksn("FFFF9876543210E007FF")).unwrap_err();
    assert_eq!(many, CounterError::TooManyOnes { ones: 11 });
}

/// Readers are set to one of the keys. Nothing in the data says which: the wrong one gives other bytes.
#[test]
fn card_data_decrypts_under_the_key_that_the_reader_is_set_to() {
    #[derive(Deserialize)]
    struct Row {
        key: String,
        bdk: String,
        ksn: String,
        encrypted: String,
        clear: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_tdes_reader_data.csv", include_str!("data/dukpt_tdes_reader_data.csv"), 2);
    for row in rows {
        let transaction_key = bdk(&row.bdk).derive_transaction_key(&ksn(&row.ksn)).unwrap();
        let (mut under_pin, mut under_data) = (hex(&row.encrypted), hex(&row.encrypted));
        pin_variant_data::DataKey::of(&transaction_key).decrypt(&mut under_pin).unwrap();
        transaction_key.data_request_key().decrypt(ZERO_IV, &mut under_data).unwrap();
        let (right, wrong) = if row.key == "pin" { (under_pin, under_data) } else { (under_data, under_pin) };
        assert_eq!(to_hex(&right), row.clear);
        assert_ne!(to_hex(&wrong), row.clear);
    }
}

#[test]
fn card_data_that_is_not_whole_blocks_is_refused_and_left_alone() {
    let transaction_key = bdk(ANNEX_A_BDK).derive_transaction_key(&ksn("FFFF9876543210E00008")).unwrap();
    let mut data = [7; 15];
    let refused = pin_variant_data::DataKey::of(&transaction_key).decrypt(&mut data);
    assert_eq!((refused, data), (Err(PaddingError::NotWholeBlocks { found: 15 }), [7; 15]));
}
