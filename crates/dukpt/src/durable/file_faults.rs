//! The store in one file on a disk that fails: at every operation in turn and at random, in every way that a disk has.

#![allow(clippy::cast_possible_truncation, reason = "small random numbers and lengths")]

use alloc::collections::BTreeSet;
use alloc::rc::Rc;
use alloc::vec::Vec;
use core::cell::{RefCell, RefMut};
use core::marker::PhantomData;
use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};

use super::by_hand::siv_512;
use super::file::{Medium, Parts};
use super::power_cuts::{DEVICE_KEY, Subject, device_key};
use super::*;
use crate::{VolatileOriginator, aes};

/// What a disk writes in one piece.
const SECTOR_LEN: usize = 512;

/// What goes wrong at one operation.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The power fails. The operation is done in part, or not at all, and of what was not synced so much is left.
    Power(Left),
    /// The program dies, and the system's cache lives on.
    Kill,
    /// It does less than was asked, and says so.
    Short,
    /// It fails, after a part of it was done. The next one works.
    Once(ErrorKind),
    /// It is a sync and fails, and all later ones succeed: systems take what they could not write for written.
    SyncForgets,
    /// From here on nothing can be written, as long as the program lives.
    FullFromHere,
}

/// What a cut leaves of all that was written and not synced.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Left {
    All,
    Nothing,
    /// Each sector by itself.
    Some,
}

const LEFT: [Left; 3] = [Left::All, Left::Nothing, Left::Some];
const FAULTS: [Fault; 10] = [
    Fault::Power(Left::All),
    Fault::Power(Left::Nothing),
    Fault::Power(Left::Some),
    Fault::Kill,
    Fault::Short,
    Fault::Once(ErrorKind::Interrupted),
    Fault::Once(ErrorKind::StorageFull),
    Fault::Once(ErrorKind::Other),
    Fault::SyncForgets,
    Fault::FullFromHere,
];

#[derive(Default)]
struct State {
    /// What programs read.
    cached: Vec<u8>,
    /// What a cut leaves for certain.
    durable: Vec<u8>,
    /// Sectors that the next sync writes.
    dirty: BTreeSet<usize>,
    is_named: bool,
    counts_reads: bool,
    /// What changes the file, and reads if they count.
    operations: u32,
    faults: Vec<(u32, Fault)>,
    full: bool,
    dead: bool,
    random: u64,
}

#[derive(Clone)]
struct Disk(Rc<RefCell<State>>);

impl Disk {
    fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State { random: 2 * seed + 1, ..State::default() })))
    }

    fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }

    /// Another program comes, and maybe the power before it.
    fn restart(&self, faults: &[(u32, Fault)]) {
        let mut state = self.state();
        (state.faults, state.operations, state.dead, state.full) = (faults.to_vec(), 0, false, false);
    }

    fn open(&self) -> Result<TwoSlots<Parts<FileOn>>, FileError> {
        let file = FileOn { disk: self.clone(), position: 0 };
        Parts::open(file, || self.state().sync(|state| state.is_named = true)).map(TwoSlots::new)
    }
}

