//! What a durable originator refuses, and how its store behaves.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use core::cell::Cell;
use core::convert::Infallible;

use cardroot_dukpt::durable::{
    Device, DeviceKey, MemoryStore, MonotonicCounter, NoRollbackProtection, OriginatorError, PinEntry,
    RollbackProtection, Slot, Slots, SlotsError, StateError, StateStore, Stored, TwoSlots,
};
use cardroot_dukpt::pin::{ClearPinBlock, Pan, Pin};
use cardroot_dukpt::{Bdk, EndOfLife, InitialKey, Originator, VolatileOriginator};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, key, ksn, record_of_version_1};
use proptest::prelude::*;

const RECORD_LEN: usize = VolatileOriginator::RECORD_LEN;
const OTHER_KSN: &str = "FFFF9876543211000000";

/// With room for a byte too many.
type Store = MemoryStore<{ RECORD_LEN + 1 }>;

fn initial_key(name: &str) -> InitialKey {
    Bdk::from_key(key(ANNEX_A_BDK)).derive_initial_key(&ksn(name)).unwrap()
}

fn device_key(byte: u8) -> DeviceKey {
    DeviceKey::from_fill(|key| key.fill(byte))
}

fn device() -> Device<NoRollbackProtection> {
    Device::without_rollback_protection(device_key(0x3C))
}

fn loaded() -> Store {
    let mut store = Store::new();
    Originator::load(&mut store, device(), initial_key(ANNEX_A_KSN)).unwrap();
    store
}

fn holding(record: &[u8]) -> Store {
    let mut store = Store::new();
    store.replace(record).unwrap();
    store
}

fn refusal<S: StateStore<Error: PartialEq>>(store: S) -> StateError {
    match Originator::open(store, device()).unwrap_err() {
        OriginatorError::State(error) => error,
        error => panic!("{error}"),
    }
}

fn counter<S: StateStore<Error: core::fmt::Debug>>(
    originator: &mut Originator<S, NoRollbackProtection>,
) -> u32 {
    originator.next_transaction().unwrap().ksn().counter().unwrap().value()
}

#[test]
fn a_record_written_before_opens_and_is_written_alike_today() {
    let record = record_of_version_1(include_str!("data/durable_record_tdes.txt"));
    let mut store = loaded();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    let used = [(); 3].map(|()| counter(&mut terminal));
    drop(terminal);
    assert_eq!(store.record().unwrap(), record);
    let next = counter(&mut Originator::open(holding(&record), device()).unwrap());
    assert_eq!((used, next), ([1, 2, 3], 4));
}

#[test]
fn an_empty_store_says_that_nothing_was_loaded() {
    assert_eq!(refusal(Store::new()), StateError::Nothing);
    assert_eq!(refusal(TwoSlots::new(Ram::new(0xFF))), StateError::Nothing);
    assert_eq!(refusal(TwoSlots::new(Ram::new(0x00))), StateError::Nothing);
}

#[test]
fn a_state_of_whomever_is_not_overwritten_by_loading() {
    let occupied = OriginatorError::State(StateError::Occupied);
    for mut store in [loaded(), holding(b"anything")] {
        let before = store.record().unwrap().to_vec();
        for name in [ANNEX_A_KSN, OTHER_KSN] {
            assert_eq!(Originator::load(&mut store, device(), initial_key(name)).unwrap_err(), occupied);
        }
        assert_eq!(store.record().unwrap(), before);
    }
}

#[test]
fn a_damaged_store_is_told_from_an_empty_one_and_may_be_loaded_again() {
    let mut ram = Ram::new(0xFF);
    ram.slots[0][100] = 0x5A;
    assert_eq!(refusal(TwoSlots::new(&mut ram)), StateError::Damaged);
    let mut terminal = Originator::load(TwoSlots::new(&mut ram), device(), initial_key(OTHER_KSN)).unwrap();
    assert_eq!(counter(&mut terminal), 1);
}

