//! The crate `des` as a peer: what somebody would write who takes it straight.

use cipher::{BlockCipherEncrypt, KeyInit};

use crate::Peer;

/// The crate `des`.
#[derive(Debug)]
pub struct CrateDes;

impl Peer for CrateDes {
    fn encrypt_tdea(&mut self, key: &[u8; 16], blocks: &mut [[u8; 8]]) {
        let cipher = des::TdesEde2::new(key.into());
        blocks.iter_mut().for_each(|block| cipher.encrypt_block(block.into()));
    }

    fn encrypt_des(&mut self, key: &[u8; 8], block: &mut [u8; 8]) {
        des::Des::new(key.into()).encrypt_block(block.into());
    }
}
