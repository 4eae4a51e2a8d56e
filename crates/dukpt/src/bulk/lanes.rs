//! The sliced road: an item in each lane of a batch, from its key serial number to the last result.

use core::iter::repeat_n;

use tdea::bulk::Engine;
use tdea::bulk::sliced::{Direction, KeyPlanes, LaneMask, Planes, StepBuffer};
use tdea::hazmat::KeyMask;
use tdea::{KeyLength, TdeaKey};
use zeroize::optimization_barrier;

use super::Halves;
use super::items::{Goal, Items, Parents};
use crate::counter::Counter;
use crate::derive::HALF_MASK;
use crate::working_keys::Recipe;

/// Lanes of the widest engine.
const MOST_LANES: usize = 512;

/// The counter in the rightmost 64 bits of a key serial number.
const COUNTER: u64 = (1 << Counter::BITS) - 1;

/// A key of two halves in each lane.
type Key = [Planes; 2];

/// What batches are derived in. All of it is wiped on drop.
pub(super) struct Lanes<'a> {
    key: Key,
    tools: Tools<'a>,
}

struct Tools<'a> {
    engine: Engine,
    base: BaseKeys<'a>,
    /// The rightmost 64 bits of the key serial numbers, with the counter bits gathered so far.
    register: Planes,
    /// The counter bits that are left.
    counter: Planes,
    keys: [KeyPlanes; 2],
    step: StepBuffer,
    rows: Rows,
}

/// The items of a batch.
pub(super) struct Batch<'a, 'b> {
    pub(super) items: Items<'a>,
    pub(super) goal: Goal<'b>,
    /// The positions of the items.
    pub(super) positions: &'b [u16],
    /// The most that one of them takes.
    pub(super) steps: u8,
}

impl Batch<'_, '_> {
    fn positions(&self) -> impl Iterator<Item = usize> + Clone {
        self.positions.iter().map(|position| usize::from(*position))
    }
}

impl<'a> Lanes<'a> {
    pub(super) const fn new(engine: Engine) -> Self {
        let tools = Tools {
            engine,
            base: BaseKeys::new(),
            register: Planes::new(),
            counter: Planes::new(),
            keys: [const { KeyPlanes::new() }; 2],
            step: StepBuffer::new(),
            rows: Rows([[0; 8]; MOST_LANES]),
        };
        Self { key: [const { Planes::new() }; 2], tools }
    }

    /// Derives what the batch asks for, to `out` by position.
    pub(super) fn derive(&mut self, batch: &Batch<'a, '_>, out: &mut [Halves]) {
        let Self { key, tools } = self;
        tools.initial_keys(batch, key);
        tools.transaction_keys(batch, key);
        match batch.goal {
            Goal::InitialKey | Goal::TransactionKey => tools.write(batch, key, out),
            Goal::WorkingKey(recipe) => {
                tools.working_keys(recipe, key);
                tools.write(batch, key, out);
            }
            Goal::PinBlocks(blocks) => {
                tools.working_keys(Recipe::PIN, key);
                let blocks = batch.positions().filter_map(|position| blocks.get(position));
                let clear = tools.decrypt(blocks.map(|block| block.to_bytes()), key);
                tools.write(batch, core::slice::from_ref(clear), out);
            }
        }
    }
}

impl<'a> Tools<'a> {
    fn initial_keys(&mut self, batch: &Batch<'a, '_>, [left, right]: &mut Key) {
        let engine = self.engine;
        let parents = batch.items.parents;
        if let Parents::InitialKey(_) | Parents::InitialKeys(_) = parents {
            let keys = batch.positions().filter_map(|position| parents.initial_key(position));
            self.rows.read(engine, keys.clone().map(|key| part(key.expose_key(), 0)), left);
            self.rows.read(engine, keys.map(|key| part(key.expose_key(), 1)), right);
            return;
        }
        self.base.load(engine, batch, &mut self.rows, left);
        // Counter bits cleared.
        let names = batch.positions().map(|position| (batch.items.ksn(position).id() << 5).to_be_bytes());
        self.rows.read(engine, names, left);
        engine.copy(right, left);
        engine.run(left, &self.base.encryption());
        self.base.mask(engine, &HALF_MASK);
        engine.run(right, &self.base.encryption());
        self.base.mask(engine, &HALF_MASK);
    }

    /// Steps from initial keys to transaction keys.
    fn transaction_keys(&mut self, batch: &Batch<'_, '_>, [left, right]: &mut Key) {
        if batch.steps == 0 {
            return;
        }
        let engine = self.engine;
        let ksns = batch.positions().map(|position| batch.items.ksn(position));
        // From the top: each step takes the number with only the bits gathered so far.
        let numbers = ksns.map(|ksn| u64::from_be_bytes(ksn.rightmost_64_bits()));
        let registers = numbers.clone().map(|number| (number & !COUNTER).to_be_bytes());
        self.rows.read(engine, registers, &mut self.register);
        let counters = numbers.map(|number| (number & COUNTER).to_be_bytes());
        self.rows.read(engine, counters, &mut self.counter);

        let mut moved = LaneMask::new();
        for _ in 0..batch.steps {
            engine.move_highest_bit(&mut self.counter, &mut self.register, Counter::BITS, &mut moved);
            engine.non_reversible_step([left, right], &self.register, &moved, &mut self.step);
        }
    }

