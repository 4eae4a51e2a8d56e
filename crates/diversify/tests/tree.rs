//! The key tree: every step against plain dispersion, who gets which key, and what is refused.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::profile::{CITY_FF, Field, Identity, PBOC_CARD, ProfileError, Source, TOLL, Value};
use cardroot_diversify::tree::purpose::*;
use cardroot_diversify::tree::{
    CardKey, CardKeyError, CityKey, FunctionLabels, LabelError, Origin, ParentKey, Place, ProvinceKey,
    SecondaryKey, TreeKey, TreeKeyError,
};
use cardroot_diversify::{Factor, LevelId, Name, pboc};
use common::{factor, key};
use proptest::prelude::*;
use tdea::{StrengthError, TdeaKey};

const LABELS: &FunctionLabels = &FunctionLabels::V1;
const PARENT: &str = "4C1F0B7E25D39A68F2803D51C6EA9713";

fn parent() -> ParentKey {
    ParentKey::from_key(key(PARENT), Origin::province(3)).unwrap()
}

fn label(text: &[u8]) -> Factor {
    let mut bytes = [0; 8];
    bytes[..text.len()].copy_from_slice(text);
    bytes[text.len()] = 0x80;
    bytes.into()
}

fn city_fields(code: &str) -> [Field<'_>; 1] {
    [Field { source: Source::CityCode, value: Value::Text(code) }]
}

fn card_fields<'a>(city: &'a str, serial: &'a str) -> [Field<'a>; 2] {
    [city_fields(city)[0], Field { source: Source::AppSerial, value: Value::Text(serial) }]
}

fn city_key<F: Function>(code: &str) -> CityKey<F> {
    let province = parent().master::<F::Master>(LABELS).function_key::<F>(LABELS);
    province.city_key_for(&CITY_FF, &Identity::new(&city_fields(code))).unwrap()
}

/// The typed tree down to one card's key against one path of plain dispersion.
fn is_one_path<F: Function>(master: &[u8], function: &[u8]) -> TdeaKey {
    let (city, card) = (factor("3701FFFFFFFFFFFF"), factor("0000199808150001"));
    let by_path = pboc::derive_path(&key(PARENT), [label(master), label(function), city, card]).unwrap();
    let fields = card_fields("3701", "00000000199808150001");
    let by_tree = city_key::<F>("3701").card_key_for(&CITY_FF, &Identity::new(&fields)).unwrap();
    assert!(by_tree.expose_key().ct_eq(&by_path), "{}", F::NAME);
    assert_eq!(by_tree.origin(), Origin::card(3, city, card));
    by_path
}

#[test]
fn every_function_of_the_tree_is_one_path_of_plain_dispersion() {
    let keys = [
        is_one_path::<Issuing>(b"M-ISSUE", b"ISSUE"),
        is_one_path::<Loss>(b"M-ISSUE", b"LOSS"),
        is_one_path::<Reissue>(b"M-ISSUE", b"REISSUE"),
        is_one_path::<Deregistration>(b"M-ISSUE", b"DEREG"),
        is_one_path::<Recharge>(b"M-ISSUE", b"RECHG"),
        is_one_path::<Inquiry>(b"M-ISSUE", b"INQUIRY"),
        is_one_path::<ApplicationControl>(b"M-ISSUE", b"APPCTRL"),
        is_one_path::<LineProtection>(b"M-ISSUE", b"LINE"),
        is_one_path::<CardMaintenance>(b"M-ISSUE", b"CARDMNT"),
        is_one_path::<LocalFileRead>(b"M-MUNIC", b"LOCALRD"),
        is_one_path::<LocalFileUpdate>(b"M-MUNIC", b"LOCALUP"),
        is_one_path::<CityInternalAuthentication>(b"M-MUNIC", b"CITYINT"),
        is_one_path::<PinUnblock>(b"M-MUNIC", b"PINUNBL"),
        is_one_path::<PinReload>(b"M-MUNIC", b"PINRELD"),
        is_one_path::<Purchase>(b"M-PROV", b"PURCH"),
        is_one_path::<Tac>(b"M-PROV", b"TAC"),
        is_one_path::<CommonFileRead>(b"M-PROV", b"COMMRD"),
        is_one_path::<ExternalAuthentication>(b"M-PROV", b"EXTAUTH"),
        is_one_path::<InternalAuthentication>(b"M-PROV", b"INTAUTH"),
    ];
    assert_eq!(keys.len(), PurposeId::ALL.iter().filter(|purpose| purpose.master().is_some()).count());
    for (count, key) in keys.iter().enumerate() {
        assert!(keys[..count].iter().all(|other| !other.ct_eq(key)), "two functions share a key");
    }
}

#[test]
fn the_named_masters_are_the_masters_of_their_labels() {
    let child = |text| pboc::derive(&key(PARENT), label(text)).unwrap();
    assert!(parent().issuance_master(LABELS).expose_key().ct_eq(&child(b"M-ISSUE")));
    assert!(parent().municipal_master(LABELS).expose_key().ct_eq(&child(b"M-MUNIC")));
    assert!(parent().provincial_application_master(LABELS).expose_key().ct_eq(&child(b"M-PROV")));
}

