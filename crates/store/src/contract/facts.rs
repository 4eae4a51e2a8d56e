//! The facts that one thread can see.

use core::future::{Future, poll_fn};
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use dukpt::guard::{Refusal, ReplayGuard, Scheme, Verdict, block_on};

use super::{Asker, claim, fresh, is_accepted};

pub(super) fn check<G: ReplayGuard>(asker: &Asker<'_, G>) {
    growing_counters_are_accepted_and_tell_the_one_before(asker);
    accepted_counters_are_replays(asker);
    windows_reach_as_far_as_they_say(asker);
    the_last_request_asked_again_is_a_repeat(asker);
    claims_of_a_batch_are_judged_in_their_order(asker);
    originators_do_not_meet(asker);
    futures_dropped_half_way_leave_a_batch_written_or_not(asker);
    many_futures_wait_on_one_thread(asker);
}

fn accepted(previous: Option<u32>) -> Verdict {
    Verdict::Accepted { previous }
}

fn growing_counters_are_accepted_and_tell_the_one_before<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let terminal = fresh(Scheme::Tdes);
    let mut previous = None;
    for counter in [0, 1, 2, 64, 129, 0x1F_F800, 0x7FFF_FFFF, 0x8000_0000, u32::MAX - 1, u32::MAX] {
        let verdict = asker.ask_one(claim(terminal, counter, 1));
        assert_eq!(verdict, accepted(previous), "counter {counter} grows and is accepted");
        previous = Some(counter);
    }
}

fn accepted_counters_are_replays<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let terminal = fresh(Scheme::Tdes);
    for counter in [7, 8, 71] {
        assert!(is_accepted(&asker.ask_one(claim(terminal, counter, 1))));
        let replay = Verdict::Refused(Refusal::Replay { found: counter });
        assert_eq!(asker.ask_one(claim(terminal, counter, 2)), replay, "an accepted counter is a replay");
        assert_eq!(asker.ask_one(claim(terminal, counter, 3)), replay, "a refusal changes nothing");
    }
    let replay = Verdict::Refused(Refusal::Replay { found: 8 });
    assert_eq!(asker.ask_one(claim(terminal, 8, 4)), replay, "a memory reaches 63 counters back");
    let below = Verdict::Refused(Refusal::Below { found: 7, last: 71 });
    assert_eq!(asker.ask_one(claim(terminal, 7, 4)), below, "beyond its memory a guard refuses");
}

fn windows_reach_as_far_as_they_say<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let (terminal, window) = (fresh(Scheme::Tdes), asker.policy.window());
    let last = 1000;
    assert!(is_accepted(&asker.ask_one(claim(terminal, last, 1))));
    let beyond = Verdict::Refused(Refusal::Below { found: last - window - 1, last });
    assert_eq!(asker.ask_one(claim(terminal, last - window - 1, 2)), beyond, "the window ends");
    for late in (last - window..last).step_by(7) {
        let verdict = asker.ask_one(claim(terminal, late, 3));
        assert_eq!(verdict, accepted(Some(last)), "a late counter within the window is accepted");
        let replay = Verdict::Refused(Refusal::Replay { found: late });
        assert_eq!(asker.ask_one(claim(terminal, late, 4)), replay, "a late counter is accepted once");
    }
    assert_eq!(
        asker.ask_one(claim(terminal, last + 1, 5)),
        accepted(Some(last)),
        "late ones do not lower it"
    );
}

fn the_last_request_asked_again_is_a_repeat<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let terminal = fresh(Scheme::Aes);
    let first = claim(terminal, 5, 0xFEED);
    assert!(is_accepted(&asker.ask_one(first)));
    assert_eq!(asker.ask_one(first), Verdict::Repeated, "a request asked again is a repeat");
    assert_eq!(asker.ask_one(first), Verdict::Repeated, "however often");
    let refused = asker.ask_one(claim(terminal, 4 - asker.policy.window().min(4), 0xFEED));
    assert_ne!(refused, Verdict::Repeated, "a request with another counter is another request");
    let next = claim(terminal, 600, 0xFEED);
    assert_eq!(asker.ask_one(next), accepted(Some(5)), "also if the counter grows");
    assert_eq!(asker.ask_one(next), Verdict::Repeated);
    assert!(matches!(asker.ask_one(first), Verdict::Refused(_)), "an earlier request is no repeat any more");
}

