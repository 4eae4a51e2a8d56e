//! The bulk engine takes nothing from the heap and little of the stack: less than 1 MiB a thread beyond what the caller holds.
#![allow(clippy::unwrap_used, reason = "inputs are made here")]

use core::alloc::{GlobalAlloc, Layout};
use core::cell::Cell;
use core::hint::black_box;
use std::alloc::System;
use std::thread;

use cardroot_tdea::bulk::{Engine, MacKeys};
use cardroot_tdea::{Mode, Padding, TdeaKey};

/// A quarter of what is allowed. 192 KiB are enough, most of them for MACs.
const STACK: usize = 256 * 1024;

thread_local! {
    static ALLOCATED: Cell<usize> = const { Cell::new(0) };
}

/// The system's allocator, which counts the bytes that each thread asks for.
struct Counting;

// SAFETY: the system's allocator does the work; counting allocates nothing.
#[allow(unsafe_code, reason = "an allocator")]
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATED.set(ALLOCATED.get() + layout.size());
        // SAFETY: as the caller promised.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as the caller promised.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// More than two batches of the widest back end.
const LEN: usize = 1200;

/// What the caller holds.
struct Buffers {
    keys: Vec<TdeaKey>,
    blocks: Vec<[u8; 8]>,
    texts: Vec<Vec<u8>>,
}

impl Buffers {
    fn new() -> Self {
        let block = |index: usize| (index as u64).to_be_bytes();
        Self {
            keys: (0..LEN)
                .map(|index| TdeaKey::try_from([block(index); 2].as_flattened()).unwrap())
                .collect(),
            blocks: (0..LEN).map(block).collect(),
            // One of them long enough to leave its batch.
            texts: (0..LEN).map(|index| vec![0x5A; if index == 7 { 1000 } else { index % 20 }]).collect(),
        }
    }
}

/// Every call of the engine; returns how many there were.
fn every_call(engine: Engine, Buffers { keys, blocks, .. }: &mut Buffers, messages: &[&[u8]]) -> usize {
    let key = TdeaKey::from([0x25; 16]);
    let paths = blocks.as_chunks::<3>().0.to_vec();
    let before = ALLOCATED.get();
    engine.encrypt(&key, blocks);
    engine.decrypt(&key, blocks);
    engine.decrypt_cbc(&key, [0; 8], blocks);
    engine.encrypt_each(keys, blocks).unwrap();
    engine.decrypt_each(keys, blocks).unwrap();
    let mut codes = 0_u64;
    let mut take = |_, mac: cardroot_tdea::Mac| codes ^= u64::from_be_bytes(*mac.as_bytes());
    engine.retail_macs(MacKeys::Each(keys), Padding::Zeros, messages, &mut take).unwrap();
    engine.cbc_macs(MacKeys::One(&key), Padding::LengthFirst, messages, &mut take).unwrap();
    engine.diversify(&key, blocks, keys).unwrap();
    engine.diversify_paths(&key, &paths, keys.get_mut(..paths.len()).unwrap()).unwrap();
    // The same from a cipher, which finds the engine by itself.
    let cipher = key.cipher();
    cipher.encrypt(Mode::Ecb, blocks.as_flattened_mut()).unwrap();
    cipher.decrypt(Mode::Cbc { iv: [0; 8] }, blocks.as_flattened_mut()).unwrap();
    assert_eq!(ALLOCATED.get(), before, "{engine:?} took memory from the heap");
    assert_ne!(codes, 0);
    11
}

#[test]
fn every_call_runs_on_a_small_stack_and_without_the_heap() {
    let mut calls = 0;
    for engine in Engine::available().flat_map(|engine| [engine, engine.always_sliced()]) {
        let mut buffers = Buffers::new();
        let texts = core::mem::take(&mut buffers.texts);
        let messages: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        calls += thread::scope(|scope| {
            let run = || every_call(engine, &mut buffers, &messages);
            let small = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run).unwrap();
            small.join().unwrap()
        });
    }
    println!("{calls} calls on {STACK} bytes of stack");
    assert_eq!(calls, 22 * Engine::available().count());
}

#[test]
fn the_count_sees_what_is_allocated() {
    let before = ALLOCATED.get();
    let block = black_box(vec![0_u8; 1000]);
    assert_eq!(ALLOCATED.get() - before, block.len());
}
