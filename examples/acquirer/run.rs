//! One run: the fleet is loaded, the host goes into service and crashes, the ledger is closed.

use std::net::TcpListener;
use std::thread::{self, ScopedJoinHandle};
use std::time::{Duration, Instant};

use cardroot::dukpt::Receiver;

use crate::Failure;
use crate::bank::{Bank, Customer, customers};
use crate::figures::{Figures, Goal, Live};
use crate::fleet::{Account, Crew, Plan};
use crate::host::{Host, Journal};
use crate::keys::{base_key, key_sets};
use crate::ledger::{Evidence, Ledger};
use crate::line::Network;
use crate::memory::Memory;
use crate::service::{Conversations, Service};
use crate::witness::{Power, Record, Witness};

const CUSTOMERS: u32 = 1000;

#[derive(Clone, Copy, Debug)]
pub struct Options {
    pub terminals: u32,
    /// At most one for each terminal.
    pub connections: u32,
    pub crashes: u32,
    pub seed: u64,
    pub key_set: u64,
    pub goal: Goal,
    pub quiet: bool,
}

/// The world around the host, which outlives it.
struct World<'a> {
    options: &'a Options,
    figures: Figures,
    bank: Bank,
    journal: Journal,
    record: Record,
}

/// What the lives of the host have left.
#[derive(Default)]
struct Lives {
    judged: Vec<Conversations>,
    away: Vec<Duration>,
}

/// Lets the fleet trade with a host that has this memory, and crashes.
pub fn run(options: &Options, memory: &impl Memory) -> Result<Ledger, Failure> {
    let customers = customers(CUSTOMERS);
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let network = Network::to(listener.local_addr()?);
    let crews = load(options, &customers, &network)?;
    let world = World {
        options,
        figures: Figures::start(options.goal),
        bank: Bank::new(&customers)?,
        journal: Journal::new(),
        record: Record::default(),
    };
    let (lives, accounts) = thread::scope(|scope| {
        let figures = &world.figures;
        let fleet: Vec<_> = crews.into_iter().map(|crew| scope.spawn(|| crew.trade(figures))).collect();
        let lives = world.live(listener, memory, || fleet.iter().all(ScopedJoinHandle::is_finished));
        network.close();
        let accounts: Vec<_> = fleet.into_iter().map(joined).collect();
        // A failure of the host is the cause of those of the fleet.
        Ok::<_, Failure>((lives?, accounts.into_iter().collect::<Result<_, _>>()?))
    })?;
    Ok(Ledger::close(world.evidence(lives, accounts, network)))
}

/// The key loading facility is busy, on all processors.
fn load<'a>(
    options: &Options,
    customers: &'a [Customer],
    network: &'a Network,
) -> Result<Vec<Crew<'a>>, Failure> {
    let Options { terminals, connections, seed, key_set, goal, .. } = *options;
    let plan = Plan { terminals, connections, seed, key_set, goal: goal.transactions(), customers };
    thread::scope(|scope| {
        let crew = |number| scope.spawn(move || Crew::load(&plan, number, &base_key(), network));
        let crews: Vec<_> = (0..connections).map(crew).collect();
        crews.into_iter().map(joined).collect()
    })
}

fn joined<T>(thread: ScopedJoinHandle<'_, Result<T, Failure>>) -> Result<T, Failure> {
    thread.join().unwrap_or_else(|_| Err(Failure("a thread of the fleet panicked".to_owned())))
}

impl World<'_> {
    /// The host's lives, one after the other. Each begins with what the memory has kept. After the last, nobody listens.
    fn live(
        &self,
        listener: TcpListener,
        memory: &impl Memory,
        is_over: impl Fn() -> bool,
    ) -> Result<Lives, Failure> {
        let Options { key_set, crashes, connections, quiet, .. } = *self.options;
        let mut lives = Lives::default();
        let mut live = Live::new(quiet);
        let mut crashed: Option<Instant> = None;
        for life in 1..=crashes + 1 {
            let power = Power::default();
            let guard = Witness { guard: memory.open()?, power: &power, record: &self.record };
            let receiver = Receiver::new(key_sets(key_set)?, guard);
            let host = Host { receiver, bank: &self.bank, journal: &self.journal };
            lives.away.extend(crashed.map(|crashed| crashed.elapsed()));

            let workers = connections as usize;
            let service = Service { listener: &listener, workers, power: &power, figures: &self.figures };
            let end = f64::from(life) / f64::from(crashes + 1);
            lives.judged.push(service.run(&host, || {
                live.show(&self.figures);
                is_over() || life <= crashes && self.figures.share() >= end
            })?);
            if is_over() {
                break;
            }
            crashed = Some(Instant::now());
            memory.crash()?;
        }
        Ok(lives)
    }

    fn evidence(self, lives: Lives, accounts: Vec<Account>, network: Network) -> Evidence {
        let (cents, booked_twice) = {
            let books = self.bank.books();
            (books.cents, books.twice)
        };
        Evidence {
            accounts,
            expected: network.into_conversations(),
            judged: lives.judged,
            accepted: self.record.accepted(),
            accepted_twice: self.record.twice(),
            cents,
            booked_twice,
            took: self.figures.elapsed(),
            away: lives.away,
            journal: self.journal.into_entries(),
        }
    }
}
