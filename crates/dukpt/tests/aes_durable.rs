//! What a durable originator of AES DUKPT does and refuses, where the scheme plays a part. Cuts of power are beside the code,
//! for both schemes.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use core::fmt::Debug;

use cardroot_dukpt::aes::{
    Bdk, InitialKey, InitialKeyId, Ksn, OnesLimit, Originator, PinEntry, PinEntryError, StrongerThanParent,
    UpdateKeyError, VolatileOriginator,
};
use cardroot_dukpt::aeskey::{AesKey, AesKeyLength};
use cardroot_dukpt::durable::{
    Device, DeviceKey, MemoryStore, NoRollbackProtection, OriginatorError, StateError, StateStore,
};
use cardroot_dukpt::pin::{DecryptIso4PinBlock, Iso4PanField, Iso4PinField, Pan, Pin};
use cardroot_dukpt::{EndOfLife, tdea};
use common::record_of_version_1;
use proptest::prelude::*;

const RECORD_LEN: usize = VolatileOriginator::RECORD_LEN;
const LENGTHS: [AesKeyLength; 3] = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256];

/// With room for a byte too many.
type Store = MemoryStore<{ RECORD_LEN + 1 }>;

fn bdk(length: AesKeyLength) -> Bdk {
    Bdk::from_key(AesKey::from_fill(length, |key| key.fill(0x5B)))
}

fn id(number: u8) -> InitialKeyId {
    InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, number])
}

fn initial_key(number: u8) -> InitialKey {
    bdk(AesKeyLength::Aes128).derive_initial_key(&id(number))
}

fn device() -> Device<NoRollbackProtection> {
    device_of(0x3C)
}

fn device_of(byte: u8) -> Device<NoRollbackProtection> {
    Device::without_rollback_protection(DeviceKey::from_fill(|key| key.fill(byte)))
}

fn loaded() -> Store {
    let mut store = Store::new();
    Originator::load(&mut store, device(), initial_key(0x56)).unwrap();
    store
}

fn holding(record: &[u8]) -> Store {
    let mut store = Store::new();
    store.replace(record).unwrap();
    store
}

fn refusal(record: &[u8]) -> StateError {
    match Originator::open(holding(record), device()).unwrap_err() {
        OriginatorError::State(error) => error,
        error => panic!("{error}"),
    }
}

fn counter<S: StateStore<Error: Debug>>(originator: &mut Originator<S, NoRollbackProtection>) -> u32 {
    originator.next_transaction().unwrap().ksn().counter().unwrap().value()
}

#[test]
fn a_record_written_before_opens_and_is_written_alike_today() {
    let record = record_of_version_1(include_str!("data/durable_record_aes.txt"));
    let mut store = loaded();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    let used = [(); 3].map(|()| counter(&mut terminal));
    drop(terminal);
    assert_eq!(store.record().unwrap(), record);
    let next = counter(&mut Originator::open(holding(&record), device()).unwrap());
    assert_eq!((used, next), ([1, 2, 3], 4));
}

#[test]
fn an_originator_opened_again_and_again_uses_the_keys_of_one_that_never_stopped() {
    for length in LENGTHS {
        let mut store = Store::new();
        Originator::load(&mut store, device(), bdk(length).derive_initial_key(&id(0x56))).unwrap();
        let mut never_stopped = VolatileOriginator::load(bdk(length).derive_initial_key(&id(0x56)));
        for _ in 0..300 {
            let mut terminal = Originator::open(&mut store, device()).unwrap();
            assert_eq!(terminal.remaining(), never_stopped.remaining());
            let (ours, theirs) =
                (terminal.next_transaction().unwrap(), never_stopped.next_transaction().unwrap());
            assert!(ours.key().ct_eq(theirs.key()));
            assert_eq!(ours.skipped_counters(), 0);
        }
    }
}

#[test]
fn every_altered_bit_and_every_other_length_is_refused() {
    let record = loaded().record().unwrap().to_vec();
    assert_eq!(record.len(), 1101);
    assert!(Originator::open(holding(&record), device()).is_ok());
    for bit in 0..8 * record.len() {
        let mut altered = record.clone();
        altered[bit / 8] ^= 1 << (bit % 8);
        let error = refusal(&altered);
        assert!(bit < 8 * 6 || error == StateError::Seal, "bit {bit}: {error}");
    }
    let too_long = [&record[..], &[0]].concat();
    for bytes in (0..record.len()).map(|len| &record[..len]).chain([&too_long[..]]) {
        assert_eq!(refusal(bytes), StateError::Length { expected: RECORD_LEN, found: bytes.len() });
    }
}