impl State {
    /// By xorshift64*.
    fn random(&mut self, bound: usize) -> usize {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) as usize % bound
    }

    /// Counts an operation, and says what goes wrong in it.
    fn step(&mut self) -> Result<Option<Fault>, io::Error> {
        if self.dead {
            return Err(ErrorKind::NotConnected.into());
        }
        self.operations += 1;
        Ok(self.faults.iter().find(|(at, _)| *at == self.operations).map(|(_, fault)| *fault))
    }

    fn fail(&mut self, fault: Fault) -> io::Error {
        match fault {
            Fault::Power(left) => {
                self.dead = true;
                self.lose(left);
                ErrorKind::NotConnected.into()
            }
            Fault::Kill => {
                self.dead = true;
                ErrorKind::NotConnected.into()
            }
            Fault::Once(kind) => kind.into(),
            Fault::FullFromHere => {
                self.full = true;
                ErrorKind::StorageFull.into()
            }
            Fault::Short | Fault::SyncForgets => ErrorKind::Other.into(),
        }
    }

    fn put(&mut self, position: usize, bytes: &[u8]) {
        let end = position + bytes.len();
        let len = self.cached.len().max(end);
        self.cached.resize(len, 0);
        self.cached[position..end].copy_from_slice(bytes);
        if !bytes.is_empty() {
            self.dirty.extend(position / SECTOR_LEN..=(end - 1) / SECTOR_LEN);
        }
    }

    fn make_durable(&mut self, sector: usize) {
        let start = sector * SECTOR_LEN;
        let end = self.cached.len().min(start + SECTOR_LEN);
        let len = self.durable.len().max(end);
        self.durable.resize(len, 0);
        self.durable[start..end].copy_from_slice(&self.cached[start..end]);
    }

    fn write_back(&mut self, mut chosen: impl FnMut(&mut Self) -> bool) {
        for sector in core::mem::take(&mut self.dirty) {
            if chosen(self) {
                self.make_durable(sector);
            }
        }
    }

    fn lose(&mut self, left: Left) {
        match left {
            Left::All => self.write_back(|_| true),
            Left::Nothing => self.dirty.clear(),
            Left::Some => self.write_back(|state| state.random(2) == 0),
        }
        // A file whose name is not durable is gone, or not.
        if !self.is_named && left != Left::All && self.random(2) == 0 {
            self.durable.clear();
        }
        self.cached = self.durable.clone();
    }

    fn sync(&mut self, done: impl FnOnce(&mut Self)) -> io::Result<()> {
        match self.step()? {
            None | Some(Fault::Short) => {
                done(self);
                Ok(())
            }
            Some(Fault::SyncForgets) => {
                self.write_back(|state| state.random(2) == 0);
                Err(self.fail(Fault::SyncForgets))
            }
            Some(fault) => Err(self.fail(fault)),
        }
    }

    /// Looks for keys in all that lies in the file, as it is and opened by the device key, authentic or not.
    fn assert_forgets(&self, record_len: usize, keys: &HashSet<[u8; 16]>) {
        const SLOT_LEN: usize = 4096;
        let contents = [&self.cached, &self.durable];
        let different = if self.cached == self.durable { 1 } else { 2 };
        for content in &contents[..different] {
            for slot in content.chunks_exact(SLOT_LEN).skip(1) {
                let record = &slot[TwoSlots::<()>::slot_len(0)..][..record_len];
                let opened =
                    siv_512::keystream(&DEVICE_KEY, record[24..].first_chunk().unwrap(), &record[40..]);
                for bytes in [&opened[..], slot] {
                    assert!(
                        !bytes.windows(16).any(|window| keys.contains(window)),
                        "a used key is still there"
                    );
                }
            }
        }
    }
}

/// The file, open in a program.
struct FileOn {
    disk: Disk,
    position: usize,
}

impl FileOn {
    /// How much of `asked` bytes an operation does, and what goes wrong after that.
    fn part(&self, asked: usize) -> io::Result<(usize, Option<Fault>)> {
        let mut state = self.disk.state();
        Ok(match state.step()? {
            None | Some(Fault::SyncForgets) => (asked, None),
            Some(Fault::Short) if asked > 1 => (1 + state.random(asked - 1), None),
            Some(Fault::Short) => (asked, None),
            // A call that was interrupted has done nothing.
            Some(fault @ Fault::Once(ErrorKind::Interrupted)) => (0, Some(fault)),
            Some(fault) => (state.random(asked + 1), Some(fault)),
        })
    }
}

impl Read for FileOn {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let counts = self.disk.state().counts_reads;
        let (part, fault) = if counts { self.part(bytes.len())? } else { (bytes.len(), None) };
        let mut state = self.disk.state();
        match fault {
            _ if state.dead => return Err(ErrorKind::NotConnected.into()),
            Some(fault) => return Err(state.fail(fault)),
            None => {}
        }
        let len = part.min(state.cached.len().saturating_sub(self.position));
        bytes[..len].copy_from_slice(&state.cached[self.position..self.position + len]);
        self.position += len;
        Ok(len)
    }
}

