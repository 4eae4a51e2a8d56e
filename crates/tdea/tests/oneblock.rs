//! Single blocks and pairs on every back end that this machine runs: NIST's known answers, and the crate `des` as the
//! second road. For the whole test set on one of them:
//! `RUSTFLAGS='--cfg cardroot_backend="portable"' cargo test -p cardroot-tdea` (or `portable32`, `avx2`).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is how a test reports")]

mod common;

use std::sync::{Mutex, PoisonError};

use cardroot_tdea::{Backend, BackendUnavailable, Cmac, Mode, Tdea};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use common::{MODES, key, message, reference, rsp};
use proptest::prelude::*;

/// The back end is a matter of the whole process: one test at a time.
static FORCED: Mutex<()> = Mutex::new(());

/// Runs `check` on every back end there is; returns which they were.
fn on_each_backend(mut check: impl FnMut(Backend)) -> Vec<Backend> {
    let _alone = FORCED.lock().unwrap_or_else(PoisonError::into_inner);
    let before = Backend::active();
    let available: Vec<_> = Backend::ALL.into_iter().filter(|backend| backend.is_available()).collect();
    for backend in &available {
        backend.force().unwrap();
        assert_eq!(Backend::active(), *backend);
        check(*backend);
    }
    before.force().unwrap();
    available
}

#[test]
fn the_build_decides_how_wide_the_back_end_may_be() {
    let widest = if cfg!(any(cardroot_backend = "portable", cardroot_backend = "portable32")) {
        Backend::Portable
    } else if cfg!(cardroot_backend = "avx2") {
        Backend::Avx2
    } else {
        Backend::Avx512
    };
    let available = on_each_backend(|backend| assert!(backend <= widest));
    println!("back ends: {available:?}");
    assert_eq!(available[0], Backend::Portable);
    for backend in Backend::ALL.into_iter().filter(|backend| *backend > widest) {
        assert_eq!(backend.force().unwrap_err(), BackendUnavailable(backend));
    }
}

#[test]
fn nist_known_answers_hold_on_each_back_end() {
    const FILES: [&str; 6] = [
        include_str!("data/nist/TECBpermop.rsp"),
        include_str!("data/nist/TECBsubtab.rsp"),
        include_str!("data/nist/TECBvarkey.rsp"),
        include_str!("data/nist/TECBvartext.rsp"),
        include_str!("data/nist/TECBMMT3.rsp"),
        include_str!("data/nist/TCBCMMT3.rsp"),
    ];
    on_each_backend(|backend| {
        let mut checked = 0;
        for record in FILES.iter().flat_map(|file| rsp::records(file)) {
            let cipher = key(&record.key_parts().concat()).cipher();
            let mode = record.block("IV").map_or(Mode::Ecb, |iv| Mode::Cbc { iv });
            let (plain, expected) = (record.bytes("PLAINTEXT"), record.bytes("CIPHERTEXT"));
            let mut data = plain.clone();
            cipher.encrypt(mode, &mut data).unwrap();
            assert_eq!(data, expected, "{backend:?}, {record:?}");
            cipher.decrypt(mode, &mut data).unwrap();
            assert_eq!(data, plain, "{backend:?}, {record:?}");
            checked += 1;
        }
        println!("{backend:?}: {checked} records");
        assert_eq!(checked, 382);
    });
}

#[test]
fn nist_cmacs_hold_on_each_back_end() {
    on_each_backend(|backend| {
        let records = rsp::records(include_str!("data/nist/CMACGenTDES2.rsp"));
        for record in &records {
            let mut message = record.bytes("Msg");
            message.truncate(record.number("Mlen"));
            let mac = Cmac::compute(&key(&record.key_parts().concat()), &message);
            assert_eq!(
                mac.as_bytes()[..record.number("Tlen")],
                record.bytes("Mac"),
                "{backend:?}, {record:?}"
            );
        }
        assert_eq!(records.len(), 96);
    });
}

/// What the crate `des` makes of one block.
fn des_crate(bytes: &[u8; 24], encrypt: bool, mut block: [u8; 8]) -> [u8; 8] {
    let cipher = des::TdesEde3::new(bytes.into());
    if encrypt {
        cipher.encrypt_block((&mut block).into());
    } else {
        cipher.decrypt_block((&mut block).into());
    }
    block
}

