//! The receiver with memory: what it refuses, what it remembers, and when.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

extern crate alloc;

mod common;

use alloc::sync::Arc;
use core::convert::Infallible;
use core::error::Error;
use core::future::poll_fn;
use core::pin::pin;
use core::task::{Context, Poll, Waker};
use std::sync::Mutex;
use std::thread;

use cardroot_dukpt::guard::{
    Claim, MemoryGuard, OriginatorId, Policy, Refusal, ReplayGuard, RequestId, Verdict, Window, block_on,
};
use cardroot_dukpt::tdea::{MacMismatch, TdeaKey};
use cardroot_dukpt::{
    AcceptError, Accepted, Authentication, Bdk, Claimable, Counter, CounterError, GuardError, KeySetId,
    KeySets, Ksn, ReceiveError, Receiver, Transaction, VolatileOriginator,
};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, bdk, ksn};
use proptest::prelude::*;

/// A second key set and its base key.
const OTHER_BDK: &str = "1122334455667788A1B2C3D4E5F60718";
const OTHER_KSN: &str = "FFFF9876550000200000";
const TEXT: &[u8] = b"4012345678909D987";

fn key_sets() -> KeySets {
    let mut sets = KeySets::new();
    for (name, key) in [(ANNEX_A_KSN, ANNEX_A_BDK), (OTHER_KSN, OTHER_BDK)] {
        sets.insert(KeySetId::of(&ksn(name), 40).unwrap(), bdk(key)).unwrap();
    }
    sets
}

fn host() -> Receiver<MemoryGuard> {
    Receiver::new(key_sets(), MemoryGuard::new(Policy::Strict))
}

/// Any 21 bits in the counter field, with what has a transaction's form and what has not.
fn at(name: &str, counter: u32) -> Ksn {
    let mut bytes = *ksn(name).as_bytes();
    bytes[7] |= u8::try_from(counter >> 16).unwrap();
    bytes[8..].copy_from_slice(&counter.to_be_bytes()[2..]);
    Ksn::from(bytes)
}

fn request(number: u8) -> RequestId {
    RequestId([number; 16])
}

/// A message with the MAC that its terminal would make.
fn genuine<G>(host: &Receiver<G>, ksn: &Ksn) -> Claimable {
    let is_other = ksn.as_bytes().starts_with(&common::ksn(OTHER_KSN).as_bytes()[..5]);
    let mac = mac(if is_other { OTHER_BDK } else { ANNEX_A_BDK }, ksn);
    let message = host.derive(ksn).unwrap();
    message.authenticate(|key| key.mac_request_key().verify_mac(TEXT, &mac)).unwrap().0
}

fn mac(base: &str, ksn: &Ksn) -> [u8; 8] {
    *bdk(base).derive_transaction_key(ksn).unwrap().mac_request_key().mac(TEXT).as_bytes()
}

fn accept<G: ReplayGuard>(
    host: &Receiver<G>,
    ksn: &Ksn,
    request: RequestId,
) -> Result<Accepted, AcceptError<G::Error>> {
    block_on(host.accept(genuine(host, ksn), request))
}

fn new(accepted: Accepted) -> Transaction {
    match accepted {
        Accepted::New { transaction, .. } => transaction,
        Accepted::Repeated(_) => panic!("a repeat"),
    }
}

fn refused(refusal: Refusal) -> AcceptError<Infallible> {
    AcceptError::Refused(refusal)
}

#[test]
fn a_genuine_message_is_accepted_with_the_key_of_its_terminal() {
    let host = host();
    for (name, key) in [(ANNEX_A_KSN, ANNEX_A_BDK), (OTHER_KSN, OTHER_BDK)] {
        let mut terminal = VolatileOriginator::load(bdk(key).derive_initial_key(&ksn(name)).unwrap());
        for number in 1..=40 {
            let sent = terminal.next_transaction().unwrap();
            let accepted = new(accept(&host, sent.ksn(), request(number)).unwrap());
            assert!(accepted.key().ct_eq(sent.key()));
            assert_eq!(accepted.skipped_counters(), 0);
        }
        let memory = host.guard().memory(&OriginatorId::from(&ksn(name))).unwrap();
        assert_eq!(memory.last, 40);
    }
}

