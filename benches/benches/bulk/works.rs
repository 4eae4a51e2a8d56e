//! What is measured beside the peers, and the ratios that are asked for.

use core::hint::black_box;

use benches::KEY;
use benches::peers::{Botan, Libgcrypt, Nettle, OpenSsl};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use tdea::bulk::{Engine, MacKeys};
use tdea::{Backend, Padding, TdeaKey};

use crate::dukpt;
use crate::harness::{Job, Turns, Who, measure};

pub(crate) const BLOCKS: usize = 8192;
pub(crate) const MANY: usize = 100_000;
const MESSAGES: usize = 10_000;

/// A work: who took how long for an item, and how many times faster than each peer it has to be.
pub(crate) struct Work {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What an item is.
    pub(crate) item: &'static str,
    pub(crate) bars: &'static [Bar],
    jobs: fn() -> Vec<Job<'static>>,
}

/// Least ratios to a peer.
pub(crate) struct Bar {
    pub(crate) peer: &'static str,
    pub(crate) avx512: f64,
    pub(crate) avx2: f64,
    pub(crate) portable: f64,
}

const fn bar(peer: &'static str, avx512: f64, avx2: f64, portable: f64) -> Bar {
    Bar { peer, avx512, avx2, portable }
}

impl Work {
    /// The ratio that is asked for.
    pub(crate) fn bar(&self, peer: &str, backend: Backend) -> Option<f64> {
        let bar = self.bars.iter().find(|bar| bar.peer == peer)?;
        Some(match backend {
            Backend::Avx512 => bar.avx512,
            Backend::Avx2 => bar.avx2,
            _ => bar.portable,
        })
    }

    pub(crate) fn measure(&self, turns: Turns) -> Vec<(Who, f64)> {
        measure(turns, (self.jobs)())
    }
}

pub(crate) const WORKS: [Work; 7] = [
    Work {
        id: "ecb",
        title: "ECB, 64 KiB, one key",
        item: "block",
        bars: &[bar("OpenSSL", 40.0, 18.0, 5.0), bar("des", 110.0, 50.0, 14.0)],
        jobs: ecb,
    },
    Work {
        id: "cbc",
        title: "CBC decryption, 64 KiB",
        item: "block",
        bars: &[bar("OpenSSL", 40.0, 18.0, 5.0)],
        jobs: cbc,
    },
    Work {
        id: "children",
        title: "child keys, 100,000 under one key",
        item: "key",
        bars: &[bar("OpenSSL", 40.0, 18.0, 5.0), bar("des", 110.0, 50.0, 14.0)],
        jobs: children,
    },
    Work {
        id: "dukpt",
        title: "DUKPT: base key and serial number to transaction key, 100,000",
        item: "key",
        bars: &[bar("des", 135.0, 70.0, 20.0)],
        jobs: dukpt,
    },
    Work {
        id: "fresh",
        title: "fresh double-length key and one block",
        item: "block",
        bars: &[bar("OpenSSL", 50.0, 25.0, 8.0)],
        jobs: fresh_keys,
    },
    Work {
        id: "macs",
        title: "retail MAC, 10,000 × 64 bytes, a key each",
        item: "message",
        bars: &[bar("OpenSSL", 30.0, 14.0, 4.0)],
        jobs: retail_macs,
    },
    Work {
        id: "one-block",
        title: "one block, one-block tier",
        item: "block",
        bars: &[bar("des", 1.9, 1.5, 0.9)],
        jobs: one_block,
    },
];

/// Blocks of which no two are alike.
pub(crate) fn values(len: usize) -> Vec<[u8; 8]> {
    (1..=len as u64).map(|index| index.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes()).collect()
}

/// Double-length keys of which no two are alike.
pub(crate) fn keys(len: usize) -> Vec<TdeaKey> {
    let halves = values(2 * len);
    halves.as_chunks::<2>().0.iter().map(|halves| TdeaKey::try_from(halves.as_flattened()).unwrap()).collect()
}

