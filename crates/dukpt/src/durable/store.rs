//! Where a record lies.

/// Keeps one record of an originator's state, whatever happens to the power.
///
/// [`TwoSlots`](super::TwoSlots) is one over any medium with two regions that can be rewritten singly, and the file store is made
/// of it. Others might be a database or the secure element's own file system, if they keep to the rules here.
pub trait StateStore {
    /// Why the store could not read or write.
    type Error: core::error::Error + 'static;

    /// Finds the record and fills `record` with it from the start; one that is longer fills all of `record`, and the
    /// rest of it is left out. An empty `record` asks only what there is.
    ///
    /// # Errors
    /// Returns the store's error if what is there can't be found out.
    fn read(&mut self, record: &mut [u8]) -> Result<Stored, Self::Error>;

    /// Puts `record` in the place of whatever is there, and returns once it is durable and nothing else is left: the record
    /// before it holds the key that is about to be used.
    ///
    /// At every moment on the way the store holds a whole record, the old one or the new one, if it held one before.
    ///
    /// # Errors
    /// Returns the store's error; the store then holds one of both.
    fn replace(&mut self, record: &[u8]) -> Result<(), Self::Error>;
}

/// What a store holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stored {
    /// Nothing was ever stored.
    Nothing,
    /// Something was, and no whole record is left of it.
    Damaged,
    /// A whole record.
    Record {
        /// Its length in bytes.
        len: usize,
    },
}

impl<S: StateStore + ?Sized> StateStore for &mut S {
    type Error = S::Error;

    fn read(&mut self, record: &mut [u8]) -> Result<Stored, Self::Error> {
        (**self).read(record)
    }

    fn replace(&mut self, record: &[u8]) -> Result<(), Self::Error> {
        (**self).replace(record)
    }
}

/// A record of up to `LEN` bytes in memory, for simulations and tests: it does not outlive the program.
///
/// Memory under a battery is a medium for [`TwoSlots`](super::TwoSlots), since power may fail in the middle of writing it.
#[derive(Debug)]
pub struct MemoryStore<const LEN: usize> {
    record: [u8; LEN],
    len: Option<usize>,
}

/// The record is longer than the store.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a record of {found} bytes does not fit into {capacity}")]
pub struct MemoryStoreFull {
    /// Bytes of the record.
    pub found: usize,
    /// Bytes that there is room for.
    pub capacity: usize,
}

impl<const LEN: usize> MemoryStore<LEN> {
    /// A store without a record.
    #[must_use]
    pub const fn new() -> Self {
        Self { record: [0; LEN], len: None }
    }

    /// The record, if there is one.
    #[must_use]
    pub fn record(&self) -> Option<&[u8]> {
        self.record.get(..self.len?)
    }
}

impl<const LEN: usize> Default for MemoryStore<LEN> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const LEN: usize> StateStore for MemoryStore<LEN> {
    type Error = MemoryStoreFull;

    fn read(&mut self, record: &mut [u8]) -> Result<Stored, MemoryStoreFull> {
        let Some(len) = self.len else { return Ok(Stored::Nothing) };
        for (byte, stored) in record.iter_mut().zip(self.record) {
            *byte = stored;
        }
        Ok(Stored::Record { len })
    }

    fn replace(&mut self, record: &[u8]) -> Result<(), MemoryStoreFull> {
        let full = MemoryStoreFull { found: record.len(), capacity: LEN };
        let (new, rest) = self.record.split_at_mut_checked(record.len()).ok_or(full)?;
        new.copy_from_slice(record);
        rest.fill(0);
        self.len = Some(record.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both schemes fit into a store that is long enough for AES, whose records are the longer ones.
    #[test]
    fn nothing_is_left_of_a_longer_record_in_memory() {
        let mut store = MemoryStore::<8>::new();
        store.replace(&[0xA5; 8]).unwrap();
        store.replace(&[0x5A; 3]).unwrap();
        assert_eq!(store.record(), Some(&[0x5A; 3][..]));
        assert_eq!(store.record[3..], [0; 5]);
        let full = store.replace(&[0xA5; 9]).unwrap_err();
        assert_eq!((full, store.record()), (MemoryStoreFull { found: 9, capacity: 8 }, Some(&[0x5A; 3][..])));
    }
}