#[test]
fn other_lengths_are_errors() {
    let record = loaded().record().unwrap().to_vec();
    let too_long = [&record[..], &[0]].concat();
    for bytes in (0..record.len()).map(|len| &record[..len]).chain([&too_long[..]]) {
        let expected = StateError::Length { expected: RECORD_LEN, found: bytes.len() };
        assert_eq!(refusal(holding(bytes)), expected);
    }
}

#[test]
fn a_header_of_something_else_is_named() {
    let with = |offset: usize, byte: u8| {
        let mut record = loaded().record().unwrap().to_vec();
        record[offset] = byte;
        refusal(holding(&record))
    };
    assert_eq!(with(0, b'X'), StateError::NotAState);
    assert_eq!(with(4, 0), StateError::NotAState);
    assert_eq!(with(4, 2), StateError::NewerVersion { found: 2, known: 1 });
    assert_eq!(with(5, 2), StateError::OtherScheme { found: 2 });
}

#[test]
fn a_record_of_another_scheme_is_named_whatever_its_length() {
    let mut record = vec![0; 4 * RECORD_LEN];
    record[..6].copy_from_slice(b"DKPT\x01\x02");
    let mut store = MemoryStore::<{ 4 * RECORD_LEN }>::new();
    store.replace(&record).unwrap();
    assert_eq!(refusal(store), StateError::OtherScheme { found: 2 });
}

#[test]
fn every_altered_bit_is_refused() {
    let record = loaded().record().unwrap().to_vec();
    assert!(Originator::open(holding(&record), device()).is_ok());
    let mut refused = 0;
    for bit in 0..8 * record.len() {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let error = refusal(holding(&altered));
        assert!(bit < 8 * 6 || error == StateError::Seal, "bit {bit}: {error}");
        refused += 1;
    }
    assert_eq!(refused, 3_208);
}

#[test]
fn another_device_does_not_open_the_state() {
    let other = Device::without_rollback_protection(device_key(0x3D));
    assert_eq!(Originator::open(loaded(), other).unwrap_err(), OriginatorError::State(StateError::Seal));
}

#[test]
fn another_originators_state_is_named_where_a_name_is_expected() {
    let expected = ksn(OTHER_KSN);
    let error = Originator::open_named(loaded(), device(), &expected).unwrap_err();
    let OriginatorError::State(StateError::OtherOriginator { found }) = error else { panic!("{error}") };
    assert_eq!(found.to_string(), ANNEX_A_KSN);
    assert_eq!(error.to_string(), format!("the state belongs to another originator ({ANNEX_A_KSN})"));

    // The counter of a name plays no part, as everywhere.
    let mut terminal = Originator::open_named(loaded(), device(), &ksn("FFFF9876543210E00007")).unwrap();
    assert_eq!(counter(&mut terminal), 1);
}

#[test]
fn renewal_replaces_everything_and_needs_another_name() {
    let mut store = loaded();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    counter(&mut terminal);
    let same_name = OriginatorError::State(StateError::SameName);
    assert_eq!(terminal.renew(initial_key(ANNEX_A_KSN)).unwrap_err(), same_name);
    assert_eq!(counter(&mut terminal), 2, "a refused renewal changes nothing");
    terminal.renew(initial_key(OTHER_KSN)).unwrap();
    assert_eq!(terminal.name(), &ksn(OTHER_KSN));
    assert_eq!(counter(&mut terminal), 1);
    drop(terminal);
    let mut terminal = Originator::open_named(&mut store, device(), &ksn(OTHER_KSN)).unwrap();
    assert_eq!(counter(&mut terminal), 2);
}