fn bytes(key: &TdeaKey) -> &[u8; 16] {
    key.expose_bytes().try_into().unwrap()
}

/// A peer's job on 64 KiB, once it has given the answer of the crate `des`.
fn on_blocks(
    name: &'static str,
    answer: &[[u8; 8]],
    mut run: impl FnMut(&mut [[u8; 8]]) + 'static,
) -> Job<'static> {
    let mut data = values(BLOCKS);
    run(&mut data);
    assert!(data == answer, "{name} gives another answer");
    Job::peer(name, BLOCKS, move || run(black_box(&mut data)))
}

fn ecb() -> Vec<Job<'static>> {
    let peer = TdesEde2::new(&KEY.into());
    let run = move |data: &mut [[u8; 8]]| data.iter_mut().for_each(|block| peer.encrypt_block(block.into()));
    let mut answer = values(BLOCKS);
    run(&mut answer);
    let mut jobs = vec![on_blocks("des", &answer, run)];
    if let Some(openssl) = OpenSsl::find() {
        let (mut peer, data) = (openssl.ecb(&KEY), values(BLOCKS));
        assert!(peer.run(data.as_flattened()) == answer.as_flattened());
        jobs.push(Job::peer("OpenSSL", BLOCKS, move || {
            black_box(peer.run(black_box(data.as_flattened())));
        }));
    }
    jobs.extend(
        Libgcrypt::find().map(|mut peer| on_blocks("libgcrypt", &answer, move |data| peer.encrypt(data))),
    );
    jobs.extend(Botan::find().map(|mut peer| on_blocks("Botan", &answer, move |data| peer.encrypt(data))));
    jobs.extend(Nettle::find().map(|mut peer| on_blocks("nettle", &answer, move |data| peer.encrypt(data))));
    for engine in Engine::available() {
        let (key, mut data) = (TdeaKey::from(KEY), values(BLOCKS));
        engine.encrypt(&key, &mut data);
        assert!(data == answer);
        jobs.push(Job::ours(engine.backend(), BLOCKS, move || engine.encrypt(&key, black_box(&mut data))));
    }
    jobs
}

fn cbc() -> Vec<Job<'static>> {
    let key = || TdeaKey::from(KEY);
    let mut answer = values(BLOCKS);
    let first = Engine::available().next().expect("there is a portable engine");
    first.decrypt_cbc(&key(), [0; 8], &mut answer);
    let mut jobs = Vec::new();
    if let Some(openssl) = OpenSsl::find() {
        let (mut peer, data) = (openssl.cbc_decryption(&KEY), values(BLOCKS));
        assert!(peer.run(data.as_flattened()) == answer.as_flattened());
        jobs.push(Job::peer("OpenSSL", BLOCKS, move || {
            black_box(peer.run(black_box(data.as_flattened())));
        }));
    }
    jobs.extend(
        Libgcrypt::find_cbc().map(|mut peer| on_blocks("libgcrypt", &answer, move |data| peer.decrypt(data))),
    );
    for engine in Engine::available() {
        let (key, mut data) = (key(), values(BLOCKS));
        engine.decrypt_cbc(&key, [0; 8], &mut data);
        assert!(data == answer);
        jobs.push(Job::ours(engine.backend(), BLOCKS, move || {
            engine.decrypt_cbc(&key, [0; 8], black_box(&mut data));
        }));
    }
    jobs
}

