//! Many message authentication codes side by side.
//!
//! Messages are put in order of their lengths, which are public; those of like length share a batch. Where a batch has so few chains left
//! that a pass takes longer than their blocks one by one, they go the one-block road to their ends.

use core::cmp::Reverse;

use super::Direction;
use super::each::UnequalLengths;
use super::engine::Engine;
use super::keys::LaneKeys;
use super::message::{PaddedMessage, offset};
use super::planes::{Planes, Rows};
use crate::key::{KeyLength, TdeaKey};
use crate::mac::{CbcMac, Mac, MacError, MacPadding, RetailMac};
use crate::padding::Padding;

/// Messages that are put in order of their length at a time.
const WINDOW: usize = 2048;
/// What a message takes beside its blocks, about, in blocks: key set-up and the end of the retail MAC. The same for a pass.
const AROUND: usize = 3;

/// The keys of many messages.
#[derive(Clone, Copy, Debug)]
pub enum MacKeys<'a> {
    /// One key for all of them.
    One(&'a TdeaKey),
    /// A key for each, in the order of the messages.
    Each(&'a [TdeaKey]),
}

/// Codes that can't be computed. No code is then.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum MacsError {
    /// The keys are not as many as the messages.
    #[error("keys and messages: {0}")]
    Lengths(#[from] UnequalLengths),
    /// One message, or its key, is at fault.
    #[error("message {position}")]
    Message {
        /** Position of the first such message, from 0. */
        position: usize,
        /** What is wrong with it. */
        source: MacError,
    },
}

/// Which algorithm of ISO 9797-1.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Algorithm {
    /// Algorithm 1.
    Cbc,
    /// Algorithm 3.
    Retail,
}

impl Engine {
    /// The retail MAC of each message, as [`RetailMac::compute`] has it. `take` gets the position of each message and its code, in
    /// order. Messages may be of different lengths: those of like length, not too far apart, are worked on together, and what is left of
    /// a few long ones goes block by block.
    ///
    /// # Source
    /// ISO/IEC 9797-1, MAC algorithm 3; ANS X9.19.
    ///
    /// # Errors
    /// Returns [`MacsError`]; nothing is taken then.
    pub fn retail_macs(
        self,
        keys: MacKeys<'_>,
        padding: Padding,
        messages: &[&[u8]],
        take: impl FnMut(usize, Mac),
    ) -> Result<(), MacsError> {
        self.macs(Algorithm::Retail, keys, padding, messages, take)
    }

    /// The CBC-MAC of each message, as [`CbcMac::compute`] has it; otherwise as [`retail_macs`](Self::retail_macs).
    ///
    /// # Source
    /// ISO/IEC 9797-1, MAC algorithm 1.
    ///
    /// # Errors
    /// Returns [`MacsError`]; nothing is taken then.
    pub fn cbc_macs(
        self,
        keys: MacKeys<'_>,
        padding: Padding,
        messages: &[&[u8]],
        take: impl FnMut(usize, Mac),
    ) -> Result<(), MacsError> {
        self.macs(Algorithm::Cbc, keys, padding, messages, take)
    }

    fn macs(
        self,
        algorithm: Algorithm,
        keys: MacKeys<'_>,
        padding: Padding,
        messages: &[&[u8]],
        mut take: impl FnMut(usize, Mac),
    ) -> Result<(), MacsError> {
        check(algorithm, keys, padding, messages)?;
        let mut chains = None;
        let mut codes = [[0; 8]; WINDOW];
        for (index, messages) in messages.chunks(WINDOW).enumerate() {
            let first = index * WINDOW;
            let keys = keys.window(first, messages.len());
            let window = Window { engine: self, algorithm, keys, padding, messages };
            window.codes(&mut chains, &mut codes);
            for (position, code) in codes.iter().take(messages.len()).enumerate() {
                take(first + position, Mac::new(*code));
            }
        }
        Ok(())
    }
}

impl<'a> MacKeys<'a> {
    fn window(self, first: usize, len: usize) -> Self {
        match self {
            Self::One(key) => Self::One(key),
            Self::Each(keys) => Self::Each(keys.get(first..first + len).expect("as many keys as messages")),
        }
    }

    fn key(self, position: usize) -> &'a TdeaKey {
        match self {
            Self::One(key) => key,
            Self::Each(keys) => keys.get(position).expect("as many keys as messages"),
        }
    }
}

fn check(
    algorithm: Algorithm,
    keys: MacKeys<'_>,
    padding: Padding,
    messages: &[&[u8]],
) -> Result<(), MacsError> {
    if let MacKeys::Each(keys) = keys {
        UnequalLengths::check(keys.len(), messages.len())?;
    }
    for (position, message) in messages.iter().enumerate() {
        if algorithm == Algorithm::Retail && keys.key(position).length() == KeyLength::Triple {
            return Err(MacsError::Message { position, source: MacError::TripleLengthKey });
        }
        MacPadding::for_message(padding, message)
            .map_err(|source| MacsError::Message { position, source })?;
    }
    Ok(())
}

/// Messages that are put in order of their length together.
#[derive(Clone, Copy)]
struct Window<'a> {
    engine: Engine,
    algorithm: Algorithm,
    keys: MacKeys<'a>,
    padding: Padding,
    messages: &'a [&'a [u8]],
}

/// A message in its lane.
#[derive(Clone, Copy)]
struct Lane {
    /// Position in the window.
    position: usize,
    /// Its length in blocks, padding included.
    blocks: usize,
}

