//! Many keys at once: published values, and everything against the one-block road, on every engine of this machine.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::bulk::{Derivation, DerivedKey, StrongBdk};
use cardroot_dukpt::pin::{ClearPinBlock, DecryptPinBlock, EncryptedPinBlock, Pan, Pin};
use cardroot_dukpt::tdea::bulk::{Engine, UnequalLengths};
use cardroot_dukpt::tdea::{StrengthError, TdeaKey};
use cardroot_dukpt::{
    Bdk, Counter, CounterError, DataRequestKey, DataResponseKey, DeriveError, InitialKey, Ksn, MacRequestKey,
    MacResponseKey, PinKey, TransactionKey, edition_2004,
};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, key, ksn, rows, to_hex};
use proptest::prelude::*;
use serde::Deserialize;

fn bdk(text: &str) -> Bdk {
    Bdk::from_key(key(text))
}

fn strong(bdk: &Bdk) -> StrongBdk<'_> {
    StrongBdk::new(bdk).unwrap()
}

/// The derivation by the road that its size gives, and sliced on every engine.
fn all_roads(derivation: Derivation<'_>) -> impl Iterator<Item = Derivation<'_>> {
    let sliced = Engine::available().map(move |engine| derivation.on(engine).always_sliced());
    core::iter::once(derivation).chain(sliced)
}

/// What a key is in print.
trait Show: DerivedKey {
    fn show(&self) -> String;
}

macro_rules! show {
    ($($key:ty),*) => {$(
        impl Show for $key {
            fn show(&self) -> String {
                to_hex(self.expose_key().expose_bytes())
            }
        }
    )*};
}
show!(InitialKey, TransactionKey, PinKey, MacRequestKey, MacResponseKey, DataRequestKey, DataResponseKey);
show!(edition_2004::MacKey, edition_2004::DataKey);

/// Keys in print, in order; positions are counted through.
fn derived<K: Show>(derivation: Derivation<'_>) -> Vec<Result<String, DeriveError>> {
    let mut keys = Vec::new();
    derivation.derive::<K>(|position, key| {
        assert_eq!(position, keys.len());
        keys.push(key.map(Show::show));
    });
    keys
}

/// Holds keys of one kind against those expected, on all roads.
#[track_caller]
fn check<K: Show>(derivation: Derivation<'_>, expected: &[Result<String, DeriveError>]) {
    for derivation in all_roads(derivation) {
        assert_eq!(derived::<K>(derivation), expected, "{derivation:?}");
    }
}

/// Number `index` of the counters that a transaction may carry, scattered over all of them.
fn counter(index: u32) -> Counter {
    (index + 1..).find_map(|at| Counter::try_from(at.wrapping_mul(0x0009_E377) & 0x1F_FFFF).ok()).unwrap()
}

/// Key serial numbers of many terminals.
fn ksns(len: u32) -> Vec<Ksn> {
    let terminal = |index: u32| {
        let [a, b, c, d] = (index / 3).wrapping_mul(0x0101_0107).to_be_bytes();
        Ksn::from([0xFF, 0xFF, 0x98, a, b, c, d, 0xE0, 0, 0])
    };
    (0..len).map(|index| terminal(index).with_counter(counter(index))).collect()
}

/// The one-block road by the public functions.
fn one(bdk: &Bdk, ksn: &Ksn) -> Result<TransactionKey, DeriveError> {
    bdk.derive_initial_key(ksn).unwrap().derive_transaction_key(ksn)
}

#[derive(Deserialize)]
struct AnnexA {
    ksn: String,
    txn_key: String,
    pin_key: String,
    mac_req_key: String,
    mac_resp_key: String,
    data_req_key: String,
    data_resp_key: String,
    enc_pin_block: String,
    #[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "MACs need an allocator"))]
    mac_req: String,
    #[cfg_attr(not(feature = "alloc"), allow(dead_code, reason = "MACs need an allocator"))]
    mac_resp: String,
}

fn annex_a() -> (Vec<AnnexA>, Vec<Ksn>) {
    let rows: Vec<AnnexA> =
        rows("dukpt_tdes_x924_annexA4.csv", include_str!("data/dukpt_tdes_x924_annexA4.csv"), 34);
    let ksns = rows.iter().map(|row| ksn(&row.ksn)).collect();
    (rows, ksns)
}

#[test]
fn all_keys_are_those_of_annex_a_from_the_base_key_and_from_the_initial_key() {
    let (rows, ksns) = annex_a();
    let column = |value: fn(&AnnexA) -> &String| -> Vec<Result<String, DeriveError>> {
        rows.iter().map(|row| Ok(value(row).clone())).collect()
    };
    let initial = vec![Ok("6AC292FAA1315B4D858AB3A3D7D5933A".to_owned()); rows.len()];
    let bdk = bdk(ANNEX_A_BDK);
    let initial_key = bdk.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap();
    for derivation in [
        Derivation::from_bdk(strong(&bdk), &ksns),
        Derivation::from_bdks(&vec![strong(&bdk); ksns.len()], &ksns).unwrap(),
        Derivation::from_initial_key(&initial_key, &ksns),
        Derivation::from_initial_keys(&vec![&initial_key; ksns.len()], &ksns).unwrap(),
    ] {
        check::<InitialKey>(derivation, &initial);
        check::<TransactionKey>(derivation, &column(|row| &row.txn_key));
        check::<PinKey>(derivation, &column(|row| &row.pin_key));
        check::<MacRequestKey>(derivation, &column(|row| &row.mac_req_key));
        check::<MacResponseKey>(derivation, &column(|row| &row.mac_resp_key));
        check::<DataRequestKey>(derivation, &column(|row| &row.data_req_key));
        check::<DataResponseKey>(derivation, &column(|row| &row.data_resp_key));
        check::<edition_2004::MacKey>(derivation, &column(|row| &row.mac_req_key));
    }
}

#[test]
fn pin_blocks_of_annex_a_are_opened() {
    let (rows, ksns) = annex_a();
    let blocks: Vec<EncryptedPinBlock> = rows
        .iter()
        .map(|row| EncryptedPinBlock::try_from(&*common::hex(&row.enc_pin_block)).unwrap())
        .collect();
    let (pin, pan) =
        (Pin::from_ascii_digits(b"1234").unwrap(), Pan::from_ascii_digits(b"4012345678909").unwrap());
    let bdk = bdk(ANNEX_A_BDK);
    for derivation in all_roads(Derivation::from_bdk(strong(&bdk), &ksns)) {
        let mut opened = 0;
        derivation
            .decrypt_pin_blocks(&blocks, |position, block| {
                assert_eq!(position, opened);
                assert!(block.unwrap().decode_iso0(&pan).unwrap().ct_eq(&pin), "{derivation:?} {position}");
                opened += 1;
            })
            .unwrap();
        assert_eq!(opened, 34);
    }
}

#[cfg(feature = "alloc")]
#[test]
fn message_authentication_codes_of_annex_a_are_computed_and_verified() {
    let (rows, ksns) = annex_a();
    let messages = vec![b"4012345678909D987".as_slice(); rows.len()];
    let bdk = bdk(ANNEX_A_BDK);
    for derivation in all_roads(Derivation::from_bdk(strong(&bdk), &ksns)) {
        let mut verified = 0;
        derivation
            .macs::<MacRequestKey>(&messages, |position, mac| {
                verified +=
                    usize::from(mac.unwrap().verify(&common::hex(&rows[position].mac_req)[..4]).is_ok());
            })
            .unwrap();
        derivation
            .macs::<MacResponseKey>(&messages, |position, mac| {
                assert_eq!(to_hex(mac.unwrap().as_bytes()), rows[position].mac_resp);
                verified += 1;
            })
            .unwrap();
        assert_eq!(verified, 68, "{derivation:?}");
    }
}

#[derive(Deserialize)]
struct FieldValue {
    kind: String,
    bdk: String,
    ksn: String,
    input: String,
    output: String,
}

#[test]
fn data_keys_of_both_editions_agree_with_deployed_software() {
    let rows: Vec<FieldValue> =
        rows("dukpt_tdes_field_values.csv", include_str!("data/dukpt_tdes_field_values.csv"), 20);
    let mut checked = [0, 0];
    for row in &rows {
        let (bdk, ksns) = (bdk(&row.bdk), [ksn(&row.ksn)]);
        let encrypted = |encrypt: &dyn Fn(&mut [u8])| {
            let mut data = common::hex(&row.input);
            encrypt(&mut data);
            to_hex(&data)
        };
        for derivation in all_roads(Derivation::from_bdk(strong(&bdk), &ksns)) {
            match row.kind.as_str() {
                "data_2004" => derivation.derive::<edition_2004::DataKey>(|_, key| {
                    let mut data = common::hex(&row.output);
                    key.unwrap().decrypt([0; 8], &mut data).unwrap();
                    assert_eq!(to_hex(&data), row.input, "{}", row.ksn);
                    checked[0] += 1;
                }),
                "data_request_2009" => derivation.derive::<DataRequestKey>(|_, key| {
                    let key = key.unwrap();
                    assert_eq!(
                        encrypted(&|data| key.encrypt([0; 8], data).unwrap()),
                        row.output,
                        "{}",
                        row.ksn
                    );
                    checked[1] += 1;
                }),
                _ => {}
            }
        }
    }
    let roads = 1 + Engine::available().count();
    assert_eq!(checked, [5 * roads, 5 * roads]);
}

#[test]
fn every_number_of_items_gives_the_keys_of_the_one_block_road() {
    let bdk = bdk(ANNEX_A_BDK);
    for engine in Engine::available() {
        let most = 2 * engine.lanes() + 1;
        let ksns = ksns(u32::try_from(most).unwrap());
        let expected: Vec<TransactionKey> = ksns.iter().map(|ksn| one(&bdk, ksn).unwrap()).collect();
        for len in 0..=most {
            let derivation = Derivation::from_bdk(strong(&bdk), &ksns[..len]).on(engine);
            for derivation in [derivation, derivation.always_sliced()] {
                let mut taken = 0;
                derivation.derive::<TransactionKey>(|position, key| {
                    assert_eq!(position, taken);
                    assert!(key.unwrap().ct_eq(&expected[position]), "{engine:?}: {position} of {len}");
                    taken += 1;
                });
                assert_eq!(taken, len);
            }
        }
    }
}

/// Far more items than are put in order at a time, split between threads by splitting the slice.
#[test]
fn threads_take_a_part_of_the_slice_each() {
    let bdk = bdk(ANNEX_A_BDK);
    let ksns = ksns(12_345);
    let whole = derived::<TransactionKey>(Derivation::from_bdk(strong(&bdk), &ksns));
    let parts: Vec<Vec<Result<String, DeriveError>>> = std::thread::scope(|scope| {
        let threads: Vec<_> = ksns
            .chunks(5000)
            .map(|part| scope.spawn(|| derived::<TransactionKey>(Derivation::from_bdk(strong(&bdk), part))))
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(parts.concat(), whole);
    for index in (0..ksns.len()).step_by(37) {
        assert_eq!(whole[index], one(&bdk, &ksns[index]).map(|key| key.show()), "{index}");
    }
}

#[test]
fn a_refused_item_is_named_and_costs_the_others_nothing() {
    let bdk = bdk(ANNEX_A_BDK);
    let mut ksns = ksns(600);
    let bad = [
        (0, ksn("FFFF9876543210E00000"), CounterError::Zero),
        (17, ksn("FFFF9876543210E007FF"), CounterError::TooManyOnes { ones: 11 }),
        (511, ksn("FFFF9876543210FFFFFF"), CounterError::TooManyOnes { ones: 21 }),
        (599, ksn("FFFF9876543210C00000"), CounterError::Zero),
    ];
    for (position, ksn, _) in bad {
        ksns[position] = ksn;
    }
    for derivation in all_roads(Derivation::from_bdk(strong(&bdk), &ksns)) {
        let (mut refused, mut good) = (Vec::new(), 0);
        derivation.derive::<PinKey>(|position, key| match key {
            Err(DeriveError::Counter(error)) => refused.push((position, ksns[position], error)),
            key => {
                assert!(key.unwrap().ct_eq(&one(&bdk, &ksns[position]).unwrap().pin_key()), "{position}");
                good += 1;
            }
        });
        assert_eq!((&refused[..], good), (&bad[..], 596), "{derivation:?}");
    }
}

/// Batches that hold the keys of one base key each, one after the other.
#[test]
fn each_batch_has_its_own_base_key() {
    let (first, second) = (bdk(ANNEX_A_BDK), bdk("23456789ABCDEF01FEDCBA98765432100123456789ABCDEF"));
    for engine in Engine::available() {
        let lanes = engine.lanes();
        // Batches are made by the number of ones: those of the first key come first, then two batches of the second.
        let len = 3 * lanes - 2;
        let ones = |index: usize| Counter::try_from(if index < lanes { 1 } else { 3 }).unwrap();
        let ksns: Vec<Ksn> = ksns(u32::try_from(len).unwrap())
            .iter()
            .enumerate()
            .map(|(at, ksn)| ksn.with_counter(ones(at)))
            .collect();
        let bases = [vec![&first; lanes], vec![&second; len - lanes]].concat();
        let bdks: Vec<StrongBdk<'_>> = bases.iter().map(|bdk| strong(bdk)).collect();
        let expected: Vec<_> =
            bases.iter().zip(&ksns).map(|(bdk, ksn)| one(bdk, ksn).map(|key| key.show())).collect();
        let derivation = Derivation::from_bdks(&bdks, &ksns).unwrap().on(engine);
        assert_eq!(derived::<TransactionKey>(derivation), expected, "{engine:?}");
    }
}

/// The base key is expanded in a batch that is not full, and then serves full ones.
#[test]
fn a_batch_may_be_longer_than_the_one_before() {
    let bdk = bdk(ANNEX_A_BDK);
    let mut ksns = ksns(4096 + 600);
    ksns[20..4096].fill(ksn(ANNEX_A_KSN));
    let expected: Vec<_> = ksns.iter().map(|ksn| one(&bdk, ksn).map(|key| key.pin_key().show())).collect();
    check::<PinKey>(Derivation::from_bdk(strong(&bdk), &ksns), &expected);
}

#[test]
fn items_beyond_a_window_keep_their_keys_and_blocks() {
    let bases = [bdk(ANNEX_A_BDK), bdk("23456789ABCDEF01FEDCBA98765432100123456789ABCDEF")];
    let ksns = ksns(4096 + 70);
    let base = |index: usize| &bases[index * index % 7 % 2];
    let bdks: Vec<StrongBdk<'_>> = (0..ksns.len()).map(|index| strong(base(index))).collect();
    let initial_keys: Vec<InitialKey> =
        (0..ksns.len()).map(|index| base(index).derive_initial_key(&ksns[index]).unwrap()).collect();
    let initial_keys: Vec<&InitialKey> = initial_keys.iter().collect();
    let blocks: Vec<_> =
        (1..=ksns.len() as u64).map(|index| EncryptedPinBlock::from((index << 20).to_be_bytes())).collect();
    for derivation in [
        Derivation::from_bdks(&bdks, &ksns).unwrap(),
        Derivation::from_initial_keys(&initial_keys, &ksns).unwrap(),
    ] {
        let keys = derived::<TransactionKey>(derivation);
        let mut clear = Vec::new();
        derivation
            .decrypt_pin_blocks(&blocks, |_, block| clear.push(block.map(|block| *block.expose_bytes())))
            .unwrap();
        for index in (0..4096).step_by(101).chain(4096..ksns.len()) {
            let key = one(base(index), &ksns[index]).unwrap();
            let Ok(expected) = key.pin_key().decrypt_pin_block(blocks[index]);
            assert_eq!(keys[index], Ok(key.show()), "{derivation:?} {index}");
            assert_eq!(clear[index], Ok(*expected.expose_bytes()), "{derivation:?} {index}");
        }
    }
}

#[test]
fn items_that_are_all_refused_are_all_named() {
    let bdk = bdk(ANNEX_A_BDK);
    let ksns = vec![ksn(ANNEX_A_KSN); 700];
    check::<DataRequestKey>(
        Derivation::from_bdk(strong(&bdk), &ksns),
        &vec![Err(DeriveError::Counter(CounterError::Zero)); 700],
    );
}

#[test]
fn initial_keys_refuse_the_numbers_of_other_originators() {
    let bdk = bdk(ANNEX_A_BDK);
    let initial_key = bdk.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap();
    let ksns = [
        ksn("FFFF9876543210E00001"),
        ksn("FFFF9876543210C00001"),
        ksn("FFFF9876543210E00000"),
        ksn("FFFF9876543211E00003"),
    ];
    let expected = [
        one(&bdk, &ksns[0]).map(|key| key.show()),
        Err(DeriveError::OtherOriginator),
        Err(DeriveError::Counter(CounterError::Zero)),
        Err(DeriveError::OtherOriginator),
    ];
    check::<TransactionKey>(Derivation::from_initial_key(&initial_key, &ksns), &expected);
    let initial = initial_key.show();
    check::<InitialKey>(
        Derivation::from_initial_key(&initial_key, &ksns),
        &[Ok(initial.clone()), expected[1].clone(), Ok(initial), expected[3].clone()],
    );
}

#[test]
fn keys_carry_their_names() {
    let bdk = bdk(ANNEX_A_BDK);
    let ksns = ksns(70);
    for derivation in all_roads(Derivation::from_bdk(strong(&bdk), &ksns)) {
        derivation.derive::<TransactionKey>(|position, key| assert_eq!(key.unwrap().ksn(), &ksns[position]));
        derivation
            .derive::<InitialKey>(|position, key| assert_eq!(key.unwrap().ksn(), &ksns[position].initial()));
    }
}

#[cfg(feature = "alloc")]
#[test]
fn kept_keys_are_those_that_were_shown() {
    let bdk = bdk(ANNEX_A_BDK);
    let mut ksns = ksns(300);
    ksns[123] = ksn(ANNEX_A_KSN);
    let derivation = Derivation::from_bdk(strong(&bdk), &ksns);
    let kept: Vec<_> =
        derivation.derive_vec::<TransactionKey>().into_iter().map(|key| key.map(|key| key.show())).collect();
    assert_eq!(kept, derived::<TransactionKey>(derivation));
    let names = derivation.derive_vec::<InitialKey>();
    assert!(names.iter().zip(&ksns).all(|(key, ksn)| *key.as_ref().unwrap().ksn() == ksn.initial()));
}

/// Messages of all lengths around whole blocks, some of them refused, over the end of a window.
#[cfg(feature = "alloc")]
#[test]
fn codes_are_those_of_the_single_keys() {
    let bdk = bdk(ANNEX_A_BDK);
    let mut ksns = ksns(4200);
    ksns[4100] = ksn(ANNEX_A_KSN);
    let text: Vec<u8> = (0..64).collect();
    let messages: Vec<&[u8]> = (0..ksns.len()).map(|index| &text[..index * 7 % 33]).collect();
    let mut taken = 0;
    Derivation::from_bdk(strong(&bdk), &ksns)
        .macs::<MacResponseKey>(&messages, |position, mac| {
            assert_eq!(position, taken);
            taken += 1;
            if position % 29 != 0 && position < 4000 {
                return;
            }
            let expected =
                one(&bdk, &ksns[position]).map(|key| key.mac_response_key().mac(messages[position]));
            assert_eq!(mac.map(|mac| *mac.as_bytes()), expected.map(|mac| *mac.as_bytes()), "{position}");
        })
        .unwrap();
    assert_eq!(taken, 4200);
}

#[test]
fn slices_that_do_not_pair_up_are_refused_and_nothing_is_taken() {
    let bdk = bdk(ANNEX_A_BDK);
    let (strong, ksns) = (strong(&bdk), ksns(3));
    let initial_key = bdk.derive_initial_key(&ksns[0]).unwrap();
    let unequal = |left, right| UnequalLengths { left, right };
    assert_eq!(Derivation::from_bdks(&[strong; 2], &ksns).unwrap_err(), unequal(2, 3));
    assert_eq!(Derivation::from_initial_keys(&[&initial_key; 4], &ksns).unwrap_err(), unequal(4, 3));
    let derivation = Derivation::from_bdk(strong, &ksns);
    let blocks = [EncryptedPinBlock::from([0; 8]); 2];
    assert_eq!(
        derivation.decrypt_pin_blocks(&blocks, |position, _| panic!("{position}")),
        Err(unequal(3, 2))
    );
    #[cfg(feature = "alloc")]
    assert_eq!(
        derivation.macs::<MacRequestKey>(&[&[0; 8][..]; 4], |position, _| panic!("{position}")),
        Err(unequal(3, 4))
    );
}

#[test]
fn weak_base_keys_are_refused() {
    let halves_equal = Bdk::from_key(TdeaKey::from(0x2525252525252525_2424242424242424_u128.to_be_bytes()));
    assert_eq!(StrongBdk::new(&halves_equal).unwrap_err(), StrengthError::PartsEqual { first: 1, second: 2 });
}

#[test]
fn debug_shows_no_key_bytes() {
    let bdk = Bdk::from_key(TdeaKey::from(0xA5A5A5A5A5A5A5A5_25A5A5A5A5A5A5A5_u128.to_be_bytes()));
    let derivation = Derivation::from_bdk(strong(&bdk), &[]);
    for shown in [format!("{:?}", strong(&bdk)), format!("{derivation:?}"), format!("{derivation:#x?}")] {
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}

/// As the module says. Unoptimised code moves large values by way of more stack.
fn runs_in(release_kib: usize, work: fn(Derivation<'_>)) {
    let kib = if cfg!(debug_assertions) { 1024 } else { release_kib };
    let derive = move || work(Derivation::from_bdk(strong(&bdk(ANNEX_A_BDK)), &ksns(600)));
    std::thread::Builder::new().stack_size(kib * 1024).spawn(derive).unwrap().join().unwrap();
}

#[test]
fn a_small_stack_is_enough() {
    runs_in(192, |derivation| derivation.derive::<DataRequestKey>(|_, key| assert!(key.is_ok())));
    #[cfg(feature = "alloc")]
    runs_in(224, |derivation| {
        derivation
            .macs::<MacRequestKey>(&[b"message".as_slice(); 600], |_, mac| assert!(mac.is_ok()))
            .unwrap();
    });
}

// cargo test --release -p cardroot-dukpt --test bulk -- --ignored    (ten seconds)
#[test]
#[ignore = "all 1,048,575 counters on every engine: run in release"]
fn all_counters_of_a_terminal_agree_with_the_one_block_road() {
    let bdk = bdk(ANNEX_A_BDK);
    let initial_key = bdk.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap();
    let counters = core::iter::successors(Some(Counter::FIRST), |counter| counter.next().ok());
    let ksns: Vec<Ksn> = counters.map(|counter| ksn(ANNEX_A_KSN).with_counter(counter)).collect();
    assert_eq!(ksns.len(), 1_048_575);
    let expected: Vec<TransactionKey> =
        ksns.iter().map(|ksn| initial_key.derive_transaction_key(ksn).unwrap()).collect();
    for engine in Engine::available() {
        for derivation in
            [Derivation::from_bdk(strong(&bdk), &ksns), Derivation::from_initial_key(&initial_key, &ksns)]
        {
            let mut taken = 0;
            derivation.on(engine).derive::<TransactionKey>(|position, key| {
                assert!(key.unwrap().ct_eq(&expected[position]), "{engine:?}: {}", ksns[position]);
                taken += 1;
            });
            assert_eq!(taken, ksns.len());
        }
    }
}

/// Key serial numbers, one in a few with a counter that no transaction carries.
fn any_ksn() -> impl Strategy<Value = Ksn> {
    let counters = prop_oneof![
        8 => (0..2_000_000_u32).prop_map(counter).prop_map(Counter::value),
        1 => 0..0x20_0000_u32,
    ];
    (any::<[u8; 10]>(), counters).prop_map(|(mut name, counter)| {
        let [_, high, byte_8, byte_9] = counter.to_be_bytes();
        name[7] = name[7] & 0xE0 | high;
        [name[8], name[9]] = [byte_8, byte_9];
        Ksn::from(name)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn mixed_base_keys_give_what_each_gives_alone(
        bases in prop::collection::vec((any::<[u8; 16]>(), any::<Option<[u8; 8]>>()), 1..5),
        items in prop::collection::vec((any::<prop::sample::Index>(), any_ksn(), any::<[u8; 8]>()), 0..600),
    ) {
        let bases: Vec<Bdk> = bases
            .into_iter()
            .map(|(double, third)| {
                let bytes: Vec<u8> = double.into_iter().chain(third.into_iter().flatten()).collect();
                Bdk::from_key(TdeaKey::try_from(&*bytes).unwrap())
            })
            .collect();
        prop_assume!(bases.iter().all(|bdk| bdk.expose_key().check_strength().is_ok()));
        let bdks: Vec<StrongBdk<'_>> = items.iter().map(|(base, ..)| strong(base.get(&bases))).collect();
        let ksns: Vec<Ksn> = items.iter().map(|(_, ksn, _)| *ksn).collect();
        let blocks: Vec<_> = items.iter().map(|(.., block)| EncryptedPinBlock::from(*block)).collect();
        let single: Vec<_> = items.iter().map(|(base, ksn, _)| one(base.get(&bases), ksn)).collect();
        let shown = |show: fn(&TransactionKey) -> String| -> Vec<Result<String, DeriveError>> {
            single.iter().map(|key| key.as_ref().map(show).map_err(|error| *error)).collect()
        };

        let derivation = Derivation::from_bdks(&bdks, &ksns).unwrap();
        check::<TransactionKey>(derivation, &shown(Show::show));
        check::<DataResponseKey>(derivation, &shown(|key| key.data_response_key().show()));
        check::<edition_2004::DataKey>(derivation, &shown(|key| key.data_key_2004().show()));
        let initial_keys: Vec<InitialKey> =
            items.iter().map(|(base, ksn, _)| base.get(&bases).derive_initial_key(ksn).unwrap()).collect();
        check::<InitialKey>(derivation, &initial_keys.iter().map(|key| Ok(key.show())).collect::<Vec<_>>());
        let initial_keys: Vec<&InitialKey> = initial_keys.iter().collect();
        let from_initial_keys = Derivation::from_initial_keys(&initial_keys, &ksns).unwrap();
        check::<MacResponseKey>(from_initial_keys, &shown(|key| key.mac_response_key().show()));
        for derivation in all_roads(derivation).chain(all_roads(from_initial_keys)) {
            derivation
                .decrypt_pin_blocks(&blocks, |position, clear| {
                    let expected = single[position].as_ref().map_err(|error| *error).map(|key| {
                        let Ok(clear) = key.pin_key().decrypt_pin_block(blocks[position]);
                        clear
                    });
                    let show = |block: ClearPinBlock| *block.expose_bytes();
                    assert_eq!(clear.map(show), expected.map(show), "{derivation:?} {position}");
                })
                .unwrap();
        }
    }
}
