//! Issuing: the family of key cards with its SAMs, then the user cards, which the SAM of their city tries before they go out.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use cardroot::card::{CardProfile, TransportKey};
use cardroot::diversify::profile::{DispersionProfile, Field, Identity, Source, Value};
use cardroot::diversify::tree::ParentKey;
use cardroot::diversify::{Factor, LevelId};
use cardroot::kms::issuing::{CardData, Plan};
use cardroot::pin::{Pan, Pin};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::family::Family;
use crate::keys::{Centre, CityKeys};
use crate::perso::{Reader, deliver, personalise, transport_key};
use crate::plan::{CardRow, Inputs};
use crate::report::{Report, progress};
use crate::sam::Sam;

pub const STAGE: &str = "cards";
/// Serial number of a blank that never came from the card maker: it has the key that the whole world knows.
const SWAPPED: [u8; 8] = [0xFF; 8];

/// The PIN that the forger gave the forged card.
pub const FORGED_PIN: [u8; 2] = [0x12, 0x34];

/// A card that went out.
#[derive(Debug)]
pub struct IssuedCard {
    pub serial: [u8; 10],
    pub row: CardRow,
    pub reader: Reader,
}

/// What a city has once its cards are issued.
#[derive(Debug)]
pub struct IssuedCity {
    pub sam: Sam,
    pub cards: Vec<IssuedCard>,
    /// A copy of a card of this city: it says the same, but does not have the keys.
    pub forged: Reader,
}

pub type Issued = BTreeMap<String, IssuedCity>;

/// Issues all cards that can be issued; the others are refused one by one.
pub fn issue(
    inputs: &Inputs,
    (parent, centres): (&ParentKey, &[Centre]),
    transport_master: &TdeaKey,
    report: &mut Report,
) -> Result<Issued, Failure> {
    let started = Instant::now();
    let profile = inputs.plan.province.dispersion_profile()?;
    let mut cities = Issued::new();
    let mut family = Family::found(inputs, parent, transport_master, report)?;
    for (number, centre) in (1_u8..).zip(centres) {
        let sam = family.equip(inputs, centre, number, report)?;
        let forged = forge(&inputs.user_card, transport_master)?;
        cities.insert(centre.code.clone(), IssuedCity { sam, cards: vec![], forged });
    }
    let mut desk = Desk {
        plan: &inputs.user_card,
        profile,
        transport_master,
        keys: HashSet::new(),
        serials: HashSet::new(),
        commands: 0,
    };
    let bar = progress("issuing cards", inputs.cards.len());
    for row in &inputs.cards {
        if let Err(failure) = desk.issue(row, centres, &mut cities) {
            report.refuse(STAGE, format!("{} of {}", row.holder, row.city), failure);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    summarise(&cities, centres, desk.commands, started, report)?;
    Ok(cities)
}

/// Issues card after card and remembers what may not come twice.
struct Desk<'a> {
    plan: &'a Plan,
    profile: DispersionProfile<'static>,
    transport_master: &'a TdeaKey,
    serials: HashSet<[u8; 10]>,
    keys: HashSet<(String, Factor)>,
    commands: usize,
}

/// A row of the input that can be made a card.
struct Order {
    chip: [u8; 8],
    serial: [u8; 10],
    factor: Factor,
    pin: Vec<u8>,
}

impl Desk<'_> {
    fn issue(&mut self, row: &CardRow, centres: &[Centre], cities: &mut Issued) -> Result<(), Failure> {
        let unknown = || Failure(format!("city {} is not of this province", row.city));
        let centre = centres.iter().find(|centre| centre.code == row.city).ok_or_else(unknown)?;
        let city = cities.get_mut(&row.city).ok_or_else(unknown)?;
        let order = self.check(row)?;
        let transport = transport_key(self.transport_master, order.chip)?;
        let delivered = match order.chip {
            SWAPPED => TransportKey::fmcos_default(),
            _ => transport.duplicate().try_into()?,
        };
        let mut reader = deliver(CardProfile::user(order.chip), delivered);
        let keys = centre.keys.ring(order.factor)?;
        self.commands += personalise(&mut reader, self.plan, &keys, &card_data(row, &order), &transport)?;
        city.sam.authenticate(&mut reader)?;
        self.serials.insert(order.serial);
        self.keys.insert((row.city.clone(), order.factor));
        city.cards.push(IssuedCard { serial: order.serial, row: row.clone(), reader });
        Ok(())
    }

    /// Everything that can be wrong with a row is found before a blank card is touched.
    fn check(&self, row: &CardRow) -> Result<Order, Failure> {
        let chip = fixed_hex(&row.chip_serial, "chip serial number")?;
        let fields = [
            Field { source: Source::CityCode, value: Value::Text(&row.city) },
            Field { source: Source::AppSerial, value: Value::Text(&row.application_serial) },
        ];
        let factor = self.profile.factor(LevelId::Card, &Identity::new(&fields))?;
        let serial = fixed_hex(&row.application_serial, "application serial number")?;
        Pan::from_ascii_digits(row.pan.as_bytes())?.verify_luhn()?;
        let pin = bcd_pin(&Pin::from_ascii_digits(row.pin.as_bytes())?);
        if self.serials.contains(&serial) {
            return Err(Failure("a card with this application serial number is out already".to_owned()));
        }
        if self.keys.contains(&(row.city.clone(), factor)) {
            return Err(Failure("another card of the city has the same keys".to_owned()));
        }
        Ok(Order { chip, serial, factor, pin })
    }
}

