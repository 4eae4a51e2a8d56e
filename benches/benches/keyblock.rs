//! Key blocks of every version: a double-length TDEA key, and in D and E an AES-128 key, wrapped and opened.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::convert::Infallible;
use core::hint::black_box;

use benches::KEY;
use benches::clock::ThreadTime;
use cardroot::aeskey::{AesKey, AesKeyLength};
use cardroot::keyblock::{
    AesKbpk, BlockKey, DerivationKbpk, Exportability, Form, Iso20038Kbpk, KeyBlock, NewKey, ProtectionKey,
    VariantKbpk, Version, aes_keys, tdea_keys,
};
use cardroot::tdea::{KeyLength, TdeaKey};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand_core::{TryCryptoRng, TryRng};

/// Fill that costs nothing: what is measured is the key block.
struct Zeros;

impl TryRng for Zeros {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Infallible> {
        out.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeros {}

fn keyblock(c: &mut Criterion<ThreadTime>) {
    let triple = || {
        TdeaKey::from_fill(KeyLength::Triple, |key| (0x31_u8..).step_by(7).zip(key).for_each(|(b, k)| *k = b))
    };
    let aes256 = || AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x31));
    let tdea = || tdea_keys::PinKey::from_key(TdeaKey::from(KEY));
    let aes =
        || aes_keys::PinKey::from_key(AesKey::try_from(&KEY[..]).expect("16 bytes are a key of AES-128"));
    both(c, "a/tdea-double", &VariantKbpk::from_key(triple()), Version::A, tdea());
    both(c, "b/tdea-double", &DerivationKbpk::from_key(triple()), Version::B, tdea());
    both(c, "c/tdea-double", &VariantKbpk::from_key(triple()), Version::C, tdea());
    both(c, "d/tdea-double", &AesKbpk::from_key(aes256()), Version::D, tdea());
    both(c, "d/aes-128", &AesKbpk::from_key(aes256()), Version::D, aes());
    both(c, "e/aes-128", &Iso20038Kbpk::from_key(aes256()), Version::E, aes());
}

/// Wraps one key, and reads, verifies and opens its block as the type that it is.
fn both<P: ProtectionKey, K: BlockKey>(
    c: &mut Criterion<ThreadTime>,
    name: &str,
    kbpk: &P,
    version: Version,
    key: K,
) {
    let mode = *K::GIVES.first().expect("keys go into blocks");
    let key = NewKey::new(key, mode).expect("the key is strong");
    let form = Form::new(version, Exportability::None);
    let wrap =
        || black_box(&key).wrap(black_box(kbpk), &form, &mut Zeros).expect("the protection key is stronger");
    let text = wrap().to_string();
    let unwrap = |text: &str| {
        let block: KeyBlock = text.parse().expect("it was written here");
        block.unwrap(black_box(kbpk)).expect("it is authentic").into_key::<K>().expect("it is a K")
    };

    let mut group = c.benchmark_group(format!("keyblock/{name}"));
    group.throughput(Throughput::Elements(1));
    group.bench_function("wrap", |b| b.iter(wrap));
    group.bench_function("unwrap", |b| b.iter(|| unwrap(black_box(&text))));
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = keyblock
}
criterion_main!(benches);