#[test]
fn a_renewal_that_fails_goes_on_with_the_old_key_and_one_that_succeeds_forgets_what_was_pending() {
    let mut ram = Ram::new(0xFF);
    let full = Cell::new(false);
    ram.full = Some(&full);
    let mut terminal = Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).unwrap();
    full.set(true);
    assert!(matches!(terminal.renew(initial_key(OTHER_KSN)), Err(OriginatorError::Store(_))));
    assert_eq!(terminal.name(), &ksn(ANNEX_A_KSN));
    let error = terminal.next_transaction().unwrap_err();
    assert_eq!(error, OriginatorError::Store(SlotsError::Medium(Full)));
    full.set(false);
    assert_eq!(counter(&mut terminal), 1);

    full.set(true);
    assert!(terminal.next_transaction().is_err());
    full.set(false);
    terminal.renew(initial_key(OTHER_KSN)).unwrap();
    let transaction = terminal.next_transaction().unwrap();
    assert_eq!(transaction.ksn(), &ksn("FFFF9876543211000001"));
}

#[test]
fn a_full_medium_leaves_the_state_before_intact() {
    let mut ram = Ram::new(0x00);
    let mut terminal = Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).unwrap();
    counter(&mut terminal);
    let full = Cell::new(true);
    ram.full = Some(&full);
    let before = ram.slots;
    let mut terminal = Originator::open(TwoSlots::new(&mut ram), device()).unwrap();
    for _ in 0..3 {
        assert!(matches!(terminal.next_transaction(), Err(OriginatorError::Store(_))));
    }
    assert!(before.iter().any(|slot| ram.slots.contains(slot)));
    ram.full = None;
    let mut terminal = Originator::open(TwoSlots::new(&mut ram), device()).unwrap();
    assert_eq!(counter(&mut terminal), 2);
}

#[test]
fn a_store_too_small_is_an_error_and_loads_nothing() {
    let mut small = MemoryStore::<{ RECORD_LEN - 1 }>::new();
    let error = Originator::load(&mut small, device(), initial_key(ANNEX_A_KSN)).unwrap_err();
    let OriginatorError::Store(full) = error else { panic!("{error}") };
    assert_eq!((full.found, full.capacity), (RECORD_LEN, RECORD_LEN - 1));
    assert_eq!(small.record(), None);

    let mut ram = Ram::new(0xFF);
    ram.len = TwoSlots::<Ram<'_>>::slot_len(RECORD_LEN) - 1;
    let error = Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).unwrap_err();
    let too_long = SlotsError::TooLong { found: RECORD_LEN, capacity: RECORD_LEN - 1 };
    assert_eq!(error, OriginatorError::Store(too_long));
    ram.len += 1;
    assert!(Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).is_ok());
}

#[test]
fn no_pin_entered_uses_no_key_and_writes_nothing() {
    let mut store = loaded();
    let before = store.record().unwrap().to_vec();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    assert!(matches!(terminal.request_pin_entry(None).unwrap(), PinEntry::NotEntered));
    assert_eq!(store.record().unwrap(), before);

    let mut terminal = Originator::open(&mut store, device()).unwrap();
    let (pin, pan) =
        (Pin::from_ascii_digits(b"1234").unwrap(), Pan::from_ascii_digits(b"4012345678909").unwrap());
    let entered = ClearPinBlock::encode_iso0(&pin, &pan);
    let answer = terminal.request_pin_entry(Some(&entered)).unwrap();
    let PinEntry::Entered { block, transaction } = answer else { panic!() };
    assert_eq!(block.to_bytes(), 0x1B9C_1845_EB99_3A7A_u64.to_be_bytes());
    assert_eq!(transaction.ksn().counter().unwrap().value(), 1);
}

#[test]
fn one_transaction_serves_repeats_of_its_message() {
    let mut terminal = Originator::open(loaded(), device()).unwrap();
    let transaction = terminal.next_transaction().unwrap();
    let mac = || -> [u8; 4] { transaction.key().mac_request_key().mac(b"4012345678909D987").truncated() };
    assert_eq!((mac(), mac()), ([0x9C, 0xCC, 0x78, 0x17], [0x9C, 0xCC, 0x78, 0x17]));
    drop(transaction);
    assert_eq!(counter(&mut terminal), 2);
}

