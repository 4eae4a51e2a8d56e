//! What the audit gets to know. All of it is public.

use alloc::vec::Vec;

use tdea::Kcv;

use super::loaded::Origin;
use super::name::{KeyName, PartyId};
use crate::attributes::Usage;

/// What happened to a version.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// It came and is pending: by the custodians, by a key block, or generated here.
    Proposed,
    /// It came once more, while it is pending.
    Repeated,
    /// The other party has it: it is current.
    Confirmed,
    /// It was given up before it was current, and destroyed.
    Withdrawn,
    /// It was replaced or retired, and is destroyed.
    Destroyed,
}

/// One key of a version.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct KeyRecord {
    /// What it is for.
    pub usage: Usage,
    /// Its check value: TDEA 3 bytes of zeros encrypted, AES 5 bytes of CMAC.
    pub check_value: Kcv,
    /// Where it came from.
    pub origin: Origin,
}

/// One step in the life of a key, for the ledger. Times and people are added by whoever keeps it.
///
/// # Source
/// ANS X9.24-1:2009 7.1.9 and 7.8.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Record {
    /// With whom the key is shared.
    pub party: PartyId,
    /// What happened.
    pub event: Event,
    /// Number of the version.
    pub number: u32,
    /// Name of the version.
    pub name: Option<KeyName>,
    /// Its keys.
    pub keys: Vec<KeyRecord>,
}
