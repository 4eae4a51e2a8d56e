//! Wrapped keys: what opens, and everything that must not.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::transport::{TransportKey, UnwrapError, WrapError, WrappedKey, WrappedKeyError};
use cardroot_diversify::tree::purpose::*;
use cardroot_diversify::tree::{
    CardKey, CityKey, FunctionLabels, IssuanceMaster, Origin, ParentKey, ProvinceKey, TreeKey,
};
use cardroot_diversify::{Factor, LevelId};
use common::{factor, key};
use proptest::prelude::*;
use tdea::{MacPadding, Mode, RetailMac, StrengthError, TdeaKey};

const LABELS: &FunctionLabels = &FunctionLabels::V1;

fn parent() -> ParentKey {
    ParentKey::from_key(key("4C1F0B7E25D39A68F2803D51C6EA9713"), Origin::province(2)).unwrap()
}

fn province() -> ProvinceKey<Recharge> {
    parent().issuance_master(LABELS).function_key(LABELS)
}

fn jinan() -> Factor {
    factor("3701FFFFFFFFFFFF")
}

fn city() -> CityKey<Recharge> {
    province().city_key(jinan())
}

fn card() -> CardKey<Recharge> {
    city().card_key(factor("0000199808150001"))
}

fn transport() -> TransportKey {
    TransportKey::from_key(key("9B2C64F810A73ED570E31A894DBC5F26"))
}

fn opens<K>(result: Result<K, UnwrapError>) -> bool {
    result.is_ok()
}

#[test]
fn keys_of_every_level_below_the_parent_travel() {
    let transport = transport();
    let issuance = parent().issuance_master(LABELS);
    let wrapped = transport.wrap(&issuance).unwrap();
    let opened: IssuanceMaster = transport.unwrap(&wrapped, Origin::province(2)).unwrap();
    assert!(opened.ct_eq(&issuance));

    let wrapped = transport.wrap(&province()).unwrap();
    let opened: ProvinceKey<Recharge> = transport.unwrap(&wrapped, Origin::province(2)).unwrap();
    assert!(opened.ct_eq(&province()));

    let wrapped = transport.wrap(&card()).unwrap();
    let opened: CardKey<Recharge> = transport.unwrap(&wrapped, card().origin()).unwrap();
    assert!(opened.ct_eq(&card()));
    assert_eq!(opened.origin(), card().origin());
}

#[test]
fn the_header_says_what_is_inside() {
    let header = *transport().wrap(&city()).unwrap().header();
    assert_eq!(header.level, LevelId::City);
    assert_eq!(header.purpose, PurposeId::Recharge);
    assert_eq!(header.origin, Origin::city(2, jinan()));
    assert_eq!(header.kcv, city().kcv());
}

/// The other road: the layout of the module's documentation, put together from plain TDEA.
#[test]
fn the_bytes_are_those_of_the_layout() {
    let base = key("9B2C64F810A73ED570E31A894DBC5F26");
    let encryption = cardroot_diversify::pboc::derive(&base, factor("57524150454E4380")).unwrap();
    let authentication = cardroot_diversify::pboc::derive(&base, factor("575241504D414380")).unwrap();

    let header =
        [&[0x01, 0x03, 0x15, 0x00, 0x02], city().kcv().as_bytes(), jinan().as_bytes(), &[0; 8]].concat();
    let record =
        [&[0x14, 0x03, 0x15, 0x02, 0x00], city().expose_key().expose_bytes(), &[0x80, 0, 0]].concat();
    let mut expected = [header, record].concat();
    encryption.cipher().encrypt(Mode::Ecb, &mut expected[24..]).unwrap();
    let mut mac = RetailMac::new(&authentication, MacPadding::OneAndZeros).unwrap();
    mac.update(&expected);
    expected.extend_from_slice(mac.finalize().unwrap().as_bytes());

    assert_eq!(transport().wrap(&city()).unwrap().to_bytes()[..], expected);
}