fn claims_of_a_batch_are_judged_in_their_order<G: ReplayGuard>(asker: &Asker<'_, G>) {
    assert_eq!(asker.ask(&[]), [], "a batch may be empty");
    let (one, other) = (fresh(Scheme::Tdes), fresh(Scheme::Tdes));
    let late = asker.policy.window().min(1);
    let batch = [
        claim(one, 1000, 1),
        claim(other, 5, 1),
        claim(one, 1000, 1),
        claim(one, 1000, 2),
        claim(one, 1002, 3),
        claim(other, 5, 2),
        claim(one, 1002 - late, 4),
        claim(one, 1002 - late, 5),
        claim(one, 900, 6),
        claim(other, 6, 3),
    ];
    let replay = |found| Verdict::Refused(Refusal::Replay { found });
    let expected = [
        accepted(None),
        accepted(None),
        Verdict::Repeated,
        replay(1000),
        accepted(Some(1000)),
        replay(5),
        if late == 1 { accepted(Some(1002)) } else { replay(1002) },
        replay(1002 - late),
        Verdict::Refused(Refusal::Below { found: 900, last: 1002 }),
        accepted(Some(5)),
    ];
    assert_eq!(asker.ask(&batch), expected, "a batch is judged claim after claim");
    let falling = [3, 2, 1].map(|counter| claim(fresh(Scheme::Tdes), counter, 1));
    assert_eq!(asker.ask(&falling), [accepted(None); 3], "verdicts stand where their claims stood");
}

fn originators_do_not_meet<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let tdes = fresh(Scheme::Tdes);
    let mut neighbour = tdes;
    neighbour.id[7] ^= 1;
    let mut far = tdes;
    far.id[0] ^= 0x80;
    let aes = dukpt::guard::OriginatorId { scheme: Scheme::Aes, ..tdes };
    for terminal in [tdes, neighbour, far, aes] {
        assert_eq!(
            asker.ask_one(claim(terminal, 9, 1)),
            accepted(None),
            "{terminal} has a memory of its own"
        );
    }
}

/// A caller may go away at any time: after the first poll the batch may be written or not, but not half.
fn futures_dropped_half_way_leave_a_batch_written_or_not<G: ReplayGuard>(asker: &Asker<'_, G>) {
    for _ in 0..10 {
        let batch = [(); 3].map(|()| claim(fresh(Scheme::Tdes), 4, 1));
        {
            let mut future = Box::pin(asker.guard.advance(&batch));
            let _ = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        }
        let verdicts = asker.ask(&batch);
        let (first, fits) = (verdicts[0], [accepted(None), Verdict::Repeated]);
        assert!(fits.contains(&first), "asked again, a batch nobody waited for is new or a repeat");
        assert!(verdicts.iter().all(|verdict| *verdict == first), "all of a batch is written, or none");
        let replay = Verdict::Refused(Refusal::Replay { found: 4 });
        assert_eq!(asker.ask_one(claim(batch[0].originator, 4, 2)), replay, "and it is accepted once");
    }
}

fn many_futures_wait_on_one_thread<G: ReplayGuard>(asker: &Asker<'_, G>) {
    let batches: Vec<_> = (0..32).map(|counter| [claim(fresh(Scheme::Tdes), counter, 1)]).collect();
    let mut waiting: Vec<_> = batches.iter().map(|batch| Box::pin(asker.guard.advance(batch))).collect();
    let mut answered = 0;
    block_on(poll_fn(|context| {
        waiting.retain_mut(|future| match Pin::new(future).poll(context) {
            Poll::Ready(Ok(verdicts)) => {
                assert_eq!(verdicts, [accepted(None)], "each future has its own answer");
                answered += 1;
                false
            }
            Poll::Ready(Err(error)) => panic!("a batch was not judged: {error}"),
            Poll::Pending => true,
        });
        if waiting.is_empty() { Poll::Ready(()) } else { Poll::Pending }
    }));
    assert_eq!(answered, batches.len());
}
