//! The search for cloned terminals: each sign by its smallest case, honest fleets, and clones by simulation.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

extern crate alloc;

use alloc::collections::BTreeSet;

use cardroot_dukpt::audit::{Finding, Observation, Outcome, Report, Sign, Thresholds, examine};
use cardroot_dukpt::guard::{
    Claim, MemoryGuard, OriginatorId, Policy, ReplayGuard, RequestId, Scheme, Verdict, Window, block_on,
};
use cardroot_dukpt::{Authentication, Counter};
use proptest::prelude::*;

const TERMINAL: OriginatorId = terminal(1);

const fn terminal(number: u8) -> OriginatorId {
    OriginatorId { scheme: Scheme::Tdes, id: [0xFF, 0xFF, 0, 0, 0, 0, number, 0xE0] }
}

/// A receiver's record: claims are judged by a guard, as a receiver has them judged.
#[derive(Default)]
struct Log {
    guard: MemoryGuard,
    observations: Vec<Observation<'static>>,
}

impl Log {
    fn with(policy: Policy) -> Self {
        Self { guard: MemoryGuard::new(policy), ..Self::default() }
    }

    fn receive(
        &mut self,
        originator: OriginatorId,
        source: &'static str,
        counter: u32,
        message: u64,
    ) -> Verdict {
        let request = RequestId(u128::from(message).to_be_bytes());
        let claim = Claim { originator, counter, request };
        let Ok(verdicts) = block_on(self.guard.advance(&[claim]));
        self.record(
            claim,
            source,
            Outcome::Judged { verdict: verdicts[0], authentication: Authentication::Verified },
        );
        verdicts[0]
    }

    fn record(&mut self, claim: Claim, source: &'static str, outcome: Outcome) {
        let time = self.observations.len() as u64;
        self.observations.push(Observation { claim, outcome, source, time });
    }

    fn examine(&self) -> Report<'static> {
        examine(self.observations.iter().copied(), Thresholds::default())
    }
}