#[test]
fn version_and_place_go_down_the_tree() {
    let province: ProvinceKey<Tac> = parent().provincial_application_master(LABELS).function_key(LABELS);
    assert_eq!(province.origin(), Origin::province(3));
    let (city, card) = (factor("3701FFFFFFFFFFFF"), factor("0000199808150001"));
    let city_key = province.city_key(city);
    assert_eq!(city_key.origin(), Origin::city(3, city));
    assert_eq!(city_key.card_key(card).place(), Place::Card { city, card });
    assert_eq!(city_key.card_key(card).version(), 3);
}

#[test]
fn a_card_of_another_city_gets_no_key() {
    let fields = card_fields("3702", "00000000199808150001");
    let card = Identity::new(&fields);
    assert_eq!(
        city_key::<Purchase>("3701").card_key_for(&CITY_FF, &card).unwrap_err(),
        CardKeyError::OtherCity
    );
    assert!(city_key::<Purchase>("3702").card_key_for(&CITY_FF, &card).is_ok());
    // A profile that does not say how cities are named can't tell.
    assert!(city_key::<Purchase>("3701").card_key_for(&PBOC_CARD, &card).is_ok());
}

#[test]
fn a_profile_without_the_level_is_refused() {
    let province: ProvinceKey<Tac> = parent().provincial_application_master(LABELS).function_key(LABELS);
    let fields = city_fields("3701");
    assert_eq!(
        province.city_key_for(&TOLL, &Identity::new(&fields)).unwrap_err(),
        ProfileError::NoLevel { level: LevelId::City }
    );
}

#[test]
fn keys_from_outside_are_judged() {
    let origin = Origin::province(0);
    let refused = |key: TdeaKey| ParentKey::from_key(key, origin).unwrap_err();
    assert_eq!(refused([0x13; 24].into()), TreeKeyError::TripleLengthKey);
    let equal = StrengthError::PartsEqual { first: 1, second: 2 };
    assert_eq!(refused([0x13; 16].into()), TreeKeyError::Strength(equal));
    assert_eq!(
        refused(key("01010101010101014C1F0B7E25D39A68")),
        TreeKeyError::Strength(StrengthError::Weak { part: 1 })
    );
}

#[test]
fn a_place_of_another_level_is_refused() {
    let city = factor("3701FFFFFFFFFFFF");
    let places = [Origin::province(1), Origin::city(1, city), Origin::card(1, city, city)];
    let fits = |judge: fn(Origin) -> Result<(), TreeKeyError>| places.map(|origin| judge(origin).is_ok());
    assert_eq!(fits(|origin| ParentKey::from_key(key(PARENT), origin).map(drop)), [true, false, false]);
    assert_eq!(
        fits(|origin| SecondaryKey::<Municipal>::from_key(key(PARENT), origin).map(drop)),
        [true, false, false]
    );
    assert_eq!(
        fits(|origin| ProvinceKey::<Tac>::from_key(key(PARENT), origin).map(drop)),
        [true, false, false]
    );
    assert_eq!(fits(|origin| CityKey::<Tac>::from_key(key(PARENT), origin).map(drop)), [false, true, false]);
    assert_eq!(fits(|origin| CardKey::<Tac>::from_key(key(PARENT), origin).map(drop)), [false, false, true]);
    let error = CityKey::<Tac>::from_key(key(PARENT), places[0]).unwrap_err();
    assert_eq!(error, TreeKeyError::Place);
}

#[test]
fn wallet_keys_are_those_of_plain_dispersion() {
    fn card<F: Function>(text: &str) -> CardKey<F> {
        let origin = Origin::card(1, factor("3701FFFFFFFFFFFF"), factor("0000199808150001"));
        TreeKey::from_key(key(text), origin).unwrap()
    }
    // Rows APDU-22, 26, 25 and 37 of the vectors.
    const KEY: &str = "00112233445566778899AABBCCDDEEFF";
    let random = |text| u32::to_be_bytes(u32::from_str_radix(text, 16).unwrap());
    let load = card::<Recharge>(KEY).process_key(random("C903814D"), 0);
    assert_eq!(load.expose_bytes()[..], common::hex("11FDF264E8AEEFA3"));
    let unload = card::<Reissue>(KEY).process_key(random("C903814D"), 0);
    assert!(unload.ct_eq(&load));
    let purchase = card::<Purchase>(KEY).process_key(random("584633C9"), 0, 0);
    assert_eq!(purchase.expose_bytes()[..], common::hex("C08346DF9F1D457A"));
    assert_eq!(card::<Tac>(KEY).mac_key().expose_bytes()[..], common::hex("8888888888888888"));
    let key = card::<PinReload>("34343434343434341122334455667788");
    assert_eq!(key.mac_key().expose_bytes()[..], common::hex("25160770615243BC"));
}

