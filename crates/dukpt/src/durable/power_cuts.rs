//! Power that fails at every step, and what is true afterwards, in both schemes.

#![allow(clippy::cast_possible_truncation, reason = "small random numbers")]

use alloc::rc::Rc;
use alloc::vec;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::marker::PhantomData;
use std::collections::HashSet;

use aeskey::{AesKey, AesKeyLength};

use super::by_hand::siv_512;
use super::machine::Machine;
use super::rollback::Rollback;
use super::*;
use crate::{Bdk, InitialKey, Ksn, VolatileOriginator, aes};

/// Parts of a slot that a medium makes durable each by itself.
const SECTOR_LEN: usize = 64;
pub(super) const DEVICE_KEY: [u8; DeviceKey::LEN] = [0x3C; DeviceKey::LEN];

/// What a write that is cut leaves of itself.
#[derive(Clone, Copy, Debug)]
enum Tear {
    Nothing,
    Start,
    Garbage,
    Whole,
}

/// What a cut leaves of what was written and not yet durable.
#[derive(Clone, Copy, Debug)]
enum Loss {
    /// The program died, the power stayed.
    Nothing,
    Everything,
    /// Each sector by itself.
    Some,
}

const TEARS: [Tear; 4] = [Tear::Nothing, Tear::Start, Tear::Garbage, Tear::Whole];
const LOSSES: [Loss; 3] = [Loss::Nothing, Loss::Everything, Loss::Some];

#[derive(Clone, Copy, Debug)]
enum Fault {
    /// The power fails, and nothing works any more.
    Cut(Loss),
    /// One call fails.
    Error,
}

/// A device: a flash chip behind a cache, a counter, and faults to come.
struct Board {
    durable: [Vec<u8>; 2],
    /// What reads see.
    cached: [Vec<u8>; 2],
    /// What the next sync makes durable.
    dirty: [Vec<bool>; 2],
    counter: u64,
    /// How the flash reads when erased.
    blank: u8,
    /// Steps done since the power came.
    steps: u32,
    faults: Vec<(u32, Tear, Fault)>,
    dead: bool,
    random: u64,
}

type Shared = Rc<RefCell<Board>>;

#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the power is gone, or something else")]
struct Failed;

impl Board {
    /// A new device for records of `record_len` bytes. Its flash is blank as zeros or as ones, as `seed` has it.
    fn new(record_len: usize, seed: u64) -> Shared {
        let blank = if seed.is_multiple_of(2) { 0x00 } else { 0xFF };
        let sectors = (RECORD_OFFSET + record_len).div_ceil(SECTOR_LEN);
        let flash = [(); 2].map(|()| vec![blank; sectors * SECTOR_LEN]);
        Rc::new(RefCell::new(Self {
            durable: flash.clone(),
            cached: flash,
            dirty: [(); 2].map(|()| vec![false; sectors]),
            counter: 0,
            blank,
            steps: 0,
            faults: vec![],
            dead: false,
            random: seed.wrapping_mul(2).wrapping_add(1),
        }))
    }

    /// The power comes back.
    fn restart(&mut self, faults: Vec<(u32, Tear, Fault)>) {
        (self.dead, self.faults, self.steps) = (false, faults, 0);
    }

    /// A number below `bound`, by xorshift64*.
    fn random(&mut self, bound: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize % bound
    }

    /// One step, done whole or as a fault has it.
    fn step(&mut self, work: impl FnOnce(&mut Self, Tear)) -> Result<(), Failed> {
        if self.dead {
            return Err(Failed);
        }
        self.steps += 1;
        let Some((_, tear, fault)) = self.faults.iter().find(|(at, ..)| *at == self.steps).copied() else {
            work(self, Tear::Whole);
            return Ok(());
        };
        work(self, tear);
        if let Fault::Cut(loss) = fault {
            self.dead = true;
            self.lose(loss);
        }
        Err(Failed)
    }

    fn put(&mut self, slot: Slot, offset: usize, bytes: &[u8], tear: Tear) {
        let cut = self.random(bytes.len() + 1);
        let written = match tear {
            Tear::Nothing => vec![],
            Tear::Start => bytes[..cut].to_vec(),
            Tear::Garbage => bytes[..cut].iter().map(|_| self.random(256) as u8).collect(),
            Tear::Whole => bytes.to_vec(),
        };
        let slot = slot as usize;
        self.cached[slot][offset..offset + written.len()].copy_from_slice(&written);
        self.dirty[slot][offset / SECTOR_LEN..(offset + bytes.len()).div_ceil(SECTOR_LEN)].fill(true);
    }

