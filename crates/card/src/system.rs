//! Card operating systems of several makers, as data.

use tdea::BLOCK_LEN;

use crate::key_record::{Algorithm, KeyKind};

/// Which number a transaction has in the log. The FMCOS manual says the one before the counter was counted up; a card that
/// was read showed the one after.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum LogSequence {
    /// The one that INITIALIZE told.
    BeforeIncrement,
    /// One more.
    AfterIncrement,
}

/// In which order a SAM takes the factors of a derivation from its commands.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum FactorOrder {
    /// As they are used: the area's first, the card's last.
    RootFirst,
    /// The card's first.
    CardFirst,
}

impl FactorOrder {
    /// `factors` in the order of their use.
    pub(crate) fn in_order(self, factors: &[[u8; BLOCK_LEN]]) -> impl Iterator<Item = &[u8; BLOCK_LEN]> {
        let count = factors.len();
        (0..count).filter_map(move |index| match self {
            Self::RootFirst => factors.get(index),
            Self::CardFirst => factors.get(count - 1 - index),
        })
    }
}

/// What EXTERNAL AUTHENTICATE brings.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum AuthenticationForm {
    /// `E(key, challenge)`, 8 bytes.
    Block,
    /// The halves of `E(key, challenge)` XORed, over a challenge of 16 bytes. Toll collection; no published value.
    Folded,
    /// `E(P, challenge) || host random`, `P` being `E(key, host random)`. Social security; no published value.
    TwoStep,
}

/// How a key comes in WRITE KEY.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum KeyLayout {
    /// `80|84 INS P1 kid`, data `type use change a b key`.
    Parameters,
    /// `84 INS 00 00`, data `id version algorithm type use follow change errors key`.
    Header,
}

/// How a file comes in CREATE FILE.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum FileLayout {
    /// `80 E0 FID`, type byte first.
    Parameters,
    /// `80 E0 00|01|02 00`, ended by `80 E0 00|01 01`.
    Typed,
}

/// A card operating system: codes, layouts and what its makers leave open.
///
/// # Source
/// [`FMCOS_2`](Self::FMCOS_2): user manual of FMCOS 2.0, programs proven on FM1208 cards. The others: issuing programs and a
/// vendor's command table, no manual; only what agrees in them is here.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct CardSystem {
    name: &'static str,
    pub(crate) key_codes: &'static [(u8, KeyKind)],
    /// Algorithm identifiers of keys that have a header.
    pub(crate) algorithms: &'static [(u8, Algorithm)],
    pub(crate) key_layout: KeyLayout,
    /// Instruction of WRITE KEY.
    pub(crate) write_key: u8,
    pub(crate) file_layout: FileLayout,
    log_sequence: LogSequence,
    factors: FactorOrder,
    authentication: AuthenticationForm,
}

impl CardSystem {
    /// FMCOS 2.0 of Fudan Microelectronics; TimeCOS shares its type codes.
    pub const FMCOS_2: Self = Self {
        name: "FMCOS 2.0",
        key_codes: &[
            (0x30, KeyKind::InternalEncrypt),
            (0x31, KeyKind::InternalDecrypt),
            (0x32, KeyKind::InternalMac),
            (0x34, KeyKind::Tac),
            (0x36, KeyKind::LineProtection),
            (0x37, KeyKind::PinUnblock),
            (0x38, KeyKind::PinReload),
            (0x39, KeyKind::ExternalAuthentication),
            (0x3A, KeyKind::Pin),
            (0x3C, KeyKind::Overdraft),
            (0x3D, KeyKind::Unload),
            (0x3E, KeyKind::Purchase),
            (0x3F, KeyKind::Load),
        ],
        algorithms: &[],
        key_layout: KeyLayout::Parameters,
        write_key: 0xD4,
        file_layout: FileLayout::Parameters,
        log_sequence: LogSequence::BeforeIncrement,
        factors: FactorOrder::RootFirst,
        authentication: AuthenticationForm::Block,
    };

