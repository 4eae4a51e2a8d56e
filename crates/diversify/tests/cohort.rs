//! Cohorts against the one-by-one road: same keys, same order, and a bad row costs nobody but itself.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use core::fmt::Debug;

use cardroot_diversify::block::{AesKey, AesKeyLength, Sm4Key};
use cardroot_diversify::cohort::{Cohort, EmptyCohort, ItemError, Members};
use cardroot_diversify::emv::{self, MdkAc, MdkEnc, MdkIdn, MdkMac, PanPsn, PanPsnError};
use cardroot_diversify::gp::{self, CardKeys, KeyData, Kmc, Template};
use cardroot_diversify::profile::{
    CITY_FF, DefinitionError, DispersionProfile, FactorFault, Field, Identity, ProfileError, Source, TOLL,
    UnknownProfile, Value,
};
use cardroot_diversify::tree::purpose::{Purchase, Recharge};
use cardroot_diversify::tree::{
    CardKey, CardKeyError, CardPath, CityKey, Level, Origin, ProvinceKey, TreeKey,
};
use cardroot_diversify::{Factor, FactorLengthError, LevelId, TripleLengthKey, pboc, sm4};
use common::{factor, key, rows};
use proptest::prelude::*;
use tdea::TdeaKey;
use tdea::bulk::Engine;

const PARENT: &str = "4C1F0B7E25D39A68F2803D51C6EA9713";
/// Rows that the module reads at once.
const BATCH: usize = 512;
/// Two batches and one row more.
const LONGEST: usize = 2 * BATCH + 1;

/// Every engine of this processor, on the road that it picks and on the sliced one.
fn engines() -> impl Iterator<Item = Engine> {
    Engine::available().flat_map(|engine| [engine, engine.always_sliced()])
}

/// What a cohort hands out, its positions checked.
fn collect<M: Members>(cohort: Cohort<M>) -> Vec<Result<M::Key, ItemError<M::Fault>>> {
    let mut keys = Vec::new();
    let done = cohort.for_each(|index, key| {
        assert_eq!(index, keys.len());
        assert!(key.as_ref().err().is_none_or(|error| error.index == index));
        keys.push(key);
    });
    assert_eq!(done.is_err(), keys.is_empty());
    keys
}

/// The bytes of a key, to compare with.
trait Bytes {
    fn bytes(&self) -> Vec<u8>;
}

impl Bytes for TdeaKey {
    fn bytes(&self) -> Vec<u8> {
        self.expose_bytes().to_vec()
    }
}

impl Bytes for CardKeys {
    fn bytes(&self) -> Vec<u8> {
        let keys = [self.enc.expose_key(), self.mac.expose_key(), self.dek.expose_key()];
        keys.map(TdeaKey::expose_bytes).concat()
    }
}

impl<L: Level<Purchase>> Bytes for TreeKey<L, Purchase> {
    /// The origin with them.
    fn bytes(&self) -> Vec<u8> {
        [self.expose_key().expose_bytes(), format!("{:?}", self.origin()).as_bytes()].concat()
    }
}

macro_rules! bytes_of_typed_keys {
    ($($key:ty)*) => {$(
        impl Bytes for $key {
            fn bytes(&self) -> Vec<u8> {
                self.expose_key().expose_bytes().to_vec()
            }
        }
    )*};
}

bytes_of_typed_keys! { emv::UdkAc emv::UdkMac emv::UdkEnc emv::UdkIdn emv::aes::UdkAc }

/// Which lengths of a list are tried.
#[derive(Clone, Copy)]
enum Lengths {
    /// From none to the whole list.
    All,
    /// The short ones, and those around a pass of any engine.
    Edges,
}

impl Lengths {
    fn has(self, length: usize) -> bool {
        matches!(self, Self::All) || length < 9 || matches!(length % 64, 0 | 1 | 63)
    }
}