    /// Writes the cache back. If that fails, systems may take it for written all the same, which is the garbage here.
    fn write_back(&mut self, tear: Tear) {
        let dead_soon =
            self.faults.iter().any(|(at, _, fault)| *at == self.steps && !matches!(fault, Fault::Error));
        for slot in 0..2 {
            for sector in 0..self.dirty[slot].len() {
                match tear {
                    Tear::Start if self.random(2) == 0 => self.make_durable(slot, sector),
                    Tear::Garbage if !dead_soon => self.dirty[slot][sector] = false,
                    Tear::Whole => self.make_durable(slot, sector),
                    _ => {}
                }
            }
        }
    }

    fn make_durable(&mut self, slot: usize, sector: usize) {
        if self.dirty[slot][sector] {
            let bytes = sector * SECTOR_LEN..(sector + 1) * SECTOR_LEN;
            self.durable[slot][bytes.clone()].copy_from_slice(&self.cached[slot][bytes]);
            self.dirty[slot][sector] = false;
        }
    }

    fn lose(&mut self, loss: Loss) {
        if matches!(loss, Loss::Nothing) {
            return;
        }
        for slot in 0..2 {
            for sector in 0..self.dirty[slot].len() {
                if matches!(loss, Loss::Some) && self.random(2) == 0 {
                    self.make_durable(slot, sector);
                }
            }
            self.cached[slot] = self.durable[slot].clone();
            self.dirty[slot].fill(false);
        }
    }

    /// Looks for keys in all that lies in flash and cache, as it is and opened by the device key, authentic or not.
    fn assert_forgets(&self, record_len: usize, keys: &HashSet<[u8; 16]>) {
        let slots: HashSet<&Vec<u8>> = self.durable.iter().chain(&self.cached).collect();
        for slot in slots {
            let siv = slot[RECORD_OFFSET + 24..].first_chunk().unwrap();
            let sealed = &slot[RECORD_OFFSET + 40..RECORD_OFFSET + record_len];
            for bytes in [&siv_512::keystream(&DEVICE_KEY, siv, sealed), slot] {
                assert!(!bytes.windows(16).any(|window| keys.contains(window)), "a used key is still there");
            }
        }
    }
}

const RECORD_OFFSET: usize = Flash::slot_len_for(0);

struct Flash(Shared);

impl Flash {
    const fn slot_len_for(record_len: usize) -> usize {
        TwoSlots::<Self>::slot_len(record_len)
    }
}

impl Slots for Flash {
    type Error = Failed;

    fn slot_len(&self) -> usize {
        self.0.borrow().cached[0].len()
    }

    fn read(&mut self, slot: Slot, offset: usize, bytes: &mut [u8]) -> Result<(), Failed> {
        let board = self.0.borrow();
        if board.dead {
            return Err(Failed);
        }
        bytes.copy_from_slice(&board.cached[slot as usize][offset..offset + bytes.len()]);
        Ok(())
    }

    fn write(&mut self, slot: Slot, offset: usize, bytes: &[u8]) -> Result<(), Failed> {
        self.0.borrow_mut().step(|board, tear| {
            let place = &board.cached[slot as usize][offset..offset + bytes.len()];
            assert!(place.iter().all(|byte| *byte == board.blank), "written twice without an erasure");
            board.put(slot, offset, bytes, tear);
        })
    }

    fn erase(&mut self, slot: Slot) -> Result<(), Failed> {
        self.0.borrow_mut().step(|board, tear| {
            let blank = vec![board.blank; board.cached[0].len()];
            board.put(slot, 0, &blank, tear);
        })
    }

    fn sync(&mut self) -> Result<(), Failed> {
        self.0.borrow_mut().step(|board, tear| board.write_back(tear))
    }
}

struct Hardware(Shared);

impl MonotonicCounter for Hardware {
    type Error = Failed;

    fn value(&mut self) -> Result<u64, Failed> {
        let board = self.0.borrow();
        if board.dead { Err(Failed) } else { Ok(board.counter) }
    }

    fn increment(&mut self) -> Result<(), Failed> {
        self.0.borrow_mut().step(|board, tear| {
            if matches!(tear, Tear::Whole) {
                board.counter += 1;
            }
        })
    }
}

pub(super) fn device_key() -> DeviceKey {
    DeviceKey::from_fill(|key| *key = DEVICE_KEY)
}

