//! Issuing: every city makes its SAM, then its user cards, and the SAM tries each card before it goes out.

use std::collections::{BTreeMap, HashSet};
use std::time::Instant;

use cardroot::apdu::commands::pboc::{
    Access, CreateEf, EfKind, KeyUse, LineKeyIds, PinRecord, ReadProtection, WriteKeyAction,
};
use cardroot::apdu::commands::{BinaryAddress, FileId, Sfi, update_binary};
use cardroot::apdu::secure::pboc::{LineKey, MasterKey, Protection};
use cardroot::card::{CardProfile, TransportKey};
use cardroot::diversify::profile::{DispersionProfile, Field, Identity, Source, Value};
use cardroot::diversify::{Factor, LevelId};
use cardroot::pin::{Pan, Pin};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::keys::{Centre, CityKeys};
use crate::perso::{Reader, Station, attributes, card_key, deliver, transport_key, tries};
use crate::plan::{CardRow, Inputs};
use crate::report::{Report, progress};
use crate::sam::{EXTERNAL_KEY, INTERNAL_KEY, PUBLIC_FILE, Sam};

const STAGE: &str = "cards";
const HOLDER_FILE: u8 = 0x16;
const PUBLIC_LEN: usize = 30;
const HOLDER_LEN: usize = 39;
/// Serial number of a blank that never came from the card maker: it has the key that the whole world knows.
const SWAPPED: [u8; 8] = [0xFF; 8];

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
    centres: &[Centre],
    transport_master: &TdeaKey,
    report: &mut Report,
) -> Result<Issued, Failure> {
    let started = Instant::now();
    let profile = inputs.plan.province.dispersion_profile()?;
    let mut cities = Issued::new();
    for (number, centre) in (1_u8..).zip(centres) {
        let sam = Sam::issue(centre, [0x53, 0x41, 0x4D, 0, 0, 0, 0, number], transport_master)?;
        let forged = forge(transport_master)?;
        cities.insert(centre.code.clone(), IssuedCity { sam, cards: vec![], forged });
    }
    let mut desk =
        Desk { profile, transport_master, keys: HashSet::new(), serials: HashSet::new(), commands: 0 };
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
        self.commands += personalise(&mut reader, transport, &centre.keys, &order, row)?;
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

/// Makes a blank card a user card: keys under the loading rules, files under line protection. Returns how many commands
/// it took.
fn personalise(
    reader: &mut Reader,
    transport: TdeaKey,
    keys: &CityKeys,
    order: &Order,
    row: &CardRow,
) -> Result<usize, Failure> {
    let factor = order.factor;
    let (mut station, card_master) =
        Station::take_over(reader, transport, card_key(&keys.issuing.card_key(factor))?)?;
    let maintenance = card_key(&keys.card_maintenance.card_key(factor))?;
    station.add_key(0, KeyUse::Line(tries(3)?), &maintenance, &card_master)?;

    let master = card_key(&keys.application_control.card_key(factor))?;
    let master = station.open_application(&card_master, master)?;
    let line = card_key(&keys.line_protection.card_key(factor))?;
    station.add_key(0, KeyUse::Line(tries(3)?), &line, &master)?;
    load_application_keys(&mut station, keys, factor, &master)?;
    let pin = PinRecord { usage: Access::ALWAYS, follow_state: 0x01, tries: tries(3)?, pin: &order.pin };
    station
        .send_for_challenge(|challenge| Ok(pin.protected(WriteKeyAction::Add, 0, &master, challenge)?))?;

    let line = LineKey::from_key(line);
    write_file(&mut station, PUBLIC_FILE, &public_file(row, order), &line)?;
    write_file(&mut station, HOLDER_FILE, &holder_file(row), &line)?;
    Ok(station.commands)
}

fn load_application_keys(
    station: &mut Station<'_>,
    keys: &CityKeys,
    factor: Factor,
    master: &MasterKey,
) -> Result<(), Failure> {
    let terminal = KeyUse::ExternalAuthenticate { follow_state: 0x02, tries: tries(5)? };
    let writer = KeyUse::ExternalAuthenticate { follow_state: 0x03, tries: tries(5)? };
    let version = attributes(keys.internal.version());
    let list = [
        (0x00, KeyUse::DesEncrypt(version), card_key(&keys.city_internal.card_key(factor))?),
        (INTERNAL_KEY, KeyUse::DesEncrypt(version), card_key(&keys.internal.card_key(factor))?),
        (EXTERNAL_KEY, terminal, card_key(&keys.external.card_key(factor))?),
        (0x02, writer, card_key(&keys.local_file_update.card_key(factor))?),
        (0x00, KeyUse::Tac(version), card_key(&keys.tac.card_key(factor))?),
        (0x01, KeyUse::Purchase(version), card_key(&keys.purchase.card_key(factor))?),
        (0x01, KeyUse::Load(version), card_key(&keys.recharge.card_key(factor))?),
    ];
    list.into_iter().try_for_each(|(id, key_use, key)| station.add_key(id, key_use, &key, master))
}

fn write_file(station: &mut Station<'_>, sfi: u8, content: &[u8], line: &LineKey) -> Result<(), Failure> {
    let file = CreateEf {
        id: FileId(u16::from(sfi)),
        kind: EfKind::Binary { size: u16::try_from(content.len())? },
        read: Access::ALWAYS,
        write: Access::ALWAYS,
        protection: Some(Protection::Mac),
        read_protection: ReadProtection::Free,
        line_keys: LineKeyIds::ZERO,
    };
    station.send(&file.command())?;
    let sfi = Sfi::new(sfi).ok_or_else(|| Failure(format!("{sfi} is no short file identifier")))?;
    let command = update_binary(BinaryAddress::in_file(sfi, 0), content)?;
    station.send_protected(&command, Protection::Mac, line)
}

/// File 0015: issuer (8), type, version, application serial number (10), start (4), expiry (4), own data (2).
fn public_file(row: &CardRow, order: &Order) -> [u8; PUBLIC_LEN] {
    let mut file = [0xFF; PUBLIC_LEN];
    let code = row.city.as_bytes();
    let (issuer, rest) = file.split_at_mut(8);
    issuer.iter_mut().zip(code).for_each(|(byte, digit)| *byte = *digit);
    let fixed =
        [&[0x01, 0x01][..], &order.serial, &[0x20, 0x26, 0x11, 0x21, 0x20, 0x36, 0x11, 0x20, 0x00, 0x00]];
    rest.copy_from_slice(&fixed.concat());
    file
}

/// File 0016: type of holder, own staff or not, name (20), identity (16), type of identity.
fn holder_file(row: &CardRow) -> [u8; HOLDER_LEN] {
    let mut file = [0x00; HOLDER_LEN];
    for (byte, letter) in file.iter_mut().skip(2).take(20).zip(row.holder.bytes()) {
        *byte = letter;
    }
    file
}

/// A PIN as these cards compare it: two digits a byte, filled up by F.
fn bcd_pin(pin: &Pin) -> Vec<u8> {
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
fn forge(transport_master: &TdeaKey) -> Result<Reader, Failure> {
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
        pin: vec![0x12, 0x34],
    };
    let keys = CityKeys::made_up()?;
    personalise(&mut reader, transport, &keys, &order, &row)?;
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
            format!("1 SAM, {cards} user cards"),
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
