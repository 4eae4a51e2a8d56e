//! What a card is before anybody has written to it.

/// What a card is for.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum CardKind {
    /// A user card: the holder's, with the holder's keys.
    User,
    /// A secure access module (SAM, PSAM): a terminal's, with parent keys from which it derives those of user cards.
    Sam,
}

/// What the factory decides about a card: kind and serial number.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CardProfile {
    kind: CardKind,
    serial: [u8; CardProfile::SERIAL_LEN],
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
        Self { kind: CardKind::User, serial }
    }

    /// A secure access module.
    #[must_use]
    pub const fn sam(serial: [u8; Self::SERIAL_LEN]) -> Self {
        Self { kind: CardKind::Sam, serial }
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
