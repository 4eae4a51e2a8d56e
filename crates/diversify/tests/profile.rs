//! Every source, take, encoding and padding of a profile, every way it fails, and the profiles that are built in.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests state facts about inputs they made")]

mod common;

use cardroot_diversify::profile::*;
use cardroot_diversify::{Factor, LevelId, Name, pboc};
use common::{factor, hex, key};
use proptest::prelude::*;

const BCD: Encoding = Encoding::Bcd { odd: OddDigits::Reject };

fn spec(take: Take, encoding: Encoding, pad: Pad) -> FactorSpec {
    FactorSpec { level: LevelId::Card, source: Source::Uid, take, encoding, pad }
}

fn profile<'a>(levels: &'a [FactorSpec], apdu_order: &'a [LevelId]) -> DispersionProfile<'a> {
    DispersionProfile { name: Name::new("test").unwrap(), version: 1, levels, apdu_order }
}

fn factor_of(spec: FactorSpec, value: Value<'_>) -> Result<Factor, FactorFault> {
    let fields = [Field { source: spec.source, value }];
    let made = profile(&[spec], &[spec.level]).factor(spec.level, &Identity::new(&fields));
    made.map_err(|error| match error {
        ProfileError::Factor { level, field, fault } => {
            assert_eq!((level, field), (spec.level, spec.source));
            fault
        }
        other => panic!("{other}"),
    })
}

#[test]
fn every_padding_fills_as_it_says() {
    let table = [
        (Pad::EightyThenZeros, "A1B2C3D4", "A1B2C3D480000000"),
        (Pad::EightyThenZeros, "A1B2C3D4E5F607", "A1B2C3D4E5F60780"),
        (Pad::Ff, "3701", "3701FFFFFFFFFFFF"),
        (Pad::ZerosLeft, "A1B2C3", "0000000000A1B2C3"),
        (Pad::ZerosRight, "A1B2C3D4E5F6", "A1B2C3D4E5F60000"),
        (Pad::Repeat, "93A1B2C3", "93A1B2C393A1B2C3"),
        (Pad::Repeat, "31", "3131313131313131"),
        (Pad::Repeat, "3101", "3101310131013101"),
    ];
    for (pad, field, expected) in table {
        let made = factor_of(spec(Take::Whole, Encoding::Raw, pad), Value::Bytes(&hex(field)));
        assert_eq!(made, Ok(factor(expected)), "{pad:?}");
    }
}

#[test]
fn eight_bytes_stay_as_they_are_under_every_padding() {
    let field = hex("A1B2C3D4E5F60718");
    for pad in [Pad::EightyThenZeros, Pad::Ff, Pad::ZerosLeft, Pad::ZerosRight, Pad::Repeat, Pad::Reject] {
        let made = factor_of(spec(Take::Whole, Encoding::Raw, pad), Value::Bytes(&field));
        assert_eq!(made, Ok(factor("A1B2C3D4E5F60718")), "{pad:?}");
    }
}

#[test]
fn every_take_is_counted_in_digits_or_bytes() {
    let text = Value::Text("12345678901234567890");
    let packed = hex("12345678901234567890");
    let table = [
        (Take::Right(16), BCD, text, "5678901234567890"),
        (Take::Right(16), BCD, Value::Bytes(&packed), "5678901234567890"),
        (Take::Left(16), BCD, text, "1234567890123456"),
        (Take::Left(4), BCD, Value::Bytes(&packed), "1234000000000000"),
        (Take::Right(8), Encoding::Ascii, text, "3334353637383930"),
        (Take::Left(8), Encoding::Raw, Value::Bytes(&packed), "1234567890123456"),
        (Take::Right(3), Encoding::Raw, Value::Bytes(&packed), "5678900000000000"),
        // A field of just as many.
        (Take::Left(10), BCD, Value::Text("1234567890"), "1234567890000000"),
        (Take::Right(2), Encoding::Raw, Value::Bytes(&packed[..2]), "1234000000000000"),
    ];
    for (take, encoding, field, expected) in table {
        assert_eq!(
            factor_of(spec(take, encoding, Pad::ZerosRight), field),
            Ok(factor(expected)),
            "{take:?} {encoding:?}"
        );
    }
}

