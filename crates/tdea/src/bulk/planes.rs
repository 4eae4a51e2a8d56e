//! Buffers of bit planes.

use core::fmt;

use zeroize::{ZeroizeOnDrop, optimization_barrier};

use super::engine::Engine;
use super::step::STEP_WORDS;

/// Lanes of the widest back end.
pub(super) const MOST_LANES: usize = 512;

/// One 64-bit value for each lane, as 64 bit planes. Wiped on drop.
#[repr(C, align(64))]
pub struct Planes(pub(super) [u64; MOST_LANES]);

impl Planes {
    /// All values zero.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; MOST_LANES])
    }
}

impl Default for Planes {
    fn default() -> Self {
        Self::new()
    }
}

/// One DES key for each lane, ready for the rounds. Wiped on drop.
#[repr(C, align(64))]
pub struct KeyPlanes(pub(super) [u64; 112 * 8]);

impl KeyPlanes {
    /// Zero keys.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 112 * 8])
    }
}

impl Default for KeyPlanes {
    fn default() -> Self {
        Self::new()
    }
}

/// One bit for each lane: which of them a step applies to.
#[repr(C, align(64))]
pub struct LaneMask(pub(super) [u64; 8]);

impl LaneMask {
    /// No lane.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; 8])
    }
}

impl Default for LaneMask {
    fn default() -> Self {
        Self::new()
    }
}

/// What the steps of a non-reversible key generation work in; it keeps nothing from one to the next. Wiped on drop.
#[repr(C, align(64))]
pub struct StepBuffer(pub(super) [u64; STEP_WORDS * 8]);

impl StepBuffer {
    /// An empty buffer.
    #[must_use]
    pub const fn new() -> Self {
        Self([0; STEP_WORDS * 8])
    }
}

impl Default for StepBuffer {
    fn default() -> Self {
        Self::new()
    }
}

/// One block of each lane, as the caller has them. Wiped on drop.
pub(super) struct Rows(pub(super) [[u8; 8]; MOST_LANES]);

impl Rows {
    pub(super) const fn new() -> Self {
        Self([[0; 8]; MOST_LANES])
    }

    /// As many rows as the engine has lanes.
    pub(super) fn lanes(&mut self, engine: Engine) -> &mut [[u8; 8]] {
        self.0.get_mut(..engine.lanes()).expect("an engine has at most 512 lanes")
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites with zeros, in stores as wide as the compiler likes.
pub(super) fn wipe<T: Copy + Default, const N: usize>(words: &mut [T; N]) {
    words.fill(T::default());
    // The buffer counts as read, so the stores above can't be dropped.
    optimization_barrier(words);
}

macro_rules! secret_buffers {
    ($($name:ident),*) => {$(
        impl Drop for $name {
            fn drop(&mut self) {
                wipe(&mut self.0);
            }
        }

        impl ZeroizeOnDrop for $name {}

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_struct(stringify!($name)).finish_non_exhaustive()
            }
        }
    )*};
}
secret_buffers!(Planes, KeyPlanes, LaneMask, StepBuffer);
