//! A toy flash chip with two sectors, and a row of fuses to count with.

use core::convert::Infallible;
use core::fmt;

use cardroot_dukpt::VolatileOriginator;
use cardroot_dukpt::durable::{MonotonicCounter, Slot, Slots, TwoSlots};

const SECTOR_LEN: usize = TwoSlots::<Flash>::slot_len(VolatileOriginator::RECORD_LEN).next_power_of_two();
const ERASED: u8 = 0xFF;

/// Two sectors of NOR flash: writing only ever clears bits, erasing sets all of a sector.
pub struct Flash([[u8; SECTOR_LEN]; 2]);

/// An access beyond the sector, or to bits that are not erased.
#[derive(Debug)]
pub struct Misused;

impl fmt::Display for Misused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("beyond the sector, or not erased")
    }
}

impl core::error::Error for Misused {}

impl Flash {
    pub const fn new() -> Self {
        Self([[ERASED; SECTOR_LEN]; 2])
    }

    fn place(&mut self, slot: Slot, offset: usize, len: usize) -> Result<&mut [u8], Misused> {
        let [a, b] = &mut self.0;
        let sector = if slot == Slot::A { a } else { b };
        sector.get_mut(offset..).and_then(|rest| rest.get_mut(..len)).ok_or(Misused)
    }
}

impl Slots for Flash {
    type Error = Misused;

    fn slot_len(&self) -> usize {
        SECTOR_LEN
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Misused> {
        bytes.copy_from_slice(self.place(slot, offset, bytes.len())?);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Misused> {
        for (cell, byte) in self.place(slot, offset, bytes.len())?.iter_mut().zip(bytes) {
            *cell &= byte;
            if cell != byte {
                return Err(Misused);
            }
        }
        Ok(())
    }

    fn erase(&mut self, slot: Slot) -> Result<(), Misused> {
        self.place(slot, 0, SECTOR_LEN)?.fill(ERASED);
        Ok(())
    }

    /// Flash is durable as soon as it is written.
    fn sync(&mut self) -> Result<(), Misused> {
        Ok(())
    }
}

/// A monotonic counter of the chip.
#[derive(Default)]
pub struct Fuses(u64);

impl MonotonicCounter for Fuses {
    type Error = Infallible;

    fn value(&mut self) -> Result<u64, Infallible> {
        Ok(self.0)
    }

    fn increment(&mut self) -> Result<(), Infallible> {
        self.0 += 1;
        Ok(())
    }
}
