//! Key serial numbers, originator and receiver.

use ::dukpt::guard::{MemoryGuard, Policy, Refusal, RequestId, block_on};
use ::dukpt::{
    AcceptError, Accepted, Bdk, Counter, CounterError, DeriveError, KeySetError, KeySetId, KeySets, Ksn,
    ReceiveError, Receiver, VolatileOriginator,
};
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
    let bdk = Bdk::from_key(key.duplicate());
    let mut key_sets = KeySets::new();
    let taken = key_sets.insert(KeySetId::of(&ksn, 40).unwrap(), Bdk::from_key(key));
    let initial_key = match (bdk.derive_initial_key(&ksn), taken) {
        (Ok(initial_key), Ok(())) => initial_key,
        (Err(error), Err(same)) => {
            assert_eq!(same, KeySetError::Strength(error));
            assert_eq!(bdk.derive_transaction_key(&ksn).unwrap_err(), DeriveError::Strength(error));
            return Reach::Refused;
        }
        _ => panic!("the key is good to one side only"),
    };
    let host = Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
    match (initial_key.derive_transaction_key(&ksn), bdk.derive_transaction_key(&ksn), host.derive(&ksn)) {
        (Ok(key), Ok(same), Ok(_)) => assert!(key.ct_eq(&same)),
        (Err(DeriveError::Counter(error)), Err(same), Err(too)) => {
            assert_eq!((DeriveError::Counter(error), ReceiveError::Counter(error)), (same, too));
        }
        _ => panic!("{ksn} is good to one side only"),
    }

    let mut terminal = VolatileOriginator::load(initial_key);
    for done in 1..=input.below(64) {
        let sent = terminal.next_transaction().unwrap();
        let accept = |arrival| {
            let mac = sent.key().mac_request_key().mac(data);
            let message = host.derive(sent.ksn()).unwrap();
            let (message, ()) =
                message.authenticate(|key| key.mac_request_key().verify_mac(data, mac.as_bytes())).unwrap();
            block_on(host.accept(message, RequestId([arrival; 16])))
        };
        let Ok(Accepted::New { transaction: accepted, .. }) = accept(1) else {
            panic!("{} is new", sent.ksn())
        };
        assert!(accepted.key().ct_eq(sent.key()));
        assert_eq!((sent.skipped_counters(), accepted.skipped_counters()), (0, 0));
        let counter = sent.ksn().counter().unwrap();
        assert_eq!(u32::try_from(done), Ok(counter.ordinal()));
        let Ok(Accepted::Repeated(repeat)) = accept(1) else { panic!("{} is a repeat", sent.ksn()) };
        assert!(repeat.key().ct_eq(sent.key()));
        let replay = AcceptError::Refused(Refusal::Replay { found: counter.value() });
        assert_eq!(accept(2).unwrap_err(), replay);
    }
    Reach::Held
}
