//! Objects one after the other in bytes.

/// Where an iterator over objects is.
#[derive(Clone)]
pub(crate) struct Cursor<'a> {
    rest: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, position: 0 }
    }

    /// Bytes that are left.
    pub(crate) const fn left(&self) -> usize {
        self.rest.len()
    }

    /// The next object, by `decode` of what is left and its position; nothing comes after an error.
    pub(crate) fn next<T, E>(
        &mut self,
        decode: impl FnOnce(&'a [u8], usize) -> Result<(T, &'a [u8]), E>,
    ) -> Option<Result<T, E>> {
        if self.rest.is_empty() {
            return None;
        }
        let bytes = core::mem::take(&mut self.rest);
        Some(decode(bytes, self.position).map(|(object, rest)| {
            self.position += bytes.len() - rest.len();
            self.rest = rest;
            object
        }))
    }
}
