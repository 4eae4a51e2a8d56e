//! Plans carried out on cards in software, broken off and finished, and compared.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

mod common;

use apdu::commands::ChallengeLength;
use apdu::commands::{select_file, verify};
use apdu::secure::pboc::{CardKey, Challenged, MasterKey};
use apdu::{CardTransport, StatusWord};
use card::{CardProfile, LifeCycle};
use cardroot_kms::issuing::{Comparison, Mode, Plan, PlanError, PlanFault, Script, StepFault, Verdict};
use common::{CHIP, PIN, Reader, SoftCard, blank, data, random_key, ring, rng, sam_plan, script, user_plan};

fn compare(script: &Script, card: &mut SoftCard) -> Vec<Comparison> {
    card.reset();
    script.compare(&mut Reader::steady(card), &mut rng()).unwrap()
}

fn count(comparisons: &[Comparison], is_it: impl Fn(Verdict) -> bool) -> usize {
    comparisons.iter().filter(|comparison| is_it(comparison.verdict)).count()
}

/// Everything that the card shows is as planned.
fn assert_made(script: &Script, card: &mut SoftCard, same: usize, unproven: usize) {
    let comparisons = compare(script, card);
    assert_eq!(count(&comparisons, |verdict| verdict == Verdict::Same), same, "{comparisons:#?}");
    assert_eq!(count(&comparisons, |verdict| matches!(verdict, Verdict::Unproven(_))), unproven);
    assert_eq!(comparisons.len(), same + unproven);
}

/// Of a user card: what is proven, and the line keys, TAC, purchase, load, PIN and a file read under line protection that are not.
const USER: (usize, usize) = (21, 7);

#[test]
fn a_blank_card_becomes_the_card_of_the_plan() {
    let transport = random_key();
    let script = script(&user_plan(), &transport);
    let mut card = blank(CardProfile::user(CHIP), &transport);
    let before = compare(&script, &mut card);
    assert_eq!(before[0].verdict, Verdict::Missing);
    assert_eq!(count(&before, |verdict| matches!(verdict, Verdict::Unproven(_))), before.len() - 1);

    card.reset();
    let issued = script.issue(&mut Reader::steady(&mut card)).unwrap();
    assert!(issued.commands > script.len());
    card.reset();
    assert_eq!(card.life_cycle(), LifeCycle::Personalised);
    assert_made(&script, &mut card, USER.0, USER.1);

    // What can't be compared can be used.
    card.reset();
    let mut channel = Reader::steady(&mut card);
    channel.transmit(&select_file(apdu::commands::FileId(0x3F01))).unwrap().into_ok().unwrap();
    channel.transmit(&verify(0x00, &PIN).unwrap()).unwrap().into_ok().unwrap();
}

#[test]
fn a_directory_full_to_the_last_byte_is_made_and_a_smaller_one_is_no_plan() {
    let text = include_str!("data/user-card.toml");
    let sized = |size: u16| -> Result<Plan, PlanError> {
        text.replace("size = 0x0700", &format!("size = {size}")).parse()
    };
    let (needed, full) = (1..2000).find_map(|size| Some((size, sized(size).ok()?))).unwrap();
    println!("the directory needs {needed} bytes");
    let fault = PlanFault::NoRoom { what: "the directory", needed: needed.into(), room: needed - 1 };
    let place = "application 3F01".to_owned();
    assert_eq!(sized(needed - 1), Err(PlanError::At { place: place.clone(), fault }));

    // The key file: master and six keys of 16 bytes and a PIN of 2, each with 8 bytes besides.
    let keys = |size: u16| -> Result<Plan, PlanError> {
        text.replace("keys = { size = 0x0180 }", &format!("keys = {{ size = {size} }}")).parse()
    };
    let needed: u16 = 7 * (16 + 8) + (2 + 8);
    let fault = PlanFault::NoRoom { what: "the key file", needed: needed.into(), room: needed - 1 };
    assert_eq!(keys(needed - 1), Err(PlanError::At { place, fault }));

    let transport = random_key();
    for plan in [full, keys(needed).unwrap()] {
        let mut card = blank(CardProfile::user(CHIP), &transport);
        script(&plan, &transport).issue(&mut Reader::steady(&mut card)).unwrap();
    }
}

