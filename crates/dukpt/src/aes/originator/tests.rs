//! The machine against the receiver's derivation, at counters that no walk from the start comes to.

use alloc::vec::Vec;
use std::format;

use super::*;
use crate::aes::Bdk;

const LENGTHS: [AesKeyLength; 3] = [AesKeyLength::Aes128, AesKeyLength::Aes192, AesKeyLength::Aes256];

fn bdk(length: AesKeyLength) -> Bdk {
    Bdk::from_key(AesKey::from_fill(length, |key| {
        for (byte, value) in key.iter_mut().zip(1..) {
            *byte = value;
        }
    }))
}

fn id() -> InitialKeyId {
    InitialKeyId::from([0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, 0x56])
}

fn loaded(length: AesKeyLength) -> VolatileOriginator {
    VolatileOriginator::load(bdk(length).derive_initial_key(&id()))
}

fn counter(value: u32) -> Counter {
    Counter::try_from(value).unwrap()
}

fn written(machine: &VolatileOriginator) -> Vec<u8> {
    let mut state = alloc::vec![0xEE; VolatileOriginator::STATE_LEN];
    machine.write_state(&mut state);
    state
}

fn reread(machine: &VolatileOriginator) -> VolatileOriginator {
    VolatileOriginator::read_state(VolatileOriginator::encode_name(&machine.id), &written(machine)).unwrap()
}

/// A machine whose next counter is `next`, made by the receiver's road: the register of a clear bit above the counter's lowest one
/// holds the key of the ones above it and that bit, the register of the lowest one the counter's own key; the others are used up.
fn placed(length: AesKeyLength, next: Counter) -> VolatileOriginator {
    let initial_key = bdk(length).derive_initial_key(&id());
    let mut machine = loaded(length);
    machine.counter = Some(next);
    for (register, bit) in machine.registers.iter_mut().zip((0..Counter::BITS).map(|bit| 1_u32 << bit)) {
        let above = next.value() & !(bit | (bit - 1));
        let in_use = bit == next.lowest_bit() || bit > next.lowest_bit() && next.value() & bit == 0;
        if in_use {
            register.store(&derive::steps(initial_key.expose_key().duplicate(), id(), 0, above | bit));
        } else {
            register.erase();
        }
    }
    machine
}

/// Takes up to `limit` transactions and holds each against the receiver; returns how many there were.
fn walk(machine: &mut VolatileOriginator, receiver: &Bdk, limit: u32) -> u32 {
    for done in 0..limit {
        let expected = machine.counter;
        let Ok(sent) = machine.next_transaction() else { return done };
        assert_eq!((sent.ksn().counter().ok(), sent.skipped_counters()), (expected, 0));
        assert!(
            receiver.derive_transaction_key(sent.ksn(), OnesLimit::Sixteen).unwrap().ct_eq(sent.key()),
            "{}",
            sent.ksn()
        );
    }
    limit
}

#[test]
fn a_machine_placed_at_a_counter_is_one_that_walked_there() {
    for length in LENGTHS {
        let mut machine = loaded(length);
        for _ in 0..600 {
            let next = machine.counter.unwrap();
            assert_eq!(written(&machine), written(&placed(length, next)), "{next}");
            machine.next_transaction().unwrap();
        }
    }
}

/// Counters around which the ones are at their limit, the carries long or the end near.
const PLACES: [u32; 8] =
    [0x0000_0001, 0x0000_FFF0, 0x0001_FFF0, 0x00FF_FE00, 0x7FFF_8000, 0x8000_0000, 0xAAAA_AAAA, 0xFFC0_0000];

#[test]
fn thousands_of_transactions_at_chosen_places_agree_with_the_receiver() {
    for length in LENGTHS {
        let receiver = bdk(length);
        for place in PLACES {
            assert_eq!(walk(&mut placed(length, counter(place)), &receiver, 1_000), 1_000);
        }
    }
}

