//! Many child keys: diversification of a cohort.

use super::Direction;
use super::each::UnequalLengths;
use super::engine::Engine;
use super::keys::LaneKeys;
use super::planes::{KeyPlanes, Planes, Rows};
use crate::key::TdeaKey;

impl Engine {
    /// Derives a double-length child key of `parent` from each factor: `3DES(K)[F] || 3DES(K)[NOT F]`.
    ///
    /// Parity bits are kept as they come. Each of `children` is overwritten.
    ///
    /// # Source
    /// The dispersion that PBOC and EMV option A share.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`]; the children are then as they were.
    pub fn diversify(
        self,
        parent: &TdeaKey,
        factors: &[[u8; 8]],
        children: &mut [TdeaKey],
    ) -> Result<(), UnequalLengths> {
        self.descend(parent, factors, 1, children)
    }

    /// Derives keys down a tree of `LEVELS` levels: each path holds the factors from the top down, and every key on the way is the
    /// parent of the next. No key but the last is written anywhere.
    ///
    /// # Errors
    /// Returns [`UnequalLengths`]; the children are then as they were.
    pub fn diversify_paths<const LEVELS: usize>(
        self,
        parent: &TdeaKey,
        paths: &[[[u8; 8]; LEVELS]],
        children: &mut [TdeaKey],
    ) -> Result<(), UnequalLengths> {
        const { assert!(LEVELS > 0, "a path has at least one level") };
        UnequalLengths::check(paths.len(), children.len())?;
        self.descend(parent, paths.as_flattened(), LEVELS, children)
    }

    /// `factors` holds `levels` factors for each child.
    fn descend(
        self,
        parent: &TdeaKey,
        factors: &[[u8; 8]],
        levels: usize,
        children: &mut [TdeaKey],
    ) -> Result<(), UnequalLengths> {
        UnequalLengths::check(factors.len() / levels, children.len())?;
        let paths = factors.chunks(levels * self.lanes()).zip(children.chunks_mut(self.lanes()));
        let mut cohort = None;
        for (factors, children) in paths {
            // Two blocks for each level.
            if !self.always_sliced && 2 * children.len() < self.kernels.break_even.shared {
                for (path, child) in factors.chunks_exact(levels).zip(children) {
                    descend_one(parent, path, child);
                }
                break;
            }
            cohort.get_or_insert_with(|| Cohort::new(self, parent)).run(self, factors, levels, children);
        }
        Ok(())
    }
}

/// The one-block road.
fn descend_one(parent: &TdeaKey, path: &[[u8; 8]], child: &mut TdeaKey) {
    let mut cipher = parent.cipher();
    for (level, factor) in path.iter().enumerate() {
        if level > 0 {
            cipher = child.cipher();
        }
        let halves = child.overwrite_double();
        *halves = [*factor, factor.map(|byte| !byte)];
        cipher.encrypt_two(halves);
    }
}

/// What a batch of children is derived in.
struct Cohort {
    parent: LaneKeys,
    left: Planes,
    right: Planes,
    keys: [KeyPlanes; 2],
    rows: [Rows; 2],
}

impl Cohort {
    fn new(engine: Engine, parent: &TdeaKey) -> Self {
        Self {
            parent: LaneKeys::shared(engine, parent),
            left: Planes::new(),
            right: Planes::new(),
            keys: [KeyPlanes::new(), KeyPlanes::new()],
            rows: [Rows::new(), Rows::new()],
        }
    }

    fn run(&mut self, engine: Engine, factors: &[[u8; 8]], levels: usize, children: &mut [TdeaKey]) {
        let kernels = engine.kernels;
        for level in 0..levels {
            if level > 0 {
                kernels.expand_keys(&self.left, 0, &mut self.keys[0]);
                kernels.expand_keys(&self.right, 0, &mut self.keys[1]);
            }
            self.read(engine, factors, levels, level);
            self.right.0 = self.left.0;
            kernels.xor_value(&mut self.right, !0);
            for half in [&mut self.left, &mut self.right] {
                if level == 0 {
                    kernels.rounds(half, &self.parent.tdea(Direction::Encrypt));
                } else {
                    let [left, right] = &self.keys;
                    let encrypt = (left, Direction::Encrypt);
                    kernels.rounds(half, &[encrypt, (right, Direction::Decrypt), encrypt]);
                }
            }
        }
        let [left, right] = &mut self.rows;
        kernels.store(&self.left, left.lanes(engine));
        kernels.store(&self.right, right.lanes(engine));
        for (child, (left, right)) in children.iter_mut().zip(left.0.iter().zip(&right.0)) {
            *child.overwrite_double() = [*left, *right];
        }
    }

    /// Reads the factors of one level into `left`.
    fn read(&mut self, engine: Engine, factors: &[[u8; 8]], levels: usize, level: usize) {
        if levels == 1 {
            return engine.load(factors, &mut self.left);
        }
        let [rows, _] = &mut self.rows;
        for (row, factor) in rows.0.iter_mut().zip(factors.iter().skip(level).step_by(levels)) {
            *row = *factor;
        }
        engine.load(rows.lanes(engine), &mut self.left);
    }
}