#[test]
fn a_sam_is_issued_and_finished_after_a_cut_at_any_command() {
    let transport = random_key();
    let script = script(&sam_plan(), &transport);
    let mut card = blank(CardProfile::sam(CHIP), &transport);
    let commands = script.issue(&mut Reader::steady(&mut card)).unwrap().commands;
    assert_made(&script, &mut card, 3, 2);
    let stuck = cut_everywhere(
        &script,
        commands,
        |transport| blank(CardProfile::sam(CHIP), transport),
        &transport,
        (3, 2),
    );
    assert_eq!(stuck, STUCK);
}

/// Cuts that leave a directory without key file behind: after CREATE of the directory; before and after its SELECT; before the
/// CREATE of the key file.
const STUCK: usize = 4;

#[test]
fn an_issuing_that_was_cut_at_any_command_is_finished() {
    let transport = random_key();
    let script = script(&user_plan(), &transport);
    let make = |transport: &_| blank(CardProfile::user(CHIP), transport);
    let commands = script.issue(&mut Reader::steady(&mut make(&transport))).unwrap().commands;
    let stuck = cut_everywhere(&script, commands, make, &transport, USER);
    println!("{} cuts, {stuck} of them in a directory without key file", 2 * commands);
    // Two applications.
    assert_eq!(stuck, 2 * STUCK);
}

/// Cuts an issuing before and after every command and finishes it. Returns how often that can't be done.
fn cut_everywhere(
    script: &Script,
    commands: usize,
    make: impl Fn(&tdea::TdeaKey) -> SoftCard,
    transport: &tdea::TdeaKey,
    (same, unproven): (usize, usize),
) -> usize {
    let mut stuck = 0;
    for (command, executes) in (0..commands).flat_map(|command| [(command, false), (command, true)]) {
        let mut card = make(transport);
        script.issue(&mut Reader::cut_at(&mut card, command, executes)).unwrap_err();
        match script.resume(&mut Reader::steady(&mut card), &mut rng()) {
            Ok(_) => assert_made(script, &mut card, same, unproven),
            Err(error) => {
                let what = compare(script, &mut card);
                let directory = what.iter().find(|step| step.what.contains("a directory")).unwrap();
                assert_eq!(directory.verdict, Verdict::Same, "cut at {command}: {error:?}");
                assert!(error.place.starts_with("application"), "cut at {command}: {error:?}");
                stuck += 1;
            }
        }
    }
    stuck
}

#[test]
fn a_finished_card_and_a_blank_one_can_be_resumed_too() {
    let transport = random_key();
    let script = script(&user_plan(), &transport);
    let mut card = blank(CardProfile::user(CHIP), &transport);
    for _ in 0..2 {
        card.reset();
        script.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap();
        assert_made(&script, &mut card, USER.0, USER.1);
    }
}

