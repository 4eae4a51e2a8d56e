//! `cardroot card give`, over records of a key card and a SAM that plans made. `ci/pcsc.sh` has the cards themselves in two readers.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic here is the test's report")]

mod common;

use cardroot::apdu::commands::FileId;
use cardroot::apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use cardroot::apdu::secure::pboc::{CardKey, ExternalAuthKey, MasterKey};
use cardroot::apdu::{Channel, RecordingTransport};
use cardroot::card::{Card, CardProfile, KeyCard as KeyCardKind};
use cardroot::diversify::Factor;
use cardroot::diversify::tree::purpose::{
    ApplicationControl, ExternalAuthentication, Function, InternalAuthentication, Issuing, Purchase,
};
use cardroot::diversify::tree::{CityKey, FunctionLabels, Origin, ParentKey};
use cardroot::kms::issuing::{CardData, KeyRing, Mode, Plan};
use cardroot::kms::key_card::{KeyCard, KeyName, Receiver, function_path};
use cardroot::tdea::TdeaKey;
use common::{Run, Scratch, run};
use getrandom::SysRng;
use getrandom::rand_core::UnwrapErr;

const KEY_CARD_PLAN: &str = include_str!("data/card_issue/key-card.toml");
const SAM_PLAN: &str = include_str!("../../../examples/province/sam-card.toml");
const CHIP: [u8; 8] = *b"\x86\x60chip01";
const CHIP_DIGITS: &str = "8660636869703031";
const PIN: [u8; 3] = [0x57, 0x93, 0x16];
const APPLICATION: FileId = FileId(0x3F01);

type Recorded = RecordingTransport<Card<UnwrapErr<SysRng>>>;

fn city_key<F: Function>() -> CityKey<F> {
    let code = F::ID.code();
    let bytes = core::array::from_fn::<u8, 16, _>(|i| u8::try_from(11 * i).unwrap() ^ code.wrapping_mul(29));
    let origin = Origin::city(1, Factor::from(*b"3701\xFF\xFF\xFF\xFF"));
    CityKey::from_key(TdeaKey::from(bytes), origin).unwrap()
}

fn card_key<F: Function>() -> TdeaKey {
    city_key::<F>().card_key(Factor::from(CHIP)).expose_key().duplicate()
}

/// A card of the plan in a reader that keeps a record from now on.
fn issued(plan: &str, profile: CardProfile) -> Channel<Recorded> {
    fn insert<F: Function>(ring: &mut KeyRing) {
        ring.insert_card_key(&city_key::<F>().card_key(Factor::from(CHIP))).unwrap();
        ring.insert_city_key(&city_key::<F>()).unwrap();
    }
    let mut ring = KeyRing::new();
    insert::<Issuing>(&mut ring);
    insert::<ApplicationControl>(&mut ring);
    insert::<ExternalAuthentication>(&mut ring);
    insert::<InternalAuthentication>(&mut ring);
    insert::<Purchase>(&mut ring);
    ring.insert_exchange_key(1, &TdeaKey::from(*b"an exchange key.")).unwrap();
    let parent = ParentKey::from_key(TdeaKey::from(*b"the parent key ."), Origin::province(1)).unwrap();
    ring.insert_parent_key(&parent).unwrap();
    let transport = TdeaKey::from(*b"a transport key.");
    let data = CardData::new().with("pin", &PIN).with("terminal", b"T00001");
    let script = plan.parse::<Plan>().unwrap().script(&ring, &data, &transport, Mode::Production).unwrap();
    let mut card = Card::blank(profile, transport.try_into().unwrap(), UnwrapErr(SysRng));
    script.issue(&mut Channel::new(&mut card)).unwrap();
    card.reset();
    Channel::new(RecordingTransport::new(card))
}

/// A folder with what the two cards said to the library, and the keys that open them.
fn desk(test: &str) -> Scratch {
    let giver = issued(KEY_CARD_PLAN, CardProfile::key_card(KeyCardKind::City, CHIP));
    let sam = issued(SAM_PLAN, CardProfile::sam(CHIP));
    let usage = PsamKeyUsage::new(1, 7).unwrap();
    let key = KeyName { usage, version: 2, exchange_version: 1, factors: &[] };
    desk_of(test, [("city.record", giver), ("sam.record", sam)], ReceiverKind::Sam, &key)
}

fn desk_of(
    test: &str,
    [(giver_file, mut giver), (receiver_file, mut receiver)]: [(&str, Channel<Recorded>); 2],
    kind: ReceiverKind,
    key: &KeyName<'_>,
) -> Scratch {
    let master = MasterKey::from_key(CardKey::try_from(card_key::<ApplicationControl>()).unwrap());
    let officer = ExternalAuthKey::from_key(CardKey::try_from(card_key::<ExternalAuthentication>()).unwrap());
    let mut open_receiver = Receiver::open(&mut receiver, kind, CHIP, APPLICATION, &master).unwrap();
    let shut = KeyCard::select(&mut giver, APPLICATION).unwrap();
    let mut open = shut.verify_pin(0, &PIN).unwrap().authenticate(1, &officer).unwrap();
    open.give(key, &mut open_receiver).unwrap();

    let scratch = Scratch::new(test);
    for (file, channel) in [(giver_file, giver), (receiver_file, receiver)] {
        scratch.file(file, channel.into_transport().into_script().expose_text().as_bytes());
    }
    let hex = |key: &TdeaKey| key.expose_bytes().iter().map(|byte| format!("{byte:02X}")).collect::<String>();
    scratch.file("officer.hex", hex(&card_key::<ExternalAuthentication>()));
    scratch.file("master.hex", hex(&card_key::<ApplicationControl>()));
    scratch.file("pin.hex", "579316");
    scratch
}