/// Holds a cohort of the first items of a list against the keys that the one-by-one road makes of all, at many lengths.
fn lengths_agree<T: Copy, M: Members<Key: Bytes, Fault: Debug>>(
    lengths: Lengths,
    all: &[T],
    one_by_one: impl Fn(T) -> M::Key,
    cohort: impl Fn(Vec<T>) -> Cohort<M>,
) {
    let expected: Vec<Vec<u8>> = all.iter().map(|item| one_by_one(*item).bytes()).collect();
    for engine in engines() {
        for length in (0..=all.len()).filter(|length| lengths.has(*length)) {
            let keys = collect(cohort(all[..length].to_vec()).on(engine));
            assert!(
                keys.iter().map(|key| key.as_ref().unwrap().bytes()).eq(expected[..length].iter().cloned()),
                "{engine:?}, {length} items"
            );
        }
    }
}

fn ok<T>(item: T) -> Result<T, FactorLengthError> {
    Ok(item)
}

fn factors() -> Vec<Factor> {
    (0..LONGEST as u64).map(|n| (n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).to_be_bytes().into()).collect()
}

fn city() -> Factor {
    factor("3701FFFFFFFFFFFF")
}

fn city_key() -> CityKey<Purchase> {
    TreeKey::from_key(key(PARENT), Origin::city(7, city())).unwrap()
}

fn province_key() -> ProvinceKey<Purchase> {
    TreeKey::from_key(key(PARENT), Origin::province(7)).unwrap()
}

fn card_keys_of_a_city(lengths: Lengths) {
    let city = city_key();
    lengths_agree(
        lengths,
        &factors(),
        |card| city.card_key(card),
        |cards| city.card_keys(cards.into_iter().map(ok)),
    );
}

fn city_keys_of_a_province(lengths: Lengths) {
    let province = province_key();
    lengths_agree(
        lengths,
        &factors()[..=BATCH],
        |city| province.city_key(city),
        |cities| province.city_keys(cities.into_iter().map(ok)),
    );
}

fn card_keys_of_a_province(lengths: Lengths) {
    let province = province_key();
    let all: Vec<CardPath> = factors()
        .iter()
        .map(|card| CardPath { city: Factor::from([card.as_bytes()[0]; 8]), card: *card })
        .collect();
    lengths_agree(
        lengths,
        &all,
        |path| province.city_key(path.city).card_key(path.card),
        |paths| province.card_keys(paths.into_iter().map(ok)),
    );
}

fn untyped_keys(lengths: Lengths) {
    let (parent, sm4_parent) = (key(PARENT), sm4_key());
    let all = factors();
    lengths_agree(
        lengths,
        &all,
        |card| pboc::derive(&parent, card).unwrap(),
        |cards| pboc::cohort(&parent, cards.into_iter().map(ok)).unwrap(),
    );
    let paths: Vec<[Factor; 3]> =
        all.iter().map(|card| [card.complement(), city(), *card]).take(BATCH + 1).collect();
    lengths_agree(
        lengths,
        &paths,
        |path| pboc::derive_path(&parent, path).unwrap(),
        |paths| pboc::cohort_paths(&parent, paths.into_iter().map(ok)).unwrap(),
    );
    for (made, path) in
        collect(sm4::cohort_paths(&sm4_parent, paths.iter().copied().map(ok))).iter().zip(paths)
    {
        assert!(made.as_ref().unwrap().ct_eq(&sm4::derive_path(&sm4_parent, path).unwrap()));
    }
}

fn sm4_key() -> Sm4Key {
    Sm4Key::try_from(common::hex(PARENT).as_slice()).unwrap()
}

