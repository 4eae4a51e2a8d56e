//! One block, long data and MACs under one key.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::hint::black_box;

use cardroot::tdea::{Mode, Padding, RetailMac, TdeaKey};
use cipher::{BlockCipherEncrypt, KeyInit};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

use benches::KEY;
use benches::clock::ThreadTime;
use benches::peers::{OpenSsl, Tdes, twice};

fn one_block(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("tdea/encrypt/double/8B");
    group.throughput(Throughput::Bytes(8));
    let cipher = TdeaKey::from(KEY).cipher();
    let mut expected = [0x5A; 8];
    cipher.encrypt_block(&mut expected);

    let mut block = [0x5A; 8];
    group.bench_function("cardroot", |b| b.iter(|| cipher.encrypt_block(black_box(&mut block))));

    let peer = des::TdesEde2::new(&KEY.into());
    let mut block = [0x5A; 8];
    peer.encrypt_block((&mut block).into());
    assert_eq!(block, expected);
    group.bench_function("crate des", |b| b.iter(|| peer.encrypt_block(black_box((&mut block).into()))));

    if let Some(openssl) = OpenSsl::find() {
        let mut peer = openssl.ecb(&KEY);
        let block = [0x5A; 8];
        assert_eq!(peer.run(&block), expected);
        group.bench_function("openssl", |b| b.iter(|| peer.run(black_box(&block)).len()));
    }
    group.finish();
}

fn long_cbc(c: &mut Criterion<ThreadTime>) {
    const LEN: usize = 64 * 1024;
    let mut group = c.benchmark_group("tdea/cbc-encrypt/double/64KiB");
    group.throughput(Throughput::Bytes(LEN as u64));
    let cipher = TdeaKey::from(KEY).cipher();
    let mut expected = vec![0x5A; LEN];
    cipher.encrypt(Mode::CBC_ZERO_IV, &mut expected).expect("whole blocks");

    let mut data = vec![0x5A; LEN];
    group.bench_function("cardroot", |b| b.iter(|| cipher.encrypt(Mode::CBC_ZERO_IV, black_box(&mut data))));

    if let Some(openssl) = OpenSsl::find() {
        let mut peer = openssl.cbc(&KEY);
        let data = vec![0x5A; LEN];
        assert_eq!(peer.run(&data), expected);
        group.bench_function("openssl", |b| b.iter(|| peer.run(black_box(&data)).len()));
    }
    group.finish();
}

fn retail_mac(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("mac/retail/64B");
    group.throughput(Throughput::Bytes(64));
    let key = TdeaKey::from(KEY);
    let message = [0x5A; 64];
    let compute =
        |message: &[u8; 64]| RetailMac::compute(&key, Padding::Zeros, message).expect("a double key");
    group.bench_function("cardroot", |b| b.iter(|| compute(black_box(&message))));

    if let Some(openssl) = OpenSsl::find() {
        let mut peer = OpenSslRetailMac { cbc: openssl.cbc(&KEY), ecb: openssl.ecb(&KEY) };
        assert_eq!(&peer.compute(&message), compute(&message).as_bytes());
        group.bench_function("openssl", |b| b.iter(|| peer.compute(black_box(&message))));
    }
    group.finish();
}

/// OpenSSL has no retail MAC: CBC under the left half, then the last block under the whole key, which for a chaining value
/// `H` is the same as encrypting `D(left, H)`. Key set-up included, as above.
struct OpenSslRetailMac {
    cbc: Tdes,
    ecb: Tdes,
}

impl OpenSslRetailMac {
    fn compute(&mut self, message: &[u8; 64]) -> [u8; 8] {
        let (chain, last) = message.split_last_chunk::<8>().expect("the message is longer than a block");
        self.cbc.set_key(&twice(KEY.first_chunk().expect("the key is longer than its half")));
        let chained = self.cbc.run(chain).last_chunk::<8>().expect("at least one block came out");
        let last = u64::from_be_bytes(*last) ^ u64::from_be_bytes(*chained);
        self.ecb.set_key(&KEY);
        self.ecb.run(&last.to_be_bytes()).try_into().expect("one block came out")
    }
}

criterion_group! {
    name = single;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = one_block, long_cbc, retail_mac
}
criterion_main!(single);
