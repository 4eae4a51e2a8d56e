//! A store of two slots, on any medium that can rewrite them singly.

use super::crc::Crc32;
use super::store::{StateStore, Stored};

/// A medium with two regions of equal length: flash sectors, EEPROM pages, parts of a file.
///
/// Power may fail within any call and leave any bytes in the slot it works on, but never touches the other slot. Writes and
/// erasures not yet followed by [`sync`](Self::sync) may be lost or done in part, in any order.
///
/// A medium that writes whole words of up to 32 bytes fills up the last one itself; no word is written twice between two
/// erasures. Wear is its business too: each transaction writes one slot and erases the other, in turn.
pub trait Slots {
    /// Why the medium failed.
    type Error: core::error::Error + 'static;

    /// Bytes of each slot: at least what [`TwoSlots::slot_len`] says.
    fn slot_len(&self) -> usize;

    /// Fills `bytes` from what is in the slot at `offset`.
    ///
    /// # Errors
    /// Returns the medium's error.
    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Writes `bytes` into the slot at `offset`, where nothing was written since it was erased.
    ///
    /// # Errors
    /// Returns the medium's error, when any part of `bytes` may have been written.
    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Self::Error>;

    /// Destroys what is in the slot, beyond recovery as far as the medium allows: it then reads as all `00` or all `FF`.
    ///
    /// # Errors
    /// Returns the medium's error, when any part of the slot may have been erased.
    fn erase(&mut self, slot: Slot) -> Result<(), Self::Error>;

    /// Returns when everything before is durable.
    ///
    /// # Errors
    /// Returns the medium's error.
    fn sync(&mut self) -> Result<(), Self::Error>;

    /// Has the next [`sync`](Self::sync) make durable what the slot reads as, even if a sync before has failed and its system took
    /// what it could not write for written, as systems with a cache do. Without such a cache there is nothing to do.
    ///
    /// # Errors
    /// Returns the medium's error.
    fn refresh(&mut self, slot: Slot) -> Result<(), Self::Error> {
        let _ = slot;
        Ok(())
    }
}

impl<M: Slots + ?Sized> Slots for &mut M {
    type Error = M::Error;

    fn slot_len(&self) -> usize {
        (**self).slot_len()
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Self::Error> {
        (**self).read(slot, offset, bytes)
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Self::Error> {
        (**self).write(slot, offset, bytes)
    }

    fn erase(&mut self, slot: Slot) -> Result<(), Self::Error> {
        (**self).erase(slot)
    }

    fn sync(&mut self) -> Result<(), Self::Error> {
        (**self).sync()
    }

    fn refresh(&mut self, slot: Slot) -> Result<(), Self::Error> {
        (**self).refresh(slot)
    }
}

/// One of the two slots of a medium.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Slot {
    /// The first.
    A,
    /// The second.
    B,
}

impl Slot {
    /// The slot that this is not.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::A => Self::B,
            Self::B => Self::A,
        }
    }
}

/// A [`StateStore`] on a medium of two slots.
///
/// A new record goes into the slot that holds none; once it is durable, the old one is destroyed. So while nothing happens
/// one slot holds the record and the other is blank: no copy is left of a register whose key was used. While both hold a
/// record, which a power cut may leave behind, the newer one counts; reading it destroys the older one first.
///
/// A slot is `sequence 8 || record length 4 || CRC-32 4 || 16 bytes free || record`; the checksum is that of sequence,
/// length and record. It tells a torn record from a whole one. Whether somebody altered it on purpose is for the record's
/// own seal to say.
#[derive(Debug)]
pub struct TwoSlots<M> {
    medium: M,
    /// Whether somebody has looked, so that the fields below are true. Each step keeps them so, and after a failure too:
    /// what a medium reads then may be what it has not yet made durable.
    known: bool,
    current: Option<Current>,
    /// Whether slot A, slot B is blank for certain.
    blank: [bool; 2],
}

/// Why a store of two slots failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum SlotsError<E> {
    /// The medium failed.
    #[error("the medium failed")]
    Medium(#[source] E),
    /// The slots are too small.
    #[error("a record of {found} bytes does not fit into a slot with room for {capacity}")]
    TooLong {
        /** Bytes of the record. */
        found: usize,
        /** Bytes of the longest record that fits. */
        capacity: usize,
    },
}

impl<E> From<E> for SlotsError<E> {
    fn from(error: E) -> Self {
        Self::Medium(error)
    }
}

/// The slot that counts.
#[derive(Clone, Copy, Debug)]
struct Current {
    slot: Slot,
    sequence: u64,
    len: usize,
}

enum Content {
    Blank,
    Torn,
    Record { sequence: u64, len: usize },
}

/// Before each record: `sequence 8 || length 4 || checksum 4`.
const FRAME_LEN: usize = 16;
/// Twice that: no word of 32 bytes is written twice.
const RECORD_OFFSET: usize = 2 * FRAME_LEN;
/// Bytes read from the medium at once.
const CHUNK_LEN: usize = 64;

impl<M> TwoSlots<M> {
    /// Takes a medium as it is. Nothing is read before it is needed.
    #[must_use]
    pub const fn new(medium: M) -> Self {
        Self { medium, known: false, current: None, blank: [false; 2] }
    }

    /// Bytes of a slot for records of up to `record_len` bytes.
    #[must_use]
    pub const fn slot_len(record_len: usize) -> usize {
        RECORD_OFFSET + record_len
    }
}

