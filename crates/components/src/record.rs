//! What a ceremony leaves for the audit. All of it is public.

use tdea::{Kcv, KcvMethod};

use crate::assembly::{ComponentFault, KeyFault};
use crate::ceremony::Plan;
use crate::key::{ComponentKey, Parity};
use crate::name::{CustodianName, KeyLabel};
use crate::parts::Parts;

/// A component that the ceremony did not take.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum EntryError {
    /// The custodian has entered a component already, and nobody may have two.
    #[error("this custodian has entered component {number} already")]
    CustodianRepeated {
        /** Number of that component, from 1. */
        number: u8,
    },
    /// The component can't be one of this key.
    #[error(transparent)]
    Component(#[from] ComponentFault),
    /// The expected check value is of another method or length than planned, so it says nothing.
    #[error("the expected check value is of another method or length than planned")]
    KcvForm,
    /// The component has another check value than expected: it is mistyped, or it is another component.
    #[error("the component has check value {found}, not the expected one")]
    Kcv {
        /** What was entered. If another form shows this value, the forms were mixed up. */
        found: Kcv,
    },
}

/// A complete ceremony that made no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfirmError {
    /// The key must not be used.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The key has another check value than expected. A component that was entered without one is wrong.
    #[error("the key has check value {found}, not the expected one")]
    Kcv {
        /** What the components made. */
        found: Kcv,
    },
}

/// A component that was taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Entry {
    /// Who entered it.
    pub custodian: CustodianName,
    /// Its check value.
    pub kcv: Kcv,
    /// The check value that the custodian's form showed; the same, or none.
    pub expected: Option<Kcv>,
}

/// A component that was not taken.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Refusal {
    /// Who tried to enter it.
    pub custodian: CustodianName,
    /// Which component was due, from 1.
    pub number: u8,
    /// Why it was not taken.
    pub error: EntryError,
}

/// How a ceremony ended.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Verdict {
    /// It has not ended.
    Open,
    /// It made the key.
    Made {
        /** Check value of the key. */
        kcv: Kcv,
    },
    /// All components were there, but the key was refused and wiped.
    Failed(ConfirmError),
    /// It was given up; everything was wiped.
    Aborted,
}

/// The record of a ceremony: who brought what with which check value, what was refused, and how it ended.
///
/// It holds no secret. Times, places, witnesses and signatures are added by whoever keeps the ledger.
///
/// # Source
/// ANS X9.24-1:2009 7.1.9 (every creation of a key is recorded), 7.5.1 (check values).
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct CeremonyRecord {
    /// Name of the key.
    pub label: KeyLabel,
    /// Length of the key, in bytes.
    pub key_len: usize,
    /// Number of its components.
    pub parts: Parts,
    /// What was planned for its parity bits, if its cipher has any.
    pub parity: Option<Parity>,
    /// Method of all check values here. It tells the cipher, too.
    pub method: KcvMethod,
    /// Length of all check values here, in bytes.
    pub kcv_len: usize,
    /// The check value that the key was expected to have.
    pub expected: Option<Kcv>,
    /// How the ceremony ended.
    pub verdict: Verdict,
    entries: [Option<Entry>; Parts::MAX],
    refusals: [Option<Refusal>; Self::REFUSALS_KEPT],
    refused: u32,
}

impl CeremonyRecord {
    /// Refusals that the record keeps in full: the first so many. The rest are only counted.
    pub const REFUSALS_KEPT: usize = 16;

    /// Starts the record of what was planned.
    pub(crate) fn open<K: ComponentKey>(plan: &Plan<K>, key_len: usize) -> Self {
        Self {
            label: plan.label,
            key_len,
            parts: plan.parts,
            parity: plan.parity.into(),
            method: plan.method,
            kcv_len: plan.kcv_len,
            expected: plan.expected,
            verdict: Verdict::Open,
            entries: [None; Parts::MAX],
            refusals: [None; Self::REFUSALS_KEPT],
            refused: 0,
        }
    }

    /// The components taken, in the order of entry.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().flatten()
    }

    /// The refusals kept, in order.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.refusals.iter().flatten()
    }

    /// How many components were refused, kept here or not.
    #[must_use]
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    /// How many components are missing.
    #[must_use]
    pub fn missing(&self) -> usize {
        self.parts.get().saturating_sub(self.entries().count())
    }

    /// Number, from 1, of the component that `custodian` entered.
    pub(crate) fn number_by(&self, custodian: &CustodianName) -> Option<u8> {
        (1..)
            .zip(self.entries())
            .find(|(_, entry)| entry.custodian.is_same_person(custodian))
            .map(|(number, _)| number)
    }

    pub(crate) fn accept(&mut self, entry: Entry) {
        *free_slot(&mut self.entries).expect("no more are taken than planned") = Some(entry);
    }

    pub(crate) fn refuse(&mut self, custodian: CustodianName, error: EntryError) {
        let number = self.entries().fold(1, |number, _| number + 1);
        self.refused = self.refused.saturating_add(1);
        if let Some(free) = free_slot(&mut self.refusals) {
            *free = Some(Refusal { custodian, number, error });
        }
    }
}

fn free_slot<T>(slots: &mut [Option<T>]) -> Option<&mut Option<T>> {
    slots.iter_mut().find(|slot| slot.is_none())
}
