//! The receiver of AES DUKPT: the steps are those of TDES DUKPT and tested there, so this is about names, counters, limits and
//! what both schemes share.
#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use core::convert::Infallible;

use cardroot_dukpt::aes::{
    Accepted, Bdk, BdkId, BdkIdTaken, Claimable, Counter, CounterError, InitialKeyId, KeySets, Ksn,
    OnesLimit, ReceiveError, Receiver, Transaction, VolatileOriginator,
};
use cardroot_dukpt::aeskey::{AesKey, AesKeyLength, MacMismatch};
use cardroot_dukpt::audit::{Observation, Outcome, Sign, Thresholds, examine};
use cardroot_dukpt::guard::{
    Claim, MemoryGuard, OriginatorId, Policy, Refusal, ReplayGuard, RequestId, Scheme, Verdict, Window,
    block_on,
};
use cardroot_dukpt::{AcceptError, Authentication};
use proptest::prelude::*;

const TEXT: &[u8] = b"4012345678909D987";
const ANNEX: [u8; 8] = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56];
/// Of another base key, and longer.
const OTHER: [u8; 8] = [0x12, 0x34, 0x56, 0x79, 0x90, 0x12, 0x34, 0x56];

fn bdk(name: [u8; 8]) -> Bdk {
    Bdk::from_key(match name {
        [.., 0x78, _, _, _, _] => {
            AesKey::try_from(&*common::hex("FEDCBA9876543210F1F1F1F1F1F1F1F1")).unwrap()
        }
        _ => AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x5B)),
    })
}

fn key_sets(limit: OnesLimit) -> KeySets {
    let mut sets = KeySets::with_ones_limit(limit);
    for name in [ANNEX, OTHER] {
        sets.insert(InitialKeyId::from(name).bdk_id(), bdk(name)).unwrap();
    }
    sets
}

fn host() -> Receiver<MemoryGuard> {
    Receiver::new(key_sets(OnesLimit::Sixteen), MemoryGuard::new(Policy::Strict))
}

/// Any 32 bits in the counter field, with what has a transaction's form and what has not.
fn at(name: [u8; 8], counter: u32) -> Ksn {
    let [a, b, c, d, e, f, g, h] = name;
    let [i, j, k, l] = counter.to_be_bytes();
    Ksn::from([a, b, c, d, e, f, g, h, i, j, k, l])
}

fn request(number: u8) -> RequestId {
    RequestId([number; 16])
}

fn mac(ksn: &Ksn) -> [u8; 16] {
    let key = bdk(*ksn.id().as_bytes()).derive_transaction_key(ksn, OnesLimit::Seventeen).unwrap();
    *key.mac_request_key(AesKeyLength::Aes128).unwrap().mac(TEXT).as_bytes()
}

fn check(key: &cardroot_dukpt::aes::TransactionKey, mac: &[u8; 16]) -> Result<(), MacMismatch> {
    key.mac_request_key(AesKeyLength::Aes128).unwrap().verify_mac(TEXT, mac)
}

/// A message with the MAC that its terminal would make.
fn genuine<G>(host: &Receiver<G>, ksn: &Ksn) -> Claimable {
    let mac = mac(ksn);
    host.derive(ksn).unwrap().authenticate(|key| check(key, &mac)).unwrap().0
}

fn accept<G: ReplayGuard>(
    host: &Receiver<G>,
    ksn: &Ksn,
    number: u8,
) -> Result<Accepted, AcceptError<G::Error>> {
    block_on(host.accept(genuine(host, ksn), request(number)))
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
    for name in [ANNEX, OTHER] {
        let id = InitialKeyId::from(name);
        let mut terminal = VolatileOriginator::load(bdk(name).derive_initial_key(&id));
        for number in 1..=40 {
            let sent = terminal.next_transaction().unwrap();
            let accepted = new(accept(&host, sent.ksn(), number).unwrap());
            assert!(accepted.key().ct_eq(sent.key()));
            assert_eq!((accepted.ksn(), accepted.skipped_counters()), (sent.ksn(), 0));
        }
        assert_eq!(host.guard().memory(&OriginatorId::from(&id)).unwrap().last, 40);
    }
}