#[test]
fn an_odd_digit_goes_where_the_profile_says() {
    let made = |odd| factor_of(spec(Take::Whole, Encoding::Bcd { odd }, Pad::ZerosRight), Value::Text("123"));
    assert_eq!(made(OddDigits::LeadingZero), Ok(factor("0123000000000000")));
    assert_eq!(made(OddDigits::TrailingF), Ok(factor("123F000000000000")));
    assert_eq!(made(OddDigits::Reject), Err(FactorFault::OddDigits { found: 3 }));
    // Half a byte may be taken: the digits count, not the bytes.
    let one = spec(Take::Left(1), Encoding::Bcd { odd: OddDigits::LeadingZero }, Pad::Repeat);
    assert_eq!(factor_of(one, Value::Bytes(&[0x70])), Ok(factor("0707070707070707")));
}

#[test]
fn a_field_that_does_not_fit_is_an_error() {
    let raw = |take, pad| spec(take, Encoding::Raw, pad);
    let nine = hex("010203040506070809");
    let table = [
        (raw(Take::Whole, Pad::Ff), Value::Bytes(&nine), FactorFault::TooLong { max: 8, found: 9 }),
        (spec(Take::Whole, BCD, Pad::Ff), Value::Bytes(&nine), FactorFault::TooLong { max: 16, found: 18 }),
        (
            spec(Take::Whole, Encoding::Bcd { odd: OddDigits::LeadingZero }, Pad::Ff),
            Value::Text("12345678901234567"),
            FactorFault::TooLong { max: 16, found: 17 },
        ),
        (raw(Take::Whole, Pad::Reject), Value::Bytes(&nine[..7]), FactorFault::TooShort { found: 7 }),
        (raw(Take::Left(4), Pad::Ff), Value::Bytes(&nine[..3]), FactorFault::TooFew { needed: 4, found: 3 }),
        (raw(Take::Right(8), Pad::Ff), Value::Bytes(&nine[..7]), FactorFault::TooFew { needed: 8, found: 7 }),
        (raw(Take::Whole, Pad::Repeat), Value::Bytes(&nine[..3]), FactorFault::Repeat { found: 3 }),
        (raw(Take::Whole, Pad::Ff), Value::Bytes(&[]), FactorFault::Empty),
        (spec(Take::Whole, BCD, Pad::Ff), Value::Text(""), FactorFault::Empty),
        (raw(Take::Whole, Pad::Ff), Value::Text("3701"), FactorFault::Text),
        (spec(Take::Whole, Encoding::Ascii, Pad::Ff), Value::Bytes(&nine[..4]), FactorFault::Bytes),
    ];
    for (spec, field, fault) in table {
        assert_eq!(factor_of(spec, field), Err(fault), "{spec:?}");
    }
}

#[test]
fn a_character_out_of_place_is_named_by_its_position_in_the_field() {
    // The fault lies in the part that is not taken.
    let digits = spec(Take::Right(4), BCD, Pad::ZerosLeft);
    assert_eq!(factor_of(digits, Value::Text("12a45678")), Err(FactorFault::NotADigit { position: 2 }));
    assert_eq!(factor_of(digits, Value::Text("/2345678")), Err(FactorFault::NotADigit { position: 0 }));
    assert_eq!(factor_of(digits, Value::Text("1234567:")), Err(FactorFault::NotADigit { position: 7 }));
    assert_eq!(factor_of(digits, Value::Bytes(&[0x12, 0x3A])), Err(FactorFault::NotADigit { position: 3 }));
    let ascii = spec(Take::Whole, Encoding::Ascii, Pad::Ff);
    assert_eq!(factor_of(ascii, Value::Text("37\u{7f}1")), Err(FactorFault::NotAscii { position: 2 }));
    assert_eq!(factor_of(ascii, Value::Text("\u{6d4e}")), Err(FactorFault::NotAscii { position: 0 }));
}

