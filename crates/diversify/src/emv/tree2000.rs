//! The session keys of EMV 2000: leaves of a tree of keys below the card's key.

use core::mem;

use tdea::{KeyLength, TdeaKey};

use crate::pair::{TripleLengthKey, double_length, encrypt_halves};

/// How many children a key has, and how many levels there are: both shapes have a leaf for each transaction counter.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum TreeShape {
    /// 4 children, 8 levels.
    #[default]
    Branch4Height8,
    /// 2 children, 16 levels.
    Branch2Height16,
}

/// The tree that session keys come from in EMV 2000.
///
/// Digits of the transaction counter (ATC), the highest first, lead down from the card's key. The child of `X` by the
/// digit `j`, with `Y` above `X`, is `E(X, YL ^ j) || E(X, YR ^ j ^ F0)`, `j` and `F0` in the last byte. Above the card's
/// key stands the initial value. The session key is the last child XORed with the key two levels above it; then odd
/// parity.
///
/// # Source
/// EMV 2000 Book 2, A1.3 (withdrawn since).
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct SessionTree {
    /// Shape of the tree.
    pub shape: TreeShape,
    /// Initial value, agreed by the scheme. Public.
    pub initial_value: [u8; 16],
}

impl TreeShape {
    /// Digits of the counter: levels below the card's key.
    const fn height(self) -> u32 {
        match self {
            Self::Branch4Height8 => 8,
            Self::Branch2Height16 => 16,
        }
    }

    /// Bits of one digit.
    const fn digit_bits(self) -> u32 {
        match self {
            Self::Branch4Height8 => 2,
            Self::Branch2Height16 => 1,
        }
    }

    /// The digit of a counter at a place, 0 being the lowest.
    const fn digit(self, atc: u16, place: u32) -> u8 {
        let [_, low] = (atc >> (place * self.digit_bits())).to_be_bytes();
        low & ((1 << self.digit_bits()) - 1)
    }
}

impl SessionTree {
    pub(super) fn derive(&self, udk: &TdeaKey, atc: u16) -> Result<TdeaKey, TripleLengthKey> {
        let mut above = TdeaKey::from(self.initial_value);
        let mut key = udk.duplicate();
        for place in (1..self.shape.height()).rev() {
            let next = child(&key, &above, self.shape.digit(atc, place))?;
            above = mem::replace(&mut key, next);
        }
        let last = child(&key, &above, self.shape.digit(atc, 0))?;
        Ok(xor(&last, &above).into_odd_parity())
    }
}

fn child(key: &TdeaKey, above: &TdeaKey, digit: u8) -> Result<TdeaKey, TripleLengthKey> {
    let mask = [0, 0, 0, 0, 0, 0, 0, digit, 0, 0, 0, 0, 0, 0, 0, digit ^ 0xF0].into();
    let blocks = xor(above, &mask);
    Ok(encrypt_halves(&double_length(key)?, |halves| {
        halves.as_flattened_mut().copy_from_slice(blocks.expose_bytes());
    }))
}

fn xor(a: &TdeaKey, b: &TdeaKey) -> TdeaKey {
    TdeaKey::from_fill(KeyLength::Double, |out| {
        for ((out, a), b) in out.iter_mut().zip(a.expose_bytes()).zip(b.expose_bytes()) {
            *out = a ^ b;
        }
    })
}