#[test]
fn an_unknown_key_set_is_refused() {
    let unknown = ksn("FFFF9876560000200001");
    assert_eq!(host().derive(&unknown).unwrap_err(), ReceiveError::UnknownKeySet);
    let mut host = host();
    host.key_sets_mut().remove(&KeySetId::of(&ksn(OTHER_KSN), 40).unwrap());
    assert_eq!(host.derive(&at(OTHER_KSN, 1)).unwrap_err(), ReceiveError::UnknownKeySet);
}

#[test]
fn counters_that_no_transaction_has_are_refused_before_anything_else() {
    let host = host();
    for (counter, error) in [
        (0, CounterError::Zero),
        (0x7FF, CounterError::TooManyOnes { ones: 11 }),
        (0x1F_F801, CounterError::TooManyOnes { ones: 11 }),
        (0x1F_FFFF, CounterError::TooManyOnes { ones: 21 }),
    ] {
        assert_eq!(host.derive(&at(ANNEX_A_KSN, counter)).unwrap_err(), ReceiveError::Counter(error));
    }
    assert_eq!(host.guard().memory(&OriginatorId::from(&ksn(ANNEX_A_KSN))), None);
}

#[test]
fn a_replay_and_an_old_counter_are_refused() {
    let host = host();
    new(accept(&host, &at(ANNEX_A_KSN, 5), request(1)).unwrap());
    let replay = accept(&host, &at(ANNEX_A_KSN, 5), request(2));
    assert_eq!(replay.unwrap_err(), refused(Refusal::Replay { found: 5 }));
    let below = accept(&host, &at(ANNEX_A_KSN, 4), request(3));
    assert_eq!(below.unwrap_err(), refused(Refusal::Below { found: 4, last: 5 }));
}

#[test]
fn a_gap_is_accepted_and_counted_in_transactions() {
    let host = host();
    let skipped =
        |counter| new(accept(&host, &at(ANNEX_A_KSN, counter), request(1)).unwrap()).skipped_counters();
    assert_eq!(skipped(5), 4, "the first message ever seen is the fifth");
    assert_eq!(skipped(9), 3);
    assert_eq!(skipped(0x7FE), 0x7F4);
    assert_eq!(skipped(0x800), 0, "7FF is nobody's");
}

#[test]
fn after_the_last_counter_the_originator_is_heard_no_more() {
    let host = host();
    let last = at(ANNEX_A_KSN, Counter::LAST.value());
    let accepted = new(accept(&host, &last, request(1)).unwrap());
    assert_eq!(accepted.skipped_counters(), Counter::TRANSACTIONS - 1);
    let found = Counter::LAST.value();
    assert_eq!(accept(&host, &last, request(2)).unwrap_err(), refused(Refusal::Replay { found }));
    let first = accept(&host, &at(ANNEX_A_KSN, 1), request(3));
    assert_eq!(first.unwrap_err(), refused(Refusal::Below { found: 1, last: found }));
}

#[test]
fn the_last_request_asked_again_is_a_repeat_with_the_same_key() {
    let host = host();
    new(accept(&host, &at(ANNEX_A_KSN, 4), request(1)).unwrap());
    let first = new(accept(&host, &at(ANNEX_A_KSN, 5), request(2)).unwrap());
    let again = accept(&host, &at(ANNEX_A_KSN, 5), request(2)).unwrap();
    assert_eq!(again.verdict(), Verdict::Repeated);
    assert_eq!(again.ksn(), &at(ANNEX_A_KSN, 5));
    let Accepted::Repeated(repeat) = again else { panic!("a new transaction") };
    assert!(repeat.key().ct_eq(first.key()));

    let before = accept(&host, &at(ANNEX_A_KSN, 4), request(1));
    assert_eq!(before.unwrap_err(), refused(Refusal::Replay { found: 4 }), "not the last any more");
    new(accept(&host, &at(ANNEX_A_KSN, 6), request(2)).unwrap());
}

