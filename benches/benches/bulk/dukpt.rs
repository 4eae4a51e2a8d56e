//! DUKPT from the base derivation key and the serial number to the transaction key, many at a time and one by one.

use core::hint::black_box;

use benches::KEY;
use cardroot::dukpt::bulk::{Derivation, StrongBdk};
use cardroot::dukpt::{Bdk, Ksn, TransactionKey};
use cipher::{BlockCipherEncrypt, KeyInit};
use des::{Des, TdesEde2};
use tdea::TdeaKey;
use tdea::bulk::Engine;

const MASK: u64 = 0xC0C0_C0C0_0000_0000;

fn step(left: u64, right: u64, register: u64) -> u64 {
    let mut block = (register ^ right).to_be_bytes();
    Des::new(&left.to_be_bytes().into()).encrypt_block((&mut block).into());
    u64::from_be_bytes(block) ^ right
}

/// The crate `des` under both variants of the base key.
pub(crate) struct OneByOne([TdesEde2; 2]);

impl OneByOne {
    pub(crate) fn new() -> Self {
        let bdk = TdeaKey::from(KEY);
        let keys = [&bdk, &bdk.variant(&MASK.to_be_bytes())];
        Self(keys.map(|key| TdesEde2::new_from_slice(key.expose_bytes()).unwrap()))
    }

    pub(crate) fn transaction_key(&self, ksn: &Ksn) -> [[u8; 8]; 2] {
        let number = u64::from_be_bytes(*ksn.as_bytes().last_chunk().unwrap());
        let counter = number & 0x1F_FFFF;
        let mut register = number ^ counter;
        let mut terminal = *ksn.as_bytes().first_chunk().unwrap();
        // Counter bits are no part of the name.
        terminal[7] &= 0xE0;
        let [mut left, mut right] = [0, 1].map(|half: usize| {
            let mut block = terminal;
            self.0[half].encrypt_block((&mut block).into());
            u64::from_be_bytes(block)
        });
        for bit in (0..21).rev().filter(|bit| counter >> bit & 1 == 1) {
            register |= 1 << bit;
            let new_right = step(left, right, register);
            left = step(left ^ MASK, right ^ MASK, register);
            right = new_right;
        }
        [left, right].map(u64::to_be_bytes)
    }
}

/// A base key and the key serial numbers of its terminals, a few transactions of each.
pub(crate) struct Inputs {
    bdk: Bdk,
    ksns: Vec<Ksn>,
}

impl Inputs {
    pub(crate) fn new(len: usize) -> Self {
        // All counters of at most ten one-bits, as they come in a walk over all there are.
        let counters = (1_u64..).map(|index| index * 1_234_567 & 0x1F_FFFF);
        let valid = counters.filter(|counter| (1..=10).contains(&counter.count_ones()));
        let ksns = (0..len as u64).zip(valid).map(|(index, counter)| {
            let number: u128 = 0xFFFF_9876_5432_0000_0000 | u128::from(index / 7) << 21 | u128::from(counter);
            Ksn::from(*number.to_be_bytes().last_chunk().unwrap())
        });
        Self { bdk: Bdk::from_key(TdeaKey::from(KEY)), ksns: ksns.collect() }
    }

    pub(crate) fn ksns(&self) -> &[Ksn] {
        &self.ksns
    }

    /// Derives the transaction key of each, and gives them to `take` with their positions.
    pub(crate) fn derive(&self, engine: Engine, mut take: impl FnMut(usize, &TransactionKey)) {
        let bdk = StrongBdk::new(&self.bdk).unwrap();
        let keys = Derivation::from_bdk(bdk, black_box(&self.ksns)).on(engine);
        keys.derive::<TransactionKey>(|position, key| take(position, key.unwrap()));
    }
}
