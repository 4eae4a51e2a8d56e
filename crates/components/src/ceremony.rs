//! The key ceremony: custodians enter their components one by one.

use core::fmt;

use tdea::{Kcv, KcvError, KcvMethod, TdeaKey};

use crate::assembly::Assembly;
use crate::component::KeyComponent;
use crate::key::ComponentKey;
use crate::name::{CustodianName, KeyLabel};
use crate::parts::Parts;
use crate::record::{CeremonyRecord, ConfirmError, Entry, EntryError, Verdict};

/// What a ceremony is to make. Everything is settled before the first custodian enters anything.
#[derive(Debug)]
pub struct Plan<K: ComponentKey> {
    /// Name of the key, for the record.
    pub label: KeyLabel,
    /// Length of the key, and so of every component.
    pub length: K::Length,
    /// Number of components, and so of custodians.
    pub parts: Parts,
    /// What is done about the parity bits of the key.
    pub parity: K::Parity,
    /// Method of all check values, of the components and of the key.
    pub method: KcvMethod,
    /// Length of all check values, in bytes. Usual are 3 for TDEA, 5 for AES by CMAC.
    pub kcv_len: usize,
    /// The check value that the key must have, if the key exists elsewhere already.
    pub expected: Option<Kcv>,
}

/// A plan that can't be carried out.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// Keys of this cipher have no such check values.
    #[error(transparent)]
    Kcv(#[from] KcvError),
    /// The expected check value is of another method or length than planned, so no key could have it.
    #[error("the expected check value is of another method or length than planned")]
    ExpectedKcvForm,
}

/// A key ceremony that is waiting for components.
///
/// It takes one component at a time and XORs it at once; the component itself is wiped. There is no way to
/// the key from here: only a [`CompleteCeremony`] has one, and that comes with the last component.
///
/// # Security
/// The ceremony holds its custodians to split knowledge: two at least, one component each. That they are
/// who they say, that each is alone at the keyboard and that nobody is alone with the machine (dual
/// control), is up to the caller's log-in and to the people in the room.
///
/// # Source
/// ANS X9.24-1:2009 7.5.1. For the TRSM where components are entered.
///
/// # Examples
/// What is in a complete ceremony is not in one that waits:
/// ```
/// # use cardroot_components::{CompleteCeremony, Outcome};
/// fn end(ceremony: CompleteCeremony<tdea::TdeaKey>) -> Outcome<tdea::TdeaKey> {
///     ceremony.confirm()
/// }
/// ```
/// ```compile_fail,E0599
/// # use cardroot_components::{Ceremony, Outcome};
/// fn end(ceremony: Ceremony<tdea::TdeaKey>) -> Outcome<tdea::TdeaKey> {
///     ceremony.confirm()
/// }
/// ```
#[must_use = "a ceremony that is dropped leaves no record: abort it"]
pub struct Ceremony<K: ComponentKey = TdeaKey> {
    assembly: Assembly<K>,
    parity: K::Parity,
    record: CeremonyRecord,
}

/// Where a ceremony stands after an entry.
#[derive(Debug)]
#[must_use = "the ceremony goes on in here"]
pub enum Step<K: ComponentKey = TdeaKey> {
    /// The component was taken; more are missing.
    Taken(Ceremony<K>),
    /// The component was not taken: it is wiped, the refusal is recorded, and the ceremony stands where it
    /// stood.
    Refused(Ceremony<K>, EntryError),
    /// The component was taken and was the last.
    Complete(CompleteCeremony<K>),
}

impl<K: ComponentKey> Ceremony<K> {
    /// Opens a ceremony.
    ///
    /// # Errors
    /// Returns [`PlanError::Kcv`] if the check value method belongs to another cipher or can't have that
    /// many bytes, [`PlanError::ExpectedKcvForm`] if the expected check value is not of the planned method
    /// and length.
    pub fn plan(plan: Plan<K>) -> Result<Self, PlanError> {
        let assembly: Assembly<K> = Assembly::new(plan.length);
        let sample = assembly.sum().kcv_by(plan.method, plan.kcv_len)?;
        if plan.expected.is_some_and(|expected| !is_same_form(&expected, &sample)) {
            return Err(PlanError::ExpectedKcvForm);
        }
        let record = CeremonyRecord::open(&plan, assembly.sum().expose_bytes().len());
        Ok(Self { assembly, parity: plan.parity, record })
    }