#[test]
fn a_forged_message_does_not_lock_the_terminal_out() {
    let host = host();
    new(accept(&host, &at(ANNEX_A_KSN, 1), request(1)).unwrap());
    let forged = host.derive(&at(ANNEX_A_KSN, Counter::LAST.value())).unwrap();
    let verdict = forged.authenticate(|key| key.mac_request_key().verify_mac(TEXT, &[0; 8]));
    assert_eq!(verdict.unwrap_err(), MacMismatch);
    assert_eq!(host.guard().memory(&OriginatorId::from(&ksn(ANNEX_A_KSN))).unwrap().last, 1);
    new(accept(&host, &at(ANNEX_A_KSN, 2), request(2)).unwrap());
}

/// What the doc of `without_mac` warns of.
#[test]
fn without_a_mac_anybody_can_claim_a_counter() {
    let host = host();
    let unproven = host.derive(&at(ANNEX_A_KSN, 0x1000)).unwrap().without_mac();
    assert_eq!(unproven.authentication(), Authentication::Absent);
    assert_eq!(genuine(&host, &at(ANNEX_A_KSN, 1)).authentication(), Authentication::Verified);
    new(block_on(host.accept(unproven, request(1))).unwrap());
    let genuine = accept(&host, &at(ANNEX_A_KSN, 1), request(2));
    assert_eq!(genuine.unwrap_err(), refused(Refusal::Below { found: 1, last: 0x1000 }));
}

#[test]
fn a_claim_names_originator_and_counter() {
    let host = host();
    let ksn = at(ANNEX_A_KSN, 0x1F_F800);
    let expected = Claim { originator: OriginatorId::from(&ksn), counter: 0x1F_F800, request: request(9) };
    assert_eq!(host.derive(&ksn).unwrap().claim(request(9)), expected);
    assert_eq!(genuine(&host, &ksn).claim(request(9)), expected);
    assert_eq!(genuine(&host, &ksn).ksn(), &ksn);
}

#[test]
fn a_batch_may_hold_one_terminal_several_times() {
    let host = host();
    let message = |name, counter, number| (genuine(&host, &at(name, counter)), request(number));
    let batch = vec![
        message(ANNEX_A_KSN, 3, 1),
        message(OTHER_KSN, 3, 1),
        message(ANNEX_A_KSN, 5, 2),
        message(ANNEX_A_KSN, 5, 2),
        message(ANNEX_A_KSN, 5, 3),
        message(ANNEX_A_KSN, 4, 4),
        message(OTHER_KSN, 4, 5),
    ];
    let answers = block_on(host.accept_batch(batch)).unwrap();
    let verdicts: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(Accepted::verdict)).collect();
    assert_eq!(
        verdicts,
        [
            Ok(Verdict::Accepted { previous: None }),
            Ok(Verdict::Accepted { previous: None }),
            Ok(Verdict::Accepted { previous: Some(3) }),
            Ok(Verdict::Repeated),
            Err(&Refusal::Replay { found: 5 }),
            Err(&Refusal::Below { found: 4, last: 5 }),
            Ok(Verdict::Accepted { previous: Some(3) }),
        ]
    );
    let accepted: Vec<String> = answers.iter().flatten().map(|accepted| accepted.ksn().to_string()).collect();
    assert_eq!(accepted[1..3], ["FFFF9876550000200003", "FFFF9876543210E00005"]);
    assert!(block_on(host.accept_batch(vec![])).unwrap().is_empty());
}

#[test]
fn a_batch_of_names_is_derived_each_in_its_place() {
    let host = host();
    // More than one by one is worth, names of both key sets, counters that are none and an unknown key set among them.
    let mut names: Vec<Ksn> = (0..600)
        .map(|number| {
            at(if number % 3 == 0 { OTHER_KSN } else { ANNEX_A_KSN }, (number * 0x5_A7D1) & 0x1F_FFFF)
        })
        .collect();
    names.extend([at(ANNEX_A_KSN, 0), ksn("FFFF9876560000200001"), at(OTHER_KSN, 7), at(OTHER_KSN, 7)]);
    assert!(host.derive_batch(&[]).is_empty());
    let derived = host.derive_batch(&names);
    assert!((200..500).contains(&derived.iter().flatten().count()));
    assert_eq!(derived.len(), names.len());
    for (name, derived) in names.iter().zip(derived) {
        match (derived, host.derive(name)) {
            (Ok(ours), Ok(single)) => {
                assert_eq!(ours.ksn(), name);
                let mac = single
                    .authenticate(|key| Ok::<_, MacMismatch>(key.mac_request_key().mac(TEXT)))
                    .unwrap()
                    .1;
                let verified =
                    ours.authenticate(|key| key.mac_request_key().verify_mac(TEXT, mac.as_bytes()));
                assert!(verified.is_ok());
            }
            (ours, single) => assert_eq!(ours.unwrap_err(), single.unwrap_err()),
        }
    }
}

