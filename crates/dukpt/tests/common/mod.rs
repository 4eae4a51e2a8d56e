//! What all vector tests need: rows of a file, and our types from hex.
#![allow(dead_code, reason = "each test uses a part of it")]

use cardroot_dukpt::tdea::TdeaKey;
use cardroot_dukpt::{Bdk, Ksn};
use serde::de::DeserializeOwned;

/// The base derivation key of ANS X9.24-1 Annex A.
pub(crate) const ANNEX_A_BDK: &str = "0123456789ABCDEFFEDCBA9876543210";
/// Its initial key serial number.
pub(crate) const ANNEX_A_KSN: &str = "FFFF9876543210E00000";

pub(crate) fn hex(text: &str) -> Vec<u8> {
    base16ct::mixed::decode_vec(text).unwrap()
}

pub(crate) fn to_hex(bytes: &[u8]) -> String {
    base16ct::upper::encode_string(bytes)
}

pub(crate) fn key(text: &str) -> TdeaKey {
    TdeaKey::try_from(&*hex(text)).unwrap()
}

pub(crate) fn ksn(text: &str) -> Ksn {
    Ksn::try_from(&*hex(text)).unwrap()
}

pub(crate) fn bdk(text: &str) -> Bdk {
    Bdk::from_key(key(text))
}

/// Reads a file of vectors; `expected` rows, or it is not the file we know.
pub(crate) fn rows<T: DeserializeOwned>(name: &str, csv: &str, expected: usize) -> Vec<T> {
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(csv.as_bytes());
    let rows: Vec<T> = reader.deserialize().collect::<Result<_, _>>().unwrap();
    println!("{name}: {} rows", rows.len());
    assert_eq!(rows.len(), expected);
    rows
}

/// The record in a file, whose other lines tell where it is from.
pub(crate) fn record_of_version_1(file: &str) -> Vec<u8> {
    hex(file.lines().find(|line| !line.starts_with('#')).unwrap())
}
