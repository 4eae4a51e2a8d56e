//! What a domain keeps without power.

use apdu::StatusWord;

use super::keys::{KeySet, KeySets};
use super::profile::DomainProfile;
use super::store_data::Groupings;
use crate::state::codec::{Reader, Stored, Writer};
use crate::state::{CardState, OpenError};
use crate::status::require;

/// Everything of a domain that survives a reset. A session and the blocks of STORE DATA under way do not.
#[derive(Debug)]
pub(super) struct DomainMemory {
    pub(super) keys: KeySets,
    pub(super) groupings: Groupings,
    /// Failed authentications since the last success.
    failures: u8,
}

impl DomainMemory {
    /// That of a domain with its first set of keys.
    pub(super) fn new(first: KeySet) -> Self {
        Self { keys: KeySets::new(first), groupings: Groupings::default(), failures: 0 }
    }

    /// Failed authentications that are still allowed.
    pub(super) const fn tries_left(&self, profile: &DomainProfile) -> u8 {
        profile.tries.saturating_sub(self.failures)
    }

    /// Takes one try away, before anything is looked at.
    pub(super) fn spend_try(&mut self, profile: &DomainProfile) -> Result<(), StatusWord> {
        require(self.tries_left(profile) > 0, StatusWord::AUTHENTICATION_BLOCKED)?;
        self.failures += 1;
        Ok(())
    }

    /// Gives all tries back, after a success.
    pub(super) const fn restore_tries(&mut self) {
        self.failures = 0;
    }
}

impl Stored for DomainMemory {
    fn write(&self, out: &mut Writer) {
        out.byte(self.failures);
        self.keys.write(out);
        self.groupings.write(out);
    }

    fn read(input: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            failures: input.byte()?,
            keys: KeySets::read(input)?,
            groupings: Groupings::read(input)?,
        })
    }
}

impl CardState for DomainMemory {
    const KIND: u8 = 0x10;

    fn other_card() -> OpenError {
        OpenError::OtherDomain
    }
}

#[cfg(test)]
#[path = "round_trip.rs"]
mod round_trip;