#[test]
fn a_base_key_is_found_by_exactly_the_first_four_bytes_of_a_name() {
    let mut host = host();
    for byte in 0..4 {
        let mut name = ANNEX;
        name[byte] ^= 0x80;
        assert_eq!(host.derive(&at(name, 1)).unwrap_err(), ReceiveError::UnknownKeySet);
    }
    for byte in 4..8 {
        let mut name = ANNEX;
        name[byte] ^= 0x80;
        assert!(host.derive(&at(name, 1)).is_ok());
    }
    let retired = InitialKeyId::from(OTHER).bdk_id();
    assert!(host.key_sets_mut().remove(&retired).is_some());
    assert!(host.key_sets_mut().remove(&retired).is_none());
    assert_eq!(host.derive(&at(OTHER, 1)).unwrap_err(), ReceiveError::UnknownKeySet);
    assert!(host.key_sets_mut().insert(retired, bdk(OTHER)).is_ok());
}

#[test]
fn a_second_base_key_of_one_identifier_is_refused_and_the_first_stays() {
    let mut sets = key_sets(OnesLimit::Sixteen);
    let id = BdkId::from([0x12, 0x34, 0x56, 0x78]);
    let taken = sets.insert(id, bdk(OTHER)).unwrap_err();
    assert_eq!(taken, BdkIdTaken { id });
    assert_eq!(taken.to_string(), "there is a base derivation key 12345678 already");
    let ids: Vec<String> = sets.ids().map(ToString::to_string).collect();
    assert_eq!(ids, ["12345678", "12345679"]);
    assert!(sets.remove(&id).unwrap().ct_eq(&bdk(ANNEX)));
}

#[test]
fn update_keys_are_derived_for_held_key_sets_alone() {
    let sets = key_sets(OnesLimit::Sixteen);
    let id = InitialKeyId::from(ANNEX);
    let terminal = VolatileOriginator::load(bdk(ANNEX).derive_initial_key(&id));
    assert!(sets.derive_update_key(&id).unwrap().ct_eq(&terminal.update_key().unwrap()));
    assert!(sets.derive_update_key(&InitialKeyId::from([0x11; 8])).is_none());
}

#[test]
fn counters_that_no_transaction_has_are_refused_before_anything_else() {
    let host = host();
    assert_eq!(host.key_sets().ones_limit(), OnesLimit::Sixteen);
    for (counter, error) in [
        (0, CounterError::Zero),
        (0x0001_FFFF, CounterError::TooManyOnes { ones: 17, max: 16 }),
        (0xFFFF_8000, CounterError::TooManyOnes { ones: 17, max: 16 }),
        (0xFFFF_FFFF, CounterError::TooManyOnes { ones: 32, max: 16 }),
    ] {
        assert_eq!(host.derive(&at(ANNEX, counter)).unwrap_err(), ReceiveError::Counter(error));
    }
    assert_eq!(host.guard().memory(&OriginatorId::from(&InitialKeyId::from(ANNEX))), None);
}

#[test]
fn a_receiver_told_so_accepts_seventeen_ones_and_no_more() {
    let host = Receiver::new(key_sets(OnesLimit::Seventeen), MemoryGuard::new(Policy::Strict));
    let accepted = new(accept(&host, &at(ANNEX, 0x0001_FFFF), 1).unwrap());
    let key = common::to_hex(accepted.key().expose_key().expose_bytes());
    assert_eq!(key, "1FE368988089CDD76DA18A3458E113BA");
    for (counter, ones) in [(0x0003_FFFF, 18), (0xFFFF_FFFF, 32)] {
        let refused = host.derive(&at(ANNEX, counter)).unwrap_err();
        assert_eq!(refused, ReceiveError::Counter(CounterError::TooManyOnes { ones, max: 17 }));
    }
}

