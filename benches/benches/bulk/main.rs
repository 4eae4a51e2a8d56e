//! The bulk engine on every back end of this machine beside its peers: one process, one thread, slices of each interleaved, medians.
//!
//! `cargo bench -p benches --features openssl --bench bulk`, best pinned to one core: `taskset -c 0 …`.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::precedence,
    reason = "a program that makes its own inputs"
)]

use core::hint::black_box;

use benches::KEY;
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use tdea::bulk::sliced::{Direction, LaneKeys, LaneMask, Planes, StepBuffer};
use tdea::bulk::{Engine, MacKeys};
use tdea::{Padding, TdeaKey};

const BLOCKS: usize = 8192;
const CHILDREN: usize = 100_000;
const MESSAGES: usize = 10_000;
const TURNS: usize = 61;

/// A job and how many items one run of it does.
struct Job<'a> {
    name: String,
    items: usize,
    run: Box<dyn FnMut() + 'a>,
    nanoseconds: Vec<f64>,
}

impl<'a> Job<'a> {
    fn new(name: impl Into<String>, items: usize, run: impl FnMut() + 'a) -> Self {
        Self { name: name.into(), items, run: Box::new(run), nanoseconds: Vec::new() }
    }

    /// Runs for a few milliseconds and notes the time of an item.
    fn slice(&mut self) {
        let (start, mut runs) = (cpu_time(), 0_usize);
        while cpu_time() < start + 2e6 {
            (self.run)();
            runs += 1;
        }
        #[allow(clippy::cast_precision_loss, reason = "small numbers")]
        self.nanoseconds.push((cpu_time() - start) / (runs * self.items) as f64);
    }

    fn median(&mut self) -> f64 {
        self.nanoseconds.sort_by(f64::total_cmp);
        self.nanoseconds[self.nanoseconds.len() / 2]
    }
}

/// Nanoseconds that this thread has run: other programs on the core do not count.
#[cfg(all(target_os = "linux", target_pointer_width = "64"))]
#[allow(unsafe_code, reason = "the C library's clock")]
fn cpu_time() -> f64 {
    const THREAD_CPU_TIME: i32 = 3;
    unsafe extern "C" {
        fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
    }
    let mut time = [0; 2];
    // SAFETY: on 64-bit Linux the time is two 64-bit numbers, seconds and nanoseconds.
    let failed = unsafe { clock_gettime(THREAD_CPU_TIME, &raw mut time) };
    assert_eq!(failed, 0, "Linux has this clock");
    #[allow(clippy::cast_precision_loss, reason = "a bench runs for minutes at most")]
    (time[0] as f64).mul_add(1e9, time[1] as f64)
}

/// Nanoseconds since the first call.
#[cfg(not(all(target_os = "linux", target_pointer_width = "64")))]
fn cpu_time() -> f64 {
    static START: std::sync::LazyLock<std::time::Instant> = std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed().as_secs_f64() * 1e9
}

/// Measures the jobs in turns and prints a row for each; peers come first.
/// One turn shows that a job runs, which is all that `cargo bench -- --test` asks.
fn turns() -> usize {
    if std::env::args().any(|arg| arg == "--test") { 1 } else { TURNS }
}

fn table(title: &str, mut jobs: Vec<Job<'_>>) {
    for _ in 0..turns() {
        jobs.iter_mut().for_each(Job::slice);
    }
    println!("\n{title}");
    let mut peers: Vec<(String, f64)> = Vec::new();
    for job in &mut jobs {
        let time = job.median();
        let ratios: Vec<String> =
            peers.iter().map(|(peer, theirs)| format!("{:7.1} x {peer}", theirs / time)).collect();
        println!("  {:<10} {time:9.2} ns {}", job.name, ratios.join(" "));
        if !job.name.starts_with("Engine") {
            peers.push((job.name.clone(), time));
        }
    }
}

fn values(len: usize) -> Vec<[u8; 8]> {
    (1..=len as u64).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).collect()
}

