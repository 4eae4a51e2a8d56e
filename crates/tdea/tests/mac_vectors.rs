//! ISO 9797-1 MAC algorithms 1 and 3: every row of `mac_vectors.csv`.
#![cfg(feature = "hazmat")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use cardroot_tdea::hazmat::{DesKey, DesMac};
use cardroot_tdea::{CbcMac, Mac, MacPadding, Padding, RetailMac};
use common::{hex, key};

/// Splits a row at the commas outside quotes.
fn fields(row: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in row.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => fields.push(String::new()),
            other => fields.last_mut().unwrap().push(other),
        }
    }
    fields
}

/// The code under the algorithm that the row names, in one call and byte by byte.
fn compute(
    algorithm: &str,
    key_bytes: &[u8],
    (padding, in_pieces): (Padding, MacPadding),
    data: &[u8],
) -> [Mac; 2] {
    match algorithm {
        "ISO9797-1 alg 1 (X9.9)" | "ISO9797-1 alg 1 (X9.9, FIPS 113)" => {
            let key = DesKey::try_from(key_bytes).unwrap();
            let mut mac = DesMac::new(&key, in_pieces);
            data.iter().for_each(|byte| mac.update(&[*byte]));
            [DesMac::compute(&key, padding, data).unwrap(), mac.finalize().unwrap()]
        }
        "ISO9797-1 alg 3"
        | "ISO9797-1 alg 3 (each half given as a 16 byte key with equal halves = single DES)" => {
            let mut mac = RetailMac::new(&key(key_bytes), in_pieces).unwrap();
            data.iter().for_each(|byte| mac.update(&[*byte]));
            [RetailMac::compute(&key(key_bytes), padding, data).unwrap(), mac.finalize().unwrap()]
        }
        "CBC-MAC with two-key TDES (ISO9797-1 alg 1 over TDEA)" => {
            let mut mac = CbcMac::new(&key(key_bytes), in_pieces);
            data.iter().for_each(|byte| mac.update(&[*byte]));
            [CbcMac::compute(&key(key_bytes), padding, data).unwrap(), mac.finalize().unwrap()]
        }
        other => panic!("unknown algorithm {other:?}"),
    }
}

#[test]
fn every_row_of_the_mac_vectors() {
    let mut rows = include_str!("data/mac_vectors.csv").lines().filter(|line| !line.starts_with('#'));
    assert_eq!(rows.next(), Some("algorithm,padding,key,data,mac,source"));

    let mut checked = 0;
    for row in rows {
        let fields = fields(row);
        let [algorithm, padding, key, data, mac, _source] = fields.as_slice() else { panic!("{row}") };
        let (key, data, mac) = (hex(key), hex(data), hex(mac));
        let padding = match padding.as_str() {
            "1" => (Padding::Zeros, MacPadding::Zeros),
            "2" => (Padding::OneAndZeros, MacPadding::OneAndZeros),
            "3" => (Padding::LengthFirst, MacPadding::LengthFirst { message_len: data.len() as u64 }),
            other => panic!("unknown padding {other:?}"),
        };
        for computed in compute(algorithm, &key, padding, &data) {
            assert_eq!(computed.as_bytes()[..mac.len()], mac, "{row}");
            computed.verify(&mac).unwrap();
        }
        checked += 1;
    }
    println!("mac_vectors.csv: {checked} rows");
    assert_eq!(checked, 15);
}
