//! Keys from keys: a card's, a city's cards', a transaction's.
#![allow(missing_docs, reason = "criterion's macros make undocumented items")]

use core::hint::black_box;

use cardroot::diversify::profile::{CITY_FF, Field, Identity, Source, Value};
use cardroot::diversify::tree::purpose::Recharge;
use cardroot::diversify::tree::{CityKey, Origin};
use cardroot::diversify::{Factor, LevelId, pboc};
use cardroot::dukpt::{Bdk, Counter, Ksn, TransactionKey, VolatileOriginator};
use cardroot::pin::{ClearPinBlock, DecryptPinBlock, EncryptPinBlock, EncryptedPinBlock, Pan, Pin};
use cardroot::tdea::TdeaKey;
use criterion::{BatchSize, BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};

use benches::clock::ThreadTime;
use benches::derivation::{dukpt_transaction_key, pboc_child, pboc_children};
use benches::peers::OpenSsl;
use benches::peers::crate_des::CrateDes;
use benches::{KEY, Peer};

/// Calls `run` for every peer.
macro_rules! for_each_peer {
    ($run:ident($($argument:expr),*)) => {
        $run($($argument,)* "crate des", &mut CrateDes);
        if let Some(openssl) = OpenSsl::find() {
            $run($($argument,)* "openssl", &mut openssl.peer());
        }
    };
}

fn one_card(c: &mut Criterion<ThreadTime>) {
    const FACTOR: [u8; 8] = [0x00, 0x00, 0x19, 0x98, 0x08, 0x15, 0x00, 0x01];

    fn peer(
        group: &mut BenchmarkGroup<'_, ThreadTime>,
        expected: &TdeaKey,
        name: &str,
        peer: &mut impl Peer,
    ) {
        assert_eq!(&pboc_child(peer, &KEY, FACTOR), expected.expose_bytes());
        group.bench_function(name, |b| b.iter(|| pboc_child(peer, black_box(&KEY), FACTOR)));
    }

    let mut group = c.benchmark_group("diversify/pboc/one-level/keys");
    group.throughput(Throughput::Elements(1));
    let (parent, factor) = (TdeaKey::from(KEY), Factor::from(FACTOR));
    let expected = pboc::derive(&parent, factor).expect("a double-length key");
    group.bench_function("cardroot", |b| b.iter(|| pboc::derive(black_box(&parent), factor)));
    for_each_peer!(peer(&mut group, &expected));
    group.finish();
}

/// All cards of a city under one key.
fn one_city(c: &mut Criterion<ThreadTime>) {
    const CARDS: u32 = 1000;

    fn peer(
        group: &mut BenchmarkGroup<'_, ThreadTime>,
        factors: &[[u8; 8]],
        expected: &[[u8; 16]],
        name: &str,
        peer: &mut impl Peer,
    ) {
        assert_eq!(pboc_children(peer, &KEY, factors), expected);
        group.bench_function(name, |b| b.iter(|| pboc_children(peer, black_box(&KEY), factors)));
    }

    let mut group = c.benchmark_group("diversify/pboc/city-1000");
    group.throughput(Throughput::Elements(CARDS.into()));
    let serials: Vec<String> = (1..=CARDS).map(|card| format!("0000000019980815{card:04}")).collect();
    let fields: Vec<[Field<'_>; 2]> = serials
        .iter()
        .map(|serial| {
            let city = Field { source: Source::CityCode, value: Value::Text("3701") };
            [city, Field { source: Source::AppSerial, value: Value::Text(serial) }]
        })
        .collect();
    let identities: Vec<Identity<'_>> = fields.iter().map(|fields| Identity::new(fields)).collect();
    let factor = |identity, level| CITY_FF.factor(level, identity).expect("the profile's fields are there");
    let factors: Vec<Factor> = identities.iter().map(|identity| factor(identity, LevelId::Card)).collect();

    // What is handed on is a list of keys, so that is what everybody makes.
    let parent = TdeaKey::from(KEY);
    let by_factors = || -> Vec<TdeaKey> {
        let diversifier = pboc::Diversifier::new(black_box(&parent)).expect("a double-length key");
        factors.iter().map(|factor| diversifier.derive(*factor)).collect()
    };
    let first = identities.first().expect("a city has cards");
    let city =
        CityKey::<Recharge>::from_key(TdeaKey::from(KEY), Origin::city(1, factor(first, LevelId::City)))
            .expect("a key of the city");
    let by_identities = || {
        let mut keys = Vec::with_capacity(identities.len());
        let cohort = city.card_keys_for(&CITY_FF, identities.iter().copied()).expect("the profile has cards");
        cohort.for_each(|_, key| keys.push(key)).expect("a city has cards");
        keys
    };

    let expected: Vec<[u8; 16]> =
        by_factors().iter().filter_map(|key| key.expose_bytes().try_into().ok()).collect();
    let same = by_identities()
        .into_iter()
        .zip(&expected)
        .all(|(card, expected)| card.is_ok_and(|card| card.expose_key().expose_bytes() == expected));
    assert!(same && expected.len() == serials.len());
    group.bench_function("cardroot, typed cohort, from card data", |b| b.iter(by_identities));
    group.bench_function("cardroot", |b| b.iter(by_factors));
    let bare: Vec<[u8; 8]> = factors.iter().map(|factor| *factor.as_bytes()).collect();
    for_each_peer!(peer(&mut group, &bare, &expected));
    group.finish();
}

/// Annex A's key serial number at a counter.
fn ksn(counter: Counter) -> Ksn {
    Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]).with_counter(counter)
}

