//! Secrets print nothing and wipe themselves.

mod common;

use core::fmt::Debug;

use cardroot_pin::{CardPinBlock, ClearPinBlock, Iso4PanField, Iso4PinField, Pan, Pin};
use common::{pan, pin};
use zeroize::ZeroizeOnDrop;

fn assert_prints_only(secret: &impl Debug, expected: &str) {
    assert_eq!(format!("{secret:?}"), expected);
    assert_eq!(format!("{secret:#?}"), expected);
    assert_eq!(format!("{secret:#x?}"), expected);
}

#[test]
fn debug_shows_no_secret() {
    assert_prints_only(&pin("5555"), "Pin { .. }");
    assert_prints_only(&pin("555555555555"), "Pin { .. }");
    assert_prints_only(&ClearPinBlock::from_fill(|block| block.fill(0xA5)), "ClearPinBlock { .. }");
    assert_prints_only(&CardPinBlock::from_fill(|block| block.fill(0xA5)), "CardPinBlock { .. }");
    assert_prints_only(&Iso4PinField::from_fill(|block| block.fill(0xA5)), "Iso4PinField { .. }");
    assert_prints_only(&Iso4PanField::encode(&pan("5555555555554444")), "Iso4PanField { .. }");
}

#[test]
fn every_secret_type_is_wiped_on_drop() {
    fn wiped<T: ZeroizeOnDrop>() -> bool {
        core::mem::needs_drop::<T>()
    }
    assert!(wiped::<Pin>() && wiped::<Pan>());
    assert!(wiped::<ClearPinBlock>() && wiped::<CardPinBlock>());
    assert!(wiped::<Iso4PinField>() && wiped::<Iso4PanField>());
}

#[test]
fn equality_of_blocks_sees_every_byte() {
    let one = ClearPinBlock::from_fill(|block| block.fill(0xA5));
    assert!(one.ct_eq(&ClearPinBlock::from_fill(|block| block.fill(0xA5))));
    for index in 0..ClearPinBlock::LEN {
        let other = ClearPinBlock::from_fill(|block| {
            block.fill(0xA5);
            block.iter_mut().skip(index).take(1).for_each(|byte| *byte ^= 0x80);
        });
        assert!(!one.ct_eq(&other));
    }
}
