//! What is no plan, and what does not go together with keys and data, is refused with its place before a card is touched.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use cardroot_kms::issuing::{KeyRing, KeyRingError, Mode, Plan, PlanError, PlanFault, System, Use};
use common::{CHIP, data, random_key, ring, user_plan};
use diversify::Factor;
use diversify::tree::purpose::{Issuing, Purchase};
use diversify::tree::{CityKey, Origin};
use tdea::TdeaKey;

const PLAN: &str = include_str!("data/user-card.toml");
const SAM: &str = include_str!("data/sam-card.toml");

/// The error of a plan with one text replaced by another, which must be there.
fn altered(plan: &str, from: &str, to: &str) -> PlanError {
    assert!(plan.contains(from), "{from}");
    plan.replace(from, to).parse::<Plan>().unwrap_err()
}

fn fault(plan: &str, from: &str, to: &str) -> (String, PlanFault) {
    match altered(plan, from, to) {
        PlanError::At { place, fault } => (place, fault),
        other => panic!("{other:?}"),
    }
}

fn script_fault(plan: &str, from: &str, to: &str) -> (String, PlanFault) {
    assert!(plan.contains(from), "{from}");
    let plan: Plan = plan.replace(from, to).parse().unwrap();
    match plan.script(&ring(0, CHIP), &data(), &random_key(), Mode::Production).unwrap_err() {
        PlanError::At { place, fault } => (place, fault),
        other => panic!("{other:?}"),
    }
}

