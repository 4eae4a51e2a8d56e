//! What a terminal has of hardware: a flash chip of two sectors, a counter that only grows, and a power supply that fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cardroot::dukpt::VolatileOriginator;
use cardroot::dukpt::durable::{MonotonicCounter, Slot, Slots, TwoSlots};

const SECTOR_LEN: usize = TwoSlots::<Chip>::slot_len(VolatileOriginator::RECORD_LEN);
const BLANK: u8 = 0xFF;

/// The sectors as somebody may copy them.
pub type Image = [[u8; SECTOR_LEN]; 2];

/// The power failed, in this step or before.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct PowerFailed;

#[derive(Debug)]
struct Board {
    sectors: Image,
    /// The counter of the secure hardware.
    counter: u64,
    /// Steps of the hardware until the power fails; in the last one it does half the work.
    steps_left: Option<u32>,
}

/// One terminal's chip: it outlives the programs that run on it.
#[derive(Clone, Debug)]
pub struct Chip(Arc<Mutex<Board>>);

/// The counter of the same hardware.
#[derive(Debug)]
pub struct Counter(pub Chip);

impl Chip {
    /// A chip that holds nothing.
    pub fn blank() -> Self {
        Self::with([[BLANK; SECTOR_LEN]; 2])
    }

    /// A chip that somebody has filled with what was on another.
    pub fn with(sectors: Image) -> Self {
        Self(Arc::new(Mutex::new(Board { sectors, counter: 0, steps_left: None })))
    }

    pub fn copy(&self) -> Image {
        self.board().sectors
    }

    pub fn put_back(&self, image: &Image) {
        self.board().sectors = *image;
    }

    pub fn fail_in(&self, steps: u32) {
        self.board().steps_left = Some(steps);
    }

    pub fn has_failed(&self) -> bool {
        self.board().steps_left == Some(0)
    }

    pub fn power_up(&self) {
        self.board().steps_left = None;
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A step on `len` bytes: on all of them, or on half of them because the power fails.
    fn step(&self, len: usize, work: impl FnOnce(&mut Board, usize)) -> Result<(), PowerFailed> {
        let mut board = self.board();
        match board.steps_left {
            None => work(&mut board, len),
            Some(0) => return Err(PowerFailed),
            Some(left) => {
                board.steps_left = Some(left - 1);
                work(&mut board, if left == 1 { len / 2 } else { len });
                if left == 1 {
                    return Err(PowerFailed);
                }
            }
        }
        Ok(())
    }
}

impl Board {
    fn region(&mut self, slot: Slot, offset: usize, len: usize) -> &mut [u8] {
        let [a, b] = &mut self.sectors;
        let sector = if slot == Slot::A { a } else { b };
        sector.get_mut(offset..offset + len).expect("nobody reaches beyond the length of a slot")
    }
}

impl Slots for Chip {
    type Error = PowerFailed;

    fn slot_len(&self) -> usize {
        SECTOR_LEN
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), PowerFailed> {
        if self.has_failed() {
            return Err(PowerFailed);
        }
        bytes.copy_from_slice(self.board().region(slot, offset, bytes.len()));
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), PowerFailed> {
        self.step(bytes.len(), |board, len| {
            board.region(slot, offset, len).iter_mut().zip(bytes).for_each(|(to, from)| *to = *from);
        })
    }

    fn erase(&mut self, slot: Slot) -> Result<(), PowerFailed> {
        self.step(SECTOR_LEN, |board, len| board.region(slot, 0, len).fill(BLANK))
    }

    fn sync(&mut self) -> Result<(), PowerFailed> {
        self.step(0, |_, _| {})
    }
}

impl MonotonicCounter for Counter {
    type Error = PowerFailed;

    fn value(&mut self) -> Result<u64, PowerFailed> {
        let board = self.0.board();
        if board.steps_left == Some(0) { Err(PowerFailed) } else { Ok(board.counter) }
    }

    fn increment(&mut self) -> Result<(), PowerFailed> {
        self.0.step(1, |board, len| board.counter += len as u64)
    }
}

impl std::fmt::Display for PowerFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the power failed")
    }
}

impl std::error::Error for PowerFailed {}