fn bdk() -> Bdk {
    Bdk::from_key(TdeaKey::from(KEY))
}

/// From the base derivation key to the transaction key: the least and the most that a receiver has to do for one message.
fn transaction_key(c: &mut Criterion<ThreadTime>) {
    fn peer(
        group: &mut BenchmarkGroup<'_, ThreadTime>,
        expected: &TransactionKey,
        name: &str,
        peer: &mut impl Peer,
    ) {
        let ksn = expected.ksn().as_bytes();
        assert_eq!(&dukpt_transaction_key(peer, &KEY, ksn), expected.expose_key().expose_bytes());
        group.bench_function(name, |b| b.iter(|| dukpt_transaction_key(peer, black_box(&KEY), ksn)));
    }

    for (counter, id) in [(Counter::FIRST, "1-step"), (Counter::LAST, "10-steps")] {
        let mut group = c.benchmark_group(format!("dukpt/transaction-key/{id}"));
        group.throughput(Throughput::Elements(1));
        let (host, ksn) = (bdk(), ksn(counter));
        let derive = |ksn: &Ksn| host.derive_transaction_key(ksn).expect("a counter of a transaction");
        let expected = derive(&ksn);
        group.bench_function("cardroot", |b| b.iter(|| derive(black_box(&ksn))));
        for_each_peer!(peer(&mut group, &expected));
        group.finish();
    }
}

/// The terminal's side: keys of its first transactions, loading not counted.
fn originator(c: &mut Criterion<ThreadTime>) {
    const TRANSACTIONS: u32 = 512;

    let mut group = c.benchmark_group("dukpt/originator/next");
    group.throughput(Throughput::Elements(TRANSACTIONS.into()));
    let bdk = bdk();
    let load =
        || VolatileOriginator::load(bdk.derive_initial_key(&ksn(Counter::FIRST)).expect("a strong key"));
    let take_all = |terminal: &mut VolatileOriginator| {
        (0..TRANSACTIONS).filter(|_| terminal.next_transaction().is_ok()).count()
    };
    group.bench_function("cardroot", |b| b.iter_batched_ref(load, take_all, BatchSize::SmallInput));
    group.finish();
}

/// The receiver's side of a PIN: with the PIN key at hand, and from the base derivation key as a message comes in.
fn pin_block(c: &mut Criterion<ThreadTime>) {
    let mut group = c.benchmark_group("dukpt/pin-block/open");
    group.throughput(Throughput::Elements(1));
    let pin = Pin::from_ascii_digits(b"1234").expect("a PIN");
    let pan = Pan::from_ascii_digits(b"4012345678909").expect("a PAN");
    let (host, ksn) = (bdk(), ksn(Counter::FIRST));
    let pin_key = || host.derive_transaction_key(&ksn).expect("a counter of a transaction").pin_key();
    let kept = pin_key();
    let Ok(block) = kept.encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
    assert_eq!(block.to_bytes(), 0x1B9C_1845_EB99_3A7A_u64.to_be_bytes());

    let open = |key: &cardroot::dukpt::PinKey, block: EncryptedPinBlock| -> Pin {
        let Ok(clear) = key.decrypt_pin_block(block);
        clear.decode_iso0(&pan).expect("the block of this PAN")
    };
    assert!(open(&kept, block).ct_eq(&pin));
    group.bench_function("cardroot", |b| b.iter(|| open(&kept, black_box(block))));
    group.bench_function("cardroot, key derived", |b| b.iter(|| open(&pin_key(), black_box(block))));
    group.finish();
}

criterion_group! {
    name = derive;
    config = Criterion::default().with_measurement(ThreadTime);
    targets = one_card, one_city, transaction_key, originator, pin_block
}
criterion_main!(derive);