#[test]
fn gaps_are_counted_in_transactions_within_the_receivers_limit() {
    for (limit, between) in [(OnesLimit::Sixteen, 0), (OnesLimit::Seventeen, 1)] {
        let host = Receiver::new(key_sets(limit), MemoryGuard::new(Policy::Strict));
        let skipped = |counter| new(accept(&host, &at(ANNEX, counter), 1).unwrap()).skipped_counters();
        assert_eq!(skipped(5), 4, "the first message ever seen is the fifth");
        assert_eq!(skipped(9), 3);
        assert_eq!(skipped(0x0001_FFFE), 0x0001_FFFE - 10);
        assert_eq!(skipped(0x0002_0000), between, "0001FFFF has seventeen ones");
    }
}

#[test]
fn after_the_last_counter_the_originator_is_heard_no_more() {
    let host = host();
    let last = at(ANNEX, Counter::LAST.value());
    assert_eq!(new(accept(&host, &last, 1).unwrap()).skipped_counters(), Counter::TRANSACTIONS - 1);
    let found = Counter::LAST.value();
    assert_eq!(accept(&host, &last, 2).unwrap_err(), refused(Refusal::Replay { found }));
    let first = accept(&host, &at(ANNEX, 1), 3);
    assert_eq!(first.unwrap_err(), refused(Refusal::Below { found: 1, last: found }));
}

#[test]
fn the_last_request_asked_again_is_a_repeat_with_the_same_key_and_another_a_replay() {
    let host = host();
    let first = new(accept(&host, &at(ANNEX, 5), 2).unwrap());
    let again = accept(&host, &at(ANNEX, 5), 2).unwrap();
    assert_eq!((again.verdict(), again.ksn()), (Verdict::Repeated, &at(ANNEX, 5)));
    let Accepted::Repeated(repeat) = again else { panic!("a new transaction") };
    assert!(repeat.key().ct_eq(first.key()));
    assert_eq!(repeat.ksn(), first.ksn());
    let replay = accept(&host, &at(ANNEX, 5), 3);
    assert_eq!(replay.unwrap_err(), refused(Refusal::Replay { found: 5 }));
}

#[test]
fn a_forged_message_does_not_lock_the_terminal_out() {
    let host = host();
    new(accept(&host, &at(ANNEX, 1), 1).unwrap());
    let forged = host.derive(&at(ANNEX, Counter::LAST.value())).unwrap();
    assert_eq!(forged.authenticate(|key| check(key, &[0; 16])).unwrap_err(), MacMismatch);
    let next = accept(&host, &at(ANNEX, 2), 2).unwrap();
    assert_eq!(next.verdict(), Verdict::Accepted { previous: Some(1) });
    let unproven = host.derive(&at(ANNEX, 3)).unwrap().without_mac();
    assert_eq!(unproven.authentication(), Authentication::Absent);
}

#[test]
fn a_late_message_within_the_window_skips_nothing() {
    let window = Policy::Window(Window::new(4).unwrap());
    let host = Receiver::new(key_sets(OnesLimit::Sixteen), MemoryGuard::new(window));
    assert_eq!(new(accept(&host, &at(ANNEX, 10), 1).unwrap()).skipped_counters(), 9);
    let late = accept(&host, &at(ANNEX, 6), 2).unwrap();
    let Accepted::New { transaction, previous } = late else { panic!("a repeat") };
    assert_eq!((transaction.skipped_counters(), previous), (0, Counter::try_from(10).ok()));
}

/// A host that moved from one limit to the other, or two hosts over one memory.
#[test]
fn a_counter_accepted_under_the_other_limit_is_known() {
    let guard = MemoryGuard::new(Policy::Strict);
    let [sixteen, seventeen] =
        [OnesLimit::Sixteen, OnesLimit::Seventeen].map(|limit| Receiver::new(key_sets(limit), &guard));
    new(accept(&seventeen, &at(ANNEX, 0x0001_FFFF), 1).unwrap());
    let next = accept(&sixteen, &at(ANNEX, 0x0002_0001), 2).unwrap();
    let Accepted::New { transaction, previous } = next else { panic!("a repeat") };
    assert_eq!(previous, Counter::within(0x0001_FFFF, OnesLimit::Seventeen).ok());
    assert_eq!(transaction.skipped_counters(), 1, "00020000");
}