/// The log of messages (place, counter, message), all of one terminal.
fn log(messages: &[(&'static str, u32, u64)]) -> Log {
    let mut log = Log::default();
    for (source, counter, message) in messages {
        log.receive(TERMINAL, source, *counter, *message);
    }
    log
}

/// Signs, how often, and the times of the first evidence.
fn found(report: &Report<'_>) -> Vec<(Sign, u32, Option<u64>, u64)> {
    let row = |finding: &Finding<'_>| {
        let first = finding.first;
        (finding.sign, finding.times, first.before.map(|before| before.time), first.message.time)
    };
    report.findings.iter().map(row).collect()
}

#[test]
fn nothing_is_found_where_nothing_is() {
    assert_eq!(Log::default().examine().to_string(), "0 messages under 0 names: 0 findings");
    let log = log(&[("a", 1, 1), ("a", 2, 2), ("a", 7, 3), ("a", 8, 4)]);
    assert_eq!(log.examine().to_string(), "4 messages under 1 name: 0 findings");
}

#[test]
fn two_messages_under_one_counter_are_found_wherever_they_come_from() {
    let log = log(&[("a", 5, 1), ("a", 5, 2), ("a", 6, 3), ("a", 5, 4)]);
    let report = log.examine();
    assert_eq!(found(&report), [(Sign::CounterReused, 2, Some(0), 1)]);
    assert_eq!(report.findings[0].last.message.time, 3);
    assert_eq!(report.findings[0].originator, TERMINAL);
}

#[test]
fn a_new_message_below_the_highest_counter_has_gone_back() {
    let report = log(&[("a", 5, 1), ("a", 9, 2), ("a", 7, 3)]).examine();
    assert_eq!(found(&report), [(Sign::WentBack, 1, Some(1), 2)]);
}

#[test]
fn a_refusal_at_the_start_of_the_log_has_nothing_before_it() {
    let mut log = log(&[("a", 9, 1)]);
    log.observations.clear();
    log.receive(TERMINAL, "a", 7, 2);
    assert_eq!(found(&log.examine()), [(Sign::WentBack, 1, None, 0)]);
}

#[test]
fn one_move_is_legal_and_a_way_back_is_found() {
    assert_eq!(found(&log(&[("a", 1, 1), ("b", 2, 2), ("c", 3, 3)]).examine()), []);
    let report = log(&[("a", 1, 1), ("b", 2, 2), ("a", 3, 3), ("a", 4, 4), ("b", 5, 5)]).examine();
    assert_eq!(found(&report), [(Sign::Interleaved, 2, Some(1), 2)]);
}

#[test]
fn a_jump_is_counted_in_transactions_and_reported_from_the_threshold_on() {
    let mut log = log(&[("a", 0x7FE, 1), ("a", 0x800, 2), ("a", 0x803, 3)]);
    let jumps = |log: &Log, jump| {
        let report = examine(log.observations.iter().copied(), Thresholds { jump });
        found(&report)
    };
    assert_eq!(jumps(&log, 1), [(Sign::Jumped, 1, Some(1), 2)], "7FF is nobody's");
    assert_eq!(jumps(&log, 2), [(Sign::Jumped, 1, Some(1), 2)]);
    assert_eq!(jumps(&log, 3), []);
    log.receive(TERMINAL, "a", Counter::LAST.value(), 4);
    assert_eq!(found(&log.examine()), [(Sign::Jumped, 1, Some(2), 3)]);
}

#[test]
fn jumps_of_aes_originators_are_counted_in_transactions_of_sixteen_ones() {
    let aes = OriginatorId { scheme: Scheme::Aes, id: [1; 8] };
    let mut log = Log::default();
    // After 1FFFE comes 20000 or, where 17 ones are in use, 1FFFF.
    for (counter, message) in [(0x1_FFFC, 1), (0x1_FFFE, 2), (0x1_FFFF, 3), (0x2_0000, 4), (0x2_0003, 5)] {
        log.receive(aes, "a", counter, message);
    }
    let jumps = |log: &Log, jump| found(&examine(log.observations.iter().copied(), Thresholds { jump }));
    assert_eq!(jumps(&log, 1), [(Sign::Jumped, 2, Some(0), 1)], "1FFFD and 20001 to 20002");
    assert_eq!(jumps(&log, 2), [(Sign::Jumped, 1, Some(3), 4)]);
    // From 7FFF8000 on, all numbers up to 80000000 have too many ones.
    log.receive(aes, "a", 0x7FFF_8000, 6);
    log.receive(aes, "a", 0x8000_0000, 7);
    assert_eq!(jumps(&log, 3), [(Sign::Jumped, 1, Some(4), 5)]);
}

#[test]
fn jumps_to_numbers_that_no_transaction_carries_are_counted_in_numbers() {
    let mut log = Log::default();
    for scheme in [Scheme::Tdes, Scheme::Aes] {
        let name = OriginatorId { scheme, id: [1; 8] };
        log.receive(name, "a", 5, 1);
        log.receive(name, "a", u32::MAX, 2);
        let finding = examine(log.observations.iter().copied(), Thresholds { jump: u32::MAX - 6 }).findings;
        assert_eq!((finding.last().unwrap().originator, finding.last().unwrap().sign), (name, Sign::Jumped));
        assert_eq!(examine(log.observations.iter().copied(), Thresholds { jump: u32::MAX - 5 }).findings, []);
    }
}

#[test]
fn a_copy_of_an_old_message_is_no_sign_of_a_clone_wherever_it_is_sent_from() {
    let report = log(&[("a", 5, 1), ("a", 6, 2), ("elsewhere", 5, 1), ("a", 7, 3)]).examine();
    assert_eq!(found(&report), [(Sign::Replayed, 1, Some(0), 2)]);
}

#[test]
fn a_repeat_is_nothing_to_report() {
    assert_eq!(found(&log(&[("a", 5, 1), ("a", 5, 1), ("elsewhere", 5, 1)]).examine()), []);
}

#[test]
fn wrong_macs_are_counted_and_nothing_is_concluded_from_them() {
    let mut log = log(&[("a", 5, 1)]);
    for counter in [0x1000, 5, 4] {
        let claim = Claim { originator: TERMINAL, counter, request: RequestId([9; 16]) };
        log.record(claim, "elsewhere", Outcome::NotAuthentic);
    }
    log.receive(TERMINAL, "a", 6, 2);
    let report = log.examine();
    assert_eq!(found(&report), [(Sign::NotAuthentic, 3, Some(0), 1)]);
    assert_eq!(report.findings[0].authenticated, 0);
}

#[test]
fn late_messages_that_the_policy_accepts_are_nothing_to_report() {
    let mut log = Log::with(Policy::Window(Window::new(8).unwrap()));
    for (message, counter) in [10, 8, 9, 12, 11].into_iter().enumerate() {
        log.receive(TERMINAL, "a", counter, message as u64);
    }
    assert_eq!(found(&log.examine()), []);
    let report = examine(log.observations.iter().copied(), Thresholds { jump: 1 });
    assert_eq!(found(&report), [(Sign::Jumped, 1, Some(0), 3)], "a gap is counted from the highest");
}

#[test]
fn evidence_without_macs_is_marked() {
    let mut log = log(&[("a", 5, 1), ("b", 5, 2)]);
    let [first, second] = &mut log.observations[..] else { unreachable!() };
    assert_eq!((examine([*first, *second], Thresholds::default()).findings[0].authenticated), 1);
    for (unproven, other) in [(*first, *second), (*second, *first)] {
        let Outcome::Judged { verdict, .. } = unproven.outcome else { unreachable!() };
        let outcome = Outcome::Judged { verdict, authentication: Authentication::Absent };
        let finding =
            examine([Observation { outcome, ..unproven }, other], Thresholds::default()).findings[0];
        assert_eq!((finding.sign, finding.times, finding.authenticated), (Sign::CounterReused, 1, 0));
    }
}

#[test]
fn the_report_names_what_was_found_with_its_evidence() {
    let mut log = log(&[("a", 5, 1), ("shop \"2\"\n", 5, 2), ("a", 4, 3), ("a", 5, 4)]);
    let claim = Claim { originator: terminal(2), counter: 1, request: RequestId([0; 16]) };
    log.record(claim, "b", Outcome::NotAuthentic);
    assert_eq!(
        log.examine().to_string(),
        "5 messages under 2 names: 4 findings
TDES FFFF0000000001E0: two messages under one counter; 2 times, 2 with MACs
  first: counter 0x5 accepted at \"a\", time 0; then counter 0x5 refused at \"shop \\\"2\\\"\\n\", time 1
  last: counter 0x5 accepted at \"a\", time 0; then counter 0x5 refused at \"a\", time 3
TDES FFFF0000000001E0: a counter that went back; 1 time, 1 with MACs
  first: counter 0x5 accepted at \"a\", time 0; then counter 0x4 refused at \"a\", time 2
TDES FFFF0000000001E0: two places by turns; 1 time, 1 with MACs
  first: counter 0x5 refused at \"shop \\\"2\\\"\\n\", time 1; then counter 0x4 refused at \"a\", time 2
TDES FFFF0000000002E0: a wrong MAC; 1 time, 0 with MACs
  first: counter 0x1 not authentic at \"b\", time 4"
    );
}

/// Small steps upward from a counter: what one terminal sends, with what gets lost on the way.
fn any_sequence() -> impl Strategy<Value = Vec<u32>> {
    (1_u32..60, proptest::collection::vec(1_u32..4, 0..12)).prop_map(|(first, steps)| {
        let mut counter = first;
        let mut sequence = vec![first];
        for step in steps {
            counter += step;
            sequence.push(counter);
        }
        sequence
    })
}

proptest! {
    /// Messages get lost, answers get lost and requests are repeated, a terminal moves on from place to place.
    #[test]
    fn an_honest_terminal_is_never_reported(
        sequence in any_sequence(),
        repeats in proptest::collection::vec(0_usize..3, 72),
        moves in proptest::collection::btree_set(1_usize..40, 0..3),
    ) {
        const PLACES: [&str; 3] = ["a", "b", "c"];
        let mut log = Log::default();
        for (sent, counter) in sequence.iter().enumerate() {
            let place = PLACES[moves.iter().filter(|at| **at <= sent).count().min(2)];
            for _ in 0..=repeats[sent] {
                log.receive(TERMINAL, place, *counter, u64::from(*counter));
            }
        }
        prop_assert_eq!(log.examine().findings, []);
    }

    /// Two terminals of one name, at two places: nothing is missed but a clone that takes over where the other ended.
    #[test]
    fn clones_show_unless_one_takes_over_from_the_other(
        ours in any_sequence(),
        theirs in any_sequence(),
        order in proptest::collection::vec(any::<bool>(), 24),
    ) {
        let (mut ours, mut theirs) = (ours.into_iter().peekable(), theirs.into_iter().peekable());
        let mut log = Log::default();
        let mut merged = vec![];
        for ours_first in order.into_iter().chain([true; 12]).chain([false; 12]) {
            let ours_is_next = ours_first && ours.peek().is_some() || theirs.peek().is_none();
            let (place, next) = if ours_is_next { ("a", ours.next()) } else { ("b", theirs.next()) };
            let Some(counter) = next else { break };
            // The same counter at the other place is another message.
            log.receive(TERMINAL, place, counter, u64::from(counter) << 1 | u64::from(ours_is_next));
            merged.push((place, counter));
        }
        let rises = merged.is_sorted_by(|a, b| a.1 < b.1);
        let changes = merged.windows(2).filter(|pair| pair[0].0 != pair[1].0).count();
        let signs: BTreeSet<Sign> = log.examine().findings.iter().map(|finding| finding.sign).collect();
        prop_assert_eq!(signs.contains(&Sign::CounterReused) || signs.contains(&Sign::WentBack), !rises);
        prop_assert_eq!(signs.contains(&Sign::Interleaved), changes > 1);
        prop_assert!(!signs.contains(&Sign::Replayed));
    }

    #[test]
    fn an_audit_in_parts_finds_the_same(
        messages in proptest::collection::vec((0_u8..4, 1_u32..9, 0_u64..3, any::<bool>()), 0..60),
    ) {
        let mut log = Log::default();
        for (number, counter, message, at_a) in messages {
            log.receive(terminal(number), if at_a { "a" } else { "b" }, counter, message);
        }
        let whole = log.examine();
        let parts = (0..4).map(|number| {
            let of_one = |observation: &Observation<'_>| observation.claim.originator == terminal(number);
            examine(log.observations.iter().copied().filter(of_one), Thresholds::default())
        });
        let mut findings: Vec<Finding<'_>> = parts.flat_map(|part| part.findings).collect();
        findings.sort_by_key(|finding| (finding.sign, finding.originator));
        prop_assert_eq!(whole.findings, findings);
    }
}

/// A fleet in which three of fifty terminals have one to four clones, one message in twenty gets lost, and one in ten is
/// asked again. Every clone that was heard shows, at the second message of its kind or soon after, and nobody else does.
#[test]
fn a_simulated_fleet_gives_away_its_clones_and_nobody_else() {
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = move |limit: u64| {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        random % limit
    };
    let clones_of = |number: u8| match number {
        7 => 1,
        19 => 2,
        42 => 4,
        _ => 0,
    };
    // Each copy of a terminal: its number, its place, the counter that it uses next.
    let mut copies: Vec<(u8, &'static str, u32)> = vec![];
    for number in 0..50 {
        for copy in 0..=clones_of(number) {
            copies.push((number, ["a", "b", "c", "d", "e"][copy], 1));
        }
    }
    let mut log = Log::default();
    for message in 0..20_000 {
        let chosen = usize::try_from(below(copies.len() as u64)).unwrap();
        let (number, place, counter) = &mut copies[chosen];
        let lost = below(20) == 0;
        for _ in 0..if lost { 0 } else { 1 + u64::from(below(10) == 0) } {
            log.receive(terminal(*number), place, *counter, message);
        }
        *counter = Counter::try_from(*counter).unwrap().next().unwrap().value();
    }
    let report = log.examine();
    let with_sign = |sign| {
        let of_sign = report.findings.iter().filter(move |finding| finding.sign == sign);
        of_sign.map(|finding| finding.originator).collect::<Vec<_>>()
    };
    let cloned = [7, 19, 42].map(terminal);
    for sign in [Sign::CounterReused, Sign::Interleaved] {
        assert_eq!(with_sign(sign), cloned, "{sign:?}");
    }
    assert!(report.findings.iter().all(|finding| cloned.contains(&finding.originator)));
    assert_eq!(report.originators, 50);

    for cloned in cloned {
        let of_it = |observation: &&Observation<'_>| observation.claim.originator == cloned;
        let first_sign = report.findings.iter().filter(|finding| finding.originator == cloned);
        let first_sign = first_sign.map(|finding| finding.first.message.time).min().unwrap();
        let heard = log.observations.iter().filter(of_it).filter(|seen| seen.time <= first_sign).count();
        println!("{cloned}: found by its message {heard}");
        assert!(heard <= 10);
    }
}