fn keys(len: usize) -> Vec<TdeaKey> {
    values(2 * len)
        .as_chunks::<2>()
        .0
        .iter()
        .map(|halves| TdeaKey::try_from(halves.as_flattened()).unwrap())
        .collect()
}

fn engines() -> impl Iterator<Item = (String, Engine)> {
    Engine::available().map(|engine| (format!("{engine:?}"), engine))
}

fn ecb() {
    let key = TdeaKey::from(KEY);
    let peer = TdesEde2::new(&KEY.into());
    let mut data = values(BLOCKS);
    let mut jobs = vec![Job::new("des", BLOCKS, move || {
        black_box(&mut data).iter_mut().for_each(|block| peer.encrypt_block(block.into()));
    })];
    #[cfg(feature = "openssl")]
    {
        let mut peer = benches::openssl_peer::Tdes::ecb(&KEY);
        let data = values(BLOCKS);
        jobs.push(Job::new("OpenSSL", BLOCKS, move || {
            black_box(peer.encrypt(black_box(data.as_flattened())));
        }));
    }
    for (name, engine) in engines() {
        let (key, mut data) = (&key, values(BLOCKS));
        jobs.push(Job::new(name, BLOCKS, move || engine.encrypt(key, black_box(&mut data))));
    }
    table("ECB, 64 KiB, one key: per block", jobs);
}

fn cbc() {
    let key = TdeaKey::from(KEY);
    let mut jobs = Vec::new();
    #[cfg(feature = "openssl")]
    {
        let mut peer = low_level::cbc_decryption(&KEY);
        let (data, mut out) = (values(BLOCKS), vec![0; 8 * BLOCKS + 8]);
        jobs.push(Job::new("OpenSSL", BLOCKS, move || {
            peer.cipher_update(black_box(data.as_flattened()), Some(&mut out)).unwrap();
        }));
    }
    for (name, engine) in engines() {
        let (key, mut data) = (&key, values(BLOCKS));
        jobs.push(Job::new(name, BLOCKS, move || engine.decrypt_cbc(key, [0; 8], black_box(&mut data))));
    }
    table("CBC decryption, 64 KiB: per block", jobs);
}

fn children() {
    let parent = TdeaKey::from(KEY);
    let peer = TdesEde2::new(&KEY.into());
    let factors = values(CHILDREN);
    let mut jobs = vec![Job::new("des", CHILDREN / 50, || {
        for factor in black_box(&factors).iter().take(CHILDREN / 50) {
            let mut halves = [*factor, factor.map(|byte| !byte)];
            halves.iter_mut().for_each(|half| peer.encrypt_block(half.into()));
            black_box(halves);
        }
    })];
    #[cfg(feature = "openssl")]
    {
        let mut peer = benches::openssl_peer::Tdes::ecb(&KEY);
        let factors = &factors;
        jobs.push(Job::new("OpenSSL", CHILDREN / 50, move || {
            for factor in black_box(factors).iter().take(CHILDREN / 50) {
                black_box(peer.encrypt([*factor, factor.map(|byte| !byte)].as_flattened()));
            }
        }));
    }
    for (name, engine) in engines() {
        let (parent, factors, mut out) = (&parent, &factors, keys(CHILDREN));
        jobs.push(Job::new(name, CHILDREN, move || {
            engine.diversify(parent, black_box(factors), &mut out).unwrap()
        }));
    }
    table("child keys, 100,000 under one parent: per key", jobs);
}

fn fresh_keys() {
    let keys = keys(BLOCKS);
    let data = values(BLOCKS);
    let mut jobs = vec![Job::new("des", 500, || {
        for (key, block) in keys.iter().zip(black_box(&data)).take(500) {
            let mut block = *block;
            TdesEde2::new_from_slice(key.expose_bytes()).unwrap().encrypt_block((&mut block).into());
            black_box(block);
        }
    })];
    #[cfg(feature = "openssl")]
    jobs.push(Job::new("OpenSSL", 500, || {
        for (key, block) in keys.iter().zip(black_box(&data)).take(500) {
            black_box(low_level::encrypt(key.expose_bytes().try_into().unwrap(), block));
        }
    }));
    for (name, engine) in engines() {
        let (keys, mut data) = (&keys, data.clone());
        jobs.push(Job::new(name, BLOCKS, move || engine.encrypt_each(black_box(keys), &mut data).unwrap()));
    }
    table("a fresh double-length key for each block: per block", jobs);
}