#[test]
fn a_field_must_be_there_once() {
    let uid = Field { source: Source::Uid, value: Value::Bytes(&[1, 2, 3, 4]) };
    let other = Field { source: Source::Custom(Name::new("uid").unwrap()), ..uid };
    let fault = |fields: &[Field<'_>]| match UID_80.factors(&Identity::new(fields)) {
        Err(ProfileError::Factor { level: LevelId::Card, field: Source::Uid, fault }) => fault,
        other => panic!("{other:?}"),
    };
    assert_eq!(fault(&[]), FactorFault::Missing);
    assert_eq!(fault(&[other]), FactorFault::Missing);
    assert_eq!(fault(&[uid, other, uid]), FactorFault::Ambiguous);
    assert!(UID_80.factors(&Identity::new(&[other, uid])).is_ok());
}

#[test]
fn a_level_that_the_profile_does_not_have_is_an_error() {
    let error = UID_80.factor(LevelId::City, &Identity::new(&[])).unwrap_err();
    assert_eq!(error, ProfileError::NoLevel { level: LevelId::City });
}

#[test]
fn a_profile_that_contradicts_itself_is_refused() {
    let at = |level| FactorSpec { level, ..spec(Take::Whole, Encoding::Raw, Pad::Ff) };
    let (province, city, card) = (at(LevelId::Province), at(LevelId::City), at(LevelId::Card));
    let take = |take, encoding| spec(take, encoding, Pad::Ff);
    let wrong = |max, found| DefinitionError::Take { level: LevelId::Card, max, found };
    let (p, c, k) = (LevelId::Province, LevelId::City, LevelId::Card);
    let table: [(&[FactorSpec], &[LevelId], DefinitionError); 13] = [
        (&[], &[], DefinitionError::NoLevels),
        (&[card, city], &[c, k], DefinitionError::LevelOrder),
        (&[city, city], &[c, c], DefinitionError::LevelOrder),
        (&[province, city, card], &[k, c], DefinitionError::ApduOrder),
        (&[city, card], &[k, k], DefinitionError::ApduOrder),
        (&[city, card], &[k, c, k], DefinitionError::ApduOrder),
        (&[city, card], &[k, p], DefinitionError::ApduOrder),
        (
            &[at(LevelId::Parent)],
            &[LevelId::Parent],
            DefinitionError::NotByIdentity { level: LevelId::Parent },
        ),
        (
            &[at(LevelId::Secondary)],
            &[LevelId::Secondary],
            DefinitionError::NotByIdentity { level: LevelId::Secondary },
        ),
        (&[take(Take::Left(0), Encoding::Raw)], &[k], wrong(8, 0)),
        (&[take(Take::Right(9), Encoding::Raw)], &[k], wrong(8, 9)),
        (&[take(Take::Right(9), Encoding::Ascii)], &[k], wrong(8, 9)),
        (&[take(Take::Left(17), BCD)], &[k], wrong(16, 17)),
    ];
    for (levels, apdu_order, error) in table {
        let profile = profile(levels, apdu_order);
        assert_eq!(profile.check(), Err(error));
        let refused = Err(ProfileError::Definition(error));
        assert_eq!(profile.factors(&Identity::new(&[])).map(|_| ()), refused);
        assert_eq!(profile.factor(k, &Identity::new(&[])).map(|_| ()), refused);
    }
}

#[test]
fn built_in_profiles_are_sound_and_named_apart() {
    for (count, profile) in BUILT_IN.iter().enumerate() {
        assert_eq!(profile.check(), Ok(()), "{}", profile.name);
        assert!(BUILT_IN[..count].iter().all(|other| other.name != profile.name), "{}", profile.name);
    }
}

