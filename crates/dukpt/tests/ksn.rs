//! The key serial number.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a panic is the report of a failed test")]

mod common;

use cardroot_dukpt::{Counter, CounterError, Ksn, KsnError};
use common::{hex, ksn};
use proptest::prelude::*;

#[test]
fn identifiers_and_counter_share_byte_seven() {
    let ksn = ksn("FFFF9876543210FFF400");
    assert_eq!(ksn.counter(), Counter::try_from(0x1F_F400));
    assert_eq!(ksn.id(), 0xFFFF_9876_5432_10E0 >> 5);
    assert_eq!(ksn.initial().to_string(), "FFFF9876543210E00000");
    assert_eq!(ksn.initial().counter(), Err(CounterError::Zero));
    assert_eq!(ksn.initial().id(), ksn.id());
    assert_eq!(ksn.with_counter(Counter::FIRST).to_string(), "FFFF9876543210E00001");
    assert_eq!(format!("{ksn:?}"), "Ksn(FFFF9876543210FFF400)");
}

#[test]
fn short_numbers_are_filled_on_the_left() {
    assert_eq!(Ksn::from_wire(&hex("9876543210E00001")), Ok(ksn("FFFF9876543210E00001")));
    assert_eq!(Ksn::from_wire(&hex("3210E00001")), Ok(ksn("FFFFFFFFFF3210E00001")));
    assert_eq!(Ksn::from_wire(&hex("FFFF9876543210E00001")), Ok(ksn("FFFF9876543210E00001")));
    assert_eq!(ksn("FFFF9876543210E00001").without_padding(), hex("9876543210E00001"));
    assert_eq!(ksn("0000000000E0FFFFFFFF").without_padding(), hex("0000000000E0FFFFFFFF"));
    assert_eq!(ksn("FFFFFFFFFFFFFFE00001").without_padding(), hex("FFFFE00001"), "no name is shorter than 5");
}

#[test]
fn other_lengths_are_errors() {
    for found in (0..5).chain(11..20) {
        assert_eq!(Ksn::from_wire(&vec![0x11; found]), Err(KsnError::WireLength { found }));
    }
    for found in (0..10).chain(11..20) {
        assert_eq!(Ksn::try_from(&*vec![0x11; found]), Err(KsnError::Length { found }));
    }
}

proptest! {
    #[test]
    fn short_form_gives_the_number_back(bytes: [u8; 10], padding in 0..=10_usize) {
        let mut bytes = bytes;
        bytes[..padding].fill(0xFF);
        let ksn = Ksn::from(bytes);
        prop_assert_eq!(Ksn::from_wire(ksn.without_padding()), Ok(ksn));
        prop_assert_eq!(ksn.as_bytes(), &bytes);
    }

    #[test]
    fn a_new_counter_leaves_the_identifiers_alone(bytes: [u8; 10], value in 1..1_u32 << 10) {
        let counter = Counter::try_from(value).unwrap();
        let (old, new) = (Ksn::from(bytes), Ksn::from(bytes).with_counter(counter));
        prop_assert_eq!(new.counter(), Ok(counter));
        prop_assert_eq!(new.id(), old.id());
        prop_assert_eq!(new.initial(), old.initial());
    }
}
