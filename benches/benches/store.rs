//! Accepted counters a second, next to what the engine alone does with the same batches in the same run.
//!
//! `cargo bench -p benches --bench store` measures redb; with `--features postgres` and `CARDROOT_POSTGRES_URL` (key and value
//! form) PostgreSQL too. `-- --full` adds ten million terminals, `-- --terminals` measures what their number costs alone, `-- --test` runs
//! everything once. Guard and engine take turns, and each turn is compared with the next: the disk of a shared machine changes from second
//! to second.

use core::hint::black_box;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use core::time::Duration;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Instant;

use redb::{Database, ReadableTable, TableDefinition};
use store::RedbGuard;
use store::dukpt::guard::{Claim, OriginatorId, Policy, ReplayGuard, RequestId, Scheme, Verdict, block_on};

/// Claims in a batch.
const BATCHES: [usize; 3] = [1, 100, 1000];

const MEMORIES: TableDefinition<'_, [u8; 9], [u8; 32]> = TableDefinition::new("memories");

#[derive(Clone, Copy)]
struct Effort {
    terminals: u64,
    turn: Duration,
    turns: usize,
    largest: u64,
}

fn main() {
    let has = |option: &str| std::env::args().any(|argument| argument == option);
    let mut effort =
        Effort { terminals: 1_000_000, turn: Duration::from_millis(400), turns: 9, largest: 1_000_000 };
    if has("--full") {
        effort.largest = 10_000_000;
    }
    if has("--test") {
        effort = Effort { terminals: 2_000, turn: Duration::from_millis(5), turns: 1, largest: 20_000 };
    }
    redb_terminals(effort);
    if has("--terminals") {
        return;
    }
    redb_against_its_floor(effort);
    redb_callers(effort);
    #[cfg(feature = "postgres")]
    sql::against_its_floor(effort);
}

/// Terminals that each count on, chosen at random.
struct Load {
    counters: Vec<u32>,
    /// The terminals are every so many, from the second number.
    part: (u64, u64),
    random: u64,
}

impl Load {
    fn new(terminals: u64, start: u32) -> Self {
        Self::part(terminals, 1, 0, start)
    }

    fn part(terminals: u64, every: u64, first: u64, start: u32) -> Self {
        let count = usize::try_from(terminals / every).expect("fits");
        Self { counters: vec![start; count], part: (every, first), random: 0x5EED + first }
    }

    /// The next counters of different terminals.
    fn batch(&mut self, size: usize) -> Vec<Claim> {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let count = self.counters.len();
        let first = usize::try_from(self.random % count as u64).expect("below a usize");
        (0..size)
            .map(|step| {
                let terminal = (first + step * 7919) % count;
                let counter = self.counters.get_mut(terminal).expect("below the count");
                *counter += 1;
                let (every, first) = self.part;
                claim(terminal as u64 * every + first, *counter)
            })
            .collect()
    }
}

fn claim(terminal: u64, counter: u32) -> Claim {
    let id = terminal.wrapping_mul(0x9E37_79B9_7F4A_7C15).to_be_bytes();
    let request = RequestId(u128::from(counter).to_be_bytes());
    Claim { originator: OriginatorId { scheme: Scheme::Tdes, id }, counter, request }
}

fn accept(guard: &impl ReplayGuard, claims: &[Claim]) {
    let verdicts = block_on(guard.advance(claims)).unwrap_or_else(|error| panic!("{error}"));
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Accepted { .. })));
    black_box(verdicts);
}

/// Operations a second of two works that take turns, and how much the first has of the second: medians of all turns.
struct Compared {
    rates: [f64; 2],
    share: f64,
}

fn compare(
    effort: Effort,
    mut one: impl FnMut(Duration) -> f64,
    mut other: impl FnMut(Duration) -> f64,
) -> Compared {
    let turns: Vec<[f64; 2]> = (0..effort.turns).map(|_| [one(effort.turn), other(effort.turn)]).collect();
    Compared {
        rates: [median(turns.iter().map(|[one, _]| *one)), median(turns.iter().map(|[_, other]| *other))],
        share: median(turns.iter().map(|[one, other]| one / other)),
    }
}

/// Repeats `work`, which says how much it did, for about `turn`: so much a second.
fn rate(turn: Duration, mut work: impl FnMut() -> usize) -> f64 {
    let (start, mut done) = (Instant::now(), 0);
    while start.elapsed() < turn {
        done += work();
    }
    done as f64 / start.elapsed().as_secs_f64()
}

