//! DUKPT from the base derivation key and the serial number to the transaction key, many at a time and one by one.

use benches::KEY;
use cipher::{BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use tdea::TdeaKey;
use tdea::bulk::Engine;
use tdea::bulk::sliced::{Direction, LaneKeys, LaneMask, Planes, StepBuffer};

const MASK: u64 = 0xC0C0_C0C0_0000_0000;

fn step(left: u64, right: u64, register: u64) -> u64 {
    let mut block = (register ^ right).to_be_bytes();
    Des::new(&left.to_be_bytes().into()).encrypt_block((&mut block).into());
    u64::from_be_bytes(block) ^ right
}

/// The crate `des` under both variants of the base key.
pub(crate) struct OneByOne([TdesEde2; 2]);

impl OneByOne {
    pub(crate) fn new(bdk: &TdeaKey) -> Self {
        Self([bdk, &bdk.variant(&VARIANT)].map(|key| TdesEde2::new_from_slice(key.expose_bytes()).unwrap()))
    }

    pub(crate) fn transaction_key(&self, terminal: [u8; 8], counter: u32) -> [[u8; 8]; 2] {
        let [mut left, mut right] = [0, 1].map(|half: usize| {
            let mut block = terminal;
            self.0[half].encrypt_block((&mut block).into());
            u64::from_be_bytes(block)
        });
        let mut register = u64::from_be_bytes(terminal) << 16;
        for bit in (0..21).rev().filter(|bit| counter >> bit & 1 == 1) {
            register |= 1 << bit;
            let new_right = step(left, right, register);
            left = step(left ^ MASK, right ^ MASK, register);
            right = new_right;
        }
        [left, right].map(u64::to_be_bytes)
    }
}

/// Terminals of one base key, a few transactions of each.
pub(crate) struct Inputs {
    pub(crate) bdk: TdeaKey,
    pub(crate) terminals: Vec<[u8; 8]>,
    pub(crate) counters: Vec<u32>,
}

impl Inputs {
    pub(crate) fn new(len: usize) -> Self {
        let terminal = |index: u64| (0xFFFF_9876_5432_0000 | (index / 7) << 5).to_be_bytes();
        // All counters of at most ten one-bits, as they come in a walk over all there are.
        let counters = (1_u32..).map(|index| index.wrapping_mul(1_234_567) & 0x1F_FFFF);
        let valid = counters.filter(|counter| (1..=10).contains(&counter.count_ones()));
        Self {
            bdk: TdeaKey::from(KEY),
            terminals: (0..len as u64).map(terminal).collect(),
            counters: valid.take(len).collect(),
        }
    }
}

/// The same in sliced form. Batches are made of counters with like numbers of one-bits, which are public: a batch takes as many steps
/// as its longest lane.
pub(crate) struct Sliced {
    engine: Engine,
    planes: Box<[Planes; 4]>,
    buffer: Box<StepBuffer>,
    rows: Vec<[u8; 8]>,
}

/// Serial numbers that are put in order at a time.
const WINDOW: usize = 2048;
const VARIANT: [u8; 8] = [0xC0, 0xC0, 0xC0, 0xC0, 0, 0, 0, 0];

impl Sliced {
    pub(crate) fn new(engine: Engine) -> Self {
        Self {
            engine,
            planes: Box::new([(); 4].map(|()| Planes::new())),
            buffer: Box::new(StepBuffer::new()),
            rows: vec![[0; 8]; engine.lanes()],
        }
    }

    pub(crate) fn run(
        &mut self,
        bdk: &TdeaKey,
        terminals: &[[u8; 8]],
        counters: &[u32],
        out: &mut [[[u8; 8]; 2]],
    ) {
        let shared = [bdk, &bdk.variant(&VARIANT)].map(|key| self.engine.shared_key(key));
        for first in (0..counters.len()).step_by(WINDOW) {
            let window = first..counters.len().min(first + WINDOW);
            let order = by_ones(&counters[window.clone()]);
            let (terminals, counters, out) =
                (&terminals[window.clone()], &counters[window.clone()], &mut out[window.clone()]);
            for lanes in order[..window.len()].chunks(self.engine.lanes()) {
                self.batch(&shared, terminals, counters, lanes, out);
            }
        }
    }

    fn batch(
        &mut self,
        shared: &[LaneKeys; 2],
        terminals: &[[u8; 8]],
        counters: &[u32],
        lanes: &[u16],
        out: &mut [[[u8; 8]; 2]],
    ) {
        let engine = self.engine;
        let [left, right, register, counter] = &mut *self.planes;
        let mut moved = LaneMask::new();
        for (row, lane) in self.rows.iter_mut().zip(lanes) {
            *row = terminals[usize::from(*lane)];
        }
        engine.read_lanes(&self.rows, left);
        for row in &mut self.rows {
            *row = (u64::from_be_bytes(*row) << 16).to_be_bytes();
        }
        engine.read_lanes(&self.rows, register);
        for (row, lane) in self.rows.iter_mut().zip(lanes) {
            *row = u64::from(counters[usize::from(*lane)]).to_be_bytes();
        }
        engine.read_lanes(&self.rows, counter);
        engine.copy(right, left);
        engine.run(left, &shared[0].tdea(Direction::Encrypt));
        engine.run(right, &shared[1].tdea(Direction::Encrypt));
        let steps = lanes.last().map_or(0, |lane| counters[usize::from(*lane)].count_ones());
        for _ in 0..steps {
            engine.move_highest_bit(counter, register, 21, &mut moved);
            engine.non_reversible_step([left, right], register, &moved, &mut self.buffer);
        }
        for (half, planes) in [left, right].into_iter().enumerate() {
            engine.write_lanes(planes, &mut self.rows);
            for (row, lane) in self.rows.iter().zip(lanes) {
                out[usize::from(*lane)][half] = *row;
            }
        }
    }
}

/// The positions of a window of counters, those with few one-bits first.
fn by_ones(counters: &[u32]) -> [u16; WINDOW] {
    let mut ends = [0_usize; 23];
    for counter in counters {
        ends[counter.count_ones() as usize + 1] += 1;
    }
    for ones in 1..ends.len() {
        ends[ones] += ends[ones - 1];
    }
    let mut order = [0; WINDOW];
    for (position, counter) in (0_u16..).zip(counters) {
        let next = &mut ends[counter.count_ones() as usize];
        order[*next] = position;
        *next += 1;
    }
    order
}