/// Names of both schemes may have the same 8 bytes.
#[test]
fn both_schemes_share_one_memory_and_no_counter() {
    let guard = MemoryGuard::new(Policy::Strict);
    let id = [0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x40];
    let aes = Receiver::new(key_sets(OnesLimit::Sixteen), &guard);

    let [a, b, c, d, e, f, g, h] = id;
    let tdes_name = cardroot_dukpt::Ksn::from([a, b, c, d, e, f, g, h, 0x00, 0x05]);
    let mut tdes_sets = cardroot_dukpt::KeySets::new();
    let set = cardroot_dukpt::KeySetId::of(&tdes_name, 40).unwrap();
    tdes_sets.insert(set, common::bdk(common::ANNEX_A_BDK)).unwrap();
    let tdes = cardroot_dukpt::Receiver::new(tdes_sets, &guard);

    new(accept(&aes, &at(id, 5), 1).unwrap());
    for expected in [Verdict::Accepted { previous: None }, Verdict::Repeated] {
        let message = tdes.derive(&tdes_name).unwrap().without_mac();
        assert_eq!(block_on(tdes.accept(message, request(1))).unwrap().verdict(), expected);
    }
    for (scheme, originator) in [
        (Scheme::Tdes, OriginatorId::from(&tdes_name)),
        (Scheme::Aes, OriginatorId::from(&InitialKeyId::from(id))),
    ] {
        assert_eq!(originator, OriginatorId { scheme, id });
        assert_eq!(guard.memory(&originator).unwrap().last, 5);
    }
}

#[test]
fn a_batch_may_hold_one_terminal_several_times() {
    let host = host();
    let names = [at(ANNEX, 3), at(OTHER, 3), at(ANNEX, 0), at(ANNEX, 5), at([0x11; 8], 1), at(ANNEX, 4)];
    let derived = host.derive_batch(&names);
    let outcomes: Vec<Option<ReceiveError>> =
        derived.iter().map(|derived| derived.as_ref().err().copied()).collect();
    let zero = Some(ReceiveError::Counter(CounterError::Zero));
    assert_eq!(outcomes, [None, None, zero, None, Some(ReceiveError::UnknownKeySet), None]);
    let batch = derived.into_iter().flatten().map(|message| {
        let mac = mac(message.ksn());
        (message.authenticate(|key| check(key, &mac)).unwrap().0, request(1))
    });
    let answers = block_on(host.accept_batch(batch.collect())).unwrap();
    let verdicts: Vec<_> = answers.iter().map(|answer| answer.as_ref().map(Accepted::verdict)).collect();
    assert_eq!(
        verdicts,
        [
            Ok(Verdict::Accepted { previous: None }),
            Ok(Verdict::Accepted { previous: None }),
            Ok(Verdict::Accepted { previous: Some(3) }),
            Err(&Refusal::Below { found: 4, last: 5 }),
        ]
    );
}

#[test]
fn a_claim_names_an_originator_of_aes_that_an_audit_can_follow() {
    let host = host();
    let observe = |counter, number, time| {
        let message = genuine(&host, &at(ANNEX, counter));
        let claim = message.claim(request(number));
        assert_eq!(
            claim,
            Claim { originator: OriginatorId::from(&at(ANNEX, 9)), counter, request: request(number) }
        );
        let verdict = match block_on(host.accept(message, request(number))) {
            Ok(accepted) => accepted.verdict(),
            Err(AcceptError::Refused(refusal)) => Verdict::Refused(refusal),
            Err(error) => panic!("{error}"),
        };
        let outcome = Outcome::Judged { verdict, authentication: Authentication::Verified };
        Observation { claim, outcome, source: "a", time }
    };
    let log = [observe(0x0001_FFFE, 1, 0), observe(0x0002_0000, 2, 1), observe(0x0002_0000, 3, 2)];
    let report = examine(log, Thresholds { jump: 1 });
    let signs: Vec<Sign> = report.findings.iter().map(|finding| finding.sign).collect();
    assert_eq!(signs, [Sign::CounterReused]);
    assert!(report.to_string().contains("AES 1234567890123456: two messages under one counter"), "{report}");
}