#[test]
fn built_in_profiles_are_found_by_name_and_version() {
    for profile in BUILT_IN {
        let name = profile.name.as_str();
        assert_eq!(DispersionProfile::built_in(name, profile.version), Ok(profile));
        let found = profile.version + 1;
        let unknown = UnknownProfile::Version { known: profile.version, found };
        assert_eq!(DispersionProfile::built_in(name, found), Err(unknown));
    }
    assert_eq!(DispersionProfile::built_in("", 1), Err(UnknownProfile::Name));
    assert_eq!(DispersionProfile::built_in("city_ff", 1), Err(UnknownProfile::Name));
}

#[test]
fn built_in_profiles_make_the_factors_of_their_systems() {
    let atr = hex("5431008660081600000100");
    let number = Source::Custom(Name::new("version-and-number").unwrap());
    let fields = [
        Field { source: Source::ProvinceCode, value: Value::Bytes(&[0x31]) },
        Field { source: Source::AppSerial, value: Value::Bytes(&hex("00000000199808150001")) },
        Field { source: Source::IssuerId, value: Value::Bytes(&hex("FEDCBA9876543210")) },
        Field { source: Source::Uid, value: Value::Bytes(&hex("A1B2C3D4")) },
        Field { source: Source::AtrTail, value: Value::Bytes(&atr[2..]) },
        Field { source: number, value: Value::Bytes(&hex("0100199808150001")) },
    ];
    let with_city =
        |code| [&fields[..], &[Field { source: Source::CityCode, value: Value::Text(code) }]].concat();
    let (digits, letters) = (with_city("3701"), with_city("371700sx"));
    let serial = "0000199808150001";
    let table: [(DispersionProfile<'_>, &[Field<'_>], &[&str]); 10] = [
        (PBOC_CARD, &fields, &[serial]),
        (CITY_FF, &digits, &["3701FFFFFFFFFFFF", serial]),
        (ISSUER_WHOLE, &fields, &["FEDCBA9876543210", serial]),
        (ISSUER_FF, &fields, &["FEDCBA98FFFFFFFF", serial]),
        (TOLL, &fields, &["3180000000000000", "0100199808150001"]),
        (SOCIAL_SECURITY, &letters, &["3337313730307378", "8660081600000100"]),
        (ATR_TAIL, &fields, &["8660081600000100"]),
        (ATR_SERIAL, &fields, &["0816000001000000"]),
        (
            MOHURD_CARD,
            &[Field { source: Source::AppSerial, value: Value::Bytes(&hex("3701010200000045")) }],
            &["3701010200000045"],
        ),
        (UID_80, &fields, &["A1B2C3D480000000"]),
    ];
    for (profile, fields, expected) in table {
        let factors = profile.factors(&Identity::new(fields)).unwrap();
        let expected: Vec<Factor> = expected.iter().map(|text| factor(text)).collect();
        assert_eq!(factors.in_derivation_order().collect::<Vec<_>>(), expected, "{}", profile.name);
        for (spec, factor) in profile.levels.iter().zip(expected) {
            assert_eq!(factors.of(spec.level), Some(factor));
            assert_eq!(profile.factor(spec.level, &Identity::new(fields)), Ok(factor));
        }
    }
}

/// The order in a command and the order of derivation are two things: row APDU-45 carries the card's factor first.
#[test]
fn commands_carry_factors_in_their_own_order() {
    let fields = [
        Field { source: Source::CityCode, value: Value::Text("3701") },
        Field { source: Source::AppSerial, value: Value::Text("00000000199808150001") },
    ];
    let factors = CITY_FF.factors(&Identity::new(&fields)).unwrap();
    let (city, card) = (factor("3701FFFFFFFFFFFF"), factor("0000199808150001"));
    assert_eq!(factors.levels().collect::<Vec<_>>(), [(LevelId::City, city), (LevelId::Card, card)]);
    assert_eq!(factors.in_apdu_order().collect::<Vec<_>>(), [card, city]);
    assert_eq!(factors.path(), Some([city, card]));
    assert_eq!((factors.path::<0>(), factors.path::<1>(), factors.path::<3>()), (None, None, None));
}