    /// SmartCOS 3.2. Its type 07 is left out: sources call it PIN reload or TAC.
    pub const SMARTCOS_3_2: Self = Self {
        name: "SmartCOS 3.2",
        key_codes: &[
            (0x00, KeyKind::Purchase),
            (0x01, KeyKind::Load),
            (0x02, KeyKind::Tac),
            (0x05, KeyKind::LineProtection),
            (0x06, KeyKind::PinUnblock),
            (0x08, KeyKind::ExternalAuthentication),
            (0x09, KeyKind::InternalEncrypt),
            (0x0B, KeyKind::Pin),
        ],
        algorithms: &[(0x00, Algorithm::Tdea)],
        key_layout: KeyLayout::Header,
        write_key: 0xE8,
        file_layout: FileLayout::Typed,
        ..Self::FMCOS_2
    };

    /// Tianyu. Keys that protect files or prove the host may be SM4 keys; those prove the host in the form
    /// [`Folded`](AuthenticationForm::Folded) only.
    pub const TIANYU: Self = Self {
        name: "Tianyu",
        key_codes: &[
            (0x00, KeyKind::Purchase),
            (0x01, KeyKind::Load),
            (0x02, KeyKind::Tac),
            (0x05, KeyKind::LineProtection),
            (0x06, KeyKind::PinUnblock),
            (0x07, KeyKind::PinReload),
            (0x08, KeyKind::ExternalAuthentication),
            (0x09, KeyKind::InternalEncrypt),
            (0x0B, KeyKind::Pin),
        ],
        algorithms: &[(0x00, Algorithm::Tdea), (0x04, Algorithm::Sm4)],
        write_key: 0xD4,
        ..Self::SMARTCOS_3_2
    };

    /// Every system there is.
    pub const ALL: [Self; 3] = [Self::FMCOS_2, Self::SMARTCOS_3_2, Self::TIANYU];

    /// Name of the system.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Which number a transaction has in the log.
    #[must_use]
    pub const fn log_sequence(&self) -> LogSequence {
        self.log_sequence
    }

    /// The order of factors in a SAM's commands.
    #[must_use]
    pub const fn factors(&self) -> FactorOrder {
        self.factors
    }

    /// What EXTERNAL AUTHENTICATE brings.
    #[must_use]
    pub const fn authentication(&self) -> AuthenticationForm {
        self.authentication
    }

    /// The same system with another number in its log.
    #[must_use]
    pub const fn with_log_sequence(self, log_sequence: LogSequence) -> Self {
        Self { log_sequence, ..self }
    }

    /// The same system with another order of factors.
    #[must_use]
    pub const fn with_factors(self, factors: FactorOrder) -> Self {
        Self { factors, ..self }
    }

    /// The same system with another EXTERNAL AUTHENTICATE.
    #[must_use]
    pub const fn with_authentication(self, authentication: AuthenticationForm) -> Self {
        Self { authentication, ..self }
    }

    /// What makers leave open, as bytes.
    pub(crate) const fn choices(&self) -> [u8; 3] {
        let log_sequence = match self.log_sequence {
            LogSequence::BeforeIncrement => 0,
            LogSequence::AfterIncrement => 1,
        };
        let factors = match self.factors {
            FactorOrder::RootFirst => 0,
            FactorOrder::CardFirst => 1,
        };
        let authentication = match self.authentication {
            AuthenticationForm::Block => 0,
            AuthenticationForm::Folded => 1,
            AuthenticationForm::TwoStep => 2,
        };
        [log_sequence, factors, authentication]
    }

    /// The type code of a kind of key, if the system has it.
    pub(crate) fn key_code(&self, kind: KeyKind) -> Option<u8> {
        self.key_codes.iter().find(|(_, known)| *known == kind).map(|(code, _)| *code)
    }

    pub(crate) fn algorithm(&self, code: u8) -> Option<Algorithm> {
        self.algorithms.iter().find(|(known, _)| *known == code).map(|(_, algorithm)| *algorithm)
    }

    pub(crate) fn key_kind(&self, code: u8) -> Option<KeyKind> {
        self.key_codes.iter().find(|(known, _)| *known == code).map(|(_, kind)| *kind)
    }
}
