//! Key cards: keys go from one to the next, and from that of a city to its SAM, and no program sees them on the way.

use cardroot::apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use cardroot::apdu::commands::{select_file, verify};
use cardroot::apdu::secure::pboc::{CardKey, ExternalAuthKey, MasterKey};
use cardroot::card::{CardProfile, KeyCard as Kind};
use cardroot::diversify::Factor;
use cardroot::kms::issuing::{CardData, KeyRing, Plan};
use cardroot::kms::key_card::{self, KeyName, OpenKeyCard, Receiver};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, SoftCard, deliver, personalise, send, transport_key};

/// The officer's PIN, as the card compares it.
pub const PIN: [u8; 3] = [0x57, 0x93, 0x16];
/// Identifiers of the PIN and of the key that opens the card with it, as the plans say; an authentication card has that key under the same.
const PIN_ID: u8 = 0x00;
const OPENING_KEY: u8 = 0x01;
/// Kinds of keys that cards carry, as the plan of the mother card says.
pub const ENCRYPT: u8 = 7;
const PURCHASE: u8 = 2;
const EXCHANGE: u8 = 0x1E;
/// Slots in which that plan has the two that encrypt kept apart.
pub const INTERNAL: u8 = 0x01;
pub const EXTERNAL: u8 = 0x02;
/// Version of the exchange key that cards are made with, and of the one that the transport card brings: keys go under that.
pub const FIRST_EXCHANGE: u8 = 1;
pub const SECOND_EXCHANGE: u8 = 2;

/// A key card of the province or a city, or an authentication card.
#[derive(Debug)]
pub struct KeyCard {
    reader: Reader,
    chip: [u8; 8],
}

impl KeyCard {
    /// Makes the card. Nobody has opened it then.
    pub fn issue(
        plan: &Plan,
        kind: Kind,
        chip: [u8; 8],
        transport_master: &TdeaKey,
        keys: &KeyRing,
    ) -> Result<Self, Failure> {
        let transport = transport_key(transport_master, chip)?;
        let mut reader = deliver(CardProfile::key_card(kind, chip), transport.duplicate().try_into()?);
        personalise(&mut reader, plan, keys, &CardData::new().with("pin", &PIN), &transport)?;
        Ok(Self { reader, chip })
    }

    /// The officer types a PIN, and the centre proves itself.
    pub fn open(&mut self, centre: &Centre, pin: &[u8]) -> Result<OpenKeyCard<'_, SoftCard>, Failure> {
        let key = centre.keys.external.card_key(Factor::from(self.chip));
        let key = ExternalAuthKey::from_key(CardKey::try_from(key.expose_key().duplicate())?);
        let card = key_card::KeyCard::select(&mut self.reader, APPLICATION)?;
        Ok(card.verify_pin(PIN_ID, pin)?.authenticate(OPENING_KEY, &key)?)
    }

    /// The officer types a PIN, and the authentication card proves what no program has.
    pub fn open_by(&mut self, officer: &mut Self) -> Result<OpenKeyCard<'_, SoftCard>, Failure> {
        let card = key_card::KeyCard::select(&mut self.reader, APPLICATION)?;
        Ok(card.verify_pin(PIN_ID, &PIN)?.authenticate_by(OPENING_KEY, &mut officer.reader, OPENING_KEY)?)
    }

    /// An authentication card is put into its reader; what it was shown before is forgotten.
    pub fn insert(&mut self) -> Result<(), Failure> {
        self.reader.reset()?;
        send(&mut self.reader, &select_file(APPLICATION)).map(drop)
    }

    /// It is shown its own PIN: it proves nothing before.
    pub fn identify(&mut self) -> Result<(), Failure> {
        send(&mut self.reader, &verify(PIN_ID, &PIN)?).map(drop)
    }

    /// The card, open to its centre, so that it takes keys.
    pub fn receive(
        &mut self,
        kind: ReceiverKind,
        centre: &Centre,
    ) -> Result<Receiver<'_, SoftCard>, Failure> {
        receiver(&mut self.reader, kind, self.chip, centre)
    }
}

/// A card whose application its centre opens, so that it takes keys.
pub fn receiver<'c>(
    reader: &'c mut Reader,
    kind: ReceiverKind,
    chip: [u8; 8],
    centre: &Centre,
) -> Result<Receiver<'c, SoftCard>, Failure> {
    let master = centre.keys.application_control.card_key(Factor::from(chip));
    let master = MasterKey::from_key(CardKey::try_from(master.expose_key().duplicate())?);
    Ok(Receiver::open(reader, kind, chip, APPLICATION, &master)?)
}

/// The transport card brings a card the second exchange key, under the first.
pub fn renew_exchange_key(
    transport: &mut OpenKeyCard<'_, SoftCard>,
    receiver: &mut Receiver<'_, SoftCard>,
) -> Result<(), Failure> {
    let (usage, version) = (usage(0, EXCHANGE)?, SECOND_EXCHANGE);
    let key = KeyName { usage, version, exchange_version: FIRST_EXCHANGE, factors: &[] };
    Ok(transport.give(&key, receiver)?)
}

/// A key card gives the three keys that go from card to card and that it has `levels` above user cards, each dispersed by its factors:
/// internal authentication, external authentication, purchase. The version of a purchase key is that of the cards.
pub fn give_keys(
    giver: &mut OpenKeyCard<'_, SoftCard>,
    receiver: &mut Receiver<'_, SoftCard>,
    levels: u8,
    purchase_version: u8,
    factors: [&[[u8; 8]]; 3],
) -> Result<(), Failure> {
    let [encrypt, purchase] = [usage(levels, ENCRYPT)?, usage(levels, PURCHASE)?];
    let names = [(encrypt, INTERNAL), (encrypt, EXTERNAL), (purchase, purchase_version)];
    for ((usage, version), factors) in names.into_iter().zip(factors) {
        giver.give(&KeyName { usage, version, exchange_version: SECOND_EXCHANGE, factors }, receiver)?;
    }
    Ok(())
}

pub fn usage(levels: u8, kind: u8) -> Result<PsamKeyUsage, Failure> {
    PsamKeyUsage::new(levels, kind).ok_or_else(|| Failure("no such key usage".to_owned()))
}
