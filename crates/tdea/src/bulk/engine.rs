//! The engine: the kernels of the back end in use.

use core::fmt;

use super::keys::Stage;
use super::planes::{KeyPlanes, LaneMask, Planes, StepBuffer};
use super::portable;
#[cfg(target_arch = "x86_64")]
use super::{avx2, avx512};
use crate::Backend;

/// The entry points of a back end. The functions may be called only where the processor has its instructions.
#[allow(missing_debug_implementations, reason = "function pointers")]
pub(super) struct Kernels {
    pub(super) backend: Backend,
    /// Lanes of a batch.
    pub(super) lanes: usize,
    pub(super) break_even: BreakEven,
    pub(super) load: unsafe fn(&[[u8; 8]], &mut Planes),
    pub(super) store: unsafe fn(&Planes, &mut [[u8; 8]]),
    pub(super) expand_keys: unsafe fn(&Planes, u64, &mut KeyPlanes),
    pub(super) invert_key_bits: unsafe fn(&mut KeyPlanes, &[u8]),
    pub(super) splat_key: unsafe fn(u64, &mut KeyPlanes),
    pub(super) rounds: unsafe fn(&mut Planes, &[Stage<'_>]),
    pub(super) step: unsafe fn(&mut Planes, &mut Planes, &Planes, &LaneMask, &mut StepBuffer),
    pub(super) set_xor: unsafe fn(&mut Planes, &Planes, &Planes),
    pub(super) xor_value: unsafe fn(&mut Planes, u64),
    pub(super) select: unsafe fn(&mut Planes, &LaneMask, &Planes),
    pub(super) move_highest_bit: unsafe fn(&mut Planes, &mut Planes, u32, &mut LaneMask),
}

/// Smallest numbers of items that the sliced road takes less time for than the one-block tier on the same back end. A pass takes the same
/// time however many lanes are used. Measured on Zen 5 by `cargo bench -p benches --bench bulk -- break-even`.
#[derive(Clone, Copy, Debug)]
pub(super) struct BreakEven {
    /// Blocks under one key.
    pub(super) shared: usize,
    /// Blocks with a key each.
    pub(super) each: usize,
    /// Chains that go on by a block each, their keys ready.
    pub(super) chains: usize,
}

/// The bulk engine on one back end: many blocks, keys or messages at once, bit-sliced.
///
/// An engine exists only where the processor has the instructions. It holds no key and no data; copy it freely, and split
/// work between threads by splitting the slices.
#[derive(Clone, Copy)]
pub struct Engine {
    pub(super) kernels: &'static Kernels,
    /// Whether small batches take the sliced road too.
    pub(super) always_sliced: bool,
}

impl Engine {
    /// The engine on the back end in use: the widest one that this processor has, unless another was forced.
    #[must_use]
    pub fn new() -> Self {
        Self { kernels: Self::kernels(Backend::active()), always_sliced: false }
    }

    /// The engine on `backend`, if this processor has it.
    #[must_use]
    pub fn on(backend: Backend) -> Option<Self> {
        backend.is_available().then(|| Self { kernels: Self::kernels(backend), always_sliced: false })
    }

    /// The kernels of a back end that is available.
    const fn kernels(backend: Backend) -> &'static Kernels {
        match backend {
            #[cfg(target_arch = "x86_64")]
            Backend::Avx2 => &avx2::KERNELS,
            #[cfg(target_arch = "x86_64")]
            Backend::Avx512 => &avx512::KERNELS,
            _ => &portable::KERNELS,
        }
    }

    /// The engine on every back end that this processor has, the narrowest first.
    pub fn available() -> impl Iterator<Item = Self> {
        Backend::ALL.into_iter().filter_map(Self::on)
    }

    /// The back end.
    #[must_use]
    pub const fn backend(self) -> Backend {
        self.kernels.backend
    }

    /// How many lanes a batch has: at most 512.
    #[must_use]
    pub const fn lanes(self) -> usize {
        self.kernels.lanes
    }

    /// The same engine, which takes the sliced road for batches of any size: for tests, and to measure the break-even.
    #[doc(hidden)]
    #[must_use]
    pub const fn always_sliced(self) -> Self {
        Self { always_sliced: true, ..self }
    }
}

impl Default for Engine {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Engine").field(&self.backend()).finish()
    }
}

