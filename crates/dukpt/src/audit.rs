//! The search for cloned terminals: two originators under one name.
//!
//! Whoever gets the keys out of one terminal can put them, with its name, into others. A receiver can't tell them by any
//! single message: each has a good MAC. Together they give themselves away, for a name has one counter and a genuine
//! terminal moves it up alone. [`examine`] reads what a receiver has recorded and reports, for each name, the [`Sign`]s
//! that there may be more than one terminal behind it. A sign is a reason to look, not a proof: each says what else may
//! have caused it.
//!
//! What no log shows: a clone that stays silent, or of which no message reached this receiver; and one that took over
//! while the genuine terminal stopped, as if that had been moved.
//!
//! # Source
//! ANS X9.24-1:2009 8.7.3, item 3: an audit, possibly off line, of the key names recorded, to find whether two or more
//! originators are associated with one key set identifier and TRSM identifier.
//!
//! # Examples
//! ```
//! use cardroot_dukpt::audit::{Observation, Outcome, Sign, Thresholds, examine};
//! use cardroot_dukpt::guard::{Claim, OriginatorId, Refusal, RequestId, Verdict};
//! use cardroot_dukpt::{Authentication, Ksn};
//!
//! let terminal = OriginatorId::from(&Ksn::from([0x11; 10]));
//! let at = |source, time, counter, message, verdict| Observation {
//!     claim: Claim { originator: terminal, counter, request: RequestId([message; 16]) },
//!     outcome: Outcome::Judged { verdict, authentication: Authentication::Verified },
//!     source,
//!     time,
//! };
//! let report = examine(
//!     [
//!         at("harbour", 100, 6, 1, Verdict::Accepted { previous: None }),
//!         at("airport", 107, 7, 2, Verdict::Accepted { previous: Some(6) }),
//!         at("harbour", 160, 7, 3, Verdict::Refused(Refusal::Replay { found: 7 })),
//!     ],
//!     Thresholds::default(),
//! );
//! let signs: Vec<Sign> = report.findings.iter().map(|finding| finding.sign).collect();
//! assert_eq!(signs, [Sign::CounterReused, Sign::Interleaved]);
//! assert!(report.to_string().starts_with(
//!     "3 messages under 1 name: 2 findings\n\
//!      TDES 1111111111111100: two messages under one counter; 1 time, 1 with MACs\n\
//!      \x20 first: counter 0x7 accepted at \"airport\", time 107; then counter 0x7 refused at \"harbour\", time 160\n"
//! ));
//! ```

use alloc::collections::{BTreeMap, BTreeSet};
use alloc::vec::Vec;
use core::fmt;

use crate::aes::{self, OnesLimit};
use crate::counter::Counter;
use crate::guard::{Claim, OriginatorId, Scheme, Verdict};
use crate::incoming::Authentication;

/// A message as a receiver saw it. Holds no key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Observation<'a> {
    /// Name, counter and request. The request must be a digest of the message, or its MAC: a number for each arrival makes
    /// every copy look like a second message.
    pub claim: Claim,
    /// What came of it.
    pub outcome: Outcome,
    /// Where the message came from, as the receiver knows it, not as the message says: a line, a merchant, a place. Equal
    /// texts are one place; give all the same if it is not known.
    pub source: &'a str,
    /// When it came, in any unit. Shown as evidence; the order of messages is that in which they are given.
    pub time: u64,
}

/// What came of a message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Outcome {
    /// Its MAC was wrong, so it claimed nothing.
    NotAuthentic,
    /// The receiver's memory judged its claim.
    Judged {
        /// The memory's verdict.
        verdict: Verdict,
        /// Whether the message had proved itself.
        authentication: Authentication,
    },
}

/// From where on what always happens now and then is reported.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Thresholds {
    /// A counter that skips at least so many others is [`Sign::Jumped`]. 1000 by default.
    pub jump: u32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { jump: 1000 }
    }
}

/// What points to a second terminal under one name, the strongest first.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
#[non_exhaustive]
pub enum Sign {
    /// Two messages, not copies of each other, under one counter. A genuine originator erases a key with its first use, so
    /// with MACs on both this is as near to proof as a log comes: a clone, or a terminal put back to an old state.
    ///
    /// Harmless if: the terminal, or something on the way, alters a message when it repeats it (a repeat mark, a new
    /// time) and makes its MAC again with the same key; or the requests are not digests of the messages.
    CounterReused,
    /// A message refused for its counter that the log does not show to have come before: the terminal has gone back, or
    /// there are two and the other is ahead.
    ///
    /// Harmless if: the message was late (stored offline, another way through the network), which shows by a source and
    /// time that fit; or it was recorded and sent again, and the log does not reach back to when it came first.
    WentBack,
    /// The name came from one place, from another, and from the first again: the counters of two terminals mesh.
    ///
    /// Harmless if: a terminal was moved and moved back, which shows by few times (8.7.3 item 5 lets merchants do that
    /// without a word); or one place has several names here, such as lines that stand in for each other.
    Interleaved,
    /// A counter accepted that skips many: in between, the terminal, or its clone, made transactions that never came here.
    ///
    /// Harmless if: it worked offline, its messages got lost on the way, other receivers of the same key set had them, or
    /// the terminal has lost registers (an originator reports that by itself).
    Jumped,
    /// An old message again, unchanged. No clone makes that: somebody, or the network, sent a copy.
    ///
    /// Harmless if: a store on the way repeats what was not answered in time.
    Replayed,
    /// A wrong MAC. Anybody can send that, so it says nothing of the terminal. Many under one name: somebody tries, or a
    /// second terminal was loaded with this name and another key (against 8.7.2.1).
    ///
    /// Harmless if: lines garble messages.
    NotAuthentic,
}

