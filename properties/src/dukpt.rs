//! Key serial numbers, originator and receiver, with TDES and with AES.

use ::dukpt::aes::{self, InitialKeyId, OnesLimit};
use ::dukpt::aeskey::{AesKey, AesKeyLength, MacMismatch};
use ::dukpt::durable::{
    Device, DeviceKey, MemoryStore, NoRollbackProtection, OriginatorError, StateError, StateStore,
};
use ::dukpt::guard::{MemoryGuard, Policy, Refusal, RequestId, block_on};
use ::dukpt::{
    AcceptError, Accepted, Bdk, Counter, CounterError, DeriveError, KeySetError, KeySetId, KeySets, Ksn,
    Originator, ReceiveError, Receiver, VolatileOriginator,
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

/// Any 12 bytes are a key serial number of AES DUKPT, and no others; counters keep their order within each limit. Any 10 bytes
/// have a form in compatibility mode.
pub fn aes_ksn_decode_is_total(data: &[u8]) -> Reach {
    if let Ok(tdes) = Ksn::try_from(data) {
        let (id, ksn) =
            (InitialKeyId::from_compatibility_mode(&tdes), aes::Ksn::from_compatibility_mode(&tdes));
        assert_eq!((ksn.id(), id.as_bytes()[0] >> 4), (id, 0));
        assert_eq!(ksn.counter().map(aes::Counter::value).ok(), tdes_counter_bits(&tdes));
    }
    let decoded = aes::Ksn::try_from(data);
    assert_eq!(decoded.is_ok(), data.len() == aes::Ksn::LEN);
    let Ok(ksn) = decoded else { return Reach::Refused };

    let id = ksn.id();
    assert_eq!(InitialKeyId::new(id.bdk_id(), id.derivation_id()), id);
    assert!(data.starts_with(id.as_bytes()) && ksn.as_bytes() == data);
    for limit in [OnesLimit::Sixteen, OnesLimit::Seventeen] {
        if let Ok(counter) = ksn.counter_within(limit) {
            assert_eq!(aes::Ksn::new(id, counter), ksn);
            check_aes_counter(counter, limit);
        }
    }
    Reach::Held
}

/// The counter field if AES takes it: 1 to 16 ones.
fn tdes_counter_bits(ksn: &Ksn) -> Option<u32> {
    let [.., a, b, c] = *ksn.as_bytes();
    let counter = u32::from_be_bytes([0, a & 0x1F, b, c]);
    (1..=16).contains(&counter.count_ones()).then_some(counter)
}

fn check_aes_counter(counter: aes::Counter, limit: OnesLimit) {
    assert_eq!(aes::Counter::within(counter.value(), limit), Ok(counter));
    assert!((1..=limit.max_ones()).contains(&counter.ones()));
    assert_eq!(counter.follows(None, limit), Ok(counter.ordinal(limit) - 1));
    assert!(counter.follows(Some(counter), limit).is_err());
    match counter.next(limit) {
        Ok(next) => {
            assert_eq!(next.follows(Some(counter), limit), Ok(0));
            assert_eq!(next.ordinal(limit), counter.ordinal(limit) + 1);
        }
        Err(_) => assert_eq!(counter.ordinal(limit), limit.transactions()),
    }
}

/// As [`dukpt_host_equals_terminal`], with AES; the update key is the same on both sides too, whenever it is asked for.
///
/// Input: key length, base key, initial key identifier, number of transactions.
pub fn dukpt_aes_host_equals_terminal(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let length = input.one_of(&[AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256]);
    let key: [u8; 32] = input.array();
    let bdk = aes::Bdk::from_key(AesKey::try_from(&key[..length.bytes()]).unwrap());
    let id = InitialKeyId::from(input.array());
    let mut terminal = aes::VolatileOriginator::load(bdk.derive_initial_key(&id));
    let mut key_sets = aes::KeySets::new();
    key_sets.insert(id.bdk_id(), bdk).unwrap();
    let host = aes::Receiver::new(key_sets, MemoryGuard::new(Policy::Strict));
    let update_key = host.key_sets().derive_update_key(&id).unwrap();

    for done in 1..=input.below(64) {
        assert!(terminal.update_key().unwrap().ct_eq(&update_key));
        let sent = terminal.next_transaction().unwrap();
        let mac = sent.key().mac_request_key(length).unwrap().mac(data);
        let check = |key: &aes::TransactionKey, text: &[u8]| {
            key.mac_request_key(length).unwrap().verify_mac(text, mac.as_bytes())
        };
        let accept = |arrival| {
            let message = host.derive(sent.ksn()).unwrap();
            let (message, ()) = message.authenticate(|key| check(key, data)).unwrap();
            block_on(host.accept(message, RequestId([arrival; 16])))
        };
        let forged = host.derive(sent.ksn()).unwrap().authenticate(|key| check(key, b"another message"));
        assert_eq!(forged.map(drop), Err(MacMismatch));
        let Ok(Accepted::New { transaction: accepted, .. }) = accept(1) else {
            panic!("{} is new", sent.ksn())
        };
        assert!(accepted.key().ct_eq(sent.key()));
        assert_eq!((sent.skipped_counters(), accepted.skipped_counters()), (0, 0));
        let counter = sent.ksn().counter().unwrap();
        assert_eq!(u32::try_from(done), Ok(counter.ordinal(OnesLimit::Sixteen)));
        let Ok(Accepted::Repeated(repeat)) = accept(1) else { panic!("{} is a repeat", sent.ksn()) };
        assert!(repeat.key().ct_eq(sent.key()));
        let replay = AcceptError::Refused(Refusal::Replay { found: counter.value() });
        assert_eq!(accept(2).unwrap_err(), replay);
    }
    Reach::Held
}

/// Any record in a store opens as the state that was sealed there, or not at all: an altered one, one of another scheme and
/// bytes from anywhere are refused, and stay as they are.
///
/// Input: scheme, number of transactions before, then either what to alter in the record or another record.
pub fn durable_state_open_is_total(data: &[u8]) -> Reach {
    let mut input = Input::new(data);
    let (tdes, aes) = ((load_tdes as Load, next_tdes as Next), (load_aes as Load, next_aes as Next));
    let ((load, next), (load_other, next_other)) = if input.coin() { (aes, tdes) } else { (tdes, aes) };
    let mut store = Store::new();
    load(&mut store).unwrap();
    let used = u32::from(input.byte() % 4);
    for expected in 1..=used {
        assert_eq!(next(&mut store), Ok(expected));
    }

    let sealed = store.record().unwrap().to_vec();
    let found = if input.coin() { input.take(STORE_LEN).to_vec() } else { altered(&sealed, &mut input) };
    store.replace(&found).unwrap();
    for load in [load, load_other] {
        assert_eq!(load(&mut store), Err(StateError::Occupied));
    }
    let error = next_other(&mut store).unwrap_err();
    assert!(found != sealed || matches!(error, StateError::OtherScheme { .. }));
    if found == sealed {
        assert_eq!([next(&mut store), next(&mut store)], [Ok(used + 1), Ok(used + 2)]);
        return Reach::Held;
    }
    next(&mut store).unwrap_err();
    assert_eq!(store.record().unwrap(), found);
    Reach::Refused
}

/// A record with bytes changed, and cut or made longer.
fn altered(record: &[u8], input: &mut Input<'_>) -> Vec<u8> {
    let mut record = record.to_vec();
    let len = record.len();
    for _ in 0..input.below(8) {
        let place = usize::from(input.u16()) % len;
        record[place] ^= input.byte();
    }
    match input.below(4) {
        1 => record.truncate(usize::from(input.u16()) % len),
        2 => record.push(input.byte()),
        _ => {}
    }
    record
}

/// A byte more than the longer record.
const STORE_LEN: usize = aes::VolatileOriginator::RECORD_LEN + 1;
type Store = MemoryStore<STORE_LEN>;
type Load = fn(&mut Store) -> Result<(), StateError>;
/// Opens the originator in a store and takes the next counter.
type Next = fn(&mut Store) -> Result<u32, StateError>;

fn device() -> Device<NoRollbackProtection> {
    Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(0x3C)))
}

fn state_error<S, R>(error: OriginatorError<S, R>) -> StateError {
    let OriginatorError::State(error) = error else { panic!("memory does not fail") };
    error
}

fn load_tdes(store: &mut Store) -> Result<(), StateError> {
    let bdk = Bdk::from_key(TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes()));
    let key = bdk.derive_initial_key(&Ksn::from([0x11; Ksn::LEN])).unwrap();
    Originator::load(store, device(), key).map(drop).map_err(state_error)
}

fn next_tdes(store: &mut Store) -> Result<u32, StateError> {
    let mut terminal = Originator::open(store, device()).map_err(state_error)?;
    Ok(terminal.next_transaction().unwrap().ksn().counter().unwrap().value())
}

fn load_aes(store: &mut Store) -> Result<(), StateError> {
    let key = AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x5B));
    let key = aes::InitialKey::from_key(key, InitialKeyId::from([0x11; InitialKeyId::LEN]));
    aes::Originator::load(store, device(), key).map(drop).map_err(state_error)
}

fn next_aes(store: &mut Store) -> Result<u32, StateError> {
    let mut terminal = aes::Originator::open(store, device()).map_err(state_error)?;
    Ok(terminal.next_transaction().unwrap().ksn().counter().unwrap().value())
}