#[test]
fn the_last_try_of_a_foreign_card_is_not_spent() {
    let transport = random_key();
    let plan = include_str!("data/user-card.toml")
        .replace(r#"key = "issuing", tries = 3"#, r#"key = "issuing", tries = 2"#);
    let plan: cardroot_kms::issuing::Plan = plan.parse().unwrap();
    let mut card = blank(CardProfile::user(CHIP), &transport);
    let made = script(&plan, &transport);
    made.issue(&mut Reader::steady(&mut card)).unwrap();
    let other = plan.script(&ring(0x40, CHIP), &data(), &transport, Mode::Production).unwrap();
    // The first wrong key leaves one try, and the transport key is not tried any more.
    let comparisons = compare(&other, &mut card);
    assert!(matches!(comparisons[0].verdict, Verdict::Differs(how) if how.contains("hardly any")));
    assert!(compare(&made, &mut card).iter().all(|step| !matches!(step.verdict, Verdict::Differs(_))));
}

#[test]
fn a_card_of_other_keys_is_told_apart_and_left_alone() {
    let transport = random_key();
    let mut card = blank(CardProfile::user(CHIP), &transport);
    script(&user_plan(), &transport).issue(&mut Reader::steady(&mut card)).unwrap();

    let other = user_plan().script(&ring(0x40, CHIP), &data(), &transport, Mode::Production).unwrap();
    card.reset();
    let error = other.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap_err();
    assert_eq!(error.step, 2);
    assert!(matches!(error.fault, StepFault::Differs(_)), "{error:?}");
    // Two tries of three are gone; the right master gives them back.
    assert_made(&script(&user_plan(), &transport), &mut card, USER.0, USER.1);
}

#[test]
fn other_data_and_another_pin_are_told_apart() {
    let transport = random_key();
    let mut card = blank(CardProfile::user(CHIP), &transport);
    script(&user_plan(), &transport).issue(&mut Reader::steady(&mut card)).unwrap();

    let other_serial = data().with("serial", &[0x99; 10]);
    let other = user_plan().script(&ring(0, CHIP), &other_serial, &transport, Mode::Production).unwrap();
    let comparisons = compare(&other, &mut card);
    let differing: Vec<_> =
        comparisons.iter().filter(|step| matches!(step.verdict, Verdict::Differs(_))).collect();
    let places: Vec<_> = differing.iter().map(|step| step.place.as_str()).collect();
    assert_eq!(places, ["application 3F01, file 0015", "application 3F02, file 0001"]);

    let other_pin = data().with("pin", &[0x99, 0x99]);
    let other = user_plan().script(&ring(0, CHIP), &other_pin, &transport, Mode::Production).unwrap();
    card.reset();
    let error = other.resume(&mut Reader::steady(&mut card), &mut rng()).unwrap_err();
    assert_eq!(
        (error.place.as_str(), error.fault),
        ("application 3F01, PIN 00", StepFault::Differs("another PIN"))
    );
}

#[test]
fn a_card_under_another_transport_key_is_not_touched() {
    let transport = random_key();
    let mut card = blank(CardProfile::user(CHIP), &random_key());
    let error = script(&user_plan(), &transport).issue(&mut Reader::steady(&mut card)).unwrap_err();
    assert_eq!(error.step, 2);
    assert_eq!(card.life_cycle(), LifeCycle::Blank);
    assert_eq!(error.to_string(), "step 2, card: the card answered 63C2, counter X");
}

#[test]
fn the_card_master_of_the_plan_is_on_the_card_afterwards() {
    // By another way than that of the station: the key itself, from the ring's city.
    let transport = random_key();
    let mut card = blank(CardProfile::user(CHIP), &transport);
    script(&user_plan(), &transport).issue(&mut Reader::steady(&mut card)).unwrap();
    card.reset();
    let mut channel = Reader::steady(&mut card);
    let stale = MasterKey::from_key(CardKey::try_from(transport).unwrap());
    let refused = Challenged::request(&mut channel, ChallengeLength::Eight)
        .unwrap()
        .external_authenticate(0, &stale)
        .unwrap();
    assert_eq!(refused.status(), StatusWord::tries_left(2));
}

#[test]
fn the_dry_run_shows_every_step_and_no_secret() {
    let transport = random_key();
    let script = script(&user_plan(), &transport);
    let text = script.to_string();
    println!("{text}");
    assert_eq!(text.lines().count(), 1 + script.len());
    assert!(text.starts_with("# test user card, version 3\n"));
    assert!(text.contains("UPDATE BINARY 0002, 300 bytes"));
    for secret in ["1234", "DEADBEEF", &base16ct::upper::encode_string(transport.expose_bytes())] {
        assert!(!text.contains(secret), "{secret}");
    }
}

#[test]
fn debug_shows_no_key_pin_or_content() {
    let transport = tdea::TdeaKey::from([0xA5; 16]);
    let data = data().with("pin", &[0xA5; 4]).with("long", &[0xA5; 300]).with("holder", &[0xA5; 5]);
    let script = user_plan().script(&ring(0, CHIP), &data, &transport, Mode::Test).unwrap();
    for text in [format!("{script:?}"), format!("{script:#?}")] {
        let text = text.to_lowercase();
        assert!(!text.contains("a5") && !text.contains("165, 165"), "{text}");
    }
}

#[test]
fn a_reader_that_fails_says_where() {
    let transport = random_key();
    let mut card = blank(CardProfile::user(CHIP), &transport);
    let error = script(&user_plan(), &transport).issue(&mut Reader::cut_at(&mut card, 0, false)).unwrap_err();
    assert_eq!((error.step, error.place.as_str()), (1, "card"));
    let mut buffer = [0; 16];
    assert!(card.transmit(&[0x00, 0x84, 0x00, 0x00, 0x08], &mut buffer).is_ok());
}