#[test]
fn a_late_message_within_the_window_skips_nothing() {
    let window = Policy::Window(Window::new(4).unwrap());
    let host = Receiver::new(key_sets(), MemoryGuard::new(window));
    assert_eq!(new(accept(&host, &at(ANNEX_A_KSN, 10), request(1)).unwrap()).skipped_counters(), 9);
    let late = accept(&host, &at(ANNEX_A_KSN, 6), request(2)).unwrap();
    let Accepted::New { transaction, previous } = late else { panic!("a repeat") };
    assert_eq!((transaction.skipped_counters(), previous), (0, Counter::try_from(10).ok()));
    let too_late = accept(&host, &at(ANNEX_A_KSN, 5), request(3));
    assert_eq!(too_late.unwrap_err(), refused(Refusal::Below { found: 5, last: 10 }));
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the disk is full")]
struct DiskFull;

/// Fails, or answers with as many verdicts as it pleases.
#[derive(Debug)]
struct Faulty(Result<usize, DiskFull>);

impl ReplayGuard for Faulty {
    type Error = DiskFull;

    async fn advance(&self, _: &[Claim]) -> Result<Vec<Verdict>, DiskFull> {
        self.0.map(|count| vec![Verdict::Accepted { previous: None }; count])
    }
}

#[test]
fn nothing_is_accepted_by_a_memory_that_fails_or_miscounts() {
    let ksn = at(ANNEX_A_KSN, 1);
    let miscounted = |claims, verdicts| GuardError::Miscounted { claims, verdicts };
    for (guard, one, two) in [
        (Err(DiskFull), GuardError::Failed(DiskFull), GuardError::Failed(DiskFull)),
        (Ok(0), miscounted(1, 0), miscounted(2, 0)),
        (Ok(3), miscounted(1, 3), miscounted(2, 3)),
    ] {
        let host = Receiver::new(key_sets(), Faulty(guard));
        assert_eq!(accept(&host, &ksn, request(1)).unwrap_err(), AcceptError::Guard(one));
        let batch = [1, 2].map(|number| (genuine(&host, &ksn), request(number)));
        assert_eq!(block_on(host.accept_batch(batch.into())).unwrap_err(), two);
    }
    let error = AcceptError::Guard(GuardError::Failed(DiskFull));
    assert_eq!(error.to_string(), "the memory of accepted counters failed");
    assert_eq!(Error::source(&error).unwrap().to_string(), "the disk is full");
}

/// Answers a claim once the test has let it.
#[derive(Debug, Default)]
struct Slow {
    written: Mutex<bool>,
}

impl ReplayGuard for Slow {
    type Error = Infallible;

    async fn advance(&self, _: &[Claim]) -> Result<Vec<Verdict>, Self::Error> {
        let write = || if *self.written.lock().unwrap() { Poll::Ready(()) } else { Poll::Pending };
        poll_fn(|_| write()).await;
        Ok(vec![Verdict::Accepted { previous: None }])
    }
}

#[test]
fn no_transaction_comes_out_before_the_memory_is_written() {
    fn is_send<T: Send>(future: T) -> T {
        future
    }
    let host = Receiver::new(key_sets(), Slow::default());
    let mut accept = pin!(is_send(host.accept(genuine(&host, &at(ANNEX_A_KSN, 1)), request(1))));
    let mut context = Context::from_waker(Waker::noop());
    assert!(accept.as_mut().poll(&mut context).is_pending());
    *host.guard().written.lock().unwrap() = true;
    assert!(matches!(accept.as_mut().poll(&mut context), Poll::Ready(Ok(Accepted::New { .. }))));
}

#[test]
fn of_threads_that_race_for_one_counter_exactly_one_wins() {
    let host = host();
    for counter in 1..=50 {
        let ksn = at(ANNEX_A_KSN, counter);
        let race = |number| accept(&host, &ksn, request(number));
        let answers: Vec<_> = thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|number| scope.spawn(move || race(number))).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        let (won, lost): (Vec<_>, Vec<_>) = answers.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), lost.len()), (1, 7));
        for lost in lost {
            assert_eq!(lost.unwrap_err(), refused(Refusal::Replay { found: counter }));
        }
    }
}

