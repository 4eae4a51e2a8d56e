//! What a card is before anybody has written to it.

use crate::system::CardSystem;

/// What a card is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CardKind {
    /// A user card: the holder's, with the holder's keys.
    User,
    /// A secure access module (SAM, PSAM): a terminal's, with parent keys from which it derives those of user cards.
    Sam,
    /// A key card: carries parent keys to other cards and does nothing else with them.
    KeyCard(KeyCard),
}

/// Kinds of key cards, from the root of the provincial system down.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyCard {
    /// Parent key card (mother card): gives keys to secondary cards.
    #[doc(alias = "master-control mother card")]
    Mother,
    /// Secondary key card of the province: gives keys to city cards.
    Secondary,
    /// City master card: gives keys to SAMs.
    City,
    /// Transport card: gives transport keys to SAMs and other key cards, and no other key.
    Transport,
    /// External authentication card: proves its holder to another key card by INTERNAL AUTHENTICATE, gives no key.
    ExternalAuthentication,
}

impl KeyCard {
    /// Every kind there is.
    pub const ALL: [Self; 5] =
        [Self::Mother, Self::Secondary, Self::City, Self::Transport, Self::ExternalAuthentication];
}

impl CardKind {
    /// The byte that names the kind in EXPORT KEY.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::User => 0x00,
            Self::Sam => 0x01,
            Self::KeyCard(KeyCard::Mother) => 0x02,
            Self::KeyCard(KeyCard::Secondary) => 0x03,
            Self::KeyCard(KeyCard::City) => 0x04,
            Self::KeyCard(KeyCard::Transport) => 0x05,
            Self::KeyCard(KeyCard::ExternalAuthentication) => 0x06,
        }
    }

    pub(crate) fn from_code(code: u8) -> Option<Self> {
        let key_cards = KeyCard::ALL.map(Self::KeyCard);
        [Self::User, Self::Sam].into_iter().chain(key_cards).find(|kind| kind.code() == code)
    }
}

/// What the factory decides about a card: kind, serial number and operating system.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CardProfile {
    kind: CardKind,
    serial: [u8; CardProfile::SERIAL_LEN],
    system: CardSystem,
}

impl CardProfile {
    /// Length of the serial number in bytes: card maker (2), serial number (6).
    pub const SERIAL_LEN: usize = 8;
    /// Length of the answer to reset in bytes.
    pub const ATR_LEN: usize = 17;
    /// Memory of the card in bytes, as an FM1208-09 has it.
    pub(crate) const MEMORY: usize = 8192;

    /// A user card.
    #[must_use]
    pub const fn user(serial: [u8; Self::SERIAL_LEN]) -> Self {
        Self::new(CardKind::User, serial)
    }

    /// A secure access module.
    #[must_use]
    pub const fn sam(serial: [u8; Self::SERIAL_LEN]) -> Self {
        Self::new(CardKind::Sam, serial)
    }

    /// A key card.
    #[must_use]
    pub const fn key_card(kind: KeyCard, serial: [u8; Self::SERIAL_LEN]) -> Self {
        Self::new(CardKind::KeyCard(kind), serial)
    }

    /// A card of that kind, with FMCOS 2.0.
    #[must_use]
    pub const fn new(kind: CardKind, serial: [u8; Self::SERIAL_LEN]) -> Self {
        Self { kind, serial, system: CardSystem::FMCOS_2 }
    }

    /// The same card with another operating system.
    #[must_use]
    pub const fn with_system(self, system: CardSystem) -> Self {
        Self { system, ..self }
    }

    /// Its operating system.
    #[must_use]
    pub const fn system(&self) -> &CardSystem {
        &self.system
    }

    /// What the card is for.
    #[must_use]
    pub const fn kind(&self) -> CardKind {
        self.kind
    }

    /// Serial number: the last 8 bytes of the answer to reset, and by custom the card's dispersion factor.
    #[must_use]
    pub const fn serial(&self) -> &[u8; Self::SERIAL_LEN] {
        &self.serial
    }

    /// What tells one card from another in a store: kind, serial number, choices and name of the system.
    pub(crate) fn identity(&self) -> Vec<u8> {
        let system = &self.system;
        [&[self.kind.code()], &self.serial[..], &system.choices(), system.name().as_bytes()].concat()
    }

    /// Answer to reset (ATR).
    ///
    /// ```text
    /// 3B 6D 00 00 | chip maker 0090 | COS 543100 | serial number (8)
    /// ```
    ///
    /// # Source
    /// The layout of social security cards, with Fudan as chip maker.
    #[must_use]
    pub const fn atr(&self) -> [u8; Self::ATR_LEN] {
        let [s0, s1, s2, s3, s4, s5, s6, s7] = self.serial;
        [0x3B, 0x6D, 0x00, 0x00, 0x00, 0x90, 0x54, 0x31, 0x00, s0, s1, s2, s3, s4, s5, s6, s7]
    }
}
