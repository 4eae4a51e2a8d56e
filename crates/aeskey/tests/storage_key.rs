//! What a storage key seals, opens, refuses and shows.
#![cfg(feature = "siv")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

use cardroot_aeskey::{NotSealed, StorageKey, StorageKeyLengthError};
use getrandom::{SysRng, rand_core::UnwrapErr};
use proptest::prelude::*;

struct Row {
    key: StorageKey,
    associated: Vec<Vec<u8>>,
    plain: Vec<u8>,
    siv: [u8; 16],
    cipher: Vec<u8>,
    is_valid: bool,
}

fn hex(text: &str) -> Vec<u8> {
    base16ct::upper::decode_vec(text).unwrap()
}

/// The rows of a file; `expected` of them, or it is not the file we know.
fn rows(name: &str, file: &str, expected: usize) -> Vec<Row> {
    let lines = file.lines().filter(|line| !line.starts_with('#')).skip(1);
    let rows: Vec<Row> = lines
        .map(|line| {
            let [key, associated, plain, sealed, result] =
                line.split(',').collect::<Vec<_>>().try_into().unwrap();
            let sealed = hex(sealed);
            let (siv, cipher) = sealed.split_first_chunk().unwrap();
            assert!(["valid", "invalid"].contains(&result));
            Row {
                key: StorageKey::try_from(&*hex(key)).unwrap(),
                associated: associated.split(' ').map(hex).collect(),
                plain: hex(plain),
                siv: *siv,
                cipher: cipher.to_vec(),
                is_valid: result == "valid",
            }
        })
        .collect();
    println!("{name}: {} rows", rows.len());
    assert_eq!(rows.len(), expected);
    rows
}

fn check<const N: usize>(row: &Row) {
    let associated: [&[u8]; N] = core::array::from_fn(|at| &*row.associated[at]);
    let mut data = row.plain.clone();
    let siv = row.key.seal(associated, &mut data);
    assert_eq!((siv, &data) == (row.siv, &row.cipher), row.is_valid);
    let mut data = row.cipher.clone();
    let opened = row.key.open(associated, &row.siv, &mut data);
    if row.is_valid {
        assert_eq!((opened, data), (Ok(()), row.plain.clone()));
    } else {
        assert_eq!((opened, data), (Err(NotSealed), row.cipher.clone()), "the data is left as it was");
    }
}

#[test]
fn one_string_and_data_of_every_length_agree_with_wycheproof() {
    let rows = rows("siv_wycheproof.csv", include_str!("data/siv_wycheproof.csv"), 147);
    assert_eq!(rows.iter().filter(|row| row.is_valid).count(), 39);
    rows.iter().for_each(check::<1>);
}

#[test]
fn one_string_and_three_agree_with_the_vectors_for_256_bit_subkeys() {
    let rows = rows("siv_256_bit_subkeys.csv", include_str!("data/siv_256_bit_subkeys.csv"), 2);
    check::<1>(&rows[0]);
    check::<3>(&rows[1]);
}

#[test]
fn other_lengths_are_no_key() {
    for found in 0..=80 {
        match StorageKey::try_from(&[7; 80][..found]) {
            Ok(key) => assert_eq!((found, key.expose_bytes()), (64, &[7; 64])),
            Err(error) => {
                assert_ne!(found, 64);
                assert_eq!(error, StorageKeyLengthError { found });
            }
        }
    }
    let error = StorageKey::try_from([7; 32].as_slice()).unwrap_err();
    assert_eq!(error.to_string(), "a storage key is 64 bytes, found 32");
}

#[test]
fn keys_are_drawn_whole_and_anew() {
    let keys: Vec<StorageKey> = (0..8).map(|_| StorageKey::generate(&mut UnwrapErr(SysRng))).collect();
    for (index, key) in keys.iter().enumerate() {
        assert!(key.expose_bytes().chunks(8).all(|part| part != [0; 8]), "every part is drawn");
        assert!(keys[index + 1..].iter().all(|other| other.expose_bytes() != key.expose_bytes()));
        assert_eq!(key.duplicate().expose_bytes(), key.expose_bytes());
    }
}

#[test]
fn nothing_shows_a_key() {
    let key = StorageKey::from_fill(|key| key.fill(0xA5));
    for shown in [format!("{key:?}"), format!("{key:#?}"), format!("{key:#x?}")] {
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}

#[test]
fn strings_are_told_apart_by_their_borders_and_order() {
    let key = StorageKey::from_fill(|key| key.fill(0x3C));
    let siv = |associated: [&[u8]; 2]| key.seal(associated, &mut []);
    assert_ne!(siv([b"ab", b"c"]), siv([b"a", b"bc"]));
    assert_ne!(siv([b"ab", b"c"]), siv([b"c", b"ab"]));
    assert_ne!(siv([b"abc", b""]), key.seal([b"abc"], &mut []));
    assert_ne!(key.seal([b""], &mut []), key.seal([], &mut []));
    let most = [b"x".as_slice(); StorageKey::MAX_ASSOCIATED];
    assert_eq!(key.open(most, &key.seal(most, &mut []), &mut []), Ok(()));
}

proptest! {
    #[test]
    fn what_is_sealed_opens_and_one_altered_bit_does_not(
        bytes: [u8; 32],
        one: Vec<u8>,
        two: Vec<u8>,
        plain: Vec<u8>,
        bit: prop::sample::Index,
    ) {
        let key = StorageKey::from_fill(|key| key.as_chunks_mut().0.fill(bytes));
        let mut data = plain.clone();
        let siv = key.seal([&one, &two], &mut data);
        let mut altered = [&one[..], &two, &siv, &data].concat();
        let bit = bit.index(8 * altered.len());
        altered[bit / 8] ^= 1 << (bit % 8);
        key.open([&one, &two], &siv, &mut data).unwrap();
        prop_assert_eq!(data, plain);

        let (one, rest) = altered.split_at_mut(one.len());
        let (two, rest) = rest.split_at_mut(two.len());
        let (siv, data) = rest.split_first_chunk_mut().unwrap();
        prop_assert_eq!(key.open([one, two], siv, data), Err(NotSealed));
    }
}
