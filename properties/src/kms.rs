//! Card plans, from any text to a card.

use ::apdu::Channel;
use ::card::{Card, CardProfile, TransportKey};
use ::diversify::Factor;
use ::diversify::tree::purpose::{Derived, ExternalAuthentication, Function, FunctionVisitor, PurposeId};
use ::diversify::tree::{CityKey, Origin, ParentKey, ProvinceKey};
use ::kms::issuing::{CardData, KeyRing, Mode, Plan};
use ::tdea::TdeaKey;

use crate::Reach;
use crate::rng::SeededRng;

const TRANSPORT: [u8; 16] = *b"transport key 16";
const PARENT: [u8; 16] = *b"the parent key 1";
/// Versions 1 and 2.
const EXCHANGE: [[u8; 16]; 2] = [*b"one exchange key", *b"the exchange key"];
const PIN: [u8; 6] = *b"\x57\x93\x57\x93\x5A\xA5";

/// Any text is a plan or is refused; a plan, with all keys of a city and a card and some data, is a script or is refused. The
/// dry run of a script is the same each time, has one line for a step, and shows no key and no PIN. A card in software takes the
/// script or refuses it, at one of its steps, and can be compared with it and finished by it then.
///
/// Input: the text.
pub fn plan_parse_is_total(data: &[u8]) -> Reach {
    let Ok(plan) = core::str::from_utf8(data).map_or(Err(()), |text| text.parse::<Plan>().map_err(drop))
    else {
        return Reach::Refused;
    };
    let transport = TdeaKey::from(TRANSPORT);
    let Ok(script) = plan.script(&ring(&plan), &card_data(), &transport, Mode::Production) else {
        return Reach::Refused;
    };
    assert_eq!(script.to_string(), script.to_string());
    let steps: Vec<_> = script.steps().map(|(place, what)| format!("{place} {what}")).collect();
    assert_eq!(steps.len(), script.len());
    for secret in secrets() {
        assert!(!steps.iter().any(|step| step.contains(&secret)), "the dry run shows a secret");
    }

    let serial = *b"\x86\x60serial";
    // It takes what a key card takes.
    let is_sam = plan
        .application
        .iter()
        .any(|application| !application.sam_key.is_empty() || !application.exchange_key.is_empty());
    let profile = if is_sam { CardProfile::sam(serial) } else { CardProfile::user(serial) };
    let mut card =
        Card::blank(profile, TransportKey::try_from(transport).expect("of double length"), SeededRng::new(0));
    let issued = script.issue(&mut Channel::new(&mut card));
    if let Err(error) = &issued {
        assert!((1..=script.len()).contains(&error.step));
    }
    card.reset();
    let rng = &mut SeededRng::new(1);
    let comparison = script.compare(&mut Channel::new(&mut card), rng).expect("the link holds");
    assert!(comparison.len() <= script.len());
    card.reset();
    let finished = script.resume(&mut Channel::new(&mut card), rng);
    if issued.is_ok() && finished.is_ok() { Reach::Held } else { Reach::Refused }
}

/// One key a function, and never a weak one.
fn city_key(function: PurposeId) -> TdeaKey {
    TdeaKey::from(core::array::from_fn::<u8, 16, _>(|i| {
        u8::try_from(11 * i).unwrap() ^ function.code().wrapping_mul(29)
    }))
}

fn city() -> Origin {
    Origin::city(1, Factor::from(*b"3701\xFF\xFF\xFF\xFF"))
}

/// The keys of every function, of a province, a city and one of its cards; the parent key; the key of a card that this one opens; one
/// exchange key, or two for a plan that has several.
fn ring(plan: &Plan) -> KeyRing {
    let mut ring = KeyRing::new();
    for function in PurposeId::ALL {
        function.visit_function(Insert(&mut ring));
    }
    let parent = ParentKey::from_key(TdeaKey::from(PARENT), Origin::province(1)).unwrap();
    ring.insert_parent_key(&parent).unwrap();
    let city =
        CityKey::<ExternalAuthentication>::from_key(city_key(ExternalAuthentication::ID), city()).unwrap();
    ring.insert_opened_card_key(&city.card_key(Factor::from(*b"card 002"))).unwrap();
    let has_several = plan.application.iter().any(|application| application.exchange_key.len() > 1);
    for (version, key) in (1..=if has_several { 2 } else { 1 }).zip(EXCHANGE) {
        ring.insert_exchange_key(version, &TdeaKey::from(key)).unwrap();
    }
    ring
}

struct Insert<'a>(&'a mut KeyRing);

impl FunctionVisitor for Insert<'_> {
    type Output = ();

    fn visit<F: Function>(self) {
        let city = CityKey::<F>::from_key(city_key(F::ID), city()).unwrap();
        let province = ProvinceKey::<F>::from_key(city_key(F::ID), Origin::province(1)).unwrap();
        self.0.insert_province_key(&province).unwrap();
        self.0.insert_city_key(&city).unwrap();
        self.0.insert_card_key(&city.card_key(Factor::from(*b"card 001"))).unwrap();
    }
}

fn card_data() -> CardData {
    CardData::new()
        .with("pin", &PIN)
        .with("issuer", b"3701")
        .with("serial", &[0x37, 0x01, 0x00, 0x26, 0, 0, 0, 0, 0, 0x01])
        .with("holder", b"Ada Lovelace")
        .with("long", &[0x5A; 300])
}

/// The city's keys, the other keys of the ring, the transport key and the PIN, in the hexadecimal digits that a text would have.
fn secrets() -> impl Iterator<Item = String> {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    let keys = PurposeId::ALL.iter().map(move |function| hex(city_key(*function).expose_bytes()));
    keys.chain([&TRANSPORT, &PARENT].map(|key| hex(key)))
        .chain(EXCHANGE.map(|key| hex(&key)))
        .chain([hex(&PIN)])
}