#[test]
fn a_key_opens_as_nothing_but_itself() {
    let transport = transport();
    let origin = city().origin();
    let wrapped = transport.wrap(&city()).unwrap();
    assert!(opens(transport.unwrap::<cardroot_diversify::tree::City, Recharge>(&wrapped, origin)));

    // Another function, of this master and of another.
    assert!(!opens::<CityKey<Loss>>(transport.unwrap(&wrapped, origin)));
    assert!(!opens::<CityKey<Purchase>>(transport.unwrap(&wrapped, origin)));
    // Another level.
    assert!(!opens::<ProvinceKey<Recharge>>(transport.unwrap(&wrapped, origin)));
    assert!(!opens::<ProvinceKey<Recharge>>(transport.unwrap(&wrapped, Origin::province(2))));
    assert!(!opens::<CardKey<Recharge>>(transport.unwrap(&wrapped, card().origin())));
    // Another city, another version.
    let qingdao = Origin::city(2, factor("3702FFFFFFFFFFFF"));
    assert!(!opens::<CityKey<Recharge>>(transport.unwrap(&wrapped, qingdao)));
    assert!(!opens::<CityKey<Recharge>>(transport.unwrap(&wrapped, Origin::city(3, jinan()))));
    // Another card.
    let wrapped_card = transport.wrap(&card()).unwrap();
    let other_card = Origin::card(2, jinan(), factor("0000199808150002"));
    assert!(!opens::<CardKey<Recharge>>(transport.unwrap(&wrapped_card, other_card)));
    // Another transport key.
    let other = TransportKey::from_key(key("9B2C64F810A73ED570E31A894DBC5F27").variant(&[0x10; 8]));
    assert!(!opens::<CityKey<Recharge>>(other.unwrap(&wrapped, origin)));
}

/// A header that names another city does not make it that city's key.
#[test]
fn a_rewritten_header_does_not_open() {
    let transport = transport();
    let wrapped = transport.wrap(&city()).unwrap().to_bytes();
    let rewrite = |position: usize, bytes: &[u8]| {
        let mut wrapped = wrapped;
        wrapped[position..position + bytes.len()].copy_from_slice(bytes);
        WrappedKey::decode(&wrapped).unwrap()
    };
    let qingdao = factor("3702FFFFFFFFFFFF");
    let other_city = rewrite(8, qingdao.as_bytes());
    assert!(!opens::<CityKey<Recharge>>(transport.unwrap(&other_city, Origin::city(2, qingdao))));
    let other_version = rewrite(4, &[3]);
    assert!(!opens::<CityKey<Recharge>>(transport.unwrap(&other_version, Origin::city(3, jinan()))));
    let other_function = rewrite(2, &[PurposeId::Purchase.code()]);
    assert!(!opens::<CityKey<Purchase>>(transport.unwrap(&other_function, city().origin())));
    let other_level = rewrite(1, &[LevelId::Card.code()]);
    let card = Origin::card(2, jinan(), Factor::from([0; 8]));
    assert!(!opens::<CardKey<Recharge>>(transport.unwrap(&other_level, card)));
}

#[test]
fn a_ciphertext_under_another_header_does_not_open() {
    let transport = transport();
    let header = transport.wrap(&city()).unwrap().to_bytes();
    let loss: CityKey<Loss> = parent().issuance_master(LABELS).function_key::<Loss>(LABELS).city_key(jinan());
    let body = transport.wrap(&loss).unwrap().to_bytes();
    let mixed = WrappedKey::decode(&[&header[..24], &body[24..]].concat()).unwrap();
    assert!(!opens::<CityKey<Recharge>>(transport.unwrap(&mixed, city().origin())));
    assert!(!opens::<CityKey<Loss>>(transport.unwrap(&mixed, city().origin())));
}

#[test]
fn a_transport_key_weaker_than_its_freight_is_refused() {
    let equal_halves = TransportKey::from_key([0x13; 16].into());
    let equal = StrengthError::PartsEqual { first: 1, second: 2 };
    assert_eq!(equal_halves.wrap(&city()).unwrap_err(), WrapError::Strength(equal));
    let triple = TransportKey::from_key([0x13; 24].into());
    assert_eq!(triple.wrap(&city()).unwrap_err(), WrapError::TripleLengthKey);
    let wrapped = transport().wrap(&city()).unwrap();
    for unfit in [equal_halves, triple] {
        assert!(!opens::<CityKey<Recharge>>(unfit.unwrap(&wrapped, city().origin())));
    }
}

