//! The `no_std` proof: a terminal's derivation chain as firmware would link it, with nothing but `core` below.
#![no_std]

mod flash;

use core::panic::PanicInfo;

use cardroot_components::{Parity, TdeaComponent, combine};
use cardroot_diversify::{Factor, pboc};
use cardroot_dukpt::durable::{Device, DeviceKey, PinEntry, TwoSlots};
use cardroot_dukpt::{Bdk, InitialKey, Ksn, Originator};
use cardroot_pin::{ClearPinBlock, Pan, Pin};
use cardroot_tdea::{KeyLength, TdeaKey};

use crate::flash::{Flash, Fuses};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Combines two components, derives a key, and makes the first PIN blocks of a terminal, whose power fails in between;
/// 0 says that all of it worked.
#[unsafe(no_mangle)]
pub extern "C" fn cardroot_no_std_proof() -> u32 {
    u32::from(two_pin_blocks().is_none())
}

fn two_pin_blocks() -> Option<[[u8; 8]; 2]> {
    let components =
        [0x11, 0x2F].map(|byte| TdeaComponent::from_fill(KeyLength::Double, |key| fill(key, byte)));
    let [a, b] = &components;
    let root: TdeaKey = combine(&[a, b], Parity::AdjustToOdd).ok()?;
    let bdk = Bdk::from_key(pboc::derive(&root, Factor::from([0x37; 8])).ok()?);
    let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    let initial_key: InitialKey = bdk.derive_initial_key(&ksn).ok()?;

    let (mut flash, mut fuses) = (Flash::new(), Fuses::default());
    let mut terminal =
        Originator::load(TwoSlots::new(&mut flash), Device::new(device_key(), &mut fuses), initial_key)
            .ok()?;
    let first = pin_block(terminal.request_pin_entry(Some(&entered()?)).ok()?)?;
    drop(terminal);

    let mut terminal =
        Originator::open_named(TwoSlots::new(&mut flash), Device::new(device_key(), &mut fuses), &ksn)
            .ok()?;
    let second = pin_block(terminal.request_pin_entry(Some(&entered()?)).ok()?)?;
    (first != second).then_some([first, second])
}

fn entered() -> Option<ClearPinBlock> {
    let (pin, pan) = (Pin::from_ascii_digits(b"1234").ok()?, Pan::from_ascii_digits(b"4012345678909").ok()?);
    Some(ClearPinBlock::encode_iso0(&pin, &pan))
}

fn pin_block(entry: PinEntry<'_>) -> Option<[u8; 8]> {
    match entry {
        PinEntry::Entered { block, .. } => Some(block.to_bytes()),
        PinEntry::NotEntered => None,
    }
}

/// A terminal would read it from the secure part of its chip.
fn device_key() -> DeviceKey {
    DeviceKey::from_fill(|key| fill(key, 0x41))
}

/// A component for show: counting bytes, so that no two parts are alike.
fn fill(key: &mut [u8], first: u8) {
    for (byte, value) in key.iter_mut().zip(first..) {
        *byte = value.wrapping_mul(13);
    }
}
