//! How what a card keeps is written down: big-endian, each part after the one before, lengths in front.
//!
//! Each type of `Memory` and `DomainMemory` writes and reads itself, next to its definition. Reading is total: any bytes give a
//! value that no command can trip over, or nothing.

use zeroize::Zeroizing;

/// Something that a card keeps.
pub(crate) trait Stored: Sized {
    fn write(&self, out: &mut Writer);

    /// `None` if this is not what [`write`](Self::write) writes.
    fn read(input: &mut Reader<'_>) -> Option<Self>;
}

/// Bytes that are being put together. Wiped on drop.
pub(crate) struct Writer(Zeroizing<Vec<u8>>);

impl Writer {
    /// Room for most cards: it grows where that is not enough.
    const CAPACITY: usize = 4096;

    pub(crate) fn new() -> Self {
        Self(Zeroizing::new(Vec::with_capacity(Self::CAPACITY)))
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) {
        if self.0.capacity() - self.0.len() < bytes.len() {
            // A vector that grows by itself leaves a copy that nobody wipes.
            let mut larger = Zeroizing::new(Vec::with_capacity(2 * (self.0.len() + bytes.len())));
            larger.extend_from_slice(&self.0);
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.put(&[byte]);
    }

    pub(crate) fn number(&mut self, number: u16) {
        self.put(&number.to_be_bytes());
    }

    /// A size or count within a card.
    pub(crate) fn size(&mut self, size: usize) {
        self.number(u16::try_from(size).expect("a card has 8 KiB, a domain 16 KiB"));
    }

    /// Bytes after their number.
    pub(crate) fn counted(&mut self, bytes: &[u8]) {
        self.size(bytes.len());
        self.put(bytes);
    }

    /// Things after their number.
    pub(crate) fn all<T: Stored>(&mut self, things: &[T]) {
        self.size(things.len());
        things.iter().for_each(|thing| thing.write(self));
    }

    /// `01` and the thing, or `00`.
    pub(crate) fn option<T: Stored>(&mut self, thing: Option<&T>) {
        self.byte(u8::from(thing.is_some()));
        thing.into_iter().for_each(|thing| thing.write(self));
    }

    pub(crate) fn finish(self) -> Zeroizing<Vec<u8>> {
        self.0
    }
}

/// What is left to be read.
pub(crate) struct Reader<'s>(&'s [u8]);

impl<'s> Reader<'s> {
    pub(crate) const fn new(bytes: &'s [u8]) -> Self {
        Self(bytes)
    }

    pub(crate) fn take(&mut self, len: usize) -> Option<&'s [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    pub(crate) fn byte(&mut self) -> Option<u8> {
        self.array().map(|[byte]| byte)
    }

    pub(crate) fn number(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn size(&mut self) -> Option<usize> {
        self.number().map(usize::from)
    }

    pub(crate) fn counted(&mut self) -> Option<&'s [u8]> {
        let len = self.size()?;
        self.take(len)
    }

    /// Hands each of the things that were written after their number to `each`.
    pub(crate) fn for_each<T: Stored>(&mut self, mut each: impl FnMut(T) -> Option<()>) -> Option<()> {
        let count = self.size()?;
        (0..count).try_for_each(|_| each(T::read(self)?))
    }

    pub(crate) fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    pub(crate) fn option<T: Stored>(&mut self) -> Option<Option<T>> {
        if self.flag()? { T::read(self).map(Some) } else { Some(None) }
    }

    /// Nothing may be left.
    pub(crate) fn finish(self) -> Option<()> {
        self.0.is_empty().then_some(())
    }
}
