//! The `no_std` proof: a terminal's derivation chain as firmware would link it, with nothing but `core` below.
#![no_std]

use core::panic::PanicInfo;

use cardroot_components::{Parity, TdeaComponent, combine};
use cardroot_diversify::{Factor, pboc};
use cardroot_dukpt::{Bdk, InitialKey, Ksn, Originator};
use cardroot_pin::{ClearPinBlock, EncryptPinBlock, Pan, Pin};
use cardroot_tdea::{KeyLength, TdeaKey};

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    loop {}
}

/// Combines two components, derives a key, and makes the first PIN block of a terminal; 0 says that all of it worked.
#[unsafe(no_mangle)]
pub extern "C" fn cardroot_no_std_proof() -> u32 {
    u32::from(first_pin_block().is_none())
}

fn first_pin_block() -> Option<[u8; 8]> {
    let components = [0x11, 0x2F].map(|byte| TdeaComponent::from_fill(KeyLength::Double, |key| fill(key, byte)));
    let [a, b] = &components;
    let root: TdeaKey = combine(&[a, b], Parity::AdjustToOdd).ok()?;
    let bdk = Bdk::from_key(pboc::derive(&root, Factor::from([0x37; 8])).ok()?);
    let ksn = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, 0x10, 0xE0, 0x00, 0x00]);
    let initial_key: InitialKey = bdk.derive_initial_key(&ksn).ok()?;
    let transaction = Originator::load(initial_key).next_transaction().ok()?;
    let (pin, pan) = (Pin::from_ascii_digits(b"1234").ok()?, Pan::from_ascii_digits(b"4012345678909").ok()?);
    let Ok(block) = transaction.key().pin_key().encrypt_pin_block(&ClearPinBlock::encode_iso0(&pin, &pan));
    Some(block.to_bytes())
}

/// A component for show: counting bytes, so that no two parts are alike.
fn fill(key: &mut [u8], first: u8) {
    for (byte, value) in key.iter_mut().zip(first..) {
        *byte = value.wrapping_mul(13);
    }
}
