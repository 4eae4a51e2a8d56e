//! The derivations on bare bytes over a [`Peer`]: the least work that gives the right key. Nothing is judged and nothing is
//! wiped, which cardroot does.

use crate::Peer;

/// XORed onto each half for the second half of a key of DUKPT.
const SECOND_HALF_VARIANT: u64 = 0xC0C0_C0C0_0000_0000;
/// Bits of the transaction counter, in the rightmost 64 bits of a key serial number.
const COUNTER: u64 = 0x001F_FFFF;

/// PBOC dispersion: `E(parent, factor) || E(parent, ~factor)`.
pub fn pboc_child(peer: &mut impl Peer, parent: &[u8; 16], factor: [u8; 8]) -> [u8; 16] {
    let mut blocks = [factor, factor.map(|byte| !byte)];
    peer.encrypt_tdea(parent, &mut blocks);
    let [left, right] = blocks;
    joined(left, right)
}

/// The same for many factors under one set-up of the key.
pub fn pboc_children(peer: &mut impl Peer, parent: &[u8; 16], factors: &[[u8; 8]]) -> Vec<[u8; 16]> {
    let mut blocks: Vec<[u8; 8]> =
        factors.iter().flat_map(|factor| [*factor, factor.map(|byte| !byte)]).collect();
    peer.encrypt_tdea(parent, &mut blocks);
    blocks.as_chunks().0.iter().map(|[left, right]| joined(*left, *right)).collect()
}

/// DUKPT from the base derivation key and a key serial number to the transaction key.
pub fn dukpt_transaction_key(peer: &mut impl Peer, base: &[u8; 16], serial: &[u8; 10]) -> [u8; 16] {
    let [_, _, right @ ..] = *serial;
    let [left @ .., _, _] = *serial;
    let (number, id) = (u64::from_be_bytes(right), u64::from_be_bytes(left) & !(COUNTER >> 16));
    let mut key = joined(tdea(peer, base, id), tdea(peer, &variant(base), id));
    let mut so_far = number & !COUNTER;
    for bit in (0..21).rev().map(|bit| 1 << bit).filter(|bit| number & bit != 0) {
        so_far |= bit;
        key = joined(whitened(peer, &variant(&key), so_far), whitened(peer, &key, so_far));
    }
    key
}

/// `DES(L, block ^ R) ^ R`, with `L || R` the key.
fn whitened(peer: &mut impl Peer, key: &[u8; 16], block: u64) -> [u8; 8] {
    let [left, right] = halves(key);
    let mut block = (block ^ right).to_be_bytes();
    peer.encrypt_des(&left.to_be_bytes(), &mut block);
    (u64::from_be_bytes(block) ^ right).to_be_bytes()
}

fn tdea(peer: &mut impl Peer, key: &[u8; 16], block: u64) -> [u8; 8] {
    let mut block = [block.to_be_bytes()];
    peer.encrypt_tdea(key, &mut block);
    let [block] = block;
    block
}

fn variant(key: &[u8; 16]) -> [u8; 16] {
    let [left, right] = halves(key).map(|half| (half ^ SECOND_HALF_VARIANT).to_be_bytes());
    joined(left, right)
}

fn halves(key: &[u8; 16]) -> [u64; 2] {
    let whole = u128::from_be_bytes(*key);
    [whole >> 64, whole & u128::from(u64::MAX)].map(|half| half.try_into().expect("half of the bits"))
}

fn joined(left: [u8; 8], right: [u8; 8]) -> [u8; 16] {
    let [left, right] = [left, right].map(|half| u128::from(u64::from_be_bytes(half)));
    (left << 64 | right).to_be_bytes()
}
