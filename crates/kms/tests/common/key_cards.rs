//! Key cards made by plans, opened, and cards that get keys from them.

use apdu::commands::FileId;
use apdu::commands::pboc::ReceiverKind;
use apdu::secure::pboc::{CardKey, ExternalAuthKey, MasterKey, SessionError};
use apdu::{Channel, CommandApdu, StatusWord, UnexpectedStatus};
use card::CardProfile;
use cardroot_kms::issuing::{KeyRing, Mode, Plan, Script};
use cardroot_kms::key_card::{KeyCard, KeyCardError, OpenKeyCard, Receiver};
use diversify::Factor;
use diversify::tree::purpose::{ApplicationControl, ExternalAuthentication, Function};
use tdea::TdeaKey;

use super::{CHIP, PIN, Reader, SoftCard, blank, city_key, data, random_key, ring};

pub(crate) const APPLICATION: FileId = FileId(0x3F01);
pub(crate) const SAM: &str = r#"
    name = "SAM of a key card"
    version = 1
    [card]
    master = { key = "issuing", tries = 3 }
    [[application]]
    id = 0x3F01
    name = "A00000000386980702"
    size = 0x0300
    keys = { size = 0x0180 }
    master = { key = "application control", tries = 3 }
    exchange-key = { version = 1 }
"#;

pub(crate) fn key_card_plan() -> Plan {
    include_str!("../data/key-card.toml").parse().unwrap()
}

pub(crate) fn with_exchange_key(key: &TdeaKey) -> KeyRing {
    let mut keys = ring(0, CHIP);
    keys.insert_exchange_key(1, key).unwrap();
    keys
}

pub(crate) fn made(plan: &Plan, keys: &KeyRing, profile: CardProfile) -> (Script, SoftCard) {
    let transport = random_key();
    let script = plan.script(keys, &data(), &transport, Mode::Production).unwrap();
    let mut card = blank(profile, &transport);
    script.issue(&mut Reader::steady(&mut card)).unwrap();
    card.reset();
    (script, card)
}

pub(crate) fn send(card: &mut SoftCard, command: &CommandApdu) -> Vec<u8> {
    Channel::new(card).transmit(command).unwrap().into_ok().unwrap().data().to_vec()
}

pub(crate) fn card_key<F: Function>() -> CardKey {
    let key = city_key::<F>(0).card_key(Factor::from(CHIP));
    CardKey::try_from(key.expose_key().duplicate()).unwrap()
}

pub(crate) fn officers_key() -> ExternalAuthKey {
    ExternalAuthKey::from_key(card_key::<ExternalAuthentication>())
}

pub(crate) fn opened(channel: &mut Channel<SoftCard>) -> OpenKeyCard<'_, SoftCard> {
    let giver = KeyCard::select(channel, APPLICATION).unwrap();
    giver.verify_pin(0x00, &PIN).unwrap().authenticate(0x01, &officers_key()).unwrap()
}

pub(crate) fn receiving(channel: &mut Channel<SoftCard>, kind: ReceiverKind) -> Receiver<'_, SoftCard> {
    let master = MasterKey::from_key(card_key::<ApplicationControl>());
    Receiver::open(channel, kind, CHIP, APPLICATION, &master).unwrap()
}

pub(crate) fn status<E: core::fmt::Debug>(error: SessionError<E>) -> StatusWord {
    match error {
        SessionError::Status(UnexpectedStatus(status)) => status,
        other => panic!("{other:?}"),
    }
}

/// The status by which the giving card refused.
pub(crate) fn refusal<G: core::fmt::Debug, R: core::fmt::Debug>(
    given: Result<(), KeyCardError<G, R>>,
) -> StatusWord {
    match given.unwrap_err() {
        KeyCardError::Giver(error) => status(error),
        other => panic!("{other:?}"),
    }
}

/// A key card that gets its keys from another one.
pub(crate) fn without_parent_keys(text: &str) -> String {
    let (start, end) = (text.find("sam-key").unwrap(), text.find("exchange-key").unwrap());
    format!("{}{}", &text[..start], &text[end..])
}