impl<M: Slots> StateStore for TwoSlots<M> {
    type Error = SlotsError<M::Error>;

    fn read(&mut self, record: &mut [u8]) -> Result<Stored, Self::Error> {
        self.look()?;
        let Some(Current { slot, len, .. }) = self.current else {
            return Ok(if self.blank == [true; 2] { Stored::Nothing } else { Stored::Damaged });
        };
        // A cut may have come between the new record and the end of the old one.
        self.clear(slot.other())?;
        let (record, _) = record.split_at_mut(len.min(record.len()));
        self.medium.read(slot, RECORD_OFFSET, record)?;
        Ok(Stored::Record { len })
    }

    fn replace(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        let (found, capacity) = (record.len(), self.capacity());
        let len = u32::try_from(found).ok().filter(|_| found <= capacity);
        let len = len.ok_or(SlotsError::TooLong { found, capacity })?;
        self.look()?;

        let slot = self.current.map_or(Slot::A, |old| old.slot.other());
        let sequence = self.current.map_or(0, |old| old.sequence).wrapping_add(1);
        self.clear(slot)?;
        *self.blank_mut(slot) = false;
        let mut crc = Crc32::new();
        crc.update(record);
        self.medium.write(slot, RECORD_OFFSET, record)?;
        self.medium.write(slot, 0, &encode_frame(sequence, len.to_be_bytes(), crc))?;
        self.medium.sync()?;
        // From here on the new record counts, whatever becomes of the old one.
        self.current = Some(Current { slot, sequence, len: found });
        self.clear(slot.other())?;
        Ok(())
    }
}

impl<M: Slots> TwoSlots<M> {
    fn capacity(&self) -> usize {
        self.medium.slot_len().saturating_sub(RECORD_OFFSET)
    }

    fn blank_mut(&mut self, slot: Slot) -> &mut bool {
        let [a, b] = &mut self.blank;
        match slot {
            Slot::A => a,
            Slot::B => b,
        }
    }

    /// Finds out what is where, once.
    fn look(&mut self) -> Result<(), M::Error> {
        if self.known {
            return Ok(());
        }
        self.current = None;
        let mut records = 0;
        for slot in [Slot::A, Slot::B] {
            let content = self.inspect(slot)?;
            *self.blank_mut(slot) = matches!(content, Content::Blank);
            if let Content::Record { sequence, len } = content {
                records += 1;
                if self.current.is_none_or(|found| found.sequence < sequence) {
                    self.current = Some(Current { slot, sequence, len });
                }
            }
        }
        if let Some(newer) = self.current.filter(|_| records == 2) {
            // The older one will be destroyed in reliance on it.
            self.medium.refresh(newer.slot)?;
        }
        // What was read may come from a program that died before it was durable.
        self.medium.sync()?;
        self.known = true;
        Ok(())
    }

    fn inspect(&mut self, slot: Slot) -> Result<Content, M::Error> {
        let mut frame = [0; FRAME_LEN];
        self.medium.read(slot, 0, &mut frame)?;
        let [sequence @ .., l0, l1, l2, l3, _, _, _, _] = frame;
        let capacity = self.capacity();
        let len = usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok().filter(|len| *len <= capacity);
        if let Some(len) = len {
            let sequence = u64::from_be_bytes(sequence);
            let mut crc = Crc32::new();
            self.for_each_chunk(slot, RECORD_OFFSET, len, |chunk| crc.update(chunk))?;
            if encode_frame(sequence, [l0, l1, l2, l3], crc) == frame {
                return Ok(Content::Record { sequence, len });
            }
        }
        let mut blank = [true; 2];
        self.for_each_chunk(slot, 0, self.medium.slot_len(), |chunk| {
            for (blank, byte) in blank.iter_mut().zip([0x00, 0xFF]) {
                *blank &= chunk.iter().all(|found| *found == byte);
            }
        })?;
        Ok(if blank == [false; 2] { Content::Torn } else { Content::Blank })
    }

    fn for_each_chunk(
        &mut self,
        slot: Slot,
        from: usize,
        len: usize,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), M::Error> {
        let mut buffer = [0; CHUNK_LEN];
        for done in (0..len).step_by(CHUNK_LEN) {
            let (chunk, _) = buffer.split_at_mut(CHUNK_LEN.min(len - done));
            self.medium.read(slot, from + done, chunk)?;
            each(chunk);
        }
        Ok(())
    }

    /// Destroys what is in `slot`, durably, unless it is blank.
    fn clear(&mut self, slot: Slot) -> Result<(), M::Error> {
        if !*self.blank_mut(slot) {
            self.medium.erase(slot)?;
            self.medium.sync()?;
            *self.blank_mut(slot) = true;
        }
        Ok(())
    }
}

/// `record_crc` is that of the record alone, so far.
fn encode_frame(sequence: u64, len: [u8; 4], record_crc: Crc32) -> [u8; FRAME_LEN] {
    let [s0, s1, s2, s3, s4, s5, s6, s7] = sequence.to_be_bytes();
    let [l0, l1, l2, l3] = len;
    let mut crc = record_crc;
    crc.update(&[s0, s1, s2, s3, s4, s5, s6, s7, l0, l1, l2, l3]);
    let [c0, c1, c2, c3] = crc.value().to_be_bytes();
    [s0, s1, s2, s3, s4, s5, s6, s7, l0, l1, l2, l3, c0, c1, c2, c3]
}
