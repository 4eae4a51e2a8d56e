//! NIST's validation programme (CAVP): every record of the known-answer and multi-block files.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::{Cmac, Mode, TdeaKey};
use common::{key, reference, rsp};

/// Double-length and triple-length keys that say the same: a record with K1 = K3 is checked under both.
fn keys(parts: [[u8; 8]; 3]) -> Vec<TdeaKey> {
    let mut keys = vec![key(&parts.concat())];
    if parts[0] == parts[2] {
        keys.push(key(&parts[..2].concat()));
    }
    keys
}

/// Checks the records of one file in both directions; returns how many it holds.
fn check_modes(text: &str) -> usize {
    let records = rsp::records(text);
    for record in &records {
        assert!(["ENCRYPT", "DECRYPT"].contains(&record.section));
        let mode = record.block("IV").map_or(Mode::Ecb, |iv| Mode::Cbc { iv });
        let (plain, cipher) = (record.bytes("PLAINTEXT"), record.bytes("CIPHERTEXT"));
        for key in keys(record.key_parts()) {
            let mut data = plain.clone();
            key.cipher().encrypt(mode, &mut data).unwrap();
            assert_eq!(data, cipher, "{record:?}");
            key.cipher().decrypt(mode, &mut data).unwrap();
            assert_eq!(data, plain, "{record:?}");
            assert_eq!(reference::encrypt(key.expose_bytes(), mode, &plain), cipher, "reference, {record:?}");
        }
    }
    records.len()
}

/// One test a file: name, file, number of records.
macro_rules! mode_files {
    ($($name:ident: $file:literal, $count:literal;)*) => {$(
        #[test]
        fn $name() {
            let checked = check_modes(include_str!(concat!("data/nist/", $file)));
            println!("{}: {checked} records", $file);
            assert_eq!(checked, $count);
        }
    )*};
}

mode_files! {
    ecb_inverse_permutation: "TECBinvperm.rsp", 128;
    ecb_permutation_operation: "TECBpermop.rsp", 64;
    ecb_substitution_table: "TECBsubtab.rsp", 38;
    ecb_variable_key: "TECBvarkey.rsp", 112;
    ecb_variable_text: "TECBvartext.rsp", 128;
    ecb_messages_one_key: "TECBMMT1.rsp", 20;
    ecb_messages_two_keys: "TECBMMT2.rsp", 20;
    ecb_messages_three_keys: "TECBMMT3.rsp", 20;
    cbc_inverse_permutation: "TCBCinvperm.rsp", 128;
    cbc_permutation_operation: "TCBCpermop.rsp", 64;
    cbc_substitution_table: "TCBCsubtab.rsp", 38;
    cbc_variable_key: "TCBCvarkey.rsp", 112;
    cbc_variable_text: "TCBCvartext.rsp", 128;
    cbc_messages_one_key: "TCBCMMT1.rsp", 20;
    cbc_messages_two_keys: "TCBCMMT2.rsp", 20;
    cbc_messages_three_keys: "TCBCMMT3.rsp", 20;
}

/// Checks the records of one CMAC file, truncated as they say; returns how many it holds.
fn check_cmac(text: &str, double_length_too: bool) -> usize {
    let records = rsp::records(text);
    for record in &records {
        let mut message = record.bytes("Msg");
        // An empty message is written as one zero byte.
        message.truncate(record.number("Mlen"));
        assert_eq!(message.len(), record.number("Mlen"));
        let tag = record.bytes("Mac");
        assert_eq!(tag.len(), record.number("Tlen"));
        let keys = keys(record.key_parts());
        assert_eq!(keys.len() == 2, double_length_too, "{record:?}");
        for key in keys {
            let mac = Cmac::compute(&key, &message);
            assert_eq!(mac.as_bytes()[..tag.len()], tag, "{record:?}");
            mac.verify(&tag).unwrap();
            assert_eq!(
                reference::cmac(key.expose_bytes(), &message),
                *mac.as_bytes(),
                "reference, {record:?}"
            );
        }
    }
    records.len()
}

#[test]
fn cmac_two_keys() {
    let checked = check_cmac(include_str!("data/nist/CMACGenTDES2.rsp"), true);
    println!("CMACGenTDES2.rsp: {checked} records");
    assert_eq!(checked, 96);
}

#[test]
fn cmac_three_keys() {
    let checked = check_cmac(include_str!("data/nist/CMACGenTDES3.rsp"), false);
    println!("CMACGenTDES3.rsp: {checked} records");
    assert_eq!(checked, 96);
}