    fn working_keys(&mut self, recipe: Recipe, key: &mut Key) {
        for half in key.iter_mut() {
            self.engine.xor_value(half, recipe.variant);
        }
        if recipe.one_way {
            self.expand(key);
            let [first, second] = &self.keys;
            for half in key {
                let encrypt = (first, Direction::Encrypt);
                self.engine.run(half, &[encrypt, (second, Direction::Decrypt), encrypt]);
            }
        }
    }

    /// Decrypts a block under each key, in the place of its left half.
    fn decrypt<'p>(&mut self, blocks: impl Iterator<Item = [u8; 8]>, key: &'p mut Key) -> &'p Planes {
        self.expand(key);
        let ([first, second], [block, _]) = (&self.keys, key);
        self.rows.read(self.engine, blocks, block);
        let decrypt = (first, Direction::Decrypt);
        self.engine.run(block, &[decrypt, (second, Direction::Encrypt), decrypt]);
        block
    }

    fn expand(&mut self, key: &Key) {
        for (half, des_key) in key.iter().zip(&mut self.keys) {
            self.engine.des_keys(half, [0; 8], des_key);
        }
    }

    /// Writes the halves of keys, or blocks in the place of the first.
    fn write(&mut self, batch: &Batch<'_, '_>, halves: &[Planes], out: &mut [Halves]) {
        for (half, planes) in halves.iter().enumerate() {
            let rows = self.rows.lanes(self.engine);
            self.engine.write_lanes(planes, rows);
            for (position, row) in batch.positions().zip(rows) {
                let out = out.get_mut(position).expect("a position in the window");
                *out.get_mut(half).expect("a key has two halves") = *row;
            }
        }
    }
}

/// A base derivation key in each lane, expanded.
struct BaseKeys<'a> {
    parts: [KeyPlanes; 3],
    /// Whether some lane has a third part of its own.
    triple: bool,
    /// The key that all lanes have, if it is one.
    shared: Option<&'a TdeaKey>,
}

impl<'a> BaseKeys<'a> {
    const fn new() -> Self {
        Self { parts: [const { KeyPlanes::new() }; 3], triple: false, shared: None }
    }

    /// Takes the keys of a batch, if they aren't there already.
    fn load(&mut self, engine: Engine, batch: &Batch<'a, '_>, rows: &mut Rows, scratch: &mut Planes) {
        let parents = batch.items.parents;
        let keys = batch.positions().filter_map(|position| parents.bdk(position));
        let first = keys.clone().next();
        let shared = first.filter(|first| {
            matches!(parents, Parents::Bdk(_)) || keys.clone().all(|key| core::ptr::eq(key, *first))
        });
        if let (Some(new), Some(old)) = (shared, self.shared)
            && core::ptr::eq(new, old)
        {
            return;
        }
        self.shared = shared;
        self.triple = keys.clone().any(|key| key.length() == KeyLength::Triple);
        for (index, planes) in self.parts.iter_mut().enumerate() {
            match shared {
                // For the other lanes too: the next batch may be a longer one.
                Some(key) => rows.read(engine, repeat_n(part(key, index), engine.lanes()), scratch),
                None => rows.read(engine, keys.clone().map(|key| part(key, index)), scratch),
            }
            engine.des_keys(scratch, [0; 8], planes);
        }
    }

    fn mask(&mut self, engine: Engine, mask: &KeyMask) {
        for planes in &mut self.parts {
            engine.mask_keys(planes, mask);
        }
    }

    fn encryption(&self) -> [(&KeyPlanes, Direction); 3] {
        let [first, second, third] = &self.parts;
        let third = if self.triple { third } else { first };
        [(first, Direction::Encrypt), (second, Direction::Decrypt), (third, Direction::Encrypt)]
    }
}

/// A part of a key; the first of a double-length key is its third as well.
fn part(key: &TdeaKey, index: usize) -> [u8; 8] {
    let (parts, _) = key.expose_bytes().as_chunks();
    *parts.iter().cycle().nth(index).expect("a key has parts")
}

/// A block of each lane.
struct Rows([[u8; 8]; MOST_LANES]);

impl Rows {
    fn lanes(&mut self, engine: Engine) -> &mut [[u8; 8]] {
        self.0.get_mut(..engine.lanes()).expect("an engine has at most 512 lanes")
    }

    /// Reads blocks into the first lanes. The others, whose results nobody reads, get what was left.
    fn read(&mut self, engine: Engine, blocks: impl Iterator<Item = [u8; 8]>, planes: &mut Planes) {
        let rows = self.lanes(engine);
        for (row, block) in rows.iter_mut().zip(blocks) {
            *row = block;
        }
        engine.read_lanes(rows, planes);
    }
}

impl Drop for Rows {
    fn drop(&mut self) {
        self.0.fill([0; 8]);
        optimization_barrier(&self.0);
    }
}