fn fill(guard: &impl ReplayGuard, terminals: Range<u64>) {
    let claims: Vec<Claim> = terminals.map(|terminal| claim(terminal, 0)).collect();
    claims.chunks(20_000).for_each(|claims| accept(guard, claims));
}

/// Has every page of a file been written once, because a file system takes far longer to make room than to write over; and the guard's
/// sweep gone round.
fn warm_up(terminals: u64, mut advance: impl FnMut(&[Claim])) {
    let mut load = Load::new(terminals, next_counter());
    for _ in 0..60.max(terminals / 4_000) {
        advance(&load.batch(1000));
    }
}

/// What redb does with a batch: read each row, compare, write it.
struct BareRedb(Database);

impl BareRedb {
    fn new(path: &Path, terminals: u64) -> Self {
        let bare = Self(Database::create(path).expect("a new file"));
        bare.fill(0..terminals);
        bare
    }

    fn fill(&self, terminals: Range<u64>) {
        let claims: Vec<Claim> = terminals.map(|terminal| claim(terminal, 0)).collect();
        for claims in claims.chunks(20_000) {
            self.advance(claims);
        }
    }

    fn advance(&self, claims: &[Claim]) -> usize {
        // redb's own default is durable; so is this.
        let transaction = self.0.begin_write().expect("a transaction");
        {
            let mut table = transaction.open_table(MEMORIES).expect("a table");
            let mut rows: Vec<([u8; 9], u32)> = claims.iter().map(row).collect();
            rows.sort_unstable();
            for (key, counter) in rows {
                let stored = table.get(key).expect("a row").map(|stored| stored.value());
                let last = stored.and_then(|stored| stored.first_chunk().copied()).map(u32::from_be_bytes);
                if last.is_none_or(|last| counter > last) {
                    let mut value = [0x5A; 32];
                    value[..4].copy_from_slice(&counter.to_be_bytes());
                    table.insert(key, value).expect("written");
                }
            }
        }
        transaction.commit().expect("durable");
        claims.len()
    }
}

fn row(claim: &Claim) -> ([u8; 9], u32) {
    let mut key = [1; 9];
    key[1..].copy_from_slice(&claim.originator.id);
    (key, claim.counter)
}

fn redb_against_its_floor(effort: Effort) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = RedbGuard::create(folder.path().join("guard"), Policy::Strict).expect("a store");
    fill(&guard, 0..effort.terminals);
    let bare = BareRedb::new(&folder.path().join("bare"), effort.terminals);
    warm_up(effort.terminals, |claims| accept(&guard, claims));
    warm_up(effort.terminals, |claims| assert_eq!(bare.advance(claims), claims.len()));
    for batch in BATCHES {
        let start = next_counter();
        let (mut ours, mut theirs) = (Load::new(effort.terminals, start), Load::new(effort.terminals, start));
        let Compared { rates: [accepts, floor], share } = compare(
            effort,
            |turn| rate(turn, || (accept(&guard, &ours.batch(batch)), batch).1),
            |turn| rate(turn, || bare.advance(&theirs.batch(batch))),
        );
        let percent = 100.0 * share;
        println!("store/redb/batch-{batch}: {accepts:.0} accepts/s, bare redb {floor:.0}/s, {percent:.0} %");
    }
}

/// Where the counters of the next load start, so that no load meets those of another.
fn next_counter() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    NEXT.fetch_add(1 << 20, Ordering::Relaxed)
}

fn redb_callers(effort: Effort) {
    let folder = tempfile::tempdir().expect("a folder");
    let guard = RedbGuard::create(folder.path().join("guard"), Policy::Strict).expect("a store");
    let counter = AtomicU64::new(0);
    let callers = |callers: u64, turn: Duration| {
        let stop = AtomicBool::new(false);
        let accepted = AtomicU64::new(0);
        let call = |caller| {
            while !stop.load(Ordering::Relaxed) {
                let next = u32::try_from(counter.fetch_add(1, Ordering::Relaxed)).expect("a counter");
                accept(&guard, &[claim(caller, next)]);
                accepted.fetch_add(1, Ordering::Relaxed);
            }
        };
        let start = Instant::now();
        thread::scope(|scope| {
            for caller in 0..callers {
                let call = &call;
                scope.spawn(move || call(caller));
            }
            thread::sleep(turn);
            stop.store(true, Ordering::Relaxed);
        });
        accepted.into_inner() as f64 / start.elapsed().as_secs_f64()
    };
    let Compared { rates: [many, one], share } =
        compare(effort, |turn| callers(32, turn), |turn| callers(1, turn));
    println!("store/redb/callers: 1 caller {one:.0} accepts/s, 32 callers {many:.0}/s, {share:.1} times");
}