/// What the plan of a user card asks for besides keys.
fn card_data(row: &CardRow, order: &Order) -> CardData {
    CardData::new()
        .with("issuer", row.city.as_bytes())
        .with("serial", &order.serial)
        .with("holder", row.holder.as_bytes())
        .with("pin", &order.pin)
}

/// A PIN as these cards compare it: two digits a byte, filled up by F.
pub fn bcd_pin(pin: &Pin) -> Vec<u8> {
    let (pairs, rest) = pin.expose_digits().as_chunks();
    let last = rest.iter().map(|digit| digit << 4 | 0x0F);
    pairs.iter().map(|[high, low]| high << 4 | low & 0x0F).chain(last).collect()
}

fn fixed_hex<const N: usize>(hex: &str, what: &str) -> Result<[u8; N], Failure> {
    let error = || Failure(format!("the {what} is not {} digits", 2 * N));
    let bytes = base16ct::mixed::decode_vec(hex).map_err(|_| error())?;
    bytes.try_into().map_err(|_| error())
}

/// A card that copies what anybody can read of a real one. Its maker does not have the city's keys.
fn forge(plan: &Plan, transport_master: &TdeaKey) -> Result<Reader, Failure> {
    let chip = [0x0F; 8];
    let transport = transport_key(transport_master, chip)?;
    let mut reader = deliver(CardProfile::user(chip), transport.duplicate().try_into()?);
    let row = CardRow {
        chip_serial: String::new(),
        city: "3701".to_owned(),
        application_serial: String::new(),
        pan: String::new(),
        holder: "Forged Card".to_owned(),
        pin: String::new(),
    };
    let order = Order {
        chip,
        serial: [0x37, 0x01, 0x00, 0x26, 0, 0, 0, 0, 0, 0x01],
        factor: Factor::from(chip),
        pin: FORGED_PIN.to_vec(),
    };
    let keys = CityKeys::made_up()?.ring(order.factor)?;
    personalise(&mut reader, plan, &keys, &card_data(&row, &order), &transport)?;
    Ok(reader)
}

fn summarise(
    cities: &Issued,
    centres: &[Centre],
    commands: usize,
    started: Instant,
    report: &mut Report,
) -> Result<(), Failure> {
    let total: usize = cities.values().map(|city| city.cards.len()).sum();
    let rows = centres.iter().map(|centre| {
        let cards = cities.get(&centre.code).map_or(0, |city| city.cards.len());
        let kcv = centre.keys.internal.kcv();
        [
            centre.code.clone(),
            centre.name.clone(),
            format!("1 key card, 1 SAM, {cards} user cards"),
            format!("internal authentication {kcv}"),
        ]
    });
    report.section("Cities: what was issued, and a check value to compare by telephone", rows.collect());
    let records = cities.iter().flat_map(|(code, city)| {
        city.cards.iter().map(move |card| {
            [code.clone(), card.row.chip_serial.clone(), card.row.application_serial.clone()]
        })
    });
    report.record("cards.csv", &["city", "chip serial", "application serial"], records)?;
    report.timing("issuing", started, |seconds| {
        format!(
            "{total} user cards over {commands} APDUs, {:.0} cards/s; each authenticated by its SAM",
            total as f64 / seconds
        )
    });
    Ok(())
}
