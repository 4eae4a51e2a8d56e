//! Key serial numbers, originator and receiver.

use ::dukpt::{Bdk, Counter, CounterError, DeriveError, Ksn, Receiver, VolatileOriginator};
use ::tdea::TdeaKey;

use crate::Reach;
use crate::input::Input;

/// Any bytes are a key serial number or none, as it stands and as messages shorten it; the short form comes back as the
/// same, and counters keep their order.
pub fn ksn_decode_is_total(data: &[u8]) -> Reach {
    assert_eq!(Ksn::try_from(data).is_ok(), data.len() == Ksn::LEN);
    let from_wire = Ksn::from_wire(data);
    assert_eq!(from_wire.is_ok(), (Ksn::MIN_WIRE_LEN..=Ksn::LEN).contains(&data.len()));
    let Ok(ksn) = from_wire else { return Reach::Refused };

    assert!(ksn.as_bytes().ends_with(data));
    let short = ksn.without_padding();
    assert!((Ksn::MIN_WIRE_LEN..=data.len()).contains(&short.len()));
    assert_eq!(Ksn::from_wire(short), Ok(ksn));
    assert_eq!(Ksn::from(*ksn.as_bytes()), ksn);

    let initial = ksn.initial();
    assert_eq!((initial.id(), initial.initial()), (ksn.id(), initial));
    assert_eq!(initial.counter(), Err(CounterError::Zero));
    if let Ok(counter) = ksn.counter() {
        assert_eq!(initial.with_counter(counter), ksn);
        check_counter(counter);
    }
    Reach::Held
}

fn check_counter(counter: Counter) {
    assert_eq!(Counter::try_from(counter.value()), Ok(counter));
    assert!((Counter::FIRST..=Counter::LAST).contains(&counter));
    assert!((1..=Counter::MAX_ONES).contains(&counter.ones()));
    assert_eq!(counter.follows(None), Ok(counter.ordinal() - 1));
    assert!(counter.follows(Some(counter)).is_err());
    match counter.next() {
        Ok(next) => {
            assert_eq!(next.follows(Some(counter)), Ok(0));
            assert_eq!(next.ordinal(), counter.ordinal() + 1);
        }
        Err(_) => assert_eq!((counter, counter.ordinal()), (Counter::LAST, Counter::TRANSACTIONS)),
    }
}

/// A terminal and its host agree on every key, and neither takes a counter twice. A key that the host refuses loads no
/// terminal.
///
/// Input: key length, base key, key serial number, number of transactions.
pub fn dukpt_host_equals_terminal(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let key = match input.coin() {
        false => TdeaKey::from(input.array::<16>()),
        true => TdeaKey::from(input.array::<24>()),
    };
    let ksn = Ksn::from(input.array());
    let initial_key = Bdk::from_key(key.duplicate()).derive_initial_key(&ksn);
    let Ok(host) = Receiver::new(Bdk::from_key(key)) else {
        assert!(initial_key.is_err());
        return Reach::Refused;
    };
    let initial_key = initial_key.unwrap();
    match (initial_key.derive_transaction_key(&ksn), host.derive_transaction_key(&ksn), ksn.counter()) {
        (Ok(key), Ok(same), Ok(_)) => assert!(key.ct_eq(&same)),
        (Err(DeriveError::Counter(error)), Err(same), Err(too)) => assert_eq!((error, error), (same, too)),
        _ => panic!("{ksn} is good to one side only"),
    }

    let mut terminal = VolatileOriginator::load(initial_key);
    let mut last = None;
    for done in 1..=input.below(64) {
        let sent = terminal.next_transaction().unwrap();
        let accepted = host.accept(sent.ksn(), last).unwrap();
        assert!(accepted.key().ct_eq(sent.key()));
        assert_eq!((sent.skipped_counters(), accepted.skipped_counters()), (0, 0));
        last = sent.ksn().counter().ok();
        assert_eq!(last.map(Counter::ordinal), u32::try_from(done).ok());
        assert!(host.accept(sent.ksn(), last).is_err());
    }
    Reach::Held
}
