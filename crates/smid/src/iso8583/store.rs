//! The values of a message in one buffer that wipes itself.

use alloc::vec::Vec;

use zeroize::Zeroize;

use super::{Bitmap, Sensitivity};

/// Bytes of the values of a small message.
const SMALL: usize = 128;

/// What a value is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Kind {
    Text,
    Bytes,
}

/// Values of fields in ascending order of number, one after the other in `data`.
#[derive(Default)]
pub(super) struct Store {
    present: Bitmap,
    binary: Bitmap,
    /// What the dialect in which a value was set or decoded hides, for `Debug`, which knows no dialect.
    masked: Bitmap,
    /// Where each value ends, one entry a field.
    ends: Vec<usize>,
    /// May hold PANs, tracks and PIN data, so it is wiped before any of its memory is given back.
    data: Vec<u8>,
}

impl Store {
    pub(super) fn with_capacity(fields: usize, bytes: usize) -> Self {
        Self { ends: Vec::with_capacity(fields), data: Vec::with_capacity(bytes), ..Self::default() }
    }

    pub(super) const fn present(&self) -> Bitmap {
        self.present
    }

    pub(super) const fn masks(&self, field: u8) -> bool {
        self.masked.contains(field)
    }

    pub(super) fn get(&self, field: u8) -> Option<(Kind, &[u8])> {
        if !self.present.contains(field) {
            return None;
        }
        let index = self.present.count_below(field);
        let value = self.data.get(self.start(index)..*self.ends.get(index)?)?;
        Some((self.kind(field), value))
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u8, Kind, &[u8])> {
        let mut start = 0;
        self.present.fields().zip(&self.ends).map(move |(field, &end)| {
            let value = self.data.get(start..end).expect("values lie one after the other in the buffer");
            start = end;
            (field, self.kind(field), value)
        })
    }

    const fn kind(&self, field: u8) -> Kind {
        if self.binary.contains(field) { Kind::Bytes } else { Kind::Text }
    }

    /// Adds a value of `len` bytes, filled by `fill`, for a field above all present ones.
    pub(super) fn append<E>(
        &mut self,
        field: u8,
        kind: Kind,
        sensitivity: Sensitivity,
        len: usize,
        fill: impl FnOnce(&mut Vec<u8>) -> Result<(), E>,
    ) -> Result<(), E> {
        self.reserve(len);
        fill(&mut self.data)?;
        self.ends.push(self.data.len());
        self.mark(field, kind, sensitivity);
        Ok(())
    }

    /// Sets the value of `field`, which is one.
    pub(super) fn put(&mut self, field: u8, kind: Kind, sensitivity: Sensitivity, value: &[u8]) {
        let index = self.present.count_below(field);
        let start = self.start(index);
        if !self.present.contains(field) {
            self.ends.insert(index, start);
        }
        self.reserve(value.len());
        self.resize(index, start, value);
        self.mark(field, kind, sensitivity);
    }

    pub(super) fn remove(&mut self, field: u8) {
        if self.present.contains(field) {
            let index = self.present.count_below(field);
            self.resize(index, self.start(index), &[]);
            self.ends.remove(index);
            self.present.remove(field);
            self.binary.remove(field);
            self.masked.remove(field);
        }
    }

    /// Replaces value `index`, which starts at `start`; the space is reserved.
    fn resize(&mut self, index: usize, start: usize, value: &[u8]) {
        let later = self.ends.get_mut(index..).unwrap_or_default();
        let end = later.first().copied().unwrap_or(start);
        for place in later {
            *place = *place - (end - start) + value.len();
        }
        if end == self.data.len() {
            // The usual way: fields are set in ascending order.
            self.data.truncate(start);
            self.data.extend_from_slice(value);
        } else {
            self.data.splice(start..end, value.iter().copied());
        }
    }

    fn start(&self, index: usize) -> usize {
        index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0)
    }

    fn mark(&mut self, field: u8, kind: Kind, sensitivity: Sensitivity) {
        for (set, wanted) in [
            (&mut self.present, true),
            (&mut self.binary, kind == Kind::Bytes),
            (&mut self.masked, sensitivity == Sensitivity::Masked),
        ] {
            if wanted {
                set.insert(field).expect("callers store fields that a dialect has");
            } else {
                set.remove(field);
            }
        }
    }

    /// Makes room for `more` bytes, a small message's at first. `Vec` would give the old memory back as it is.
    fn reserve(&mut self, more: usize) {
        let needed = self.data.len() + more;
        if needed > self.data.capacity() {
            let mut grown = Vec::with_capacity(needed.max(2 * self.data.capacity()).max(SMALL));
            grown.extend_from_slice(&self.data);
            self.data.zeroize();
            self.data = grown;
        }
    }
}

impl Clone for Store {
    fn clone(&self) -> Self {
        let Self { present, binary, masked, .. } = *self;
        Self { present, binary, masked, ends: self.ends.clone(), data: self.data.clone() }
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        self.data.zeroize();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::collections::BTreeMap;

    #[test]
    fn values_stay_with_their_fields_through_any_order_of_changes() {
        let mut store = Store::default();
        let mut model: BTreeMap<u8, (Kind, Vec<u8>)> = BTreeMap::new();
        // A fixed walk over fields and lengths that sets, replaces and removes.
        let mut state = 1u32;
        for _ in 0..4000 {
            state = state.wrapping_mul(1_103_515_245).wrapping_add(12_345);
            let [_, choice, field, length] = state.to_be_bytes();
            let field = field % 127 + 2;
            if field == 65 {
                continue;
            }
            if choice % 4 == 0 {
                store.remove(field);
                model.remove(&field);
            } else {
                let kind = if choice % 2 == 0 { Kind::Bytes } else { Kind::Text };
                let value = alloc::vec![choice; usize::from(length % 40)];
                store.put(field, kind, Sensitivity::Public, &value);
                model.insert(field, (kind, value));
            }
            let expected = || model.iter().map(|(&field, (kind, value))| (field, *kind, value.as_slice()));
            assert!(store.iter().eq(expected()));
            assert!(expected().all(|(field, kind, value)| store.get(field) == Some((kind, value))));
            assert!(store.get(field).is_some() == model.contains_key(&field));
            assert_eq!(store.data.len(), expected().map(|(_, _, value)| value.len()).sum::<usize>());
        }
    }

    #[test]
    fn room_is_made_before_a_value_is_added() {
        let mut store = Store::default();
        for more in [1, 100, 5000] {
            store.reserve(more);
            assert!(store.data.capacity() >= store.data.len() + more);
            let before = store.data.as_ptr();
            store.put(48, Kind::Text, Sensitivity::Public, &alloc::vec![b'x'; more]);
            assert_eq!(store.data.as_ptr(), before);
        }
    }

    #[test]
    fn replacing_within_capacity_does_not_move_the_buffer() {
        let mut store = Store::with_capacity(2, 64);
        store.put(3, Kind::Text, Sensitivity::Public, b"000000");
        store.put(2, Kind::Text, Sensitivity::Public, b"4242424242424242");
        let before = store.data.as_ptr();
        store.put(2, Kind::Text, Sensitivity::Public, b"4012345678909");
        store.put(2, Kind::Text, Sensitivity::Public, b"4242424242424242");
        assert_eq!(store.data.as_ptr(), before);
    }
}