fn retail_macs() {
    let keys = keys(MESSAGES);
    let text = values(8 * MESSAGES);
    let messages: Vec<&[u8]> = text.as_chunks::<8>().0.iter().map(|message| message.as_flattened()).collect();
    let mut jobs = vec![Job::new("des", 100, || {
        for (key, message) in keys.iter().zip(black_box(&messages)).take(100) {
            let left = Des::new_from_slice(&key.expose_bytes()[..8]).unwrap();
            let right = Des::new_from_slice(&key.expose_bytes()[8..]).unwrap();
            let mut state = [0; 8];
            for block in message.as_chunks::<8>().0 {
                state.iter_mut().zip(block).for_each(|(state, byte)| *state ^= byte);
                left.encrypt_block((&mut state).into());
            }
            right.decrypt_block((&mut state).into());
            left.encrypt_block((&mut state).into());
            black_box(state);
        }
    })];
    #[cfg(feature = "openssl")]
    jobs.push(Job::new("OpenSSL", 100, || {
        for (key, message) in keys.iter().zip(black_box(&messages)).take(100) {
            black_box(low_level::retail_mac(key.expose_bytes().try_into().unwrap(), message));
        }
    }));
    for (name, engine) in engines() {
        let (keys, messages) = (&keys, &messages);
        jobs.push(Job::new(name, MESSAGES, move || {
            let mut sum = 0;
            engine
                .retail_macs(MacKeys::Each(keys), Padding::Zeros, black_box(messages), |_, mac| {
                    sum ^= u64::from_ne_bytes(*mac.as_bytes());
                })
                .unwrap();
            black_box(sum);
        }));
    }
    table("retail MACs of 10,000 messages of 64 bytes, a key each: per message", jobs);
}

/// OpenSSL below its EVP interface, which takes less time for a fresh key: the best it can do.
#[cfg(feature = "openssl")]
#[allow(unsafe_code, reason = "functions that the crate `openssl` does not wrap")]
mod low_level {
    use openssl::cipher::Cipher;
    use openssl::cipher_ctx::CipherCtx;

    type Schedule = [u64; 16];

    unsafe extern "C" {
        fn DES_set_key_unchecked(key: *const [u8; 8], schedule: *mut Schedule);
        fn DES_ecb_encrypt(
            input: *const [u8; 8],
            output: *mut [u8; 8],
            schedule: *const Schedule,
            encrypt: i32,
        );
        fn DES_ecb3_encrypt(
            input: *const [u8; 8],
            output: *mut [u8; 8],
            first: *const Schedule,
            second: *const Schedule,
            third: *const Schedule,
            encrypt: i32,
        );
        fn DES_ncbc_encrypt(
            input: *const u8,
            output: *mut u8,
            len: core::ffi::c_long,
            schedule: *const Schedule,
            iv: *mut [u8; 8],
            encrypt: i32,
        );
    }

    fn schedules(key: &[u8; 16]) -> [Schedule; 2] {
        let mut schedules = [[0; 16]; 2];
        for (schedule, half) in schedules.iter_mut().zip(key.as_chunks::<8>().0) {
            // SAFETY: a key is 8 bytes, a schedule 128.
            unsafe { DES_set_key_unchecked(half, schedule) };
        }
        schedules
    }

    pub(super) fn encrypt(key: &[u8; 16], block: &[u8; 8]) -> [u8; 8] {
        let [left, right] = schedules(key);
        let mut out = [0; 8];
        // SAFETY: blocks are 8 bytes, schedules 128.
        unsafe {
            DES_ecb3_encrypt(block, &raw mut out, &raw const left, &raw const right, &raw const left, 1)
        };
        out
    }