struct IdOfType;

impl FunctionVisitor for IdOfType {
    type Output = PurposeId;

    fn visit<F: Function>(self) -> PurposeId {
        F::ID
    }
}

#[test]
fn functions_lead_to_their_types_and_masters_to_none() {
    for purpose in PurposeId::ALL {
        assert_eq!(purpose.visit_function(IdOfType), purpose.master().map(|_| *purpose));
    }
}

#[test]
fn codes_lead_back_to_their_purposes() {
    for code in 0..=u8::MAX {
        let purpose = PurposeId::from_code(code);
        assert!(purpose.is_none_or(|purpose| purpose.code() == code));
    }
    for purpose in PurposeId::ALL {
        assert_eq!(PurposeId::from_code(purpose.code()), Some(*purpose));
        let master = purpose.master().unwrap_or(*purpose);
        assert_eq!(purpose.code() >> 4, master.code() >> 4, "the master is the high nibble");
    }
    assert_eq!(PurposeId::ALL.len(), 3 + 19);
}

#[test]
fn the_readme_shows_every_function_with_its_data() {
    let readme = include_str!("../README.md");
    for (purpose, factor) in FunctionLabels::V1.entries() {
        let text: String = factor
            .as_bytes()
            .iter()
            .take_while(|byte| **byte != 0x80)
            .map(|byte| char::from(*byte))
            .collect();
        let codes = |types: &[u8]| {
            let codes: Vec<String> = types.iter().map(|code| format!("{code:02X}")).collect();
            codes.join(" ")
        };
        let types = purpose.card_key_types();
        let found = match purpose.master() {
            None => readme.contains(&format!("`{text}`")),
            Some(_) => readme.lines().any(|line| {
                let cells: Vec<&str> = line.split('|').map(str::trim).collect();
                cells.len() == 8
                    && cells[2] == format!("`{purpose:?}`")
                    && cells[4..7] == [codes(types.fmcos), codes(types.smartcos), format!("`{text}`")]
            }),
        };
        assert!(found, "{purpose:?}");
    }
}

#[test]
fn own_labels_make_another_tree() {
    let mut entries: Vec<_> = LABELS.entries().collect();
    for (number, (_, label)) in (0x10..).zip(&mut entries) {
        *label = [number; 8].into();
    }
    let own = FunctionLabels::new(Name::new("own").unwrap(), 7, &entries).unwrap();
    assert_eq!((own.name().as_str(), own.version()), ("own", 7));
    assert!(entries.iter().all(|(purpose, label)| own.of(*purpose) == *label));
    assert!(!parent().issuance_master(&own).ct_eq(&parent().issuance_master(LABELS)));
}

#[test]
fn labels_that_do_not_tell_keys_apart_are_refused() {
    let name = Name::new("own").unwrap();
    let all: Vec<_> = LABELS.entries().collect();
    let made = |entries: &[(PurposeId, Factor)]| FunctionLabels::new(name, 1, entries).map(drop);
    let with = |purpose, label| -> Vec<_> {
        all.iter().map(|entry| if entry.0 == purpose { (purpose, label) } else { *entry }).collect()
    };
    assert_eq!(made(&all), Ok(()));
    assert_eq!(
        made(&all[..all.len() - 1]),
        Err(LabelError::Missing { purpose: PurposeId::InternalAuthentication })
    );
    assert_eq!(
        made(&[&all[..], &all[4..5]].concat()),
        Err(LabelError::Twice { purpose: PurposeId::Deregistration })
    );
    let clash = Err(LabelError::Clash { first: PurposeId::Purchase, second: PurposeId::Tac });
    let purchase = LABELS.of(PurposeId::Purchase);
    assert_eq!(made(&with(PurposeId::Tac, purchase)), clash);
    assert_eq!(made(&with(PurposeId::Tac, purchase.complement())), clash);
    // Under another master the same label makes another key.
    assert_eq!(made(&with(PurposeId::PinUnblock, purchase)), Ok(()));
}

proptest! {
    #[test]
    fn cities_and_cards_have_keys_of_their_own(a in "[0-9]{4}", b in "[0-9]{4}", serials in prop::collection::hash_set("[0-9]{20}", 2)) {
        let keys: Vec<_> = serials
            .iter()
            .flat_map(|serial| [(&a, serial), (&b, serial)])
            .map(|(city, serial)| {
                let fields = card_fields(city, serial);
                city_key::<Recharge>(city).card_key_for(&CITY_FF, &Identity::new(&fields)).unwrap()
            })
            .collect();
        prop_assert!(!keys[0].ct_eq(&keys[2]) || serials.iter().all(|s| s[4..] == serials.iter().next().unwrap()[4..]));
        prop_assert_eq!(keys[0].ct_eq(&keys[1]), a == b);
        prop_assert!(keys[0].duplicate().ct_eq(&keys[0]));
    }
}