#[test]
fn bytes_that_are_no_wrapped_key_are_named() {
    let bytes = transport().wrap(&city()).unwrap().to_bytes();
    let with = |changes: &[(usize, u8)]| {
        let mut bytes = bytes;
        for (position, byte) in changes {
            bytes[*position] = *byte;
        }
        WrappedKey::decode(&bytes).unwrap_err()
    };
    assert_eq!(with(&[(0, 2)]), WrappedKeyError::Format { found: 2 });
    assert_eq!(with(&[(1, 5)]), WrappedKeyError::Level { found: 5 });
    assert_eq!(with(&[(2, 0x1A)]), WrappedKeyError::Purpose { found: 0x1A });
    assert_eq!(with(&[(3, 4)]), WrappedKeyError::Algorithm { found: 4 });
    let no_such_key = |level, purpose| WrappedKeyError::NoSuchKey { level, purpose };
    assert_eq!(with(&[(1, 0)]), no_such_key(LevelId::Parent, PurposeId::Recharge));
    assert_eq!(with(&[(1, 1)]), no_such_key(LevelId::Secondary, PurposeId::Recharge));
    assert_eq!(with(&[(2, 0x10)]), no_such_key(LevelId::City, PurposeId::Issuance));
    assert_eq!(with(&[(1, 4), (2, 0x10)]), no_such_key(LevelId::Card, PurposeId::Issuance));
    assert_eq!(with(&[(23, 1)]), WrappedKeyError::Factor { level: LevelId::City });
    assert_eq!(with(&[(1, 2)]), WrappedKeyError::Factor { level: LevelId::Province });
    assert_eq!(with(&[(1, 1), (2, 0x10)]), WrappedKeyError::Factor { level: LevelId::Secondary });
    for found in [0, 1, 23, 24, 47, 48, 55, 57] {
        let long = [&bytes[..], &[0]].concat();
        assert_eq!(WrappedKey::decode(&long[..found]).unwrap_err(), WrappedKeyError::Length { found });
    }
}

#[test]
fn any_flipped_bit_is_refused() {
    let transport = transport();
    let bytes = transport.wrap(&card()).unwrap().to_bytes();
    let mut refused = 0;
    for bit in 0..8 * WrappedKey::LEN {
        let mut flipped = bytes;
        flipped[bit / 8] ^= 1 << (bit % 8);
        refused += match WrappedKey::decode(&flipped) {
            Ok(wrapped) => {
                // Not even under the origin that the altered header names.
                let as_expected = transport.unwrap(&wrapped, card().origin());
                let as_said = transport.unwrap(&wrapped, wrapped.header().origin);
                usize::from(!opens::<CardKey<Recharge>>(as_expected) && !opens::<CardKey<Recharge>>(as_said))
            }
            Err(_) => 1,
        };
    }
    assert_eq!(refused, 8 * 56);
}

proptest! {
    #[test]
    fn what_is_wrapped_comes_out(transport: [u8; 16], secret: [u8; 16], version: u8, city: [u8; 8]) {
        let (transport, secret) = (TdeaKey::from(transport), TdeaKey::from(secret));
        prop_assume!(transport.check_strength().is_ok() && secret.check_strength().is_ok());
        let transport = TransportKey::from_key(transport);
        let origin = Origin::city(version, city.into());
        let key: CityKey<Tac> = TreeKey::from_key(secret, origin).unwrap();
        let bytes = transport.wrap(&key).unwrap().to_bytes();
        let wrapped = WrappedKey::decode(&bytes).unwrap();
        prop_assert_eq!(wrapped.to_bytes(), bytes);
        let opened: CityKey<Tac> = transport.unwrap(&wrapped, origin).unwrap();
        prop_assert!(opened.ct_eq(&key));
    }

    #[test]
    fn decoding_is_total_and_gives_the_same_bytes_back(
        start in prop::array::uniform5(0u8..6),
        rest in prop::collection::vec(any::<u8>(), 0..60),
        zeros in 0..20usize,
    ) {
        let mut bytes = [&start[..], &rest].concat();
        for byte in bytes.iter_mut().skip(8).take(zeros) {
            *byte = 0;
        }
        // A code that exists now and then, so that more than refusals are seen.
        if let Some(purpose) = bytes.get_mut(2) {
            *purpose = 0x10 * (*purpose % 4) + *purpose % 3;
        }
        if let Ok(wrapped) = WrappedKey::decode(&bytes) {
            prop_assert_eq!(&wrapped.to_bytes()[..], &bytes[..]);
        }
    }
}
