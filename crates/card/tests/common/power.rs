//! Power that is cut at a write of choice: while a supply is on, the cards that a thread makes are in stores of it.

#![allow(dead_code, reason = "each test program uses its part of these helpers")]
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    unreachable_pub,
    reason = "a panic is the report; a test program has std"
)]

use core::cell::RefCell;
use core::panic::AssertUnwindSafe;
use core::sync::atomic::{AtomicBool, Ordering};
use std::panic::{catch_unwind, resume_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::{fs, io};

use cardroot_card::state::{CardStore, FileStore, MemoryStore, StorageKey, StoredCard};
use cardroot_card::{Card, CardProfile, TransportKey};

use super::Source;

/// When the power goes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Moment {
    /// The write has not begun.
    Before,
    /// The write is done and nobody knows.
    After,
}

/// The cards of a run, what they wrote, and where the power goes.
#[derive(Default)]
struct Log {
    cut: Option<(usize, Moment)>,
    cards: Vec<(CardProfile, MemoryStore)>,
    /// Card and state of each write, in order.
    writes: Vec<(usize, Vec<u8>)>,
    is_cut: bool,
}

/// What a scenario ends with when the power goes.
struct PowerCut;

#[derive(Clone, Default)]
pub struct Supply(Arc<Mutex<Log>>);

thread_local! {
    static SUPPLY: RefCell<Option<Supply>> = const { RefCell::new(None) };
}

/// A blank card, in a store if a supply is on.
pub fn blank(profile: CardProfile, transport: TransportKey, source: Source) -> Card<Source> {
    match SUPPLY.with_borrow(Clone::clone) {
        Some(supply) => Card::blank_in(supply.store(profile), profile, transport, source)
            .unwrap_or_else(|_| resume_unwind(Box::new(PowerCut))),
        None => Card::blank(profile, transport, source),
    }
}

/// The first answer without power is `6581`, and the end of the scenario.
pub fn note_answer(status: [u8; 2]) {
    let is_cut =
        SUPPLY.with_borrow(|supply| supply.as_ref().is_some_and(|supply| supply.0.lock().unwrap().is_cut));
    if is_cut {
        assert_eq!(status, [0x65, 0x81], "an answer without power");
        resume_unwind(Box::new(PowerCut));
    }
}

/// What a run left.
pub struct Run {
    /// Whether it came to its end.
    pub is_whole: bool,
    pub cards: Vec<(CardProfile, MemoryStore)>,
    pub writes: Vec<(usize, Vec<u8>)>,
}

impl Run {
    /// What card `index` had after the first `count` writes of this run.
    pub fn state_after(&self, index: usize, count: usize) -> Option<&[u8]> {
        let mut writes = self.writes[..count].iter().rev();
        writes.find(|(card, _)| *card == index).map(|(_, state)| state.as_slice())
    }
}

impl Supply {
    /// Runs `scenario` until it ends or the power does, at write number `cut`.
    pub fn run(scenario: impl FnOnce(), cut: Option<(usize, Moment)>) -> Run {
        let supply = Self::default();
        supply.0.lock().unwrap().cut = cut;
        SUPPLY.set(Some(supply.clone()));
        let end = catch_unwind(AssertUnwindSafe(scenario));
        SUPPLY.set(None);
        let is_whole = match end {
            Ok(()) => true,
            Err(cut) if cut.is::<PowerCut>() => false,
            Err(failure) => resume_unwind(failure),
        };
        let log = core::mem::take(&mut *supply.0.lock().unwrap());
        Run { is_whole, cards: log.cards, writes: log.writes }
    }

    fn store(&self, profile: CardProfile) -> Powered {
        let mut log = self.0.lock().unwrap();
        let memory = MemoryStore::new();
        log.cards.push((profile, memory.clone()));
        Powered { card: log.cards.len() - 1, log: self.0.clone(), memory }
    }
}

/// The store of one card of a supply.
struct Powered {
    card: usize,
    log: Arc<Mutex<Log>>,
    memory: MemoryStore,
}

impl CardStore for Powered {
    fn load(&mut self) -> io::Result<Option<StoredCard>> {
        self.memory.load()
    }

    fn replace(&mut self, state: &[u8]) -> io::Result<()> {
        let mut log = self.log.lock().unwrap();
        let number = log.writes.len();
        if log.cut == Some((number, Moment::Before)) {
            log.is_cut = true;
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.memory.replace(state)?;
        log.writes.push((self.card, state.to_vec()));
        log.is_cut = log.cut == Some((number, Moment::After));
        if log.is_cut { Err(io::ErrorKind::BrokenPipe.into()) } else { Ok(()) }
    }
}

/// A store whose power goes at the write of that number.
pub struct Failing {
    memory: MemoryStore,
    cut: Option<(usize, Moment)>,
    writes: usize,
    /// What was written and, in the end, whether the power is gone.
    states: Arc<Mutex<Vec<Vec<u8>>>>,
    is_cut: Arc<AtomicBool>,
}

impl Failing {
    /// A copy of a store, which loses its power after so many writes, and what is found in it then.
    pub fn copy(store: &MemoryStore, writes: usize, moment: Moment) -> (Self, MemoryStore) {
        let mut copy = MemoryStore::new();
        copy.replace(store.clone().load().unwrap().unwrap().expose_bytes()).unwrap();
        (Self::on(&copy, Some((writes, moment))), copy)
    }

    /// The store itself.
    pub fn on(memory: &MemoryStore, cut: Option<(usize, Moment)>) -> Self {
        Self { memory: memory.clone(), cut, writes: 0, states: Arc::default(), is_cut: Arc::default() }
    }

    /// Tells, once the store is a card's, which states came into it.
    pub fn states(&self) -> Arc<Mutex<Vec<Vec<u8>>>> {
        Arc::clone(&self.states)
    }

    /// Tells, once the store is a card's, whether the power is gone.
    pub fn switch(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_cut)
    }
}

impl CardStore for Failing {
    fn load(&mut self) -> io::Result<Option<StoredCard>> {
        self.memory.load()
    }

    fn replace(&mut self, state: &[u8]) -> io::Result<()> {
        assert!(!self.is_cut.load(Ordering::Relaxed), "a store that has failed is not asked again");
        let moment = self.cut.filter(|(number, _)| *number == self.writes).map(|(_, moment)| moment);
        self.writes += 1;
        self.is_cut.store(moment.is_some(), Ordering::Relaxed);
        if moment != Some(Moment::Before) {
            self.memory.replace(state)?;
            self.states.lock().unwrap().push(state.to_vec());
        }
        if moment.is_some() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }
}

/// The key that files of tests are sealed under.
pub fn storage_key() -> StorageKey {
    StorageKey::from_fill(|key| key.fill(0x3C))
}

/// The states in the slots of a file: what one has is seen while the other is spoilt.
pub fn states_in(path: &Path) -> [Vec<u8>; 2] {
    let content = fs::read(path).unwrap();
    [4096, 4096 + 0x1_0000].map(|slot| {
        let mut spoilt = content.clone();
        spoilt[slot + 20] ^= 1;
        fs::write(path, spoilt).unwrap();
        let mut store = FileStore::open(path, storage_key()).unwrap();
        let state = store.load().unwrap().unwrap().expose_bytes().to_vec();
        drop(store);
        fs::write(path, &content).unwrap();
        state
    })
}