fn emv_keys(lengths: Lengths) {
    let master = MdkAc::from_key(key(PARENT));
    let numbers: Vec<String> = (0..LONGEST).map(|n| format!("62220{n:0width$}", width = 8 + n % 7)).collect();
    let cards: Vec<PanPsn<'_>> = numbers.iter().map(|pan| PanPsn::new(pan, Some("01")).unwrap()).collect();
    let ok = |card| Ok::<_, PanPsnError>(card);
    lengths_agree(
        lengths,
        &cards,
        |card| master.diversify_a(&card).unwrap(),
        |cards| master.cohort_a(cards.into_iter().map(ok)).unwrap(),
    );
    let cards = &cards[..=BATCH];
    lengths_agree(
        lengths,
        cards,
        |card| master.diversify_b(&card).unwrap(),
        |cards| master.cohort_b(cards.into_iter().map(ok)).unwrap(),
    );
    macro_rules! purposes {
        ($($master:ident)*) => {$(
            let master = $master::from_key(key(PARENT));
            for (made, card) in collect(master.cohort_a(cards.iter().copied().map(ok)).unwrap()).iter().zip(cards) {
                assert!(made.as_ref().unwrap().ct_eq(&master.diversify_a(card).unwrap()));
            }
        )*};
    }
    purposes! { MdkMac MdkEnc MdkIdn }
    for length in [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256] {
        let master = emv::aes::MdkAc::from_key(aes_key());
        let keys = collect(master.cohort_c(cards.iter().copied().map(ok), length));
        assert_eq!(keys.len(), cards.len());
        for (made, card) in keys.iter().zip(cards) {
            assert!(made.as_ref().unwrap().ct_eq(&master.diversify_c(card, length)));
        }
    }
}

fn aes_key() -> AesKey {
    AesKey::try_from(common::hex(PARENT).as_slice()).unwrap()
}

fn personalisation_keys(lengths: Lengths) {
    let master = Kmc::from_key(key(PARENT));
    let all: Vec<KeyData> =
        factors().iter().map(|f| *[&[1, 2], &f.as_bytes()[..]].concat().first_chunk().unwrap()).collect();
    for template in [Template::Cps, Template::Visa, Template::Visa2] {
        // All lengths for one template; the others differ in the bytes that they pick.
        let all = if template == Template::Cps { &all[..] } else { &all[..70] };
        lengths_agree(
            lengths,
            all,
            |data| master.diversify(template, &data).unwrap(),
            |cards| master.cohort(template, cards.into_iter().map(ok)).unwrap(),
        );
    }
}

#[test]
fn card_keys_of_a_city_are_those_of_the_one_by_one_road() {
    card_keys_of_a_city(Lengths::All);
}

#[test]
fn city_keys_of_a_province_are_those_of_the_one_by_one_road() {
    city_keys_of_a_province(Lengths::Edges);
}

#[test]
fn card_keys_of_a_province_are_those_of_the_one_by_one_road() {
    card_keys_of_a_province(Lengths::Edges);
}

#[test]
fn untyped_keys_are_those_of_the_one_by_one_road() {
    untyped_keys(Lengths::Edges);
}

#[test]
fn emv_keys_are_those_of_the_one_by_one_road() {
    emv_keys(Lengths::Edges);
}

#[test]
fn personalisation_keys_are_those_of_the_one_by_one_road() {
    personalisation_keys(Lengths::Edges);
}

/// `cargo test --release -p cardroot-diversify --test cohort -- --ignored`
#[test]
#[ignore = "every length for every kind of cohort: seconds if optimised, else a minute"]
fn every_kind_of_cohort_agrees_at_every_length() {
    city_keys_of_a_province(Lengths::All);
    card_keys_of_a_province(Lengths::All);
    untyped_keys(Lengths::All);
    emv_keys(Lengths::All);
    personalisation_keys(Lengths::All);
}