    pub(super) fn retail_mac(key: &[u8; 16], message: &[u8]) -> [u8; 8] {
        let [left, right] = schedules(key);
        let (mut chained, mut state) = ([0; 64], [0; 8]);
        let len = message.len().try_into().unwrap();
        assert!(message.len() <= chained.len());
        // SAFETY: as many bytes as `len` says are read and written; the others are blocks and schedules.
        unsafe {
            DES_ncbc_encrypt(message.as_ptr(), chained.as_mut_ptr(), len, &raw const left, &raw mut state, 1);
            let mut inner = [0; 8];
            DES_ecb_encrypt(&raw const state, &raw mut inner, &raw const right, 0);
            DES_ecb_encrypt(&raw const inner, &raw mut state, &raw const left, 1);
        }
        state
    }

    pub(super) fn cbc_decryption(key: &[u8; 16]) -> CipherCtx {
        let mut triple = [0; 24];
        triple[..16].copy_from_slice(key);
        triple[16..].copy_from_slice(&key[..8]);
        let mut context = CipherCtx::new().unwrap();
        context.decrypt_init(Some(Cipher::des_ede3_cbc()), Some(&triple), Some(&[0; 8])).unwrap();
        context.set_padding(false);
        context
    }
}

/// The key of one transaction, from the same rounds on the crate `des`.
mod one_by_one {
    use super::*;

    const MASK: u64 = 0xC0C0_C0C0_0000_0000;

    fn step(left: u64, right: u64, register: u64) -> u64 {
        let mut block = (register ^ right).to_be_bytes();
        Des::new(&left.to_be_bytes().into()).encrypt_block((&mut block).into());
        u64::from_be_bytes(block) ^ right
    }

    pub(super) fn transaction_key(
        bdk: &TdesEde2,
        variant: &TdesEde2,
        initial: u64,
        counter: u32,
    ) -> (u64, u64) {
        let half = |cipher: &TdesEde2| {
            let mut block = initial.to_be_bytes();
            cipher.encrypt_block((&mut block).into());
            u64::from_be_bytes(block)
        };
        let (mut left, mut right) = (half(bdk), half(variant));
        let mut register = initial << 16;
        for bit in (0..21).rev().filter(|bit| counter >> bit & 1 == 1) {
            register |= 1 << bit;
            let new_right = step(left, right, register);
            left = step(left ^ MASK, right ^ MASK, register);
            right = new_right;
        }
        (left, right)
    }
}

/// The same in sliced form. Batches are made of counters with like numbers of one-bits, which are public: a batch takes as many steps
/// as its longest lane.
struct Sliced {
    engine: Engine,
    planes: Box<[Planes; 4]>,
    buffer: Box<StepBuffer>,
    rows: Vec<[u8; 8]>,
}

/// Serial numbers that are put in order at a time.
const WINDOW: usize = 2048;
const VARIANT: [u8; 8] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];

impl Sliced {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            planes: Box::new([(); 4].map(|()| Planes::new())),
            buffer: Box::new(StepBuffer::new()),
            rows: vec![[0; 8]; engine.lanes()],
        }
    }

    fn run(&mut self, bdk: &TdeaKey, terminals: &[[u8; 8]], counters: &[u32], out: &mut [[[u8; 8]; 2]]) {
        let shared = [bdk, &bdk.variant(&VARIANT)].map(|key| self.engine.shared_key(key));
        for first in (0..counters.len()).step_by(WINDOW) {
            let window = first..counters.len().min(first + WINDOW);
            let order = by_ones(&counters[window.clone()]);
            let (terminals, counters, out) =
                (&terminals[window.clone()], &counters[window.clone()], &mut out[window.clone()]);
            for lanes in order[..window.len()].chunks(self.engine.lanes()) {
                self.batch(&shared, terminals, counters, lanes, out);
            }
        }
    }

    fn batch(
        &mut self,
        shared: &[LaneKeys; 2],
        terminals: &[[u8; 8]],
        counters: &[u32],
        lanes: &[u16],
        out: &mut [[[u8; 8]; 2]],
    ) {
        let engine = self.engine;
        let [left, right, register, counter] = &mut *self.planes;
        let mut moved = LaneMask::new();
        for (row, lane) in self.rows.iter_mut().zip(lanes) {
            *row = terminals[usize::from(*lane)];
        }
        engine.read_lanes(&self.rows, left);
        for row in &mut self.rows {
            *row = (u64::from_be_bytes(*row) << 16).to_be_bytes();
        }
        engine.read_lanes(&self.rows, register);
        for (row, lane) in self.rows.iter_mut().zip(lanes) {
            *row = u64::from(counters[usize::from(*lane)]).to_be_bytes();
        }
        engine.read_lanes(&self.rows, counter);
        engine.copy(right, left);
        engine.run(left, &shared[0].tdea(Direction::Encrypt));
        engine.run(right, &shared[1].tdea(Direction::Encrypt));
        let steps = lanes.last().map_or(0, |lane| counters[usize::from(*lane)].count_ones());
        for _ in 0..steps {
            engine.move_highest_bit(counter, register, 21, &mut moved);
            engine.non_reversible_step([left, right], register, &moved, &mut self.buffer);
        }
        for (half, planes) in [left, right].into_iter().enumerate() {
            engine.write_lanes(planes, &mut self.rows);
            for (row, lane) in self.rows.iter().zip(lanes) {
                out[usize::from(*lane)][half] = *row;
            }
        }
    }
}