fn children() -> Vec<Job<'static>> {
    // A peer takes the same time for each.
    const SOME: usize = MANY / 50;
    let halves = |factor: &[u8; 8]| [*factor, factor.map(|byte| !byte)];
    let cipher = TdesEde2::new(&KEY.into());
    let child = move |factor: &[u8; 8]| {
        let mut halves = halves(factor);
        halves.iter_mut().for_each(|half| cipher.encrypt_block(half.into()));
        halves
    };
    let factors = values(SOME);
    let answer: Vec<[[u8; 8]; 2]> = factors.iter().map(&child).collect();
    let mut jobs = vec![Job::peer("des", SOME, move || {
        for factor in black_box(&factors) {
            black_box(child(factor));
        }
    })];
    if let Some(openssl) = OpenSsl::find() {
        let (mut peer, factors) = (openssl.ecb(&KEY), values(SOME));
        let mut same = |(factor, child): (_, &[[u8; 8]; 2])| {
            peer.run(halves(factor).as_flattened()) == child.as_flattened()
        };
        assert!(factors.iter().zip(&answer).all(&mut same));
        jobs.push(Job::peer("OpenSSL", SOME, move || {
            for factor in black_box(&factors) {
                black_box(peer.run(halves(factor).as_flattened()));
            }
        }));
    }
    for engine in Engine::available() {
        let (parent, factors, mut out) = (TdeaKey::from(KEY), values(MANY), keys(MANY));
        engine.diversify(&parent, &factors, &mut out).unwrap();
        assert!(out.iter().zip(&answer).all(|(key, child)| bytes(key) == child.as_flattened()));
        jobs.push(Job::ours(engine.backend(), MANY, move || {
            engine.diversify(&parent, black_box(&factors), &mut out).unwrap();
        }));
    }
    jobs
}

fn fresh_keys() -> Vec<Job<'static>> {
    const SOME: usize = 500;
    let pairs = || keys(SOME).into_iter().zip(values(SOME)).collect::<Vec<_>>();
    let des = |key: &TdeaKey, block: &[u8; 8]| {
        let mut block = *block;
        TdesEde2::new(bytes(key).into()).encrypt_block((&mut block).into());
        block
    };
    let ours = pairs();
    let mut jobs = vec![Job::peer("des", SOME, move || {
        for (key, block) in black_box(&ours) {
            black_box(des(key, block));
        }
    })];
    if let Some(openssl) = OpenSsl::find() {
        let pairs = pairs();
        assert!(pairs.iter().all(|(key, block)| openssl.encrypt_fresh(bytes(key), block) == des(key, block)));
        jobs.push(Job::peer("OpenSSL", SOME, move || {
            for (key, block) in black_box(&pairs) {
                black_box(openssl.encrypt_fresh(bytes(key), block));
            }
        }));
    }
    for engine in Engine::available() {
        let (keys, mut data) = (keys(BLOCKS), values(BLOCKS));
        engine.encrypt_each(&keys, &mut data).unwrap();
        let mut blocks = keys.iter().zip(values(BLOCKS)).zip(&data).take(SOME);
        assert!(blocks.all(|((key, block), made)| des(key, &block) == *made));
        jobs.push(Job::ours(engine.backend(), BLOCKS, move || {
            engine.encrypt_each(black_box(&keys), &mut data).unwrap();
        }));
    }
    jobs
}