#[test]
fn debug_shows_no_key_bytes() {
    let mut sets = KeySets::new();
    let id = InitialKeyId::from([0x11; 8]);
    let base = || Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0xA5)));
    sets.insert(id.bdk_id(), base()).unwrap();
    let host = Receiver::new(sets, MemoryGuard::default());
    let ksn = at([0x11; 8], 1);
    let transaction_key = base().derive_transaction_key(&ksn, OnesLimit::Sixteen).unwrap();
    let bytes = transaction_key.expose_key().expose_bytes();
    let leaks =
        [format!("{:02x}{:02x}", bytes[0], bytes[1]), format!("{}, {}", bytes[0], bytes[1]), "a5".into()];
    let is_silent = |shown: String| {
        for leak in &leaks {
            assert!(!shown.to_lowercase().contains(leak.as_str()), "{shown}");
        }
    };
    let unproven = host.derive(&ksn).unwrap();
    is_silent(format!("{unproven:?} {unproven:#?} {host:?} {host:#?}"));
    let claimable = unproven.without_mac();
    is_silent(format!("{claimable:?} {claimable:#?}"));
    for _ in 0..2 {
        let accepted = block_on(host.accept(host.derive(&ksn).unwrap().without_mac(), request(1))).unwrap();
        is_silent(format!("{accepted:?} {accepted:#?}"));
    }
}

/// Counters near the start, around the first one with seventeen ones, and near the end.
fn any_counter() -> impl Strategy<Value = u32> {
    prop_oneof![0_u32..40, 0x0001_FFF0_u32..0x0002_0010, 0xFFFE_0000_u32..=u32::MAX]
}

proptest! {
    /// All that was accepted, in its order, says what comes next.
    #[test]
    fn the_receiver_does_what_a_list_of_everything_accepted_says(
        limit in prop_oneof![Just(OnesLimit::Sixteen), Just(OnesLimit::Seventeen)],
        messages in proptest::collection::vec((any_counter(), 0_u8..3), 1..24),
    ) {
        let host = Receiver::new(key_sets(limit), MemoryGuard::new(Policy::Strict));
        let mut accepted_before: Vec<(u32, u8)> = vec![];
        for (found, number) in messages {
            let ksn = at(ANNEX, found);
            if !(1..=limit.max_ones()).contains(&found.count_ones()) {
                prop_assert!(matches!(host.derive(&ksn), Err(ReceiveError::Counter(_))));
                continue;
            }
            let answer = accept(&host, &ksn, number);
            let last = accepted_before.last().map_or(0, |(counter, _)| *counter);
            if accepted_before.last() == Some(&(found, number)) {
                prop_assert!(matches!(answer, Ok(Accepted::Repeated(_))));
            } else if found > last {
                let transaction = new(answer.unwrap());
                let expected = bdk(ANNEX).derive_transaction_key(&ksn, limit).unwrap();
                prop_assert!(transaction.key().ct_eq(&expected));
                if found - last < 100 {
                    let usable = |counter: &u32| counter.count_ones() <= limit.max_ones();
                    let skipped = (last + 1..found).filter(usable).count();
                    prop_assert_eq!(usize::try_from(transaction.skipped_counters()), Ok(skipped));
                }
                accepted_before.push((found, number));
            } else {
                let is_known = last - found <= 63 && accepted_before.iter().any(|(counter, _)| *counter == found);
                let refusal = if is_known { Refusal::Replay { found } } else { Refusal::Below { found, last } };
                prop_assert_eq!(answer.unwrap_err(), refused(refusal));
            }
        }
    }
}
