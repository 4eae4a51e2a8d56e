//! TDEA keys in the lanes of a batch.

use core::fmt;

use super::Direction;
use super::engine::Engine;
use super::planes::{KeyPlanes, Planes, Rows};
use crate::key::{KeyLength, TdeaKey};

/// DES, or a chain of them, that a batch runs through: the keys of its lanes and which way.
pub(super) type Stage<'a> = (&'a KeyPlanes, Direction);

/// A TDEA key for each lane, expanded. Wiped on drop.
pub struct LaneKeys {
    parts: [KeyPlanes; 3],
    /// Whether some lane has a third part of its own.
    triple: bool,
}

impl LaneKeys {
    pub(super) const fn new() -> Self {
        Self { parts: [KeyPlanes::new(), KeyPlanes::new(), KeyPlanes::new()], triple: false }
    }

    /// One key for all lanes.
    pub(super) fn shared(engine: Engine, key: &TdeaKey) -> Self {
        let mut keys = Self::new();
        keys.triple = key.length() == KeyLength::Triple;
        for (planes, part) in keys.parts.iter_mut().zip(key.parts()) {
            engine.kernels.splat_key(part, planes);
        }
        keys
    }

    /// Takes the keys of the first lanes. The other lanes, whose results nobody reads, get whatever is left in `rows`.
    pub(super) fn read<'a>(
        &mut self,
        engine: Engine,
        keys: impl Iterator<Item = &'a TdeaKey> + Clone,
        rows: &mut Rows,
        planes: &mut Planes,
    ) {
        self.triple = keys.clone().any(|key| key.length() == KeyLength::Triple);
        let parts = if self.triple { 3 } else { 2 };
        for (index, part) in self.parts.iter_mut().take(parts).enumerate() {
            for (row, key) in rows.0.iter_mut().zip(keys.clone()) {
                *row = *key.part(index);
            }
            engine.kernels.load(rows.lanes(engine), planes);
            engine.kernels.expand_keys(planes, 0, part);
        }
    }

    /// The first part alone.
    pub(super) const fn left(&self) -> &KeyPlanes {
        &self.parts[0]
    }

    /// The second part alone.
    pub(super) const fn right(&self) -> &KeyPlanes {
        &self.parts[1]
    }

    /// The stages of TDEA.
    #[must_use]
    pub const fn tdea(&self, direction: Direction) -> [Stage<'_>; 3] {
        let [first, second, third] = &self.parts;
        let third = if self.triple { third } else { first };
        match direction {
            Direction::Encrypt => [(first, direction), (second, direction.reverse()), (third, direction)],
            Direction::Decrypt => [(third, direction), (second, direction.reverse()), (first, direction)],
        }
    }
}

impl fmt::Debug for LaneKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneKeys").finish_non_exhaustive()
    }
}