#[test]
fn personalisation_keys_of_aes_are_those_of_the_one_by_one_road() {
    let master = gp::aes::Kmc::from_key(aes_key());
    let all: Vec<KeyData> = (0..=BATCH as u64)
        .map(|n| [[0; 2].as_slice(), &n.to_be_bytes()].concat()[..].try_into().unwrap())
        .collect();
    let keys = collect(master.cohort_kdf3(all.iter().copied().map(ok)));
    assert_eq!(keys.len(), all.len());
    for (made, data) in keys.iter().zip(&all) {
        let (made, alone) = (made.as_ref().unwrap(), master.diversify_kdf3(data));
        assert!(made.enc.ct_eq(&alone.enc) && made.mac.ct_eq(&alone.mac) && made.dek.ct_eq(&alone.dek));
    }
}

#[test]
fn published_values_agree_through_cohorts() {
    let mut checked = 0;
    for row in rows(include_str!("data/diversify_pboc.csv")).iter().filter(|row| row.text("alg") == "3DES") {
        let root = row.key("root_key");
        let path: Vec<Factor> = row.text("factors").split('/').map(factor).collect();
        let derived = match *path.as_slice() {
            [one] => collect(pboc::cohort(&root, [ok(one)]).unwrap()),
            [one, two] => collect(pboc::cohort_paths(&root, [ok([one, two])]).unwrap()),
            [one, two, three] => collect(pboc::cohort_paths(&root, [ok([one, two, three])]).unwrap()),
            _ => panic!("{}", row.text("id")),
        };
        assert!(derived[0].as_ref().unwrap().ct_eq(&row.key("derived_key")), "{}", row.text("id"));
        checked += 1;
    }
    let emv = rows(include_str!("data/diversify_emv_mk.csv"));
    for row in &emv {
        let card = [PanPsn::new(row.text("pan"), Some(row.text("psn")))];
        let expected = row.bytes("icc_mk");
        let derived = match row.text("option") {
            "A" => {
                collect(MdkAc::from_key(row.key("imk")).cohort_a(card).unwrap())[0].as_ref().unwrap().bytes()
            }
            "B" => {
                collect(MdkAc::from_key(row.key("imk")).cohort_b(card).unwrap())[0].as_ref().unwrap().bytes()
            }
            _ => {
                let length = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256]
                    [expected.len() / 8 - 2];
                let master = emv::aes::MdkAc::from_key(row.aes_key("imk"));
                collect(master.cohort_c(card, length))[0].as_ref().unwrap().bytes()
            }
        };
        assert_eq!(derived, expected, "{}", row.text("id"));
        checked += 1;
    }
    for row in &rows(include_str!("data/diversify_gp.csv")) {
        let template = match row.text("method").split(' ').next() {
            Some("EMV-CPS") => Template::Cps,
            Some("VISA") => Template::Visa,
            Some("VISA2") => Template::Visa2,
            _ => continue,
        };
        let master = Kmc::from_key(row.key("master"));
        let derived = collect(master.cohort(template, [ok(row.array("kdd_or_ctx"))]).unwrap());
        let index = ["ENC", "MAC", "DEK"].iter().position(|name| *name == row.text("purpose")).unwrap();
        let keys = derived[0].as_ref().unwrap().bytes();
        assert_eq!(keys[16 * index..16 * (index + 1)], row.bytes("result"), "{}", row.text("id"));
        checked += 1;
    }
    println!("{checked} rows through cohorts");
    assert_eq!(checked, 6 + 17 + 6);
}

fn fields<'a>(city: &'a str, serial: &'a str) -> [Field<'a>; 2] {
    [
        Field { source: Source::CityCode, value: Value::Text(city) },
        Field { source: Source::AppSerial, value: Value::Text(serial) },
    ]
}