/// What the world knows of a scheme's originators.
pub(super) trait Subject: Machine {
    const RECORD_LEN: usize = record_len(Self::STATE_LEN);

    /// The key of the first originator, and of each that a renewal makes of it: their names have numbers.
    fn initial_key(number: u8) -> Self::InitialKey;

    fn number(name: &Self::Name) -> u8;

    /// Holds a transaction against the receiver. Gives the number of its name, its place in the life of that name, and 16
    /// bytes of its key.
    fn see(transaction: &Self::Transaction) -> (u8, u32, [u8; 16]);
}

impl Subject for VolatileOriginator {
    fn initial_key(number: u8) -> InitialKey {
        let name = Ksn::from([0xFF, 0xFF, 0x98, 0x76, 0x54, 0x32, number, 0xE0, 0x00, 0x00]);
        bdk().derive_initial_key(&name).unwrap()
    }

    fn number(name: &Ksn) -> u8 {
        name.as_bytes()[6]
    }

    fn see(transaction: &crate::Transaction) -> (u8, u32, [u8; 16]) {
        let (key, ksn) = (transaction.key(), transaction.ksn());
        assert!(bdk().derive_transaction_key(ksn).unwrap().ct_eq(key), "{ksn}");
        let bytes = key.expose_key().expose_bytes().try_into().unwrap();
        (Self::number(ksn), ksn.counter().unwrap().ordinal(), bytes)
    }
}

fn bdk() -> Bdk {
    Bdk::from_key(0x0123456789ABCDEF_FEDCBA9876543210_u128.to_be_bytes().into())
}

impl Subject for aes::VolatileOriginator {
    fn initial_key(number: u8) -> aes::InitialKey {
        aes_bdk().derive_initial_key(&[0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x34, number].into())
    }

    fn number(name: &aes::InitialKeyId) -> u8 {
        name.as_bytes()[7]
    }

    fn see(transaction: &aes::Transaction) -> (u8, u32, [u8; 16]) {
        let (key, ksn) = (transaction.key(), transaction.ksn());
        let theirs = aes_bdk().derive_transaction_key(ksn, aes::OnesLimit::Sixteen).unwrap();
        assert!(theirs.ct_eq(key), "{ksn}");
        let bytes = *key.expose_key().expose_bytes().first_chunk().unwrap();
        (Self::number(&ksn.id()), ksn.counter().unwrap().ordinal(aes::OnesLimit::Sixteen), bytes)
    }
}

fn aes_bdk() -> aes::Bdk {
    aes::Bdk::from_key(AesKey::from_fill(AesKeyLength::Aes256, |key| key.fill(0x5B)))
}

/// What the world has seen of one device, whose life goes on through all cuts.
struct World<M> {
    machine: PhantomData<M>,
    board: Shared,
    loaded: bool,
    /// Number of the name, and the counter's place in its life.
    last: (u8, u32),
    cuts_since_last: u32,
    cuts: u32,
    keys: HashSet<[u8; 16]>,
}

impl<M: Subject> World<M> {
    fn new(seed: u64) -> Self {
        Self {
            machine: PhantomData,
            board: Board::new(M::RECORD_LEN, seed),
            loaded: false,
            last: (0, 0),
            cuts_since_last: 0,
            cuts: 0,
            keys: HashSet::new(),
        }
    }

    /// Powers the device until it dies, or has made so many transactions; it renews its key before one of them. Without
    /// its counter against rollback it does the same.
    fn live(
        &mut self,
        protection: Protection,
        faults: Vec<(u32, Tear, Fault)>,
        transactions: u32,
        renew_before: Option<u32>,
    ) {
        self.board.borrow_mut().restart(faults);
        let board = Rc::clone(&self.board);
        let lived = match protection {
            Protection::Counter => self.run(
                || Device::new(device_key(), Hardware(Rc::clone(&board))),
                transactions,
                renew_before,
            ),
            Protection::None => {
                self.run(|| Device::without_rollback_protection(device_key()), transactions, renew_before)
            }
        };
        if lived.is_err() {
            assert!(board.borrow().dead, "nothing fails but for the power");
            self.cuts += 1;
            self.cuts_since_last += 1;
        }
        board.borrow().assert_forgets(M::RECORD_LEN, &self.keys);
    }

