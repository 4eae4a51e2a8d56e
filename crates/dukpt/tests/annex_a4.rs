//! ANS X9.24-1:2009 A.4.2 and A.4.3: every row and every column.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, EncryptedPinBlock, Pan, Pin};
use cardroot_dukpt::tdea::{MacMismatch, Padding, PaddingError};
use cardroot_dukpt::{TransactionKey, ZERO_IV};
use common::{ANNEX_A_BDK, bdk, hex, ksn, rows, to_hex};
use serde::Deserialize;

/// Message and data of all rows.
const TEXT: &[u8] = b"4012345678909D987";

#[derive(Deserialize)]
struct Row {
    ksn: String,
    txn_key: String,
    pin_key: String,
    mac_req_key: String,
    mac_resp_key: String,
    data_req_key: String,
    data_resp_key: String,
    enc_pin_block: String,
    mac_req: String,
    mac_resp: String,
    cmac_req: String,
    cmac_resp: String,
    enc_data_req: String,
    enc_data_resp: String,
}

fn check_rows(check: impl Fn(&Row, &TransactionKey)) {
    let bdk = bdk(ANNEX_A_BDK);
    let rows: Vec<Row> =
        rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    for row in rows {
        check(&row, &bdk.derive_transaction_key(&ksn(&row.ksn)).unwrap());
    }
}

#[test]
fn transaction_and_working_keys_are_those_of_annex_a() {
    check_rows(|row, key| {
        assert_eq!(key.ksn().to_string(), row.ksn);
        assert_eq!(to_hex(key.expose_key().expose_bytes()), row.txn_key, "{}", row.ksn);
        assert_eq!(to_hex(key.pin_key().expose_key().expose_bytes()), row.pin_key, "{}", row.ksn);
        assert_eq!(to_hex(key.mac_request_key().expose_key().expose_bytes()), row.mac_req_key, "{}", row.ksn);
        assert_eq!(
            to_hex(key.mac_response_key().expose_key().expose_bytes()),
            row.mac_resp_key,
            "{}",
            row.ksn
        );
        assert_eq!(
            to_hex(key.data_request_key().expose_key().expose_bytes()),
            row.data_req_key,
            "{}",
            row.ksn
        );
        assert_eq!(
            to_hex(key.data_response_key().expose_key().expose_bytes()),
            row.data_resp_key,
            "{}",
            row.ksn
        );
    });
}

#[test]
fn pin_blocks_are_those_of_annex_a() {
    let pin = Pin::from_ascii_digits(b"1234").unwrap();
    let pan = Pan::from_ascii_digits(b"4012345678909").unwrap();
    check_rows(|row, key| {
        let clear = ClearPinBlock::encode_iso0(&pin, &pan);
        let Ok(block) = key.pin_key().encrypt_pin_block(&clear);
        assert_eq!(to_hex(&block.to_bytes()), row.enc_pin_block, "{}", row.ksn);

        let received = EncryptedPinBlock::try_from(&*hex(&row.enc_pin_block)).unwrap();
        let Ok(clear) = key.pin_key().decrypt_pin_block(received);
        assert!(clear.decode_iso0(&pan).unwrap().ct_eq(&pin), "{}", row.ksn);
    });
}

#[test]
fn message_authentication_codes_are_those_of_annex_a() {
    check_rows(|row, key| {
        let (request, response) = (key.mac_request_key(), key.mac_response_key());
        assert_eq!(to_hex(request.mac(TEXT).as_bytes()), row.mac_req, "{}", row.ksn);
        assert_eq!(to_hex(response.mac(TEXT).as_bytes()), row.mac_resp, "{}", row.ksn);
        assert_eq!(to_hex(request.cmac(TEXT).as_bytes()), row.cmac_req, "{}", row.ksn);
        assert_eq!(to_hex(response.cmac(TEXT).as_bytes()), row.cmac_resp, "{}", row.ksn);

        assert_eq!(request.verify_mac(TEXT, &hex(&row.mac_req[..8])), Ok(()), "{}", row.ksn);
        assert_eq!(response.verify_mac(TEXT, &hex(&row.mac_req)), Err(MacMismatch), "{}", row.ksn);
    });
}

