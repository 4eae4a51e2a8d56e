//! Many message authentication codes side by side.

use core::cmp::Reverse;

use super::Direction;
use super::each::UnequalLengths;
use super::engine::Engine;
use super::keys::LaneKeys;
use super::planes::{Planes, Rows};
use crate::key::{KeyLength, TdeaKey};
use crate::mac::{CbcMac, Mac, MacError, MacPadding, RetailMac};
use crate::padding::{Padding, length_block};

/// Messages that are put in order of their length at a time.
const WINDOW: usize = 2048;

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
    /// order. Messages may be of different lengths; those of like length, not too far apart, are worked on together.
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
        let mut chain = None;
        let mut codes = [[0; 8]; WINDOW];
        for (index, messages) in messages.chunks(WINDOW).enumerate() {
            let first = index * WINDOW;
            let keys = keys.window(first, messages.len());
            if !self.always_sliced && messages.len() < self.kernels.break_even.each {
                one_by_one(algorithm, keys, padding, messages, &mut codes);
            } else {
                let chain = chain.get_or_insert_with(|| Chains::new(self, algorithm, keys));
                chain.window(keys, padding, messages, &mut codes);
            }
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

fn one_by_one(
    algorithm: Algorithm,
    keys: MacKeys<'_>,
    padding: Padding,
    messages: &[&[u8]],
    codes: &mut [[u8; 8]; WINDOW],
) {
    for (position, (message, code)) in messages.iter().zip(codes).enumerate() {
        let key = keys.key(position);
        let mac = match algorithm {
            Algorithm::Cbc => CbcMac::compute(key, padding, message),
            Algorithm::Retail => RetailMac::compute(key, padding, message),
        };
        *code = *mac.expect("keys and messages were checked").as_bytes();
    }
}

/// One chain in each lane.
struct Chains {
    engine: Engine,
    algorithm: Algorithm,
    keys: LaneKeys,
    state: Planes,
    data: Planes,
    next: Planes,
    rows: Rows,
}

impl Chains {
    fn new(engine: Engine, algorithm: Algorithm, keys: MacKeys<'_>) -> Self {
        let keys = match keys {
            MacKeys::One(key) => LaneKeys::shared(engine, key),
            MacKeys::Each(_) => LaneKeys::new(),
        };
        let [state, data, next] = [(); 3].map(|()| Planes::new());
        Self { engine, algorithm, keys, state, data, next, rows: Rows::new() }
    }

    /// The codes of up to a window of messages.
    fn window(
        &mut self,
        keys: MacKeys<'_>,
        padding: Padding,
        messages: &[&[u8]],
        codes: &mut [[u8; 8]; WINDOW],
    ) {
        let mut order = [Lane { position: 0, blocks: 0 }; WINDOW];
        let (order, _) = order.split_at_mut(messages.len());
        for (position, (lane, message)) in order.iter_mut().zip(messages).enumerate() {
            *lane = Lane { position, blocks: padded_blocks(padding, message) };
        }
        // Lengths are public. Messages of one length, the usual case, are in order already.
        order.sort_unstable_by_key(|lane| (Reverse(lane.blocks), lane.position));
        for lanes in order.chunks(self.engine.lanes()) {
            self.batch(keys, padding, messages, lanes);
            for (lane, code) in lanes.iter().zip(&self.rows.0) {
                *codes.get_mut(lane.position).expect("a position in the window") = *code;
            }
        }
    }

    /// Leaves the codes of one batch, its longest message first, in the rows.
    fn batch(&mut self, keys: MacKeys<'_>, padding: Padding, messages: &[&[u8]], lanes: &[Lane]) {
        if let MacKeys::Each(_) = keys {
            let keys = lanes.iter().map(|lane| keys.key(lane.position));
            self.keys.read(self.engine, keys, &mut self.rows, &mut self.data);
        }
        let kernels = self.engine.kernels;
        self.state.0.fill(0);
        for block in 0..lanes.first().map_or(0, |lane| lane.blocks) {
            let active = lanes.partition_point(|lane| lane.blocks > block);
            for (row, lane) in self.rows.0.iter_mut().zip(lanes).take(active) {
                let message = messages.get(lane.position).expect("a position in the window");
                *row = padded_block(padding, message, block);
            }
            kernels.load(self.rows.lanes(self.engine), &mut self.data);
            kernels.set_xor(&mut self.next, &self.state, &self.data);
            match self.algorithm {
                Algorithm::Cbc => kernels.rounds(&mut self.next, &self.keys.tdea(Direction::Encrypt)),
                Algorithm::Retail => {
                    kernels.rounds(&mut self.next, &[(self.keys.left(), Direction::Encrypt)])
                }
            }
            if active == lanes.len() {
                core::mem::swap(&mut self.state, &mut self.next);
            } else {
                kernels.select(&mut self.state, &self.engine.first_lanes(active), &self.next);
            }
        }
        if self.algorithm == Algorithm::Retail {
            let end = [(self.keys.right(), Direction::Decrypt), (self.keys.left(), Direction::Encrypt)];
            kernels.rounds(&mut self.state, &end);
        }
        kernels.store(&self.state, self.rows.lanes(self.engine));
    }
}

/// A message in its lane.
#[derive(Clone, Copy)]
struct Lane {
    /// Position in the window.
    position: usize,
    /// Its length in blocks, padding included.
    blocks: usize,
}

fn padded_blocks(padding: Padding, message: &[u8]) -> usize {
    match padding {
        Padding::None => message.len() / 8,
        Padding::Zeros => message.len().div_ceil(8).max(1),
        Padding::OneAndZeros => message.len() / 8 + 1,
        Padding::LengthFirst => message.len().div_ceil(8).max(1) + 1,
    }
}

/// Block `index` of the padded message.
fn padded_block(padding: Padding, message: &[u8], index: usize) -> [u8; 8] {
    let index = match padding {
        Padding::LengthFirst if index == 0 => return length_block(message.len() as u64),
        Padding::LengthFirst => index - 1,
        Padding::None | Padding::Zeros | Padding::OneAndZeros => index,
    };
    let rest = message.get(8 * index..).unwrap_or_default();
    if let Some(block) = rest.first_chunk() {
        return *block;
    }
    let mut block = [0; 8];
    for (byte, value) in
        block.iter_mut().zip(rest.iter().chain((padding == Padding::OneAndZeros).then_some(&0x80)))
    {
        *byte = *value;
    }
    block
}