/// What the number of terminals costs. Guards and engines of all sizes take turns, and each is compared with the smallest in the same
/// round: a shared machine changes from minute to minute.
fn redb_terminals(effort: Effort) {
    let folder = tempfile::tempdir().expect("a folder");
    let sizes = (4..).map(|power| 10_u64.pow(power)).take_while(|terminals| *terminals <= effort.largest);
    let pairs: Vec<Pair> = sizes.map(|terminals| Pair::new(folder.path(), terminals)).collect();
    for batch in BATCHES {
        flatness(effort, &pairs, batch);
    }
    for Pair { terminals, guard, path, .. } in pairs {
        drop(guard);
        let start = Instant::now();
        drop(RedbGuard::open(&path, Policy::Strict).expect("the store"));
        let (opened, bytes) = (start.elapsed(), path.metadata().expect("a file").len());
        println!(
            "store/redb/terminals-{terminals}: {} bytes a terminal, opened and closed in {} ms",
            bytes / terminals,
            opened.as_millis()
        );
    }
}

/// A guard and an engine with as many terminals.
struct Pair {
    terminals: u64,
    guard: RedbGuard,
    path: PathBuf,
    bare: BareRedb,
}

impl Pair {
    fn new(folder: &Path, terminals: u64) -> Self {
        let path = folder.join(format!("guard-{terminals}"));
        let guard = RedbGuard::create(&path, Policy::Strict).expect("a store");
        fill(&guard, 0..terminals);
        warm_up(terminals, |claims| accept(&guard, claims));
        let bare = BareRedb::new(&folder.join(format!("bare-{terminals}")), terminals);
        warm_up(terminals, |claims| assert_eq!(bare.advance(claims), claims.len()));
        Self { terminals, guard, path, bare }
    }

    /// Microseconds that an accept takes the guard and the engine.
    fn micros(&self, [ours, theirs]: &mut [Load; 2], batch: usize, turn: Duration) -> [f64; 2] {
        let ours = rate(turn, || (accept(&self.guard, &ours.batch(batch)), batch).1);
        let theirs = rate(turn, || self.bare.advance(&theirs.batch(batch)));
        [ours, theirs].map(|accepts| 1e6 / accepts)
    }
}

fn flatness(effort: Effort, pairs: &[Pair], batch: usize) {
    let start = next_counter();
    let load = |pair: &Pair| [0; 2].map(|_| Load::new(pair.terminals, start));
    let mut loads: Vec<[Load; 2]> = pairs.iter().map(load).collect();
    let mut round = || -> Vec<[f64; 2]> {
        pairs.iter().zip(&mut loads).map(|(pair, loads)| pair.micros(loads, batch, effort.turn)).collect()
    };
    let rounds: Vec<Vec<[f64; 2]>> = (0..effort.turns).map(|_| round()).collect();
    for (number, pair) in pairs.iter().enumerate() {
        let cost = |of: fn(&[f64; 2]) -> f64| {
            let costs = rounds.iter().filter_map(|round| Some((of(round.get(number)?), of(round.first()?))));
            (median(costs.clone().map(|(cost, _)| cost)), median(costs.map(|(cost, least)| cost / least)))
        };
        let ((ours, our_ratio), (theirs, their_ratio)) =
            (cost(|[ours, _]| *ours), cost(|[_, theirs]| *theirs));
        println!(
            "store/redb/terminals-{}/batch-{batch}: {ours:.2} us an accept, {our_ratio:.2} times that of the smallest; bare redb \
             {theirs:.2} us, {their_ratio:.2} times",
            pair.terminals
        );
    }
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().expect("a turn at least")
}

#[cfg(feature = "postgres")]
mod sql {
    use core::num::NonZeroUsize;

    use postgres::types::{ToSql, Type};
    use postgres::{Client, NoTls, Statement};
    use store::{PostgresGuard, PostgresOptions};

    use super::*;

    /// The guard's own statement.
    const ADVANCE: &str = include_str!("../../crates/store/src/postgres_guard/advance.sql");

    /// The version of the tables, which the statement compares.
    const VERSION: i64 = 2;

    struct BareSql {
        client: Client,
        text: String,
        prepared: Option<Statement>,
    }

