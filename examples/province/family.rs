//! The family of cards that hand on keys: mother card, secondary card, the key card of each city, its SAM. A transport card brings them
//! their exchange keys, an authentication card opens the mother card.

use cardroot::apdu::commands::pboc::ReceiverKind;
use cardroot::card::KeyCard as Kind;
use cardroot::diversify::Factor;
use cardroot::diversify::tree::purpose::{ExternalAuthentication, InternalAuthentication, Purchase};
use cardroot::diversify::tree::{FunctionLabels, ParentKey};
use cardroot::kms::issuing::KeyRing;
use cardroot::kms::key_card::function_path;
use cardroot::tdea::{KeyLength, TdeaKey};
use getrandom::SysRng;
use rand_core::UnwrapErr;

use crate::Failure;
use crate::issue::STAGE;
use crate::key_card::{FIRST_EXCHANGE, KeyCard, PIN, SECOND_EXCHANGE, give_keys, renew_exchange_key};
use crate::keys::Centre;
use crate::plan::Inputs;
use crate::report::Report;
use crate::sam::Sam;

/// Chips of the cards that the province has one of.
const MOTHER: [u8; 8] = *b"MOTHER\0\0";
const OFFICER: [u8; 8] = *b"OFFICER\0";
const TRANSPORT: [u8; 8] = *b"TRANSP\0\0";
const SECONDARY: [u8; 8] = *b"SECOND\0\0";

/// What key cards and SAMs of the province have in common.
pub struct Family<'a> {
    transport_master: &'a TdeaKey,
    /// Every card of the family is made with it.
    first_exchange: TdeaKey,
    office: Centre,
    transport: KeyCard,
    secondary: KeyCard,
}

impl<'a> Family<'a> {
    /// The province makes its own cards, and the mother card gives the secondary card what the cities' keys come from.
    pub fn found(
        inputs: &Inputs,
        parent: &ParentKey,
        transport_master: &'a TdeaKey,
        report: &mut Report,
    ) -> Result<Self, Failure> {
        let fresh = || TdeaKey::generate(KeyLength::Double, &mut UnwrapErr(SysRng));
        let (first_exchange, second_exchange) = (fresh(), fresh());
        let office = Centre::office()?;
        let ring = |chip| ring(&office, chip, &first_exchange);

        let mut keys = ring(MOTHER)?;
        keys.insert_parent_key(parent)?;
        let mut mother = KeyCard::issue(&inputs.mother_card, Kind::Mother, MOTHER, transport_master, &keys)?;
        let mut keys = ring(OFFICER)?;
        keys.insert_opened_card_key(&office.keys.external.card_key(Factor::from(MOTHER)))?;
        let (plan, kind) = (&inputs.authentication_card, Kind::ExternalAuthentication);
        let mut officer = KeyCard::issue(plan, kind, OFFICER, transport_master, &keys)?;
        let mut keys = ring(TRANSPORT)?;
        keys.insert_exchange_key(SECOND_EXCHANGE, &second_exchange)?;
        let (plan, kind) = (&inputs.transport_card, Kind::Transport);
        let transport = KeyCard::issue(plan, kind, TRANSPORT, transport_master, &keys)?;
        let (plan, keys) = (&inputs.secondary_card, ring(SECONDARY)?);
        let secondary = KeyCard::issue(plan, Kind::Secondary, SECONDARY, transport_master, &keys)?;

        let mut family = Self { transport_master, first_exchange, office, transport, secondary };
        family.fill_secondary(&mut mother, &mut officer, parent.version(), report)?;
        Ok(family)
    }

    /// The parent key leaves the mother card as the province's key of each function.
    fn fill_secondary(
        &mut self,
        mother: &mut KeyCard,
        officer: &mut KeyCard,
        version: u8,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let mut transport = self.transport.open(&self.office, &PIN)?;
        renew_exchange_key(&mut transport, &mut mother.receive(ReceiverKind::Mother, &self.office)?)?;
        let mut secondary = self.secondary.receive(ReceiverKind::Secondary, &self.office)?;
        renew_exchange_key(&mut transport, &mut secondary)?;

        // Once somebody comes with the authentication card and does not know its PIN.
        officer.insert()?;
        if let Err(failure) = mother.open_by(officer) {
            report.refuse(STAGE, "mother card by an authentication card without its PIN".to_owned(), failure);
        }
        officer.identify()?;
        let labels = &FunctionLabels::V1;
        let paths = [
            function_path::<InternalAuthentication>(labels),
            function_path::<ExternalAuthentication>(labels),
            function_path::<Purchase>(labels),
        ];
        let factors = paths.each_ref().map(<[_; 2]>::as_slice);
        give_keys(&mut mother.open_by(officer)?, &mut secondary, 4, version, factors)
    }

    /// A city's key card, with keys from the secondary card, and the SAM that gets its keys from it.
    pub fn equip(
        &mut self,
        inputs: &Inputs,
        centre: &Centre,
        number: u8,
        report: &mut Report,
    ) -> Result<Sam, Failure> {
        let chip = |[a, b, c]: [u8; 3]| [a, b, c, 0, 0, 0, 0, number];
        let keys = ring(centre, chip(*b"KEY"), &self.first_exchange)?;
        let (plan, master) = (&inputs.key_card, self.transport_master);
        let mut key_card = KeyCard::issue(plan, Kind::City, chip(*b"KEY"), master, &keys)?;
        let keys = ring(centre, chip(*b"SAM"), &self.first_exchange)?;
        let mut sam = Sam::issue(&inputs.sam_card, chip(*b"SAM"), master, &keys)?;

        let mut transport = self.transport.open(&self.office, &PIN)?;
        let mut secondary = self.secondary.open(&self.office, &PIN)?;
        let purchase = &centre.keys.purchase;
        let city = purchase.place().city().ok_or_else(|| Failure("no city".to_owned()))?;
        let mut receiver = key_card.receive(ReceiverKind::City, centre)?;
        renew_exchange_key(&mut transport, &mut receiver)?;
        give_keys(&mut secondary, &mut receiver, 2, purchase.version(), [&[*city.as_bytes()]; 3])?;

        // Once somebody takes the card without its officer.
        if number == 1
            && let Err(failure) = key_card.open(centre, &[0x12, 0x34])
        {
            report.refuse(STAGE, format!("key card of {} without its PIN", centre.code), failure);
        }
        let mut receiver = sam.receive(centre)?;
        renew_exchange_key(&mut transport, &mut receiver)?;
        give_keys(&mut key_card.open(centre, &PIN)?, &mut receiver, 1, purchase.version(), [&[]; 3])?;
        Ok(sam)
    }
}

/// The keys of one card of the family.
fn ring(centre: &Centre, chip: [u8; 8], exchange: &TdeaKey) -> Result<KeyRing, Failure> {
    let mut keys = centre.keys.ring(Factor::from(chip))?;
    keys.insert_exchange_key(FIRST_EXCHANGE, exchange)?;
    Ok(keys)
}