const GIVE: &str = "card give --key-card replay:DIR/city.record --pin @DIR/pin.hex --key @DIR/officer.hex \
    --reader replay:DIR/sam.record --kind sam --serial CHIP --master @DIR/master.hex --usage 27 --version 2";

fn give(scratch: &Scratch, arguments: &str) -> Run {
    run(&arguments.replace("DIR", scratch.path().to_str().unwrap()).replace("CHIP", CHIP_DIGITS))
}

#[test]
fn a_key_goes_from_card_to_card_and_no_key_is_shown() {
    let desk = desk("card-give");
    let done = give(&desk, &format!("{GIVE} --json")).done();
    let report = done.json();
    assert_eq!((&report["given_to"], &report["usage"]), (&CHIP_DIGITS.into(), &"27".into()));
    assert_eq!(report["version"], 2);
    for key in [city_key::<ExternalAuthentication>().expose_key(), &card_key::<ApplicationControl>()] {
        let digits: String = key.expose_bytes().iter().map(|byte| format!("{byte:02X}")).collect();
        assert!(!done.stdout.contains(&digits));
    }
}

#[test]
fn a_mother_card_gives_the_key_of_the_function_that_is_named() {
    let mother = include_str!("../../../examples/province/mother-card.toml");
    let mother = issued(mother, CardProfile::key_card(KeyCardKind::Mother, CHIP));
    let secondary = include_str!("../../../examples/province/secondary-card.toml");
    let secondary = issued(secondary, CardProfile::key_card(KeyCardKind::Secondary, CHIP));
    let factors = function_path::<Purchase>(&FunctionLabels::V1);
    let usage = PsamKeyUsage::new(4, 2).unwrap();
    let key = KeyName { usage, version: 1, exchange_version: 1, factors: &factors };
    let cards = [("city.record", mother), ("sam.record", secondary)];
    let desk = desk_of("card-give-mother", cards, ReceiverKind::Secondary, &key);
    let named = GIVE.replace("--kind sam", "--kind secondary").replace("--usage 27", "--usage 82");
    let named = named.replace("--version 2", "--version 1");
    give(&desk, &format!("{named} --function purchase")).done();
    // The record has the labels of this function alone.
    for other in ["", "--function tac", "--function issuing", "--function purchase --factor 0000000000000000"]
    {
        let refused = give(&desk, &format!("{named} {other}")).refused();
        assert!(refused.starts_with("the giving card: "), "{other}: {refused}");
    }
}

#[test]
fn what_the_record_does_not_have_is_no_answer() {
    let desk = desk("card-give-other");
    for (from, to) in
        [("--usage 27", "--usage 22"), ("--version 2", "--version 1"), ("CHIP", "8660636869703032")]
    {
        let refused = give(&desk, &GIVE.replace(from, to)).refused();
        assert!(refused.starts_with("the giving card: "), "{refused}");
    }
    desk.file("pin.hex", "123456");
    let refused = give(&desk, GIVE).refused();
    assert!(refused.starts_with("the key card: "), "{refused}");
    desk.file("pin.hex", "12");
    assert_eq!(give(&desk, GIVE).refused(), "a PIN is 2 to 8 bytes, found 1");
    desk.file("master.hex", "00112233445566778899AABBCCDDEEFF");
    let refused = give(&desk, GIVE).refused();
    assert!(refused.starts_with("the receiving card: "), "{refused}");
}

#[test]
fn blank_cards_and_arguments_that_name_nothing_are_wrong_use() {
    let desk = desk("card-give-usage");
    let blank = "a blank card in software has no keys: name a reader, or replay:FILE";
    for (argument, from, to) in [
        ("--key-card", "replay:DIR/city.record", "sim:city"),
        ("--reader", "replay:DIR/sam.record", "sim:sam"),
    ] {
        assert_eq!(give(&desk, &GIVE.replace(from, to)).usage(), format!("{argument}: {blank}"));
    }
    for (from, to, what) in [
        ("--usage 27", "--usage 2700", "a usage is 1 bytes, found 2"),
        ("--serial CHIP", "--serial 01", "a serial number is 8 bytes, found 1"),
        ("--usage 27", "--usage 27 --factor 0102", "a factor is 8 bytes, found 2"),
        ("--usage 27", "--usage 27 --application 3F", "a file identifier is 2 bytes, found 1"),
    ] {
        let usage = give(&desk, &GIVE.replace(from, to)).usage();
        assert!(usage.contains(what), "{usage}");
    }
}