#[test]
fn text_that_is_no_plan_is_refused_with_its_line() {
    for (from, to, reason) in [
        ("version = 3", "version = 3\nfoo = 1", "unknown field `foo`"),
        ("version = 3", "version = -1", "invalid value"),
        (r#"use = "tac""#, r#"use = "tea""#, "unknown variant `tea`"),
        ("A00000000386980701", "A0000000038698070", "pairs of hexadecimal digits"),
        ("A00000000386980701", "", "1 to 16 bytes"),
        ("DEADBEEF", "DEADBEE", "pairs of hexadecimal digits"),
        ("{serial}", "{serial", "a brace has no other half"),
        ("cyclic = [10, 23]", "cyclic = [10, 23, 1]", "expected"),
        ("id = 0x0018", "id = 0x10018", "invalid value"),
        (r#"kind = "purse""#, r#"kind = "bag""#, "unknown variant `bag`"),
        ("version = 3", "version = 3\nsystem = \"starcos\"", "unknown variant `starcos`"),
    ] {
        let text = altered(PLAN, from, to).to_string();
        assert!(text.contains(reason) && text.contains("line "), "{text}");
    }
}

#[test]
fn entries_that_can_not_be_are_refused_with_their_place() {
    use PlanFault as F;
    let cases = [
        ("id = 1, use = \"purchase\"", "id = 1, use = \"load\"", "application 3F01, key load 01", F::Twice),
        (
            "follow = 2, tries = 5",
            "follow = 2, tries = 16",
            "application 3F01, key external-authentication 01",
            F::Tries(16),
        ),
        (
            "follow = 2, tries = 5",
            "follow = 16, tries = 5",
            "application 3F01, key external-authentication 01",
            F::Follow(16),
        ),
        (
            "follow = 2, tries = 5",
            "tries = 5",
            "application 3F01, key external-authentication 01",
            F::NoFollow,
        ),
        (
            "follow = 2, tries = 5",
            "follow = 2",
            "application 3F01, key external-authentication 01",
            F::NoTries(Use::ExternalAuthentication),
        ),
        (
            "id = 1, use = \"external",
            "id = 0, use = \"external",
            "application 3F01, key external-authentication 00",
            F::MastersPlace,
        ),
        (
            "key = \"TAC\"",
            "key = \"TAC\", tries = 3",
            "application 3F01, key tac 00",
            F::NotForThisUse(Use::Tac, "tries"),
        ),
        (
            "key = \"TAC\"",
            "key = \"TAC\", follow = 3",
            "application 3F01, key tac 00",
            F::NotForThisUse(Use::Tac, "follow"),
        ),
        ("tries = 3, follow = 1", "tries = 0, follow = 1", "application 3F01, PIN 00", F::Tries(0)),
        ("key = \"issuing\", tries = 3", "key = \"issuing\", tries = 0", "card, master", F::Tries(0)),
        ("id = 0x3F02", "id = 0x3F01", "application 3F01", F::Twice),
        ("id = 0x0016", "id = 0x0015", "application 3F01, file 0015", F::Twice),
        ("id = 0, use = \"line\"", "id = 1, use = \"line\"", "application 3F01, file 0015", F::NoLineKey),
        ("write = 0xEF", "", "application 3F01, file 0018", F::NoWriteRule),
        (
            "write = 0xEF",
            "write = 0xEF\nprotect-reading = true",
            "application 3F01, file 0018",
            F::NoProtection,
        ),
        ("write = 0xEF", "write = 0xEF\ncontent = \"00\"", "application 3F01, file 0018", F::ContentKind),
        ("write = 0xEF", "write = 0xEF\nrecord = [\"00\"]", "application 3F01, file 0018", F::ContentKind),
        ("content = \"DEADBEEF\"", "record = [\"DEADBEEF\"]", "application 3F01, file 0017", F::ContentKind),
    ];
    for (from, to, place, expected) in cases {
        assert_eq!(fault(PLAN, from, to), (place.to_owned(), expected), "{from} -> {to}");
    }
    let wallet = |name: &str| format!("application 3F01, wallet `{name}`");
    for (from, to, place, expected) in [
        (r#"kind = "purse""#, r#"kind = "deposit""#, wallet("deposit"), F::Twice),
        ("id = 0x0017", "id = 0x0002", wallet("purse"), F::Twice),
        (r#""purse", log = 0x0018"#, r#""purse", log = 0x0015"#, wallet("purse"), F::NoLog),
        (r#""purse", log = 0x0018"#, r#""purse", log = 0x0118"#, wallet("purse"), F::NoLog),
        ("id = 0x0018", "id = 0x001F", wallet("deposit"), F::NoLog),
        ("cyclic = [10, 23]", "cyclic = [10, 22]", wallet("deposit"), F::NoLog),
        (r#"use = "tac", key = "TAC""#, r#"use = "mac", key = "TAC""#, wallet("deposit"), F::NoTac),
    ] {
        assert_eq!(fault(PLAN, from, to), (place, expected), "{from} -> {to}");
    }
    let records = ["\"0102030405\""; 255].join(", ");
    let many = F::TooManyRecords { found: 255, room: 254 };
    let place = "application 3F01, file 0016".to_owned();
    assert_eq!(fault(PLAN, "\"0102030405\", \"{holder:5}\"", &records), (place, many));
    let place = "application 3F01, SAM key `purchase`".to_owned();
    assert_eq!(fault(SAM, "kind = 2", "kind = 32"), (place.clone(), F::SamUsage));
    assert_eq!(fault(SAM, "kind = 2", "kind = 2, levels = 8"), (place, F::SamUsage));
}

#[test]
fn a_system_whose_files_nobody_has_described_is_refused() {
    for (system, name, of) in
        [("smartcos", "SmartCOS", System::SmartCos), ("tianyu", "Tianyu", System::Tianyu)]
    {
        let to = format!("version = 3\nsystem = \"{system}\"");
        let (place, found) = fault(PLAN, "version = 3", &to);
        assert_eq!((place.as_str(), &found), ("system", &PlanFault::System(of)));
        let text = format!(
            "how {name} cards are told the fields of a file is in no public source: plans are for FMCOS"
        );
        assert_eq!(found.to_string(), text);
    }
    assert_eq!(PLAN.replace("version = 3", "version = 3\nsystem = \"fmcos\"").parse(), PLAN.parse::<Plan>());
}

/// With `levels = 0` and kind 7, DES CRYPT over a card's factor would answer with that card's key.
#[test]
fn a_sam_gets_no_city_key_that_shows_the_keys_of_cards() {
    let place = "application 3F01, SAM key `internal authentication`".to_owned();
    for kind in 0..=31 {
        let to = format!("kind = {kind}, levels = 0");
        assert_eq!(fault(SAM, "kind = 7", &to), (place.clone(), PlanFault::SamUsage));
    }
    // Kinds 0 and 1 take the place of the application's own master and line protection key.
    for kind in [0, 1] {
        let to = format!("kind = {kind}");
        assert_eq!(fault(SAM, "kind = 7", &to), (place.clone(), PlanFault::SamUsage));
    }
}

#[test]
fn a_city_key_serves_in_a_sam_what_it_is_for() {
    let allowed = |key: &str, from: &str| -> Vec<u8> {
        let goes = |kind: &u8| {
            let plan: Plan = SAM.replace(from, &format!("kind = {kind}")).parse().unwrap();
            match plan.script(&ring(0, CHIP), &data(), &random_key(), Mode::Production) {
                Ok(_) => true,
                Err(PlanError::At { place, fault }) => {
                    assert_eq!(place, format!("application 3F01, SAM key `{key}`"));
                    let text = format!("a key of the function `{key}` is not for kind {kind} in a SAM");
                    assert_eq!(fault.to_string(), text);
                    false
                }
                Err(other) => panic!("{other:?}"),
            }
        };
        (2..=31).filter(goes).collect()
    };
    assert_eq!(allowed("purchase", "kind = 2"), [2]);
    assert_eq!(allowed("internal authentication", "kind = 7"), [6, 7, 15]);
}

#[test]
fn two_keys_in_one_place_of_a_sam_are_refused() {
    let place = "application 3F01, SAM key `internal authentication`".to_owned();
    let same = "{ key = \"internal authentication\", kind = 7, slot = 1 },\n{ key = \"internal authentication\", kind = 7 },";
    let found = script_fault(SAM, "{ key = \"internal authentication\", kind = 7 },", same);
    assert_eq!(found, (place, PlanFault::Twice));
}

#[test]
fn nobody_but_the_master_gets_the_masters_state() {
    let pin = ("application 3F01, PIN 00".to_owned(), PlanFault::MastersState(0x0A));
    assert_eq!(fault(PLAN, "tries = 3, follow = 1", "tries = 3, follow = 10"), pin);
    let place = "application 3F01, key external-authentication 01".to_owned();
    let key = (place, PlanFault::MastersState(0x0A));
    assert_eq!(fault(PLAN, "follow = 2, tries = 5", "follow = 0x0A, tries = 5"), key);
}

#[test]
fn rules_that_let_everybody_are_refused_in_production() {
    for rule in ["0xF0", "0xA0", "0x00"] {
        let to = |name: &str| format!("{name} = {rule}");
        let write = ("application 3F01, file 0018".to_owned(), PlanFault::OpenRule("write"));
        assert_eq!(script_fault(PLAN, "write = 0xEF", &to("write")), write);
        let erase = ("application 3F02".to_owned(), PlanFault::OpenRule("erase"));
        assert_eq!(script_fault(PLAN, "erase = 0xAA", &to("erase")), erase);
        let create = ("application 3F02".to_owned(), PlanFault::OpenRule("create"));
        assert_eq!(script_fault(PLAN, "erase = 0xAA", &to("create")), create);
        let plan: Plan = PLAN.replace("write = 0xEF", &to("write")).parse().unwrap();
        assert!(plan.script(&ring(0, CHIP), &data(), &random_key(), Mode::Test).is_ok());
    }
}

#[test]
fn what_does_not_go_together_with_keys_and_data_is_refused_with_its_place() {
    use PlanFault as F;
    let at = |place: &str, fault| (format!("application 3F01, {place}"), fault);
    let no_key = F::NoKey("loss".to_owned());
    assert_eq!(
        script_fault(PLAN, "\"card maintenance\"", "\"loss\""),
        ("card, key line 00".to_owned(), no_key)
    );
    let wrong = F::NotForThisFunction { function: "recharge", used: Use::Purchase };
    assert_eq!(script_fault(PLAN, "key = \"purchase\"", "key = \"recharge\""), at("key purchase 01", wrong));
    let twice = F::SecondPurpose("line protection".to_owned());
    assert_eq!(script_fault(PLAN, "\"card maintenance\"", "\"line protection\""), at("key line 00", twice));
    let long = F::TooLong { found: 4, room: 3 };
    assert_eq!(script_fault(PLAN, "binary = 4", "binary = 3"), at("file 0017", long));
    let length = F::RecordLength { found: 4, expected: 5 };
    assert_eq!(script_fault(PLAN, "\"0102030405\"", "\"01020304\""), at("file 0016", length));
    let many = F::TooManyRecords { found: 2, room: 1 };
    assert_eq!(script_fault(PLAN, "fixed-records = [3, 5]", "fixed-records = [1, 5]"), at("file 0016", many));
    assert_eq!(script_fault(PLAN, "{pin}", "{pin}{long}"), at("PIN 00", F::PinLength(302)));
    let tlv = ("application 3F02, file 0001".to_owned(), F::NoTlv);
    assert_eq!(script_fault(PLAN, "02 01 07", "02 02 07"), tlv);
    let long = ("application 3F02, file 0001".to_owned(), F::TooLong { found: 303, room: 200 });
    assert_eq!(script_fault(PLAN, "02 01 07", "02 01 07 {long}"), long);
    let long = F::TooLong { found: 300, room: 200 };
    let fixed = PLAN.replace("fixed-records = [3, 5]", "fixed-records = [3, 255]");
    assert_eq!(script_fault(&fixed, "\"0102030405\"", "\"{long}\""), at("file 0016", long));
    let long = F::TooLong { found: 0x8001, room: 0x8000 };
    let large = PLAN.replace("binary = 4 ", "binary = 0x9000 ").replace("size = 0x0700", "size = 0xFFFF");
    assert_eq!(script_fault(&large, "\"DEADBEEF\"", "\"{serial:32769}\""), at("file 0017", long));
    let (place, missing) = script_fault(PLAN, "{serial}", "{number}");
    assert_eq!(place, "application 3F01, file 0015");
    assert_eq!(missing.to_string(), "the card's data has no `number`");
}

#[test]
fn keys_that_everybody_knows_do_not_go_onto_cards_in_production() {
    let plan = user_plan();
    let default = TdeaKey::from([0xFF; 16]);
    let error = plan.script(&ring(0, CHIP), &data(), &default, Mode::Production).unwrap_err();
    let expected = PlanError::At {
        place: "transport key".to_owned(),
        fault: PlanFault::TestKey("a key that repeats one byte"),
    };
    assert_eq!(error, expected);
    assert!(plan.script(&ring(0, CHIP), &data(), &default, Mode::Test).is_ok());

    // Equal halves are not on the list, and single DES all the same.
    let halves = TdeaKey::from(0x1F2E3D4C5B6A79881F2E3D4C5B6A7988_u128.to_be_bytes());
    let error = plan.script(&ring(0, CHIP), &data(), &halves, Mode::Production).unwrap_err();
    assert!(matches!(error, PlanError::At { fault: PlanFault::Weak(_), .. }), "{error:?}");
}

#[test]
fn a_ring_holds_the_keys_of_one_card_each_version_once() {
    let city = Factor::from([0x01; 8]);
    let key =
        |version, city| CityKey::<Purchase>::from_key(random_key(), Origin::city(version, city)).unwrap();
    let (card, other_card) = (Factor::from([0x02; 8]), Factor::from([0x03; 8]));
    let first = key(1, city);
    let mut ring = KeyRing::new();
    ring.insert_card_key(&first.card_key(card)).unwrap();
    assert_eq!(ring.insert_card_key(&first.card_key(card)), Err(KeyRingError::Twice));
    assert_eq!(ring.insert_card_key(&first.card_key(other_card)), Err(KeyRingError::OtherPlace));
    assert_eq!(ring.insert_city_key(&key(1, Factor::from([0x04; 8]))), Err(KeyRingError::OtherPlace));
    ring.insert_city_key(&first).unwrap();
    ring.insert_card_key(&key(2, city).card_key(card)).unwrap();
    let same = CityKey::<Issuing>::from_key(first.expose_key().duplicate(), first.origin()).unwrap();
    assert_eq!(ring.insert_city_key(&same), Err(KeyRingError::SecondPurpose("purchase")));
    assert_eq!(ring.check_values().count(), 3);
    assert_eq!(format!("{ring:?}"), r#"[("purchase", Card), ("purchase", City), ("purchase", Card)]"#);
}

#[test]
fn of_several_versions_the_plan_must_name_one() {
    let origin = |version| Origin::city(version, Factor::from([0x01; 8]));
    let card = Factor::from([0x02; 8]);
    let mut ring = KeyRing::new();
    for version in [1, 2] {
        let issuing = CityKey::<Issuing>::from_key(random_key(), origin(version)).unwrap();
        ring.insert_card_key(&issuing.card_key(card)).unwrap();
    }
    let plan = |version| -> Plan {
        format!("name = \"p\"\nversion = 1\n[card]\nmaster = {{ key = \"issuing\", tries = 3{version} }}")
            .parse()
            .unwrap()
    };
    let script = |plan: Plan| plan.script(&ring, &data(), &random_key(), Mode::Production);
    let expected = PlanFault::SeveralVersions("issuing".to_owned());
    assert_eq!(
        script(plan("")).unwrap_err(),
        PlanError::At { place: "card, master".to_owned(), fault: expected }
    );
    let second = ring.check_values().find(|(_, _, version, _)| *version == 2).unwrap().3;
    let text = script(plan(", version = 2")).unwrap().to_string();
    assert!(text.contains(&second.to_string()), "{text}");
}
