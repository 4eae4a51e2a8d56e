//! The key card of a city: the keys of the city go from it to SAMs, and no program sees them on the way.

use cardroot::apdu::commands::pboc::{ExportKey, PsamKeyUsage, import_key};
use cardroot::apdu::commands::{ChallengeLength, FileId, get_challenge, select_file, verify};
use cardroot::apdu::secure::pboc::{CardKey, Challenged, ExternalAuthKey};
use cardroot::card::{CardKind, CardProfile, KeyCard as Kind};
use cardroot::diversify::Factor;
use cardroot::kms::issuing::{CardData, Plan};
use cardroot::tdea::TdeaKey;

use crate::Failure;
use crate::keys::Centre;
use crate::perso::{APPLICATION, Reader, deliver, personalise, send, transport_key};

/// The officer's PIN, as the card compares it.
const PIN: [u8; 3] = [0x57, 0x93, 0x16];
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
        send(&mut reader, &select_file(FileId::MASTER))?;
        send(&mut reader, &select_file(APPLICATION))?;
        Ok(Self { reader, chip })
    }

    /// The officer types the PIN, and the centre proves itself.
    pub fn open(&mut self, centre: &Centre) -> Result<(), Failure> {
        send(&mut self.reader, &verify(PIN_ID, &PIN)?)?;
        let key = centre.keys.external.card_key(Factor::from(self.chip));
        let key = ExternalAuthKey::from_key(CardKey::try_from(key.expose_key().duplicate())?);
        let challenged = Challenged::request(&mut self.reader, ChallengeLength::Eight)?;
        challenged.external_authenticate(OPENING_KEY, &key)?.into_ok()?;
        Ok(())
    }

    /// Gives a key to a SAM whose application is open to its centre.
    pub fn give(
        &mut self,
        sam: &mut Reader,
        sam_chip: [u8; 8],
        usage: PsamKeyUsage,
        version: u8,
    ) -> Result<(), Failure> {
        let challenge = send(sam, &get_challenge(ChallengeLength::Eight))?;
        let export = ExportKey {
            usage,
            version,
            transport_version: EXCHANGE_VERSION,
            receiver_kind: CardKind::Sam.code(),
            receiver_serial: sam_chip,
            challenge: challenge.as_slice().try_into()?,
            factors: &[],
        };
        let wrapped = send(&mut self.reader, &export.command()?)?;
        send(sam, &import_key(EXCHANGE_VERSION, &wrapped)?)?;
        Ok(())
    }
}