// cargo test -p cardroot-dukpt --release --lib aes -- --ignored    (twenty seconds)
#[test]
#[ignore = "ten million transactions: run in release"]
fn millions_of_transactions_at_chosen_places_agree_with_the_receiver() {
    let receiver = bdk(AesKeyLength::Aes128);
    let transactions: u32 = PLACES
        .map(|place| walk(&mut placed(AesKeyLength::Aes128, counter(place)), &receiver, 1_500_000))
        .iter()
        .sum();
    std::println!("{transactions} transactions");
    // From FFC00000 on, at most six more ones in the 22 bits below: sum of C(22, k) for k from 0 to 6.
    assert_eq!(transactions, 7 * 1_500_000 + 110_056);
}

#[test]
fn the_last_counters_come_in_order_and_the_end_is_final() {
    let mut machine = placed(AesKeyLength::Aes128, counter(0xFFFE_0000));
    let mut counters = Vec::new();
    while let Ok(transaction) = machine.next_transaction() {
        counters.push(transaction.ksn().counter().unwrap());
    }
    // FFFE0000 has 15 ones, so each of its 17 lower bits comes alone.
    let alone = (0..17).map(|bit| 0xFFFE_0000 | 1 << bit);
    let expected: Vec<_> = [0xFFFE_0000].into_iter().chain(alone).map(counter).collect();
    assert_eq!(counters, expected);
    assert_eq!(counters.last(), Some(&Counter::LAST));
    assert_has_ceased(&mut machine);
    assert_has_ceased(&mut reread(&machine));
}

fn assert_has_ceased(machine: &mut VolatileOriginator) {
    for _ in 0..3 {
        assert_eq!(machine.next_transaction().unwrap_err(), EndOfLife);
        assert_eq!(machine.update_key().unwrap_err(), UpdateKeyError::EndOfLife(EndOfLife));
    }
    assert_eq!(machine.remaining(), 0);
    assert!(machine.registers.iter().all(|register| register.read(machine.length).is_none()));
}

#[test]
fn no_counter_has_more_than_sixteen_ones() {
    let mut machine = placed(AesKeyLength::Aes128, counter(0x0001_FFFE));
    let next =
        |machine: &mut VolatileOriginator| machine.next_transaction().unwrap().ksn().counter().unwrap();
    assert_eq!([next(&mut machine), next(&mut machine)], [0x0001_FFFE, 0x0002_0000].map(counter));
}

#[test]
fn the_key_given_out_is_in_no_register() {
    for place in PLACES {
        let mut machine = placed(AesKeyLength::Aes256, counter(place));
        for _ in 0..18 {
            let Ok(transaction) = machine.next_transaction() else { break };
            let mut kept = machine.registers.iter().filter_map(|register| register.read(machine.length));
            assert!(kept.all(|kept| !kept.ct_eq(transaction.key().expose_key())));
        }
    }
}

#[test]
fn update_key_is_the_receivers_at_every_kind_of_counter() {
    for length in LENGTHS {
        let expected = bdk(length).derive_update_key(&id());
        let mut checked = 0;
        let runs = (1..=16).map(|ones| !(u32::MAX >> ones));
        let near_runs = runs.clone().flat_map(|run| [run | 1, run | 0x0000_8000, run >> 1, run ^ 1 << 20]);
        // A multiplier that spreads the counters over all bits.
        let spread = (1..4_000_u32).map(|n| n.wrapping_mul(0x9E37_79B1));
        for value in runs.chain(near_runs).chain(PLACES).chain(spread) {
            let Ok(next) = Counter::try_from(value) else { continue };
            let machine = placed(length, next);
            let state = written(&machine);
            assert!(machine.update_key().unwrap().ct_eq(&expected), "{next}");
            assert_eq!(written(&machine), state, "the state stays as it is");
            checked += 1;
        }
        assert!(checked > 2_000, "{checked}");
    }
}