/// The positions of a window of counters, those with few one-bits first.
fn by_ones(counters: &[u32]) -> [u16; WINDOW] {
    let mut ends = [0_usize; 23];
    for counter in counters {
        ends[counter.count_ones() as usize + 1] += 1;
    }
    for ones in 1..ends.len() {
        ends[ones] += ends[ones - 1];
    }
    let mut order = [0; WINDOW];
    for (position, counter) in (0_u16..).zip(counters) {
        let next = &mut ends[counter.count_ones() as usize];
        order[*next] = position;
        *next += 1;
    }
    order
}

fn dukpt() {
    let bdk = TdeaKey::from(KEY);
    let variant = bdk.variant(&VARIANT);
    let peers = [&bdk, &variant].map(|key| TdesEde2::new_from_slice(key.expose_bytes()).unwrap());
    let terminals: Vec<[u8; 8]> =
        (0..CHILDREN as u64).map(|index| (0xFFFF_9876_5432_0000 | index / 7 << 5).to_be_bytes()).collect();
    // Counters of at most ten one-bits, spread over all of them.
    let counters: Vec<u32> = (1..1 << 21)
        .map(|index: u32| index.wrapping_mul(1_234_567) & 0x1F_FFFF)
        .filter(|c| (1..=10).contains(&c.count_ones()))
        .take(CHILDREN)
        .collect();
    let mut jobs = vec![Job::new("des", 100, || {
        for (terminal, counter) in black_box(&terminals).iter().zip(&counters).take(100) {
            black_box(one_by_one::transaction_key(
                &peers[0],
                &peers[1],
                u64::from_be_bytes(*terminal),
                *counter,
            ));
        }
    })];
    for (name, engine) in engines() {
        let (bdk, terminals, counters, mut out) = (&bdk, &terminals, &counters, vec![[[0; 8]; 2]; CHILDREN]);
        let mut sliced = Sliced::new(engine);
        sliced.run(bdk, terminals, counters, &mut out);
        for index in (0..CHILDREN).step_by(997) {
            let terminal = u64::from_be_bytes(terminals[index]);
            let (left, right) = one_by_one::transaction_key(&peers[0], &peers[1], terminal, counters[index]);
            assert_eq!([left, right].map(u64::to_be_bytes), out[index], "{index}");
        }
        jobs.push(Job::new(name, CHILDREN, move || {
            sliced.run(bdk, black_box(terminals), counters, &mut out)
        }));
    }
    table("DUKPT, base key and serial number to transaction key, 100,000: per key", jobs);
}

fn main() {
    for (name, run) in [
        ("ecb", ecb as fn()),
        ("cbc", cbc),
        ("children", children),
        ("fresh", fresh_keys),
        ("macs", retail_macs),
        ("dukpt", dukpt),
    ] {
        let wanted: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with('-')).collect();
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            run();
        }
    }
}