fn both_ways(cipher: &Tdea, block: [u8; 8]) -> [[u8; 8]; 2] {
    let (mut encrypted, mut decrypted) = (block, block);
    cipher.encrypt_block(&mut encrypted);
    cipher.decrypt_block(&mut decrypted);
    [encrypted, decrypted]
}

proptest! {
    #[test]
    fn each_back_end_agrees_with_the_crate_des(bytes in any::<[u8; 24]>(), blocks in any::<[[u8; 8]; 2]>()) {
        let expected = blocks.map(|block| [true, false].map(|encrypt| des_crate(&bytes, encrypt, block)));
        on_each_backend(|backend| {
            // Expanded anew: a key may also be expanded by one back end and used by another, as below.
            let cipher = key(&bytes).cipher();
            assert_eq!(blocks.map(|block| both_ways(&cipher, block)), expected, "{backend:?}");
            let mut pair = blocks;
            cipher.encrypt_two(&mut pair);
            assert_eq!(pair, expected.map(|[encrypted, _]| encrypted), "{backend:?}");
        });
    }

    #[test]
    fn a_key_expanded_by_one_back_end_serves_the_others(bytes in any::<[u8; 24]>(), block in any::<[u8; 8]>()) {
        let cipher = key(&bytes).cipher();
        let expected = [true, false].map(|encrypt| des_crate(&bytes, encrypt, block));
        on_each_backend(|backend| assert_eq!(both_ways(&cipher, block), expected, "{backend:?}"));
    }
}

#[test]
fn odd_and_even_numbers_of_blocks_agree_with_the_reference_on_each_back_end() {
    let bytes = message(16);
    on_each_backend(|backend| {
        let cipher = key(&bytes).cipher();
        for (blocks, mode) in (0..=5).flat_map(|blocks| MODES.map(|mode| (blocks, mode))) {
            let plain = message(8 * blocks);
            let mut data = plain.clone();
            cipher.encrypt(mode, &mut data).unwrap();
            assert_eq!(data, reference::encrypt(&bytes, mode, &plain), "{backend:?}, {blocks} blocks");
            cipher.decrypt(mode, &mut data).unwrap();
            assert_eq!(data, plain, "{backend:?}, {blocks} blocks");
        }
    });
}

#[cfg(feature = "hazmat")]
proptest! {
    #[test]
    fn a_pair_of_des_blocks_has_a_key_each(keys in any::<[[u8; 8]; 2]>(), blocks in any::<[[u8; 8]; 2]>()) {
        use cardroot_tdea::hazmat::DesKey;
        let [first, second] = keys.map(|bytes| DesKey::from_fill(|out| *out = bytes));
        let expected = [0, 1].map(|at| reference::des_encrypt(&keys[at], blocks[at]));
        on_each_backend(|backend| {
            let mut pair = blocks;
            DesKey::encrypt_pair([&first, &second], &mut pair);
            assert_eq!(pair, expected, "{backend:?}");
        });
    }
    #[test]
    fn a_masked_pair_is_the_key_and_the_key_xor_the_mask(
        parts in prop::collection::vec(any::<[u8; 8]>(), 1..=3),
        mask: [u8; 8],
        blocks in any::<[[u8; 8]; 2]>(),
    ) {
        use cardroot_tdea::hazmat::{DesKey, KeyMask};
        let masked: Vec<[u8; 8]> =
            parts.iter().map(|part| core::array::from_fn(|at| part[at] ^ mask[at])).collect();
        let mut expected = blocks;
        for (key, block) in [&parts, &masked].into_iter().zip(&mut expected) {
            match &key[..] {
                [part] => DesKey::from_fill(|out| *out = *part).encrypt_block(block),
                parts => common::key(parts.as_flattened()).cipher().encrypt_block(block),
            }
        }
        let mask = KeyMask::new(mask);
        on_each_backend(|backend| {
            let mut pair = blocks;
            match &parts[..] {
                [part] => DesKey::from_fill(|out| *out = *part).encrypt_masked(&mask, &mut pair),
                parts => common::key(parts.as_flattened()).encrypt_masked(&mask, &mut pair),
            }
            assert_eq!(pair, expected, "{backend:?}");
        });
    }
}