impl Sign {
    /// The sign in a few words.
    #[must_use]
    pub const fn summary(self) -> &'static str {
        match self {
            Self::CounterReused => "two messages under one counter",
            Self::WentBack => "a counter that went back",
            Self::Interleaved => "two places by turns",
            Self::Jumped => "a counter that jumped",
            Self::Replayed => "an old message again",
            Self::NotAuthentic => "a wrong MAC",
        }
    }
}

/// What is wrong with a message, and with which one before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Evidence<'a> {
    /// The message before that does not fit with it, if the log shows one: the first with this counter
    /// ([`Sign::CounterReused`], [`Sign::Replayed`]), the highest accepted ([`Sign::WentBack`], [`Sign::Jumped`]), the
    /// last from the other place ([`Sign::Interleaved`]), the last that claimed a counter ([`Sign::NotAuthentic`]).
    pub before: Option<Observation<'a>>,
    /// The message in which the sign shows.
    pub message: Observation<'a>,
}

impl Evidence<'_> {
    /// Whether all of it has verified MACs, so that nobody without the keys can have made it up.
    #[must_use]
    pub fn is_authenticated(&self) -> bool {
        self.message.is_authenticated() && self.before.as_ref().is_none_or(Observation::is_authenticated)
    }
}

impl Observation<'_> {
    /// Whether the message had a verified MAC.
    #[must_use]
    pub const fn is_authenticated(&self) -> bool {
        matches!(self.outcome, Outcome::Judged { authentication: Authentication::Verified, .. })
    }
}

/// One sign at one name.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Finding<'a> {
    /// The name.
    pub originator: OriginatorId,
    /// What points to a second terminal.
    pub sign: Sign,
    /// How often it showed.
    pub times: u32,
    /// How many of those times on messages with verified MACs alone ([`Evidence::is_authenticated`]). Without a MAC
    /// anybody can lay a trace.
    pub authenticated: u32,
    /// The first time.
    pub first: Evidence<'a>,
    /// The last time.
    pub last: Evidence<'a>,
}

/// What an audit found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report<'a> {
    /// Messages read.
    pub messages: u64,
    /// Different names in them.
    pub originators: usize,
    /// The strongest sign first, and by name within each.
    pub findings: Vec<Finding<'a>>,
}

/// Looks for signs of cloned terminals in `observations`, which must be in the order in which the receiver judged them.
///
/// It keeps one entry for each counter seen of each name. An audit in parts, one for each share of the names, finds the
/// same.
///
/// # Source
/// ANS X9.24-1:2009 8.7.3, item 3.
pub fn examine<'a>(
    observations: impl IntoIterator<Item = Observation<'a>>,
    thresholds: Thresholds,
) -> Report<'a> {
    let mut trails = BTreeMap::<OriginatorId, Trail<'a>>::new();
    let mut findings = BTreeMap::<(Sign, OriginatorId), Finding<'a>>::new();
    let mut messages = 0;
    for message in observations {
        messages += 1;
        let originator = message.claim.originator;
        for (sign, before) in trails.entry(originator).or_default().follow(message, thresholds) {
            let evidence = Evidence { before, message };
            findings
                .entry((sign, originator))
                .or_insert_with(|| Finding::new(originator, sign, evidence))
                .add(evidence);
        }
    }
    Report { messages, originators: trails.len(), findings: findings.into_values().collect() }
}

impl<'a> Finding<'a> {
    const fn new(originator: OriginatorId, sign: Sign, evidence: Evidence<'a>) -> Self {
        Self { originator, sign, times: 0, authenticated: 0, first: evidence, last: evidence }
    }

    fn add(&mut self, evidence: Evidence<'a>) {
        self.times = self.times.saturating_add(1);
        self.authenticated = self.authenticated.saturating_add(evidence.is_authenticated().into());
        self.last = evidence;
    }
}

/// A sign, and the message before that it does not fit with.
type Mark<'a> = (Sign, Option<Observation<'a>>);

