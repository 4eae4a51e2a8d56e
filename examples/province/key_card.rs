//! The key card of a city: the keys of the city go from it to SAMs, and no program sees them on the way.

use cardroot::apdu::secure::pboc::{CardKey, ExternalAuthKey};
use cardroot::card::{CardProfile, KeyCard as Kind};
use cardroot::diversify::Factor;
use cardroot::kms::issuing::{CardData, Plan};
use cardroot::kms::key_card::{self, OpenKeyCard};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, SoftCard, deliver, personalise, transport_key};

/// The officer's PIN, as the card compares it.
pub const PIN: [u8; 3] = [0x57, 0x93, 0x16];
/// Identifiers of the PIN and of the key that opens the card with it, as the plan says.
const PIN_ID: u8 = 0x00;
const OPENING_KEY: u8 = 0x01;
/// Version of the exchange key.
pub const EXCHANGE_VERSION: u8 = 1;

/// The key card of one city.
#[derive(Debug)]
pub struct KeyCard {
    reader: Reader,
    chip: [u8; 8],
}

impl KeyCard {
    /// Makes the card. Nobody has opened it then.
    pub fn issue(
        plan: &Plan,
        centre: &Centre,
        chip: [u8; 8],
        transport_master: &TdeaKey,
        exchange: &TdeaKey,
    ) -> Result<Self, Failure> {
        let transport = transport_key(transport_master, chip)?;
        let mut reader = deliver(CardProfile::key_card(Kind::City, chip), transport.duplicate().try_into()?);
        let mut keys = centre.keys.ring(Factor::from(chip))?;
        keys.insert_exchange_key(EXCHANGE_VERSION, exchange)?;
        personalise(&mut reader, plan, &keys, &CardData::new().with("pin", &PIN), &transport)?;
        Ok(Self { reader, chip })
    }

    /// The officer types a PIN, and the centre proves itself.
    pub fn open(&mut self, centre: &Centre, pin: &[u8]) -> Result<OpenKeyCard<'_, SoftCard>, Failure> {
        let key = centre.keys.external.card_key(Factor::from(self.chip));
        let key = ExternalAuthKey::from_key(CardKey::try_from(key.expose_key().duplicate())?);
        let card = key_card::KeyCard::select(&mut self.reader, APPLICATION)?;
        Ok(card.verify_pin(PIN_ID, pin)?.authenticate(OPENING_KEY, &key)?)
    }
}
