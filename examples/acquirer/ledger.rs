//! The final ledger: what the fleet did, held against what the host made of it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use cardroot::dukpt::audit::{self, Observation, Sign, Thresholds};
use cardroot::dukpt::guard::OriginatorId;

use crate::fleet::Account;
use crate::host::Entry;
use crate::wire::{APPROVED, WRONG_PIN};
use crate::{line, service};

/// What the host makes of a message.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Outcome {
    Approved,
    WrongPin,
    /// Answered as before.
    Repeated,
    /// Asked again, and never booked.
    NotDone,
    Malformed,
    RuleBroken,
    UnknownKeySet,
    NoCounter,
    WrongMac,
    Replay,
    Below,
}

impl Outcome {
    pub fn of_action_code(code: &str) -> Self {
        match code {
            APPROVED => Self::Approved,
            WRONG_PIN => Self::WrongPin,
            _ => Self::NotDone,
        }
    }

    pub const fn is_accepted(self) -> bool {
        matches!(self, Self::Approved | Self::WrongPin)
    }

    pub fn is_refused(self) -> bool {
        self > Self::NotDone
    }

    pub const fn text(self) -> &'static str {
        match self {
            Self::Approved => "accepted: approved",
            Self::WrongPin => "accepted: wrong PIN",
            Self::Repeated => "asked again, answered as before",
            Self::NotDone => "asked again, never booked: declined",
            Self::Malformed => "refused: no ISO 8583 message",
            Self::RuleBroken => "refused: names no key",
            Self::UnknownKeySet => "refused: unknown key set",
            Self::NoCounter => "refused: counter zero or of too many ones",
            Self::WrongMac => "refused: wrong MAC",
            Self::Replay => "refused: counter accepted before",
            Self::Below => "refused: counter below the last",
        }
    }
}

/// What the host made of a message, and how many counters it found skipped.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Judged {
    pub outcome: Outcome,
    pub skipped: u32,
}

/// What the fleet expects of a message that was answered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expected {
    Certain(Judged),
    /// Asked again after a crash of the host, which may have accepted it, and booked it, before.
    AfterCrash,
}

impl From<Judged> for Expected {
    fn from(judged: Judged) -> Self {
        Self::Certain(judged)
    }
}

impl Judged {
    /// The same message once more, because the host crashed over it. A crash changes nothing about a refusal.
    pub fn after_crash(self) -> Expected {
        if self.outcome.is_accepted() { Expected::AfterCrash } else { Expected::Certain(self) }
    }
}

/// What the run has left behind.
#[derive(Debug)]
pub struct Evidence {
    pub accounts: Vec<Account>,
    pub expected: line::Conversations,
    /// One for each life of the host.
    pub judged: Vec<service::Conversations>,
    pub journal: Vec<Entry>,
    /// Counters that memories have accepted, and how many of them for a second time.
    pub accepted: u64,
    pub accepted_twice: u64,
    /// What the books say.
    pub cents: u64,
    pub booked_twice: u64,
    pub took: Duration,
    /// How long the host was away, for each crash.
    pub away: Vec<Duration>,
}

#[derive(Debug)]
pub struct Ledger {
    /// Messages expected to be judged so, and those that were.
    pub rows: BTreeMap<Outcome, [u64; 2]>,
    pub skipped: [u64; 2],
    /// What came of the messages in the host's hands when it crashed, asked again.
    pub after_crash: BTreeMap<Outcome, u64>,
    /// Messages that the host had judged when it crashed, and not answered.
    pub unanswered: u64,
    pub messages: u64,
    pub accepted: [u64; 2],
    pub cents: [u64; 2],
    pub totals: Account,
    /// Names that must show a sign, and those that the audit found.
    pub signs: Vec<(Sign, [usize; 2])>,
    /// Clones that gave themselves away, and those found.
    pub clones: [usize; 2],
    /// Some of the findings.
    pub audit: Vec<String>,
    pub took: Duration,
    pub away: Vec<Duration>,
    /// All that is wrong. The run failed unless it is empty.
    pub faults: Vec<String>,
}

impl Ledger {
    pub fn close(evidence: Evidence) -> Self {
        let mut ledger = Self {
            rows: BTreeMap::new(),
            skipped: [0; 2],
            after_crash: BTreeMap::new(),
            unanswered: 0,
            messages: 0,
            accepted: [0, evidence.accepted],
            cents: [0, evidence.cents],
            totals: Account::default(),
            signs: vec![],
            clones: [0; 2],
            audit: vec![],
            took: evidence.took,
            away: evidence.away,
            faults: vec![],
        };
        ledger.compare_messages(&evidence.expected, evidence.judged);
        evidence.accounts.into_iter().for_each(|account| ledger.totals.add(account));
        ledger.cents[0] = ledger.totals.cents;
        ledger.accepted[0] = ledger.totals.expectations.iter().map(|(_, name)| name.accepted()).sum();
        ledger.examine(&evidence.journal);
        ledger.totals.latencies.sort_unstable();
        ledger.faults.extend(ledger.totals.surprises.iter().cloned());
        for (what, times) in [("accepted", evidence.accepted_twice), ("booked", evidence.booked_twice)] {
            ledger.fault_unless(times == 0, || format!("{times} counters were {what} twice"));
        }
        let (accepted, cents, clones) = (ledger.accepted, ledger.cents, ledger.clones);
        ledger.fault_unless(accepted[0] == accepted[1], || format!("counters accepted: {accepted:?}"));
        ledger
            .fault_unless(cents[0] == cents[1], || format!("cents at terminals and in the books: {cents:?}"));
        ledger.fault_unless(clones[0] == clones[1], || format!("clones that showed, and found: {clones:?}"));
        ledger
    }

