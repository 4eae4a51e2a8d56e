//! Batches in sliced form, for the crates that derive keys in several steps: a value stays bit-sliced from the first step to
//! the last. Raw single DES is among the operations, so this is for standards that build on it and nobody else.
//!
//! A batch has [`Engine::lanes`] lanes; nothing that is read or written may have more. An engine of one back end can't read
//! the planes of another one (it gets other values, and nothing worse).

pub use super::Direction;
use super::engine::Engine;
pub use super::keys::LaneKeys;
pub use super::planes::{KeyPlanes, LaneMask, Planes, StepBuffer};
use crate::hazmat::KeyMask;
use crate::key::TdeaKey;

impl Engine {
    /// Reads a block for each of the first lanes; the others get a zero block.
    ///
    /// # Panics
    /// Panics if there are more blocks than lanes.
    pub fn read_lanes(self, blocks: &[[u8; 8]], planes: &mut Planes) {
        self.load(blocks, planes);
    }

    /// Writes the blocks of the first lanes.
    ///
    /// # Panics
    /// Panics if there are more blocks than lanes.
    pub fn write_lanes(self, planes: &Planes, blocks: &mut [[u8; 8]]) {
        self.store(planes, blocks);
    }

    /// Expands a TDEA key that all lanes share.
    #[must_use]
    pub fn shared_key(self, key: &TdeaKey) -> LaneKeys {
        LaneKeys::shared(self, key)
    }

    /// Expands the values as a DES key for each lane, `variant` XORed onto it first. Parity bits are ignored.
    pub fn des_keys(self, values: &Planes, variant: [u8; 8], keys: &mut KeyPlanes) {
        self.kernels.expand_keys(values, u64::from_le_bytes(variant), keys);
    }

    /// XORs `mask` onto the DES key of each lane.
    pub fn mask_keys(self, keys: &mut KeyPlanes, mask: &KeyMask) {
        self.kernels.invert_key_bits(keys, mask.bits());
    }

    /// Runs every lane through one DES after the other, under its keys: one stage for DES, [`LaneKeys::tdea`] for TDEA.
    pub fn run(self, values: &mut Planes, stages: &[(&KeyPlanes, Direction)]) {
        self.kernels.rounds(values, stages);
    }

    /// One step of a non-reversible key generation in the lanes of `moved`; the others keep their key. With the key `L || R`, DES and
    /// `V` = `C0C0C0C0 00000000`:
    ///
    /// `L, R = E(L XOR V)[register XOR R XOR V] XOR R XOR V, E(L)[register XOR R] XOR R`
    ///
    /// Both halves run side by side.
    ///
    /// # Source
    /// ANS X9.24-1:2009 A.2, "Non-reversible Key Generation Process".
    pub fn non_reversible_step(
        self,
        key: [&mut Planes; 2],
        register: &Planes,
        moved: &LaneMask,
        buffer: &mut StepBuffer,
    ) {
        self.kernels.step(key, register, moved, buffer);
    }

    /// `out = a XOR b` in every lane.
    pub fn set_xor(self, out: &mut Planes, a: &Planes, b: &Planes) {
        self.kernels.set_xor(out, a, b);
    }

    /// `out = value` in every lane.
    pub const fn copy(self, out: &mut Planes, value: &Planes) {
        out.0 = value.0;
    }

    /// XORs one value onto every lane.
    pub fn xor_value(self, values: &mut Planes, value: [u8; 8]) {
        self.kernels.xor_value(values, u64::from_le_bytes(value));
    }

    /// Takes the value of `other` in the lanes of `mask`.
    pub fn select(self, values: &mut Planes, mask: &LaneMask, other: &Planes) {
        self.kernels.select(values, mask, other);
    }

    /// In every lane takes the highest one-bit among the `low_bits` lowest (rightmost) bits out of `from` and sets it in `to`;
    /// `moved` marks the lanes that had one.
    pub fn move_highest_bit(self, from: &mut Planes, to: &mut Planes, low_bits: u32, moved: &mut LaneMask) {
        self.kernels.move_highest_bit(from, to, low_bits, moved);
    }
}