impl Window<'_> {
    /// The codes of all messages.
    fn codes(self, chains: &mut Option<Chains>, codes: &mut [[u8; 8]; WINDOW]) {
        let mut order = [Lane { position: 0, blocks: 0 }; WINDOW];
        let (order, _) = order.split_at_mut(self.messages.len());
        for (position, lane) in order.iter_mut().enumerate() {
            *lane = Lane { position, blocks: self.message(position).blocks() };
        }
        // Messages of one length, the usual case, are in order already.
        order.sort_unstable_by_key(|lane| (Reverse(lane.blocks), lane.position));
        let mut put = |lane: &Lane, code| {
            *codes.get_mut(lane.position).expect("a position in the window") = code;
        };
        for lanes in order.chunks(self.engine.lanes()) {
            if self.is_faster_alone(lanes, 0) {
                lanes.iter().for_each(|lane| put(lane, self.alone(*lane, 0, [0; 8])));
            } else {
                let chains = chains.get_or_insert_with(|| Chains::new(self));
                lanes.iter().zip(chains.batch(self, lanes)).for_each(|(lane, code)| put(lane, *code));
            }
        }
    }

    /// Whether these lanes, the longest first, take less time one by one than in passes, from block `start` on.
    fn is_faster_alone(self, lanes: &[Lane], start: usize) -> bool {
        let chains = self.engine.kernels.break_even.chains;
        // Most batches are done with here: this is asked before every pass.
        if self.engine.always_sliced || lanes.len() >= chains {
            return false;
        }
        let passes = lanes.first().map_or(0, |longest| longest.blocks - start);
        let blocks: usize = lanes.iter().map(|lane| AROUND + lane.blocks - start).sum();
        // A batch that has begun needs its end in any case.
        let passes = if start == 0 { AROUND + passes } else { passes };
        blocks < chains * passes
    }

    /// The code of one message whose first `start` blocks are chained up in `state`.
    fn alone(self, lane: Lane, start: usize, state: [u8; 8]) -> [u8; 8] {
        let key = self.keys.key(lane.position);
        let (padding, rest) = self.message(lane.position).rest(start);
        let code = match self.algorithm {
            Algorithm::Cbc => {
                let mut mac = CbcMac::with_iv(key, padding, state);
                mac.update(rest);
                mac.finalize()
            }
            Algorithm::Retail => RetailMac::with_iv(key, padding, state).and_then(|mut mac| {
                mac.update(rest);
                mac.finalize()
            }),
        };
        *code.expect("keys and messages were checked").as_bytes()
    }

    fn message(&self, position: usize) -> PaddedMessage<'_> {
        let bytes = self.messages.get(position).expect("a position in the window");
        PaddedMessage { padding: self.padding, bytes }
    }
}

/// One chain in each lane.
struct Chains {
    keys: LaneKeys,
    state: Planes,
    data: Planes,
    next: Planes,
    rows: Rows,
    /// Chaining values of messages that are longer than the others.
    long: Rows,
}

impl Chains {
    fn new(Window { engine, keys, .. }: Window<'_>) -> Self {
        let keys = match keys {
            MacKeys::One(key) => LaneKeys::shared(engine, key),
            MacKeys::Each(_) => LaneKeys::new(),
        };
        let [state, data, next] = [(); 3].map(|()| Planes::new());
        Self { keys, state, data, next, rows: Rows::new(), long: Rows::new() }
    }

    /// The codes of one batch, its longest message first.
    fn batch(&mut self, window: Window<'_>, lanes: &[Lane]) -> &[[u8; 8]] {
        let engine = window.engine;
        if let MacKeys::Each(_) = window.keys {
            let keys = lanes.iter().map(|lane| window.keys.key(lane.position));
            self.keys.read(engine, keys, &mut self.rows, &mut self.data);
        }
        self.state.0.fill(0);
        let (mut block, mut active) = (0, lanes);
        while !active.is_empty() && !window.is_faster_alone(active, block) {
            self.chain(window, lanes, active, block);
            block += 1;
            active = active.split_at(active.partition_point(|lane| lane.blocks > block)).0;
        }
        if !active.is_empty() {
            engine.kernels.store(&self.state, self.long.lanes(engine));
        }
        if window.algorithm == Algorithm::Retail {
            let end = [(self.keys.right(), Direction::Decrypt), (self.keys.left(), Direction::Encrypt)];
            engine.kernels.rounds(&mut self.state, &end);
        }
        engine.kernels.store(&self.state, self.rows.lanes(engine));
        for (lane, (code, state)) in active.iter().zip(self.rows.0.iter_mut().zip(&self.long.0)) {
            *code = window.alone(*lane, block, *state);
        }
        &self.rows.0
    }

    /// Chains one more block onto the active lanes, which come first.
    fn chain(&mut self, window: Window<'_>, lanes: &[Lane], active: &[Lane], block: usize) {
        let engine = window.engine;
        let kernels = engine.kernels;
        let offset = offset(window.padding, block);
        for (row, lane) in self.rows.0.iter_mut().zip(active) {
            *row = window.message(lane.position).block(offset);
        }
        kernels.load(self.rows.lanes(engine), &mut self.data);
        kernels.set_xor(&mut self.next, &self.state, &self.data);
        match window.algorithm {
            Algorithm::Cbc => kernels.rounds(&mut self.next, &self.keys.tdea(Direction::Encrypt)),
            Algorithm::Retail => kernels.rounds(&mut self.next, &[(self.keys.left(), Direction::Encrypt)]),
        }
        if active.len() == lanes.len() {
            self.state.0 = self.next.0;
        } else {
            kernels.select(&mut self.state, &engine.first_lanes(active.len()), &self.next);
        }
    }
}