    /// Takes the component of one custodian.
    ///
    /// `expected` is the check value on the custodian's form. Without one the component is taken as it is,
    /// and the record says so; that is for components that nobody has a check value of yet.
    ///
    /// Refused are: a custodian who entered one already, a component of another length, a zero one, one
    /// equal to an earlier one, and one with another check value than expected; see [`EntryError`].
    pub fn enter(
        mut self,
        custodian: CustodianName,
        component: KeyComponent<K>,
        expected: Option<Kcv>,
    ) -> Step<K> {
        let kcv = match self.check(&custodian, &component, expected) {
            Ok(kcv) => kcv,
            Err(error) => {
                self.record.refuse(custodian, error);
                return Step::Refused(self, error);
            }
        };
        self.assembly.add(&component);
        self.record.accept(Entry { custodian, kcv, expected });
        if self.record.missing() == 0 { Step::Complete(CompleteCeremony(self)) } else { Step::Taken(self) }
    }

    /// Says whether the component may be taken; if so, with which check value.
    fn check(
        &self,
        custodian: &CustodianName,
        component: &KeyComponent<K>,
        expected: Option<Kcv>,
    ) -> Result<Kcv, EntryError> {
        if let Some(number) = self.record.number_by(custodian) {
            return Err(EntryError::CustodianRepeated { number });
        }
        self.assembly.check(component)?;
        let found = self.kcv_of(&component.0);
        match expected {
            Some(expected) if !is_same_form(&expected, &found) => Err(EntryError::KcvForm),
            Some(expected) if expected != found => Err(EntryError::Kcv { found }),
            _ => Ok(found),
        }
    }

    /// A check value as the plan wants it.
    fn kcv_of(&self, key: &K) -> Kcv {
        key.kcv_by(self.record.method, self.record.kcv_len).expect("one was computed when the plan was made")
    }

    /// The record so far.
    #[must_use]
    pub const fn record(&self) -> &CeremonyRecord {
        &self.record
    }

    /// Gives up: everything is wiped, the record stays.
    #[must_use]
    pub fn abort(mut self) -> CeremonyRecord {
        self.record.verdict = Verdict::Aborted;
        self.record
    }
}

/// A key ceremony that has all components.
#[must_use = "a ceremony that is dropped leaves no record: confirm or abort it"]
pub struct CompleteCeremony<K: ComponentKey = TdeaKey>(Ceremony<K>);

/// The end of a complete ceremony. Keep the record first, then use the key.
#[derive(Debug)]
#[must_use = "the record belongs into the ledger"]
pub struct Outcome<K = TdeaKey> {
    /// The key, or why there is none.
    pub key: Result<K, ConfirmError>,
    /// What happened, for the audit.
    pub record: CeremonyRecord,
}

impl<K: ComponentKey> CompleteCeremony<K> {
    /// The check value of the key, for the custodians to compare before anybody confirms.
    #[must_use]
    pub fn kcv(&self) -> Kcv {
        self.0.kcv_of(self.0.assembly.sum())
    }

    /// Ends the ceremony with the key, unless it has another check value than planned or a
    /// [`KeyFault`](crate::KeyFault); then it is wiped.
    pub fn confirm(self) -> Outcome<K> {
        let found = self.kcv();
        let Ceremony { assembly, parity, mut record } = self.0;
        let key = match record.expected {
            Some(expected) if expected != found => Err(ConfirmError::Kcv { found }),
            _ => assembly.into_key(parity).map_err(ConfirmError::Key),
        };
        record.verdict = match &key {
            Ok(_) => Verdict::Made { kcv: found },
            Err(error) => Verdict::Failed(*error),
        };
        Outcome { key, record }
    }

    /// The record so far.
    #[must_use]
    pub const fn record(&self) -> &CeremonyRecord {
        &self.0.record
    }

    /// Gives up: everything is wiped, the record stays.
    #[must_use]
    pub fn abort(self) -> CeremonyRecord {
        self.0.abort()
    }
}

/// Says whether both are of the same method and length.
fn is_same_form(a: &Kcv, b: &Kcv) -> bool {
    a.method() == b.method() && a.as_bytes().len() == b.as_bytes().len()
}

impl<K: ComponentKey> fmt::Debug for Ceremony<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ceremony")
            .field("label", &self.record.label)
            .field("missing", &self.record.missing())
            .finish_non_exhaustive()
    }
}

impl<K: ComponentKey> fmt::Debug for CompleteCeremony<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CompleteCeremony").field("label", &self.0.record.label).finish_non_exhaustive()
    }
}
