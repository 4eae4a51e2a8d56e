//! One block, long data and MACs under one key.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use std::hint::black_box;

use cardroot::tdea::{Mode, Padding, RetailMac, TdeaKey};
use cipher::{BlockCipherEncrypt, KeyInit};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use benches::KEY;

fn one_block(c: &mut Criterion) {
    let mut group = c.benchmark_group("tdea/encrypt/double/8B");
    group.throughput(Throughput::Bytes(8));
    let cipher = TdeaKey::from(KEY).cipher();
    let mut block = [0x5A; 8];
    group.bench_function("cardroot", |b| b.iter(|| cipher.encrypt_block(black_box(&mut block))));

    let peer = des::TdesEde2::new(&KEY.into());
    group.bench_function("crate des", |b| b.iter(|| peer.encrypt_block(black_box((&mut block).into()))));

    #[cfg(feature = "openssl")]
    {
        let mut peer = benches::openssl_peer::Tdes::ecb(&KEY);
        let mut out = [0; 16];
        group.bench_function("openssl", |b| b.iter(|| peer.encrypt(black_box(&block), &mut out)));
    }
    group.finish();
}

fn long_cbc(c: &mut Criterion) {
    const LEN: usize = 64 * 1024;
    let mut group = c.benchmark_group("tdea/cbc-encrypt/double/64KiB");
    group.throughput(Throughput::Bytes(LEN as u64));
    let cipher = TdeaKey::from(KEY).cipher();
    let mut data = vec![0x5A; LEN];
    group.bench_function("cardroot", |b| b.iter(|| cipher.encrypt(Mode::CBC_ZERO_IV, black_box(&mut data))));

    #[cfg(feature = "openssl")]
    {
        let mut peer = benches::openssl_peer::Tdes::cbc(&KEY);
        let mut out = vec![0; LEN + 8];
        group.bench_function("openssl", |b| b.iter(|| peer.encrypt(black_box(&data), &mut out)));
    }
    group.finish();
}

fn retail_mac(c: &mut Criterion) {
    let mut group = c.benchmark_group("mac/retail/64B");
    group.throughput(Throughput::Bytes(64));
    let key = TdeaKey::from(KEY);
    let message = [0x5A; 64];
    group.bench_function("cardroot", |b| {
        b.iter(|| RetailMac::compute(&key, Padding::Zeros, black_box(&message)));
    });

    #[cfg(feature = "openssl")]
    group.bench_function("openssl", |b| b.iter(|| openssl_retail_mac(black_box(&message))));
    group.finish();
}

/// Key set-up included, as above. OpenSSL has no retail MAC; CBC under the left half, then the last block under the
/// whole key, which for a chaining value `H` is the same as encrypting `D(left, H)`.
#[cfg(feature = "openssl")]
fn openssl_retail_mac(message: &[u8; 64]) -> [u8; 8] {
    use benches::openssl_peer::Tdes;
    let mut left = [0; 16];
    left[..8].copy_from_slice(&KEY[..8]);
    left[8..].copy_from_slice(&KEY[..8]);
    let mut chained = [0; 64 + 8];
    Tdes::cbc(&left).encrypt(&message[..56], &mut chained);
    let mut last = [0; 8];
    for ((out, chain), byte) in last.iter_mut().zip(&chained[48..56]).zip(&message[56..]) {
        *out = chain ^ byte;
    }
    let mut mac = [0; 16];
    Tdes::ecb(&KEY).encrypt(&last, &mut mac);
    let mut short = [0; 8];
    short.copy_from_slice(&mac[..8]);
    short
}

criterion_group!(single, one_block, long_cbc, retail_mac);
criterion_main!(single);