/// Row PBOC-05 of the vectors, and its twin with another padding: same names, another key.
#[test]
fn another_padding_is_another_tree() {
    let root = key("00112233445566778899AABBCCDDEEFF");
    let at = |level, source, pad| FactorSpec { level, source, take: Take::Whole, encoding: BCD, pad };
    let derive = |pad| {
        let levels = [
            at(LevelId::Province, Source::ProvinceCode, pad),
            at(LevelId::City, Source::CityCode, pad),
            FactorSpec { take: Take::Right(16), ..at(LevelId::Card, Source::AppSerial, Pad::Reject) },
        ];
        let fields = [
            Field { source: Source::ProvinceCode, value: Value::Text("31") },
            Field { source: Source::CityCode, value: Value::Bytes(&[0x31, 0x01]) },
            Field { source: Source::AppSerial, value: Value::Text("00000000199808150001") },
        ];
        let order = [LevelId::Province, LevelId::City, LevelId::Card];
        let factors = profile(&levels, &order).factors(&Identity::new(&fields)).unwrap();
        pboc::derive_path(&root, factors.in_derivation_order()).unwrap()
    };
    assert!(derive(Pad::Ff).ct_eq(&key("2AA67E2E8B7164107E1FD3EBC558B5EF")));
    assert!(!derive(Pad::Ff).ct_eq(&derive(Pad::EightyThenZeros)));
}

#[test]
fn an_error_names_level_field_and_reason() {
    let error = CITY_FF.factors(&Identity::new(&[])).unwrap_err();
    assert_eq!(error.to_string(), "city factor from city code: the field is missing");
    let fields = [Field { source: Source::AppSerial, value: Value::Text("1234X") }];
    let error = PBOC_CARD.factors(&Identity::new(&fields)).unwrap_err();
    assert_eq!(error.to_string(), "card factor from application serial number: digit 4 is not decimal");
}

#[test]
fn a_card_number_does_not_show_in_debug() {
    let fields = [Field { source: Source::PanPsn, value: Value::Text("622202123456789001") }];
    let shown = format!("{:?} {:#?}", Identity::new(&fields), Identity::new(&fields));
    assert!(!shown.contains("6222") && shown.contains("18 bytes"), "{shown}");
}

proptest! {
    #[test]
    fn any_field_under_any_rule_gives_a_factor_or_an_error(
        field in prop::collection::vec(any::<u8>(), 0..24),
        text in "\\PC{0,24}",
        take in prop_oneof![
            Just(Take::Whole),
            (0..20usize).prop_map(Take::Left),
            (0..20usize).prop_map(Take::Right),
        ],
        encoding in prop::sample::select(vec![
            Encoding::Raw,
            Encoding::Ascii,
            BCD,
            Encoding::Bcd { odd: OddDigits::LeadingZero },
            Encoding::Bcd { odd: OddDigits::TrailingF },
        ]),
        pad in prop::sample::select(vec![
            Pad::EightyThenZeros, Pad::Ff, Pad::ZerosLeft, Pad::ZerosRight, Pad::Repeat, Pad::Reject,
        ]),
    ) {
        let spec = spec(take, encoding, pad);
        for value in [Value::Bytes(&field), Value::Text(&text)] {
            let fields = [Field { source: Source::Uid, value }];
            let _ = profile(&[spec], &[LevelId::Card]).factors(&Identity::new(&fields));
        }
    }

    #[test]
    fn digits_as_text_and_as_packed_bytes_are_one_factor(digits in "[0-9]{20}") {
        let text = [Field { source: Source::AppSerial, value: Value::Text(&digits) }];
        let packed = hex(&digits);
        let bytes = [Field { source: Source::AppSerial, value: Value::Bytes(&packed) }];
        let factors = [text, bytes].map(|fields| PBOC_CARD.factors(&Identity::new(&fields)).unwrap());
        prop_assert_eq!(factors[0], factors[1]);
        prop_assert_eq!(factors[0].of(LevelId::Card), Some(factor(&digits[4..])));
    }
}