#[test]
fn a_bad_card_is_an_error_in_its_place_and_no_other() {
    let cards = [
        fields("3701", "00000000199808150001"),
        fields("3701", "0000000019980815000X"),
        fields("3702", "00000000199808150003"),
        fields("3701", "19980815"),
        fields("3701", "00000000199808150004"),
    ];
    let identities = || cards.iter().map(|fields| Identity::new(fields));
    let city = city_key();
    let keys = collect(city.card_keys_for(&CITY_FF, identities()).unwrap());
    for (made, identity) in keys.iter().zip(identities()) {
        match (made, city.card_key_for(&CITY_FF, &identity)) {
            (Ok(made), Ok(alone)) => assert_eq!(made.bytes(), alone.bytes()),
            (Err(made), Err(alone)) => assert_eq!(made.fault, alone),
            other => panic!("{other:?}"),
        }
    }
    let fault = |fault| ProfileError::Factor { level: LevelId::Card, field: Source::AppSerial, fault };
    let digit = fault(FactorFault::NotADigit { position: 19 });
    let short = fault(FactorFault::TooFew { needed: 16, found: 8 });
    let faults: Vec<_> = keys.iter().filter_map(|key| key.as_ref().err()).copied().collect();
    assert_eq!(
        faults,
        [
            ItemError { index: 1, fault: CardKeyError::Profile(digit) },
            ItemError { index: 2, fault: CardKeyError::OtherCity },
            ItemError { index: 3, fault: CardKeyError::Profile(short) },
        ]
    );
    assert_eq!(
        faults[0].to_string(),
        "item 1 of the cohort: card factor from application serial number: digit 19 is not decimal"
    );

    let province = province_key();
    let keys = collect(province.card_keys_for(&CITY_FF, identities()).unwrap());
    let refused: Vec<_> = keys.iter().filter_map(|key| key.as_ref().err()).copied().collect();
    assert_eq!(refused, [ItemError { index: 1, fault: digit }, ItemError { index: 3, fault: short }]);
    for (made, identity) in keys.iter().zip(identities()) {
        let alone = province.city_key_for(&CITY_FF, &identity).unwrap().card_key_for(&CITY_FF, &identity);
        assert_eq!(made.as_ref().ok().map(Bytes::bytes), alone.ok().map(|key| key.bytes()));
    }
}

#[test]
fn bytes_that_are_no_factor_are_named_by_row_and_length() {
    let (good, short) = ([1; 8], [2; 7]);
    let list = [&good[..], &short, &good, &[]];
    let keys = collect(pboc::cohort(&key(PARENT), list.map(Factor::try_from)).unwrap());
    let faults: Vec<_> = keys.iter().filter_map(|key| key.as_ref().err()).copied().collect();
    let fault = |index, found| ItemError { index, fault: FactorLengthError { found } };
    assert_eq!(faults, [fault(1, 7), fault(3, 0)]);
}

#[test]
fn digits_that_are_no_pan_are_named_by_row_and_digit() {
    let list =
        [("1234567890123456", "00"), ("12345678901234A6", "00"), ("1234567890123456", "0x"), ("", "00")];
    let cards = list.map(|(pan, psn)| PanPsn::new(pan, Some(psn)));
    let keys = collect(MdkAc::from_key(key(PARENT)).cohort_a(cards).unwrap());
    let faults: Vec<_> = keys.iter().filter_map(|key| key.as_ref().err()).copied().collect();
    let at = |index, fault| ItemError { index, fault };
    assert_eq!(
        faults,
        [
            at(1, PanPsnError::NotADigit { position: 14 }),
            at(2, PanPsnError::NotADigit { position: 17 }),
            at(3, PanPsnError::PanLength { found: 0 }),
        ]
    );
}

#[test]
fn an_empty_list_is_an_error() {
    let nobody = || Vec::<Result<Factor, FactorLengthError>>::new();
    let untouched = |_: usize, _: Result<_, _>| panic!("there is nobody");
    assert_eq!(pboc::cohort(&key(PARENT), nobody()).unwrap().for_each(untouched), Err(EmptyCohort));
    assert!(collect(city_key().card_keys(nobody())).is_empty());
    assert!(collect(city_key().card_keys_for(&CITY_FF, []).unwrap()).is_empty());
    assert!(collect(sm4::cohort_paths(&sm4_key(), Vec::<Result<[Factor; 1], ()>>::new())).is_empty());
}

