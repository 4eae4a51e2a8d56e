//! A city, its cards, and a reader that loses power.
#![allow(dead_code, reason = "every test file uses a part of it")]

pub(crate) mod key_cards;

use apdu::{CardTransport, Channel};
use card::{Card, CardProfile};
use cardroot_kms::issuing::{CardData, KeyRing, Mode, Plan, Script};
use diversify::Factor;
use diversify::tree::purpose::{
    ApplicationControl, CardMaintenance, ExternalAuthentication, Function, Inquiry, InternalAuthentication,
    Issuing, LineProtection, Purchase, Recharge, Tac,
};
use diversify::tree::{CityKey, Origin};
use getrandom::SysRng;
use rand_core::UnwrapErr;
use tdea::{KeyLength, TdeaKey};

pub(crate) type SoftCard = Card<UnwrapErr<SysRng>>;

pub(crate) const CHIP: [u8; 8] = [0x86, 0x60, 0x11, 0x08, 0x16, 0, 0, 1];
pub(crate) const PIN: [u8; 2] = [0x12, 0x34];

pub(crate) fn rng() -> UnwrapErr<SysRng> {
    UnwrapErr(SysRng)
}

pub(crate) fn random_key() -> TdeaKey {
    TdeaKey::generate(KeyLength::Double, &mut rng())
}

pub(crate) fn city_key<F: Function>(seed: u8) -> CityKey<F> {
    // One key a function, and never a weak one.
    let code = F::ID.code();
    let key = TdeaKey::from(core::array::from_fn::<u8, 16, _>(|i| {
        (u8::try_from(i).unwrap() * 11) ^ code.wrapping_mul(29) ^ seed
    }));
    CityKey::from_key(key, Origin::city(1, Factor::from(*b"3701\xFF\xFF\xFF\xFF"))).unwrap()
}

/// The keys of one card, and those of its city that a SAM takes; another seed is another city.
pub(crate) fn ring(seed: u8, card: [u8; 8]) -> KeyRing {
    let mut ring = KeyRing::new();
    let factor = Factor::from(card);
    ring.insert_card_key(&city_key::<Issuing>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<CardMaintenance>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<ApplicationControl>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<LineProtection>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<InternalAuthentication>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<ExternalAuthentication>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<Inquiry>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<Tac>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<Purchase>(seed).card_key(factor)).unwrap();
    ring.insert_card_key(&city_key::<Recharge>(seed).card_key(factor)).unwrap();
    ring.insert_city_key(&city_key::<InternalAuthentication>(seed)).unwrap();
    ring.insert_city_key(&city_key::<Purchase>(seed)).unwrap();
    ring
}

pub(crate) fn data() -> CardData {
    CardData::new()
        .with("pin", &PIN)
        .with("serial", &[0x37, 0x01, 0x00, 0x26, 0, 0, 0, 0, 0, 0x01])
        .with("holder", b"Ada")
        .with("long", &core::array::from_fn::<u8, 300, _>(|i| u8::try_from(i % 251).unwrap()))
}

pub(crate) fn user_plan() -> Plan {
    include_str!("../data/user-card.toml").parse().unwrap()
}

pub(crate) fn sam_plan() -> Plan {
    include_str!("../data/sam-card.toml").parse().unwrap()
}

pub(crate) fn script(plan: &Plan, transport: &TdeaKey) -> Script {
    plan.script(&ring(0, CHIP), &data(), transport, Mode::Production).unwrap()
}

pub(crate) fn blank(profile: CardProfile, transport: &TdeaKey) -> SoftCard {
    Card::blank(profile, transport.duplicate().try_into().unwrap(), rng())
}

/// A reader that loses power at a command: the card has not had it yet, or has had it and its answer is lost.
pub(crate) struct Reader<'c> {
    card: &'c mut SoftCard,
    left: usize,
    executes: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
#[error("the card lost its power")]
pub(crate) struct Torn;

impl<'c> Reader<'c> {
    pub(crate) fn cut_at(card: &'c mut SoftCard, left: usize, executes: bool) -> Channel<Self> {
        Channel::new(Self { card, left, executes })
    }

    pub(crate) fn steady(card: &'c mut SoftCard) -> Channel<Self> {
        Self::cut_at(card, usize::MAX, true)
    }
}

impl CardTransport for Reader<'_> {
    type Error = Torn;

    fn transmit(&mut self, command: &[u8], response: &mut [u8]) -> Result<usize, Torn> {
        if self.left == 0 {
            if self.executes {
                self.card.transmit(command, response).unwrap();
            }
            self.card.reset();
            return Err(Torn);
        }
        self.left -= 1;
        Ok(self.card.transmit(command, response).unwrap())
    }
}