    fn run<R: Rollback>(
        &mut self,
        device: impl Fn() -> Device<R>,
        transactions: u32,
        renew_before: Option<u32>,
    ) -> Result<(), Failed> {
        let mut originator = self.open_or_load(device)?;
        for number in 0..transactions {
            if renew_before == Some(number) {
                let next = M::number(originator.name()) + 1;
                originator.renew(M::initial_key(next)).map_err(power)?;
            }
            let transaction = originator.next_transaction().map_err(power)?;
            self.see(&transaction);
        }
        Ok(())
    }

    fn open_or_load<R: Rollback>(
        &mut self,
        device: impl Fn() -> Device<R>,
    ) -> Result<DurableOriginator<M, TwoSlots<Flash>, R>, Failed> {
        let store = || TwoSlots::new(Flash(Rc::clone(&self.board)));
        let opened = match DurableOriginator::open(store(), device()) {
            Err(OriginatorError::State(StateError::Nothing | StateError::Damaged)) if !self.loaded => {
                DurableOriginator::load(store(), device(), M::initial_key(0))
            }
            opened => opened,
        };
        let originator = opened.map_err(power)?;
        self.loaded = true;
        Ok(originator)
    }

    /// A key has left.
    fn see(&mut self, transaction: &M::Transaction) {
        let (number, ordinal, key) = M::see(transaction);
        let now = (number, ordinal);
        assert!(now > self.last, "{now:?} comes after {:?}", self.last);
        let before = if now.0 == self.last.0 { self.last.1 } else { 0 };
        assert!(now.1 - before - 1 <= self.cuts_since_last, "a cut costs one counter at most");
        assert!(self.keys.insert(key));
        (self.last, self.cuts_since_last) = (now, 0);
        self.board.borrow().assert_forgets(M::RECORD_LEN, &self.keys);
    }
}

#[derive(Clone, Copy, Debug)]
enum Protection {
    Counter,
    None,
}

/// Lets through what a loss of power explains, and nothing else.
#[track_caller]
fn power<R: core::fmt::Debug>(error: OriginatorError<SlotsError<Failed>, R>) -> Failed {
    match error {
        OriginatorError::Store(SlotsError::Medium(Failed)) | OriginatorError::RollbackCounter(_) => Failed,
        other => panic!("{other:?}"),
    }
}

/// Steps of loading, three transactions and a renewal, and then some.
const STEPS: u32 = 36;

fn each_fault(mut each: impl FnMut(u32, Tear, Fault)) {
    for step in 1..=STEPS {
        for tear in TEARS {
            for loss in LOSSES {
                each(step, tear, Fault::Cut(loss));
            }
        }
    }
}

/// Cuts the power at each step, and again at each of the steps `again` of the life that follows.
fn cuts_at_each_step<M: Subject>(again: impl Iterator<Item = u32> + Clone) -> u32 {
    let mut cuts = 0;
    for protection in [Protection::Counter, Protection::None] {
        each_fault(|step, tear, fault| {
            // The second life begins with what the first left.
            for second in again.clone() {
                let mut world = World::<M>::new((step * second).into());
                world.live(protection, vec![(step, tear, fault)], 4, Some(2));
                world.live(protection, vec![(second, tear, fault)], 2, None);
                world.live(protection, vec![], 3, None);
                cuts += world.cuts;
            }
        });
    }
    std::println!("{cuts} cuts");
    cuts
}

#[test]
fn a_cut_at_any_step_costs_one_counter_at_most_and_leaves_no_used_key() {
    assert!(cuts_at_each_step::<VolatileOriginator>(1..=9) > 14_000);
}

#[test]
fn a_cut_at_any_step_costs_one_counter_at_most_and_leaves_no_used_key_with_aes() {
    assert!(cuts_at_each_step::<aes::VolatileOriginator>(core::iter::once(5)) > 1_500);
}

/// Lives of one device after another, each cut at random, some by two faults.
fn random_cuts<M: Subject>(seed: u64, at_least: u32) -> u32 {
    let mut cuts = 0;
    for seed in seed.. {
        let mut world = World::<M>::new(seed);
        let protection = if seed.is_multiple_of(3) { Protection::None } else { Protection::Counter };
        for _ in 0..12 {
            let mut board = world.board.borrow_mut();
            let tear = TEARS[board.random(TEARS.len())];
            let loss = LOSSES[board.random(LOSSES.len())];
            let fault = (1 + board.random(30) as u32, tear, Fault::Cut(loss));
            let renew_before = [None, None, Some(0), Some(2)][board.random(4)];
            drop(board);
            world.live(protection, vec![fault], 5, renew_before);
        }
        world.live(protection, vec![], 2, None);
        cuts += world.cuts;
        if cuts >= at_least {
            break;
        }
    }
    std::println!("{cuts} cuts");
    cuts
}