#[test]
fn a_state_of_the_other_scheme_is_named_in_both_directions() {
    let name = cardroot_dukpt::Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    let key = tdea::TdeaKey::from(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes());
    let tdes_key = || cardroot_dukpt::InitialKey::from_key(key.duplicate(), &name).unwrap();

    let mut tdes = Store::new();
    cardroot_dukpt::Originator::load(&mut tdes, device(), tdes_key()).unwrap();
    let other = OriginatorError::State(StateError::OtherScheme { found: 1 });
    assert_eq!(Originator::open(&mut tdes, device()).unwrap_err(), other);
    assert_eq!(Originator::open_named(&mut tdes, device(), &id(0x56)).unwrap_err(), other);
    let occupied = OriginatorError::State(StateError::Occupied);
    assert_eq!(Originator::load(&mut tdes, device(), initial_key(0x56)).unwrap_err(), occupied);

    let mut aes = loaded();
    let other = OriginatorError::State(StateError::OtherScheme { found: 2 });
    assert_eq!(cardroot_dukpt::Originator::open(&mut aes, device()).unwrap_err(), other);
    assert_eq!(cardroot_dukpt::Originator::load(&mut aes, device(), tdes_key()).unwrap_err(), occupied);

    // A header that says the other scheme says no more than that: the seal is over it.
    let mut relabelled = tdes.record().unwrap().to_vec();
    relabelled[5] = 2;
    relabelled.resize(RECORD_LEN, 0);
    assert_eq!(refusal(&relabelled), StateError::Seal);
}

#[test]
fn another_device_does_not_open_the_state() {
    let opened = Originator::open(loaded(), device_of(0x3D));
    assert_eq!(opened.unwrap_err(), OriginatorError::State(StateError::Seal));
}

#[test]
fn another_originators_state_is_named_where_a_name_is_expected() {
    let error = Originator::open_named(loaded(), device(), &id(0x57)).unwrap_err();
    assert_eq!(error.to_string(), "the state belongs to another originator (12345678901234560000)");
    assert_eq!(counter(&mut Originator::open_named(loaded(), device(), &id(0x56)).unwrap()), 1);
}

#[test]
fn a_new_initial_key_under_the_update_key_replaces_the_stored_state() {
    for length in LENGTHS {
        let bdk = bdk(length);
        let mut store = Store::new();
        let mut terminal = Originator::load(&mut store, device(), bdk.derive_initial_key(&id(0x56))).unwrap();
        for _ in 0..5 {
            counter(&mut terminal);
        }
        let theirs = bdk.derive_update_key(&id(0x56));
        assert!(terminal.update_key().unwrap().ct_eq(&theirs));
        assert_eq!(counter(&mut terminal), 6, "the update key costs no counter");

        let same_name = OriginatorError::State(StateError::SameName);
        assert_eq!(terminal.renew(bdk.derive_initial_key(&id(0x56))).unwrap_err(), same_name);
        assert_eq!(counter(&mut terminal), 7, "a refused renewal changes nothing");
        terminal.renew(bdk.derive_initial_key(&id(0x57))).unwrap();
        drop(terminal);

        let mut terminal = Originator::open_named(&mut store, device(), &id(0x57)).unwrap();
        assert!(!terminal.update_key().unwrap().ct_eq(&theirs));
        let first = terminal.next_transaction().unwrap();
        assert_eq!(first.ksn(), &Ksn::new(id(0x57), cardroot_dukpt::aes::Counter::FIRST));
        let theirs = bdk.derive_transaction_key(first.ksn(), OnesLimit::Sixteen).unwrap();
        assert!(first.key().ct_eq(&theirs));
    }
}

#[test]
fn a_new_initial_key_may_have_another_length() {
    let mut store = loaded();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    terminal.renew(bdk(AesKeyLength::Aes256).derive_initial_key(&id(0x57))).unwrap();
    drop(terminal);
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    assert_eq!(terminal.next_transaction().unwrap().key().length(), AesKeyLength::Aes256);
}