#[test]
fn end_of_life_and_errors_read_as_sentences() {
    type Error = OriginatorError<SlotsError<Full>, Infallible>;
    let shown = |error: Error| error.to_string();
    assert_eq!(shown(EndOfLife.into()), "no transaction key is left: the originator has ceased operation");
    assert_eq!(
        shown(StateError::Rollback { generation: 4, counter: 6 }.into()),
        "the state is of generation 4, the device is at 6: an old copy was put back"
    );
    let error = Error::Store(SlotsError::Medium(Full));
    let cause = core::error::Error::source(&error).unwrap();
    assert_eq!(
        (error.to_string(), cause.to_string()),
        ("the store of the originator's state failed".to_owned(), "the medium failed".to_owned())
    );
}

struct Chip(u64);

impl MonotonicCounter for Chip {
    type Error = Infallible;

    fn value(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }

    fn increment(&mut self) -> Result<(), Infallible> {
        self.0 += 1;
        Ok(())
    }
}

#[test]
fn the_devices_counter_goes_on_over_loads_and_renewals_and_no_other_generation_opens() {
    let (mut store, mut chip) = (Store::new(), Chip(40));
    let mut terminal =
        Originator::load(&mut store, Device::new(device_key(1), &mut chip), initial_key(ANNEX_A_KSN))
            .unwrap();
    drop(terminal.next_transaction().unwrap());
    terminal.renew(initial_key(OTHER_KSN)).unwrap();
    drop(terminal);
    assert_eq!(chip.0, 43);
    for counter in [0, 41, 44, 45, u64::MAX] {
        let opened = Originator::open(&mut store, Device::new(device_key(1), Chip(counter)));
        let expected = StateError::Rollback { generation: 43, counter };
        assert_eq!(opened.unwrap_err(), OriginatorError::State(expected));
    }
    // A cut came between store and counter.
    let mut behind = Chip(42);
    Originator::open(&mut store, Device::new(device_key(1), &mut behind)).unwrap();
    assert_eq!(behind.0, 43);
}

/// Steps to this value, and says that it has not.
struct Liar(Chip, u64);

impl MonotonicCounter for Liar {
    type Error = Full;

    fn value(&mut self) -> Result<u64, Full> {
        Ok(self.0.0)
    }

    fn increment(&mut self) -> Result<(), Full> {
        self.0.0 += 1;
        if self.0.0 == self.1 { Err(Full) } else { Ok(()) }
    }
}

#[test]
fn a_copy_taken_while_the_counter_failed_does_not_undo_the_end() {
    // What the store holds after one transaction: the same state is sealed alike.
    let mut twin = Store::new();
    let mut terminal =
        Originator::load(&mut twin, Device::new(device_key(1), Chip(0)), initial_key(ANNEX_A_KSN)).unwrap();
    drop(terminal.next_transaction().unwrap());
    drop(terminal);
    let copy = twin.record().unwrap();
    assert!(Originator::open(holding(copy), Device::new(device_key(1), Chip(2))).is_ok());

    let mut chip = Liar(Chip(0), 2);
    let device = Device::new(device_key(1), &mut chip);
    let mut terminal = Originator::load(Store::new(), device, initial_key(ANNEX_A_KSN)).unwrap();
    assert_eq!(terminal.next_transaction().unwrap_err(), OriginatorError::RollbackCounter(Full));
    terminal.cease().unwrap();
    drop(terminal);
    let error = Originator::open(holding(copy), Device::new(device_key(1), chip)).unwrap_err();
    assert!(matches!(error, OriginatorError::State(StateError::Rollback { generation: 2, counter: 3 })));
}

/// Says nothing for a number of times.
struct Busy<'a>(&'a mut Chip, &'a Cell<u32>);

impl MonotonicCounter for Busy<'_> {
    type Error = Full;

    fn value(&mut self) -> Result<u64, Full> {
        match self.1.get() {
            0 => Ok(self.0.0),
            left => {
                self.1.set(left - 1);
                Err(Full)
            }
        }
    }

    fn increment(&mut self) -> Result<(), Full> {
        self.0.0 += 1;
        Ok(())
    }
}

type Protected<'a> = Originator<&'a mut Store, RollbackProtection<Busy<'a>>>;

