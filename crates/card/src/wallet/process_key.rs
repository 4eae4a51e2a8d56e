//! Keys of one transaction and their MACs, on `tdea` alone.

use tdea::hazmat::{DesKey, DesMac};
use tdea::{BLOCK_LEN, Mac, MacPadding};

use super::pending::Transaction;
use crate::card_key::CardKey;

/// The tail of the process key's input for transactions with the host.
pub(super) const HOST_TAIL: [u8; 2] = [0x80, 0x00];

/// `E(key, random(4) || sequence(2) || tail(2))`
pub(super) fn process_key(key: &CardKey, transaction: &Transaction, tail: [u8; 2]) -> DesKey {
    let [r0, r1, r2, r3] = transaction.random;
    let [s0, s1] = transaction.sequence.to_be_bytes();
    let [t0, t1] = tail;
    DesKey::from_fill(|block: &mut [u8; BLOCK_LEN]| {
        *block = [r0, r1, r2, r3, s0, s1, t0, t1];
        key.encrypt(block);
    })
}

/// The MAC over the concatenation of `parts`, from zero, padded with `80 00…`, all under single DES.
pub(crate) fn des_mac(key: &DesKey, parts: &[&[u8]]) -> Mac {
    let mut mac = DesMac::new(key, MacPadding::OneAndZeros);
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().expect("no message length was announced")
}
