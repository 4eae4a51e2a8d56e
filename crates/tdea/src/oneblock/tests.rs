//! Every form against the crate `des`, whatever the active back end is.
#![allow(clippy::indexing_slicing, reason = "a panic is how a test reports")]

extern crate alloc;

use alloc::vec;
use alloc::vec::Vec;

use ::cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use ::des::{Des, TdesEde3};
use proptest::prelude::*;

use super::cipher::{BlockKeys, Direction};
use super::{RoundKeys, key_schedule, portable};

/// One way to expand a key and to run two blocks, or none if this processor lacks the instructions.
struct Form {
    name: &'static str,
    expand: fn(u64, &mut RoundKeys),
    des: fn([&BlockKeys<1>; 2], Direction, &mut [[u8; 8]; 2]),
    tdea: fn([&BlockKeys<3>; 2], Direction, &mut [[u8; 8]; 2]),
    one: fn(&BlockKeys<3>, Direction, &mut [u8; 8]),
}

fn portable_pair<L: portable::Lookup, const PASSES: usize>(
    keys: [&BlockKeys<PASSES>; 2],
    direction: Direction,
    blocks: &mut [[u8; 8]; 2],
) {
    for (keys, block) in keys.into_iter().zip(blocks) {
        portable::crypt::<L, PASSES>(keys, direction, block);
    }
}

fn forms() -> Vec<Form> {
    let mut forms = vec![
        Form {
            name: "wide",
            expand: key_schedule::expand,
            des: portable_pair::<portable::Wide, 1>,
            tdea: portable_pair::<portable::Wide, 3>,
            one: portable::crypt::<portable::Wide, 3>,
        },
        Form {
            name: "narrow",
            expand: key_schedule::expand,
            des: portable_pair::<portable::Narrow, 1>,
            tdea: portable_pair::<portable::Narrow, 3>,
            one: portable::crypt::<portable::Narrow, 3>,
        },
    ];
    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code, reason = "calls code for an instruction set that was found at run time")]
    {
        use super::{avx2, avx512};
        use crate::Backend;
        if Backend::Avx2.is_available() {
            // SAFETY: the processor was asked, in all four.
            forms.push(Form {
                name: "AVX2",
                expand: |key, keys| unsafe { avx2::expand(key, keys) },
                des: |keys, direction, blocks| unsafe { avx2::crypt(keys, direction, blocks) },
                tdea: |keys, direction, blocks| unsafe { avx2::crypt(keys, direction, blocks) },
                one: |keys, direction, block| unsafe {
                    avx2::crypt([keys], direction, core::array::from_mut(block));
                },
            });
        }
        if Backend::Avx512.is_available() && avx512::is_available() {
            // SAFETY: the processor was asked, in all four.
            forms.push(Form {
                name: "AVX-512",
                expand: |key, keys| unsafe { avx512::expand(key, keys) },
                des: |keys, direction, blocks| unsafe { avx512::crypt(keys, direction, blocks) },
                tdea: |keys, direction, blocks| unsafe { avx512::crypt(keys, direction, blocks) },
                one: |keys, direction, block| unsafe {
                    avx512::crypt([keys], direction, core::array::from_mut(block));
                },
            });
        }
    }
    forms
}

fn reference(key: [[u8; 8]; 3], direction: Direction, mut block: [u8; 8]) -> [u8; 8] {
    let cipher = TdesEde3::new_from_slice(key.as_flattened()).expect("24 bytes");
    match direction {
        Direction::Encrypt => cipher.encrypt_block((&mut block).into()),
        Direction::Decrypt => cipher.decrypt_block((&mut block).into()),
    }
    block
}

/// The round keys of a key, in the order of the schedule.
fn round_keys(form: &Form, key: u64) -> RoundKeys {
    let mut keys = [0; 16];
    (form.expand)(key, &mut keys);
    keys
}

fn expanded(form: &Form, key: [[u8; 8]; 3]) -> BlockKeys<3> {
    let mut passes = key.map(|part| round_keys(form, u64::from_be_bytes(part)));
    passes[1].reverse();
    BlockKeys(passes)
}

proptest! {
    #[test]
    fn every_form_agrees_with_the_crate_des(
        keys in any::<[[[u8; 8]; 3]; 2]>(),
        blocks in any::<[[u8; 8]; 2]>(),
    ) {
        for form in forms() {
            let [first, second] = keys.map(|key| expanded(&form, key));
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let mut pair = blocks;
                (form.tdea)([&first, &second], direction, &mut pair);
                let expected = [0, 1].map(|at| reference(keys[at], direction, blocks[at]));
                prop_assert_eq!(pair, expected, "{}", form.name);
                let mut one = blocks[1];
                (form.one)(&second, direction, &mut one);
                prop_assert_eq!(one, expected[1], "{}", form.name);
            }
            let single = keys.map(|[key, ..]| BlockKeys([round_keys(&form, u64::from_be_bytes(key))]));
            let mut pair = blocks;
            (form.des)([&single[0], &single[1]], Direction::Encrypt, &mut pair);
            for at in [0, 1] {
                let mut expected = blocks[at];
                Des::new(&keys[at][0].into()).encrypt_block((&mut expected).into());
                prop_assert_eq!(pair[at], expected, "{}", form.name);
            }
        }
    }
}

#[test]
fn each_key_bit_alone_gives_the_same_round_keys_in_every_form() {
    for bit in 0..64 {
        let mut expected = [0; 16];
        key_schedule::expand(1 << bit, &mut expected);
        assert_eq!(expected == [0; 16], bit % 8 == 0, "parity bits and no others are without effect");
        for form in forms() {
            assert_eq!(round_keys(&form, 1 << bit), expected, "{}, bit {bit}", form.name);
        }
    }
}
