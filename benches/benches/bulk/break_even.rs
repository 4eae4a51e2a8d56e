//! From how many items on the sliced road takes less time than the one-block tier on the same back end. The engine's constants come from here.

use core::hint::black_box;

use benches::KEY;
use tdea::bulk::{Engine, MacKeys};
use tdea::{Backend, Padding, RetailMac, TdeaKey};

use crate::harness::{Job, Turns, measure};
use crate::works::{keys, values};

/// The kinds of items, each with the two roads for a number of them: one by one, and sliced.
const KINDS: [(&str, [Road; 2]); 3] = [
    ("blocks under one key", [shared_single, shared_sliced]),
    ("blocks with a key each", [each_single, each_sliced]),
    ("chains of MACs, keys ready", [chains_single, chains_sliced]),
];

type Road = fn(Engine, usize) -> Job<'static>;

/// For each kind and back end, the least number for which the sliced road is faster.
pub(crate) fn run(turns: Turns) -> Vec<(&'static str, Vec<(Backend, usize)>)> {
    KINDS
        .map(|(kind, roads)| {
            let least = |engine: Engine| (engine.backend(), least(engine, roads, turns.part(8)));
            (kind, Engine::available().map(least).collect())
        })
        .into()
}

/// Halves an interval: one by one takes longer with every item, sliced does not.
fn least(engine: Engine, roads: [Road; 2], turns: Turns) -> usize {
    let (mut single, mut sliced) = (1, 65);
    while sliced - single > 1 {
        let middle = usize::midpoint(single, sliced);
        match measure(turns, roads.map(|road| road(engine, middle)).into())[..] {
            [(_, one_by_one), (_, together)] if together < one_by_one => sliced = middle,
            _ => single = middle,
        }
    }
    sliced
}

fn shared_single(engine: Engine, len: usize) -> Job<'static> {
    let (key, mut data, backend) = (TdeaKey::from(KEY), values(len), engine.backend());
    Job::ours(backend, len, move || {
        backend.force().unwrap();
        let cipher = black_box(&key).cipher();
        let (pairs, last) = data.as_chunks_mut::<2>();
        pairs.iter_mut().for_each(|pair| cipher.encrypt_two(pair));
        last.iter_mut().for_each(|block| cipher.encrypt_block(block));
    })
}

fn shared_sliced(engine: Engine, len: usize) -> Job<'static> {
    let (key, mut data) = (TdeaKey::from(KEY), values(len));
    Job::ours(engine.backend(), len, move || engine.always_sliced().encrypt(black_box(&key), &mut data))
}

fn each_single(engine: Engine, len: usize) -> Job<'static> {
    let (keys, mut data, backend) = (keys(len), values(len), engine.backend());
    Job::ours(backend, len, move || {
        backend.force().unwrap();
        for (key, block) in black_box(&keys).iter().zip(&mut data) {
            key.cipher().encrypt_block(block);
        }
    })
}

fn each_sliced(engine: Engine, len: usize) -> Job<'static> {
    let (keys, mut data) = (keys(len), values(len));
    Job::ours(engine.backend(), len, move || {
        engine.always_sliced().encrypt_each(black_box(&keys), &mut data).unwrap();
    })
}

/// Long messages, so that only their blocks count.
const MESSAGE: [u8; 2048] = [0x5A; 2048];

fn chains_single(engine: Engine, len: usize) -> Job<'static> {
    let (keys, backend) = (keys(len), engine.backend());
    Job::ours(backend, len, move || {
        backend.force().unwrap();
        for key in black_box(&keys) {
            black_box(RetailMac::compute(key, Padding::Zeros, &MESSAGE).unwrap());
        }
    })
}

fn chains_sliced(engine: Engine, len: usize) -> Job<'static> {
    let keys = keys(len);
    Job::ours(engine.backend(), len, move || {
        let messages = vec![MESSAGE.as_slice(); len];
        let take = |_, mac| {
            black_box(mac);
        };
        engine
            .always_sliced()
            .retail_macs(MacKeys::Each(black_box(&keys)), Padding::Zeros, &messages, take)
            .unwrap();
    })
}