/// The kernels as safe functions.
// SAFETY, for all of them: `Engine` hands out the table of a back end only if it is available, and nothing else reaches the tables.
#[allow(unsafe_code, reason = "the vector back ends are entered here and nowhere else")]
impl Kernels {
    /// Reads one block of each lane.
    pub(super) fn load(&self, blocks: &[[u8; 8]], planes: &mut Planes) {
        assert_eq!(blocks.len(), self.lanes, "a whole batch is read");
        // SAFETY: the processor was asked, see above.
        unsafe { (self.load)(blocks, planes) }
    }

    /// Writes one block of each lane.
    pub(super) fn store(&self, planes: &Planes, blocks: &mut [[u8; 8]]) {
        assert_eq!(blocks.len(), self.lanes, "a whole batch is written");
        // SAFETY: the processor was asked, see above.
        unsafe { (self.store)(planes, blocks) }
    }

    /// Makes DES keys of the values, each XORed with `mask` (a block as a little-endian number).
    pub(super) fn expand_keys(&self, planes: &Planes, mask: u64, key: &mut KeyPlanes) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.expand_keys)(planes, mask, key) }
    }

    /// Inverts bits of the registers C and D, as [`KeyBits`](super::order::KeyBits) has them, in every lane.
    pub(super) fn invert_key_bits(&self, key: &mut KeyPlanes, bits: &[u8]) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.invert_key_bits)(key, bits) }
    }

    /// Makes one DES key that of every lane.
    pub(super) fn splat_key(&self, key: &[u8; 8], registers: &mut KeyPlanes) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.splat_key)(u64::from_le_bytes(*key), registers) }
    }

    /// Runs all lanes through one DES after the other, each lane under its keys.
    pub(super) fn rounds(&self, planes: &mut Planes, stages: &[Stage<'_>]) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.rounds)(planes, stages) }
    }

    /// In the lanes of `moved`, one step of a non-reversible key generation.
    pub(super) fn step(
        &self,
        [left, right]: [&mut Planes; 2],
        register: &Planes,
        moved: &LaneMask,
        buffer: &mut StepBuffer,
    ) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.step)(left, right, register, moved, buffer) }
    }

    /// `out = a ^ b`
    pub(super) fn set_xor(&self, out: &mut Planes, a: &Planes, b: &Planes) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.set_xor)(out, a, b) }
    }

    /// XORs a block, as a little-endian number, onto every lane.
    pub(super) fn xor_value(&self, planes: &mut Planes, value: u64) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.xor_value)(planes, value) }
    }

    /// Takes the value of `other` in the lanes of `mask`.
    pub(super) fn select(&self, planes: &mut Planes, mask: &LaneMask, other: &Planes) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.select)(planes, mask, other) }
    }

    /// In each lane moves the highest one among the `low_bits` lowest bits of the block from `from` to `to`; `moved` are the
    /// lanes that had one.
    pub(super) fn move_highest_bit(
        &self,
        from: &mut Planes,
        to: &mut Planes,
        low_bits: u32,
        moved: &mut LaneMask,
    ) {
        // SAFETY: the processor was asked, see above.
        unsafe { (self.move_highest_bit)(from, to, low_bits, moved) }
    }
}

impl Engine {
    /// The first `len` lanes.
    pub(super) fn first_lanes(self, len: usize) -> LaneMask {
        let mut mask = LaneMask::new();
        let words = self.lanes() / 64;
        // Lane `i` sits in bit `i / words` of word `i % words`.
        for (index, word) in mask.0.iter_mut().take(words).enumerate() {
            let set = (len.saturating_sub(index)).div_ceil(words).min(64);
            *word = if set == 64 { !0 } else { (1 << set) - 1 };
        }
        mask
    }
}
