//! The counter rules.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::{Counter, CounterError, DeriveError, EndOfLife, ReplayError};
use common::{ANNEX_A_BDK, ANNEX_A_KSN, bdk, ksn, rows, to_hex};
use serde::Deserialize;

fn counter(value: u32) -> Counter {
    Counter::try_from(value).unwrap()
}

fn parse(hex: &str) -> u32 {
    u32::from_str_radix(hex, 16).unwrap()
}

#[test]
fn next_counters_are_the_computed_ones() {
    #[derive(Deserialize)]
    struct Row {
        counter: String,
        next: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_tdes_next_counter.csv", include_str!("data/dukpt_tdes_next_counter.csv"), 49);
    for row in rows {
        let next = counter(parse(&row.counter)).next().unwrap();
        assert_eq!(next.to_string(), row.next);
    }
}

#[test]
fn last_counters_double_the_lowest_bit_and_end() {
    let mut next = counter(0x1F_F080);
    for expected in [0x1F_F100, 0x1F_F200, 0x1F_F400, 0x1F_F800] {
        next = next.next().unwrap();
        assert_eq!(next.value(), expected);
    }
    assert_eq!(next, Counter::LAST);
    assert_eq!(next.next(), Err(EndOfLife));
}

#[test]
fn unusable_counters_are_refused_and_usable_ones_derive() {
    #[derive(Deserialize)]
    struct Row {
        counter: String,
        ones: u32,
        ksn: String,
        derived_key: String,
    }
    let rows: Vec<Row> =
        rows("dukpt_tdes_counter_cases.csv", include_str!("data/dukpt_tdes_counter_cases.csv"), 11);
    let bdk = bdk(ANNEX_A_BDK);
    let initial_key = bdk.derive_initial_key(&ksn(ANNEX_A_KSN)).unwrap();
    let mut refused = 0;
    for row in rows {
        let ksn = ksn(&row.ksn);
        let expected = match row.ones {
            0 => Err(DeriveError::Counter(CounterError::Zero)),
            ones @ 1..=10 => {
                assert_eq!(counter(parse(&row.counter)).ones(), ones);
                Ok(row.derived_key)
            }
            ones => Err(DeriveError::Counter(CounterError::TooManyOnes { ones })),
        };
        refused += usize::from(expected.is_err());
        let ours = bdk.derive_transaction_key(&ksn);
        assert_eq!(ours.map(|key| to_hex(key.expose_key().expose_bytes())), expected, "{}", row.ksn);
        if let Err(error) = expected {
            assert_eq!(initial_key.derive_transaction_key(&ksn).unwrap_err(), error);
        }
    }
    assert_eq!(refused, 5);
}

#[test]
fn numbers_beyond_the_field_are_refused() {
    assert_eq!(Counter::try_from(0x20_0000), Err(CounterError::TooLarge { found: 0x20_0000 }));
    assert_eq!(Counter::try_from(u32::MAX), Err(CounterError::TooLarge { found: u32::MAX }));
    assert_eq!(Counter::try_from(0x1F_F800), Ok(Counter::LAST));
}

#[test]
fn every_counter_has_its_ordinal_and_there_are_as_many_as_the_standard_says() {
    let usable = (0..1 << Counter::BITS).filter_map(|value| Counter::try_from(value).ok());
    let mut expected = Ok(Counter::FIRST);
    let mut count = 0;
    for counter in usable {
        count += 1;
        assert_eq!(Ok(counter), expected);
        assert_eq!(counter.ordinal(), count);
        expected = counter.next();
    }
    assert_eq!(expected, Err(EndOfLife));
    assert_eq!(count, Counter::TRANSACTIONS);
}

#[test]
fn a_counter_must_increase() {
    assert_eq!(counter(1).follows(None), Ok(0));
    assert_eq!(counter(5).follows(None), Ok(4));
    assert_eq!(counter(6).follows(Some(counter(5))), Ok(0));
    assert_eq!(counter(0x800).follows(Some(counter(0x7FE))), Ok(0), "7FF has eleven ones and is nobody's");
    assert_eq!(Counter::LAST.follows(Some(Counter::FIRST)), Ok(Counter::TRANSACTIONS - 2));
    for found in [counter(5), counter(4), Counter::FIRST] {
        assert_eq!(found.follows(Some(counter(5))), Err(ReplayError { last: counter(5), found }));
    }
}

#[test]
fn counters_show_as_six_digits() {
    assert_eq!(Counter::LAST.to_string(), "1FF800");
    assert_eq!(format!("{:?}", Counter::FIRST), "Counter(000001)");
    assert_eq!(u32::from(Counter::LAST), 0x1F_F800);
}
