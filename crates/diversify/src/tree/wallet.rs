//! What card keys of the wallet make: keys for the MACs of one transaction, and keys folded from two halves.

use tdea::hazmat::DesKey;

use crate::pboc::{self, ProcessInput, Transaction};
use crate::tree::key::CardKey;
use crate::tree::purpose::{Function, PinReload, Purchase, Recharge, Reissue, Tac};

impl CardKey<Recharge> {
    /// Derives the process key of one load; see [`pboc::process_key`]. `counter` is the card's online counter.
    #[must_use]
    pub fn process_key(&self, random: [u8; 4], counter: u16) -> DesKey {
        self.process(random, counter, Transaction::Host)
    }
}

impl CardKey<Reissue> {
    /// Derives the process key of one unload; see [`pboc::process_key`]. `counter` is the card's online counter.
    #[must_use]
    pub fn process_key(&self, random: [u8; 4], counter: u16) -> DesKey {
        self.process(random, counter, Transaction::Host)
    }
}

impl CardKey<Purchase> {
    /// Derives the process key of one purchase; see [`pboc::process_key`]. `counter` is the card's offline counter,
    /// `sequence` the terminal's.
    #[must_use]
    pub fn process_key(&self, random: [u8; 4], counter: u16, sequence: u32) -> DesKey {
        self.process(random, counter, Transaction::Terminal { sequence })
    }
}

impl CardKey<Tac> {
    /// The key of the transaction authentication code: left half XOR right half.
    #[must_use]
    pub fn mac_key(&self) -> DesKey {
        self.folded()
    }
}

impl CardKey<PinReload> {
    /// The key of the MAC over a new PIN: left half XOR right half.
    #[must_use]
    pub fn mac_key(&self) -> DesKey {
        self.folded()
    }
}

impl<F: Function> CardKey<F> {
    fn process(&self, random: [u8; 4], counter: u16, transaction: Transaction) -> DesKey {
        pboc::process_key(self.expose_key(), &ProcessInput { random, counter, transaction })
            .expect("keys of the tree are of double length")
    }

    fn folded(&self) -> DesKey {
        DesKey::xor_of_halves(self.expose_key()).expect("keys of the tree are of double length")
    }
}