#[test]
fn an_originator_that_ceased_stays_so_in_the_store_and_has_no_update_key() {
    let mut store = loaded();
    Originator::open(&mut store, device()).unwrap().cease().unwrap();
    for _ in 0..2 {
        let mut terminal = Originator::open(&mut store, device()).unwrap();
        assert_eq!(terminal.remaining(), 0);
        assert_eq!(terminal.next_transaction().unwrap_err(), OriginatorError::EndOfLife(EndOfLife));
        assert_eq!(terminal.update_key().unwrap_err(), UpdateKeyError::EndOfLife(EndOfLife));
    }
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    terminal.renew(initial_key(0x57)).unwrap();
    assert_eq!(counter(&mut terminal), 1);
}

fn entered() -> (Pin, Iso4PinField, Iso4PanField) {
    let pin = Pin::from_ascii_digits(b"1234").unwrap();
    let field = Iso4PinField::encode_with_fixed_random(&pin, &[0xAA; 8]);
    (pin, field, Iso4PanField::encode(&Pan::from_ascii_digits(b"4111111111111111").unwrap()))
}

#[test]
fn no_pin_entered_uses_no_key_and_writes_nothing() {
    let mut store = loaded();
    let before = store.record().unwrap().to_vec();
    let mut terminal = Originator::open(&mut store, device()).unwrap();
    let answer = terminal.request_pin_entry(None, AesKeyLength::Aes256).unwrap();
    assert!(matches!(answer, PinEntry::NotEntered), "whatever the length: there is nothing to encrypt");
    assert_eq!(store.record().unwrap(), before);
}

#[test]
fn a_pin_entered_is_read_by_the_receiver() {
    let (pin, field, pan) = entered();
    for (above, parent) in LENGTHS.into_iter().enumerate() {
        let bdk = bdk(parent);
        let initial_key = bdk.derive_initial_key(&id(0x56));
        let mut terminal = Originator::load(Store::new(), device(), initial_key).unwrap();
        for length in LENGTHS.into_iter().take(above + 1) {
            let answer = terminal.request_pin_entry(Some((&field, &pan)), length).unwrap();
            let PinEntry::Entered { block, transaction } = answer else { panic!("a PIN was entered") };
            let key = bdk.derive_transaction_key(transaction.ksn(), OnesLimit::Sixteen).unwrap();
            let Ok(opened) = key.pin_key(length).unwrap().decrypt_iso4_pin_block(block, &pan);
            assert!(opened.decode().unwrap().ct_eq(&pin));
        }
    }
}

#[test]
fn a_pin_key_longer_than_the_initial_key_is_refused_and_costs_no_counter() {
    let (_, field, pan) = entered();
    let mut terminal = Originator::open(loaded(), device()).unwrap();
    let refused = terminal.request_pin_entry(Some((&field, &pan)), AesKeyLength::Aes256).unwrap_err();
    let stronger = StrongerThanParent { parent: AesKeyLength::Aes128, bits: 256 };
    assert_eq!(refused, PinEntryError::KeyLength(stronger));
    assert_eq!(counter(&mut terminal), 1);
}

#[test]
fn a_pin_is_not_encrypted_once_the_originator_has_ceased() {
    let (_, field, pan) = entered();
    let mut terminal = Originator::open(loaded(), device()).unwrap();
    terminal.cease().unwrap();
    let refused = terminal.request_pin_entry(Some((&field, &pan)), AesKeyLength::Aes128).unwrap_err();
    assert_eq!(refused, PinEntryError::Originator(EndOfLife.into()));
    assert_eq!(refused.to_string(), "no transaction key is left: the originator has ceased operation");
}

#[test]
fn what_shows_an_originator_shows_no_key() {
    let a5 = InitialKey::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0xA5)), id(0x56));
    let mut terminal = Originator::load(Store::new(), device_of(0xA5), a5).unwrap();
    let shown = format!("{terminal:?} {terminal:#?} {terminal:#x?}");
    assert!(shown.contains("1234567890123456"), "{shown}");
    assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    let transaction = terminal.next_transaction().unwrap();
    let key = base16ct::lower::encode_string(&transaction.key().expose_key().expose_bytes()[..2]);
    assert!(!format!("{transaction:x?}").to_lowercase().contains(&key));
}

proptest! {
    #[test]
    fn opening_any_record_is_total(bytes in prop::collection::vec(any::<u8>(), 0..=RECORD_LEN + 1), valid: bool) {
        let mut bytes = bytes;
        if valid && bytes.len() > 6 {
            bytes[..6].copy_from_slice(b"DKPT\x01\x02");
        }
        prop_assert!(Originator::open(holding(&bytes), device()).is_err());
    }
}