#[test]
fn cuts_at_random_cost_one_counter_at_most_and_leave_no_used_key() {
    assert!(random_cuts::<VolatileOriginator>(1, 2_000) >= 2_000);
    assert!(random_cuts::<aes::VolatileOriginator>(1, 500) >= 500);
}

// cargo test -p cardroot-dukpt --release --lib -- --ignored power_cuts
#[test]
#[ignore = "250,000 cuts: run in release"]
fn a_quarter_of_a_million_cuts_cost_one_counter_at_most_and_leave_no_used_key() {
    assert!(random_cuts::<VolatileOriginator>(1_000_000, 200_000) >= 200_000);
    assert!(random_cuts::<aes::VolatileOriginator>(1_000_000, 50_000) >= 50_000);
}

/// A full disk, a worn-out sector, a busy counter: the call is repeated, and all is as if nothing had been. The power may
/// fail later all the same.
fn failures_without_a_cut<M: Subject>() -> u32 {
    let mut failures = 0;
    for step in 1..=24 {
        for (tear, cut) in TEARS.into_iter().flat_map(|tear| (1..=12).map(move |cut| (tear, step + cut))) {
            let mut world = World::<M>::new(u64::from(step + cut));
            world.live(Protection::Counter, vec![], 0, None);
            let faults = vec![(step, tear, Fault::Error), (cut, Tear::Start, Fault::Cut(Loss::Some))];
            world.board.borrow_mut().restart(faults);

            let store = TwoSlots::new(Flash(Rc::clone(&world.board)));
            let mut device = Some(Device::new(device_key(), Hardware(Rc::clone(&world.board))));
            let mut store = Some(store);
            let mut originator = None;
            let mut taken = 0;
            while taken < 4 && !world.board.borrow().dead {
                let Some(open) = &mut originator else {
                    // Opening fails in the first steps: open again.
                    let store = store.take().unwrap_or_else(|| TwoSlots::new(Flash(Rc::clone(&world.board))));
                    let device = device
                        .take()
                        .unwrap_or_else(|| Device::new(device_key(), Hardware(Rc::clone(&world.board))));
                    originator = DurableOriginator::<M, _, _>::open(store, device).map_err(power).ok();
                    continue;
                };
                match open.next_transaction().map_err(power) {
                    Err(Failed) => failures += 1,
                    Ok(transaction) => {
                        taken += 1;
                        world.see(&transaction);
                        assert_eq!(world.last.1, taken);
                    }
                }
            }
            world.cuts_since_last += 1;
            world.live(Protection::Counter, vec![], 2, None);
        }
    }
    std::println!("{failures} failures");
    failures
}

#[test]
fn a_failure_without_a_cut_loses_no_counter() {
    assert!(failures_without_a_cut::<VolatileOriginator>() > 1_000);
    assert!(failures_without_a_cut::<aes::VolatileOriginator>() > 1_000);
}

#[test]
fn an_old_copy_is_refused_where_the_device_counts_and_opens_where_it_does_not() {
    old_copy_put_back::<VolatileOriginator>();
    old_copy_put_back::<aes::VolatileOriginator>();
}

fn old_copy_put_back<M: Subject<Name: core::fmt::Debug>>() {
    let mut world = World::<M>::new(1);
    world.live(Protection::Counter, vec![], 3, None);
    let old = world.board.borrow().durable.clone();
    world.live(Protection::Counter, vec![], 2, None);

    world.board.borrow_mut().cached = old;
    let store = || TwoSlots::new(Flash(Rc::clone(&world.board)));
    let device = Device::new(device_key(), Hardware(Rc::clone(&world.board)));
    assert_eq!(
        DurableOriginator::<M, _, _>::open(store(), device).unwrap_err(),
        OriginatorError::State(StateError::Rollback { generation: 4, counter: 6 })
    );
    // Counter 4 a second time: what its name says.
    let device = Device::without_rollback_protection(device_key());
    let mut unprotected = DurableOriginator::<M, _, _>::open(store(), device).unwrap();
    let (_, ordinal, key) = M::see(&unprotected.next_transaction().unwrap_or_else(|_| panic!("it goes on")));
    assert_eq!(ordinal, 4);
    assert!(world.keys.contains(&key), "used before");
}