/// An originator whose first transaction failed when its state was in the store and the counter had not stepped.
fn failed<'a>(store: &'a mut Store, chip: &'a mut Chip, busy: &'a Cell<u32>) -> Protected<'a> {
    let device = Device::new(device_key(1), Busy(chip, busy));
    let mut terminal = Originator::load(store, device, initial_key(ANNEX_A_KSN)).unwrap();
    busy.set(1);
    assert_eq!(terminal.next_transaction().unwrap_err(), OriginatorError::RollbackCounter(Full));
    terminal
}

/// Whoever copied the state of the failed transaction finds the device beyond it after `end`.
fn a_copy_does_not_undo(end: impl FnOnce(&mut Protected<'_>, &Cell<u32>)) {
    let (mut store, mut chip, busy) = (Store::new(), Chip(0), Cell::new(0));
    drop(failed(&mut store, &mut chip, &busy));
    let copy = holding(store.record().unwrap());
    assert!(Originator::open(copy, Device::new(device_key(1), &mut chip)).is_ok());

    let copy = holding(store.record().unwrap());
    let (mut store, mut chip) = (Store::new(), Chip(0));
    end(&mut failed(&mut store, &mut chip, &busy), &busy);
    let error = Originator::open(copy, Device::new(device_key(1), chip)).unwrap_err();
    assert!(matches!(error, OriginatorError::State(StateError::Rollback { generation: 2, counter: 3.. })));
}

#[test]
fn a_copy_of_a_failed_transaction_does_not_undo_an_end_that_came_through_late() {
    a_copy_does_not_undo(|terminal, busy| {
        busy.set(1);
        assert_eq!(terminal.cease().unwrap_err(), OriginatorError::RollbackCounter(Full));
        assert_eq!(terminal.next_transaction().unwrap_err(), OriginatorError::EndOfLife(EndOfLife));
    });
}

#[test]
fn a_copy_of_a_failed_transaction_does_not_undo_a_renewal() {
    a_copy_does_not_undo(|terminal, busy| {
        busy.set(1);
        let error = terminal.renew(initial_key(OTHER_KSN)).unwrap_err();
        assert_eq!((error, terminal.name()), (OriginatorError::RollbackCounter(Full), &ksn(ANNEX_A_KSN)));
        terminal.renew(initial_key(OTHER_KSN)).unwrap();
        assert_eq!(terminal.name(), &ksn(OTHER_KSN));
    });
}

#[test]
fn a_renewal_after_a_failed_end_is_not_undone_either() {
    a_copy_does_not_undo(|terminal, busy| {
        busy.set(1);
        assert_eq!(terminal.cease().unwrap_err(), OriginatorError::RollbackCounter(Full));
        terminal.renew(initial_key(OTHER_KSN)).unwrap();
    });
}

#[test]
fn a_counter_at_its_very_end_lets_no_key_out() {
    let (store, chip) = (Store::new(), Chip(u64::MAX - 1));
    let mut terminal =
        Originator::load(store, Device::new(device_key(1), chip), initial_key(ANNEX_A_KSN)).unwrap();
    let rollback = StateError::Rollback { generation: 0, counter: u64::MAX };
    assert_eq!(terminal.next_transaction().unwrap_err(), OriginatorError::State(rollback));
}

#[test]
fn the_newer_of_two_records_counts_and_the_older_is_destroyed_by_reading() {
    let mut ram = Ram::new(0xFF);
    for record in [b"one", b"two"] {
        TwoSlots::new(&mut ram).replace(record).unwrap();
    }
    // A cut came before the record of `one` was gone, or a dishonest medium kept it.
    let (two, mut one) = (ram.slots, Ram::new(0xFF));
    TwoSlots::new(&mut one).replace(b"one").unwrap();
    for swapped in [false, true] {
        ram.slots = [one.slots[0], two[1]];
        if swapped {
            ram.slots.reverse();
        }
        let mut record = [0; 3];
        assert_eq!(TwoSlots::new(&mut ram).read(&mut record).unwrap(), Stored::Record { len: 3 });
        assert_eq!(&record, b"two");
        assert_eq!(ram.slots.iter().filter(|slot| **slot == [0xFF; 512]).count(), 1);
    }
}

#[test]
fn after_a_transaction_one_slot_holds_the_record_and_the_other_nothing() {
    let mut ram = Ram::new(0x00);
    let mut terminal = Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).unwrap();
    for _ in 0..5 {
        counter(&mut terminal);
    }
    drop(terminal);
    assert_eq!(ram.slots.iter().filter(|slot| **slot == [0x00; 512]).count(), 1);
}

