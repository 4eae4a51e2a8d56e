//! What two parties agree on beforehand.

use smid::csm::{PartyId, Strictness};

use super::{CountPlacement, DataKeyForm};

/// What the messages do not tell.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Agreement {
    /// This party.
    pub own: PartyId,
    /// The other one.
    pub peer: PartyId,
    /// Form of the data keys, and the MAC.
    pub data_keys: DataKeyForm,
    /// Whether keys have names. FIPS PUB 171 demands them.
    pub naming: Naming,
    /// Where a count is XORed onto a key.
    pub offset: CountPlacement,
    /// How often a count is moved up before a message is acknowledged; after that the `*KK` has to be replaced. FIPS PUB 171 demands 1 or more.
    pub adjustments: u8,
    /// By how much an ESM may move a count up.
    pub greatest_adjustment: u64,
    /// Whether keys may come with an effective date.
    pub dates: Dates,
    /// The public key of error detection codes in RSI and ESM, if the parties use them. Our sources do not give its value.
    pub edc_key: Option<[u8; 8]>,
    /// How strictly messages are read.
    pub strictness: Strictness,
}

/// Whether keys have names.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Naming {
    /// All of them, always.
    Named,
    /// None of them: one `*KK`, installed by hand, and the keys of the last message.
    Unnamed,
}

/// Whether keys may come with an effective date (EDK).
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Dates {
    /// A message with a date is refused as an option that is not implemented (FIPS PUB 171, A.18).
    Refused,
    /// The date is reported, and the caller sees to it.
    Reported,
}

/// Parties that can't agree so.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum AgreementError {
    /// Both parties have the same name: one could be sent its own messages.
    #[error("both parties have the same name")]
    SameParty,
    /// No adjustment is allowed at all.
    #[error("at least one adjustment of a count has to be tried")]
    NoAdjustment,
}

impl Agreement {
    /// Named keys, a right-aligned count that may be moved up once, by 1000 at most, no dates, no error detection codes, strict reading.
    #[must_use]
    pub const fn new(own: PartyId, peer: PartyId, data_keys: DataKeyForm) -> Self {
        Self {
            own,
            peer,
            data_keys,
            naming: Naming::Named,
            offset: CountPlacement::RightAligned,
            adjustments: 1,
            greatest_adjustment: 1000,
            dates: Dates::Refused,
            edc_key: None,
            strictness: Strictness::Strict,
        }
    }

    pub(super) fn check(&self) -> Result<(), AgreementError> {
        if self.own == self.peer {
            return Err(AgreementError::SameParty);
        }
        if self.adjustments == 0 { Err(AgreementError::NoAdjustment) } else { Ok(()) }
    }
}