    /// Message by message, on every connection.
    fn compare_messages(&mut self, expected: &line::Conversations, judged: Vec<service::Conversations>) {
        let mut judged: service::Conversations = judged.into_iter().flatten().collect();
        for (caller, expected) in expected {
            let judged = judged.remove(caller).unwrap_or_default();
            let answered = judged.len().min(expected.len());
            // The last one, if the host had judged it when it crashed.
            let unanswered = judged.len() - answered;
            self.unanswered += unanswered as u64;
            self.fault_unless(answered == expected.len() && unanswered <= 1, || {
                format!("{} messages expected of {caller}, {} judged", expected.len(), judged.len())
            });
            expected.iter().zip(judged).for_each(|(expected, judged)| self.compare(*expected, judged));
        }
        self.unanswered += judged.values().map(|rest| rest.len() as u64).sum::<u64>();
    }

    fn compare(&mut self, expected: Expected, judged: Judged) {
        self.messages += 1;
        let Expected::Certain(expected) = expected else {
            let may_be = judged.outcome.is_accepted()
                || [Outcome::Repeated, Outcome::NotDone].contains(&judged.outcome);
            self.fault_unless(may_be, || format!("{judged:?} after a crash"));
            *self.after_crash.entry(judged.outcome).or_default() += 1;
            return;
        };
        for (column, judged) in [expected, judged].into_iter().enumerate() {
            let row = self.rows.entry(judged.outcome).or_default();
            if let (Some(count), Some(skipped)) = (row.get_mut(column), self.skipped.get_mut(column)) {
                *count += 1;
                *skipped += u64::from(judged.skipped);
            }
        }
        self.fault_unless(expected == judged, || format!("expected {expected:?}, judged {judged:?}"));
    }

    /// X9.24-1:2009 8.7.3: the audit finds all names that were misused, and no others.
    fn examine(&mut self, journal: &[Entry]) {
        let places: Vec<String> = (0..=u16::MAX).map(|line| format!("line {line:04X}")).collect();
        let report = audit::examine(
            journal.iter().map(|entry| Observation {
                claim: entry.claim,
                outcome: entry.outcome,
                source: places.get(usize::from(entry.line)).map_or("", String::as_str),
                time: entry.time,
            }),
            Thresholds::default(),
        );
        let mut certain = BTreeSet::new();
        let mut expected = BTreeMap::<Sign, BTreeSet<OriginatorId>>::new();
        for (name, expectation) in &self.totals.expectations {
            let Some(signs) = expectation.signs() else { continue };
            certain.insert(*name);
            for sign in signs {
                expected.entry(*sign).or_default().insert(*name);
            }
        }
        let mut found = BTreeMap::<Sign, BTreeSet<OriginatorId>>::new();
        for finding in report.findings.iter().filter(|finding| certain.contains(&finding.originator)) {
            found.entry(finding.sign).or_default().insert(finding.originator);
        }
        let signs: BTreeSet<Sign> = expected.keys().chain(found.keys()).copied().collect();
        for sign in signs {
            let (expected, found) = (expected.remove(&sign), found.remove(&sign));
            self.fault_unless(expected == found, || format!("the audit's names with {}", sign.summary()));
            self.signs.push((sign, [expected, found].map(|names| names.map_or(0, |names| names.len()))));
        }
        self.find_clones(&report);
    }

    /// The clones that gave themselves away: by a counter used twice, or from two places by turns.
    fn find_clones(&mut self, report: &audit::Report<'_>) {
        let tells = [Sign::CounterReused, Sign::Interleaved];
        let of_clones = |finding: &&audit::Finding<'_>| {
            tells.contains(&finding.sign) && self.totals.cloned.contains(&finding.originator)
        };
        let findings: Vec<_> = report.findings.iter().filter(of_clones).collect();
        let found: BTreeSet<_> = findings.iter().map(|finding| finding.originator).collect();
        let showed = self.totals.expectations.iter().filter(|(name, expectation)| {
            let told = match expectation.signs() {
                Some(signs) => tells.iter().any(|tell| signs.contains(tell)),
                None => found.contains(name),
            };
            told && self.totals.cloned.contains(name)
        });
        self.clones = [showed.count(), found.len()];
        self.audit = findings.iter().take(2).map(ToString::to_string).collect();
    }

    fn fault_unless(&mut self, right: bool, fault: impl FnOnce() -> String) {
        if !right {
            self.faults.push(fault());
        }
    }
}