/// What the log has shown of one name so far.
#[derive(Default)]
struct Trail<'a> {
    /// The first message with each counter.
    by_counter: BTreeMap<u32, Observation<'a>>,
    /// The accepted message with the highest counter.
    highest: Option<Observation<'a>>,
    /// The last message, and the places that the name has left.
    latest: Option<Observation<'a>>,
    left: BTreeSet<&'a str>,
}

impl<'a> Trail<'a> {
    /// Takes the next message, and tells what is odd about it.
    fn follow(
        &mut self,
        message: Observation<'a>,
        thresholds: Thresholds,
    ) -> impl Iterator<Item = Mark<'a>> + use<'a> {
        let marks = match message.outcome {
            Outcome::NotAuthentic => [Some((Sign::NotAuthentic, self.latest)), None],
            Outcome::Judged { verdict: Verdict::Repeated, .. } => [None; 2],
            Outcome::Judged { verdict, .. } => {
                let by_counter = self.follow_counter(message, verdict, thresholds);
                // A copy can be sent from anywhere: it says nothing of where the terminal is.
                let is_copy = matches!(by_counter, Some((Sign::Replayed, _)));
                [by_counter, if is_copy { None } else { self.follow_place(message) }]
            }
        };
        marks.into_iter().flatten()
    }

    fn follow_counter(
        &mut self,
        message: Observation<'a>,
        verdict: Verdict,
        thresholds: Thresholds,
    ) -> Option<Mark<'a>> {
        let Claim { counter, request, originator } = message.claim;
        if let Some(first) = self.by_counter.get(&counter) {
            let is_copy = first.claim.request == request;
            return Some((if is_copy { Sign::Replayed } else { Sign::CounterReused }, Some(*first)));
        }
        self.by_counter.insert(counter, message);
        let highest = self.highest;
        if matches!(verdict, Verdict::Refused(_)) {
            return Some((Sign::WentBack, highest));
        }
        if highest.is_none_or(|highest| highest.claim.counter < counter) {
            self.highest = Some(message);
        }
        let skipped = skipped(originator.scheme, highest?.claim.counter, counter);
        (skipped >= thresholds.jump).then_some((Sign::Jumped, highest))
    }

    fn follow_place(&mut self, message: Observation<'a>) -> Option<Mark<'a>> {
        let before = self.latest.replace(message).filter(|before| before.source != message.source)?;
        self.left.insert(before.source);
        self.left.contains(message.source).then_some((Sign::Interleaved, Some(before)))
    }
}

/// How many counters lie between two; none if the later message has the lower one.
fn skipped(scheme: Scheme, before: u32, after: u32) -> u32 {
    // Between numbers that no transaction carries lie at most as many as numbers.
    transactions_between(scheme, before, after)
        .unwrap_or_else(|| after.saturating_sub(before).saturating_sub(1))
}

fn transactions_between(scheme: Scheme, before: u32, after: u32) -> Option<u32> {
    match scheme {
        Scheme::Tdes => {
            let counter = |number| Counter::try_from(number).ok();
            counter(after)?.follows(Some(counter(before)?)).ok()
        }
        // Whatever limit the receiver had: counters of 16 ones are all that an originator surely uses.
        Scheme::Aes => {
            let counter = |number| aes::Counter::within(number, OnesLimit::Seventeen).ok();
            counter(after)?.follows(Some(counter(before)?), OnesLimit::Sixteen).ok()
        }
    }
}

impl fmt::Display for Report<'_> {
    /// A line of totals, then each finding with its first and last evidence.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |count: u64, what| Count { count, what };
        let messages = count(self.messages, "message");
        let names = count(self.originators as u64, "name");
        write!(f, "{messages} under {names}: {}", count(self.findings.len() as u64, "finding"))?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n{finding}"))
    }
}

impl fmt::Display for Finding<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let times = Count { count: self.times.into(), what: "time" };
        write!(f, "{}: {}; {times}, {} with MACs", self.originator, self.sign.summary(), self.authenticated)?;
        write!(f, "\n  first: {}", self.first)?;
        if self.times > 1 { write!(f, "\n  last: {}", self.last) } else { Ok(()) }
    }
}

impl fmt::Display for Evidence<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(before) = &self.before {
            write!(f, "{before}; then ")?;
        }
        self.message.fmt(f)
    }
}

impl fmt::Display for Observation<'_> {
    /// The source in quotes and with escapes: it may come from anywhere.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcome = match self.outcome {
            Outcome::NotAuthentic => "not authentic",
            Outcome::Judged { verdict: Verdict::Accepted { .. }, .. } => "accepted",
            Outcome::Judged { verdict: Verdict::Repeated, .. } => "repeated",
            Outcome::Judged { verdict: Verdict::Refused(_), .. } => "refused",
        };
        write!(f, "counter {:#X} {outcome} at {:?}, time {}", self.claim.counter, self.source, self.time)
    }
}

/// A number of things, in the singular if it is one.
struct Count {
    count: u64,
    what: &'static str,
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}{}", self.count, self.what, if self.count == 1 { "" } else { "s" })
    }
}