fn retail_macs() -> Vec<Job<'static>> {
    const SOME: usize = 100;
    let texts = || values(8 * MESSAGES).as_chunks::<8>().0.to_vec();
    let some = || keys(SOME).into_iter().zip(texts()).collect::<Vec<_>>();
    let des = |key: &TdeaKey, message: &[[u8; 8]; 8]| {
        let [left, right] = bytes(key).as_chunks::<8>().0 else { unreachable!("a key has two halves") };
        let [left, right] = [left, right].map(|half| Des::new(half.into()));
        let mut state = [0; 8];
        for block in message {
            state.iter_mut().zip(block).for_each(|(state, byte)| *state ^= byte);
            left.encrypt_block((&mut state).into());
        }
        right.decrypt_block((&mut state).into());
        left.encrypt_block((&mut state).into());
        state
    };
    let ours = some();
    let mut jobs = vec![Job::peer("des", SOME, move || {
        for (key, message) in black_box(&ours) {
            black_box(des(key, message));
        }
    })];
    if let Some(openssl) = OpenSsl::find() {
        let some = some();
        let same = |(key, message): &(TdeaKey, [[u8; 8]; 8])| {
            openssl.retail_mac(bytes(key), message.as_flattened()) == des(key, message)
        };
        assert!(some.iter().all(same));
        jobs.push(Job::peer("OpenSSL", SOME, move || {
            for (key, message) in black_box(&some) {
                black_box(openssl.retail_mac(bytes(key), message.as_flattened()));
            }
        }));
    }
    for engine in Engine::available() {
        let keys = keys(MESSAGES);
        let messages: Vec<&[u8]> = texts().leak().iter().map(|message| message.as_flattened()).collect();
        let same = |position: usize, mac: tdea::Mac| {
            if position < SOME {
                let message = messages[position].as_chunks().0.first_chunk().unwrap();
                assert!(*mac.as_bytes() == des(&keys[position], message), "{position}");
            }
        };
        engine.retail_macs(MacKeys::Each(&keys), Padding::Zeros, &messages, same).unwrap();
        jobs.push(Job::ours(engine.backend(), MESSAGES, move || {
            let mut sum = 0;
            let take = |_, mac: tdea::Mac| sum ^= u64::from_ne_bytes(*mac.as_bytes());
            engine.retail_macs(MacKeys::Each(&keys), Padding::Zeros, black_box(&messages), take).unwrap();
            black_box(sum);
        }));
    }
    jobs
}

fn dukpt() -> Vec<Job<'static>> {
    const SOME: usize = 100;
    let (peer, some) = (dukpt::OneByOne::new(), dukpt::Inputs::new(SOME));
    let mut jobs = vec![Job::peer("des", SOME, move || {
        for ksn in black_box(some.ksns()) {
            black_box(peer.transaction_key(ksn));
        }
    })];
    for engine in Engine::available() {
        let (inputs, peer) = (dukpt::Inputs::new(MANY), dukpt::OneByOne::new());
        inputs.derive(engine, |position, key| {
            if position % 997 == 0 {
                let theirs = peer.transaction_key(&inputs.ksns()[position]);
                assert_eq!(key.expose_key().expose_bytes(), theirs.as_flattened(), "{position}");
            }
        });
        jobs.push(Job::ours(engine.backend(), MANY, move || {
            inputs.derive(engine, |_, key| {
                black_box(key);
            });
        }));
    }
    jobs
}

/// Each block is the result of the one before: latency.
fn one_block() -> Vec<Job<'static>> {
    const SOME: usize = 100;
    let (peer, mut block) = (TdesEde2::new(&KEY.into()), [0x5A; 8]);
    let mut answer = block;
    peer.encrypt_block((&mut answer).into());
    let mut jobs = vec![Job::peer("des", SOME, move || {
        for _ in 0..SOME {
            peer.encrypt_block(black_box(&mut block).into());
        }
    })];
    if let Some(openssl) = OpenSsl::find() {
        let (mut peer, mut block) = (openssl.ecb(&KEY), [0x5A; 8]);
        assert!(peer.run(&block) == answer);
        jobs.push(Job::peer("OpenSSL", SOME, move || {
            for _ in 0..SOME {
                let out = peer.run(black_box(&block));
                block = out.try_into().unwrap();
            }
        }));
    }
    for backend in Backend::ALL.into_iter().filter(|backend| backend.is_available()) {
        let (cipher, mut block) = (TdeaKey::from(KEY).cipher(), [0x5A; 8]);
        backend.force().unwrap();
        cipher.encrypt_block(&mut block);
        assert!(block == answer);
        jobs.push(Job::ours(backend, SOME, move || {
            // The jobs run in turns, and single blocks take the back end of the process.
            backend.force().unwrap();
            for _ in 0..SOME {
                cipher.encrypt_block(black_box(&mut block));
            }
        }));
    }
    jobs
}