#[test]
fn a_record_is_read_in_part_or_asked_for() {
    let mut ram = Ram::new(0xFF);
    let mut store = TwoSlots::new(&mut ram);
    let long: Vec<u8> = (0..200).collect();
    store.replace(&long).unwrap();
    let mut part = [0; 70];
    assert_eq!(store.read(&mut part).unwrap(), Stored::Record { len: 200 });
    assert_eq!(part, long[..70]);
    assert_eq!(store.read(&mut []).unwrap(), Stored::Record { len: 200 });
    store.replace(&[]).unwrap();
    assert_eq!(store.read(&mut part).unwrap(), Stored::Record { len: 0 });
}

proptest! {
    #[test]
    fn opening_any_record_is_total(bytes in prop::collection::vec(any::<u8>(), 0..=RECORD_LEN + 1), valid: bool) {
        let mut bytes = bytes;
        if valid && bytes.len() > 6 {
            bytes[..6].copy_from_slice(b"DKPT\x01\x01");
        }
        prop_assert!(Originator::open(holding(&bytes), device()).is_err());
    }

    #[test]
    fn opening_any_slots_is_total(patches in prop::collection::vec((0_usize..2, 0_usize..512, any::<u8>()), 0..40)) {
        let mut ram = Ram::new(0xFF);
        Originator::load(TwoSlots::new(&mut ram), device(), initial_key(ANNEX_A_KSN)).unwrap();
        for (slot, offset, byte) in patches {
            ram.slots[slot][offset] = byte;
        }
        match Originator::open(TwoSlots::new(&mut ram), device()) {
            Ok(mut terminal) => prop_assert_eq!(counter(&mut terminal), 1),
            Err(error) => prop_assert_eq!(error, OriginatorError::State(StateError::Damaged)),
        }
    }

    #[test]
    fn what_is_stored_is_read(records in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..480), 1..6)) {
        let mut ram = Ram::new(0x00);
        for record in records {
            TwoSlots::new(&mut ram).replace(&record).unwrap();
            let mut read = [0; 480];
            prop_assert_eq!(TwoSlots::new(&mut ram).read(&mut read).unwrap(), Stored::Record { len: record.len() });
            prop_assert_eq!(&read[..record.len()], &record[..]);
        }
    }
}

/// Two slots in memory, which may be full.
#[derive(Debug)]
struct Ram<'a> {
    slots: [[u8; 512]; 2],
    blank: u8,
    len: usize,
    full: Option<&'a Cell<bool>>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no space left")]
struct Full;

impl Ram<'_> {
    fn new(blank: u8) -> Self {
        Self { slots: [[blank; 512]; 2], blank, len: 512, full: None }
    }
}

impl Slots for Ram<'_> {
    type Error = Full;

    fn slot_len(&self) -> usize {
        self.len
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Full> {
        bytes.copy_from_slice(&self.slots[slot as usize][offset..offset + bytes.len()]);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Full> {
        if self.full.is_some_and(Cell::get) {
            return Err(Full);
        }
        self.slots[slot as usize][offset..offset + bytes.len()].copy_from_slice(bytes);
        Ok(())
    }

    fn erase(&mut self, slot: Slot) -> Result<(), Full> {
        self.slots[slot as usize].fill(self.blank);
        Ok(())
    }

    fn sync(&mut self) -> Result<(), Full> {
        Ok(())
    }
}
