//! Published values beside Annex A: initial keys, results of deployed software, and values known to be wrong.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock};
use cardroot_dukpt::{Bdk, CounterError, DeriveError, ZERO_IV};
use common::{ANNEX_A_BDK, bdk, hex, key, ksn, rows, to_hex};
use serde::Deserialize;

#[test]
fn initial_keys_are_the_published_ones() {
    #[derive(Deserialize)]
    struct Row {
        bdk: String,
        ksn: String,
        ik: String,
    }
    let rows: Vec<Row> = rows("dukpt_tdes_ik.csv", include_str!("data/dukpt_tdes_ik.csv"), 4);
    for row in rows {
        let initial_key = Bdk::from_key(key(&row.bdk)).derive_initial_key(&ksn(&row.ksn)).unwrap();
        assert_eq!(to_hex(initial_key.expose_key().expose_bytes()), row.ik);
        assert_eq!(initial_key.ksn(), &ksn(&row.ksn).initial());
    }
}

#[test]
fn working_keys_agree_with_deployed_software() {
    #[derive(Deserialize)]
    struct Row {
        kind: String,
        bdk: String,
        ksn: String,
        input: String,
        output: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_tdes_field_values.csv", include_str!("data/dukpt_tdes_field_values.csv"), 20);
    for row in rows {
        let (mut input, ksn) = (hex(&row.input), ksn(&row.ksn));
        let transaction_key = bdk(&row.bdk).derive_transaction_key(&ksn);
        if row.kind == "counter_zero" {
            assert_eq!(transaction_key.unwrap_err(), DeriveError::Counter(CounterError::Zero));
            continue;
        }
        let transaction_key = transaction_key.unwrap();
        match &*row.kind {
            "data_2004" => {
                let mut data = hex(&row.output);
                transaction_key.data_key_2004().decrypt(ZERO_IV, &mut data).unwrap();
                assert_eq!(to_hex(&data), row.input);
            }
            "data_request_2009" => {
                transaction_key.data_request_key().encrypt(ZERO_IV, &mut input).unwrap();
                assert_eq!(to_hex(&input), row.output);
            }
            "mac_request" => {
                assert_eq!(to_hex(transaction_key.mac_request_key().mac(&input).as_bytes()), row.output);
                assert_eq!(transaction_key.mac_key_2004().verify_mac(&input, &hex(&row.output)), Ok(()));
            }
            "pin_block" => {
                let clear = ClearPinBlock::from_fill(|block| block.copy_from_slice(&input));
                let Ok(block) = transaction_key.pin_key().encrypt_pin_block(&clear);
                assert_eq!(to_hex(&block.to_bytes()), row.output);
                let Ok(clear) = transaction_key.pin_key().decrypt_pin_block(block);
                assert_eq!(to_hex(clear.expose_bytes()), row.input);
            }
            kind => panic!("unknown kind {kind}"),
        }
    }
}

#[test]
fn values_known_to_be_wrong_are_not_ours() {
    #[derive(Deserialize)]
    struct Row {
        what: String,
        published: String,
        correct: String,
    }
    let rows: Vec<Row> =
        rows("known_bad_published_values.csv", include_str!("data/known_bad_published_values.csv"), 6);
    // Both rows of TDES DUKPT are about one transaction; the others belong to AES DUKPT and key blocks.
    let transaction_key =
        bdk("A1A1A1A1A1A1A1A1B2B2B2B2B2B2B2B2").derive_transaction_key(&ksn("FFFF9876543210E00002")).unwrap();
    let mut checked = 0;
    for row in rows {
        let ours = match &*row.what {
            "derivePINEncryptionKey(BDK A1x8B2x8, KSN FFFF9876543210E00002)" => {
                to_hex(transaction_key.pin_key().expose_key().expose_bytes())
            }
            "deriveDataEncryptionKey(same)" => {
                to_hex(transaction_key.data_request_key().expose_key().expose_bytes())
            }
            _ => continue,
        };
        assert_ne!(ours, row.published);
        assert_eq!(ours, row.correct);
        checked += 1;
    }
    assert_eq!(checked, 2);
}

#[test]
fn editions_differ_by_the_one_way_step_alone() {
    let transaction_key = bdk(ANNEX_A_BDK).derive_transaction_key(&ksn("FFFF9876543210E00001")).unwrap();
    let mac_2004 = transaction_key.mac_key_2004();
    assert!(mac_2004.expose_key().ct_eq(transaction_key.mac_request_key().expose_key()));

    let data_2004 = transaction_key.data_key_2004();
    assert_eq!(to_hex(data_2004.expose_key().expose_bytes()), "042666B4917BCFA368DE9628D0C67BC9");
    // Each half by itself is what ECB is; CBC under a zero vector shows the left half of it.
    let request = transaction_key.data_request_key();
    let mut left: [u8; 8] = request.expose_key().expose_bytes()[..8].try_into().unwrap();
    data_2004.decrypt(ZERO_IV, &mut left).unwrap();
    assert_eq!(left, data_2004.expose_key().expose_bytes()[..8]);
}

#[cfg(feature = "hazmat")]
#[test]
fn what_the_keys_of_2004_make_is_what_deployed_software_makes() {
    use cardroot_dukpt::edition_2004::hazmat::{DataEncryptionKey, MacGenerationKey};

    #[derive(Deserialize)]
    struct Row {
        kind: String,
        bdk: String,
        ksn: String,
        input: String,
        output: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_tdes_field_values.csv", include_str!("data/dukpt_tdes_field_values.csv"), 20);
    let (mut data, mut macs) = (0, 0);
    for row in rows {
        let transaction_key = || bdk(&row.bdk).derive_transaction_key(&ksn(&row.ksn)).unwrap();
        let mut input = hex(&row.input);
        match &*row.kind {
            "data_2004" => {
                DataEncryptionKey::of(&transaction_key()).encrypt(ZERO_IV, &mut input).unwrap();
                assert_eq!(to_hex(&input), row.output);
                data += 1;
            }
            "mac_request" => {
                let mac = MacGenerationKey::of(&transaction_key()).mac(&input);
                assert_eq!(to_hex(mac.as_bytes()), row.output);
                macs += 1;
            }
            _ => {}
        }
    }
    println!("{data} rows of data, {macs} MACs");
    assert!(data > 0 && macs > 0);
}
