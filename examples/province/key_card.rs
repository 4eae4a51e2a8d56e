//! Key cards: keys go from the province's to those of cities, and from these to SAMs, and no program sees them on the way.

use cardroot::apdu::commands::pboc::{PsamKeyUsage, ReceiverKind};
use cardroot::apdu::secure::pboc::{CardKey, ExternalAuthKey, MasterKey};
use cardroot::card::{CardProfile, KeyCard as Kind};
use cardroot::diversify::Factor;
use cardroot::kms::issuing::{CardData, KeyRing, Plan};
use cardroot::kms::key_card::{self, KeyName, OpenKeyCard, Receiver};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, SoftCard, deliver, personalise, transport_key};

/// The officer's PIN, as the card compares it.
pub const PIN: [u8; 3] = [0x57, 0x93, 0x16];
/// Identifiers of the PIN and of the key that opens the card with it, as the plan says.
const PIN_ID: u8 = 0x00;
const OPENING_KEY: u8 = 0x01;
/// Kinds of keys that cards carry, as the plan of the secondary card says.
pub const ENCRYPT: u8 = 7;
const PURCHASE: u8 = 2;
/// Slots in which that plan has the two that encrypt kept apart.
pub const INTERNAL: u8 = 0x01;
pub const EXTERNAL: u8 = 0x02;
/// Version of the exchange key.
pub const EXCHANGE_VERSION: u8 = 1;

/// A key card: the secondary one of the province, or that of a city.
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

    /// A city's card takes the keys of its city from the secondary card, which disperses them on the way.
    pub fn take_from(
        &mut self,
        secondary: &mut OpenKeyCard<'_, SoftCard>,
        centre: &Centre,
    ) -> Result<(), Failure> {
        let city = centre.keys.purchase.place().city().ok_or_else(|| Failure("no city".to_owned()))?;
        let mut receiver = receiver(&mut self.reader, ReceiverKind::City, self.chip, centre)?;
        for (usage, version) in carried(2, centre)? {
            let key =
                KeyName { usage, version, exchange_version: EXCHANGE_VERSION, factors: &[*city.as_bytes()] };
            secondary.give(&key, &mut receiver)?;
        }
        Ok(())
    }

    /// The officer types a PIN, and the centre proves itself.
    pub fn open(&mut self, centre: &Centre, pin: &[u8]) -> Result<OpenKeyCard<'_, SoftCard>, Failure> {
        let key = centre.keys.external.card_key(Factor::from(self.chip));
        let key = ExternalAuthKey::from_key(CardKey::try_from(key.expose_key().duplicate())?);
        let card = key_card::KeyCard::select(&mut self.reader, APPLICATION)?;
        Ok(card.verify_pin(PIN_ID, pin)?.authenticate(OPENING_KEY, &key)?)
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

/// The keys that go from card to card, `levels` above user cards. The version of a purchase key is that of the cards.
pub fn carried(levels: u8, centre: &Centre) -> Result<[(PsamKeyUsage, u8); 3], Failure> {
    let [encrypt, purchase] = [usage(levels, ENCRYPT)?, usage(levels, PURCHASE)?];
    Ok([(encrypt, INTERNAL), (encrypt, EXTERNAL), (purchase, centre.keys.purchase.version())])
}

pub fn usage(levels: u8, kind: u8) -> Result<PsamKeyUsage, Failure> {
    PsamKeyUsage::new(levels, kind).ok_or_else(|| Failure("no such key usage".to_owned()))
}