#[test]
fn batches_of_many_threads_accept_each_counter_at_most_once_and_all_of_them_in_order() {
    let guard = MemoryGuard::new(Policy::Strict);
    let accepted = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for number in 0..4 {
            let (guard, accepted) = (&guard, &accepted);
            scope.spawn(move || {
                // A receiver of its own, over the memory that all of them share.
                let host = Receiver::new(key_sets(), guard);
                for first in (1..200).step_by(5) {
                    let message = |counter| (genuine(&host, &at(ANNEX_A_KSN, counter)), request(number));
                    let batch = (first..first + 5).map(message).collect();
                    let answers = block_on(host.accept_batch(batch)).unwrap();
                    let counters: Vec<u32> = answers
                        .iter()
                        .filter_map(|answer| match answer {
                            Ok(Accepted::New { transaction, .. }) => {
                                Some(transaction.ksn().counter().unwrap().value())
                            }
                            _ => None,
                        })
                        .collect();
                    assert!(
                        counters.is_empty() || counters.len() == 5,
                        "a batch is judged as one: {counters:?}"
                    );
                    accepted.lock().unwrap().extend(counters);
                }
            });
        }
    });
    let mut accepted = accepted.into_inner().unwrap();
    accepted.sort_unstable();
    assert!(accepted.is_sorted_by(|a, b| a < b));
    assert_eq!(accepted.last(), Some(&200));
}

#[test]
fn a_shared_guard_is_one_memory() {
    let guard = Arc::new(MemoryGuard::default());
    let [first, second] = [(); 2].map(|()| Receiver::new(key_sets(), Arc::clone(&guard)));
    new(accept(&first, &at(ANNEX_A_KSN, 1), request(1)).unwrap());
    let replay = accept(&second, &at(ANNEX_A_KSN, 1), request(2));
    assert_eq!(replay.unwrap_err(), refused(Refusal::Replay { found: 1 }));
}

#[test]
fn debug_shows_no_key_bytes() {
    let key = || TdeaKey::from(0xA5A5A5A5A5A5A5A5_25A5A5A5A5A5A5A5_u128.to_be_bytes());
    let mut sets = KeySets::new();
    let name = ksn("11111111111111E00001");
    sets.insert(KeySetId::of(&name, 40).unwrap(), Bdk::from_key(key())).unwrap();
    let host = Receiver::new(sets, MemoryGuard::default());
    let transaction_key = Bdk::from_key(key()).derive_transaction_key(&name).unwrap();
    let bytes = transaction_key.expose_key().expose_bytes();
    let leaks =
        [format!("{:02x}{:02x}", bytes[0], bytes[1]), format!("{}, {}", bytes[0], bytes[1]), "a5".into()];
    let is_silent = |shown: String| {
        for leak in &leaks {
            assert!(!shown.to_lowercase().contains(leak.as_str()), "{shown}");
        }
    };
    let unproven = host.derive(&name).unwrap();
    is_silent(format!("{unproven:?} {unproven:#?} {host:?} {host:#?}"));
    let claimable = unproven.without_mac();
    is_silent(format!("{claimable:?} {claimable:#?}"));
    let accepted = block_on(host.accept(claimable, request(1))).unwrap();
    is_silent(format!("{accepted:?} {accepted:#?}"));
    let repeated = block_on(host.accept(host.derive(&name).unwrap().without_mac(), request(1))).unwrap();
    assert!(matches!(repeated, Accepted::Repeated(_)));
    is_silent(format!("{repeated:?} {repeated:#?}"));
}

/// What came of a message, as the model has it.
#[derive(Debug, Eq, PartialEq)]
enum Outcome {
    Malformed,
    Forged,
    New { skipped: usize },
    Repeated,
    Refused(Refusal),
}

#[derive(Clone, Debug)]
struct Message {
    terminal: usize,
    counter: u32,
    request: u8,
    genuine: bool,
}