    impl BareSql {
        fn new(mut client: Client, is_prepared: bool) -> Self {
            let text = ADVANCE.replace("cardroot", "cardroot_bench_bare");
            let prepared = is_prepared.then(|| client.prepare(&text).expect("prepared"));
            Self { client, text, prepared }
        }

        fn advance(&mut self, claims: &[Claim]) -> usize {
            let mut claims: Vec<&Claim> = claims.iter().collect();
            claims.sort_unstable_by_key(|claim| i64::from_be_bytes(claim.originator.id));
            let schemes = vec![1_i16; claims.len()];
            let names: Vec<i64> =
                claims.iter().map(|claim| i64::from_be_bytes(claim.originator.id)).collect();
            let counters: Vec<i64> = claims.iter().map(|claim| claim.counter.into()).collect();
            let requests: Vec<&[u8]> = claims.iter().map(|claim| &claim.request.0[..]).collect();
            let parameters: [(&(dyn ToSql + Sync), Type); 6] = [
                (&schemes, Type::INT2_ARRAY),
                (&names, Type::INT8_ARRAY),
                (&counters, Type::INT8_ARRAY),
                (&requests, Type::BYTEA_ARRAY),
                (&VERSION, Type::INT8),
                (&0_i64, Type::INT8),
            ];
            let rows = match &self.prepared {
                Some(statement) => self.client.query(statement, &parameters.map(|(value, _)| value)),
                None => self.client.query_typed(&self.text, &parameters),
            };
            let accepted = rows.expect("the statement").len();
            assert_eq!(accepted, claims.len());
            accepted
        }
    }

    pub(super) fn against_its_floor(effort: Effort) {
        let Ok(address) = std::env::var("CARDROOT_POSTGRES_URL") else {
            println!("store/postgres: CARDROOT_POSTGRES_URL names no server, nothing measured");
            return;
        };
        let connect = || Client::connect(&address, NoTls).expect("a connection");
        let drop_all =
            "DROP SCHEMA IF EXISTS cardroot_bench CASCADE; DROP SCHEMA IF EXISTS cardroot_bench_bare CASCADE";
        connect().batch_execute(drop_all).expect("dropped");
        for (schema, connections) in [("cardroot_bench_bare", 1), ("cardroot_bench", 4)] {
            let options = options(&address, connections).schema(schema);
            fill(&PostgresGuard::create(&options, Policy::Strict).expect("a store"), 0..effort.terminals);
        }
        connect().batch_execute("VACUUM ANALYZE").expect("vacuumed");
        for (connections, is_prepared) in [(1, false), (4, false), (1, true), (4, true)] {
            let mut options = options(&address, connections).schema("cardroot_bench");
            if is_prepared {
                options = options.prepared();
            }
            let guard = PostgresGuard::open(&options, Policy::Strict).expect("the store");
            for batch in BATCHES {
                let start = next_counter();
                let load = |offset| Load::part(effort.terminals, connections as u64, offset, start);
                let mut ours: Vec<Load> = (0..connections as u64).map(load).collect();
                let bare = |offset| (load(offset), BareSql::new(connect(), is_prepared));
                let mut theirs: Vec<(Load, BareSql)> = (0..connections as u64).map(bare).collect();
                let Compared { rates: [accepts, floor], share } = compare(
                    effort,
                    |turn| together(&mut ours, turn, |load| (accept(&guard, &load.batch(batch)), batch).1),
                    |turn| together(&mut theirs, turn, |(load, bare)| bare.advance(&load.batch(batch))),
                );
                let form = if is_prepared { "prepared" } else { "unnamed" };
                let percent = 100.0 * share;
                println!(
                    "store/postgres/{form}/batch-{batch}/connections-{connections}: {accepts:.0} accepts/s, \
                     bare statement {floor:.0}/s, {percent:.0} %"
                );
            }
        }
        connect().batch_execute(drop_all).expect("dropped");
    }

    fn options(address: &str, connections: usize) -> PostgresOptions {
        let connections = NonZeroUsize::new(connections).expect("some");
        PostgresOptions::new(address).expect("an address").connections(connections)
    }

    /// A thread for each state: what all of them do in a second.
    fn together<T: Send>(states: &mut [T], turn: Duration, work: impl Fn(&mut T) -> usize + Sync) -> f64 {
        thread::scope(|scope| {
            let work = &work;
            let run = move |state: &mut T| rate(turn, || work(&mut *state));
            let threads: Vec<_> = states.iter_mut().map(|state| scope.spawn(move || run(state))).collect();
            threads.into_iter().map(|thread| thread.join().expect("a rate")).sum()
        })
    }
}