#[test]
fn a_triple_length_key_has_no_cohort() {
    let long = || TdeaKey::from([0x13; 24]);
    assert_eq!(pboc::cohort(&long(), [ok(city())]).map(drop), Err(TripleLengthKey));
    let card = [PanPsn::new("1234567890123456", None)];
    assert_eq!(MdkAc::from_key(long()).cohort_a(card).map(drop), Err(TripleLengthKey));
    assert_eq!(MdkAc::from_key(long()).cohort_b(card).map(drop), Err(TripleLengthKey));
    assert_eq!(Kmc::from_key(long()).cohort(Template::Cps, [ok([0; 10])]).map(drop), Err(TripleLengthKey));
}

#[test]
fn a_profile_that_makes_no_such_factors_is_refused_before_any_card() {
    let none = || core::iter::empty::<Identity<'static>>();
    let no_city = Some(ProfileError::NoLevel { level: LevelId::City });
    assert_eq!(province_key().city_keys_for(&TOLL, none()).err(), no_city);
    assert_eq!(province_key().card_keys_for(&TOLL, none()).err(), no_city);
    let cities_only =
        DispersionProfile { levels: &CITY_FF.levels[..1], apdu_order: &[LevelId::City], ..CITY_FF };
    let no_card = Some(ProfileError::NoLevel { level: LevelId::Card });
    assert_eq!(city_key().card_keys_for(&cities_only, none()).err(), no_card);
    assert_eq!(province_key().card_keys_for(&cities_only, none()).err(), no_card);
    let wrong = DispersionProfile { apdu_order: &[LevelId::Card], ..CITY_FF };
    let contradiction = Some(ProfileError::Definition(DefinitionError::ApduOrder));
    assert_eq!(city_key().card_keys_for(&wrong, none()).err(), contradiction);
    assert_eq!(province_key().city_keys_for(&wrong, none()).err(), contradiction);
    let version = DispersionProfile::built_in("city-ff", 2);
    assert_eq!(version, Err(UnknownProfile::Version { known: 1, found: 2 }));
}

#[test]
fn parts_derived_by_threads_are_the_whole() {
    let all = factors();
    let city = city_key();
    let derive = |cards: &[Factor]| -> Vec<Vec<u8>> {
        let keys = collect(city.card_keys(cards.iter().copied().map(ok)));
        keys.iter().map(|key| key.as_ref().unwrap().bytes()).collect()
    };
    let whole = derive(&all);
    for part in [1, 63, 512, 700] {
        let parts: Vec<Vec<u8>> = std::thread::scope(|scope| {
            let workers: Vec<_> = all.chunks(part).map(|cards| scope.spawn(|| derive(cards))).collect();
            workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
        });
        assert_eq!(parts, whole, "parts of {part}");
    }
}

#[test]
fn nothing_of_the_key_shows_in_debug() {
    let parent = TdeaKey::from([0xA5; 16]);
    let cohort = pboc::cohort(&parent, [ok(city())]).unwrap();
    let shown = format!("{cohort:?} {cohort:#?}").to_lowercase();
    assert!(!shown.contains("a5") && !shown.contains("165") && shown.contains("engine"), "{shown}");
}

