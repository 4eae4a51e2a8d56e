//! Single operations on batches in sliced form, each against the same on plain numbers.
#![cfg(feature = "hazmat")]
#![allow(clippy::indexing_slicing, clippy::unwrap_used, reason = "inputs are made here")]

mod common;

use cardroot_tdea::bulk::Engine;
use cardroot_tdea::bulk::sliced::{Direction, KeyPlanes, LaneMask, Planes, StepBuffer};
use cardroot_tdea::hazmat::{DesKey, KeyMask};

fn numbers(len: usize, factor: u64) -> Vec<u64> {
    (1..=len as u64).map(|index| index.wrapping_mul(factor)).collect()
}

fn read(engine: Engine, numbers: &[u64]) -> Planes {
    let blocks: Vec<_> = numbers.iter().map(|number| number.to_be_bytes()).collect();
    let mut planes = Planes::new();
    engine.read_lanes(&blocks, &mut planes);
    planes
}

fn written(engine: Engine, planes: &Planes, len: usize) -> Vec<u64> {
    let mut blocks = vec![[0; 8]; len];
    engine.write_lanes(planes, &mut blocks);
    blocks.into_iter().map(u64::from_be_bytes).collect()
}

fn des(key: u64, block: u64, direction: Direction) -> u64 {
    let key = DesKey::from_fill(|bytes| *bytes = key.to_be_bytes());
    let mut block = block.to_be_bytes();
    match direction {
        Direction::Encrypt => key.encrypt_block(&mut block),
        Direction::Decrypt => key.decrypt_block(&mut block),
    }
    u64::from_be_bytes(block)
}

/// Every engine with a full batch and with a part of one.
fn batches() -> impl Iterator<Item = (Engine, Vec<u64>, Vec<u64>)> {
    let lanes = |engine: Engine| [engine.lanes(), 1, engine.lanes() - 1].map(|len| (engine, len));
    Engine::available().flat_map(lanes).map(|(engine, len)| {
        (engine, numbers(len, 0x9E37_79B9_7F4A_7C15), numbers(len, 0xC2B2_AE3D_27D4_EB4F))
    })
}

const VARIANT: u64 = 0xC0C0_C0C0_0000_0000;

#[test]
fn a_batch_is_written_as_it_was_read() {
    for (engine, a, _) in batches() {
        assert_eq!(written(engine, &read(engine, &a), a.len()), a);
    }
}

#[test]
fn xor_is_lane_by_lane() {
    for (engine, a, b) in batches() {
        let mut out = Planes::new();
        engine.set_xor(&mut out, &read(engine, &a), &read(engine, &b));
        engine.xor_value(&mut out, VARIANT.to_be_bytes());
        let wanted: Vec<_> = a.iter().zip(&b).map(|(a, b)| a ^ b ^ VARIANT).collect();
        assert_eq!(written(engine, &out, a.len()), wanted);
    }
}

#[test]
fn single_des_runs_under_the_key_of_each_lane_and_its_variant() {
    for (engine, keys, blocks) in batches() {
        for variant in [0, VARIANT, 0x0123_4567_89AB_CDEF] {
            let mut key = KeyPlanes::new();
            engine.des_keys(&read(engine, &keys), variant.to_be_bytes(), &mut key);
            // A second variant on expanded keys.
            let second = 0xF0F0_0000_00C0_3A01;
            engine.mask_keys(&mut key, &KeyMask::new(u64::to_be_bytes(second)));
            for direction in [Direction::Encrypt, Direction::Decrypt] {
                let mut values = read(engine, &blocks);
                engine.run(&mut values, &[(&key, direction)]);
                let lanes = keys.iter().zip(&blocks);
                let wanted: Vec<_> =
                    lanes.map(|(key, block)| des(key ^ variant ^ second, *block, direction)).collect();
                assert_eq!(written(engine, &values, blocks.len()), wanted, "{engine:?}");
            }
        }
    }
}

#[test]
fn a_non_reversible_step_makes_both_halves_anew_where_the_mask_is_set() {
    let half = |key: u64, pad: u64, register: u64| des(key, register ^ pad, Direction::Encrypt) ^ pad;
    for (engine, lefts, rights) in batches() {
        let registers = numbers(lefts.len(), 0x1656_67B1_9E37_79F9);
        let (mut left, mut right) = (read(engine, &lefts), read(engine, &rights));
        // Bit 0 of the register marks the lanes.
        let (mut from, mut to, mut moved) = (read(engine, &registers), Planes::new(), LaneMask::new());
        engine.move_highest_bit(&mut from, &mut to, 1, &mut moved);
        let register = read(engine, &registers);
        engine.non_reversible_step([&mut left, &mut right], &register, &moved, &mut StepBuffer::new());
        let found = written(engine, &left, lefts.len()).into_iter().zip(written(engine, &right, lefts.len()));
        for (lane, found) in found.enumerate() {
            let (left, right, register) = (lefts[lane], rights[lane], registers[lane]);
            let wanted = match register & 1 {
                1 => (half(left ^ VARIANT, right ^ VARIANT, register), half(left, right, register)),
                _ => (left, right),
            };
            assert_eq!(found, wanted, "{engine:?}, lane {lane}");
        }
    }
}

#[test]
fn the_highest_bits_move_one_by_one_and_a_mask_selects_those_that_did() {
    const BITS: u64 = (1 << 21) - 1;
    for (engine, a, others) in batches() {
        let (mut from, mut to) = (read(engine, &a), Planes::new());
        let (mut left, mut moved_to) = (a.clone(), vec![0; a.len()]);
        let mut moved = LaneMask::new();
        for _ in 0..22 {
            engine.move_highest_bit(&mut from, &mut to, 21, &mut moved);
            let mut selected = read(engine, &others);
            engine.select(&mut selected, &moved, &to);
            let mut wanted = others.clone();
            for (lane, left) in left.iter_mut().enumerate().filter(|(_, left)| **left & BITS != 0) {
                let highest = 1 << (*left & BITS).ilog2();
                *left ^= highest;
                moved_to[lane] |= highest;
                wanted[lane] = moved_to[lane];
            }
            assert_eq!(written(engine, &from, a.len()), left);
            assert_eq!(written(engine, &to, a.len()), moved_to);
            assert_eq!(written(engine, &selected, a.len()), wanted, "{engine:?}");
        }
    }
}

#[test]
fn sliced_secrets_are_silent() {
    for engine in Engine::available() {
        let a5 = vec![[0xA5; 8]; engine.lanes()];
        let mut planes = Planes::new();
        engine.read_lanes(&a5, &mut planes);
        common::assert_silent("Planes", &planes);
        let mut key = KeyPlanes::new();
        engine.des_keys(&planes, [0; 8], &mut key);
        common::assert_silent("KeyPlanes", &key);
        common::assert_silent("LaneKeys", &engine.shared_key(&[0xA5; 16].into()));
        common::assert_silent("LaneMask", &LaneMask::new());
        let (mut left, mut right, mut buffer) = (Planes::new(), Planes::new(), StepBuffer::new());
        engine.non_reversible_step([&mut left, &mut right], &planes, &LaneMask::new(), &mut buffer);
        common::assert_silent("StepBuffer", &buffer);
    }
}