const TERMINALS: [(&str, &str); 4] = [
    (ANNEX_A_KSN, ANNEX_A_BDK),
    ("FFFF9876543210C00000", ANNEX_A_BDK),
    (OTHER_KSN, OTHER_BDK),
    ("FFFF9876540000200000", ANNEX_A_BDK),
];

/// All that was accepted from one terminal, in its order.
#[derive(Clone, Default)]
struct Model(Vec<(u32, u8)>);

impl Model {
    fn judge(&mut self, message: &Message) -> Outcome {
        let usable = |counter: u32| (1..=10).contains(&counter.count_ones());
        let last = self.0.last().map_or(0, |(counter, _)| *counter);
        let found = message.counter;
        if !usable(found) {
            Outcome::Malformed
        } else if !message.genuine {
            Outcome::Forged
        } else if self.0.last() == Some(&(found, message.request)) {
            Outcome::Repeated
        } else if found > last {
            self.0.push((found, message.request));
            Outcome::New { skipped: (last + 1..found).filter(|counter| usable(*counter)).count() }
        } else if last - found <= 63 && self.0.iter().any(|(counter, _)| *counter == found) {
            Outcome::Refused(Refusal::Replay { found })
        } else {
            Outcome::Refused(Refusal::Below { found, last })
        }
    }
}

/// Sends a batch: those that fail on the way have their outcome at once, the others when all are judged.
fn send(host: &Receiver<MemoryGuard>, batch: &[Message]) -> Vec<Outcome> {
    let mut outcomes = Vec::new();
    let mut claims = Vec::new();
    for message in batch {
        let (name, base) = TERMINALS[message.terminal];
        let ksn = at(name, message.counter);
        let outcome = match host.derive(&ksn) {
            Err(ReceiveError::Counter(_)) => Outcome::Malformed,
            Err(error) => panic!("{error}"),
            Ok(derived) => {
                let mut mac = mac(base, &ksn);
                mac[0] ^= u8::from(!message.genuine);
                match derived.authenticate(|key| key.mac_request_key().verify_mac(TEXT, &mac)) {
                    Err(_) => Outcome::Forged,
                    Ok((claimable, ())) => {
                        claims.push((claimable, request(message.request)));
                        PENDING
                    }
                }
            }
        };
        outcomes.push(outcome);
    }
    let mut answers = block_on(host.accept_batch(claims)).unwrap().into_iter();
    for (message, outcome) in batch.iter().zip(&mut outcomes).filter(|(_, outcome)| **outcome == PENDING) {
        *outcome = match answers.next().unwrap() {
            Ok(Accepted::New { transaction, .. }) => {
                let (name, base) = TERMINALS[message.terminal];
                let expected = bdk(base).derive_transaction_key(&at(name, message.counter)).unwrap();
                assert!(transaction.key().ct_eq(&expected));
                Outcome::New { skipped: transaction.skipped_counters().try_into().unwrap() }
            }
            Ok(Accepted::Repeated(_)) => Outcome::Repeated,
            Err(refusal) => Outcome::Refused(refusal),
        };
    }
    assert!(answers.next().is_none());
    outcomes
}

/// Stands in an outcome's place until the batch is judged.
const PENDING: Outcome = Outcome::New { skipped: usize::MAX };

fn any_message() -> impl Strategy<Value = Message> {
    let counter = prop_oneof![3 => 0_u32..40, 1 => 0x7F0_u32..0x830, 1 => 0_u32..0x1000];
    (0..TERMINALS.len(), counter, 0_u8..3, proptest::bool::weighted(0.85))
        .prop_map(|(terminal, counter, request, genuine)| Message { terminal, counter, request, genuine })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_receiver_does_what_a_list_of_everything_accepted_says(
        batches in proptest::collection::vec(proptest::collection::vec(any_message(), 0..8), 1..12),
    ) {
        let host = host();
        let mut models = vec![Model::default(); TERMINALS.len()];
        for batch in batches {
            let expected: Vec<Outcome> =
                batch.iter().map(|message| models[message.terminal].judge(message)).collect();
            prop_assert_eq!(send(&host, &batch), expected, "{:?}", batch);
        }
    }
}