impl Write for FileOn {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let (part, fault) = self.part(bytes.len())?;
        let mut state = self.disk.state();
        if state.full {
            return Err(ErrorKind::StorageFull.into());
        }
        state.put(self.position, &bytes[..part]);
        if let Some(fault) = fault {
            return Err(state.fail(fault));
        }
        self.position += part;
        Ok(part)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for FileOn {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(position) = to else { panic!("{to:?}") };
        self.position = position as usize;
        Ok(position)
    }
}

impl Medium for FileOn {
    fn sync_all(&self) -> io::Result<()> {
        self.disk.state().sync(|state| state.write_back(|_| true))
    }
}

/// What a program does after a failure that leaves it alive.
#[derive(Clone, Copy, Debug, PartialEq)]
enum After {
    TriesAgain,
    Ends,
}

/// What the world has seen of a terminal, whose life goes on through all faults.
struct World<M> {
    machine: PhantomData<M>,
    disk: Disk,
    /// Whether a load has succeeded, or a key has left: a load that failed promises nothing.
    is_loaded: bool,
    last: u32,
    faults_since_last: u32,
    faults: u32,
    keys: HashSet<[u8; 16]>,
}

impl<M: Subject> World<M> {
    fn new(seed: u64) -> Self {
        Self {
            machine: PhantomData,
            disk: Disk::new(seed),
            is_loaded: false,
            last: 0,
            faults_since_last: 0,
            faults: 0,
            keys: HashSet::new(),
        }
    }

    /// Lives until the end of a program: by a fault, or after so many transactions.
    fn live(&mut self, faults: &[(u32, Fault)], after: After, transactions: u32) {
        self.disk.restart(faults);
        let mut taken = 0;
        // A full disk stays full; all other failures come once.
        for _ in 0..4 {
            if self.run(after, transactions, &mut taken).is_ok() || self.disk.state().dead {
                break;
            }
        }
        let state = self.disk.state();
        assert!(taken == transactions || state.dead || state.full, "all other failures can be overcome");
        state.assert_forgets(record_len(M::STATE_LEN), &self.keys);
    }

    /// One program: it opens the store and makes transactions.
    fn run(&mut self, after: After, transactions: u32, taken: &mut u32) -> Result<(), ()> {
        let mut originator = self.open_or_load()?;
        let mut tries = 0;
        while *taken < transactions {
            match originator.next_transaction() {
                Ok(transaction) => {
                    *taken += 1;
                    self.see(M::see(&transaction));
                }
                Err(error) => {
                    self.fail(&error);
                    tries += 1;
                    if after == After::Ends || self.disk.state().dead || tries > 3 {
                        return Err(());
                    }
                }
            }
        }
        Ok(())
    }

    fn open_or_load(
        &mut self,
    ) -> Result<DurableOriginator<M, TwoSlots<Parts<FileOn>>, NoRollbackProtection>, ()> {
        let device = || Device::without_rollback_protection(device_key());
        let store = || match self.disk.open() {
            Ok(store) => Ok(store),
            Err(FileError::Io(error)) => Err(OriginatorError::Store(SlotsError::Medium(error))),
            Err(error) => panic!("a state that does not open: {error}"),
        };
        let opened = match store().and_then(|store| DurableOriginator::open(store, device())) {
            Err(OriginatorError::State(StateError::Nothing | StateError::Damaged)) if !self.is_loaded => {
                let loaded =
                    store().and_then(|store| DurableOriginator::load(store, device(), M::initial_key(0)));
                self.is_loaded = loaded.is_ok();
                loaded
            }
            opened => opened,
        };
        opened.map_err(|error| self.fail(&error))
    }

    /// Lets through what a fault explains, and nothing else.
    #[track_caller]
    fn fail<R: core::fmt::Debug>(&mut self, error: &OriginatorError<SlotsError<io::Error>, R>) {
        assert!(matches!(error, OriginatorError::Store(SlotsError::Medium(_))), "{error:?}");
        self.faults += 1;
        self.faults_since_last += 1;
    }

    /// A key has left.
    fn see(&mut self, (_, ordinal, key): (u8, u32, [u8; 16])) {
        assert!(ordinal > self.last, "counter {ordinal} comes after {}", self.last);
        assert!(ordinal - self.last - 1 <= self.faults_since_last, "a fault costs one counter at most");
        assert!(self.keys.insert(key));
        (self.last, self.faults_since_last, self.is_loaded) = (ordinal, 0, true);
        self.disk.state().assert_forgets(record_len(M::STATE_LEN), &self.keys);
    }
}

