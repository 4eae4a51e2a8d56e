//! The bulk engine on every back end that this machine has, against the crate `des` and the one-block road.
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "inputs are made here")]

mod common;

use cardroot_tdea::bulk::{Engine, MacKeys, MacsError, UnequalLengths};
use cardroot_tdea::{Backend, CbcMac, MacError, Mode, Padding, RetailMac, TdeaKey};
use des::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use proptest::prelude::*;

/// Both roads of every back end: the engine as it is, and with small batches sliced too.
fn engines() -> impl Iterator<Item = Engine> {
    Engine::available().flat_map(|engine| [engine, engine.always_sliced()])
}

/// Numbers of items around a batch and around two.
fn sizes(engine: Engine) -> impl Iterator<Item = usize> {
    let lanes = engine.lanes();
    (0..=20).chain(lanes - 2..=lanes + 20).chain(2 * lanes - 1..=2 * lanes + 1)
}

/// Blocks of which no two are alike.
fn blocks(len: usize) -> Vec<[u8; 8]> {
    (0..len as u64).map(|index| (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).collect()
}

/// Keys of which no two are alike, every third of triple length if `mixed`.
fn keys(len: usize, mixed: bool) -> Vec<TdeaKey> {
    let bytes = blocks(3 * len);
    let (parts, _) = bytes.as_chunks::<3>();
    let key = |(index, parts): (usize, &[[u8; 8]; 3])| {
        let len = if mixed && index % 3 == 0 { 24 } else { 16 };
        TdeaKey::try_from(&parts.as_flattened()[..len]).unwrap()
    };
    parts.iter().enumerate().map(key).collect()
}

fn des_encrypt(key: &TdeaKey, block: &mut [u8; 8]) {
    match key.expose_bytes().len() {
        16 => des::TdesEde2::new_from_slice(key.expose_bytes()).unwrap().encrypt_block(block.into()),
        _ => des::TdesEde3::new_from_slice(key.expose_bytes()).unwrap().encrypt_block(block.into()),
    }
}

fn des_decrypt(key: &TdeaKey, block: &mut [u8; 8]) {
    match key.expose_bytes().len() {
        16 => des::TdesEde2::new_from_slice(key.expose_bytes()).unwrap().decrypt_block(block.into()),
        _ => des::TdesEde3::new_from_slice(key.expose_bytes()).unwrap().decrypt_block(block.into()),
    }
}

fn two_keys() -> [TdeaKey; 2] {
    [TdeaKey::from([0x23; 16]), TdeaKey::try_from(blocks(3).as_flattened()).unwrap()]
}

#[test]
fn the_portable_engine_is_always_there_and_every_engine_has_its_lanes() {
    let lanes: Vec<_> = Engine::available().map(|engine| (engine.backend(), engine.lanes())).collect();
    assert_eq!(lanes[0], (Backend::Portable, 64));
    for (backend, lanes) in lanes {
        println!("{backend:?}: {lanes} lanes");
    }
}

#[test]
fn many_blocks_under_one_key_are_as_each_by_itself() {
    for (engine, key) in engines().flat_map(|engine| two_keys().map(|key| (engine, key))) {
        for size in sizes(engine) {
            let plain = blocks(size);
            let mut wanted = plain.clone();
            wanted.iter_mut().for_each(|block| des_encrypt(&key, block));
            let mut found = plain.clone();
            engine.encrypt(&key, &mut found);
            assert_eq!(found, wanted, "{engine:?}, {size} blocks");
            engine.decrypt(&key, &mut found);
            assert_eq!(found, plain, "{engine:?}, {size} blocks");
        }
    }
}

#[test]
fn a_chain_is_decrypted_as_block_by_block() {
    let iv = [0x77, 1, 2, 3, 4, 5, 6, 7];
    for (engine, key) in engines().flat_map(|engine| two_keys().map(|key| (engine, key))) {
        for size in sizes(engine) {
            let plain = blocks(size);
            let mut data = plain.clone();
            let mut before = iv;
            for block in &mut data {
                for (byte, before) in block.iter_mut().zip(before) {
                    *byte ^= before;
                }
                des_encrypt(&key, block);
                before = *block;
            }
            engine.decrypt_cbc(&key, iv, &mut data);
            assert_eq!(data, plain, "{engine:?}, {size} blocks");
        }
    }
}

#[test]
fn long_data_of_a_cipher_takes_the_same_values_on_either_road() {
    let plain = common::message(8 * 1100);
    for key in two_keys() {
        let cipher = key.cipher();
        for mode in common::MODES {
            let mut data = plain.clone();
            cipher.encrypt(mode, &mut data).unwrap();
            if mode == Mode::Ecb {
                let mut wanted = plain.clone();
                wanted.as_chunks_mut().0.iter_mut().for_each(|block| des_encrypt(&key, block));
                assert_eq!(data, wanted);
            }
            cipher.decrypt(mode, &mut data).unwrap();
            assert_eq!(data, plain);
        }
    }
}

#[test]
fn a_key_for_each_block_is_as_each_by_itself() {
    for (engine, mixed) in engines().flat_map(|engine| [false, true].map(|mixed| (engine, mixed))) {
        for size in sizes(engine) {
            let (plain, keys) = (blocks(size), keys(size, mixed));
            let mut wanted = plain.clone();
            wanted.iter_mut().zip(&keys).for_each(|(block, key)| des_encrypt(key, block));
            let mut found = plain.clone();
            engine.encrypt_each(&keys, &mut found).unwrap();
            assert_eq!(found, wanted, "{engine:?}, {size} blocks");
            engine.decrypt_each(&keys, &mut found).unwrap();
            assert_eq!(found, plain, "{engine:?}, {size} blocks");
        }
    }
}

#[test]
fn keys_that_do_not_pair_up_are_an_error() {
    for engine in engines() {
        let mut found = blocks(3);
        let error = Err(UnequalLengths { left: 2, right: 3 });
        assert_eq!(engine.encrypt_each(&keys(2, false), &mut found), error);
        assert_eq!(engine.decrypt_each(&keys(2, false), &mut found), error);
        assert_eq!(found, blocks(3));
        let mut children = keys(2, false);
        let error = Err(UnequalLengths { left: 3, right: 2 });
        assert_eq!(engine.diversify(&children[0].duplicate(), &blocks(3), &mut children), error);
    }
}

fn child(parent: &TdeaKey, factor: [u8; 8]) -> TdeaKey {
    let mut halves = [factor, factor.map(|byte| !byte)];
    halves.iter_mut().for_each(|half| des_encrypt(parent, half));
    TdeaKey::try_from(halves.as_flattened()).unwrap()
}

#[test]
fn a_cohort_is_as_each_child_by_itself() {
    for (engine, parent) in engines().flat_map(|engine| two_keys().map(|key| (engine, key))) {
        for size in sizes(engine) {
            let factors = blocks(size);
            let mut children = keys(size, true);
            engine.diversify(&parent, &factors, &mut children).unwrap();
            for (factor, found) in factors.iter().zip(&children) {
                assert!(found.ct_eq(&child(&parent, *factor)), "{engine:?}, {size} children");
            }
        }
    }
}

#[test]
fn a_tree_is_as_level_by_level() {
    for (engine, parent) in engines().flat_map(|engine| two_keys().map(|key| (engine, key))) {
        for size in [0, 1, 2, 63, 64, 65, engine.lanes() - 1, engine.lanes(), 2 * engine.lanes() + 1] {
            let factors = blocks(3 * size);
            let (paths, _) = factors.as_chunks::<3>();
            let mut children = keys(size, true);
            engine.diversify_paths(&parent, paths, &mut children).unwrap();
            for (path, found) in paths.iter().zip(&children) {
                let wanted = path.iter().fold(parent.duplicate(), |key, factor| child(&key, *factor));
                assert!(found.ct_eq(&wanted), "{engine:?}, {size} children");
            }
        }
    }
}

/// Messages of all lengths up to `longest`, out of order, many of one length.
fn messages(count: usize, longest: usize, whole: bool) -> Vec<Vec<u8>> {
    let len = |index: usize| if index.is_multiple_of(4) { longest } else { index * 7 % (longest + 1) };
    let whole_len = |len: usize| if whole { len.div_ceil(8).max(1) * 8 } else { len };
    (0..count).map(|index| common::message(whole_len(len(index)) + 1)[1..].to_vec()).collect()
}

/// Holds the codes of both algorithms, under one key and a key each, against the one-block road; returns how many.
fn check_macs(engine: Engine, padding: Padding, messages: &[Vec<u8>]) -> usize {
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let own = keys(messages.len(), false);
    let one = TdeaKey::from([0x23; 16]);
    let mut checked = 0;
    for keys in [MacKeys::One(&one), MacKeys::Each(&own)] {
        let key = |position: usize| match keys {
            MacKeys::One(key) => key,
            MacKeys::Each(keys) => &keys[position],
        };
        let said = |position| format!("{engine:?} {padding:?} message {position}");
        let mut next = 0;
        let retail = engine.retail_macs(keys, padding, &messages, |position, mac| {
            assert_eq!(position, next);
            next += 1;
            let wanted = RetailMac::compute(key(position), padding, messages[position]).unwrap();
            assert_eq!(mac.as_bytes(), wanted.as_bytes(), "{}", said(position));
        });
        retail.unwrap();
        let cbc = engine.cbc_macs(keys, padding, &messages, |position, mac| {
            next += 1;
            let wanted = CbcMac::compute(key(position), padding, messages[position]).unwrap();
            assert_eq!(mac.as_bytes(), wanted.as_bytes(), "{}", said(position));
        });
        cbc.unwrap();
        assert_eq!(next, 2 * messages.len());
        checked += next;
    }
    checked
}

const PADDINGS: [Padding; 4] = [Padding::Zeros, Padding::OneAndZeros, Padding::LengthFirst, Padding::None];

#[test]
fn macs_side_by_side_are_as_one_by_one() {
    let mut checked = 0;
    for engine in engines() {
        for count in [0, 1, 5, engine.lanes(), 2 * engine.lanes() + 1, 2050] {
            for padding in PADDINGS {
                checked += check_macs(engine, padding, &messages(count, 41, padding == Padding::None));
            }
        }
    }
    println!("{checked} codes");
}

#[test]
fn long_messages_among_short_and_empty_ones_are_as_one_by_one() {
    let mut checked = 0;
    for (engine, padding) in engines().flat_map(|engine| PADDINGS.map(|padding| (engine, padding))) {
        // One very long message, a few long ones of two lengths, everything else short or, where that is a message, empty.
        let len = |index: usize| match index {
            77 => 4096,
            3 | 50 | 99 => 200,
            20..28 => 120,
            index => 8 * (index % 4) + usize::from(padding != Padding::None) * (index % 3),
        };
        let least = if padding == Padding::None { 8 } else { 0 };
        let mixed: Vec<_> = (0..600).map(|index| common::message(len(index).max(least))).collect();
        checked += check_macs(engine, padding, &mixed);
        // Nothing but stragglers.
        checked += check_macs(engine, padding, &mixed[76..78]);
    }
    println!("{checked} codes");
    assert_eq!(checked, engines().count() * 4 * 4 * 602);
}

#[test]
fn mac_errors_name_the_message() {
    let take = |_, _| panic!("nothing is taken");
    let (double, mixed) = (keys(3, false), keys(3, true));
    for engine in engines() {
        let messages: [&[u8]; 3] = [b"12345678", b"1234567", b""];
        let error = |position, source| Err(MacsError::Message { position, source });
        let padding = engine.retail_macs(MacKeys::Each(&double), Padding::None, &messages, take);
        assert_eq!(padding, error(1, MacError::NotWholeBlocks { found: 7 }));
        let triple = engine.retail_macs(MacKeys::Each(&mixed), Padding::Zeros, &messages, take);
        assert_eq!(triple, error(0, MacError::TripleLengthKey));
        let lengths = engine.cbc_macs(MacKeys::Each(&double[1..]), Padding::Zeros, &messages, take);
        assert_eq!(lengths, Err(MacsError::Lengths(UnequalLengths { left: 2, right: 3 })));
    }
}

#[test]
fn every_known_answer_of_nist_comes_out_of_a_batch() {
    const ONE_BLOCK: [&str; 5] = [
        include_str!("data/nist/TECBinvperm.rsp"),
        include_str!("data/nist/TECBpermop.rsp"),
        include_str!("data/nist/TECBsubtab.rsp"),
        include_str!("data/nist/TECBvarkey.rsp"),
        include_str!("data/nist/TECBvartext.rsp"),
    ];
    let records: Vec<_> = ONE_BLOCK.into_iter().flat_map(common::rsp::records).collect();
    let column = |name| records.iter().map(|record| record.block(name).unwrap()).collect::<Vec<_>>();
    let (plain, cipher) = (column("PLAINTEXT"), column("CIPHERTEXT"));
    let keys: Vec<_> = records.iter().map(|record| common::key(&record.key_parts().concat())).collect();
    for engine in engines() {
        let mut data = plain.clone();
        engine.encrypt_each(&keys, &mut data).unwrap();
        assert_eq!(data, cipher, "{engine:?}");
        engine.decrypt_each(&keys, &mut data).unwrap();
        assert_eq!(data, plain, "{engine:?}");
    }
    println!("{} records", records.len());
    assert_eq!(records.len(), 470);
}

#[test]
fn every_multi_block_message_of_nist_comes_out_of_a_batch() {
    const FILES: [&str; 6] = [
        include_str!("data/nist/TECBMMT1.rsp"),
        include_str!("data/nist/TECBMMT2.rsp"),
        include_str!("data/nist/TECBMMT3.rsp"),
        include_str!("data/nist/TCBCMMT1.rsp"),
        include_str!("data/nist/TCBCMMT2.rsp"),
        include_str!("data/nist/TCBCMMT3.rsp"),
    ];
    let mut checked = 0;
    for record in FILES.into_iter().flat_map(common::rsp::records) {
        let key = common::key(&record.key_parts().concat());
        let (plain, cipher) = (record.bytes("PLAINTEXT"), record.bytes("CIPHERTEXT"));
        for engine in engines() {
            let mut data = cipher.clone();
            let blocks = data.as_chunks_mut().0;
            match record.block("IV") {
                Some(iv) => engine.decrypt_cbc(&key, iv, blocks),
                None => engine.decrypt(&key, blocks),
            }
            assert_eq!(data, plain, "{engine:?}, {record:?}");
        }
        checked += 1;
    }
    println!("{checked} messages");
    assert_eq!(checked, 120);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_blocks_under_any_key(key: [u8; 24], data in prop::collection::vec(any::<[u8; 8]>(), 0..700)) {
        let key = TdeaKey::from(key);
        let mut wanted = data.clone();
        wanted.iter_mut().for_each(|block| des_decrypt(&key, block));
        for engine in engines() {
            let mut found = data.clone();
            engine.decrypt(&key, &mut found);
            prop_assert_eq!(&found, &wanted);
            engine.encrypt(&key, &mut found);
            prop_assert_eq!(&found, &data);
        }
    }

    #[test]
    fn any_keys_on_any_blocks(pairs in prop::collection::vec(any::<([u8; 24], [u8; 8])>(), 0..700)) {
        let keys: Vec<_> = pairs.iter().map(|(key, _)| TdeaKey::from(*key)).collect();
        let data: Vec<_> = pairs.iter().map(|(_, block)| *block).collect();
        let mut wanted = data.clone();
        wanted.iter_mut().zip(&keys).for_each(|(block, key)| des_encrypt(key, block));
        for engine in engines() {
            let mut found = data.clone();
            engine.encrypt_each(&keys, &mut found).unwrap();
            prop_assert_eq!(&found, &wanted);
        }
    }
}