#[cfg(feature = "alloc")]
#[test]
fn a_vector_holds_what_the_calls_hand_out() {
    let cards = [[1; 8].as_slice(), &[2; 7], &[3; 8]].map(Factor::try_from);
    let city = city_key();
    let vector = city.card_keys(cards).into_vec().unwrap();
    let calls = collect(city.card_keys(cards));
    assert_eq!(vector.len(), 3);
    for (held, called) in vector.iter().zip(&calls) {
        assert_eq!(held.as_ref().ok().map(Bytes::bytes), called.as_ref().ok().map(Bytes::bytes));
        assert_eq!(held.as_ref().err(), called.as_ref().err());
    }
    let nobody: [Result<Factor, FactorLengthError>; 0] = [];
    assert_eq!(city.card_keys(nobody).into_vec().map(drop), Err(EmptyCohort));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn bad_rows_anywhere_cost_nobody_else(
        list in prop::collection::vec((prop::collection::vec(any::<u8>(), 8), 0..9_usize), 0..LONGEST),
        engine in 0..6_usize,
    ) {
        // One row in nine is too short.
        let list: Vec<&[u8]> = list.iter().map(|(bytes, dice)| if *dice == 0 { &bytes[..5] } else { bytes }).collect();
        let engine = engines().nth(engine).unwrap_or_default();
        let parent = key(PARENT);
        let cards = list.iter().map(|bytes| Factor::try_from(*bytes));
        let keys = collect(pboc::cohort(&parent, cards).unwrap().on(engine));
        prop_assert_eq!(keys.len(), list.len());
        for (index, (made, bytes)) in keys.iter().zip(list).enumerate() {
            match Factor::try_from(bytes) {
                Ok(card) => prop_assert!(made.as_ref().unwrap().ct_eq(&pboc::derive(&parent, card).unwrap())),
                Err(fault) => prop_assert_eq!(made.as_ref().unwrap_err(), &ItemError { index, fault }),
            }
        }
    }

    #[test]
    fn pans_with_faults_anywhere_cost_nobody_else(
        list in prop::collection::vec(("[0-9]{1,21}|[0-9]{6}[0-9A-Z ]{10}", "[0-9]{1,3}|[0-9]x"), 1..100),
    ) {
        let master = MdkAc::from_key(key(PARENT));
        let cards = || list.iter().map(|(pan, psn)| PanPsn::new(pan, Some(psn)));
        let [a, b] = [collect(master.cohort_a(cards()).unwrap()), collect(master.cohort_b(cards()).unwrap())];
        prop_assert_eq!((a.len(), b.len()), (list.len(), list.len()));
        for (index, ((card, a), b)) in cards().zip(&a).zip(&b).enumerate() {
            match card {
                Ok(card) => {
                    prop_assert!(a.as_ref().unwrap().ct_eq(&master.diversify_a(&card).unwrap()));
                    prop_assert!(b.as_ref().unwrap().ct_eq(&master.diversify_b(&card).unwrap()));
                }
                Err(fault) => {
                    prop_assert_eq!(a.as_ref().unwrap_err(), &ItemError { index, fault });
                    prop_assert_eq!(b.as_ref().unwrap_err(), &ItemError { index, fault });
                }
            }
        }
    }
}

/// What the module says of its need of stack.
#[test]
fn a_cohort_runs_on_a_small_stack() {
    let derive = || {
        let numbers: Vec<String> = (0..LONGEST).map(|n| format!("00000000{n:012}")).collect();
        let fields: Vec<_> = numbers.iter().map(|serial| fields("3701", serial)).collect();
        let identities = fields.iter().map(|fields| Identity::new(fields));
        let province = province_key();
        let mut count = 0;
        let cohort = province.card_keys_for(&CITY_FF, identities).unwrap();
        cohort.for_each(|_, key| count += usize::from(key.is_ok())).unwrap();
        count
    };
    let worker = std::thread::Builder::new().stack_size(300 * 1024).spawn(derive).unwrap();
    assert_eq!(worker.join().unwrap(), LONGEST);
}

/// The purpose of a cohort is that of its parent: this compiles for one function only.
#[test]
fn keys_keep_their_purpose() {
    let recharge: CityKey<Recharge> = TreeKey::from_key(key(PARENT), Origin::city(1, city())).unwrap();
    let mut keys: Vec<CardKey<Recharge>> = Vec::new();
    recharge.card_keys([ok(city())]).for_each(|_, key| keys.push(key.unwrap())).unwrap();
    assert_eq!(keys[0].origin(), Origin::card(1, city(), city()));
}