#[test]
fn update_key_of_a_damaged_register_is_refused() {
    let mut machine = placed(AesKeyLength::Aes128, counter(0xC000_0001));
    machine.registers[29].spoil();
    assert_eq!(machine.update_key().unwrap_err(), UpdateKeyError::RegisterDamaged);
    // The other registers play no part.
    let mut machine = placed(AesKeyLength::Aes128, counter(0xC000_0001));
    for (bit, register) in machine.registers.iter_mut().enumerate() {
        if bit != 29 {
            register.spoil();
        }
    }
    assert!(machine.update_key().is_ok());
}

#[test]
fn a_spoiled_register_is_skipped_with_all_counters_under_it() {
    let receiver = bdk(AesKeyLength::Aes128);
    let mut machine = loaded(AesKeyLength::Aes128);
    machine.registers[3].spoil();
    for expected in (1..=7).chain(0x10..=0x30) {
        let transaction = machine.next_transaction().unwrap();
        assert_eq!(transaction.ksn().counter(), Ok(counter(expected)));
        assert_eq!(transaction.skipped_counters(), if expected == 0x10 { 8 } else { 0 });
        assert!(
            receiver
                .derive_transaction_key(transaction.ksn(), OnesLimit::Sixteen)
                .unwrap()
                .ct_eq(transaction.key())
        );
    }
}

#[test]
fn with_every_register_spoiled_the_machine_ceases() {
    let mut machine = loaded(AesKeyLength::Aes128);
    machine.registers.iter_mut().for_each(AesRegister::spoil);
    assert_eq!(machine.next_transaction().unwrap_err(), EndOfLife);
    assert_has_ceased(&mut machine);
}

#[test]
fn a_machine_written_and_read_goes_on_as_if_nothing_had_happened() {
    for length in LENGTHS {
        let receiver = bdk(length);
        let mut machine = loaded(length);
        machine.registers[5].spoil();
        for _ in 0..100 {
            machine = reread(&machine);
            let transaction = machine.next_transaction().unwrap();
            let lost = if transaction.ksn().counter() == Ok(counter(0x40)) { 32 } else { 0 };
            assert_eq!(transaction.skipped_counters(), lost, "damage is written as it is, and reported once");
            assert!(
                receiver
                    .derive_transaction_key(transaction.ksn(), OnesLimit::Sixteen)
                    .unwrap()
                    .ct_eq(transaction.key())
            );
        }
    }
}

#[test]
fn the_end_survives_writing() {
    let mut machine = loaded(AesKeyLength::Aes192);
    machine.cease();
    assert_has_ceased(&mut machine);
    assert_has_ceased(&mut reread(&machine));
    assert!(written(&machine)[5..].iter().all(|byte| *byte == 0));
}

#[test]
fn states_that_no_machine_wrote_are_refused() {
    let state = written(&loaded(AesKeyLength::Aes128));
    let name = VolatileOriginator::encode_name(&id());
    let read = |state: &[u8]| VolatileOriginator::read_state(name, state);
    assert!(read(&state).is_some());
    assert!(read(&[]).is_none());
    assert!(read(&state[..state.len() - 1]).is_none());
    assert!(read(&state[..state.len() - AesRegister::LEN]).is_none());
    assert!(read(&[&state[..], &[0]].concat()).is_none());
    for counter in [0x0001_FFFF_u32, u32::MAX] {
        assert!(read(&[&counter.to_be_bytes(), &state[4..]].concat()).is_none());
    }
    for length in [0, 15, 33] {
        assert!(read(&[&state[..4], &[length], &state[5..]].concat()).is_none());
    }
    for byte in [8, 9] {
        let mut longer = name;
        longer[byte] = 1;
        assert!(VolatileOriginator::read_state(longer, &state).is_none(), "a name of more than 8 bytes");
    }
}

#[test]
fn debug_shows_no_register() {
    let mut machine = loaded(AesKeyLength::Aes256);
    let a5 = AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0xA5));
    machine.registers.iter_mut().for_each(|register| register.store(&a5));
    for shown in [format!("{machine:?}"), format!("{machine:#?}"), format!("{machine:#x?}")] {
        assert!(shown.contains("1234567890123456"), "{shown}");
        assert!(!shown.to_lowercase().contains("a5") && !shown.contains("165"), "{shown}");
    }
}