/// How many operations a program needs for its first load and three transactions.
fn operations<M: Subject>() -> u32 {
    let mut world = World::<M>::new(1);
    world.live(&[], After::Ends, 3);
    world.disk.state().operations
}

/// Each fault at each operation, and a cut so many operations later, in the same program or another; then a program that is
/// cut as well, and a last one.
fn faults_at_each_operation<M: Subject>(later: impl Iterator<Item = u32> + Clone, left: &[Left]) -> u32 {
    let mut faults = 0;
    let later = left.iter().flat_map(|left| later.clone().map(move |later| (Fault::Power(*left), later)));
    for operation in 1..=operations::<M>() {
        for fault in FAULTS {
            for after in [After::TriesAgain, After::Ends] {
                for (cut, later) in later.clone() {
                    let mut world = World::<M>::new(u64::from(operation * 1000 + later));
                    world.live(&[(operation, fault), (operation + later, cut)], after, 3);
                    world.live(&[(later, cut)], after, 2);
                    world.live(&[], after, 2);
                    faults += world.faults;
                }
            }
        }
    }
    std::println!("{faults} faults");
    faults
}

#[test]
fn a_fault_at_any_operation_on_the_file_uses_no_key_twice_and_leaves_a_state_that_opens() {
    assert!(faults_at_each_operation::<VolatileOriginator>(1..=5, &[Left::Nothing]) > 5_000);
}

/// The fourth operation is the sync of the head.
#[test]
fn a_head_whose_sync_failed_is_there_after_a_cut() {
    for (seed, later) in (1..=8).flat_map(|seed| (6..=14).map(move |later| (seed, later))) {
        let mut world = World::<VolatileOriginator>::new(seed);
        let cut = (later, Fault::Power(Left::Nothing));
        world.live(&[(4, Fault::SyncForgets), (4 + cut.0, cut.1)], After::Ends, 3);
        world.live(&[], After::Ends, 2);
    }
}

#[test]
fn a_fault_at_any_operation_on_the_file_does_no_harm_with_aes_either() {
    assert!(faults_at_each_operation::<aes::VolatileOriginator>(3..=3, &[Left::Some]) > 1_000);
}

/// Lives of one file after another, each with a fault at random.
fn random_faults<M: Subject>(first_seed: u64, at_least: u32) -> u32 {
    let mut faults = 0;
    for seed in first_seed.. {
        let mut world = World::<M>::new(seed);
        for _ in 0..12 {
            let mut state = world.disk.state();
            let fault = FAULTS[state.random(FAULTS.len())];
            state.counts_reads = state.random(4) == 0;
            let at = 1 + if state.counts_reads { state.random(900) } else { state.random(26) } as u32;
            let after = [After::TriesAgain, After::Ends][state.random(2)];
            drop(state);
            let cut = (at + 1 + world.disk.state().random(30) as u32, Fault::Power(Left::Some));
            world.live(&[(at, fault), cut], after, 4);
        }
        world.live(&[], After::Ends, 2);
        faults += world.faults;
        if faults >= at_least {
            break;
        }
    }
    std::println!("{faults} faults");
    faults
}

#[test]
fn faults_at_random_use_no_key_twice_and_leave_a_state_that_opens() {
    assert!(random_faults::<VolatileOriginator>(1, 1_000) >= 1_000);
    assert!(random_faults::<aes::VolatileOriginator>(1, 200) >= 200);
}

// cargo test -p cardroot-dukpt --release --features std --lib -- --ignored file_faults
#[test]
#[ignore = "minutes: run in release"]
fn a_hundred_thousand_faults_use_no_key_twice_and_leave_a_state_that_opens() {
    assert!(faults_at_each_operation::<VolatileOriginator>(1..=12, &LEFT) > 50_000);
    assert!(random_faults::<VolatileOriginator>(1_000_000, 100_000) >= 100_000);
    assert!(random_faults::<aes::VolatileOriginator>(1_000_000, 25_000) >= 25_000);
}