#[test]
fn pieces_of_a_message_give_the_code_of_the_whole() {
    check_rows(|row, key| {
        let key = key.mac_request_key();
        let (mut mac, mut cmac) = (key.start_mac(), key.start_cmac());
        for piece in TEXT.chunks(3) {
            mac.update(piece);
            cmac.update(piece);
        }
        assert_eq!(to_hex(mac.finalize().unwrap().as_bytes()), row.mac_req);
        assert_eq!(to_hex(cmac.finalize().as_bytes()), row.cmac_req);
    });
}

#[test]
fn data_is_encrypted_as_in_annex_a_and_back() {
    check_rows(|row, key| {
        let (request, response) = (key.data_request_key(), key.data_response_key());
        let mut out = [0; 24];
        assert_eq!(request.encrypt_padded(ZERO_IV, Padding::Zeros, TEXT, &mut out), Ok(24));
        assert_eq!(to_hex(&out), row.enc_data_req, "{}", row.ksn);
        request.decrypt(ZERO_IV, &mut out).unwrap();
        assert_eq!(out.strip_suffix(&[0; 7]).unwrap(), TEXT);

        response.encrypt(ZERO_IV, &mut out).unwrap();
        assert_eq!(to_hex(&out), row.enc_data_resp, "{}", row.ksn);
    });
}

#[cfg(feature = "alloc")]
#[test]
fn vectors_hold_what_buffers_do() {
    check_rows(|row, key| {
        let key = key.data_response_key();
        assert_eq!(
            to_hex(&key.encrypt_padded_vec(ZERO_IV, Padding::Zeros, TEXT).unwrap()),
            row.enc_data_resp
        );
        let sent = key.encrypt_padded_vec(ZERO_IV, Padding::OneAndZeros, TEXT).unwrap();
        let received = key.decrypt_padded_vec(ZERO_IV, Padding::OneAndZeros, &sent).unwrap();
        assert_eq!(received.expose_bytes(), TEXT);
        assert!(key.decrypt_padded_vec([1; 8], Padding::OneAndZeros, &sent[..8]).is_err());
    });
}

#[test]
fn data_keys_report_what_padding_and_buffer_do_not_allow() {
    check_rows(|_, key| {
        let key = key.data_request_key();
        let mut out = [0; 24];
        assert_eq!(key.encrypt_padded(ZERO_IV, Padding::OneAndZeros, TEXT, &mut out), Ok(24));
        assert_eq!(key.decrypt_padded(ZERO_IV, Padding::OneAndZeros, &mut out), Ok(TEXT));
        assert_eq!(
            key.decrypt_padded(ZERO_IV, Padding::Zeros, &mut out),
            Err(PaddingError::Ambiguous),
            "zeros can't be told from data"
        );
        assert_eq!(
            key.encrypt_padded(ZERO_IV, Padding::Zeros, TEXT, &mut out[..23]),
            Err(PaddingError::Buffer { needed: 24, found: 23 })
        );
        assert_eq!(key.encrypt(ZERO_IV, &mut out[..9]), Err(PaddingError::NotWholeBlocks { found: 9 }));
        assert_eq!(key.decrypt(ZERO_IV, &mut out[..9]), Err(PaddingError::NotWholeBlocks { found: 9 }));
    });
}

#[test]
fn the_initial_vector_counts() {
    check_rows(|row, key| {
        let key = key.data_request_key();
        let mut out = [0; 24];
        key.encrypt_padded([1; 8], Padding::Zeros, TEXT, &mut out).unwrap();
        assert_ne!(to_hex(&out), row.enc_data_req);
        key.decrypt(ZERO_IV, &mut out).unwrap();
        assert_eq!(out[0], TEXT[0] ^ 1, "CBC adds the vector to the first block");
    });
}
